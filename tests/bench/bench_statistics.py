"""How long a view of groups, survival or genes takes: 1000 samples x 30 cell types x 5 groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from gui.statistics.cox_by_type import cox_by_type
from gui.statistics.group_comparison import compare_groups
from gui.statistics.group_design import group_design, number_design
from gui.statistics.kaplan_meier import kaplan_meier_by_group
from gui.statistics.log_rank import log_rank
from gui.statistics.maximally_selected import best_cut
from gui.statistics.over_representation import over_representation
from gui.statistics.ranked_enrichment import ranked_enrichment


def bench(quick: bool) -> Iterator[tuple[str, float, str]]:
    samples, types, count = (200, 10, 20) if quick else (1000, 30, 100)
    rng = np.random.default_rng(0)
    names = [f"s{i}" for i in range(samples)]
    values = rng.dirichlet(np.full(types, 1.6), samples).T
    values[-3:] *= rng.random((3, samples)) > 0.5  # rare types
    fractions = pd.DataFrame(values, [f"T{i}" for i in range(types)], names)
    draws = values * rng.lognormal(0, 0.1, (count, types, samples))
    groups = pd.Series(rng.integers(0, 5, samples), names, name="group")
    halves = pd.Series(rng.integers(0, 2, samples), names, name="group")
    age = pd.Series(rng.normal(60, 10, samples), names, name="age")
    times = pd.Series(np.ceil(rng.exponential(30, samples)), names)
    events = pd.Series(rng.random(samples) < 0.6, names)
    designs = {
        "5 groups": lambda: group_design(names, groups),
        "2 groups": lambda: group_design(names, halves),
        "5 groups, trend": lambda: group_design(names, groups, trend=True),
        "5 groups, covariate": lambda: group_design(names, groups, covariates=age.to_frame()),
        "a number": lambda: number_design(names, age),
    }
    size = f"{samples} samples x {types} types"
    for name, design in designs.items():
        yield _timed(name, size, lambda d=design: compare_groups(fractions, d()))
        remark = f"{size}, {count} draws"
        yield _timed(name, remark, lambda d=design: compare_groups(fractions, d(), draws=draws))
    yield _timed(
        "Kaplan-Meier and log-rank",
        size,
        lambda: (kaplan_meier_by_group(times, events, groups), log_rank(times, events, groups)),
    )
    yield _timed("Cox by type", size, lambda: cox_by_type(times, events, fractions))
    yield _timed(
        "Cox by type",
        f"{size}, {count} draws",
        lambda: cox_by_type(times, events, fractions, draws=draws),
    )
    yield _timed("best cut", size, lambda: best_cut(times, events, fractions.iloc[0]))
    genes = [f"G{i}" for i in range(12_000)]
    sets = {
        f"S{i}": set(rng.choice(genes, rng.integers(10, 500), replace=False).tolist())
        for i in range(50 if quick else 1500)
    }
    regulation = pd.Series(rng.normal(size=len(genes)), genes)
    remark = f"{len(genes)} genes, {len(sets)} sets"
    yield _timed(
        "over-representation", remark, lambda: over_representation(genes[:500], genes, sets)
    )
    yield _timed("GSEA", remark, lambda: ranked_enrichment(regulation, sets))


def _timed(what: str, remark: str, call: Callable[[], Any]) -> tuple[str, float, str]:
    begin = time.perf_counter()
    call()
    return what, time.perf_counter() - begin, remark
