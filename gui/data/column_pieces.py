"""Looks at sparse matrices (CSC) piece by piece: no copy of all values is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

PIECE = 4_000_000
"""Stored values that are looked at at once."""


def column_pieces(matrix: Any) -> Iterator[tuple[int, int]]:
    """Ranges of columns that hold at most so many stored values together (or one column)."""
    ends = matrix.indptr[1:]
    begin = 0
    while begin < matrix.shape[1]:
        held = int(matrix.indptr[begin])
        end = max(begin + 1, int(np.searchsorted(ends, held + PIECE, side="right")))
        yield begin, end
        begin = end


def filled_by_column(matrix: Any) -> np.ndarray:
    """Number of values other than zero, of every column."""
    filled: np.ndarray = np.diff(matrix.indptr).astype(np.int64)
    for begin, end in column_pieces(matrix):
        low = int(matrix.indptr[begin])
        zeros = np.flatnonzero(matrix.data[low : int(matrix.indptr[end])] == 0)
        if zeros.size:
            at = np.searchsorted(matrix.indptr, zeros + low, side="right") - 1
            filled -= np.bincount(at, minlength=len(filled))
    return filled


def filled_rows(matrix: Any) -> np.ndarray:
    """Which rows hold a value other than zero."""
    filled = np.zeros(matrix.shape[0], dtype=bool)
    for begin, end in column_pieces(matrix):
        here = slice(int(matrix.indptr[begin]), int(matrix.indptr[end]))
        there = matrix.data[here] != 0
        rows = matrix.indices[here]
        filled[rows if there.all() else rows[there]] = True
    return filled
