"""Learning that is stopped early: which iteration does best on pseudobulks that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gui.engine.fast.weights import composition
from gui.engine.numeric_context import numeric_context
from gui.engine.params import DTDParams
from gui.engine.simulation import Mixtures, simulate
from gui.errors import InvalidParameter
from gui.statistics.agreement import pearson

POINTS, FIRST = 25, 5
"""How many iterations are looked at, evenly on a logarithmic axis, and the first of them."""
HELD_BACK = 5
"""One of so many training cells of a type is held back; of fewer, none."""
SEED = 104_729
"""Added to DTD's seed: the pseudobulks of the held-back cells are those of no other step."""


def iterations_to_check(iterations: int) -> list[int]:
    """The iterations whose weights are tried, ascending; the last one is among them."""
    found = np.geomspace(min(FIRST, iterations), iterations, POINTS).round().astype(int)
    return sorted({int(v) for v in found} | {iterations})


def divide_cells(cells: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training cells to learn from, and a fifth of each type that is held back.

    Parameters
    ----------
    cells
        genes x cells, columns = cell types.
    """
    random = np.random.default_rng(seed)
    labels = cells.columns.to_numpy()
    back = np.zeros(len(labels), dtype=bool)
    for name in pd.unique(labels):
        places = np.flatnonzero(labels == name)
        back[random.permutation(places)[: len(places) // HELD_BACK]] = True
    return cells.loc[:, ~back], cells.loc[:, back]


def learned_from(cells: pd.DataFrame, params: DTDParams) -> pd.DataFrame:
    """The training cells (genes x cells) that weights are learned from: all, or those that stopping
    early does not hold back.
    """
    return divide_cells(cells, params.seed)[0] if params.stop_early else cells


def held_back_mixtures(cells: pd.DataFrame, types: list[str], params: DTDParams) -> Mixtures:
    """Pseudobulks of the held-back training cells.

    Raises
    ------
    InvalidParameter
        There are too few cells to hold any back.
    """
    _, back = divide_cells(cells, params.seed)
    if back.empty:
        raise _too_few()
    return simulate(
        back,
        types,
        mixtures=params.train_mixtures,
        cells_per_mixture=params.train_cells,
        seed=(params.seed + SEED) % (2**32 - 2),
    )


def best_iteration(correlations: pd.Series) -> int:
    """The iteration that does best on the held-back cells. InvalidParameter: it cannot be told."""
    if correlations.isna().all():
        raise _too_few()
    return int(correlations.idxmax())


def _too_few() -> InvalidParameter:
    return InvalidParameter(
        "There are too few training cells to hold some back, so nothing says where to stop early.",
        advice="Switch Stop early off, or use more cells.",
    )


def mean_correlations(
    reference: pd.DataFrame, mixtures: Mixtures, checkpoints: Mapping[int, pd.Series]
) -> pd.Series:
    """Mean over the cell types of Pearson's correlation with the truth, by iteration.

    The compositions are those of :func:`gui.engine.dtd.estimate` with the fast engine.
    """
    X, Y, T = (
        part.to_numpy(dtype=np.float64)
        for part in (reference, mixtures.bulk, mixtures.truth.loc[reference.columns])
    )
    found = {}
    with numeric_context():
        for iteration, weights in sorted(checkpoints.items()):
            estimated = composition(X, Y, weights.to_numpy(dtype=np.float64))
            values = np.array([pearson(a, b) for a, b in zip(T, estimated, strict=True)])
            known = values[np.isfinite(values)]
            found[iteration] = float(known.mean()) if known.size else np.nan
    return pd.Series(found, dtype=float).rename_axis("iteration")
