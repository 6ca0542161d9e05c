"""Tab Markers of DTD: the genes that influence the estimate most, and all gene weights."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from dash import Input, Output
from dash.exceptions import PreventUpdate

from gui.components.common import tip_label
from gui.components.figure import bind_figure_export, figure_card
from gui.components.number_field import whole_number_field
from gui.components.persistent_controls import PersistentControls
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import Views, graph_height_style, switch
from gui.engine.results import DTDResult
from gui.figures import markers
from gui.figures.template import styled
from gui.pages.dtd.current_result import current_result
from gui.plugin import DARK, REVISION, Context, Page

DEFAULT_MARKERS, MOST_MARKERS = 50, 500
WEIGHTS = "Gene weights have a mean of 1; importance is gene weight × variance."


def markers_panel(ctx: Context, page: Page, kept: PersistentControls) -> Any:
    tip = (
        "The genes with the largest gene weight × variance between the cell types: they influence"
        " the estimate most."
    )
    number = whole_number_field(
        id=page.id.markers_n,
        value=kept.value(ctx, "markers_n"),
        min=2,
        max=MOST_MARKERS,
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


def bind_markers(page: Page) -> None:
    views = Views(page, "markers")
    bind_figure_export(page, "markers")
    bind_table_export(
        page,
        "weights",
        lambda ctx: (
            None
            if (r := current_result(ctx)) is None
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
        result = current_result(ctx)
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
