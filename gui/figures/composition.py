"""Figures of compositions: stacked bars, one sample's bars, heatmap.

Compositions are cell types (and ``hidden``) x samples, as fractions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.data.dataset import HIDDEN
from gui.figures.averaged_bars import bins_of
from gui.figures.axes import angle, digits, name_axis, of_percent
from gui.figures.palette import GREY, NUMBERED_FROM, fill, is_hidden, type_number
from gui.figures.template import HEIGHT, blank
from gui.figures.text import inert, natural, percentage, short
from gui.text import number

SCROLL_FROM = 40
"""With more samples than this the stacked bars get a width of their own and scroll."""
PIXELS = 15
"""Width of a sample in a scrolling figure."""
MOST_TOLD = 10_000
"""Contradicted fractions whose estimates are told on hover: 1 MB of text."""
BY_FILE, BY_NAME = "", "\x00name"
"""``sort`` of :func:`arrange`: as in the file; by sample name.

Anything else is the name of a type or ``hidden``.
"""
MOST_NUMBERS = 500
"""So many numbers of types are drawn at most; with more bars only some of them carry numbers."""
NO_GROUP = "no group"


@dataclass(frozen=True)
class OpinionHover:
    """What other estimates say of a composition, for its figures.

    Attributes
    ----------
    types
        The contradicted cell types.
    concerned
        Cell types x samples: where they contradict the composition.
    estimates
        Name of the estimate -> cell types x samples, the composition's own first; each sums to 1
        by sample.
    what
        Of what they are fractions, where the figure may show others.
    """

    types: tuple[str, ...]
    concerned: pd.DataFrame
    estimates: Mapping[str, pd.DataFrame]
    what: str = ""

    @property
    def fits(self) -> bool:
        """Whether a figure of all samples can tell the estimates: of many it would be too large."""
        return int(self.concerned.to_numpy(dtype=bool).sum()) <= MOST_TOLD

    def text(self, name: str, sample: str) -> str:
        """As :meth:`texts`, of one sample."""
        return self.texts(name, [sample])[0]

    def texts(self, name: str, samples: Sequence[str]) -> list[str]:
        """A line on hover for each sample: its estimates; "" where they do not contradict."""
        found = [""] * len(samples)
        if name not in self.concerned.index:
            return found
        row = self.concerned.loc[name].reindex(samples, fill_value=False).to_numpy(dtype=bool)
        at = np.flatnonzero(row).tolist()
        few = [samples[i] for i in at]
        rows = {
            title: frame.loc[name].reindex(few).to_numpy(dtype=np.float64)
            for title, frame in self.estimates.items()
        }
        what = f" ({self.what})" if self.what else ""
        for k, i in enumerate(at):
            told = ", ".join(
                f"{title} {inert(percentage(float(values[k])))} %" for title, values in rows.items()
            )
            found[i] = f"<br>contradicted{what}: {told}"
        return found


@dataclass(frozen=True)
class Arrangement:
    """The samples in the order drawn.

    Attributes
    ----------
    positions
        Along the axis, whole numbers with one left out between groups.
    groups
        (name, first, last position).
    """

    samples: list[str]
    positions: np.ndarray
    groups: list[tuple[str, int, int]]

    def clicked(self, click: Mapping[str, Any] | None) -> str | None:
        """The sample behind ``clickData`` of the stacked bars or the heatmap, or None."""
        if not click or not click.get("points"):
            return None
        x = click["points"][0].get("x")
        if not isinstance(x, (int, float)):
            return None
        found = np.flatnonzero(self.positions == round(x))
        return self.samples[int(found[0])] if len(found) else None


def sample_fractions(composition: pd.DataFrame, normalise: bool) -> pd.DataFrame:
    """Return the fractions as estimated, or normalised by sample (NaN for totals <= 0)."""
    if not normalise:
        return composition
    total = composition.sum(axis=0)
    return composition / total.where(total > 0)


def quantity(normalise: bool) -> str:
    """The axis title that says which of the two it is."""
    return (
        "RNA fraction (%)<br>of the estimated total"
        if normalise
        else "RNA fraction (%)<br>as estimated"
    )


def arrange(
    composition: pd.DataFrame,
    *,
    normalise: bool = False,
    sort: str = BY_FILE,
    group: pd.Series | None = None,
    gap: int = 1,
) -> Arrangement:
    """Order the samples by group, then by ``sort``.

    Groups are in the order of their names, ungrouped samples last. ``sort`` is a type (or hidden),
    largest first; the name; or the order of the file.

    Parameters
    ----------
    group
        By sample, any values.
    gap
        Positions left out between groups.
    """
    names = [str(s) for s in composition.columns]
    order = list(range(len(names)))
    if sort == BY_NAME:
        order.sort(key=lambda i: natural(names[i]))
    elif sort in composition.index:
        values = sample_fractions(composition, normalise).loc[sort].to_numpy(dtype=np.float64)
        order.sort(
            key=lambda i: (
                not np.isfinite(values[i]),
                -values[i] if np.isfinite(values[i]) else 0.0,
            )
        )
    if group is None:
        return Arrangement([names[i] for i in order], np.arange(len(order), dtype=np.int32), [])
    of = [
        NO_GROUP if pd.isna(g) or str(g) == "" else str(g)
        for g in group.reindex(composition.columns)
    ]
    order.sort(key=lambda i: (of[i] == NO_GROUP, natural(of[i])))
    positions: list[int] = []
    groups: list[tuple[str, int, int]] = []
    at = -1
    for n, i in enumerate(order):
        new = n == 0 or of[i] != of[order[n - 1]]
        at += 1 + (gap if new and n else 0)
        positions.append(at)
        groups = [*groups, (of[i], at, at)] if new else [*groups[:-1], (of[i], groups[-1][1], at)]
    return Arrangement([names[i] for i in order], np.asarray(positions, dtype=np.int32), groups)


def _types(composition: pd.DataFrame) -> list[str]:
    """Types in their order, hidden last: on top of the bar."""
    names = [str(t) for t in composition.index]
    return [t for t in names if not is_hidden(t)] + [t for t in names if is_hidden(t)]


def _drawn(composition: pd.DataFrame, normalise: bool, samples: list[str]) -> pd.DataFrame:
    drawn = sample_fractions(composition, normalise)
    drawn = drawn.set_axis(drawn.columns.astype(str), axis=1).set_axis(
        drawn.index.astype(str), axis=0
    )
    return drawn[samples]


def mark_groups(fig: go.Figure, arranged: Arrangement, room: float, *, lines: bool) -> None:
    """Write each group's name above its samples, cut to their width and whole on hover."""
    if not arranged.groups:
        return
    total = float(arranged.positions[-1] + 1)
    for name, first, last in arranged.groups:
        fig.add_shape(
            type="line",
            xref="x",
            yref="paper",
            x0=first - 0.42,
            x1=last + 0.42,
            y0=1.015,
            y1=1.015,
            line={"width": 2},
        )
        letters = int((last - first + 1) / total * room / 8)
        if letters >= 2:
            text = inert(short(name, min(letters, 28)))
            fig.add_annotation(
                text=text,
                hovertext=inert(name),
                xref="x",
                yref="paper",
                x=(first + last) / 2,
                y=1.02,
                yanchor="bottom",
                showarrow=False,
            )
        if lines and first > 0:
            fig.add_shape(
                type="line",
                xref="x",
                yref="paper",
                x0=first - 0.5,
                x1=first - 0.5,
                y0=0,
                y1=1.015,
                line={"width": 2},
            )
    fig.update_layout(margin={"t": 44})


