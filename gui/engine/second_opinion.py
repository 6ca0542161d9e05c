"""Second opinion: two estimates that share nothing with DTD but the single cells.

*Markers*: for every cell type the median, over its best marker genes, of bulk over profile.
*Relative*: non-negative least squares of relative errors over the most variable genes, with
outlying genes limited (iteratively reweighted, Huber 1964, doi 10.1214/aoms/1177703732).
A cell type is contradicted where both differ from the estimate in at least half of the samples.

No limit of a contradiction was fitted to known compositions. Agreement is no proof: where the
reference lacks a cell type, all estimates err alike.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from gui.data.dataset import HIDDEN, Cells, Dataset
from gui.data.normalize import sums_by_type
from gui.engine.missing_types import log_ratios, missing_types, typical_offset
from gui.engine.results import SecondOpinion
from gui.text import some

SCALE = 10_000.0
MARKERS, ENOUGH = 20, 3
"""Marker genes of a cell type, at most and at least."""
FLOOR = 0.5
"""Mean that a marker has in its cell type, of 10 000."""
VARIABLE_GENES = 1000
DIFFER, FOLD, SMALL = 0.15, 3.0, 0.05
"""Two fractions contradict where they are further apart than the first, or where one is above the
last and more than so many times the other.
"""
ROUNDS, HUBER = 30, 1.345
CHUNK = 500
"""Samples that are solved together."""


def second_opinion(
    dataset: Dataset, reference: pd.DataFrame, composition: pd.DataFrame
) -> SecondOpinion | None:
    """Return two other estimates of the bulk's composition beside ``composition``.

    From the training cells over all genes that they share with the bulk; from the reference of a
    trained model that comes without cells.

    Parameters
    ----------
    dataset
        With the bulk; the training cells where there are any.
    reference
        genes x cell types, of the run.
    composition
        Cell types (and ``hidden``) x samples, as estimated.

    Returns
    -------
    SecondOpinion
        None where there is no bulk, or where too few genes are left for two estimates.
    """
    if dataset.bulk is None:
        return None
    types = [str(t) for t in reference.columns]
    notes: list[str] = []
    bulk = dataset.bulk.matrix
    labels = None if dataset.train is None else dataset.train.labels.astype(str)
    if dataset.train is not None and labels is not None and set(types) <= set(labels):
        chosen = np.isin(labels, types)
        cells: Cells | pd.DataFrame = dataset.train if chosen.all() else dataset.train.where(chosen)
        genes = dataset.train.matrix.genes
    else:
        cells, genes = reference, reference.index
        why = "There are no" if labels is None else "Some cell types of the model have no"
        notes.append(
            f"{why} single cells: the second opinion rests on the reference profiles and their"
            " genes alone."
        )
    shared = pd.Index(genes[genes.isin(bulk.genes)], name=None)
    samples = bulk.take(shared).frame()
    profiles = mean_profiles(cells, shared)
    sound = np.isfinite(samples.to_numpy()).all(axis=1) & np.isfinite(profiles.to_numpy()).all(
        axis=1
    )
    if int(sound.sum()) <= len(types):
        return None
    shared, samples, profiles = shared[sound], samples.loc[sound], profiles.loc[sound]
    found, marker_genes = marker_estimate(profiles, scaled_columns(samples))
    variable = profiles.var(axis=1).nlargest(VARIABLE_GENES).index
    other = relative_estimate(mean_profiles(cells, variable), scaled_columns(samples.loc[variable]))
    mixed = normalised(other).reindex(profiles.columns)
    ratios = log_ratios(scaled_columns(samples), profiles @ mixed.fillna(0.0))
    without = [t for t in profiles.columns if not marker_genes[str(t)]]
    if without:
        notes.append(f"Too few marker genes for a second opinion on {some(without)}.")
    estimate = normalised(composition.drop(index=HIDDEN, errors="ignore"))
    order, names = estimate.index, estimate.columns
    relative = normalised(other).reindex(order).set_axis(names, axis=1)
    markers = found.reindex(order).set_axis(names, axis=1)
    return SecondOpinion(
        estimate=estimate,
        markers=without_lacking(normalised(markers), estimate, relative),
        relative=relative,
        marker_genes=marker_genes,
        notes=tuple(notes),
        missing=missing_types(ratios, types),
        offset=typical_offset(ratios),
    )


def scaled_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns summing to 10 000; NaN where a column is zero."""
    total = frame.sum(axis=0)
    return frame * (SCALE / total.where(total > 0))


