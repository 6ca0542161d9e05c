"""What lies outside of the span of a reference, and which known type it looks like."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import lsq_linear
from scipy.stats import mannwhitneyu, norm

from gui.errors import BadValues, DataError
from gui.statistics.profile_similarity import (
    EXACT_UP_TO,
    marker_similarity,
    outside_span,
    profile_similarity,
    rank_sum_p,
)

GENES = [f"G{i}" for i in range(200)]


def profiles(seed: int, names: str, markers: int = 12) -> pd.DataFrame:
    """Profiles with a common base and genes of their own; columns sum to 1."""
    rng = np.random.default_rng(seed)
    values = np.repeat(rng.lognormal(0, 1, len(GENES))[:, None], len(names), axis=1)
    values *= rng.lognormal(0, 0.3, values.shape)
    for k in range(len(names)):
        own = rng.choice(len(GENES), markers, replace=False)
        values[own, k] *= rng.uniform(5, 15, markers)
    frame = pd.DataFrame(values, index=GENES, columns=list(names))
    return frame / frame.sum()


@pytest.fixture
def all_types() -> pd.DataFrame:
    return profiles(3, "ABCDEFGH")


def test_the_profile_among_several_that_was_hidden_comes_first(all_types: pd.DataFrame) -> None:
    reference, library = all_types[list("ABC")], all_types[list("DEFGH")]
    for hidden in library.columns:
        noisy = library[hidden] * np.random.default_rng(1).lognormal(0, 0.2, len(GENES))
        found = profile_similarity(noisy / noisy.sum(), reference, library).table
        assert found.index[0] == hidden
        assert found["explained"].iloc[0] > 2 * found["explained"].iloc[1]
        assert found["weight"].idxmax() == hidden


def test_adding_any_mixture_of_the_reference_changes_nothing(all_types: pd.DataFrame) -> None:
    """The arbitrary part of a hidden profile: x' = (x + Xb) / (1 + sum b)."""
    reference, library = all_types[list("ABC")], all_types[list("DEFGH")]
    profile = library["D"]
    first = profile_similarity(profile, reference, library).table
    marks = {name: list(library[name].nlargest(12).index) for name in library.columns}
    ranked = marker_similarity(outside_span(profile, reference).part, reference, marks)
    for mixture in ([0.5, 0, 0], [0.2, 1.0, 3.0], [0.0, 0.1, 0.2]):
        moved = (profile + reference @ np.array(mixture)) / (1 + sum(mixture))
        second = profile_similarity(moved, reference, library).table
        np.testing.assert_allclose(second["explained"], first["explained"], atol=1e-9)
        np.testing.assert_allclose(
            second["weight"] * (1 + sum(mixture)), first["weight"], atol=1e-9
        )
        again = marker_similarity(outside_span(moved, reference).part, reference, marks)
        pd.testing.assert_frame_equal(again, ranked)


def test_an_unknown_type_and_a_flat_background_are_not_explained(all_types: pd.DataFrame) -> None:
    reference, library = all_types[list("ABC")], all_types[list("EFGH")]
    unknown = profile_similarity(all_types["D"], reference, library).table
    assert unknown["explained"].max() < 0.15
    flat = pd.Series(1.0 / len(GENES), index=GENES)
    assert profile_similarity(flat, reference, library).table["explained"].max() < 1e-12
    inside = reference @ np.array([0.2, 0.5, 0.3])
    assert outside_span(inside, reference).fraction < 1e-9
    assert profile_similarity(inside, reference, library).mixture == 0.0


def test_the_weights_are_those_of_one_least_squares_fit_with_free_reference(
    all_types: pd.DataFrame,
) -> None:
    reference, library = all_types[list("ABC")], all_types[list("DEFGH")]
    profile = 0.6 * library["D"] + 0.1 * library["F"] + 0.3 * reference["B"]
    found = profile_similarity(profile, reference, library).table["weight"]
    mean = reference.mean(axis=1)
    weights = 1 / np.sqrt(mean + 0.1 * mean.mean())
    flat = np.full((len(GENES), 1), 1.0 / len(GENES))
    design = np.hstack([reference, flat, library]) * weights.to_numpy()[:, None]
    oracle = lsq_linear(
        design,
        profile.to_numpy() * weights.to_numpy(),
        bounds=([-np.inf] * 4 + [0.0] * 5, np.inf),
        tol=1e-14,
    )
    np.testing.assert_allclose(found.reindex(library.columns), oracle.x[4:], atol=1e-7)


