"""The recommended analysis: the numbers of the pages' own steps, one bar, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Dataset
from gui.data.example import make_example
from gui.engine import recommended
from gui.engine.params import ADTDParams, BootstrapParams, DTDParams
from gui.engine.recommended import RecommendedParams, StepResults, run_recommended
from gui.engine.tasks import run_adtd, run_bootstrap, run_dtd
from gui.errors import EngineFailed, JobCancelled, MissingPart

PARAMS = RecommendedParams(genes=60, iterations=5, mixtures=30, replicates=20, seed=4)


class Bar:
    """Remembers what was reported; cancels at a stage."""

    def __init__(self, cancel_at: str = "nowhere") -> None:
        self.cancel_at = cancel_at
        self.fractions: list[float] = []
        self.stages: list[str] = []

    def __call__(self, stage: str, fraction: float | None = None, **_: Any) -> None:
        if self.cancel_at in stage:
            raise JobCancelled("cancelled")
        assert fraction is not None
        self.stages.append(stage)
        self.fractions.append(fraction)


def silent(*_: Any, **__: Any) -> None:
    pass


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return make_example().dataset


@pytest.fixture(scope="module")
def bar() -> Bar:
    return Bar()


@pytest.fixture(scope="module")
def found(dataset: Dataset, bar: Bar) -> StepResults:
    return run_recommended(dataset, PARAMS, progress=bar)


def test_every_number_is_that_of_the_step_on_its_own_page(
    dataset: Dataset, found: StepResults
) -> None:
    dtd = run_dtd(
        dataset,
        DTDParams(genes=60, iterations=5, train_mixtures=30, test_mixtures=30, seed=4),
        progress=silent,
    )
    adtd = run_adtd(dataset, ADTDParams(), progress=silent, dtd=dtd)
    sure = run_bootstrap(
        dataset, BootstrapParams(replicates=20, seed=4), progress=silent, dtd=dtd, adtd=adtd
    )
    by_kind = {step.kind: step for step in found.steps}
    assert list(by_kind) == ["dtd", "adtd", "bootstrap"]
    pd.testing.assert_frame_equal(
        by_kind["dtd"].result.composition["bulk"], dtd.composition["bulk"]
    )
    pd.testing.assert_series_equal(by_kind["dtd"].result.gene_weights, dtd.gene_weights)
    pd.testing.assert_frame_equal(by_kind["dtd"].result.fit["bulk"], dtd.fit["bulk"])
    pd.testing.assert_frame_equal(by_kind["adtd"].result.full(), adtd.full())
    pd.testing.assert_frame_equal(by_kind["adtd"].result.fit, adtd.fit)
    np.testing.assert_array_equal(by_kind["bootstrap"].result.draws, sure.draws)
    pd.testing.assert_frame_equal(by_kind["bootstrap"].result.low, sure.low)


def test_by_default_each_step_has_the_defaults_of_its_page() -> None:
    params = RecommendedParams()
    assert params.dtd() == DTDParams()
    assert params.adtd() == ADTDParams()
    assert params.bootstrap() == BootstrapParams()


def test_one_bar_goes_forward_through_all_steps(found: StepResults, bar: Bar) -> None:
    assert bar.fractions == sorted(bar.fractions)
    assert 0 <= bar.fractions[0] < 0.1
    assert bar.fractions[-1] > 0.9
    for place in (1, 2, 3):
        assert any(stage.startswith(f"Step {place} of 3: ") for stage in bar.stages)


def test_what_was_decided_is_said(found: StepResults) -> None:
    for word in ("60 genes", "5 iterations", "30 pseudobulks", "hidden background", "20 bootstrap"):
        assert word in found.remark


def test_a_cancel_leaves_nothing(dataset: Dataset) -> None:
    with pytest.raises(JobCancelled):
        run_recommended(dataset, PARAMS, progress=Bar("Step 2 of 3"))


def test_a_later_step_that_fails_keeps_those_before(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise EngineFailed("There is no background.", advice="Use more genes.")

    monkeypatch.setattr(recommended, "run_adtd", failing)
    found = run_recommended(dataset, PARAMS, progress=silent)
    assert [step.kind for step in found.steps] == ["dtd"]
    assert found.failure is not None
    assert found.failure[1:3] == ("There is no background.", "Use more genes.")
    assert "hidden" not in found.remark


def test_a_first_step_that_fails_is_the_error(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise EngineFailed("Nothing was learned.")

    monkeypatch.setattr(recommended, "run_dtd", failing)
    with pytest.raises(EngineFailed, match="Nothing was learned"):
        run_recommended(dataset, PARAMS, progress=silent)


@pytest.mark.parametrize("part", ["train", "bulk"])
def test_data_without_cells_or_bulk_are_refused_before_anything_is_computed(
    dataset: Dataset, part: str
) -> None:
    bar = Bar()
    with pytest.raises(MissingPart):
        run_recommended(replace(dataset, **{part: None}), PARAMS, progress=bar)
    assert not bar.stages
