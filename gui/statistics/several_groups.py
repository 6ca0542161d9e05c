"""Three or more groups: Kruskal-Wallis, Dunn, Friedman, Jonckheere-Terpstra. Row by row.

``values`` is (rows x samples) or (samples,); ``codes`` gives the group of every sample, from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gui.statistics.distributions import (
    chi2_p,
    noncentral_chi2_bounds,
    normal_p,
    normal_quantile,
)
from gui.statistics.exact_distributions import rank_sum_counts, tail
from gui.statistics.ranks import rank
from gui.statistics.two_samples import Effect, RankTest


def kruskal_wallis(values: np.ndarray, codes: np.ndarray) -> RankTest:
    """Kruskal-Wallis H with tie correction and its chi-squared p-value.

    A row whose values are all equal has H = 0 and p = 1.

    Source: Kruskal & Wallis 1952; Hollander, Wolfe & Chicken 2014, eq. 6.5 and 6.7.
    """
    values, codes = np.atleast_2d(values), np.asarray(codes)
    ranks = rank(values)
    n = codes.size
    counts, means = _mean_ranks(ranks.values, codes)
    h = 12.0 / (n * (n + 1)) * (counts * (means - (n + 1) / 2.0) ** 2).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        h = np.where(ranks.tie_factor > 1e-12, h / ranks.tie_factor, 0.0)
    df = counts.size - 1
    return RankTest(h, chi2_p(h, df), np.full(h.shape, float(df)), np.zeros(h.shape, bool))


def epsilon_squared(test: RankTest, n: int, confidence: float = 0.95) -> Effect:
    """Part of the variation of ranks that the groups explain: H / (N - 1), with an interval.

    The interval turns that of the noncentrality of H (Smithson 2003, ch. 4) into epsilon squared,
    as Cramér's V gets its own; it is approximate.

    Source: Kelley 1935; Tomczak & Tomczak 2014, Trends Sport Sci 1:19.
    """
    estimate = np.minimum(test.statistic / (n - 1), 1.0)
    bounds = np.array(
        [
            noncentral_chi2_bounds(float(h), int(df), confidence)
            for h, df in zip(test.statistic, test.df, strict=True)
        ]
    ).reshape(-1, 2)
    return Effect(
        estimate,
        np.minimum(bounds[:, 0] / (n - 1), estimate),
        np.minimum(np.maximum(bounds[:, 1] / (n - 1), estimate), 1.0),
    )


@dataclass(frozen=True, eq=False)
class PairwiseTests:
    """Every pair of groups after a test of all of them.

    pairs : which two groups (codes); z, p : rows x pairs, p not adjusted; z > 0 where the second
    group lies higher
    """

    pairs: tuple[tuple[int, int], ...]
    z: np.ndarray
    p: np.ndarray


def dunn(values: np.ndarray, codes: np.ndarray) -> PairwiseTests:
    """Dunn's test of all pairs of groups, on the ranks of the Kruskal-Wallis test, with ties.

    Source: Dunn 1964, Technometrics 6:241.
    """
    values, codes = np.atleast_2d(values), np.asarray(codes)
    ranks = rank(values)
    n = codes.size
    counts, means = _mean_ranks(ranks.values, codes)
    variance = n * (n + 1) / 12.0 - ranks.tie_sum / (12.0 * (n - 1))
    pairs = tuple(combinations(range(counts.size), 2))
    z = np.zeros((len(values), len(pairs)))
    for at, (a, b) in enumerate(pairs):
        spread = np.sqrt(variance * (1.0 / counts[a] + 1.0 / counts[b]))
        with np.errstate(divide="ignore", invalid="ignore"):
            z[:, at] = np.where(spread > 1e-9, (means[:, b] - means[:, a]) / spread, 0.0)
    return PairwiseTests(pairs, z, normal_p(z))


def _mean_ranks(ranks: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    member = codes[:, None] == np.arange(codes.max() + 1)
    counts = member.sum(axis=0)
    return counts, ranks @ member / counts


def friedman(values: np.ndarray) -> RankTest:
    """Friedman's test of the same subjects under every condition, with ties.

    Parameters
    ----------
    values : rows x conditions x subjects

    Source: Friedman 1937; Hollander, Wolfe & Chicken 2014, eq. 7.8.
    """
    _, k, n = values.shape
    ranks = rank(np.moveaxis(values, 1, 2))  # rows x subjects x conditions
    sums = ranks.values.sum(axis=1)
    ties = ranks.tie_sum.sum(axis=1)
    between = 12.0 * ((sums - n * (k + 1) / 2.0) ** 2).sum(axis=1)
    scale = n * k * (k + 1) - ties / (k - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        s = np.where(scale > 1e-9, between / scale, 0.0)
    return RankTest(s, chi2_p(s, k - 1), np.full(s.shape, k - 1.0), np.zeros(s.shape, bool))


def kendall_w(test: RankTest, conditions: int, subjects: int, confidence: float = 0.95) -> Effect:
    """Kendall's coefficient of concordance W = S / (n (k - 1)), interval as epsilon squared's.

    Source: Kendall & Babington Smith 1939; Hollander, Wolfe & Chicken 2014, section 7.1.
    """
    scale = float(subjects * (conditions - 1))
    bounds = np.array(
        [noncentral_chi2_bounds(float(s), conditions - 1, confidence) for s in test.statistic]
    ).reshape(-1, 2)
    estimate = test.statistic / scale
    return Effect(
        estimate,
        np.minimum(bounds[:, 0] / scale, estimate),
        np.minimum(np.maximum(bounds[:, 1] / scale, estimate), 1.0),
    )


@dataclass(frozen=True, eq=False)
class Trend:
    """The test of ordered groups, and P(later group higher) with ties as halves."""

    test: RankTest
    z: np.ndarray
    rising: Effect


def jonckheere_terpstra(
    values: np.ndarray,
    codes: np.ndarray,
    *,
    alternative: str = "two-sided",
    exact: bool = True,
    interval: bool = True,
    confidence: float = 0.95,
) -> Trend:
    """Jonckheere-Terpstra test of groups in the order of their codes.

    Exact up to 100 samples where a row has no ties, else normal with tie correction. The effect is
    the probability that a sample of a later group is higher, with an interval from its
    infinitesimal jackknife (NaN without ``interval``, which takes most of the time).

    Source: Jonckheere 1954, Terpstra 1952; Hollander, Wolfe & Chicken 2014, eq. 6.13, 6.19 (ties);
    exact distribution as a sum of independent Mann-Whitney statistics (Terpstra 1952); interval:
    Efron 1982, ch. 6.
    """
    values, codes = np.atleast_2d(np.asarray(values, dtype=np.float64)), np.asarray(codes)
    n = codes.size
    counts = np.bincount(codes)
    total = float((n**2 - (counts**2).sum()) / 2)
    if interval:
        j, per_sample, partners = _ordered_pairs(values, codes)
        influence = (per_sample - (j / total)[:, None] * partners) / total
        half = normal_quantile(confidence) * np.sqrt((influence**2).sum(axis=-1))
    else:
        j = _jonckheere_statistic(values, codes)
        half = np.full(j.shape, np.nan)
    estimate = j / total
    tied = rank(values).tie_sum > 0
    variance = _jonckheere_variance(values, counts, tied)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(variance > 1e-9, (j - total / 2.0) / np.sqrt(variance), 0.0)
    p = normal_p(z, alternative)
    exactly = ~tied & (exact and n <= 100)
    if exactly.any():
        sums, probability = _jonckheere_counts(tuple(int(c) for c in counts))
        p = np.where(
            exactly, [tail(sums, probability, float(value), alternative) for value in j], p
        )
    rising = Effect(estimate, np.maximum(estimate - half, 0.0), np.minimum(estimate + half, 1.0))
    return Trend(RankTest(j, p, np.full(j.shape, np.nan), exactly), z, rising)


def _jonckheere_statistic(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """J as the sum of the Mann-Whitney statistics of each group against all before it."""
    j = np.zeros(len(values))
    for code in range(1, int(codes.max()) + 1):
        upto = codes <= code
        size = int((codes == code).sum())
        ranks = rank(values[:, upto]).values[:, codes[upto] == code]
        j += ranks.sum(axis=-1) - size * (size + 1) / 2.0
    return j


def _ordered_pairs(
    values: np.ndarray, codes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """J, each sample's part in it (rows x samples), and its number of partners (samples)."""
    per_sample = np.zeros(values.shape)
    partners = np.zeros(codes.size)
    j = np.zeros(len(values))
    for a, b in combinations(range(int(codes.max()) + 1), 2):
        first, second = np.flatnonzero(codes == a), np.flatnonzero(codes == b)
        both = np.concatenate([first, second])
        overall = rank(values[:, both]).values
        # placements: how many of the other group lie below, ties as halves
        below = overall[:, : first.size] - rank(values[:, first]).values
        above = overall[:, first.size :] - rank(values[:, second]).values
        per_sample[:, first] += second.size - below
        per_sample[:, second] += above
        partners[first] += second.size
        partners[second] += first.size
        j += above.sum(axis=-1)
    return j, per_sample, partners


