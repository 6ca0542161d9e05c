"""Harrell's concordance of a risk score with survival."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.statistics.distributions import normal_quantile
from gui.statistics.survival_data import times_and_events

BLOCK = 4_000_000
"""Pairs of samples looked at together."""


@dataclass(frozen=True)
class Concordance:
    """How often of two patients the one with the higher risk has the event first; ties count half.

    error, low, high : NaN where no pair can be compared
    """

    value: float
    error: float
    low: float
    high: float
    pairs: int


def concordance(
    time: pd.Series | np.ndarray,
    event: pd.Series | np.ndarray,
    risk: pd.Series | np.ndarray,
    *,
    strata: pd.Series | np.ndarray | None = None,
    confidence: float = 0.95,
) -> Concordance:
    """Concordance of risk and survival, with the standard error of the infinitesimal jackknife.

    A pair is compared where the earlier time is an event, and within a stratum; tied times count
    where one is an event and the other is censored.

    Source: Harrell et al. 1982, JAMA 247:2543; Therneau & Watson 2015 (ties and the variance of
    R's concordance).
    """
    time, event = times_and_events(time, event)
    risk = np.round(np.asarray(risk, dtype=np.float64), 12)
    layer = np.zeros(time.size) if strata is None else pd.factorize(np.asarray(strata))[0]
    rows = np.flatnonzero(event)
    agreed, compared = np.zeros(time.size), np.zeros(time.size)
    size = max(1, BLOCK // max(time.size, 1))
    for begin in range(0, rows.size, size):
        some = rows[begin : begin + size]
        later = (time > time[some, None]) | ((time == time[some, None]) & ~event)
        later &= layer == layer[some, None]
        score = (risk[some, None] > risk) + 0.5 * (risk[some, None] == risk)
        score = np.where(later, score, 0.0)
        agreed[some] += score.sum(axis=1)
        agreed += score.sum(axis=0)
        compared[some] += later.sum(axis=1)
        compared += later.sum(axis=0)
    pairs = compared.sum() / 2.0
    if not pairs:
        nothing = float("nan")
        return Concordance(nothing, nothing, nothing, nothing, 0)
    value = float(agreed.sum() / 2.0 / pairs)
    influence = (agreed - value * compared) / pairs
    error = float(np.sqrt((influence**2).sum()))
    half = normal_quantile(confidence) * error
    return Concordance(value, error, max(0.0, value - half), min(1.0, value + half), int(pairs))
