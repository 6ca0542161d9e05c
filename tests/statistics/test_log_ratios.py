"""Log-ratios, replaced zeros, and groups cut from numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gui.errors import BadValues, DataError, InvalidParameter
from gui.statistics.cut_points import cut_at, quantile_points
from gui.statistics.log_ratios import close, clr, log_ratios, replace_zeros


def fractions(seed: int = 0, types: int = 5, samples: int = 7) -> pd.DataFrame:
    values = np.random.default_rng(seed).dirichlet(np.ones(types) * 3, samples).T
    return pd.DataFrame(values, [f"T{i}" for i in range(types)], [f"s{i}" for i in range(samples)])


def test_clr_is_the_logarithm_less_its_mean() -> None:
    frame = fractions()
    result = log_ratios(frame)
    logs = np.log(frame)
    pd.testing.assert_frame_equal(result.values, logs - logs.mean(axis=0))
    np.testing.assert_allclose(result.values.sum(axis=0), 0, atol=1e-12)
    assert np.isnan(result.replacement)
    assert result.notes == ()


def test_scale_of_a_sample_does_not_matter_but_is_said() -> None:
    frame = fractions()
    result = log_ratios(frame * np.arange(1, 8))
    np.testing.assert_allclose(result.values, log_ratios(frame).values, atol=1e-12)
    assert any("divided by their sum" in note for note in result.notes)


def test_replacing_zeros_keeps_the_ratios_of_the_others_and_the_sum() -> None:
    frame = fractions()
    frame.iloc[0, :3] = 0.0
    frame.iloc[1, 2] = 1e-9  # a solver's zero
    closed = close(frame.to_numpy())
    replaced = replace_zeros(closed, 0.001)
    np.testing.assert_allclose(replaced.sum(axis=0), 1.0)
    np.testing.assert_allclose(replaced[2] / replaced[3], closed[2] / closed[3])
    assert replaced[0, 0] == 0.001
    assert replaced[1, 2] == 0.001
    result = log_ratios(frame)
    assert result.zeros["T0"] == pytest.approx(3 / 7)
    smallest = closed[closed > 1e-4].min()
    assert result.replacement == pytest.approx(0.65 * smallest)
    assert any("count as zero (4 of 35)" in note for note in result.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.mask(f == f.iloc[0, 0]), "gaps"),
        (lambda f: f - 0.5, "negative"),
        (lambda f: f.assign(s1=0.0), "no fraction above zero, the first is s1"),
        (lambda f: f.set_axis(["T0", "T0", "T2", "T3", "T4"]), "T0 occurs more than once"),
        (lambda f: f.iloc[:1], "at least two cell types"),
    ],
    ids=["gap", "negative", "empty sample", "type twice", "one type"],
)
def test_fractions_that_cannot_be_used_are_refused_with_the_reason(change, message) -> None:
    with pytest.raises(BadValues, match=message):
        log_ratios(change(fractions()))


def test_many_draws_at_once_are_the_same_as_one_by_one() -> None:
    draws = np.random.default_rng(1).dirichlet(np.ones(4), (3, 6)).transpose(0, 2, 1)
    together = clr(draws)
    for draw, found in zip(draws, together, strict=True):
        np.testing.assert_array_equal(clr(draw), found)


def test_numbers_are_cut_at_stated_points() -> None:
    age = pd.Series([30.0, 50, 50.1, np.nan, 80], index=list("abcde"), name="age")
    groups = cut_at(age, [65, 50], "years")
    assert groups.cat.categories.tolist() == ["<50 years", "50 to <65 years", "≥65 years"]
    assert groups["b"] == "50 to <65 years"  # on the point: upper group
    assert pd.isna(groups["d"])
    with pytest.raises(DataError, match="same side"):
        cut_at(age, [100])
    with pytest.raises(InvalidParameter):
        cut_at(age, [50, 50])


def test_median_and_tertiles_give_groups_of_equal_size() -> None:
    numbers = pd.Series(np.arange(12.0))
    assert cut_at(numbers, quantile_points(numbers, 2)).value_counts().tolist() == [6, 6]
    assert cut_at(numbers, quantile_points(numbers, 3)).value_counts().tolist() == [4, 4, 4]
    with pytest.raises(DataError, match="same value"):
        quantile_points(pd.Series([0.0] * 8 + [1.0, 2.0]), 3)
