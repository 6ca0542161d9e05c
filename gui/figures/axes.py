"""Axes of names and thinning of curves, shared by the figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from gui.figures.text import LEAST_PERCENT, LONGEST, inert, settled, short


def f4(values: Any) -> np.ndarray:
    """float32: plotly sends it as base64, 5.3 characters a value.

    Infinite values, and those beyond float32 (3.4e38), become NaN (not drawn).
    """
    with np.errstate(over="ignore"):
        narrow = np.asarray(values, dtype=np.float64).astype(np.float32)
    return np.where(np.isfinite(narrow), narrow, np.float32(np.nan))


def of_percent(fractions: Any) -> np.ndarray:
    """Fractions as the percentages that are drawn: float32, 0 in place of what rounding leaves."""
    return f4(settled(np.asarray(fractions, dtype=np.float64)) * 100)


def digits(fractions: Any) -> str:
    """Return d3's format of these fractions as percentages.

    Three significant digits, or two decimals where some are too small for that (0.00 for 0.0004 %).
    """
    values = settled(np.asarray(fractions, dtype=np.float64))
    return ".2f" if ((values != 0) & (np.abs(values) * 100 < LEAST_PERCENT)).any() else ".3g"


def thin(n: int, most: int) -> np.ndarray:
    """At most ``most`` evenly spaced positions out of ``n``, the first and the last among them."""
    if n <= most:
        return np.arange(n)
    return np.unique(np.linspace(0, n - 1, most).round().astype(int))


def name_axis(
    fig: go.Figure,
    which: Literal["x", "y"],
    names: Sequence[object],
    *,
    positions: np.ndarray | None = None,
    show: bool = True,
    longest: int = LONGEST,
    middle: bool = False,
    what: str = "names",
    **options: Any,
) -> None:
    """Label a numeric axis with names, cut on the axis and whole on hover (``%{x}``).

    The names go into ``labelalias``, which plotly uses for ticks and hover; 1000 ``ticktext`` take
    it a minute.

    The names stand in ``labelalias``, which plotly uses for ticks and hover (1000 ``ticktext`` cost
    it a minute: every one is searched for in all).

    Parameters
    ----------
    what
        The names are of, in the plural, for an axis title where there are too many to show The
        data axis carries the whole names; where some must be cut, its labels are hidden and a
        second axis, matched to it, shows the short ones.
    """
    at = [int(p) for p in (range(len(names)) if positions is None else positions)]
    edges = [min(at, default=0) - 0.5, max(at, default=0) + 0.5]
    between = {str(p): "" for p in range(int(edges[0] + 0.5), int(edges[1] + 0.5))}
    whole = between | {str(p): inert(n) for p, n in zip(at, names, strict=True)}
    cut = between | {
        str(p): inert(short(n, longest, middle=middle)) for p, n in zip(at, names, strict=True)
    }
    base: dict[str, Any] = {
        "type": "linear",
        "tickmode": "linear",
        "ticklabeloverflow": "allow",  # else every label is measured against all others
        "tick0": 0,
        "dtick": 1,
        "exponentformat": "none",
        "separatethousands": False,
        "showgrid": False,
    }
    base |= {
        "range": edges[::-1] if which == "y" else edges,
        "minallowed": edges[0],
        "maxallowed": edges[1],
        **options,
    }
    key = f"{which}axis"
    add_meta(fig, "what", {key: what})
    plain = whole == cut
    fig.update_layout({key: {**base, "labelalias": whole, "showticklabels": show and plain}})
    if show and not plain:
        first: dict[str, Any] = {"x": "x", "y": "y"}
        second = {
            **base,
            "labelalias": cut,
            "overlaying": first[which],
            "matches": first[which],
            "side": "bottom" if which == "x" else "left",
            "showticklabels": True,
        }
        title = second.pop("title", None)
        fig.update_layout({f"{key}2": second})
        if title is not None:
            fig.update_layout({key: {"title": None}, f"{key}2": {"title": title}})
        traces = {**first, which: f"{which}2"}
        fig.add_trace(
            go.Scatter(
                x=[None],
                y=[None],
                xaxis=traces["x"],
                yaxis=traces["y"],
                hoverinfo="skip",
                showlegend=False,
                mode="markers",
            )
        )


def add_meta(fig: go.Figure, key: str, values: dict[str, Any]) -> None:
    """Set ``layout.meta[key]``, which ``resources/assets/figure_layout.js`` reads."""
    meta = dict(fig.layout.meta or {})
    fig.layout.meta = meta | {key: meta.get(key, {}) | values}


def angle(names: Sequence[object], room: float = 600.0) -> int:
    """Return the angle of x-axis labels: flat if they fit, slanted up to 16, else upright."""
    if not len(names):
        return 0
    widest = max(len(short(n)) for n in names) * 7 + 8
    if widest * len(names) <= room:
        return 0
    return -35 if len(names) <= 16 else -90
