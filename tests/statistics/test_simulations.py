"""Simulations that the defaults rest on: closure, unequal spreads, the price of the best cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gui.statistics.group_comparison import compare_groups
from gui.statistics.group_design import choose_test, group_design
from gui.statistics.maximally_selected import best_cut
from gui.statistics.two_samples import brunner_munzel, mann_whitney

pytestmark = pytest.mark.slow


def test_log_ratios_are_hardly_misled_by_closure_where_raw_fractions_are() -> None:
    # the most frequent of 8 types (40 %) doubles, 40 v 40 samples, the others stay as they are
    rng = np.random.default_rng(0)
    frequent = np.r_[0.4, np.full(7, 0.6 / 7)]
    names = [f"s{i}" for i in range(80)]
    groups = pd.Series(np.repeat(["a", "b"], 40), names, name="group")
    design = group_design(names, groups)
    runs, misled, found = 200, {"auto": 0.0, "fraction": 0.0}, 0
    for _ in range(runs):
        cells = frequent[:, None] * rng.lognormal(0, 0.5, (8, 80))
        cells[0, 40:] *= 2
        fractions = pd.DataFrame(cells / cells.sum(axis=0), [f"T{i}" for i in range(8)], names)
        for scale in misled:
            called = compare_groups(fractions, design, scale=scale).called
            misled[scale] += len(set(called) - {"T0"}) / 7 / runs
            found += scale == "auto" and "T0" in called
    assert misled["fraction"] == pytest.approx(0.72, abs=0.05)
    assert misled["auto"] == pytest.approx(0.07, abs=0.03)
    assert found >= 0.95 * runs


def test_brunner_munzel_keeps_its_level_where_the_spreads_differ_and_mann_whitney_does_not() -> (
    None
):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(20_000, 30)), 5 * rng.normal(size=(20_000, 10))
    assert (mann_whitney(x, y, exact=False).p < 0.05).mean() == pytest.approx(0.137, abs=0.01)
    assert (brunner_munzel(x, y).test.p < 0.05).mean() == pytest.approx(0.055, abs=0.01)
    assert choose_test("groups", {"x": 30, "y": 10}).key == "brunner-munzel"


def test_best_cut_without_the_search_being_paid_for_finds_what_is_not_there() -> None:
    rng = np.random.default_rng(2)
    runs, nominal, paid = 400, 0, 0
    for seed in range(runs):
        time, values = rng.exponential(1, 100), rng.random(100)
        found = best_cut(time, rng.random(100) < 0.7, values, permutations=199, seed=seed)
        nominal += found.nominal_p < 0.05
        paid += found.p <= 0.05
    assert nominal / runs == pytest.approx(0.29, abs=0.06)
    assert paid / runs == pytest.approx(0.05, abs=0.03)
