"""Cox models: published numbers, lifelines and statsmodels, and what is refused or said."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from gui.errors import BadValues, DataError, InvalidParameter
from gui.statistics.concordance import concordance
from gui.statistics.cox import (
    cox,
    events_per_variable,
    martingale_residuals,
    score_residuals,
)
from gui.statistics.cox_ridge import cox_ridge
from gui.statistics.linear_model import INTERCEPT
from gui.statistics.proportional_hazards import natural_spline, proportional_hazards_test

Published = Callable[[str], pd.DataFrame]


def random_data(seed: int, n: int = 70, ties: bool = True) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    time = rng.integers(1, 12, n) if ties else rng.exponential(5, n)
    return pd.DataFrame(
        {
            "time": time.astype(float),
            "event": rng.random(n) < 0.7,
            "a": rng.normal(size=n),
            "b": rng.integers(0, 3, n).astype(float),
            "site": rng.choice(list("xyz"), n),
            "patient": rng.integers(0, 25, n),
        }
    )


def veteran(published: Published):
    data = published("veteran")
    return cox(data["time"], data["status"], data[["trt", "prior", "karno"]].astype(float))


def test_veteran(published: Published) -> None:
    fit = veteran(published)
    table = fit.table
    assert table.loc["trt", "coefficient"] == pytest.approx(0.180197, abs=5e-7)
    assert table.loc["trt", "error"] == pytest.approx(0.183468, abs=5e-7)
    assert table.loc["karno", "coefficient"] == pytest.approx(-0.033771, abs=5e-7)
    assert table.loc["karno", "error"] == pytest.approx(0.005114, abs=5e-7)
    assert table.loc["prior", "coefficient"] == pytest.approx(-0.005551, abs=5e-7)
    assert fit.likelihood_ratio.statistic == pytest.approx(43.04, abs=5e-3)
    assert fit.converged
    assert fit.notes == ()


def test_proportional_hazards_of_veteran_are_rs(published: Published) -> None:
    # R: cox.zph(fit, transform = function(time) log(time + 20))
    result = proportional_hazards_test(veteran(published), lambda time: np.log(time + 20))
    found = result.table["statistic"]
    assert found["trt"] == pytest.approx(0.271, abs=5e-4)
    assert found["prior"] == pytest.approx(2.260, abs=5e-4)
    assert found["karno"] == pytest.approx(10.694, abs=5e-4)
    assert result.overall.statistic == pytest.approx(16.881, abs=5e-4)
    assert result.overall.df == 3
    assert len(result.residuals) == 128
    smooth = result.smooth["karno"]
    assert (smooth["low"] < smooth["estimate"]).all()
    assert smooth["time"].is_monotonic_increasing
    assert smooth["estimate"].iloc[0] < smooth["estimate"].iloc[-1]  # its effect fades


def test_lung(published: Published) -> None:
    data = published("lung").dropna()
    fit = cox(data["time"], data["status"], data[["age", "sex", "wt.loss"]])
    assert fit.coefficients.tolist() == pytest.approx([0.0200882, -0.5210319, 0.0007596], abs=5e-8)
    assert (fit.samples, fit.events) == (214, 152)
    assert fit.likelihood_ratio.statistic == pytest.approx(14.67, abs=5e-3)
    assert fit.concordance.value == pytest.approx(0.612, abs=5e-4)
    assert fit.concordance.error == pytest.approx(0.027, abs=5e-4)
    assert fit.wald.statistic == pytest.approx(13.98, abs=5e-3)
    assert fit.score.statistic == pytest.approx(14.24, abs=5e-3)


def test_rossi(published: Published) -> None:
    data = published("rossi")
    fit = cox(data["week"], data["arrest"], data.drop(columns=["week", "arrest"]))
    table = fit.table
    assert table.loc["fin", "coefficient"] == pytest.approx(-0.37942, abs=5e-6)
    assert table.loc["fin", "error"] == pytest.approx(0.19138, abs=5e-6)
    assert table.loc["prio", "coefficient"] == pytest.approx(0.09150, abs=5e-6)
    assert table.loc["prio", "error"] == pytest.approx(0.02865, abs=5e-6)
    assert fit.likelihood_ratio.statistic == pytest.approx(33.266, abs=5e-4)


def test_gbsg2(published: Published) -> None:
    data = published("gbsg2")
    fit = cox(data["time"], data["cens"], data.drop(columns=["time", "cens"]))
    assert fit.table.loc["horTh: yes", "coefficient"] == pytest.approx(-0.346279, abs=1e-6)
    assert fit.table.loc["horTh: yes", "error"] == pytest.approx(0.129075, abs=5e-7)
    assert fit.table.loc["pnodes", "coefficient"] == pytest.approx(0.048789, abs=5e-7)
    assert fit.design.reference["tgrade"] == "I"
    by_variable = proportional_hazards_test(fit).table
    assert by_variable.loc["tgrade", "df"] == 2


def test_aml(aml: pd.DataFrame) -> None:
    fit = cox(aml["time"], aml["event"], aml[["x"]])
    # R: coxph(Surv(time, status) ~ x, aml): 0.9155 (0.5119)
    assert fit.coefficients.iloc[0] == pytest.approx(0.9155, abs=5e-5)
    assert fit.table["error"].iloc[0] == pytest.approx(0.5119, abs=5e-5)


@pytest.mark.parametrize("seed", range(3))
def test_random_data_with_ties_are_those_of_lifelines(seed: int) -> None:
    lifelines = pytest.importorskip("lifelines")
    data = random_data(seed)
    theirs = lifelines.CoxPHFitter().fit(
        data.drop(columns="patient"), "time", "event", strata="site", formula="a + b"
    )
    ours = cox(data["time"], data["event"], data[["a", "b"]], strata=data["site"])
    np.testing.assert_allclose(ours.coefficients, theirs.params_, atol=1e-6)
    np.testing.assert_allclose(ours.table["error"], theirs.standard_errors_, atol=1e-6)
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood_, abs=1e-6)
    # without ties robust errors are the same too (with them, lifelines leaves Efron out)
    data = random_data(seed, ties=False)
    columns = ["time", "event", "a", "b", "patient"]
    theirs = lifelines.CoxPHFitter().fit(data[columns], "time", "event", cluster_col="patient")
    ours = cox(data["time"], data["event"], data[["a", "b"]], cluster=data["patient"])
    np.testing.assert_allclose(ours.table["error"], theirs.standard_errors_, atol=1e-6)
    assert ours.robust
    residuals = theirs.compute_residuals(data[columns], "martingale")["martingale"].sort_index()
    np.testing.assert_allclose(martingale_residuals(ours), residuals, atol=1e-6)


def test_efron_ties_are_those_of_statsmodels() -> None:
    hazard = pytest.importorskip("statsmodels.duration.hazard_regression")
    data = random_data(4)
    model = hazard.PHReg(
        data["time"], data[["a", "b"]], status=data["event"].astype(int), ties="efron"
    )
    theirs = model.fit()
    ours = cox(data["time"], data["event"], data[["a", "b"]])
    np.testing.assert_allclose(ours.coefficients, theirs.params, atol=1e-8)
    np.testing.assert_allclose(ours.table["error"], theirs.bse, atol=1e-8)


def test_residuals_add_up_with_ties_and_strata() -> None:
    data = random_data(5)
    fit = cox(data["time"], data["event"], data[["a", "b"]], strata=data["site"])
    x = fit.design.matrix.drop(columns=INTERCEPT).to_numpy()
    x = (x - x.mean(axis=0))[fit.sets.order]
    np.testing.assert_allclose(score_residuals(x, fit.at, fit.sets).sum(axis=0), 0, atol=1e-8)
    for site in "xyz":
        inside = data["site"] == site
        assert martingale_residuals(fit)[inside].sum() == pytest.approx(0, abs=1e-9)


def test_strata_far_apart_are_fitted_as_one_likelihood() -> None:
    data = random_data(6)
    later = pd.concat([data, data.assign(time=data["time"] + 500)], ignore_index=True)
    strata = pd.Series(np.repeat(["early", "late"], len(data)))
    once = cox(data["time"], data["event"], data[["a", "b"]])
    both = cox(later["time"], later["event"], later[["a", "b"]], strata=strata)
    np.testing.assert_allclose(both.coefficients, once.coefficients, atol=1e-9)
    np.testing.assert_allclose(both.table["error"], once.table["error"] / np.sqrt(2), rtol=1e-8)
    assert both.concordance.value == pytest.approx(once.concordance.value)


def test_every_patient_twice_as_clusters_is_every_patient_once() -> None:
    data = random_data(7, ties=False)
    twice = pd.concat([data, data.assign(time=data["time"] * (1 + 1e-3))], ignore_index=True)
    who = pd.Series([*range(len(data))] * 2)
    clustered = cox(twice["time"], twice["event"], twice[["a"]], cluster=who)
    alone = cox(data["time"], data["event"], data[["a"]], robust=True)
    assert clustered.table["error"].iloc[0] == pytest.approx(alone.table["error"].iloc[0], rel=0.05)
    naive = clustered.table["naive_error"].iloc[0]
    assert naive == pytest.approx(alone.table["naive_error"].iloc[0] / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize(
    ("events", "coefficients", "verdict"),
    [(100, 10, "enough"), (99, 10, "few"), (50, 10, "few"), (49, 10, "too few"), (3, 1, "few")],
)
def test_events_per_variable(events: int, coefficients: int, verdict: str) -> None:
    rule = events_per_variable(events, coefficients)
    assert rule.verdict == verdict
    assert f"{events} events for {coefficients} coefficient" in rule.message


def test_too_many_variables_are_refused_and_the_ridge_fit_is_offered_and_works() -> None:
    rng = np.random.default_rng(8)
    x = pd.DataFrame(rng.normal(size=(40, 12)), columns=[f"v{i}" for i in range(12)])
    time = pd.Series(rng.exponential(np.exp(-x["v0"])))
    event = pd.Series(rng.random(40) < 0.7)
    with pytest.raises(DataError) as refused:
        cox(time, event, x)
    assert "ridge" in refused.value.advice
    ridge = cox_ridge(time, event, x)
    free = cox(time, event, x, refuse_few=False)
    assert any("fewer than 5" in note for note in free.notes)
    assert 0 < ridge.fit.freedom < 12
    assert ridge.fit.coefficients.abs().sum() < free.coefficients.abs().sum()
    assert ridge.fit.coefficients.abs().idxmax() == "v0"
    assert ridge.fit.table[["p", "low", "high"]].isna().all(axis=None)
    assert (
        ridge.search["cross_validated"].idxmax()
        == ridge.search.index[ridge.search["penalty"] == ridge.fit.ridge][0]
    )
    assert cox_ridge(time, event, x).fit.ridge == ridge.fit.ridge


def test_ridge_without_penalty_is_the_model_and_a_large_one_shrinks_to_nothing() -> None:
    data = random_data(9)
    plain = cox(data["time"], data["event"], data[["a", "b"]])
    tiny = cox(data["time"], data["event"], data[["a", "b"]], ridge=1e-8)
    huge = cox(data["time"], data["event"], data[["a", "b"]], ridge=1e8)
    np.testing.assert_allclose(tiny.coefficients, plain.coefficients, atol=1e-8)
    np.testing.assert_allclose(huge.coefficients, 0, atol=1e-6)


def test_a_likelihood_without_maximum_is_said_and_gets_no_p_value() -> None:
    # everybody with g has the event before everybody without
    time = pd.Series(np.arange(1.0, 41))
    event = pd.Series([1] * 20 + [0] * 20)
    frame = pd.DataFrame({"g": [1.0] * 20 + [0.0] * 20, "age": np.random.default_rng(0).random(40)})
    fit = cox(time, event, frame)
    assert not fit.converged
    assert fit.infinite == ("g",)
    assert np.isnan(fit.table.loc["g", "p"])
    assert any("no maximum" in note and "g" in note for note in fit.notes)
    with pytest.raises(DataError, match="converged"):
        proportional_hazards_test(fit)


@pytest.mark.parametrize("kept_apart", ["clusters", "strata", "alone"])
def test_a_rare_group_without_any_event_has_no_finite_hazard_ratio(kept_apart: str) -> None:
    # its hazard ratio falls for ever; robust errors of it are nearly 0, and p was 1e-222
    rng = np.random.default_rng(16)
    data = random_data(16, n=60)
    rare = pd.Series(np.arange(60) < 4)
    data["event"] &= ~rare
    frame = pd.DataFrame({"rare": rare.astype(float), "age": rng.normal(60, 9, 60)})
    extra = {
        "clusters": {"cluster": data["patient"]},
        "strata": {"strata": data["site"]},
        "alone": {},
    }[kept_apart]
    fit = cox(data["time"], data["event"], frame, **extra)
    assert fit.infinite == ("rare",)
    assert fit.table.loc["rare", ["error", "p", "low", "high"]].isna().all()
    assert np.isnan(fit.wald.p)
    rest = cox(
        data["time"][~rare], data["event"][~rare], frame.loc[~rare, ["age"]],
        **{name: column[~rare] for name, column in extra.items()},
    )  # fmt: skip
    assert fit.coefficients["age"] == pytest.approx(rest.coefficients["age"], abs=1e-4)
    assert fit.table.loc["age", "p"] == pytest.approx(rest.table.loc["age", "p"], rel=0.01)


def test_a_strong_variable_that_does_not_separate_is_kept() -> None:
    rng = np.random.default_rng(17)
    x = rng.normal(size=200)
    time = pd.Series(rng.exponential(np.exp(-2.5 * x)))
    fit = cox(time, pd.Series(np.ones(200)), pd.DataFrame({"x": x}))
    assert fit.converged
    assert fit.infinite == ()
    assert fit.coefficients["x"] == pytest.approx(2.5, rel=0.2)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_perfect_order_within_strata_has_no_maximum_and_it_is_said(seed: int) -> None:
    # sums over all strata lost the digits of one, no step helped, and that counted as a maximum
    rng = np.random.default_rng(seed)
    time = pd.Series(rng.permutation(1000)[:52].astype(float))
    frame = pd.DataFrame({"x": -time + rng.normal(0, 1e-3, 52), "b": rng.random(52) < 0.5})
    strata = pd.Series(rng.choice(["u", "v"], 52))
    fit = cox(time, pd.Series(np.ones(52)), frame, strata=strata)
    assert not fit.converged
    assert "x" in fit.infinite
    assert np.isnan(fit.table.loc["x", "p"])


def test_large_and_small_units_change_nothing_but_the_unit() -> None:
    data = random_data(10)
    plain = cox(data["time"], data["event"], data[["a"]])
    for factor, shift in ((1e-6, 0), (1e6, 0), (1, 1e6)):
        moved = cox(data["time"] * 365.25, data["event"], data[["a"]] * factor + shift)
        assert moved.coefficients.iloc[0] * factor == pytest.approx(
            plain.coefficients.iloc[0], rel=1e-6
        )
        assert moved.table["p"].iloc[0] == pytest.approx(plain.table["p"].iloc[0], rel=1e-6)
        assert moved.log_likelihood == pytest.approx(plain.log_likelihood)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda d: d.assign(b=d["a"] * 2), DataError, "b is determined by the other"),
        (lambda d: d.assign(a=1.0), DataError, "same value"),
        (lambda d: d.assign(event=0), DataError, "No sample has the event"),
        (lambda d: d.assign(a=d["a"].where(d.index > 0)), BadValues, "gaps"),
        (lambda d: d.assign(time=d["time"].where(d.index > 0)), BadValues, "gaps"),
    ],
    ids=["collinear", "constant", "no event", "gap", "no time"],
)
def test_data_that_give_no_model_are_refused(change, error, message) -> None:
    data = change(random_data(11))
    with pytest.raises(error, match=message):
        cox(data["time"], data["event"], data[["a", "b"]])


def test_variables_that_do_not_differ_among_those_at_risk_are_refused() -> None:
    data = random_data(15, n=30)
    alone = pd.Series(range(30))
    with pytest.raises(DataError, match="a cannot be estimated") as refused:
        cox(data["time"], data["event"], data[["a"]], strata=alone)
    assert refused.value.advice == "Use fewer strata."
    # b differs only in somebody who left before the first event
    frame = pd.DataFrame({"a": data["a"], "b": (alone == 0).astype(float)})
    time, event = data["time"].where(alone > 0, 0.5), data["event"] & (alone > 0)
    with pytest.raises(DataError, match=r"^b cannot be estimated"):
        cox(time, event, frame)


def test_fractions_of_all_cell_types_together_are_refused_since_they_sum_to_1() -> None:
    rng = np.random.default_rng(12)
    x = pd.DataFrame(rng.dirichlet(np.ones(4), 80), columns=list("BTNM"))
    with pytest.raises(DataError, match="M is determined by the other"):
        cox(pd.Series(rng.exponential(1, 80)), pd.Series([1] * 80), x)


@pytest.mark.parametrize("scale", ["km", "rank", "identity", "log"])
def test_proportional_hazards_on_every_scale_of_time(scale) -> None:
    data = random_data(13, n=150)
    result = proportional_hazards_test(
        cox(data["time"], data["event"], data[["a", "site"]], strata=data["b"]), scale
    )
    assert result.table["df"].tolist() == [1, 2]
    assert ((result.table["p"] > 0) & (result.table["p"] <= 1)).all()
    assert result.overall.df == 3
    with pytest.raises(InvalidParameter):
        proportional_hazards_test(cox(data["time"], data["event"], data[["a"]]), "square")


def test_hazards_that_cross_are_found() -> None:
    rng = np.random.default_rng(14)
    x = np.repeat([0.0, 1.0], 150)
    time = np.where(x == 0, rng.exponential(1, 300), rng.weibull(4, 300))
    fit = cox(pd.Series(time), pd.Series(np.ones(300)), pd.DataFrame({"x": x}))
    assert proportional_hazards_test(fit).table.loc["x", "p"] < 1e-6


def test_natural_spline_is_linear_beyond_its_knots() -> None:
    knots = np.array([0.0, 1, 2, 4])
    basis = natural_spline(np.array([4.0, 5, 6, 7]), knots)
    np.testing.assert_allclose(np.diff(basis, 2, axis=0), 0, atol=1e-9)
    assert np.linalg.matrix_rank(natural_spline(np.linspace(0, 4, 50), knots)) == 4


def test_concordance_counts_ties_as_halves_and_compares_what_can_be() -> None:
    time, event = [1, 2, 3, 4], [1, 1, 0, 1]
    assert concordance(time, event, [4, 3, 2, 1]).value == 1.0
    assert concordance(time, event, [1, 2, 3, 4]).value == 0.0
    assert concordance(time, event, [1, 1, 1, 1]).value == 0.5
    assert concordance(time, event, [4, 3, 2, 1]).pairs == 5
    assert concordance(time, event, [4, 3, 2, 1], strata=list("aabb")).pairs == 1
    assert np.isnan(concordance(time, [0, 0, 0, 0], [1, 2, 3, 4]).value)


def test_validation_example_of_therneau_and_grambsch() -> None:
    # Modeling Survival Data 2000, appendix E.1: Efron's ties worked out by hand
    time, event = pd.Series([9.0, 1, 1, 6, 6, 8]), pd.Series([1, 1, 0, 1, 1, 0])
    fit = cox(time, event, pd.DataFrame({"x": [0.0, 1, 1, 1, 0, 0]}))
    assert fit.coefficients["x"] == pytest.approx(1.676857, abs=5e-7)
    assert fit.null_log_likelihood == pytest.approx(-4.276666, abs=5e-7)
