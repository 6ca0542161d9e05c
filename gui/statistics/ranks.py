"""Ranks with ties, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gui.errors import BadValues


@dataclass(frozen=True, eq=False)
class Ranks:
    """Midranks of each row and what its ties take away.

    values : rows x samples, from 1, ties at their mean rank
    tie_sum : by row, the sum of t^3 - t over the groups of t equal values
    """

    values: np.ndarray
    tie_sum: np.ndarray

    @property
    def tie_factor(self) -> np.ndarray:
        """1 - tie_sum / (N^3 - N): 1 without ties, 0 where all values are equal."""
        n = self.values.shape[-1]
        return 1.0 - self.tie_sum / float(n**3 - n) if n > 1 else np.zeros_like(self.tie_sum)


def rank(values: np.ndarray) -> Ranks:
    """Midranks along the last axis (Hollander, Wolfe & Chicken 2014, section 4.1).

    Raises
    ------
    BadValues : gaps, which would get the highest ranks
    """
    values = np.asarray(values, dtype=np.float64)
    n = values.shape[-1]
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    if n and np.isnan(ordered[..., -1]).any():
        raise BadValues("Some values are missing.", advice="Leave these samples out.")
    places = np.broadcast_to(np.arange(1.0, n + 1.0), values.shape)
    tie_sum = np.zeros(values.shape[:-1])
    equal = ordered[..., 1:] == ordered[..., :-1]
    tied = equal.any(axis=-1)
    if tied.any():
        places = places.copy()
        places[tied], tie_sum[tied] = _midranks(equal[tied])
    result = np.empty(values.shape)
    np.put_along_axis(result, order, places, axis=-1)
    return Ranks(result, tie_sum)


def _midranks(equal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Midranks and tie sums of ordered rows. equal : whether a value is that of its neighbour."""
    rows, n = equal.shape[0], equal.shape[-1] + 1
    starts, ends = np.ones((rows, n), dtype=bool), np.ones((rows, n), dtype=bool)
    starts[:, 1:] = ends[:, :-1] = ~equal
    place = np.arange(n)
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=-1)
    last = np.minimum.accumulate(np.where(ends, place, n - 1)[:, ::-1], axis=-1)[:, ::-1]
    size = (last - first + 1).astype(np.float64)
    return (first + last) / 2.0 + 1.0, (size**2 - 1.0).sum(axis=-1)


def tie_sizes(row: np.ndarray) -> tuple[int, ...]:
    """How often each distinct value of one row occurs, in ascending order of the values.

    The exact distributions need nothing else (Hollander, Wolfe & Chicken 2014, section 4.1,
    comment on conditional null distributions).
    """
    return tuple(int(count) for count in np.unique(row, return_counts=True)[1])