def stacked(
    composition: pd.DataFrame,
    colour_of: Mapping[str, str],
    *,
    normalise: bool = False,
    sort: str = BY_FILE,
    group: pd.Series | None = None,
    arranged: Arrangement | None = None,
    ends: tuple[pd.DataFrame, pd.DataFrame] | None = None,
    opinion: OpinionHover | None = None,
    title: str = "",
) -> go.Figure:
    """One stacked bar per sample; the legend reads as the stack, top to bottom.

    With more than 40 samples ``layout.width`` is set (it scrolls) and the legend stands beside it
    (``type_legend``). Where they would be more bars than a browser draws, neighbouring samples
    share one, their mean.

    Parameters
    ----------
    composition
        Cell types and ``hidden`` x samples, fractions.
    ends
        Low and high of the 95 % intervals, shaped alike: told on hover, for whiskers of stacked
        bars would cover one another.
    opinion
        The contradicted types are hatched, and the samples concerned tell the three estimates.
    title
        Of the axis, where it is not that of RNA fractions.
    """
    fig = blank()
    order = arranged or arrange(composition, normalise=normalise, sort=sort, group=group)
    drawn, types = _drawn(composition, normalise, order.samples), _types(composition)
    many = len(order.samples) > SCROLL_FROM
    bins = bins_of(order.positions, order.groups, len(types))
    scrolls = many and bins is None
    total = composition.sum(axis=0)
    whole = (
        (total.where(total > 0) if normalise else total * 0 + 1)
        .set_axis(composition.columns.astype(str))[order.samples]
        .to_numpy(dtype=np.float64)
    )
    numbers = type_numbers(types, colour_of)
    every = -(-len(types) * len(order.samples) // MOST_NUMBERS)
    for name in types:
        values, interval = drawn.loc[name].to_numpy(dtype=np.float64), ""
        more: dict[str, Any] = {}
        if name in numbers and bins is None:  # a bar of two pixels has no room for one
            shown = [numbers[name] if i % every == 0 else "" for i in range(len(order.samples))]
            more |= {"text": shown, "textposition": "inside", "insidetextanchor": "middle"}
            more |= {"textangle": 0, "textfont": {"size": 11}}
        if bins is None and ends is not None and name in ends[0].index:
            low, high = (
                e.set_axis(e.columns.astype(str), axis=1)
                .loc[name]
                .reindex(order.samples)
                .to_numpy(dtype=np.float64)
                / whole
                for e in ends
            )
            more["customdata"] = np.column_stack([of_percent(low), of_percent(high)])
            interval = (
                f" (95 %: %{{customdata[0]:{digits(low)}}} to %{{customdata[1]:{digits(high)}}})"
            )
        contradicted = opinion is not None and name in opinion.types
        if bins is None and opinion is not None and contradicted and opinion.fits:
            more["hovertext"] = opinion.texts(name, order.samples)
            interval += "%{hovertext}"
        where = "%{x}"
        if bins is not None:
            values, interval = bins.mean(values), " on average"
            more = {"customdata": bins.counts[:, None], "width": bins.width}
            where = "%{customdata[0]} samples around %{x}"
        fig.add_bar(
            **more,
            hovertemplate=(
                f"<b>%{{meta}}</b>: %{{y:{digits(values)}}} %{interval}<br>{where}<extra></extra>"
            ),
            x=order.positions if bins is None else bins.middle,
            y=of_percent(values),
            name=_numbered(inert(short(name)), numbers.get(name)),
            meta=inert(name),
            marker=fill(name, dict(colour_of), contradicted=contradicted)
            | ({"line": {"width": 0}} if many else {}),
        )
    width = 130 + PIXELS * int(order.positions[-1] + 1) if scrolls else None
    # what the legend leaves at 1280 pixels
    upright = -90 if many else angle(order.samples, room=430)
    averaged: dict[str, Any] = {}
    if bins is not None:
        said = f"{number(len(order.samples))} samples; a bar is the mean of up to {bins.largest}"
        averaged = {"show": False, "title": {"text": said}}
    name_axis(
        fig,
        "x",
        order.samples,
        **averaged,
        positions=order.positions,
        tickangle=upright,
        longest=28 if upright == 0 else 18,
        middle=True,
        what="samples",
    )
    mark_groups(fig, order, (width or 750) - 130, lines=False)
    y: dict[str, Any] = {
        "title": {"text": title or quantity(normalise)},
        "rangemode": "tozero",
    }
    if normalise:
        y["range"] = [0, 100]
    if numbers:  # a number that finds no room is left out, and none is drawn too small to read
        fig.update_layout(uniformtext={"mode": "hide", "minsize": 8})
        by_name = {inert(name): text for name, text in numbers.items()}
        fig.layout.meta = (fig.layout.meta or {}) | {"numbers": by_name}
    fig.update_layout(
        barmode="stack",
        bargap=0.18,
        yaxis=y,
        showlegend=not many,
        width=width,
        legend={"traceorder": "reversed"},
    )
    if len(order.samples) <= 4:  # a few bars need not fill the room
        fig.update_layout(bargap=1 - 0.18 * len(order.samples))
    if many:
        fig.layout.meta = fig.layout.meta | {"legend_on_export": True}
        fig.update_layout(bargap=0.12)
    else:
        tall = (
            50
            + 20 * len(types)
            + (0 if upright == 0 else 130 if upright == -90 else 90)
            + (30 if order.groups else 0)
        )
        fig.layout.meta = dict(fig.layout.meta or {}) | {"least_height": tall}
        fig.update_layout(
            height=max(tall, HEIGHT), legend={"font": {"size": 12 if len(types) > 14 else 13}}
        )
    return fig


def single(
    sample: pd.Series,
    colour_of: Mapping[str, str],
    *,
    truth: pd.Series | None = None,
    normalise: bool = False,
    interval: tuple[float, float] | None = None,
    ends: pd.DataFrame | None = None,
    opinion: OpinionHover | None = None,
    title: str = "",
) -> go.Figure:
    """One sample: a bar per type, the true fraction beside it as a diamond where it is known.

    Parameters
    ----------
    sample, truth
        By cell type, fractions; true types that the reference lacks count as hidden.
    interval
        Low and high of the hidden fraction at equal fit.
    ends
        By cell type, columns low and high of the 95 % interval. The whisker of the hidden
        fraction spans both.
    opinion
        The contradicted types are hatched; if this sample is concerned, hover tells why.
    title
        Of the axis, where it is not that of RNA fractions.
    """
    fig = blank()
    estimated = sample_fractions(sample.to_frame(), normalise).iloc[:, 0]
    factor = 1.0 / float(sample.sum()) if normalise and sample.sum() > 0 else 1.0
    real = None if truth is None else fold_hidden(truth, [str(t) for t in sample.index])
    types = [t for t in _types(sample.to_frame()) if not is_hidden(t)]
    if HIDDEN in sample.index or (real is not None and HIDDEN in real.index):
        types.append(HIDDEN)
    if real is not None:  # the first trace: it takes the colour of the text
        true = [real.get(t, np.nan) for t in types]
        fig.add_scatter(
            x=of_percent(true),
            y=np.arange(len(types), dtype=np.int32),
            mode="markers",
            name="true fraction",
            marker={"symbol": "diamond-open", "size": 11, "line": {"width": 2}},
            showlegend=True,
            hovertemplate=f"<b>%{{y}}</b>: true %{{x:{digits(true)}}} %<extra></extra>",
        )
    for i, name in enumerate(types):
        fraction = float(estimated.get(name, np.nan))
        value = 100 * fraction
        error, spans, told = None, [], ""
        contradicted = opinion is not None and name in opinion.types
        if opinion is not None and contradicted:
            told += opinion.text(name, str(sample.name))
        if ends is not None and name in ends.index:
            spans.append(tuple(100 * factor * float(v) for v in ends.loc[name, ["low", "high"]]))
            told += f"<br>95 % interval {_between(spans[-1])}"
        if is_hidden(name) and interval is not None:
            spans.append((100 * factor * interval[0], 100 * factor * interval[1]))
            told += f"<br>at equal fit {_between(spans[-1])}"
        if spans:
            low, high = min(s[0] for s in spans), max(s[1] for s in spans)
            error = {
                "type": "data",
                "symmetric": False,
                "array": [max(high - value, 0.0)],
                "arrayminus": [max(value - low, 0.0)],
                "thickness": 1.5,
                "width": 5,
            }
        fig.add_bar(
            x=of_percent([fraction]),
            y=[i],
            orientation="h",
            marker=fill(name, dict(colour_of), contradicted=contradicted),
            name=inert(short(name)),
            meta=inert(name),
            error_x=error,
            showlegend=False,
            hovertemplate=(
                f"<b>%{{meta}}</b>: estimated {percentage(fraction)} %{told}<extra></extra>"
            ),
        )
    name_axis(fig, "y", types)
    fig.update_layout(
        xaxis={
            "title": {"text": (title or quantity(normalise)).replace("<br>", ", ")},
            "rangemode": "tozero",
        },
        bargap=0.3,
        height=90 + max(26 * len(types), 100),
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )
    return fig


def _between(span: tuple[float, ...]) -> str:
    """Two percentages on hover."""
    return f"{percentage(span[0] / 100)} to {percentage(span[1] / 100)} %"


def fold_hidden(truth: pd.Series, types: list[str]) -> pd.Series:
    """True fractions of ``types``; what the reference lacks is added up as hidden."""
    known = truth[[t for t in truth.index if str(t) in types and not is_hidden(str(t))]]
    rest = truth[[t for t in truth.index if str(t) not in types or is_hidden(str(t))]]
    folded = known.set_axis(known.index.astype(str))
    return pd.concat([folded, pd.Series({HIDDEN: rest.sum()})]) if len(rest) else folded


def heatmap(
    composition: pd.DataFrame,
    *,
    normalise: bool = False,
    sort: str = BY_FILE,
    group: pd.Series | None = None,
    arranged: Arrangement | None = None,
    opinion: OpinionHover | None = None,
    title: str = "",
) -> go.Figure:
    """Types x samples as a heatmap: all samples at a glance.

    ``arranged`` must come from ``arrange(..., gap=0)``. Contradicted types have a star behind
    their name.
    """
    fig = blank()
    order = arranged or arrange(composition, normalise=normalise, sort=sort, group=group, gap=0)
    types = _types(composition)
    values = _drawn(composition, normalise, order.samples).loc[types].to_numpy(dtype=np.float64)
    shape, values = digits(values), of_percent(values)
    more, told = {}, ""
    if opinion is not None and opinion.types:
        if opinion.fits:
            blank_row = [""] * len(order.samples)
            more["text"] = [
                opinion.texts(t, order.samples) if t in opinion.types else blank_row for t in types
            ]
            told = "%{text}"
        types = [f"{t} *" if t in opinion.types else t for t in types]
    top = float(np.nanmax(values, initial=0.0)) if np.isfinite(values).any() else 1.0
    fig.add_heatmap(
        z=values,
        x=order.positions,
        y=np.arange(len(types), dtype=np.int32),
        zmin=min(0.0, float(np.nanmin(values, initial=0.0))),
        zmax=top or 1.0,
        autocolorscale=True,
        colorbar={"title": {"text": (title or quantity(normalise)).replace("<br>", ", ")}},
        xgap=1 if len(order.samples) <= 60 else 0,
        ygap=1,
        hovertemplate=f"<b>%{{y}}</b>: %{{z:{shape}}} %{told}<br>%{{x}}<extra></extra>",
        **more,
    )
    many = len(order.samples) > SCROLL_FROM
    count = {"text": f"{len(order.samples)} samples"} if many else None
    name_axis(
        fig,
        "x",
        order.samples,
        positions=order.positions,
        show=not many,
        tickangle=angle(order.samples, room=430),
        longest=18,
        middle=True,
        title=count,
        what="samples",
    )
    name_axis(fig, "y", types)
    mark_groups(fig, order, 560, lines=True)
    fig.update_layout(height=130 + max(22 * len(types), 190))
    return fig


def legend_entries(
    composition: pd.DataFrame,
    colour_of: Mapping[str, str],
    contradicted: Collection[str] = (),
) -> list[tuple[str, str, bool]]:
    """Return (name, colour, hatched) for the legend, from the top of the stack."""
    types = _types(composition)
    numbers = type_numbers(types, colour_of)
    return [
        (
            _numbered(t, numbers.get(t)),
            colour_of.get(t, GREY),
            is_hidden(t) or t in contradicted,
        )
        for t in reversed(types)
    ]


def type_numbers(types: Sequence[str], colour_of: Mapping[str, str]) -> dict[str, str]:
    """The number that stands on the bars of each type; none where there are few types.

    A type has the same number in every figure, as it has the same colour. Hidden has none: its
    grey hatch is its own.
    """
    if len(types) < NUMBERED_FROM:
        return {}
    return {t: str(type_number(colour_of.get(t, GREY))) for t in types if not is_hidden(t)}


def _numbered(name: str, number: str | None) -> str:
    return name if number is None else f"{number} {name}"
