"""How far two runs, or two methods, agree on the same fractions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.errors import DataError
from gui.statistics.distributions import normal_quantile, t_p, t_quantile
from gui.statistics.ranks import rank


def pearson(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation; NaN if either is constant (Pearson 1896)."""
    if _constant(first) or _constant(second):
        return float("nan")
    a, b = first - first.mean(), second - second.mean()
    return float(np.clip((a @ b) / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's correlation (1904), ties at mean rank; NaN if one is constant or has gaps."""
    if np.isnan(first).any() or np.isnan(second).any():
        return float("nan")
    if _constant(first) or _constant(second):  # before ranking, which turns rounding into ranks
        return float("nan")
    return pearson(rank(first).values, rank(second).values)


def rmse(first: np.ndarray, second: np.ndarray) -> float:
    """Root of the mean squared difference, in the unit of the values (Gauss 1823)."""
    return float(np.sqrt(np.mean((first - second) ** 2))) if first.size else float("nan")


ROUNDING = 1e-10
"""A coefficient below it is an error of rounding."""


def ccc(first: np.ndarray, second: np.ndarray) -> float:
    """Concordance correlation coefficient with 1/n moments; NaN if either is constant.

    Source: Lin 1989, Biometrics 45:255, doi 10.2307/2532051.
    """
    if _constant(first) or _constant(second):
        return float("nan")
    covariance = np.mean((first - first.mean()) * (second - second.mean()))
    apart = (first.mean() - second.mean()) ** 2
    found = float(2 * covariance / (first.var() + second.var() + apart))
    return found if not abs(found) < ROUNDING else 0.0


def _constant(values: np.ndarray) -> bool:
    # a spread that is rounding only counts as none: a correlation of rounding errors would look
    # like a result
    return values.size < 2 or bool(
        np.ptp(values) <= 1e-12 * max(1e-300, float(np.abs(values).max()))
    )


@dataclass(frozen=True, eq=False)
class BlandAltman:
    """Differences, second less first, against means.

    bias : mean difference; low, high : limits of agreement; each with an interval
    slope, slope_p : of the difference on the mean: whether the bias grows with the value
    """

    mean: np.ndarray
    difference: np.ndarray
    bias: float
    bias_interval: tuple[float, float]
    low: float
    low_interval: tuple[float, float]
    high: float
    high_interval: tuple[float, float]
    slope: float
    slope_p: float


def bland_altman(first: np.ndarray, second: np.ndarray, confidence: float = 0.95) -> BlandAltman:
    """Bias and limits of agreement: mean difference -+ 1.96 standard deviations.

    Source: Bland & Altman 1986, Lancet i:307 (limits, their intervals: variance 3 s^2 / n); 1999,
    Stat Methods Med Res 8:135, section 3 (slope).
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    n = first.size
    mean, difference = (first + second) / 2.0, second - first
    bias = float(difference.mean()) if n else float("nan")
    sd = float(difference.std(ddof=1)) if n > 1 else float("nan")
    away = normal_quantile(0.95) * sd
    t = float(t_quantile(confidence, n - 1)) if n > 1 else float("nan")
    half, outer = t * sd / np.sqrt(max(n, 1)), t * sd * np.sqrt(3.0 / max(n, 1))
    low, high = bias - away, bias + away
    slope, slope_p = float("nan"), float("nan")
    if n > 2 and not _constant(mean):
        centred = mean - mean.mean()
        slope = float(centred @ difference / (centred @ centred))
        rest = difference - bias - slope * centred
        error = float(np.sqrt((rest @ rest) / (n - 2) / (centred @ centred)))
        slope_p = float(t_p(slope / error, n - 2)) if error > 0 else float("nan")
    return BlandAltman(
        mean,
        difference,
        bias,
        (bias - half, bias + half),
        low,
        (low - outer, low + outer),
        high,
        (high - outer, high + outer),
        slope,
        slope_p,
    )


@dataclass(frozen=True, eq=False)
class Agreement:
    """Two tables of fractions, aligned by name.

    table : by cell type: samples, ccc, pearson, spearman, rmse, bias (second less first), low and
        high (limits of agreement), largest (difference), largest_sample, rank_first, rank_second
        (of the cell type by mean fraction, 1 is the most frequent), rank_move (second less first),
        outside (part of the samples in which the second lies outside of the first's interval; NaN
        without intervals)
    first_only, second_only : names that only one has, by "cell types" and "samples"
    identical : whether the fractions in common are the same to the last digit
    """

    table: pd.DataFrame
    first: pd.DataFrame
    second: pd.DataFrame
    first_only: dict[str, list[str]]
    second_only: dict[str, list[str]]
    identical: bool
    notes: tuple[str, ...]


def agreement(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    low: pd.DataFrame | None = None,
    high: pd.DataFrame | None = None,
) -> Agreement:
    """Agreement of two tables of fractions, cell types x samples, by cell type.

    Parameters
    ----------
    low, high : interval of ``first``, the same shape

    Raises
    ------
    DataError : no cell type or no sample in common

    Source: Lin 1989 (ccc); Bland & Altman 1986 (bias, limits).
    """
    types = first.index[first.index.isin(second.index)]
    samples = first.columns[first.columns.isin(second.columns)]
    for common, what in ((types, "cell type"), (samples, "sample")):
        if not len(common):
            raise DataError(f"The two have no {what} in common.", advice="Compare other runs.")
    a, b = first.loc[types, samples], second.loc[types, samples]
    moves = rank_moves(a.mean(axis=1), b.mean(axis=1))
    rows = []
    for cell_type in types:
        x, y = (frame.loc[cell_type].to_numpy(dtype=np.float64) for frame in (a, b))
        limits = bland_altman(x, y)
        at = int(np.argmax(np.abs(y - x)))
        outside = float("nan")
        if low is not None and high is not None:
            bounds = (f.loc[cell_type, samples].to_numpy(np.float64) for f in (low, high))
            below, above = bounds
            outside = float(((y < below) | (y > above)).mean())
        rows.append(
            {
                "samples": x.size,
                "ccc": ccc(x, y),
                "pearson": pearson(x, y),
                "spearman": spearman(x, y),
                "rmse": rmse(x, y),
                "bias": limits.bias,
                "low": limits.low,
                "high": limits.high,
                "largest": float(y[at] - x[at]),
                "largest_sample": str(samples[at]),
                "rank_first": moves.loc[cell_type, "first"],
                "rank_second": moves.loc[cell_type, "second"],
                "rank_move": moves.loc[cell_type, "move"],
                "outside": outside,
            }
        )
    notes = []
    constant = [str(t) for t, row in zip(types, rows, strict=True) if np.isnan(row["ccc"])]
    if constant:
        notes.append(
            f"No correlation where a fraction is the same in all samples: {', '.join(constant)}."
        )
    return Agreement(
        pd.DataFrame(rows, index=types),
        a,
        b,
        _only(first, second),
        _only(second, first),
        bool(np.array_equal(a.to_numpy(), b.to_numpy())),
        tuple(notes),
    )


def _only(frame: pd.DataFrame, other: pd.DataFrame) -> dict[str, list[str]]:
    return {
        "cell types": [str(name) for name in frame.index if name not in other.index],
        "samples": [str(name) for name in frame.columns if name not in other.columns],
    }


def rank_moves(first: pd.Series, second: pd.Series) -> pd.DataFrame:
    """Ranks of the names both have, 1 for the highest, and how each moves from first to second.

    Columns first, second, move (negative: up). Ties get their mean rank.

    Source: Spearman 1904 (ranks).
    """
    names = first.index[first.index.isin(second.index)]
    ranks = [rank(-np.asarray(series.loc[names], float)).values for series in (first, second)]
    return pd.DataFrame(
        {"first": ranks[0], "second": ranks[1], "move": ranks[1] - ranks[0]}, index=names
    )
