"""Mean profiles of cell types, how alike they are, and the quality of cells and samples.

For checks and pictures, not for the analysis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gui.data.dataset import Cells, Matrix
from gui.data.normalize import sums_by_type
from gui.data.validation.repairs import detected

AT_MOST = 5000
"""Columns of which quality figures are given; of more an even selection."""


def type_profiles(cells: Cells) -> pd.DataFrame:
    """Genes x types (sorted): sums of the cells scaled to one sum each, sparse all the way.

    A type whose cells are all zero has a zero column.
    """
    sums = cells.matrix.sums()
    return sums_by_type(cells, np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0))


def similarity(profiles: pd.DataFrame) -> pd.DataFrame:
    """Types x types: cosine of the angle between two profiles, 1 for the same shape."""
    values = profiles.to_numpy(dtype=np.float64)
    unit = values / np.maximum(np.sqrt((values**2).sum(axis=0)), 1e-300)
    return pd.DataFrame(
        np.clip(unit.T @ unit, -1.0, 1.0), index=profiles.columns, columns=profiles.columns
    )


def quality(matrix: Matrix, labels: np.ndarray | None = None) -> pd.DataFrame:
    """Per cell or sample: "sum" of the values, "genes" with a value other than zero, "label"; at
    most 5000 rows.
    """
    table = pd.DataFrame(
        {"sum": matrix.sums(), "genes": detected(matrix)},
        index=pd.Index(matrix.columns.astype(str), name="column"),
    )
    if labels is not None:
        table["label"] = labels
    if len(table) > AT_MOST:
        table = table.iloc[np.linspace(0, len(table) - 1, AT_MOST).astype(int)]
    return table


def bulk_against(
    bulk: Matrix, reference: pd.DataFrame, at_most: int = 2000
) -> tuple[pd.DataFrame, float]:
    """Mean of every common gene in the bulk and over the types ("bulk", "reference", shares of the
    sum), and the rank correlation of the two.

    The table holds at most ``at_most`` genes, an even selection; the correlation is over all. NaN
    with fewer than three genes.
    """
    genes = reference.index[reference.index.isin(bulk.genes)]
    stored: Any = bulk.take(genes)
    bulk_mean = np.asarray(stored.values.mean(axis=1)).ravel().astype(np.float64)
    table = pd.DataFrame(
        {"bulk": bulk_mean, "reference": reference.loc[genes].mean(axis=1).to_numpy()}, index=genes
    )
    table = table / table.sum().where(table.sum() > 0, 1.0)
    ranks = table.rank()
    varied = len(table) > 2 and bool((ranks.std() > 0).all())
    correlation = (
        float(np.corrcoef(ranks["bulk"], ranks["reference"])[0, 1]) if varied else float("nan")
    )
    if len(table) > at_most:
        table = table.iloc[np.linspace(0, len(table) - 1, at_most).astype(int)]
    return table, correlation
