"""Figures of genes: regulation, one gene over the types, overlaps, enrichment, likeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gui.engine.regulation import LOW_SUPPORT
from gui.figures.axes import f4, name_axis
from gui.figures.palette import ACCENT, GREY, SYMBOLS
from gui.figures.template import HEIGHT, blank, template
from gui.figures.text import inert, short, three

UP_COLOUR, DOWN_COLOUR = "#B2182B", "#2166AC"
NAMED = 12
"""Genes whose names stand in the volcano."""
ROW = 22
MOST_BARS = 30
FEW_ROWS = 8
MOST_OVERLAPS = 24
LETTERS = 46


def volcano(table: pd.DataFrame, fold: float) -> go.Figure:
    """Regulation of every gene in one cell type against how well the data support it.

    Parameters
    ----------
    table
        By gene: columns log2, factor, support, stability, expression, supported, call (1, -1, 0).
    fold
        From which on a gene counts as regulated.
    """
    fig = blank()
    height = table["support"].fillna(1.0)
    supported = table["supported"].astype(bool)
    groups = (
        (supported & (table["call"] > 0), "up", UP_COLOUR, 0.9),
        (supported & (table["call"] < 0), "down", DOWN_COLOUR, 0.9),
        (supported & (table["call"] == 0), "not regulated", ACCENT, 0.5),
        (~supported, "little support", GREY, 0.4),
    )
    for mask, name, colour, opacity in groups:
        part = table[mask.to_numpy(dtype=bool)]
        if part.empty:
            continue
        fig.add_scatter(
            x=f4(part["log2"]),
            y=f4(height[part.index]),
            mode="markers",
            name=f"{name} ({len(part)})",
            marker={"size": 7, "color": colour, "opacity": opacity},
            text=[inert(gene) for gene in part.index],
            customdata=np.dstack([f4(part[c]) for c in ("factor", "support", "expression")])[0],
            hovertemplate="<b>%{text}</b><br>log2 %{x:.2f}, factor %{customdata[0]:.3g}<br>support"
            " %{customdata[1]:.2f}<br>expression %{customdata[2]:.3g} per 10 000<extra></extra>",
        )
    for limit in (-np.log2(fold), np.log2(fold)):
        fig.add_vline(x=float(limit), line={"dash": "dot", "width": 1})
    fig.add_hline(y=LOW_SUPPORT, line={"dash": "dot", "width": 1})
    bound = max(1.2, float(np.abs(table["log2"]).max()) * 1.1) if len(table) else 1.2
    for gene, shift in _named(table, height, bound):
        fig.add_annotation(
            x=float(table.at[gene, "log2"]),
            y=float(height[gene]) if np.isfinite(height[gene]) else 0.0,
            text=inert(short(gene, 14)),
            showarrow=False,
            yshift=shift,
            font={"size": 11},
        )
    fig.update_layout(
        height=HEIGHT,
        xaxis={"title": {"text": "Regulation, log2"}, "range": [-bound, bound], "zeroline": True},
        yaxis={"title": {"text": "Support"}, "range": [-0.04, 1.06]},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )
    return fig


def _named(table: pd.DataFrame, height: pd.Series, bound: float) -> list[tuple[str, int]]:
    """Regulated genes, strongest first, whose names do not lie on each other; above or below."""
    strong = table[(table["call"] != 0) & table["supported"].astype(bool)]
    order = strong["log2"].abs().sort_values(ascending=False, kind="stable").index
    found: list[tuple[str, int]] = []
    taken: list[tuple[float, float]] = []
    for gene in order:
        x, y = float(table.at[gene, "log2"]) / bound, float(np.nan_to_num(height[gene]))
        for shift, away in ((11, 0.03), (-11, -0.03)):
            if all(abs(x - a) > 0.2 or abs(y + away - b) > 0.05 for a, b in taken):
                found.append((gene, shift))
                taken.append((x, y + away))
                break
        if len(found) == NAMED:
            break
    return found


def top_and_bottom(parts: Mapping[str, pd.DataFrame], n: int) -> go.Figure:
    """The genes most regulated upwards and downwards, one panel a run, side by side.

    Parameters
    ----------
    parts
        Title -> table by gene with columns log2 and call; a gene of one panel that another run has
        too keeps its row there, so that both are compared.
    n
        Genes upwards, and as many downwards.
    """
    shown: dict[str, None] = {}
    for table in parts.values():
        values = table["log2"][table["call"] != 0]
        shown |= dict.fromkeys(values[values > 0].sort_values(ascending=False).index[:n])
        shown |= dict.fromkeys(values[values < 0].sort_values().index[:n])
    means = pd.concat([t["log2"].reindex(list(shown)) for t in parts.values()], axis=1).mean(axis=1)
    genes = list(means.sort_values(ascending=False, kind="stable").index)
    titles = [inert(short(title, LETTERS, middle=True)) for title in parts]
    fig = make_subplots(
        cols=max(1, len(parts)), shared_yaxes=True, subplot_titles=titles, horizontal_spacing=0.03
    )
    fig.update_layout(template=template(False))
    at = np.arange(len(genes), dtype=np.int32)
    bound = 0.1
    for column, table in enumerate(parts.values(), start=1):
        values = table["log2"].reindex(genes)
        calls = table["call"].reindex(genes).fillna(0)
        bound = max(bound, float(values.abs().max()) if len(values) else 0.0)
        fig.add_bar(
            x=f4(values),
            y=at,
            orientation="h",
            marker={
                "color": [UP_COLOUR if c > 0 else DOWN_COLOUR if c < 0 else GREY for c in calls]
            },
            text=[inert(gene) for gene in genes],
            textposition="none",
            hovertemplate="<b>%{text}</b><br>log2 %{x:.2f}<extra></extra>",
            row=1,
            col=column,
        )
    name_axis(fig, "y", genes, longest=16, what="genes")
    bound *= 1.1
    fig.update_xaxes(range=[-bound, bound], title={"text": "Regulation, log2"})
    fig.update_layout(
        height=max(HEIGHT, 110 + ROW * len(genes)),
        showlegend=False,
        bargap=0.25,
        margin={"t": 34},
    )
    return fig


def overlaps(calls: pd.DataFrame, colour_of: Mapping[str, str]) -> go.Figure:
    """UpSet: how many regulated genes cell types have in common.

    Parameters
    ----------
    calls
        genes x names, True where regulated; names without a gene are left out.
    colour_of
        Name -> colour.

    Source: Lex et al. 2014, IEEE Trans Vis Comput Graph 20:1983.
    """
    names = [str(c) for c in calls.columns if calls[c].any()]
    kept = calls[names]
    kept = kept[kept.any(axis=1)]
    patterns = kept.apply(lambda row: tuple(row.to_numpy(dtype=bool)), axis=1)
    counts = patterns.value_counts() if len(patterns) else pd.Series(dtype=int)
    order = sorted(counts.index, key=lambda p: (-counts[p], sum(p), p))[:MOST_OVERLAPS]
    fig = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.03, row_heights=[0.55, 0.45]
    )
    fig.update_layout(template=template(False))
    x = np.arange(len(order), dtype=np.int32)
    who = [" and ".join(inert(n) for n, on in zip(names, p, strict=True) if on) for p in order]
    examples = [inert(", ".join(map(str, patterns.index[patterns == p][:12]))) for p in order]
    fig.add_bar(
        x=x,
        y=[int(counts[p]) for p in order],
        marker={"color": ACCENT},
        text=[str(int(counts[p])) for p in order],
        textposition="outside",
        cliponaxis=False,
        customdata=list(zip(who, examples, strict=True)),
        hovertemplate="<b>%{y} genes</b> in %{customdata[0]} only<br>%{customdata[1]}"
        "<extra></extra>",
        row=1,
        col=1,
    )
    for row, name in enumerate(names):
        on = [i for i, p in enumerate(order) if p[row]]
        for where, colour in ((x, GREY), (on, colour_of.get(name, ACCENT))):
            fig.add_scatter(
                x=where,
                y=[row] * len(where),
                mode="markers",
                marker={"size": 12, "color": colour, "opacity": 0.2 if where is x else 1.0},
                hoverinfo="skip",
                row=2,
                col=1,
            )
    for i, p in enumerate(order):
        rows = [row for row, there in enumerate(p) if there]
        if len(rows) > 1:
            fig.add_scatter(
                x=[i, i],
                y=[min(rows), max(rows)],
                mode="lines",
                line={"color": GREY, "width": 2},
                hoverinfo="skip",
                row=2,
                col=1,
            )
    sizes = {name: int(kept[name].sum()) for name in names}
    fig.update_yaxes(
        row=2,
        col=1,
        tickvals=list(range(len(names))),
        ticktext=[f"{inert(short(n, 24))} ({sizes[n]})" for n in names],
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
    )
    fig.update_yaxes(
        row=1, col=1, title={"text": "Regulated genes"}, rangemode="tozero", tickformat="d"
    )
    fig.update_xaxes(showticklabels=False, showgrid=False)
    fig.update_layout(
        height=max(420, 260 + ROW * len(names)), showlegend=False, bargap=0.4, margin={"t": 26}
    )
    return fig


def gene_over_types(parts: Mapping[str, pd.DataFrame], gene: str) -> go.Figure:
    """One gene in all cell types, one symbol a run; hollow where the data say little.

    Parameters
    ----------
    parts
        Title of the run -> by cell type: log2, support, supported, expression.
    """
    fig = blank()
    types = list(dict.fromkeys(str(t) for table in parts.values() for t in table.index))
    places = {name: i for i, name in enumerate(types)}
    spread = 0.5 / max(1, len(parts))
    for n, (title, table) in enumerate(parts.items()):
        shift = (n - (len(parts) - 1) / 2) * spread
        symbol = SYMBOLS[n % len(SYMBOLS)]
        supported = table["supported"].to_numpy(dtype=bool)
        fig.add_scatter(
            x=f4([places[str(t)] + shift for t in table.index]),
            y=f4(table["log2"]),
            mode="markers",
            name=inert(short(title, LETTERS, middle=True)),
            marker={
                "size": 12,
                "symbol": [symbol if on else f"{symbol}-open" for on in supported],
                "color": [
                    GREY if not on else UP_COLOUR if v > 0 else DOWN_COLOUR
                    for on, v in zip(supported, table["log2"], strict=True)
                ],
                "line": {"width": 1.5},
            },
            text=[inert(t) for t in table.index],
            customdata=np.dstack([f4(table["support"]), f4(table["expression"])])[0],
            hovertemplate=f"<b>{inert(gene)}</b> in %{{text}}<br>log2 %{{y:.2f}}<br>support"
            " %{customdata[0]:.2f}<br>expression %{customdata[1]:.3g} per 10 000"
            f"<extra>{inert(short(title, LETTERS, middle=True))}</extra>",
        )
    fig.add_hline(y=0.0, line={"width": 1})
    name_axis(fig, "x", types, tickangle=-35 if len(types) > 5 else 0)
    fig.update_layout(
        height=HEIGHT,
        yaxis={"title": {"text": f"Regulation of {inert(short(gene, 20))}, log2"}},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        showlegend=len(parts) > 1,
    )
    return fig


def set_bars(
    names: Sequence[str],
    values: Sequence[float],
    colours: Sequence[str],
    hover: Sequence[str],
    title: str,
    *,
    limit: float | None = None,
) -> go.Figure:
    """Horizontal bars of gene sets or cell types, the first at the top.

    Parameters
    ----------
    limit
        A dotted line where something begins to count.
    """
    fig = blank()
    names, values = list(names)[:MOST_BARS], list(values)[:MOST_BARS]
    fig.add_bar(
        x=f4(values),
        y=np.arange(len(names), dtype=np.int32),
        orientation="h",
        marker={"color": list(colours)[:MOST_BARS]},
        text=["<br>".join(map(inert, t.split("\n"))) for t in list(hover)[:MOST_BARS]],
        textposition="none",
        width=0.7,
        hovertemplate="<b>%{y}</b><br>%{text}<extra></extra>",
    )
    if limit is not None:
        fig.add_vline(x=limit, line={"dash": "dot", "width": 1})
    # empty rows, so that few bars stay bars
    name_axis(fig, "y", [*names, *[""] * (FEW_ROWS - len(names))], longest=LETTERS)
    fig.update_layout(
        height=max(HEIGHT, 90 + ROW * len(names)),
        xaxis={"title": {"text": title}, "zeroline": True},
        showlegend=False,
    )
    return fig


def set_name(row: Any) -> str:
    """A set as it is written in figures: without the collection's prefix and underscores."""
    name = str(row.set)
    for prefix in ("HALLMARK_", "REACTOME_", "WP_"):
        if name.startswith(prefix):
            return name.removeprefix(prefix).replace("_", " ").capitalize()
    return name


