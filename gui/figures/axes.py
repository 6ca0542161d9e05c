"""Axes of names and thinning of curves, shared by the figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from gui.figures.text import LONGEST, inert, short


def f4(values: Any) -> np.ndarray:
    """float32: plotly sends it as base64, 5.3 characters a value. Infinite values become NaN (not drawn)."""
    array = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(array), array, np.nan).astype(np.float32)


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
    **options: Any,
) -> None:
    """Make an axis of numbers one of names: long names are cut on the axis and whole on hover (``%{x}``), and sent once.

    In array mode plotly's hover takes the tick text of a position. The data axis therefore carries the whole names; where some must be cut,
    its labels are hidden and a second axis, matched to it, shows the short ones.
    """
    at = np.arange(len(names)) if positions is None else positions
    whole = [inert(n) for n in names]
    cut = [inert(short(n, longest, middle=middle)) for n in names]
    small = np.asarray(at, dtype=np.float32 if np.asarray(at).dtype.kind == "f" else np.int32)
    edges = [float(small.min()) - 0.5, float(small.max()) + 0.5] if len(small) else [-0.5, 0.5]
    base: dict[str, Any] = {
        "type": "linear",
        "tickmode": "array",
        "tickvals": small,
        "showgrid": False,
        "range": edges[::-1] if which == "y" else edges,
        **options,
    }
    key = f"{which}axis"
    plain = whole == cut
    fig.update_layout({key: {**base, "ticktext": whole, "showticklabels": show and plain}})
    if show and not plain:
        first: dict[str, Any] = {"x": "x", "y": "y"}
        side = options.get("side", "bottom" if which == "x" else "left")
        second = {**base, "ticktext": cut, "overlaying": first[which], "matches": first[which], "side": side, "showticklabels": True}
        title = second.pop("title", None)
        fig.update_layout({f"{key}2": second})
        if title is not None:
            fig.update_layout({key: {"title": None}, f"{key}2": {"title": title}})
        traces = {**first, which: f"{which}2"}
        fig.add_trace(go.Scatter(x=[None], y=[None], xaxis=traces["x"], yaxis=traces["y"], hoverinfo="skip", showlegend=False, mode="markers"))


def angle(names: Sequence[object], room: float = 600.0) -> int:
    """Angle of labels under an x axis: flat where they fit into ``room`` pixels, slanted up to 16, upright beyond."""
    if not len(names):
        return 0
    widest = max(len(short(n)) for n in names) * 7 + 8
    if widest * len(names) <= room:
        return 0
    return -35 if len(names) <= 16 else -90
