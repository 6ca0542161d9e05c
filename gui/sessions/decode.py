"""Nodes to values: the other half of :mod:`gui.sessions.codec`.

Every dtype, shape and length is checked before anything is allocated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from gui import jsonscan
from gui.sessions.codec import (
    _DTYPE,
    _MASKED,
    _TIME,
    MAX_DEPTH,
    MAX_DIMENSIONS,
    MAX_TEXTS,
    MAX_WIDE,
    Node,
    Store,
    check_brackets,
    damaged,
)
from gui.sessions.cost import needed

EXPECTED = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What wrong contents raise on the way; to the user they are all one thing: damaged."""
_NOTED = 2**24
"""Bytes of single objects in lists of texts, after which it is asked whether there is room: they
are not in the tree, so nobody counted them before.
"""
MAX_ALIKE = 1000
"""Keys of one map with the hash of another one: text never has it, but numbers can be made so, and
each is compared with all the others.
"""
_SHORT = 1000
_SCALARS = ("float", "scalar", "missing", "datetime", "date", "timedelta")


class Decoder:
    """Decodes nodes to values. Equal indices become one object.

    Parameters
    ----------
    record : decodes the kinds that are unknown here.
    room : raises if there is no room for so many bytes, which the tree did not declare.

    Raises
    ------
    DamagedSession, or one of EXPECTED
    """

    def __init__(
        self,
        store: Store,
        record: Callable[[Decoder, Node], Any] | None = None,
        *,
        room: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._store, self._record, self._room, self._depth = store, record, room, 0
        self._indices: dict[Hashable, pd.Index] = {}
        self._unforeseen = 0

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
        if (
            type(length) is not int
            or length < 0
            or type(names) is not list
            or not all(type(n) is str for n in names)
        ):
            raise damaged()
        return self._store.get(names, length)

    def _shape(self, node: Node) -> tuple[int, ...]:
        shape = node["shape"]
        if (
            type(shape) is not list
            or len(shape) > MAX_DIMENSIONS
            or not all(type(n) is int and 0 <= n < 2**48 for n in shape)
        ):
            raise damaged()
        return tuple(shape)

    def array(self, node: Node) -> np.ndarray:
        """A node that must be an array of numbers, truth values or times."""
        shape, dtype = self._shape(node), node["dtype"]
        if (
            node["t"] != "array"
            or not _DTYPE.fullmatch(dtype)
            or math.prod(shape) * int(dtype[1:]) != node["n"]
        ):
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
        shape, width, length = self._shape(node), node["width"], node["n"]
        count = math.prod(shape)
        if type(length) is not int or length > MAX_TEXTS or 2 * count > length:
            raise damaged()
        if width is not None and (
            type(width) is not int or width < 0 or 4 * width * max(1, count) > MAX_WIDE
        ):
            raise damaged()
        raw = self._blob(node)
        if raw.find(b"\\") >= 0 or not raw.isascii():
            self._count(4 * length)  # letters of four bytes
        check_brackets(raw)
        if raw.count(b"[") + raw.count(b"{") > 1:  # single objects among the texts
            self._count(jsonscan.structure(raw).bytes)
        kind = np.dtype(object) if width is None else np.array([], dtype=f"U{width}").dtype
        values, at, same = np.empty(count, dtype=kind), 0, dict[str, str]()
        for piece in jsonscan.items(raw):
            if at + len(piece) > count:
                raise damaged()
            if width is None:
                for k, x in enumerate(piece, start=at):
                    found = type(x)
                    values[k] = (
                        same.setdefault(x, x)
                        if found is str
                        else x
                        if found is float or x is None or found is bool
                        else self._element(x)
                    )
            elif all(type(x) is str and len(x) <= width for x in piece):
                values[at : at + len(piece)] = piece
            else:
                raise damaged()
            at += len(piece)
        if at != count:
            raise damaged()
        return values.reshape(shape)

    def _element(self, node: Node) -> Any:
        """Of a list of texts, what is none: it has no buffers of its own."""
        if type(node) is dict:
            if names_in(node):
                raise damaged()
            self._count(needed(node))
        return self(node)

    def _count(self, size: int) -> None:
        self._unforeseen += size
        if self._unforeseen > _NOTED:
            self._room(self._unforeseen)
            self._unforeseen = 0

    def outline(self, node: Node) -> tuple[int, ...]:
        """The shape of a dense or sparse array of numbers, checked without reading its buffers."""
        if node["t"] == "sparse":
            shape, (data, indices, indptr) = (
                self._shape(node),
                (node[k] for k in ("data", "indices", "indptr")),
            )
            if (
                len(shape) != 2
                or self.outline(data) != self.outline(indices)
                or self.outline(indptr) != (shape[1] + 1,)
            ):
                raise damaged()
            return shape
        shape, dtype = self._shape(node), node["dtype"]
        if (
            node["t"] != "array"
            or "as" in node
            or not _DTYPE.fullmatch(dtype)
            or math.prod(shape) * int(dtype[1:]) != node["n"]
        ):
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
        if (
            codes.dtype.kind != "i"
            or (codes.size and (codes.min() < -1 or codes.max() >= len(categories)))
            or type(node["ordered"]) is not bool
        ):
            raise damaged()
        return pd.Categorical.from_codes(
            codes, dtype=pd.CategoricalDtype(categories, ordered=node["ordered"])
        )

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
        key = _same_index(node)
        found = self._indices.get(key) if key is not None else None
        if found is None:
            found = self(node) if node["t"] in ("index", "range", "multi") else None
            if not isinstance(found, pd.Index):
                raise damaged()
            if key is not None:
                self._indices[key] = found
        return found

    def name(self, node: Node) -> Any:
        """What an index or a column is called: a single value, or several as one."""
        if type(node) is dict and node["t"] not in _SCALARS:
            if node["t"] != "tuple":
                raise damaged()
            return tuple(self.name(x) for x in node["items"])
        return self(node)

    def _index(self, node: Node) -> pd.Index:
        values = self.column(node["values"])
        return pd.Index(values, dtype=values.dtype, name=self.name(node["name"]))

    def _range(self, node: Node) -> pd.RangeIndex:
        start, stop, step = node["v"]
        if not all(type(x) is int and abs(x) < 2**62 for x in (start, stop, step)):
            raise damaged()
        return pd.RangeIndex(start, stop, step, name=self.name(node["name"]))

    def _multi(self, node: Node) -> pd.MultiIndex:
        # a level of several levels would be made of tuples
        if any(x["t"] not in ("index", "range") for x in node["of"]):
            raise damaged()
        return pd.MultiIndex.from_arrays(
            [self.index(x) for x in node["of"]], names=[self.name(n) for n in node["names"]]
        )

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
        return self._with_attrs(
            pd.Series(values, index=index, name=self.name(node["name"]), dtype=values.dtype), node
        )

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
        if (
            indices.dtype not in (np.int32, np.int64)
            or indptr.dtype not in (np.int32, np.int64)
            or any(x.ndim != 1 for x in (data, indices, indptr))
        ):
            raise damaged()
        length, other = (shape[1], shape[0]) if kind.startswith("csc") else shape
        if (
            len(indptr) != length + 1
            or len(data) != len(indices)
            or indptr[0] != 0
            or indptr[-1] != len(indices)
            or (np.diff(indptr) < 0).any()
        ):
            raise damaged()
        if len(indices) and (indices.min() < 0 or indices.max() >= other):
            raise damaged()
        matrix = getattr(sparse, kind)((data, indices, indptr), shape=shape, copy=False)
        # the constructor narrows them: the data's fingerprint would change
        matrix.indices, matrix.indptr = indices, indptr
        return matrix

    def _missing(self, node: Node) -> Any:
        return {"NA": pd.NA, "NaT": pd.NaT}[node["v"]]

    def _map(self, node: Node) -> dict[Any, Any]:
        pairs = [(self(k), self(x)) for k, x in node["items"]]
        others = [k for k, _ in pairs if type(k) is not str]
        if len(others) - len({str(hash(k)) for k in others}) > MAX_ALIKE:
            raise damaged()
        found = dict(pairs)
        if len(found) != len(pairs):
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


def _same_index(node: Node) -> Hashable:
    """A key that is equal for equal indices; None where comparing would take long.

    A name may be of any length.
    """
    name, values = node["name"] if node["t"] != "multi" else 0, node.get("values")
    if name is not None and not (type(name) is str and len(name) <= _SHORT):
        return None
    if node["t"] == "range":
        return ("range", name, *map(_plain, node["v"]))
    if type(values) is not dict or values.get("t") not in ("array", "texts"):
        return None
    return (
        name,
        *(_plain(values.get(k)) for k in ("t", "dtype", "as", "width", "n")),
        tuple(map(_plain, values["shape"])),
        tuple(map(_plain, values["o"])),
    )


def _plain(value: Any) -> Hashable:
    if value is not None and type(value) not in (int, str):
        raise damaged()
    return value  # type: ignore[no-any-return]


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
