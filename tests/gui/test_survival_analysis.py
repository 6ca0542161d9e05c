"""Survival analyses: what is refused, what is left out and said, and published numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.patients import NO_PATIENT
from gui.analyses.survival import SurvivalParams, SurvivalResult, run_survival
from gui.analyses.survival_params import SAMPLES
from gui.analyses.survival_result import ADJUSTED, ALONE, COLUMN, TYPE
from gui.answers import survival as words
from gui.answers import survival_tables as tables
from gui.data.dataset import Clinical
from gui.engine.results import BootstrapResult
from gui.errors import DataError, InvalidParameter, MissingPart
from gui.report import survival as figures
from tests.gui.survival_cases import (
    TYPES,
    made_bootstrap,
    made_dataset,
    made_dtd,
    made_fractions,
    made_table,
)

STAGES = Path(__file__).parent.parent / "fixtures" / "statistics" / "tcga_stad_stage.csv"


def quiet(*_about: Any, **_more: Any) -> None:
    """Progress that nobody watches."""


def analysed(
    fractions: pd.DataFrame,
    table: pd.DataFrame | None,
    bootstrap: BootstrapResult | None = None,
    *,
    clinical: Clinical | None = None,
    **params: Any,
) -> SurvivalResult:
    data = made_dataset(fractions, table)
    if clinical is not None:
        data = type(data)(data.train, None, bulk=data.bulk, clinical=clinical)
    chosen = SurvivalParams.parse(**({"time_zero": "diagnosis"} | params))
    result = run_survival(
        data, chosen, progress=quiet, dtd=made_dtd(fractions), bootstrap=bootstrap
    )
    assert result.fits()
    assert words.sentence(result)
    assert words.methods(chosen, result)
    assert all(len(frame) for frame in tables.shown_tables(result).values())
    return result


@pytest.fixture(scope="module")
def fractions() -> pd.DataFrame:
    return made_fractions(150)


@pytest.fixture(scope="module")
def table(fractions: pd.DataFrame) -> pd.DataFrame:
    return made_table(fractions)


def test_stage_of_stomach_tumours_gives_the_published_log_rank_test() -> None:
    data = pd.read_csv(STAGES)
    fractions = made_fractions(len(data))
    rows = data.set_axis(fractions.columns, axis=0)[["time", "OS_status", "stage"]]
    clinical = Clinical(rows.astype({"time": float}), "stad", "time", "OS_status", "1", "months")
    result = analysed(fractions, None, clinical=clinical, compare=("stage",))
    test = result.test_of(COLUMN, "stage")
    assert test is not None
    assert test["statistic"] == pytest.approx(14.967, abs=5e-4)
    assert test["df"] == 3
    assert test["trend_z"] > 3
    assert len(result.pairs) == 6
    assert [c.name for c in result.curves_of(COLUMN, "stage")] == sorted(
        rows["stage"].dropna().unique()
    )
    known = rows["time"].notna() & rows["OS_status"].notna()
    assert result.facts["samples"] == known.sum()
    out = result.excluded["analysis"].value_counts()
    assert out["everything"] == (~known).sum()
    assert out["curves by stage"] == (known & rows["stage"].isna()).sum()


def test_a_trend_over_names_is_tested_in_the_order_that_is_chosen(fractions, table) -> None:
    names = table["stage"].map({"I": "low", "II": "medium", "III": "high"})
    graded = table.assign(grade=names, stage_text=table["stage"])
    unknown = analysed(fractions, graded, compare=("grade",)).test_of(COLUMN, "grade")
    assert np.isnan(unknown["trend_p"])
    assert "order of the groups is not known" in unknown["note"]
    chosen = ("low", "medium", "high")
    result = analysed(fractions, graded, compare=("grade", "stage"), order=chosen)
    found, by_stage = (result.test_of(COLUMN, name) for name in ("grade", "stage"))
    assert found["trend_z"] == pytest.approx(by_stage["trend_z"])
    assert [c.name for c in result.curves_of(COLUMN, "grade")] == list(chosen)
    assert "low, medium and high" in found["note"]
    assert "chosen" not in by_stage["note"]
    turned = analysed(fractions, graded, compare=("grade",), order=chosen[::-1])
    assert turned.test_of(COLUMN, "grade")["trend_z"] == pytest.approx(-found["trend_z"])
    lacking = analysed(fractions, graded, compare=("grade",), order=chosen[:2])
    assert np.isnan(lacking.test_of(COLUMN, "grade")["trend_p"])
    assert "lacks high" in lacking.test_of(COLUMN, "grade")["note"]


def test_a_fraction_is_used_as_it_is_unless_a_cut_is_chosen(fractions, table) -> None:
    result = analysed(fractions, table)
    assert result.variables() == [("all", "all samples")]
    row = result.forest_of(ALONE).loc["B cells"]
    assert row["sd_low"] > 1
    # per ten points and per standard deviation are the same coefficient
    sd = fractions.loc["B cells"].std()
    assert np.log(row["sd_ratio"]) / sd == pytest.approx(np.log(row["points_ratio"]) / 0.1)
    assert "B cells" in words.sentence(result)


def test_groups_by_fraction_are_compared_and_adjusted_over_the_types(fractions, table) -> None:
    result = analysed(fractions, table, cut="tertiles")
    assert len(result.curves_of(TYPE, "B cells")) == 3
    tests = result.tests.set_index("variable")
    assert (tests["adjusted"] >= tests["p"] - 1e-12).all()
    assert tests.loc["B cells", "trend_z"] > 2
    stated = analysed(fractions, table, cut="stated", cut_points=(25.0,))
    assert stated.test_of(TYPE, "B cells")["cut"] == "25 %"
    one_side = analysed(fractions, table, cut="stated", cut_points=(99.0,))
    assert any("same side" in text for text in one_side.refused)
    assert not len(one_side.tests)


def test_a_best_cut_has_the_p_of_permutations_and_is_called_exploratory(fractions, table) -> None:
    result = analysed(fractions, made_table(fractions, effect=0.0), cut="best", permutations=199)
    tests = result.tests
    assert (tests["p"] > tests["nominal_p"]).all()
    assert tests["note"].str.startswith("Exploratory").all()
    assert "exploratory" in words.curve_sentence(result, TYPE, "B cells")
    assert "exploratory" in words.test_note(result, TYPE, "B cells")
    lower, upper = result.curves_of(TYPE, "B cells")
    assert lower.name.startswith("≤")
    assert upper.name.startswith(">")
    again = analysed(fractions, made_table(fractions, effect=0.0), cut="best", permutations=199)
    assert again.tests["p"].tolist() == tests["p"].tolist()


# -- what is known only later
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("column", ["response", "BOR", "recurrence", "PFS_months", "vital status"])
def test_what_sounds_known_only_later_is_refused_with_landmark(fractions, table, column) -> None:
    named = table.rename(columns={"response": column})
    with pytest.raises(DataError) as refused:
        analysed(fractions, named, covariates=(column,))
    assert "landmark" in f"{refused.value} {refused.value.advice}"
    at_zero = analysed(fractions, named, covariates=(column,), later=(column,), known_at=0)
    assert ADJUSTED in at_zero.models


def test_what_is_said_to_be_known_later_needs_a_landmark_from_then_on(fractions, table) -> None:
    for known_at, landmark in ((None, None), (6, None), (6, 3)):
        with pytest.raises(DataError) as refused:
            analysed(
                fractions,
                table,
                covariates=("stage",),
                later=("stage",),
                known_at=known_at,
                landmark=landmark,
            )
        assert "landmark" in f"{refused.value} {refused.value.advice}"
    with pytest.raises(DataError, match="samples"):
        analysed(fractions, table, later=(SAMPLES,), known_at=2)
    result = analysed(
        fractions, table, covariates=("stage",), later=("stage",), known_at=6, landmark=6
    )
    early = (table["OS_months"] <= 6).sum()
    assert early > 5
    assert result.facts["samples"] == len(table) - early
    assert (result.excluded["reason"] == "event or last contact before landmark").sum() == early
    assert any("Landmark at 6" in note for note in result.notes)


def test_the_outcome_and_texts_of_many_values_are_no_covariates(fractions, table) -> None:
    with pytest.raises(DataError, match="outcome itself"):
        analysed(fractions, table, covariates=("OS_months",))
    named = table.assign(code=[f"code {i}" for i in range(len(table))])
    with pytest.raises(DataError, match="different values"):
        analysed(fractions, named, covariates=("code",))
    with pytest.raises(MissingPart, match="no column"):
        analysed(fractions, table, covariates=("weight",))


# -- patients
# --------------------------------------------------------------------------------------------------
def test_several_samples_of_a_patient_are_refused_chosen_or_clustered(fractions, table) -> None:
    twice = table.assign(patient_id=[f"P{i // 2}" for i in range(len(table))])
    with pytest.raises(DataError, match="more than one sample") as refused:
        analysed(fractions, twice)
    assert "patient_id" in str(refused.value)
    first = analysed(fractions, twice, duplicates="first")
    assert first.facts["samples"] == first.facts["patients"] == len(table) / 2
    assert (first.excluded["reason"] == "another sample of the patient is used").sum() == 75
    clustered = analysed(fractions, twice, duplicates="cluster")
    assert (clustered.facts["samples"], clustered.facts["patients"]) == (150, 75)
    assert (clustered.forest_of(ALONE)["inflation"] != 1).all()
    everyone = analysed(fractions, twice, patient=NO_PATIENT)
    assert everyone.facts["patients"] == 150
    assert not first.excluded.isin(list(twice["patient_id"])).any(axis=None)  # no patient's name


def test_patients_are_told_by_barcodes_and_by_rows_of_the_clinical_table(fractions, table) -> None:
    barcodes = [f"TCGA-AB-{i // 2:04d}-0{1 + i % 2}A" for i in range(len(table))]
    named, rows = fractions.set_axis(barcodes, axis=1), table.set_axis(barcodes, axis=0)
    with pytest.raises(DataError, match="barcodes"):
        analysed(named, rows)
    shared = table.copy()
    shared.iloc[1] = shared.iloc[0]
    with pytest.raises(DataError, match="share one row"):
        analysed(fractions, shared)
    assert analysed(fractions, shared, patient=NO_PATIENT).facts["samples"] == 150
    # two columns that agree by chance are not one patient
    few = pd.DataFrame(
        {"OS_months": np.repeat([5.0, 9.0, 12.0], 50), "OS_status": ["Dead", "Alive"] * 75},
        index=fractions.columns,
    )
    assert analysed(fractions, few).facts["samples"] == 150


def test_who_is_left_out_is_listed_with_the_reason(fractions, table) -> None:
    gaps = table.astype({"age": float}).copy()
    gaps.iloc[0, gaps.columns.get_loc("OS_months")] = np.nan
    gaps.iloc[1, gaps.columns.get_loc("OS_status")] = None
    gaps.iloc[2, gaps.columns.get_loc("OS_months")] = -3
    gaps.iloc[3, gaps.columns.get_loc("age")] = np.nan
    gaps.iloc[4, gaps.columns.get_loc("centre")] = None
    result = analysed(fractions, gaps, covariates=("age",), strata=("centre",))
    reasons = result.excluded["reason"].to_dict()
    assert reasons["S0000"] == "no time"
    assert reasons["S0001"] == "not known whether the event happened"
    assert "before time zero" in reasons["S0002"]
    assert reasons["S0003"] == "no value of age"
    assert reasons["S0004"] == "no value of centre"
    assert result.forest_of(ALONE)["samples"].iloc[0] == 147
    assert result.forest_of(ADJUSTED)["samples"].iloc[0] == 145
    assert any("lack a covariate" in note for note in result.notes)
    assert "3" in words.excluded_sentence(result)
    flow = result.remark.set_index("item").loc["12", "answer"]
    assert "150 samples" in flow
    assert "1 no time" in flow


def test_what_was_not_said_is_said(fractions, table) -> None:
    clinical = Clinical(
        table.rename(columns={"OS_months": "survival"}), "t", "survival", "OS_status", "Dead"
    )
    result = analysed(fractions, None, clinical=clinical, time_zero="")
    assert any("time zero" in note for note in result.notes)
    assert any("unit of the times" in note for note in result.notes)
    assert "unit not known" in words.details(result)[0]
    assert any("bootstrap draws" in note for note in result.notes)


def test_an_event_that_is_not_certain_is_asked_for(fractions, table) -> None:
    odd = table.assign(code=np.where(table["OS_status"] == "Dead", "x", "y"))
    with pytest.raises(InvalidParameter, match="not known which value"):
        analysed(fractions, odd, event="code")
    result = analysed(fractions, odd, event="code", event_value="x")
    assert result.facts["events"] == (table["OS_status"] == "Dead").sum()
    with pytest.raises(MissingPart, match="clinical table"):
        analysed(fractions, None)


# -- models
# --------------------------------------------------------------------------------------------------
def test_few_events_warn_then_refuse_and_a_ridge_fit_is_offered(fractions, table) -> None:
    few = table.copy()
    dead = np.flatnonzero(few["OS_status"] == "Dead")
    few.iloc[dead[14:], few.columns.get_loc("OS_status")] = "Alive"
    warned = analysed(fractions, few, types=("B cells", "T cells"))
    assert len(warned.together) == 2
    assert any("fewer than 10 each" in note for note in warned.notes)
    asked = {"types": ("B cells", "T cells"), "covariates": ("age", "stage")}
    refused = analysed(fractions, few, **asked)
    assert not len(refused.together)
    assert words.needs_ridge(refused)
    assert any("idge" in text for text in refused.refused)
    assert ALONE in refused.models  # the rest is given
    ridge = analysed(fractions, few, **asked, ridge=True)
    assert len(ridge.together) == 5
    assert ridge.together["p"].isna().all()
    assert "Ridge fit" in words.together_sentence(ridge)
    assert not words.needs_ridge(ridge) or "Several" not in " ".join(ridge.refused)


def test_a_likelihood_without_maximum_is_said(fractions, table) -> None:
    # nobody with the sign has the event
    marked = table.assign(sign=np.where(table["OS_status"] == "Dead", "no", "yes"))
    result = analysed(fractions, marked, covariates=("sign",))
    assert any("no maximum" in note or "did not converge" in note for note in result.notes)
    assert result.together_facts["converged"] is False


def test_hazard_ratios_that_go_to_infinity_are_said_and_not_shown(fractions, table) -> None:
    forest, together = _without_p(fractions, table, "T cells")
    assert list(tables.forest_table(forest, ALONE).index) == ["B cells", "Monocytes", "NK cells"]
    assert "Not shown: T cells" in words.forest_sentence(forest, ALONE)
    drawn = figures.forest_figure(forest, ALONE, "sd", None)
    assert len(drawn.data[-1].x) == 3
    assert list(tables.together_table(together).index) == ["B cells (per 10 percentage points)"]
    assert "Not shown: T cells (per 10 percentage points) (the" in words.together_sentence(together)
    assert len(figures.together_figure(together).data[-1].x) == 1
    ridge = analysed(fractions, table, types=("B cells", "T cells"), ridge=True)
    assert len(tables.together_table(ridge)) == 2
    assert "Not shown" not in words.together_sentence(ridge)
    (nothing, _) = _without_p(fractions, table, *fractions.index)
    assert not any("Hazard ratios" in text for _, text in figures.survival_drawings(nothing, None))


def _without_p(fractions, table, *names: str):
    """An analysis of every type, and of two together, in which models of these do not converge."""
    one = analysed(fractions, table)
    forest = one.forest.copy()
    forest.loc[forest["cell_type"].isin(names), ["p", "sd_low", "sd_high"]] = np.nan
    two = analysed(fractions, table, types=("B cells", "T cells"))
    together = two.together.copy()
    of = [term for term in together.index if term.startswith(names)]
    together.loc[of, ["p", "low", "high"]] = np.nan
    return replace(one, forest=forest), replace(two, together=together)


def test_covariates_and_strata_give_a_second_forest_and_tests_of_all(fractions, table) -> None:
    result = analysed(
        fractions, table, covariates=("age", "stage"), strata=("centre",), types=("B cells",)
    )
    assert result.models == [ADJUSTED, ALONE]
    tested = result.hazards[result.hazards["of"] == "B cells"]
    assert set(tested["variable"]) >= {"B cells", "age", "stage", "all together"}
    assert "B cells (per 10 percentage points)" in result.together.index
    per_ten = result.together.loc["B cells (per 10 percentage points)", "hazard_ratio"]
    assert per_ten == pytest.approx(
        result.forest_of(ADJUSTED).loc["B cells", "points_ratio"], rel=1e-6
    )
    curve = result.smooth[(result.smooth["model"] == ADJUSTED) & (result.smooth["of"] == "B cells")]
    assert len(curve) == 41
    assert result.together_facts["concordance"] > 0.5


def test_noise_of_the_fractions_weakens_hazard_ratios_and_is_said(fractions, table) -> None:
    sure = analysed(fractions, table, made_bootstrap(fractions, noise=0.005))
    noisy = analysed(fractions, table, made_bootstrap(fractions, noise=0.12))
    assert sure.facts["draws"] == 40
    for result in (sure, noisy):
        row = result.forest_of(ALONE).loc["B cells"]
        assert row["draws_low"] <= row["draws_median"] <= row["draws_high"]
    clear, weak = (r.forest_of(ALONE).loc["B cells", "draws_median"] for r in (sure, noisy))
    assert 1 < weak < clear
    assert noisy.reliability.loc["B cells", "reliability"] < 0.8
    assert any("weakens effects" in note for note in noisy.notes)
    assert not any("weakens effects" in note for note in sure.notes)
    assert "of 40 bootstrap draws" in words.draws_sentence(sure, ALONE)


def test_a_restricted_mean_beyond_the_follow_up_is_not_given(fractions, table) -> None:
    result = analysed(fractions, table, tau=500, compare=("stage",))
    assert result.groups["mean"].isna().all()
    assert any("followed up to" in note for note in result.notes)
    near = analysed(fractions, table, tau=12, compare=("centre",))
    assert (near.groups["mean"] < 12).all()
    assert np.isfinite(near.test_of(COLUMN, "centre")["difference_p"])
    assert "Mean time up to 12" in words.mean_sentence(near, COLUMN, "centre")


def test_the_hidden_background_and_dtd_sums_are_fractions_of_all(fractions, table) -> None:
    # DTD's fractions of a sample need not sum to 1: they are divided by their sum
    scaled = fractions * np.linspace(0.5, 3, fractions.shape[1])
    one, other = analysed(fractions, table), analysed(scaled, table)
    assert one.forest_of(ALONE)["sd_ratio"].tolist() == pytest.approx(
        other.forest_of(ALONE)["sd_ratio"].tolist()
    )
    assert set(one.forest_of(ALONE).index) == set(TYPES)


def test_the_last_digits_of_a_solver_make_no_groups_and_no_hazard_ratio(fractions, table) -> None:
    noise = np.random.default_rng(2).random(fractions.shape[1]) * 1e-15
    absent = pd.concat([fractions, pd.DataFrame([noise], ["Mast cells"], fractions.columns)])
    result = analysed(absent, table, cut="median")
    assert "Mast cells" not in result.forest_of(ALONE).index
    assert (TYPE, "Mast cells") not in result.variables()
    assert any("count as zero (150 of 750)" in note for note in result.notes)
    assert any("Mast cells" in text for text in (*result.refused, *result.notes))
