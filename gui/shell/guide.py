"""The guide's section beside the page: a drawer that the "?" of a field or of the header opens."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.pages.help.book import ORDER, Chapter, address, anchor, chapter, chapters
from gui.plugin import Context
from gui.shell.page import shell

CHAPTERS = {"upload": "data"}
"""Of pages whose chapter has another name than they."""


def guide_drawer() -> list[Any]:
    """Return the drawer and what is asked of it, once for all pages."""
    return [
        dcc.Store(id="dcx-guide-topic"),
        dmc.Drawer(
            html.Div(id="dcx-guide-text", className="dcx-help-text dcx-guide"),
            id="dcx-guide",
            title="User guide",
            position="right",
            size=440,
            withOverlay=False,
            lockScroll=False,
            trapFocus=False,
            closeOnClickOutside=False,
            closeButtonProps={"aria-label": "Close the guide"},
        ),
    ]


def section_of(page: str, topic: str) -> tuple[Chapter, str]:
    """Return the chapter, and the anchor of the section in it that is about ``topic``.

    The chapter of the page is looked at first, then all others; "" where no section has this
    name: the chapter from its beginning.
    """
    key = CHAPTERS.get(page, page)
    own = chapter(key if key in ORDER else None)
    wanted = anchor(topic)
    for each in (own, *chapters()):
        if wanted and any(section.anchor == wanted for section in each.sections):
            return each, wanted
    return own, ""


@shell.callback(
    Output("dcx-guide", "opened"),
    Output("dcx-guide-text", "children"),
    Input("dcx-guide-topic", "data"),
    Input("dcx-help-here", "n_clicks"),
    State("dcx-location", "pathname"),
    prevent_initial_call=True,
)
def show_guide(
    ctx: Context, asked: dict[str, Any] | None, clicks: int | None, pathname: str | None
) -> Any:
    """Open the drawer at what the "?" is about, or at the chapter of the page."""
    by_field = call.triggered_id == "dcx-guide-topic"
    if not (asked if by_field else clicks):
        raise PreventUpdate
    topic = str((asked or {}).get("topic", ""))[:200] if by_field else ""
    found, section = section_of((pathname or "").strip("/"), topic)
    whole = html.P(html.A("Open the whole guide", href=address(found.key, section)))
    return True, [html.H1(found.title), whole, dcc.Markdown(found.text), _mark(section)]


def _mark(section: str) -> Any:
    """What tells the page where to scroll (resources/assets/help.js)."""
    return html.Span(id="dcx-guide-at", hidden=True, **{"data-at": section})


shell.clientside(
    "() => window.dash_clientside.dcx.guide_scroll()",
    Output("dcx-guide-text", "data-shown"),
    Input("dcx-guide-text", "children"),
    prevent_initial_call=True,
)
shell.clientside(
    "() => false",
    Output("dcx-guide", "opened", allow_duplicate=True),
    Input("dcx-location", "pathname"),
    prevent_initial_call=True,
)
