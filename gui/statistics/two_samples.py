"""Two independent groups: Mann-Whitney, Brunner-Munzel, Hodges-Lehmann. Row by row.

All take ``x`` and ``y`` as (rows x samples) or (samples,); effects say how ``y`` differs from
``x``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gui.statistics.distributions import normal_p, normal_quantile, t_p, t_quantile
from gui.statistics.exact_distributions import lower_quantile, rank_sum_counts, tail
from gui.statistics.ranks import rank, tie_sizes

EXACT_LIMIT = 2000
"""Samples up to which the exact distribution is counted."""
FEW_PAIRS = 4_000
"""Pairs of samples whose differences are simply written down and ordered."""
GUESS = 24
"""Order statistics of each group whose differences bracket the one looked for."""


@dataclass(frozen=True, eq=False)
class RankTest:
    """A test of every row.

    statistic, p : by row
    df : degrees of freedom by row; NaN where the test has none
    exact : by row, whether p comes from the exact distribution
    """

    statistic: np.ndarray
    p: np.ndarray
    df: np.ndarray
    exact: np.ndarray


@dataclass(frozen=True, eq=False)
class Effect:
    """An estimate of every row with its interval."""

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray


def mann_whitney(
    x: np.ndarray, y: np.ndarray, *, exact: bool = True, alternative: str = "two-sided"
) -> RankTest:
    """Mann-Whitney-Wilcoxon test, exact with ties, or normal with tie and continuity correction.

    Parameters
    ----------
    alternative : "greater" where ``x`` lies above ``y``

    Returns
    -------
    RankTest whose statistic is W as R gives it: the pairs in which x is larger, ties as halves

    Source: Mann & Whitney 1947; Hollander, Wolfe & Chicken 2014, section 4.1 (normal
    approximation with ties: eq. 4.13, continuity correction as in R).
    """
    x, y = _rows(x), _rows(y)
    m, n = x.shape[-1], y.shape[-1]
    both = np.concatenate([x, y], axis=-1)
    ranks = rank(both)
    rank_sum = ranks.values[:, :m].sum(axis=-1)
    w = rank_sum - m * (m + 1) / 2.0
    exact = exact and m + n <= EXACT_LIMIT
    if exact:
        p = np.array(
            [_exact_p(row, m, n, s, alternative) for row, s in zip(both, rank_sum, strict=True)]
        )
    else:
        total = m + n
        spread = np.sqrt(m * n / 12.0 * (total + 1 - ranks.tie_sum / (total * (total - 1))))
        away = w - m * n / 2.0
        shift = {"greater": 0.5, "less": -0.5}.get(alternative, 0.5 * np.sign(away))
        with np.errstate(divide="ignore", invalid="ignore"):
            p = np.where(spread > 0, normal_p((away - shift) / spread, alternative), 1.0)
    return RankTest(w, p, np.full(w.shape, np.nan), np.full(w.shape, exact))


def _exact_p(row: np.ndarray, m: int, n: int, rank_sum: float, alternative: str) -> float:
    # counted over the smaller group; the sums of both add up to a constant
    total = (m + n) * (m + n + 1) / 2.0
    if m <= n:
        return tail(*rank_sum_counts(tie_sizes(row), m), rank_sum, alternative)
    turned = {"greater": "less", "less": "greater"}.get(alternative, alternative)
    return tail(*rank_sum_counts(tie_sizes(row), n), total - rank_sum, turned)


@dataclass(frozen=True, eq=False)
class BrunnerMunzel:
    """The test and P(X < Y) + P(X = Y) / 2 with its interval.

    separated : by row, no overlap, or so little that p is that of none
    """

    test: RankTest
    superiority: Effect
    separated: np.ndarray


def brunner_munzel(x: np.ndarray, y: np.ndarray, confidence: float = 0.95) -> BrunnerMunzel:
    """Brunner-Munzel test of P(X < Y) + P(X = Y) / 2 = 1/2: no equal spreads assumed.

    Where the groups do not overlap the estimated variance is 0, and where they hardly do it is much
    too small: no p-value is below 2 / C(N, n), that of the permutation test without overlap, and
    where it would be, the interval is Newcombe's.

    Source: Brunner & Munzel 2000, Biometrical J 42:17 (statistic, t approximation, interval);
    Neubert & Brunner 2007 (permutation); Newcombe 2006 (interval without overlap).
    """
    x, y = _rows(x), _rows(y)
    m, n = x.shape[-1], y.shape[-1]
    ranks = rank(np.concatenate([x, y], axis=-1)).values
    rx, ry = ranks[:, :m], ranks[:, m:]
    mean_x, mean_y = rx.mean(axis=-1), ry.mean(axis=-1)
    superiority = (mean_y - mean_x) / (m + n) + 0.5
    dx = rx - rank(x).values - (mean_x - (m + 1) / 2.0)[:, None]
    dy = ry - rank(y).values - (mean_y - (n + 1) / 2.0)[:, None]
    vx = m * (dx**2).sum(axis=-1) / max(m - 1, 1)
    vy = n * (dy**2).sum(axis=-1) / max(n - 1, 1)
    spread = np.sqrt(vx + vy) / (m * n)
    flat = spread <= 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (superiority - 0.5) / spread
        df = (vx + vy) ** 2 / (vx**2 / max(m - 1, 1) + vy**2 / max(n - 1, 1))
        p = t_p(statistic, df)
        half = t_quantile(confidence, df) * spread
    lowest = _separated_p(m, n)
    beyond = flat | (p < lowest)
    separated = beyond & (np.abs(superiority - 0.5) > 1e-9)
    p = np.where(beyond, np.where(separated, lowest, 1.0), p)
    statistic = np.where(flat & ~separated, 0.0, statistic)
    newcombe = newcombe_interval(superiority, m, n, confidence)
    return BrunnerMunzel(
        RankTest(statistic, p, np.where(flat, np.nan, df), separated),
        Effect(
            superiority,
            np.where(beyond, newcombe.low, np.maximum(superiority - half, 0.0)),
            np.where(beyond, newcombe.high, np.minimum(superiority + half, 1.0)),
        ),
        separated,
    )


def _separated_p(m: int, n: int) -> float:
    from scipy.special import gammaln

    return float(min(1.0, 2.0 * np.exp(gammaln(m + 1) + gammaln(n + 1) - gammaln(m + n + 1))))


def superiority(x: np.ndarray, y: np.ndarray, confidence: float = 0.95) -> Effect:
    """P(X < Y) + P(X = Y) / 2 with Newcombe's interval, for groups too small for Brunner-Munzel.

    Source: Newcombe 2006, Stat Med 25:559, method 5.
    """
    x, y = _rows(x), _rows(y)
    m, n = x.shape[-1], y.shape[-1]
    ranks = rank(np.concatenate([x, y], axis=-1)).values
    estimate = (ranks[:, m:].mean(axis=-1) - ranks[:, :m].mean(axis=-1)) / (m + n) + 0.5
    return newcombe_interval(estimate, m, n, confidence)


def newcombe_interval(estimate: np.ndarray, m: int, n: int, confidence: float = 0.95) -> Effect:
    """Interval of P(X < Y) that never leaves [0, 1] (Newcombe 2006, Stat Med 25:559, method 5).

    Solves ``(estimate - t)^2 = z^2 V(t)`` for t, with
    ``V(t) = t (1 - t) (1 + (N / 2 - 1) ((1 - t) / (2 - t) + t / (1 + t))) / (m n)`` and N = (m+n)/2
    as the size of a group.
    """
    estimate = np.asarray(estimate, dtype=np.float64)
    z2 = normal_quantile(confidence) ** 2
    size = (m + n) / 2.0 - 1.0

    def beyond(t: np.ndarray) -> np.ndarray:
        variance = t * (1 - t) * (1 + size * ((1 - t) / (2 - t) + t / (1 + t))) / (m * n)
        return np.asarray((estimate - t) ** 2 - z2 * variance)

    bounds = []
    for outer in (0.0, 1.0):
        far, near = np.full(estimate.shape, outer), estimate.copy()
        for _ in range(60):  # bisection: beyond > 0 outside of the interval
            middle = (far + near) / 2.0
            outside = beyond(middle) > 0
            far, near = np.where(outside, middle, far), np.where(outside, near, middle)
        bounds.append(np.where(np.abs(estimate - outer) < 1e-12, outer, near))
    return Effect(estimate, bounds[0], bounds[1])


def hodges_lehmann(
    x: np.ndarray, y: np.ndarray, *, exact: bool = True, confidence: float = 0.95
) -> Effect:
    """Median of all differences y - x with its distribution-free interval.

    The interval belongs to the Mann-Whitney test: exact, or by the normal approximation. Below 4
    samples a group has no 95 % interval: NaN.

    Source: Hodges & Lehmann 1963; Moses' interval, Hollander, Wolfe & Chicken 2014, eq. 4.32-4.33.
    """
    x, y = _rows(x), _rows(y)
    m, n = x.shape[-1], y.shape[-1]
    place = _interval_place(m, n, exact, (1.0 - confidence) / 2.0)
    pairs = m * n
    middle = {(pairs - 1) // 2, pairs // 2}
    kept = sorted(middle | ({place - 1, pairs - place} if place else set()))
    table = np.array([_ordered_differences(a, b, kept) for a, b in zip(x, y, strict=True)])
    at = {position: table[:, i] for i, position in enumerate(kept)}
    estimate = np.mean([at[i] for i in sorted(middle)], axis=0)
    if not place:
        nothing = np.full(estimate.shape, np.nan)
        return Effect(estimate, nothing, nothing)
    return Effect(estimate, at[place - 1], at[pairs - place])


def _ordered_differences(x: np.ndarray, y: np.ndarray, places: list[int]) -> list[float]:
    """The differences y - x at these places (from 0) of their ascending order."""
    if x.size * y.size <= FEW_PAIRS:
        differences = np.subtract.outer(y, x).ravel()
        return [float(value) for value in np.partition(differences, places)[places]]
    x, y = np.sort(x), np.sort(y)
    # the differences of some order statistics tell nearly where to look
    few_x, few_y = (v[np.linspace(0, v.size - 1, GUESS).astype(int)] for v in (x, y))
    guess = np.sort(np.subtract.outer(few_y, few_x).ravel())
    return [_ordered_difference(x, y, place, guess) for place in places]


def _ordered_difference(x: np.ndarray, y: np.ndarray, place: int, guess: np.ndarray) -> float:
    """Two bounds drawn together until few pairs are left between them, then the one looked for.

    Source: the counting argument of Monahan 1984, ACM TOMS 10:265. x, y : ascending
    """
    low, high = np.nextafter(y[0] - x[-1], -np.inf), y[-1] - x[0]
    below = np.zeros(x.size, dtype=np.intp)  # by x: how many differences are at most low
    upto = np.full(x.size, y.size, dtype=np.intp)
    middle = place * guess.size // (x.size * y.size)
    likely = guess[middle]  # many equal differences: it is one of them
    sides = [np.searchsorted(y, x + likely, side=side).sum() for side in ("left", "right")]
    if sides[0] <= place < sides[1]:
        return float(likely)
    bounds = [guess[max(middle - GUESS, 0)], guess[min(middle + GUESS, guess.size - 1)]]
    for _ in range(80):
        bound = bounds.pop() if bounds else low + (high - low) / 2.0
        if low < bound < high:
            count = np.searchsorted(y, x + bound, side="right")
            if count.sum() > place:
                high, upto = bound, count
            else:
                low, below = bound, count
        elif not bounds:
            break
        if not bounds and (upto - below).sum() <= FEW_PAIRS:
            break
    sizes = upto - below
    starts = np.cumsum(sizes) - sizes
    at = np.arange(sizes.sum()) + np.repeat(below - starts, sizes)
    found = y[at] - np.repeat(x, sizes)
    place = min(max(place - int(below.sum()), 0), found.size - 1)
    return float(np.partition(found, place)[place])


def _interval_place(m: int, n: int, exact: bool, level: float) -> int:
    """From 1: which of the ordered differences is the lower end; 0 where there is none."""
    if exact and m + n <= EXACT_LIMIT:
        smaller = min(m, n)
        sums, probability = rank_sum_counts((1,) * (m + n), smaller)
        if probability[0] > level:
            return 0
        return int(lower_quantile(sums, probability, level) - smaller * (smaller + 1) / 2.0)
    z = normal_quantile(1.0 - 2.0 * level)
    return max(0, int(np.floor(m * n / 2.0 - z * np.sqrt(m * n * (m + n + 1) / 12.0))))


def _rows(values: np.ndarray) -> np.ndarray:
    return np.atleast_2d(np.asarray(values, dtype=np.float64))
