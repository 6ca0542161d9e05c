"""Search of lambda2 by cross-validation, without stock's pool, log file and prints.

The fast engine's, or stock's jobs in our own loop.

For the worker only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from gui.engine.adtd import inverse_weights
from gui.engine.choices import Choices, choose
from gui.engine.compute_settings import get_compute_settings
from gui.engine.fast.folds import baseline, evaluate_fold, fold_tasks
from gui.engine.memory import adtd_bytes, check_adtd
from gui.engine.numeric_context import as_contiguous
from gui.engine.parallel import parallel_map
from gui.engine.parallel.local import allowed_cores
from gui.errors import EngineFailed, InvalidParameter
from gui.text import some

if TYPE_CHECKING:
    from gui.jobs.status import Progress

SEARCHING = "Searching λ₂"
SECONDS, WORTH = 4e-6, 10.0
"""About what one lambda2 takes per gene and pair of cell types; and from how many seconds on it
pays to start processes, which takes some itself.
"""


def cross_validate(
    reference: pd.DataFrame,
    bulk: pd.DataFrame,
    *,
    lambdas: list[float],
    folds: int,
    progress: Progress,
) -> pd.DataFrame:
    """Return the loss on the held-out samples: folds x lambdas (ascending).

    NaN where the solver found no solution.

    Parameters
    ----------
    reference
        genes x cell types.
    bulk
        genes x samples; both scaled to 10 000 per column, no gene of mean zero in the bulk. The
        baseline (composition and hidden background, all samples) is fitted once; fraction
        counts the jobs (fold x lambda2).

    Raises
    ------
    InvalidParameter
        Folds, memory.
    EngineFailed
        No solution anywhere.
    JobCancelled
    """
    samples = bulk.shape[1]
    if folds > samples:
        raise InvalidParameter(
            f"Folds is {folds}, but there are only {samples} samples.",
            advice=(
                f"Choose {samples} folds or fewer."
                if samples >= 2
                else "The search needs at least two samples."
            ),
        )
    check_adtd(bulk.shape, reference.shape[1], regulated=True, search=True)
    losses = pd.DataFrame(
        np.nan,
        index=pd.RangeIndex(folds, name="fold"),
        columns=pd.Index(lambdas, name="lambda2", dtype=float),
    )
    compute = _fast if get_compute_settings().engine == "fast" else _stock
    failure = compute(losses, reference, bulk, progress)
    if failure is not None and losses.isna().all(axis=None):
        raise failure
    return losses


def _fast(
    losses: pd.DataFrame, reference: pd.DataFrame, bulk: pd.DataFrame, progress: Progress
) -> EngineFailed | None:
    """Fill ``losses`` by the fast engine; the last failure, if there was one."""
    folds, lambdas = len(losses), [float(v) for v in losses.columns]
    total = losses.size

    def report() -> None:
        progress(SEARCHING, sum(done) / total, count=sum(done), limit=total)

    def on_step(number: int, count: int) -> None:
        done[number] = count
        report()

    items = fold_tasks(bulk.shape[1], folds, lambdas, parts=_parts(folds, len(lambdas)))
    done = [0] * len(items)
    report()
    shared = baseline(reference, bulk, inverse_weights(bulk).to_frame(), report)
    each = adtd_bytes(len(bulk), bulk.shape[1], reference.shape[1], "fast", regulated=True)
    small = SECONDS * reference.size * reference.shape[1] * total < WORTH
    found = parallel_map(
        evaluate_fold,
        items,
        shared=shared,
        on_step=on_step,
        check=report,
        keep_errors=True,
        in_process=small,
        memory=each,
    )
    failure: EngineFailed | None = None
    for piece, answer in zip(items, found, strict=True):
        # one fold that cannot be solved does not spoil the others
        if isinstance(answer, EngineFailed):
            failure = answer
        elif isinstance(answer, Exception):
            raise answer
        else:
            losses.loc[piece.fold, list(piece.lambdas)] = answer
    return failure


def _parts(folds: int, lambdas: int) -> int:
    """Return into how many parts to cut a fold, so that every core gets work.

    Each part starts the fold again.
    """
    setting = get_compute_settings()
    wanted = 3 if setting.scheduler is not None else -(-(setting.cores or allowed_cores()) // folds)
    return max(1, min(wanted, lambdas // 3))


def _stock(
    losses: pd.DataFrame, reference: pd.DataFrame, bulk: pd.DataFrame, progress: Progress
) -> EngineFailed | None:
    """The same by stock's own jobs."""
    from gui.engine.stock import hps, stock_engine
    from gui.engine.stock_models import WatchedADTD

    folds, lambdas = len(losses), [float(v) for v in losses.columns]
    total = losses.size
    done = 0
    model: WatchedADTD | None = None

    def watch(stage: str, iteration: int, limit: int, loss: float | None) -> None:
        progress(SEARCHING, done / total, count=done, limit=total)

    def watched(*args: Any, **options: Any) -> WatchedADTD:
        nonlocal model
        model = WatchedADTD(*args, watch=watch, **options)
        return model

    def check() -> None:
        if model is not None:
            model.check()

    failure: EngineFailed | None = None
    with patch.object(hps, "ADTD", watched):
        progress(SEARCHING, 0.0, count=0, limit=total)
        with stock_engine(check):
            search = hps.HPS(as_contiguous(reference, "F"), bulk, k_folds=folds, lambdas=lambdas)
        for job in search.jobs:
            progress(SEARCHING, done / total, count=done, limit=total)
            try:
                with stock_engine(check):
                    found = search._run_job(job)
                losses.iloc[job["fold"], done % len(lambdas)] = found["loss"]
            except EngineFailed as error:  # one unsolvable lambda2 does not spoil the others
                failure = error
            done += 1
    return failure


def summarise(losses: pd.DataFrame) -> Choices:
    """Return the marked choices of a search, and notes on every unsolved lambda2."""
    unsolved = [f"{value:.3g}" for value in losses.columns[losses.isna().any(axis=0)]]
    chosen = choose(losses)
    if not unsolved:
        return chosen
    note = f"No solution was found at λ₂ = {some(unsolved)}; these values are not offered."
    return Choices(chosen.values, (note, *chosen.notes))
