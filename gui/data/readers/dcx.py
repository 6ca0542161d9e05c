"""Reads the predecessor's ``.dcx``: a pickle, never unpickled.

See :mod:`gui.data.readers.safe_pickle`.

Frames are built from stand-ins whose shapes and lengths are checked before anything is allocated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gui.data.dataset import Matrix, Role
from gui.data.readers.safe_pickle import Name, PendingCall, interpret
from gui.data.readers.sniff import first_bytes, looks_like
from gui.errors import UnreadableFile

VERSION = (1, 0)
"""Of the format, major and minor, that the predecessor writes; a file of another major version may
mean something else by the same names.
"""
MAX_BYTES = 4 * 2**30
MAX_VALUES = 2**28
"""Most values of one frame: 1 GB as float32, 2 GB as float64."""
MAX_SPREAD = 2**25
"""Most values of a frame of sparse columns, which a small file can claim: they are made dense."""
MAX_NAMES = 2_000_000
"""Along one axis: a small file can claim any number of them."""
MAX_NAME, MAX_LETTERS = 1_000, 50_000_000
"""Of one name, of all along one axis: a long name costs the file little where it is repeated."""
ATTRIBUTES: dict[Role, str] = {
    "reference": "X_mat",
    "train": "Train",
    "test": "Test",
    "bulk": "Application",
}
DESCRIPTIONS: dict[Role, str] = {
    "train": "TrainDesc",
    "test": "TestDesc",
    "bulk": "ApplicationDesc",
}
"""What the predecessor's class calls the parts and their descriptions."""
_OTHERWISE = "Export the data as .h5ad or .csv and load that."
_DTYPE = re.compile(r"(b1|[iu][1248]|f[248])|(U[1-9]\d{0,5})|(O8?)")


@dataclass(frozen=True, eq=False)
class DcxPart:
    """One frame. values : genes x columns, numeric; genes, columns : names as text, None where
    missing (columns may repeat).
    """

    values: npt.NDArray[Any]
    genes: list[str | None]
    columns: list[str | None]
    description: str = ""

    def matrix(self) -> Matrix:
        """With float values; a missing column name is ""."""
        values = self.values if self.values.dtype.kind == "f" else self.values.astype(np.float64)
        return Matrix(
            values,
            pd.Index(self.genes, dtype=object),
            pd.Index(["" if c is None else c for c in self.columns], dtype=object),
        )


@dataclass(frozen=True, eq=False)
class DcxFile:
    """parts : by role, those that are there; description, author : as written by the predecessor;
    later : a sentence on a later version of it, or "".
    """

    parts: dict[Role, DcxPart]
    description: str = ""
    author: str = ""
    later: str = ""


class Odd(Exception):
    """The stand-ins do not make a frame."""


class NewerVersion(Exception):
    """The file is of a version that this program does not know. str() : which."""


def read_dcx(path: Path, name: str | None = None) -> DcxFile:
    """Read a ``.dcx`` without running anything in it.

    Raises UnsafeFile (forbidden content or beyond a limit) or UnreadableFile (empty, damaged,
    something else, frames of an unknown kind).
    """
    name = name or path.name
    kind = looks_like(first_bytes(path, name))
    if kind != "a Python pickle":
        raise UnreadableFile(f"{name} is not a .dcx file; it looks like {kind}.")
    if path.stat().st_size > MAX_BYTES:
        raise UnreadableFile(f"{name} is larger than {MAX_BYTES / 2**30:.0f} GB.")
    data = path.read_bytes()
    with readable(name, "a .dcx file"):
        return file_of(interpret(data, name), len(data))


@contextmanager
def readable(name: str, what: str) -> Iterator[None]:
    """Turns what stand-ins that make no sense raise into UnreadableFile. what : what the file
    should be, with its article
    """
    try:
        yield
    except NewerVersion as newer:
        message = (
            f"{name} is of a later version ({newer}) of the format than this program can read"
            f" ({VERSION[0]}.x)."
        )
        raise UnreadableFile(message, advice=f"Update this program. {_OTHERWISE}") from None
    except Odd as odd:
        raise UnreadableFile(
            f"{name} cannot be read as {what}: {odd}.", advice=_OTHERWISE
        ) from None
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        UnicodeError,
    ):
        raise UnreadableFile(
            f"{name} cannot be read as {what}: its content contradicts itself.", advice=_OTHERWISE
        ) from None
    except MemoryError:
        raise UnreadableFile(
            f"There is not enough memory to read {name}.", advice=_OTHERWISE
        ) from None


