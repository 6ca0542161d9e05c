"""Tab Hidden profile: genes of the hidden background, and its fraction by sample."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
import plotly.graph_objects as go
from dash import Input, Output, State, html
from dash.exceptions import PreventUpdate

from gui.answers.adtd import true_hidden
from gui.answers.robustness import hidden_range_texts, robustness_of
from gui.components.figure import bind_figure_export, figure_card
from gui.components.number_field import whole_number_field
from gui.components.persistent_controls import PersistentControls
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style, switch
from gui.engine.results import ADTDResult, Run
from gui.figures import adtd as figures
from gui.figures import fractions
from gui.figures.template import styled
from gui.figures.text import settled
from gui.pages.adtd.base import HIDDEN_TAB, TAB, adtd_run, page, saved_as, visible
from gui.plugin import DARK, REVISION, Context

GENES, SAMPLES = "genes", "samples"
DEFAULT_N, MOST_N = 30, 200
WORDS = {
    GENES: (
        "What the hidden background expresses, beside the mean of the reference: a hint at which"
        " cells are missing."
    ),
    SAMPLES: "All fractions within the interval fit the data equally well.",
}
ENGINE = {
    GENES: (
        "Fraction of every gene in the expression of the hidden background and of the mean of the"
        " reference"
    ),
    SAMPLES: "Hidden fraction with its interval",
}
UNITS = {of: f"{text} (%)." for of, text in ENGINE.items()}


views = Views(page, "hidden")
kept = PersistentControls(page, hidden_of=GENES, hidden_view="figure", hidden_n=DEFAULT_N)


def panel(ctx: Context) -> Any:
    """The tab's skeleton."""
    there_is = adtd_run(ctx) is not None
    many = whole_number_field(
        id=page.id.hidden_n,
        value=kept.value(ctx, "hidden_n"),
        min=1,
        max=MOST_N,
        w=110,
        size="xs",
        debounce=300,
        suffix=" genes",
        **{"aria-label": "Number of genes"},
    )
    controls = [
        switch(
            {GENES: "Genes", SAMPLES: "Fraction by sample"},
            page.id.hidden_of,
            kept.value(ctx, "hidden_of"),
        ),
        switch(
            {"figure": "Figure", "table": "Table"},
            page.id.hidden_view,
            kept.value(ctx, "hidden_view"),
        ),
        html.Div(many, id=page.id.hidden_n_box),
    ]
    drawing = figure_card(page, "hidden", file_name="hidden-profile")
    unit = dmc.Text("", id=page.id.hidden_unit, size="xs", c="dimmed", mb=4)
    there = views.layout(
        controls, drawing, result_table(page, "hidden_table", engine=True), unit=unit
    )
    words = dmc.Text("", id=page.id.hidden_words, size="xs", c="dimmed", mt=4)
    return html.Div(
        [
            html.Div(id=page.id.hidden_empty, style=visible(not there_is)),
            html.Div([there, words], id=page.id.hidden_body, style=visible(there_is)),
        ]
    )


# -- what is shown: pure
# --------------------------------------------------------------------------------------------------
def profile_table(result: ADTDResult) -> pd.DataFrame:
    """Return by gene, largest first, its fraction of the hidden profile and of the reference.

    Both sum to 1.
    """
    profiles = result.reference / result.reference.sum(axis=0)
    found = pd.DataFrame(
        {
            "hidden background": result.hidden_profile,
            "mean of the reference": profiles.mean(axis=1).reindex(result.hidden_profile.index),
        }
    )
    found.index.name = "gene"
    return found.sort_values("hidden background", ascending=False, kind="stable")


def fraction_table(result: ADTDResult) -> pd.DataFrame:
    """Return by sample the hidden fraction, its equal-fit interval, and the truth if known."""
    columns: dict[str, pd.Series] = {"hidden": result.hidden}
    if result.hidden_interval is not None:
        columns |= {"low": result.hidden_interval["low"], "high": result.hidden_interval["high"]}
    truth = true_hidden(result)
    if truth is not None:
        columns["true"] = truth
    found = pd.DataFrame(
        {name: values.reindex(result.hidden.index) for name, values in columns.items()}
    )
    found.index.name = "sample"
    return found


