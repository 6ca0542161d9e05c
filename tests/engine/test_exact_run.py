"""A run refined: its loss, its names, cancelling, against deconomix's alternation with sharp
solvers, and as a step of the program.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gui.engine import refinement, separable_qp
from gui.engine.adtd import deconvolve
from gui.engine.dtd import equal_weights
from gui.engine.refinement import RegulationProblem
from gui.errors import JobCancelled
from tests.engine import both
from tests.engine.exact_settings import Made, fail, fitted, make


# -- a run refined
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("regulated", [False, True], ids=["h", "h,r"])
@pytest.mark.parametrize("seed", range(6))
def test_the_loss_never_rises(seed, regulated):
    setting = make(60, 4, seed=seed, lambda2=10.0 ** -(2 * seed + 2))
    random = np.random.default_rng(seed)
    x = random.gamma(1, 1, 60)
    delta = np.exp(random.normal(0, 0.3, (60, 4))) if regulated else np.ones((60, 4))
    frames = fitted(setting, x / x.sum() * 1.0003, delta)
    found = refinement.refine(*frames, lambda2=setting.lambda2, regulated=regulated)
    assert found.loss_after < found.loss_before
    assert found.certificate.holds
    assert list(found.profile.index) == list(frames[0].index)
    assert found.regulation.columns.equals(frames[0].columns)
    assert found.way == ("Newton" if regulated else "closed form")
    again = refinement.refine(
        *frames[:3],
        replace(frames[3], profile=found.profile, regulation=found.regulation),
        lambda2=setting.lambda2,
        regulated=regulated,
    )
    assert again.loss_after <= again.loss_before * (1 + 1e-13), "the optimum is the optimum"
    assert again.loss_after == pytest.approx(found.loss_after, rel=1e-10)
    np.testing.assert_allclose(again.profile, found.profile, atol=1e-12)


@pytest.mark.parametrize("regulated", [False, True], ids=["h", "h,r"])
@pytest.mark.parametrize("genes", [300, 1000])
def test_a_run_on_real_data_is_brought_to_the_optimum(
    real_data: Path, genes: int, regulated: bool
) -> None:
    """With the reference, bulk and scale that the program hands over."""
    reference, _, bulk = both.real(real_data, genes)
    weights = equal_weights(reference.index)
    options = {
        "c_static": True,
        "delta_static": not regulated,
        "lambda1": 1e-3,
        "lambda2": 1e-9,
        "max_iterations": 100,
    }
    fit = both.with_engine(
        "fast", lambda: deconvolve(reference, bulk, weights, progress=both.quiet, **options)
    )
    found = refinement.refine(reference, bulk, weights, fit, lambda2=1e-9, regulated=regulated)
    assert (found.way, found.certificate.holds) == ("Newton" if regulated else "closed form", True)
    assert found.loss_after < found.loss_before
    assert found.profile.index.equals(reference.index)
    assert found.regulation.to_numpy().min() >= 0
    again = refinement.refine(
        reference,
        bulk,
        weights,
        replace(fit, profile=found.profile, regulation=found.regulation),
        lambda2=1e-9,
        regulated=regulated,
    )
    assert again.loss_after == pytest.approx(found.loss_after, rel=1e-9)


@pytest.mark.parametrize("share", [0.0, 3e-16, 1e-12])
def test_without_hidden_background_the_profile_stays(share):
    setting = make(60, 4)
    setting = replace(
        setting,
        hidden=np.full(30, share),
        composition=setting.composition / setting.composition.sum(axis=0),
    )
    x = np.random.default_rng(0).dirichlet(np.ones(60))
    for regulated in (False, True):
        found = refinement.refine(
            *fitted(setting, x, np.ones((60, 4))), lambda2=1e-8, regulated=regulated
        )
        np.testing.assert_allclose(found.profile, x, rtol=1e-12)
        assert found.certificate.holds
        assert found.loss_after <= found.loss_before * (1 + 1e-12)


@pytest.mark.parametrize("size", [1e-2, 1e-5, 1e-8])
def test_hidden_background_as_small_as_it_may_be_is_refined(size):
    setting = make(60, 4)
    setting = replace(
        setting,
        hidden=setting.hidden * size,
        composition=setting.composition
        / setting.composition.sum(axis=0)
        * (1 - setting.hidden * size),
    )
    x = np.random.default_rng(0).dirichlet(np.ones(60))
    found = refinement.refine(*fitted(setting, x, np.ones((60, 4))), lambda2=1e-8, regulated=True)
    assert found.way == "Newton"
    assert np.abs(found.profile - x).max() > 1e-3


@pytest.mark.parametrize("way", ["Newton", "Clarabel"])
def test_work_ends_where_it_is_cancelled(monkeypatch, way):
    setting = make(300, 5)
    monkeypatch.setattr(separable_qp, "CHUNK", 50 * 36)
    if way == "Clarabel":
        monkeypatch.setattr(separable_qp, "by_newton", fail)
    frames, seen = fitted(setting, np.full(300, 1 / 300), np.ones((300, 5))), []
    refinement.refine(*frames, lambda2=1e-8, regulated=True, check=lambda: seen.append(1))
    assert len(seen) > 8
    for at in (1, len(seen) // 2, len(seen)):
        count = 0

        def check(at=at):
            nonlocal count
            count += 1
            if count == at:
                raise JobCancelled("stop")

        with pytest.raises(JobCancelled):
            refinement.refine(*frames, lambda2=1e-8, regulated=True, check=check)
        assert count == at, "nothing goes on behind the cancel"


def test_lambda2_of_zero_is_refused():
    setting = make(20, 2)
    with pytest.raises(ValueError, match="λ₂"):
        refinement.refine(
            *fitted(setting, np.full(20, 0.05), np.ones((20, 2))), lambda2=0.0, regulated=True
        )


# -- against deconomix
# --------------------------------------------------------------------------------------------------
def sharp(monkeypatch):
    """Stock's solvers with tolerances of 1e-13."""
    from gui.engine.stock import methods

    solve = methods.solve_qp

    def solve_qp(*args, solver, **options):
        if solver == "scs":
            options |= {"eps_abs": 1e-13, "eps_rel": 1e-13, "max_iters": 200_000}
        if solver == "clarabel":
            options |= {"tol_gap_abs": 1e-13, "tol_gap_rel": 1e-13, "tol_feas": 1e-13}
        return solve(*args, solver=solver, **options)

    monkeypatch.setattr(methods, "solve_qp", solve_qp)
    return methods


