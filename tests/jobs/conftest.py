"""Real runners with real worker processes, and the tasks file loaded by path as a plug-in is."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Cells, Dataset, Matrix
from gui.jobs.runner import JobRunner
from gui.jobs.status import JobStatus
from tests.processes import worker_pids
from tests.waiting import until

HERE = Path(__file__).parent


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"dcx_plugin_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


TASKS = load("tasks_for_tests")


class Sink:
    """Receives results as the application does."""

    def __init__(self) -> None:
        self.delivered: list[tuple[JobStatus, Any, Mapping[str, str], float]] = []
        self.refuse: Exception | None = None

    def __call__(
        self, status: JobStatus, result: Any, versions: Mapping[str, str], seconds: float
    ) -> str | None:
        if self.refuse is not None:
            raise self.refuse
        self.delivered.append((status, result, versions, seconds))
        return f"run-{len(self.delivered)}"

    def result(self, job_id: str) -> Any:
        return next(result for status, result, _, _ in self.delivered if status.id == job_id)


class Bench:
    """A runner, what it delivered, and short ways to use it."""

    def __init__(self, **options: Any) -> None:
        self.sink = Sink()
        self.runner = JobRunner(self.sink, **{"warm_up": None, **options})
        self.dataset = dataset()

    def submit(
        self, task: Callable[..., Any], session: str = "s", params: Any = None, **options: Any
    ) -> str:
        given = {"dataset": self.dataset, "kind": "test", "title": task.__name__, **options}
        return self.runner.submit(task, session, params, **given)

    def ended(self, job_id: str) -> JobStatus:
        status = self.runner.wait(job_id, 30)
        assert not status.active, f"{status.title} hangs in {status.state}, {status.stage}"
        return status

    def run(
        self, task: Callable[..., Any], session: str = "s", params: Any = None, **options: Any
    ) -> Any:
        """The result of a job that must succeed."""
        status = self.ended(self.submit(task, session, params, **options))
        assert status.state == "done", repr(status.error)
        return self.sink.result(status.id)

    def error(self, task: Callable[..., Any], params: Any = None, **options: Any) -> Exception:
        """The error of a job that must fail."""
        status = self.ended(self.submit(task, params=params, **options))
        assert status.state == "failed"
        assert status.run_id is None
        assert status.error is not None
        return status.error

    until = staticmethod(until)

    def status(self, job_id: str) -> JobStatus:
        return next(s for s in self.runner.status() if s.id == job_id)


def dataset(name: str = "small") -> Dataset:
    genes, cells = (
        pd.Index([f"gene{i}" for i in range(6)]),
        pd.Index([f"cell{i}" for i in range(4)]),
    )
    train = Cells(
        Matrix(np.arange(24.0).reshape(6, 4), genes, cells),
        np.array(["a", "a", "b", "b"]),
        pd.DataFrame(index=cells),
    )
    return Dataset(train, None, name=name)


@pytest.fixture(scope="module", autouse=True)
def _started_as_by_the_program(spawned_processes: None) -> None:
    """What these tests are about is how processes start and end."""


@pytest.fixture(scope="session")
def tasks() -> ModuleType:
    return TASKS


@pytest.fixture
def make_dataset() -> Callable[[str], Dataset]:
    return dataset


@pytest.fixture(scope="module")
def shared() -> Iterator[Bench]:
    """One runner for the tests that leave it as they found it (a worker takes a while to start)."""
    bench = Bench()
    bench.runner.start()
    yield bench
    bench.runner.stop()


@pytest.fixture
def bench(shared: Bench) -> Bench:
    shared.sink.delivered.clear()
    shared.sink.refuse = None
    shared.dataset = dataset()
    return shared


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    """Runners of one's own; not started."""
    made: list[Bench] = []

    def make(**options: Any) -> Bench:
        made.append(Bench(**options))
        return made[-1]

    yield make
    for bench in made:
        bench.runner.stop()
        assert worker_pids(bench.runner) == []
