"""Kaplan-Meier curves: band, median, numbers at risk, restricted mean survival time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from gui.errors import InvalidParameter
from gui.statistics.distributions import normal_p, normal_quantile
from gui.statistics.survival_data import check_no_gaps, times_and_events

Transform = Literal["log-log", "log", "plain"]
TRANSFORMS: dict[str, str] = {
    "log-log": "complementary log-log",
    "log": "log",
    "plain": "none (linear)",
}


@dataclass(frozen=True, eq=False)
class SurvivalCurve:
    """One Kaplan-Meier curve.

    table : one row per distinct time, from 0: time, at_risk, events, censored, survival, error
        (Greenwood), low, high (pointwise)
    median, median_low, median_high : NaN where the curve or band does not reach one half
    transform : of the band and of the interval of the median
    """

    name: str
    table: pd.DataFrame
    median: float
    median_low: float
    median_high: float
    transform: Transform
    confidence: float

    @property
    def samples(self) -> int:
        """How many the curve is of."""
        return int(self.table["at_risk"].iloc[0])

    @property
    def events(self) -> int:
        """How many had the event."""
        return int(self.table["events"].sum())

    def at(self, times: Sequence[float]) -> pd.DataFrame:
        """The table under the axis: at risk just before, events and censored up to each time.

        Source: Pocock, Clayton & Altman 2002, Lancet 359:1686; Morris et al. 2019 (KMunicate).
        """
        table = self.table
        rows = []
        for time in times:
            upto = table["time"] <= time
            before = table["time"] < time
            gone = table.loc[before, ["events", "censored"]].to_numpy().sum()
            rows.append(
                {
                    "time": float(time),
                    "at_risk": self.samples - int(gone),
                    "events": int(table.loc[upto, "events"].sum()),
                    "censored": int(table.loc[upto, "censored"].sum()),
                    "survival": float(table.loc[upto, "survival"].iloc[-1]),
                    "low": float(table.loc[upto, "low"].iloc[-1]),
                    "high": float(table.loc[upto, "high"].iloc[-1]),
                }
            )
        return pd.DataFrame(rows)


def kaplan_meier(
    time: np.ndarray | pd.Series,
    event: np.ndarray | pd.Series,
    *,
    name: str = "all",
    transform: Transform = "log-log",
    confidence: float = 0.95,
) -> SurvivalCurve:
    """Kaplan-Meier estimate with Greenwood's variance and a pointwise band.

    Raises
    ------
    BadValues : times and events as in :func:`gui.statistics.survival_data.times_and_events`

    Source: Kaplan & Meier 1958; Greenwood 1926; Borgan & Liestøl 1990, Scand J Stat 17:35 (why
    log-log); Brookmeyer & Crowley 1982, Biometrics 38:29 (interval of the median: where the band
    crosses one half; a plateau at one half gives its middle, as in R).
    """
    if transform not in TRANSFORMS:
        raise InvalidParameter(f"Unknown transformation of the band: {transform}.")
    time, event = times_and_events(time, event)
    distinct, at = np.unique(np.append(time, 0.0), return_inverse=True)
    at = at[:-1]
    events = np.bincount(at, event, distinct.size)
    left = np.bincount(at, minlength=distinct.size)
    at_risk = left[::-1].cumsum()[::-1].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(np.where(at_risk > 0, 1.0 - events / at_risk, 1.0))
        increments = np.where(events > 0, events / (at_risk * (at_risk - events)), 0.0)
    spread = np.sqrt(np.cumsum(increments))
    low, high = _band(survival, spread, transform, normal_quantile(confidence))
    with np.errstate(invalid="ignore"):
        error = np.where(survival > 0, survival * spread, np.nan)
    table = pd.DataFrame(
        {
            "time": distinct,
            "at_risk": at_risk.astype(int),
            "events": events.astype(int),
            "censored": (left - events).astype(int),
            "survival": survival,
            "error": error,
            "low": low,
            "high": high,
        }
    )
    happened = np.concatenate([[0], np.flatnonzero(events > 0)])
    quantiles = (_crossing(distinct[happened], c[happened]) for c in (survival, low, high))
    median, median_low, median_high = quantiles
    return SurvivalCurve(name, table, median, median_low, median_high, transform, confidence)


def _band(
    survival: np.ndarray, spread: np.ndarray, transform: Transform, z: float
) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        if transform == "log-log":
            logs = np.log(survival)
            factor = np.exp(z * spread / np.abs(logs))
            low, high = survival**factor, survival ** (1.0 / factor)
        elif transform == "log":
            low, high = survival * np.exp(-z * spread), survival * np.exp(z * spread)
        else:
            low, high = survival * (1 - z * spread), survival * (1 + z * spread)
    low, high = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
    start, end = survival >= 1.0, survival <= 0.0
    low[start], high[start] = 1.0, 1.0
    low[end], high[end] = np.nan, np.nan
    return low, high


def _crossing(time: np.ndarray, curve: np.ndarray, level: float = 0.5) -> float:
    slack = 1e-8
    reached = np.flatnonzero(curve <= level + slack)  # NaN does not reach it
    if not reached.size:
        return float("nan")
    first = reached[0]
    if curve[first] >= level - slack:
        below = np.flatnonzero(curve < level - slack)
        if below.size:
            return float((time[first] + time[below[0]]) / 2.0)
    return float(time[first])


def kaplan_meier_by_group(
    time: pd.Series,
    event: pd.Series,
    groups: pd.Series,
    *,
    transform: Transform = "log-log",
    confidence: float = 0.95,
) -> list[SurvivalCurve]:
    """One curve per group, in the order of the categories or sorted (Kaplan & Meier 1958)."""
    check_no_gaps(groups.loc[time.index], "group")
    codes = pd.Categorical(groups.loc[time.index]).remove_unused_categories()
    return [
        kaplan_meier(
            time[codes == level],
            event.loc[time.index][codes == level],
            name=str(level),
            transform=transform,
            confidence=confidence,
        )
        for level in codes.categories
    ]


@dataclass(frozen=True)
class RestrictedMean:
    """Mean survival time up to ``tau`` with standard error and interval."""

    name: str
    tau: float
    mean: float
    error: float
    low: float
    high: float


def restricted_mean(curve: SurvivalCurve, tau: float) -> RestrictedMean:
    """Area under the curve up to ``tau``.

    Raises
    ------
    InvalidParameter : the curve is not known up to ``tau``

    Source: Irwin 1949; Royston & Parmar 2013, BMC Med Res Methodol 13:152; variance: Klein &
    Moeschberger 2003, eq. 4.5.2.
    """
    table = curve.table
    time, survival = table["time"].to_numpy(), table["survival"].to_numpy()
    last = float(time[-1])
    if not np.isfinite(tau) or tau <= 0:
        raise InvalidParameter("The time of a restricted mean is a number above 0.")
    if tau > last and survival[-1] > 0:
        raise InvalidParameter(
            f"{curve.name} is followed up to {last:g} only.", advice=f"Choose at most {last:g}."
        )
    inside = time < tau
    edges = np.append(time[inside], tau)
    areas = survival[inside] * np.diff(edges)
    mean = float(areas.sum())
    after = mean - np.cumsum(areas) + areas  # from each time up to tau
    happened = inside & (table["events"].to_numpy() > 0)
    n, d = (table[name].to_numpy(dtype=np.float64)[happened] for name in ("at_risk", "events"))
    area = after[happened[inside]]
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(n > d, area**2 * d / (n * (n - d)), 0.0)
    error = float(np.sqrt(parts.sum()))
    half = normal_quantile(curve.confidence) * error
    return RestrictedMean(curve.name, float(tau), mean, error, max(0.0, mean - half), mean + half)


@dataclass(frozen=True)
class RestrictedMeanDifference:
    """Second minus first restricted mean, with interval and two-sided p-value."""

    first: RestrictedMean
    second: RestrictedMean
    difference: float
    error: float
    low: float
    high: float
    p: float


def restricted_mean_difference(
    first: SurvivalCurve, second: SurvivalCurve, tau: float
) -> RestrictedMeanDifference:
    """Difference of the restricted means of two curves (Royston & Parmar 2013)."""
    a, b = restricted_mean(first, tau), restricted_mean(second, tau)
    difference, error = b.mean - a.mean, float(np.hypot(a.error, b.error))
    half = normal_quantile(first.confidence) * error
    p = float(normal_p(difference / error)) if error > 0 else float("nan")
    return RestrictedMeanDifference(
        a, b, difference, error, difference - half, difference + half, p
    )
