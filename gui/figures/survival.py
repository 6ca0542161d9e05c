"""Figures of times to an event: Kaplan-Meier curves, residuals over time.

Curves and frames in, figure out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import add_meta, f4
from gui.figures.palette import ACCENT, DASHES, GREY, PALETTE
from gui.figures.template import blank
from gui.figures.text import inert, short, three
from gui.statistics.kaplan_meier import SurvivalCurve

GROUP_COLOURS = (PALETTE[0], PALETTE[5], PALETTE[2], PALETTE[6], PALETTE[3], PALETTE[1])
PLOT, ROW, AXIS = 330, 19, 58
"""Pixels: of the curves; of a line of numbers under the axis; of the axis with its title."""
MOST_TICKS = 6
STEPS: dict[str, tuple[float, ...]] = {
    "months": (1, 2, 3, 6, 12, 24, 36, 48, 60, 120),
    "weeks": (1, 2, 4, 8, 13, 26, 52, 104, 208, 260, 520),
}


def kaplan_meier(
    curves: Sequence[SurvivalCurve],
    *,
    unit: str = "",
    since: str = "",
    note: str = "",
    outcome: str = "Survival",
) -> go.Figure:
    """Curves with band and censor ticks; under the axis numbers at risk, of events, censored.

    Parameters
    ----------
    unit : of the times; since : what time zero is; note : a line within the plot, such as a test
    """
    fig = blank()
    last = max(float(curve.table["time"].iloc[-1]) for curve in curves)
    ticks = time_ticks(last, unit)
    for number, curve in enumerate(curves):
        _curve(fig, curve, _look(number))
    below = ROW * (len(curves) + 1)
    inner = PLOT + AXIS + below
    for number, curve in enumerate(curves):
        at = curve.at(ticks)
        fig.add_scatter(
            x=ticks,
            y=[number + 1] * len(ticks),
            mode="text",
            text=[
                f"{row.at_risk} / {row.events} / {row.censored}"
                for row in at.itertuples(index=False)
            ],
            textfont={"size": 12, "color": _look(number)["color"]},
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
            showlegend=False,
            cliponaxis=False,
        )
    span = [-0.05 * last, 1.04 * max(last, ticks[-1])]
    title = f"Time{f' since {since}' if since else ''} ({unit or 'unit not known'})"
    names = [inert(curve.name) for curve in curves]
    fig.update_layout(
        height=inner + 60,
        hovermode="closest",
        showlegend=len(curves) > 1,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        xaxis={
            "title": {"text": inert(title), "standoff": 4},
            "range": span,
            "tickvals": ticks,
            "anchor": "y",
            "minallowed": span[0],
            "maxallowed": span[1],
        },
        xaxis2={"matches": "x", "anchor": "y2", "visible": False, "range": span},
        yaxis={
            "title": {"text": inert(f"{outcome} (%)")},
            "range": [-1, 102],
            "domain": [(below + AXIS) / inner, 1],
            "anchor": "x",
        },
        yaxis2={
            "domain": [0, below / inner],
            "anchor": "x2",
            "range": [len(curves) + 0.5, -0.5],
            "tickvals": [0, *range(1, len(curves) + 1)],
            "ticktext": ["", *[inert(short(curve.name, 22)) for curve in curves]],
            "tickfont": {"size": 12},
            "ticklabelstandoff": 28,  # the numbers at time 0 are as wide to the left
            "showgrid": False,
            "fixedrange": True,
        },
    )
    add_meta(fig, "names", {"yaxis2": ["", *names]})
    fig.add_annotation(
        text="at risk / events / censored",
        xref="paper",
        yref="y2",
        x=0,
        y=0,
        xanchor="left",
        showarrow=False,
        font={"size": 12, "color": GREY},
    )
    if note:
        fig.add_annotation(
            text=inert(note),
            xref="paper",
            yref="y domain",
            x=0.01,  # where no curve is before nearly all had the event
            y=0.02,
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
        )
    return fig


def _look(number: int) -> dict[str, Any]:
    return {
        "color": GROUP_COLOURS[number % len(GROUP_COLOURS)],
        "dash": DASHES[number // len(GROUP_COLOURS) % len(DASHES) if number >= 6 else number % 3],
    }


def _curve(fig: go.Figure, curve: SurvivalCurve, look: dict[str, Any]) -> None:
    table, name = curve.table, inert(curve.name)
    time, survival = table["time"].to_numpy(), table["survival"].to_numpy() * 100
    # the band ends where the curve is 0: there is no interval
    band = table["low"].notna().to_numpy()
    edge = {"shape": "hv", "width": 0, "color": look["color"]}
    common: dict[str, Any] = {"hoverinfo": "skip", "showlegend": False, "legendgroup": name}
    fig.add_scatter(
        x=f4(time[band]), y=f4(table["low"][band] * 100), mode="lines", line=edge, **common
    )
    fig.add_scatter(
        x=f4(time[band]),
        y=f4(table["high"][band] * 100),
        mode="lines",
        line=edge,
        fill="tonexty",
        fillcolor=_pale(look["color"]),
        **common,
    )
    shown = table[["at_risk", "low", "high"]].to_numpy(dtype=np.float64) * [1, 100, 100]
    fig.add_scatter(
        x=f4(time),
        y=f4(survival),
        mode="lines",
        name=inert(short(curve.name)),
        meta=name,
        legendgroup=name,
        customdata=f4(shown),
        line={"shape": "hv", "width": 2.5, **look},
        hovertemplate=(
            "%{meta}<br>time %{x:.4g}: %{y:.3g} % (%{customdata[1]:.3g} to %{customdata[2]:.3g} %)"
            "<br>%{customdata[0]:.0f} at risk<extra></extra>"
        ),
    )
    censored = (table["censored"] > 0).to_numpy()
    fig.add_scatter(
        x=f4(time[censored]),
        y=f4(survival[censored]),
        mode="markers",
        meta=name,
        marker={
            "symbol": "line-ns",
            "size": 9,
            "line": {"width": 1.5, "color": look["color"]},
        },
        customdata=table["censored"][censored].to_numpy(dtype=np.int32),
        hovertemplate="%{meta}<br>%{customdata} censored at %{x:.4g}<extra></extra>",
        showlegend=False,
        legendgroup=name,
    )


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.14)"


def time_ticks(last: float, unit: str = "") -> list[float]:
    """Round times from 0 up to the last one, few enough for the numbers under them."""
    if not np.isfinite(last) or last <= 0:
        return [0.0]
    magnitude = 10.0 ** np.arange(-6, 9)
    steps = STEPS.get(unit, ())
    steps = steps if steps and last / steps[-1] <= MOST_TICKS and last >= steps[0] else ()
    candidates = steps or np.sort(np.outer(magnitude, (1.0, 2.0, 5.0)).ravel())
    step = next((s for s in candidates if last / s <= MOST_TICKS), last)
    return [float(f"{i * step:.12g}") for i in range(int(last / step + 1e-9) + 1)]


def residuals(
    points: pd.DataFrame,
    smooth: pd.DataFrame,
    name: str,
    *,
    per: str = "",
    coefficient: float,
    unit: str = "",
    since: str = "",
) -> go.Figure:
    """How a coefficient changes with time: scaled Schoenfeld residuals and a spline with its band.

    Flat around the dashed line: hazards stay proportional.

    Parameters
    ----------
    points : columns time, transformed, residual, one row per event
    smooth : columns time, transformed, estimate, low, high
    per : the difference that it is for, on a line of its own
    coefficient : of the model, natural logarithm of a hazard ratio
    """
    fig = blank()
    x = f4(smooth["transformed"])
    edge = {"width": 0, "color": ACCENT}
    skip: dict[str, Any] = {"hoverinfo": "skip", "showlegend": False}
    fig.add_scatter(x=x, y=f4(smooth["low"]), mode="lines", line=edge, **skip)
    fig.add_scatter(
        x=x,
        y=f4(smooth["high"]),
        mode="lines",
        line=edge,
        fill="tonexty",
        fillcolor=_pale(ACCENT),
        **skip,
    )
    fig.add_scatter(
        x=f4(points["transformed"]),
        y=f4(points["residual"]),
        mode="markers",
        marker={"size": 5, "color": GREY, "opacity": 0.6},
        customdata=f4(points["time"]),
        hovertemplate="time %{customdata:.4g}: %{y:.3g}<extra></extra>",
        showlegend=False,
    )
    fig.add_scatter(
        x=x,
        y=f4(smooth["estimate"]),
        mode="lines",
        line={"width": 3, "color": ACCENT},
        customdata=f4(smooth["time"]),
        name="smoothed",
        hovertemplate="time %{customdata:.4g}: %{y:.3g}<extra></extra>",
        showlegend=False,
    )
    fig.add_hline(y=coefficient, line={"dash": "dash", "width": 1.5, "color": GREY})
    at = np.linspace(smooth["transformed"].iloc[0], smooth["transformed"].iloc[-1], 6)
    times = np.interp(at, smooth["transformed"], smooth["time"])
    # a few residuals far out would press the curve flat
    inner = np.nanquantile(points["residual"].to_numpy(dtype=np.float64), [0.02, 0.98])
    low = float(min(inner[0], smooth["low"].min(), coefficient))
    high = float(max(inner[1], smooth["high"].max(), coefficient))
    pad = 0.05 * (high - low or 1.0)
    fig.update_layout(
        xaxis={
            "title": {
                "text": inert(
                    f"Time{f' since {since}' if since else ''} ({unit or 'unit not known'}),"
                    " spaced by events"
                )
            },
            "tickvals": [float(v) for v in at],
            "ticktext": [three(float(v)) for v in times],
        },
        yaxis={
            "title": {
                "text": inert(f"Log hazard ratio of {short(name)}") + (f"<br>{per}" if per else "")
            },
            "range": [low - pad, high + pad],
        },
    )
    return fig
