"""How well estimated shares meet known ones, per cell type. NumPy and pandas only."""

from __future__ import annotations

import numpy as np
import pandas as pd

COLUMNS = ["part", "method", "cell_type", "pearson", "spearman", "rmse", "ccc"]


def pearson(truth: np.ndarray, found: np.ndarray) -> float:
    """Pearson's correlation; NaN if either is constant."""
    if _constant(truth) or _constant(found):
        return float("nan")
    a, b = truth - truth.mean(), found - found.mean()
    return float(np.clip((a @ b) / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def spearman(truth: np.ndarray, found: np.ndarray) -> float:
    """Spearman's rank correlation, ties at their mean rank; NaN if either is constant."""
    if _constant(truth) or _constant(found):  # before ranking, which would turn rounding into ranks
        return float("nan")
    return pearson(pd.Series(truth).rank().to_numpy(), pd.Series(found).rank().to_numpy())


def rmse(truth: np.ndarray, found: np.ndarray) -> float:
    """Root of the mean squared error, in the unit of the shares."""
    return float(np.sqrt(np.mean((truth - found) ** 2))) if truth.size else float("nan")


def ccc(truth: np.ndarray, found: np.ndarray) -> float:
    """Concordance correlation coefficient (Lin 1989, doi 10.2307/2532051, with 1/n moments); NaN if
    either is constant.
    """
    if _constant(truth) or _constant(found):
        return float("nan")
    covariance = np.mean((truth - truth.mean()) * (found - found.mean()))
    return float(2 * covariance / (truth.var() + found.var() + (truth.mean() - found.mean()) ** 2))


def _constant(values: np.ndarray) -> bool:
    # a spread that is rounding only counts as none: a correlation of rounding errors would look
    # like a result
    return values.size < 2 or bool(
        np.ptp(values) <= 1e-12 * max(1e-300, float(np.abs(values).max()))
    )


def compare(part: str, method: str, truth: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """One row per estimated cell type with the columns of ``COLUMNS``. truth, found : cell types x
    mixtures (same mixtures).
    """
    rows = []
    for cell_type in found.index:
        a = truth.loc[cell_type].to_numpy(dtype=np.float64)
        b = found.loc[cell_type].to_numpy(dtype=np.float64)
        rows.append(
            (part, method, str(cell_type), pearson(a, b), spearman(a, b), rmse(a, b), ccc(a, b))
        )
    return pd.DataFrame(rows, columns=COLUMNS)
