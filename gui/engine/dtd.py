"""Digital Tissue Deconvolution with progress and cancel: stock's, or the fast one.

Imports torch for stock's only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gui.engine.compute_settings import get_compute_settings
from gui.engine.fast import weights as closed
from gui.engine.memory import check_dtd, check_estimate
from gui.engine.numeric_context import as_contiguous, no_weights, numeric_context
from gui.errors import EngineFailed, InvalidParameter

if TYPE_CHECKING:
    from gui.jobs.status import Progress

WEIGHTS = "gene weights"
LEARNING = "Learning gene weights"


@dataclass(frozen=True, eq=False)
class Learned:
    """Learned gene weights with their training curves.

    Attributes
    ----------
    weights
        By gene, float32 as stock gives them (ADTD's numbers depend on it).
    loss
        (iterations,).
    correlation
        Iterations x cell types.
    checkpoints
        Iteration -> the weights after it; empty with stock's engine, which keeps the last ones.
    """

    weights: pd.Series
    loss: np.ndarray
    correlation: pd.DataFrame
    checkpoints: Mapping[int, pd.Series] = field(default_factory=dict)


class FastDTD:
    """DTD in closed form and float64, from stock's start."""

    def __init__(
        self,
        X_mat: pd.DataFrame,
        Y_mat: pd.DataFrame,
        C_mat: pd.DataFrame,
        *,
        watch: Callable[[int, float], None],
        checkpoints: Sequence[int] = (),
    ) -> None:
        self.checkpoints: dict[int, np.ndarray] = {}
        self._wanted = frozenset(checkpoints)
        self.genes, self.celltypes, self.p = X_mat.index, X_mat.columns, len(X_mat)
        self.X, self.Y, self.C = (part.to_numpy(dtype=np.float64) for part in (X_mat, Y_mat, C_mat))
        self._watch = watch

    def run(self, iterations: int = 1000, **_: Any) -> None:
        start = closed.stock_start(self.p)
        roots, self.losses, self.all_corr = closed.optimise(
            self.X, self.Y, self.C, start, iterations, self._watch, self._keep
        )
        self.mean_corr = self.all_corr.mean(axis=1)
        self.gamma = pd.DataFrame(closed.normalised(roots), index=self.genes, columns=[WEIGHTS])

    def _keep(self, iteration: int, roots: np.ndarray) -> None:
        if iteration in self._wanted:
            self.checkpoints[iteration] = closed.normalised(roots)


def learn(
    reference: pd.DataFrame,
    bulk: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    iterations: int,
    progress: Progress,
    checkpoints: Sequence[int] = (),
    fast: bool = False,
) -> Learned:
    """Learn the gene weights.

    Parameters
    ----------
    reference
        genes x cell types.
    bulk
        genes x mixtures.
    truth
        Cell types x mixtures.
    checkpoints
        Iterations whose weights are kept too (fast engine only).
    fast
        Use the fast engine whichever is chosen.

    Raises
    ------
    InvalidParameter
        Memory; a type that does not vary over the mixtures.
    EngineFailed
    JobCancelled
    """
    check_dtd(*bulk.shape)
    truth = truth.loc[reference.columns]
    constant = [str(t) for t in truth.index[truth.nunique(axis=1) < 2]]
    if constant:
        raise InvalidParameter(
            f"The fraction of {constant[0]} is the same in every training pseudobulk, so nothing"
            " can be learned about it.",
            advice="Use more mixtures or more cells per mixture, or leave the type out.",
        )

    def watch(iteration: int, loss: float) -> None:
        if not np.isfinite(loss):
            raise no_weights(iteration)
        progress(
            LEARNING, (iteration - 1) / iterations, count=iteration, limit=iterations, loss=loss
        )

    model: Any
    kept: dict[int, np.ndarray] = {}
    if fast or get_compute_settings().engine == "fast":
        with numeric_context():
            model = FastDTD(reference, bulk, truth, watch=watch, checkpoints=checkpoints)
            model.run(iterations=iterations)
            kept = model.checkpoints
    else:
        from gui.engine.stock import stock_engine
        from gui.engine.stock_models import WatchedDTD

        with stock_engine():
            model = WatchedDTD(
                as_contiguous(reference, "F"),
                as_contiguous(bulk, "C"),
                as_contiguous(truth, "C"),
                watch=watch,
            )
            model.run(iterations=iterations)
    weights = model.gamma.iloc[:, 0].rename(WEIGHTS).astype(np.float32)
    if not np.isfinite(weights.to_numpy()).all():
        raise EngineFailed(
            "The learned gene weights are not finite numbers.",
            advice="Use more mixtures or more genes.",
        )
    correlation = pd.DataFrame(
        np.asarray(model.all_corr, dtype=np.float64), columns=reference.columns
    )
    named = {
        iteration: pd.Series(values, index=reference.index, name=WEIGHTS).astype(np.float32)
        for iteration, values in kept.items()
    }
    return Learned(weights, np.asarray(model.losses, dtype=np.float64), correlation, named)


def equal_weights(genes: pd.Index) -> pd.Series:
    """The gene weights of the Naive model: 1 for every gene."""
    return pd.Series(1.0, index=genes, name=WEIGHTS)


def estimate(reference: pd.DataFrame, bulk: pd.DataFrame, weights: pd.Series) -> pd.DataFrame:
    """Composition, cell types x samples: values as estimated, negatives cut to 0, not normalised.

    Parameters
    ----------
    reference
        genes x cell types.
    bulk
        genes x samples.
    weights
        By gene; all with the same genes in the same order.
    """
    check_estimate(*bulk.shape)
    if get_compute_settings().engine == "fast":
        with numeric_context():
            values = closed.composition(
                *(part.to_numpy(dtype=np.float64) for part in (reference, bulk, weights))
            )
        found = pd.DataFrame(values, index=reference.columns, columns=bulk.columns)
    else:
        from gui.engine.stock import stock_engine, utils

        with stock_engine():
            found = utils.calculate_estimated_composition(
                as_contiguous(reference, "F"), bulk, weights.to_frame()
            )
    if not np.isfinite(found.to_numpy()).all():
        raise EngineFailed(
            "The estimated compositions are not finite numbers.",
            advice="Check the bulk for empty samples and missing values.",
        )
    return found
