"""Gene regulation per group, on made data in which the second group has regulated genes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.group_regulation import (
    GroupRegulationParams,
    GroupRegulationResult,
    adjusted_p,
    run_group_regulation,
)
from gui.answers.group_regulation import sentence
from gui.data.dataset import Bulk, Matrix
from gui.data.example import HIDDEN_TYPE, REGULATED_TYPE, TYPES, make_example
from gui.engine import compute_settings
from gui.engine.params import DTDParams
from gui.engine.results import ADTDResult, DTDResult
from gui.errors import JobCancelled, MissingPart


@pytest.fixture(autouse=True, scope="module")
def one_core() -> Iterator[None]:
    """Starting processes takes longer than the fits."""
    before = compute_settings.get_compute_settings()
    compute_settings.set_compute_settings(replace(before, cores=1))
    yield
    compute_settings.set_compute_settings(before)


METRICS = ["part", "method", "cell_type", "pearson", "spearman", "rmse", "ccc"]


def quiet(*_: Any, **__: Any) -> None: ...


def made(*, changed: bool, count: int = 20) -> dict[str, Any]:
    """The inputs of the task: the example, its monocytes regulated in the treated samples only."""
    example = make_example()
    cells = example.dataset.train
    assert cells is not None
    random = np.random.default_rng(5)
    scaled = cells.matrix.values / cells.matrix.sums()
    types = [*TYPES, HIDDEN_TYPE]
    profiles = np.column_stack([scaled[:, cells.labels == t].mean(axis=1) for t in types])
    fractions = random.dirichlet([4, 2, 5, 3, 5, 2], count).T
    treated = np.arange(count) >= count // 2
    bulk = profiles @ fractions
    if changed:
        own = profiles.copy()
        rows = cells.matrix.genes.get_indexer(example.regulated)
        own[rows, types.index(REGULATED_TYPE)] *= example.regulation.to_numpy()
        bulk[:, treated] = own @ fractions[:, treated]
    bulk *= random.lognormal(0, 0.02, bulk.shape)
    names = pd.Index([f"s{i}" for i in range(count)])
    obs = pd.DataFrame({"arm": np.where(treated, "treated", "control")}, index=names)
    data = replace(example.dataset, bulk=Bulk(Matrix(bulk, cells.matrix.genes, names), obs))
    reference = pd.DataFrame(profiles[:, :-1] * 1e4, cells.matrix.genes, TYPES)
    weights = pd.Series(1.0 / bulk.mean(axis=1) ** 2, reference.index)
    weights *= len(weights) / weights.sum()
    composition = pd.DataFrame(fractions[:-1], TYPES, names)
    dtd = DTDResult(
        reference,
        weights,
        np.empty(0),
        pd.DataFrame(),
        {"bulk": composition},
        {},
        {},
        pd.DataFrame(columns=METRICS),
        params=DTDParams(),
    )
    adtd = ADTDResult(
        composition,
        pd.Series(fractions[-1], names),
        pd.Series(profiles[:, -1], reference.index),
        reference * 0.0 + 1.0,
        weights,
        reference,
        np.empty(0),
        support=reference * 0.0 + 1.0,
    )
    return {"dataset": data, "dtd": dtd, "adtd": adtd, "regulated": example.regulated}


def compared(inputs: dict[str, Any], **options: Any) -> GroupRegulationResult:
    params = GroupRegulationParams(
        **{"column": "arm", "permutations": 19, "lambda2": 1e-9, **options}
    )
    dataset = inputs["dataset"]
    return run_group_regulation(
        dataset, params, progress=quiet, dtd=inputs["dtd"], adtd=inputs["adtd"]
    )


@pytest.fixture(scope="module")
def inputs() -> dict[str, Any]:
    return made(changed=True)


@pytest.fixture(scope="module")
def found(inputs: dict[str, Any]) -> GroupRegulationResult:
    return compared(inputs)


def test_the_genes_that_are_regulated_in_one_group_are_found_and_no_others(
    found: GroupRegulationResult, inputs: dict[str, Any]
) -> None:
    called = found.called
    of_type = called[REGULATED_TYPE]
    assert sorted(called.index[of_type]) == sorted(inputs["regulated"])
    assert int(called.to_numpy().sum()) == len(inputs["regulated"])
    right = np.sign(found.difference.loc[inputs["regulated"], REGULATED_TYPE])
    assert right.tolist() == [1.0] * 4 + [-1.0] * 10
    assert found.fits()
    table = found.tables()["groups_regulation"]
    assert set(table.index[:14]) == set(inputs["regulated"])
    assert {"log2_control", "log2_treated", "difference", "p_adjusted"} <= set(table.columns)
    assert found.family > 100
    words = sentence(found)
    assert "14 genes are regulated differently between control (10) and treated (10)" in words
    assert REGULATED_TYPE in words


def test_nothing_is_found_where_the_groups_are_alike() -> None:
    result = compared(made(changed=False))
    assert not result.called.to_numpy().any()
    assert result.family > 100
    assert sentence(result).startswith("No gene is regulated differently")


def test_the_same_seed_gives_the_same_numbers(
    inputs: dict[str, Any], found: GroupRegulationResult
) -> None:
    again = compared(inputs)
    pd.testing.assert_frame_equal(again.p_adjusted, found.p_adjusted)
    other = compared(inputs, seed=2)
    pd.testing.assert_frame_equal(other.difference, found.difference)
    assert not other.p_adjusted.equals(found.p_adjusted)


def test_small_groups_are_fitted_but_not_tested() -> None:
    inputs = made(changed=True, count=6)
    bulk = inputs["dataset"].bulk
    obs = bulk.obs.assign(donor=["a", "a", "b", "c", "d", "e"])
    inputs["dataset"] = replace(inputs["dataset"], bulk=replace(bulk, obs=obs))
    result = compared(inputs, max_iterations=20)
    assert result.permutations == 0
    assert result.p_adjusted.isna().all(axis=None)
    assert any("fewer than 4" in note for note in result.notes)
    assert any("1 patient has more than one" in note for note in result.notes)
    assert set(result.regulation) == {"control", "treated"}


def test_a_run_without_regulation_is_refused() -> None:
    inputs = made(changed=False)
    inputs["adtd"] = replace(inputs["adtd"], gene_regulation=None)
    with pytest.raises(MissingPart, match="no gene regulation that could be compared"):
        compared(inputs)


def test_it_can_be_cancelled() -> None:
    inputs = made(changed=False)

    def stop(_stage: str, fraction: float | None = None, **_: Any) -> None:
        if fraction:
            raise JobCancelled("")

    params = GroupRegulationParams(column="arm", lambda2=1e-9)
    with pytest.raises(JobCancelled):
        run_group_regulation(
            inputs["dataset"], params, progress=stop, dtd=inputs["dtd"], adtd=inputs["adtd"]
        )


def test_adjusted_p_values_are_those_of_westfall_and_young_by_hand() -> None:
    differences = np.array([[[3.0, 0.0]], [[1.0, 0.0]], [[-1.0, 2.0]], [[0.0, 1.0]]])
    tested = np.array([[True, True]])
    spread = np.sqrt((differences**2).mean(axis=0))
    statistics = np.abs(differences) / (spread + np.median(spread))
    largest = statistics.max(axis=(1, 2))
    expected = [[(largest >= statistics[0, 0, k]).mean() for k in (0, 1)]]
    np.testing.assert_allclose(adjusted_p(differences, tested), expected)
    assert adjusted_p(differences, tested)[0, 1] == 1.0
    assert np.isnan(adjusted_p(differences, ~tested)).all()


def test_entries_that_never_vary_neither_win_nor_weigh() -> None:
    differences = np.array([[[3.0, 0.0]], [[1.0, 0.0]], [[-1.0, 0.0]], [[0.5, 0.0]]])
    tested = np.array([[True, True]])
    np.testing.assert_allclose(adjusted_p(differences, tested), [[0.25, 1.0]])
    np.testing.assert_allclose(adjusted_p(differences * 0, tested), [[1.0, 1.0]])
