"""Tails and quantiles of the normal, t, chi-squared and F distributions (``scipy.special``)."""

from __future__ import annotations

import numpy as np


def normal_p(z: np.ndarray | float, alternative: str = "two-sided") -> np.ndarray:
    """p-value of a standard normal statistic (Abramowitz & Stegun 1964, 26.2).

    alternative : "two-sided", "greater" or "less"
    """
    from scipy.special import ndtr

    z = np.asarray(z, dtype=np.float64)
    if alternative == "greater":
        return np.asarray(ndtr(-z))
    if alternative == "less":
        return np.asarray(ndtr(z))
    return np.asarray(np.minimum(1.0, 2.0 * ndtr(-np.abs(z))))


def t_p(t: np.ndarray | float, df: np.ndarray | float) -> np.ndarray:
    """Two-sided p-value of Student's t (Abramowitz & Stegun 1964, 26.7)."""
    from scipy.special import stdtr

    return np.asarray(np.minimum(1.0, 2.0 * stdtr(df, -np.abs(np.asarray(t, dtype=np.float64)))))


def chi2_p(statistic: np.ndarray | float, df: np.ndarray | float) -> np.ndarray:
    """Upper tail of the chi-squared distribution (Abramowitz & Stegun 1964, 26.4)."""
    from scipy.special import chdtrc

    return np.asarray(chdtrc(df, np.maximum(np.asarray(statistic, dtype=np.float64), 0.0)))


def f_p(statistic: np.ndarray | float, df1: float, df2: float) -> np.ndarray:
    """Upper tail of the F distribution (Abramowitz & Stegun 1964, 26.6)."""
    from scipy.special import fdtrc

    return np.asarray(fdtrc(df1, df2, np.maximum(np.asarray(statistic, dtype=np.float64), 0.0)))


def normal_quantile(confidence: float) -> float:
    """Two-sided normal quantile: 1.96 for 0.95 (Abramowitz & Stegun 1964, 26.2)."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + confidence / 2.0))


def t_quantile(confidence: float, df: np.ndarray | float) -> np.ndarray:
    """Two-sided quantile of Student's t (Abramowitz & Stegun 1964, 26.7)."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(df, 0.5 + confidence / 2.0))


def noncentral_chi2_bounds(statistic: float, df: int, confidence: float) -> tuple[float, float]:
    """Interval of the noncentrality of a chi-squared statistic (Smithson 2003, ch. 4).

    The bounds are the noncentralities at which the statistic is the upper and the lower limit of
    the central ``confidence`` of the distribution; the lower is 0 where no such value exists. A
    statistic below its expectation without any effect says no more than that expectation: the upper
    bound is then the one there. Else the smallest statistics, which chance brings, would show with
    certainty that there is no effect (Mandelkern 2002, Stat Sci 17:149).
    """
    from scipy.optimize import brentq
    from scipy.special import chndtr

    def solve(at: float, level: float) -> float:
        if not np.isfinite(at) or chndtr(at, df, 0.0) <= level:
            return 0.0
        high = max(10.0, 2.0 * at)
        while chndtr(at, df, high) > level:
            high *= 2.0
        return float(brentq(lambda nc: chndtr(at, df, nc) - level, 0.0, high, xtol=1e-8))

    tail = (1.0 - confidence) / 2.0
    return solve(statistic, 1.0 - tail), solve(max(statistic, float(df)), tail)
