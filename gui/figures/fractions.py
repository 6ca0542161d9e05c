"""One fraction in every sample as bars, with an interval.

The hidden background with its equal-fit interval (ENGINE.md, trap 10), or a cell type with its 95 %
interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import angle, digits, name_axis, of_percent
from gui.figures.composition import PIXELS, SCROLL_FROM, quantity
from gui.figures.palette import ACCENT, fill
from gui.figures.template import blank
from gui.figures.text import inert, short

TRUE = "#D55E00"


def hidden_fraction(
    hidden: pd.Series, interval: pd.DataFrame | None = None, *, truth: pd.Series | None = None
) -> go.Figure:
    """One bar per sample with its interval; the true fraction as a diamond where it is known.

    Many samples scroll.

    Parameters
    ----------
    hidden, truth
        By sample, fractions (drawn in %).
    interval
        By sample, columns low and high.
    """
    name = "hidden fraction" if interval is None else "hidden fraction with equal-fit interval"
    look = {"name": name, "marker": fill("hidden", {})}
    return _bars(
        hidden,
        interval,
        truth,
        "Hidden fraction (%)",
        look,
        hover="hidden ",
        whisker={"color": ACCENT},
    )


def with_interval(
    name: str,
    values: pd.Series,
    low: pd.Series,
    high: pd.Series,
    colour_of: Mapping[str, str],
    *,
    truth: pd.Series | None = None,
) -> go.Figure:
    """The same for the cell type ``name`` and its 95 % interval, as estimated.

    Parameters
    ----------
    values, low, high, truth
        By sample, fractions (drawn in %).
    """
    look = {
        "name": f"{inert(short(name))} with 95 % interval",
        "marker": fill(name, dict(colour_of)),
    }
    return _bars(
        values, pd.DataFrame({"low": low, "high": high}), truth, quantity(normalise=False), look
    )


def _bars(
    values: pd.Series,
    interval: pd.DataFrame | None,
    truth: pd.Series | None,
    axis: str,
    look: Mapping[str, Any],
    *,
    hover: str = "",
    whisker: Mapping[str, Any] | None = None,
) -> go.Figure:
    """Draw one bar per sample.

    Parameters
    ----------
    axis
        Its title.
    look
        Name and marker of the bars.
    hover
        What stands before the value.
    whisker
        More of its properties.
    """
    fig = blank()
    samples = [str(s) for s in values.index]
    at = np.arange(len(samples), dtype=np.int32)
    value = values.to_numpy(dtype=np.float64)
    said = f"{hover}%{{y:{digits(value)}}} %"
    scrolls = len(samples) > SCROLL_FROM
    bars: dict[str, Any] = {
        "x": at,
        "y": of_percent(value),
        "hovertemplate": f"<b>%{{x}}</b><br>{said}<extra></extra>",
        **look,
    }
    if interval is not None:
        ends = interval.reindex(values.index)[["low", "high"]].to_numpy(dtype=np.float64)
        low, high = ends[:, 0], ends[:, 1]
        bars["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": of_percent(np.maximum(high - value, 0.0)),
            "arrayminus": of_percent(np.maximum(value - low, 0.0)),
            "thickness": 2,
            "width": 3 if scrolls else 5,
            **(whisker or {}),
        }
        bars["customdata"] = np.column_stack([of_percent(low), of_percent(high)])
        interval = (
            f"interval %{{customdata[0]:{digits(low)}}} to %{{customdata[1]:{digits(high)}}} %"
        )
        bars["hovertemplate"] = f"<b>%{{x}}</b><br>{said}<br>{interval}<extra></extra>"
    fig.add_bar(**bars)
    if truth is not None:
        known = truth.reindex(values.index).to_numpy(dtype=np.float64)
        fig.add_scatter(
            x=at,
            y=of_percent(known),
            mode="markers",
            name="true fraction",
            marker={
                "symbol": "diamond-open",
                "size": 8 if scrolls else 11,
                "color": TRUE,
                "line": {"width": 2},
            },
            hovertemplate=f"<b>%{{x}}</b><br>true %{{y:{digits(known)}}} %<extra></extra>",
        )
    upright = -90 if scrolls else angle(samples)
    name_axis(
        fig,
        "x",
        samples,
        positions=at,
        tickangle=upright,
        longest=28 if upright == 0 else 18,
        middle=True,
        what="samples",
    )
    fig.update_layout(
        bargap=0.25,
        yaxis={"title": {"text": axis}, "rangemode": "tozero"},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        width=130 + PIXELS * len(samples) if scrolls else None,
    )
    return fig
