"""Three estimates of a composition side by side, by cell type. Data frames in, figure out."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import digits, name_axis, of_percent, thin
from gui.figures.palette import GREY
from gui.figures.template import blank
from gui.figures.text import inert

SYMBOLS = ("circle", "diamond", "square")
OFFSETS = (-0.26, 0.0, 0.26)
CONCERNED = "#D55E00"
MOST_POINTS = 4500
"""Dots drawn; of more samples some are left out, evenly, and the medians are those of all."""
ROW, ABOVE = 46, 110
"""Pixels of a cell type, and of axis and legend."""


def opinions(
    estimates: Mapping[str, pd.DataFrame],
    concerned: pd.DataFrame,
    contradicted: Collection[str],
    colour_of: Mapping[str, str],
) -> go.Figure:
    """A dot per sample in a row per estimate, grouped by cell type; contradicted types first.

    The rows of contradicted types have a background and say how many samples are concerned; there
    the dots of the first estimate have an orange rim.

    Parameters
    ----------
    estimates
        Name -> cell types x samples, fractions (drawn in %); three at most, the run's own first.
    concerned
        Cell types x samples: where both others contradict the first.
    contradicted
        The types for which that is so in half of the samples.
    """
    fig = blank()
    first = next(iter(estimates.values()))
    names = [t for t in map(str, first.index) if t in contradicted]
    names += [t for t in map(str, first.index) if t not in contradicted]
    place = {name: at for at, name in enumerate(names)}
    samples = first.columns[
        thin(first.shape[1], max(1, MOST_POINTS // (len(estimates) * max(1, len(names)))))
    ]
    flags = concerned.set_axis(concerned.index.astype(str), axis=0)
    for at, (title, frame) in enumerate(estimates.items()):
        drawn = frame.set_axis(frame.index.astype(str), axis=0).loc[names, samples]
        values = drawn.to_numpy(dtype=np.float64).ravel()
        rows = np.repeat([place[name] for name in names], len(samples)) + OFFSETS[at]
        rim = (
            flags.loc[names, samples].to_numpy(dtype=bool).ravel()
            if at == 0
            else np.zeros(len(values), dtype=bool)
        )
        kept = np.isfinite(values)
        fig.add_scatter(
            x=of_percent(values[kept]),
            y=rows[kept].astype(np.float32),
            mode="markers",
            name=title,
            showlegend=False,
            cliponaxis=False,
            customdata=np.column_stack(
                [
                    np.repeat([inert(n) for n in names], len(samples))[kept],
                    np.tile([inert(s) for s in samples], len(names))[kept],
                ]
            ),
            marker={
                "symbol": SYMBOLS[at],
                "size": 8,
                "opacity": 0.8,
                "color": np.repeat([colour_of.get(n, GREY) for n in names], len(samples))[kept],
                "line": {"color": CONCERNED, "width": np.where(rim[kept], 2, 0)},
            },
            hovertemplate=(
                f"<b>%{{customdata[0]}}</b>, {title}: %{{x:{digits(values)}}} %<br>"
                "%{customdata[1]}<extra></extra>"
            ),
        )
        medians = frame.median(axis=1).set_axis(frame.index.astype(str)).loc[names]
        middle = medians.to_numpy(dtype=np.float64)
        fig.add_scatter(
            x=of_percent(middle),
            y=np.arange(len(names), dtype=np.float32) + OFFSETS[at],
            mode="markers",
            showlegend=False,
            meta=[inert(n) for n in names],
            text=[inert(n) for n in names],
            marker={"symbol": "line-ns-open", "size": 15, "line": {"width": 2}, "color": GREY},
            hovertemplate=(
                f"<b>%{{text}}</b>, {title}: median %{{x:{digits(middle)}}} %<extra></extra>"
            ),
        )
        fig.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=title,
            marker={"symbol": SYMBOLS[at], "size": 9, "color": GREY},
            hoverinfo="skip",
        )
    total = flags.shape[1]
    for name in names:
        if name not in contradicted:
            continue
        y = place[name]
        fig.add_shape(
            type="rect",
            xref="paper",
            x0=0,
            x1=1,
            y0=y - 0.48,
            y1=y + 0.48,
            fillcolor="rgba(213,94,0,0.10)",
            line={"width": 0},
            layer="below",
        )
        fig.add_annotation(
            text=f"contradicted in {int(flags.loc[name].sum())} of {total}",
            xref="paper",
            x=1,
            y=y,
            xanchor="right",
            showarrow=False,
            font={"size": 11},
        )
    name_axis(fig, "y", names, what="cell types")
    fig.update_layout(
        xaxis={"title": {"text": "RNA fraction (%), without hidden"}, "rangemode": "tozero"},
        height=ABOVE + ROW * max(4, len(names)),
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )
    return fig
