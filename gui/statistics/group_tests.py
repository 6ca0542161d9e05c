"""Any test of a comparison under one signature: rows of values in, statistic, p and effect out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb, factorial, prod

import numpy as np
import pandas as pd

from gui.statistics.correlation import spearman_test
from gui.statistics.group_design import Comparison
from gui.statistics.linear_model import least_squares_hc3
from gui.statistics.paired import pseudomedian, wilcoxon_signed_rank
from gui.statistics.several_groups import (
    epsilon_squared,
    friedman,
    jonckheere_terpstra,
    kendall_w,
    kruskal_wallis,
)
from gui.statistics.two_samples import (
    Effect,
    RankTest,
    brunner_munzel,
    mann_whitney,
    superiority,
)

CHEAP_EXACT = 200
"""Samples up to which draws are tested exactly; above, each tie pattern would be counted anew."""


@dataclass(frozen=True, eq=False)
class Tested:
    """By row: the test, its effect and in which direction it points (-1, 0, 1)."""

    test: RankTest
    effect: Effect
    direction: np.ndarray


def run_test(values: np.ndarray, comparison: Comparison, *, draws: bool = False) -> Tested:
    """The comparison's test of every row.

    Parameters
    ----------
    values : rows x samples of the comparison
    draws : leave out intervals that take time, and exact p-values of large groups

    Source: the functions that it calls.
    """
    return _RUNS[comparison.choice.key](values, comparison, draws)


def _mann_whitney(values: np.ndarray, comparison: Comparison, draws: bool) -> Tested:
    x, y = comparison.split(values)
    exact = not draws or comparison.codes.size <= CHEAP_EXACT
    effect = superiority(x, y)
    return Tested(mann_whitney(x, y, exact=exact), effect, np.sign(effect.estimate - 0.5))


def _brunner_munzel(values: np.ndarray, comparison: Comparison, draws: bool) -> Tested:
    result = brunner_munzel(*comparison.split(values))
    return Tested(result.test, result.superiority, np.sign(result.superiority.estimate - 0.5))


def _kruskal_wallis(values: np.ndarray, comparison: Comparison, draws: bool) -> Tested:
    used = np.isin(comparison.codes, comparison.tested)
    codes = np.searchsorted(comparison.tested, comparison.codes[used])
    test = kruskal_wallis(values[:, used], codes)
    effect = _no_interval(test.statistic / (used.sum() - 1))
    if not draws:
        effect = epsilon_squared(test, int(used.sum()))
    return Tested(test, effect, np.zeros(len(values)))


def _wilcoxon(values: np.ndarray, comparison: Comparison, draws: bool) -> Tested:
    x, y = comparison.split(values)
    test = wilcoxon_signed_rank(y - x)
    if draws:
        return Tested(test, _no_interval(test.statistic), np.sign(np.median(y - x, axis=-1)))
    effect = pseudomedian(y - x)
    return Tested(test, effect, np.sign(effect.estimate))


def _friedman(values: np.ndarray, comparison: Comparison, draws: bool) -> Tested:
    k = len(comparison.levels)
    blocks = values.reshape(len(values), k, -1)
    test = friedman(blocks)
    effect = _no_interval(test.statistic)
    if not draws:
        effect = kendall_w(test, k, blocks.shape[-1])
    return Tested(test, effect, np.zeros(len(values)))


def _jonckheere_terpstra(values: np.ndarray, comparison: Comparison, draws: bool) -> Tested:
    used = np.isin(comparison.codes, comparison.tested)
    codes = np.searchsorted(comparison.tested, comparison.codes[used])
    result = jonckheere_terpstra(values[:, used], codes, interval=not draws)
    return Tested(result.test, result.rising, np.sign(result.rising.estimate - 0.5))


def _spearman(values: np.ndarray, comparison: Comparison, draws: bool) -> Tested:
    assert comparison.number is not None
    result = spearman_test(values, comparison.number)
    return Tested(result.test, result.rho, np.sign(result.rho.estimate))


def _least_squares(values: np.ndarray, comparison: Comparison, draws: bool) -> Tested:
    assert comparison.model is not None
    columns = comparison.model.matrix.index
    fit = least_squares_hc3(pd.DataFrame(values, columns=columns), comparison.model)
    term = list(comparison.term)
    no = np.zeros(len(values), dtype=bool)
    if len(term) == 1:
        found = fit.contrast(term[0])
        df = np.full(len(values), float(fit.df))
        direction = np.sign(found.effect.estimate)
        return Tested(RankTest(found.t, found.p, df, no), found.effect, direction)
    f, p = fit.joint_test(term)
    widest = np.ptp(np.column_stack([np.zeros(len(values)), fit.coefficients[term]]), axis=1)
    test = RankTest(f, p, np.full(len(values), float(fit.df)), no)
    return Tested(test, _no_interval(widest), np.zeros(len(values)))


def _no_interval(estimate: np.ndarray) -> Effect:
    nothing = np.full(np.shape(estimate), np.nan)
    return Effect(np.asarray(estimate, dtype=np.float64), nothing, nothing)


def smallest_p(key: str, sizes: Sequence[int]) -> float:
    """The smallest two-sided p-value that an exact test can give without ties; NaN of others.

    Parameters
    ----------
    key : of the test, as in :data:`gui.statistics.group_design.NAMES`
    sizes : samples of every group tested; of paired samples how many pairs, of a number how many
        samples

    Source: Hollander, Wolfe & Chicken 2014, sections 3.1, 4.1, 6.2 and 8.5 (all arrangements, signs
    or orders are as likely; the two most extreme ones count).
    """
    if key in ("mann-whitney", "jonckheere-terpstra"):
        upto = np.cumsum(sizes)
        arrangements = prod(comb(int(n), int(k)) for n, k in zip(upto, sizes, strict=True))
    elif key == "wilcoxon":
        arrangements = 2 ** sizes[0]
    elif key == "spearman":
        arrangements = factorial(sizes[0])
    else:
        return float("nan")
    return 2 / max(arrangements, 2)


_RUNS: dict[str, Callable[[np.ndarray, Comparison, bool], Tested]] = {
    "mann-whitney": _mann_whitney,
    "brunner-munzel": _brunner_munzel,
    "kruskal-wallis": _kruskal_wallis,
    "wilcoxon": _wilcoxon,
    "friedman": _friedman,
    "jonckheere-terpstra": _jonckheere_terpstra,
    "spearman": _spearman,
    "least-squares": _least_squares,
}
EFFECTS: dict[str, str] = {
    "mann-whitney": "probability that a sample of the second group is higher",
    "brunner-munzel": "probability that a sample of the second group is higher",
    "kruskal-wallis": "epsilon squared: part of the variation of ranks between the groups",
    "wilcoxon": "Hodges-Lehmann difference, second minus first",
    "friedman": "Kendall's W: agreement of the subjects about the order of the groups",
    "jonckheere-terpstra": "probability that a sample of a later group is higher",
    "spearman": "Spearman's rho",
    "least-squares": "difference or slope, adjusted for the covariates; of several groups the "
    "largest difference",
}
"""What the effect of each test is."""
NO_EFFECT: dict[str, float] = {
    "mann-whitney": 0.5,
    "brunner-munzel": 0.5,
    "jonckheere-terpstra": 0.5,
}
"""The effect where nothing differs; 0 for the others."""
