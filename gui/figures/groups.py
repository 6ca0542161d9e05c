"""Fractions by group: every sample of one type, all types at once, effects, a heat map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import angle, digits, f4, name_axis, of_percent
from gui.figures.composition import SCROLL_FROM, Arrangement, mark_groups
from gui.figures.palette import GREY, SYMBOLS, is_hidden
from gui.figures.template import HEIGHT, blank
from gui.figures.text import inert, short

MOST_DOTS = 6000
"""Samples times types that the overview draws one by one; above, boxes alone."""
LIGHT, STRONG = (134, 142, 150), (66, 99, 235)
"""Ends of the colours of groups: the grey and the accent of the program, never a cell type's."""
GOLDEN = 0.6180339887498949


def group_colours(levels: tuple[str, ...]) -> dict[str, str]:
    """Colour by group, from grey to the accent colour in the order of the groups."""
    steps = np.linspace(0.0, 1.0, max(2, len(levels)))
    return {
        level: "#{:02X}{:02X}{:02X}".format(
            *(round(a + (b - a) * float(step)) for a, b in zip(LIGHT, STRONG, strict=True))
        )
        for level, step in zip(levels, steps, strict=False)
    }


def by_group(
    fractions: pd.Series,
    design: pd.DataFrame,
    levels: tuple[str, ...],
    *,
    name: str,
    colour: str,
) -> go.Figure:
    """One cell type: a box per group, and every sample as a dot.

    Parameters
    ----------
    fractions
        By sample (drawn in %).
    design
        Samples x columns ``group`` and, where paired, ``subject``: dots of a subject are joined.
    levels
        The groups in order.
    """
    fig = blank()
    colour = GREY if is_hidden(name) else colour
    percent = fractions.to_numpy(dtype=np.float64) * 100
    groups = design["group"].to_numpy()
    at = np.array([levels.index(g) for g in groups], dtype=np.float64)
    shown = at + _jitter(at, 0.22)
    if "subject" in design.columns:
        fig.add_scatter(
            **_joined(shown, percent, at, design["subject"]),
            mode="lines",
            line={"color": GREY, "width": 0.8},
            opacity=0.6,
            hoverinfo="skip",
            showlegend=False,
        )
    boxes = [percent[at == code] for code in range(len(levels))]
    look = {**_box_look(colour), "showlegend": False}
    fig.add_box(**_boxes(np.arange(len(levels)), boxes), width=0.6, **look)
    fig.add_scatter(
        x=f4(shown),
        y=of_percent(fractions),
        mode="markers",
        text=[inert(s) for s in fractions.index],
        customdata=[inert(g) for g in groups],
        marker={"color": colour, "size": 7, "opacity": 0.75},
        hovertemplate=f"%{{text}}<br>%{{customdata}}: %{{y:{digits(fractions)}}} %<extra></extra>",
        showlegend=False,
    )
    titles = [f"{level} ({len(box)})" for level, box in zip(levels, boxes, strict=True)]
    name_axis(fig, "x", titles, tickangle=angle(titles), what="groups")
    fig.update_layout(
        yaxis={
            "title": {"text": f"{inert(short(name))}<br>RNA fraction (%)"},
            "rangemode": "tozero",
        }
    )
    return fig


def along_number(
    fractions: pd.Series, number: pd.Series, *, name: str, variable: str, colour: str
) -> go.Figure:
    """One cell type along a number, a dot per sample.

    Parameters
    ----------
    fractions
        By sample (drawn in %).
    """
    fig = blank()
    fig.add_scatter(
        x=np.asarray(number, dtype=np.float64),
        y=of_percent(fractions),
        mode="markers",
        text=[inert(s) for s in fractions.index],
        marker={"color": GREY if is_hidden(name) else colour, "size": 8, "opacity": 0.75},
        hovertemplate=(f"%{{text}}<br>%{{x}}<br>%{{y:{digits(fractions)}}} %<extra></extra>"),
        showlegend=False,
    )
    fig.update_layout(
        xaxis={"title": {"text": inert(short(variable, 60))}},
        yaxis={
            "title": {"text": f"{inert(short(name))}<br>RNA fraction (%)"},
            "rangemode": "tozero",
        },
    )
    return fig


