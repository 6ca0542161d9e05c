"""Exact null distributions of rank sums, with ties, by counting."""

from __future__ import annotations

from functools import lru_cache
from math import comb, gcd

import numpy as np


@lru_cache(maxsize=2048)
def rank_sum_counts(sizes: tuple[int, ...], m: int) -> tuple[np.ndarray, np.ndarray]:
    """Distribution of the sum of midranks of ``m`` of all samples when every choice is as likely.

    Parameters
    ----------
    sizes : how often each distinct value occurs, ascending (see :func:`gui.statistics.ranks.rank`)
    m : samples in the group; best the smaller one

    Returns
    -------
    rank sums and their probabilities

    Source: Hollander, Wolfe & Chicken 2014, section 4.1 (null distribution conditional on the
    ties); counted one value after the other as in Streitberg & Röhmel 1986, Stat Software Newsl
    12:10.
    """
    doubled, seen = [], 0
    for size in sizes:
        doubled.append(2 * seen + size + 1)
        seen += size
    unit = gcd(*[d - doubled[0] for d in doubled]) or 1
    steps = [(d - doubled[0]) // unit for d in doubled]
    # reach[j]: the largest sum that j of the values so far can have
    values = np.repeat(steps, sizes)
    reach = np.concatenate([[0], np.cumsum(values[::-1][:m])])
    counts = np.zeros((m + 1, int(reach[-1]) + 1))
    counts[0, 0] = 1.0
    seen = 0
    for size, step in zip(sizes, steps, strict=True):
        reach = np.concatenate([[0], np.cumsum(values[:seen][::-1][:m])])
        for j in range(min(m, seen + size), 0, -1):  # downwards: row j - taken is still the old one
            for taken in range(max(1, j - seen), min(size, j) + 1):
                end = int(reach[j - taken]) + 1
                shift = taken * step
                counts[j, shift : shift + end] += float(comb(size, taken)) * counts[j - taken, :end]
        seen += size
    probability = counts[m] / counts[m].sum()
    reached = np.flatnonzero(probability)
    return (reached * unit + m * doubled[0]) / 2.0, probability[reached]


@lru_cache(maxsize=2048)
def signed_rank_counts(sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Distribution of the sum of positive midranks when every sign is as likely.

    sizes : how often each distinct absolute difference occurs, ascending

    Source: Hollander, Wolfe & Chicken 2014, section 3.1 (conditional on the ties).
    """
    doubled, seen = [], 0
    for size in sizes:
        doubled += [2 * seen + size + 1] * size
        seen += size
    unit = gcd(*doubled) if doubled else 1
    probability = np.ones(1)
    for step in doubled:
        shift = step // unit
        wider = np.zeros(probability.size + shift)
        wider[: probability.size] += probability
        wider[shift:] += probability
        probability = wider / 2.0
    reached = np.flatnonzero(probability)
    return reached * unit / 2.0, probability[reached]


def tail(
    sums: np.ndarray, probability: np.ndarray, observed: float, alternative: str = "two-sided"
) -> float:
    """p-value of a sum: how likely it is, or one further from the mean (Hollander et al. 2014).

    Two-sided counts the sums at least as far from the mean; without ties that is twice the
    smaller tail.
    """
    slack = 1e-7
    if alternative == "greater":
        beyond = sums >= observed - slack
    elif alternative == "less":
        beyond = sums <= observed + slack
    else:
        mean = float(sums @ probability)
        beyond = np.abs(sums - mean) >= abs(observed - mean) - slack
    return float(min(1.0, probability[beyond].sum()))


def lower_quantile(sums: np.ndarray, probability: np.ndarray, level: float) -> float:
    """The smallest sum whose lower tail reaches ``level`` (R Core Team 2024: qwilcox)."""
    at = int(np.searchsorted(np.cumsum(probability), level * (1.0 - 1e-12)))
    return float(sums[min(at, sums.size - 1)])
