"""Tab Correlation of DTD: estimated against true composition, by cell type; one type on click."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
import plotly.graph_objects as go
from dash import Input, Output, State, html, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.figure import bind_figure_export, figure_card
from gui.components.persistent_controls import PersistentControls
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style, switch
from gui.engine.results import DTDResult
from gui.figures import dtd as figures
from gui.figures.palette import GREY, type_colours
from gui.figures.template import styled
from gui.figures.text import RMSE, settled
from gui.pages.dtd.current_result import current_result, no_training
from gui.plugin import DARK, REVISION, Context, Page

METRICS = {"pearson": "Pearson", "spearman": "Spearman", "rmse": "RMSE", "ccc": "CCC"}


def correlation_panel(ctx: Context, page: Page, kept: PersistentControls) -> Any:
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
        "Estimated against true composition of the pseudobulks. Click a dot for the"
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
        no_training("This model was not compared with a known composition."),
        id=page.id.correlation_missing,
        style=GONE,
    )
    return html.Div([html.Div(there, id=page.id.correlation_there), missing])


def bind_correlation(page: Page) -> None:
    views = Views(page, "correlation")
    bind_figure_export(page, "correlation")
    bind_table_export(page, "metrics", lambda ctx: _metrics_file(current_result(ctx)), engine=True)

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
        result = current_result(ctx)
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
        "Estimated against true composition of pseudobulks. One row per cell type and"
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
def bind_scatter(page: Page) -> None:
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
        result = current_result(ctx)
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
        result = current_result(ctx)
        if not opened or result is None or name is None:
            raise PreventUpdate
        fig = scatter_figure(
            result, name, part, method, type_colours(ctx.session.dataset, *result.reference.columns)
        )
        if fig is None:
            ctx.notify("This run has no test pseudobulks.", colour="yellow")
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
