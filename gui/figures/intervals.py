"""One cell type's share in every sample, with its 95 % interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import angle, f4, name_axis
from gui.figures.composition import PIXELS, SCROLL_FROM
from gui.figures.hidden import TRUE
from gui.figures.palette import fill
from gui.figures.template import blank
from gui.figures.text import inert, short


def intervals(name: str, values: pd.Series, low: pd.Series, high: pd.Series, colour_of: dict[str, str], *, truth: pd.Series | None = None) -> go.Figure:
    """A bar per sample with a whisker; the true share as a diamond where it is known. Many samples scroll.

    values, low, high, truth : by sample, fractions (drawn in %)
    """
    fig = blank()
    samples = [str(s) for s in values.index]
    at = np.arange(len(samples), dtype=np.int32)
    value, down, up = (series.to_numpy(dtype=np.float64) * 100 for series in (values, low.reindex(values.index), high.reindex(values.index)))
    scrolls = len(samples) > SCROLL_FROM
    if truth is not None:  # the first trace: it takes the colour of the text
        fig.add_scatter(
            x=at,
            y=f4(truth.reindex(values.index).to_numpy(dtype=np.float64) * 100),
            mode="markers",
            name="true share",
            marker={"symbol": "diamond-open", "size": 8 if scrolls else 11, "color": TRUE, "line": {"width": 2}},
            hovertemplate="<b>%{x}</b><br>true %{y:.3g} %<extra></extra>",
        )
    fig.add_bar(
        x=at,
        y=f4(value),
        name=f"{inert(short(name))} with 95 % interval",
        marker=fill(name, dict(colour_of)),
        error_y={
            "type": "data",
            "symmetric": False,
            "array": f4(np.maximum(up - value, 0.0)),
            "arrayminus": f4(np.maximum(value - down, 0.0)),
            "thickness": 2,
            "width": 3 if scrolls else 5,
        },
        customdata=np.column_stack([f4(down), f4(up)]),
        hovertemplate="<b>%{x}</b><br>%{y:.3g} %, interval %{customdata[0]:.3g} to %{customdata[1]:.3g} %<extra></extra>",
    )
    upright = -90 if scrolls else angle(samples)
    name_axis(fig, "x", samples, positions=at, tickangle=upright, longest=28 if upright == 0 else 18, middle=True)
    fig.update_layout(
        bargap=0.25,
        yaxis={"title": {"text": "RNA fraction (%)"}, "rangemode": "tozero"},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        width=130 + PIXELS * len(samples) if scrolls else None,
    )
    return fig
