"""Venn diagram of two or three sets of genes, beside the UpSet of any number."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pandas as pd
import plotly.graph_objects as go

from gui.figures.template import blank
from gui.figures.text import inert, short

MOST = 3
"""Circles: more cannot show every combination."""
COLOURS = ("#4C6EF5", "#E8590C", "#2F9E44")
"""Of sets that have none of their own, such as runs."""
LISTED = 12
"""Genes that the hover text names."""
Place = tuple[float, float]
CIRCLES: dict[int, tuple[Place, ...]] = {
    1: ((0.0, 0.0),),
    2: ((-0.62, 0.0), (0.62, 0.0)),
    3: ((-0.58, 0.36), (0.58, 0.36), (0.0, -0.62)),
}
NAMES: dict[int, tuple[Place, ...]] = {
    1: ((0.0, 1.16),),
    2: ((-0.9, 1.12), (0.9, 1.12)),
    3: ((-0.95, 1.46), (0.95, 1.46), (0.0, -1.78)),
}


def shown_sets(calls: pd.DataFrame) -> list[str]:
    """The names that are drawn: the three largest of those with a gene, in their order."""
    sizes = calls.sum()
    with_genes = [str(name) for name in calls.columns if sizes[name]]
    largest = sorted(with_genes, key=lambda name: -int(sizes[name]))[:MOST]
    return [name for name in with_genes if name in largest]


def venn(calls: pd.DataFrame, colour_of: Mapping[str, str]) -> go.Figure:
    """How many regulated genes two or three names have in common. Areas are not to scale.

    Parameters
    ----------
    calls
        genes x names, True where regulated; see :func:`shown_sets` for which are drawn.
    colour_of
        Name -> colour.

    Source: Venn 1880, Philos Mag 10:1.
    """
    names = shown_sets(calls)
    fig = blank()
    if names:
        kept = calls[names]
        patterns = kept[kept.any(axis=1)].apply(lambda row: tuple(map(bool, row)), axis=1)
        _circles(fig, names, {name: int(kept[name].sum()) for name in names}, colour_of)
        regions = [p for p in product((False, True), repeat=len(names)) if any(p)]
        genes = {p: [str(g) for g in patterns.index[patterns == p]] for p in regions}
        where = {p: _middle(p) for p in regions}
        who = {
            p: " and ".join(inert(n) for n, on in zip(names, p, strict=True) if on) for p in regions
        }
        fig.add_scatter(
            x=[where[p][0] for p in regions],
            y=[where[p][1] for p in regions],
            mode="text",
            text=[str(len(genes[p])) for p in regions],
            textfont={"size": 16},
            customdata=[[who[p], inert(", ".join(genes[p][:LISTED]))] for p in regions],
            hovertemplate="<b>%{text} genes</b> in %{customdata[0]} only<br>%{customdata[1]}"
            "<extra></extra>",
        )
    off = {"visible": False, "showgrid": False, "zeroline": False}
    fig.update_layout(
        height=440,
        showlegend=False,
        xaxis={**off, "range": [-2.1, 2.1]},
        yaxis={**off, "range": [-2.0, 1.75], "scaleanchor": "x"},
        margin={"t": 20, "b": 10, "l": 10, "r": 10},
    )
    return fig


def _circles(
    fig: go.Figure, names: list[str], sizes: Mapping[str, int], colour_of: Mapping[str, str]
) -> None:
    places = zip(names, CIRCLES[len(names)], NAMES[len(names)], COLOURS[: len(names)], strict=True)
    for name, (x, y), at, spare in places:
        colour = colour_of.get(name, spare)
        fig.add_shape(
            type="circle",
            x0=x - 1,
            x1=x + 1,
            y0=y - 1,
            y1=y + 1,
            fillcolor=colour,
            opacity=0.28,
            line={"width": 0},
        )
        fig.add_shape(
            type="circle",
            x0=x - 1,
            x1=x + 1,
            y0=y - 1,
            y1=y + 1,
            line={"color": colour, "width": 2},
        )
        fig.add_annotation(
            x=at[0], y=at[1], text=f"{inert(short(name, 26))} ({sizes[name]})", showarrow=False
        )


def _middle(pattern: tuple[bool, ...]) -> Place:
    """Within the circles of the pattern and away from the others."""
    places = CIRCLES[len(pattern)]
    inside = [p for p, on in zip(places, pattern, strict=True) if on]
    outside = [p for p, on in zip(places, pattern, strict=True) if not on]
    x, y = (sum(p[i] for p in inside) / len(inside) for i in (0, 1))
    if outside:
        away = [sum(p[i] for p in outside) / len(outside) for i in (0, 1)]
        push = 0.42 if len(inside) == 1 else 0.32
        x, y = x + push * (x - away[0]), y + push * (y - away[1])
    return x, y
