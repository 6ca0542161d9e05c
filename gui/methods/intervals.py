"""95 % intervals of any method that brings none: the whole method on random halves of the genes.

A gene cannot be drawn twice for a method that is not known from the inside, so half of the genes
are drawn without replacement. The estimates then vary as those of a bootstrap do: in the variance
of a mean, (1/m - 1/n) is 1/n for m = n/2 (the jackknife that deletes half; Shao and Wu 1989, doi
10.1214/aos/1176347263). As for DTD, the ends are moved outwards until they hold the known fractions
of pseudobulks of the test cells, and how often they hold those of other pseudobulks is reported.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gui.data.dataset import Bulk, Cells, Dataset, Matrix
from gui.data.normalize import common_genes
from gui.engine.draw_intervals import RESAMPLING, Drawn, Known, intervals_of
from gui.engine.parallel import parallel_map
from gui.engine.parallel.serialized_value import SerializedValue
from gui.engine.params import BootstrapParams, Params
from gui.engine.results import BootstrapResult, Run
from gui.engine.second_opinion import scaled_columns
from gui.errors import DataError, EngineFailed, InvalidParameter, MissingPart, TooFewGenes
from gui.jobs.taskref import TaskRef
from gui.methods.method import Capability, Method, MethodResult, without_second_opinion
from gui.methods.registry import capabilities_of

if TYPE_CHECKING:
    from gui.jobs.status import Progress

CHECK, FEWEST, MOST = 100, 10, 50
"""Pseudobulks on which intervals are checked; of a method that fits samples together twice as many
as the bulk has samples, within these limits.
"""
CELLS, CHECK_SEED = 100, 7919
"""Cells of such a pseudobulk; added to the seed, as for DTD."""
WORTH = 10.0
"""From how many seconds on it pays to start processes."""
ROUNDING = 1e-9
"""Fractions that differ by less are equal."""
SAME = 0.01
"""Fractions that differ by less are those of the run."""


@dataclass(frozen=True, eq=False)
class Estimator:
    """A method and its parameters on their way to the worker.

    Attributes
    ----------
    task
        Of the method; a plug-in's is loaded from its file.
    params
        Of the run; unpacked after the task is loaded, which may define their class.
    together
        Whether it fits the samples of a bulk together.
    """

    task: TaskRef
    params: SerializedValue
    together: bool

    @classmethod
    def of(cls, method: Method, params: Params) -> Estimator:
        """MissingPart: the parameters are those of another version of the method."""
        if type(params) is not method.params:
            raise MissingPart(
                f"{method.title} has other parameters than those of this run.",
                advice="Run it again.",
            )
        shared = {Capability.HIDDEN, Capability.REGULATION} & method.capabilities
        return cls(TaskRef.of(method.task), SerializedValue.of(params), bool(shared))

    def parameters(self) -> Params:
        """Those of the run."""
        self.task.load()  # a plug-in's file defines their class
        found: Params = self.params.open()
        return found

    def run(self, dataset: Dataset, check: Callable[[], None], **changed: Any) -> MethodResult:
        """What the method says of the dataset's bulk, without a second opinion.

        Parameters
        ----------
        changed
            Parameters that differ from those of the run.
        """

        def progress(*_: Any, **__: Any) -> None:
            check()

        with without_second_opinion():
            task, params = self.task.load(), self.params.open()
            params = params.model_copy(update=changed) if changed else params
            found: MethodResult = task(dataset, params, progress=progress)
        return found

    def estimate(self, dataset: Dataset, check: Callable[[], None], **changed: Any) -> pd.DataFrame:
        """Cell types (and ``hidden``) x samples of the dataset's bulk; as :meth:`run`."""
        return self.run(dataset, check, **changed).full()


@dataclass(frozen=True, eq=False)
class Work:
    """What every draw needs.

    Attributes
    ----------
    dataset
        Over the genes that are drawn from.
    mixtures
        Pseudobulks of known composition, those that are fitted together in one.
    rows
        Cell types (and ``hidden``) in the order of the result.
    joined
        Whether samples and mixtures are one bulk, so that a method that learns does so once a draw.
    """

    dataset: Dataset
    mixtures: tuple[Matrix, ...]
    estimator: Estimator
    genes: pd.Index
    rows: pd.Index
    joined: bool = False


