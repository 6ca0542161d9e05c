"""Two groups: published numbers, exact p-values, SciPy, and what happens at the edges."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from gui.errors import BadValues
from gui.statistics import two_samples
from gui.statistics.exact_distributions import lower_quantile, rank_sum_counts
from gui.statistics.ranks import rank
from gui.statistics.two_samples import brunner_munzel, hodges_lehmann, mann_whitney, superiority

# Hollander & Wolfe, example 4.1: permeability of the placenta at term and at 12 to 26 weeks
AT_TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
EARLIER = [1.15, 0.88, 0.90, 0.74, 1.21]


def test_hollander_wolfe_example_of_the_rank_sum_test() -> None:
    result = mann_whitney(AT_TERM, EARLIER, alternative="greater")
    assert result.statistic[0] == 35
    assert result.p[0] == pytest.approx(0.1272, abs=5e-5)
    effect = hodges_lehmann(EARLIER, AT_TERM)
    assert effect.estimate[0] == pytest.approx(0.305)
    assert (effect.low[0], effect.high[0]) == pytest.approx((-0.15, 0.76))


@pytest.mark.parametrize(("size", "p"), [(3, 0.10), (4, 2 / 70), (5, 2 / 252)])
def test_smallest_p_value_of_small_groups_is_exact(size: int, p: float) -> None:
    result = mann_whitney(np.arange(size), np.arange(size) + 10.0)
    assert result.p[0] == pytest.approx(p, rel=1e-12)
    assert result.exact[0]


@pytest.mark.parametrize(("m", "n"), [(4, 6), (6, 4), (3, 5), (1, 6)])
@pytest.mark.parametrize("alternative", ["greater", "less", "two-sided"])
def test_ties_are_counted_as_all_choices_of_the_group_would(
    m: int, n: int, alternative: str
) -> None:
    rng = np.random.default_rng(m * 10 + n)
    both = rng.integers(0, 4, m + n).astype(float)  # many ties
    ranks = rank(both).values
    sums = np.array([ranks[list(chosen)].sum() for chosen in combinations(range(m + n), m)])
    observed, mean = ranks[:m].sum(), m * (m + n + 1) / 2
    expected = {
        "greater": (sums >= observed).mean(),
        "less": (sums <= observed).mean(),
        "two-sided": (np.abs(sums - mean) >= abs(observed - mean)).mean(),
    }[alternative]
    found = mann_whitney(both[:m], both[m:], alternative=alternative).p[0]
    assert found == pytest.approx(expected, rel=1e-12)


def test_large_groups_are_scipys_with_ties() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 25)).round(1), rng.normal(0.3, 2, (20, 12)).round(1)
    ours = mann_whitney(x, y, exact=False)
    theirs = stats.mannwhitneyu(x, y, axis=1, method="asymptotic")
    np.testing.assert_allclose(ours.p, theirs.pvalue, rtol=1e-12)
    np.testing.assert_allclose(ours.statistic, theirs.statistic)


def test_brunner_munzel_is_scipys_and_its_interval_agrees_with_its_p_value() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(60, 14)).round(1), rng.normal(0.8, 3, (60, 11)).round(1)
    result = brunner_munzel(x, y)
    theirs = [stats.brunnermunzel(a, b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(result.test.p, [t.pvalue for t in theirs], rtol=1e-9)
    np.testing.assert_allclose(result.test.statistic, [t.statistic for t in theirs], rtol=1e-9)
    outside = (result.superiority.low > 0.5) | (result.superiority.high < 0.5)
    np.testing.assert_array_equal(outside, result.test.p < 0.05)
    assert 0 < outside.sum() < len(outside)


def test_groups_without_overlap_get_the_p_value_of_the_permutations_not_zero() -> None:
    x, y = np.arange(10.0), np.arange(10.0) + 50
    result = brunner_munzel(x, y)
    assert result.separated[0]
    assert result.test.p[0] == pytest.approx(2 / 184756)
    assert result.test.p[0] == pytest.approx(mann_whitney(x, y).p[0])
    assert result.superiority.estimate[0] == 1.0
    assert 0.7 < result.superiority.low[0] < 1.0


@pytest.mark.parametrize("lowest", [8.5, 9.0, 7.5])
def test_groups_that_hardly_overlap_are_no_surer_than_those_that_do_not(lowest: float) -> None:
    # the variance is nearly 0 there: SciPy gives p = 6e-18 for 8.5, with 10 samples a group
    x, apart = np.arange(10.0), np.arange(10.0, 20.0)
    near = brunner_munzel(x, np.r_[lowest, apart[:-1]])
    none = brunner_munzel(x, apart)
    assert near.test.p[0] >= none.test.p[0]
    assert 0.7 < near.superiority.low[0] < none.superiority.low[0]
    assert near.superiority.low[0] < near.superiority.estimate[0] < near.superiority.high[0]
    turned = brunner_munzel(np.r_[lowest, apart[:-1]], x)
    assert turned.superiority.high[0] == pytest.approx(1 - near.superiority.low[0])


def test_equal_values_everywhere_differ_in_nothing() -> None:
    x, y = np.full((2, 10), 3.0), np.full((2, 12), 3.0)
    for p in (mann_whitney(x, y).p, mann_whitney(x, y, exact=False).p, brunner_munzel(x, y).test.p):
        np.testing.assert_array_equal(p, 1.0)
    assert superiority(x, y).estimate[0] == 0.5


def test_swapping_the_groups_turns_effects_and_keeps_p() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(5, 8)).round(1), rng.normal(1, 1, (5, 6)).round(1)
    np.testing.assert_allclose(mann_whitney(x, y).p, mann_whitney(y, x).p, rtol=1e-12)
    there, back = hodges_lehmann(x, y), hodges_lehmann(y, x)
    np.testing.assert_allclose(there.estimate, -back.estimate)
    np.testing.assert_allclose(there.low, -back.high)
    one, other = superiority(x, y), superiority(y, x)
    np.testing.assert_allclose(one.low, 1 - other.high, atol=1e-9)


def test_hodges_lehmann_of_many_pairs_is_that_of_all_differences_written_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(6, 90)), rng.normal(0.2, 2, (6, 130))
    x[:2, :50], y[:2, :60] = 0.0, 0.0  # many differences of exactly 0
    x[2:4], y[2:4] = x[2:4].round(1), y[2:4].round(1)
    fast = hodges_lehmann(x, y, exact=False)
    monkeypatch.setattr(two_samples, "FEW_PAIRS", 10**9)
    plain = hodges_lehmann(x, y, exact=False)
    for name in ("estimate", "low", "high"):
        np.testing.assert_allclose(getattr(fast, name), getattr(plain, name), atol=1e-14)
    differences = [np.subtract.outer(b, a) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(fast.estimate, [np.median(d) for d in differences], atol=1e-14)


def test_three_against_three_has_no_interval_at_95_percent() -> None:
    effect = hodges_lehmann([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    assert effect.estimate[0] == 3.0
    assert np.isnan(effect.low[0])
    assert np.isnan(effect.high[0])


def test_quantiles_of_the_exact_distribution_are_rs() -> None:
    # R: qwilcox(0.025, 4, 4) is 1, qwilcox(0.025, 10, 10) is 24
    for size, expected in ((4, 1), (10, 24)):
        sums, probability = rank_sum_counts((1,) * (2 * size), size)
        found = lower_quantile(sums, probability, 0.025) - size * (size + 1) / 2
        assert found == expected


def test_newcombes_interval_holds_the_estimate_and_stays_within_0_and_1() -> None:
    rng = np.random.default_rng(4)
    effect = superiority(rng.normal(size=(40, 5)), rng.normal(1, 1, (40, 7)))
    assert (effect.low >= 0).all()
    assert (effect.high <= 1).all()
    assert (effect.low <= effect.estimate).all()
    assert (effect.estimate <= effect.high).all()


def test_gaps_are_refused_instead_of_ranked_highest() -> None:
    for test in (mann_whitney, brunner_munzel, superiority):
        with pytest.raises(BadValues, match="missing"):
            test([1.0, np.nan, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0])
