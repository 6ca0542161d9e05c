"""Small components of all pages: icon, card, label with tooltip, empty state, answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ctx as call
from dash import html
from dash.exceptions import PreventUpdate

from gui.errors import SessionLocked
from gui.figures.text import shorten

log = logging.getLogger(__name__)

NEEDS = {
    "dataset": "data",
    "train": "training data",
    "bulk": "bulk samples",
    "composition": "a composition",
    "gene effects": "an ADTD run, or another method with gene regulation or a hidden profile",
}
"""What a page may require, in the words of the navigation."""


def icon(name: str, size: int = 16) -> Any:
    """One of the project's SVG icons, in the colour of the text around it."""
    return html.Span(
        className="dcx-icon",
        style={"width": size, "height": size, "--dcx-icon": f"url(/assets/icons/{name}.svg)"},
        **{"aria-hidden": "true"},
    )


def card(*children: Any, **props: Any) -> Any:
    return dmc.Paper(list(children), withBorder=True, radius="md", **{"p": "md", **props})


def two_columns(parameters: Any, results: Any, *, foldable: bool = False) -> Any:
    """Parameters in a narrow column, results in the wide one.

    Parameters
    ----------
    foldable
        The parameters can be folded away (resources/assets/parameters.js): only their
        :func:`form_end` stays, above the results.
    """
    fold = [
        html.Button(
            [icon("fold", 14), html.Span(text)],
            type="button",
            className=f"dcx-fold dcx-fold-{way}",
            **{"aria-label": f"{text} parameters"},
        )
        for way, text in (("away", "Hide"), ("back", "Parameters"))
    ]
    return html.Div(
        [
            html.Div([*(fold if foldable else []), parameters], className="dcx-parameters"),
            html.Div(results, className="dcx-results"),
        ],
        className="dcx-columns",
    )


def form_end(*children: Any) -> Any:
    """The end of a form, always in sight: its button, and what the button needs or will use."""
    return html.Div(list(children), className="dcx-form-end")


def tip_label(title: Any, tip: str) -> Any:
    """A label with a "?" that explains in the user's words; reachable by keyboard.

    A click, or Enter, opens the guide's section of that title beside the page.
    """
    if not tip:
        return title
    mark = dmc.Tooltip(
        html.Span(
            "?",
            className="dcx-tip",
            tabIndex=0,
            role="note",
            **{"aria-label": tip, "data-topic": title if isinstance(title, str) else ""},
        ),
        label=tip,
    )
    return html.Span([html.Span(title), mark], className="dcx-label")


def drawn(what: str, make: Callable[[], Any], otherwise: Any) -> Any:
    """Return what ``make`` draws, or ``otherwise`` (and log why) if that fails.

    The log says why.
    """
    try:
        return make()
    except (PreventUpdate, SessionLocked):
        raise
    except Exception:
        log.exception("%s could not be drawn", what)
        return otherwise


def not_drawn(title: str) -> Any:
    """In place of a page or a tab that cannot be drawn."""
    return empty_state(
        title, "The log has details. Remove the current run, or open another session."
    )


def empty_state(title: str, text: str = "", action: Any = None) -> Any:
    """What is not there yet, what to do next, and the button that does it."""
    return dmc.Center(
        dmc.Stack(
            [
                dmc.Text(title, fw=600, ta="center"),
                dmc.Text(text, c="dimmed", size="sm", ta="center", maw=460),
                action,
            ],
            align="center",
            gap="sm",
        ),
        mih=260,
    )


def answer(sentence: str, badges: Sequence[tuple[str, str]] = (), *actions: Any) -> Any:
    """The result in a sentence first; badges are (text, colour)."""
    shown = [
        dmc.Badge(text, color=colour, variant="light", radius="sm", tt="none", maw=420, fw=600)
        for text, colour in badges
    ]
    return dmc.Stack(
        [
            dmc.Text(sentence, fw=700, size="lg", lh=1.3),
            dmc.Group(shown, gap="xs") if shown else None,
            dmc.Group(list(actions), gap="sm") if actions else None,
        ],
        gap="xs",
    )


def warning(text: str, *actions: Any, colour: str = "orange") -> Any:
    return dmc.Alert(
        dmc.Group([dmc.Text(text, size="sm"), *actions], justify="space-between", gap="sm"),
        color=colour,
        variant="light",
        p="xs",
    )


def scrolling(content: Any) -> Any:
    """Wrap wide content so that it scrolls by itself, by the arrow keys too."""
    return dmc.ScrollArea(
        content, type="auto", offsetScrollbars="x", attributes={"viewport": {"tabIndex": 0}}
    )


def clicked() -> Any:
    """Return the index of the clicked pattern-matching button; None if one merely appeared.

    For callbacks on ``Input(page.id.each(name, ALL), "n_clicks")``.
    """
    if (
        not call.triggered
        or not call.triggered[0]["value"]
        or not isinstance(call.triggered_id, dict)
    ):
        return None
    return call.triggered_id["index"]


def cut(text: str, length: int = 28) -> Any:
    """A long name on one line, cut; the whole on hover."""
    return html.Span(shorten(text, length), title=text[:300])
