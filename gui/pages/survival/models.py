"""The tabs of models: hazard ratios, several variables, proportional hazards."""

from __future__ import annotations

from typing import Any

import pandas as pd
from dash import Output, html
from dash.exceptions import PreventUpdate

from gui.analyses.survival_result import TOGETHER, SurvivalResult
from gui.answers.survival import (
    MEANING,
    MODEL_TEXTS,
    draws_sentence,
    forest_sentence,
    hazards_sentence,
    shown_forest,
    shown_together,
    together_sentence,
)
from gui.answers.survival_tables import forest_table, hazards_table, together_table
from gui.components.common import empty_state
from gui.components.views import options, switch
from gui.pages.survival.base import TAB, page, result_of
from gui.pages.survival.view import FigureOrTable
from gui.plugin import DARK, REVISION, Context
from gui.report.survival import forest_figure, residual_figure, together_figure

PER = {"sd": "per SD", "points": "per 10 percentage points"}
forest_view = FigureOrTable(
    "forest",
    "Hazard ratios of the fraction of each cell type (Cox models), with 95 % intervals.",
    model="adjusted",
    per="sd",
)
together_view = FigureOrTable("together", "Cox model of several variables together.")
hazards_view = FigureOrTable(
    "hazards", "Score tests of proportional hazards.", model="adjusted", of="first"
)


def forest_layout(ctx: Context) -> html.Div:
    per = switch(PER, forest_view.id("per"), forest_view.value(ctx, "per"))
    return forest_view.layout(ctx, forest_view.select(ctx, "model", "Models", 200), per)


def together_layout(ctx: Context) -> html.Div:
    return together_view.layout(ctx)


def hazards_layout(ctx: Context) -> html.Div:
    model = hazards_view.select(ctx, "model", "Models", 200)
    return hazards_view.layout(ctx, model, hazards_view.select(ctx, "of", "Coefficient"))


def model_of(result: SurvivalResult, value: str | None) -> str:
    """The model that is chosen, or the first there is."""
    return value if value in result.models else next(iter(result.models), "")


def _choices(models: list[str]) -> list[dict[str, str]]:
    return options({model: MODEL_TEXTS[model] for model in models})


# -- each cell type
# --------------------------------------------------------------------------------------------------
@page.callback(
    output={
        **forest_view.outputs,
        "data": Output(forest_view.id("model"), "data"),
        "value": Output(forest_view.id("model"), "value"),
    },
    inputs={
        "_revision": REVISION,
        "dark": DARK,
        "tab": TAB,
        "model": forest_view.input("model"),
        "per": forest_view.input("per"),
        "look": forest_view.input("look"),
    },
)
def draw_forest(
    ctx: Context,
    *,
    dark: bool,
    tab: str,
    model: str | None,
    per: Any,
    look: str,
    _revision: str | None,
) -> dict[str, Any]:
    result = result_of(ctx)
    if tab != "forest" or result is None:
        raise PreventUpdate
    of = model_of(result, model)
    if not of:
        why = " ".join(result.refused) or "There are too few events."
        return forest_view.nothing(empty_state("No hazard ratios", why))
    head = {"data": _choices(result.models), **({} if of == model else {"value": of})}
    words = forest_sentence(result, of)
    if shown_forest(result, of).empty:
        return {**head, **forest_view.nothing(empty_state("No hazard ratios", words))}
    detail = f"{draws_sentence(result, of)} {MEANING}".strip()
    shown: Any = forest_table(result, of)
    if look != "table":
        shown = forest_figure(result, of, per, ctx.session.dataset)
    return {**head, **forest_view.drawn(words, shown, dark=dark, detail=detail)}


# -- several variables
# --------------------------------------------------------------------------------------------------
@page.callback(
    output=together_view.outputs,
    inputs={
        "_revision": REVISION,
        "dark": DARK,
        "tab": TAB,
        "look": together_view.input("look"),
    },
)
def draw_together(
    ctx: Context, *, dark: bool, tab: str, look: str, _revision: str | None
) -> dict[str, Any]:
    result = result_of(ctx)
    if tab != "together" or result is None:
        raise PreventUpdate
    if not len(result.together):
        refused = [text for text in result.refused if text.startswith("Several")]
        why = " ".join(refused) or (
            "Choose covariates under “Adjust for”, or cell types under “Several variables”, and"
            " run again."
        )
        return together_view.nothing(empty_state("No model of several variables", why))
    words = together_sentence(result)
    if shown_together(result).empty:
        return together_view.nothing(empty_state("No hazard ratios", words))
    if look == "table":
        return together_view.drawn(words, together_table(result), dark=dark)
    return together_view.drawn(words, together_figure(result), dark=dark)


# -- proportional hazards
# --------------------------------------------------------------------------------------------------
@page.callback(
    output={
        **hazards_view.outputs,
        "models": Output(hazards_view.id("model"), "data"),
        "model_value": Output(hazards_view.id("model"), "value"),
        "data": Output(hazards_view.id("of"), "data"),
        "value": Output(hazards_view.id("of"), "value"),
    },
    inputs={
        "_revision": REVISION,
        "dark": DARK,
        "tab": TAB,
        "model": hazards_view.input("model"),
        "of": hazards_view.input("of"),
        "look": hazards_view.input("look"),
    },
)
def draw_hazards(
    ctx: Context,
    *,
    dark: bool,
    tab: str,
    model: str | None,
    of: str | None,
    look: str,
    _revision: str | None,
) -> dict[str, Any]:
    result = result_of(ctx)
    if tab != "hazards" or result is None:
        raise PreventUpdate
    there = tested_models(result)
    if not there:
        return hazards_view.nothing(empty_state("Nothing to test", "No model was fitted."))
    which = model if model in there else there[0]
    names = coefficients(result, which)
    name = of if of in names else next(iter(names), None)
    head = {
        "models": _choices(there),
        "data": options({n: n for n in names}),
        **({} if which == model else {"model_value": which}),
        **({} if name == of else {"value": name}),
    }
    words = hazards_sentence(result, which)
    if look == "table" or name is None:
        return {**head, **hazards_view.drawn(words, hazards_table(result, which), dark=dark)}
    fig = residual_figure(result, which, name)
    return {**head, **hazards_view.drawn(words, fig, dark=dark)}


def tested_models(result: SurvivalResult) -> list[str]:
    """Models whose hazards were tested."""
    found = set(result.hazards["model"])
    return [m for m in (*result.models, TOGETHER) if m in found]


def coefficients(result: SurvivalResult, model: str) -> list[str]:
    """Coefficients of a model that have residuals."""
    rows = result.smooth[result.smooth["model"] == model]
    return list(map(str, dict.fromkeys(rows["coefficient"])))


def _forest_frame(result: SurvivalResult, model: str | None) -> pd.DataFrame | None:
    return forest_table(result, model_of(result, model)) if result.models else None


def _hazards_frame(result: SurvivalResult, model: str | None) -> pd.DataFrame | None:
    there = tested_models(result)
    return hazards_table(result, model if model in there else there[0]) if there else None


forest_view.bind(_forest_frame, ("model",))
together_view.bind(lambda result: together_table(result) if len(result.together) else None)
hazards_view.bind(_hazards_frame, ("model",))
