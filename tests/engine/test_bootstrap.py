"""Intervals from genes drawn anew, on simulated data with known truth: how often they hold it, what
they are the same under, and how they are stopped.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import HIDDEN
from gui.data.example import make_example
from gui.engine import bootstrap as engine
from gui.engine import compute_settings, draw_intervals, tasks
from gui.engine.bootstrap import bootstrap
from gui.engine.draw_intervals import RESAMPLING, calibrate, ends
from gui.engine.params import ADTDParams, BootstrapParams, DTDParams
from gui.engine.results import BootstrapResult
from gui.errors import EngineFailed, InvalidParameter, JobCancelled, TooFewGenes


def quiet(*_: Any, **__: Any) -> None: ...


def within(low: pd.DataFrame, high: pd.DataFrame, truth: pd.DataFrame) -> float:
    """The share of fractions whose truth lies in the interval."""
    inside = (truth.to_numpy() >= low.to_numpy() - 1e-12) & (
        truth.to_numpy() <= high.to_numpy() + 1e-12
    )
    return float(inside.mean())


def halved(result: BootstrapResult) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Intervals half as wide: broken ones, which the bounds below must not let pass."""
    middle = result.estimate
    return middle - (middle - result.low) / 2, middle + (result.high - middle) / 2


def exact(
    seed: int = 0, *, genes: int = 300, types: int = 5, samples: int = 60
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.Series]:
    """Reference, bulk, truth, weights: mixtures of exactly the reference's profiles, with a noise
    of its own for every gene.
    """
    random = np.random.default_rng(seed)
    index, names = [f"G{g}" for g in range(genes)], [f"T{k}" for k in range(types)]
    profiles = random.gamma(0.6, 1, (genes, types)) + 0.05
    reference = pd.DataFrame(profiles / profiles.sum(axis=0) * 1e4, index=index, columns=names)
    truth = pd.DataFrame(
        random.dirichlet(np.ones(types) * 3, samples).T,
        index=names,
        columns=[f"s{j}" for j in range(samples)],
    )
    expected = (reference @ truth).to_numpy()
    bulk = pd.DataFrame(
        expected * random.gamma(25.0, 1 / 25.0, expected.shape), index=index, columns=truth.columns
    )
    return reference, bulk, truth, pd.Series(random.gamma(2.0, 0.5, genes), index=index)


@pytest.fixture(scope="module")
def example() -> tuple[Any, Any]:
    """The example and a DTD run on it."""
    data = make_example().dataset
    return data, tasks.run_dtd(
        data,
        DTDParams(iterations=150, train_mixtures=200, test_mixtures=60, genes=200),
        progress=quiet,
    )


# -- coverage
# --------------------------------------------------------------------------------------------------
def test_intervals_of_genes_alone_hold_the_truth_where_only_noise_is_between():
    shares, broken = [], []
    for seed in range(3):
        reference, bulk, truth, weights = exact(seed)
        found = bootstrap(reference, bulk, weights, replicates=100, seed=seed, progress=quiet)
        shares.append(within(found.low, found.high, truth))
        broken.append(within(*halved(found), truth))
    assert 0.88 < np.mean(shares) < 0.98  # measured: 0.93
    assert np.mean(broken) < 0.8, "the bound would let intervals of half the width pass"


def test_a_result_keeps_its_draws_in_half_precision_on_the_scale_of_the_estimate(monkeypatch):
    reference, bulk, _, weights = exact(1, genes=60, samples=7)
    found = bootstrap(reference, bulk, weights, replicates=40, seed=1, progress=quiet)
    assert found.draws is not None
    assert (found.draws.dtype, found.draws.shape) == (np.float16, (40, 5, 7))
    low, high = np.percentile(found.draws.astype(float), (2.5, 97.5), axis=0)
    estimate = found.estimate.to_numpy()
    # the stated rounding, and nothing else, lies between the draws and the interval
    for kept, end in (
        (np.minimum(low, estimate), found.genes_low.to_numpy()),
        (np.maximum(high, estimate), found.genes_high.to_numpy()),
    ):
        np.testing.assert_allclose(kept, end, rtol=5e-4, atol=3e-8)
    assert found.draws.min() >= 0.0
    monkeypatch.setattr(draw_intervals, "MOST_DRAWS", 2 * 5 * 7 * 12)
    fewer = bootstrap(reference, bulk, weights, replicates=40, seed=1, progress=quiet)
    np.testing.assert_array_equal(fewer.draws, found.draws[:12])
    np.testing.assert_array_equal(fewer.low, found.low)


