"""The navigation: which page is shown, what it still needs, and a line for each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs

import dash_mantine_components as dmc
from dash import Input, Output, State, html
from dash.development.base_component import Component
from flask import current_app

from gui.components.common import NEEDS, drawn, empty_state, icon, not_drawn, shorten
from gui.plugin import ADDRESS, DARK, JOBS, REVISION, Context, Page
from gui.shell.lock_screen import lock_screen
from gui.shell.opening import EXTENSION, OpeningAnswers
from gui.shell.page import shell, shell_id

NO_SUMMARY = "The result cannot be shown."
AROUND = {
    f"{name}.{prop}": (name, prop)
    for name, prop in (
        ("dcx-session", "data"),
        *((one.component_id, one.component_property) for one in (REVISION, JOBS, ADDRESS, DARK)),
    )
}
"""What a page's callbacks take of what is around it, as Dash writes it."""


def missing(page: Page, ctx: Context) -> list[str]:
    """What the page needs and is not there, in words."""
    titles = {p.key: f"{'an' if p.title[:1] in 'AEIOU' else 'a'} {p.title} run" for p in ctx.pages}
    return [
        NEEDS.get(need) or titles.get(need, need)
        for need in page.requires
        if not ctx.session.has(need)
    ]


MADE_ON = {
    "dataset": "upload",
    "train": "upload",
    "bulk": "upload",
    "composition": "dtd",
    "gene effects": "adtd",
    "search": "adtd",
    "apply": "dtd",
}
"""What a page may require -> the page it is made on, where that is not the page of this name."""


def first_step(page: Page, ctx: Context) -> Page | None:
    """The first page, in the order of the work, on which something can be done that ``page`` needs;
    None where none of the pages makes it.
    """
    found, looked = [], [page]
    for here in looked:  # grows: a page on which it is made may lack something itself
        for need in here.requires:
            maker = (
                page_of(ctx.pages, MADE_ON.get(need, need)) if not ctx.session.has(need) else None
            )
            if maker is None or maker in looked:
                continue
            looked.append(maker)
            if not missing(maker, ctx):
                found.append(maker)
    return min(found, key=ctx.pages.index, default=None)


def page_layout(page: Page, ctx: Context) -> Any:
    """The page as its author laid it out."""
    if page.layout_function is None:
        raise ValueError(f"page {page.key} has no layout")
    return html.Div(page.layout_function(ctx), className="dcx-page", id=f"{page.key}-page")


def page_at(pages: Sequence[Page], pathname: str | None) -> Page | None:
    """The page at this address; "/" is the first one."""
    key = (pathname or "/").strip("/")
    if not key:
        return next(page for page in pages if page.listed)
    return page_of(pages, key)


def page_of(pages: Sequence[Page], key: str) -> Page | None:
    """The page with this key."""
    return next((page for page in pages if page.key == key), None)


def named_in(search: str | None) -> str | None:
    """The session that an address asks for: ``?session=20250520%23191019%2307c2e7ed``."""
    return next(iter(parse_qs((search or "").removeprefix("?")).get("session", ())), None)


def outlet(ctx: Context, pathname: str | None) -> Any:
    """The page at this address, or what is missing for it, under its name (which the navigation
    shows, and a screen reader looks for here).
    """
    page = page_at(ctx.pages, pathname)
    shown = _content(ctx, page)
    return (
        shown
        if page is None or not page.listed
        else [html.H1(page.title, className="dcx-heard"), shown]
    )


def _content(ctx: Context, page: Page | None) -> Any:
    if page is None:
        return empty_state("There is no such page.", "Choose a page on the left.")
    if ctx.locked is not None and not page.works_while_locked:
        return lock_screen(ctx.locked.name)
    lacking = missing(page, ctx)
    if lacking:
        first = first_step(page, ctx)
        going = (
            dmc.Anchor(dmc.Button(f"Go to {first.title}"), href=f"/{first.key}", underline="never")
            if first
            else None
        )
        return empty_state(
            f"{page.title} needs {' and '.join(lacking)}.",
            "Do the earlier steps first; this page opens by itself.",
            going,
        )
    return drawn(
        f"page {page.key}",
        lambda: page_layout(page, ctx),
        not_drawn(f"{page.title} cannot be shown."),
    )


def navigation(ctx: Context, current: Page | None) -> list[Any]:
    """A line for each page, whatever is wrong with what another one shows."""
    items = []
    for page in ctx.pages:
        if not page.listed:
            continue
        lacking = (
            [] if ctx.locked is not None and not page.works_while_locked else missing(page, ctx)
        )
        active = current is not None and page.key == current.key
        summary = (
            page.summary_function
            if not lacking and (ctx.locked is None or page.works_while_locked)
            else None
        )
        done = (
            drawn(
                f"the summary of page {page.key}",
                functools.partial(_summary, summary, ctx),
                NO_SUMMARY,
            )
            if summary
            else None
        )
        state = (
            "missing"
            if lacking
            else "active"
            if active
            else "done"
            if done and done != NO_SUMMARY
            else "open"
        )
        about = f"needs {' and '.join(lacking)}" if lacking else done or page.description
        items.append(
            dmc.NavLink(
                id=shell_id("nav", page.key),
                label=page.title,
                # on a low window the end of it is cut
                description=html.Span(about, title=about) if isinstance(about, str) else about,
                href=f"/{page.key}",
                active=active,
                disabled=bool(lacking) and not active,
                leftSection=html.Span(
                    className=f"dcx-step dcx-step-{state}",
                    children=icon("check", 12) if state == "done" or (active and done) else None,
                ),
                className="dcx-nav-link",
            )
        )
    return items


def _summary(make: Callable[[Context], Any], ctx: Context) -> Any:
    """The summary of a page. TypeError: a plug-in gave what cannot be sent to the browser."""
    summary = make(ctx)
    if summary is None or isinstance(summary, Component):
        return summary
    if not isinstance(summary, str | int | float):
        raise TypeError(f"a summary is text or None, not {type(summary).__name__}")
    return shorten(str(summary), 200)


@shell.callback(
    output={
        "outlet": Output("dcx-outlet", "children"),
        "answered": Output("dcx-answered", "data"),
    },
    inputs={"_page": Input("dcx-page", "data")},
    state={
        "pathname": State("dcx-location", "pathname"),
        "around": {name: State(*name.split(".")) for name in AROUND},
    },
    prevent_initial_call=True,
)
def show_page(
    ctx: Context, *, pathname: str | None, around: dict[str, Any], _page: str | None
) -> dict[str, Any]:
    """Lay the page out, with what its callbacks answer when it appears."""
    shown = outlet(ctx, pathname)
    answers: OpeningAnswers = current_app.extensions[EXTENSION]
    values = {AROUND[name]: value for name, value in around.items()}
    return {"answered": answers.write_into(shown, values), "outlet": shown}
