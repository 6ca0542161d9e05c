"""The hidden share of every sample, with the interval in which it cannot be told apart (ENGINE.md, trap 10)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import angle, f4, name_axis
from gui.figures.composition import PIXELS, SCROLL_FROM
from gui.figures.palette import ACCENT, fill
from gui.figures.template import blank

TRUE = "#D55E00"


def hidden_share(hidden: pd.Series, interval: pd.DataFrame | None = None, *, truth: pd.Series | None = None) -> go.Figure:
    """One bar per sample with its interval; the true share as a diamond where it is known. Many samples scroll.

    hidden, truth : by sample, fractions (drawn in %); interval : by sample, columns low and high
    """
    fig = blank()
    samples = [str(s) for s in hidden.index]
    at = np.arange(len(samples), dtype=np.int32)
    value = hidden.to_numpy(dtype=np.float64) * 100
    scrolls = len(samples) > SCROLL_FROM
    bars: dict[str, object] = {
        "x": at,
        "y": f4(value),
        "name": "hidden share",
        "marker": fill("hidden", {}),
        "hovertemplate": "<b>%{x}</b><br>hidden %{y:.3g} %<extra></extra>",
    }
    if interval is not None:
        ends = interval.reindex(hidden.index).to_numpy(dtype=np.float64) * 100
        low, high = ends[:, 0], ends[:, 1]
        bars["error_y"] = {
            "type": "data",
            "symmetric": False,
            "color": ACCENT,
            "array": f4(np.maximum(high - value, 0.0)),
            "arrayminus": f4(np.maximum(value - low, 0.0)),
            "thickness": 2,
            "width": 3 if scrolls else 5,
        }
        bars["customdata"] = np.column_stack([f4(low), f4(high)])
        bars["hovertemplate"] = "<b>%{x}</b><br>hidden %{y:.3g} %<br>interval %{customdata[0]:.3g} to %{customdata[1]:.3g} %<extra></extra>"
        bars["name"] = "hidden share and interval at the same fit"
    fig.add_bar(**bars)
    if truth is not None:
        fig.add_scatter(
            x=at,
            y=f4(truth.reindex(hidden.index).to_numpy(dtype=np.float64) * 100),
            mode="markers",
            name="true share",
            marker={"symbol": "diamond-open", "size": 8 if scrolls else 11, "color": TRUE, "line": {"width": 2}},
            hovertemplate="<b>%{x}</b><br>true %{y:.3g} %<extra></extra>",
        )
    upright = -90 if scrolls else angle(samples)
    name_axis(fig, "x", samples, positions=at, tickangle=upright, longest=28 if upright == 0 else 18, middle=True)
    fig.update_layout(
        bargap=0.25,
        yaxis={"title": {"text": "Hidden share (%)"}, "rangemode": "tozero"},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        width=130 + PIXELS * len(samples) if scrolls else None,
    )
    return fig
