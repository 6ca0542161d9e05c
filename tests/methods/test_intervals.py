"""Intervals of methods that bring none: random halves of the genes, calibrated on known mixtures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.composition import draws_of
from gui.data.dataset import HIDDEN, Bulk, Dataset, Matrix
from gui.data.example import make_example
from gui.engine.params import BootstrapParams, Params
from gui.engine.results import BootstrapResult
from gui.engine.second_opinion import scaled_columns
from gui.engine.simulation import simulate
from gui.errors import InvalidParameter, JobCancelled, MissingPart, TooFewGenes
from gui.methods.intervals import Estimator, run_method_intervals
from gui.methods.least_squares import LeastSquaresParams
from gui.methods.method import Capability, Method, MethodResult, method_result
from gui.methods.registry import BUILT_IN

FEW = BootstrapParams(replicates=40)


def quiet(*_: Any, **__: Any) -> None:
    """A progress that nobody watches."""


def mixtures(data: Dataset, count: int, seed: int) -> tuple[Dataset, pd.DataFrame]:
    """The data with pseudobulks of their test cells as bulk, and their composition."""
    assert data.test is not None
    test = data.test.where(np.isin(data.test.labels.astype(str), data.types))
    cells = scaled_columns(test.matrix.frame())
    cells.columns = pd.Index(test.labels.astype(str))
    drawn = simulate(cells, data.types, mixtures=count, cells_per_mixture=100, seed=seed)
    names = pd.Index([f"s{at}" for at in range(count)])
    matrix = Matrix(drawn.bulk.to_numpy(), drawn.bulk.index, names)
    bulk = Bulk(matrix, pd.DataFrame(index=range(count)))
    return replace(data, bulk=bulk), drawn.truth.set_axis(names, axis=1)


def intervals(
    data: Dataset, key: str = "nnls", chosen: BootstrapParams = FEW, params: Params | None = None
) -> tuple[MethodResult, BootstrapResult]:
    """A run of a built-in method, and its intervals."""
    method = BUILT_IN[key]
    params = params or method.params()
    run = method.task(data, params, progress=quiet)
    estimator = Estimator.of(method, params)
    found = run_method_intervals(data, chosen, progress=quiet, method=run, estimator=estimator)
    return run, found


@pytest.fixture(scope="module")
def data() -> Dataset:
    return make_example().dataset


@pytest.mark.parametrize("key", ["nnls", "relative"])
def test_intervals_hold_the_fractions_of_fresh_mixtures_as_often_as_said(
    data: Dataset, key: str
) -> None:
    fresh, truth = mixtures(data, 60, seed=99)
    run, found = intervals(fresh, key)
    pd.testing.assert_frame_equal(found.estimate, run.composition)
    known = truth.reindex(found.low.index)
    held = (found.low <= known + 1e-9) & (known <= found.high + 1e-9)
    assert held.to_numpy().mean() > 0.88
    assert found.check is not None
    assert found.mixtures == 50
    assert float(found.check["widened"].mean()) > 0.88
    assert (found.genes_low >= found.low - 1e-12).all(axis=None)
    assert (found.genes_high <= found.high + 1e-12).all(axis=None)
    assert (found.low <= found.estimate).all(axis=None)
    assert (found.estimate <= found.high).all(axis=None)
    assert float((found.high - found.low).to_numpy().mean()) < 0.5, "they say something"


def test_halves_of_the_genes_spread_as_a_bootstrap_does(data: Dataset) -> None:
    """Of a mean the variance of halves is that of a bootstrap; of least squares nearly."""
    fresh, _ = mixtures(data, 8, seed=5)
    run, found = intervals(fresh, "nnls", BootstrapParams(replicates=300))
    draws = draws_of(run.full(), found)
    assert draws is not None
    assert draws.shape == (300, *run.composition.shape)
    genes = run.reference.index
    assert fresh.bulk is not None
    bulk = scaled_columns(fresh.bulk.matrix.take(genes).frame())
    random = np.random.default_rng(0)
    boots = []
    from gui.methods.least_squares import plain_estimate

    for _ in range(300):
        times = np.bincount(random.integers(len(genes), size=len(genes)), minlength=len(genes))
        roots = np.sqrt(times)[:, None]
        one = plain_estimate(run.reference * roots, bulk * roots)
        boots.append((one / one.sum()).to_numpy())
    ratio = draws.std(axis=0).mean() / np.array(boots).std(axis=0).mean()
    assert 0.7 < ratio < 1.4


def test_the_same_seed_gives_the_same_and_another_other_intervals(data: Dataset) -> None:
    fresh, _ = mixtures(data, 6, seed=1)
    first, again, other = (
        intervals(fresh, "nnls", BootstrapParams(replicates=20, seed=seed))[1] for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first.low, again.low)
    assert not np.allclose(first.genes_low, other.genes_low)


def test_without_test_cells_nothing_is_calibrated_and_that_is_said(data: Dataset) -> None:
    fresh, _ = mixtures(data, 6, seed=1)
    _, found = intervals(replace(fresh, test=None), "nnls", BootstrapParams(replicates=20))
    assert found.check is None
    assert any("no test cells" in note for note in found.notes)
    pd.testing.assert_frame_equal(found.low, found.genes_low)


def test_a_reference_alone_is_enough(data: Dataset) -> None:
    fresh, _ = mixtures(data, 6, seed=1)
    assert fresh.train is not None
    means = fresh.train.matrix.frame().T.groupby(fresh.train.labels.astype(str)).mean().T
    reference = Matrix(means.to_numpy(), means.index, means.columns)
    alone = replace(fresh, train=None, test=None, reference=reference)
    run, found = intervals(alone, "relative", BootstrapParams(replicates=20))
    assert found.low.shape == run.composition.shape
    assert float((found.high - found.low).to_numpy().max()) > 0


def with_all_genes(dataset: Dataset, params: Any, *, progress: Any) -> MethodResult:
    """A method that needs genes which its signature does not hold, and a hidden background."""
    nnls = BUILT_IN["nnls"].task(dataset, LeastSquaresParams(genes=60), progress=progress)
    assert dataset.bulk is not None
    most = float(dataset.bulk.matrix.n_genes)
    hidden = pd.Series(0.1 + 0.1 * (most > 200), index=nnls.composition.columns)
    return method_result(
        dataset,
        "outside",
        "Outside",
        nnls.composition * (1 - hidden),
        nnls.reference,
        hidden=hidden,
    )


def test_a_method_that_needs_more_genes_than_its_reference_draws_from_all(data: Dataset) -> None:
    fresh, _ = mixtures(data, 6, seed=1)
    method = Method(
        "outside", "Outside", "", with_all_genes, capabilities=frozenset({Capability.HIDDEN})
    )
    run = method.task(fresh, Params(), progress=quiet)
    found = run_method_intervals(
        fresh,
        BootstrapParams(replicates=20),
        progress=quiet,
        method=run,
        estimator=Estimator.of(method, Params()),
    )
    assert any("all common genes are resampled" in note for note in found.notes)
    assert list(found.low.index) == [*run.composition.index, HIDDEN]
    pd.testing.assert_frame_equal(found.estimate, run.full(), check_names=False)
    assert found.check is not None
    assert HIDDEN in found.check.index


def test_a_second_opinion_is_computed_once(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh, _ = mixtures(data, 6, seed=1)
    run = BUILT_IN["nnls"].task(fresh, LeastSquaresParams(), progress=quiet)

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("gui.engine.second_opinion.second_opinion", fail)
    estimator = Estimator.of(BUILT_IN["nnls"], LeastSquaresParams())
    chosen = BootstrapParams(replicates=20)
    run_method_intervals(fresh, chosen, progress=quiet, method=run, estimator=estimator)
    with pytest.raises(AssertionError, match="computed again"):
        BUILT_IN["nnls"].task(fresh, LeastSquaresParams(), progress=quiet)


def test_what_cannot_be_computed_is_refused_in_words(data: Dataset) -> None:
    run = BUILT_IN["nnls"].task(data, LeastSquaresParams(), progress=quiet)
    nnls = Estimator.of(BUILT_IN["nnls"], LeastSquaresParams())
    own = replace(run, low=run.composition, high=run.composition)
    with pytest.raises(InvalidParameter, match="intervals of its own"):
        run_method_intervals(data, FEW, progress=quiet, method=own, estimator=nnls)
    with pytest.raises(MissingPart, match="other parameters"):
        Estimator.of(BUILT_IN["nnls"], Params())
    few = BUILT_IN["nnls"].task(data, LeastSquaresParams(genes=8), progress=quiet)
    with pytest.raises(TooFewGenes, match="8 genes are too few to be resampled"):
        run_method_intervals(
            data,
            FEW,
            progress=quiet,
            method=few,
            estimator=Estimator.of(BUILT_IN["nnls"], LeastSquaresParams(genes=8)),
        )


def test_it_counts_its_replicates_and_can_be_cancelled(data: Dataset) -> None:
    fresh, _ = mixtures(data, 4, seed=1)
    run = BUILT_IN["nnls"].task(fresh, LeastSquaresParams(), progress=quiet)
    seen: list[int] = []

    def watch(*_: Any, count: int | None = None, limit: int | None = None, **__: Any) -> None:
        if count is not None:
            assert limit == 21
            seen.append(count)
            if count == 5:
                raise JobCancelled("cancelled")

    with pytest.raises(JobCancelled):
        run_method_intervals(
            fresh,
            BootstrapParams(replicates=20),
            progress=watch,
            method=run,
            estimator=Estimator.of(BUILT_IN["nnls"], LeastSquaresParams()),
        )
    assert seen == sorted(seen)
    assert max(seen) == 5


# -- what is learned is learned once a draw
# --------------------------------------------------------------------------------------------------
SMALL = BUILT_IN["hide"].params.parse(genes=80, iterations=5, mixtures=30, cells=20)
TWENTY = BootstrapParams(replicates=20)


def test_a_method_that_learns_does_so_once_a_draw_with_the_same_numbers(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gui.methods import hide
    from gui.methods import intervals as module

    fresh, _ = mixtures(data, 6, seed=1)
    learned: list[int] = []
    real = hide.optimise

    def counted(*args: Any, **kwargs: Any) -> Any:
        learned.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(hide, "optimise", counted)
    monkeypatch.setattr(module, "WORTH", 1e9)  # all in this process
    run, found = intervals(fresh, "hide", TWENTY, SMALL)
    # the run, its genes, samples and mixtures apart, and together; then the draws
    assert len(learned) == 5 + 20
    # from the run's own genes, whatever their order in the files
    assert any(f"a random half of {len(run.reference)} genes" in note for note in found.notes)
    monkeypatch.setattr(module, "_first_again", lambda *_: None)
    _, apart = intervals(fresh, "hide", TWENTY, SMALL)
    pd.testing.assert_frame_equal(found.low, apart.low, rtol=0, atol=1e-9)
    pd.testing.assert_frame_equal(found.high, apart.high, rtol=0, atol=1e-9)


def by_number_of_samples(dataset: Dataset, params: Any, *, progress: Any) -> MethodResult:
    """Fractions that depend on how many samples there are."""
    nnls = BUILT_IN["nnls"].task(dataset, LeastSquaresParams(genes=60), progress=progress)
    values = np.full(nnls.composition.shape, 1.0 / nnls.composition.shape[1])
    values[0] = 1.0 - values[1:].sum(axis=0)
    composition = pd.DataFrame(values, nnls.composition.index, nnls.composition.columns)
    return method_result(dataset, "x", "X", composition, nnls.reference, opinion=False)


def test_samples_that_depend_on_each_other_are_not_mixed_with_pseudobulks(data: Dataset) -> None:
    fresh, _ = mixtures(data, 50, seed=1)
    method = Method("x", "X", "", by_number_of_samples)
    run = method.task(fresh, Params(), progress=quiet)
    found = run_method_intervals(
        fresh,
        TWENTY,
        progress=quiet,
        method=run,
        estimator=Estimator.of(method, Params()),
    )
    np.testing.assert_allclose(found.genes_low.iloc[1:], 1 / 50)
    np.testing.assert_allclose(found.genes_high.iloc[1:], 1 / 50)
