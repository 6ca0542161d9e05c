"""Three or more groups, pairs and trends: published numbers, SciPy, all permutations."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from gui.statistics.paired import pseudomedian, wilcoxon_signed_rank
from gui.statistics.several_groups import (
    dunn,
    epsilon_squared,
    friedman,
    jonckheere_terpstra,
    kendall_w,
    kruskal_wallis,
)
from gui.statistics.two_samples import RankTest

Sample = tuple[np.ndarray, np.ndarray]


def test_plant_growth(plant_growth: Sample) -> None:
    test = kruskal_wallis(*plant_growth)
    assert test.statistic[0] == pytest.approx(7.988, abs=5e-4)
    assert test.p[0] == pytest.approx(0.01842, abs=5e-6)
    pairs = dunn(*plant_growth)
    assert pairs.pairs == ((0, 1), (0, 2), (1, 2))
    assert pairs.p[0] == pytest.approx([0.263684, 0.091164, 0.005000], abs=5e-7)
    assert np.sign(pairs.z[0]).tolist() == [-1, 1, 1]


def test_insect_sprays(insect_sprays: Sample) -> None:
    test = kruskal_wallis(*insect_sprays)
    assert test.statistic[0] == pytest.approx(54.691, abs=5e-4)
    assert test.p[0] == pytest.approx(1.511e-10, rel=5e-4)


def test_dunn_is_that_of_scikit_posthocs(insect_sprays: Sample) -> None:
    posthocs = pytest.importorskip("scikit_posthocs")
    values, codes = insect_sprays
    theirs = posthocs.posthoc_dunn([values[codes == code] for code in range(6)]).to_numpy()
    ours = dunn(values, codes).p[0]
    np.testing.assert_allclose(ours, theirs[np.triu_indices(6, 1)], rtol=1e-9)


def test_epsilon_squared_has_an_interval_around_it(insect_sprays: Sample) -> None:
    effect = epsilon_squared(kruskal_wallis(*insect_sprays), 72)
    assert effect.estimate[0] == pytest.approx(54.691 / 71, abs=1e-5)
    assert 0.3 < effect.low[0] < effect.estimate[0] < effect.high[0] <= 1.0


def test_a_statistic_near_0_does_not_show_that_there_is_no_effect() -> None:
    # H = 0.02 with 2 degrees of freedom lies below the 2.5 % quantile: both bounds were 0
    n, df = 20, 2
    h = np.array([0.0, 0.02, 0.5, 2.0, 6.0])
    nothing = np.zeros(h.shape, dtype=bool)
    effect = epsilon_squared(RankTest(h, h, np.full(h.shape, float(df)), nothing), n)
    assert (effect.low <= effect.estimate).all()
    assert (effect.high > 0.2).all()
    assert (np.diff(effect.high) >= 0).all()
    w = kendall_w(RankTest(h, h, np.full(h.shape, float(df)), nothing), 3, 10)
    assert (w.high > 0.2).all()


def test_equal_values_give_no_difference() -> None:
    codes = np.repeat([0, 1, 2], 5)
    assert kruskal_wallis(np.ones(15), codes).p[0] == 1.0
    assert dunn(np.ones(15), codes).p[0].tolist() == [1.0, 1.0, 1.0]
    assert jonckheere_terpstra(np.ones(15), codes).test.p[0] == 1.0


def test_hollander_wolfe_example_of_ordered_groups() -> None:
    # example 6.2, knowledge of performance: none, rough, accurate; J = 79
    values = [40, 35, 38, 43, 44, 41, 38, 40, 47, 44, 40, 42, 48, 40, 45, 43, 46, 44]
    trend = jonckheere_terpstra(values, np.repeat([0, 1, 2], 6), alternative="greater")
    assert trend.test.statistic[0] == 79
    assert not trend.test.exact[0]  # ties
    assert trend.z[0] == pytest.approx(2.04, abs=0.01)
    assert trend.test.p[0] == pytest.approx(0.0207, abs=5e-5)
    assert trend.rising.estimate[0] == pytest.approx(79 / 108)
    assert trend.rising.low[0] > 0.5


def test_exact_trend_is_that_of_all_orders() -> None:
    rng = np.random.default_rng(0)
    values, codes = rng.normal(size=7), np.array([0, 0, 1, 1, 2, 2, 2])
    orders = np.array(list(permutations(values)))
    j = jonckheere_terpstra(orders, codes, exact=False, interval=False).test.statistic
    mean = j.mean()
    found = jonckheere_terpstra(values, codes)
    expected = (np.abs(j - mean) >= abs(found.test.statistic[0] - mean) - 1e-9).mean()
    assert found.test.exact[0]
    assert found.test.p[0] == pytest.approx(expected, rel=1e-9)
    # the variance with ties is that of all orders too
    orders = np.array(list(permutations([1.0, 1, 2, 2, 3, 4, 4])))
    trend = jonckheere_terpstra(orders, codes, interval=False)
    z = trend.z[trend.z != 0][0]
    at = np.flatnonzero(trend.z != 0)[0]
    spread = (trend.test.statistic[at] - trend.test.statistic.mean()) / z
    assert spread**2 == pytest.approx(trend.test.statistic.var(), rel=1e-9)


def test_trend_without_interval_is_the_same_test() -> None:
    rng = np.random.default_rng(1)
    values, codes = rng.normal(size=(4, 30)).round(1), np.repeat([0, 1, 2, 3, 4], 6)
    full, short = (jonckheere_terpstra(values, codes, interval=i) for i in (True, False))
    np.testing.assert_allclose(full.test.statistic, short.test.statistic)
    np.testing.assert_allclose(full.test.p, short.test.p)


def test_friedman_is_scipys_with_ties() -> None:
    values = np.random.default_rng(2).normal(size=(5, 4, 12)).round(1)
    ours = friedman(values)
    theirs = [stats.friedmanchisquare(*block) for block in values]
    np.testing.assert_allclose(ours.p, [t.pvalue for t in theirs], rtol=1e-9)
    effect = kendall_w(ours, 4, 12)
    np.testing.assert_allclose(effect.estimate, ours.statistic / 36)


def test_hollander_wolfe_example_of_pairs() -> None:
    # example 3.1, depression before and after tranquilizer: T+ = 5 of the differences after - before
    before = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    after = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    test = wilcoxon_signed_rank(after - before, alternative="less")
    assert test.statistic[0] == 5
    assert test.p[0] == pytest.approx(0.0195, abs=5e-5)
    effect = pseudomedian(after - before)
    assert effect.estimate[0] == pytest.approx(-0.46)
    assert (effect.low[0], effect.high[0]) == pytest.approx((-0.786, -0.010))


def test_signed_ranks_with_ties_are_those_of_all_signs() -> None:
    differences = np.array([1.0, -1, 2, 2, -3, 4, 4, 0])  # the 0 is left out
    used = differences[differences != 0]
    ranks = stats.rankdata(np.abs(used))
    signs = np.array(np.meshgrid(*[[0, 1]] * used.size)).reshape(used.size, -1)
    sums = ranks @ signs
    observed, mean = ranks[used > 0].sum(), ranks.sum() / 2
    expected = (np.abs(sums - mean) >= abs(observed - mean)).mean()
    assert wilcoxon_signed_rank(differences).p[0] == pytest.approx(expected, rel=1e-12)


def test_many_pairs_are_scipys_and_no_difference_is_none() -> None:
    rows = np.random.default_rng(3).normal(0.1, 1, (3, 80)).round(1)
    theirs = [stats.wilcoxon(r, method="asymptotic", correction=True).pvalue for r in rows]
    np.testing.assert_allclose(wilcoxon_signed_rank(rows).p, theirs, rtol=1e-9)
    assert wilcoxon_signed_rank(np.zeros((1, 6))).p[0] == 1.0
    assert np.isnan(pseudomedian(np.arange(5.0)).low[0])  # no 95 % interval with 5 pairs
