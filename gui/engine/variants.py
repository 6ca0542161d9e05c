"""A run computed once more with one thing changed: genes, seed, cell types or donors.

Every step is the one of the run, in its order, so that the numbers are those that a user would get
who changed that parameter. Imports neither torch nor deconomix where the fast engine computes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from gui.data.dataset import HIDDEN, Bulk, Cells, Dataset, Matrix
from gui.data.normalize import common_genes, prepare
from gui.engine.params import DTDParams
from gui.errors import MissingPart

Kind = Literal["genes", "seed", "left_out", "donors"]
GENES: Kind = "genes"
SEED: Kind = "seed"
LEFT_OUT: Kind = "left_out"
DONORS: Kind = "donors"
FACTORS = (0.3, 0.5, 0.75, 1.5, 2.0, 0.9, 0.6, 0.4, 0.2)
"""Gene counts that are tried, relative to that of the run; the later ones where the data have no
more genes.
"""
COUNTS = 5


@dataclass(frozen=True)
class Variant:
    """What is different from the run.

    Attributes
    ----------
    kind, name
        What is changed, and to what, in words.
    seed
        Of the pseudobulks.
    genes
        How many are selected; None: the genes of the run.
    left_out
        A cell type, or "".
    cells_out
        Numbers of the training cells that are left out.
    """

    kind: Kind
    name: str
    seed: int
    genes: int | None = None
    left_out: str = ""
    cells_out: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class VariantTask:
    """What every variant needs.

    Attributes
    ----------
    dataset
        Training cells, bulk and reference over the genes that all parts have; no test cells.
    genes
        Of the run.
    params
        Of its DTD run.
    learned
        Whether gene weights were learned (not by Naive).
    hidden
        Whether there is a hidden background (ADTD).
    inverse
        Whether ADTD weighted the genes by 1/mean(Y)².
    """

    dataset: Dataset
    genes: tuple[str, ...]
    params: DTDParams
    learned: bool
    hidden: bool
    inverse: bool
    max_iterations: int


def common_part(dataset: Dataset, scale: float | None) -> Dataset:
    """The dataset over the genes that all parts have, without test cells and further columns.

    Genes are selected from these, so that the same ones are selected as with all parts.

    Raises
    ------
    MissingPart
        No training cells or no bulk.
    """
    if dataset.train is None:
        raise MissingPart("The session no longer holds the single cells of this run.")
    if dataset.bulk is None:
        raise MissingPart("There is no bulk data.")
    genes = common_genes(dataset)
    train, bulk = dataset.train, dataset.bulk
    reference = dataset.reference
    return Dataset(
        train=Cells(
            train.matrix.take(genes), train.labels, pd.DataFrame(index=range(len(train.labels)))
        ),
        test=None,
        bulk=Bulk(bulk.matrix.take(genes), pd.DataFrame(index=bulk.matrix.columns)),
        reference=None if reference is None else reference.take(genes),
        scale=scale,
    )


def gene_counts(used: int, available: int, types: int) -> list[int]:
    """Five numbers of genes beside ``used``, or as many as there can be, ascending."""
    found: set[int] = set()
    for factor in FACTORS:
        count = min(round(factor * used), available)
        if len(found) < COUNTS and types < count != used:
            found.add(count)
    return sorted(found)


def estimate_variant(
    task: VariantTask, variant: Variant, *, step: Callable[..., None]
) -> pd.DataFrame:
    """Return the composition of the bulk, with ``hidden`` last where the run has it.

    Cell types x samples, divided by their sum in each sample. Calls step(True) at the end.

    Raises
    ------
    DataError, InvalidParameter, EngineFailed
        The variant cannot be computed.
    """
    from gui.engine.adtd import deconvolve, inverse_weights
    from gui.engine.dtd import equal_weights, estimate, learn
    from gui.engine.tasks import Target, draw, for_inverse_weights

    def progress(*_: Any, **__: Any) -> None:
        step()

    step()
    data = changed_dataset(task.dataset, variant)
    prepared = (
        prepare(data, genes=pd.Index(task.genes))
        if variant.genes is None
        else prepare(data, n_genes=variant.genes)
    )
    assert prepared.bulk is not None
    reference, bulk = prepared.reference, prepared.bulk
    weights = equal_weights(reference.index)
    if task.learned:
        drawn = draw(prepared, task.params.model_copy(update={"seed": variant.seed}), "train")
        weights = learn(
            reference,
            drawn.bulk,
            drawn.truth,
            iterations=task.params.iterations,
            progress=progress,
            fast=task.params.stop_early,
        ).weights
    if not task.hidden:
        found = estimate(reference, bulk, weights)
    else:
        if task.inverse:
            target = for_inverse_weights(Target(reference, bulk))
            reference, bulk = target.reference, target.bulk
            weights = inverse_weights(bulk)
        # composition and hidden fraction come before the gene regulation and do not depend on it
        fit = deconvolve(
            reference,
            bulk,
            weights,
            lambda1=None,
            lambda2=1.0,
            max_iterations=task.max_iterations,
            c_static=True,
            delta_static=True,
            progress=progress,
        )
        found = pd.concat([fit.composition, fit.hidden.to_frame(HIDDEN).T])
    step(True)
    return with_sum_one(found)


def with_sum_one(fractions: pd.DataFrame) -> pd.DataFrame:
    """Divided by the sum of each sample; a sample in which all are 0 stays so."""
    sums = fractions.sum(axis=0)
    return fractions / sums.where(sums > 0, 1.0)


def changed_dataset(dataset: Dataset, variant: Variant) -> Dataset:
    """The data without the cells and the cell type that the variant leaves out."""
    train, reference = dataset.train, dataset.reference
    if variant.left_out and reference is not None:
        reference = _without(reference, variant.left_out)
    if train is not None:
        keep = np.ones(len(train.labels), dtype=bool)
        keep[list(variant.cells_out)] = False
        if variant.left_out:
            keep &= train.labels != variant.left_out
        train = train if keep.all() else train.where(keep)
    if train is dataset.train and reference is dataset.reference:
        return dataset
    return replace(dataset, train=train, reference=reference)


def _without(reference: Matrix, name: str) -> Matrix:
    return reference.where(reference.columns.astype(str).to_numpy() != name)
