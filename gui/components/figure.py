"""Figure with its save menu (PNG, SVG, PDF, dialog), saved by the server through ``ctx.files``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Input, Output, State, dcc, html

from gui.components.pictures import save_picture
from gui.figures.template import template
from gui.plugin import Context, Page

CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": [
        "toImage",
        "select2d",
        "lasso2d",
        "autoScale2d",
        "sendChartToCloud",
        "sendDataToCloud",
    ],
    "plotlyServerURL": "",  # no chart may be sent anywhere
    "showTips": False,
}
WAITING: dict[str, Any] = {
    "data": [],
    "layout": {
        "meta": "waiting",
        "xaxis": {"visible": False},
        "yaxis": {"visible": False},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    },
}
"""Nothing at all until the figure is there: axes from -1 to 6 would look like a result. Until then
Plotly is not even loaded (``resources/assets/figure.js``). A plain dictionary, as a page has a
dozen and go.Figure would send Plotly's own template with each.
"""
ITEMS: Mapping[str, str] = {
    "png": "Picture (PNG)",
    "svg": "Drawing (SVG)",
    "pdf": "Drawing (PDF)",
    "options": "Size, font, preview…",
}
"""Part of a figure's ids -> entry of its save menu; the last opens the dialog of the shell."""
_OPEN = "function() { return window.dash_clientside.dcx.open_export(...arguments); }"
_DRAW = "function() { return window.dash_clientside.dcx.export_figure(...arguments); }"
_HATCH = "repeating-linear-gradient(-45deg, {0} 0 2px, transparent 2px 5px)"


def save_menu(items: Sequence[tuple[str, str]], *, label: str = "Save…") -> dmc.Menu:
    """A button that opens a menu.

    Which entries there are is settled here: see ``resources/assets/dash_rerender_patch.js``.

    Parameters
    ----------
    items
        (component id, text).
    """
    target = dmc.MenuTarget(dmc.Button(label, variant="default", size="xs"))
    dropdown = dmc.MenuDropdown([dmc.MenuItem(text, id=item) for item, text in items])
    dropdown._type = "StillMenuDropdown"
    return dmc.Menu([target, dropdown], position="bottom-end", shadow="md")


@cache
def _print_template() -> dict[str, Any]:
    """The light template, in which figures are saved."""
    return dict(template(False).to_plotly_json())


def figure_card(
    page: Page,
    name: str,
    *,
    file_name: str,
    controls: Sequence[Any] = (),
    figure: go.Figure | None = None,
    legend: Any = None,
) -> html.Div:
    """Return the figure ``page.id.<name>`` (a ``dcc.Graph``) with its controls and save menu.

    Parameters
    ----------
    file_name
        Proposed on saving, without suffix; a page may change it: ``page.id.<name>_file``,
        property ``data``.
    legend
        Shown above a figure that scrolls; the page may fill ``page.id.<name>_legend`` (see
        :func:`type_legend`) Needs :func:`bind_figure_export` once for the same page and name.
    """
    of = _ids(page, name)
    head = dmc.Group(
        [
            dmc.Group(list(controls), gap="sm"),
            save_menu([(of[part], text) for part, text in ITEMS.items()]),
        ],
        justify="space-between",
        align="flex-end",
        mb="xs",
    )
    graph = dcc.Graph(id=of["graph"], figure=figure or WAITING, config=CONFIG, responsive="auto")
    stores = [
        dcc.Store(id=of["picture"]),
        dcc.Store(id=of["light"], data=_print_template()),
        dcc.Store(id=of["file"], data=file_name),
    ]
    return html.Div(
        [
            head,
            html.Div(legend, id=of["legend"]),
            html.Div(
                graph,
                className="dcx-figure dcx-scroll-x",
                style={"overflowX": "auto", "overflowY": "hidden"},
            ),
            *stores,
        ]
    )


def bind_figure_export(page: Page, name: str) -> None:
    """Record the callbacks that save the figure ``name`` of ``page``, and open the dialog."""
    of = _ids(page, name)
    drawn = [State(of["light"], "data"), State(of["graph"], "id"), State(of["file"], "data")]
    page.clientside(
        _DRAW,
        Output(of["picture"], "data"),
        *[Input(of[part], "n_clicks") for part in ("png", "svg", "pdf")],
        *drawn,
        prevent_initial_call=True,
    )
    page.clientside(
        _OPEN,
        Input(of["options"], "n_clicks"),
        *drawn,
        State("dcx-export-kept", "data"),
        prevent_initial_call=True,
    )

    @page.callback(Input(of["picture"], "data"), prevent_initial_call=True, long=True, picture=True)
    def save(ctx: Context, picture: Mapping[str, Any] | None) -> None:
        if picture:
            save_picture(ctx, picture)


def type_legend(entries: Sequence[tuple[str, str, bool]]) -> dmc.Group:
    """The legend beside a figure that scrolls.

    Parameters
    ----------
    entries
        (name, colour, whether hatched), see ``composition.legend_entries``.
    """

    def entry(name: str, colour: str, hatched: bool) -> dmc.Group:
        style = {
            "width": 12,
            "height": 12,
            "flex": "none",
            "background": _HATCH.format(colour) if hatched else colour,
        }
        words = dmc.Text(name, size="xs", truncate="end", maw=190)
        return dmc.Group(
            [html.Span(style=style), html.Span(words, title=name)], gap=6, wrap="nowrap"
        )

    return dmc.Group([entry(*e) for e in entries], gap="sm", mb="xs")


def _ids(page: Page, name: str) -> dict[str, str]:
    parts = (*ITEMS, "picture", "light", "file", "legend")
    return {"graph": getattr(page.id, name)} | {
        part: getattr(page.id, f"{name}_{part}") for part in parts
    }
