"""Two measurements of the same subjects: Wilcoxon's signed-rank test. Row by row."""

from __future__ import annotations

import numpy as np

from gui.statistics.distributions import normal_p, normal_quantile
from gui.statistics.exact_distributions import lower_quantile, signed_rank_counts, tail
from gui.statistics.ranks import rank, tie_sizes
from gui.statistics.two_samples import Effect, RankTest

EXACT_LIMIT = 50
"""Pairs up to which the exact distribution is counted; the normal one is as good above."""


def wilcoxon_signed_rank(differences: np.ndarray, *, alternative: str = "two-sided") -> RankTest:
    """Signed-rank test of differences around 0: exact with ties up to 50 pairs, then normal.

    Differences of exactly 0 are left out, as Wilcoxon did.

    Parameters
    ----------
    differences : rows x pairs, the second measurement less the first
    alternative : "greater" where the differences lie above 0

    Returns
    -------
    RankTest whose statistic is V: the sum of the ranks of the positive differences

    Source: Wilcoxon 1945; Hollander, Wolfe & Chicken 2014, section 3.1 (exact, conditional on
    ties; normal with ties: eq. 3.13, continuity correction as in R).
    """
    rows = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    statistic, p, exact = np.zeros(len(rows)), np.ones(len(rows)), np.zeros(len(rows), dtype=bool)
    for at, row in enumerate(rows):
        used = row[row != 0.0]
        if used.size == 0:
            continue
        ranks = rank(np.abs(used))
        v = float(ranks.values[used > 0].sum())
        statistic[at] = v
        exact[at] = used.size <= EXACT_LIMIT
        if exact[at]:
            p[at] = tail(*signed_rank_counts(tie_sizes(np.abs(used))), v, alternative)
        else:
            n = used.size
            spread = np.sqrt(n * (n + 1) * (2 * n + 1) / 24.0 - float(ranks.tie_sum) / 48.0)
            away = v - n * (n + 1) / 4.0
            shift = {"greater": 0.5, "less": -0.5}.get(alternative, 0.5 * np.sign(away))
            p[at] = float(normal_p((away - shift) / spread, alternative))
    return RankTest(statistic, p, np.full(len(rows), np.nan), exact)


def pseudomedian(differences: np.ndarray, confidence: float = 0.95) -> Effect:
    """Hodges-Lehmann estimate of paired differences with Tukey's interval.

    The median of the Walsh averages; below 6 pairs no 95 % interval exists: NaN.

    Source: Hodges & Lehmann 1963; Hollander, Wolfe & Chicken 2014, eq. 3.23 and 3.25-3.27.
    """
    rows = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    n = rows.shape[-1]
    first, second = np.triu_indices(n)
    total = first.size
    level = (1.0 - confidence) / 2.0
    if n <= EXACT_LIMIT:
        sums, probability = signed_rank_counts((1,) * n)
        place = 0 if probability[0] > level else int(lower_quantile(sums, probability, level))
    else:
        z = normal_quantile(confidence)
        place = int(np.floor(total / 2.0 - z * np.sqrt(n * (n + 1) * (2 * n + 1) / 24.0)))
    kept = sorted({(total - 1) // 2, total // 2, max(place, 1) - 1, total - max(place, 1)})
    walsh = np.array([np.partition((row[first] + row[second]) / 2.0, kept)[kept] for row in rows])
    at = {position: walsh[:, i] for i, position in enumerate(kept)}
    estimate = (at[(total - 1) // 2] + at[total // 2]) / 2.0
    if place < 1:
        nothing = np.full(estimate.shape, np.nan)
        return Effect(estimate, nothing, nothing)
    return Effect(estimate, at[place - 1], at[total - place])
