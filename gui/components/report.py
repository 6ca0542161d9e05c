"""“Save report…”: the current run as one HTML file. Shared by DTD and ADTD."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input

from gui.components.common import icon
from gui.components.save_all import bind_save_all, save_all_menu
from gui.files import HTML
from gui.plugin import Context, Page
from gui.report import report, report_name


def report_button(page: Page) -> Any:
    """The button alone; its page binds it."""
    return dmc.Button(
        "Save report…",
        id=page.id.report,
        variant="default",
        size="xs",
        leftSection=icon("save", 14),
    )


def saving_buttons(page: Page) -> Any:
    """The button and the menu “All…”; needs :func:`bind_report` once for the same page."""
    return dmc.Group([report_button(page), save_all_menu(page)], gap="xs", wrap="nowrap")


def bind_report(page: Page) -> None:
    """Record the callbacks that save the report, or all figures and tables.

    The page's key is the kind of its runs.
    """
    bind_save_all(page)

    @page.callback(Input(page.id.report, "n_clicks"), prevent_initial_call=True, long=True)
    def save_report(ctx: Context, clicks: int | None) -> None:
        if not clicks:
            return
        told = ctx.files.save(
            report_name(ctx.session, page.key), report(ctx.session, page.key), HTML
        )
        if told:
            ctx.notify(told, title="Saved", colour="teal")
