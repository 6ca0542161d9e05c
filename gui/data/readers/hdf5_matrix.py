"""Expression matrices as they lie in an HDF5 file or a zarr store: only the chosen cells and genes
are ever in memory, in pieces, sparse as long as they are so.

A sparse matrix is three arrays. ``major`` is the axis that ``indptr`` runs along (cells for csr),
``minor`` the one that ``indices`` name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gui.data.readers.h5ad_frames import is_array
from gui.errors import UnreadableFile

Form = Literal["dense", "csr", "csc"]
Positions = npt.NDArray[np.int64]
PIECE = 4_000_000
"""Stored values that are read at once, about 50 MB."""
_CUT = 16
"""How many pieces the chunks may hold that one block of a dense matrix cuts through."""
_GAP = 16_384
"""Values between two chosen lines that are rather read along than skipped by another call."""
_SPARSE = 0.4
"""Fraction of values other than zero below which a dense matrix takes less memory as sparse."""
_EXACT = 2**24
"""Whole numbers below are exact as float32."""


class _Inexact(Exception):
    """A whole number that float32 cannot hold."""


@dataclass(frozen=True)
class Stored:
    """A cells x genes matrix in an open file.

    count : stored values; item : the dataset, or the group of the three arrays; by_gene : whether
    a dense one lies as genes x cells; filled : fraction of a dense one that is not zero, where it
    was looked at: few are kept sparse
    """

    form: Form
    shape: tuple[int, int]
    count: int
    dtype: np.dtype[Any]
    item: Any
    by_gene: bool = False
    filled: float = 1.0

    @property
    def sparse(self) -> bool:
        """Whether it is sparse in memory."""
        return self.form != "dense" or self.filled < _SPARSE

    @property
    def data(self) -> Any:
        return self.item if self.form == "dense" else self.item["data"]

    def bytes_of(self, cells: int, genes: int | None = None) -> float:
        """Of so many cells in memory (an estimate: all cells count alike)."""
        share = (
            cells
            / max(1, self.shape[0])
            * (1.0 if genes is None else genes / max(1, self.shape[1]))
        )
        return (
            share
            * self.count
            * (self.filled if self.sparse else 1.0)
            * (
                (8 if self.dtype.itemsize > 4 and self.dtype.kind == "f" else 4)
                + (4 if self.sparse else 0)
            )
        )


def stored(
    item: Any, name: str, shape: tuple[int, int] | None = None, form: Form | None = None
) -> Stored:
    """What ``item`` holds, checked as far as that goes without reading it. shape, form : where the
    file does not tell.

    Raises UnreadableFile.
    """
    damaged = UnreadableFile(
        f"{name} is damaged: its matrix contradicts itself.",
        advice="Download or export the file again.",
    )
    if is_array(item):
        if item.ndim != 2:
            raise UnreadableFile(f"{name} holds its values in an unknown form.")
        if item.dtype.kind not in "biuf":
            raise UnreadableFile(f"{name} holds text instead of numbers.")
        return Stored(
            "dense", (int(item.shape[0]), int(item.shape[1])), int(item.size), item.dtype, item
        )
    if not {"data", "indices", "indptr"} <= set(item):
        raise UnreadableFile(f"{name} holds its values in an unknown form.")
    parts = [item[key] for key in ("data", "indices", "indptr")]
    if any(not is_array(p) or p.ndim != 1 for p in parts) or any(
        p.dtype.kind not in "iu" for p in parts[1:]
    ):
        raise damaged
    if parts[0].dtype.kind not in "biuf":
        raise UnreadableFile(f"{name} holds text instead of numbers.")
    if form is None:
        form = _form(item)
    size = shape or shape_of(item)
    if (
        size is None
        or min(size) < 0
        or parts[0].shape != parts[1].shape
        or parts[2].shape[0] != size[form == "csc"] + 1
    ):
        raise damaged
    return Stored(form, size, int(parts[0].shape[0]), parts[0].dtype, item)


def _form(item: Any) -> Form:
    said = item.attrs.get("encoding-type", item.attrs.get("h5sparse_format", "csr"))
    return (
        "csc"
        if (said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)).startswith(
            "csc"
        )
        else "csr"
    )


def shape_of(item: Any) -> tuple[int, int] | None:
    """Of a dataset, or of a sparse matrix of any anndata version; None if ``item`` is no matrix."""
    attributes = item.attrs
    shape = (
        attributes.get("shape", attributes.get("h5sparse_shape"))
        if "shape" in attributes or "h5sparse_shape" in attributes
        else getattr(item, "shape", None)
    )
    return (int(shape[0]), int(shape[1])) if shape is not None and len(shape) == 2 else None


def read_values(
    matrix: Stored, name: str, cells: Positions | None = None, genes: Positions | None = None
) -> Any:
    """Genes x cells: float array, or CSC matrix. cells, genes : ascending positions, None: all.

    Raises UnreadableFile.

    Whole numbers become float32 where that is exact, else float64.
    """
    read = _dense if matrix.form == "dense" else _sparse
    small = matrix.dtype.kind == "b" or matrix.dtype.itemsize < 4 or matrix.dtype == np.float32
    if not small and matrix.dtype.kind in "iu":
        try:
            return read(matrix, name, cells, genes, np.float32)
        except _Inexact:
            pass
    return read(matrix, name, cells, genes, np.float32 if small else np.float64)


def _as(values: np.ndarray, kind: type) -> np.ndarray:
    large = (
        kind is np.float32
        and values.dtype.kind in "iu"
        and values.dtype.itemsize > 2
        and values.size > 0
    )
    if large and (int(values.max()) >= _EXACT or int(values.min()) <= -_EXACT):
        raise _Inexact
    return values.astype(kind, copy=False)


def _dense(
    matrix: Stored, name: str, cells: Positions | None, genes: Positions | None, kind: type
) -> Any:
    """A dense matrix, in blocks of lines; where few values are not zero, as CSC matrix."""
    cells, genes = (
        np.arange(size) if chosen is None else chosen
        for size, chosen in zip(matrix.shape, (cells, genes), strict=True)
    )
    axis = _axis(matrix)
    by_cell = (axis == 1) == matrix.by_gene
    lines, across = (cells, genes) if by_cell else (genes, cells)
    width = matrix.shape[1 if by_cell else 0]
    every = len(across) == width
    found: np.ndarray = np.empty((0, 0) if matrix.sparse else (len(genes), len(cells)), dtype=kind)
    few: list[Any] = []
    step = max(1, PIECE // max(1, width))
    chunk = matrix.item.chunks[axis] if matrix.item.chunks else 0
    if chunk and chunk * width <= _CUT * PIECE:
        step = -(-step // chunk) * chunk
    at = 0
    while at < len(lines):
        end = int(np.searchsorted(lines, lines[at] // step * step + step))
        first, last = int(lines[at]), int(lines[end - 1]) + 1
        read = matrix.item[:, first:last].T if axis else matrix.item[first:last]
        block = np.asarray(read)[lines[at:end] - first]
        block = _as(block if every else block[:, across], kind)
        if matrix.sparse:
            few.append(_csr(block))
        elif by_cell:
            found[:, at:end] = block.T
        else:
            found[at:end] = block
        at = end
    if not matrix.sparse:
        return found
    joined = _one_above_the_other(few, (len(lines), len(across)), kind)
    return joined.T if by_cell else joined.tocsc()  # what was a row of cells is a column now


def _axis(matrix: Stored) -> int:
    """Along which a dense matrix is read in blocks, so that no chunk is unpacked many times."""
    if not matrix.by_gene or not matrix.item.chunks:
        return 0
    return int(matrix.item.chunks[1] * matrix.shape[1] <= _CUT * PIECE)


def _csr(block: np.ndarray) -> Any:
    from scipy import sparse

    return sparse.csr_matrix(block)


def _one_above_the_other(blocks: list[Any], size: tuple[int, int], kind: type) -> Any:
    from scipy import sparse

    return (
        sparse.vstack(blocks, format="csr", dtype=kind)
        if blocks
        else sparse.csr_matrix(size, dtype=kind)
    )


def _sparse(
    matrix: Stored, name: str, cells: Positions | None, genes: Positions | None, kind: type
) -> Any:
    from scipy import sparse

    by_cell = matrix.form == "csr"
    major, minor = (cells, genes) if by_cell else (genes, cells)
    n_cells, n_genes = (
        size if chosen is None else len(chosen)
        for size, chosen in zip(matrix.shape, (cells, genes), strict=True)
    )
    data, indices, indptr = _lines(matrix, name, major, minor, kind)
    # genes x cells: what was a row of cells is a column now
    build = sparse.csc_matrix if by_cell else sparse.csr_matrix
    found = build((data, indices, indptr), shape=(n_genes, n_cells))
    del data, indices, indptr
    found = found if by_cell else found.tocsc()
    found.sum_duplicates()
    return found


def _lines(
    matrix: Stored, name: str, major: Positions | None, minor: Positions | None, kind: type
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """data, indices, indptr of the chosen lines; indices count the chosen ``minor`` positions."""
    damaged = UnreadableFile(
        f"{name} is damaged: its matrix contradicts itself.",
        advice="Download or export the file again.",
    )
    lines, width = matrix.shape if matrix.form == "csr" else matrix.shape[::-1]
    pointer = np.asarray(matrix.item["indptr"][()]).astype(np.int64)
    if pointer[0] != 0 or pointer[-1] != matrix.count or (np.diff(pointer) < 0).any():
        raise damaged
    major = np.arange(lines) if major is None else major
    lengths = pointer[major + 1] - pointer[major]
    total = int(lengths.sum())
    index = np.int32 if max(total, width) < 2**31 else np.int64
    place = None
    if minor is not None:
        place = np.full(width, -1, dtype=index)
        place[minor] = np.arange(len(minor), dtype=index)
    # without a choice along the minor axis the size is known beforehand and nothing is copied at
    # the end
    known = total if place is None else 0
    data: np.ndarray = np.empty(known, dtype=kind)
    indices: np.ndarray = np.empty(known, dtype=index)
    pieces: list[tuple[np.ndarray, np.ndarray]] = []
    counts = lengths if place is None else np.zeros(len(major), dtype=np.int64)
    at = 0
    for begin, end in _runs(matrix, pointer, major):
        low, high = int(pointer[major[begin]]), int(pointer[major[end - 1] + 1])
        values, names = matrix.item["data"][low:high], np.asarray(matrix.item["indices"][low:high])
        if len(names) and (int(names.min()) < 0 or int(names.max()) >= width):
            raise damaged  # would crash the compiled code
        # lines between the chosen ones were read along
        if end - begin < major[end - 1] + 1 - major[begin]:
            starts = pointer[major[begin:end]] - low
            size = lengths[begin:end]
            picked = np.repeat(starts - (np.cumsum(size) - size), size) + np.arange(int(size.sum()))
            values, names = values[picked], names[picked]
        values = _as(values, kind)
        if place is None:
            data[at : at + len(values)], indices[at : at + len(values)] = values, names
            at += len(values)
            continue
        moved = place[names]
        there = moved >= 0
        owner = np.repeat(np.arange(begin, end), lengths[begin:end])
        counts += np.bincount(owner[there], minlength=len(major))
        pieces.append((values[there], moved[there]))
    if place is not None and pieces:
        data = np.concatenate([p[0] for p in pieces])
        indices = np.concatenate([p[1] for p in pieces])
    return data, indices, np.concatenate([[0], np.cumsum(counts)]).astype(index)


def _runs(matrix: Stored, pointer: Positions, major: Positions) -> Iterator[tuple[int, int]]:
    """Ranges of ``major`` that are read by one call: neighbours, together at most a piece (or one
    line).
    """
    chunks = getattr(matrix.item["data"], "chunks", None)
    gap = max(_GAP, 2 * chunks[0] if chunks else 0)
    begins, ends = pointer[major], pointer[major + 1]
    begin = 0
    far = np.flatnonzero(begins[1:] - ends[:-1] > gap) + 1
    for stop in [*far.tolist(), len(major)]:
        while begin < stop:
            end = max(
                begin + 1, int(np.searchsorted(ends[:stop], begins[begin] + PIECE, side="right"))
            )
            yield begin, end
            begin = end


def sample(matrix: Stored, parts: int = 16, each: int = 8192) -> np.ndarray:
    """Stored values from all over the matrix, as float64: enough to tell counts from logs."""
    data = matrix.data
    if matrix.by_gene:  # a line along all cells would touch too many chunks
        return _along_the_diagonal(data, parts, each)
    step = each if matrix.form != "dense" else max(1, each // max(1, matrix.shape[1]))
    starts = sorted({int(s) for s in np.linspace(0, max(0, data.shape[0] - step), parts)})
    found = [np.asarray(data[s : s + step], dtype=np.float64).ravel() for s in starts]
    return np.concatenate(found) if found else np.empty(0)


def _along_the_diagonal(data: Any, parts: int, each: int) -> np.ndarray:
    high, wide = min(64, data.shape[0]), min(each // 64, data.shape[1])
    found = []
    for place in np.linspace(0, 1, parts):
        top, left = int(place * (data.shape[0] - high)), int(place * (data.shape[1] - wide))
        block = data[top : top + high, left : left + wide]
        found.append(np.asarray(block, dtype=np.float64).ravel())
    return np.concatenate(found)


def boolean_said(name: str) -> str:
    """What is wrong with a matrix of truth values."""
    return (
        f"{name} holds True and False instead of numbers: whether a gene was detected, not how"
        " much."
    )


def likely(
    values: np.ndarray,
) -> Literal["counts", "linear", "log", "scaled", "detected", "nothing"]:
    """What a sample of values looks like: whole numbers, linear, a logarithm, centred, or one value
    beside zero.
    """
    values = values[np.isfinite(values)]
    if not values.size or not values.any():
        return "nothing"
    if values.min() < 0:
        return "scaled"
    filled = values[values != 0]
    if len(filled) >= 100 and filled.min() == filled.max():
        return "detected"
    if np.array_equal(values, np.rint(values)):
        return "counts"
    return "log" if 2 < values.max() < 25 else "linear"
