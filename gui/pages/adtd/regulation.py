"""Tab Gene regulation: heatmap and table of Delta for chosen or most regulated genes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import dash_mantine_components as dmc
import pandas as pd
import plotly.graph_objects as go
from dash import Input, Output, State, html, no_update
from dash.exceptions import PreventUpdate

from gui.answers.adtd import model_name, unsupported_types
from gui.answers.confidence_intervals import stability
from gui.components.common import empty_state
from gui.components.figure import bind_figure_export, figure_card
from gui.components.jobs import only_jobs, running, running_state
from gui.components.number_field import whole_number_field
from gui.components.persistent_controls import PersistentControls
from gui.components.table import TableFile, TableView, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style, switch
from gui.engine.results import ADTDResult, BootstrapResult
from gui.figures import adtd as figures
from gui.figures.template import blank, styled
from gui.figures.text import settled
from gui.pages.adtd import regulation_files
from gui.pages.adtd.base import (
    REGULATION,
    TAB,
    adtd_run,
    intervals_of,
    page,
    saved_as,
    stable_result,
    visible,
)
from gui.plugin import DARK, JOBS, REVISION, Context
from gui.text import number, some

EACH = "each"
"""The value of the type control for "in each cell type"."""
TYPE = "type:"
DEFAULT_N, MOST_N = 10, 200
FACTOR, LOG2 = "factor", "log2"
HEATMAP, TABLE, SUPPORT = "heatmap", "table", "support"
ALL_TYPES = {"value": EACH, "label": "in each cell type"}
UNITS = {
    TABLE: (
        "Factor by which a gene's expression in a cell type differs from the reference; 1: not"
        " regulated."
    ),
    SUPPORT: (
        "How well the data support the regulation, from 0 to 1; grey in the heatmap below"
        f" {figures.LOW_SUPPORT:g}."
    ),
}


class Wanted(NamedTuple):
    """What the controls say.

    Attributes
    ----------
    of
        EACH or "type:<name>".
    genes
        Chosen by search, in place of the most regulated ones.
    """

    n: int = DEFAULT_N
    of: str = EACH
    genes: tuple[str, ...] = ()
    supported: bool = True
    scale: str = FACTOR


views = Views(page, "regulation")
kept = PersistentControls(
    page,
    regulation_view=HEATMAP,
    genes_n=DEFAULT_N,
    genes_type=EACH,
    genes_chosen=[],
    regulation_scale=FACTOR,
    supported=True,
)


def panel(ctx: Context) -> Any:
    """The tab's skeleton."""
    run = adtd_run(ctx)
    there_is = run is not None and run.result.gene_regulation is not None
    small = {"size": "xs"}
    controls = [
        switch(
            {HEATMAP: "Heatmap", TABLE: "Table", SUPPORT: "Support"},
            page.id.regulation_view,
            kept.value(ctx, "regulation_view"),
        ),
        whole_number_field(
            id=page.id.genes_n,
            value=kept.value(ctx, "genes_n"),
            min=1,
            max=MOST_N,
            w=82,
            prefix="Top ",
            debounce=300,
            **small,
            **{"aria-label": "Most regulated genes"},
        ),
        dmc.Select(
            id=page.id.genes_type,
            data=[ALL_TYPES],
            value=kept.value(ctx, "genes_type"),
            w=160,
            allowDeselect=False,
            searchable=True,
            checkIconPosition="right",
            **small,
            **{"aria-label": "in which cell type"},
        ),
        dmc.MultiSelect(
            id=page.id.genes_chosen,
            data=kept.value(ctx, "genes_chosen"),
            value=kept.value(ctx, "genes_chosen"),
            placeholder="or genes by name…",
            searchable=True,
            clearable=True,
            limit=50,
            hidePickedOptions=True,
            nothingFoundMessage="No such gene",
            debounce=100,
            style={"flex": 1, "minWidth": 150, "maxWidth": 420},
            **small,
            **{"aria-label": "Genes by name"},
        ),
        dmc.Box(
            switch(
                {FACTOR: "Factor", LOG2: "log2"},
                page.id.regulation_scale,
                kept.value(ctx, "regulation_scale"),
            ),
            id=page.id.regulation_scale_box,
        ),
        dmc.Tooltip(
            dmc.Switch(
                id=page.id.supported,
                checked=kept.value(ctx, "supported"),
                label="Supported only",
                **small,
            ),
            label=(
                "Hide regulation that the data hardly support: of rare cell types and of genes"
                " with a small weight."
            ),
        ),
    ]
    drawing = figure_card(page, "regulation", file_name="gene-regulation")
    unit = dmc.Text("", id=page.id.regulation_unit, size="xs", c="dimmed", mb=4)
    there = views.layout(
        controls, drawing, result_table(page, "regulation_table", engine=True, tidy=True), unit=unit
    )
    words = dmc.Text("", id=page.id.regulation_words, size="xs", c="dimmed", mt=4)
    return html.Div(
        [
            html.Div(id=page.id.regulation_empty, style=GONE),
            html.Div([there, words], id=page.id.regulation_body, style=visible(there_is)),
        ]
    )


