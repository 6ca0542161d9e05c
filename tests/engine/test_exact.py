"""The exact tier: against other solvers and its own certificate."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from gui.engine import refinement, separable_qp
from gui.engine.refinement import RegulationProblem, certify, joint, profile, regulation
from gui.errors import EngineFailed
from tests.engine.exact_settings import DEGENERATE, degenerate, fail, fitted, make, reference

# -- x alone
# --------------------------------------------------------------------------------------------------
targets = st.lists(st.floats(-1, 2, allow_subnormal=False), min_size=1, max_size=40)


@given(targets, st.data())
def test_profile_meets_the_conditions_of_the_optimum(target, data):
    t = np.array(target)
    w = np.array(data.draw(st.lists(st.floats(1e-6, 1e3), min_size=len(t), max_size=len(t))))
    x = profile(t, w)
    assert x.min() >= 0
    assert x.sum() == pytest.approx(1, abs=1e-12)
    pull = w * (t - x)  # the same, nu, wherever x is above 0, and no more elsewhere
    size = np.abs(w * t).max() + w.max()
    inside = x > 0
    assert np.ptp(pull[inside]) <= 1e-10 * size
    assert (pull[~inside] <= pull[inside].min() + 1e-10 * size).all()


@pytest.mark.parametrize("seed", range(5))
def test_profile_is_that_of_a_root_finder(seed):
    random = np.random.default_rng(seed)
    t, w = random.normal(0, 0.01, 500), random.gamma(0.3, 1, 500) + 1e-6
    nu = brentq(
        lambda v: np.clip(t - v / w, 0, None).sum() - 1, -1e6, (w * t).max(), xtol=1e-18, rtol=1e-15
    )
    np.testing.assert_allclose(profile(t, w), np.clip(t - nu / w, 0, None), atol=1e-10)


def test_genes_of_weight_zero_take_what_is_left():
    np.testing.assert_allclose(
        profile(np.array([0.2, 0.3, -1, 9]), np.array([1.0, 2, 0, 0])), [0.2, 0.3, 0.25, 0.25]
    )
    np.testing.assert_allclose(
        profile(np.array([0.9, 0.5, 0.0]), np.array([1.0, 1, 0])), [0.7, 0.3, 0]
    )
    np.testing.assert_allclose(profile(np.array([3.0, 4]), np.zeros(2)), [0.5, 0.5])


@pytest.mark.parametrize(
    ("t", "w"), [([np.nan, 1], [1, 1]), ([1, 1], [-1, 1]), ([1, 1], [1]), ([], [])]
)
def test_profile_refuses_what_has_no_optimum(t, w):
    with pytest.raises(ValueError, match="finite"):
        profile(np.array(t, dtype=float), np.array(w, dtype=float))


# -- Delta, and Delta with x
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("together", [False, True], ids=["Delta", "Delta and x"])
@pytest.mark.parametrize("q", [2, 6, 12])
@pytest.mark.parametrize(("p", "lambda2"), [(50, 1e-10), (50, 1e-6), (50, 1e-2), (1000, 1e-9)])
def test_the_optimum_is_that_of_another_solver(p, q, lambda2, together):
    setting = make(p, q, seed=q, lambda2=lambda2)
    given = None if together else refinement.profile_given(setting, np.ones((p, q)))
    found = joint(setting) if given is None else regulation(setting, given)
    assert found.way == "Newton"
    assert found.certificate.holds
    delta, x, loss = reference(setting, given)
    ours = setting.loss(found.regulation, found.profile)
    assert ours <= loss * (1 + 1e-9)
    assert ours == pytest.approx(loss, rel=1e-6), "the other one is there, too"
    np.testing.assert_allclose(found.regulation, delta, atol=2e-4 * max(1, delta.max()))
    np.testing.assert_allclose(found.profile, x, atol=1e-6)


FEW = ("fewer samples than types", "one sample")


@pytest.mark.parametrize(
    ("name", "lambda2"),
    [
        (name, value)
        for name in DEGENERATE
        for value in (1e-20, 1e-16, 1e-12, 1e-8, 1e-4, 1.0)
        if name not in FEW or value > 1e-14
    ],
)
def test_degenerate_data_have_a_certified_optimum(name, lambda2):
    setting = replace(degenerate(name), lambda2=lambda2)
    found = joint(setting)
    assert found.certificate.holds
    np.testing.assert_allclose((setting.reference * found.regulation).sum(axis=0), 1, atol=1e-9)
    assert found.profile.sum() == pytest.approx(1, abs=1e-9)
    flat = np.ones_like(setting.reference)
    assert setting.loss(found.regulation, found.profile) <= setting.loss(
        flat, refinement.profile_given(setting, flat)
    ) * (1 + 1e-9)
    assert found.regulation[setting.reference == 0] == pytest.approx(1), (
        "regulation of what is not expressed is not moved"
    )


@pytest.mark.parametrize("lambda2", [1e-20, 1e-16])
@pytest.mark.parametrize("name", FEW)
def test_a_penalty_lost_in_rounding_is_certified_or_nothing_is_claimed(name, lambda2):
    setting = replace(degenerate(name), lambda2=lambda2)
    genes, types = setting.reference.shape
    frames = fitted(setting, np.full(genes, 1 / genes), np.ones((genes, types)))
    found = refinement.refine(*frames, lambda2=lambda2, regulated=True)
    if found.certificate is None:
        assert found.way == "kept"
        assert found.regulation is frames[3].regulation
    else:
        assert found.certificate.holds
        assert found.loss_after <= found.loss_before


def test_pieces_of_genes_change_nothing(monkeypatch):
    setting = make(300, 5)
    whole = joint(setting)
    monkeypatch.setattr(separable_qp, "CHUNK", 7 * 36)
    monkeypatch.setattr(refinement, "CHUNK", 11 * 30)
    pieces = joint(setting)
    np.testing.assert_allclose(pieces.regulation, whole.regulation, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(pieces.profile, whole.profile, atol=1e-12)


def test_large_problem_stays_in_bounded_memory():
    import tracemalloc

    setting = make(4000, 30, n=60)
    tracemalloc.start()
    try:
        found = joint(setting)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.way == "Newton"
    assert peak < 8 * (15 * setting.reference.size + 8 * separable_qp.CHUNK), (
        "no array of genes x types x types over all genes"
    )


# -- certificate
# --------------------------------------------------------------------------------------------------
def moved(
    setting: RegulationProblem, found: refinement.Optimum, what: str
) -> tuple[np.ndarray, np.ndarray]:
    """A slightly wrong answer."""
    delta, x = found.regulation.copy(), found.profile.copy()
    X = setting.reference
    if what == "Delta":  # admissible, but not the best
        a, b = np.argsort(-X[:, 0] * (delta[:, 0] > 0.1))[:2]
        delta[a, 0] += 1e-4
        delta[b, 0] -= 1e-4 * X[a, 0] / X[b, 0]
    elif what == "x":
        a, b = np.argsort(-x)[:2]
        x[a], x[b] = x[a] + 1e-5, x[b] - 1e-5
    elif what == "sum of Delta":
        delta[:, 1] *= 1 + 1e-6
    elif what == "sum of x":
        x *= 1 + 1e-6
    elif what == "sign of Delta":
        delta[np.argmin(X[:, 0]), 0] = -1e-3
    elif what == "sign of x":
        x[np.argmin(x)] = -1e-6
    elif what == "flat":
        delta[:] = 1
    return delta, x


def multipliers(setting: RegulationProblem, found: refinement.Optimum) -> np.ndarray:
    """Of the sums over X Delta, from the answer alone."""
    pull = (
        -2
        * setting.weights[:, None]
        * setting.residual(slice(None), found.regulation, found.profile)
    )
    slope = setting.reference * (pull @ setting.composition.T) + 2 * setting.lambda2 * (
        found.regulation - 1
    )
    best = np.argmax(setting.reference * (found.regulation > 0.1), axis=0)
    each = np.arange(len(best))
    return slope[best, each] / setting.reference[best, each]


@pytest.mark.parametrize(
    "what", ["Delta", "x", "sum of Delta", "sum of x", "sign of Delta", "sign of x", "flat"]
)
def test_certificate_finds_a_wrong_answer(what):
    setting = make(60, 3)
    found = joint(setting)
    nu = multipliers(setting, found)
    assert certify(setting, found.regulation, found.profile, nu).holds
    wrong = moved(setting, found, what)
    assert not certify(setting, *wrong, nu).holds


@pytest.mark.parametrize("seed", range(8))
def test_gap_bounds_what_the_loss_can_fall_by(seed):
    setting = make(60, 3, seed=seed)
    found = joint(setting)
    lowest, nu = setting.loss(found.regulation, found.profile), multipliers(setting, found)
    random = np.random.default_rng(seed)
    for size in (1e-6, 1e-3, 1e-1, 1.0):
        delta = found.regulation * np.exp(random.normal(0, size, found.regulation.shape))
        delta /= (setting.reference * delta).sum(axis=0)
        x = found.profile * np.exp(random.normal(0, size, len(found.profile)))
        x /= x.sum()
        loss = setting.loss(delta, x)
        for off in (1.0, 1.3):  # also with multipliers that are wrong
            assert certify(setting, delta, x, nu * off).gap * loss >= (loss - lowest) * (1 - 1e-9)


# -- fallback
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("together", [False, True])
def test_clarabel_is_asked_when_newton_gets_stuck(monkeypatch, together):
    setting = make(80, 5)
    given = refinement.profile_given(setting, np.ones((80, 5)))
    solve = joint if together else lambda s: regulation(s, given)
    expected = solve(setting)
    monkeypatch.setattr(separable_qp, "by_newton", fail)
    found = solve(setting)
    assert (expected.way, found.way) == ("Newton", "Clarabel")
    np.testing.assert_allclose(found.regulation, expected.regulation, atol=1e-6)
    np.testing.assert_allclose(found.profile, expected.profile, atol=1e-8)


def test_clarabel_is_asked_when_newtons_answer_is_not_certified(monkeypatch):
    setting = make(80, 5)
    right = separable_qp.by_newton

    def wrong(problem, check):
        answer = right(problem, check)
        return replace(answer, u=answer.u * 1.001)

    monkeypatch.setattr(separable_qp, "by_newton", wrong)
    assert joint(setting).way == "Clarabel"


@pytest.mark.parametrize(
    "name", ["rare type", "fewer samples than types", "gene without expression"]
)
@pytest.mark.parametrize("lambda2", [1e-14, 1e-8, 1e-2])
def test_clarabel_solves_degenerate_data_too(monkeypatch, name, lambda2):
    setting = replace(degenerate(name), lambda2=lambda2)
    expected = setting.loss(*(lambda o: (o.regulation, o.profile))(joint(setting)))
    monkeypatch.setattr(separable_qp, "by_newton", fail)
    found = joint(setting)
    assert found.way == "Clarabel"
    assert setting.loss(found.regulation, found.profile) == pytest.approx(expected, rel=1e-6)


def test_without_a_certified_answer_the_fit_is_kept_and_named_so(monkeypatch):
    setting = make(40, 3)
    frames = fitted(setting, np.full(40, 1 / 40), np.ones((40, 3)))
    monkeypatch.setattr(separable_qp, "by_newton", fail)
    monkeypatch.setattr(separable_qp, "by_clarabel", fail)
    with pytest.raises(EngineFailed, match="certificate"):
        joint(setting)
    found = refinement.refine(*frames, lambda2=1e-8, regulated=True)
    assert (found.way, found.certificate) == ("kept", None)
    assert found.profile is frames[3].profile
    assert found.regulation is frames[3].regulation
    assert found.loss_after == found.loss_before
