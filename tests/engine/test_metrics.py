"""Agreement of estimate and truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gui.engine.metrics import COLUMNS, compare
from gui.statistics.agreement import ccc, pearson, rmse, spearman


@pytest.mark.parametrize("seed", range(5))
def test_correlations_equal_scipys_also_with_ties(seed):
    random = np.random.default_rng(seed)
    a, b = random.integers(0, 6, 40) / 10, random.random(40)
    assert pearson(a, b) == pytest.approx(stats.pearsonr(a, b).statistic)
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)


def test_concordance_is_one_only_for_equality():
    a = np.array([0.1, 0.2, 0.4, 0.3])
    assert ccc(a, a) == pytest.approx(1)
    assert ccc(a, a + 0.1) < 1
    assert ccc(a, 2 * a) < pearson(a, 2 * a)
    assert ccc(a, -a) < 0


def test_concordance_by_hand():
    # means 2 and 3, variances 2/3 and 2/3, covariance 2/3: 2*(2/3) / (4/3 + 1)
    assert ccc(np.array([1.0, 2, 3]), np.array([2.0, 3, 4])) == pytest.approx(4 / 7)


@pytest.mark.parametrize("measure", [pearson, spearman, ccc])
def test_constant_truth_or_estimate_gives_nan_without_a_warning(measure):
    varies, constant = np.array([0.1, 0.2, 0.3]), np.full(3, 0.1) + np.array([0, 1e-17, 0])
    assert np.isnan(measure(constant, varies))
    assert np.isnan(measure(varies, constant))
    assert np.isnan(measure(np.zeros(3), varies))


def test_table_has_one_row_per_estimated_type():
    truth = pd.DataFrame([[0.1, 0.2], [0.4, 0.5], [0.5, 0.3]], index=["a", "b", "only true"])
    found = pd.DataFrame([[0.2, 0.2], [0.5, 0.4]], index=["b", "a"])
    table = compare("test", "dtd", truth, found)
    assert list(table.columns) == COLUMNS
    assert list(table["cell_type"]) == ["b", "a"]
    assert table["rmse"].iloc[0] == pytest.approx(rmse(np.array([0.4, 0.5]), np.array([0.2, 0.2])))
