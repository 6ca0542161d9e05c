"""Workers as processes: warm-up, kill -9 on either side, stopping, more than one."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psutil
import pytest

from gui.errors import JobError, WorkerDied
from gui.jobs import runner
from gui.jobs.record import STARTING
from tests.processes import worker_pids

Bench = Any
HERE = Path(__file__).parent


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file the warm-ups look at; they are importable in the workers."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("DCX_TEST_GATE", str(tmp_path / "gate"))
    return tmp_path / "gate"


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kill(pid: int) -> None:
    psutil.Process(pid).kill()


# ------------------------------------------------------------------------------------------ warm-up


def test_job_says_that_the_engine_starts_until_the_worker_is_warm(
    make_bench: Callable[..., Bench], tasks: ModuleType, gate: Path
) -> None:
    bench = make_bench(warm_up="warm_ups:slow")
    bench.runner.start()
    job = bench.submit(tasks.pid)
    bench.until(lambda: bench.status(job).state == "running")
    assert (bench.status(job).stage, bench.status(job).position) == (STARTING, 0)
    impatient = bench.submit(tasks.pid)
    assert bench.status(impatient).position == 1
    assert bench.runner.cancel(job)
    assert bench.runner.wait(job, 0).state == "cancelled"  # at once: nothing has been computed yet
    gate.touch()
    assert bench.ended(impatient).state == "done"
    _, _, versions, _ = bench.sink.delivered[0]
    assert versions == {"engine": "1.2"}


def test_worker_whose_warm_up_fails_still_works(
    make_bench: Callable[..., Bench], tasks: ModuleType, gate: Path
) -> None:
    bench = make_bench(warm_up="warm_ups:broken")
    bench.runner.start()
    assert bench.run(tasks.pid)


def test_worker_that_crashes_at_the_start_fails_the_job_and_is_not_started_for_ever(
    make_bench: Callable[..., Bench], tasks: ModuleType, gate: Path
) -> None:
    bench = make_bench(warm_up="warm_ups:crashing")
    bench.runner.start()
    error = bench.error(tasks.pid, title="DTD")
    assert type(error) is WorkerDied
    assert str(error) == "The worker process ended unexpectedly before “DTD” could start."
    bench.until(lambda: worker_pids(bench.runner) == [])
    tried = len(gate.read_text(encoding="utf-8"))
    assert tried <= 3  # one idle start, two for the job
    assert type(bench.error(tasks.pid)) is WorkerDied
    assert len(gate.read_text(encoding="utf-8")) <= tried + 2


def test_a_worker_that_cannot_be_started_fails_the_job_in_a_sentence(
    make_bench: Callable[..., Bench], tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As multiprocessing says it where the program's main module cannot be imported again."""
    tried = []

    def refuse(*_: Any) -> None:
        tried.append(1)
        raise RuntimeError(
            "An attempt has been made to start a new process before the current process has"
            " finished its bootstrapping phase."
        )

    monkeypatch.setattr(runner, "WorkerProcess", refuse)
    bench = make_bench(warm_up=None)
    bench.runner.start()
    error = bench.error(tasks.pid)
    assert str(error) == "The worker process could not be started."
    assert len(tried) <= 2


