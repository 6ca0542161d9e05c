"""The search over several processes: the numbers, the progress and the cancel of one process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.engine import compute_settings, search
from gui.engine.compute_settings import ComputeSettings
from gui.engine.fast import adtd_solver
from gui.engine.parallel import local
from gui.errors import EngineFailed, JobCancelled
from tests.engine import both

LAMBDAS = [float(v) for v in np.logspace(-14, 0, 7)]


@pytest.fixture(autouse=True)
def _worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "WORTH", 0.0)  # so small a search would be computed here


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many processes each call was given."""
    counts: list[int] = []
    run = local.run
    monkeypatch.setattr(
        local, "run", lambda cores, *more: (counts.append(cores), run(cores, *more))[1]
    )
    return counts


def searched(cores: int, progress: Any = both.quiet) -> pd.DataFrame:
    reference, bulk, _ = both.made(60, 3, 12)
    compute_settings.set_compute_settings(ComputeSettings(cores=cores))
    return search.cross_validate(reference, bulk, lambdas=LAMBDAS, folds=2, progress=progress)


def test_two_and_four_processes_give_the_numbers_of_one_and_true_progress(
    started: list[int],
) -> None:
    alone = searched(1)
    assert started == []
    seen: list[tuple[float, int]] = []
    two = searched(2, lambda stage, fraction, *, count, limit: seen.append((fraction, count)))
    four = searched(4)  # each fold in two pieces
    assert started == [2, 4]
    pd.testing.assert_frame_equal(two, alone, check_exact=True)
    pd.testing.assert_frame_equal(four, alone, check_exact=True)
    assert seen == sorted(seen)
    assert seen[-1] == (1.0, 14)
    assert {count for _, count in seen} >= {0, 7, 14}


def test_a_cancel_ends_the_processes(started: list[int]) -> None:
    def cancels(stage: str, fraction: float, *, count: int, limit: int) -> None:
        if count >= 3:
            raise JobCancelled("The step was cancelled.")

    with pytest.raises(JobCancelled):
        searched(2, cancels)
    # and the next search runs
    pd.testing.assert_frame_equal(searched(2), searched(1), check_exact=True)


def test_a_search_that_cannot_be_solved_anywhere_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise EngineFailed("no solution", advice="another lambda2")

    monkeypatch.setattr(adtd_solver.Regulation, "solve", fails)
    with pytest.raises(EngineFailed, match="no solution"):
        searched(1)