# -- what is shown: pure
# --------------------------------------------------------------------------------------------------
def chosen_genes(result: ADTDResult, wanted: Wanted) -> list[str]:
    """Return the genes to show: those chosen by name, else the n most regulated."""
    delta = result.gene_regulation
    if delta is None:
        return []
    if wanted.genes:
        return [g for g in wanted.genes if g in delta.index]
    support = result.support if wanted.supported else None
    types = [str(t) for t in delta.columns] if wanted.of == EACH else [wanted.of.removeprefix(TYPE)]
    found: dict[str, None] = {}
    for name in types:
        if name in delta.columns:
            found.update(dict.fromkeys(figures.most_regulated(delta, support, wanted.n, name)))
    return list(found)


def heatmap(
    result: ADTDResult,
    genes: Sequence[str],
    wanted: Wanted,
    dark: bool,
    sure: BootstrapResult | None = None,
) -> go.Figure:
    """The heatmap of ``genes``; empty where there are none.

    Parameters
    ----------
    sure
        The run's intervals, if they were computed.
    """
    if result.gene_regulation is None or not genes:
        return styled(blank(), dark)
    steady = stability(sure, result)
    return styled(
        figures.gene_regulation(
            result.gene_regulation,
            result.support,
            genes=genes,
            log2=wanted.scale == LOG2,
            stability=steady,
        ),
        dark,
    )


def table(result: ADTDResult, genes: Sequence[str], of: str) -> TableView:
    """Regulation or support of ``genes``, genes x cell types."""
    frame = _frame(result, of)
    return TableView([], []) if frame is None else table_view(shown_frame(frame, genes))


def _frame(result: ADTDResult, of: str) -> pd.DataFrame | None:
    return result.support if of == SUPPORT else result.gene_regulation


def shown_frame(frame: pd.DataFrame, genes: Sequence[str]) -> pd.DataFrame:
    """Regulation or support of ``genes`` as on screen."""
    return settled(frame.loc[list(genes)]).rename_axis("Gene")


def words(result: ADTDResult, genes: Sequence[str], wanted: Wanted) -> str:
    """What the heatmap shows and how far to trust it."""
    if not genes:
        hint = (
            " Switch “Supported only” off to see them all, or use a smaller λ₂."
            if wanted.supported and not wanted.genes
            else ""
        )
        return f"No regulation here has support in the data.{hint}"
    weak = unsupported_types(result)
    said = f" No regulation is supported for {some(weak)}." if weak else ""
    count = f"{number(len(genes))} gene{'s' * (len(genes) > 1)}"
    return (
        f"{count}; 1 is not regulated. Grey: little support in the data (rare cell types, genes"
        f" with a small weight, or an uncertain direction).{said}"
    )


def nothing(model: str | None) -> Any:
    """Why there is no gene regulation, and the button that leads to it."""
    choose = dmc.Button("Choose gene regulation", variant="light", id=page.id.each("model", "h,r"))
    if model is None:
        return empty_state(
            "No gene regulation yet",
            "The model “Hidden background + gene regulation” estimates how genes are regulated"
            " in each cell type. Choose it on the left and run it.",
            choose,
        )
    return empty_state(
        f"The model “{model_name(model)}” estimates no gene regulation",
        "The model “Hidden background + gene regulation” does. Choose it on the left and run it.",
        choose,
    )


# -- callbacks
# --------------------------------------------------------------------------------------------------
kept.bind()
bind_figure_export(page, "regulation")


def _to_save(ctx: Context, view: str, *controls: Any) -> TableFile | None:
    run = adtd_run(ctx)
    frame = None if run is None else _frame(run.result, view)
    if run is None or frame is None:
        return None
    genes = chosen_genes(stable_result(ctx, run), wanted_of(*controls))
    sure = intervals_of(ctx, run)
    name = "gene-regulation-support" if view == SUPPORT else saved_as(run.result, "gene-regulation")
    about = UNITS[SUPPORT if view == SUPPORT else TABLE]
    shown = f"{about} The {number(len(genes))} genes shown of {number(len(frame))}."
    return TableFile(
        name,
        shown_frame(frame, genes),
        shown,
        frame.rename_axis("gene"),
        f"{about} All {number(len(frame))} genes with full precision.",
        regulation_files.tidy_frame(run, sure),
        regulation_files.ABOUT,
        lambda: regulation_files.workbook(run, sure),
    )