def file_of(root: Any, size: int) -> DcxFile:
    """The parts of a DeconomixFile. size : bytes of the file.

    Raises Odd and what wrong types raise: to be called inside :func:`readable`.
    """
    state = state_of(root, "DeconomixFile")
    later = later_version(state)
    parts: dict[Role, DcxPart] = {}
    for role, key in ATTRIBUTES.items():
        node = state.get(key)
        if node is not None:
            values, genes, columns = frame_of(node, key, size)
            parts[role] = DcxPart(
                values, genes, columns, text_of(state.get(DESCRIPTIONS.get(role, "")))
            )
    if not parts:
        raise Odd("it holds no data")
    return DcxFile(parts, text_of(state.get("Description")), text_of(state.get("Author")), later)


def later_version(state: dict[str, Any]) -> str:
    """A sentence if the file says that it is of version 1.1 or later within 1, "" for 1.0 and where
    it says none.

    Raises NewerVersion for 2 and later, Odd for a version that is none.
    """
    said = state.get("__VERSION__")
    if said is None:
        return ""
    numbers = said if type(said) in (tuple, list) else (said,)
    found = re.fullmatch(
        r"\s*v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.\d{1,9})*\s*",
        ".".join(str(leaf(n))[:40] for n in numbers[:4]),
    )
    if found is None:
        raise Odd("it says a version that is none")
    major, minor = int(found.group(1)), int(found.group(2) or 0)
    if major > VERSION[0]:
        raise NewerVersion(f"{major}.{minor}")
    return (
        f"The file says that it is of version {major}.{minor}; what is new since"
        f" {VERSION[0]}.{VERSION[1]} was not read."
        if (major, minor) > VERSION
        else ""
    )


def text_of(node: Any) -> str:
    """A text of at most 100 000 letters; "" where something else stands."""
    return node[:100_000] if isinstance(node, str) else ""


def is_a(node: Any, *names: str) -> bool:
    """Whether the node asks for an object of one of these names."""
    return type(node) is PendingCall and node.what.name in names


def state_of(node: Any, *names: str) -> dict[str, Any]:
    """The attributes of an object of one of these classes."""
    if not is_a(node, *names) or type(node.state) is not dict:
        raise Odd(f"a {names[0]} is expected where something else was found")
    return node.state


def frame_of(
    node: Any, part: str, size: int
) -> tuple[npt.NDArray[Any], list[str | None], list[str | None]]:
    """Values (rows x columns, numeric) and the names of rows and columns. part : for the message;
    size : bytes of the file
    """
    state = state_of(node, "DataFrame")
    blocks, axes = _manager(state.get("_mgr", state.get("_data")))
    if type(axes) is not list or len(axes) != 2:
        raise Odd(f"{part} is not a table")
    # Sizes come from the buffers that are really there; the axes must agree with them, not the
    # other way round.
    arrays: list[tuple[npt.NDArray[Any], Any]] = []
    # a value takes a byte at least; the same bytes may stand for a thousand blocks
    n_columns, n_genes, most = 0, None, min(size, MAX_VALUES)
    for values, where in blocks:
        array = _values(values)
        most = MAX_SPREAD if is_a(values, "SparseArray") else most
        n_columns, n_genes = (
            n_columns + array.shape[0],
            array.shape[1] if n_genes is None else n_genes,
        )
        if (
            array.shape[1] != n_genes
            or n_columns * n_genes > most
            or max(n_columns, n_genes, len(arrays)) > MAX_NAMES
        ):
            raise Odd(f"the blocks of {part} do not fit together or are too large")
        arrays.append((array, where))
    columns, genes = _labels(axes[0], n_columns), _labels(axes[1], n_genes)
    n_genes = len(genes)
    places = [_placement(where, a.shape[0], n_columns) for a, where in arrays]
    filled = np.zeros(n_columns, dtype=np.int64)
    for place in places:
        np.add.at(filled, place, 1)
    if (filled != 1).any():
        raise Odd(f"the blocks of {part} overlap or leave gaps")
    if len(arrays) == 1 and np.array_equal(places[0], np.arange(n_columns)):
        return arrays[0][0].T, genes, columns
    values = np.empty(
        (n_columns, n_genes), dtype=np.result_type(np.float32, *(a.dtype for a, _ in arrays))
    )
    for (array, _), place in zip(arrays, places, strict=True):
        values[place] = array
    return values.T, genes, columns


