"""What lambda2 does to the fit, and the L-curve: closed forms, limits, and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

from gui.answers.adtd import advice_sentence
from gui.engine.adtd import inverse_weights
from gui.engine.fast.lambda_path import LambdaPath
from gui.engine.l_curve import corner
from gui.engine.lambda2_advice import STEADY, advise
from gui.engine.lambda2_path import regulation_path
from gui.engine.results import SearchResult

GRID = np.logspace(-8, 0, 9)
GENES = 150


def quiet(*_: Any, **__: Any) -> None: ...


def ridge(grid: np.ndarray, scales: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """Misfit and size of ridge on a diagonal design: x = s y / (s² + lambda)."""
    rows = [
        (
            np.sum((value / (scales**2 + value) * values) ** 2),
            np.sum((scales * values / (scales**2 + value)) ** 2),
        )
        for value in grid
    ]
    return pd.DataFrame(rows, index=grid, columns=["misfit", "size"])


def sharpest(scales: np.ndarray, values: np.ndarray) -> float:
    """Where the curvature of the whole curve is largest, from its derivatives."""
    grid = np.logspace(-12, 2, 4001)
    first = np.gradient(0.5 * np.log10(ridge(grid, scales, values).to_numpy()), axis=0)
    second = np.gradient(first, axis=0)
    bend = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    return float(grid[np.argmax(bend / np.hypot(*first.T) ** 3)])


@pytest.mark.parametrize("seed", range(4))
def test_ridge_on_a_diagonal_design_has_its_corner_where_the_curvature_is_largest(
    seed: int,
) -> None:
    scales = np.logspace(0, -6, 60)
    noise = 1e-3 * np.random.default_rng(seed).standard_normal(60)
    values = scales**1.5 + noise
    found = corner(ridge(np.logspace(-12, 2, 29), scales, values)).value
    assert found is not None
    assert abs(np.log10(found / sharpest(scales, values))) < 0.5  # of a grid of half decades


def test_a_corner_is_refused_where_there_is_none() -> None:
    grid = np.logspace(-12, 2, 29)
    straight = pd.DataFrame({"misfit": grid**0.5, "size": grid**-0.3}, index=grid)
    assert corner(straight).value is None
    assert "no corner" in corner(straight).reason
    angle = np.linspace(0.0, np.pi / 2, 29)  # bent evenly, and towards the origin
    logs = 3.0 * np.c_[1 - np.cos(angle), 1 - np.sin(angle)]
    even = pd.DataFrame(10.0 ** (2 * logs), index=grid, columns=["misfit", "size"])
    assert corner(even).value is None
    away = pd.DataFrame(10.0 ** (-2 * logs), index=grid, columns=["misfit", "size"])
    assert corner(away).value is None
    nothing = straight.assign(size=0.0)
    assert "regulate anything" in corner(nothing).reason


def mixtures(samples: int = 12) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(4)
    genes = [f"g{i}" for i in range(GENES)]
    reference = pd.DataFrame(random.lognormal(0, 1, (GENES, 3)), index=genes, columns=list("abc"))
    reference *= 1e4 / reference.sum()
    truth = random.dirichlet([2.0, 2.0, 2.0], samples).T
    factor = np.ones((GENES, 3))
    factor[:8, 0] = 5.0
    values = (reference.to_numpy() * factor) @ truth
    values *= random.lognormal(0, 0.02, values.shape)
    bulk = pd.DataFrame(values, index=genes, columns=[f"s{i}" for i in range(samples)])
    return reference, bulk * (1e4 / bulk.sum())


def test_a_large_lambda2_gives_no_regulation_and_a_small_one_the_best_fit() -> None:
    reference, bulk = mixtures()
    path = regulation_path(reference, bulk, lambdas=[1e-12, 1e-9, 1e-6, 1e6], progress=quiet)
    assert list(path.index) == [1e-12, 1e-9, 1e-6, 1e6]
    assert path["size"].iloc[-1] < 1e-12
    assert path["supported"].iloc[-1] == 0
    assert np.isnan(path["stability"].iloc[-1])
    assert (np.diff(path["size"]) < 0).all()
    assert path["misfit"].iloc[0] < path["misfit"].iloc[-1]
    model = LambdaPath(reference, bulk, inverse_weights(bulk).to_frame(), check=lambda: None)
    model.begin()
    assert path["misfit"].iloc[-1] == pytest.approx(model.Loss_static(), rel=1e-3)


def test_the_size_is_that_of_the_closed_form_of_one_cell_type() -> None:
    """With one cell type the design is diagonal: a ridge regression of every gene, not negative,
    held together by the sum of the profile (one multiplier).
    """
    reference, bulk = mixtures()
    one = reference[["a"]]
    model = LambdaPath(one, bulk, inverse_weights(bulk).to_frame(), check=lambda: None)
    model.begin()
    value = 1e-7
    found = model.solve_for_lambda(value)[:, 0]
    gamma, X, C = model.root[:, 0] ** 2, model.X[:, 0], model.C[0]
    rest = model.Y - model.x @ model.c
    data, curvature = gamma * X * (rest @ C) + value, gamma * X**2 * (C @ C) + value

    def closed(multiplier: float) -> np.ndarray:
        return np.maximum((data - multiplier * X) / curvature, 0.0)

    multiplier = brentq(lambda m: closed(m) @ X - 1, -1e-2, 1e-2, xtol=1e-16)
    np.testing.assert_allclose(found, closed(multiplier), rtol=1e-3, atol=0.02)
    path = regulation_path(one, bulk, lambdas=[value], progress=quiet)
    assert path["size"].iloc[0] == pytest.approx(np.sum((1 - found) ** 2), rel=1e-9)


def test_directions_found_in_noise_differ_between_the_halves() -> None:
    reference, bulk = mixtures()
    random = np.random.default_rng(0)
    noisy = bulk * random.lognormal(0, 1.0, bulk.shape)
    noise = regulation_path(reference, noisy, lambdas=[1e-14], progress=quiet)
    assert noise["supported"].iloc[0] > 0
    assert noise["stability"].iloc[0] < STEADY
    few = regulation_path(reference, noisy.iloc[:, :3], lambdas=[1e-14], progress=quiet)
    assert few["supported"].iloc[0] > 0
    assert np.isnan(few["stability"].iloc[0]), "three samples have no halves"


def losses() -> pd.DataFrame:
    mean = np.array([3, 2, 1.5, 1, 1.02, 1.01, 2, 3, 4])
    noise = 0.05 * np.random.default_rng(0).standard_normal((5, 9))
    return pd.DataFrame(mean + 5.0 * np.arange(5)[:, None] + noise, columns=GRID)


def path_of(supported: float, stability: float) -> pd.DataFrame:
    table = ridge(GRID, np.logspace(0, -6, 60), np.logspace(0, -9, 60) + 1e-3)
    return table.assign(supported=supported, stability=stability)


def test_one_recommendation_with_its_reason_or_none() -> None:
    good = advise(losses(), 40, path_of(12, 0.9))
    assert good.value == GRID[5]
    assert (good.supported, good.stability) == (12, 0.9)
    none = advise(losses(), 40, path_of(0, np.nan))
    assert none.value is None
    assert "no gene is regulated" in none.reason
    shaky = advise(losses(), 40, path_of(12, 0.5))
    assert shaky.value is None
    assert "only 50 % of the supported regulations" in shaky.reason
    said = advice_sentence(SearchResult(losses(), {}, path=path_of(12, 0.9)), 40)
    assert said.startswith("Recommended: λ₂")
    assert "There 12 genes are regulated more than twofold with support, 90 % of them" in said
    assert said.count("use the weights of the search, 1/mean(Y)²") == 1
    assert "L-curve" in said
    flat = pd.DataFrame(np.ones((5, 9)) + np.arange(5)[:, None], columns=GRID)
    assert advise(flat, 40, path_of(12, 1.0)).value is None, "a corner alone supports nothing"


def test_halves_are_fitted_only_where_regulation_has_support(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reference, bulk = mixtures()
    bulk = bulk * np.random.default_rng(0).lognormal(0, 1.0, bulk.shape)
    whole: list[float] = []
    half: list[float] = []
    solve = LambdaPath.solve_for_lambda

    def watched(self: LambdaPath, lambda2: float) -> np.ndarray:
        (whole if self.n == bulk.shape[1] else half).append(lambda2)
        return solve(self, lambda2)

    monkeypatch.setattr(LambdaPath, "solve_for_lambda", watched)
    found = regulation_path(reference, bulk, lambdas=[1e-14, 1e3], progress=quiet)
    assert whole == [1e-14, 1e3]
    assert found.loc[1e-14, "supported"] > 0
    assert set(half) == {1e-14}
    assert found.loc[1e3, "supported"] == 0
    assert np.isnan(found.loc[1e3, "stability"])