def test_widened_intervals_hold_the_truth_of_mixtures_of_other_cells(example):
    data, dtd = example
    found = tasks.run_bootstrap(
        data, BootstrapParams(part="test", replicates=60), progress=quiet, dtd=dtd
    )
    truth = dtd.truth["test"].loc[dtd.reference.columns]
    alone, widened = (
        within(found.genes_low, found.genes_high, truth),
        within(found.low, found.high, truth),
    )
    assert alone < 0.85, "there is no bias here that widening could make up for"
    assert widened > 0.9
    assert within(*halved(found), truth) < 0.85
    assert found.mixtures == tasks.CHECK_DTD // 2
    assert 0.9 < found.check["widened"].mean() < 0.99
    assert found.check["genes"].mean() == pytest.approx(alone, abs=0.1), (
        "what is said of the draws alone is what they do"
    )
    assert (found.check["wider"] >= 0).all()


def test_with_a_hidden_background_it_has_an_interval_too(example, monkeypatch):
    monkeypatch.setattr(tasks, "CHECK_ADTD", 60)
    data, dtd = example
    adtd = tasks.run_adtd(data, ADTDParams(part="test"), progress=quiet, dtd=dtd)
    found = tasks.run_bootstrap(
        data, BootstrapParams(part="test", replicates=20), progress=quiet, dtd=dtd, adtd=adtd
    )
    assert list(found.low.index) == [*dtd.reference.columns, HIDDEN]
    np.testing.assert_allclose(found.estimate, adtd.full(), atol=1e-6)
    truth = adtd.truth.loc[dtd.reference.columns]
    truth.loc[HIDDEN] = 1 - truth.sum()
    assert within(found.low, found.high, truth) > 0.88
    assert found.sign_stability is None


def test_calibration_covers_whatever_the_errors_look_like_and_never_narrows():
    random = np.random.default_rng(0)
    truth = random.dirichlet(np.ones(4), 2000).T
    estimate = (
        truth + np.array([[0.05], [0.0], [-0.03], [0.0]]) + random.standard_t(3, truth.shape) * 0.01
    )
    found = calibrate(estimate - 0.01, estimate + 0.01, truth)
    assert found.genes[0] < 0.2
    np.testing.assert_allclose(found.widened, 0.95, atol=0.02)
    assert (calibrate(estimate - 1, estimate + 1, truth).wider == 0).all()


def test_what_is_said_of_fits_held_back_is_true_of_other_fits():
    """An ADTD fit errs for all its mixtures alike: were the halves not of different fits, more
    would be promised than is kept.
    """
    random = np.random.default_rng(1)
    size, apart, mixed, kept = 20, [], [], []
    for _ in range(300):
        truth = np.full((1, 3 * size), 0.5)
        # three fits
        off = np.repeat(random.normal(0, 0.05, 3), size) + random.normal(0, 0.01, 3 * size)
        low, high = truth + off - 0.01, truth + off + 0.01
        two = slice(0, 2 * size)
        for told, together in ((apart, size), (mixed, 1)):
            found = calibrate(low[:, two], high[:, two], truth[:, two], together)
            told.append(found.widened[0])
            if together == size:
                wider = found.wider[0]
        kept.append((np.maximum(low - truth, truth - high)[0, 2 * size :] <= wider).mean())
    assert np.mean(apart) == pytest.approx(np.mean(kept), abs=0.06)
    assert np.mean(mixed) > np.mean(kept) + 0.15


