"""Agreement of two runs, rank moves, and findings over draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gui.errors import DataError
from gui.statistics.agreement import agreement, bland_altman, ccc, rank_moves, rmse, spearman
from gui.statistics.stability import stability_over_draws

# Bland & Altman 1986, table 1: peak flow with a large and a mini meter (first measurements)
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def runs() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    values = rng.dirichlet(np.array([8.0, 4, 2, 1]), 12).T
    first = pd.DataFrame(values, list("ABCD"), [f"s{i}" for i in range(12)])
    return first, first + rng.normal(0, 0.01, first.shape)


def test_example_of_bland_and_altman() -> None:
    found = bland_altman(np.array(MINI, float), np.array(LARGE, float))
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.difference.std(ddof=1) == pytest.approx(38.8, abs=0.05)
    # they take 2 standard deviations: -79.7 and 75.5; here 1.96
    assert found.low == pytest.approx(-2.1 - 1.96 * 38.8, abs=0.1)
    assert found.high == pytest.approx(-2.1 + 1.96 * 38.8, abs=0.1)
    assert found.bias_interval == pytest.approx((-22.0, 17.8), abs=0.1)
    assert found.low_interval[0] < found.low < found.low_interval[1]


def test_concordance_falls_with_shift_and_scale_where_correlation_does_not() -> None:
    x = np.arange(10.0)
    assert ccc(x, x) == pytest.approx(1.0)
    assert ccc(x, -x + 9) == pytest.approx(-1.0)
    # Lin 1989: 2 s12 / (s1^2 + s2^2 + shift^2)
    assert ccc(x, x + 3) == pytest.approx(2 * 8.25 / (16.5 + 9))
    assert np.isnan(ccc(x, np.ones(10)))
    assert spearman(x, np.exp(x)) == pytest.approx(1.0)
    assert rmse(x, x + 3) == 3.0
    assert np.isnan(spearman(x, np.where(x > 0, x, np.nan)))


def test_runs_are_aligned_by_name_and_what_only_one_has_is_listed() -> None:
    first, second = runs()
    other = second.drop(index="D", columns="s3").iloc[::-1, ::-1]
    other.loc["E"] = 0.1
    other["t"] = 0.2
    found = agreement(first, other)
    assert list(found.table.index) == ["A", "B", "C"]
    assert found.first_only == {"cell types": ["D"], "samples": ["s3"]}
    assert found.second_only == {"cell types": ["E"], "samples": ["t"]}
    a, b = first.loc["A"].drop("s3"), second.loc["A"].drop("s3")
    row = found.table.loc["A"]
    assert row["ccc"] == pytest.approx(ccc(a.to_numpy(), b.to_numpy()))
    assert row["bias"] == pytest.approx((b - a).mean())
    assert row["largest_sample"] == (b - a).abs().idxmax()
    assert not found.identical
    assert agreement(first, first.iloc[::-1]).identical


def test_differences_are_held_against_the_intervals() -> None:
    first, second = runs()
    found = agreement(first, second, low=first - 0.005, high=first + 0.005)
    beyond = ((second - first).abs() > 0.005).mean(axis=1)
    np.testing.assert_allclose(found.table["outside"], beyond)
    assert np.isnan(agreement(first, second).table["outside"]).all()


def test_a_type_that_never_varies_has_no_correlation_and_it_is_said() -> None:
    first, second = runs()
    first.loc["D"] = 0.25
    found = agreement(first, second)
    assert np.isnan(found.table.loc["D", "ccc"])
    assert "D" in found.notes[0]
    with pytest.raises(DataError, match="no sample in common"):
        agreement(first, second.rename(columns=lambda name: f"x{name}"))


def test_ranks_move_up_with_a_minus_and_ties_share_theirs() -> None:
    moves = rank_moves(
        pd.Series({"A": 9.0, "B": 5.0, "C": 5.0, "D": 1.0}), pd.Series({"D": 9.0, "A": 8, "B": 7})
    )
    assert moves["first"].to_dict() == {"A": 1, "B": 2, "D": 3}
    assert moves["second"].to_dict() == {"A": 2, "B": 3, "D": 1}
    assert moves.loc["D", "move"] == -2


def test_calls_are_counted_over_the_draws() -> None:
    first, _ = runs()

    def call(frame: pd.DataFrame) -> pd.Series:
        return np.sign(frame.mean(axis=1) - 0.25)

    # upside down: A and D change places; B and C are on the same side as each other
    draws = [first.to_numpy(), first.to_numpy()[::-1], first.to_numpy()]
    seen: list[int] = []
    found = stability_over_draws(first, draws, call, progress=seen.append)
    assert found.table["kept"].to_dict() == {"A": 2, "B": 3, "C": 3, "D": 2}
    assert found.sentence("A") == "holds in 2 of 3 bootstrap draws"
    assert seen == [1, 2, 3]
    with pytest.raises(DataError, match="no draws"):
        stability_over_draws(first, [], call)
    with pytest.raises(DataError, match="not of the cell types"):
        stability_over_draws(first, [np.ones((2, 2))], call)


def test_a_concordance_of_rounding_errors_is_zero() -> None:
    first = np.array([0.1, 0.2, 0.3, 0.1, 0.2, 0.3])
    second = np.array([0.3, 0.1, 0.3, 0.2, 0.4, 0.2])
    assert ccc(first, second) == 0.0
    assert np.isnan(ccc(first, np.full(6, np.nan)))
