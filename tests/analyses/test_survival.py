"""Survival: wrong numbers and wrong sentences that an analysis must not give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gui.analyses.survival_result import ADJUSTED, ALONE, COLUMN, TYPE
from gui.answers import survival as words
from gui.answers import survival_tables as tables
from gui.errors import BadValues, DataError
from gui.statistics.cox_by_type import cox_by_type
from gui.statistics.linear_model import design
from tests.gui.survival_cases import made_bootstrap, made_dataset, made_fractions, made_table
from tests.gui.test_survival_analysis import analysed


@pytest.fixture(scope="module")
def fractions() -> pd.DataFrame:
    return made_fractions(100)


@pytest.fixture(scope="module")
def table(fractions: pd.DataFrame) -> pd.DataFrame:
    return made_table(fractions)


# -- known only later
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("column", "more"),
    [
        ("response", {}),
        ("response", {"later": ("response",), "known_at": 6}),
        ("response", {"landmark": 0.5}),  # it is not known that it was known by then
        ("stage", {"later": ("stage",), "known_at": 6, "landmark": 3}),
        ("OS_status", {}),
        ("OS_months", {}),
    ],
)
@pytest.mark.parametrize("use", ["compare", "covariates", "strata"])
def test_curves_are_refused_as_models_are(fractions, table, column, more, use) -> None:
    with pytest.raises(DataError, match=r"known only|outcome itself"):
        analysed(fractions, table, **{use: (column,)}, **more)


def test_curves_of_a_response_begin_at_the_landmark(fractions, table) -> None:
    known = {"later": ("response",), "known_at": 6, "landmark": 6}
    result = analysed(fractions, table, compare=("response",), **known)
    assert result.test_of(COLUMN, "response") is not None


# -- several samples of a patient
# --------------------------------------------------------------------------------------------------
def test_patients_entered_twice_have_the_tests_of_once(fractions, table) -> None:
    again = fractions.set_axis([f"{s}-2" for s in fractions.columns], axis=1)
    both = pd.concat([fractions, again], axis=1)
    twice = pd.concat([table, table]).set_axis(both.columns, axis=0)
    twice["patient"] = [f"P{i}" for i in range(len(table))] * 2
    once = analysed(fractions, table, cut="median", compare=("stage",))
    found = analysed(both, twice, cut="median", compare=("stage",), duplicates="cluster")
    for name in ("p", "statistic", "difference_p"):
        assert found.tests[name].tolist() == pytest.approx(once.tests[name].tolist(), nan_ok=True)
    assert found.groups["samples"].tolist() == once.groups["samples"].tolist()
    assert any("first sample of each patient (100 of 200" in note for note in found.notes)
    events = int((table["OS_status"] == "Dead").sum())
    assert found.facts["events"] == events
    assert found.forest_of(ALONE)["events"].unique().tolist() == [events]
    assert found.facts["followed"] == pytest.approx(once.facts["followed"])
    assert "of 100 patients" in words.excluded_sentence(found)
    assert any("Concordance" in note for note in found.notes)


def test_events_of_patients_are_counted_for_the_variables(fractions, table) -> None:
    few = table.copy()
    dead = np.flatnonzero(few["OS_status"] == "Dead")
    few.iloc[dead[16:], few.columns.get_loc("OS_status")] = "Alive"
    few["patient"] = [f"P{i}" for i in range(len(few))]
    few.iloc[dead[1:16:2], few.columns.get_loc("patient")] = few["patient"].iloc[dead[0:16:2]]
    asked = {"types": ("B cells", "T cells")}
    assert len(analysed(fractions, few, patient="(every sample is a patient)", **asked).together)
    clustered = analysed(fractions, few, duplicates="cluster", **asked)  # 8 events, not 16
    assert not len(clustered.together)
    assert words.needs_ridge(clustered)


def test_an_annotation_of_the_bulk_does_not_hide_a_shared_row(fractions, table) -> None:
    shared = table.copy()
    shared.iloc[1] = shared.iloc[0]
    data = made_dataset(fractions, shared)
    assert data.bulk is not None
    obs = pd.DataFrame({"library_size": np.arange(len(table))})
    data = replace(data, bulk=replace(data.bulk, obs=obs))
    from gui.analyses.patients import patients

    found, how = patients(data, list(fractions.columns), time="OS_months")
    assert "one row" in how
    assert found is not None
    assert found["S0000"] == found["S0001"]


def test_one_patient_has_and_several_have(fractions, table) -> None:
    one = table.assign(patient=["P0", "P0", *(f"P{i}" for i in range(2, len(table)))])
    with pytest.raises(DataError, match=r"^1 patient has"):
        analysed(fractions, one)


# -- groups
# --------------------------------------------------------------------------------------------------
def test_a_trend_needs_an_order(fractions, table) -> None:
    nominal = table.assign(centre=np.resize(["north", "south", "west"], len(table)))
    nominal["grade"] = np.resize(["low", "medium", "high"], len(table))
    nominal["order"] = pd.Categorical(nominal["grade"], ["low", "medium", "high"], ordered=True)
    result = analysed(fractions, nominal, compare=("stage", "centre", "grade", "order"))
    for name, known in (("stage", True), ("centre", False), ("grade", False), ("order", True)):
        test = result.test_of(COLUMN, name)
        assert np.isfinite(test["trend_p"]) == known
        assert ("order of the groups is not known" in test["note"]) != known
        assert ("trend p" in words.curve_sentence(result, COLUMN, name)) == known


def test_a_best_cut_has_no_difference_of_means(fractions, table) -> None:
    result = analysed(fractions, made_table(fractions, effect=0.0), cut="best", permutations=199)
    assert result.tests["difference_p"].isna().all()
    assert "difference" not in words.mean_sentence(result, TYPE, "B cells")
    stated = analysed(fractions, table, cut="median")
    assert stated.tests["difference_p"].notna().all()


def test_pairs_are_adjusted_over_all_types(fractions, table) -> None:
    pairs = analysed(fractions, table, cut="tertiles").pairs
    assert len(pairs) == 12
    least = pairs["p"].min()
    assert pairs.loc[pairs["p"].idxmin(), "p_adjusted"] >= min(1.0, least * 4)


def test_long_codes_are_strata_of_their_own(fractions, table) -> None:
    codes = np.resize([1000012.0, 1000013.0], len(table))
    text = np.resize(["a", "b"], len(table))
    numbers = analysed(fractions, table.assign(site=codes), strata=("site",))
    texts = analysed(fractions, table.assign(site=text), strata=("site",))
    assert numbers.forest_of(ADJUSTED)["p"].tolist() == pytest.approx(
        texts.forest_of(ADJUSTED)["p"].tolist()
    )


# -- events and covariates
# --------------------------------------------------------------------------------------------------
def test_what_is_not_available_is_no_censoring(fractions, table) -> None:
    gaps = table.copy()
    alive = gaps.index[gaps["OS_status"] == "Alive"]
    gaps.loc[alive[:5], "OS_status"] = "[Not Available]"
    result = analysed(fractions, gaps)
    assert result.facts["samples"] == len(table) - 5
    reasons = result.excluded["reason"]
    assert (reasons == "not known whether the event happened").sum() == 5
    assert f"censored: Alive ({len(alive) - 5})" in words.details(result)[0]
    lost = gaps.replace({"OS_status": {"[Not Available]": "Lost"}})
    said = analysed(fractions, lost)
    assert any("Lost (5)" in note for note in said.notes)


def test_a_column_may_be_called_like_a_cell_type(fractions, table) -> None:
    counted = table.assign(**{"NK cells": np.linspace(1, 9, len(table))})
    result = analysed(fractions, counted, covariates=("NK cells",), types=("B cells",))
    assert "NK cells" in result.forest_of(ADJUSTED).index
    assert "NK cells (column)" in result.together.index
    dead = (table["OS_status"] == "Dead").rename("event")
    frame = counted[["NK cells"]].rename(columns={"NK cells": "T cells"})
    fitted = cox_by_type(table["OS_months"], dead, fractions, covariates=frame)
    assert "T cells (column)" in fitted.fits["T cells"].table.index


@pytest.mark.filterwarnings("error")
def test_an_infinite_value_is_a_gap(fractions, table) -> None:
    odd = table.astype({"age": float}).copy()
    odd.iloc[0, odd.columns.get_loc("age")] = np.inf
    result = analysed(fractions, odd, covariates=("age",))
    assert result.excluded.loc["S0000", "reason"] == "no value of age"
    assert result.forest_of(ADJUSTED)["p"].notna().all()
    with pytest.raises(BadValues, match="infinite"):
        design(pd.DataFrame({"x": [1.0, 2.0, np.inf, 4.0]}))


def test_two_terms_of_one_name_are_refused() -> None:
    frame = pd.DataFrame({"a": ["x", "y", "x", "y"], "a: y": [1.0, 3.0, 2.0, 7.0]})
    with pytest.raises(DataError, match="called a: y"):
        design(frame)


def test_draws_without_a_model_of_each_type_alone(fractions, table) -> None:
    one = table.copy()
    one.iloc[1:, one.columns.get_loc("OS_months")] = np.nan
    one.iloc[0, one.columns.get_loc("OS_status")] = "Dead"
    result = analysed(fractions, one, made_bootstrap(fractions, noise=0.01))
    assert result.facts["draws"] == 40
    assert not len(result.reliability)
    assert "not examined" in result.remark.set_index("item").loc["18", "answer"]


def test_the_sentence_gives_the_adjusted_p(fractions, table) -> None:
    result = analysed(fractions, table)
    row = result.forest_of(ALONE).sort_values("p").iloc[0]
    assert f"adjusted p {words.p_text(row['p_adjusted'])}" in words.sentence(result)
    assert "Adjusted p" in tables.forest_table(result, ALONE).columns
