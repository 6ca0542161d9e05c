"""What every lambda2 of a search does to the fit of all samples. For the worker only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gui.engine.adtd import Fit, inverse_weights, support
from gui.engine.fast.folds import k_folds
from gui.engine.fast.lambda_path import LambdaPath
from gui.engine.memory import adtd_bytes
from gui.engine.numeric_context import numeric_context
from gui.engine.parallel import parallel_map
from gui.engine.parallel.local import allowed_cores
from gui.engine.regulation import LOW_SUPPORT, logs
from gui.errors import EngineFailed

if TYPE_CHECKING:
    from gui.jobs.status import Progress

FOLLOWING = "Following the regulation over λ₂"
TWOFOLD = 1.0
"""log2 from which a gene counts as regulated, as on the page."""
FEWEST = 4
"""Samples from which on two halves are compared."""
SECONDS, WORTH = 1.2e-5, 10.0
"""About what one lambda2 takes per gene and pair of cell types, three fits together; and from how
many seconds on it pays to start processes.
"""
COLUMNS = ["misfit", "size", "supported", "stability"]


@dataclass(frozen=True, eq=False)
class Samples:
    """genes x types, genes x samples, by gene; and the two halves of the samples, or none."""

    reference: pd.DataFrame
    bulk: pd.DataFrame
    weights: pd.DataFrame
    halves: tuple[np.ndarray, ...]


def regulation_path(
    reference: pd.DataFrame, bulk: pd.DataFrame, *, lambdas: list[float], progress: Progress
) -> pd.DataFrame:
    """Fit all samples, and each half of them, with every lambda2.

    The reference, the bulk and the gene weights are those of the search. Computed by the fast
    engine, whichever is chosen: it is no published number.

    Parameters
    ----------
    reference
        genes x cell types.
    bulk
        genes x samples; both scaled to 10 000 per column, no gene of mean zero in the bulk.

    Returns
    -------
    By lambda2 (ascending), NaN where it could not be solved:

    * misfit: weighted sum of squared residuals; size: sum of (1 - Delta)².
    * supported: genes that are regulated more than twofold with support in some cell type.
    * stability: of these regulations, the fraction with the same direction in both halves of the
      samples; NaN without any, and with fewer than four samples.

    Raises
    ------
    EngineFailed
        The hidden background could not be fitted.
    JobCancelled
    """
    weights = inverse_weights(bulk).to_frame()
    count = bulk.shape[1]
    halves = tuple(train for train, _ in k_folds(count, 2)) if count >= FEWEST else ()
    seconds = SECONDS * reference.size * reference.shape[1] * len(lambdas)
    parts = 1 if seconds < WORTH else max(1, min(allowed_cores(), len(lambdas) // 3))
    runs = [[float(v) for v in run] for run in np.array_split(np.array(lambdas), parts)]
    done = [0] * len(runs)

    def report() -> None:
        progress(FOLLOWING, sum(done) / len(lambdas), count=sum(done), limit=len(lambdas))

    def on_step(number: int, count: int) -> None:
        done[number] = count
        report()

    report()
    found = parallel_map(
        follow,
        runs,
        shared=Samples(reference, bulk, weights, halves),
        on_step=on_step,
        check=report,
        in_process=parts == 1,
        memory=3 * adtd_bytes(len(bulk), count, reference.shape[1], "fast", regulated=True),
    )
    return pd.DataFrame(
        np.vstack(found), index=pd.Index(lambdas, name="lambda2", dtype=float), columns=COLUMNS
    )


def follow(shared: Samples, lambdas: list[float], *, step: Callable[[int], None]) -> np.ndarray:
    """The rows of :func:`regulation_path` for some neighbouring lambda2, lambdas x 4."""
    done = 0
    rows = np.full((len(lambdas), len(COLUMNS)), np.nan)
    with numeric_context():
        whole, *halves = (
            LambdaPath(
                shared.reference,
                shared.bulk if half is None else shared.bulk.iloc[:, half],
                shared.weights,
                check=lambda: step(done),
            )
            for half in (None, *shared.halves)
        )
        for path in (whole, *halves):
            path.begin()
        for done, lambda2 in enumerate(lambdas):
            try:
                delta = whole.solve_for_lambda(lambda2)
                strong = _supported(shared, whole, lambda2)
                same = strong.copy()
                for half in halves:
                    if not same.any():  # they can say nothing more
                        break
                    same &= np.sign(half.solve_for_lambda(lambda2) - 1) == np.sign(delta - 1)
            except EngineFailed:  # one unsolvable lambda2 does not spoil the others
                continue
            rows[done, 0] = whole.Loss_ADTD()[1]
            rows[done, 1] = np.sum((1.0 - delta) ** 2)
            rows[done, 2] = np.sum(strong.any(axis=1))
            if halves and strong.any():
                rows[done, 3] = same.sum() / strong.sum()
        done = len(lambdas)
        step(done)
    return rows


def _supported(shared: Samples, path: LambdaPath, lambda2: float) -> np.ndarray:
    """Which regulations are more than twofold with support, genes x types."""
    genes, types, samples = shared.bulk.index, shared.reference.columns, shared.bulk.columns
    strong = np.asarray(logs(pd.DataFrame(path.Delta)).abs() > TWOFOLD)
    if not strong.any():
        return strong
    fit = Fit(
        composition=pd.DataFrame(path.C, index=types, columns=samples),
        hidden=pd.Series(path.c[0], index=samples),
        profile=pd.Series(path.x[:, 0], index=genes),
        regulation=pd.DataFrame(path.Delta, index=genes, columns=types),
        loss=np.empty(0),
        converged=True,
        rose=False,
    )
    told = support(shared.reference, shared.weights.iloc[:, 0], fit, lambda2) >= LOW_SUPPORT
    return np.asarray(strong & told.to_numpy())
