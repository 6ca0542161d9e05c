"""Log-rank tests: of two or more groups, of a trend, within strata, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from gui.errors import DataError, InvalidParameter
from gui.statistics.distributions import chi2_p, normal_p
from gui.statistics.multiple_testing import benjamini_hochberg
from gui.statistics.survival_data import check_no_gaps, times_and_events


@dataclass(frozen=True, eq=False)
class LogRank:
    """The test and what it compares.

    df : one less for every group, or set of groups, that is never at risk beside the others; p is
    NaN where it is 0. table : by group: samples, observed, expected; covariance : of observed less
    expected
    """

    statistic: float
    df: int
    p: float
    table: pd.DataFrame
    covariance: np.ndarray


def log_rank(
    time: np.ndarray | pd.Series,
    event: np.ndarray | pd.Series,
    groups: np.ndarray | pd.Series,
    *,
    strata: np.ndarray | pd.Series | None = None,
) -> LogRank:
    """Log-rank test of two or more groups, stratified where strata are given.

    Raises
    ------
    DataError : fewer than two groups
    BadValues : gaps, events other than 0 and 1

    Source: Mantel 1966; Peto & Peto 1972; Kalbfleisch & Prentice 2002, eq. 1.12-1.13
    (hypergeometric covariance; strata summed).
    """
    check_no_gaps(groups, "group")
    if strata is not None:
        check_no_gaps(strata, "stratum")
    levels = pd.Categorical(groups).remove_unused_categories()
    k = len(levels.categories)
    if k < 2:
        raise DataError(
            "A log-rank test needs at least two groups.", advice="Choose another column."
        )
    time, event = times_and_events(time, event)
    layers = np.zeros(time.size) if strata is None else pd.factorize(np.asarray(strata))[0]
    codes = np.asarray(levels.codes)
    observed, expected, covariance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for layer in np.unique(layers):
        inside = (layers == layer) & (codes >= 0)
        o, e, v = _one_stratum(time[inside], event[inside], codes[inside], k)
        observed, expected, covariance = observed + o, expected + e, covariance + v
    # groups that are never at risk together, as in different strata, are not compared
    values, vectors = np.linalg.eigh(covariance)
    compared = values > 1e-9 * max(float(values[-1]), 1e-9)
    df = int(compared.sum())
    along = vectors[:, compared].T @ (observed - expected)
    statistic = float((along**2 / values[compared]).sum())
    counts = np.bincount(codes[codes >= 0], minlength=k)
    table = pd.DataFrame(
        {"samples": counts, "observed": observed.astype(int), "expected": expected},
        index=[str(level) for level in levels.categories],
    )
    p = float(chi2_p(statistic, df)) if df else float("nan")
    return LogRank(statistic, df, p, table, covariance)


def _one_stratum(
    time: np.ndarray, event: np.ndarray, codes: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    distinct, at = np.unique(time, return_inverse=True)
    cells = at * k + codes
    left = np.bincount(cells, minlength=distinct.size * k).reshape(-1, k).astype(np.float64)
    died = np.bincount(cells, event, distinct.size * k).reshape(-1, k)
    at_risk = left[::-1].cumsum(axis=0)[::-1]
    happened = died.sum(axis=1) > 0
    at_risk, died = at_risk[happened], died[happened]
    n, d = at_risk.sum(axis=1), died.sum(axis=1)
    part = at_risk / n[:, None]
    weight = np.where(n > 1, d * (n - d) / np.maximum(n - 1, 1), 0.0)
    covariance = np.diag((weight[:, None] * part).sum(axis=0)) - (weight[:, None] * part).T @ part
    return died.sum(axis=0), (d[:, None] * part).sum(axis=0), covariance


@dataclass(frozen=True)
class TrendTest:
    """z > 0: more events than expected in groups with higher scores."""

    z: float
    statistic: float
    p: float
    scores: tuple[float, ...]


def log_rank_trend(result: LogRank, scores: Sequence[float] | None = None) -> TrendTest:
    """Test for a trend over ordered groups (1, 2, 3 ... unless scores are given).

    Source: Tarone 1975, Biometrika 62:679; Klein & Moeschberger 2003, eq. 7.4.1.
    """
    s = np.arange(1.0, len(result.table) + 1) if scores is None else np.asarray(scores, float)
    if s.size != len(result.table) or not np.isfinite(s).all() or np.ptp(s) == 0:
        raise InvalidParameter("A trend needs one score per group, and they have to differ.")
    variance = float(s @ result.covariance @ s)
    away = float(s @ (result.table["observed"] - result.table["expected"]).to_numpy())
    z = away / np.sqrt(variance) if variance > 0 else 0.0
    return TrendTest(float(z), float(z**2), float(normal_p(z)), tuple(float(v) for v in s))


def pairwise_log_rank(
    time: pd.Series, event: pd.Series, groups: pd.Series, *, strata: pd.Series | None = None
) -> pd.DataFrame:
    """Log-rank test of each pair of groups: first, second, statistic, p, p_adjusted.

    Source: Mantel 1966; adjusted over all pairs by Benjamini & Hochberg 1995.
    """
    levels = pd.Categorical(groups).remove_unused_categories()
    rows = []
    for a, b in combinations(range(len(levels.categories)), 2):
        both = np.isin(levels.codes, [a, b])
        layers = None if strata is None else strata[both]
        test = log_rank(time[both], event[both], np.asarray(levels.codes)[both], strata=layers)
        rows.append((str(levels.categories[a]), str(levels.categories[b]), test.statistic, test.p))
    table = pd.DataFrame(rows, columns=["first", "second", "statistic", "p"])
    return table.assign(p_adjusted=benjamini_hochberg(table["p"].to_numpy(dtype=np.float64)))
