"""A survival analysis in words, and its tables as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gui.analyses.survival_models import EVERYTHING
from gui.analyses.survival_params import SurvivalParams
from gui.analyses.survival_result import ADJUSTED, ALL, ALONE, COLUMN, TOGETHER, SurvivalResult
from gui.figures.text import p_text, shorten, three
from gui.statistics.kaplan_meier import TRANSFORMS
from gui.text import number, some

MODEL_TEXTS = {
    ADJUSTED: "with the covariates",
    ALONE: "each cell type alone",
    TOGETHER: "several variables together",
}
FEW = 10
"""With fewer events an answer begins with that (Peduzzi et al. 1995)."""
ONE_EACH = {ADJUSTED: "with the covariates", ALONE: "without covariates"}
MEANING = (
    "Hazard ratio (HR) above 1: at any time, patients with a higher fraction have the event more"
    " often. It is an association in these patients, not a cause, and no prediction for one"
    " patient. Fractions of RNA are compared, not counts of cells; they sum to 1, so where one"
    " type goes with a higher hazard, others go with a lower one. Adjusted p: over the cell types"
    " (Benjamini-Hochberg); called at 5 % FDR (false discovery rate). SD: standard deviation"
    " between the samples."
)


def sentence(result: SurvivalResult) -> str:
    """The answer: whose fraction goes with the hazard, and how sure that is."""
    if not result.models:
        return "No model could be fitted."
    model = result.models[0]
    table = result.forest_of(model).sort_values("p")
    others = ", adjusted" if model == ADJUSTED else ""
    called = table[table["called"].astype(bool)]
    known = table[table["p"].notna()]
    if known.empty:
        return f"No hazard ratio could be estimated{others}."
    name, first = str(known.index[0]), _ratio(known.iloc[0])
    events = int(table["events"].iloc[0])
    little = f"{events} event{'s' * (events != 1)} can say little. " if events < FEW else ""
    if called.empty:
        return (
            f"{little}No cell type's fraction is associated with the hazard at 5 % FDR. Smallest p:"
            f" {shorten(name)}, {first}{others}."
        )
    how = "higher" if called["sd_ratio"].iloc[0] > 1 else "lower"
    count = f"{len(called)} of {len(table)} cell types at 5 % FDR."
    return f"{little}More {shorten(name)}, {how} hazard: {first}{others}. {count}"


def details(result: SurvivalResult) -> list[str]:
    """What was analysed: how many, which event, since when."""
    facts = result.facts
    model = result.models[0] if result.models else ""
    counts = _counts(result.forest_of(model).iloc[0] if model else facts)
    censored = f"; censored: {facts['censored']}" if facts.get("censored") else ""
    since = f" since {shorten(str(facts['time_zero']))}" if facts["time_zero"] else ""
    unit = facts["unit"] or "unit not known"
    found = [f"{counts}; event: {facts['outcome']}{censored}; times in {unit}{since}."]
    if model:
        held = draws_sentence(result, model)
        found += [held] if held else []
    return found


def _counts(facts: Mapping[str, Any] | pd.Series) -> str:
    samples, events = int(facts["samples"]), int(facts["events"])
    return f"{number(samples)} samples, {number(events)} event{'s' if events != 1 else ''}"


def _ratio(row: pd.Series) -> str:
    return (
        f"HR {three(row['sd_ratio'])} ({three(row['sd_low'])} to {three(row['sd_high'])}) per SD,"
        f" adjusted p {p_text(row['p_adjusted'])}"
    )


def short_answer(result: SurvivalResult) -> str:
    """A few words for the navigation and the list of runs."""
    if not result.models:
        return f"{number(int(result.facts['events']))} events, no model"
    table = result.forest_of(result.models[0])
    called = int(table["called"].astype(bool).sum())
    return f"{called} of {len(table)} types, {number(int(result.facts['events']))} events"


def warnings(result: SurvivalResult) -> list[str]:
    """What was refused, then what weakens the answer."""
    return [*result.refused, *result.notes]


def needs_ridge(result: SurvivalResult) -> bool:
    """Whether several variables were refused for want of events."""
    return any("too few to estimate them together" in text for text in result.refused)


def variable_name(kind: str, name: str) -> str:
    """What curves are of, as shown."""
    return "All samples" if kind == ALL else f"{name} (column)" if kind == COLUMN else name


def curve_sentence(result: SurvivalResult, kind: str, variable: str) -> str:
    """The test of the groups; of everybody how many there are."""
    test = result.test_of(kind, variable)
    if test is not None:
        return f"{test_text(test)} {test['note']}".strip()
    text = f"{_counts(result.groups_of(kind, variable).iloc[0])}."
    if len(result.variables()) == 1:
        text += " Choose “Groups by fraction” or “Curves by column” for curves of groups."
    return text


def median_sentence(result: SurvivalResult, kind: str, variable: str) -> str:
    """Medians with their intervals, and the transform of these."""
    groups = result.groups_of(kind, variable)
    unit = f" {result.facts['unit']}" if result.facts["unit"] else ""
    medians = [_median(row, unit, named=kind != ALL) for _, row in groups.iterrows()]
    transform = TRANSFORMS[str(result.facts["transform"])]
    return f"Median (95 % interval, {transform} transform): {'; '.join(medians)}."


def _median(row: pd.Series, unit: str, *, named: bool) -> str:
    ends = [
        three(v) if np.isfinite(v) else "not reached" for v in row[["median_low", "median_high"]]
    ]
    middle = f"{three(row['median'])}{unit}" if np.isfinite(row["median"]) else "not reached"
    return f"{shorten(str(row['group'])) + ' ' if named else ''}{middle} ({ends[0]} to {ends[1]})"


def test_text(test: pd.Series) -> str:
    """The test of a variable's groups in a line."""
    if np.isfinite(test["nominal_p"]):
        return (
            f"Best cut at {test['cut']}, exploratory: permutation p {p_text(test['p'])} (as if"
            f" prespecified: {p_text(test['nominal_p'])}; do not use)."
        )
    trend = f"; trend p {p_text(test['trend_p'])}" if np.isfinite(test["trend_p"]) else ""
    adjusted = test.get("adjusted", float("nan"))
    family = f"; adjusted over the cell types {p_text(adjusted)}" if np.isfinite(adjusted) else ""
    return (
        f"Log-rank χ² {three(test['statistic'])}, {int(test['df'])} df, p {p_text(test['p'])}"
        f"{family}{trend}."
    )


