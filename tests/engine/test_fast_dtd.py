"""Mixtures and DTD: bits where bits can be had, float64 against float64, and stock's float32 as
near as it is to itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.engine import memory
from gui.engine.adtd import deconvolve
from gui.engine.dtd import equal_weights, estimate, learn
from gui.engine.fast import pseudobulk, weights
from gui.engine.simulation import Mixtures, simulate
from tests.engine import both

NEAR = 5e-4
"""Of stock as shipped (float32): compositions, and gene weights in units of the largest one (they
sum to the number of genes, so the largest is 44 here).
"""


# ----------------------------------------------------------------------------------------- mixtures
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("mixtures", "cells"), [(50, 7), (40, 100), (3, 1), (5, 300)])
def test_mixtures_are_stocks_to_the_bit(
    order: str, mixtures: int, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = both.made_cells(120, 5, 30)
    single = pd.DataFrame(
        np.asarray(single.to_numpy(), order=order),
        index=single.index,
        columns=single.columns,
        copy=False,
    )
    types = sorted(set(single.columns))[1:]  # one is not in the reference

    def drawn() -> Mixtures:
        return simulate(single, types, mixtures=mixtures, cells_per_mixture=cells, seed=7)

    stocks = both.with_engine("stock", drawn)
    # all at once, a few mixtures at a time, a few genes of one at a time
    for chunk in (memory.CHUNK, 120_000, 100):
        monkeypatch.setattr(pseudobulk, "CHUNK", chunk)
        ours = both.with_engine("fast", drawn)
        assert ours.bulk.equals(stocks.bulk)
        assert ours.truth.equals(stocks.truth)


def test_mixtures_of_real_cells_are_stocks_to_the_bit(real_data: Path) -> None:
    reference, cells, _ = both.real(real_data, 300)

    def drawn() -> Mixtures:
        return simulate(cells, list(reference.columns), mixtures=100, cells_per_mixture=100, seed=1)

    ours, stocks = (both.with_engine(engine, drawn) for engine in ("fast", "stock"))
    assert ours.bulk.equals(stocks.bulk)
    assert ours.truth.equals(stocks.truth)


def test_drawing_leaves_the_global_random_state_alone() -> None:
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    both.with_engine(
        "fast",
        lambda: simulate(
            both.made_cells(20, 3, 10), ["t0", "t1", "t2"], mixtures=5, cells_per_mixture=4, seed=1
        ),
    )
    assert (np.random.get_state()[1] == before).all()


# ---------------------------------------------------------------------------------------------- DTD
def problem(genes: int = 200, types: int = 5, mixtures: int = 100) -> tuple[pd.DataFrame, Mixtures]:
    cells = both.made_cells(genes, types, 40)
    reference = cells.T.groupby(level=0).mean().T
    return reference, simulate(
        cells, list(reference.columns), mixtures=mixtures, cells_per_mixture=50, seed=1
    )


def stock_in_double(reference: pd.DataFrame, mixtures: Mixtures, iterations: int) -> Any:
    """deconomix's own DTD, its tensors and its start made float64."""
    from gui.engine.stock import methods, stock_engine, torch

    class Double(methods.DTD):  # type: ignore[misc, name-defined]
        class Model(methods.DTD.Model):  # type: ignore[misc, name-defined]
            def __init__(self, p: int) -> None:
                super().__init__(p)
                self.weights = torch.nn.Parameter(self.weights.detach().double())

    with stock_engine():
        model = Double(reference, mixtures.bulk, mixtures.truth.loc[reference.columns])
        model.X, model.Y, model.C = (
            torch.tensor(f.to_numpy())
            for f in (reference, mixtures.bulk, mixtures.truth.loc[reference.columns])
        )
        model.run(iterations=iterations)
    return model