def mean_profiles(cells: Cells | pd.DataFrame, genes: pd.Index) -> pd.DataFrame:
    """Mean of the cells of each type, each cell scaled to 10 000 over ``genes``.

    Cells that are zero over these genes do not count. Of a reference: its scaled columns.

    Returns
    -------
    pd.DataFrame
        genes x cell types.
    """
    if isinstance(cells, pd.DataFrame):
        return scaled_columns(cells.loc[genes])
    taken = Cells(cells.matrix.take(genes), cells.labels, cells.obs)
    total = np.asarray(taken.matrix.sums(), dtype=np.float64)
    weight = np.divide(SCALE, total, out=np.zeros(len(total)), where=total > 0)
    count = pd.Series(total > 0, dtype=float).groupby(taken.labels.astype(str)).sum()
    return sums_by_type(taken, weight) / count


def marker_estimate(
    profiles: pd.DataFrame, bulk: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]]]:
    """Median of bulk over profile of the marker genes of each cell type.

    A marker has the largest log ratio to the next cell type, and a mean of at least 0.5 of 10 000.

    Parameters
    ----------
    profiles
        genes x cell types, scaled.
    bulk
        genes x samples, scaled.

    Returns
    -------
    estimate
        Cell types x samples, not normalised; NaN for a type with fewer than three markers.
    genes
        The markers by cell type, best first; none for such a type.
    """
    values = profiles.to_numpy(dtype=np.float64)
    logs = np.log2(values + 0.1)
    found, genes = {}, {}
    for at, name in enumerate(profiles.columns):
        others = np.delete(logs, at, axis=1)
        gain = logs[:, at] - others.max(axis=1, initial=-np.inf)
        gain = pd.Series(np.where(values[:, at] >= FLOOR, gain, -np.inf), index=profiles.index)
        best = gain[np.isfinite(gain) & (gain > 0)].nlargest(MARKERS).index
        enough = len(best) >= ENOUGH
        genes[str(name)] = tuple(map(str, best)) if enough else ()
        found[name] = (
            bulk.loc[best].div(profiles.loc[best, name], axis=0).median()
            if enough
            else pd.Series(np.nan, index=bulk.columns)
        )
    return pd.DataFrame(found).T, genes


def relative_estimate(profiles: pd.DataFrame, bulk: pd.DataFrame) -> pd.DataFrame:
    """Non-negative least squares of relative errors, robust against outlying genes.

    Every gene has the weight 1 / (fit + typical level)², limited where its relative residual is
    far out (Huber), refined in at most 30 rounds.

    Parameters
    ----------
    profiles
        genes x cell types.
    bulk
        genes x samples, scaled alike.

    Returns
    -------
    pd.DataFrame
        Cell types x samples, not normalised; NaN for a sample that is zero over these genes.
    """
    design = profiles.to_numpy(dtype=np.float64)
    values = bulk.to_numpy(dtype=np.float64)
    found = np.full((design.shape[1], values.shape[1]), np.nan)
    sound = np.flatnonzero(np.isfinite(values).all(axis=0))
    for at in range(0, len(sound), CHUNK):
        chosen = sound[at : at + CHUNK]
        found[:, chosen] = _relative(design, values[:, chosen])
    return pd.DataFrame(found, index=profiles.columns, columns=bulk.columns)


