"""Estimated against known fractions of the bulk samples. DataFrame in, figure out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import digits, of_percent, thin
from gui.figures.palette import GREY, type_symbol
from gui.figures.template import blank
from gui.figures.text import inert, short

NOTE = (
    "Known fractions count cells; estimated fractions measure RNA. Cell types rich in RNA lie"
    " above the line: rely on the correlation."
)
MOST_POINTS = 3000
MOST_NAMED = 20
"""With more types the legend would be longer than the figure; the names stand in the hover text."""


def agreement(points: pd.DataFrame, colour_of: Mapping[str, str]) -> go.Figure:
    """A dot per sample and cell type on the line of equality.

    Parameters
    ----------
    points
        Columns sample, cell_type (several joined by "|"), known, estimated: fractions (drawn in
        %). At most 3000 are drawn, evenly chosen.
    """
    fig = blank()
    there = points[
        np.isfinite(points["known"].to_numpy(dtype=float))
        & np.isfinite(points["estimated"].to_numpy(dtype=float))
    ]
    values = there[["known", "estimated"]].to_numpy(dtype=np.float64) * 100
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    span = [min(low, 0.0), high or 1.0]
    fig.add_scatter(
        x=span,
        y=span,
        mode="lines",
        line={"color": GREY, "dash": "dash", "width": 1.5},
        name="estimated = known",
        hoverinfo="skip",
        showlegend=False,
    )
    drawn = there.iloc[thin(len(there), MOST_POINTS)]
    groups = list(drawn.groupby("cell_type", sort=False))
    for name, rows in groups:
        label = str(name).replace("|", " + ")
        colour = colour_of.get(str(name).split("|", 1)[0], GREY)
        fig.add_scatter(
            x=of_percent(rows["known"]),
            y=of_percent(rows["estimated"]),
            mode="markers",
            name=inert(short(label)),
            meta=inert(label),
            text=[inert(s) for s in rows["sample"]],
            marker={
                "color": colour,
                "symbol": type_symbol(colour),
                "size": 8,
                "opacity": 0.75,
            },
            showlegend=1 < len(groups) <= MOST_NAMED,
            hovertemplate=(
                f"%{{meta}}<br>%{{text}}<br>known %{{x:{digits(rows['known'])}}} %<br>estimated"
                f" %{{y:{digits(rows['estimated'])}}} %<extra></extra>"
            ),
        )
    pad = (span[1] - span[0]) * 0.04
    axis = {"range": [span[0] - pad, span[1] + pad], "ticksuffix": " %"}
    fig.update_layout(
        xaxis={"title": {"text": "Known fraction"}, **axis},
        yaxis={"title": {"text": "Estimated fraction"}, **axis},
    )
    return fig
