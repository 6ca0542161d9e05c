"""Groups of samples: who is compared, by which test and why, and what the answer holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gui.errors import BadValues, DataError, InvalidParameter
from gui.statistics.fraction_scales import CLOSURE
from gui.statistics.group_comparison import compare_groups
from gui.statistics.group_design import (
    choose_scales,
    choose_test,
    group_design,
    number_design,
)
from gui.statistics.linear_model import least_squares_hc3
from gui.statistics.multiple_testing import benjamini_hochberg
from gui.statistics.paired import wilcoxon_signed_rank
from gui.statistics.two_samples import brunner_munzel, hodges_lehmann, mann_whitney

TYPES = ["B", "T", "NK", "Mono", "hidden"]


def run(samples: int, seed: int = 0, types: int = 5) -> pd.DataFrame:
    values = np.random.default_rng(seed).dirichlet(np.full(types, 6.0), samples).T
    names = TYPES if types == 5 else [f"T{i}" for i in range(types)]
    return pd.DataFrame(values, names, [f"s{i}" for i in range(samples)])


def groups_of(frame: pd.DataFrame, *sizes: int) -> pd.Series:
    labels = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
    return pd.Series(labels, frame.columns[: len(labels)], name="group")


def doubled(frame: pd.DataFrame, cell_type: str, samples: list[str]) -> pd.DataFrame:
    frame = frame.copy()
    frame.loc[cell_type, samples] *= 4
    return frame / frame.sum()


@pytest.mark.parametrize(
    ("kind", "sizes", "key", "tested", "reason"),
    [
        ("groups", (12, 9), "mann-whitney", True, "fewer than 10"),
        ("groups", (10, 10), "brunner-munzel", True, "at least 10"),
        ("groups", (4, 4), "mann-whitney", True, "counted exactly"),
        ("groups", (3, 20), "mann-whitney", False, "no p-value below 4 samples per group"),
        ("groups", (5, 5, 5), "kruskal-wallis", True, "3 groups"),
        ("paired", (6, 6), "wilcoxon", True, "6 subjects"),
        ("paired", (3, 3), "wilcoxon", False, "no p-value below 4 subjects"),
        ("paired", (6, 6, 6), "friedman", True, "6 subjects"),
        ("ordered", (5, 5, 5), "jonckheere-terpstra", True, "order"),
        ("number", (12,), "spearman", True, "number"),
        ("covariates", (9, 9), "least-squares", True, "covariates"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value),
)
def test_rule_names_the_test_and_why(kind, sizes, key, tested, reason) -> None:
    choice = choose_test(kind, {f"g{i}": size for i, size in enumerate(sizes)})
    assert (choice.key, choice.tested) == (key, tested)
    assert reason in choice.reason


def test_types_with_many_zeros_are_compared_by_ranks() -> None:
    zeros = pd.Series({"a": 0.0, "b": 0.30, "c": 0.31, "d": 1.0})
    assert choose_scales(zeros).tolist() == ["log-ratio", "log-ratio", "rank", "rank"]
    # one type alone has nothing to be a ratio with
    assert choose_scales(pd.Series({"a": 0.0, "b": 0.9, "c": 0.9})).tolist() == ["rank"] * 3


def test_two_large_groups_get_brunner_munzel_on_log_ratios() -> None:
    frame = run(24)
    groups = groups_of(frame, 12, 12)
    result = compare_groups(frame, group_design(frame.columns, groups))
    logs = np.log(frame)
    values = (logs - logs.mean()).to_numpy().round(12)
    expected = brunner_munzel(values[:, :12], values[:, 12:])
    np.testing.assert_allclose(result.table["p"], expected.test.p)
    np.testing.assert_allclose(result.table["effect"], expected.superiority.estimate)
    np.testing.assert_allclose(result.table["p_adjusted"], benjamini_hochberg(expected.test.p))
    points = hodges_lehmann(frame.to_numpy()[:, :12] * 100, frame.to_numpy()[:, 12:] * 100)
    np.testing.assert_allclose(result.table["points"], points.estimate)
    assert result.no_effect == 0.5
    assert result.family == 5
    assert CLOSURE in result.notes
    assert result.notes[0].startswith("Brunner-Munzel test: both groups")


def test_small_groups_get_exact_p_values_and_tiny_ones_none_but_the_data() -> None:
    frame = run(10)
    result = compare_groups(frame, group_design(frame.columns, groups_of(frame, 5, 5)))
    values = result.values.to_numpy()
    np.testing.assert_allclose(result.table["p"], mann_whitney(values[:, :5], values[:, 5:]).p)
    assert result.table["exact"].all()
    tiny = compare_groups(frame, group_design(frame.columns, groups_of(frame, 3, 7)))
    assert tiny.table["p"].isna().all()
    assert tiny.family == 0
    assert tiny.called == []
    assert tiny.table["effect"].notna().all()
    assert tiny.summary.query("group == 'g0'")["samples"].tolist() == [3] * 5
    assert "no p-value below 4" in tiny.notes[0]


def test_a_type_that_changed_is_called_in_its_direction() -> None:
    frame = run(30)
    groups = groups_of(frame, 15, 15)
    changed = doubled(frame, "NK", list(frame.columns[15:]))
    result = compare_groups(changed, group_design(frame.columns, groups))
    assert "NK" in result.called
    nk = result.table.loc["NK"]
    assert nk["effect_low"] > 0.5
    assert nk["log_ratio"] == pytest.approx(np.log(4) * 4 / 5, abs=0.4)
    assert nk["points_low"] > 0


def test_types_of_many_zeros_keep_their_ties_and_leave_the_others_alone() -> None:
    frame = run(24)
    sparse = frame.copy()
    sparse.loc["Mono", frame.columns[:12]] = 1e-7
    design = group_design(frame.columns, groups_of(frame, 12, 12))
    result = compare_groups(sparse, design)
    assert result.table.loc["Mono", "scale"] == "rank"
    assert np.isnan(result.table.loc["Mono", "log_ratio"])
    assert (result.values.loc["Mono"].iloc[:12] == 0).all()
    rest = frame.drop(index="Mono")
    without = compare_groups(rest, design)
    np.testing.assert_allclose(result.table.loc[rest.index, "p"], without.table["p"])
    assert any("Mono" in note and "ranks" in note for note in result.notes)


def test_samples_lost_in_the_join_are_listed_with_the_reason() -> None:
    frame = run(20)
    groups = groups_of(frame, 9, 9)  # s18, s19 are not in the table
    groups["s0"] = None
    groups["elsewhere"] = "g1"
    groups["s1"] = "g9"
    covariates = pd.DataFrame({"age": np.arange(20.0)}, frame.columns)
    covariates.loc["s2", "age"] = np.nan
    comparison = group_design(frame.columns, groups, order=["g1", "g0"], covariates=covariates)
    lost = comparison.lost.set_index("sample")["reason"].to_dict()
    assert lost == {
        "elsewhere": "not in the run",
        "s18": "not in the table",
        "s19": "not in the table",
        "s0": "no value of group",
        "s1": "in a group that is not compared",
        "s2": "no value of age",
    }
    assert comparison.levels == ("g1", "g0")
    assert comparison.sizes == {"g1": 9, "g0": 6}
    result = compare_groups(frame, comparison)
    assert any(note.startswith("6 samples are not compared") for note in result.notes)


def test_numbers_as_groups_come_in_their_order_and_categories_in_theirs() -> None:
    frame = run(30)
    days = pd.Series([0, 10, 2] * 10, frame.columns, name="day")
    assert group_design(frame.columns, days).levels == ("0", "2", "10")
    stage = pd.Series(["II", "I", "III"] * 10, frame.columns, name="stage").astype(
        pd.CategoricalDtype(["III", "II", "I", "unused"], ordered=True)
    )
    assert group_design(frame.columns, stage).levels == ("III", "II", "I")


def test_three_groups_get_every_pair_and_one_family() -> None:
    frame = run(40)
    changed = doubled(frame, "T", list(frame.columns[20:30]))
    result = compare_groups(changed, group_design(frame.columns, groups_of(frame, 10, 10, 10)))
    assert len(result.pairs) == 3 * 5
    assert result.pairs_family == 15
    t = result.pairs.query("cell_type == 'T'").set_index(["first", "second"])
    assert t.loc[("g0", "g2"), "p_adjusted"] < 0.05
    assert t.loc[("g0", "g2"), "log_ratio_low"] > 0
    assert t.loc[("g0", "g1"), "p_adjusted"] > 0.05
    assert "T" in result.called


@pytest.mark.parametrize("small", [0, 1, 2])
def test_a_group_too_small_is_shown_but_not_tested(small: int) -> None:
    frame = run(23)
    sizes = [10, 10, 10]
    sizes[small] = 3
    groups = groups_of(frame, *sizes)
    result = compare_groups(frame, group_design(frame.columns, groups))
    assert any(f"g{small} (3)" in note for note in result.notes)
    large = [f"g{i}" for i in range(3) if i != small]
    alone = compare_groups(frame, group_design(frame.columns, groups, order=large))
    np.testing.assert_allclose(result.table["effect"], alone.table["effect"], atol=1e-12)
    pairs = result.pairs.set_index(["first", "second"]).sort_index()
    assert pairs["points"].notna().all()
    np.testing.assert_allclose(pairs.loc[tuple(large), "p"], alone.table["p"])
    assert result.pairs_family == 5
    # of four groups three are left: Dunn's test without the small one
    frame = run(34)
    groups = groups_of(frame, *sizes, 10)
    result = compare_groups(frame, group_design(frame.columns, groups))
    assert result.table["df"].eq(2).all()
    assert result.pairs_family == 3 * 5


def test_three_tiny_groups_leave_nothing_to_test() -> None:
    frame = run(9)
    tiny = compare_groups(frame, group_design(frame.columns, groups_of(frame, 3, 3, 3)))
    assert tiny.table["p"].isna().all()
    assert tiny.pairs["p"].isna().all()


def test_pairs_are_matched_by_subject_whatever_their_order() -> None:
    frame = run(18)
    groups = groups_of(frame, 9, 9)
    subjects = pd.Series([f"p{i}" for i in [*range(9), *range(9)[::-1]]], frame.columns)
    subjects["s17"] = "alone"
    comparison = group_design(frame.columns, groups, subjects=subjects)
    result = compare_groups(frame, comparison)
    values = result.values
    assert len(comparison.subjects) == 8
    assert set(comparison.lost["sample"]) == {"s0", "s17"}
    before = [s for s in frame.columns[:9] if s != "s0"]
    partner = {subjects[s]: s for s in frame.columns[9:]}
    after = [partner[subjects[s]] for s in before]
    differences = values[after].to_numpy() - values[before].to_numpy()
    np.testing.assert_allclose(result.table["p"], wilcoxon_signed_rank(differences).p)


def test_several_measurements_of_a_subject_get_friedman_and_all_pairs() -> None:
    frame = run(24)
    days = pd.Series(["day 0", "day 3", "day 7"] * 8, frame.columns, name="day")
    donors = pd.Series(np.repeat([f"d{i}" for i in range(8)], 3), frame.columns)
    changed = doubled(frame, "B", list(frame.columns[days == "day 7"]))
    result = compare_groups(changed, group_design(frame.columns, days, subjects=donors))
    assert result.comparison.choice.key == "friedman"
    assert "B" in result.called
    b = result.pairs.query("cell_type == 'B'").set_index(["first", "second"])
    assert b.loc[("day 0", "day 7"), "points_low"] > 0


def test_a_trend_is_tested_over_the_order_that_was_given() -> None:
    frame = run(30)
    groups = groups_of(frame, 10, 10, 10)
    rising = frame.copy()
    rising.loc["T"] *= np.repeat([1, 2, 4], 10)
    rising /= rising.sum()
    up = compare_groups(rising, group_design(frame.columns, groups, trend=True))
    down = compare_groups(
        rising, group_design(frame.columns, groups, trend=True, order=["g2", "g1", "g0"])
    )
    assert up.table.loc["T", "effect_low"] > 0.5
    assert down.table.loc["T", "effect"] == pytest.approx(1 - up.table.loc["T", "effect"])
    assert down.table.loc["T", "p"] == pytest.approx(up.table.loc["T", "p"])


def test_a_covariate_that_explains_the_difference_takes_it_away() -> None:
    rng = np.random.default_rng(5)
    frame = run(80)
    age = pd.Series(rng.normal(60, 10, 80), frame.columns, name="age")
    old = age > 60
    frame.loc["B"] *= np.exp((age - 60) / 10)
    frame /= frame.sum()
    groups = pd.Series(np.where(old ^ (rng.random(80) < 0.2), "old", "young"), frame.columns)
    plain = compare_groups(frame, group_design(frame.columns, groups))
    adjusted = compare_groups(frame, group_design(frame.columns, groups, covariates=age.to_frame()))
    assert plain.table.loc["B", "p"] < 1e-4
    assert adjusted.table.loc["B", "p"] > 0.01
    assert adjusted.table.loc["B", "effect"] == pytest.approx(adjusted.table.loc["B", "log_ratio"])
    assert {"points", "points_low", "points_high"} <= set(adjusted.table)


def test_three_groups_with_covariates_get_every_pair_adjusted() -> None:
    frame = run(60)
    groups = groups_of(frame, 20, 20, 20)
    changed = doubled(frame, "T", list(frame.columns[40:]))
    age = pd.Series(np.random.default_rng(8).normal(60, 9, 60), frame.columns, name="age")
    result = compare_groups(changed, group_design(frame.columns, groups, covariates=age.to_frame()))
    assert result.pairs_family == 3 * 5
    other = groups.astype(pd.CategoricalDtype(["g1", "g2", "g0"]))  # g1 is the reference
    turned = compare_groups(changed, group_design(frame.columns, other, covariates=age.to_frame()))
    t = result.pairs.query("cell_type == 'T'").set_index(["first", "second"])
    same = turned.pairs.query("cell_type == 'T'").set_index(["first", "second"])
    for name in ("log_ratio", "log_ratio_low", "points", "p"):
        assert t.loc[("g1", "g2"), name] == pytest.approx(same.loc[("g1", "g2"), name])
    assert t.loc[("g1", "g2"), "log_ratio_low"] > 0
    assert t.loc[("g0", "g1"), "p_adjusted"] > 0.05
    np.testing.assert_allclose(result.table["p"], turned.table["p"])


def test_a_model_of_a_type_with_many_zeros_is_of_its_ranks() -> None:
    frame = run(40)
    frame.loc["Mono", frame.columns[::2]] = 0.0
    groups = groups_of(frame, 20, 20)
    age = pd.Series(np.arange(40.0) % 7, frame.columns, name="age")
    comparison = group_design(frame.columns, groups, covariates=age.to_frame())
    result = compare_groups(frame, comparison)
    ranks = (frame / frame.sum()).loc[["Mono"]].rank(axis=1)
    alone = least_squares_hc3(ranks, comparison.model)
    assert result.table.loc["Mono", "p"] == pytest.approx(alone.p.loc["Mono", "group: g1"])
    assert result.table.loc["Mono", "effect"] == pytest.approx(
        alone.coefficients.loc["Mono", "group: g1"]
    )


def test_a_number_is_correlated_and_its_gaps_are_lost() -> None:
    frame = run(30)
    number = pd.Series(np.log(frame.loc["NK"]).to_numpy(), frame.columns, name="score")
    number.iloc[:2] = [np.nan, np.inf]
    result = compare_groups(frame, number_design(frame.columns, number))
    assert result.table["effect"].idxmax() == "NK"
    assert result.comparison.lost["reason"].tolist() == [
        "no value of score",
        "no finite value of score",
    ]
    assert result.summary["group"].unique().tolist() == ["all"]
    x, y = number.iloc[2:], frame.loc["NK"].iloc[2:] * 100  # the slope in percentage points
    assert result.table.loc["NK", "points"] == pytest.approx(np.polyfit(x, y, 1)[0])
    assert result.table.loc["NK", "points_low"] > 0
    with pytest.raises(DataError, match="same value"):
        number_design(frame.columns, number * 0)


def test_every_call_says_in_how_many_draws_it_holds() -> None:
    frame = run(30)
    changed = doubled(frame, "NK", list(frame.columns[15:]))
    comparison = group_design(frame.columns, groups_of(frame, 15, 15))
    rng = np.random.default_rng(6)
    same = np.repeat(changed.to_numpy()[None], 20, axis=0)
    kept = compare_groups(changed, comparison, draws=same)
    assert kept.draws == 20
    assert (kept.table["kept"] == 20).all()
    noise = same * np.exp(rng.normal(0, 3.0, same.shape))  # nothing is left of it
    lost = compare_groups(changed, comparison, draws=noise)
    assert lost.table.loc["NK", "kept"] < 10
    turned = same[:, :, ::-1]  # the groups changed places: called, but the other way round
    assert compare_groups(changed, comparison, draws=turned).table.loc["NK", "kept"] == 0


def test_draws_of_another_run_are_refused_and_an_empty_sample_in_one_is_not() -> None:
    frame = run(24)
    comparison = group_design(frame.columns, groups_of(frame, 12, 12))
    with pytest.raises(DataError, match="bootstrap draws"):
        compare_groups(frame, comparison, draws=np.ones((3, 5, 23)))
    with pytest.raises(BadValues, match="gaps"):
        compare_groups(frame, comparison, draws=np.full((3, 5, 24), np.nan))
    draws = np.repeat(frame.to_numpy()[None], 3, axis=0)
    draws[0, :, 0] = 0.0
    assert compare_groups(frame, comparison, draws=draws).table["kept"].notna().all()


def test_types_that_never_occur_are_compared_without_a_warning() -> None:
    frame = run(24)
    frame.loc["never"] = 0.0
    groups = groups_of(frame, 12, 12)
    age = pd.Series(np.arange(24.0), frame.columns, name="age")
    subjects = pd.Series([*range(12)] * 2, frame.columns)
    for comparison in (
        group_design(frame.columns, groups),
        group_design(frame.columns, groups_of(frame, 8, 8, 8)),
        group_design(frame.columns, groups, subjects=subjects),
        group_design(frame.columns, groups, covariates=age.to_frame()),
        number_design(frame.columns, age),
    ):
        never = compare_groups(frame, comparison).table.loc["never"]
        assert not never["called"]
        assert np.isnan(never["p"]) or never["p"] == 1.0


@pytest.mark.parametrize("design", ["pairs", "groups", "trend", "number", "covariates", "days"])
def test_draws_are_tested_like_the_estimate(design: str) -> None:
    frame = run(36, seed=7)
    frame.loc["Mono", frame.columns[::2]] = 0.0
    halves, thirds = groups_of(frame, 18, 18), groups_of(frame, 12, 12, 12)
    number = pd.Series(np.arange(36.0), frame.columns, name="day")
    comparison = {
        "groups": lambda: group_design(frame.columns, thirds),
        "pairs": lambda: group_design(
            frame.columns, halves, subjects=pd.Series([*range(18)] * 2, frame.columns)
        ),
        "days": lambda: group_design(
            frame.columns, thirds, subjects=pd.Series([*range(12)] * 3, frame.columns)
        ),
        "trend": lambda: group_design(frame.columns, thirds, trend=True),
        "number": lambda: number_design(frame.columns, number),
        "covariates": lambda: group_design(
            frame.columns, thirds, covariates=number.to_frame("age").sample(36, random_state=1)
        ),
    }[design]()
    draws = np.repeat(frame.to_numpy()[None], 3, axis=0)
    result = compare_groups(frame, comparison, draws=draws, level=0.5)
    assert (result.table["kept"] == 3).all()
    assert result.table["called"].any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f, g: group_design(f.columns, g.str.replace("g1", "g0")), "at least two groups"),
        (lambda f, g: group_design(f.columns, g.rename(lambda s: f"x{s}")), "at least two groups"),
        (lambda f, g: group_design(f.columns, g, order=["g0", "g7"]), "No sample is in the group"),
        (
            lambda f, g: group_design(f.columns, g, trend=True, subjects=g),
            "cannot be combined",
        ),
        (
            lambda f, g: group_design(f.columns, g, subjects=pd.Series("p", f.columns)),
            "more than one sample",
        ),
        (
            lambda f, g: group_design(f.columns, g, covariates=g.to_frame()),
            "compared and a covariate",
        ),
        (
            lambda f, g: group_design(f.columns, pd.Series(f.columns, f.columns, name="name")),
            "name has 30 different values",
        ),
        (lambda f, g: group_design(f.columns, pd.concat([g, g.iloc[:1]])), "occurs more than once"),
    ],
    ids=[
        "one group",
        "no names in common",
        "order",
        "two designs",
        "subject twice",
        "twice",
        "many",
        "row",
    ],
)
def test_designs_that_make_no_sense_are_refused(make, message) -> None:
    frame = run(30)
    with pytest.raises(DataError, match=message):
        make(frame, groups_of(frame, 15, 15))


def test_fractions_that_make_no_sense_are_refused() -> None:
    frame = run(12)
    comparison = group_design(frame.columns, groups_of(frame, 6, 6))
    with pytest.raises(BadValues):
        compare_groups(frame - 1, comparison)
    with pytest.raises(InvalidParameter):
        compare_groups(frame, comparison, level=5)


def test_differences_of_rounding_errors_are_zero_and_small_slopes_stay() -> None:
    frame = run(8)
    same = pd.concat([frame, frame.add_suffix("b")], axis=1)
    same.iloc[:, 8:] *= 1 + 1e-15
    arm = pd.Series(np.repeat(["a", "b"], 8), same.columns, name="arm")
    age = pd.Series(np.tile(np.arange(8.0) ** 2, 2), same.columns, name="age")
    found = compare_groups(same, group_design(same.columns, arm, covariates=age.to_frame())).table
    assert (found[["effect", "log_ratio", "points"]] == 0.0).all(axis=None)
    assert (found["points_low"] < 0).all()
    for unit in (1e12, 1e-12):
        cells = pd.Series(np.arange(8.0) * unit, frame.columns, name="cells")
        slopes = compare_groups(frame, number_design(frame.columns, cells)).table
        assert (slopes[["effect", "log_ratio", "points"]] != 0.0).all(axis=None)
