"""Figures of a DTD run: loss, correlation of all types, one type's scatter.

DataFrame in, figure out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import digits, f4, name_axis, of_percent, thin
from gui.figures.palette import ACCENT, GREY, type_dash, type_symbol
from gui.figures.template import HEIGHT, blank
from gui.figures.text import LONGEST, coefficient, inert, settled, short

CURVE_POINTS = 500
SCATTER_POINTS = 2000
METRICS: dict[str, str] = {
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "rmse": "Root mean square error (percentage points)",
    "ccc": "Concordance (CCC)",
}


MARKS = 8
"""So many symbols on a curve tell it from the others without its colour."""


CHECKED: dict[str, tuple[str, str]] = {
    "test": ("mean, test", "dash"),
    "held_back": ("mean, held back", "dot"),
}
"""Column of :attr:`gui.engine.results.DTDResult.checked` -> name and dash of its curve."""


def loss(
    correlation: pd.DataFrame,
    colour_of: Mapping[str, str],
    checked: pd.DataFrame | None = None,
) -> go.Figure:
    """How the correlation with the truth grew while the gene weights were learned.

    Parameters
    ----------
    correlation
        Iterations x cell types, Pearson on the training pseudobulks.
    checked
        By iteration: mean correlation on pseudobulks of cells that nothing was learned from, as
        in :attr:`gui.engine.results.DTDResult.checked`.
    """
    fig = blank()
    rows = thin(len(correlation), CURVE_POINTS)
    steps = (rows + 1).astype(np.int32)
    values = settled(correlation.to_numpy(dtype=np.float64))
    with np.errstate(all="ignore"):
        mean = (
            np.nanmean(np.where(np.isfinite(values), values, np.nan), axis=1)
            if values.size and np.isfinite(values).any()
            else np.full(len(values), np.nan)
        )
    # no colour of its own: the first of the template's colorway is the colour of the text
    fig.add_scatter(
        x=steps,
        y=f4(mean[rows]),
        mode="lines",
        name="mean" if checked is None else "mean, training",
        line={"width": 4},
        zorder=2,
        hovertemplate="mean: %{y:.3g}<br>iteration %{x}<extra></extra>",
    )
    for key, (name, dash) in CHECKED.items():
        if checked is None or key not in checked or not checked[key].notna().any():
            continue
        fig.add_scatter(
            x=checked.index.to_numpy(dtype=np.int32),
            y=f4(settled(checked[key].to_numpy(dtype=np.float64))),
            mode="lines+markers",
            name=name,
            line={"width": 3, "dash": dash},
            marker={"size": 5},
            zorder=2,
            hovertemplate=f"{name}: %{{y:.3g}}<br>iteration %{{x}}<extra></extra>",
        )
    for j, name in enumerate(correlation.columns):
        fig.add_scatter(
            x=steps,
            y=f4(values[rows, j]),
            mode="lines+markers",
            name=inert(short(name)),
            meta=inert(name),
            line={
                "width": 1.5,
                "color": colour_of.get(str(name), GREY),
                "dash": type_dash(colour_of.get(str(name), GREY)),
            },
            marker={
                "symbol": type_symbol(colour_of.get(str(name), GREY)),
                "size": 8,
                "maxdisplayed": MARKS,
            },
            hovertemplate="%{meta}: %{y:.3g}<br>iteration %{x}<extra></extra>",
        )
    fig.update_layout(
        xaxis={"title": {"text": "Iteration"}},
        yaxis={"title": {"text": "Correlation with the truth"}},
    )
    fig.update_layout(height=max(HEIGHT, 70 + 20 * (len(correlation.columns) + 1)))
    return fig


def method_name(method: str) -> str:
    return "Naive" if str(method).lower() == "naive" else "DTD"


def correlation(metrics: pd.DataFrame, metric: str = "pearson") -> go.Figure:
    """Draw the correlation by cell type: DTD beside Naive, test filled, training open.

    Parameters
    ----------
    metrics
        Columns part, method, cell_type and the metric.
    metric
        A key of METRICS (rmse is shown in percentage points) A click carries the cell type in
        ``customdata``.
    """
    fig = blank()
    types = [str(t) for t in dict.fromkeys(metrics["cell_type"])]
    place = {t: i for i, t in enumerate(types)}
    factor = 100.0 if metric == "rmse" else 1.0
    values: dict[tuple[str, str], pd.Series] = {}
    for (part, method), rows in metrics.groupby(["part", "method"], sort=False):
        values[str(part), method_name(str(method))] = (
            rows.set_index(rows["cell_type"].astype(str))[metric].astype(float).pipe(settled)
            * factor
        )
    parts = [p for p in ("test", "train") if any(key[0] == p for key in values)] + sorted(
        {p for p, _ in values} - {"test", "train"}
    )
    lift = {p: (i - (len(parts) - 1) / 2) * 0.34 for i, p in enumerate(parts)}
    for part in parts:  # a thin line from Naive to DTD: the gain
        naive, dtd = values.get((part, "Naive")), values.get((part, "DTD"))
        if naive is None or dtd is None:
            continue
        xs: list[float | None] = []
        ys: list[float | None] = []
        for t in types:
            if t in naive.index and t in dtd.index:
                xs += [float(naive[t]), float(dtd[t]), None]
                ys += [place[t] + lift[part]] * 2 + [None]
        fig.add_scatter(
            x=_plain(xs),
            y=ys,
            mode="lines",
            line={"width": 1.5, "color": GREY},
            opacity=0.55,
            hoverinfo="skip",
            showlegend=False,
        )
    words = {"test": "test", "train": "training"}
    for part in parts:
        for method, colour, symbol in (("DTD", ACCENT, "circle"), ("Naive", GREY, "diamond")):
            found = values.get((part, method))
            if found is None:
                continue
            open_ = part == "train"
            fig.add_scatter(
                x=f4(found.to_numpy()),
                y=f4([place[t] + lift[part] for t in found.index]),
                mode="markers",
                name=f"{method}, {words.get(part, inert(part))}",
                customdata=[inert(t) for t in found.index],
                marker={
                    "size": 10,
                    "color": colour,
                    "symbol": f"{symbol}-open" if open_ else symbol,
                    "line": {"width": 2 if open_ else 0, "color": colour},
                },
                hovertemplate=(
                    f"%{{customdata}}<br>{method}, {words.get(part, inert(part))}:"
                    " %{x:.3g}<extra></extra>"
                ),
            )
    name_axis(fig, "y", types, showgrid=True)
    top: dict[str, Any] = (
        {}
        if metric == "rmse"
        else {"range": _up_to_one(max(np.floor((_lowest(values) - 0.02) * 10) / 10, -1.02))}
    )
    if metric == "rmse":
        top = {"rangemode": "tozero"}
    fig.update_layout(
        xaxis={"title": {"text": METRICS.get(metric, metric)}, **top},
        height=110 + max(26 * len(types), 120),
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )
    return fig


def _up_to_one(low: float) -> list[float]:
    """A little room for the dots at 1, too little for a tick beyond."""
    return [low, 1 + 0.02 * (1 - low)]


def _plain(values: list[float | None]) -> list[float | None]:
    return [None if v is None or not np.isfinite(v) else round(v, 5) for v in values]


def _lowest(values: Mapping[Any, pd.Series]) -> float:
    finite = [v for s in values.values() for v in s.to_numpy() if np.isfinite(v)]
    return min(finite, default=0.0)


def clicked_type(click: Mapping[str, Any] | None, types: list[str]) -> str | None:
    """The cell type behind ``clickData`` of :func:`correlation`, or None."""
    if not click or not click.get("points"):
        return None
    y = click["points"][0].get("y")
    place = round(float(y)) if isinstance(y, (int, float)) else -1
    return types[place] if 0 <= place < len(types) else None


def scatter(
    truth: pd.Series,
    estimated: pd.Series,
    name: str,
    colour: str,
    *,
    correlation: float | None = None,
) -> go.Figure:
    """Draw estimated against true fraction of one type, with identity line and correlation.

    Parameters
    ----------
    truth, estimated
        By mixture, fractions (drawn in %).
    correlation
        Pearson, computed here if not given. At most 2000 points are drawn.
    """
    fig = blank()
    x, y = (
        truth.to_numpy(dtype=np.float64) * 100,
        estimated.reindex(truth.index).to_numpy(dtype=np.float64) * 100,
    )
    both = np.isfinite(x) & np.isfinite(y)
    if correlation is None:
        varied = both.sum() > 2 and np.ptp(x[both]) > 0 and np.ptp(y[both]) > 0
        correlation = float(np.corrcoef(x[both], y[both])[0, 1]) if varied else float("nan")
    keep = thin(int(both.sum()), SCATTER_POINTS)
    shown_x, shown_y = x[both][keep], y[both][keep]
    span = [
        float(min(x[both].min(initial=0.0), y[both].min(initial=0.0))),
        float(max(x[both].max(initial=0.0), y[both].max(initial=0.0)) or 1.0),
    ]
    fig.add_scatter(
        x=span,
        y=span,
        mode="lines",
        line={"color": GREY, "dash": "dash", "width": 1.5},
        name="estimated = true",
        hoverinfo="skip",
        showlegend=False,
    )
    fig.add_scatter(
        x=of_percent(shown_x / 100),
        y=of_percent(shown_y / 100),
        mode="markers",
        name=inert(short(name)),
        meta=inert(name),
        marker={"color": colour, "size": 6, "opacity": 0.65},
        showlegend=False,
        hovertemplate=(
            f"%{{meta}}<br>true %{{x:{digits(shown_x / 100)}}} %<br>estimated"
            f" %{{y:{digits(shown_y / 100)}}} %<extra></extra>"
        ),
    )
    thinned = (
        f"<br>{len(keep)} of {int(both.sum())} mixtures drawn" if len(keep) < both.sum() else ""
    )
    text = (
        f"<b>{inert(short(name, LONGEST))}</b><br>Pearson r = {coefficient(correlation)}{thinned}"
    )
    fig.add_annotation(
        text=text,
        xref="paper",
        yref="paper",
        x=0.02,
        y=0.99,
        xanchor="left",
        yanchor="top",
        showarrow=False,
        align="left",
        hovertext=inert(name),
    )
    pad = (span[1] - span[0]) * 0.04
    ends = [span[0] - pad, span[1] + pad]
    fig.update_layout(
        xaxis={"title": {"text": "True fraction of cells (%)"}, "range": ends},
        yaxis={"title": {"text": "Estimated RNA fraction (%)"}, "range": ends},
    )
    return fig
