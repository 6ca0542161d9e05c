"""Fractions on the scale that each cell type is compared on: log-ratio, rank or as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from gui.statistics.group_design import MANY_ZEROS, choose_scales
from gui.statistics.log_ratios import (
    DETECTION_LIMIT,
    REPLACED_BY,
    check_fractions,
    close,
    clr,
    log_ratios,
    replace_zeros,
)
from gui.statistics.ranks import rank

CLOSURE = (
    "Fractions of a sample sum to 1: where one cell type grows, all others shrink although nothing "
    "happened to them. Log-ratios compare each type with the geometric mean of all and are much "
    "less misled; percentage points are shown to give the size."
)
"""What closure does, beside every table of percentage points."""
Scale = Literal["auto", "log-ratio", "fraction"]


@dataclass(frozen=True, eq=False)
class ScaledFractions:
    """Fractions ready to be tested, and how to do the same to draws.

    scales : by cell type "log-ratio", "rank" or "fraction"
    closed, values : cell types x samples, before and after
    replacement : what replaces a zero in log-ratios, NaN where there is none; limit : below it a
        fraction counts as zero; ranked : ranks are written out, for a linear model
    """

    scales: pd.Series
    closed: np.ndarray
    values: np.ndarray
    replacement: float
    limit: float
    ranked: bool
    notes: tuple[str, ...]

    @property
    def ratios(self) -> np.ndarray:
        """Which cell types are on log-ratios."""
        return np.asarray(self.scales == "log-ratio")

    def apply(self, closed: np.ndarray) -> np.ndarray:
        """Closed fractions, such as draws (..., cell types, samples), on the same scales."""
        return _scaled(closed, self.scales, self.replacement, self.limit, self.ranked)


def scale_fractions(
    fractions: pd.DataFrame,
    scale: Scale = "auto",
    limit: float = DETECTION_LIMIT,
    *,
    ranked: bool = False,
) -> ScaledFractions:
    """Put each cell type on its scale, and say what was assumed.

    Parameters
    ----------
    fractions : cell types x samples
    scale : "auto" is log-ratios, and ranks where more than 30 % of a type's fractions are zero;
        such types are left out of the geometric mean, which their replaced zeros would rule

    Raises
    ------
    BadValues : fractions that cannot be used

    Source: Aitchison 1986 (log-ratios); Martín-Fernández et al. 2003 (zeros); Conover & Iman 1981,
    Am Stat 35:124 (ranks in a linear model).
    """
    closed = check_fractions(fractions)
    zeros = pd.Series((closed < limit).mean(axis=1), index=fractions.index)
    scales = choose_scales(zeros) if scale == "auto" else pd.Series(scale, index=fractions.index)
    replacement, notes = float("nan"), []
    ratios = (scales == "log-ratio").to_numpy()
    if ratios.any() and (closed[ratios] > 0).any(axis=0).all():
        made = log_ratios(fractions.iloc[ratios], limit)
        replacement = made.replacement
        notes += [note for note in made.notes if "sum" not in note]
    elif ratios.any():
        scales[:] = "rank"
        notes.append("A sample has none of the frequent cell types, so ranks are compared.")
    many = [str(name) for name in zeros.index[(zeros > MANY_ZEROS) & (scales == "rank")]]
    if many:
        notes.append(
            f"Compared by ranks of their fractions, as more than {MANY_ZEROS:.0%} of them are "
            f"zero: {', '.join(many)}."
        )
        if len(many) < len(scales) and (scales == "rank").all():
            notes.append(
                "Too few cell types are left for log-ratios, so all are compared by ranks."
            )
    values = _scaled(closed, scales, replacement, limit, ranked)
    notes.append(CLOSURE)
    return ScaledFractions(scales, closed, values, replacement, limit, ranked, tuple(notes))


def _scaled(
    closed: np.ndarray, scales: pd.Series, replacement: float, limit: float, ranked: bool
) -> np.ndarray:
    """On their scales, rounded: the last digits make no new order."""
    ratios, ranks = ((scales == name).to_numpy() for name in ("log-ratio", "rank"))
    values = closed.copy()
    if ranks.any():
        part = np.round(np.where(closed < limit, 0.0, closed)[..., ranks, :], 12)
        values[..., ranks, :] = rank(part).values if ranked else part
    if ratios.any():
        part = close(np.maximum(closed[..., ratios, :], 1e-300))
        if np.isfinite(replacement):
            part = replace_zeros(part, replacement, limit)
        elif (part < limit).any():  # a draw may have zeros where the estimate has none
            part = replace_zeros(part, REPLACED_BY * limit, limit)
        values[..., ratios, :] = clr(part)
    return np.round(values, 12)
