"""What a worker runs: ``(dataset, params, *, progress) -> result``.

Light to import; the engine itself is imported inside the tasks.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gui.data.dataset import Dataset
from gui.engine import compute_settings
from gui.engine.compute_settings import ComputeSettings
from gui.engine.memory import check_dtd, check_simulation
from gui.engine.metrics import COLUMNS, compare
from gui.engine.params import (
    ADTDParams,
    ApplyParams,
    BootstrapParams,
    DTDParams,
    Part,
    SearchParams,
)
from gui.engine.results import (
    STILL_FALLING,
    ADTDResult,
    ApplyResult,
    BootstrapResult,
    DTDResult,
    Refinement,
    RNAContent,
    SearchResult,
    SecondOpinion,
)
from gui.errors import EmptyColumn, EngineFailed, InvalidParameter, MissingPart, TooFewGenes
from gui.text import some
from gui.versions import engine_versions

log = logging.getLogger(__name__)
if TYPE_CHECKING:
    from gui.data.normalize import Prepared
    from gui.engine.adtd import Fit
    from gui.engine.simulation import Mixtures
    from gui.jobs.status import Progress

PREPARING, SIMULATING, ESTIMATING = "Preparing", "Simulating pseudobulks", "Estimating compositions"
REFINING = "Refining to the optimum"
SEARCH_SCALE = 10_000.0
"""The search and the 1/mean(Y)² weights depend on the unit of their input: always this column sum
(ENGINE.md, trap 2).
"""


versions = engine_versions
"""What a worker reports of the engine once it is warm."""


def warm_up(chosen: ComputeSettings | None = None) -> None:
    """Import what the first click needs and take one tiny optimiser step.

    Parameters
    ----------
    chosen
        Which engine computes in this process from now on.
    """
    if chosen is not None:
        compute_settings.set_compute_settings(chosen)
    import gui.data.normalize
    import gui.engine.adtd
    import gui.engine.bootstrap
    import gui.engine.search  # noqa: F401
    from gui.engine.dtd import learn

    random = np.random.default_rng(0)
    reference = pd.DataFrame(random.random((4, 2)) + 0.1, index=list("abcd"), columns=["s", "t"])
    truth = pd.DataFrame(random.dirichlet([1, 1], 5).T, index=["s", "t"])
    learn(reference, reference @ truth, truth, iterations=1, progress=lambda *_, **__: None)


# ---------------------------------------------------------------------------------------------- DTD
def run_dtd(dataset: Dataset, params: DTDParams, *, progress: Progress) -> DTDResult:
    """Simulate mixtures, learn gene weights, estimate compositions beside Naive.

    Raises
    ------
    DataError
        What is wrong with the data.
    InvalidParameter
        Memory.
    EngineFailed
    JobCancelled
    """
    return _train(dataset, params, progress, learned=True)


def run_naive(dataset: Dataset, params: DTDParams, *, progress: Progress) -> DTDResult:
    """The same with all gene weights 1 and nothing learned (empty loss): the Naive model."""
    return _train(dataset, params, progress, learned=False)


def _train(dataset: Dataset, params: DTDParams, progress: Progress, *, learned: bool) -> DTDResult:
    from gui.data.normalize import prepare

    progress(PREPARING)
    if dataset.train is None:
        raise MissingPart("There are no single cells to train on.")
    prepared = prepare(dataset, n_genes=params.genes)
    reference = prepared.reference
    notes = [*compute_settings.engine_notes(), *prepared.notes]
    check_simulation(len(prepared.genes), params.train_mixtures, params.train_cells)
    if prepared.test is not None:
        check_simulation(len(prepared.genes), params.test_mixtures, params.test_cells)
    check_dtd(len(prepared.genes), params.train_mixtures)
    progress(SIMULATING)
    mixtures = {"train": draw(prepared, params, "train")}
    if prepared.test is not None:
        progress(SIMULATING)
        mixtures["test"] = draw(prepared, params, "test")
    from gui.engine.dtd import equal_weights, estimate, learn
    from gui.engine.early_stopping import (
        best_iteration,
        held_back_mixtures,
        iterations_to_check,
        mean_correlations,
    )
    from gui.engine.simulation import few_cells

    checked: pd.DataFrame | None = None
    stopped_at: int | None = None

    for what, cells in (("training", prepared.train), ("test", prepared.test)):
        notes += few_cells(cells, what) if cells is not None else []
    loss, correlation, weights = (
        np.empty(0),
        pd.DataFrame(columns=reference.columns, dtype=float),
        equal_weights(reference.index),
    )
    if learned:
        train = mixtures["train"]
        found = learn(
            reference,
            train.bulk,
            train.truth,
            iterations=params.iterations,
            progress=progress,
            checkpoints=iterations_to_check(params.iterations),
            fast=params.stop_early,
        )
        loss, correlation, weights = found.loss, found.correlation, found.weights
        unseen = {"test": mixtures["test"]} if "test" in mixtures else {}
        if params.stop_early:
            unseen["held_back"] = held_back_mixtures(
                prepared.train, [str(t) for t in reference.columns], params
            )
        if found.checkpoints and unseen:
            progress(ESTIMATING, 1.0)
            checked = pd.DataFrame(
                {
                    name: mean_correlations(reference, drawn, found.checkpoints)
                    for name, drawn in unseen.items()
                }
            )
        if params.stop_early and checked is not None:
            stopped_at = best_iteration(checked["held_back"])
            weights = found.checkpoints[stopped_at]
            notes.append(
                f"Stopped early: the gene weights after {stopped_at} of {params.iterations}"
                " iterations do best on pseudobulks of held-back training cells and are used."
            )
            if compute_settings.get_compute_settings().engine == "stock":
                notes.append(
                    "Stopping early learns with the fast engine, though the stock engine is chosen."
                )
    targets = {part: drawn.bulk for part, drawn in mixtures.items()}
    if prepared.bulk is not None and params.run_on_bulk:
        targets["bulk"] = prepared.bulk
    from gui.engine.reconstruction import reconstruction

    composition, naive, fit = {}, {}, {}
    for part, bulk in targets.items():
        progress(ESTIMATING, 1.0 if learned else None)
        composition[part] = estimate(reference, bulk, weights)
        fit[part] = reconstruction(reference, bulk, weights, composition[part])
        naive[part] = (
            estimate(reference, bulk, equal_weights(reference.index))
            if learned
            else composition[part]
        )
    opinion = None
    if "bulk" in composition:
        progress(ESTIMATING, 1.0 if learned else None)
        opinion, failed = _second_opinion(dataset, reference, composition["bulk"])
        notes += failed
    content, failed = _content(dataset)
    notes += failed
    methods = {"dtd": composition, "naive": naive} if learned else {"naive": naive}
    rows = [
        compare(part, method, mixtures[part].truth, found[part])
        for part in mixtures
        for method, found in methods.items()
    ]
    return DTDResult(
        reference=reference,
        gene_weights=weights,
        loss=loss,
        correlation=correlation,
        composition=composition,
        naive=naive,
        truth={part: drawn.truth for part, drawn in mixtures.items()},
        metrics=pd.concat(rows, ignore_index=True)[COLUMNS],
        scale=dataset.scale,
        notes=tuple(notes),
        params=params,
        fit=fit,
        second_opinion=opinion,
        rna_content=content,
        checked=checked,
        stopped_at=stopped_at,
    )


def _second_opinion(
    dataset: Dataset, reference: pd.DataFrame, composition: pd.DataFrame
) -> tuple[SecondOpinion | None, tuple[str, ...]]:
    """The second opinion, or None and why: a finished run is not lost with it."""
    from gui.engine.second_opinion import second_opinion

    try:
        return second_opinion(dataset, reference, composition), ()
    except Exception as error:  # noqa: BLE001 - whatever it is, the run itself is right
        log.error("no second opinion: %s", type(error).__name__)
        return None, (f"The second opinion could not be computed ({_why(error)}).",)


def _content(dataset: Dataset) -> tuple[RNAContent, tuple[str, ...]]:
    """The RNA content of the cell types; a reason where it cannot be measured."""
    from gui.engine.rna_content import measured_content

    try:
        return measured_content(dataset.train), ()
    except Exception as error:  # noqa: BLE001 - as above
        log.error("no RNA content: %s", type(error).__name__)
        said = f"The RNA content of the cell types could not be measured ({_why(error)})."
        return RNAContent(reason=said), (said,)


def _why(error: Exception) -> str:
    return "not enough memory" if isinstance(error, MemoryError) else type(error).__name__


def draw(prepared: Prepared, params: DTDParams, part: Part) -> Mixtures:
    """Return the pseudobulks of ``part``; reproducible to the bit."""
    from gui.engine.early_stopping import learned_from
    from gui.engine.simulation import simulate

    types = [str(t) for t in prepared.reference.columns]
    if part == "train":
        if prepared.train.empty:
            raise MissingPart("There are no single cells to simulate training pseudobulks from.")
        return simulate(
            learned_from(prepared.train, params),
            types,
            mixtures=params.train_mixtures,
            cells_per_mixture=params.train_cells,
            seed=params.seed,
        )
    if prepared.test is None:
        raise MissingPart("There are no test cells to simulate test pseudobulks from.")
    return simulate(
        prepared.test,
        types,
        mixtures=params.test_mixtures,
        cells_per_mixture=params.test_cells,
        seed=params.seed + 1,
    )


def run_apply(
    dataset: Dataset, params: ApplyParams, *, progress: Progress, dtd: DTDResult
) -> ApplyResult:
    """A trained model on the dataset's bulk: no training.

    Raises
    ------
    MissingPart
        No bulk.
    MissingGenes
    EmptyColumn
    """
    from gui.engine.dtd import equal_weights, estimate
    from gui.engine.reconstruction import reconstruction

    progress(PREPARING)
    target = _target(dataset, "bulk", dtd)
    progress(ESTIMATING)
    composition = estimate(target.reference, target.bulk, dtd.gene_weights)
    progress(ESTIMATING)
    naive = estimate(target.reference, target.bulk, equal_weights(target.reference.index))
    opinion, failed = _second_opinion(dataset, target.reference, composition)
    notes = (*compute_settings.engine_notes(), *target.notes, *failed)
    return ApplyResult(
        composition,
        naive,
        notes,
        reconstruction(target.reference, target.bulk, dtd.gene_weights, composition),
        opinion,
    )


# ---------------------------------------------------------------------------------- ADTD and search
@dataclass(frozen=True, eq=False)
class Target:
    """What is to be deconvolved.

    Attributes
    ----------
    reference
        genes x cell types.
    bulk
        genes x samples.
    truth
        Cell types x mixtures or None.
    """

    reference: pd.DataFrame
    bulk: pd.DataFrame
    truth: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def _target(dataset: Dataset, part: Part, dtd: DTDResult | None) -> Target:
    """Return the part over the genes of the DTD run, scaled as there.

    Pseudobulks are drawn again from the parameters of the run.
    """
    from gui.data.normalize import prepare

    if dtd is None:
        raise MissingPart(
            "This step uses the genes and the reference of a DTD run, and there is none yet.",
            advice="Run DTD first.",
        )
    dataset = replace(dataset, scale=dtd.scale)
    if part == "bulk":
        if dataset.bulk is None:
            raise MissingPart("There is no bulk data.")
        # the cells are not needed, and a trained model comes without any
        from gui.data.dataset import Matrix

        as_trained = Matrix(dtd.reference.to_numpy(), dtd.reference.index, dtd.reference.columns)
        dataset = replace(dataset, train=None, test=None, reference=as_trained)
    elif dtd.params is None:
        raise MissingPart(
            "An applied model has no pseudobulks; only the bulk can be deconvolved with it."
        )
    elif (dataset.train if part == "train" else dataset.test) is None:
        raise MissingPart(
            f"There are no {'training' if part == 'train' else 'test'} cells to simulate mixtures"
            " from."
        )
    else:
        dataset = replace(dataset, bulk=None)  # which may lack genes: no matter here
    prepared = prepare(dataset, genes=dtd.genes)
    if part == "bulk":
        assert prepared.bulk is not None
        return Target(dtd.reference, prepared.bulk, notes=tuple(prepared.notes))
    assert dtd.params is not None
    drawn = draw(prepared, dtd.params, part)
    return Target(dtd.reference, drawn.bulk, drawn.truth, tuple(prepared.notes))


def scaled_bulk(dataset: Dataset, dtd: DTDResult | None) -> pd.DataFrame:
    """The bulk over the genes of the DTD run, scaled as there (genes x samples). MissingPart."""
    return _target(dataset, "bulk", dtd).bulk


def for_inverse_weights(target: Target) -> Target:
    """Return the target of the search: zero genes dropped and named, columns scaled to 10 000."""
    zero = ~(target.bulk.mean(axis=1) > 0).to_numpy()
    dropped = tuple(str(g) for g in target.bulk.index[zero])
    reference, bulk, notes = target.reference, target.bulk, target.notes
    if dropped:
        reference, bulk = reference.loc[~zero], bulk.loc[~zero]
        what = f"Gene {dropped[0]} is" if len(dropped) == 1 else f"{len(dropped)} genes are"
        named = "" if len(dropped) == 1 else f" ({some(dropped)})"
        notes = (*notes, f"{what} zero in every sample and left out{named}.")
        if len(reference) <= reference.shape[1]:
            raise TooFewGenes(
                f"Only {len(reference)} of the genes in use occur in the bulk, for"
                f" {reference.shape[1]} cell types."
            )
    return replace(
        target, reference=_scaled(reference), bulk=_scaled(bulk), notes=notes, dropped=dropped
    )


def _scaled(matrix: pd.DataFrame) -> pd.DataFrame:
    """Columns summing to 10 000; as it is, to the bit, where they do already."""
    sums = matrix.sum(axis=0).to_numpy()
    if not (sums > 0).all():
        raise EmptyColumn(f"{matrix.columns[int(np.argmin(sums))]} is zero for all genes in use.")
    return (
        matrix
        if np.allclose(sums, SEARCH_SCALE, rtol=1e-9, atol=0)
        else matrix * (SEARCH_SCALE / sums)
    )


def run_adtd(
    dataset: Dataset, params: ADTDParams, *, progress: Progress, dtd: DTDResult | None = None
) -> ADTDResult:
    """Hidden background and, depending on the model, gene regulation.

    The genes, the reference and (unless "inverse") the weights are ``dtd``'s.

    Raises
    ------
    MissingPart
        No DTD run, no bulk.
    MissingGenes
    InvalidParameter
        Memory.
    EngineFailed
    JobCancelled
    """
    from gui.engine.adtd import deconvolve, hidden_interval, inverse_weights, support
    from gui.engine.reconstruction import reconstruction

    progress(PREPARING)
    target = _target(dataset, params.part, dtd)
    assert dtd is not None
    weights = dtd.gene_weights
    if params.gene_weights == "inverse":
        target = for_inverse_weights(target)
        weights = inverse_weights(target.bulk)
    custom = params.model == "custom"
    fit = deconvolve(
        target.reference,
        target.bulk,
        weights,
        lambda1=params.lambda1 if custom else None,
        lambda2=params.lambda2,
        max_iterations=params.max_iterations,
        c_static=params.c_static if custom else True,
        delta_static=not params.regulated,
        progress=progress,
    )
    notes = [*compute_settings.engine_notes(), *target.notes]
    if not fit.converged:
        notes.append(
            f"{STILL_FALLING} {params.max_iterations} iterations; more may change the result."
        )
    if fit.rose:
        notes.append(
            "deconomix stops when the loss no longer falls: here it rose a little in the last"
            " iteration, and that iteration is the result. “Refine to the optimum” (Advanced) takes"
            " the optimum instead."
        )
    optimum = None
    if params.refine:
        fit, optimum = _refined(target, weights, fit, params, progress)
    opinion = None
    if params.part == "bulk":
        opinion, failed = _second_opinion(dataset, dtd.reference, fit.composition)
        notes += failed
    parts = {"hidden": fit.hidden, "profile": fit.profile, "regulation": fit.regulation}
    return ADTDResult(
        composition=fit.composition,
        hidden=fit.hidden,
        hidden_profile=fit.profile,
        gene_regulation=fit.regulation if params.regulated else None,
        gene_weights=weights,
        reference=target.reference,
        loss=fit.loss,
        truth=target.truth,
        support=(
            support(target.reference, weights, fit, params.lambda2) if params.regulated else None
        ),
        hidden_interval=hidden_interval(target.reference, fit),
        notes=tuple(notes),
        optimum=optimum,
        fit=reconstruction(target.reference, target.bulk, weights, fit.composition, **parts),
        second_opinion=opinion,
    )


def _refined(
    target: Target, weights: pd.Series, fit: Fit, params: ADTDParams, progress: Progress
) -> tuple[Fit, Refinement]:
    """The fit with hidden profile and gene regulation at the optimum, and what that brought."""
    from gui.engine.refinement import refine

    def check() -> None:
        progress(REFINING, None)

    found = refine(
        target.reference,
        target.bulk,
        weights,
        fit,
        lambda2=params.lambda2,
        regulated=params.regulated,
        check=check,
    )
    residual, gap = (
        (found.certificate.residual, found.certificate.gap)
        if found.certificate is not None
        else (float("nan"), float("nan"))
    )
    optimum = Refinement(found.loss_before, found.loss_after, residual, gap, found.way)
    return replace(fit, profile=found.profile, regulation=found.regulation), optimum


def run_search(
    dataset: Dataset, params: SearchParams, *, progress: Progress, dtd: DTDResult | None = None
) -> SearchResult:
    """Return the cross-validated loss over the grid of lambda2, and what each does to the fit.

    Zero genes are dropped and named.

    Raises
    ------
    MissingPart
    MissingGenes
    InvalidParameter
        Folds, memory.
    EngineFailed
    JobCancelled
    """
    from gui.engine.lambda2_path import regulation_path
    from gui.engine.search import cross_validate, summarise

    progress(PREPARING, 0.0)
    target = for_inverse_weights(_target(dataset, params.part, dtd))
    losses = cross_validate(
        target.reference,
        target.bulk,
        lambdas=params.lambdas(),
        folds=params.folds,
        progress=progress,
    )
    choices = summarise(losses)
    path: pd.DataFrame | None = None
    failed: tuple[str, ...] = ()
    try:
        path = regulation_path(
            target.reference, target.bulk, lambdas=params.lambdas(), progress=progress
        )
    except (EngineFailed, MemoryError) as error:  # the search itself is right
        log.error("no L-curve: %s", type(error).__name__)
        failed = ("The L-curve could not be computed; the choices rest on the loss alone.",)
    values: Mapping[str, float | None] = choices.values
    return SearchResult(
        losses,
        values,
        target.dropped,
        (*compute_settings.engine_notes(), *target.notes, *choices.notes, *failed),
        path,
    )


# ----------------------------------------------------------------------------------------- how sure
CHECK_DTD, CHECK_ADTD = 400, 160
"""Simulated mixtures on which intervals are checked; with ADTD at least so many."""
FEWEST, MOST = 10, 200
"""Mixtures of one ADTD fit of the check.

