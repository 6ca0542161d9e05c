"""Hazard ratios with their intervals, as forest plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import f4, name_axis
from gui.figures.palette import ACCENT, GREY
from gui.figures.template import blank
from gui.figures.text import inert, p_text, three

Per = Literal["sd", "points"]
PER_TEXTS: dict[str, str] = {
    "sd": "per standard deviation of the fraction",
    "points": "per 10 percentage points",
}
WIDEST_RATIO = 1e4
"""A hazard ratio beyond it, or below its inverse, is drawn at the edge."""


def forest(
    table: pd.DataFrame,
    colour_of: Mapping[str, str],
    *,
    per: Per = "sd",
) -> go.Figure:
    """Hazard ratio of each cell type with its interval, on a logarithmic axis.

    Parameters
    ----------
    table : of :func:`gui.statistics.cox_by_type.cox_by_type`; types without an estimate are left
        out by the caller. With draws the median of the draws is an open diamond (per SD only)
    """
    numbers = table[[f"{per}_ratio", f"{per}_low", f"{per}_high", "p"]].to_numpy(dtype=np.float64)
    fig = ratios(
        [
            (str(name), float(row[0]), float(row[1]), float(row[2]), float(row[3]))
            for name, row in zip(table.index, numbers, strict=True)
        ],
        colour_of,
        title=f"Hazard ratio {PER_TEXTS[per]} (logarithmic)",
    )
    if "draws_median" in table and per == "sd":
        fig.add_scatter(
            x=f4(table["draws_median"]),
            y=np.arange(len(table)) + 0.28,
            mode="markers",
            name="median of the bootstrap draws",
            marker={"symbol": "diamond-open", "size": 8, "color": GREY, "line": {"width": 1.5}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": f4(table["draws_high"] - table["draws_median"]),
                "arrayminus": f4(table["draws_median"] - table["draws_low"]),
                "color": GREY,
                "thickness": 1,
                "width": 0,
            },
            customdata=[inert(name) for name in table.index],
            hovertemplate="%{customdata}<br>over the draws: %{x:.3g}<extra></extra>",
            showlegend=True,
        )
        fig.update_layout(
            showlegend=True,
            legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        )
    return fig


def ratios(
    rows: Sequence[tuple[str, float, float, float, float]],
    colour_of: Mapping[str, str],
    *,
    title: str = "Hazard ratio (logarithmic)",
) -> go.Figure:
    """Hazard ratios with intervals and the numbers beside them.

    Parameters
    ----------
    rows : (name, hazard ratio, low, high, p); NaN for what is not known
    """
    fig = blank()
    names = [row[0] for row in rows]
    values = np.array([row[1:4] for row in rows], dtype=np.float64).reshape(-1, 3)
    drawn = np.clip(values, 1 / WIDEST_RATIO, WIDEST_RATIO)
    # without an interval a ratio may be anywhere: it is drawn at the edge of the others
    sure = drawn[np.isfinite(drawn).all(axis=1)] if np.isfinite(drawn).all(axis=1).any() else drawn
    finite = sure[np.isfinite(sure)]
    low, high = (min(finite.min(), 0.8), max(finite.max(), 1.25)) if finite.size else (0.5, 2.0)
    span = [float(np.log10(low)) - 0.05, float(np.log10(high)) + 0.05]
    drawn = np.clip(drawn, low, high)
    colour = [colour_of.get(name, ACCENT) for name in names]
    for at, ends in enumerate(drawn[:, 1:]):
        if np.isfinite(ends).all():
            fig.add_scatter(
                x=f4(ends),
                y=[at, at],
                mode="lines",
                line={"color": colour[at], "width": 2.5},
                hoverinfo="skip",
                showlegend=False,
            )
    fig.add_scatter(
        x=f4(drawn[:, 0]),
        y=list(range(len(rows))),
        mode="markers",
        marker={"symbol": "square", "size": 10, "color": colour},
        customdata=[inert(name) for name in names],
        text=[_ratio_text(*row[1:]) for row in rows],
        hovertemplate="%{customdata}<br>%{text}<extra></extra>",
        showlegend=False,
    )
    for at, row in enumerate(rows):
        fig.add_annotation(
            text=_ratio_text(*row[1:]),
            xref="paper",
            x=1.0,
            y=at,
            xanchor="right",
            showarrow=False,
            font={"size": 12},
        )
    fig.add_shape(
        type="line", xref="x", yref="paper", x0=1, x1=1, y0=0, y1=1, line={"dash": "dash"}
    )
    name_axis(fig, "y", names, showgrid=False, what="variables")
    vals = _ratio_ticks(*span)
    fig.update_layout(
        xaxis={
            "type": "log",
            "title": {"text": inert(title)},
            "domain": [0, 0.62],
            "range": span,
            "tickvals": vals,
            "ticktext": [f"{v:g}" for v in vals],
        },
        height=max(110 + 30 * len(rows), 200),
    )
    return fig


def _ratio_ticks(low: float, high: float) -> list[float]:
    """Values on a logarithmic axis from ``low`` to ``high`` (exponents), four to eight of them."""
    for mantissas in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)):
        found = [
            float(f"{m * 10.0**e:.6g}")
            for e in range(int(np.floor(low)), int(np.ceil(high)) + 1)
            for m in mantissas
        ]
        found = [v for v in found if low <= np.log10(v) <= high]
        if len(found) >= 4:
            break
    return found[:: int(np.ceil(len(found) / 8))] if len(found) > 8 else found


def _ratio_text(ratio: float, low: float, high: float, p: float) -> str:
    interval = f" ({three(low)} to {three(high)})" if np.isfinite(low) else ""
    return f"{three(ratio)}{interval}{f'  p {p_text(p)}' if np.isfinite(p) else ''}"
