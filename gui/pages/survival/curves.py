"""The tab Curves: Kaplan-Meier of everybody, of groups of a fraction, of a clinical column."""

from __future__ import annotations

from typing import Any

import pandas as pd
from dash import Output, html
from dash.exceptions import PreventUpdate

from gui.analyses.survival_result import ALL, SurvivalResult
from gui.answers.survival import curve_sentence, mean_sentence, median_sentence, variable_name
from gui.answers.survival_tables import groups_table, tests_table
from gui.components.views import options
from gui.pages.survival.base import TAB, page, result_of
from gui.pages.survival.view import FigureOrTable
from gui.plugin import DARK, REVISION, Context
from gui.report.survival import curves_figure

FIRST = "first"
"""Of the select before anything was chosen: the first groups there are."""
view = FigureOrTable(
    "curves",
    "Kaplan-Meier estimates and log-rank tests.",
    looks={"figure": "Figure", "table": "Groups", "tests": "All tests"},
    of=FIRST,
)


def curves_layout(ctx: Context) -> html.Div:
    return view.layout(ctx, view.select(ctx, "of", "Groups of"))


def chosen(result: SurvivalResult, value: str | None) -> tuple[str, str]:
    """Kind and variable of a value of the select; the first with groups where it is none."""
    there = result.variables()
    kind, _, name = str(value).partition(":")
    if (kind, name) in there:
        return kind, name
    return next((one for one in there if one[0] != ALL), there[0])


def table_of(result: SurvivalResult, look: str, of: str | None) -> pd.DataFrame:
    if look == "tests":
        return tests_table(result)
    return groups_table(result, *chosen(result, of))


@page.callback(
    output={
        **view.outputs,
        "data": Output(view.id("of"), "data"),
        "value": Output(view.id("of"), "value"),
        "file": Output(view.id("figure_file"), "data"),
    },
    inputs={
        "_revision": REVISION,
        "dark": DARK,
        "tab": TAB,
        "of": view.input("of"),
        "look": view.input("look"),
    },
)
def draw_curves(
    ctx: Context, *, dark: bool, tab: str, of: str | None, look: str, _revision: str | None
) -> dict[str, Any]:
    result = result_of(ctx)
    if tab != "curves" or result is None:
        raise PreventUpdate
    kind, name = chosen(result, of)
    value = f"{kind}:{name}"
    head = {
        "data": options({f"{k}:{n}": variable_name(k, n) for k, n in result.variables()}),
        "file": f"survival_{variable_name(kind, name)}",
        **({} if value == of else {"value": value}),
    }
    words = curve_sentence(result, kind, name)
    detail = f"{median_sentence(result, kind, name)} {mean_sentence(result, kind, name)}"
    shown = curves_figure(result, kind, name) if look == "figure" else table_of(result, look, of)
    return {**head, **view.drawn(words, shown, dark=dark, detail=detail)}


view.bind(table_of, ("look", "of"))
