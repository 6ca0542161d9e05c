"""What goes beside the numbers: the range of the hidden share at equal fit, and how much the data
say about gene regulation.
"""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from gui.engine.adtd import Fit, hidden_interval, support


def make_fit(
    seed: int = 0, *, genes: int = 40, types: int = 3, samples: int = 6, rare: float = 1.0
) -> tuple[pd.DataFrame, Fit]:
    """A reference and a fit with known parts; the last type's share is ``rare`` times an ordinary
    one.
    """
    random = np.random.default_rng(seed)
    names = [f"T{k}" for k in range(types)]
    index = [f"G{g}" for g in range(genes)]
    reference = pd.DataFrame(
        random.gamma(1.0, 1.0, (genes, types)) + 0.05, index=index, columns=names
    )
    # the hidden profile holds a good part of the reference's: there is something to move
    hidden = random.gamma(1.0, 1.0, genes) + 2 * reference.sum(axis=1).to_numpy()
    shares = random.dirichlet(np.ones(types + 1) * 4, samples).T
    shares[types - 1] *= rare
    shares /= shares.sum(axis=0)
    columns = [f"s{j}" for j in range(samples)]
    fit = Fit(
        composition=pd.DataFrame(shares[:types], index=names, columns=columns),
        hidden=pd.Series(shares[types], index=columns),
        profile=pd.Series(hidden / hidden.sum(), index=index),
        regulation=pd.DataFrame(1.0, index=index, columns=names),
        loss=np.array([1.0]),
        converged=True,
        rose=False,
    )
    return reference, fit