def _jonckheere_variance(values: np.ndarray, counts: np.ndarray, tied: np.ndarray) -> np.ndarray:
    n = float(counts.sum())
    result = np.empty(len(values))
    sizes = counts.astype(np.float64)
    for at, row in enumerate(values):
        ties = np.ones(1)
        if tied[at]:
            ties = np.unique(row, return_counts=True)[1].astype(np.float64)
        parts = [t * (t - 1) * (2 * t + 5) for t in (sizes, ties)]
        result[at] = (n * (n - 1) * (2 * n + 5) - parts[0].sum() - parts[1].sum()) / 72.0
        if n > 2:
            threes = [(t * (t - 1) * (t - 2)).sum() for t in (sizes, ties)]
            result[at] += threes[0] * threes[1] / (36.0 * n * (n - 1) * (n - 2))
        twos = [(t * (t - 1)).sum() for t in (sizes, ties)]
        result[at] += twos[0] * twos[1] / (8.0 * n * (n - 1))
    return result


def _jonckheere_counts(counts: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Exact distribution of J without ties: group by group against all groups before."""
    distribution, before = np.ones(1), counts[0]
    for size in counts[1:]:
        smaller = min(size, before)
        sums, probability = rank_sum_counts((1,) * (size + before), smaller)
        u = np.zeros(size * before + 1)
        u[(sums - smaller * (smaller + 1) / 2.0).astype(int)] = probability
        distribution = np.convolve(distribution, u)
        before += size
    return np.arange(distribution.size, dtype=np.float64), distribution
