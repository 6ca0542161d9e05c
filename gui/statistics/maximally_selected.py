"""The best cut point of a number for survival, with a p-value that accounts for the search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.errors import DataError, InvalidParameter
from gui.statistics.distributions import normal_p
from gui.statistics.multiple_testing import permutation_p
from gui.statistics.survival_data import check_no_gaps, times_and_events

BLOCK = 2_000_000
"""Numbers permuted together."""


@dataclass(frozen=True, eq=False)
class BestCut:
    """The cut point of the largest standardised log-rank statistic.

    cut : the lower group has values up to it; statistic : its absolute value
    p : over all cut points, by permutation; nominal_p : as if the cut had been stated before
    table : by cut point: cut, samples (in the lower group), statistic
    """

    cut: float
    statistic: float
    p: float
    nominal_p: float
    table: pd.DataFrame
    permutations: int
    seed: int
    notes: tuple[str, ...]


def best_cut(
    time: pd.Series | np.ndarray,
    event: pd.Series | np.ndarray,
    values: pd.Series | np.ndarray,
    *,
    middle: float = 0.5,
    permutations: int = 9999,
    seed: int = 0,
) -> BestCut:
    """Maximally selected log-rank statistic with the p-value of its permutation distribution.

    Parameters
    ----------
    middle : the part of the samples within which is cut: 0.5 leaves a quarter at each end
    permutations : of the survival scores

    Raises
    ------
    DataError : no cut point in that part, or no event

    Source: Lausen & Schumacher 1992, Biometrics 48:73; Hothorn & Lausen 2003, Comput Stat Data
    Anal 43:121 (log-rank scores, permutation); Altman et al. 1994, JNCI 86:829 (the danger).
    """
    if not 0.0 < middle <= 1.0:
        raise InvalidParameter("The part of the samples to cut within lies between 0 and 1.")
    values = np.asarray(values, dtype=np.float64)
    check_no_gaps(values, "value")
    scores = log_rank_scores(time, event)
    order = np.argsort(values, kind="stable")
    values, scores = values[order], scores[order]
    n = values.size
    lower = np.arange(1, n)  # samples in the lower group
    edge = (1.0 - middle) / 2.0
    allowed = (lower >= max(1.0, edge * n - 1e-9)) & (lower <= (1.0 - edge) * n + 1e-9)
    possible = lower[allowed & (values[1:] > values[:-1])]
    if not possible.size:
        raise DataError(
            "No cut point leaves enough samples on both sides.", advice="Use the number as it is."
        )
    if np.ptp(scores) == 0:
        raise DataError("No sample has the event.", advice="Check the event column.")
    observed = _standardised(scores[None], possible)[0]
    rng = np.random.default_rng(seed)
    largest = []
    block = max(1, BLOCK // n)
    for begin in range(0, permutations, block):
        size = min(block, permutations - begin)
        shuffled = rng.permuted(np.broadcast_to(scores, (size, n)), axis=1)
        largest.append(np.abs(_standardised(shuffled, possible)).max(axis=1))
    at = int(np.argmax(np.abs(observed)))
    statistic = float(abs(observed[at]))
    return BestCut(
        cut=float(values[possible[at] - 1]),
        statistic=statistic,
        p=float(permutation_p(np.asarray(statistic), np.concatenate(largest), "greater")),
        nominal_p=float(normal_p(statistic)),
        table=pd.DataFrame(
            {"cut": values[possible - 1], "samples": possible, "statistic": observed}
        ),
        permutations=permutations,
        seed=seed,
        notes=(
            f"Exploratory: the best of {possible.size} cut points was searched for. The "
            "permutation p-value accounts for the search; the hazard ratio at this cut point is "
            "too large: confirm it in other data.",
        ),
    )


def log_rank_scores(time: np.ndarray | pd.Series, event: np.ndarray | pd.Series) -> np.ndarray:
    """Event less the Nelson-Aalen hazard up to one's time: the scores of the log-rank test.

    Source: Peto & Peto 1972; Hothorn & Lausen 2003, section 2.2.
    """
    time, event = times_and_events(time, event)
    distinct, at = np.unique(time, return_inverse=True)
    left = np.bincount(at, minlength=distinct.size)
    at_risk = left[::-1].cumsum()[::-1]
    hazard = np.cumsum(np.bincount(at, event, distinct.size) / at_risk)
    return np.asarray(event - hazard[at])


def _standardised(scores: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Linear rank statistic of each lower group under permutation, rows x cut points."""
    n = scores.shape[1]
    centred = scores - scores.mean(axis=1, keepdims=True)
    sums = np.cumsum(centred, axis=1)[:, lower - 1]
    spread = (centred**2).sum(axis=1, keepdims=True) * lower * (n - lower) / (n * (n - 1.0))
    return np.asarray(sums / np.sqrt(spread))
