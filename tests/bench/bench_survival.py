"""How long the page Survival takes: 1000 samples x 30 cell types, curves of 5 groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gui.analyses.survival import SurvivalParams, run_survival
from gui.answers import survival_tables
from gui.components.table import table_view
from gui.report import survival as figures
from tests.gui.survival_cases import made_bootstrap, made_dataset, made_dtd, made_fractions
from tests.gui.survival_cases import made_table as made_patients


def bench(quick: bool) -> Iterator[tuple[str, float, str]]:
    samples, count = (200, 10) if quick else (1000, 30)
    fractions = made_fractions(samples, 1, tuple(f"T{i}" for i in range(count)))
    table = made_patients(fractions)
    table["group"] = np.random.default_rng(0).choice(list("ABCDE"), samples)
    data, run = made_dataset(fractions, table), made_dtd(fractions)
    boot = made_bootstrap(fractions, noise=0.01, draws=20 if quick else 100)

    def analyse(**options: Any) -> Any:
        params = SurvivalParams(time_zero="diagnosis", **options)
        bootstrap = boot if options else None
        return run_survival(
            data, params, progress=lambda *_a, **_k: None, dtd=run, bootstrap=bootstrap
        )

    size = f"{samples} samples x {count} types"
    whole = {"cut": "tertiles", "compare": ("group",), "covariates": ("age",), "types": ("T1",)}
    yield _timed("analyse survival", size, analyse)
    found = analyse(**whole)
    yield _timed("with draws, curves", size, lambda: analyse(**whole))
    views: dict[str, Callable[[], Any]] = {
        "hazard ratios": lambda: figures.forest_figure(found, "adjusted", "sd", data),
        "curves": lambda: figures.curves_figure(found, "column", "group"),
        "several variables": lambda: figures.together_figure(found),
        "residuals": lambda: figures.residual_figure(found, "adjusted", "T1"),
    }
    for name, draw in views.items():
        yield _timed(name, size, lambda draw=draw: draw().to_json())
    tables: dict[str, Callable[[], Any]] = {
        "table": lambda: survival_tables.forest_table(found, "adjusted"),
        "tests": lambda: survival_tables.tests_table(found),
        "remark": lambda: survival_tables.remark_table(found),
    }
    for name, make in tables.items():
        yield _timed(name, size, lambda make=make: table_view(make()))


def _timed(what: str, remark: str, call: Callable[[], Any]) -> tuple[str, float, str]:
    begin = time.perf_counter()
    call()
    return what, time.perf_counter() - begin, remark
