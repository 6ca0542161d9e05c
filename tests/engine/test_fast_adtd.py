"""ADTD and the search: the fast engine gives stock's numbers, given the same gene weights (reached
in the note: 1e-12).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import clarabel
import numpy as np
import pandas as pd
import pytest
import scs

from gui.engine.adtd import Fit, deconvolve, inverse_weights
from gui.engine.choices import choose
from gui.engine.dtd import equal_weights
from gui.engine.fast import adtd_solver
from gui.engine.search import cross_validate
from gui.errors import EngineFailed
from tests.engine import both

SAME = 1e-10
NOTHING = 1e-12
"""A hidden share that is what rounding leaves of 1 - 1, on one processor 0.0 and on another 2e-16:
whatever its profile is, the loss is the same.
"""
MODELS = {
    "h": {"c_static": True, "delta_static": True},
    "h,r": {"c_static": True, "delta_static": False},
    "free": {"c_static": False, "delta_static": False},
}
# many genes with many types take most of the time: the usual run sees many of either, and of many
# genes with some types one sample and 200
LARGE = {(1000, 12, 1), (1000, 12, 20), (1000, 12, 200), (1000, 6, 20)}
SIZES = [
    pytest.param(p, q, n, marks=[pytest.mark.slow] if (p, q, n) in LARGE else [])
    for p in (200, 1000)
    for q in (2, 6, 12)
    for n in (1, 20, 200)
]


def fit(
    engine: str,
    reference: pd.DataFrame,
    bulk: pd.DataFrame,
    weights: pd.Series,
    model: str,
    *,
    iterations: int = 10,
    lambda2: float = 1e-6,
) -> Fit:
    found: Fit = both.with_engine(
        engine,
        lambda: deconvolve(
            reference,
            bulk,
            weights,
            lambda1=1e-3,
            lambda2=lambda2,
            max_iterations=iterations,
            progress=both.quiet,
            **MODELS[model],
        ),
    )
    return found


def assert_same(one: Fit, other: Fit) -> None:
    hidden = max(one.hidden.to_numpy().max(), other.hidden.to_numpy().max()) > NOTHING
    assert hidden or one.composition.shape[1] == 1, "nothing would be known of the profile"
    for part in ("composition", "hidden", *(("profile",) if hidden else ()), "regulation"):
        ours, stocks = getattr(one, part), getattr(other, part)
        assert ours.index.equals(stocks.index)
        np.testing.assert_allclose(
            ours.to_numpy(), stocks.to_numpy(), rtol=0, atol=SAME, err_msg=part
        )
    np.testing.assert_allclose(one.loss, other.loss, rtol=SAME, atol=1e-16)
    assert (one.converged, one.rose) == (other.converged, other.rose)


@pytest.mark.parametrize(("p", "q", "n"), SIZES)
@pytest.mark.parametrize("model", MODELS)
def test_adtd_is_stocks(p: int, q: int, n: int, model: str) -> None:
    reference, bulk, weights = both.made(p, q, n)
    ours, stocks = (fit(engine, reference, bulk, weights, model) for engine in ("fast", "stock"))
    assert_same(ours, stocks)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_adtd_is_stocks_when_run_to_its_end(model: str) -> None:
    reference, bulk, weights = both.made(200, 6, 20)
    ours, stocks = (
        fit(engine, reference, bulk, weights, model, iterations=1000)
        for engine in ("fast", "stock")
    )
    assert ours.converged
    assert_same(ours, stocks)


@pytest.mark.parametrize("model", ["h", "h,r"])
def test_adtd_is_stocks_on_real_data(real_data: Path, model: str) -> None:
    reference, _, bulk = both.real(real_data, 300)
    weights = (
        inverse_weights(bulk)
        if model == "h" and (bulk.mean(axis=1) > 0).all()
        else equal_weights(reference.index)
    )
    ours, stocks = (
        fit(engine, reference, bulk, weights, model, lambda2=1e-9) for engine in ("fast", "stock")
    )
    assert_same(ours, stocks)


def test_another_lambda2_gives_other_numbers() -> None:
    """The control: the comparison can fail."""
    reference, bulk, weights = both.made(200, 6, 20)
    with pytest.raises(AssertionError):
        assert_same(
            fit("fast", reference, bulk, weights, "h,r", lambda2=1e-6),
            fit("stock", reference, bulk, weights, "h,r", lambda2=1.1e-6),
        )


LAMBDAS = [float(v) for v in np.logspace(-20, 0, 11)]


def assert_search_is_stocks(
    reference: pd.DataFrame, bulk: pd.DataFrame, lambdas: list[float], folds: int
) -> None:
    def search() -> pd.DataFrame:
        return cross_validate(reference, bulk, lambdas=lambdas, folds=folds, progress=both.quiet)

    ours, stocks = (both.with_engine(engine, search) for engine in ("fast", "stock"))
    np.testing.assert_allclose(ours, stocks, rtol=SAME, atol=0)
    assert choose(ours).values == choose(stocks).values


def test_search_is_stocks() -> None:
    reference, bulk, _ = both.made(60, 4, 20)
    assert_search_is_stocks(reference, bulk, LAMBDAS, 4)


def test_search_is_stocks_on_real_data(real_data: Path) -> None:
    reference, _, bulk = both.real(real_data, 80)
    kept = (bulk.mean(axis=1) > 0).to_numpy()
    assert_search_is_stocks(
        both.scaled(reference.loc[kept]), both.scaled(bulk.loc[kept]), LAMBDAS[::2], 2
    )


# ----------------------------------------------------------------------------------------- failures
class GivesUp:
    """Stands for Clarabel's solver: it ends without a solution."""

    def __init__(self, *_: Any) -> None: ...

    def solve(self) -> Any:
        return type("Answer", (), {"status": "InsufficientProgress", "x": []})()


def test_where_clarabel_gives_up_scs_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    reference, bulk, weights = both.made(30, 3, 8)
    expected = fit("fast", reference, bulk, weights, "h,r", iterations=2, lambda2=1e-2)
    monkeypatch.setattr(clarabel, "DefaultSolver", GivesUp)
    found = fit("fast", reference, bulk, weights, "h,r", iterations=2, lambda2=1e-2)
    np.testing.assert_allclose(found.regulation, expected.regulation, rtol=0, atol=1e-4)
    monkeypatch.setattr(
        scs, "solve", lambda *_, **__: {"x": np.full(90, np.nan), "info": {"status_val": -4}}
    )
    with pytest.raises(EngineFailed, match="no solution for the"):
        fit("fast", reference, bulk, weights, "h,r", iterations=2, lambda2=1e-2)


def test_one_lambda2_that_cannot_be_solved_does_not_spoil_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reference, bulk, _ = both.made(40, 3, 9)
    solve: Callable[..., Any] = adtd_solver.Regulation.solve

    def fails_at_one(self: Any, gamma: Any, moments: Any, linear: Any, lambda2: float) -> Any:
        if lambda2 == 0.1:
            raise EngineFailed("no")
        return solve(self, gamma, moments, linear, lambda2)

    monkeypatch.setattr(adtd_solver.Regulation, "solve", fails_at_one)
    found = both.with_engine(
        "fast",
        lambda: cross_validate(
            reference, bulk, lambdas=[0.01, 0.1, 1.0], folds=3, progress=both.quiet
        ),
    )
    assert found.isna().to_numpy().tolist() == [[False, True, False]] * 3