def _manager(node: Any) -> tuple[list[tuple[Any, Any]], Any]:
    """(block values, placement) pairs and the axes."""
    if not is_a(node, "BlockManager"):
        raise Odd("a frame holds no blocks")
    if len(node.args) == 2 and type(node.args[0]) is tuple:
        found = []
        for block in node.args[0]:
            if not is_a(block, "_unpickle_block") or len(block.args) != 3 or block.args[2] != 2:
                raise Odd("a block is of an unknown kind")
            found.append((block.args[0], block.args[1]))
        return found, node.args[1]
    state = node.state
    # pandas before 1.3
    if (
        type(state) is tuple
        and len(state) == 4
        and type(state[3]) is dict
        and type(state[3].get("0.14.1")) is dict
    ):
        old = state[3]["0.14.1"]
        return [(b["values"], b["mgr_locs"]) for b in old["blocks"]], list(old["axes"])
    raise Odd("a frame is of an unknown kind")


def _values(node: Any) -> npt.NDArray[Any]:
    """Block values, columns x genes, numeric."""
    array = _sparse(node) if is_a(node, "SparseArray") else array_of(node)
    if array.ndim == 1 and is_a(node, "SparseArray"):
        array = array[None, :]
    if array.ndim != 2:
        raise Odd("a block is no matrix")
    if array.dtype == object:
        if not all(type(v) in (int, float, bool) for v in array.ravel()):
            raise Odd("a matrix holds text instead of numbers")
        array = array.astype(
            np.bool_ if array.size and all(type(v) is bool for v in array.ravel()) else np.float64
        )
    if array.dtype.kind not in "biuf":
        raise Odd("a matrix holds text instead of numbers")
    return array


def _placement(node: Any, size: int, total: int) -> npt.NDArray[np.int64]:
    if (
        is_a(node, "slice")
        and len(node.args) == 3
        and all(type(a) is int or a is None for a in node.args)
    ):
        start, stop, step = node.args
        span = range(start or 0, total if stop is None else stop, 1 if step is None else step)
        if len(span) != size:
            raise Odd("a block does not fit its place")
        place = np.asarray(span, dtype=np.int64)
    else:
        place = array_of(node)
        if place.ndim != 1 or len(place) != size or place.dtype.kind not in "iu":
            raise Odd("a block does not fit its place")
        place = place.astype(np.int64)
    if size and (place.min() < 0 or place.max() >= total):
        raise Odd("a block lies outside of its table")
    return place


def _shape(node: Any) -> tuple[int, ...]:
    if (
        type(node) is not tuple
        or len(node) > 2
        or not all(type(n) is int and n >= 0 for n in node)
        or math.prod(node) > MAX_VALUES
    ):
        raise Odd("a matrix has an impossible or too large shape")
    return node


def _dtype(node: Any) -> np.dtype[Any]:
    if (
        not is_a(node, "dtype")
        or not node.args
        or type(node.args[0]) is not str
        or not _DTYPE.fullmatch(node.args[0])
    ):
        raise Odd("a matrix is of an unknown number type")
    code = node.args[0]
    order = node.state[1] if type(node.state) is tuple and len(node.state) > 1 else "<"
    if order not in ("<", ">", "|", "="):
        raise Odd("a matrix is of an unknown number type")
    if code.startswith("O"):
        return np.dtype(object)
    return np.dtype(("<" if order in "|=" else order) + code)


def _bytes(node: Any) -> bytes | bytearray:
    if type(node) in (bytes, bytearray):
        return node  # type: ignore[no-any-return]
    # bytes in protocol 2
    if (
        is_a(node, "encode")
        and len(node.args) == 2
        and type(node.args[0]) is str
        and node.args[1] == "latin1"
    ):
        return node.args[0].encode("latin1")
    if is_a(node, "bytes", "bytearray") and node.args == ():
        return b""
    if is_a(node, "bytearray") and len(node.args) == 1 and not is_a(node.args[0], "bytearray"):
        return _bytes(node.args[0])
    raise Odd("a matrix holds no numbers")