def moved(
    reference: pd.DataFrame, fit: Fit, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x', c', C' of ENGINE.md, trap 10."""
    X = reference.to_numpy() / reference.to_numpy().sum(axis=0)
    x = (fit.profile.to_numpy() + X @ b) / (1 + b.sum())
    return (
        x,
        fit.hidden.to_numpy() * (1 + b.sum()),
        fit.composition.to_numpy() - np.outer(b, fit.hidden),
    )


@pytest.mark.parametrize("seed", range(6))
def test_every_allowed_shift_stays_within_and_both_ends_are_reached(seed):
    reference, fit = make_fit(seed)
    bounds = hidden_interval(reference, fit)
    assert list(bounds.index) == list(fit.hidden.index)
    assert (bounds["low"] < fit.hidden).all(), "there is room below"
    assert (bounds["high"] > fit.hidden).all(), "and above"
    X = reference.to_numpy() / reference.to_numpy().sum(axis=0)
    before = X @ fit.composition.to_numpy() + np.outer(fit.profile, fit.hidden)
    random, ends = np.random.default_rng(seed), [np.inf, -np.inf]
    for _ in range(3000):
        direction = random.normal(size=3)
        # as far as this direction goes
        steps = []
        for value, change in (
            (fit.profile.to_numpy(), X @ direction),
            (fit.composition.to_numpy().ravel(), -np.outer(direction, fit.hidden).ravel()),
        ):
            falling = change < -1e-15
            steps.append((value[falling] / -change[falling]).min() if falling.any() else np.inf)
        b = direction * min(steps) * (1 - 1e-9)
        if not np.isfinite(b).all():
            continue
        x, c, C = moved(reference, fit, b)
        assert min(x.min(), C.min()) > -1e-9
        np.testing.assert_allclose(X @ C + np.outer(x, c), before, atol=1e-12)
        assert (c >= bounds["low"] - 1e-9).all()
        assert (c <= bounds["high"] + 1e-9).all()
        ends = [min(ends[0], c[0]), max(ends[1], c[0])]
    width = bounds["high"].iloc[0] - bounds["low"].iloc[0]
    assert ends[0] - bounds["low"].iloc[0] < 0.1 * width
    assert bounds["high"].iloc[0] - ends[1] < 0.1 * width


def test_type_that_is_absent_somewhere_leaves_no_room_above():
    reference, fit = make_fit()
    composition = fit.composition.copy()
    for k in range(3):
        composition.iloc[k, k] = 0.0
    none_above = Fit(composition, fit.hidden, fit.profile, fit.regulation, fit.loss, True, False)
    np.testing.assert_allclose(hidden_interval(reference, none_above)["high"], fit.hidden)


def test_no_hidden_background_has_no_range():
    reference, fit = make_fit()
    none = Fit(fit.composition, fit.hidden * 0, fit.profile, fit.regulation, fit.loss, True, False)
    assert (hidden_interval(reference, none) == 0).all(axis=None)


def test_interval_of_a_real_run_holds_its_share(dataset, trained, recorder):
    from gui.engine.params import ADTDParams
    from gui.engine.tasks import run_adtd

    for model in ("h", "h,r"):
        result = run_adtd(dataset, ADTDParams(model=model), progress=recorder(), dtd=trained)
        assert (result.hidden_interval["low"] <= result.hidden + 1e-12).all()
        assert (result.hidden_interval["high"] >= result.hidden - 1e-12).all()
        assert result.hidden_interval.to_numpy().min() >= 0
        assert result.hidden_interval.to_numpy().max() <= 1


def test_interval_holds_solutions_of_equal_loss_and_none_beyond_its_ends():
    from gui.engine.fast.lambda_path import LambdaPath

    from_run = np.random.default_rng(3)
    genes, types, samples = 80, 3, 10
    profiles = from_run.gamma(0.6, 1, (genes, types + 1)) + 0.1
    # a hidden type that looks like the others: much cannot be told apart
    profiles[:, types] += profiles[:, :types].sum(axis=1)
    names = [f"G{g}" for g in range(genes)]
    reference = pd.DataFrame(profiles[:, :types], index=names, columns=list("abc"))
    bulk = pd.DataFrame(
        profiles
        @ from_run.dirichlet(np.ones(types + 1) * 3, samples).T
        * from_run.gamma(100, 0.01, (genes, samples)),
        index=names,
    )
    path = LambdaPath(
        reference,
        bulk,
        pd.DataFrame(from_run.gamma(2.0, 0.5, (genes, 1)), index=names),
        check=lambda: None,
    )
    path.begin()
    best, C, c, x = path.Loss_static(), path.C.copy(), path.c.copy(), path.x.copy()
    columns = bulk.columns
    shares = pd.DataFrame(C, index=reference.columns, columns=columns)
    one = pd.DataFrame(1.0, index=names, columns=reference.columns)
    fit = Fit(
        shares,
        pd.Series(c[0], index=columns),
        pd.Series(x.ravel(), index=names),
        one,
        np.array([best]),
        True,
        False,
    )
    bounds = hidden_interval(reference, fit)
    assert (bounds["high"] - bounds["low"]).max() > 0.02, (
        "there is something that cannot be distinguished"
    )
    # the shift that reaches the upper end
    direction = (C[:, c[0] > 0] / c[:, c[0] > 0]).min(axis=1)
    for share in (0.25, 0.5, 0.75, 1.0):
        b = share * direction[:, None]
        path.x, path.c, path.C = (x + path.X @ b) / (1 + b.sum()), c * (1 + b.sum()), C - b @ c
        assert path.Loss_static() == pytest.approx(best, rel=1e-10)
        assert min(path.x.min(), path.C.min()) > -1e-12
        assert (path.c[0] <= bounds["high"] + 1e-9).all()
        assert (path.c[0] >= bounds["low"] - 1e-9).all()
    # reached, so a narrower interval would not hold it
    np.testing.assert_allclose(path.c[0], bounds["high"], atol=1e-9)
    assert (C - 1.01 * direction[:, None] @ c).min() < 0, "beyond it there is no composition"


def test_rare_types_are_little_supported():
    reference, common = make_fit(genes=60)
    _, rare = make_fit(genes=60, rare=1e-4)
    weights = pd.Series(1.0, index=reference.index)
    often, seldom = (support(reference, weights, fit, 1e-9) for fit in (common, rare))
    assert seldom["T2"].median() < 0.01 < often["T2"].median()


def test_support_falls_with_the_penalty_and_with_the_weight():
    reference, fit = make_fit()
    weights = pd.Series(1.0, index=reference.index)
    tables = [support(reference, weights, fit, v) for v in (1e-12, 1e-6, 1e-3, 1.0)]
    for table in tables:
        assert table.shape == reference.shape
        assert ((table >= 0) & (table <= 1)).all(axis=None)
    for weak, strong in pairwise(tables):
        assert (strong <= weak + 1e-12).all(axis=None)
    light = weights.copy()
    light["G5"] = 0.0
    # a gene of weight zero still counts 1/p, as in stock
    assert (
        support(reference, light, fit, 1e-4).loc["G5"]
        < support(reference, weights, fit, 1e-4).loc["G5"]
    ).all()


def test_gene_without_expression_in_a_type_is_not_supported_there():
    reference, fit = make_fit()
    reference = reference.copy()
    reference.loc["G3", "T1"] = 0.0
    table = support(reference, pd.Series(1.0, index=reference.index), fit, 1e-9)
    assert table.loc["G3", "T1"] == 0
    assert table.loc["G3", "T0"] > 0
