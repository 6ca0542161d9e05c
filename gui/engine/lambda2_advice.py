"""One recommendation of lambda2 from a cross-validated search, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gui.engine.l_curve import Corner, corner

FEW_SAMPLES = 10
"""With fewer, the folds are too small and too few to tell one lambda2 from another."""
UNREGULATED = 1.0
"""From this lambda2 on the penalty allows no regulation: Delta is 1."""

FALSE_CHOICE = 0.05
"""Chance of a choice where the loss does not depend on lambda2; shared by all lambda2 of the grid,
because the smallest of many losses is small by luck too.
"""
STEADY = 0.9
"""Fraction of the supported regulations that must have the same direction in both halves of the
samples; by chance about half have, and large ones more often.
"""


@dataclass(frozen=True)
class Advice:
    """Which lambda2 the search supports.

    Attributes
    ----------
    value
        None where no choice is supported.
    reason
        "" or what follows the verdict, without a full stop.
    unregulated
        Whether the data show no regulation.
    supported, stability
        Of the path at the lambda2 that the loss speaks for: genes regulated with support, and the
        fraction of their directions that are the same in both halves of the samples; None where
        that is not known, or no lambda2 is spoken for.
    corner
        Of the L-curve; None without a path. It alone supports no choice: noise has one, too.
    """

    value: float | None
    reason: str
    unregulated: bool = False
    supported: int | None = None
    stability: float | None = None
    corner: Corner | None = None


def advise(
    losses: pd.DataFrame, samples: int | None = None, path: pd.DataFrame | None = None
) -> Advice:
    """Return the lambda2 that the search supports, one or none.

    It is that of :func:`by_loss`; with a path only where genes are regulated with support there,
    in directions that both halves of the samples agree on.

    Parameters
    ----------
    losses
        Folds x lambdas (columns = lambda2 ascending); a column with a NaN is passed over.
    samples
        On how many the search was done; None where that is not known.
    path
        Of :func:`gui.engine.lambda2_path.regulation_path`; None in older searches.
    """
    found = by_loss(losses, samples)
    if path is None:
        return found
    found = replace(found, corner=corner(path))
    if found.value is None:
        return found
    grid = path.index.to_numpy(dtype=np.float64)
    row = path.iloc[int(np.argmin(np.abs(np.log(grid / found.value))))]
    if not np.isfinite(row["supported"]):
        return found
    stability = float(row["stability"]) if np.isfinite(row["stability"]) else None
    found = replace(found, supported=int(row["supported"]), stability=stability)
    if not found.supported:
        reason = (
            "at the λ₂ that predicts best within one standard error no gene is regulated more than"
            " twofold with support"
        )
        return replace(found, value=None, reason=reason)
    if stability is not None and stability < STEADY:
        reason = (
            "at the λ₂ that predicts best within one standard error only"
            f" {100 * stability:.0f} % of the supported regulations have the same direction in both"
            " halves of the samples"
        )
        return replace(found, value=None, reason=reason)
    return found


def by_loss(losses: pd.DataFrame, samples: int | None = None) -> Advice:
    """Return the largest lambda2 whose loss is within one standard error of the smallest.

    The standard error is that of the difference to the minimum over the folds (paired: what makes
    one fold hard makes it hard for every lambda2), so that folds of different difficulty do not
    hide a difference. Supported is a choice only where it predicts samples that were left out
    better than the largest lambda2 does (paired t-test over the folds, Bonferroni over the grid).
    Source: Breiman et al. 1984, Classification and Regression Trees, section 3.4.3.

    Parameters
    ----------
    losses
        Folds x lambdas (columns = lambda2 ascending); a column with a NaN is passed over.
    samples
        On how many the search was done; None where that is not known.
    """
    solved = losses.loc[:, losses.notna().all(axis=0)]
    folds, points = solved.shape
    if points < 2:
        return Advice(None, "fewer than two λ₂ could be evaluated")
    if folds < 2:
        return Advice(None, "a single fold has no standard error")
    values = solved.to_numpy(dtype=np.float64)
    grid = solved.columns.to_numpy(dtype=np.float64)
    lowest = int(np.argmin(values.mean(axis=0)))
    above = values - values[:, [lowest]]
    excess, error = above.mean(axis=0), above.std(axis=0, ddof=1) / np.sqrt(folds)
    if lowest == points - 1:
        if grid[-1] >= UNREGULATED:
            return Advice(None, "the loss is smallest without regulation", unregulated=True)
        return Advice(None, "the loss is smallest at the upper edge of the grid")
    if samples is not None and samples < FEW_SAMPLES:
        return Advice(None, f"{samples} samples are too few to tell one λ₂ from another")
    from scipy import stats  # not when the window starts

    limit = stats.t.ppf(1 - FALSE_CHOICE / (points - 1), folds - 1)
    if excess[-1] <= limit * error[-1]:
        flat = "the loss is flat: no λ₂ predicts samples better than "
        if grid[-1] >= UNREGULATED:
            return Advice(None, f"{flat}no regulation, beyond chance")
        return Advice(None, f"{flat}the largest one, beyond chance")
    if lowest == 0:
        return Advice(None, "the loss is smallest at the lower edge of the grid")
    chosen = int(np.flatnonzero(excess <= error).max())
    return Advice(
        float(grid[chosen]),
        "the largest one whose loss is within one standard error of the smallest",
    )
