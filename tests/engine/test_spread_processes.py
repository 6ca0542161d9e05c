"""Processes that compute tasks: lost ones, those of a worker process, and what they leave behind
(nothing).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from gui.engine.parallel import child, local, parallel_map
from gui.errors import EngineFailed, JobError
from gui.jobs.runner import JobRunner
from tests.engine.spreading import alive, cores, program, tasks
from tests.processes import spread_pids, worker_pids
from tests.waiting import until

# ----------------------------------------------------------------------------------- lost processes


def test_item_of_a_killed_process_is_computed_again(tmp_path: Path) -> None:
    cores(2)
    for n in range(2):
        (tmp_path / f"death{n}").touch()
    seen: list[int] = []
    assert parallel_map(
        tasks.die, range(4), shared=tmp_path, on_step=lambda index, value: seen.append(index)
    ) == [0, 10, 20, 30]
    assert seen.count(1) == 3


def test_item_that_always_kills_its_process_fails_with_a_sentence_and_the_others_do_not(
    tmp_path: Path,
) -> None:
    cores(2)
    for n in range(9):
        (tmp_path / f"death{n}").touch()
    found = parallel_map(tasks.die, range(4), shared=tmp_path, keep_errors=True)
    assert [found[0], found[2], found[3]] == [0, 20, 30]
    assert isinstance(found[1], EngineFailed)
    assert "several times" in str(found[1])
    assert len(list(tmp_path.iterdir())) == 9 - 3


def test_idle_process_that_was_killed_is_replaced() -> None:
    cores(2)
    parallel_map(tasks.slow_where, range(2))
    killed = spread_pids()
    for pid in killed:
        psutil.Process(pid).kill()
        until(lambda pid=pid: not alive(pid))
    assert [item for item, _ in parallel_map(tasks.slow_where, range(3))] == [0, 1, 2]
    assert not set(killed) & set(spread_pids())


def test_where_no_process_can_be_started_everything_is_computed_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    local._pool._end_idle()

    def refuse() -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(local, "Child", refuse)
    cores(2)
    assert parallel_map(tasks.where, range(3)) == [(n, os.getpid()) for n in range(3)]


def test_processes_that_end_at_once_are_an_error_and_not_started_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    local._pool._end_idle()
    monkeypatch.setattr(child, "main", tasks.dead_at_once)
    cores(2)
    with pytest.raises(JobError, match="end as soon as they start"):
        parallel_map(tasks.where, range(3))


# ------------------------------------------------------------------------------ in a worker process


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    found = Jobs()
    found.runner.start()
    yield found
    found.runner.stop()


class Jobs:
    """A runner and its results."""

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.runner = JobRunner(
            lambda status, result, *more: self.results.append(result), warm_up=None
        )

    def submit(self, folder: Path | str) -> str:
        return self.runner.submit(
            tasks.run_in_job, "s", str(folder), dataset=None, kind="k", title="t"
        )

    def running(self, folder: Path) -> tuple[str, list[int]]:
        """A job that goes on for ever, and the processes that compute it."""
        job, file = self.submit(folder), folder / "processes"
        until(lambda: file.exists() and file.read_text(encoding="utf-8"))
        return job, [int(word) for word in file.read_text(encoding="utf-8").split()]


def test_job_in_the_worker_process_spreads_over_processes_of_its_own(jobs: Jobs) -> None:
    status = jobs.runner.wait(jobs.submit(""), 60)
    assert status.state == "done", status.error
    [result] = jobs.results
    jobs.runner.stop()
    pids = {pid for _, pid in result["found"]}
    assert len(pids) == 2
    assert result["here"] not in {*pids, os.getpid()}
    until(lambda: not any(map(alive, pids)))  # with the worker


def test_killed_worker_process_takes_its_processes_along(jobs: Jobs, tmp_path: Path) -> None:
    job, pids = jobs.running(tmp_path)
    [worker] = worker_pids(jobs.runner)
    assert all(map(alive, pids))
    assert {psutil.Process(pid).ppid() for pid in pids} == {worker}
    psutil.Process(worker).kill()
    until(lambda: not any(map(alive, pids)))
    assert jobs.runner.wait(job, 30).state == "failed"


def test_cancelled_job_ends_its_processes_and_keeps_its_worker(jobs: Jobs, tmp_path: Path) -> None:
    job, pids = jobs.running(tmp_path)
    workers = worker_pids(jobs.runner)
    assert jobs.runner.cancel(job)
    assert jobs.runner.wait(job, 30).state == "cancelled"
    assert not any(map(alive, pids))
    assert worker_pids(jobs.runner) == workers


# ------------------------------------------------------------------------------------------ no port


OFFLINE = """
import os, socket, sys
import psutil
import spread_tasks as tasks
from gui.engine import compute_settings
from gui.engine.parallel import child, parallel_map

def listening():
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return [c for one in family for c in one.net_connections(kind="inet")]

def main():
    compute_settings.set_compute_settings(compute_settings.ComputeSettings(cores=2))
    seen = []
    found = parallel_map(tasks.slow_where, range(4), on_step=lambda index, value: seen.extend(listening()))
    assert len({pid for _, pid in found}) == 2
    print(len(seen), len(listening()), sorted({"dask", "distributed", "tornado", "torch", "deconomix"} & set(sys.modules)))
    with socket.create_server(("127.0.0.1", 0)):
        print(len(listening()))

if __name__ == "__main__":
    main()
"""


def test_without_a_scheduler_no_port_is_opened_and_dask_is_not_imported() -> None:
    assert program(OFFLINE).splitlines() == ["0 0 []", "1"]