def obstacle(run: Run, methods: Iterable[Method]) -> str:
    """Why intervals cannot be computed for a run of a method, a sentence; "" if they can."""
    if Capability.INTERVALS in capabilities_of(run):
        return f"{run.result.title} gives intervals of its own: see the tab Composition."
    try:
        estimator_of(run, methods)
    except MissingPart as error:
        return str(error)
    return ""


def estimator_of(run: Run | None, methods: Iterable[Method]) -> Estimator:
    """What estimates again what a run estimated. MissingPart: its method is not there any more."""
    found = next((m for m in methods if run is not None and m.key == run.result.method), None)
    if run is None or found is None:
        raise MissingPart(
            "The method of this run is not there any more: its plug-in was removed.",
            advice="Put the plug-in back, or choose another run.",
        )
    return Estimator.of(found, run.params)


def run_method_intervals(
    dataset: Dataset,
    params: BootstrapParams,
    *,
    progress: Progress,
    method: MethodResult,
    estimator: Estimator,
) -> BootstrapResult:
    """95 % intervals for the fractions of ``method``, by resampling genes.

    Raises
    ------
    MissingPart
        No bulk.
    InvalidParameter
        The method brings its own.
    TooFewGenes, EngineFailed, JobCancelled
        And what the method raises.
    """
    progress("Preparing")
    if dataset.bulk is None:
        raise MissingPart("There are no bulk samples.", advice="Load them on the Upload page.")
    if method.low is not None:
        raise InvalidParameter(
            f"{method.title} gives intervals of its own.", advice="They are in its composition."
        )
    itself = method.full()
    notes: list[str] = []
    genes = genes_in_use(dataset, method, estimator, lambda: progress("Preparing"))
    if genes is None:
        genes = common_genes(dataset)
        notes.append(
            f"{method.title} gives other fractions from the genes of its reference alone, so all"
            " common genes are resampled."
        )
    if len(genes) // 2 <= itself.shape[0]:
        raise TooFewGenes(
            f"{len(genes)} genes are too few to be resampled for {itself.shape[0]} cell types.",
            advice="Use more genes.",
        )
    mixtures, truth, together = _known(dataset, genes, estimator, params.seed)
    if truth is None:
        notes.append(
            "There are no test cells to calibrate the intervals: they show the sampling of genes"
            " only and are too narrow for the error of the method."
        )
    work = Work(over_genes(dataset, genes), mixtures, estimator, genes, itself.index)
    total, done = params.replicates + 1, 0

    def on_step(_index: int, ended: Any) -> None:
        nonlocal done
        done += bool(ended)
        progress(RESAMPLING, done / total, count=done, limit=total)

    on_step(0, False)
    began = time.perf_counter()
    (first,) = parallel_map(draw, [None], shared=work, on_step=on_step, in_process=True)
    if len(mixtures) == 1 and not estimator.together:
        one = replace(work, joined=True)
        again = _first_again(one, lambda: on_step(0, False))
        if again is not None and np.abs(again - np.hstack(first)).max(initial=0.0) < ROUNDING:
            work = one
    seconds = params.replicates * (time.perf_counter() - began)
    draws = parallel_map(
        draw,
        [(params.seed, number) for number in range(params.replicates)],
        shared=work,
        on_step=on_step,
        in_process=seconds < WORTH,
        memory=3.0 * sum(matrix.nbytes for matrix in work.dataset.parts().values()),
    )
    known = None
    if truth is not None:
        known = Known(Drawn(first[1], np.stack([d[1] for d in draws])), truth, together)
    hidden = method.hidden is not None
    notes.append(f"Each replicate reruns {method.title} on a random half of {len(genes)} genes.")
    return intervals_of(
        Drawn(itself.to_numpy(dtype=np.float64), np.stack([d[0] for d in draws])),
        method.composition.index,
        itself.columns,
        hidden=hidden,
        known=known,
        replicates=params.replicates,
        notes=notes,
    )


