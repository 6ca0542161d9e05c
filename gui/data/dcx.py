"""Reads the predecessor's ``.dcx``: a pickle, never unpickled. See :mod:`gui.data.inert`.

Frames are built from stand-ins whose shapes and lengths are checked before anything is allocated.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gui.data.dataset import Role
from gui.data.inert import Name, Wish, interpret
from gui.data.sniff import first_bytes, looks_like
from gui.errors import UnreadableFile

MAX_BYTES = 4 * 2**30
MAX_VALUES = 2**28
"""Most values of one frame: 1 GB as float32, 2 GB as float64."""
_PARTS: dict[Role, tuple[str, str]] = {
    "reference": ("X_mat", ""),
    "train": ("Train", "TrainDesc"),
    "test": ("Test", "TestDesc"),
    "bulk": ("Application", "ApplicationDesc"),
}
_OTHERWISE = "Export the data as .h5ad or .csv and load that."
_DTYPE = re.compile(r"(b1|[iu][1248]|f[248])|(U[1-9]\d{0,5})|(O8?)")


@dataclass(frozen=True, eq=False)
class DcxPart:
    """One frame. values : genes x columns, numeric; genes, columns : names as text, None where missing (columns may repeat)."""

    values: npt.NDArray[Any]
    genes: list[str | None]
    columns: list[str | None]
    description: str = ""


@dataclass(frozen=True, eq=False)
class DcxFile:
    """parts : by role, those that are there; description, author : as written by the predecessor."""

    parts: dict[Role, DcxPart]
    description: str = ""
    author: str = ""


class _Odd(Exception):
    """The stand-ins do not make a frame."""


def read_dcx(path: Path, name: str | None = None) -> DcxFile:
    """Read a ``.dcx`` without running anything in it.

    Raises UnsafeFile (forbidden content or beyond a limit) or UnreadableFile (empty, damaged, something else, frames of an unknown kind).
    """
    name = name or path.name
    kind = looks_like(first_bytes(path, name))
    if kind != "a Python pickle":
        raise UnreadableFile(f"{name} is not a .dcx file; it looks like {kind}.")
    if path.stat().st_size > MAX_BYTES:
        raise UnreadableFile(f"{name} is larger than {MAX_BYTES / 2**30:.0f} GB.")
    root = interpret(path.read_bytes(), name)
    try:
        return _file(root)
    except _Odd as odd:
        raise UnreadableFile(f"{name} cannot be read as a .dcx file: {odd}.", advice=_OTHERWISE) from None
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, UnicodeError):
        raise UnreadableFile(f"{name} cannot be read as a .dcx file: its content contradicts itself.", advice=_OTHERWISE) from None


def _file(root: Any) -> DcxFile:
    state = _state(root, "DeconomixFile")
    parts: dict[Role, DcxPart] = {}
    for role, (key, about) in _PARTS.items():
        node = state.get(key)
        if node is not None:
            values, genes, columns = _frame(node, key)
            parts[role] = DcxPart(values, genes, columns, _text(state.get(about)))
    if not parts:
        raise _Odd("it holds no data")
    return DcxFile(parts, _text(state.get("Description")), _text(state.get("Author")))


def _text(node: Any) -> str:
    return node[:100_000] if isinstance(node, str) else ""


def _is(node: Any, *names: str) -> bool:
    return type(node) is Wish and node.what.name in names


def _state(node: Any, *names: str) -> dict[str, Any]:
    if not _is(node, *names) or type(node.state) is not dict:
        raise _Odd(f"a {names[0]} is expected where something else stands")
    return node.state


def _frame(node: Any, part: str) -> tuple[npt.NDArray[Any], list[str | None], list[str | None]]:
    state = _state(node, "DataFrame")
    blocks, axes = _manager(state.get("_mgr", state.get("_data")))
    if type(axes) is not list or len(axes) != 2:
        raise _Odd(f"{part} is not a table")
    # Sizes come from the buffers that are really there; the axes must agree with them, not the other way round.
    arrays = [(_values(values), where) for values, where in blocks]
    n_columns = sum(a.shape[0] for a, _ in arrays)
    n_genes = arrays[0][0].shape[1] if arrays else 0
    if any(a.shape[1] != n_genes for a, _ in arrays) or n_columns * n_genes > MAX_VALUES:
        raise _Odd(f"the blocks of {part} do not fit together or are too large")
    columns, genes = _labels(axes[0], n_columns), _labels(axes[1], n_genes)
    places = [_placement(where, a.shape[0], n_columns) for a, where in arrays]
    filled = np.zeros(n_columns, dtype=np.int64)
    for place in places:
        np.add.at(filled, place, 1)
    if (filled != 1).any():
        raise _Odd(f"the blocks of {part} overlap or leave gaps")
    if len(arrays) == 1 and np.array_equal(places[0], np.arange(n_columns)):
        return arrays[0][0].T, genes, columns
    values = np.empty((n_columns, n_genes), dtype=np.result_type(np.float32, *(a.dtype for a, _ in arrays)))
    for (array, _), place in zip(arrays, places, strict=True):
        values[place] = array
    return values.T, genes, columns


def _manager(node: Any) -> tuple[list[tuple[Any, Any]], Any]:
    """(block values, placement) pairs and the axes."""
    if not _is(node, "BlockManager"):
        raise _Odd("a frame holds no blocks")
    if len(node.args) == 2 and type(node.args[0]) is tuple:
        found = []
        for block in node.args[0]:
            if not _is(block, "_unpickle_block") or len(block.args) != 3 or block.args[2] != 2:
                raise _Odd("a block is of an unknown kind")
            found.append((block.args[0], block.args[1]))
        return found, node.args[1]
    state = node.state
    if type(state) is tuple and len(state) == 4 and type(state[3]) is dict and type(state[3].get("0.14.1")) is dict:  # pandas before 1.3
        old = state[3]["0.14.1"]
        return [(b["values"], b["mgr_locs"]) for b in old["blocks"]], list(old["axes"])
    raise _Odd("a frame is of an unknown kind")


def _values(node: Any) -> npt.NDArray[Any]:
    """Block values, columns x genes, numeric."""
    array = _sparse(node) if _is(node, "SparseArray") else _array(node)
    if array.ndim == 1 and _is(node, "SparseArray"):
        array = array[None, :]
    if array.ndim != 2:
        raise _Odd("a block is no matrix")
    if array.dtype == object:
        if not all(type(v) in (int, float, bool) for v in array.ravel()):
            raise _Odd("a matrix holds text instead of numbers")
        array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        raise _Odd("a matrix holds text instead of numbers")
    return array


def _placement(node: Any, size: int, total: int) -> npt.NDArray[np.int64]:
    if _is(node, "slice") and len(node.args) == 3 and all(type(a) is int or a is None for a in node.args):
        start, stop, step = node.args
        span = range(start or 0, total if stop is None else stop, 1 if step is None else step)
        if len(span) != size:
            raise _Odd("a block does not fit its place")
        place = np.asarray(span, dtype=np.int64)
    else:
        place = _array(node)
        if place.ndim != 1 or len(place) != size or place.dtype.kind not in "iu":
            raise _Odd("a block does not fit its place")
        place = place.astype(np.int64)
    if size and (place.min() < 0 or place.max() >= total):
        raise _Odd("a block lies outside of its table")
    return place


def _shape(node: Any) -> tuple[int, ...]:
    if type(node) is not tuple or len(node) > 2 or not all(type(n) is int and n >= 0 for n in node) or math.prod(node) > MAX_VALUES:
        raise _Odd("a matrix has an impossible or too large shape")
    return node


def _dtype(node: Any) -> np.dtype[Any]:
    if not _is(node, "dtype") or not node.args or type(node.args[0]) is not str or not _DTYPE.fullmatch(node.args[0]):
        raise _Odd("a matrix is of an unknown number type")
    code = node.args[0]
    order = node.state[1] if type(node.state) is tuple and len(node.state) > 1 else "<"
    if order not in ("<", ">", "|", "="):
        raise _Odd("a matrix is of an unknown number type")
    if code.startswith("O"):
        return np.dtype(object)
    return np.dtype(("<" if order in "|=" else order) + code)


def _bytes(node: Any) -> bytes | bytearray:
    if type(node) in (bytes, bytearray):
        return node  # type: ignore[no-any-return]
    if _is(node, "encode") and len(node.args) == 2 and type(node.args[0]) is str and node.args[1] == "latin1":  # bytes in protocol 2
        return node.args[0].encode("latin1")
    if _is(node, "bytes", "bytearray") and node.args == ():
        return b""
    if _is(node, "bytearray") and len(node.args) == 1:
        return _bytes(node.args[0])
    raise _Odd("a matrix holds no numbers")


def _array(node: Any) -> npt.NDArray[Any]:
    if _is(node, "_frombuffer") and len(node.args) == 4:
        buffer, kind, shape, order = node.args
        if order not in ("C", "F"):
            raise _Odd("a matrix is laid out in an unknown way")
        return _numbers(_bytes(buffer), _dtype(kind), _shape(shape), order == "F")
    if not _is(node, "_reconstruct") or type(node.state) is not tuple or len(node.state) != 5 or node.args[0] != Name("numpy", "ndarray"):
        raise _Odd("a matrix is of an unknown kind")
    _, shape, kind, fortran, data = node.state
    dtype, size = _dtype(kind), _shape(shape)
    if type(fortran) is not bool:
        raise _Odd("a matrix is laid out in an unknown way")
    if dtype.kind == "O":
        if type(data) is not list or len(data) != math.prod(size):
            raise _Odd("a list of names has the wrong length")
        array = np.empty(len(data), dtype=object)
        for i, item in enumerate(data):
            array[i] = _leaf(item)
        return array.reshape(size)  # NumPy lists objects in C order even when the Fortran flag is set
    return _numbers(_bytes(data), dtype, size, fortran)


def _numbers(buffer: bytes | bytearray, dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool) -> npt.NDArray[Any]:
    if dtype.kind == "O" or len(buffer) != math.prod(shape) * dtype.itemsize:
        raise _Odd("a matrix is longer or shorter than it claims")
    if not buffer:
        return np.empty(shape, dtype=dtype)
    array: npt.NDArray[Any] = np.frombuffer(buffer, dtype=dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)


def _leaf(node: Any) -> Any:
    if node is None or type(node) in (str, int, float, bool):
        return node
    if node == Name("pandas._libs.missing", "NA"):
        return None
    if _is(node, "scalar") and len(node.args) == 2:
        return _numbers(_bytes(node.args[1]), _dtype(node.args[0]), (1,), False)[0].item()
    raise _Odd("a name is neither text nor a number")


def _sparse(node: Any) -> npt.NDArray[Any]:
    """A sparse column as a dense row."""
    state = _state(node, "SparseArray")
    index, values, dtype = state["_sparse_index"], _array(state["_sparse_values"]), state["_dtype"]
    if not _is(index, "IntIndex", "BlockIndex") or type(index.args[0]) is not int or not 0 <= index.args[0] <= MAX_VALUES or values.ndim != 1:
        raise _Odd("a sparse column is of an unknown kind")
    length, filled = index.args[0], _state(dtype, "SparseDtype").get("_fill_value", 0)
    if index.what.name == "IntIndex":
        places = _array(index.args[1])
    else:
        starts, lengths = _array(index.args[1]), _array(index.args[2])
        if starts.shape != lengths.shape or starts.ndim != 1 or (lengths < 0).any() or int(lengths.sum(dtype=np.int64)) != len(values):
            raise _Odd("a sparse column contradicts itself")
        ends = np.cumsum(lengths, dtype=np.int64)
        places = np.arange(len(values)) - np.repeat(ends - lengths, lengths) + np.repeat(starts, lengths)
    if places.ndim != 1 or len(places) != len(values) or places.dtype.kind not in "iu" or (len(places) and (places.min() < 0 or places.max() >= length)):
        raise _Odd("a sparse column contradicts itself")
    row = np.full(length, float(_leaf(filled)), dtype=np.result_type(values.dtype, np.float32))
    row[places] = values
    return row


def _labels(node: Any, size: int) -> list[str | None]:
    """Names along an axis of known length, as text; None where missing."""
    if not _is(node, "_new_Index") or len(node.args) != 2 or type(node.args[0]) is not Name or type(node.args[1]) is not dict:
        raise _Odd("the names along an axis are of an unknown kind")
    kind, parts = node.args[0].name, node.args[1]
    if kind == "RangeIndex":
        bounds = [parts.get("start"), parts.get("stop"), parts.get("step")]
        if not all(type(b) is int for b in bounds) or len(span := range(*bounds)) != size:  # type: ignore[arg-type]
            raise _Odd("an axis has another length than its table")
        return [str(i) for i in span]
    found = _extension(parts.get("data"))
    if len(found) != size:
        raise _Odd("an axis has another length than its table")
    return found


def _extension(node: Any) -> list[str | None]:
    """A one-dimensional array of names: NumPy, categorical or text."""
    if not _is(node, "__pyx_unpickle_NDArrayBacked", "Categorical"):
        return _names(_array(node))
    kind = node.args[0].name if node.what.name.startswith("__pyx") and type(node.args[0]) is Name else node.what.name
    state = node.state if node.built else (node.args[2] if len(node.args) > 2 else None)
    if type(state) is dict:  # pandas 1
        dtype, data = state.get("_dtype"), state.get("_codes", state.get("_ndarray"))
    elif type(state) is tuple and len(state) >= 2:
        dtype, data = state[:2] if not _is(state[0], "_reconstruct", "_frombuffer") else (state[1], state[0])
    else:
        raise _Odd("the names along an axis are of an unknown kind")
    array = _array(data)
    if kind != "Categorical":
        return _names(array)
    node = _state(dtype, "CategoricalDtype")["categories"]
    if not _is(node, "_new_Index") or type(node.args[1]) is not dict or node.args[0].name == "RangeIndex":
        raise _Odd("the categories are of an unknown kind")
    categories = _names(_array(node.args[1]["data"])) if not _is(node.args[1].get("data"), "__pyx_unpickle_NDArrayBacked") else _strings(node.args[1]["data"])
    if array.ndim != 1 or array.dtype.kind not in "iu" or (len(array) and (array.min() < -1 or array.max() >= len(categories))):
        raise _Odd("the categories contradict themselves")
    return [None if code < 0 else categories[code] for code in array.tolist()]


def _strings(node: Any) -> list[str | None]:
    state = node.state if node.built else node.args[2]
    if node.args[0].name != "StringArray" or type(state) is not tuple:
        raise _Odd("the categories are of an unknown kind")
    return _names(_array(state[0] if _is(state[0], "_reconstruct", "_frombuffer") else state[1]))


def _names(array: npt.NDArray[Any]) -> list[str | None]:
    if array.ndim != 1:
        raise _Odd("the names along an axis are of an unknown kind")
    return [None if v is None or (isinstance(v, float) and math.isnan(v)) else str(v) for v in array.tolist()]