def array_of(node: Any) -> npt.NDArray[Any]:
    """A NumPy array of at most two dimensions."""
    if is_a(node, "_frombuffer") and len(node.args) == 4:
        buffer, kind, shape, order = node.args
        if order not in ("C", "F"):
            raise Odd("a matrix is laid out in an unknown way")
        return _numbers(_bytes(buffer), _dtype(kind), _shape(shape), order == "F")
    if (
        not is_a(node, "_reconstruct")
        or type(node.state) is not tuple
        or len(node.state) != 5
        or node.args[0] != Name("numpy", "ndarray")
    ):
        raise Odd("a matrix is of an unknown kind")
    _, shape, kind, fortran, data = node.state
    dtype, size = _dtype(kind), _shape(shape)
    if type(fortran) is not bool:
        raise Odd("a matrix is laid out in an unknown way")
    if dtype.kind == "O":
        if type(data) is not list or len(data) != math.prod(size):
            raise Odd("a list of names has the wrong length")
        array = np.empty(len(data), dtype=object)
        for i, item in enumerate(data):
            array[i] = leaf(item)
        # NumPy lists objects in C order even when the Fortran flag is set
        return array.reshape(size)
    return _numbers(_bytes(data), dtype, size, fortran)


def _numbers(
    buffer: bytes | bytearray, dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool
) -> npt.NDArray[Any]:
    if dtype.kind == "O" or len(buffer) != math.prod(shape) * dtype.itemsize:
        raise Odd("a matrix is longer or shorter than it claims")
    if not buffer:
        return np.empty(shape, dtype=dtype)
    if (
        dtype.kind == "U"
        and np.frombuffer(buffer, dtype=np.dtype(np.uint32).newbyteorder(dtype.byteorder)).max()
        > 0x10FFFF
    ):
        raise Odd("a text holds what is no letter")  # NumPy fails on it with a SystemError
    array: npt.NDArray[Any] = np.frombuffer(buffer, dtype=dtype).reshape(
        shape, order="F" if fortran else "C"
    )
    return array.astype(dtype.newbyteorder("="), copy=False)


def leaf(node: Any) -> Any:
    """One value: a text, a number, a truth value, None."""
    if (
        node is None
        or type(node) in (str, float, bool)
        or (type(node) is int and node.bit_length() <= 64)
    ):
        return node
    if type(node) is Name and node.name == "NA":
        return None
    if (
        is_a(node, "scalar")
        and len(node.args) == 2
        and _dtype(node.args[0]).itemsize <= 4 * MAX_NAME
    ):
        return _numbers(_bytes(node.args[1]), _dtype(node.args[0]), (1,), False)[0].item()
    raise Odd("a name is neither text nor a number")


def _sparse(node: Any) -> npt.NDArray[Any]:
    """A sparse column as a dense row."""
    state = state_of(node, "SparseArray")
    index, values, dtype = (
        state["_sparse_index"],
        array_of(state["_sparse_values"]),
        state["_dtype"],
    )
    if (
        not is_a(index, "IntIndex", "BlockIndex")
        or type(index.args[0]) is not int
        or not 0 <= index.args[0] <= MAX_NAMES
        or values.ndim != 1
    ):
        raise Odd("a sparse column is of an unknown kind")
    length, filled = index.args[0], state_of(dtype, "SparseDtype").get("_fill_value", 0)
    if index.what.name == "IntIndex":
        places = array_of(index.args[1])
    else:
        starts, lengths = array_of(index.args[1]), array_of(index.args[2])
        if (
            starts.dtype.kind != "i"
            or lengths.dtype.kind != "i"
            or starts.shape != lengths.shape
            or starts.ndim != 1
        ):
            raise Odd("a sparse column contradicts itself")
        # a sum alone may wrap
        if (
            (lengths < 0).any()
            or (lengths > len(values)).any()
            or int(lengths.sum(dtype=np.int64)) != len(values)
        ):
            raise Odd("a sparse column contradicts itself")
        ends = np.cumsum(lengths, dtype=np.int64)
        places = (
            np.arange(len(values)) - np.repeat(ends - lengths, lengths) + np.repeat(starts, lengths)
        )
    if (
        places.ndim != 1
        or len(places) != len(values)
        or places.dtype.kind not in "iu"
        or (len(places) and (places.min() < 0 or places.max() >= length))
    ):
        raise Odd("a sparse column contradicts itself")
    row = np.full(length, float(leaf(filled)), dtype=np.result_type(values.dtype, np.float32))
    row[places] = values
    return row


