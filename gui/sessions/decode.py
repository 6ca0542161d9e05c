"""Nodes to values: the other half of :mod:`gui.sessions.codec`. Every dtype, shape and length is checked before anything is allocated."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from gui.sessions.codec import _DTYPE, _MASKED, _TIME, MAX_DEPTH, MAX_DIMENSIONS, MAX_TEXTS, MAX_WIDE, Node, Store, check_brackets, damaged

EXPECTED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
"""What wrong contents raise on the way; to the user they are all one thing: damaged."""


class Decoder:
    """Nodes to values. record : decodes the kinds unknown here. Equal indices become one object. Raises DamagedSession or one of EXPECTED."""

    def __init__(self, store: Store, record: Callable[[Decoder, Node], Any] | None = None) -> None:
        self._store, self._record, self._depth = store, record, 0
        self._indices: dict[str, pd.Index] = {}

    def __call__(self, node: Node) -> Any:
        if node is None or type(node) in (bool, int, float, str):
            return node
        if type(node) is not dict:
            raise damaged()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise damaged()
        try:
            method = _KINDS.get(str(node["t"]))
            if method is not None:
                return method(self, node)
            if self._record is None:
                raise damaged()
            return self._record(self, node)
        finally:
            self._depth -= 1

    def _list(self, node: Node) -> Any:
        items = [self(x) for x in node["items"]]
        return tuple(items) if node["t"] == "tuple" else items

    def _float(self, node: Node) -> float:
        if node["v"] not in ("nan", "inf", "-inf"):
            raise damaged()
        return float(node["v"])

    def _scalar(self, node: Node) -> Any:
        (value,) = self.array(node["of"])
        return value

    def _bytes(self, node: Node) -> bytes:
        return bytes(self._blob(node))

    def _blob(self, node: Node) -> bytearray:
        length, names = node["n"], node["o"]
        if type(length) is not int or length < 0 or type(names) is not list or not all(type(n) is str for n in names):
            raise damaged()
        return self._store.get(names, length)

    def _shape(self, node: Node) -> tuple[int, ...]:
        shape = node["shape"]
        if type(shape) is not list or len(shape) > MAX_DIMENSIONS or not all(type(n) is int and 0 <= n < 2**48 for n in shape):
            raise damaged()
        return tuple(shape)

    def array(self, node: Node) -> np.ndarray:
        """A node that must be an array of numbers, truth values or times."""
        shape, dtype = self._shape(node), node["dtype"]
        if node["t"] != "array" or not _DTYPE.fullmatch(dtype) or math.prod(shape) * int(dtype[1:]) != node["n"]:
            raise damaged()
        raw = self._blob(node)
        if dtype == "b1" and raw and np.frombuffer(raw, np.uint8).max() > 1:
            raise damaged()
        values = np.frombuffer(raw, np.dtype(f"<{dtype}")).reshape(shape)
        if "as" in node:
            if dtype != "i8" or not _TIME.fullmatch(node["as"]):
                raise damaged()
            values = values.view(node["as"])
        return values

    def _texts(self, node: Node) -> np.ndarray:
        shape, width = self._shape(node), node["width"]
        if node["n"] > MAX_TEXTS:
            raise damaged()
        raw = bytes(self._blob(node))
        check_brackets(raw)
        items = json.loads(raw)
        if type(items) is not list or len(items) != math.prod(shape):
            raise damaged()
        same: dict[str, str] = {}
        if width is not None:
            if type(width) is not int or width < 0 or width * 4 * len(items) > MAX_WIDE or not all(type(x) is str and len(x) <= width for x in items):
                raise damaged()
            return np.array(items, dtype=f"U{width}").reshape(shape)
        values = np.empty(len(items), dtype=object)
        for k, x in enumerate(items):
            values[k] = same.setdefault(x, x) if type(x) is str else self(x)
        return values.reshape(shape)

    def outline(self, node: Node) -> tuple[int, ...]:
        """The shape of a dense or sparse array of numbers, checked as far as that goes without reading its buffers."""
        if node["t"] == "sparse":
            shape, (data, indices, indptr) = self._shape(node), (node[k] for k in ("data", "indices", "indptr"))
            if len(shape) != 2 or self.outline(data) != self.outline(indices) or self.outline(indptr) != (shape[1] + 1,):
                raise damaged()
            return shape
        shape, dtype = self._shape(node), node["dtype"]
        if node["t"] != "array" or "as" in node or not _DTYPE.fullmatch(dtype) or math.prod(shape) * int(dtype[1:]) != node["n"]:
            raise damaged()
        return shape

    def column(self, node: Node) -> Any:
        """One-dimensional values for a column or an index."""
        kind = node["t"]
        if kind not in ("array", "texts", "categories", "string", "masked"):
            raise damaged()
        values = self(node)
        if values.ndim != 1:
            raise damaged()
        return values

    def _categories(self, node: Node) -> pd.Categorical:
        categories, codes = self.index(node["of"]), self.array(node["codes"])
        if codes.dtype.kind != "i" or (codes.size and (codes.min() < -1 or codes.max() >= len(categories))) or type(node["ordered"]) is not bool:
            raise damaged()
        return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(categories, ordered=node["ordered"]))

    def _string(self, node: Node) -> Any:
        return pd.array(self._texts(node["of"]), dtype=pd.StringDtype("python"))

    def _masked(self, node: Node) -> Any:
        if node["dtype"] not in _MASKED:
            raise damaged()
        data, mask = self.array(node["data"]), self.array(node["mask"])
        if data.shape != mask.shape or mask.dtype != np.bool_:
            raise damaged()
        values = pd.array(data, dtype=node["dtype"])
        values[mask] = pd.NA
        return values

    def index(self, node: Node) -> pd.Index:
        """A node that must be an index. Runs share their names of genes: one object for all."""
        key = json.dumps(node, sort_keys=True)
        if key not in self._indices:
            found = self(node) if node["t"] in ("index", "range", "multi") else None
            if not isinstance(found, pd.Index):
                raise damaged()
            self._indices[key] = found
        return self._indices[key]

    def _index(self, node: Node) -> pd.Index:
        values = self.column(node["values"])
        return pd.Index(values, dtype=values.dtype, name=self(node["name"]))

    def _range(self, node: Node) -> pd.RangeIndex:
        start, stop, step = node["v"]
        if not all(type(x) is int and abs(x) < 2**62 for x in (start, stop, step)):
            raise damaged()
        return pd.RangeIndex(start, stop, step, name=self(node["name"]))

    def _multi(self, node: Node) -> pd.MultiIndex:
        return pd.MultiIndex.from_arrays([self.index(x) for x in node["of"]], names=[self(n) for n in node["names"]])

    def _frame(self, node: Node) -> pd.DataFrame:
        index, columns = self.index(node["index"]), self.index(node["columns"])
        if "values" in node:
            values = self.array(node["values"])
            if values.shape != (len(index), len(columns)):
                raise damaged()
            frame = pd.DataFrame(values, index=index, columns=columns, copy=False)
        else:
            parts = [self.column(x) for x in node["parts"]]
            if len(parts) != len(columns) or any(len(x) != len(index) for x in parts):
                raise damaged()
            frame = pd.DataFrame(dict(enumerate(parts)), index=index)
            frame.columns = columns
        return self._with_attrs(frame, node)

    def _series(self, node: Node) -> pd.Series:
        values, index = self.column(node["values"]), self.index(node["index"])
        if len(values) != len(index):
            raise damaged()
        return self._with_attrs(pd.Series(values, index=index, name=self(node["name"]), dtype=values.dtype), node)

    def _with_attrs(self, value: Any, node: Node) -> Any:
        if "attrs" in node:
            value.attrs = dict(self(node["attrs"]))
        return value

    def _sparse(self, node: Node) -> Any:
        from scipy import sparse

        kind, shape = node["kind"], self._shape(node)
        if kind not in ("csc_matrix", "csr_matrix", "csc_array", "csr_array") or len(shape) != 2:
            raise damaged()
        data, indices, indptr = (self.array(node[k]) for k in ("data", "indices", "indptr"))
        if indices.dtype not in (np.int32, np.int64) or indptr.dtype not in (np.int32, np.int64) or any(x.ndim != 1 for x in (data, indices, indptr)):
            raise damaged()
        length, other = (shape[1], shape[0]) if kind.startswith("csc") else shape
        if len(indptr) != length + 1 or len(data) != len(indices) or indptr[0] != 0 or indptr[-1] != len(indices) or (np.diff(indptr) < 0).any():
            raise damaged()
        if len(indices) and (indices.min() < 0 or indices.max() >= other):
            raise damaged()
        matrix = getattr(sparse, kind)((data, indices, indptr), shape=shape, copy=False)
        matrix.indices, matrix.indptr = indices, indptr  # the constructor narrows them: the data's fingerprint would change
        return matrix

    def _missing(self, node: Node) -> Any:
        return {"NA": pd.NA, "NaT": pd.NaT}[node["v"]]

    def _map(self, node: Node) -> dict[Any, Any]:
        found = {self(k): self(x) for k, x in node["items"]}
        if len(found) != len(node["items"]):
            raise damaged()
        return found

    def _datetime(self, node: Node) -> datetime:
        return datetime.fromisoformat(node["v"])

    def _date(self, node: Node) -> date:
        return date.fromisoformat(node["v"])

    def _timedelta(self, node: Node) -> timedelta:
        days, seconds, microseconds = node["v"]
        return timedelta(days, seconds, microseconds)


_KINDS: dict[str, Callable[[Decoder, Node], Any]] = {
    "map": Decoder._map,
    "list": Decoder._list,
    "tuple": Decoder._list,
    "float": Decoder._float,
    "scalar": Decoder._scalar,
    "bytes": Decoder._bytes,
    "array": Decoder.array,
    "texts": Decoder._texts,
    "categories": Decoder._categories,
    "string": Decoder._string,
    "masked": Decoder._masked,
    "index": Decoder._index,
    "range": Decoder._range,
    "multi": Decoder._multi,
    "frame": Decoder._frame,
    "series": Decoder._series,
    "sparse": Decoder._sparse,
    "missing": Decoder._missing,
    "datetime": Decoder._datetime,
    "date": Decoder._date,
    "timedelta": Decoder._timedelta,
}


def needed(node: Node, but: Callable[[Node], bool] = lambda _: False) -> int:
    """Bytes of all buffers a tree refers to, counted as often as they are used, but for nodes that ``but`` picks. DamagedSession for what is no tree."""
    total, waiting = 0, [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            if "o" in found:
                length = found.get("n")
                if type(length) is not int or length < 0:
                    raise damaged()
                total += length
            if but(found):
                continue
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
    return total


def names_in(node: Node) -> Sequence[str]:
    """The objects a tree refers to, each once, in order."""
    found: dict[str, None] = {}
    waiting = [node]
    while waiting:
        x = waiting.pop()
        if isinstance(x, dict):
            found.update(dict.fromkeys(map(str, x.get("o", ()))))
            waiting.extend(x.values())
        elif isinstance(x, list):
            waiting.extend(x)
    return list(found)
