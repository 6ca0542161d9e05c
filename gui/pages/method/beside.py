"""Tabs of what a run holds beside the fractions: hidden background and gene weights.

Each is there where the run has the capability, whichever method it is of.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, html
from dash.exceptions import PreventUpdate

from gui.answers.confidence_intervals import bootstrap_of
from gui.components.figure import bind_figure_export, figure_card
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, graph_height_style
from gui.data.dataset import HIDDEN
from gui.engine.results import Run
from gui.figures import fractions
from gui.figures.palette import type_colours
from gui.figures.template import blank, styled
from gui.figures.text import settled
from gui.methods.method import KIND, Capability
from gui.methods.registry import capabilities_of
from gui.pages.method.base import page
from gui.plugin import DARK, REVISION, Context
from gui.sessions.cache import DCXCache

TABS = {"hidden": "Hidden fraction", "weights": "Gene weights"}
NEEDS = {"hidden": Capability.HIDDEN, "weights": Capability.WEIGHTS}
"""Tab -> what a run must hold."""
TAB = Input(page.id.tabs, "value")
NO_HIDDEN = "This run estimates no hidden background."
MOST = 1000
"""Genes in the table on screen; the saved one holds all."""


def tabs() -> list[Any]:
    """Of the list of tabs; shown by :func:`show_tabs`."""
    return [
        dmc.TabsTab(text, value=key, px="xs", fz=13, id=tab_id(key), style=GONE)
        for key, text in TABS.items()
    ]


def tab_id(key: str) -> str:
    return str(getattr(page.id, f"tab_{key}"))


def panels() -> list[Any]:
    """Both panels, empty until their tab is open."""
    drawing = figure_card(page, "hidden", file_name="method-hidden-fraction")
    table = result_table(page, "weights", engine=True)
    words = [dmc.Text("", id=getattr(page.id, f"{key}_words"), size="xs", mb=4) for key in TABS]
    return [
        dmc.TabsPanel(html.Div([words[0], drawing]), value="hidden"),
        dmc.TabsPanel(html.Div([words[1], table]), value="weights"),
    ]


def hidden_table(session: DCXCache, run: Run) -> pd.DataFrame | None:
    """By sample the hidden fraction, with low and high where there are intervals; None without."""
    if Capability.HIDDEN not in capabilities_of(run):
        return None
    found = pd.DataFrame({"hidden": run.result.hidden}).rename_axis("sample")
    drawn = bootstrap_of(session, run)
    if drawn is not None and HIDDEN in drawn.result.low.index:
        found["low"], found["high"] = drawn.result.low.loc[HIDDEN], drawn.result.high.loc[HIDDEN]
    return found


def weights_table(run: Run) -> pd.DataFrame | None:
    """genes x layers, the largest of the first layer first; None without gene weights."""
    if Capability.WEIGHTS not in capabilities_of(run):
        return None
    table: pd.DataFrame = run.result.gene_weights
    return table.sort_values(table.columns[0], ascending=False, kind="stable").rename_axis("gene")


@page.callback(output={key: Output(tab_id(key), "style") for key in TABS}, inputs={"_": REVISION})
def show_tabs(ctx: Context, *, _: str | None) -> dict[str, Any]:
    run = ctx.session.current(KIND)
    has = frozenset() if run is None else capabilities_of(run)
    return {key: SHOWN if NEEDS[key] in has else GONE for key in TABS}


@page.callback(
    output={
        "figure": Output(page.id.hidden, "figure"),
        "style": Output(page.id.hidden, "style"),
        "words": Output(page.id.hidden_words, "children"),
    },
    inputs={"_revision": REVISION, "dark": DARK, "tab": TAB},
)
def show_hidden(ctx: Context, *, dark: bool, tab: str, _revision: Any) -> dict[str, Any]:
    if tab != "hidden":
        raise PreventUpdate
    run = ctx.session.current(KIND)
    table = None if run is None else hidden_table(ctx.session, run)
    if run is None or table is None:
        return {"figure": blank(), "style": GONE, "words": NO_HIDDEN}
    words = "Bars: the hidden fraction of every sample."
    if "low" in table:
        words += " Whiskers: 95 % interval from resampled genes."
        colours = type_colours(ctx.session.dataset, HIDDEN)
        drawn = fractions.with_interval(
            HIDDEN, table["hidden"], table["low"], table["high"], colours
        )
    else:
        words += " Intervals: tab Uncertainty."
        drawn = fractions.hidden_fraction(table["hidden"])
    figure = styled(drawn, bool(dark))
    return {"figure": figure, "style": graph_height_style(figure), "words": words}


@page.callback(
    output={
        "columns": Output(page.id.weights, "columnDefs"),
        "rows": Output(page.id.weights, "rowData"),
        "note": Output(page.id.weights_note, "children"),
        "words": Output(page.id.weights_words, "children"),
    },
    inputs={"_revision": REVISION, "tab": TAB},
)
def show_weights(ctx: Context, *, tab: str, _revision: Any) -> dict[str, Any]:
    if tab != "weights":
        raise PreventUpdate
    run = ctx.session.current(KIND)
    table = None if run is None else weights_table(run)
    if table is None:
        return {"columns": [], "rows": [], "note": "", "words": "This run has no gene weights."}
    shown = table_view(settled(table.iloc[:MOST]).rename_axis("Gene"))
    return {
        "columns": shown.columns,
        "rows": shown.rows,
        "note": shown.note,
        "words": "How much every gene counts in the fit; 1 on average.",
    }


def _to_save(ctx: Context) -> TableFile | None:
    run = ctx.session.current(KIND)
    table = None if run is None else weights_table(run)
    if run is None or table is None:
        return None
    about = f"Gene weights of {run.result.title}. One row per gene."
    return TableFile("method-weights", settled(table), about, table, about)


bind_figure_export(page, "hidden")
bind_table_export(page, "weights", _to_save, engine=True)