def test_note(result: SurvivalResult, kind: str, variable: str) -> str:
    """The test as a line within the figure; "" where there is one curve."""
    test = result.test_of(kind, variable)
    if test is None:
        return ""
    if np.isfinite(test["nominal_p"]):
        return f"exploratory best cut: permutation p {p_text(test['p'])}"
    return f"log-rank p {p_text(test['p'])}"


def mean_sentence(result: SurvivalResult, kind: str, variable: str) -> str:
    """Restricted means, and their difference where there are two groups."""
    groups = result.groups_of(kind, variable)
    known = groups[groups["mean"].notna()]
    if known.empty:
        return ""
    unit = f" {result.facts['unit']}" if result.facts["unit"] else ""
    parts = [
        f"{shorten(str(row['group'])) + ' ' if kind != ALL else ''}{three(row['mean'])}"
        f" ({three(row['mean_low'])} to {three(row['mean_high'])})"
        for _, row in known.iterrows()
    ]
    text = f"Mean time up to {three(known['tau'].iloc[0])}{unit}: {'; '.join(parts)}"
    test = result.test_of(kind, variable)
    if test is None or not np.isfinite(test["difference"]):
        return f"{text}."
    return (
        f"{text}; difference {three(test['difference'])} ({three(test['difference_low'])} to"
        f" {three(test['difference_high'])}), p {p_text(test['difference_p'])}."
    )


def shown_forest(result: SurvivalResult, model: str) -> pd.DataFrame:
    """The hazard ratios of one model without those that go to 0 or infinity."""
    table = result.forest_of(model)
    return table[table["p"].notna()]


def shown_together(result: SurvivalResult) -> pd.DataFrame:
    """The model of several variables without hazard ratios that go to 0 or infinity."""
    table = result.together
    if table.empty or result.together_facts.get("ridge"):
        return table
    return table[table["p"].notna()]


