"""Values <-> a tree of plain JSON nodes and raw buffers.

No pickle, no class found by a name from a file.

A node is None, a bool, an int, a finite float, a text, or ``{"t": kind, ...}``. Arrays are
little-endian C-order buffers and long lists of texts are JSON, both kept outside of the tree by a
:class:`Store`. Reading checks every dtype, shape and length before it allocates.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import numpy as np
import pandas as pd

from gui import jsonscan
from gui.errors import DamagedSession

Node = Any
MAX_DEPTH = 40
MAX_DIMENSIONS = 8
MAX_BITS = 4096
MAX_TEXTS = 512 * 2**20
"""Bytes of one list of texts."""
MAX_BRACKETS = 1_000_000
"""Lists and objects inside JSON: an empty one costs 30 times its text in memory."""
MAX_WIDE = 256 * 2**20
"""Bytes of a NumPy array of fixed-width texts; larger ones become arrays of objects."""
_IN_JSON = frozenset({str, bool, float, type(None)})
"""Of a list of texts: what JSON has as it is (NaN too)."""
_DTYPE = re.compile(r"b1|[iu][1248]|f[248]")
_TIME = re.compile(r"(?:datetime64|timedelta64)\[(?:s|ms|us|ns)\]")
_MASKED = (
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Float32",
    "Float64",
    "boolean",
)


class Unsavable(TypeError):
    """A value that a session file cannot hold; the text is a noun: "a function"."""


class StoredRecord(dict[str, Any]):
    """A plug-in's dataclass as a session file gives it back.

    Its fields are ``record["x"]`` and ``record.x``.

    origin : module and name of its class.
    """

    origin: tuple[str, str] = ("", "")

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Store(Protocol):
    """Where buffers go and come from."""

    def put(self, data: memoryview) -> list[str]:
        """Keep the bytes; the names of the objects that hold them."""
        ...

    def get(self, names: Sequence[str], length: int) -> bytearray:
        """The bytes, exactly ``length``. DamagedSession."""
        ...


def plain_bytes(array: np.ndarray) -> memoryview:
    """The bytes of an array as they are stored: little-endian, C order.

    They are not copied if the array is stored that way in memory.
    """
    flat = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(-1)
    return memoryview(flat.view(np.uint8).data)


def damaged() -> DamagedSession:
    return DamagedSession("The contents of this session are damaged.")


def check_brackets(raw: bytes | bytearray) -> None:
    """Raise DamagedSession if JSON has more lists and objects than a session's may have.

    Brackets inside texts do not count.
    """
    if jsonscan.brackets(raw, MAX_BRACKETS) > MAX_BRACKETS:
        raise DamagedSession("This session is nested more than a session may be.")


class Encoder:
    """Values to nodes. record : encodes what is of no kind known here, or raises Unsavable."""

    def __init__(self, store: Store, record: Callable[[Encoder, Any], Node] | None = None) -> None:
        self._store, self._record, self._depth = store, record, 0

    def __call__(self, value: Any) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unsavable("something that holds itself, or is nested too deep")
        try:
            return self._encode(value)
        finally:
            self._depth -= 1

    def _encode(self, v: Any) -> Node:
        if v is None or type(v) in (bool, int, str):
            if type(v) is int and v.bit_length() > MAX_BITS:
                raise Unsavable("a number of more than a thousand digits")
            return v
        if isinstance(v, np.generic):
            if type(v) is np.str_:
                return str(v)
            return {"t": "scalar", "of": self.array(np.asarray(v).reshape(1))}
        if isinstance(v, float):
            return float(v) if math.isfinite(v) else {"t": "float", "v": repr(float(v))}
        if v is pd.NA or v is pd.NaT:
            return {"t": "missing", "v": "NA" if v is pd.NA else "NaT"}
        if isinstance(v, Mapping) and not isinstance(v, StoredRecord):
            return {"t": "map", "items": [[self(k), self(x)] for k, x in v.items()]}
        if type(v) in (list, tuple):
            return {"t": type(v).__name__, "items": [self(x) for x in v]}
        if isinstance(v, np.ndarray):
            return self.array(v)
        if isinstance(v, pd.DataFrame):
            return self._frame(v)
        if isinstance(v, pd.Series):
            return {
                "t": "series",
                "name": self(v.name),
                "index": self.index(v.index),
                "values": self.column(v.array),
                **self._attrs(v),
            }
        if isinstance(v, pd.Index):
            return self.index(v)
        if isinstance(v, pd.api.extensions.ExtensionArray):
            return self.column(v)
        if type(v) in (datetime, date):
            return {"t": type(v).__name__, "v": v.isoformat()}
        if type(v) is timedelta:
            return {"t": "timedelta", "v": [v.days, v.seconds, v.microseconds]}
        if type(v) in (bytes, bytearray):
            return {"t": "bytes", **self._blob(memoryview(v))}
        if type(v).__module__.startswith("scipy.sparse"):
            return self._sparse(v)
        if self._record is not None:
            return self._record(self, v)
        raise Unsavable(f"a value of the kind {type(v).__name__}")

    def _blob(self, data: memoryview) -> dict[str, Any]:
        return {"o": self._store.put(data), "n": data.nbytes}

    def array(self, v: np.ndarray) -> Node:
        """Numbers and truth values as they are, times as whole numbers, texts as a list."""
        if isinstance(v, np.ma.MaskedArray):
            raise Unsavable("a masked array")
        if v.ndim > MAX_DIMENSIONS:
            raise Unsavable(f"an array of more than {MAX_DIMENSIONS} dimensions")
        if v.dtype.kind in "mM":
            kind = v.dtype.name
            if not _TIME.fullmatch(kind):
                raise Unsavable(f"an array of {kind}")
            return {**self.array(v.view(np.int64)), "as": kind}
        if v.dtype.kind in "UO":
            wide = v.dtype.itemsize // 4 if v.dtype.kind == "U" and v.nbytes <= MAX_WIDE else None
            return {
                "t": "texts",
                "shape": list(v.shape),
                "width": wide,
                **self._texts(v.ravel().tolist()),
            }
        dtype = f"{v.dtype.kind}{v.dtype.itemsize}"
        if not _DTYPE.fullmatch(dtype):
            raise Unsavable(f"an array of {v.dtype.name}")
        return {"t": "array", "dtype": dtype, "shape": list(v.shape), **self._blob(plain_bytes(v))}

    def _texts(self, items: list[Any]) -> dict[str, Any]:
        if not set(map(type, items)) <= _IN_JSON:
            items = [self._element(x) for x in items]
        raw = json.dumps(items, ensure_ascii=True, separators=(",", ":")).encode("ascii")
        if len(raw) > MAX_TEXTS:
            raise Unsavable("a list of more than 512 MB of text")
        try:
            check_brackets(raw)
        except DamagedSession:
            raise Unsavable("too many single objects in a list") from None
        return self._blob(memoryview(raw))

    def _element(self, x: Any) -> Any:
        """Of a list of texts: what is no text, as a node."""
        if isinstance(x, np.generic) and x.dtype.kind not in "mM":
            x = x.item()
        if type(x) in _IN_JSON:
            return x
        node = self(x)
        _flat(node)
        return node

    def column(self, v: Any) -> Node:
        """The values of a column, a series or an index (pandas array or NumPy array)."""
        if type(v) is pd.arrays.NumpyExtensionArray:  # StringArray is one of its kind
            v = v.to_numpy()
        dtype = getattr(v, "dtype", None)
        if isinstance(v, pd.Categorical):
            return {
                "t": "categories",
                "of": self.index(v.categories),
                "ordered": bool(v.ordered),
                "codes": self.array(np.asarray(v.codes)),
            }
        if isinstance(dtype, pd.StringDtype):
            if str(dtype) != "string":
                raise Unsavable(f"a column of the kind {dtype!r}")
            return {
                "t": "string",
                "n": len(v),
                "of": self.array(v.to_numpy(dtype=object, na_value=None)),
            }
        if str(dtype) in _MASKED:
            missing = np.asarray(v.isna())
            plain = "bool" if str(dtype) == "boolean" else str(dtype).lower()
            return {
                "t": "masked",
                "dtype": str(dtype),
                "data": self.array(v.to_numpy(dtype=plain, na_value=0)),
                "mask": self.array(missing),
            }
        if isinstance(dtype, np.dtype):
            return self.array(np.asarray(v))
        raise Unsavable(f"a column of the kind {dtype}")

    def index(self, v: pd.Index) -> Node:
        if isinstance(v, pd.MultiIndex):
            return {
                "t": "multi",
                "names": [self(n) for n in v.names],
                "of": [self.index(v.get_level_values(k)) for k in range(v.nlevels)],
            }
        if isinstance(v, pd.RangeIndex):
            return {"t": "range", "v": [v.start, v.stop, v.step], "name": self(v.name)}
        return {"t": "index", "name": self(v.name), "values": self.column(v.array)}

    def _frame(self, v: pd.DataFrame) -> Node:
        node = {
            "t": "frame",
            "index": self.index(v.index),
            "columns": self.index(v.columns),
            **self._attrs(v),
        }
        kinds = set(v.dtypes)
        if (
            len(kinds) == 1
            and isinstance(only := next(iter(kinds)), np.dtype)
            and only.kind in "biuf"
        ):
            return {**node, "values": self.array(v.to_numpy())}
        return {**node, "parts": [self.column(v.iloc[:, k].array) for k in range(v.shape[1])]}

    def _attrs(self, v: pd.DataFrame | pd.Series) -> dict[str, Any]:
        return {"attrs": self(dict(v.attrs))} if v.attrs else {}

    def _sparse(self, v: Any) -> Node:
        if v.format not in ("csc", "csr") or type(v).__name__ not in (
            "csc_matrix",
            "csr_matrix",
            "csc_array",
            "csr_array",
        ):
            raise Unsavable(f"a sparse matrix of the kind {v.format}")
        return {
            "t": "sparse",
            "kind": type(v).__name__,
            "shape": list(v.shape),
            **{k: self.array(getattr(v, k)) for k in ("data", "indices", "indptr")},
        }


def _flat(node: Node) -> None:
    """A single object in a list of texts must not have buffers of its own."""
    if isinstance(node, dict):
        if "o" in node:
            raise Unsavable("an array inside a list of texts")
        for x in node.values():
            _flat(x)
    elif isinstance(node, list):
        for x in node:
            _flat(x)
