"""Families of p-values and p-values of permutations."""

from __future__ import annotations

import numpy as np
import pytest

from gui.statistics.multiple_testing import (
    benjamini_hochberg,
    bonferroni,
    permutation_p,
    permuted_labels,
)

# Benjamini & Hochberg 1995, section 3.2: thrombolysis
THROMBOLYSIS = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
]


def test_example_of_benjamini_and_hochberg() -> None:
    assert (benjamini_hochberg(THROMBOLYSIS) <= 0.05).sum() == 4
    assert (bonferroni(THROMBOLYSIS) <= 0.05).sum() == 3


def test_adjusted_values_are_those_of_statsmodels_in_any_order() -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(0).permutation([*THROMBOLYSIS, 0.0344, 0.0095])
    expected = multitest.multipletests(p, method="fdr_bh")[1]
    np.testing.assert_allclose(benjamini_hochberg(p), expected, rtol=1e-12)


def test_what_was_not_tested_is_not_in_the_family() -> None:
    gaps = np.array([0.01, np.nan, 0.02, np.nan, 0.9])
    np.testing.assert_allclose(
        benjamini_hochberg(gaps)[[0, 2, 4]], benjamini_hochberg([0.01, 0.02, 0.9])
    )
    assert np.isnan(benjamini_hochberg(gaps)[1])
    assert bonferroni(gaps)[0] == pytest.approx(0.03)


def test_each_row_is_a_family() -> None:
    rows = np.random.default_rng(1).random((4, 7))
    together = benjamini_hochberg(rows)
    for row, adjusted in zip(rows, together, strict=True):
        np.testing.assert_array_equal(benjamini_hochberg(row), adjusted)


def test_permutations_never_give_zero_and_count_both_sides() -> None:
    drawn = np.array([-3.0, -1.0, 0.5, 1.0, 2.0])
    assert permutation_p(np.float64(10.0), drawn) == pytest.approx(1 / 6)
    assert permutation_p(np.float64(2.5), drawn) == pytest.approx(2 / 6)
    assert permutation_p(np.float64(2.0), drawn, "greater") == pytest.approx(2 / 6)
    assert permutation_p(np.float64(-2.0), drawn, "less") == pytest.approx(2 / 6)
    by_gene = permutation_p(np.array([10.0, np.nan]), np.column_stack([drawn, drawn]))
    assert by_gene[0] == pytest.approx(1 / 6)
    assert np.isnan(by_gene[1])


def test_labels_are_permuted_without_repeating_an_arrangement() -> None:
    labels = np.array(list("aabb"))
    every = permuted_labels(labels, 1000)
    assert len(every) == 5  # of 6, less the given one
    assert len({tuple(row) for row in every} | {tuple(labels)}) == 6
    many = permuted_labels(np.repeat(["a", "b", "c"], 10), 50, seed=1)
    assert many.shape == (50, 30)
    assert (np.sort(many, axis=1) == np.repeat(["a", "b", "c"], 10)).all()
    np.testing.assert_array_equal(many, permuted_labels(np.repeat(["a", "b", "c"], 10), 50, seed=1))
    assert permuted_labels(np.array(["a", "a"]), 9).shape == (0, 2)
