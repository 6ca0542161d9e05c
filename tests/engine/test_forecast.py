"""The memory a step is said to need: held against what it really took, and refused in a
sentence.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui.data.example import make_example
from gui.engine import forecast, memory, tasks
from gui.engine.params import BootstrapParams, DTDParams
from gui.errors import InvalidParameter

PROGRAM = Path(__file__).parent / "peak.py"


@pytest.mark.skipif(
    not sys.platform.startswith("linux"),
    reason="the peak of a process is told in other units elsewhere",
)
@pytest.mark.parametrize(
    "step",
    [
        pytest.param("stock dtd 3000 500 60", marks=pytest.mark.slow),  # ruled by the mixtures
        pytest.param("stock h 4000 5 5", marks=pytest.mark.slow),  # by genes x genes matrices
        "fast dtd 10000 1000 20",  # by the mixtures that are kept
        # by the solver of the gene regulation
        pytest.param("fast h,r 60000 5 5", marks=pytest.mark.slow),
    ],
)
def test_forecast_is_above_what_a_real_run_takes_and_not_far_above(step: str) -> None:
    done = subprocess.run(
        [sys.executable, PROGRAM, *step.split()],
        cwd=PROGRAM.parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["taken"] < found["forecast"] < 4 * found["taken"]


@pytest.mark.parametrize("engine", ["fast", "stock"])
def test_a_step_that_does_not_fit_is_refused_with_both_numbers(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_example().dataset
    check: Callable[..., Any] = forecast.check_memory
    needed, genes = forecast.dtd_bytes(data, DTDParams(), engine)
    monkeypatch.setattr(memory, "available_memory", lambda: int(needed) - 1_000_000)
    with pytest.raises(
        InvalidParameter,
        match=(
            rf"DTD with {genes} genes .* needs about \d+\.\d GB of memory, but only \d+\.\d GB are"
            r" free"
        ),
    ):
        check(tasks.run_dtd, data, DTDParams(), {}, engine)
    # fewer mixtures fit
    check(tasks.run_dtd, data, DTDParams(train_mixtures=10, test_mixtures=10), {}, engine)
    monkeypatch.setattr(memory, "available_memory", lambda: int(needed) + 1_000_000)
    check(tasks.run_dtd, data, DTDParams(), {}, engine)  # and so does the same where there is room


def test_intervals_that_do_not_fit_are_refused(
    monkeypatch: pytest.MonkeyPatch, trained: Any, make: Callable[..., Any]
) -> None:
    data, check = make(), forecast.check_memory
    needed, _ = forecast.bootstrap_bytes(data, BootstrapParams(replicates=1000), trained, "fast")
    monkeypatch.setattr(memory, "available_memory", lambda: int(needed) - 1)
    with pytest.raises(
        InvalidParameter, match=r"1000 replicates with 50 genes needs? about \d+\.\d GB of memory"
    ):
        check(tasks.run_bootstrap, data, BootstrapParams(replicates=1000), {"dtd": trained}, "fast")
    check(tasks.run_bootstrap, data, BootstrapParams(replicates=20), {"dtd": trained}, "fast")