def overview(fractions: pd.DataFrame, design: pd.DataFrame, levels: tuple[str, ...]) -> go.Figure:
    """All cell types: a row per type, in it a box per group and every sample as a dot.

    Above :data:`MOST_DOTS` dots only boxes are drawn.

    Parameters
    ----------
    fractions
        Cell types x samples (drawn in %).
    """
    fig = blank()
    types = [str(t) for t in fractions.index]
    percent = of_percent(fractions.to_numpy())
    groups = design["group"].to_numpy()
    colour_of = group_colours(levels)
    dots = fractions.size <= MOST_DOTS
    room = 0.8 / len(levels)
    for code, level in enumerate(levels):
        values = percent[:, groups == level].astype(np.float64)
        rows = np.arange(len(types)) - 0.4 + room * (code + 0.5)
        look = {"name": inert(short(level)), "legendgroup": str(code)}
        box = _boxes(rows, list(values))
        box = {"y": box.pop("x"), **box}
        fig.add_box(
            **box,
            orientation="h",
            width=room * 0.86,
            showlegend=not dots,
            **look,
            **_box_look(colour_of[level]),
        )
        if dots:
            where = np.repeat(rows[:, None], values.shape[1], axis=1)
            where = where + _jitter(np.zeros(values.shape[1]), room * 0.3)[None, :]
            samples = [inert(s) for s in fractions.columns[groups == level]]
            fig.add_scatter(
                x=f4(values.ravel()),
                y=f4(where.ravel()),
                mode="markers",
                text=samples * len(types),
                marker={
                    "color": colour_of[level],
                    "symbol": SYMBOLS[code % len(SYMBOLS)],
                    "size": 5,
                    "opacity": 0.8,
                },
                hovertemplate="%{text}: %{x:.3g} %<extra></extra>",
                **look,
            )
    name_axis(fig, "y", types, what="cell types")
    row = max(26, 13 * len(levels))
    fig.update_layout(
        height=max(HEIGHT, 110 + row * len(types)),
        xaxis={"title": {"text": "RNA fraction (%)"}, "rangemode": "tozero"},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
    )
    return fig


def effects(
    table: pd.DataFrame, *, title: str, no_effect: float, colour_of: Mapping[str, str]
) -> go.Figure:
    """Effect of every cell type with its 95 % interval; filled where the type is called.

    Parameters
    ----------
    table
        By cell type: effect, effect_low, effect_high, called, p_adjusted.
    no_effect
        Marked by a line.
    """
    fig = blank()
    types = [str(t) for t in table.index]
    value, low, high = (f4(table[c]) for c in ("effect", "effect_low", "effect_high"))
    colours = [GREY if is_hidden(t) else colour_of.get(t, GREY) for t in types]
    fig.add_vline(x=no_effect, line={"width": 1, "dash": "dash"})
    for called, label in ((True, "differs"), (False, "no difference shown")):
        these = np.flatnonzero(table["called"].to_numpy(dtype=bool) == called)
        if not len(these):
            continue
        fig.add_scatter(
            x=value[these],
            y=these.astype(np.int32),
            error_x={
                "type": "data",
                "symmetric": False,
                "array": np.nan_to_num(high[these] - value[these]),
                "arrayminus": np.nan_to_num(value[these] - low[these]),
                "thickness": 1.5,
                "color": GREY,
            },
            mode="markers",
            name=label,
            marker={
                "color": [colours[i] for i in these],
                "size": 11,
                "symbol": "circle" if called else "circle-open",
                "line": {"width": 2},
            },
            customdata=[
                [_interval(low[i], high[i]), f"{table['p_adjusted'].iloc[i]:.2g}"] for i in these
            ],
            hovertemplate=(
                "%{y}: %{x:.3g}%{customdata[0]}<br>adjusted p %{customdata[1]}<extra></extra>"
            ),
        )
    name_axis(fig, "y", types, what="cell types")
    fig.update_layout(
        height=max(HEIGHT, 110 + 26 * len(types)),
        xaxis={"title": {"text": inert(title)}},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
    )
    return fig