def closed_form(
    reference: pd.DataFrame, mixtures: Mixtures, iterations: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from gui.engine.stock import methods, stock_engine

    with stock_engine():
        start = methods.DTD.Model(len(reference)).weights.detach().numpy()
        truth = mixtures.truth.loc[reference.columns].to_numpy()
        roots, losses, correlations = weights.optimise(
            reference.to_numpy(), mixtures.bulk.to_numpy(), truth, start, iterations, both.quiet
        )
    return weights.normalised(roots), losses, correlations


def assert_is_stock_in_double(reference: pd.DataFrame, mixtures: Mixtures, iterations: int) -> None:
    stocks = stock_in_double(reference, mixtures, iterations)
    gamma, losses, correlations = closed_form(reference, mixtures, iterations)
    np.testing.assert_allclose(gamma, stocks.gamma.to_numpy()[:, 0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(losses, np.array(stocks.losses), rtol=0, atol=1e-9)
    np.testing.assert_allclose(correlations, stocks.all_corr, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("genes", "types", "mixtures"), [(60, 3, 40), (200, 8, 100), (400, 4, 30)])
def test_the_closed_form_is_stock_in_float64(genes: int, types: int, mixtures: int) -> None:
    assert_is_stock_in_double(*problem(genes, types, mixtures), 200)


def test_the_closed_form_is_stock_in_float64_on_real_data(real_data: Path) -> None:
    reference, cells, _ = both.real(real_data, 300)
    assert_is_stock_in_double(
        reference,
        simulate(cells, list(reference.columns), mixtures=200, cells_per_mixture=100, seed=1),
        200,
    )


def test_how_the_tables_lie_in_memory_makes_no_difference() -> None:
    reference, mixtures = problem()
    start = np.random.default_rng(0).uniform(0.001, 0.1, len(reference))

    def learned(order: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        X, Y, C = (
            np.asarray(table.to_numpy(), order=order)
            for table in (reference, mixtures.bulk, mixtures.truth)
        )
        return weights.optimise(X, Y, C, start, 20, lambda iteration, loss: None)

    for rows, columns in zip(learned("C"), learned("F"), strict=True):
        assert (rows == columns).all()


def test_a_wrong_gradient_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the two above."""
    monkeypatch.setattr(weights, "RATE", 1.001e-3)
    with pytest.raises(AssertionError):
        assert_is_stock_in_double(*problem(60, 3, 40), 50)


SPREAD = """
import sys, numpy as np, pandas as pd, torch, warnings
warnings.simplefilter("ignore")
from deconomix.methods import DTD
torch.set_num_threads(int(sys.argv[2]))
parts = np.load(sys.argv[1])
frames = [pd.DataFrame(parts[name]) for name in ("reference", "bulk", "truth")]
model = DTD(*frames)
model.run(iterations=int(sys.argv[3]))
np.save(sys.argv[4], model.gamma.to_numpy()[:, 0])
"""


def chained(reference: pd.DataFrame, bulk: pd.DataFrame, one: pd.Series, other: pd.Series) -> str:
    """By how much gene regulation differs with either gene weights: said and not asserted, for a
    tiny lambda2 amplifies their rounding without bound.
    """
    found = []
    for lambda2 in (1e-8, 1e-12):
        options = {
            "lambda1": None,
            "lambda2": lambda2,
            "max_iterations": 1000,
            "c_static": True,
            "delta_static": False,
            "progress": both.quiet,
        }
        fits = [
            both.with_engine("fast", lambda w=w, o=options: deconvolve(reference, bulk, w, **o))
            for w in (one, other)
        ]
        found.append(
            f"{np.abs(fits[0].regulation - fits[1].regulation).to_numpy().max():.1e} at lambda2 ="
            f" {lambda2:g}"
        )
    return ", ".join(found)


@dataclass(frozen=True)
class Compared:
    """One problem learned with both engines. gamma, composition : the largest differences."""

    reference: pd.DataFrame
    bulk: pd.DataFrame
    mixtures: Mixtures
    weights: tuple[pd.Series, pd.Series]
    gamma: float
    composition: float


def compared(folder: Path, *, genes: int, mixtures: int, iterations: int) -> Compared:
    """Learn gene weights on real data with the fast engine and with stock."""
    reference, cells, bulk = both.real(folder, genes)
    types = list(reference.columns)
    made = simulate(cells, types, mixtures=mixtures, cells_per_mixture=100, seed=1)
    truth = made.truth.loc[types]

    def learned() -> Any:
        return learn(reference, made.bulk, truth, iterations=iterations, progress=both.quiet)

    ours, stocks = (both.with_engine(engine, learned).weights for engine in ("fast", "stock"))
    assert ours.dtype == stocks.dtype == np.float32
    fractions = [
        both.with_engine(engine, lambda w=w: estimate(reference, bulk, w))
        for engine, w in (("fast", ours), ("stock", stocks))
    ]
    gamma = float(np.abs(ours - stocks).max()) / float(stocks.max())
    composition = float(np.abs(fractions[0] - fractions[1]).to_numpy().max())
    return Compared(reference, bulk, made, (ours, stocks), gamma, composition)


def test_dtd_is_as_near_to_stock_as_float32_lets_it_be(tiny_data: Path) -> None:
    found = compared(tiny_data, genes=765, mixtures=300, iterations=300)
    assert found.gamma < NEAR
    assert found.composition < NEAR


@pytest.mark.slow
def test_dtd_on_larger_data_is_as_near_to_stock_as_float32_lets_it_be(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It also says how near stock is to itself with another number of threads."""
    folder = shared_data / "pbmc_hao_finotello"
    found = compared(folder, genes=1000, mixtures=1000, iterations=1000)
    np.savez(
        tmp_path / "parts.npz",
        reference=found.reference.to_numpy(),
        bulk=found.mixtures.bulk.to_numpy(),
        truth=found.mixtures.truth.loc[found.reference.columns].to_numpy(),
    )
    stocks = []
    for threads in (1, 2):
        environment = os.environ | dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads)
        )
        out = tmp_path / f"{threads}.npy"
        subprocess.run(
            [sys.executable, "-c", SPREAD, tmp_path / "parts.npz", str(threads), "1000", out],
            check=True,
            capture_output=True,
            env=environment,
        )
        stocks.append(np.load(out))
    largest = float(found.weights[1].max())
    spread = float(np.abs(stocks[0] - stocks[1]).max()) / largest
    with capsys.disabled():
        sys.stdout.write(
            f"\n  fast against stock: gamma {found.gamma:.1e} of the largest ({largest:.0f}),"
            f" composition {found.composition:.1e}"
        )
        sys.stdout.write(f"; stock with one against two threads: gamma {spread:.1e}\n")
        sys.stdout.write(
            "  the two chained to Deconomix+h,r: gene regulation"
            f" {chained(found.reference, found.bulk, *found.weights)}\n"
        )
    assert found.gamma < NEAR
    assert found.composition < NEAR


def test_estimates_are_stocks() -> None:
    reference, bulk, gene_weights = both.made(300, 6, 20)
    for chosen in (gene_weights, equal_weights(reference.index)):
        ours, stocks = (
            both.with_engine(engine, lambda w=chosen: estimate(reference, bulk, w))
            for engine in ("fast", "stock")
        )
        np.testing.assert_allclose(ours, stocks, rtol=0, atol=1e-12)
        assert ours.columns.equals(stocks.columns)
