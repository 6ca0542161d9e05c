"""Groups: who is tested, in which direction, what is asked, and what the sentences say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.groups import GroupsParams, GroupsResult, run_groups
from gui.analyses.samples import as_groups, order_is_known
from gui.answers import groups as words
from gui.answers.analyses import analysis_summary
from gui.answers.group_names import who
from gui.answers.run_names import source_label
from gui.engine.params import DTDParams
from gui.engine.results import Provenance, Run
from gui.errors import DataError
from gui.sessions.cache import DCXCache
from tests.gui.survival_cases import filled, made_dataset, made_dtd

TYPES = ("a", "b", "c", "d", "e", "f")


def quiet(*_about: Any, **_more: Any) -> None:
    """Progress that nobody watches."""


def drawn(means: Sequence[Sequence[float]], sizes: Sequence[int], seed: int = 0) -> pd.DataFrame:
    """Cell types x samples: means by group, and little noise."""
    random = np.random.default_rng(seed)
    parts = [
        np.array(mean)[:, None] * np.exp(random.normal(0, 0.15, (len(mean), size)))
        for mean, size in zip(means, sizes, strict=True)
    ]
    values = np.concatenate(parts, axis=1)
    names = [f"S{i:03d}" for i in range(values.shape[1])]
    return pd.DataFrame(values / values.sum(axis=0), list(TYPES[: len(values)]), names)


def compared(fractions: pd.DataFrame, table: dict[str, Any], **params: Any) -> GroupsResult:
    frame = pd.DataFrame(table, index=fractions.columns)
    chosen = GroupsParams.parse(**{"column": frame.columns[0], **params})
    data = made_dataset(fractions, frame, loaded=False)
    result = run_groups(data, chosen, progress=quiet, dtd=made_dtd(fractions))
    assert result.fits()
    assert words.methods(chosen, result)
    assert words.shown_tables(result)
    return result


def arms(sizes: Sequence[int], names: Sequence[str]) -> list[str]:
    return [name for name, size in zip(names, sizes, strict=True) for _ in range(size)]


LOW, HIGH = (0.13, 0.3, 0.2, 0.2, 0.17), (0.45, 0.2, 0.13, 0.12, 0.1)


@pytest.mark.parametrize(
    ("names", "said"), [(("no", "Yes"), True), (("0", "1"), True), (("a", "c"), False)]
)
def test_groups_that_say_nothing_by_themselves_are_called_with_their_column(
    names: tuple[str, str], said: bool
) -> None:
    fractions = drawn([LOW, HIGH], [20, 20])
    result = compared(fractions, {"Responder": arms([20, 20], names)}, groups=names)
    first, second = (f"Responder {name}" if said else name for name in names)
    assert f"between {first} (20) and {second} (20)" in words.sentence(result)
    assert f"higher in {second}" in words.sentence(result)
    assert words.effect_title(result).endswith(f"of {second}")
    assert who(result) == f"{first} (20) and {second} (20)"
    a = words.type_sentence(result, "a")
    assert a.startswith("a: +")
    assert "adjusted p" in a
    assert a.endswith(f"(differs, {second} minus {first}).")


def test_a_type_that_does_not_differ_is_said_too() -> None:
    fractions = drawn([LOW, LOW], [12, 12])
    result = compared(fractions, {"arm": arms([12, 12], ("a", "c"))})
    assert not result.called
    assert "(no difference shown, c minus a)." in words.type_sentence(result, "b")
    assert words.type_sentence(result, "unknown") == "unknown was not tested."


@pytest.mark.parametrize("names", [("A", "B", "C"), ("B", "A", "C"), ("B", "C", "A")])
def test_the_two_groups_that_are_large_enough_are_named(names: tuple[str, ...]) -> None:
    size, mean = {"A": 2, "B": 20, "C": 20}, {"A": LOW, "B": LOW, "C": HIGH}
    sizes = [size[n] for n in names]
    fractions = drawn([mean[n] for n in names], sizes)
    result = compared(fractions, {"arm": arms(sizes, names)}, groups=names)
    assert result.compared == ("B", "C")
    assert result.sizes["A"] == 2
    assert "a is higher in C" in words.sentence(result)
    assert "between B (20) and C (20)" in words.sentence(result)
    assert words.effect_title(result).endswith("of C")
    assert "a sample of C is higher than one of B" in words.effect_text(result)
    assert 20 < result.table.loc["a", "points"] < 40  # C minus B
    assert "C minus B" in next(iter(words.shown_tables(result)))


def test_a_trend_leaves_out_a_group_that_is_too_small() -> None:
    fractions = drawn([HIGH, LOW, HIGH], [2, 20, 20])
    arm = arms([2, 20, 20], "ABC")
    with_small = compared(fractions, {"arm": arm}, compare="trend", groups=("A", "B", "C"))
    without = compared(fractions, {"arm": arm}, compare="trend", groups=("B", "C"))
    assert with_small.table["p"].tolist() == pytest.approx(without.table["p"].tolist())
    assert any("not tested" in note and "A (2)" in note for note in with_small.notes)


@pytest.mark.parametrize("kind", ["groups", "trend", "number"])
def test_a_fraction_that_falls_while_its_log_ratio_rises_is_said(kind: str) -> None:
    # four rare types fall 8-fold, so the log-ratio of the two common ones rises
    before = (0.5, 0.3, 0.05, 0.05, 0.05, 0.05)
    after = (0.46, 0.515, 0.00625, 0.00625, 0.00625, 0.00625)
    fractions = drawn([before, after], [12, 12])
    column: Any = {"number": [0] * 12 + [1] * 12}.get(kind, arms([12, 12], ("day 0", "day 1")))
    result = compared(fractions, {"x": column}, compare=kind)
    assert words.direction(result, "a") == 1
    assert words.fraction_way(result, "a") == -1
    assert words.contrary(result) == ["a"]
    assert "relative to the other types, although its fraction is lower" in words.sentence(result)
    assert any("goes the other way" in text for text in words.warnings(result))
    if kind != "trend":
        assert "different directions for a" in words.table_note(result)
        assert "different directions for a" in next(iter(words.shown_tables(result)))


def test_a_row_with_two_signs_is_explained_below_the_table_although_nothing_is_called() -> None:
    before = (0.5, 0.3, 0.05, 0.05, 0.05, 0.05)
    after = (0.46, 0.515, 0.00625, 0.00625, 0.00625, 0.00625)
    fractions = drawn([before, after], [12, 12])
    table = {"arm": arms([12, 12], "AB"), "age": list(range(40, 52)) * 2}
    adjusted = compared(fractions, table, covariates=("age",), level=1e-30)
    assert not adjusted.called
    first = words.shown_table(adjusted).loc["a"]
    assert first["Adjusted difference"] * first["Percentage points"] < 0
    assert "Adjusted difference and percentage points point in" in words.table_note(adjusted)
    steady = compared(drawn([LOW, HIGH], [12, 12]), {"arm": table["arm"]})
    assert words.signs_note(steady) == ""


def test_the_order_of_text_is_asked_for_before_a_trend() -> None:
    fractions = drawn([LOW, LOW, HIGH], [8, 8, 8])
    dose = {"dose": arms([8, 8, 8], ("low", "medium", "high"))}
    with pytest.raises(DataError, match="order") as refused:
        compared(fractions, dose, compare="trend")
    assert "Which groups" in str(refused.value.advice)
    order = ("low", "medium", "high")
    assert compared(fractions, dose, compare="trend", groups=order).levels == order
    assert compared(fractions, {"d": arms([8, 8, 8], "123")}, compare="trend").tested
    ordered = pd.Categorical(dose["dose"], categories=order, ordered=True)
    assert compared(fractions, {"d": ordered}, compare="trend").levels == order


@pytest.mark.parametrize(
    ("levels", "known"),
    [
        (("Stage_I", "Stage_II", "Stage_III", "Stage_IV"), True),
        (("stage IIA", "stage IIB", "stage IIIC"), True),
        (("day 2", "day 14"), True),
        (("G1", "G2", "G3"), True),
        (("high", "low", "medium"), False),
        (("north", "south"), False),
        (("centre 1", "centre 2", "centre 3"), False),
        (("IX", "V"), False),  # the alphabet
        (("day 1", "week 1"), False),
    ],
)
def test_texts_that_count_have_an_order(levels: tuple[str, ...], known: bool) -> None:
    column = pd.Series([*levels, *levels])
    made = [str(level) for level in as_groups(column).cat.categories]
    assert order_is_known(column, made) is known


def test_numbers_of_any_type_ascend() -> None:
    for kind in (int, np.int64, np.float32, object):
        column = pd.Series([10, -2, 3, -1, 1], dtype=kind)
        assert list(as_groups(column).cat.categories) == ["-2", "-1", "1", "3", "10"]


def test_several_samples_of_a_patient_are_warned_of_unless_paired() -> None:
    fractions = drawn([LOW, HIGH], [24, 24])
    table = {"arm": arms([24, 24], "AB"), "patient": [f"P{i // 4}" for i in range(48)]}
    result = compared(fractions, table)
    assert any("12 patients have more than one" in text for text in words.warnings(result))
    paired = table | {"patient": [f"P{i % 24}" for i in range(48)]}
    pairs = compared(fractions, paired, subject="patient")
    alone = compared(fractions, table | {"patient": [f"P{i}" for i in range(48)]})
    for other in (pairs, alone):
        assert not any("patients have" in text for text in words.warnings(other))


def test_what_was_not_tested_is_neither_adjusted_nor_cited() -> None:
    fractions = drawn([LOW, HIGH], [3, 3])
    params = GroupsParams(column="arm")
    result = compared(fractions, {"arm": arms([3, 3], "AB")})
    assert not result.tested
    assert "adjusted" not in words.methods(params, result)
    assert "benjamini-hochberg" not in result.citations()
    enough = drawn([LOW, HIGH], [6, 6])
    as_fractions = compared(enough, {"arm": arms([6, 6], "AB")}, scale="fraction")
    assert as_fractions.citations() == ("benjamini-hochberg",)
    assert "aitchison" in compared(enough, {"arm": arms([6, 6], "AB")}).citations()


@pytest.mark.filterwarnings("error")
def test_constant_fractions_are_not_called_equal() -> None:
    fractions = pd.DataFrame(0.25, list(TYPES[:4]), [f"S{i}" for i in range(12)])
    result = compared(fractions, {"age": np.arange(30.0, 42.0)}, compare="number")
    assert result.family == 0
    assert "Nothing could be tested" in words.sentence(result)
    assert words.details(result) == []
    assert "nothing could be tested" in words.summary_line(result)


def test_of_which_intervals_are_shown_nothing_is_said() -> None:
    session = DCXCache("s", "Session")
    fractions = drawn([LOW, HIGH], [12, 12])
    frame = pd.DataFrame({"arm": arms([12, 12], "AB")}, index=fractions.columns)
    filled(session, made_dataset(fractions, frame, loaded=False), fractions, noise=0.01)
    data = session.need_dataset()
    made = Provenance(data.training_id, data.bulk_id, {"dtd": "dtd1", "bootstrap": "boot1"})
    result = compared(fractions, {"arm": frame["arm"]})
    params = GroupsParams(column="arm")
    run = Run("g1", "groups", "Groups", datetime.now(UTC), params, result, made)
    session.add_run(run)
    first = session.run("boot1")
    assert first is not None
    session.add_run(replace(first, id="boot2"))  # intervals of another composition
    assert not any("BOOTSTRAP" in text for text in analysis_summary(session, run).warnings)
    other = session.run("dtd1")
    assert other is not None
    session.add_run(replace(other, id="dtd2"))
    found = analysis_summary(session, run).warnings
    assert any("not the DTD run" in text for text in found)
    assert session.outdated(run) is None


@pytest.mark.parametrize(
    ("sizes", "params", "said"),
    [
        ((4, 4), {}, "p that the test can give is 0.0286, adjusted 0.143. At least 3 types"),
        ((4, 4), {"level": 0.01}, "no difference could reach a false discovery rate of 1 %"),
        ((9, 9), {}, "that does not show that they are equal"),
        ((4, 4), {"level": 0.15}, "that does not show that they are equal"),
        ((4, 4), {"compare": "trend", "groups": ("A", "B")}, "no single difference could reach"),
        ((6, 6), {"compare": "trend", "groups": ("A", "B")}, "that there is no association"),
    ],
)
def test_a_test_that_cannot_find_one_difference_says_so(
    sizes: tuple[int, ...], params: dict[str, Any], said: str
) -> None:
    fractions = drawn([LOW, LOW], sizes, seed=1)
    # the samples are dealt out in the order of one type, so that nothing differs
    order = np.argsort(fractions.iloc[0].to_numpy(), kind="stable")
    arm = np.empty(sum(sizes), dtype=object)
    arm[order] = [("A", "B", "B", "A")[i % 4] for i in range(sum(sizes))]
    result = compared(fractions, {"arm": list(arm)}, **params)
    assert not result.called
    assert said in words.sentence(result)


def test_too_few_pairs_or_numbers_for_a_call_are_said() -> None:
    fractions = drawn([LOW, LOW], [4, 4])
    arm, who = arms([4, 4], "AB"), list("wxyzwxyz")
    paired = compared(fractions, {"arm": arm, "who": who}, subject="who")
    assert "can give is 0.125." in words.sentence(paired)
    along = compared(fractions.iloc[:, :4], {"age": [50, 61, 40, 77]}, compare="number")
    assert "can give is 0.0833." in words.sentence(along)


def test_runs_of_the_same_minute_have_labels_of_their_own() -> None:
    def label(second: int) -> str:
        created = datetime(2026, 11, 30, 2, 59, second, tzinfo=UTC)
        made = Provenance("training", "bulk")
        return source_label(Run("r", "dtd", "DTD", created, DTDParams(), None, made))

    assert len({label(second) for second in (1, 2, 3)}) == 3