def _not_shown(table: pd.DataFrame, shown: pd.DataFrame) -> str:
    names = [str(name) for name in table.index if name not in shown.index]
    if not names:
        return ""
    return (
        f" Not shown: {some(names, 6)} (the likelihood has no maximum: the hazard ratio goes to 0"
        " or infinity; or none was found)."
    )


def forest_sentence(result: SurvivalResult, model: str) -> str:
    """What the hazard ratios are of, and which are not shown."""
    table = result.forest_of(model)
    left_out = _not_shown(table, shown_forest(result, model))
    return (
        f"One Cox model for each cell type, {ONE_EACH[model]}: {_counts(table.iloc[0])}.{left_out}"
    )


def draws_sentence(result: SurvivalResult, model: str) -> str:
    """In how many bootstrap draws the calls hold; "" without draws or calls."""
    table, draws = result.forest_of(model), int(result.facts["draws"])
    called = table[table["called"].astype(bool)]
    if not draws or "kept" not in table or called.empty:
        return ""
    held = [f"{shorten(str(name))} {int(row['kept'])}" for name, row in called.iterrows()]
    return f"Number of {draws} bootstrap draws in which the call holds: {some(held, 8)}."


def together_sentence(result: SurvivalResult) -> str:
    """The model of several variables in a line; "" where there is none."""
    facts = result.together_facts
    if not facts:
        return ""
    head = f"{number(int(facts['samples']))} samples, {number(int(facts['events']))} events"
    harrell = (
        f"concordance {three(facts['concordance'])} ({three(facts['concordance_low'])} to"
        f" {three(facts['concordance_high'])})"
    )
    if facts["ridge"]:
        return (
            f"Ridge fit, {head}: penalty {three(facts['penalty'])} by"
            f" {int(facts['folds'])}-fold cross-validation; {harrell}, on the data it was fitted"
            " to. No p-values and intervals."
        )
    return (
        f"{head}: likelihood ratio χ² {three(facts['likelihood_ratio'])}, {int(facts['df'])} df,"
        f" p {p_text(facts['p'])}; {harrell}.{_not_shown(result.together, shown_together(result))}"
    )


def hazards_sentence(result: SurvivalResult, model: str) -> str:
    """How many models have hazards that do not stay proportional."""
    rows = result.hazards[
        (result.hazards["model"] == model) & (result.hazards["variable"] == EVERYTHING)
    ]
    known = rows[rows["p"].notna()]
    if known.empty:
        return "The test of proportional hazards could not be done."
    bad = known[known["p"] < 0.05].sort_values("p")
    if bad.empty:
        return (
            "No sign of hazard ratios that change with time (global p at least"
            f" {p_text(float(known['p'].min()))})."
        )
    if len(known) == 1:
        return (
            f"The hazard ratios change with time (global p {p_text(float(bad['p'].iloc[0]))}): they"
            " are averages over the follow-up."
        )
    return (
        f"In {len(bad)} of {len(known)} models the hazard ratios change with time"
        f" (global p below 0.05: {some(bad['of'], 6)}): they are averages over the follow-up."
    )


def excluded_sentence(result: SurvivalResult) -> str:
    """How many samples were analysed, and how many were left out of what."""
    facts = result.facts
    text = f"Analysed: {_counts(facts)}."
    if facts["patients"] < facts["samples"]:
        text = f"Analysed: {_counts(facts)}, of {number(int(facts['patients']))} patients."
    counts = result.excluded["analysis"].value_counts()
    parts = [f"{number(int(count))} of {analysis}" for analysis, count in counts.items()]
    return f"{text} Left out: {'; '.join(parts)}." if parts else f"{text} Nobody is left out."


def methods(params: SurvivalParams, result: SurvivalResult) -> str:
    """A sentence for a manuscript."""
    facts = result.facts
    answers = result.remark.set_index("item")["answer"]
    since = f" since {facts['time_zero']}" if facts["time_zero"] else ""
    draws = (
        f" Hazard ratios were computed again on {number(int(facts['draws']))} bootstrap draws of"
        " the fractions."
        if facts["draws"]
        else ""
    )
    return (
        f"Times to {facts['outcome']}{since} were compared with the fractions of cell types"
        f" ({_counts(facts)}). {answers['10']} {answers['11']}{draws}"
    )
