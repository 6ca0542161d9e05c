"""Gene regulation estimated for each group of samples alone, by ADTD or by any method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gui.data.dataset import Dataset, Matrix
from gui.errors import EngineFailed
from gui.methods.intervals import Estimator, with_bulk
from gui.methods.method import MethodResult

LEAST = 2.0**-10
"""A factor of regulation below this counts as this: log2 of zero says nothing."""


@dataclass(frozen=True, eq=False)
class FitTask:
    """What every fit of ADTD needs.

    Attributes
    ----------
    reference
        genes x types.
    bulk
        genes x samples.
    weights
        By gene.
    groups
        How many there are.
    """

    reference: np.ndarray
    bulk: np.ndarray
    weights: np.ndarray
    groups: int
    lambda2: float
    max_iterations: int


@dataclass(frozen=True, eq=False)
class MethodFitTask:
    """What every fit of another method needs.

    Attributes
    ----------
    dataset
        Its bulk holds the samples of the groups, in the order of their codes.
    genes, types
        Of the run: regulation is compared in these.
    groups
        How many there are.
    """

    dataset: Dataset
    estimator: Estimator
    genes: pd.Index
    types: pd.Index
    groups: int


@dataclass(frozen=True, eq=False)
class GroupFit:
    """Of one division of the samples into groups.

    Attributes
    ----------
    logs
        groups x genes x types, log2 of the factor; NaN where a group says nothing of a gene.
    support
        genes x types, the least of the groups; NaN where the method does not say.
    """

    logs: np.ndarray
    support: np.ndarray


def fit_groups(task: FitTask, codes: np.ndarray, *, step: Callable[..., None]) -> GroupFit:
    """ADTD on the samples of each group alone; codes : the group of every sample."""
    from gui.engine.adtd import Fit, support
    from gui.engine.fast.lambda_path import LambdaPath

    reference = pd.DataFrame(task.reference)
    logs, known = [], []
    for group in range(task.groups):
        found = LambdaPath(
            reference,
            pd.DataFrame(task.bulk[:, codes == group]),
            pd.DataFrame(task.weights),
            max_iterations=task.max_iterations,
            check=step,
        )
        found.begin()
        delta = found.solve_for_lambda(task.lambda2)
        fit = Fit(
            pd.DataFrame(found.C),
            pd.Series(np.ravel(found.c)),
            pd.Series(np.ravel(found.x)),
            pd.DataFrame(delta),
            np.empty(0),
            True,
            False,
        )
        logs.append(np.log2(np.maximum(delta, LEAST)))
        known.append(support(reference, pd.Series(task.weights), fit, task.lambda2).to_numpy())
    step(True)
    return GroupFit(np.stack(logs), np.min(known, axis=0))


def method_fit_task(
    dataset: Dataset,
    method: MethodResult,
    estimator: Estimator,
    samples: np.ndarray,
    groups: int,
) -> MethodFitTask:
    """What the fits of a method share.

    Parameters
    ----------
    dataset
        As :func:`gui.analyses.method_variants.method_task` prepares it.
    samples
        Places of the samples of the groups in the bulk.
    """
    assert dataset.bulk is not None
    whole = dataset.bulk.matrix
    part = Matrix(whole.values[:, samples], whole.genes, whole.columns[samples])
    return MethodFitTask(
        replace(with_bulk(dataset, part), test=None),
        estimator,
        method.reference.index,
        method.reference.columns,
        groups,
    )


def fit_method_groups(
    task: MethodFitTask, codes: np.ndarray, *, step: Callable[..., None]
) -> GroupFit:
    """The method on the samples of each group alone; codes : the group of every sample.

    Raises
    ------
    DataError, InvalidParameter, EngineFailed
        What the method raises, or it estimates no gene regulation of a group.
    """
    assert task.dataset.bulk is not None
    bulk = task.dataset.bulk.matrix
    logs, known = [], []
    for group in range(task.groups):
        step()
        found = task.estimator.run(with_bulk(task.dataset, bulk.where(codes == group)), step)
        if found.gene_regulation is None:
            raise EngineFailed(
                f"{found.title} gave no gene regulation of a group of samples.",
                advice="Ask whoever wrote this method.",
            )
        delta = found.gene_regulation.reindex(index=task.genes, columns=task.types)
        logs.append(np.log2(np.maximum(delta.to_numpy(dtype=np.float64), LEAST)))
        said = pd.DataFrame(np.nan, task.genes, task.types)
        if found.support is not None:
            said = found.support.reindex_like(said)
        known.append(said.to_numpy(dtype=np.float64))
    step(True)
    return GroupFit(np.stack(logs), np.min(known, axis=0))
