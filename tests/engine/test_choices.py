"""The marked choices of a search: stock's definition on stock's grid, sensible ones elsewhere."""

import warnings

import numpy as np
import pandas as pd
import pytest

from gui.engine.choices import choose


def losses(*columns: tuple[float, ...], grid: list[float] | None = None) -> pd.DataFrame:
    """One column of fold losses per lambda2."""
    return pd.DataFrame(
        np.array(columns).T, columns=grid or [10.0**i for i in range(-len(columns), 0)]
    )


def test_one_se_is_one_grid_point_above_the_largest_within():
    # minimum 4, spread 1.41: 4.5 is within, 7 is not
    table = losses((5, 7), (3, 5), (3.5, 5.5), (6, 8), (9, 9))
    found = choose(table)
    assert found.values["min"] == table.columns[1]
    assert found.values["one_se"] == table.columns[3]
    assert found.notes == ()


def test_one_se_steps_on_any_grid():
    table = losses((3, 5), (3.5, 5.5), (6, 8), (9, 9), grid=[1e-8, 3e-8, 7e-8, 2e-7])
    assert choose(table).values["one_se"] == 7e-8


def test_flat_curve_gives_the_last_grid_point_and_says_so():
    found = choose(losses((3, 5), (3, 5), (3, 5)))
    assert found.values["one_se"] == pytest.approx(0.1)
    assert "up to the largest λ₂" in found.notes[0]


def test_only_the_minimum_within_steps_on_and_says_so():
    found = choose(losses((9, 9), (4, 4.1), (9, 9), (10, 10)))
    assert found.values["one_se"] == pytest.approx(1e-2)
    assert "No other λ₂" in found.notes[0]


def test_single_fold_falls_back_to_the_minimum_and_says_so():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas on the spread of one value
        found = choose(losses((5.0,), (3.0,), (7.0,)))
    assert found.values["one_se"] == found.values["min"]
    assert "no standard error" in found.notes[0]


def test_drop_is_the_lower_end_of_the_steepest_step():
    table = losses((4, 4), (4, 4), (5, 5), (9, 9), (10, 10))
    assert choose(table).values["drop"] == table.columns[2]


def test_rising_curve_has_no_drop():
    found = choose(losses((9, 9), (8, 8), (7, 7)))
    assert found.values["drop"] is None
    assert any("no largest drop" in note for note in found.notes)


def test_unsolved_points_are_never_chosen():
    table = losses((1, np.nan), (4, 5), (6, 7), (9, 9))
    found = choose(table)
    assert table.columns[0] not in found.values.values()
    assert found.values["min"] == table.columns[1]


def test_nothing_solved_gives_no_choice():
    assert set(choose(losses((np.nan, 1), (1, np.nan))).values.values()) == {None}


def test_equals_stock_on_stocks_grid():
    from gui.engine.stock import hps, stock_engine

    random = np.random.default_rng(3)
    grid = np.logspace(-20, 0, num=21)
    curve = 5 + 4 / (1 + np.exp(-(np.arange(21) - 12))) + 3 * np.exp(-np.arange(21))
    table = pd.DataFrame(curve + random.normal(0, 0.2, (5, 21)), columns=grid)
    raw = table.melt(var_name="lambda", value_name="loss")
    results = raw.groupby("lambda").agg({"loss": ["mean", "std"]})
    with stock_engine():
        expected = hps.get_lambda_min(results), hps.get_lambda_1se(results)
    found = choose(table).values
    assert found["min"] == pytest.approx(expected[0])
    assert found["one_se"] == pytest.approx(expected[1])
