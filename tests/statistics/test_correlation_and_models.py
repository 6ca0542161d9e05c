"""Numbers and covariates: Spearman with interval, least squares with HC3."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gui.errors import BadValues, DataError
from gui.statistics.correlation import spearman_test
from gui.statistics.linear_model import design, least_squares_hc3


def test_spearman_is_scipys_from_ten_samples_on() -> None:
    rng = np.random.default_rng(0)
    values, number = rng.normal(size=(6, 20)).round(1), rng.normal(size=20).round(1)
    found = spearman_test(values, number)
    theirs = [stats.spearmanr(row, number) for row in values]
    np.testing.assert_allclose(found.rho.estimate, [t.statistic for t in theirs], rtol=1e-12)
    np.testing.assert_allclose(found.test.p, [t.pvalue for t in theirs], rtol=1e-9)
    assert (found.rho.low < found.rho.estimate).all()
    assert (found.rho.estimate < found.rho.high).all()


def test_spearman_is_exact_with_ties_below_ten_samples() -> None:
    row, number = np.array([1.0, 2, 2, 5, 3, 9]), np.array([4.0, 4, 5, 7, 6, 8])
    observed = abs(stats.spearmanr(row, number).statistic)
    rhos = [abs(stats.spearmanr(row, order).statistic) for order in permutations(number)]
    expected = np.mean(np.array(rhos) >= observed - 1e-9)
    assert spearman_test(row, number).test.p[0] == pytest.approx(expected)
    nine = spearman_test(np.arange(9.0), np.arange(9.0))
    assert nine.test.p[0] == pytest.approx(2 / 362880)


def test_bonett_and_wright_interval() -> None:
    # rho = .5, n = 20: tanh(atanh(.5) -+ 1.96 sqrt(1.125 / 17))
    rng = np.random.default_rng(1)
    values, number = rng.normal(size=20), rng.normal(size=20)
    found = spearman_test(values, number).rho
    rho = found.estimate[0]
    half = 1.959964 * np.sqrt((1 + rho**2 / 2) / 17)
    assert found.low[0] == pytest.approx(np.tanh(np.arctanh(rho) - half), rel=1e-6)


def test_constant_values_have_no_correlation() -> None:
    found = spearman_test(np.ones((1, 12)), np.arange(12.0))
    assert np.isnan(found.rho.estimate[0])
    assert np.isnan(found.test.p[0])


def test_hc3_is_that_of_statsmodels() -> None:
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(2)
    variables = pd.DataFrame(
        {"group": list("aabbc") * 8, "age": rng.normal(60, 9, 40), "treated": [True, False] * 20}
    )
    values = pd.DataFrame(rng.normal(size=(5, 40)) * (1 + (variables["age"].to_numpy() > 60)))
    model = design(variables)
    fit = least_squares_hc3(values, model)
    assert list(model.matrix) == ["intercept", "group: b", "group: c", "age", "treated: True"]
    assert model.reference == {"group": "a", "treated": "False"}
    for row in range(5):
        theirs = sm.OLS(values.iloc[row].to_numpy(), model.matrix).fit(cov_type="HC3", use_t=True)
        np.testing.assert_allclose(fit.coefficients.iloc[row], theirs.params, rtol=1e-9)
        np.testing.assert_allclose(fit.p.iloc[row], theirs.pvalues, rtol=1e-8)
        np.testing.assert_allclose(fit.low.iloc[row], theirs.conf_int()[0], rtol=1e-8)
        joint = theirs.f_test(np.eye(5)[[1, 2]])
        f, p = fit.joint_test(["group: b", "group: c"])
        assert f[row] == pytest.approx(float(np.squeeze(joint.fvalue)), rel=1e-8)
        assert p[row] == pytest.approx(float(joint.pvalue), rel=1e-7)


def test_variables_that_say_the_same_are_refused_by_name() -> None:
    frame = pd.DataFrame({"batch": list("xxyyzz"), "site": list("uuvvww"), "age": range(6)})
    with pytest.raises(DataError, match="site: v is determined by the other variables"):
        design(frame[["batch", "site"]])
    with pytest.raises(DataError, match="same value in all samples"):
        design(pd.DataFrame({"sex": ["f"] * 6}))
    with pytest.raises(DataError, match="too few"):
        design(pd.DataFrame({"who": list("abcdef"), "age": range(6)}))
    with pytest.raises(BadValues, match="gaps"):
        design(pd.DataFrame({"age": [1.0, None]}))


def test_a_sample_alone_in_its_group_has_no_hc3_error() -> None:
    frame = pd.DataFrame({"group": list("aaaaaab")})
    values = pd.DataFrame(np.random.default_rng(3).normal(size=(1, 7)))
    fit = least_squares_hc3(values, design(frame))
    assert np.isfinite(fit.coefficients["group: b"][0])
    assert np.isnan(fit.p["group: b"][0])


def test_groups_of_one_value_each_give_no_test_of_rounding_errors() -> None:
    groups = pd.DataFrame({"group": list("aaaaaabbbbbbcccccc")})
    spread = np.random.default_rng(4).normal(size=6)
    values = pd.DataFrame(
        [
            np.r_[np.full(6, 0.1), np.full(6, 0.7), np.full(6, 0.2)],  # no spread in any group
            np.r_[np.zeros(12), spread],  # none in two of them
            np.r_[np.zeros(6), spread + 1, spread],
        ]
    )
    fit = least_squares_hc3(values, design(groups))
    assert fit.p["group: b"].isna().tolist() == [True, True, False]
    assert fit.p["group: c"].isna().tolist() == [True, False, False]
    assert np.isnan(fit.contrast("group: b").effect.low[:2]).all()
    f, p = fit.joint_test(["group: b", "group: c"])
    assert np.isnan(f).tolist() == np.isnan(p).tolist() == [True, True, False]
