"""Tab Search: the loss curve, the L-curve, three choices of lambda2, and the table of losses."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
import plotly.graph_objects as go
from dash import ALL, Input, Output, State, html
from dash.exceptions import PreventUpdate

from gui.answers.adtd import PARTS, search_line, search_sentence
from gui.answers.summary import samples_searched, search_notes
from gui.components.common import clicked
from gui.components.figure import bind_figure_export, figure_card
from gui.components.number_field import typed_number
from gui.components.persistent_controls import PersistentControls
from gui.components.runs import PreviousRuns
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style, switch
from gui.engine.lambda2_advice import advise
from gui.engine.results import Run, SearchResult
from gui.errors import InvalidParameter
from gui.figures import adtd as figures
from gui.figures.lambda2 import lambda2_path
from gui.figures.template import styled
from gui.figures.text import exponent
from gui.pages.adtd.base import (
    SEARCH,
    TAB,
    form,
    head_card,
    head_outputs,
    head_parts,
    page,
    search_form,
    search_run,
    visible,
)
from gui.plugin import DARK, REVISION, Context
from gui.text import exact

CHOICE_TIPS = {
    "min": "The λ₂ with the smallest mean loss on the samples left out.",
    "one_se": (
        "The next grid point above the largest λ₂ whose loss is within one standard deviation of"
        " the minimum: the strongest penalty that fits as well."
    ),
    "drop": "Where the loss falls most when λ₂ is made smaller.",
}
searches = PreviousRuns(
    page, "search", search_form, describe=search_line, name="searches", title="Previous searches"
)


UNIT = "Loss on the samples left out."
NO_PATH = pd.DataFrame(columns=["misfit", "size", "supported", "stability"], dtype=float)
PATH_COLUMNS = {
    "misfit": "squared residual (all samples)",
    "size": "sum of (1 - Δ)²",
    "supported": "genes regulated with support",
    "stability": "same direction in both halves",
}
views = Views(page, "search_result")
kept = PersistentControls(page, search_view="figure")


def panel(ctx: Context) -> Any:
    """The tab's skeleton; the search's answer stands above the tabs (:func:`head`)."""
    searched = search_run(ctx) is not None
    there = views.layout(
        [
            switch(
                {"figure": "Loss", "path": "L-curve", "table": "Table"},
                page.id.search_view,
                kept.value(ctx, "search_view"),
            )
        ],
        figure_card(page, "search_curve", file_name="lambda2-search"),
        result_table(page, "search_table"),
        unit=dmc.Text(UNIT, size="xs", c="dimmed", mb=4),
    )
    return html.Div(
        [
            html.Div(id=page.id.search_empty, style=visible(not searched)),
            html.Div(
                [html.Div(id=page.id.search_choices), there],
                id=page.id.search_body,
                style=visible(searched),
            ),
        ]
    )


def head() -> Any:
    """The search's answer and the earlier searches."""
    return head_card("search", searches.layout())


# -- what is shown: pure
# --------------------------------------------------------------------------------------------------
def curve(result: SearchResult, dark: bool) -> go.Figure:
    """The legend stands at the foot of the figure, however high the window makes it."""
    fig = figures.search(result.losses, result.choices)
    fig.update_layout(legend={"yref": "container", "y": 0, "yanchor": "bottom"}, margin={"b": 78})
    return styled(fig, dark)


def path_figure(result: SearchResult, samples: int | None, dark: bool) -> go.Figure:
    """The L-curve, and supported genes and stability over lambda2."""
    if result.path is None:
        return styled(lambda2_path(NO_PATH, None, None), dark)
    advice = advise(result.losses, samples, result.path)
    bend = None if advice.corner is None else advice.corner.value
    fig = lambda2_path(result.path, bend, advice.value)
    fig.update_layout(legend={"yref": "container", "y": 0, "yanchor": "bottom"}, margin={"b": 92})
    return styled(fig, dark)


def losses_table(result: SearchResult) -> pd.DataFrame:
    """lambda2 x (mean, standard deviation, one column per fold, what it does to the fit)."""
    folds = result.losses.T.set_axis([f"fold {i + 1}" for i in range(len(result.losses))], axis=1)
    shown = pd.concat(
        [result.mean.rename("mean"), result.std.rename("standard deviation"), folds], axis=1
    )
    if (evidence := result.path) is not None:
        shown = pd.concat([shown, evidence.rename(columns=PATH_COLUMNS)], axis=1)
    return shown.set_axis(
        pd.Index([exact(v) for v in result.losses.columns], name="lambda2"), axis=0
    )


def choice_cards(result: SearchResult, used: float | None) -> Any:
    """One card per choice; the one that is lambda2 at present says so."""
    return dmc.SimpleGrid(
        [_choice(key, result.choices.get(key), used) for key in figures.CHOICES],
        cols=3,
        spacing="sm",
        my="sm",
    )


