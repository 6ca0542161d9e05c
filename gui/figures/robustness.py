"""Robustness: fractions over variants, by gene count, and the leakage matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import f4
from gui.figures.palette import GREY
from gui.figures.template import HEIGHT, blank
from gui.figures.text import inert, labels

ROW = 36


def variants(
    medians: pd.DataFrame, base: pd.Series, names: Sequence[str], colours: Mapping[str, str]
) -> go.Figure:
    """Dots: the median fraction of each type in every variant; a line where the run is.

    Parameters
    ----------
    medians
        Variants x cell types, fractions; NaN where a type was left out.
    base
        By cell type, of the run.
    names
        Of the variants, for the hover.
    """
    fig = blank()
    types = [str(t) for t in base.index]
    shown = dict(zip(types, labels(types), strict=True))
    for name in types:
        values = medians[name].to_numpy(dtype=float)
        there = np.isfinite(values)
        fig.add_scatter(
            x=f4(100 * values[there]),
            y=[inert(shown[name])] * int(there.sum()),
            mode="markers",
            marker={"color": colours.get(name, GREY), "size": 9, "opacity": 0.7},
            text=[inert(n) for n, keep in zip(names, there, strict=True) if keep],
            hovertemplate="<b>%{y}</b><br>%{text}: %{x:.3g} %<extra></extra>",
        )
    fig.add_scatter(
        x=f4(100 * base.to_numpy(dtype=float)),
        y=[inert(shown[name]) for name in types],
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 20, "color": GREY, "line": {"width": 3}},
        hovertemplate="<b>%{y}</b><br>the run: %{x:.3g} %<extra></extra>",
    )
    fig.update_layout(
        height=max(420, 90 + ROW * len(types)),
        showlegend=False,
        xaxis={"title": {"text": "Median fraction over the samples (%)"}},
        yaxis={"autorange": "reversed"},
    )
    return fig


def gene_counts(table: pd.DataFrame, used: int, colours: Mapping[str, str]) -> go.Figure:
    """Median fraction by number of genes, one line a type; dashed where the run is.

    Parameters
    ----------
    table
        Numbers of genes x cell types, fractions.
    """
    fig = blank()
    for name in map(str, table.columns):
        fig.add_scatter(
            x=[int(n) for n in table.index],
            y=f4(100 * table[name].to_numpy(dtype=float)),
            name=inert(name),
            mode="lines+markers",
            line={"color": colours.get(name, GREY), "width": 2},
            hovertemplate=f"<b>{inert(name)}</b><br>%{{x}} genes: %{{y:.3g}} %<extra></extra>",
        )
    fig.add_vline(x=used, line={"color": GREY, "dash": "dash", "width": 1.5})
    fig.update_layout(
        height=HEIGHT,
        xaxis={"title": {"text": "Number of genes"}, "type": "log"},
        yaxis={"title": {"text": "Median fraction (%)"}, "rangemode": "tozero"},
    )
    return fig


def leakage(table: pd.DataFrame) -> go.Figure:
    """The leakage matrix: rows are left out, columns take up their fraction."""
    fig = blank()
    rows, columns = [str(n) for n in table.index], [str(n) for n in table.columns]
    fig.add_heatmap(
        z=f4(100 * table.to_numpy(dtype=float)),
        x=[inert(n) for n in labels(columns)],
        y=[inert(n) for n in labels(rows)],
        zmin=-100,
        zmax=100,
        zmid=0,
        colorscale="RdBu",
        reversescale=True,
        hoverongaps=False,
        hovertemplate="%{y} left out<br>%{z:.3g} % of it to %{x}<extra></extra>",
        colorbar={"title": {"text": "Percent of what is lost"}},
    )
    fig.update_layout(
        height=max(420, 150 + ROW * len(rows)),
        xaxis={"title": {"text": "Goes to"}},
        yaxis={"title": {"text": "Left out"}, "autorange": "reversed"},
    )
    return fig
