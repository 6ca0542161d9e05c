"""Stock and fast engine side by side, in one process, in turn, with one BLAS thread: CPU time and
peak memory, and how cost grows.

Where stock takes minutes its time is put together from what each of its steps takes and how often
it makes them ("extrapolated"): both engines make the same steps in the same order
(tests/engine/test_fast_adtd.py), so the fast one counts for both. Only the search's beginnings
differ: stock makes them anew for every lambda2, the fast engine once per fold.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the comparison's data are the tests'
from tests.engine import both

TYPES, SAMPLES, MIXTURES, CELLS, ITERATIONS, LAMBDAS, FOLDS = 8, 100, 1000, 100, 1000, 21, 5
LAMBDA2 = 1e-9
Line = tuple[str, float, str] | str
STEPS = ("setup", "update_C0", "update_x", "update_Delta", "Loss_ADTD", "Loss_static")


# ---------------------------------------------------------------------------------------- measuring
def measured(step: Callable[[], Any]) -> tuple[Any, float, float]:
    """(what it gives, CPU seconds, MB at its peak beyond what there was before; NaN where the
    system does not tell).
    """
    gc.collect()
    before = float("nan")
    if sys.platform.startswith("linux"):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = _memory("VmRSS")
    began = time.process_time()
    found = step()
    taken = time.process_time() - began
    return found, taken, _memory("VmHWM") - before if before == before else before


def _memory(what: str) -> float:
    (kilobytes,) = re.findall(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return float(kilobytes) * 1024 / 1e6


def in_turn(
    steps: dict[str, Callable[[], Any]], times: int
) -> dict[str, tuple[list[float], list[float]]]:
    """Every step ``times`` times, one after the other: CPU seconds and MB of each."""
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in steps}
    for _ in range(times):
        for name, step in steps.items():
            _, taken, peak = measured(step)
            found[name][0].append(taken)
            found[name][1].append(peak)
    return found


def compared(
    what: str,
    found: dict[str, tuple[list[float], list[float]]],
    *,
    scale: float = 1.0,
    mark: str = "",
) -> Line:
    """A line: the fast engine's seconds, and stock's in units of them. scale : by how much stock
    did less.
    """
    stock, fast = (
        [v * factor for v in found[name][0]] for name, factor in (("stock", scale), ("fast", 1.0))
    )
    ratios = [s / f for s, f in zip(stock, fast, strict=True)]
    spread = f" ({min(ratios):.1f} to {max(ratios):.1f})" if len(ratios) > 1 else ""
    peaks = [max(found[name][1]) for name in ("stock", "fast")]
    memory = f", {peaks[0]:.0f} -> {peaks[1]:.0f} MB" if peaks[0] == peaks[0] else ""
    return (
        what,
        statistics.median(fast),
        (
            f"stock {statistics.median(stock):.3g} s{mark}: {statistics.median(ratios):.1f}x"
            f" CPU{spread}{memory}"
        ),
    )


# --------------------------------------------------------------------------------------------- data
class Problem:
    """p genes, q types, n bulk samples, and mixtures to learn on."""

    def __init__(self, p: int, q: int = TYPES, n: int = SAMPLES) -> None:
        self.p, self.q, self.n = p, q, n
        self.cells = both.made_cells(p, q, 250)
        self.types = sorted(set(self.cells.columns))
        self.reference, self.bulk, self.weights = both.made(p, q, n)

    def simulate(self) -> Any:
        from gui.engine.simulation import simulate

        return simulate(self.cells, self.types, mixtures=MIXTURES, cells_per_mixture=CELLS, seed=1)

    def learn(self, mixtures: Any, iterations: int) -> Any:
        from gui.engine.dtd import learn

        return learn(
            self.cells.T.groupby(level=0).mean().T,
            mixtures.bulk,
            mixtures.truth,
            iterations=iterations,
            progress=both.quiet,
        )

    def deconvolve(self, *, regulated: bool) -> Any:
        from gui.engine.adtd import deconvolve

        options = {
            "lambda1": None,
            "lambda2": LAMBDA2,
            "max_iterations": 1000,
            "c_static": True,
            "delta_static": not regulated,
        }
        return deconvolve(self.reference, self.bulk, self.weights, progress=both.quiet, **options)

    def search(self, lambdas: list[float]) -> Any:
        from gui.engine.search import cross_validate

        return cross_validate(
            self.reference, self.bulk, lambdas=lambdas, folds=FOLDS, progress=both.quiet
        )


GRID = [float(v) for v in np.logspace(-20, 0, LAMBDAS)]


def with_each(
    step: Callable[[], Any], *, engines: tuple[str, ...] = ("stock", "fast")
) -> dict[str, Callable[[], Any]]:
    return {engine: lambda engine=engine: both.with_engine(engine, step) for engine in engines}  # type: ignore[misc]


# ------------------------------------------------------------------------------------- single steps
def counted_class() -> Any:
    """The fast ADTD that counts its steps."""
    from gui.engine.fast.adtd_solver import ADTDSolver
    from gui.engine.stock import methods

    class Counted(ADTDSolver, methods.ADTD):  # type: ignore[misc, name-defined]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.made: Counter[str] = Counter()

    def counting(name: str) -> Any:
        def step(self: Any, *args: Any) -> Any:
            if name != "update_Delta" or not self.Delta_static:
                self.made[name] += 1
            return getattr(super(Counted, self), name)(*args)

        return step

    for name in STEPS:
        setattr(Counted, name, counting(name))
    return Counted


def units(
    problem: Problem, weights: pd.Series, *, regulated: bool = True
) -> tuple[dict[str, float], float]:
    """(CPU seconds of each of stock's steps, MB at their peak) with the state that they meet."""
    from gui.engine.numeric_context import as_contiguous
    from gui.engine.stock import methods, stock_engine

    found, highest = {}, 0.0
    with stock_engine():
        options = {"lambda2": LAMBDA2, "C_static": True, "Delta_static": not regulated}
        built, taken, peak = measured(
            lambda: methods.ADTD(
                as_contiguous(problem.reference, "F"), problem.bulk, weights.to_frame(), **options
            )
        )
        for name in STEPS if regulated else [s for s in STEPS if s != "update_Delta"]:
            _, found[name], more = measured(getattr(built, name))
            highest = max(highest, more)
            if name == "update_C0":
                built.C = built.C0_init
    return found | {"build": taken}, peak + highest


def made_by(
    problem: Problem,
    weights: pd.Series,
    bulk: pd.DataFrame | None = None,
    *,
    regulated: bool = True,
    lambda2: float = LAMBDA2,
) -> Counter[str]:
    """How often a run makes each step."""
    from gui.engine.stock import stock_engine

    with stock_engine():
        options = {
            "lambda2": lambda2,
            "max_iterations": 1000,
            "C_static": True,
            "Delta_static": not regulated,
        }
        model = counted_class()(
            problem.reference, problem.bulk if bulk is None else bulk, weights.to_frame(), **options
        )
        model.run(verbose=False)
    return model.made + Counter({"build": 1})  # type: ignore[no-any-return]


def cost(made: Counter[str], each: dict[str, float]) -> float:
    return sum(each.get(name, 0.0) * count for name, count in made.items())


def update_delta(p: int, times: int) -> Line:
    """One step of the gene regulation, the state as after the first compositions."""
    from gui.engine.adtd import FastADTD
    from gui.engine.stock import stock_engine
    from gui.engine.stock_models import WatchedADTD

    problem = Problem(p)
    models = {}
    for name, kind in (("stock", WatchedADTD), ("fast", FastADTD)):
        with stock_engine():
            models[name] = kind(
                problem.reference,
                problem.bulk,
                problem.weights.to_frame(),
                lambda2=LAMBDA2,
                C_static=True,
                watch=both.quiet,
            )
            models[name].setup()
            models[name].update_C0()
            models[name].C = models[name].C0_init

    def step(model: Any) -> Callable[[], None]:
        def run() -> None:
            with stock_engine():
                model.update_Delta()

        return run

    return compared(
        f"update_Delta, p={p}",
        in_turn({name: step(model) for name, model in models.items()}, times),
    )


def gemm_share(p: int) -> Line:
    """The time of DTD's two products with the mixtures alone, in units of the time of a whole
    iteration.
    """
    from gui.engine.fast.weights import optimise

    random = np.random.default_rng(0)
    X, truth, rounds = (
        random.random((p, TYPES)) + 0.1,
        random.dirichlet(np.ones(TYPES), MIXTURES).T,
        200,
    )
    Y, W, XT = (
        X @ truth + 0.1 * random.random((p, MIXTURES)),
        random.random((TYPES, MIXTURES)),
        np.ascontiguousarray(X.T),
    )
    B, slope = np.empty((TYPES, MIXTURES)), np.empty((TYPES, p))

    def products() -> None:
        for _ in range(rounds):
            np.matmul(XT, Y, out=B)
            np.matmul(W, Y.T, out=slope)

    def whole() -> None:
        optimise(X, Y, truth, random.random(p) * 0.1, rounds, both.quiet)

    found = in_turn({"products": products, "whole": whole}, 5)
    shares = [a / b for a, b in zip(found["products"][0], found["whole"][0], strict=True)]
    rate = 4.0 * p * TYPES * MIXTURES * rounds / statistics.median(found["products"][0]) / 1e9
    remark = (
        f"its two products take {statistics.median(shares):.0%} ({min(shares):.0%} to"
        f" {max(shares):.0%}) of it, at {rate:.1f} GFLOPS"
    )
    return f"DTD, one iteration, p={p}", statistics.median(found["whole"][0]) / rounds, remark


# ----------------------------------------------------------------------------------- whole analysis
def whole(p: int, *, quick: bool) -> Iterator[Line]:
    """simulate + DTD + h + h,r + search, as the program runs them.

    The last line is the ratio of both engines.
    """
    from gui.engine.adtd import inverse_weights

    problem = Problem(p)
    total, peaks = {"stock": 0.0, "fast": 0.0}, {"stock": 0.0, "fast": 0.0}

    def add(engine: str, taken: float, peak: float) -> None:
        total[engine] += taken
        peaks[engine] = max(peaks[engine], peak)

    found = in_turn(with_each(problem.simulate), 1)
    for engine in total:
        add(engine, found[engine][0][0], found[engine][1][0])
    yield compared(f"simulate, p={p}", found)
    mixtures = problem.simulate()
    part = 10 if quick else 4  # of stock's iterations, which all take the same
    some, all_of_them = (
        with_each(lambda: problem.learn(mixtures, ITERATIONS // part)),
        with_each(lambda: problem.learn(mixtures, ITERATIONS)),
    )
    found = in_turn({"stock": some["stock"], "fast": all_of_them["fast"]}, 1)
    add("stock", part * found["stock"][0][0], found["stock"][1][0])
    add("fast", found["fast"][0][0], found["fast"][1][0])
    yield compared(
        f"DTD, {ITERATIONS} iterations, p={p}", found, scale=part, mark=" (extrapolated)"
    )
    each, peak = units(problem, problem.weights)
    for regulated in (False, True):
        _, taken, own = measured(
            with_each(lambda r=regulated: problem.deconvolve(regulated=r))["fast"]
        )  # type: ignore[misc]
        add("fast", taken, own)
        stock = cost(made_by(problem, problem.weights, regulated=regulated), each)
        add("stock", stock, peak)
        name = "Deconomix+h,r" if regulated else "Deconomix+h"
        yield compared(
            f"{name}, p={p}",
            {"stock": ([stock], [peak]), "fast": ([taken], [own])},
            mark=" (extrapolated)",
        )
    yield from _search(problem, inverse_weights(problem.bulk), each, peak, add, quick=quick)
    ratio, memory = total["stock"] / total["fast"], peaks["stock"] / max(peaks["fast"], 1.0)
    yield f"whole analysis, p={p}: {ratio:.1f}x CPU, {memory:.1f}x peak memory"


Add = Callable[[str, float, float], None]


def _search(
    problem: Problem,
    weights: pd.Series,
    each: dict[str, float],
    peak: float,
    add: Add,
    *,
    quick: bool,
) -> Iterator[Line]:
    """Stock's steps by lambda2 in a fold like any other: the same for all folds.

    In a quick bench the fast engine, too, searches every fourth lambda2 only.
    """
    from gui.engine.fast.folds import fold_tasks

    lambdas = GRID[::4] if quick else GRID
    _, taken, own = measured(with_each(lambda: problem.search(lambdas))["fast"])
    taken *= len(GRID) / len(lambdas)
    add("fast", taken, own)
    fold = problem.bulk.iloc[:, fold_tasks(problem.n, FOLDS, [1.0])[0].train]
    stock = sum(
        cost(made_by(problem, weights, fold, lambda2=value), each)
        for value in lambdas[:: 1 if quick else 2]
    )
    stock *= FOLDS * len(GRID) / len(lambdas[:: 1 if quick else 2])
    # the search holds matrices of its own, and those of the model it fits
    add("stock", stock, 2 * peak)
    found = {"stock": ([stock], [2 * peak]), "fast": ([taken], [own])}
    yield compared(
        f"search, {FOLDS} folds x {LAMBDAS} lambdas, p={problem.p}", found, mark=" (extrapolated)"
    )


# ------------------------------------------------------------------------------------------- growth
def growth() -> Iterator[Line]:
    """Exponents: cost of the fast steps ~ size ^ exponent."""
    for what, sizes in (
        ("p", (500, 1000, 2000, 4000)),
        ("q", (4, 8, 16)),
        ("n", (50, 100, 200, 400)),
    ):
        times = []
        for size in sizes:
            problem = Problem(**({"p": 1000} | {what: size}))
            model = counted_class()(
                problem.reference,
                problem.bulk,
                problem.weights.to_frame(),
                lambda2=LAMBDA2,
                C_static=True,
            )
            model.setup()
            model.update_C0()
            model.C = model.C0_init
            times.append(
                [
                    min(in_turn({"s": getattr(model, s)}, 3)["s"][0])
                    for s in ("update_C0", "update_x", "update_Delta")
                ]
            )
        slopes = [
            float(np.polyfit(np.log(sizes), np.log([t[i] for t in times]), 1)[0]) for i in range(3)
        ]
        yield (
            f"grows with {what} as {what}^k: compositions k={slopes[0]:.2f}, hidden profile"
            f" {slopes[1]:.2f}, gene regulation {slopes[2]:.2f}"
        )


def on_real_mixtures() -> Iterator[Line]:
    """Deconomix+h,r on 1000 mixtures of the test cells of pbmc_hao_finotello, 1000 genes, with
    weights learned on mixtures of its training cells.
    """
    folder = (
        Path(os.environ.get("DECONOMIX_GUI_SHARED", Path(__file__).resolve().parents[3] / "shared"))
        / "data"
        / "pbmc_hao_finotello"
    )
    if not folder.is_dir():
        yield f"Deconomix+h,r on real test pseudobulks: {folder} is missing"
        return
    reference, cells, test = both.real(folder, 1000, test=True)
    problem = Problem.__new__(Problem)
    problem.cells, problem.types, problem.reference = cells, list(reference.columns), reference
    mixtures = problem.simulate()
    problem.weights = with_each(lambda: problem.learn(mixtures, 200))["fast"]().weights
    problem.cells = test
    problem.p, problem.q, problem.n = *reference.shape, MIXTURES
    problem.bulk = problem.simulate().bulk
    _, taken, own = measured(with_each(lambda: problem.deconvolve(regulated=True))["fast"])
    each, peak = units(problem, problem.weights)
    stock = cost(made_by(problem, problem.weights), each)
    yield compared(
        "Deconomix+h,r, 1000 real test pseudobulks, p=1000",
        {"stock": ([stock], [peak]), "fast": ([taken], [own])},
        mark=" (extrapolated)",
    )


def bench(quick: bool) -> Iterator[Line]:
    from gui.engine import tasks

    tasks.warm_up()
    small = Problem(60)
    mixtures = small.simulate()
    for step in [
        *with_each(lambda: small.learn(mixtures, 1)).values(),
        *with_each(lambda: small.deconvolve(regulated=True)).values(),
    ]:
        step()  # what is loaded at first use: torch's optimiser alone takes seconds
    yield update_delta(500 if quick else 1000, 1 if quick else 5)
    if not quick:
        # at 1000 genes the products are so short that the caches around them count
        yield from map(gemm_share, (1000, 2000))
        yield from growth()
        yield from on_real_mixtures()
        yield from whole(2000, quick=False)
        yield from whole(1000, quick=False)
    yield from whole(500, quick=quick)