def draw(
    work: Work, item: tuple[int, int] | None, *, step: Callable[..., None]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Fractions of the bulk and of the known mixtures, rows x samples, of one half of the genes.

    Parameters
    ----------
    item
        (seed, number), or None for all genes.
    """
    genes = work.genes
    if item is not None:
        half = np.random.default_rng(item).permutation(len(genes))[: len(genes) // 2]
        genes = genes[np.sort(half)]
    dataset = work.dataset if item is None else over_genes(work.dataset, genes)

    def fractions(data: Dataset) -> np.ndarray:
        found = work.estimator.estimate(data, step).reindex(work.rows).fillna(0.0)
        return found.to_numpy(dtype=np.float64)

    if work.joined:
        assert dataset.bulk is not None
        (known,) = work.mixtures
        samples = dataset.bulk.matrix
        values = np.hstack([samples.frame().to_numpy(), known.take(genes).frame().to_numpy()])
        names = pd.Index([f"column {at}" for at in range(values.shape[1])])  # no name twice
        every = fractions(with_bulk(dataset, Matrix(values, genes, names)))
        step(True)
        return every[:, : samples.n_columns], every[:, samples.n_columns :]
    own = fractions(dataset)
    others = [fractions(with_bulk(dataset, m.take(genes))) for m in work.mixtures]
    step(True)
    return own, np.hstack(others) if others else None


def _first_again(work: Work, check: Callable[[], None]) -> np.ndarray | None:
    """Fractions of samples and mixtures from all genes, as one bulk; None where that fails."""
    try:
        return np.hstack(
            [part for part in draw(work, None, step=lambda *_: check()) if part is not None]
        )
    except (DataError, EngineFailed):
        return None


def over_genes(dataset: Dataset, genes: pd.Index) -> Dataset:
    """The data over these genes, which every part has, in this order."""

    def cells(whole: Cells | None) -> Cells | None:
        return None if whole is None else Cells(whole.matrix.take(genes), whole.labels, whole.obs)

    bulk, reference = dataset.bulk, dataset.reference
    return replace(
        dataset,
        train=cells(dataset.train),
        test=cells(dataset.test),
        reference=None if reference is None else reference.take(genes),
        bulk=None if bulk is None else Bulk(bulk.matrix.take(genes), bulk.obs),
    )


def with_bulk(dataset: Dataset, matrix: Matrix) -> Dataset:
    """The data with another bulk, of which nothing else is known."""
    bulk = Bulk(matrix, pd.DataFrame(index=range(matrix.n_columns)))
    return replace(dataset, bulk=bulk, clinical=None, truth=None)


def genes_in_use(
    dataset: Dataset, method: MethodResult, estimator: Estimator, check: Callable[[], None]
) -> pd.Index | None:
    """The genes of the run's reference, where they alone give its fractions; else None.

    In the order of the reference: a method that learns may start from random numbers by gene.
    """
    common = common_genes(dataset)
    used = method.reference.index
    genes = pd.Index(used[used.isin(common)], name=None)
    if len(genes) < len(method.reference) or len(genes) <= method.reference.shape[1]:
        return None
    if genes.equals(common):
        return genes
    try:
        again = estimator.estimate(over_genes(dataset, genes), check)
    except (EngineFailed, TooFewGenes):
        return None
    before = method.full()
    apart = again.reindex_like(before).fillna(0.0).to_numpy() - before.to_numpy()
    return genes if np.abs(apart).max(initial=0.0) < SAME else None


def _known(
    dataset: Dataset, genes: pd.Index, estimator: Estimator, seed: int
) -> tuple[tuple[Matrix, ...], pd.DataFrame | None, int]:
    """Pseudobulks of the test cells over these genes, their composition, how many are one fit."""
    from gui.engine.simulation import simulate

    test = dataset.test
    if test is None or not len(test.labels) or not set(test.types) & set(dataset.types):
        return (), None, 1
    assert dataset.bulk is not None
    together = 1
    count = CHECK
    if estimator.together:
        together = min(max(dataset.bulk.matrix.n_columns, FEWEST), MOST)
        count = 2 * together
    cells = scaled_columns(test.matrix.take(genes).frame()).dropna(axis=1)
    cells.columns = pd.Index(test.labels.astype(str))[_sound(test, genes)]
    drawn = simulate(
        cells,
        dataset.types,
        mixtures=count,
        cells_per_mixture=CELLS,
        seed=(seed + CHECK_SEED) % (2**32 - 2),
    )
    names = pd.Index([f"mixture {at}" for at in range(count)])
    values = drawn.bulk.to_numpy(dtype=np.float64)
    each = together if estimator.together else count
    parts = tuple(
        Matrix(np.ascontiguousarray(values[:, at : at + each]), genes, names[at : at + each])
        for at in range(0, count, each)
    )
    return parts, drawn.truth, together


def _sound(cells: Cells, genes: pd.Index) -> np.ndarray:
    """Which cells are not zero over these genes."""
    return np.asarray(cells.matrix.take(genes).sums(), dtype=np.float64) > 0
