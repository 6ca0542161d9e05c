"""Figures of data before loading: genes, similar types, quality, bulk and reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gui.figures.axes import add_meta, angle, f4, name_axis, thin
from gui.figures.palette import ACCENT, GREY
from gui.figures.template import HEIGHT, blank, template
from gui.figures.text import inert, labels

MARK = "#D55E00"
"""Of what should be looked at: pairs of types, limits."""
FEW = 40
"""Columns up to which each has a bar of its own; more are counted in a histogram."""
MOST_POINTS = 2000


def gene_funnel(
    funnel: pd.DataFrame, names: Mapping[str, str], stages: Mapping[str, str]
) -> go.Figure:
    """Draw the number of genes after each step: per part where they differ, else once.

    Parameters
    ----------
    funnel
        Stages x parts, numbers of genes (missing: not reached).
    names
        Part -> as shown.
    stages
        Stage -> as shown.
    """
    rows: list[tuple[str, int, bool]] = []
    for stage in funnel.index:
        found = {str(part): int(n) for part, n in funnel.loc[stage].items() if not pd.isna(n)}
        if stage == "mapped":  # only where the repairs changed something
            found = {part: n for part, n in found.items() if n != funnel.loc["read", part]}
        if not found:
            continue
        if stage in ("read", "mapped"):
            rows += [(f"{stages[stage]}, {names[part]}", n, False) for part, n in found.items()]
        else:
            rows.append((stages[stage], next(iter(found.values())), True))
    fig = blank()
    fig.add_bar(
        x=[n for _, n, _ in rows],
        y=list(range(len(rows))),
        orientation="h",
        marker={"color": [ACCENT if whole else GREY for _, _, whole in rows]},
        text=[f"{n:,}".replace(",", "\u00a0") for _, n, _ in rows],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}<br>%{text} genes<extra></extra>",
    )
    name_axis(fig, "y", [name for name, _, _ in rows], longest=34)
    top = max((n for _, n, _ in rows), default=1)
    fig.update_layout(
        height=60 + 34 * max(len(rows), 3), bargap=0.35, showlegend=False, margin={"t": 8}
    )
    fig.update_xaxes(title="genes", range=[0, 1.15 * top], tickformat="~s")
    return fig


def similarity(values: pd.DataFrame, alike: float) -> go.Figure:
    """Draw the cosine similarity of the profiles; mark pairs from ``alike`` on.

    Parameters
    ----------
    values
        Types x types.
    """
    fig = blank()
    types, z = [str(t) for t in values.index], values.to_numpy(dtype=np.float64)
    at = np.arange(len(types), dtype=np.int32)
    low = float(np.nanmin(z)) if z.size else 0.0
    fig.add_heatmap(
        z=f4(z),
        x=at,
        y=at,
        zmin=min(low, 0.9),
        zmax=1.0,
        autocolorscale=True,
        xgap=1,
        ygap=1,
        colorbar={"title": {"text": "cosine similarity"}, "len": 180},
        hovertemplate="%{y}<br>%{x}<br>%{z:.4f}<extra></extra>",
    )
    first, second = np.nonzero((z >= alike) & ~np.eye(len(types), dtype=bool))
    if len(first):
        fig.add_scatter(
            x=second,
            y=first,
            mode="markers",
            marker={"symbol": "x", "size": 9, "color": MARK},
            name="hard to distinguish",
            showlegend=True,
            hovertemplate="%{y}<br>%{x}<br>hard to distinguish<extra></extra>",
        )
    name_axis(fig, "x", types, tickangle=angle(types, room=420), longest=16)
    name_axis(fig, "y", types, longest=22)
    fig.update_layout(
        height=150 + max(20 * len(types), 150),
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )
    return fig


def quality(table: pd.DataFrame, one: str, many: str) -> go.Figure:
    """Draw the sum and the number of genes of every column, as bars or as histograms.

    Parameters
    ----------
    table
        One row per column with "sum" and "genes".
    one, many
        What a column is called.
    """
    few = len(table) <= FEW
    fig = make_subplots(rows=1, cols=2, horizontal_spacing=0.14)
    fig.update_layout(
        template=template(False),
        height=300 if few else 280,
        showlegend=False,
        bargap=0.25 if few else 0.02,
        margin={"t": 12},
    )
    for column, (name, title) in enumerate(
        (("sum", "sum of the values"), ("genes", "genes above zero")), start=1
    ):
        values = table[name].to_numpy(dtype=np.float64)
        if few:
            fig.add_bar(
                x=list(range(len(table))),
                y=f4(values),
                marker={"color": GREY},
                customdata=[inert(n) for n in table.index],
                hovertemplate=f"%{{customdata}}<br>{title}: %{{y:,.4~g}}<extra></extra>",
                row=1,
                col=column,
            )
            ticks = labels(table.index, 14) if len(table) <= 16 else None
            add_meta(
                fig,
                "names",
                (
                    {"xaxis" if column == 1 else "xaxis2": [inert(n) for n in table.index]}
                    if ticks
                    else {}
                ),
            )
            fig.update_xaxes(
                tickvals=list(range(len(table))) if ticks else [],
                ticktext=ticks,
                tickangle=-60,
                title=None if ticks else many,
                row=1,
                col=column,
            )
            fig.update_yaxes(title=title, rangemode="tozero", tickformat="~s", row=1, col=column)
        else:
            edges = _edges(values)
            counts = np.histogram(values, edges)[0]
            fig.add_bar(
                x=f4((edges[:-1] + edges[1:]) / 2),
                y=counts,
                width=f4(np.diff(edges) * 0.96),
                marker={"color": GREY, "line": {"width": 0}},
                customdata=np.column_stack([f4(edges[:-1]), f4(edges[1:])]),
                hovertemplate=(
                    f"%{{y:,}} {many}<br>{title} %{{customdata[0]:,.3~g}} to"
                    " %{customdata[1]:,.3~g}<extra></extra>"
                ),
                row=1,
                col=column,
            )
            fig.update_xaxes(
                title=f"{title} per {one}",
                tickformat="~s",
                rangemode="tozero",
                nticks=6,
                row=1,
                col=column,
            )
            fig.update_yaxes(title=many, row=1, col=column)
    return fig


def limit_lines(
    few: bool, min_sum: float | None, max_sum: float | None, min_genes: float | None
) -> list[dict[str, Any]]:
    """``layout.shapes`` of a figure made by :func:`quality`: one dashed line for each limit.

    Parameters
    ----------
    few
        Of a bar for every column.
    """
    lines = []
    for limit, axis in ((min_sum, ""), (max_sum, ""), (min_genes, "2")):
        if limit is not None:
            along = (
                {"x0": 0, "x1": 1, "y0": limit, "y1": limit}
                if few
                else {"x0": limit, "x1": limit, "y0": 0, "y1": 1}
            )
            domain = (
                {"xref": f"x{axis} domain", "yref": f"y{axis}"}
                if few
                else {"xref": f"x{axis}", "yref": f"y{axis} domain"}
            )
            lines.append(
                {
                    "type": "line",
                    **along,
                    **domain,
                    "line": {"color": MARK, "dash": "dash", "width": 2},
                }
            )
    return lines


def _edges(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    return np.linspace(min(low, 0.0), high if high > low else low + 1.0, 41)


def bulk_scatter(table: pd.DataFrame) -> go.Figure:
    """Draw the mean of every gene in the bulk against the reference, on log axes.

    Both are fractions of the sum. A gene that is zero in one is not drawn.

    A gene that is zero in one is not drawn.

    Parameters
    ----------
    table
        genes x ("bulk", "reference").
    """
    fig = blank()
    drawn = table[(table["bulk"] > 0) & (table["reference"] > 0)]
    drawn = drawn.iloc[thin(len(drawn), MOST_POINTS)]
    x, y = (
        drawn["reference"].to_numpy(dtype=np.float64) * 100,
        drawn["bulk"].to_numpy(dtype=np.float64) * 100,
    )
    if len(drawn):
        ends = [float(min(x.min(), y.min())), float(max(x.max(), y.max()))]
        fig.add_scatter(
            x=ends,
            y=ends,
            mode="lines",
            line={"color": GREY, "width": 1, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
    fig.add_scatter(
        x=f4(x),
        y=f4(y),
        mode="markers",
        marker={"size": 4, "color": ACCENT, "opacity": 0.45},
        customdata=[inert(g) for g in drawn.index],
        hovertemplate="%{customdata}<br>bulk %{y:.3g} %<br>reference %{x:.3g} %<extra></extra>",
        showlegend=False,
    )
    power = {"type": "log", "exponentformat": "power", "dtick": 1}
    fig.update_xaxes(title="mean of the cell types (% of the sum)", **power)
    fig.update_yaxes(title="mean of the bulk (% of the sum)", **power)
    fig.update_layout(height=HEIGHT - 40, margin={"t": 8})
    return fig