def _choice(key: str, value: float | None, used: float | None) -> Any:
    name, colour, symbol = figures.CHOICES[key]
    name = name[0].upper() + name[1:]
    title = dmc.Tooltip(
        dmc.Text(
            [html.Span(figures.SIGNS[symbol], style={"color": colour}), f" {name}"],
            size="sm",
            fw=600,
            tabIndex=0,
            w="fit-content",
        ),
        label=CHOICE_TIPS[key],
    )
    if value is None:
        return dmc.Paper(
            [title, dmc.Text("there is none", size="sm", c="dimmed")],
            withBorder=True,
            p="xs",
            radius="md",
        )
    same = used is not None and exact(used) == exact(value)
    button = dmc.Button(
        "is λ₂" if same else "Use as λ₂",
        id=page.id.each("choice", key),
        variant="light" if same else "default",
        color="teal" if same else None,
        size="compact-xs",
        **{
            "aria-label": f"{name}: use {exponent(value)} as λ₂",
            "aria-pressed": "true" if same else "false",
        },
    )
    return dmc.Paper(
        [
            title,
            dmc.Group(
                [dmc.Text(exponent(value), fw=700), button],
                justify="space-between",
                gap=4,
                wrap="nowrap",
                mt=2,
            ),
        ],
        withBorder=True,
        px="xs",
        py=6,
        radius="md",
    )


def extent(run: Run) -> str:
    """How much was searched: "21 values × 5 folds · bulk"."""
    result: SearchResult = run.result
    part = PARTS[run.params.part]  # type: ignore[attr-defined]
    return f"{result.losses.shape[1]} values × {result.losses.shape[0]} folds · {part}"


# -- callbacks
# --------------------------------------------------------------------------------------------------
searches.bind()
kept.bind()
bind_figure_export(page, "search_curve")


def _to_save(ctx: Context) -> TableFile | None:
    run = search_run(ctx)
    return None if run is None else TableFile("lambda2-search", losses_table(run.result), UNIT)


bind_table_export(page, "search_table", _to_save)


@page.callback(
    output={
        "empty": Output(page.id.search_empty, "style"),
        "body": Output(page.id.search_body, "style"),
        "head": head_outputs("search"),
        "figure": Output(page.id.search_curve, "figure"),
        "figure_style": Output(page.id.search_curve, "style"),
        "columns": Output(page.id.search_table, "columnDefs"),
        "rows": Output(page.id.search_table, "rowData"),
        "views": views.outputs,
    },
    inputs={
        "_revision": REVISION,
        "dark": DARK,
        "tab": TAB,
        "view": Input(page.id.search_view, "value"),
    },
)
def show_search(ctx: Context, *, dark: bool, tab: str, view: str, _revision: Any) -> dict[str, Any]:
    if tab != SEARCH:
        raise PreventUpdate
    run = search_run(ctx)
    if run is None:
        return {"empty": SHOWN, "body": GONE}
    there = {
        "empty": GONE,
        "body": SHOWN,
        "head": head_parts(
            ctx,
            "search",
            run,
            search_sentence(run.result, samples_searched(ctx.session, run)),
            [(extent(run), "gray")],
            "Search again",
            search_notes(ctx.session, run),
        ),
    }
    if view == "table":
        shown = table_view(losses_table(run.result), index_name="lambda2")
        return {
            **there,
            "columns": shown.columns,
            "rows": shown.rows,
            "views": views.show("table"),
        }
    drawn = (
        path_figure(run.result, samples_searched(ctx.session, run), bool(dark))
        if view == "path"
        else curve(run.result, bool(dark))
    )
    style = graph_height_style(drawn)
    return {**there, "figure": drawn, "figure_style": style, "views": views.show("figure")}


@page.callback(
    Output(page.id.search_choices, "children"),
    REVISION,
    TAB,
    Input(form.id("lambda2"), "value"),
    Input(form.id("model"), "value"),
)
def show_choices(ctx: Context, _revision: Any, tab: str, lambda2: Any, model: str) -> Any:
    run = search_run(ctx)
    if tab != SEARCH or run is None:
        raise PreventUpdate
    try:
        used = typed_number(lambda2, "λ₂") if model != "h" else None
    except InvalidParameter:  # the button says so
        used = None
    return choice_cards(run.result, used)


@page.callback(
    Output(form.fill_id, "data", allow_duplicate=True),
    Input(page.id.each("choice", ALL), "n_clicks"),
    State(form.id("model"), "value"),
    State(form.id("delta_static"), "checked"),
    prevent_initial_call=True,
)
def use_choice(ctx: Context, clicks: Any, model: str, static: bool) -> Any:
    """The choice becomes lambda2; a model without lambda2 becomes Deconomix+h,r."""
    key, run = clicked(), search_run(ctx)
    value = run.result.choices.get(key) if run is not None and key is not None else None
    if value is None:
        raise PreventUpdate
    filled: dict[str, Any] = {"lambda2": value, "": f"{key} {clicks} {ctx.session.revision}"}
    if model == "h":
        filled["model"] = "h,r"
        ctx.notify(
            "λ₂ applies to gene regulation; the model was changed to “Hidden background + gene"
            " regulation”."
        )
    elif model == "custom" and static:
        filled["delta_static"] = False
        ctx.notify("λ₂ applies to gene regulation; Delta static was switched off.")
    return filled