def test_two_reference_types_that_are_alike_are_no_obstacle(all_types: pd.DataFrame) -> None:
    reference = all_types[list("ABC")].assign(B2=all_types["B"])
    found = profile_similarity(all_types["D"], reference, all_types[list("DE")]).table
    assert found.index[0] == "D"
    assert found["explained"].iloc[0] == pytest.approx(1.0)


def test_the_sum_of_ranks_has_the_probability_of_uniform_numbers() -> None:
    assert rank_sum_p(np.array([0.9])) == pytest.approx(0.1)
    assert rank_sum_p(np.array([0.9, 0.8])) == pytest.approx(0.3**2 / 2)
    assert rank_sum_p(np.array([0.5] * 7)) == pytest.approx(0.5)
    assert rank_sum_p(np.array([0.1, 0.2])) == pytest.approx(1 - 0.3**2 / 2)
    drawn = np.random.default_rng(0).random((200_000, 5)).sum(axis=1)
    ranks = np.array([0.9, 0.7, 0.8, 0.6, 0.75])
    assert rank_sum_p(ranks) == pytest.approx((drawn >= ranks.sum()).mean(), rel=0.05)
    n = EXACT_UP_TO + 1
    many = np.full(n, 0.6)
    assert rank_sum_p(many) == pytest.approx(float(norm.sf(0.1 * n / sqrt(n / 12))))
    assert rank_sum_p(many[1:]) == pytest.approx(
        float(norm.sf(0.1 * (n - 1) / sqrt((n - 1) / 12))), rel=0.03
    )


def test_the_area_is_that_of_the_rank_sum_test(all_types: pd.DataFrame) -> None:
    reference = all_types[list("ABC")]
    outside = outside_span(all_types["D"], reference).part
    mean = reference.mean(axis=1)
    ratio = outside / (mean + 0.05 * mean.mean())
    chosen = GENES[20:31]
    found = marker_similarity(outside, reference, {"X": chosen, "few": GENES[:2], "none": ["?"]})
    assert list(found.index) == ["X"]
    others = [g for g in GENES if g not in chosen]
    oracle = mannwhitneyu(ratio[chosen], ratio[others]).statistic / (len(chosen) * len(others))
    assert found["auc"].iloc[0] == pytest.approx(oracle)
    assert found["genes"].iloc[0] == tuple(ratio[chosen].sort_values(ascending=False).index)


def test_markers_of_the_hidden_type_stand_highest(all_types: pd.DataFrame) -> None:
    reference, library = all_types[list("ABC")], all_types[list("DEFGH")]
    base = all_types.mean(axis=1)
    marks = {name: list((library[name] / base).nlargest(12).index) for name in library.columns}
    found = marker_similarity(outside_span(library["E"], reference).part, reference, marks)
    assert found.index[0] == "E"
    assert found["p_adjusted"].iloc[0] < 1e-4
    assert found["p_adjusted"].iloc[1] > 0.05


def test_what_cannot_be_compared_is_refused(all_types: pd.DataFrame) -> None:
    reference, library = all_types[list("ABC")], all_types[list("DE")]
    with pytest.raises(DataError):
        profile_similarity(all_types["F"], reference, library[[]])
    with pytest.raises(DataError):
        outside_span(all_types["F"].iloc[::-1], reference)
    with pytest.raises(BadValues):
        outside_span(all_types["F"] - 0.01, reference)
    with pytest.raises(BadValues):
        profile_similarity(all_types["F"], reference, library.replace(library.iloc[0, 0], np.nan))
    assert marker_similarity(all_types["F"], reference, {}).empty