def set_names(table: pd.DataFrame) -> list[str]:
    """Names of sets, with their cell type first where there are several."""
    several = table["cell_type"].nunique() > 1
    return [f"{r.cell_type}: {set_name(r)}" if several else set_name(r) for r in table.itertuples()]


def over_bars(table: pd.DataFrame) -> go.Figure:
    """Over-represented sets of one cell type: -log10 of the adjusted p-value, red up, blue down."""
    part = table.sort_values("p", kind="stable").head(MOST_BARS)
    adjusted = part["p_adjusted"].to_numpy(dtype=np.float64)
    return set_bars(
        set_names(part),
        list(-np.log10(np.maximum(adjusted, 1e-300))),
        [UP_COLOUR if d == "up" else DOWN_COLOUR for d in part["direction"]],
        [
            f"{r.collection}, {r.direction}\n{r.overlap} of {r.in_background} genes,"
            f" {three(r.fold)} times as many as by chance\n"
            f"FDR {three(r.p_adjusted)}\n{short(r.genes, 80)}"
            for r in part.itertuples()
        ],
        "−log10 of the false discovery rate (red: up, blue: down; dotted: 5 %)",
        limit=float(-np.log10(0.05)),
    )


def ranked_bars(table: pd.DataFrame) -> go.Figure:
    """Enriched sets of one cell type's ranking: normalised score, pale above an FDR of 5 %."""
    part = table.sort_values(["fdr", "p"], kind="stable").head(MOST_BARS)
    return set_bars(
        set_names(part),
        [float(v) for v in part["nes"]],
        [
            GREY if not fdr <= 0.05 else UP_COLOUR if nes > 0 else DOWN_COLOUR
            for nes, fdr in zip(part["nes"], part["fdr"], strict=True)
        ],
        [
            f"{r.collection}\n{r.in_ranking} genes, FDR {three(r.fdr)}, p {three(r.p)}\nleading"
            f" edge: {short(r.leading_edge, 80)}"
            for r in part.itertuples()
        ],
        "Normalised enrichment score (grey: false discovery rate above 5 %)",
    )


def likeness_bars(table: pd.DataFrame, *, needed: float) -> go.Figure:
    """How much of the part outside of the reference each known profile explains."""
    return set_bars(
        [str(name) for name in table.index],
        [100 * float(v) for v in table["explained"]],
        [ACCENT if fits else GREY for fits in table["fits"]],
        [
            f"{r.origin}\ncosine {three(r.cosine)}, weight in the best mixture {three(r.weight)}"
            for r in table.itertuples()
        ],
        "Explained outside the span of the reference (%)",
        limit=100 * needed,
    )


def marker_bars(table: pd.DataFrame) -> go.Figure:
    """How high each type's markers stand in the hidden profile beyond the reference."""
    part = table.head(MOST_BARS)
    return set_bars(
        [str(name) for name in part.index],
        [float(v) for v in part["auc"]],
        [ACCENT if fits else GREY for fits in part["fits"]],
        [
            f"{r.markers} markers, FDR {three(r.p_adjusted)}\n{short(r.genes, 80)}"
            for r in part.itertuples()
        ],
        "Chance that a marker ranks above another gene (grey: FDR above 5 %)",
        limit=0.5,
    )
