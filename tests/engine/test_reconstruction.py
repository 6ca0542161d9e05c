"""How well samples are reconstructed: the verdicts on simulated data of which it is known whether
they can be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Dataset, Matrix
from gui.data.example import make_example
from gui.engine import tasks
from gui.engine.fast.lambda_path import LambdaPath
from gui.engine.fast.weights import composition
from gui.engine.params import ADTDParams, ApplyParams, DTDParams
from gui.engine.reconstruction import COLUMNS, POORLY, VERDICT, WELL, poor, reconstruction


def quiet(*_: Any, **__: Any) -> None: ...


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """Reference and weights of a DTD run on the example, and samples of many kinds, scaled to 10
    000.
    """
    data = make_example().dataset
    dtd = tasks.run_dtd(
        data,
        DTDParams(iterations=150, train_mixtures=200, test_mixtures=30, run_on_bulk=False),
        progress=quiet,
    )
    random = np.random.default_rng(3)
    X = dtd.reference
    shares = random.dirichlet(np.ones(X.shape[1]) * 2, 9).T
    expected = X.to_numpy() @ shares
    good = random.poisson(expected * 5) * random.gamma(50.0, 1 / 50.0, expected.shape)
    tissue = random.lognormal(0, 1.5, (len(X), 1))
    tissue = np.repeat(tissue / tissue.sum() * 1e4, 9, axis=1)
    kinds = {
        "good": good,
        "lacking tissue": tissue * random.gamma(50.0, 1 / 50.0, good.shape),
        "half lacking": 0.4 * good / good.sum(axis=0) * 1e4 + 0.6 * tissue,
        "shuffled": good[random.permutation(len(X))],
        "noise": random.lognormal(0, 1.5, good.shape),
    }
    names = [f"s{j}" for j in range(9)]
    return {
        "X": X,
        "weights": dtd.gene_weights,
        **{
            k: pd.DataFrame(v / v.sum(axis=0) * 1e4, index=X.index, columns=names)
            for k, v in kinds.items()
        },
    }


BAD = ("lacking tissue", "half lacking", "shuffled", "noise")


def dtd_check(made: dict[str, Any], bulk: pd.DataFrame) -> pd.DataFrame:
    X, weights = made["X"], made["weights"]
    found = pd.DataFrame(
        composition(X.to_numpy(), bulk.to_numpy(), weights.to_numpy(dtype=float)),
        index=X.columns,
        columns=bulk.columns,
    )
    return reconstruction(X, bulk, weights, found)


def adtd_check(made: dict[str, Any], bulk: pd.DataFrame) -> pd.DataFrame:
    X = made["X"]
    path = LambdaPath(X, bulk, made["weights"].to_frame(), check=lambda: None)
    path.begin()
    found = pd.DataFrame(path.C, index=X.columns, columns=bulk.columns)
    return reconstruction(
        X,
        bulk,
        made["weights"],
        found,
        hidden=pd.Series(path.c[0], index=bulk.columns),
        profile=pd.Series(path.x.ravel(), index=X.index),
    )


def test_good_mixtures_fit_well(made):
    for check in (dtd_check, adtd_check):
        found = check(made, made["good"])
        assert list(found.columns) == list(COLUMNS)
        assert (found[VERDICT] == WELL).all(), found
        assert poor(found) == []


@pytest.mark.parametrize("kind", BAD)
def test_samples_that_cannot_be_reconstructed_fit_poorly(made, kind):
    found = dtd_check(made, made[kind])
    assert (found[VERDICT] == POORLY).all(), found


@pytest.mark.parametrize("kind", BAD)
def test_one_bad_sample_among_good_ones_fits_poorly_though_the_hidden_background_takes_it_up(
    made, kind
):
    bulk = made["good"].copy()
    bulk["s4"] = made[kind]["s4"]
    found = adtd_check(made, bulk)
    assert poor(found) == ["s4"], found


def test_the_measures_are_those_of_a_fit_known_beforehand(made):
    X, weights = made["X"], made["weights"]
    shares = pd.DataFrame(0.2, index=X.columns, columns=["a"])
    bulk = X @ shares
    perfect = reconstruction(X, bulk, weights, shares).iloc[0]
    np.testing.assert_allclose(perfect[list(COLUMNS[:3])].astype(float), [1, 1, 0], atol=1e-12)
    w = weights.to_numpy(dtype=float) / weights.sum()
    y = bulk["a"].to_numpy()
    half = reconstruction(X, bulk, weights, shares / 2).iloc[0]
    assert half["residual"] == pytest.approx((w @ (y / 2) ** 2) / (w @ (y - w @ y) ** 2), rel=1e-6)
    three = reconstruction(X * 3, bulk * 3, weights, shares).iloc[0]
    assert three["pearson_log"] == pytest.approx(1.0)


def test_a_sample_that_is_the_same_for_every_gene_is_poor_and_no_number(made):
    flat = pd.DataFrame(1.0, index=made["X"].index, columns=["a"])
    found = dtd_check(made, flat)
    assert found["residual"].isna().all()
    assert poor(found) == ["a"]


def test_every_run_brings_its_check():
    data: Dataset = make_example().dataset
    dtd = tasks.run_dtd(
        data,
        DTDParams(iterations=10, train_mixtures=30, test_mixtures=20, genes=80),
        progress=quiet,
    )
    assert set(dtd.fit) == {"train", "test", "bulk"}
    assert list(dtd.fit["bulk"].index) == list(dtd.composition["bulk"].columns)
    pd.testing.assert_frame_equal(
        tasks.run_apply(data, ApplyParams(), progress=quiet, dtd=dtd).fit, dtd.fit["bulk"]
    )
    for model in ("h", "h,r"):
        adtd = tasks.run_adtd(
            data, ADTDParams(model=model, max_iterations=5), progress=quiet, dtd=dtd
        )
        assert list(adtd.fit.index) == list(adtd.hidden.index)
        assert adtd.fit["residual"].median() < 0.5 * dtd.fit["bulk"]["residual"].median(), (
            "a hidden background explains more"
        )
    values = np.array(data.bulk.matrix.values)
    values[:, 3] = values[np.random.default_rng(0).permutation(len(values)), 3]
    mixed = replace(
        data,
        bulk=replace(
            data.bulk, matrix=Matrix(values, data.bulk.matrix.genes, data.bulk.matrix.columns)
        ),
    )
    assert "Sample 04" in poor(
        tasks.run_adtd(mixed, ADTDParams(max_iterations=5), progress=quiet, dtd=dtd).fit
    )
