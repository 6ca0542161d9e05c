"""Kaplan-Meier, restricted means and log-rank tests: published numbers and lifelines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from gui.errors import DataError, InvalidParameter
from gui.statistics.kaplan_meier import (
    kaplan_meier,
    kaplan_meier_by_group,
    restricted_mean,
    restricted_mean_difference,
)
from gui.statistics.log_rank import log_rank, log_rank_trend, pairwise_log_rank

Published = Callable[[str], pd.DataFrame]


def random_times(seed: int, n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(1, 15, n).astype(float), rng.random(n) < 0.6


def test_freireich(freireich: pd.DataFrame) -> None:
    data = freireich
    assert log_rank(data["time"], data["event"], data["group"]).statistic == pytest.approx(
        16.793, abs=5e-4
    )
    drug, placebo = kaplan_meier_by_group(data["time"], data["event"], data["group"])
    assert (drug.name, drug.median, placebo.median) == ("6-MP", 23, 8)
    assert (placebo.median_low, placebo.median_high) == (4, 11)
    assert drug.median_low == 13
    assert np.isnan(drug.median_high)  # the upper band never falls to one half
    below = drug.at([0, 10, 20])
    assert below["at_risk"].tolist() == [21, 15, 8]
    assert below["events"].tolist() == [0, 5, 7]
    assert below["censored"].tolist() == [0, 3, 7]
    assert below["survival"].iloc[1] == pytest.approx(0.7529, abs=5e-5)


@pytest.mark.parametrize(
    ("transform", "men", "women"),
    [("log", (270, 212, 310), (426, 348, 550)), ("log-log", (270, 210, 306), (426, 345, 524))],
)
def test_median_survival_of_lung(published: Published, transform, men, women) -> None:
    # "log" is R's default: survfit(Surv(time, status) ~ sex, lung)
    data = published("lung")
    curves = kaplan_meier_by_group(data["time"], data["status"], data["sex"], transform=transform)
    found = [(c.median, c.median_low, c.median_high) for c in curves]
    if transform == "log":
        assert found == [men, women]
    else:
        assert [f[0] for f in found] == [270, 426]
    assert {c.transform for c in curves} == {transform}


def test_lung_by_sex_and_aml(published: Published, aml: pd.DataFrame) -> None:
    data = published("lung")
    test = log_rank(data["time"], data["status"], data["sex"])
    assert test.statistic == pytest.approx(10.327, abs=5e-4)
    assert test.table["observed"].tolist() == [112, 53]
    assert test.table["expected"].tolist() == pytest.approx([91.6, 73.4], abs=0.05)
    assert log_rank(aml["time"], aml["event"], aml["x"]).statistic == pytest.approx(3.4, abs=0.05)


def test_stage_of_stomach_tumours(published: Published) -> None:
    data = published("tcga_stad_stage").dropna(subset=["stage", "time", "OS_status"])
    test = log_rank(data["time"], data["OS_status"], data["stage"])
    assert test.statistic == pytest.approx(14.967, abs=5e-4)
    assert test.df == 3
    assert test.p == pytest.approx(0.00184, abs=5e-6)
    trend = log_rank_trend(test)
    assert trend.z > 3  # later stages die earlier
    assert trend.statistic < test.statistic
    pairs = pairwise_log_rank(data["time"], data["OS_status"], data["stage"])
    assert len(pairs) == 6
    assert (pairs["p_adjusted"] >= pairs["p"]).all()


def test_trend_of_two_groups_is_the_log_rank_test(freireich: pd.DataFrame) -> None:
    test = log_rank(freireich["time"], freireich["event"], freireich["group"])
    assert log_rank_trend(test).statistic == pytest.approx(test.statistic)
    assert log_rank_trend(test, [5, 9]).p == pytest.approx(test.p)
    with pytest.raises(InvalidParameter):
        log_rank_trend(test, [1, 1])


@pytest.mark.parametrize("seed", range(3))
def test_random_data_with_ties_are_those_of_lifelines(seed: int) -> None:
    lifelines = pytest.importorskip("lifelines")
    statistics = pytest.importorskip("lifelines.statistics")
    time, event = random_times(seed)
    theirs = lifelines.KaplanMeierFitter().fit(time, event)
    curve = kaplan_meier(time, event)
    at = theirs.survival_function_.index
    ours = curve.table.set_index("time").loc[at]
    np.testing.assert_allclose(ours["survival"], theirs.survival_function_.iloc[:, 0], atol=1e-9)
    band = theirs.confidence_interval_.to_numpy()
    known = np.isfinite(ours["low"].to_numpy())
    np.testing.assert_allclose(ours[["low", "high"]].to_numpy()[known], band[known], atol=1e-9)
    assert curve.median == theirs.median_survival_time_
    groups = np.random.default_rng(seed).integers(0, 4, time.size)
    test = statistics.multivariate_logrank_test(time, groups, event)
    found = log_rank(time, event, groups)
    assert found.statistic == pytest.approx(test.test_statistic, abs=1e-6)
    assert found.p == pytest.approx(test.p_value, abs=1e-6)


def test_strata_are_compared_within(freireich: pd.DataFrame) -> None:
    twice = pd.concat([freireich, freireich.assign(time=freireich["time"] + 1000)])
    strata = np.repeat(["early", "late"], len(freireich))
    once = log_rank(freireich["time"], freireich["event"], freireich["group"])
    found = log_rank(twice["time"], twice["event"], twice["group"], strata=strata)
    assert found.statistic == pytest.approx(2 * once.statistic)
    assert found.table["expected"].to_numpy() == pytest.approx(2 * once.table["expected"])


def test_a_group_without_anybody_at_risk_takes_no_degree_of_freedom() -> None:
    # the third group is censored before the first event
    time = np.array([5.0, 6, 7, 8, 9, 10, 1, 2])
    event = np.array([1, 1, 1, 1, 0, 1, 0, 0])
    groups = list("abababcc")
    three, two = log_rank(time, event, groups), log_rank(time[:6], event[:6], groups[:6])
    assert three.df == two.df == 1
    assert three.statistic == pytest.approx(two.statistic)
    with pytest.raises(DataError, match="two groups"):
        log_rank(time, event, ["a"] * 8)


def test_groups_of_different_strata_are_not_compared_with_each_other() -> None:
    # a and b are in one stratum, c and d in the other: two comparisons, not three
    rng = np.random.default_rng(1)
    time, event, strata = rng.exponential(5, 60), np.ones(60), np.repeat([0, 1], 30)
    groups = np.r_[np.tile(["a", "b"], 15), np.tile(["c", "d"], 15)]
    found = log_rank(time, event, groups, strata=strata)
    within = [log_rank(time[strata == s], event[strata == s], groups[strata == s]) for s in (0, 1)]
    assert found.df == sum(test.df for test in within) == 2
    assert found.statistic == pytest.approx(sum(test.statistic for test in within))


def test_events_of_all_at_one_time_say_nothing_of_groups() -> None:
    found = log_rank([3, 3, 3, 3], [1, 1, 1, 1], list("aabb"))
    assert (found.df, found.statistic) == (0, 0.0)
    assert np.isnan(found.p)


def test_plateau_at_one_half_gives_its_middle_as_in_r() -> None:
    curve = kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1])
    assert curve.median == 2.5
    assert np.isnan(kaplan_meier([1, 2, 3, 4], [1, 0, 0, 0]).median)


def test_rounding_does_not_break_ties() -> None:
    days = np.array([30.0, 30.0, 61.0, 61.0, 90.0])
    event = np.array([1, 0, 1, 1, 1])
    months = days / 30.4375 * np.array([1, 1 + 1e-15, 1, 1 - 1e-15, 1])
    assert len(kaplan_meier(months, event).table) == len(kaplan_meier(days, event).table)


@pytest.mark.parametrize("transform", ["log-log", "log", "plain"])
def test_band_stays_within_0_and_1_and_holds_the_curve(transform) -> None:
    table = kaplan_meier(*random_times(5), transform=transform).table
    known = table["low"].notna()
    assert ((table["low"] <= table["survival"]) & (table["survival"] <= table["high"]))[known].all()
    assert table["low"].min() >= 0
    assert table["high"].max() <= 1
    with pytest.raises(InvalidParameter):
        kaplan_meier([1.0], [1], transform="probit")


def test_restricted_mean_is_the_area_under_the_curve(freireich: pd.DataFrame) -> None:
    drug, placebo = kaplan_meier_by_group(freireich["time"], freireich["event"], freireich["group"])
    assert restricted_mean(placebo, 23).mean == pytest.approx(
        freireich.query("group == 'placebo'")["time"].mean()
    )
    # nobody censored: the variance is that of a mean
    capped = np.minimum(freireich.query("group == 'placebo'")["time"], 12)
    found = restricted_mean(placebo, 12)
    assert found.mean == pytest.approx(capped.mean())
    assert found.error == pytest.approx(capped.std(ddof=0) / np.sqrt(21))
    grid = np.linspace(0, 20, 200_001)
    table = drug.table
    at = np.searchsorted(table["time"], grid[:-1], side="right") - 1
    area = float((table["survival"].to_numpy()[at] * np.diff(grid)).sum())
    assert restricted_mean(drug, 20).mean == pytest.approx(area, abs=1e-3)
    difference = restricted_mean_difference(placebo, drug, 20)
    assert difference.difference == pytest.approx(
        restricted_mean(drug, 20).mean - restricted_mean(placebo, 20).mean
    )
    assert difference.low > 0
    assert difference.p < 0.001
    with pytest.raises(InvalidParameter, match="followed up to 35"):
        restricted_mean(drug, 36)
    assert restricted_mean(placebo, 100).mean == pytest.approx(restricted_mean(placebo, 23).mean)
