"""Figures of the data as loaded."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import add_meta
from gui.figures.palette import GREY, colours
from gui.figures.text import inert, labels


def type_counts(
    counts: Mapping[str, pd.Series], colour_of: Mapping[str, str] | None = None
) -> go.Figure:
    """Cells per type, one bar for each part.

    Parameters
    ----------
    counts
        Part name as shown ("training", "test") -> cells by type. All types of all parts are
        shown, sorted by name.
    colour_of
        Default: of these types alone.
    """
    types = sorted(set().union(*(c.index for c in counts.values())))
    colour_of, short = colour_of or colours(types), labels(types)
    # pale and dotted: not by the colour alone
    looks: list[dict[str, object]] = [
        {"opacity": 1.0},
        {"opacity": 0.6, "pattern": {"shape": ".", "size": 6, "solidity": 0.25}},
    ]
    fig = go.Figure()
    for number, (part, count) in enumerate(counts.items()):
        look = looks[min(number, 1)]
        values = [int(count.get(t, 0)) for t in types]
        fig.add_bar(
            y=list(range(len(types))),
            x=values,
            name=part,
            offsetgroup=str(number),
            orientation="h",
            marker={"color": [colour_of.get(t, GREY) for t in types], **look},
            customdata=[inert(t) for t in types],
            hovertemplate=f"%{{customdata}}<br>{inert(part)}: %{{x:,}} cells<extra></extra>",
            showlegend=False,
        )
        # in the legend grey, dark and pale: the first type's colour would say nothing
        fig.add_bar(
            y=[None],
            x=[None],
            orientation="h",
            name=part,
            marker={"color": GREY, **look},
            offsetgroup=str(number),
        )
    fig.update_layout(
        barmode="group",
        bargap=0.25,
        height=90 + (16 + 12 * len(counts)) * len(types),
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    fig.update_xaxes(title="cells", rangemode="tozero")
    fig.update_yaxes(tickvals=list(range(len(types))), ticktext=short, autorange="reversed")
    add_meta(fig, "names", {"yaxis": [inert(t) for t in types]})
    return fig
