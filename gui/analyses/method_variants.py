"""A run of any method computed once more with one thing changed: genes, seed, a type or donors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gui.data.dataset import Dataset
from gui.data.normalize import common_genes
from gui.engine.variants import SEED, Variant, changed_dataset, with_sum_one
from gui.errors import MissingPart
from gui.methods.intervals import Estimator, genes_in_use, over_genes
from gui.methods.method import MethodResult


@dataclass(frozen=True)
class Options:
    """What of a run can be changed.

    Attributes
    ----------
    genes
        How many it uses.
    available
        How many there are.
    seed
        Of the run.
    reseeded
        Whether another seed gives another run.
    no_seed, no_genes
        Why seed and number of genes cannot be changed, a sentence; "" where they can.
    """

    genes: int
    available: int
    seed: int = 0
    reseeded: bool = True
    no_seed: str = ""
    no_genes: str = ""


@dataclass(frozen=True, eq=False)
class MethodVariantTask:
    """What every variant needs.

    Attributes
    ----------
    dataset
        Without test cells, over the genes of the run where these alone give its fractions.
    whole
        The same over the genes that all parts have: other numbers of genes are selected from them.
    estimator
        The method and the parameters of the run.
    """

    dataset: Dataset
    whole: Dataset
    estimator: Estimator


def method_task(
    dataset: Dataset, method: MethodResult, estimator: Estimator, check: Callable[[], None]
) -> tuple[MethodVariantTask, pd.DataFrame, Options]:
    """What the variants share, the composition of the run, and what can be changed.

    Raises
    ------
    MissingPart
        There is no bulk.
    """
    if dataset.bulk is None:
        raise MissingPart("There is no bulk data.")
    genes = common_genes(dataset)
    whole = replace(over_genes(dataset, genes), test=None, clinical=None, truth=None)
    used = genes_in_use(dataset, method, estimator, check)
    part = whole if used is None else over_genes(whole, used)
    fields = type(estimator.parameters()).model_fields
    seed = getattr(estimator.parameters(), "seed", None)
    options = Options(
        len(method.reference),
        len(genes),
        seed or 0,
        reseeded=seed is not None,
        no_seed=f"{method.title} takes no seed.",
        no_genes="" if "genes" in fields else f"{method.title} takes no number of genes.",
    )
    base = with_sum_one(method.full().astype(np.float64))
    return MethodVariantTask(part, whole, estimator), base, options


def estimate_method_variant(
    task: MethodVariantTask, variant: Variant, *, step: Callable[..., None]
) -> pd.DataFrame:
    """Return the composition of the bulk, divided by the sum of each sample.

    Cell types (and ``hidden`` where the method has it) x samples. Calls step(True) at the end.

    Raises
    ------
    DataError, InvalidParameter, EngineFailed
        The variant cannot be computed.
    """
    step()
    changed = {"seed": variant.seed} if variant.kind == SEED else {}
    if variant.genes is not None:
        changed["genes"] = variant.genes
    data = task.dataset if variant.genes is None else task.whole
    found = task.estimator.estimate(changed_dataset(data, variant), step, **changed)
    step(True)
    return with_sum_one(found)
