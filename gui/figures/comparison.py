"""Two runs: one cell type against the other run, and differences against means."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import f4
from gui.figures.palette import GREY
from gui.figures.template import blank
from gui.figures.text import inert, short
from gui.statistics.agreement import bland_altman


def scatter(first: pd.Series, second: pd.Series, colour: str, titles: tuple[str, str]) -> go.Figure:
    """One dot a sample on the line of equality; fractions, drawn in percent."""
    fig = blank()
    values = 100 * np.concatenate([first, second])
    span = [float(min(values.min(), 0.0)), float(values.max()) or 1.0]
    fig.add_scatter(
        x=span,
        y=span,
        mode="lines",
        line={"color": GREY, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )
    fig.add_scatter(
        x=f4(100 * first),
        y=f4(100 * second),
        mode="markers",
        marker={"color": colour, "size": 8, "opacity": 0.8},
        text=[inert(name) for name in first.index],
        hovertemplate="<b>%{text}</b><br>first %{x:.3g} %<br>second %{y:.3g} %<extra></extra>",
    )
    fig.update_layout(
        height=420,
        showlegend=False,
        xaxis={"title": {"text": f"{inert(short(titles[0], 50))} (%)"}},
        yaxis={"title": {"text": f"{inert(short(titles[1], 50))} (%)"}},
    )
    return fig


def differences(first: pd.Series, second: pd.Series, colour: str) -> go.Figure:
    """Bland-Altman: differences against means, with bias and limits of agreement."""
    fig = blank()
    found = bland_altman(first.to_numpy(float), second.to_numpy(float))
    fig.add_scatter(
        x=f4(100 * found.mean),
        y=f4(100 * found.difference),
        mode="markers",
        marker={"color": colour, "size": 8, "opacity": 0.8},
        text=[inert(name) for name in first.index],
        hovertemplate="<b>%{text}</b><br>mean %{x:.3g} %<br>difference %{y:.3g} percentage points"
        "<extra></extra>",
    )
    for value, dash, name in (
        (found.bias, "solid", "bias"),
        (found.low, "dot", "lower limit"),
        (found.high, "dot", "upper limit"),
    ):
        if np.isfinite(value):
            fig.add_hline(
                y=100 * value,
                line={"color": GREY, "dash": dash, "width": 1.5},
                annotation_text=f"{name} {100 * value:.2g}",
            )
    fig.update_layout(
        height=420,
        showlegend=False,
        xaxis={"title": {"text": "Mean of both (%)"}},
        yaxis={"title": {"text": "Second minus first (percentage points)"}},
    )
    return fig