def figure(result: ADTDResult, of: str, n: int, dark: bool) -> go.Figure:
    if of == SAMPLES:
        return styled(
            fractions.hidden_fraction(
                result.hidden, result.hidden_interval, truth=true_hidden(result)
            ),
            dark,
        )
    return styled(figures.hidden_profile(result.hidden_profile, result.reference, n), dark)


def table(result: ADTDResult, of: str) -> pd.DataFrame:
    """The same in percent, as on screen."""
    found = fraction_table(result) if of == SAMPLES else profile_table(result)
    return (settled(found) * 100).rename_axis("Sample" if of == SAMPLES else "Gene")


def _words(ctx: Context, run: Run, of: str) -> str:
    """What is drawn; of the fractions also which of their ranges is widest."""
    if of != SAMPLES:
        return WORDS.get(of, "")
    texts = hidden_range_texts(ctx.session, run)
    if robustness_of(ctx.session, run) is None:
        texts.append("How far it depends on the number of genes: page Robustness.")
    return " ".join([WORDS[SAMPLES], *texts])


# -- callbacks
# --------------------------------------------------------------------------------------------------
kept.bind()
bind_figure_export(page, "hidden")


def _name(result: ADTDResult, of: str) -> str:
    return "hidden-fraction" if of == SAMPLES else saved_as(result, "hidden-profile")


def _to_save(ctx: Context, of: str) -> TableFile | None:
    run = adtd_run(ctx)
    if run is None:
        return None
    engine = fraction_table(run.result) if of == SAMPLES else profile_table(run.result)
    return TableFile(
        _name(run.result, of),
        table(run.result, of),
        UNITS[of],
        engine,
        f"{ENGINE[of]} with full precision: 1 is 100 %.",
    )


bind_table_export(page, "hidden_table", _to_save, State(page.id.hidden_of, "value"), engine=True)


@page.callback(
    output={
        "empty": Output(page.id.hidden_empty, "style"),
        "body": Output(page.id.hidden_body, "style"),
        "words": Output(page.id.hidden_words, "children"),
        "n_box": Output(page.id.hidden_n_box, "style"),
        "figure": Output(page.id.hidden, "figure"),
        "figure_style": Output(page.id.hidden, "style"),
        "file": Output(page.id.hidden_file, "data"),
        "columns": Output(page.id.hidden_table, "columnDefs"),
        "rows": Output(page.id.hidden_table, "rowData"),
        "note": Output(page.id.hidden_table_note, "children"),
        "unit": Output(page.id.hidden_unit, "children"),
        "views": views.outputs,
    },
    inputs={
        "_revision": REVISION,
        "dark": DARK,
        "tab": TAB,
        "of": Input(page.id.hidden_of, "value"),
        "view": Input(page.id.hidden_view, "value"),
        "n": Input(page.id.hidden_n, "value"),
    },
)
def show_hidden(
    ctx: Context, *, dark: bool, tab: str, of: str, view: str, n: Any, _revision: Any
) -> dict[str, Any]:
    if tab != HIDDEN_TAB:
        raise PreventUpdate
    run = adtd_run(ctx)
    if run is None:
        return {"empty": SHOWN, "body": GONE}
    head = {
        "empty": GONE,
        "body": SHOWN,
        "words": _words(ctx, run, of),
        "n_box": visible(of == GENES and view != "table"),
    }
    if view == "table":
        # of a single gene, 0.01 % is much
        shown = table_view(table(run.result, of), percent=of == SAMPLES)
        return {
            **head,
            "columns": shown.columns,
            "rows": shown.rows,
            "note": shown.note,
            "unit": UNITS[of],
            "views": views.show("table"),
        }
    many = n if isinstance(n, int) and 1 <= n <= MOST_N else DEFAULT_N
    drawn = figure(run.result, of, many, bool(dark))
    style = graph_height_style(drawn)
    return {
        **head,
        "figure": drawn,
        "figure_style": style,
        "file": _name(run.result, of),
        "views": views.show("figure"),
    }