def _relative(design: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Cell types x samples; the samples that still move are solved together."""
    genes, types = design.shape
    products = np.einsum("gi,gj->gij", design, design).reshape(genes, types * types)
    level = np.median(design.mean(axis=1))
    found = _nnls(design, values, np.ones_like(values), products)
    active = np.flatnonzero(np.isfinite(found).all(axis=0))
    for _ in range(ROUNDS if len(active) else 0):
        old, y = found[:, active], values[:, active]
        fitted = design @ old
        scale = np.maximum(fitted + level, 1e-12)
        residual = np.abs(y - fitted) / scale
        size = np.median(residual, axis=0) / 0.6745 + 1e-9
        limited = np.minimum(1.0, HUBER * size / np.maximum(residual, 1e-12))
        new = _nnls(design, y, limited / scale**2, products)
        moved = np.abs(new - old).max(axis=0) >= 1e-5 * np.maximum(old.max(axis=0), 1e-12)
        active = active[moved]
        if not len(active):
            break
        found[:, active] = (new[:, moved] + old[:, moved]) / 2
    return found


def _nnls(
    design: np.ndarray, values: np.ndarray, weights: np.ndarray, products: np.ndarray
) -> np.ndarray:
    """Weighted non-negative least squares of every sample, from its normal equations.

    Parameters
    ----------
    design
        genes x cell types.
    values, weights
        genes x samples.
    products
        genes x (cell types squared), products of the columns of ``design``.
    """
    from scipy.optimize import nnls

    types = design.shape[1]
    grams = (weights.T @ products).reshape(-1, types, types)
    right = (weights * values).T @ design
    try:
        factors = np.linalg.cholesky(grams)
        targets = np.linalg.solve(factors, right[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:  # collinear profiles: from the equations themselves
        roots = np.sqrt(weights)
        pairs = [
            (design * roots[:, [at]], values[:, at] * roots[:, at]) for at in range(len(right))
        ]
    else:
        pairs = [(factor.T, target) for factor, target in zip(factors, targets, strict=True)]
    found = np.empty((types, len(pairs)))
    for at, (left, target) in enumerate(pairs):
        try:
            found[:, at] = nnls(left, target)[0]
        except RuntimeError:  # no solution within its limit of iterations
            found[:, at] = np.nan
    return found


# -- what the estimates say together
# --------------------------------------------------------------------------------------------------
def normalised(estimate: pd.DataFrame) -> pd.DataFrame:
    """Columns summing to 1; missing types stay missing, a sample without any is NaN."""
    total = estimate.sum(axis=0)
    return estimate / total.where(total > 0)


def without_lacking(
    markers: pd.DataFrame, estimate: pd.DataFrame, relative: pd.DataFrame
) -> pd.DataFrame:
    """Marker estimates that leave room for the types they lack.

    They sum, by sample, to 1 less what the two other estimates give on average to the types without
    markers; or the fractions of these would go to the others.
    """
    both = np.stack([estimate.to_numpy(dtype=np.float64), relative.to_numpy(dtype=np.float64)])
    there = np.isfinite(both)
    count = there.sum(axis=0)
    total = np.where(there, both, 0.0).sum(axis=0)
    mean = np.divide(total, count, out=np.zeros(total.shape), where=count > 0)
    without = np.isnan(markers.to_numpy(dtype=np.float64))
    room = np.clip(1.0 - np.where(without, mean, 0.0).sum(axis=0), 0.0, 1.0)
    sums = markers.sum(axis=0)
    scale = np.where(without.any(axis=0), room / sums.where(sums > 0).to_numpy(), 1.0)
    return markers * scale


def contradict(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Whether two fractions contradict each other; False where one is missing."""
    a, b = one.to_numpy(dtype=np.float64), other.to_numpy(dtype=np.float64)
    high, low = np.maximum(a, b), np.minimum(a, b)
    found = (high - low > DIFFER) | ((high > SMALL) & (high > FOLD * np.maximum(low, 1e-9)))
    return pd.DataFrame(found, index=one.index, columns=one.columns)


def contradictions(opinion: SecondOpinion) -> pd.DataFrame:
    """Cell types x samples: whether both other estimates contradict the one of the run."""
    markers = without_lacking(opinion.markers, opinion.estimate, opinion.relative)
    return contradict(opinion.estimate, markers) & contradict(opinion.estimate, opinion.relative)


def contradicted_types(opinion: SecondOpinion | None) -> list[str]:
    """The cell types contradicted in at least half of the samples."""
    if opinion is None or not opinion.estimate.shape[1]:
        return []
    found = contradictions(opinion)
    often = 2 * found.sum(axis=1) >= found.shape[1]
    return [str(t) for t in found.index[often]]


def consensus(opinion: SecondOpinion) -> pd.DataFrame:
    """Mean of the three estimates; columns sum to 1.

    A type without markers has the mean of the other two, see :func:`without_lacking`.
    """
    markers = without_lacking(opinion.markers, opinion.estimate, opinion.relative)
    frames = (opinion.estimate, markers, opinion.relative)
    stacked = np.stack([frame.to_numpy(dtype=np.float64) for frame in frames])
    there = np.isfinite(stacked)
    count = there.sum(axis=0)
    total = np.where(there, stacked, 0.0).sum(axis=0)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    first = opinion.estimate
    return normalised(pd.DataFrame(mean, index=first.index, columns=first.columns))
