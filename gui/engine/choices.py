"""The three marked choices of a lambda2 search. NumPy and pandas only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Choices:
    """The marked values of λ₂.

    Attributes
    ----------
    values
        "min", "one_se", "drop" -> lambda2 on the grid, None where there is no such choice.
    notes
        Sentences for the user.
    """

    values: Mapping[str, float | None]
    notes: tuple[str, ...] = ()


def choose(losses: pd.DataFrame) -> Choices:
    """Pick from a search.

    * min: the smallest mean loss (the smaller lambda2 where two are equal).
    * one_se: as stock (mean loss <= smallest mean + standard deviation over the folds there; of
      these the largest lambda2; from it one point
      up), but the point up is the next one of this grid, and at the end of the grid its last one.
      Stock multiplies by 10 instead.
    * drop: the grid point at which the mean loss falls most below that of its neighbour with the
      next larger lambda2, in other words the
      lower end of the steepest step when walking from strong to weak regularisation. None if the
      loss falls nowhere that way.

    Parameters
    ----------
    losses
        Folds x lambdas (columns = lambda2 ascending); a column with a NaN is passed over.
    """
    losses = losses.loc[:, losses.notna().all(axis=0)]
    if losses.empty:
        return Choices({"min": None, "one_se": None, "drop": None}, ("No λ₂ could be evaluated.",))
    grid = losses.columns.to_numpy(dtype=np.float64)
    mean = losses.mean(axis=0).to_numpy()
    lowest = int(np.argmin(mean))
    spread = float(losses.iloc[:, lowest].std(ddof=1))
    notes: list[str] = []
    if not np.isfinite(spread):
        one_se = lowest
        notes.append("A single fold has no standard error; the minimum is used instead.")
    else:
        within = np.flatnonzero(mean <= mean[lowest] + spread)
        widest = int(within.max())
        one_se = min(widest + 1, len(grid) - 1)
        if widest == len(grid) - 1:
            notes.append(
                "The loss stays within one standard error up to the largest λ₂, which is used; a"
                " larger one may fit as well."
            )
        elif len(within) == 1:
            notes.append(
                "No other λ₂ lies within one standard error of the minimum; the next larger one"
                " is used."
            )
    falls = np.diff(mean)  # mean[i + 1] - mean[i]: how much point i lies below its larger neighbour
    drop = int(np.argmax(falls)) if falls.size and falls.max() > 0 else None
    if drop is None:
        notes.append("The loss does not fall towards smaller λ₂, so there is no largest drop.")
    return Choices(
        {
            "min": float(grid[lowest]),
            "one_se": float(grid[one_se]),
            "drop": None if drop is None else float(grid[drop]),
        },
        tuple(notes),
    )
