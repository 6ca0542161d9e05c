"""Columns (samples or cells) that hold the same values, or the same but for a factor.

Linear in the values: columns are compared by a few weighted sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gui.data.dataset import Matrix
from gui.data.validation.repairs import detected

_WEIGHTS = 3
"""Weighted sums by which columns are compared."""
_MOST = 50_000_000
"""Stored values of cells from which not all of them are compared."""
_PIECE = 4_000_000
"""Values that are multiplied at a time."""
_LEAST = 10
"""Genes a column must have a value in: fewer agree by chance."""
_NEIGHBOURS = 8
"""Columns of a similar first sum that each is compared with."""
_PROFILES = 200
"""Columns that are kept dense."""
_ROUNDED = 1e-4
"""Relative difference of the sums of equal samples that were written with few digits."""
_DISTANCE = 2e-4
"""Part of the values in which equal samples may differ; real replicates differ in a hundredth and
more.
"""
_EXACT = 1e-6
"""Relative difference of the sums of equal cells, which float32 leaves."""

Places = npt.NDArray[np.intp]


def same_samples(matrix: Matrix) -> list[list[int]]:
    """Groups of columns whose values are the same up to one factor and rounding; columns of zeros
    or of a single value do not count.
    """
    sums = _sums(matrix, _weights(np.arange(matrix.n_genes)))
    profiles: dict[int, np.ndarray] = {}

    def profile(at: int) -> np.ndarray:
        if at not in profiles:
            stored: Any = matrix.values[:, [at]]
            dense = np.asarray(
                stored.toarray() if matrix.is_sparse else stored, dtype=np.float64
            ).ravel()
            profiles[at] = dense / dense.sum()
        return profiles[at]

    first: dict[int, int] = {}

    def root(at: int) -> int:
        while first.setdefault(at, at) != at:
            at = first[at]
        return at

    for i, j in _close(sums, _ROUNDED):
        if root(i) == root(j):
            continue
        if len(profiles) >= _PROFILES:
            profiles.clear()
        if float(np.abs(profile(i) - profile(j)).sum()) <= _DISTANCE:
            one, two = sorted((root(i), root(j)))
            first[two] = one
    groups: dict[int, list[int]] = {}
    for at in sorted(first):
        groups.setdefault(root(at), []).append(at)
    return [group for group in groups.values() if len(group) > 1]


def copied_cells(matrix: Matrix) -> tuple[int, int]:
    """How many columns are copies of another one (of three equal ones two are), and of how many: of
    large data about ``_MOST`` values are compared.
    """
    matrix = _part(matrix, _stride(matrix))
    return len(
        {j for _, j in _close(_sums(matrix, _weights(np.arange(matrix.n_genes))), _EXACT)}
    ), matrix.n_columns


def cells_in_both(one: Matrix, other: Matrix) -> tuple[int, int]:
    """How many columns of ``other`` are in ``one`` too by their values over the common genes, and
    of how many that were compared.
    """
    names = one.genes.intersection(other.genes)
    # else equal cells need not have values for equally many genes
    if len(names) == one.n_genes == other.n_genes:
        stride = max(_stride(one), _stride(other))
        one, other = _part(one, stride), _part(other, stride)
    sums = [_sums(matrix, _weights(names.get_indexer(matrix.genes))) for matrix in (one, other)]
    good, relative = (np.concatenate(pair) for pair in zip(*sums, strict=True))
    pairs = _close((good, relative), _EXACT)
    return len({j for i, j in pairs if i < one.n_columns <= j}), other.n_columns


def _stride(matrix: Matrix) -> int:
    stored: Any = matrix.values
    return 1 + int(stored.nnz if matrix.is_sparse else stored.size) // _MOST


def _part(matrix: Matrix, stride: int) -> Matrix:
    """About every ``stride``-th column, chosen by their numbers of values: copies have equally
    many.
    """
    return matrix if stride == 1 else matrix.where(detected(matrix) % stride == 0)


def _weights(at: Places) -> np.ndarray:
    """Genes x weights; the first is 1, the others are random; all are 0 for genes with a negative
    position.
    """
    random = np.random.default_rng(1).uniform(
        0.0, 1.0, (max(1, int(at.max(initial=0)) + 1), _WEIGHTS + 1)
    )
    random[:, 0] = 1.0
    return np.where((at >= 0)[:, None], random[at], 0.0)


def _sums(matrix: Matrix, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which columns can be compared (columns,), and their weighted sums relative to the first of
    them (columns, weights). weights : genes x weights.
    """
    stored: Any = matrix.values
    counted = weights[:, 0]
    made, filled, varied = (
        np.empty((matrix.n_columns, weights.shape[1])),
        np.empty(matrix.n_columns),
        np.empty(matrix.n_columns, dtype=bool),
    )
    step = max(
        1, _PIECE * matrix.n_columns // max(1, stored.nnz if matrix.is_sparse else stored.size)
    )
    for start in range(0, matrix.n_columns, step):
        piece, here = stored[:, start : start + step], slice(start, start + step)
        with np.errstate(invalid="ignore", over="ignore"):
            made[here] = np.asarray(piece.T @ weights, dtype=np.float64)
        there = piece != 0
        filled[here] = np.asarray(there.T @ counted).ravel()
        top = piece.max(axis=0)
        varied[here] = (
            made[here, 0]
            < 0.999
            * filled[here]
            * np.asarray(top.toarray() if matrix.is_sparse else top, dtype=np.float64).ravel()
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = made[:, 1:] / made[:, :1]
    good = np.isfinite(relative).all(axis=1) & (made[:, 0] > 0) & (filled >= _LEAST) & varied
    return good, relative


def _close(found: tuple[np.ndarray, np.ndarray], tolerance: float) -> list[tuple[int, int]]:
    """Pairs of columns all of whose sums agree, each column with the nearest of those before it."""
    good, sums = found
    columns: Places = np.flatnonzero(good)
    order = columns[np.argsort(sums[columns, 0], kind="stable")]
    pairs: list[tuple[int, int]] = []
    for shift in range(1, min(_NEIGHBOURS, len(order) - 1) + 1):
        one, two = sums[order[:-shift]], sums[order[shift:]]
        same = (np.abs(one - two) <= tolerance * np.abs(one)).all(axis=1)
        pairs += zip(order[:-shift][same].tolist(), order[shift:][same].tolist(), strict=True)
    return [(min(pair), max(pair)) for pair in pairs]
