"""The user guide, at /help: chapters at the left, a search over all of them, one chapter at a time.

Reached by the "?" of the header.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import card, empty_state
from gui.pages.help.book import Chapter, Found, address, chapter, chapters, find
from gui.plugin import ADDRESS, Context, Page

page = Page(
    "help",
    "User guide",
    "every step, parameter and figure explained",
    order=99,
    works_while_locked=True,
    listed=False,
)


@page.layout
def layout(ctx: Context) -> Any:
    left = card(
        dmc.TextInput(
            id=page.id.query,
            placeholder="Search the guide",
            value="",
            size="sm",
            debounce=250,
            mb="xs",
            **{"aria-label": "Search the guide"},
        ),
        html.Nav(id=page.id.contents, **{"aria-label": "Chapters of the user guide"}),
    )
    return html.Div(
        [
            html.Div(left, className="dcx-help-chapters"),
            html.Div(
                card(html.Div(id=page.id.text, className="dcx-help-text")),
                className="dcx-help-main",
            ),
        ],
        className="dcx-help",
    )


@page.callback(
    Output(page.id.text, "children"),
    Output(page.id.contents, "children"),
    Output(page.id.query, "value"),
    ADDRESS,
    Input(page.id.query, "value"),
    State("dcx-location", "pathname"),
)
def show(ctx: Context, search: str | None, query: str | None, pathname: str | None) -> Any:
    """Show the chapter of the address, or the results while the search field is filled.

    Following a link clears the field.

    Following a link empties the field.
    """
    if (pathname or "").strip("/") != page.key:  # another page is on its way
        raise PreventUpdate
    here = chapter(next(iter(parse_qs((search or "").removeprefix("?")).get("chapter", ())), None))
    moved = call.triggered_id == ADDRESS.component_id
    if (query or "").strip() and not moved:
        return results(query or "", find(query or "")), contents(None), no_update
    return text(here), contents(here), "" if query else no_update


page.clientside(
    "(shown, hash) => window.dash_clientside.dcx.help_scroll(hash)",
    Output(page.id.text, "data-at"),
    Input(page.id.text, "children"),
    Input("dcx-location", "hash"),
)


def contents(here: Chapter | None) -> list[Any]:
    """The list of chapters, the present one marked."""
    return [
        html.A(
            c.title,
            href=address(c.key),
            **({"aria-current": "page"} if here is not None and c.key == here.key else {}),
        )
        for c in chapters()
    ]


def text(shown: Chapter) -> list[Any]:
    """One chapter, with the way to the next. No HTML of the text is ever taken as such."""
    following = chapters()[chapters().index(shown) + 1 :]
    onwards = (
        [html.P(["Next: ", html.A(following[0].title, href=address(following[0].key))])]
        if following
        else []
    )
    return [html.H1(shown.title), dcc.Markdown(shown.text), *onwards]


def results(query: str, found: list[Found]) -> list[Any]:
    """The sections found, each with some of its words."""
    if not found:
        return [
            empty_state(
                f"Nothing found for “{query.strip()[:60]}”.",
                "Try fewer or other words, or look into the Glossary at the left.",
            )
        ]
    listed = [
        html.Div(
            [
                html.A(
                    f"{each.chapter.title}: {each.section.heading}"
                    if each.section.heading
                    else each.chapter.title,
                    href=each.href,
                ),
                dmc.Text(
                    [html.Mark(piece) if marked else piece for piece, marked in each.excerpt],
                    size="sm",
                    c="dimmed",
                ),
            ],
            className="dcx-help-found",
        )
        for each in found
    ]
    return [
        html.H1("Search in the guide"),
        html.P(f"{len(found)} place{'s' * (len(found) != 1)} in the guide", role="status"),
        *listed,
    ]
