"""What λ₂ does to the fit of all samples: the L-curve, supported genes and their directions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.palette import ACCENT
from gui.figures.template import blank
from gui.figures.text import exponent

STABLE_COLOUR, CORNER_COLOUR = "#D55E00", "#009E73"
NONE = "A search of an earlier version holds no L-curve. Search again."
LEFT, RIGHT = (0.0, 0.4), (0.57, 1.0)
"""Where the two panels stand."""


def lambda2_path(path: pd.DataFrame, corner: float | None, advised: float | None) -> go.Figure:
    """Draw the L-curve, and beside it supported genes and stability over λ₂.

    Parameters
    ----------
    path
        By lambda2: misfit, size, supported, stability (gui.engine.lambda2_path); empty where the
        search has none.
    corner
        Of the L-curve, or None.
    advised
        The recommended lambda2, or None.
    """
    fig = blank()
    if path.empty:
        fig.add_annotation(text=NONE, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
        fig.update_layout(xaxis={"visible": False}, yaxis={"visible": False})
        return fig
    grid = path.index.to_numpy(dtype=np.float64)
    curve = path[(path["misfit"] > 0) & (path["size"] > 1e-12 * path["size"].max())]
    norms = np.sqrt(curve[["misfit", "size"]].to_numpy(dtype=np.float64))
    names = [exponent(float(v)) for v in curve.index]
    fig.add_scatter(
        x=norms[:, 0],
        y=norms[:, 1],
        customdata=names,
        mode="lines+markers",
        line={"color": ACCENT, "width": 2.5},
        marker={"size": 5},
        name="L-curve",
        showlegend=False,
        hovertemplate="λ₂ %{customdata}<br>residual %{x:.3g}<br>size of 1 - Δ %{y:.3g}"
        "<extra></extra>",
    )
    marks = (("corner", corner, CORNER_COLOUR, "diamond"), ("recommended", advised, ACCENT, "star"))
    for name, value, colour, symbol in marks:
        if value is None or not len(curve):
            continue
        at = int(np.argmin(np.abs(np.log(curve.index.to_numpy(dtype=np.float64) / value))))
        fig.add_scatter(
            x=norms[[at], 0],
            y=norms[[at], 1],
            customdata=[exponent(value)],
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 14},
            name=f"{name}: λ₂ {exponent(value)}",
            hovertemplate="λ₂ %{customdata}<extra></extra>",
        )
        fig.add_shape(
            type="line",
            xref="x2",
            yref="paper",
            x0=value,
            x1=value,
            y0=0,
            y1=1,
            line={"color": colour, "dash": "dot", "width": 1.5},
        )
    common = {"mode": "lines+markers", "marker": {"size": 5}, "xaxis": "x2"}
    every = [exponent(float(v)) for v in grid]
    fig.add_scatter(
        x=grid,
        y=path["supported"],
        customdata=every,
        line={"color": ACCENT, "width": 2.5},
        name="genes regulated with support",
        yaxis="y2",
        hovertemplate="λ₂ %{customdata}<br>%{y} genes<extra></extra>",
        **common,
    )
    fig.add_scatter(
        x=grid,
        y=100 * path["stability"],
        customdata=every,
        line={"color": STABLE_COLOUR, "width": 2, "dash": "dash"},
        name="same direction in both halves",
        yaxis="y3",
        hovertemplate="λ₂ %{customdata}<br>%{y:.0f} % of the directions<extra></extra>",
        **common,
    )
    log = {"type": "log", "exponentformat": "e"}
    span = [float(np.log10(grid.min())) - 0.3, float(np.log10(grid.max())) + 0.3]
    fig.update_layout(
        xaxis={**log, "domain": LEFT, "title": {"text": "Residual"}, "nticks": 4},
        yaxis={**log, "title": {"text": "Size of 1 - Δ"}, "nticks": 7},
        xaxis2={
            **log,
            "domain": RIGHT,
            "anchor": "y2",
            "title": {"text": "λ₂"},
            "range": span,
            "nticks": 6,
        },
        yaxis2={
            "anchor": "x2",
            "title": {"text": "Genes"},
            "rangemode": "tozero",
        },
        yaxis3={
            "anchor": "x2",
            "overlaying": "y2",
            "side": "right",
            "title": {"text": "Same direction (%)"},
            "range": [0, 105],
            "tickmode": "array",
            "tickvals": [0, 25, 50, 75, 100],
            "showgrid": False,
        },
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.25, "yanchor": "top"},
    )
    return fig
