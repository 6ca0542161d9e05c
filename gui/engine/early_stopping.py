"""Learning that is stopped early: which iteration does best on pseudobulks that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gui.engine.dtd import estimate
from gui.engine.metrics import compare
from gui.engine.simulation import Mixtures, simulate

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


def held_back_mixtures(
    cells: pd.DataFrame, types: list[str], *, mixtures: int, cells_per_mixture: int, seed: int
) -> Mixtures:
    """Pseudobulks of the held-back training cells."""
    _, back = divide_cells(cells, seed)
    return simulate(
        back,
        types,
        mixtures=mixtures,
        cells_per_mixture=cells_per_mixture,
        seed=(seed + SEED) % (2**32 - 2),
    )


def mean_correlations(
    reference: pd.DataFrame, mixtures: Mixtures, checkpoints: Mapping[int, pd.Series]
) -> pd.Series:
    """Mean over the cell types of Pearson's correlation with the truth, by iteration."""
    found = {}
    for iteration, weights in sorted(checkpoints.items()):
        rows = compare("", "", mixtures.truth, estimate(reference, mixtures.bulk, weights))
        values = rows["pearson"].to_numpy(dtype=np.float64)
        known = values[np.isfinite(values)]
        found[iteration] = float(known.mean()) if known.size else np.nan
    return pd.Series(found, dtype=float).rename_axis("iteration")
