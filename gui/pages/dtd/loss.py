"""Tab Loss of DTD: the correlation of every iteration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Input, Output, html, no_update
from dash.exceptions import PreventUpdate

from gui.answers.dtd import loss_hint
from gui.components.figure import bind_figure_export, figure_card
from gui.components.views import GONE, SHOWN, graph_height_style
from gui.engine.results import DTDResult
from gui.figures import dtd as figures
from gui.figures.palette import type_colours
from gui.figures.template import styled
from gui.pages.dtd.current_result import current_result, no_training
from gui.plugin import DARK, REVISION, Context, Page


def loss_panel(page: Page) -> Any:
    hint = dmc.Text("", id=page.id.loss_hint, size="xs", c="dimmed")
    drawing = figure_card(page, "loss", file_name="dtd_loss", controls=[hint])
    return html.Div(
        [
            html.Div(drawing, id=page.id.loss_there),
            html.Div(
                no_training("This model has no loss curve."), id=page.id.loss_missing, style=GONE
            ),
        ]
    )


def bind_loss(page: Page) -> None:
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
        result = current_result(ctx)
        if tab != "loss" or result is None:
            raise PreventUpdate
        if result.correlation.empty:
            return no_update, no_update, GONE, SHOWN, ""
        fig = styled(
            loss_figure(result, type_colours(ctx.session.dataset, *result.reference.columns)),
            bool(dark),
        )
        return fig, graph_height_style(fig), SHOWN, GONE, loss_hint(result.correlation)


def loss_figure(result: DTDResult, colour_of: Mapping[str, str]) -> go.Figure:
    return figures.loss(result.correlation, colour_of, result.checked)
