"""Robustness: the variants are the runs that a user would get, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.robustness import (
    DONORS,
    GENES,
    LEFT_OUT,
    SEED,
    RobustnessParams,
    RobustnessResult,
    donor_splits,
    run_robustness,
)
from gui.data.dataset import HIDDEN, Dataset
from gui.data.example import make_example
from gui.engine import compute_settings, tasks
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import ADTDResult, DTDResult
from gui.engine.variants import gene_counts, with_sum_one
from gui.errors import InvalidParameter, JobCancelled, MissingPart

PARAMS = DTDParams(genes=100, iterations=30, train_mixtures=60, test_mixtures=5)


def quiet(*_: Any, **__: Any) -> None: ...


@pytest.fixture(autouse=True, scope="module")
def one_core() -> Iterator[None]:
    before = compute_settings.get_compute_settings()
    compute_settings.set_compute_settings(replace(before, cores=1))
    yield
    compute_settings.set_compute_settings(before)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return make_example().dataset


@pytest.fixture(scope="module")
def dtd(data: Dataset) -> DTDResult:
    return tasks.run_dtd(data, PARAMS, progress=quiet)


@pytest.fixture(scope="module")
def adtd(data: Dataset, dtd: DTDResult) -> ADTDResult:
    return tasks.run_adtd(data, ADTDParams(), progress=quiet, dtd=dtd)


@pytest.fixture(scope="module")
def found(data: Dataset, dtd: DTDResult, adtd: ADTDResult) -> RobustnessResult:
    params = RobustnessParams(seeds=2)
    return run_robustness(data, params, progress=quiet, dtd=dtd, adtd=adtd)


def test_a_gene_count_gives_what_a_run_with_it_gives(
    data: Dataset, found: RobustnessResult
) -> None:
    rows = found.variants[found.variants["kind"] == GENES]
    assert list(rows["genes"]) == [30, 50, 75, 150, 200]
    for at in (rows.index[0], rows.index[-1]):
        count = int(found.variants.loc[at, "genes"])
        again = tasks.run_dtd(data, PARAMS.model_copy(update={"genes": count}), progress=quiet)
        full = tasks.run_adtd(data, ADTDParams(), progress=quiet, dtd=again).full()
        assert np.array_equal(found.values[at], with_sum_one(full).to_numpy())


@pytest.mark.parametrize(
    "options", [{"gene_weights": "inverse"}, {"model": "h,r", "lambda2": 1e-6}]
)
def test_every_model_is_computed_again_as_it_was(
    data: Dataset, dtd: DTDResult, options: dict[str, Any]
) -> None:
    params = ADTDParams(**options)
    run = tasks.run_adtd(data, params, progress=quiet, dtd=dtd)
    only_seeds = RobustnessParams(genes=False, left_out=False, donors=False, seeds=1)
    result = run_robustness(data, only_seeds, progress=quiet, dtd=dtd, adtd=run)
    other = PARAMS.model_copy(update={"seed": PARAMS.seed + 2})
    again = tasks.run_dtd(data, other, progress=quiet)
    full = tasks.run_adtd(data, params, progress=quiet, dtd=again).full()
    assert np.abs(result.values[0] - with_sum_one(full).to_numpy()).max() < 1e-12


def test_dtd_alone_has_no_hidden_row_and_naive_no_seed(data: Dataset) -> None:
    naive = tasks.run_naive(data, PARAMS, progress=quiet)
    result = run_robustness(data, RobustnessParams(seeds=2), progress=quiet, dtd=naive)
    assert HIDDEN not in result.base.index
    assert SEED not in result.kinds
    assert any("seed plays no part" in note for note in result.notes)
    assert result.hidden_range() is None


def test_a_lost_fraction_is_found_again_to_the_last_percent(found: RobustnessResult) -> None:
    leakage = found.leakage()
    assert list(leakage.index) == list(found.base.index[:-1])
    known = leakage.dropna(how="all")
    assert len(known) >= 4
    assert np.allclose(known.sum(axis=1), 1.0, atol=1e-9)
    for name in known.index:
        assert np.isnan(known.loc[name, name])


def test_a_rare_type_says_nothing_of_where_it_goes(found: RobustnessResult) -> None:
    base = found.base.copy()
    base.iloc[0] *= 1e-3
    assert replace(found, base=base).leakage().iloc[0].isna().all()


def test_a_type_that_is_kept_apart_moves_to_its_twin() -> None:
    names = ["A", "B", "C"]
    base = pd.DataFrame([[0.5, 0.3], [0.3, 0.3], [0.2, 0.4]], names, ["s1", "s2"])
    to_b = np.array([[np.nan, np.nan], [0.8, 0.6], [0.2, 0.4]])
    variants = pd.DataFrame(
        {"kind": [LEFT_OUT], "name": ["no A"], "genes": [10], "left_out": ["A"]}
    )
    result = RobustnessResult(base, to_b[None], variants, 10)
    assert result.leakage().loc["A", ["B", "C"]].tolist() == pytest.approx([1.0, 0.0])


def test_ranges_medians_and_ranks_are_as_defined() -> None:
    base = pd.DataFrame([[0.1, 0.2, 0.3], [0.9, 0.8, 0.7]], ["A", HIDDEN], ["s1", "s2", "s3"])
    values = np.array(
        [
            [[0.1, 0.2, 0.3], [0.9, 0.8, 0.7]],
            [[0.3, 0.2, 0.1], [0.7, 0.8, 0.9]],
        ]
    )
    variants = pd.DataFrame(
        {"kind": [GENES] * 2, "name": ["5", "20"], "genes": [5, 20], "left_out": ["", ""]}
    )
    result = RobustnessResult(base, values, variants, 10)
    row = result.summary().iloc[0]
    assert row["range"] == pytest.approx(0.2)
    assert row["iqr"] == pytest.approx(0.1)
    assert (row["rank"], row["rank_lowest"]) == (pytest.approx(0.0), pytest.approx(-1.0))
    ranges = result.hidden_range()
    assert ranges is not None
    assert ranges.loc["s1"].tolist() == pytest.approx([0.7, 0.9])
    assert result.unstable() == []
    values[1, 1, 0] = 0.5
    assert replace(result, values=values).unstable() == ["s1"]
    assert list(result.gene_count_table().index) == [5, 10, 20]


@pytest.mark.parametrize(
    ("used", "available", "expected"),
    [
        (1000, 5000, [300, 500, 750, 1500, 2000]),
        (1000, 1000, [300, 500, 600, 750, 900]),
        (1000, 1200, [300, 500, 750, 900, 1200]),
        (10, 10, [9]),
    ],
)
def test_five_gene_counts_within_what_there_is(
    used: int, available: int, expected: list[int]
) -> None:
    assert gene_counts(used, available, 8) == expected


def test_donors_are_left_out_whole(data: Dataset, dtd: DTDResult) -> None:
    assert data.train is not None
    count = len(data.train.labels)
    donors = np.array([f"D{i % 7}" for i in range(count)], dtype=object)
    donors[0] = None
    obs = pd.DataFrame({"donor_id": donors, "batch": "x"})
    data = replace(data, train=replace(data.train, obs=obs))
    splits, said = donor_splits(data)
    assert len(splits) == 5
    assert "column donor_id, 7 in 5 parts" in said
    assert "1 cells without a donor" in said or "1 cell" in said
    for part in splits:
        inside = set(donors[list(part)])
        assert not inside & set(np.delete(donors, list(part)))
    only = RobustnessParams(genes=False, seeds=0, left_out=False)
    result = run_robustness(data, only, progress=quiet, dtd=dtd)
    assert result.kinds == (DONORS,)
    assert len(result.variants) == 5
    assert not result.variants["name"].str.contains("D[0-9]").any()
    with pytest.raises(InvalidParameter, match="no column elsewhere"):
        donor_splits(data, "elsewhere")


def test_a_variant_that_cannot_be_computed_is_named_and_the_others_stay(
    data: Dataset, dtd: DTDResult
) -> None:
    assert data.train is not None
    # one donor has all B cells: without it they cannot be trained on
    labels = data.train.labels
    donors = np.where(labels == "B cells", "X", np.where(np.arange(len(labels)) % 2, "Y", "Z"))
    data = replace(data, train=replace(data.train, obs=pd.DataFrame({"patient": donors})))
    only = RobustnessParams(genes=False, seeds=0, left_out=False)
    result = run_robustness(data, only, progress=quiet, dtd=dtd)
    assert len(result.variants) == 2
    assert any(note.startswith("Not computed with donors without part") for note in result.notes)


def test_donors_with_all_cells_of_a_type_are_not_left_out(data: Dataset) -> None:
    # without a reference of its own the type would be missing, and others take up its fraction
    assert data.train is not None
    labels = data.train.labels
    donors = np.where(labels == "B cells", "X", np.where(np.arange(len(labels)) % 2, "Y", "Z"))
    train = replace(data.train, obs=pd.DataFrame({"patient": donors}))
    data = replace(data, train=train, reference=None)
    run = tasks.run_dtd(data, PARAMS, progress=quiet)
    only = RobustnessParams(genes=False, seeds=0, left_out=False)
    result = run_robustness(data, only, progress=quiet, dtd=run)
    assert len(result.variants) == 2
    assert np.isfinite(result.values).all()
    assert any("no cells of B cells are left" in note for note in result.notes)


def test_it_can_be_cancelled_and_says_how_far_it_is(data: Dataset, dtd: DTDResult) -> None:
    seen = []

    def progress(_stage: str, fraction: float | None = None, **more: Any) -> None:
        seen.append(more.get("count", 0))
        if more.get("count") == 2:
            raise JobCancelled("cancelled")

    with pytest.raises(JobCancelled):
        run_robustness(data, RobustnessParams(left_out=False), progress=progress, dtd=dtd)
    assert max(seen) == 2


def test_what_is_missing_is_said(data: Dataset, dtd: DTDResult) -> None:
    for changed, run, words in (
        (data, None, "no composition"),
        (replace(data, train=None, test=None), dtd, "no longer holds the single cells"),
        (data, replace(dtd, params=None), "loaded model"),
    ):
        with pytest.raises(MissingPart, match=words):
            run_robustness(changed, RobustnessParams(), progress=quiet, dtd=run)
    none = RobustnessParams(genes=False, seeds=0, left_out=False, donors=False)
    with pytest.raises(InvalidParameter, match="nothing to change"):
        run_robustness(data, none, progress=quiet, dtd=dtd)
