"""The menu “All…”: figures and tables of a page or of the session as one ZIP file.

The page draws the figures (``resources/assets/save_all.js``); ``gui/shell/save_all.py`` saves.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from dash import Input, set_props
from dash import ctx as triggered

from gui.components.figure import save_menu
from gui.plugin import Context, Page
from gui.report.document import json_text
from gui.report.figures_and_tables import contents, reported_kinds

WANTED = "dcx-save-all"
"""Store: what the page is to draw."""


def save_all_menu(page: Page) -> Any:
    """The menu; needs :func:`bind_save_all` once for the same page."""
    items = [(page.id.all_page, "This page (ZIP)"), (page.id.all_session, "The session (ZIP)")]
    return save_menu(items, label="All…")


def bind_save_all(page: Page) -> None:
    """Record the callback; the page's key is the kind of its runs."""

    @page.callback(
        Input(page.id.all_page, "n_clicks"),
        Input(page.id.all_session, "n_clicks"),
        prevent_initial_call=True,
        long=True,
    )
    def save_all(ctx: Context, one: int | None, every: int | None) -> None:
        if not one and not every:
            return
        whole = triggered.triggered_id == page.id.all_session
        ask_for_figures(ctx, reported_kinds(ctx.session) if whole else [page.key])


def ask_for_figures(ctx: Context, kinds: Sequence[str]) -> None:
    """Have the page draw the figures of these kinds of runs. MissingPart: there is none."""
    found = contents(ctx.session, kinds)
    figures = [
        {"name": name, "figure": json.loads(json_text(figure))}
        for name, (figure, _) in found.figures.items()
    ]
    ctx.notify(f"Drawing {len(figures)} figures…", title="Save all", colour="blue")
    set_props(WANTED, {"data": {"kinds": list(kinds), "figures": figures, "at": time.time()}})
