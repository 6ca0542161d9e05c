"""Non-negative least squares: plain, or robust on relative errors; of cells or of a reference.

With a reference alone, neither gene weights nor a hidden background can be learned: these need
mixtures of single cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gui.citations import ANALYSIS_CITATIONS
from gui.data.dataset import Cells, Dataset, Matrix, Role
from gui.data.validation.checks import check_common
from gui.engine.params import Params, param
from gui.engine.second_opinion import (
    mean_profiles,
    normalised,
    relative_estimate,
    scaled_columns,
)
from gui.errors import EmptyColumn, MissingPart, TooFewGenes
from gui.methods.method import MethodResult, method_result
from gui.text import number, some

if TYPE_CHECKING:
    from gui.jobs.status import Progress

HUBER = ("Outlying genes: Huber, Ann Math Stat 1964", "10.1214/aoms/1177703732")
ESTIMATING = "Estimating compositions"


class LeastSquaresParams(Params):
    """Non-negative least squares over the most variable genes."""

    genes: int | None = param(
        1000,
        "Number of genes",
        "The genes whose mean expression differs most between the cell types are used. Leave empty"
        " to use every common gene.",
        unit="genes",
        ge=2,
    )


def run_relative(
    dataset: Dataset, params: LeastSquaresParams, *, progress: Progress
) -> MethodResult:
    """Robust non-negative least squares of relative errors.

    Raises
    ------
    MissingPart, NoCommonGenes, TooFewGenes, EmptyColumn, EngineFailed
    """
    return _run(dataset, params, progress, robust=True)


def run_nnls(dataset: Dataset, params: LeastSquaresParams, *, progress: Progress) -> MethodResult:
    """Plain non-negative least squares (Lawson and Hanson)."""
    return _run(dataset, params, progress, robust=False)


def _run(
    dataset: Dataset, params: LeastSquaresParams, progress: Progress, *, robust: bool
) -> MethodResult:
    from gui.engine.dtd import equal_weights
    from gui.engine.reconstruction import reconstruction

    progress("Preparing")
    profiles, bulk, notes = profiles_and_bulk(dataset, params.genes)
    progress(ESTIMATING)
    estimated = relative_estimate(profiles, bulk) if robust else plain_estimate(profiles, bulk)
    lost = [str(s) for s in estimated.columns[~(estimated.sum(axis=0) > 0)]]
    if lost:
        raise EmptyColumn(
            f"No composition could be estimated for {some(lost)}.",
            advice="Leave the sample out, or use more genes.",
        )
    key, title = ("relative", "Relative errors") if robust else ("nnls", "NNLS")
    nnls = ANALYSIS_CITATIONS["nnls"]
    how = (
        "robust non-negative least squares of relative errors (weight 1/(fit + typical level)²,"
        " outlying genes limited after Huber)"
        if robust
        else "non-negative least squares"
    )
    return method_result(
        dataset,
        key,
        title,
        normalised(estimated),
        profiles,
        opinion=not robust,
        notes=notes,
        fit=reconstruction(profiles, bulk, equal_weights(profiles.index), estimated),
        fit_weights=typical_weights(profiles) if robust else equal_weights(profiles.index),
        citations=(nnls, HUBER) if robust else (nnls,),
        methods=(
            f"The composition of samples was estimated by {how} with {profiles.shape[1]} cell types"
            f" over {number(len(profiles))} genes; every profile was scaled to a sum of 10 000 and"
            " the fractions of a sample to a sum of 1."
        ),
    )


def profiles_and_bulk(
    dataset: Dataset, n_genes: int | None
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Profiles (genes x cell types) and bulk (genes x samples), scaled to 10 000, and notes.

    The profiles are those of the reference where one was given, else the means of the training
    cells, each scaled. The genes are those whose profiles vary most.

    Raises
    ------
    MissingPart, NoCommonGenes, TooFewGenes, EmptyColumn
    """
    if dataset.bulk is None:
        raise MissingPart("There are no bulk samples.", advice="Load them on the Upload page.")
    part: Cells | pd.DataFrame
    used: dict[Role, Matrix] = {"bulk": dataset.bulk.matrix}
    if dataset.reference is not None:
        part, genes = dataset.reference.frame(), dataset.reference.genes
        used["reference"] = dataset.reference
    elif dataset.train is not None:
        part, genes = dataset.train, dataset.train.matrix.genes
        used["train"] = dataset.train.matrix
    else:
        raise MissingPart("There are neither single cells nor a reference.")
    shared = pd.Index(genes[genes.isin(dataset.bulk.matrix.genes)], name=None)
    check_common(used, shared)
    profiles = mean_profiles(part, shared)
    samples = dataset.bulk.matrix.take(shared).frame()
    sound = np.isfinite(profiles.to_numpy()).all(axis=1)
    sound &= np.isfinite(samples.to_numpy()).all(axis=1)
    profiles = profiles.loc[sound]
    notes: list[str] = []
    chosen = profiles.index
    if n_genes is not None and n_genes < len(profiles):
        chosen = profiles.var(axis=1).nlargest(n_genes).index
    if len(chosen) < len(shared):
        profiles = mean_profiles(part, chosen)  # scaled over the genes in use, as the bulk is
    if len(chosen) <= profiles.shape[1]:
        raise TooFewGenes(
            f"{number(len(chosen))} genes are too few for {profiles.shape[1]} cell types.",
            advice="Use more genes.",
        )
    bulk = scaled_columns(samples.loc[chosen])
    empty = [str(s) for s in bulk.columns[bulk.isna().any(axis=0)]]
    if empty:
        raise EmptyColumn(
            f"The bulk is zero over the genes in use in {some(empty)}.",
            advice="Leave these samples out, or use more genes.",
        )
    if dataset.train is None:
        notes.append(
            "From a reference without single cells: neither gene weights nor a hidden background"
            " could be learned, and accuracy was not measured on pseudobulks."
        )
    return profiles, bulk, notes


def typical_weights(profiles: pd.DataFrame) -> pd.Series:
    """What relative errors weigh a gene with, 1 / (level + typical level)², in the mean profile."""
    level = profiles.mean(axis=1)
    return 1.0 / (level + float(np.median(level))).clip(lower=1e-12) ** 2


def plain_estimate(profiles: pd.DataFrame, bulk: pd.DataFrame) -> pd.DataFrame:
    """Non-negative least squares, sample by sample: cell types x samples, not normalised."""
    from scipy.optimize import nnls

    design = profiles.to_numpy(dtype=np.float64)
    found = [nnls(design, bulk[s].to_numpy(dtype=np.float64))[0] for s in bulk.columns]
    return pd.DataFrame(np.array(found).T, index=profiles.columns, columns=bulk.columns)
