"""HIDE: fine and coarse cell types estimated together, each layer with gene weights of its own.

Re-derived in NumPy from the model of Völkl et al. 2025; no code of theirs. The coarse fractions are
exactly the sums of the fine ones, and with one layer the estimate is that of DTD's weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gui.data.dataset import Dataset
from gui.engine.params import Params, param
from gui.engine.second_opinion import normalised
from gui.errors import EmptyColumn, EngineFailed, MissingPart
from gui.methods.cell_type_layers import FINEST, layers_of
from gui.methods.method import MethodResult, method_result
from gui.text import number, some

if TYPE_CHECKING:
    from gui.jobs.status import Progress

KEY, TITLE = "hide", "HIDE"
CITATION = ("HIDE: Völkl et al., Bioinformatics 2025", "10.1093/bioinformatics/btaf179")
LOWEST, HIGHEST = 0.001, 0.1
"""Between which the roots of the first weights are drawn."""
RATE, BETA1, BETA2, TINY = 1e-3, 0.9, 0.999, 1e-8
"""Of Adam (Kingma and Ba 2015)."""
GUARD = 1e-8
"""Under the root of the correlations, as the authors have it."""


class HideParams(Params):
    """Hierarchical deconvolution (doi 10.1093/bioinformatics/btaf179)."""

    layers: str = param(
        "",
        "Layers",
        "Coarser cell types: columns of the training cells, coarsest first, separated by commas; or"
        " groups such as “T cells = CD4, CD8; Others = B, NK”. Empty: types are grouped by the"
        " similarity of their profiles.",
        max_length=4000,
    )
    genes: int | None = param(
        1000,
        "Number of genes",
        "The genes whose mean expression differs most between the cell types are used. Leave empty"
        " to use every common gene.",
        unit="genes",
        ge=2,
    )
    iterations: int = param(
        1000, "Iterations", "Steps of the optimiser that learns the gene weights.", ge=1, le=100_000
    )
    mixtures: int = param(
        1000,
        "Training pseudobulks",
        "Pseudobulks of the training cells, on which the gene weights are learned.",
        unit="mixtures",
        ge=3,
        le=100_000,
    )
    cells: int = param(
        100,
        "Cells per training pseudobulk",
        "Single cells drawn for each training pseudobulk.",
        unit="cells",
        ge=1,
        le=100_000,
    )
    seed: int = param(
        1,
        "Seed",
        "Random seed of the pseudobulks and of the first gene weights.",
        ge=0,
        le=2**32 - 2,
    )


def run_hide(dataset: Dataset, params: HideParams, *, progress: Progress) -> MethodResult:
    """Learn the weights of every layer on pseudobulks, and estimate the bulk.

    Raises
    ------
    DataError
        What is wrong with the data.
    InvalidParameter
        The layers, or memory.
    EngineFailed
    JobCancelled
    """
    from gui.data.normalize import prepare, type_means
    from gui.engine.memory import check_dtd
    from gui.engine.numeric_context import numeric_context
    from gui.engine.reconstruction import reconstruction
    from gui.engine.simulation import few_cells, simulate

    progress("Preparing")
    if dataset.train is None:
        raise MissingPart("There are no single cells to train on.")
    prepared = prepare(dataset, n_genes=params.genes)
    if prepared.bulk is None:
        raise MissingPart("There are no bulk samples.", advice="Load them on the Upload page.")
    reference, bulk = prepared.reference, prepared.bulk
    types = [str(t) for t in reference.columns]
    coarser, notes = layers_of(params.layers, dataset.train, reference)
    check_dtd(len(reference), params.mixtures)
    progress("Simulating pseudobulks")
    drawn = simulate(
        prepared.train,
        types,
        mixtures=params.mixtures,
        cells_per_mixture=params.cells,
        seed=params.seed,
    )
    labels = prepared.train.columns.astype(str)
    designs = [reference.to_numpy(dtype=np.float64)]
    sums = [np.eye(len(types))]
    for layer in coarser:
        own = labels.map(layer.parents)
        means = type_means(prepared.train.set_axis(own, axis=1).loc[:, own.notna()])
        sums.append(layer.matrix(types))
        designs.append(means[list(layer.names)].to_numpy(dtype=np.float64) @ sums[-1])

    def watch(iteration: int, loss: float) -> None:
        if not np.isfinite(loss):
            raise EngineFailed(
                "HIDE found no gene weights: cell types are too alike.",
                advice="Merge similar cell types, or use more genes.",
            )
        progress(
            "Learning gene weights",
            (iteration - 1) / params.iterations,
            count=iteration,
            limit=params.iterations,
            loss=loss,
        )

    start = np.random.RandomState(params.seed).uniform(
        LOWEST, HIGHEST, (len(designs), len(reference))
    )
    with numeric_context():
        roots, _ = optimise(
            designs,
            sums,
            bulk=drawn.bulk.to_numpy(dtype=np.float64),
            truth=drawn.truth.loc[types].to_numpy(dtype=np.float64),
            start=start,
            iterations=params.iterations,
            watch=watch,
        )
        weights = mean_one(roots)
        found = estimate(designs, weights, bulk.to_numpy(dtype=np.float64))
    progress("Estimating compositions")
    lost = [str(s) for s in bulk.columns[~(found.sum(axis=0) > 0)]]
    if lost:
        raise EmptyColumn(
            f"No composition could be estimated for {some(lost)}.",
            advice="Leave the sample out, or use more genes.",
        )
    raw = pd.DataFrame(found, index=reference.columns, columns=bulk.columns)
    composition = normalised(raw)
    named = [FINEST, *(layer.name for layer in coarser)]
    table = pd.DataFrame(weights.T, index=reference.index, columns=named)
    fractions = {
        layer.name: pd.DataFrame(
            matrix @ composition.to_numpy(), index=list(layer.names), columns=bulk.columns
        )
        for layer, matrix in zip(coarser, sums[1:], strict=True)
    }
    return method_result(
        dataset,
        KEY,
        TITLE,
        composition,
        reference,
        layers={**dict(reversed(fractions.items())), FINEST: composition},
        parents={layer.name: dict(layer.parents) for layer in coarser},
        gene_weights=table,
        fit_weights=table[FINEST],
        fit=reconstruction(reference, bulk, table[FINEST], raw),
        citations=(CITATION,),
        notes=[*prepared.notes, *few_cells(prepared.train, "training"), *notes],
        methods=(
            f"Compositions were estimated by HIDE (own implementation) over"
            f" {number(len(reference))} genes in {len(designs)} layers"
            f" ({', '.join(named[::-1])}), with gene weights learned in"
            f" {number(params.iterations)} iterations on {number(params.mixtures)} pseudobulks."
        ),
    )


def estimate(designs: Sequence[np.ndarray], weights: np.ndarray, bulk: np.ndarray) -> np.ndarray:
    """Least squares over all layers at once, negative values cut to 0: fine types x samples.

    Parameters
    ----------
    designs
        By layer, finest first: its profiles times its sums, genes x fine types.
    weights
        Layers x genes.
    bulk
        genes x samples.

    Raises
    ------
    EngineFailed
    """
    left, right = _normal(designs, weights, bulk)
    try:
        found = np.linalg.solve(left, right)
    except np.linalg.LinAlgError:
        found = np.full(right.shape, np.nan)
    if not np.isfinite(found).all():
        raise EngineFailed(
            "The cell types are too alike to be distinguished.",
            advice="Merge similar cell types, or use more genes.",
        )
    return np.asarray(np.maximum(found, 0.0))


def _normal(
    designs: Sequence[np.ndarray], weights: np.ndarray, bulk: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    size = designs[0].shape[1]
    left, together = np.zeros((size, size)), np.zeros_like(designs[0])
    for design, own in zip(designs, weights, strict=True):
        scaled = design * own[:, None]
        left += scaled.T @ design
        together += scaled
    # the bulk is the largest: it is gone through once, not once a layer
    return left, together.T @ bulk


def mean_one(roots: np.ndarray) -> np.ndarray:
    """Gene weights with mean 1 in every layer from their roots (layers x genes)."""
    squares = roots**2
    return np.asarray(squares / squares.mean(axis=1, keepdims=True))


def optimise(
    designs: Sequence[np.ndarray],
    sums: Sequence[np.ndarray],
    *,
    bulk: np.ndarray,
    truth: np.ndarray,
    start: np.ndarray,
    iterations: int,
    watch: Callable[[int, float], None],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the roots of the weights (layers x genes) and the losses.

    With u the absolute roots of a layer over their mean, G = u², M the design of the layer and A
    its sums: C = (sum M'GM)^-1 sum M'GY; loss = - mean over layers of the mean over its types of
    the correlation of AC with A times the truth. With D = dloss/dC and W = (sum M'GM)^-1 D,
    dloss/dG = sum over mixtures of (MW) o (Y - MC).

    Parameters
    ----------
    designs, sums
        By layer, finest first: genes x fine types, and types of the layer x fine types.
    bulk
        genes x mixtures.
    truth
        Fine types x mixtures.
    start
        Layers x genes.
    """
    w = np.array(start, dtype=np.float64)
    first, second = np.zeros_like(w), np.zeros_like(w)
    targets = [part @ truth for part in sums]
    targets = [part - part.mean(axis=1, keepdims=True) for part in targets]
    losses = np.empty(iterations)
    for i in range(iterations):
        scale = 1.0 / np.abs(w).mean(axis=1, keepdims=True)
        u = np.abs(w) * scale
        left, right = _normal(designs, u * u, bulk)
        try:
            inverse = np.linalg.inv(left)
        except np.linalg.LinAlgError:
            watch(i + 1, np.nan)
            raise
        found = inverse @ right
        losses[i], slope = _loss(found, sums, targets)
        watch(i + 1, losses[i])
        W = inverse @ slope
        shared, square = bulk @ W.T, found @ W.T
        of_u = np.stack(
            [np.einsum("gk,gk->g", shared - design @ square, design) for design in designs]
        )
        of_u *= 2.0 * u
        gradient = np.sign(w) * scale * (of_u - (of_u * u).mean(axis=1, keepdims=True))
        first += (1.0 - BETA1) * (gradient - first)
        second += (1.0 - BETA2) * (gradient * gradient - second)
        root = np.sqrt(second) / np.sqrt(1.0 - BETA2 ** (i + 1)) + TINY
        w -= (RATE / (1.0 - BETA1 ** (i + 1))) * first / root
    return w, losses


def _loss(
    found: np.ndarray, sums: Sequence[np.ndarray], targets: Sequence[np.ndarray]
) -> tuple[float, np.ndarray]:
    """The loss and its slope, fine types x mixtures."""
    total, slope = 0.0, np.zeros_like(found)
    for part, target in zip(sums, targets, strict=True):
        mine = part @ found
        mine -= mine.mean(axis=1, keepdims=True)
        product = np.vecdot(target, mine)
        size, spread = np.vecdot(target, target), np.vecdot(mine, mine)
        root = np.sqrt(size * spread + GUARD)
        part_of = 1.0 / (len(sums) * len(part))
        total -= part_of * float(np.sum(product / root))
        own = target / root[:, None] - mine * (product * size / root**3)[:, None]
        slope -= part_of * (part.T @ own)
    return total, slope
