"""How long the views of the page Groups take: 1000 samples x 30 cell types x 5 groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from gui.analyses.groups import GroupsParams, run_groups
from gui.answers import groups as words
from gui.components.table import table_view
from gui.data.dataset import Bulk, Clinical, Dataset, Matrix
from gui.engine.draw_intervals import compact
from gui.engine.results import ApplyResult, BootstrapResult
from gui.figures import groups as figures


def bench(quick: bool) -> Iterator[tuple[str, float, str]]:
    samples, types, count = (200, 10, 20) if quick else (1000, 30, 100)
    rng = np.random.default_rng(0)
    names = pd.Index([f"s{i}" for i in range(samples)])
    values = rng.dirichlet(np.full(types, 1.6), samples).T
    fractions = pd.DataFrame(values, [f"T{i}" for i in range(types)], names)
    draws = values * rng.lognormal(0, 0.1, (count, types, samples))
    boot = BootstrapResult(*[fractions] * 5, replicates=count, draws=compact(draws))
    table = pd.DataFrame({"group": rng.integers(0, 5, samples), "age": rng.normal(60, 9, samples)})
    matrix = Matrix(rng.random((3, samples)), pd.Index(list("abc")), names)
    bulk = Bulk(matrix, pd.DataFrame(index=names))
    data = Dataset(None, None, bulk=bulk, clinical=Clinical(table))
    run = ApplyResult(fractions, fractions)

    def compare(**options: Any) -> Any:
        params = GroupsParams(column="group", **options)
        return run_groups(data, params, progress=lambda *_a, **_k: None, apply=run, bootstrap=boot)

    size = f"{samples} samples x {types} types x 5 groups"
    found = compare()
    yield _timed("compare groups", f"{size}, {count} draws", compare)
    yield _timed("compare, covariate", size, lambda: compare(covariates=("age",)))
    views: dict[str, Callable[[], Any]] = {
        "effects": lambda: figures.effects(
            found.table, title="", no_effect=found.no_effect, colour_of={}
        ),
        "all types": lambda: figures.overview(found.fractions, found.design, found.levels),
        "one type": lambda: figures.by_group(
            found.fractions.iloc[0], found.design, found.levels, name="T0", colour="#0072B2"
        ),
        "heat map": lambda: figures.heatmap(
            found.values, found.fractions, found.design, found.levels
        ),
    }
    for name, draw in views.items():
        yield _timed(name, size, lambda draw=draw: draw().to_json())
    yield _timed("table", size, lambda: table_view(words.shown_table(found)))
    yield _timed("samples", size, lambda: table_view(words.shown_samples(found)))


def _timed(what: str, remark: str, call: Callable[[], Any]) -> tuple[str, float, str]:
    begin = time.perf_counter()
    call()
    return what, time.perf_counter() - begin, remark
