"""The search of lambda2 as independent pieces of work: (fold, some of the lambdas).

Numbers of ``deconomix.hps.HPS``. Imports neither torch nor deconomix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.engine.fast.lambda_path import LambdaPath
from gui.engine.numeric_context import numeric_context
from gui.errors import EngineFailed


@dataclass(frozen=True, eq=False)
class Baseline:
    """What all folds share.

    Attributes
    ----------
    reference
        genes x types.
    bulk
        genes x samples.
    weights
        By gene.
    fractions
        Types and hidden x samples.
    profile
        genes x 1 (hidden): both of Deconomix+h on all samples.
    """

    reference: pd.DataFrame
    bulk: pd.DataFrame
    weights: pd.DataFrame
    fractions: np.ndarray
    profile: np.ndarray


@dataclass(frozen=True)
class FoldTask:
    """Samples of one fold (train, test) and some of its lambdas, ascending."""

    fold: int
    train: np.ndarray
    test: np.ndarray
    lambdas: tuple[float, ...]


def baseline(
    reference: pd.DataFrame, bulk: pd.DataFrame, weights: pd.DataFrame, check: Callable[[], None]
) -> Baseline:
    """Deconomix+h on all samples.

    Raises
    ------
    EngineFailed
    """
    with numeric_context():
        whole = LambdaPath(reference, bulk, weights, check=check)
        whole.begin()  # Delta stays 1, so stock's further iterations change nothing
        return Baseline(reference, bulk, weights, np.vstack((whole.C, whole.c)), whole.x)


def k_folds(samples: int, folds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (train, test) of each fold, as ``KFold(folds, shuffle=True, random_state=42)``.

    scikit-learn itself takes 40 MB and half a second of every worker.
    """
    shuffled = np.arange(samples)
    np.random.RandomState(42).shuffle(shuffled)
    tests = [np.sort(part) for part in np.array_split(shuffled, folds)]
    return [(np.setdiff1d(np.arange(samples), test), test) for test in tests]


def fold_tasks(samples: int, folds: int, lambdas: list[float], parts: int = 1) -> list[FoldTask]:
    """Return stock's folds, each cut into ``parts`` runs of neighbouring lambdas."""
    split = k_folds(samples, folds)
    runs = [
        tuple(float(v) for v in run) for run in np.array_split(np.array(lambdas), parts) if len(run)
    ]
    return [
        FoldTask(number, train, test, run)
        for number, (train, test) in enumerate(split)
        for run in runs
    ]


def evaluate_fold(shared: Baseline, task: FoldTask, *, step: Callable[[int], None]) -> np.ndarray:
    """Loss on the samples left out for every lambda of the piece, NaN where it could not be solved.

    Parameters
    ----------
    step
        Called often with the number of lambdas done.

    Raises
    ------
    EngineFailed
        Where not one could be solved, and what ``step`` raises.
    """
    done = 0
    losses = np.full(len(task.lambdas), np.nan)
    failure: EngineFailed | None = None
    Y, X = shared.bulk.to_numpy()[:, task.test], shared.reference.to_numpy()
    fractions = shared.fractions[:, task.test]
    with numeric_context():
        path = LambdaPath(
            shared.reference,
            shared.bulk.iloc[:, task.train],
            shared.weights,
            check=lambda: step(done),
        )
        path.begin()
        for done, lambda2 in enumerate(task.lambdas):
            try:
                Delta = path.solve_for_lambda(lambda2)
                losses[done] = (
                    np.linalg.norm(Y - np.hstack((Delta * X, shared.profile)) @ fractions, "fro")
                    ** 2
                )
            except EngineFailed as error:  # one unsolvable lambda2 does not spoil the others
                failure = error
        done = len(task.lambdas)
        step(done)
    if failure is not None and np.isnan(losses).all():
        raise failure
    return losses
