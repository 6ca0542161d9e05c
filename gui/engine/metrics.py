"""How well estimated shares meet known ones, per cell type. NumPy and pandas only."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gui.statistics.agreement import ccc, pearson, rmse, spearman

COLUMNS = ["part", "method", "cell_type", "pearson", "spearman", "rmse", "ccc"]


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
