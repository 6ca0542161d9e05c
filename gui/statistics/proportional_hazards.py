"""Do hazards stay proportional? The score test and the residuals that show how they change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from gui.errors import DataError, InvalidParameter
from gui.statistics.cox import ChiSquared, CoxFit
from gui.statistics.distributions import chi2_p, normal_quantile
from gui.statistics.kaplan_meier import kaplan_meier
from gui.statistics.partial_likelihood import within_strata

TimeScale = Literal["km", "rank", "identity", "log"]
SMOOTH_FREEDOM = 4
"""Degrees of freedom of the smoothed residuals, as in R's plot of cox.zph."""


@dataclass(frozen=True, eq=False)
class ProportionalHazards:
    """Score tests of coefficients that change with time, and scaled Schoenfeld residuals.

    table : by variable: statistic, df, p (of all columns of a variable of groups together)
    overall : of all variables together
    residuals : events x coefficients, the coefficient as each event would have it; columns also
        time and transformed
    smooth : coefficient -> columns time, transformed, estimate, low, high
    """

    table: pd.DataFrame
    overall: ChiSquared
    scale: str
    residuals: pd.DataFrame
    smooth: dict[str, pd.DataFrame]


def proportional_hazards_test(
    fit: CoxFit, scale: TimeScale | Callable[[np.ndarray], np.ndarray] = "km"
) -> ProportionalHazards:
    """Score test of proportional hazards for each variable and all together.

    Tests the interaction of each variable with a function of time, as cox.zph of R's survival does
    since version 3.

    Parameters
    ----------
    scale : of time: "km" (1 - Kaplan-Meier just before), "rank", "identity", "log", or a function

    Raises
    ------
    DataError : a model that did not converge, or a ridge fit

    Source: Grambsch & Therneau 1994, Biometrika 81:515; Therneau 2024, survival, function
    cox.zph (the score test instead of its approximation).
    """
    if fit.ridge or not fit.converged:
        raise DataError("Proportional hazards are tested on a model that converged, without ridge.")
    sets = fit.sets
    event_times = sets.time[sets.rows]
    moved = _transformed(fit, scale, event_times)
    g = moved - moved.mean()
    x = fit.design.matrix[fit.coefficients.index].to_numpy(dtype=np.float64)
    x = (x - x.mean(axis=0))[sets.order]
    variances = _event_variances(x, fit)
    ordinary = x[sets.rows] - fit.at.mean[0]
    u = g @ ordinary
    v_bb = variances.sum(axis=0)
    v_bt = np.einsum("e,epq->pq", g, variances)
    v_tt = np.einsum("e,epq->pq", g**2, variances)
    adjusted = v_tt - v_bt.T @ np.linalg.solve(v_bb, v_bt)
    rows, names = [], list(fit.coefficients.index)
    for variable in dict.fromkeys(fit.table["variable"]):
        at = np.flatnonzero((fit.table["variable"] == variable).to_numpy())
        statistic = _quadratic(u[at], adjusted[np.ix_(at, at)])
        rows.append((variable, statistic, at.size, float(chi2_p(statistic, at.size))))
    table = pd.DataFrame(rows, columns=["variable", "statistic", "df", "p"]).set_index("variable")
    total = _quadratic(u, adjusted)
    overall = ChiSquared(total, float(len(names)), float(chi2_p(total, len(names))))
    covariance = fit.naive_covariance.to_numpy() * sets.rows.size
    schoenfeld = x[sets.rows] - _tied_mean(fit.at.mean[0], sets.first, sets.tie)
    scaled = pd.DataFrame(schoenfeld @ covariance + fit.coefficients.to_numpy(), columns=names)
    order = np.argsort(event_times, kind="stable")
    residuals = scaled.assign(time=event_times, transformed=moved).iloc[order]
    residuals = residuals.reset_index(drop=True)
    smooth = {
        name: _smoothed(residuals, name, covariance[i, i], fit.confidence)
        for i, name in enumerate(names)
    }
    label = scale if isinstance(scale, str) else "function"
    return ProportionalHazards(table, overall, label, residuals, smooth)


def _quadratic(u: np.ndarray, v: np.ndarray) -> float:
    return float(u @ np.linalg.pinv(v, hermitian=True) @ u)


