"""One Plotly template, light and dark.

Only colours differ, so a figure is re-themed by replacing its ``layout.template``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import plotly.graph_objects as go

from gui.figures.palette import ACCENT, GREY

FONT = "-apple-system, BlinkMacSystemFont, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
CLEAR = "rgba(0,0,0,0)"
HEIGHT = 380

_LIGHT: dict[str, Any] = {
    "text": "#212529",
    "grid": "#E9ECEF",
    "line": "#ADB5BD",
    "paper": "#FFFFFF",
    "box": "#FFFFFF",
    "sequential": [
        [0, "#F1F5FA"],
        [0.25, "#B5D0E8"],
        [0.5, "#6AA5D2"],
        [0.75, "#2B74B0"],
        [1, "#08386B"],
    ],
    "diverging": [
        [0, "#2166AC"],
        [0.25, "#92C5DE"],
        [0.5, "#F7F7F7"],
        [0.75, "#F4A582"],
        [1, "#B2182B"],
    ],
}
_DARK: dict[str, Any] = {
    "text": "#E9ECEF",
    "grid": "#373A40",
    "line": "#5C5F66",
    "paper": "#242424",
    "box": "#2E2E2E",
    "sequential": [
        [0, "#26292E"],
        [0.25, "#204A73"],
        [0.5, "#2B74B0"],
        [0.75, "#6AB0E0"],
        [1, "#D6ECFB"],
    ],
    "diverging": [
        [0, "#74C0FC"],
        [0.25, "#2B6699"],
        [0.5, "#2C2E33"],
        [0.75, "#A34A2C"],
        [1, "#FFA27A"],
    ],
}


@cache
def template(dark: bool = False) -> go.layout.Template:
    """The template.

    Its first colour (``colorway[0]``) is that of the text, for curves that belong to no cell type.
    """
    c = _DARK if dark else _LIGHT
    axis = {
        "gridcolor": c["grid"],
        "linecolor": c["line"],
        "zerolinecolor": c["line"],
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "ticklabelstandoff": 5,
        "automargin": True,
        "title": {"standoff": 10, "font": {"size": 14}},
        "tickfont": {"size": 13},
    }
    layout = {
        "font": {"family": FONT, "size": 14, "color": c["text"]},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "colorway": [c["text"], ACCENT, GREY],
        "colorscale": {"sequential": c["sequential"], "diverging": c["diverging"]},
        "hoverlabel": {
            "bgcolor": c["box"],
            "bordercolor": c["line"],
            "font": {"family": FONT, "size": 13, "color": c["text"]},
            "align": "left",
            "namelength": -1,
        },
        "hovermode": "closest",
        "legend": {
            "font": {"size": 13},
            "bgcolor": CLEAR,
            "itemsizing": "constant",
            "tracegroupgap": 0,
        },
        "margin": {"l": 12, "r": 12, "t": 20, "b": 12},
        "modebar": {"bgcolor": CLEAR, "color": c["line"], "activecolor": c["text"]},
        "xaxis": axis,
        "yaxis": axis,
        "annotationdefaults": {"font": {"size": 13, "color": c["text"]}, "arrowcolor": c["line"]},
        "shapedefaults": {"line": {"color": c["line"]}},
    }
    bar = {
        "marker": {"line": {"color": c["paper"], "width": 0.5}},
        "error_x": {"color": c["text"]},
        "error_y": {"color": c["text"]},
    }
    # at the top also of a figure of 30 types, with its title
    place = {"lenmode": "pixels", "len": 240, "y": 1, "yanchor": "top"}
    heatmap = {
        "colorbar": {
            **place,
            "outlinewidth": 0,
            "thickness": 14,
            "ticks": "",
            "title": {"side": "right", "font": {"size": 13}},
            "tickfont": {"size": 13},
        }
    }
    return go.layout.Template(layout=layout, data={"bar": [bar], "heatmap": [heatmap]})


def styled(fig: go.Figure, dark: bool) -> go.Figure:
    """``fig`` itself, in the light or dark template."""
    fig.update_layout(template=template(dark))
    return fig


def blank() -> go.Figure:
    """An empty figure in the light template (never plotly's default one).

    Every figure has a height; only scrolling ones have a width.
    """
    return go.Figure(layout={"template": template(False), "height": HEIGHT})
