"""One Cox model per cell type, over the draws, and what noise takes away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gui.errors import DataError
from gui.statistics.cox import cox
from gui.statistics.cox_by_type import coefficients_of_draws, cox_by_type
from gui.statistics.measurement_error import reliability
from gui.statistics.multiple_testing import benjamini_hochberg

TYPES = ["B", "T", "NK", "hidden"]


def patients(seed: int = 0, n: int = 120) -> tuple[pd.Series, pd.Series, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    names = [f"s{i}" for i in range(n)]
    fractions = pd.DataFrame(rng.dirichlet(np.full(4, 4.0), n).T, TYPES, names)
    time = np.ceil(10 * rng.exponential(np.exp(-6 * fractions.loc["NK"])))
    return pd.Series(time, names), pd.Series(rng.random(n) < 0.8, names), fractions


def test_each_row_is_the_model_of_that_type_alone_with_the_covariates() -> None:
    time, event, fractions = patients()
    age = pd.Series(np.random.default_rng(1).normal(60, 9, len(time)), time.index, name="age")
    site = pd.Series(np.resize(list("xyz"), len(time)), time.index)
    found = cox_by_type(time, event, fractions, covariates=age.to_frame(), strata=site)
    for name in TYPES:
        frame = pd.DataFrame({name: fractions.loc[name], "age": age})
        alone = cox(time, event, frame, strata=site).table.loc[name]
        row = found.table.loc[name]
        assert row["coefficient"] == pytest.approx(alone["coefficient"])
        assert row["p"] == pytest.approx(alone["p"])
        assert row["points_ratio"] == pytest.approx(np.exp(alone["coefficient"] / 10))
        assert row["points_low"] == pytest.approx(alone["low"] ** 0.1)
        sd = fractions.loc[name].std()
        assert row["sd_ratio"] == pytest.approx(np.exp(alone["coefficient"] * sd))
    np.testing.assert_allclose(found.table["p_adjusted"], benjamini_hochberg(found.table["p"]))
    assert found.family == 4
    assert found.table.loc["NK", "called"]
    assert found.table.loc["NK", "sd_low"] > 1


def test_a_type_that_is_the_same_in_all_is_left_out_with_the_reason() -> None:
    time, event, fractions = patients()
    fractions.loc["T"] = 0.0
    found = cox_by_type(time, event, fractions)
    assert list(found.table.index) == ["B", "NK", "hidden"]
    assert "same value" in found.left_out["T"]
    assert any(note.startswith("T is left out") for note in found.notes)
    with pytest.raises(DataError):
        cox_by_type(time, event, fractions.loc[["T"]])


def test_models_of_many_draws_at_once_are_those_one_by_one() -> None:
    time, event, fractions = patients()
    covariates = pd.DataFrame({"sex": np.resize(["f", "m", "f"], len(time))}, time.index)
    site = pd.Series(np.resize(list("xyzz"), len(time)), time.index)
    rng = np.random.default_rng(2)
    draws = fractions.to_numpy() * rng.lognormal(0, 0.2, (3, *fractions.shape))
    draws[1, 2] = 0.0  # nothing varies
    coefficient, error = coefficients_of_draws(time, event, draws, covariates, site)
    for i in range(3):
        for j, name in enumerate(TYPES):
            if (i, j) == (1, 2):
                assert np.isnan(coefficient[i, j])
                continue
            frame = covariates.assign(**{name: draws[i, j]})
            alone = cox(time, event, frame, strata=site).table.loc[name]
            assert coefficient[i, j] == pytest.approx(alone["coefficient"], rel=1e-6)
            assert error[i, j] == pytest.approx(alone["error"], rel=1e-6)


def test_every_call_says_in_how_many_draws_it_holds() -> None:
    time, event, fractions = patients()
    same = np.repeat(fractions.to_numpy()[None], 10, axis=0)
    found = cox_by_type(time, event, fractions, draws=same)
    assert found.draws == 10
    assert (found.table["kept"] == 10).all()
    np.testing.assert_allclose(found.table["draws_median"], found.table["sd_ratio"], rtol=1e-6)
    assert not any("Noise" in note for note in found.notes)
    shuffled = np.random.default_rng(3).permuted(same, axis=2)
    lost = cox_by_type(time, event, fractions, draws=shuffled)
    assert lost.table.loc["NK", "kept"] < 5
    clusters = pd.Series(np.arange(len(time)) // 2, time.index)
    clustered = cox_by_type(time, event, fractions, draws=same, cluster=clusters)
    assert (clustered.table["kept"] == 10).all()


def test_noise_of_the_fractions_weakens_hazard_ratios_as_the_reliability_says() -> None:
    rng = np.random.default_rng(4)
    n = 4000
    names = [f"s{i}" for i in range(n)]
    true = rng.normal(size=n)
    time = pd.Series(rng.exponential(np.exp(-0.70 * true)), names)
    event = pd.Series(np.ones(n), names)
    noisy = true + 0.8 * rng.normal(size=n)
    draws = noisy + 0.8 * rng.normal(size=(60, 1, n))
    found = cox(time, event, pd.DataFrame({"T": noisy}, names)).coefficients["T"]
    assert found == pytest.approx(0.39, abs=0.04)  # not .70
    result = reliability(pd.DataFrame([noisy], ["T"], names), draws)
    assert result.table.loc["T", "reliability"] == pytest.approx(1 / 1.64, abs=0.02)
    assert result.notes[0].endswith(("T 60%.", "T 61%.", "T 62%."))
    clean = reliability(pd.DataFrame([noisy], ["T"], names), noisy + np.zeros((5, 1, n)))
    assert clean.table.loc["T", "reliability"] == 1.0
    assert clean.notes == ()


def test_few_events_are_warned_about() -> None:
    time, event, fractions = patients(n=20)
    event = pd.Series(np.repeat([1, 0], [6, 14]), time.index)
    found = cox_by_type(time, event, fractions)
    assert any("6 events for 1 coefficient: fewer than 10" in note for note in found.notes)