def test_ends_lie_around_the_estimate_even_where_the_draws_do_not():
    draws = np.random.default_rng(0).normal(0.3, 0.05, (1000, 1, 2))
    low, high = ends(np.array([[0.3, 0.9]]), draws)
    np.testing.assert_allclose(
        [low[0, 0], high[0, 0]], [0.3 - 1.96 * 0.05, 0.3 + 1.96 * 0.05], atol=0.01
    )
    assert high[0, 1] == 0.9


# -- what they are the same under
# -----------------------------------------------------------------------------------------------
def test_same_seed_same_intervals_and_they_hold_the_estimate():
    reference, bulk, truth, weights = exact(2, genes=60, types=3, samples=8)
    path = engine.ResampledLambdaPath(
        reference, bulk, weights.to_frame(), max_iterations=3, check=lambda: None
    )
    path.begin()
    full = np.vstack([path.C, path.c])
    options = {
        "hidden": True,
        "regulation": pd.DataFrame(
            path.solve_for_lambda(1e-7), index=reference.index, columns=reference.columns
        ),
        "lambda2": 1e-7,
        "max_iterations": 3,
        "known": (bulk, truth),
        "together": 4,
    }
    one, same = (
        bootstrap(reference, bulk, weights, replicates=20, seed=1, progress=quiet, **options)
        for _ in range(2)
    )
    other = bootstrap(reference, bulk, weights, replicates=20, seed=2, progress=quiet, hidden=True)
    for name in ("low", "high", "genes_low", "genes_high", "sign_stability", "check"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(same, name), check_exact=True)
    assert not np.allclose(one.low, other.low)
    np.testing.assert_allclose(one.estimate, full, atol=1e-9)
    assert (one.low.to_numpy() <= full + 1e-9).all()
    assert (one.high.to_numpy() >= full - 1e-9).all()
    assert one.low.to_numpy().min() >= 0
    assert one.high.to_numpy().max() <= 1
    assert list(one.low.columns) == list(bulk.columns)
    assert one.sign_stability.shape == reference.shape


def test_draws_do_not_depend_on_their_order():
    reference, bulk, _, weights = exact()
    task = engine.Task(reference.to_numpy(), bulk.to_numpy(), None, weights.to_numpy(), hidden=True)
    alone = engine.draw(task, (3, 7), step=quiet).bulk
    engine.draw(task, (3, 6), step=quiet)
    np.testing.assert_array_equal(engine.draw(task, (3, 7), step=quiet).bulk, alone)


def test_intervals_are_the_same_with_one_and_with_two_processes():
    reference, bulk, _, weights = exact(genes=60, types=3, samples=6)
    found = []
    for cores in (1, 2):
        before = compute_settings.get_compute_settings()
        compute_settings.set_compute_settings(compute_settings.ComputeSettings(cores=cores))
        try:
            found.append(
                bootstrap(
                    reference, bulk, weights, replicates=20, seed=1, progress=quiet, hidden=True
                )
            )
        finally:
            compute_settings.set_compute_settings(before)
    pd.testing.assert_frame_equal(found[0].low, found[1].low, check_exact=True)
    pd.testing.assert_frame_equal(found[0].high, found[1].high, check_exact=True)


@pytest.mark.filterwarnings(
    "ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning"
)
def test_a_type_that_no_mixture_drew_is_said_and_not_computed_with():
    random = np.random.default_rng(0)
    reference = random.random((30, 2)) + 0.1
    values = np.repeat(reference[:, [0]], 20, axis=1)  # the draws hold no cell of the second type
    learning = engine.Learning(values, np.zeros(20, dtype=int), 5, 10, 50)
    with pytest.raises(EngineFailed, match="failed in iteration 1"):
        engine._learned(learning, reference, random, lambda *_: None)


