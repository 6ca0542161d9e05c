"""Does a finding hold when the data are resampled?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.errors import BadValues, DataError


@dataclass(frozen=True, eq=False)
class Stability:
    """How often a call is the same over the draws.

    table : by name: call (of the estimate: -1, 0, 1), kept (draws with the same call), draws
    """

    table: pd.DataFrame
    draws: int

    def sentence(self, name: str) -> str:
        """ "holds in 93 of 100 bootstrap draws"."""
        return f"holds in {int(self.table.loc[name, 'kept'])} of {self.draws} bootstrap draws"


def check_draws(draws: np.ndarray, fractions: pd.DataFrame) -> np.ndarray:
    """Bootstrap draws (Efron & Tibshirani 1993) as an array, negative rounding taken off.

    Parameters
    ----------
    draws : draws x cell types x samples, in the order of ``fractions``

    Raises
    ------
    DataError : draws of another shape, or none
    BadValues : gaps
    """
    values = np.asarray(draws, dtype=np.float64)
    if values.ndim != 3 or values.shape[1:] != fractions.shape or not len(values):
        raise DataError(
            "The bootstrap draws are not of the cell types and samples of the run.",
            advice="Run the bootstrap again.",
        )
    if not np.isfinite(values).all():
        raise BadValues("The bootstrap draws have gaps.", advice="Run the bootstrap again.")
    return np.maximum(values, 0.0)


def stability_over_draws(
    estimate: pd.DataFrame,
    draws: Iterable[np.ndarray],
    call: Callable[[pd.DataFrame], pd.Series],
    *,
    progress: Callable[[int], None] | None = None,
) -> Stability:
    """In how many draws a finding gets the same call as in the estimate.

    For tests of groups and Cox models use ``draws`` of :func:`gui.statistics.group_comparison.
    compare_groups` and :func:`gui.statistics.cox_by_type.cox_by_type`, which test all at once.

    Parameters
    ----------
    estimate : cell types x samples
    draws : each of the shape of ``estimate``
    call : of such a frame, by name: -1, 0 or 1 (or True and False)
    progress : called with the number of draws done; may raise to cancel

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 5; Felsenstein 1985,
    Evolution 39:783 (how often a finding recurs).
    """
    wanted = call(estimate).astype(int)
    kept = pd.Series(0, index=wanted.index)
    count = 0
    for draw in draws:
        if np.shape(draw) != estimate.shape:
            raise DataError("The draws are not of the cell types and samples of the run.")
        again = call(pd.DataFrame(draw, index=estimate.index, columns=estimate.columns))
        kept += (again.reindex(wanted.index).fillna(0).astype(int) == wanted).astype(int)
        count += 1
        if progress is not None:
            progress(count)
    if not count:
        raise DataError("There are no draws.", advice="Run the bootstrap again.")
    return Stability(pd.DataFrame({"call": wanted, "kept": kept, "draws": count}), count)