def test_an_error_that_comes_again_and_again_is_neither_tried_nor_logged_without_a_pause(
    make_bench: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pauses: list[float] = []
    enough = threading.Event()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 100:
            enough.set()
            bench.runner._stopping = True

    def fail(_: object) -> float:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(runner.JobRunner, "_assign", fail)
    monkeypatch.setattr(runner, "time", SimpleNamespace(sleep=pause))
    bench = make_bench(warm_up=None)
    bench.runner.start()
    assert enough.wait(30)
    assert pauses[0] < pauses[1] < pauses[2] == pauses[99] == runner.PAUSES[-1]
    # 1, 2, 4 ... 64
    assert sum("in the job runner" in record.getMessage() for record in caplog.records) == 7


def test_real_warm_up_loads_the_engine_and_tells_versions(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    pytest.importorskip("gui.engine.tasks")
    from gui.jobs.runner import WARM_UP

    bench = make_bench(warm_up=WARM_UP)
    bench.runner.start()
    status = bench.runner.wait(bench.submit(tasks.surroundings), 120)
    assert status.state == "done"
    _, result, versions, _ = bench.sink.delivered[0]
    assert {"quadprog", "clarabel", "gui.engine.adtd"} <= set(result["modules"])
    assert not {"dash", "torch", "deconomix"} & set(result["modules"])
    assert versions["deconomix"] == "1.0.2"
    assert set(bench.run(tasks.threads)) == {1}


# ------------------------------------------------------------------------------------------ kill -9


def test_killed_worker_fails_its_job_and_the_next_one_runs(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    bench = make_bench()
    bench.runner.start()
    job, following = (
        bench.submit(tasks.nap, params=tasks.Wish(seconds=60)),
        bench.submit(tasks.pid, "other"),
    )
    bench.until(lambda: bench.status(job).stage == "Napping")
    [pid] = worker_pids(bench.runner)
    kill(pid)
    status = bench.ended(job)
    assert (status.state, type(status.error)) == ("failed", WorkerDied)
    assert bench.ended(following).state == "done"
    assert bench.sink.result(following) != pid
    assert not alive(pid)


def test_worker_killed_while_idle_is_replaced_and_no_job_fails(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    bench = make_bench()
    bench.runner.start()
    first = bench.run(tasks.pid)
    kill(first)
    second = bench.run(tasks.pid)
    assert second != first
    kill(second)
    bench.until(lambda: worker_pids(bench.runner) not in ([], [second]))  # without a job, too


def test_task_that_does_not_react_to_a_cancel_is_killed_after_the_grace_period(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    bench = make_bench(grace=0.2)
    bench.runner.start()
    job = bench.submit(tasks.deaf, params=tasks.Wish(seconds=600))
    following = bench.submit(tasks.describe)
    bench.until(lambda: bench.status(job).stage == "Deaf")
    [pid] = worker_pids(bench.runner)
    assert bench.runner.cancel(job)
    assert bench.runner.cancel(job)  # asking twice is no mistake
    assert bench.ended(job).state == "cancelled"
    assert bench.ended(following).state == "done"
    bench.until(lambda: not alive(pid))
    assert [status.id for status, *_ in bench.sink.delivered] == [following]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGSTOP")
def test_frozen_worker_can_be_cancelled_and_is_replaced(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    bench = make_bench(grace=0.2)
    bench.runner.start()
    pid = bench.run(tasks.pid)
    os.kill(pid, signal.SIGSTOP)
    job = bench.submit(tasks.pid)
    bench.until(lambda: bench.status(job).state == "running")
    assert bench.runner.cancel(job)
    assert bench.ended(job).state == "cancelled"
    assert bench.run(tasks.pid) != pid
    bench.until(lambda: not alive(pid))


SERVER = """
import sys, time
{imports}
from gui.jobs.runner import JobRunner
import server_tasks

def main():
    done = []
    runner = JobRunner(lambda status, result, *more: done.append(result), warm_up=None)
    runner.start()
    job = runner.submit(server_tasks.{task}, "s", dataset=None, kind="k", title="t")
    {then}

if __name__ == "__main__":
    main()
"""
TASKS = """
import sys, time

def sit(dataset, params, *, progress):
    progress("Sitting")
    time.sleep(600)

def threads(dataset, params, *, progress):
    early = "numpy" in sys.modules
    import numpy, scipy.linalg
    from threadpoolctl import threadpool_info
    scipy.linalg.inv(numpy.eye(3))
    return early, [library["num_threads"] for library in threadpool_info()]
"""
SIT = """while runner.status()[0].stage != "Sitting":
        time.sleep(0.01)
    print(*[slot.worker.pid for slot in runner._slots if slot.worker], flush=True)
    """


def server(
    folder: Path, task: str, then: str, *, imports: str = "", **environment: str
) -> subprocess.Popen[str]:
    """A program of its own with a runner."""
    (folder / "server_tasks.py").write_text(TASKS, encoding="utf-8")
    (folder / "server.py").write_text(
        SERVER.format(task=task, then=then, imports=imports), encoding="utf-8"
    )
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), **environment}
    return subprocess.Popen(
        [sys.executable, str(folder / "server.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def pids_of(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr and process.stderr.read()
    return [int(word) for word in line.split()]


def test_killed_server_takes_its_worker_along(
    tmp_path: Path, make_bench: Callable[..., Bench]
) -> None:
    process = server(tmp_path, "sit", SIT + "time.sleep(600)")
    with process:
        [pid] = pids_of(process)
        family = psutil.Process(process.pid).children(recursive=True)
        assert pid in [child.pid for child in family]
        assert alive(pid)
        process.kill()
    make_bench().until(lambda: not any(alive(child.pid) for child in family))


def test_server_that_ends_without_stop_leaves_nothing_behind(
    tmp_path: Path, make_bench: Callable[..., Bench]
) -> None:
    with server(tmp_path, "sit", SIT + "return") as process:
        [pid] = pids_of(process)
        assert process.wait(30) == 0
    make_bench().until(lambda: not alive(pid))


@pytest.mark.parametrize(
    "imports", ["", "import numpy"], ids=["usual", "main module loads numpy first"]
)
def test_worker_has_one_blas_thread_whatever_the_surroundings_say(
    tmp_path: Path, imports: str
) -> None:
    many = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "2")
    then = (
        "runner.wait(job, 60); runner.stop(); print(done[0], server_tasks.threads(None, None,"
        " progress=None))"
    )
    with server(tmp_path, "threads", then, imports=imports, **many) as process:
        out, trouble = process.communicate(timeout=60)
    assert process.returncode == 0, trouble
    there, here = (ast.literal_eval(text + ")") for text in out.strip().rstrip(")").split(") "))
    assert not there[0]  # the main module is not run there
    assert set(there[1]) == {1}
    assert 2 in here[1]  # where nobody intervenes


# ------------------------------------------------------------------------------- stop, many workers


def test_stop_ends_running_and_queued_jobs_and_the_worker(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    bench = make_bench()
    bench.runner.start()
    running, waiting = (
        bench.submit(tasks.deaf, params=tasks.Wish(seconds=600)),
        bench.submit(tasks.pid),
    )
    bench.until(lambda: bench.status(running).stage == "Deaf")
    [pid] = worker_pids(bench.runner)
    waited: list[Any] = []
    waiter = threading.Thread(target=lambda: waited.append(bench.runner.wait(running)))
    waiter.start()
    bench.runner.stop()
    waiter.join(30)
    assert waited[0].state == "cancelled"
    assert bench.status(waiting).state == "cancelled"
    assert not alive(pid)
    assert worker_pids(bench.runner) == []
    assert bench.sink.delivered == []
    bench.runner.stop()  # twice is no mistake
    with pytest.raises(JobError, match="closing"):
        bench.submit(tasks.pid)
    with pytest.raises(JobError, match="closing"):
        bench.runner.start()


def test_stop_while_the_worker_starts_and_before_start(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    never = make_bench()
    job = never.submit(tasks.pid)
    never.runner.stop()
    assert never.status(job).state == "cancelled"
    early = make_bench()
    early.runner.start()
    early.runner.stop()
    assert worker_pids(early.runner) == []


def test_two_workers_run_two_jobs_at_once(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    bench = make_bench(workers=2)
    bench.runner.start()
    jobs = [bench.submit(tasks.nap, session, tasks.Wish(seconds=600)) for session in "ab"]
    bench.until(lambda: [bench.status(job).stage for job in jobs] == ["Napping", "Napping"])
    pids = worker_pids(bench.runner)
    assert len(set(pids)) == 2
    third = bench.submit(tasks.pid, "c")
    bench.runner.cancel(jobs[1])
    assert bench.ended(third).state == "done"
    assert bench.sink.result(third) in pids
    assert bench.status(jobs[0]).state == "running"
    bench.runner.cancel(jobs[0])
    assert bench.ended(jobs[0]).state == "cancelled"


def test_many_threads_submit_and_cancel_at_once(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    bench = make_bench(workers=2)
    bench.runner.start()
    kept: list[str] = []
    dropped: list[str] = []

    def work(session: str) -> None:
        for _ in range(10):
            kept.append(bench.submit(tasks.answer, session, tasks.Wish(text=session)))
            dropped.append(bench.submit(tasks.nap, session, tasks.Wish(seconds=0.02)))
            bench.runner.cancel(dropped[-1])
            bench.runner.status(session)

    threads = [threading.Thread(target=work, args=(session,)) for session in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bench.until(lambda: not any(status.active for status in bench.runner.status()))
    results = {
        status.id: (status.session_id, result) for status, result, _, _ in bench.sink.delivered
    }
    assert set(kept) <= set(results)
    assert not set(dropped) & set(results)
    assert all(results[job][0] == results[job][1].text for job in kept)
