"""The result tabs of DTD: Composition, Second opinion, Correlation, Markers, Loss and others.

Only the open tab is computed and sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from dash import Input, Output, State, html, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.answers.dtd import TRAP, bulk_shown, loss_hint
from gui.components.agreement import AgreementView
from gui.components.cell_fractions import CellFractionsView
from gui.components.common import drawn, empty_state, not_drawn, tip_label
from gui.components.composition import CompositionView
from gui.components.confidence_intervals import ConfidenceIntervalView
from gui.components.figure import bind_figure_export, figure_card
from gui.components.persistent_controls import PersistentControls
from gui.components.second_opinion import (
    CONSENSUS_PART,
    CONSENSUS_TITLE,
    SecondOpinionView,
)
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style, switch
from gui.engine.results import DTDResult
from gui.figures import dtd as figures
from gui.figures import markers
from gui.figures.palette import GREY, type_colours
from gui.figures.template import styled
from gui.figures.text import RMSE, settled
from gui.pages.dtd.current_result import composition_of, subject_of
from gui.plugin import DARK, REVISION, Context, Page

METRICS = {"pearson": "Pearson", "spearman": "Spearman", "rmse": "RMSE", "ccc": "CCC"}
PARTS = {
    "bulk": "Bulk",
    CONSENSUS_PART: CONSENSUS_TITLE,
    "test": "Test mixtures",
    "train": "Training mixtures",
}
TABS = {
    "composition": "Composition",
    "opinion": "Second opinion",
    "correlation": "Correlation",
    "markers": "Markers",
    "loss": "Loss",
    "sure": "Uncertainty",
    "known": "Against known",
}
DEFAULT_MARKERS, MOST_MARKERS = 50, 500
WEIGHTS = "Gene weights have a mean of 1; importance is gene weight × variance."


def tabs_layout(ctx: Context, page: Page, tab: str) -> Any:
    """The tabs, each with its controls; filled by the callbacks of :func:`bind_tabs`."""
    panels = {
        "composition": lambda: _view(page).layout(ctx),
        "opinion": lambda: _opinion(page).layout(ctx),
        "correlation": lambda: _correlation(ctx, page),
        "markers": lambda: _markers(ctx, page),
        "loss": lambda: _loss(page),
        "sure": lambda: _sure(page).layout(ctx),
        "known": lambda: _known(page).layout(ctx),
    }
    return dmc.Tabs(
        [
            dmc.TabsList(
                [dmc.TabsTab(text, value=key, px="xs", fz=13) for key, text in TABS.items()],
                mb="sm",
            ),
            *[
                dmc.TabsPanel(
                    drawn(
                        f"the tab {key} of DTD",
                        panels[key],
                        not_drawn(f"{TABS[key]} cannot be shown."),
                    ),
                    value=key,
                )
                for key in TABS
            ],
        ],
        id=page.id.tabs,
        value=tab,
    )


def bind_tabs(page: Page) -> None:
    """Record the callbacks of all tabs."""
    _view(page).bind()
    _cells(page).bind()
    _opinion(page).bind()
    _kept(page).bind()
    _bind_correlation(page)
    _bind_scatter(page)
    _bind_markers(page)
    _bind_loss(page)
    _known(page).bind()
    _sure(page).bind()


def _kept(page: Page) -> PersistentControls:
    return PersistentControls(
        page,
        metric="pearson",
        correlation_view="figure",
        markers_view="heatmap",
        markers_n=DEFAULT_MARKERS,
        markers_scale="z",
    )


def _view(page: Page) -> CompositionView:
    return CompositionView(
        page,
        lambda ctx, part: composition_of(ctx.session, part),
        active=(Input(page.id.tabs, "value"), "composition"),
        parts=PARTS,
        normalise=True,
        file="dtd_composition",
        note=TRAP,
        not_kept=(CONSENSUS_PART,),
        more=_cells(page).controls,
        also=_cells(page).changed,
    )


def _cells(page: Page) -> CellFractionsView:
    return CellFractionsView(page, "dtd")


def _opinion(page: Page) -> SecondOpinionView:
    return SecondOpinionView(
        page,
        "dtd",
        lambda ctx: _bulk(ctx) is not None,
        active=(Input(page.id.tabs, "value"), "opinion"),
    )


def _known(page: Page) -> AgreementView:
    return AgreementView(page, _bulk, active=(Input(page.id.tabs, "value"), "known"), file="dtd")


def _sure(page: Page) -> ConfidenceIntervalView:
    return ConfidenceIntervalView(
        page,
        lambda ctx: subject_of(ctx.session),
        active=(Input(page.id.tabs, "value"), "sure"),
        file="dtd",
    )


def _bulk(ctx: Context) -> pd.DataFrame | None:
    """The composition of the current bulk by the current run."""
    run = ctx.session.current("dtd")
    found = None if run is None else bulk_shown(ctx.session, run)
    return found.composition if found is not None and found.fits else None


def _result(ctx: Context) -> DTDResult | None:
    run = ctx.session.current("dtd")
    return None if run is None else run.result


def _nothing(text: str) -> Any:
    return empty_state(
        text,
        "A loaded model holds reference and gene weights only. Load single cells on the Upload"
        " page and run DTD to see this.",
    )


# -- loss
# --------------------------------------------------------------------------------------------------
def _loss(page: Page) -> Any:
    hint = dmc.Text("", id=page.id.loss_hint, size="xs", c="dimmed")
    drawing = figure_card(page, "loss", file_name="dtd_loss", controls=[hint])
    return html.Div(
        [
            html.Div(drawing, id=page.id.loss_there),
            html.Div(
                _nothing("This model has no loss curve."), id=page.id.loss_missing, style=GONE
            ),
        ]
    )


def _bind_loss(page: Page) -> None:
    bind_figure_export(page, "loss")

    @page.callback(
        Output(page.id.loss, "figure"),
        Output(page.id.loss, "style"),
        Output(page.id.loss_there, "style"),
        Output(page.id.loss_missing, "style"),
        Output(page.id.loss_hint, "children"),
        REVISION,
        DARK,
        Input(page.id.tabs, "value"),
    )
    def draw_loss(ctx: Context, _revision: str | None, dark: bool, tab: str) -> Any:
        result = _result(ctx)
        if tab != "loss" or result is None:
            raise PreventUpdate
        if result.correlation.empty:
            return no_update, no_update, GONE, SHOWN, ""
        fig = styled(
            loss_figure(result, type_colours(ctx.session.dataset, *result.reference.columns)),
            bool(dark),
        )
        return fig, graph_height_style(fig, above=385), SHOWN, GONE, loss_hint(result.correlation)


def loss_figure(result: DTDResult, colour_of: Mapping[str, str]) -> go.Figure:
    return figures.loss(result.correlation, colour_of)


# -- correlation
# --------------------------------------------------------------------------------------------------
def _correlation(ctx: Context, page: Page) -> Any:
    kept = _kept(page)
    controls = [
        switch(METRICS, page.id.metric, kept.value(ctx, "metric")),
        switch(
            {"figure": "Figure", "table": "Table"},
            page.id.correlation_view,
            kept.value(ctx, "correlation_view"),
        ),
        dmc.Button(
            "One cell type…", id=page.id.one_type, variant="subtle", size="compact-sm", px=4
        ),
    ]
    choose = [
        dmc.Select(
            id=page.id.scatter_type,
            data=[],
            size="xs",
            w=220,
            searchable=True,
            allowDeselect=False,
            **{"aria-label": "Cell type"},
        ),
        switch({"test": "Test", "train": "Training"}, page.id.scatter_part, "test"),
        switch({"dtd": "DTD", "naive": "Naive"}, page.id.scatter_method, "dtd"),
    ]
    drawing, table = (
        figure_card(page, "correlation", file_name="dtd_correlation"),
        result_table(page, "metrics", engine=True),
    )
    hint = (
        "Estimated against true composition of the pseudobulk mixtures. Click a dot for the"
        " scatter of its cell type."
    )
    there = [
        Views(page, "correlation").layout(controls, drawing, table, note=hint),
        dmc.Modal(
            figure_card(page, "scatter", file_name="dtd_scatter", controls=choose),
            id=page.id.scatter_dialog,
            title="One cell type",
            size="xl",
        ),
    ]
    missing = html.Div(
        _nothing("This model was not compared with a known composition."),
        id=page.id.correlation_missing,
        style=GONE,
    )
    return html.Div([html.Div(there, id=page.id.correlation_there), missing])


def _bind_correlation(page: Page) -> None:
    views = Views(page, "correlation")
    bind_figure_export(page, "correlation")
    bind_table_export(page, "metrics", lambda ctx: _metrics_file(_result(ctx)), engine=True)

    @page.callback(
        output={
            "figure": Output(page.id.correlation, "figure"),
            "figure_style": Output(page.id.correlation, "style"),
            "file": Output(page.id.correlation_file, "data"),
            "columns": Output(page.id.metrics, "columnDefs"),
            "rows": Output(page.id.metrics, "rowData"),
            "views": views.outputs,
            "there": Output(page.id.correlation_there, "style"),
            "missing": Output(page.id.correlation_missing, "style"),
        },
        inputs={
            "_revision": REVISION,
            "dark": DARK,
            "tab": Input(page.id.tabs, "value"),
            "metric": Input(page.id.metric, "value"),
            "look": Input(page.id.correlation_view, "value"),
        },
    )
    def draw_correlation(
        ctx: Context, *, dark: bool, tab: str, metric: str, look: str, _revision: str | None
    ) -> dict[str, Any]:
        result = _result(ctx)
        if tab != "correlation" or result is None:
            raise PreventUpdate
        if result.metrics.empty:
            return {"there": GONE, "missing": SHOWN}
        there = {"there": SHOWN, "missing": GONE}
        if look == "table":
            table = table_view(metrics_table(result))
            return {
                **there,
                "columns": table.columns,
                "rows": table.rows,
                "views": views.show("table"),
            }
        fig = styled(correlation_figure(result, metric), bool(dark))
        style = graph_height_style(fig)
        return {
            **there,
            "figure": fig,
            "figure_style": style,
            "file": f"dtd_{metric}",
            "views": views.show("figure"),
        }


def correlation_figure(result: DTDResult, metric: str) -> go.Figure:
    return figures.correlation(result.metrics, metric)


def metrics_table(result: DTDResult) -> pd.DataFrame:
    """By cell type: part, method and the four measures, RMSE in percentage points."""
    shown = result.metrics.copy()
    shown["rmse"] *= 100
    shown[list(METRICS)] = settled(shown[list(METRICS)])
    shown["part"] = shown["part"].map({"train": "training", "test": "test"}).fillna(shown["part"])
    shown["method"] = [figures.method_name(m) for m in shown["method"]]
    shown = shown.rename(
        columns={
            **METRICS,
            "rmse": RMSE,
            "cell_type": "Cell type",
            "part": "Mixtures",
            "method": "Method",
        }
    )
    return shown.set_index("Cell type")


def _metrics_file(result: DTDResult | None) -> TableFile | None:
    if result is None or result.metrics.empty:
        return None
    about = (
        "Estimated against true composition of pseudobulk mixtures. One row per cell type and"
        " mixtures and method."
    )
    engine = result.metrics.set_index("cell_type").rename_axis("cell type")
    return TableFile(
        "dtd_metrics",
        metrics_table(result),
        about,
        engine,
        f"{about} RMSE as a fraction: 1 is 100 %.",
    )


# -- one type
# --------------------------------------------------------------------------------------------------
def _bind_scatter(page: Page) -> None:
    bind_figure_export(page, "scatter")

    @page.callback(
        Output(page.id.scatter_dialog, "opened"),
        Output(page.id.scatter_type, "data"),
        Output(page.id.scatter_type, "value"),
        Output(page.id.scatter_part, "value"),
        Output(page.id.scatter_method, "value"),
        Output(page.id.correlation, "clickData"),
        Input(page.id.correlation, "clickData"),
        Input(page.id.one_type, "n_clicks"),
        State(page.id.metric, "value"),
        State(page.id.scatter_type, "value"),
        State(page.id.scatter_part, "value"),
        State(page.id.scatter_method, "value"),
        prevent_initial_call=True,
    )
    def open_scatter(
        ctx: Context, click: Any, _one: Any, metric: str, last: str | None, part: str, method: str
    ) -> Any:
        result = _result(ctx)
        if result is None or result.metrics.empty:
            raise PreventUpdate
        types = metric_types(result)
        if call.triggered_id == page.id.one_type:
            return (
                True,
                types,
                last if last in types else types[0],
                part if part in result.truth else "train",
                method,
                no_update,
            )
        found = clicked_dot(result, metric, click)
        if found is None:
            raise PreventUpdate
        return (True, types, *found, None)  # forgotten, so that the same dot can be clicked again

    @page.callback(
        Output(page.id.scatter, "figure"),
        Output(page.id.scatter_file, "data"),
        Input(page.id.scatter_dialog, "opened"),
        Input(page.id.scatter_type, "value"),
        Input(page.id.scatter_part, "value"),
        Input(page.id.scatter_method, "value"),
        REVISION,
        DARK,
        prevent_initial_call=True,
    )
    def draw_scatter(
        ctx: Context,
        opened: bool,
        name: str | None,
        part: str,
        method: str,
        _revision: str | None,
        dark: bool,
    ) -> Any:
        result = _result(ctx)
        if not opened or result is None or name is None:
            raise PreventUpdate
        fig = scatter_figure(
            result, name, part, method, type_colours(ctx.session.dataset, *result.reference.columns)
        )
        if fig is None:
            ctx.notify("This run has no test mixtures.", colour="yellow")
            raise PreventUpdate
        return styled(fig, bool(dark)), f"dtd_scatter_{name}_{part}_{method}"


def metric_types(result: DTDResult) -> list[str]:
    """The cell types compared, in the order drawn."""
    return [str(t) for t in dict.fromkeys(result.metrics["cell_type"])]


def clicked_dot(
    result: DTDResult, metric: str, click: Mapping[str, Any] | None
) -> tuple[str, str, str] | None:
    """(cell type, part, method) behind ``clickData`` of the correlation figure."""
    name = figures.clicked_type(click, metric_types(result))
    if name is None or not click:
        return None
    traces = correlation_figure(result, metric).data
    curve = click["points"][0].get("curveNumber", 0)
    words = str(traces[curve].name or "") if isinstance(curve, int) and curve < len(traces) else ""
    return (
        name,
        "train" if "training" in words else "test",
        "naive" if words.startswith("Naive") else "dtd",
    )


def scatter_figure(
    result: DTDResult, name: str, part: str, method: str, colour_of: Mapping[str, str]
) -> go.Figure | None:
    """True against estimated fraction of one type; None where the run has no such mixtures."""
    frames = result.naive if method == "naive" else result.composition
    truth, estimated = result.truth.get(part), frames.get(part)
    if truth is None or estimated is None or name not in truth.index or name not in estimated.index:
        return None
    rows = result.metrics
    same = (
        (rows["part"] == part)
        & (rows["cell_type"] == name)
        & (rows["method"].astype(str).str.lower() == method)
    )
    r = float(rows.loc[same, "pearson"].iloc[0]) if same.any() else None
    return figures.scatter(
        truth.loc[name], estimated.loc[name], name, colour_of.get(name, GREY), correlation=r
    )


# -- markers
# --------------------------------------------------------------------------------------------------
def _markers(ctx: Context, page: Page) -> Any:
    kept = _kept(page)
    tip = (
        "The genes with the largest gene weight × variance between the cell types: they influence"
        " the estimate most."
    )
    number = dmc.NumberInput(
        id=page.id.markers_n,
        value=kept.value(ctx, "markers_n"),
        min=2,
        max=MOST_MARKERS,
        allowDecimal=False,
        size="xs",
        w=80,
        debounce=300,
        **{"aria-label": "Number of marker genes"},
    )
    controls = [
        switch(
            {"heatmap": "Heatmap", "table": "Gene weights"},
            page.id.markers_view,
            kept.value(ctx, "markers_view"),
        ),
        dmc.Group([dmc.Text(tip_label("Genes", tip), size="xs"), number], gap=6),
        switch(
            {"z": "z-score", "share": "Relative"},
            page.id.markers_scale,
            kept.value(ctx, "markers_scale"),
        ),
    ]
    unit = dmc.Text(WEIGHTS, size="xs", c="dimmed", mb=4)
    return Views(page, "markers").layout(
        controls,
        figure_card(page, "markers", file_name="dtd_markers"),
        result_table(page, "weights"),
        unit=unit,
    )


def _bind_markers(page: Page) -> None:
    views = Views(page, "markers")
    bind_figure_export(page, "markers")
    bind_table_export(
        page,
        "weights",
        lambda ctx: (
            None
            if (r := _result(ctx)) is None
            else TableFile("dtd_gene_weights", weights_table(r), WEIGHTS)
        ),
    )

    @page.callback(
        output={
            "figure": Output(page.id.markers, "figure"),
            "figure_style": Output(page.id.markers, "style"),
            "columns": Output(page.id.weights, "columnDefs"),
            "rows": Output(page.id.weights, "rowData"),
            "note": Output(page.id.weights_note, "children"),
            "views": views.outputs,
        },
        inputs={
            "_revision": REVISION,
            "dark": DARK,
            "tab": Input(page.id.tabs, "value"),
            "look": Input(page.id.markers_view, "value"),
            "n": Input(page.id.markers_n, "value"),
            "scale": Input(page.id.markers_scale, "value"),
        },
    )
    def draw_markers(
        ctx: Context,
        *,
        dark: bool,
        tab: str,
        look: str,
        n: Any,
        scale: str,
        _revision: str | None,
    ) -> dict[str, Any]:
        result = _result(ctx)
        if tab != "markers" or result is None:
            raise PreventUpdate
        if look == "table":
            table = table_view(weights_table(result))
            return {
                "columns": table.columns,
                "rows": table.rows,
                "note": table.note,
                "views": views.show("table"),
            }
        fig = styled(markers_figure(result, n, scale), bool(dark))
        style = graph_height_style(fig)
        return {"figure": fig, "figure_style": style, "views": views.show("figure")}


def markers_figure(result: DTDResult, n: Any, scale: str) -> go.Figure:
    count = int(np.clip(n, 2, MOST_MARKERS)) if isinstance(n, (int, float)) else DEFAULT_MARKERS
    return markers.heatmap(
        result.reference, result.gene_weights, count, relative_scale=scale == "share"
    )


def weights_table(result: DTDResult) -> pd.DataFrame:
    """All genes, the most important first: gene weight, variance between the types, importance."""
    found = markers.top_markers(result.reference, result.gene_weights, len(result.genes))
    return found.set_axis(["Gene weight", "Variance", "Importance"], axis=1).rename_axis("Gene")
