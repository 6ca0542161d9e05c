"""Figures of ADTD: search of lambda2, gene regulation, hidden profile."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.engine.regulation import LOW_SUPPORT, STABLE, logs
from gui.figures.axes import f4, name_axis, of_percent
from gui.figures.markers import GENE_PIXELS, clustered
from gui.figures.palette import ACCENT, GREY, fill
from gui.figures.template import blank
from gui.figures.text import exponent, settled

CHOICES: dict[str, tuple[str, str, str]] = {
    "min": ("minimum", "#0072B2", "circle"),
    "one_se": ("one standard error", "#009E73", "diamond"),
    "drop": ("largest drop", "#D55E00", "square"),
}
SIGNS = {"circle": "●", "diamond": "◆", "square": "■"}
MOST_GENES = 500
_LETTER, _ROOM, _LINE = 7.2, 560.0, 20


def search(losses: pd.DataFrame, choices: Mapping[str, float | None]) -> go.Figure:
    """Draw the search curve: mean loss, one standard deviation, and the marked choices.

    Parameters
    ----------
    losses
        Folds x lambdas (columns ascending).
    choices
        "min", "one_se", "drop" -> lambda2 or None.
    """
    fig = blank()
    lambdas = np.asarray(losses.columns, dtype=np.float64)
    mean = losses.mean(axis=0).to_numpy(dtype=np.float64)
    std = (
        losses.std(axis=0, ddof=1).fillna(0.0).to_numpy(dtype=np.float64)
        if len(losses) > 1
        else np.zeros(len(mean))
    )
    finite = mean[np.isfinite(mean) & (mean > 0)]
    steep = len(finite) > 1 and finite.max() / finite.min() > 50
    low = np.maximum(mean - std, finite.min() * 0.1) if steep else mean - std
    edge = {"width": 0, "color": ACCENT}
    fig.add_scatter(x=lambdas, y=low, mode="lines", line=edge, hoverinfo="skip", showlegend=False)
    fig.add_scatter(
        x=lambdas,
        y=mean + std,
        mode="lines",
        line=edge,
        fill="tonexty",
        fillcolor="rgba(76,110,245,0.18)",
        name="spread over the folds (±1 SD)",
        hoverinfo="skip",
        showlegend=True,
    )
    fig.add_scatter(
        x=lambdas,
        y=mean,
        customdata=[exponent(v) for v in lambdas],
        mode="lines+markers",
        line={"color": ACCENT, "width": 2.5},
        marker={"size": 5},
        name="mean loss",
        hovertemplate="λ₂ %{customdata}<br>mean loss %{y:.3g}<extra></extra>",
    )
    rows = _mark(fig, lambdas, mean, choices)
    span = [math.log10(lambdas.min()), math.log10(lambdas.max())] if len(lambdas) else [-20.0, 0.0]
    pad = max((span[1] - span[0]) * 0.03, 0.05)
    fig.update_layout(
        xaxis={
            "type": "log",
            "title": {"text": "λ₂"},
            "range": [span[0] - pad, span[1] + pad],
            "exponentformat": "e",
            "nticks": 12,
        },
        yaxis={
            "title": {"text": "Loss on held-out samples"},
            "type": "log" if steep else "linear",
            "exponentformat": "e",
        },
        margin={"t": 16 + _LINE * max(rows, 1)},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": -0.2, "yanchor": "top"},
    )
    return fig


def _mark(
    fig: go.Figure, lambdas: np.ndarray, mean: np.ndarray, choices: Mapping[str, float | None]
) -> int:
    """Mark the choices; equal ones share a label, near ones stand in different lines.

    Returns the number of lines of labels above the plot.
    """
    merged: dict[float, list[str]] = {}
    for key in CHOICES:
        value = choices.get(key)
        if value is not None and math.isfinite(value) and value > 0:
            same = next((v for v in merged if math.isclose(v, value, rel_tol=1e-9)), value)
            merged.setdefault(same, []).append(key)
    logs = np.log10(lambdas)
    width = float(np.ptp(logs)) or 1.0
    taken: list[list[tuple[float, float]]] = []
    for value, keys in sorted(merged.items()):
        words, colour, symbol = (
            " = ".join(CHOICES[k][0] for k in keys),
            CHOICES[keys[0]][1],
            CHOICES[keys[0]][2],
        )
        text = f"{words}: {exponent(value)}"
        fraction = (math.log10(value) - logs.min()) / width
        half = (len(text) + 2) * _LETTER / _ROOM / 2
        anchor, left = (
            ("left", fraction)
            if fraction < half
            else ("right", fraction - 2 * half)
            if fraction > 1 - half
            else ("center", fraction - half)
        )
        right = left + 2 * half
        row = next(
            (
                i
                for i, line in enumerate(taken)
                if all(right + 0.02 < a or left - 0.02 > b for a, b in line)
            ),
            len(taken),
        )
        if row == len(taken):
            taken.append([])
        taken[row].append((left, right))
        fig.add_shape(
            type="line",
            xref="x",
            yref="paper",
            x0=value,
            x1=value,
            y0=0,
            y1=1,
            line={"color": colour, "dash": "dot", "width": 1.5},
        )
        fig.add_annotation(
            text=f'<span style="color:{colour}">{SIGNS[symbol]}</span> {text}',
            xref="x",
            yref="paper",
            x=math.log10(value),
            y=1,
            yshift=2 + row * _LINE,
            yanchor="bottom",
            xanchor=anchor,
            showarrow=False,
        )
        fig.add_scatter(
            x=[value],
            y=[float(np.interp(math.log10(value), logs, mean))],
            mode="markers",
            marker={
                "color": colour,
                "symbol": symbol,
                "size": 13,
                "line": {"width": 1.5, "color": "#FFFFFF"},
            },
            name=words,
            meta=text,
            showlegend=False,
            hovertemplate="%{meta}<br>mean loss %{y:.3g}<extra></extra>",
        )
    return len(taken)


def most_regulated(
    delta: pd.DataFrame,
    support: pd.DataFrame | None = None,
    n: int = 30,
    cell_type: str | None = None,
    *,
    low: float = LOW_SUPPORT,
) -> list[str]:
    """Return the ``n`` genes with the strongest supported regulation (log2), in one type or any.

    Parameters
    ----------
    delta, support
        genes x cell types. Returns fewer genes if fewer have support.
    """
    strength = logs(delta).abs()
    if support is not None:
        strength = strength.where(support.reindex_like(delta) >= low)
    score = strength[cell_type] if cell_type is not None else strength.max(axis=1)
    return [
        str(g) for g in score.dropna().sort_values(ascending=False, kind="stable").head(n).index
    ]


def gene_regulation(
    delta: pd.DataFrame,
    support: pd.DataFrame | None = None,
    *,
    genes: Sequence[str],
    log2: bool = True,
    low: float = LOW_SUPPORT,
    cluster: bool = True,
    stability: pd.DataFrame | None = None,
) -> go.Figure:
    """Draw the gene regulation as a heatmap, cell types x genes, centred at 1.

    Entries with support below ``low``, or whose direction was the same in less than 95 % of the
    replicates, are grey; hover gives the reason.

    Parameters
    ----------
    delta, support, stability
        genes x cell types.
    genes
        Which to draw (unknown ones are left out; at most 500, said in the axis title).
    """
    fig = blank()
    known = [g for g in dict.fromkeys(genes) if g in delta.index]
    chosen = delta.loc[known[:MOST_GENES]]
    if cluster:
        chosen = chosen.iloc[clustered(logs(chosen).to_numpy())]
    values = (logs(chosen) if log2 else chosen - 1.0).to_numpy(dtype=np.float64).T
    names, types = [str(g) for g in chosen.index], [str(t) for t in delta.columns]
    trust = (
        None
        if support is None
        else support.reindex(index=chosen.index, columns=delta.columns).to_numpy(dtype=np.float64).T
    )
    steady = (
        None
        if stability is None
        else stability.reindex(index=chosen.index, columns=delta.columns)
        .to_numpy(dtype=np.float64)
        .T
    )
    supported = np.ones(values.shape, dtype=bool) if trust is None else trust >= low
    trusted = supported if steady is None else supported & (steady >= STABLE)
    seen = values[trusted]
    seen = np.abs(seen[np.isfinite(seen)])
    bound = max(float(np.percentile(seen, 98)) if len(seen) else 0.0, 0.1)
    x, y = np.arange(len(names), dtype=np.int32), np.arange(len(types), dtype=np.int32)
    layers = [
        f4(settled(chosen.to_numpy(dtype=np.float64)).T),
        f4(settled(trust) if trust is not None else np.ones_like(values)),
    ]
    hover = "" if trust is None else "<br>support %{customdata[1]:.2f}"
    if steady is not None:
        layers.append(f4(steady * 100))
        hover += "<br>same direction in %{customdata[2]:.0f} % of the replicates"
    told = np.where(
        trusted,
        "",
        np.where(
            supported,
            "<br>grey: the direction is uncertain",
            "<br>grey: little support in the data",
        ),
    )
    bar: dict[str, object] = {
        "title": {"text": "Gene regulation, log2" if log2 else "Gene regulation (1 = none)"}
    }
    # drawn as Delta - 1, so that the template's diverging scale is taken; the labels say Delta
    if not log2:
        marks = _marks(bound)
        bar |= {"tickvals": [m - 1 for m in marks], "ticktext": [f"{m:.3g}" for m in marks]}
    fig.add_heatmap(
        z=f4(values),
        x=x,
        y=y,
        customdata=np.dstack(layers),
        zmin=-bound,
        zmax=bound,
        autocolorscale=True,
        xgap=1,
        ygap=1,
        colorbar=bar,
        text=told if not trusted.all() else None,
        hovertemplate="<b>%{x}</b>, %{y}<br>regulation %{customdata[0]:.3g}"
        + hover
        + ("" if trusted.all() else "%{text}")
        + "<extra></extra>",
    )
    if (weak := ~trusted).any():
        grey = [[0, GREY], [1, GREY]]
        fig.add_heatmap(
            z=f4(np.where(weak, 1.0, np.nan)),
            x=x,
            y=y,
            colorscale=grey,
            showscale=False,
            opacity=0.8,
            hoverinfo="skip",
            xgap=1,
            ygap=1,
        )
        fig.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker={"symbol": "square", "size": 12, "color": GREY},
            name="little support in the data",
            showlegend=True,
            hoverinfo="skip",
        )
    title = {"text": f"{MOST_GENES} of {len(known)} genes"} if len(known) > MOST_GENES else None
    name_axis(
        fig,
        "x",
        names,
        tickangle=-90,
        tickfont={"size": 11 if len(names) > 40 else 12},
        title=title,
        longest=16,
        what="genes",
    )
    name_axis(fig, "y", types)
    fig.update_layout(
        height=150 + max(22 * len(types), 190),
        width=260 + GENE_PIXELS * len(names) if len(names) > 50 else None,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )
    return fig


def _marks(bound: float) -> list[float]:
    """Round values around 1, none below 0, that lie within ``bound`` of 1."""
    power = 10.0 ** math.floor(math.log10(bound / 2.5))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= bound / 2.5)
    reach = int(bound / step + 1e-9)
    return [1 + k * step for k in range(-reach, reach + 1) if 1 + k * step >= -1e-9]


def hidden_profile(profile: pd.Series, reference: pd.DataFrame, n: int = 30) -> go.Figure:
    """Draw the ``n`` largest genes of the hidden background beside the reference's mean.

    Parameters
    ----------
    profile
        By gene, sums to 1.
    reference
        genes x cell types.
    """
    fig = blank()
    top = profile.sort_values(ascending=False, kind="stable").head(n)
    sums = reference.sum(axis=0)
    mean = (reference / sums.where(sums > 0)).mean(axis=1).reindex(top.index)
    at = np.arange(len(top), dtype=np.int32)
    fig.add_bar(
        x=at,
        y=of_percent(top.to_numpy(dtype=np.float64)),
        name="hidden background",
        marker=fill("hidden", {}),
        hovertemplate="<b>%{x}</b><br>hidden background %{y:.3g} %<extra></extra>",
    )
    fig.add_bar(
        x=at,
        y=of_percent(mean.to_numpy(dtype=np.float64)),
        name="mean of the reference",
        marker={"color": ACCENT},
        hovertemplate="<b>%{x}</b><br>mean of the reference %{y:.3g} %<extra></extra>",
    )
    name_axis(
        fig,
        "x",
        [str(g) for g in top.index],
        tickangle=-90 if len(top) > 12 else -35,
        longest=16,
        what="genes",
    )
    fig.update_layout(
        barmode="group",
        bargap=0.25,
        bargroupgap=0.05,
        yaxis={"title": {"text": "Fraction of the expression (%)"}, "rangemode": "tozero"},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        width=130 + 22 * len(top) if len(top) > 50 else None,
    )
    return fig