def heatmap(
    values: pd.DataFrame, fractions: pd.DataFrame, design: pd.DataFrame, levels: tuple[str, ...]
) -> go.Figure:
    """Cell types x samples in the order of the groups or of the number.

    Colours: standard deviations from the mean of the type, on the scale that was tested.

    Parameters
    ----------
    values, fractions
        Cell types x samples, as tested and as fractions (told on hover).
    """
    fig = blank()
    by_number = "number" in design.columns
    key = (
        design["number"].to_numpy(dtype=np.float64)
        if by_number
        else np.array([levels.index(g) for g in design["group"]], dtype=np.float64)
    )
    order = np.argsort(key, kind="stable")
    samples = [str(design.index[i]) for i in order]
    tested = values.to_numpy(dtype=np.float64)[:, order]
    spread = tested.std(axis=1, keepdims=True)
    scores = (tested - tested.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    types = [str(t) for t in values.index]
    fig.add_heatmap(
        z=f4(np.clip(scores, -3, 3)),
        x=np.arange(len(samples), dtype=np.int32),
        y=np.arange(len(types), dtype=np.int32),
        zmin=-3,
        zmax=3,
        zmid=0,
        autocolorscale=True,
        customdata=of_percent(fractions.to_numpy()[:, order]),
        colorbar={"title": {"text": "SD from the mean"}},
        xgap=1 if len(samples) <= 60 else 0,
        ygap=1,
        hovertemplate="<b>%{y}</b>: %{customdata:.3g} %<br>%{x}<extra></extra>",
    )
    many = len(samples) > SCROLL_FROM
    title = {"text": f"{len(samples)} samples"} if many else None
    name_axis(
        fig,
        "x",
        samples,
        show=not many,
        tickangle=angle(samples, room=430),
        longest=18,
        middle=True,
        title=title,
        what="samples",
    )
    name_axis(fig, "y", types, what="cell types")
    if not by_number:
        codes = key[order]
        spans = [
            (level, int(np.flatnonzero(codes == code)[0]), int(np.flatnonzero(codes == code)[-1]))
            for code, level in enumerate(levels)
            if (codes == code).any()
        ]
        made = Arrangement(samples, np.arange(len(samples), dtype=np.int32), spans)
        mark_groups(fig, made, 360, lines=True)
    fig.update_layout(height=130 + max(22 * len(types), 250))
    return fig


def _boxes(positions: np.ndarray, values: list[np.ndarray]) -> dict[str, Any]:
    """Boxes as plotly draws them from numbers that are known: whiskers to the last value within
    1.5 box lengths (Tukey 1977).
    """
    found: dict[str, list[float]] = {
        key: [] for key in ("q1", "median", "q3", "lowerfence", "upperfence")
    }
    kept = [i for i, group in enumerate(values) if len(group)]
    for i in kept:
        low, middle, high = np.quantile(values[i], [0.25, 0.5, 0.75])
        inside = values[i][
            (values[i] >= low - 1.5 * (high - low)) & (values[i] <= high + 1.5 * (high - low))
        ]
        for key, value in zip(found, (low, middle, high, inside.min(), inside.max()), strict=True):
            found[key].append(float(value))
    return {"x": [float(positions[i]) for i in kept], **found}


def _box_look(colour: str) -> dict[str, Any]:
    return {
        "line": {"color": colour, "width": 1.5},
        "fillcolor": "rgba(134,142,150,0.12)",
        "hoverinfo": "skip",
        "boxpoints": False,
    }


def _jitter(groups: np.ndarray, width: float) -> np.ndarray:
    """Offsets that spread the dots of a group, the same every time (golden ratio sequence)."""
    found = np.zeros(len(groups))
    for group in np.unique(groups):
        these = np.flatnonzero(groups == group)
        if len(these) > 1:
            found[these] = width * (2 * ((np.arange(len(these)) * GOLDEN) % 1.0) - 1)
    return found


def _joined(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray, subjects: pd.Series
) -> dict[str, np.ndarray]:
    """Lines through the dots of each subject, from group to group, with gaps between subjects."""
    xs: list[float] = []
    ys: list[float] = []
    for _, rows in pd.Series(np.arange(len(x)), index=subjects.to_numpy()).groupby(level=0):
        these = rows.to_numpy()[np.argsort(groups[rows.to_numpy()], kind="stable")]
        xs += [*x[these], np.nan]
        ys += [*y[these], np.nan]
    return {"x": f4(xs), "y": f4(ys)}


def _interval(low: float, high: float) -> str:
    return f" ({low:.3g} to {high:.3g})" if np.isfinite(low) and np.isfinite(high) else ""