def test_gene_weights_learned_anew_widen_the_draws(example):
    data, dtd = example
    dtd = replace(
        dtd, params=dtd.params.model_copy(update={"iterations": 20, "train_mixtures": 30})
    )
    fixed, anew = (
        tasks.run_bootstrap(
            data, BootstrapParams(replicates=20, seeds=seeds), progress=quiet, dtd=dtd
        )
        for seeds in (False, True)
    )
    width = [(r.genes_high - r.genes_low).to_numpy().mean() for r in (fixed, anew)]
    assert width[1] > 1.02 * width[0]
    naive = replace(dtd, loss=np.empty(0))
    with pytest.raises(InvalidParameter, match="no longer holds the cells"):
        tasks.run_bootstrap(
            data, BootstrapParams(replicates=20, seeds=True), progress=quiet, dtd=naive
        )


# -- direction of the gene regulation
# -------------------------------------------------------------------------------------------
def test_direction_is_stable_where_a_gene_is_regulated_and_not_where_it_is_not():
    random = np.random.default_rng(5)
    reference, _, truth, weights = exact(1, genes=120, types=3, samples=25)
    regulated = [f"G{g}" for g in range(60, 70)]
    reference.loc[regulated, "T0"] += 60.0  # well expressed: there is something to see
    factors = pd.DataFrame(1.0, index=reference.index, columns=reference.columns)
    factors.loc[regulated, "T0"] = 3.0
    expected = (reference * factors) @ truth
    bulk = expected * random.gamma(100.0, 1 / 100.0, expected.shape)
    path = engine.ResampledLambdaPath(
        reference, bulk, weights.to_frame(), max_iterations=30, check=lambda: None
    )
    path.begin()
    delta = pd.DataFrame(
        path.solve_for_lambda(1e-8), index=reference.index, columns=reference.columns
    )
    clear = [g for g in regulated if delta.loc[g, "T0"] > 1.4]
    assert len(clear) >= 5
    found = bootstrap(
        reference,
        bulk,
        weights,
        replicates=25,
        seed=1,
        progress=quiet,
        hidden=True,
        regulation=delta,
        lambda2=1e-8,
        max_iterations=30,
    )
    assert found.sign_stability is not None
    assert found.sign_stability.loc[clear, "T0"].mean() > 0.93
    assert found.sign_stability.loc[clear, "T0"].min() > 0.8
    rest = found.sign_stability.drop(index=regulated)
    assert (rest < 0.95).to_numpy().mean() > 0.3, "noise alone must not look like regulation"
    assert ((found.sign_stability >= 0) & (found.sign_stability <= 1)).all(axis=None)


# -- how it ends
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("hidden", [False, True])
def test_cancel_between_the_draws_ends_it(hidden):
    reference, bulk, _, weights = exact(samples=5)
    ended = []

    def progress(
        stage: str, fraction: float | None = None, *, count: int | None = None, **_: Any
    ) -> None:
        assert stage == RESAMPLING
        ended.append(count)
        if count is not None and count >= 3:
            raise JobCancelled("The job was cancelled.")

    with pytest.raises(JobCancelled):
        bootstrap(
            reference, bulk, weights, replicates=100, seed=1, progress=progress, hidden=hidden
        )
    assert max(ended) == 3


def test_progress_ends_at_one():
    reference, bulk, _, weights = exact(samples=5)
    told: list[float] = []
    bootstrap(
        reference,
        bulk,
        weights,
        replicates=20,
        seed=1,
        progress=lambda _stage, fraction, **_: told.append(fraction),
    )
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_too_few_genes_are_refused_in_a_sentence():
    reference, bulk, _, weights = exact(genes=6, types=5, samples=5)
    with pytest.raises(TooFewGenes, match="With 6 genes"):
        bootstrap(reference, bulk, weights, replicates=100, seed=1, progress=quiet)


def test_without_test_cells_nothing_is_widened_and_it_is_said(example):
    data, dtd = example
    found = tasks.run_bootstrap(
        replace(data, test=None), BootstrapParams(replicates=20), progress=quiet, dtd=dtd
    )
    pd.testing.assert_frame_equal(found.low, found.genes_low)
    assert found.check is None
    assert any("no test cells" in note for note in found.notes)