def _labels(node: Any, size: int | None) -> list[str | None]:
    """Names along an axis, as text; None where missing. size : its length, None where no block says
    it (a table without columns)
    """
    if (
        is_a(node, "_new_Index")
        and node.args
        and type(node.args[0]) is Name
        and node.args[0].name == "RangeIndex"
    ):
        parts = node.args[1]
        bounds = [parts.get("start"), parts.get("stop"), parts.get("step")]
        if not all(type(b) is int for b in bounds) or len(span := range(*bounds)) != (
            min(len(span), MAX_NAMES) if size is None else size
        ):
            raise Odd("an axis has another length than its table")
        return [str(i) for i in span]
    found = names_of(node)
    if size is not None and len(found) != size:
        raise Odd("an axis has another length than its table")
    return found


def names_of(node: Any) -> list[str | None]:
    """The names in an Index that lists them, as text; None where missing."""
    if (
        not is_a(node, "_new_Index")
        or len(node.args) != 2
        or type(node.args[0]) is not Name
        or type(node.args[1]) is not dict
    ):
        raise Odd("the names along an axis are of an unknown kind")
    found = _extension(node.args[1].get("data"))
    there = [len(name) for name in found if name is not None]
    if len(found) > MAX_NAMES or max(there, default=0) > MAX_NAME or sum(there) > MAX_LETTERS:
        raise Odd("the names along an axis are too long or too many")
    return found


def _extension(node: Any) -> list[str | None]:
    """A one-dimensional array of names: NumPy, categorical or text."""
    if not is_a(node, "__pyx_unpickle_NDArrayBacked", "Categorical"):
        return _names(array_of(node))
    kind = (
        node.args[0].name
        if node.what.name.startswith("__pyx") and type(node.args[0]) is Name
        else node.what.name
    )
    state = node.state if node.built else (node.args[2] if len(node.args) > 2 else None)
    if type(state) is dict:  # pandas 1
        dtype, data = state.get("_dtype"), state.get("_codes", state.get("_ndarray"))
    elif type(state) is tuple and len(state) >= 2:
        dtype, data = (
            state[:2] if not is_a(state[0], "_reconstruct", "_frombuffer") else (state[1], state[0])
        )
    else:
        raise Odd("the names along an axis are of an unknown kind")
    array = array_of(data)
    if kind != "Categorical":
        return _names(array)
    node = state_of(dtype, "CategoricalDtype")["categories"]
    if (
        not is_a(node, "_new_Index")
        or type(node.args[1]) is not dict
        or node.args[0].name == "RangeIndex"
    ):
        raise Odd("the categories are of an unknown kind")
    listed = node.args[1].get("data")
    categories = (
        _strings(listed)
        if is_a(listed, "__pyx_unpickle_NDArrayBacked")
        else _names(array_of(listed))
    )
    if (
        array.ndim != 1
        or array.dtype.kind not in "iu"
        or (len(array) and (array.min() < -1 or array.max() >= len(categories)))
    ):
        raise Odd("the categories contradict themselves")
    return [None if code < 0 else categories[code] for code in array.tolist()]


def _strings(node: Any) -> list[str | None]:
    state = node.state if node.built else node.args[2]
    if node.args[0].name != "StringArray" or type(state) is not tuple:
        raise Odd("the categories are of an unknown kind")
    return _names(array_of(state[0] if is_a(state[0], "_reconstruct", "_frombuffer") else state[1]))


def _names(array: npt.NDArray[Any]) -> list[str | None]:
    if array.ndim != 1:
        raise Odd("the names along an axis are of an unknown kind")
    return [
        None if v is None or (isinstance(v, float) and math.isnan(v)) else str(v)
        for v in array.tolist()
    ]
