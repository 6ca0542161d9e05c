"""Figure or table of the same result: one row of controls and one save menu."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Output, html

from gui.figures.template import HEIGHT
from gui.plugin import Page

SHOWN: dict[str, str] = {}
GONE = {"display": "none"}


class Views:
    """A ``figure_card`` and a ``result_table`` that take turns.

    In the layout :meth:`layout`; in the callback that draws ``output={"views": views.outputs, …}``
    and ``{"views": views.show("table"), …}``.
    """

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name = page, name

    def id(self, part: str) -> str:
        return str(getattr(self.page.id, f"{self.name}_{part}"))

    def layout(
        self,
        controls: Sequence[Any],
        drawing: html.Div,
        table: html.Div,
        *,
        note: Any = "",
        unit: Any = None,
    ) -> html.Div:
        """Return the controls with the save menu, the figure or the table, then ``note``.

        Parameters
        ----------
        note
            A sentence, or a component that shows one.
        """
        saves = [
            html.Div(_menu_of(part), id=self.id(name), style=style)
            for part, name, style in ((drawing, "save_figure", SHOWN), (table, "save_table", GONE))
        ]
        return html.Div(
            [
                dmc.Group(
                    [dmc.Group(list(controls), gap=8, style={"flex": 1}), *saves],
                    justify="space-between",
                    align="flex-start",
                    wrap="nowrap",
                    gap="xs",
                ),
                html.Div(drawing, id=self.id("drawing"), style=SHOWN),
                html.Div(
                    [unit, table] if unit is not None else table, id=self.id("tabular"), style=GONE
                ),
                dmc.Text(note, size="xs", c="dimmed", mt=4)
                if isinstance(note, str) and note
                else note,
            ]
        )

    @property
    def outputs(self) -> list[Output]:
        """What :meth:`show` sets."""
        return [
            Output(self.id(part), "style")
            for part in ("drawing", "save_figure", "tabular", "save_table")
        ]

    def show(self, which: str) -> list[dict[str, str]]:
        """ "table", or anything else for the figure."""
        return [GONE, GONE, SHOWN, SHOWN] if which == "table" else [SHOWN, SHOWN, GONE, GONE]


ABOVE = 310
"""Pixels of a page of results above and below its figure: header, answer, tabs and controls."""
LEAST = 420
"""Pixels of a figure: what a window of 720 leaves."""


def graph_height_style(fig: go.Figure, *, above: int = ABOVE, least: int = LEAST) -> dict[str, str]:
    """Return the ``style`` of a graph: the figure's own height, or what the window leaves.

    A figure of the usual height, or lower than ``least``, gets the window's height less ``above``
    pixels and loses its own; a low one at most 1.8 times its own.

    Parameters
    ----------
    least
        Pixels it gets at any rate; more where its legend needs more
        (``layout.meta["least_height"]``).
    """
    room = f"calc(100vh - {above}px)"
    if fig.layout.height == HEIGHT:
        fig.update_layout(height=None)
    elif fig.layout.height and fig.layout.height < least:
        room = f"min({room}, {1.8 * fig.layout.height:.0f}px)"
        fig.update_layout(height=None)
    least = max(least, (fig.layout.meta or {}).get("least_height", 0))
    return (
        {"height": f"{fig.layout.height:.0f}px"}
        if fig.layout.height
        else {"height": f"max({least}px, {room})"}
    )


def switch(texts: Mapping[str, str], identity: str, value: str) -> dmc.SegmentedControl:
    """A small control to choose one of a few.

    Parameters
    ----------
    texts
        Value -> shown text.
    """
    return dmc.SegmentedControl(id=identity, data=options(texts), value=value, size="xs")


def options(texts: Mapping[str, str]) -> list[dict[str, str]]:
    """``data`` of a Select or a SegmentedControl."""
    return [{"value": value, "label": text} for value, text in texts.items()]


def _menu_of(part: html.Div) -> Any:
    """Remove and return the save menu of a figure_card or a result_table."""
    head, *rest = part.children
    part.children = rest
    return head.children[1]
