"""Simulated bulk mixtures of known composition, as stock's ``simulate_data`` draws them.

Imports torch for stock's only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.engine.compute_settings import get_compute_settings
from gui.engine.fast import pseudobulk
from gui.engine.memory import check_simulation as check_memory
from gui.engine.numeric_context import as_contiguous, numeric_context
from gui.text import some

FEW_CELLS = 5
"""Stock warns of types with up to this many cells: their mixtures repeat the same few profiles."""


@dataclass(frozen=True, eq=False)
class Mixtures:
    """Pseudobulks with their composition.

    Columns are "0", "1", …; the rows of ``truth`` are the types of the reference, then types that
    the reference lacks (hidden).

    Attributes
    ----------
    bulk
        genes x mixtures, the mean of the drawn cells.
    truth
        Cell types x mixtures, fraction of the drawn cells.
    """

    bulk: pd.DataFrame
    truth: pd.DataFrame


def simulate(
    cells: pd.DataFrame, types: Sequence[str], *, mixtures: int, cells_per_mixture: int, seed: int
) -> Mixtures:
    """Draw pseudobulks of single cells with replacement; reproducible by the seed.

    Parameters
    ----------
    cells
        genes x cells, columns = cell types, scaled.
    types
        The reference's cell types, in order. Both engines give the same bits.

    Raises
    ------
    InvalidParameter
        If the memory does not suffice (stock gathers genes x mixtures x cells at once).
    """
    check_memory(len(cells), mixtures, cells_per_mixture)
    if get_compute_settings().engine == "fast":
        with numeric_context():
            bulk, truth = _mixed(cells, mixtures, cells_per_mixture, seed)
    else:
        from gui.engine.stock import stock_engine, utils

        with stock_engine():
            _, bulk, truth = utils.simulate_data(
                as_contiguous(cells, "F"), mixtures, cells_per_mixture, seed=seed
            )
    hidden = [t for t in truth.index if t not in set(types)]
    truth = truth.reindex([*types, *hidden], fill_value=0.0)
    # in place: renamed frames would be copies
    bulk.columns = truth.columns = pd.Index([str(i) for i in range(mixtures)])
    return Mixtures(as_contiguous(bulk, "C"), as_contiguous(truth, "C"))


def _mixed(
    cells: pd.DataFrame, mixtures: int, cells_per_mixture: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    labels, types = pd.factorize(cells.columns, sort=True)
    drawn = pseudobulk.draw(cells.shape[1], mixtures, cells_per_mixture, seed)
    bulk = pseudobulk.mix(cells.to_numpy(dtype=np.float64), drawn)
    return pd.DataFrame(bulk, index=cells.index, copy=False), pd.DataFrame(
        pseudobulk.count(labels, len(types), drawn), index=types
    )


def few_cells(cells: pd.DataFrame, what: str) -> list[str]:
    """Sentences about cell types with too few cells.

    Parameters
    ----------
    cells
        genes x cells, columns = cell types.
    what
        "training", "test".
    """
    counts = cells.columns.value_counts()
    few = sorted(str(t) for t, n in counts.items() if n <= FEW_CELLS)
    if not few:
        return []
    return [
        f"Only {FEW_CELLS} or fewer {what} cells of {some(few)}: their estimates are uncertain."
    ]