def wanted_of(n: Any, of: str, genes: Sequence[str] | None, supported: bool, scale: str) -> Wanted:
    """What the controls say, from their values."""
    return Wanted(
        n if isinstance(n, int) and 1 <= n <= MOST_N else DEFAULT_N,
        of,
        tuple(genes or ()),
        bool(supported),
        scale,
    )


CONTROLS = [
    Input(page.id.genes_n, "value"),
    Input(page.id.genes_type, "value"),
    Input(page.id.genes_chosen, "value"),
    Input(page.id.supported, "checked"),
    Input(page.id.regulation_scale, "value"),
]
"""Of the genes shown, in the order of :func:`wanted_of`."""
_STATES = [State(i.component_id, i.component_property) for i in CONTROLS]
bind_table_export(
    page,
    "regulation_table",
    _to_save,
    State(page.id.regulation_view, "value"),
    *_STATES,
    engine=True,
    tidy=True,
)


@page.callback(
    Output(page.id.genes_type, "data"),
    Output(page.id.genes_type, "value"),
    Output(page.id.genes_chosen, "data"),
    Output(page.id.genes_chosen, "value"),
    REVISION,
    TAB,
    State(page.id.genes_type, "value"),
    State(page.id.genes_chosen, "value"),
)
def offer_genes(ctx: Context, _revision: Any, tab: str, of: str, genes: list[str] | None) -> Any:
    """The types and genes of the current run; what is chosen stays where it can."""
    run = adtd_run(ctx)
    if tab != REGULATION or run is None or run.result.gene_regulation is None:
        raise PreventUpdate
    delta = run.result.gene_regulation
    types = [ALL_TYPES, *({"value": f"{TYPE}{t}", "label": f"in {t}"} for t in delta.columns)]
    known = set(delta.index)
    kept = [g for g in genes or [] if g in known]
    return (
        types,
        of if of in {t["value"] for t in types} else EACH,
        sorted(map(str, delta.index)),
        kept if kept != (genes or []) else no_update,
    )


@page.callback(
    output={
        "empty": Output(page.id.regulation_empty, "style"),
        "nothing": Output(page.id.regulation_empty, "children"),
        "body": Output(page.id.regulation_body, "style"),
        "words": Output(page.id.regulation_words, "children"),
        "scale_box": Output(page.id.regulation_scale_box, "style"),
        "figure": Output(page.id.regulation, "figure"),
        "figure_style": Output(page.id.regulation, "style"),
        "file": Output(page.id.regulation_file, "data"),
        "columns": Output(page.id.regulation_table, "columnDefs"),
        "rows": Output(page.id.regulation_table, "rowData"),
        "note": Output(page.id.regulation_table_note, "children"),
        "unit": Output(page.id.regulation_unit, "children"),
        "views": views.outputs,
    },
    inputs={
        "_revision": REVISION,
        "dark": DARK,
        "_jobs": JOBS,
        "tab": TAB,
        "view": Input(page.id.regulation_view, "value"),
        "controls": CONTROLS,
    },
)
def show_regulation(
    ctx: Context,
    *,
    dark: bool,
    tab: str,
    view: str,
    controls: Sequence[Any],
    _revision: Any,
    _jobs: Any,
) -> dict[str, Any]:
    if tab != REGULATION:
        raise PreventUpdate
    run = adtd_run(ctx)
    if run is None or run.result.gene_regulation is None:
        model = None if run is None else run.params.model  # type: ignore[attr-defined]
        job = running(ctx, "adtd")
        return {
            "empty": SHOWN,
            "nothing": nothing(model) if job is None else running_state(job),
            "body": GONE,
        }
    if only_jobs():
        raise PreventUpdate
    result: ADTDResult = run.result
    believed = stable_result(ctx, run)
    wanted = wanted_of(*controls)
    shown = chosen_genes(believed, wanted)
    head = {
        "empty": GONE,
        "nothing": None,
        "body": SHOWN,
        "words": words(believed, shown, wanted),
        "scale_box": visible(view == HEATMAP),
    }
    if view != HEATMAP:
        filled = table(result, shown, view)
        return {
            **head,
            "columns": filled.columns,
            "rows": filled.rows,
            "note": filled.note,
            "unit": UNITS.get(view, ""),
            "views": views.show("table"),
        }
    drawn = heatmap(result, shown, wanted, bool(dark), intervals_of(ctx, run))
    style = graph_height_style(drawn) if shown else GONE
    return {
        **head,
        "figure": drawn,
        "figure_style": style,
        "file": saved_as(result, "gene-regulation"),
        "views": views.show("figure"),
    }
