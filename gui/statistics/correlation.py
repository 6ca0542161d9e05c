"""Spearman's rank correlation with a number per sample, with interval. Row by row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gui.statistics.distributions import normal_quantile, t_p
from gui.statistics.ranks import rank, tie_sizes
from gui.statistics.two_samples import Effect, RankTest

EXACT_LIMIT = 9
"""Samples up to which all orders are gone through (9! = 362 880), as R does."""


@dataclass(frozen=True, eq=False)
class RankCorrelation:
    """Spearman's rho of every row, its interval and its test; NaN where a row is constant."""

    rho: Effect
    test: RankTest


def spearman_test(
    values: np.ndarray, number: np.ndarray, confidence: float = 0.95
) -> RankCorrelation:
    """Spearman's rho of each row of ``values`` with ``number``: interval and two-sided p-value.

    The p-value is exact (all orders, with ties) up to 9 samples, then Student's t. The interval is
    Fisher's z with the variance (1 + rho^2 / 2) / (n - 3), from 4 samples on.

    Returns
    -------
    RankCorrelation

    Source: Spearman 1904; Hollander, Wolfe & Chicken 2014, section 8.5; Kendall & Stuart 1973,
    31.19 (t); Bonett & Wright 2000, Psychometrika 65:23 (interval).
    """
    rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
    number = np.asarray(number, dtype=np.float64)
    n = number.size
    a = rank(rows).values - (n + 1) / 2.0
    b = rank(number).values - (n + 1) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = np.clip(a @ b / np.sqrt((a**2).sum(axis=-1) * (b @ b)), -1.0, 1.0)
        t = rho * np.sqrt((n - 2) / np.maximum(1.0 - rho**2, 0.0))
    exact = n <= EXACT_LIMIT
    if exact:
        sizes = tie_sizes(number)
        p = np.array([_exact_p(tie_sizes(row), sizes, row @ b) for row in a])
        p = np.where(np.isnan(rho), np.nan, p)
    else:
        p = np.where(np.isnan(rho), np.nan, t_p(t, n - 2))
    low, high = np.full(rho.shape, np.nan), np.full(rho.shape, np.nan)
    if n > 3:
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.arctanh(np.clip(rho, -1 + 1e-15, 1 - 1e-15))
            half = normal_quantile(confidence) * np.sqrt((1.0 + rho**2 / 2.0) / (n - 3))
            low, high = np.tanh(z - half), np.tanh(z + half)
    return RankCorrelation(
        Effect(rho, low, high),
        RankTest(rho, p, np.full(rho.shape, n - 2.0), np.full(rho.shape, exact)),
    )


def _exact_p(sizes: tuple[int, ...], other: tuple[int, ...], product: float) -> float:
    products = _products(sizes, other)
    beyond = products.size - np.searchsorted(products, abs(product) - 1e-9)
    return float(beyond / products.size)


@lru_cache(maxsize=256)
def _products(sizes: tuple[int, ...], other: tuple[int, ...]) -> np.ndarray:
    """|sum of products of centred midranks| over all orders, ascending, by the ties of both."""
    n = sum(sizes)
    a, b = (rank(np.repeat(np.arange(len(s)), s)).values - (n + 1) / 2.0 for s in (sizes, other))
    return np.sort(np.abs(b[_orders(n)] @ a))


@lru_cache(maxsize=EXACT_LIMIT + 1)
def _orders(n: int) -> np.ndarray:
    """All orders of n things, one a row."""
    orders = np.zeros((1, min(n, 1)), dtype=np.int8)
    for size in range(1, n):
        wider = [np.insert(orders, place, size, axis=1) for place in range(size + 1)]
        orders = np.concatenate(wider)
    return orders
