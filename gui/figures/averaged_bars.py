"""Bars of neighbouring samples drawn as one: for more samples than a browser draws bars for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST_RECTANGLES = 40_000
"""Of stacked bars, samples times types: each is an element of the page."""
MOST_BARS = 400
"""Then: about two pixels each."""


@dataclass(frozen=True)
class Bins:
    """Neighbouring samples that share a bar.

    Attributes
    ----------
    starts, counts
        Of every bar its first sample, in the order drawn, and how many it stands for.
    middle, width
        Its place along the axis: the position of the sample in its middle, and its extent.
    """

    starts: np.ndarray
    counts: np.ndarray
    middle: np.ndarray
    width: np.ndarray

    @property
    def largest(self) -> int:
        return int(self.counts.max())

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Of the values (samples,) of every bar, missing ones left out; NaN where all are."""
        there = np.isfinite(values)
        sums = np.add.reduceat(np.where(there, values, 0.0), self.starts)
        counts = np.add.reduceat(there.astype(np.int64), self.starts)
        return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)


def bins_of(
    positions: np.ndarray, groups: Sequence[tuple[str, int, int]], types: int
) -> Bins | None:
    """Return the bars of so many samples; None where each gets its own.

    A bar holds samples of one group only.

    Parameters
    ----------
    positions
        Of the samples along the axis, ascending.
    groups
        (name, first, last position) of each.
    """
    count = len(positions)
    if count * types <= MOST_RECTANGLES:
        return None
    size = -(-count // MOST_BARS) | 1  # odd, so that there is a sample in the middle
    begins = [0, *(int(np.searchsorted(positions, first)) for _, first, _ in groups[1:])]
    starts = np.concatenate(
        [
            np.arange(begin, end, size)
            for begin, end in zip(begins, [*begins[1:], count], strict=True)
        ]
    )
    counts = np.diff([*starts, count])
    return Bins(starts, counts, positions[starts + (counts - 1) // 2], counts.astype(np.float64))
