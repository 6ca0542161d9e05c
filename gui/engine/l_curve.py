"""The corner of the L-curve of a search of lambda2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

WINDOW, TURN = 0.1, 30.0
"""Of the L-curve: over which part of its length to each side the curvature is measured, and by how
many degrees it turns there at least where it has a corner. A quarter of a circle, which has none,
turns by 9.
"""
GONE = 1e-12
"""A size of 1 - Delta below this part of the largest one is rounding."""


@dataclass(frozen=True)
class Corner:
    """The corner of the L-curve: lambda2, or None and why there is none (no full stop)."""

    value: float | None
    reason: str = ""


def corner(path: pd.DataFrame) -> Corner:
    """The lambda2 where the L-curve bends most.

    The L-curve is the misfit against the size of 1 - Delta, both as norms and logarithms. Its
    curvature is that of the circle through three of its points, a tenth of its length apart (a
    curve that was computed at few points has no second derivative); lambda2 is the point of the
    grid next to where it is largest. Refused where the curve turns there by less than 30 degrees,
    or at one of its ends. Source: Hansen and O'Leary 1993, doi 10.1137/0914086.

    Parameters
    ----------
    path
        Of :func:`gui.engine.lambda2_path.regulation_path`.
    """
    solved = path.loc[path[["misfit", "size"]].notna().all(axis=1)]
    solved = solved[(solved["misfit"] > 0) & (solved["size"] > GONE * solved["size"].max())]
    if len(solved) < 5:
        return Corner(None, "fewer than five λ₂ regulate anything")
    logged = 0.5 * np.log10(solved[["misfit", "size"]].to_numpy(dtype=np.float64))
    steps = np.hypot(*np.diff(logged, axis=0).T)
    keep = np.r_[True, steps > 1e-9 * steps.sum()]  # points that coincide have no direction
    logged, grid = logged[keep], np.log10(solved.index.to_numpy(dtype=np.float64)[keep])
    if len(logged) < 5:
        return Corner(None, "the fit is the same for all λ₂")
    from scipy.interpolate import PchipInterpolator

    along = np.r_[0.0, np.cumsum(np.hypot(*np.diff(logged, axis=0).T))]
    curve = PchipInterpolator(along, logged)
    window = WINDOW * along[-1]
    middle = np.linspace(window, along[-1] - window, 401)
    before, at, after = curve(middle - window), curve(middle), curve(middle + window)
    one, two = at - before, after - at
    turn = np.degrees(
        np.arctan2(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0], np.sum(one * two, axis=1))
    )
    best = int(np.argmax(turn))
    if turn[best] < TURN:
        return Corner(None, "the L-curve has no corner")
    if best in (0, len(middle) - 1):
        return Corner(None, "the L-curve bends most at its end")
    nearest = int(np.argmin(np.abs(along - middle[best])))
    return Corner(float(10 ** grid[nearest]))
