"""Pseudobulks, equal to ``deconomix.utils.simulate_data`` to the bit.

The memory is bounded.
"""

from __future__ import annotations

import numpy as np

from gui.engine.memory import CHUNK


def draw(n_cells: int, mixtures: int, cells: int, seed: int) -> np.ndarray:
    """Return the cells of each mixture (mixtures x cells) as ``np.random.seed`` draws them."""
    drawn: np.ndarray = np.random.RandomState(seed).choice(
        n_cells, size=(mixtures, cells), replace=True
    )
    return drawn


def mix(values: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The mean of the drawn cells: genes x mixtures.

    ``reduceat`` adds each mixture's cells pairwise along the columns; how many mixtures stand
    beside one another changes no bit.

    Parameters
    ----------
    values
        genes x cells.
    drawn
        Mixtures x cells.
    """
    mixtures, cells = drawn.shape
    genes, n_cells = values.shape
    mixed = np.empty((genes, mixtures))
    rows = max(1, min(genes, int(CHUNK / (8 * max(n_cells, cells)))))
    width = max(1, int(CHUNK / (8 * rows * cells)))
    for top in range(0, genes, rows):
        # a cell's values stand together: they are gathered at once
        some = np.asfortranarray(values[top : top + rows])
        for first in range(0, mixtures, width):
            places = drawn[first : first + width]
            starts = np.arange(0, places.size, cells)
            np.add.reduceat(
                some[:, places.ravel()],
                starts,
                axis=1,
                out=mixed[top : top + rows, first : first + len(places)],
            )
    mixed /= cells
    return mixed


def count(labels: np.ndarray, n_types: int, drawn: np.ndarray) -> np.ndarray:
    """The fraction of each type: types x mixtures.

    Parameters
    ----------
    labels
        Number of the type of every cell.
    drawn
        Mixtures x cells.
    """
    mixtures, cells = drawn.shape
    places = labels[drawn] + n_types * np.arange(mixtures)[:, None]
    found: np.ndarray = (
        np.bincount(places.ravel(), minlength=n_types * mixtures).reshape(mixtures, n_types).T
        / cells
    )
    return found
