"""The answer above the results: what makes it doubtful is seen without unfolding anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from gui.answers.second_opinion import contradiction_message, doubts
from gui.components.headline import Headline
from gui.data.example import make_example
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import STILL_FALLING
from gui.engine.tasks import run_adtd, run_dtd
from gui.pages.adtd.base import page


@pytest.fixture(scope="module")
def results() -> tuple[Any, Any]:
    data = make_example().dataset

    def quiet(*_: Any, **__: Any) -> None:
        pass

    dtd = run_dtd(
        data, DTDParams(iterations=5, train_mixtures=30, test_mixtures=30), progress=quiet
    )
    params = ADTDParams(model="h", max_iterations=1)
    return dtd, run_adtd(data, params, progress=quiet, dtd=dtd)


def contradicted(result: Any) -> Any:
    """The result, ten times as much of the first cell type as the two other estimates."""
    opinion = result.second_opinion
    estimate = opinion.estimate.copy()
    estimate.iloc[0] = 0.9
    others = {
        name: pd.DataFrame(0.01, index=frame.index, columns=frame.columns)
        for name, frame in (("markers", opinion.markers), ("relative", opinion.relative))
    }
    return replace(result, second_opinion=replace(opinion, estimate=estimate, **others))


def test_a_run_that_did_not_converge_says_so_in_sight(results: tuple[Any, Any]) -> None:
    _, adtd = results
    assert STILL_FALLING in doubts(adtd)
    assert STILL_FALLING not in doubts(replace(adtd, notes=[]))


@pytest.mark.parametrize("which", [0, 1], ids=["dtd", "adtd"])
def test_a_contradicted_type_is_named_in_sight(results: tuple[Any, Any], which: int) -> None:
    result = contradicted(results[which])
    message = contradiction_message(result.second_opinion)
    assert message
    assert message in doubts(result)
    parts = Headline(page, "run", details="remarks").parts(
        "Long; " * 50, [], [], weak=doubts(result)
    )
    assert message in str(parts["bar"])
    assert parts["answer"].title == "Long; " * 50, "the line is cut where it ends"
    assert Headline(page, "run").parts("Fine.", [], [])["bar"] is None