def stock(methods, setting: RegulationProblem, *, regulated: bool, eps: float, iterations: int):
    """Stock's own run on the setting's X, Y and weights."""
    reference, bulk, weights, _ = fitted(
        setting, np.ones(len(setting.weights)), np.ones_like(setting.reference)
    )
    np.random.seed(0)
    model = methods.ADTD(
        reference,
        bulk,
        weights.to_frame(),
        lambda2=setting.lambda2,
        max_iterations=iterations,
        eps=eps,
        C_static=True,
        Delta_static=not regulated,
    )
    model.run(verbose=False)
    fit = Made(model.C_est, model.c_est.iloc[0], model.x_est.iloc[:, 0], model.Delta_est)
    return model, (reference, bulk, weights, fit)


@pytest.mark.parametrize(("regulated", "q"), [(False, 4), (True, 2), (True, 4)])
def test_stock_with_sharp_solvers_goes_to_the_same_optimum(monkeypatch, regulated, q):
    methods = sharp(monkeypatch)
    # the setting's own shares are not used: stock finds its own
    model, frames = stock(
        methods, make(40, q, n=20, lambda2=1e-5), regulated=regulated, eps=1e-18, iterations=150
    )
    found = refinement.refine(*frames, lambda2=1e-5, regulated=regulated)
    assert found.loss_before == pytest.approx(model.Loss_ADTD()[0], rel=1e-6), (
        "the loss is stock's loss"
    )
    assert found.certificate.holds
    np.testing.assert_allclose(found.profile, frames[3].profile, atol=1e-8)
    np.testing.assert_allclose(found.regulation, frames[3].regulation, atol=1e-5)
    assert found.loss_after == pytest.approx(found.loss_before, rel=1e-6)