It errs for all its samples alike, and the more they are the less: fits as large as that of the run
tell how much.
"""
CHECK_SEED = 7919
"""Added to DTD's seed: these mixtures were seen by no run."""


def run_bootstrap(
    dataset: Dataset,
    params: BootstrapParams,
    *,
    progress: Progress,
    dtd: DTDResult | None = None,
    adtd: ADTDResult | None = None,
) -> BootstrapResult:
    """95 % intervals for the fractions of ``adtd``, or of ``dtd`` where there is none.

    Raises
    ------
    MissingPart
    MissingGenes
    InvalidParameter
        Nothing to learn from.
    TooFewGenes
    EngineFailed
    JobCancelled
    """
    from gui.data.normalize import prepare
    from gui.engine.bootstrap import Learning, bootstrap

    progress(PREPARING)
    target = _target(dataset, params.part, dtd)
    assert dtd is not None
    run = adtd or dtd
    genes = run.reference.index
    cells = (
        prepare(replace(dataset, scale=dtd.scale, bulk=None), genes=dtd.genes)
        if dataset.train is not None
        else None
    )
    learned = adtd is None or np.array_equal(
        adtd.gene_weights.to_numpy(), dtd.gene_weights.reindex(genes).to_numpy()
    )
    known, learning, notes = None, None, list(target.notes)
    together = 1 if adtd is None else min(max(target.bulk.shape[1], FEWEST), MOST)
    if dtd.params is not None and cells is not None and cells.test is not None:
        count = (
            CHECK_DTD if adtd is None else together * 2 * max(1, round(CHECK_ADTD / together / 2))
        )
        others = {"test_mixtures": count, "seed": (dtd.params.seed + CHECK_SEED) % (2**32 - 2)}
        drawn = draw(cells, dtd.params.model_copy(update=others), "test")
        known = drawn.bulk.loc[genes], drawn.truth
    else:
        notes.append(
            "There are no test cells to calibrate the intervals: they show the sampling of genes"
            " only and are too narrow for the error of the method."
        )
    if params.seeds:
        if cells is None or dtd.params is None or not learned or not len(dtd.loss):
            raise InvalidParameter(
                "The session no longer holds the cells from which the gene weights of this run"
                " were learned.",
                advice="Switch “Relearn gene weights” off.",
            )
        types = [*map(str, run.reference.columns)]
        order = {
            t: n
            for n, t in enumerate(
                [*types, *sorted({str(c) for c in cells.train.columns} - set(types))]
            )
        }
        from gui.engine.early_stopping import learned_from

        train = learned_from(cells.train, dtd.params)
        labels = np.array([order[str(c)] for c in train.columns])
        values = train.loc[genes].to_numpy(dtype=np.float64)
        learning = Learning(
            values,
            labels,
            dtd.params.train_mixtures,
            dtd.params.train_cells,
            dtd.stopped_at or dtd.params.iterations,
        )
    return bootstrap(
        run.reference,
        target.bulk.loc[genes],
        run.gene_weights,
        replicates=params.replicates,
        seed=params.seed,
        progress=progress,
        hidden=adtd is not None,
        regulation=None if adtd is None else adtd.gene_regulation,
        lambda2=params.lambda2,
        max_iterations=params.max_iterations,
        known=known,
        together=together,
        learning=learning,
        notes=tuple(notes),
    )
