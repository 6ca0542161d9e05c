"""Figures of a survival analysis, for its page and for reports."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.analyses.survival_result import ALL, COLUMN, TOGETHER, SurvivalResult
from gui.answers.survival import (
    MODEL_TEXTS,
    curve_sentence,
    forest_sentence,
    hazards_sentence,
    median_sentence,
    shown_forest,
    shown_together,
    test_note,
    together_sentence,
    variable_name,
)
from gui.data.dataset import Dataset
from gui.figures.hazard_ratios import PER_TEXTS, forest, ratios
from gui.figures.palette import type_colours
from gui.figures.survival import kaplan_meier, residuals
from gui.statistics.cox_by_type import TEN_POINTS

MOST_CURVES = 6
"""Variables with curves in a report; all tests are in its table."""


def curves_figure(result: SurvivalResult, kind: str, name: str) -> go.Figure:
    """Kaplan-Meier curves of one variable."""
    return kaplan_meier(
        result.curves_of(kind, name),
        unit=str(result.facts["unit"]),
        since=time_zero(result),
        note=test_note(result, kind, name),
        outcome="Without event",
    )


def time_zero(result: SurvivalResult) -> str:
    """From when times are counted; "" if that was not said."""
    if result.facts["landmark"]:
        return f"the landmark at {result.facts['landmark']:g}"
    return str(result.facts["time_zero"])


def forest_figure(result: SurvivalResult, model: str, per: str, data: Dataset | None) -> go.Figure:
    """Hazard ratios of one model. per : "sd" or "points"."""
    table = shown_forest(result, model)
    colour_of = type_colours(data, *map(str, table.index))
    return forest(table, colour_of, per="points" if per == "points" else "sd")


def together_figure(result: SurvivalResult) -> go.Figure:
    """Hazard ratios of the model of several variables."""
    shown = shown_together(result)
    table = shown[["hazard_ratio", "low", "high", "p"]].to_numpy(dtype=np.float64)
    rows = [
        (str(name), float(row[0]), float(row[1]), float(row[2]), float(row[3]))
        for name, row in zip(shown.index, table, strict=True)
    ]
    return ratios(rows, {})


def residual_figure(result: SurvivalResult, model: str, name: str) -> go.Figure:
    """How one coefficient changes with time; of a cell type alone per 10 percentage points."""

    def of(table: pd.DataFrame, *values: str) -> pd.DataFrame:
        rows = table[(table["model"] == model) & (table["coefficient"] == name)].copy()
        rows[list(values)] *= unit
        return rows

    together = model == TOGETHER
    unit = 1.0 if together else TEN_POINTS
    table = result.together if together else result.forest_of(model)
    return residuals(
        of(result.residuals, "residual"),
        of(result.smooth, "estimate", "low", "high"),
        name,
        per="" if together else "per 10 percentage points",
        coefficient=float(table.loc[name, "coefficient"]) * unit,
        unit=str(result.facts["unit"]),
        since=time_zero(result),
    )


def survival_drawings(
    result: SurvivalResult, dataset: Dataset | None
) -> Iterator[tuple[go.Figure, str]]:
    """Hazard ratios, curves, the model of several variables, residuals; with captions."""
    for model in result.models:
        if shown_forest(result, model).empty:
            continue
        for per, words in PER_TEXTS.items():
            drawn = forest_figure(result, model, per, dataset)
            yield drawn, f"Hazard ratios {words}. {forest_sentence(result, model)}"
    for kind, name in _worth_drawing(result):
        text = f"{curve_sentence(result, kind, name)} {median_sentence(result, kind, name)}"
        yield curves_figure(result, kind, name), f"{variable_name(kind, name)}. {text}"
    if len(shown_together(result)):
        yield (
            together_figure(result),
            f"Several variables together. {together_sentence(result)}",
        )
    for model in result.models[:1]:
        rows = result.hazards[(result.hazards["model"] == model) & result.hazards["p"].notna()]
        if len(rows):
            worst = str(rows.sort_values("p")["of"].iloc[0])
            yield (
                residual_figure(result, model, worst),
                f"Scaled Schoenfeld residuals of {worst} ({MODEL_TEXTS[model]}), where hazards are"
                f" least proportional. {hazards_sentence(result, model)}",
            )


def _worth_drawing(result: SurvivalResult) -> list[tuple[str, str]]:
    """Everybody, the clinical columns, and the cell types with the smallest p."""
    there = result.variables()
    tests = result.tests[["kind", "variable", "p"]].sort_values("p", kind="stable")
    by_p = [(str(kind), str(name)) for kind, name, _ in tests.itertuples(index=False)]
    columns = [one for one in by_p if one[0] == COLUMN]
    types = [one for one in by_p if one[0] != COLUMN]
    everybody = [one for one in there if one[0] == ALL]
    return [*everybody, *columns, *types][:MOST_CURVES]