def _transformed(
    fit: CoxFit, scale: TimeScale | Callable[[np.ndarray], np.ndarray], times: np.ndarray
) -> np.ndarray:
    values: np.ndarray
    if callable(scale):
        values = np.asarray(scale(times), dtype=np.float64)
    elif scale == "identity":
        values = times
    elif scale == "log":
        if (times <= 0).any():
            raise InvalidParameter("Log time needs times above 0.", advice="Use another scale.")
        values = np.log(times)
    elif scale == "rank":
        values = np.searchsorted(np.sort(times), times, side="left") + 1.0
    elif scale == "km":
        table = kaplan_meier(fit.sets.time, fit.sets.event).table
        before = np.concatenate([[1.0], table["survival"].to_numpy()[:-1]])
        values = 1.0 - before[np.searchsorted(table["time"].to_numpy(), times)]
    else:
        raise InvalidParameter(f"Unknown scale of time: {scale}.")
    if not np.isfinite(values).all() or np.ptp(values) == 0:
        raise InvalidParameter("This scale of time gives no finite, different values.")
    return values


def _event_variances(x: np.ndarray, fit: CoxFit) -> np.ndarray:
    """Weighted covariance of the variables over each event's risk set, events x p x p (Efron)."""
    sets, risk = fit.sets, fit.at.risk[0]
    outer = risk[:, None, None] * x[:, :, None] * x[:, None, :]
    total = within_strata(outer[None], sets)[0]
    ties = np.add.reduceat(outer[sets.rows], sets.first, axis=0)[sets.tie]
    second = total[sets.end] - sets.step[:, None, None] * ties
    mean = fit.at.mean[0]
    return np.asarray(
        second / fit.at.denominator[0][:, None, None] - mean[:, :, None] * mean[:, None, :]
    )


def _tied_mean(mean: np.ndarray, first: np.ndarray, tie: np.ndarray) -> np.ndarray:
    """Means of risk sets, those of tied events averaged (residuals with Efron's ties, as in R)."""
    sizes = np.diff(np.append(first, len(mean)))[:, None]
    return np.asarray((np.add.reduceat(mean, first, axis=0) / sizes)[tie])


def _smoothed(
    residuals: pd.DataFrame, name: str, variance: float, confidence: float
) -> pd.DataFrame:
    """A natural spline through the residuals with its band (Grambsch & Therneau 1994, 3)."""
    moved = residuals["transformed"].to_numpy()
    values = residuals[name].to_numpy()
    points = np.linspace(moved.min(), moved.max(), 41)
    distinct = np.unique(moved).size
    freedom = min(SMOOTH_FREEDOM, distinct - 1)
    knots = np.quantile(moved, np.linspace(0, 1, freedom + 1))
    knots = np.unique(knots)
    basis, at = natural_spline(moved, knots), natural_spline(points, knots)
    inverse = np.linalg.pinv(basis.T @ basis, hermitian=True)
    estimate = at @ inverse @ basis.T @ values
    half = normal_quantile(confidence) * np.sqrt(
        np.maximum(variance * np.einsum("ij,jk,ik->i", at, inverse, at), 0.0)
    )
    order = np.argsort(moved, kind="stable")
    time = np.interp(points, moved[order], residuals["time"].to_numpy()[order])
    return pd.DataFrame(
        {
            "time": time,
            "transformed": points,
            "estimate": estimate,
            "low": estimate - half,
            "high": estimate + half,
        }
    )


def natural_spline(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Natural cubic spline basis with intercept, one column per knot.

    Source: Hastie, Tibshirani & Friedman 2009, Elements of Statistical Learning, eq. 5.4-5.5.
    """
    low, high = float(knots[0]), float(knots[-1])
    x = (np.asarray(values, dtype=np.float64) - low) / (high - low)
    k = (knots - low) / (high - low)

    def d(j: int) -> np.ndarray:
        cubes = np.maximum(x - k[j], 0.0) ** 3 - np.maximum(x - k[-1], 0.0) ** 3
        return np.asarray(cubes / (k[-1] - k[j]))

    columns = [np.ones_like(x), x]
    columns += [d(j) - d(len(k) - 2) for j in range(len(k) - 2)]
    return np.column_stack(columns)