def test_stock_as_shipped_stops_short_of_it():
    """The control: the comparison above can fail."""
    from gui.engine.stock import methods

    _, frames = stock(
        methods, make(40, 4, n=20, lambda2=1e-5), regulated=True, eps=1e-8, iterations=150
    )
    found = refinement.refine(*frames, lambda2=1e-5, regulated=True)
    assert found.loss_after < found.loss_before * (1 - 1e-6)
    assert np.abs(found.profile - frames[3].profile).max() > 1e-6


def test_the_loss_is_stocks_with_float32_weights_too():
    from gui.engine.stock import methods

    setting = make(40, 3, n=20, lambda2=1e-6)
    reference, bulk, weights, fit = fitted(setting, np.full(40, 1 / 40), np.ones((40, 3)))
    weights = weights.astype(np.float32)
    model = methods.ADTD(reference, bulk, weights.to_frame(), lambda2=1e-6, C_static=True)
    model.C = model.C0_init = setting.composition
    model.c, model.x = setting.hidden[None, :], np.full((40, 1), 1 / 40)
    found = refinement.refine(reference, bulk, weights, fit, lambda2=1e-6, regulated=True)
    assert found.loss_before == pytest.approx(model.Loss_ADTD()[0], rel=1e-13)
    model.x, model.Delta = found.profile.to_numpy()[:, None], found.regulation.to_numpy()
    assert found.loss_after == pytest.approx(model.Loss_ADTD()[0], rel=1e-13)


# -- as a step of the program
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", ["h", "h,r", "custom"])
def test_a_run_is_refined_after_the_engine(dataset, trained, recorder, model):
    from gui.engine.adtd import Fit, hidden_interval, support
    from gui.engine.params import ADTDParams
    from gui.engine.tasks import run_adtd

    params = ADTDParams(model=model, lambda2=1e-8, max_iterations=20)
    plain = run_adtd(dataset, params, progress=recorder(), dtd=trained)
    seen = recorder()
    result = run_adtd(
        dataset, params.model_copy(update={"refine": True}), progress=seen, dtd=trained
    )
    assert plain.optimum is None
    assert not plain.refined
    assert result.refined
    assert seen.stages[-1] == "Refining to the optimum"
    pd.testing.assert_frame_equal(result.composition, plain.composition, check_exact=True)
    pd.testing.assert_series_equal(result.hidden, plain.hidden, check_exact=True)
    np.testing.assert_array_equal(result.loss, plain.loss)
    assert not result.hidden_profile.equals(plain.hidden_profile)
    assert (result.gene_regulation is None) == (model == "h")
    optimum = result.optimum
    assert optimum.loss_after < optimum.loss_before
    assert max(optimum.residual, optimum.gap) <= refinement.TOLERANCE
    assert optimum.way == ("closed form" if model == "h" else "Newton")
    ones = pd.DataFrame(1.0, index=result.reference.index, columns=result.reference.columns)
    delta = result.gene_regulation if result.gene_regulation is not None else ones
    shown = Fit(
        result.composition, result.hidden, result.hidden_profile, delta, result.loss, True, False
    )
    pd.testing.assert_frame_equal(result.hidden_interval, hidden_interval(result.reference, shown))
    if result.support is not None:
        pd.testing.assert_frame_equal(
            result.support, support(result.reference, result.gene_weights, shown, 1e-8)
        )


def test_refining_can_be_cancelled(dataset, trained, recorder):
    from gui.engine.params import ADTDParams
    from gui.engine.tasks import run_adtd

    params = ADTDParams(model="h,r", max_iterations=3, refine=True)
    with pytest.raises(JobCancelled):
        run_adtd(dataset, params, progress=recorder("Refining to the optimum", 2), dtd=trained)


def test_free_composition_is_not_refined():
    from gui.engine.params import ADTDParams
    from gui.errors import InvalidParameter

    with pytest.raises(InvalidParameter, match="Switch C static on"):
        ADTDParams.parse(model="custom", c_static=False, refine=True)
    assert ADTDParams.parse(model="h", c_static=False, refine=True).refine, (
        "C is static in Deconomix+h whatever the switch says"
    )
