"""What a job does from submission to delivery, with one warm worker."""

from __future__ import annotations

import functools
import gc
import importlib.machinery
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gui.data.dataset import Dataset
from gui.errors import JobError, NoCommonGenes, UnknownSession, WorkerDied
from gui.logs import start_logging, stop_logging
from tests.processes import worker_pids

Bench = Any


def test_result_is_delivered_once_with_status_and_time(bench: Bench, tasks: ModuleType) -> None:
    wish = tasks.Wish(text="hello")
    job = bench.submit(
        tasks.answer, "s1", wish, title="Ask", kind="ask", inputs={"dtd": "run-0"}, actor="eva"
    )
    status = bench.ended(job)
    assert (status.state, status.run_id, status.error, status.position) == (
        "done",
        "run-1",
        None,
        0,
    )
    [(delivered, result, versions, seconds)] = bench.sink.delivered
    assert (
        delivered.id,
        delivered.session_id,
        delivered.kind,
        delivered.title,
        delivered.actor,
        delivered.state,
    ) == (job, "s1", "ask", "Ask", "eva", "done")
    assert delivered.params is wish
    assert delivered.inputs == {"dtd": "run-0"}
    assert isinstance(result, tasks.Answer)
    assert result.text == "hello"
    assert result.values.tolist() == [0, 1, 2, 3, 4]
    assert result.values.flags.writeable
    assert versions == {}
    assert 0 <= seconds <= status.elapsed


def test_worker_is_another_process_and_stays_for_the_next_job(
    bench: Bench, tasks: ModuleType
) -> None:
    first, second = bench.run(tasks.pid), bench.run(tasks.pid)
    assert first == second != os.getpid()
    assert worker_pids(bench.runner) == [first]


def test_task_of_a_file_is_loaded_by_its_path(bench: Bench, tasks: ModuleType) -> None:
    seen = bench.run(tasks.surroundings)
    assert Path(seen["file"]) == Path(tasks.__file__)
    assert seen["name"] == tasks.__name__ == "dcx_plugin_tasks_for_tests"
    # the name alone leads nowhere
    assert importlib.machinery.PathFinder.find_spec(tasks.__name__) is None


def test_worker_and_server_never_load_the_engine_or_dash_by_themselves(
    bench: Bench, tasks: ModuleType
) -> None:
    assert bench.run(tasks.surroundings)["modules"] == ["numpy"]


def test_blas_has_one_thread(bench: Bench, tasks: ModuleType) -> None:
    found = bench.run(tasks.threads)
    assert found
    assert set(found) == {1}


def test_worker_module_does_not_load_numpy_before_threads_are_set() -> None:
    code = (
        "import sys, gui.jobs.worker; assert 'gui.jobs.wire' in sys.modules; print('numpy' in"
        " sys.modules)"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.strip()
        == "False"
    )


def test_server_side_loads_no_engine() -> None:
    code = (
        "import sys, gui.jobs.runner; print([m for m in ('torch', 'deconomix', 'scipy', 'dash') if"
        " m in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.strip()
        == "[]"
    )


def test_worker_ignores_ctrl_c(bench: Bench, tasks: ModuleType) -> None:
    assert bench.run(tasks.surroundings)["sigint"]
    if sys.platform != "win32":
        assert bench.run(tasks.interrupt_self) == "still here"


def test_worker_without_streams_can_print(bench: Bench, tasks: ModuleType) -> None:
    assert bench.run(tasks.lose_streams) == "printed"


# ------------------------------------------------------------------------------------------ dataset


def test_dataset_is_sent_once_and_again_when_another_is_asked_for(
    bench: Bench, tasks: ModuleType, make_dataset: Any
) -> None:
    first = bench.run(tasks.describe)
    assert first == {
        "id": first["id"],
        "name": "small",
        "sum": 276.0,
        "genes": [f"gene{i}" for i in range(6)],
        "writeable": False,
    }
    assert bench.run(tasks.describe)["id"] == first["id"]
    other = bench.run(tasks.describe, dataset=make_dataset("other"))
    assert other["name"] == "other"
    assert bench.run(tasks.describe)["name"] == "small"


def test_a_task_cannot_change_the_dataset_the_next_one_sees(
    bench: Bench, tasks: ModuleType
) -> None:
    before = bench.run(tasks.describe)
    assert isinstance(bench.error(tasks.scribble), JobError)
    assert bench.run(tasks.describe) == before
    assert bench.dataset.train.matrix.values.sum() == 276.0


def test_no_dataset_is_kept_alive_by_an_ended_job(
    bench: Bench, tasks: ModuleType, make_dataset: Any
) -> None:
    data: Dataset | None = make_dataset("short-lived")
    gone = weakref.ref(data)
    bench.run(tasks.describe, dataset=data)
    data = None
    bench.run(tasks.pid)  # whatever the runner's thread still holds of the job before
    gc.collect()
    assert gone() is None


def test_results_of_earlier_runs_reach_the_task_by_name(bench: Bench, tasks: ModuleType) -> None:
    left, right = np.ones(3), np.arange(3.0)
    assert bench.run(tasks.join, input_results={"left": left, "right": right}).tolist() == [
        2.0,
        3.0,
        4.0,
    ]
    assert left.tolist() == [1.0, 1.0, 1.0]


def test_a_big_result_arrives_whole(bench: Bench, tasks: ModuleType) -> None:
    values = bench.run(tasks.big)["values"]
    assert values.nbytes == 160_000_000
    assert values[-1] == 19_999_999
    assert values.sum() == 19_999_999 * 10_000_000


# ------------------------------------------------------------------------------------------- errors


def test_an_error_of_ours_keeps_class_sentence_and_advice(bench: Bench, tasks: ModuleType) -> None:
    error = bench.error(tasks.fail_in_words)
    assert type(error) is NoCommonGenes
    assert (str(error), error.advice) == (
        "Bulk and training data share no gene.",
        "Use the same kind of gene names.",
    )
    own = bench.error(tasks.fail_own)
    assert type(own) is tasks.OwnError
    assert (str(own), own.advice) == ("A and B do not fit.", "Take others.")


def test_an_error_class_the_server_does_not_know_becomes_its_nearest_base(
    bench: Bench, tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(tasks, "LocalError")
    error = bench.error(tasks.fail_locally)
    assert type(error).__name__ == "DeconomixError"
    assert str(error) == "Only here."


def test_unexpected_error_names_the_class_only_and_the_log_holds_no_data(
    bench: Bench, tasks: ModuleType, tmp_path: Path
) -> None:
    file = start_logging(tmp_path)
    assert file is not None
    try:
        error = bench.error(tasks.fail_unexpectedly, title="patient_Mueller")
    finally:
        stop_logging()
    assert type(error) is JobError
    assert (
        str(error) == "The step stopped with an unexpected error (KeyError); the log has details."
    )
    text = file.read_text(encoding="utf-8")
    assert "KeyError" in text
    assert "tasks_for_tests.py" in text
    assert "in fail_unexpectedly" in text
    assert "patient_Mueller" not in text


def test_memory_error_says_so(bench: Bench, tasks: ModuleType) -> None:
    error = bench.error(tasks.fail_for_memory)
    assert "ran out of memory" in str(error)
    assert "fewer genes" in str(error.advice)


def test_task_that_ends_the_program_fails_and_the_worker_stays(
    bench: Bench, tasks: ModuleType
) -> None:
    before = bench.run(tasks.pid)
    assert "SystemExit" in str(bench.error(tasks.leave))
    assert bench.run(tasks.pid) == before


@pytest.mark.parametrize("name", ["unpicklable", "unknown_class"])
def test_result_that_is_no_data_fails_with_advice(
    bench: Bench, tasks: ModuleType, name: str
) -> None:
    error = bench.error(getattr(tasks, name))
    assert type(error) is JobError
    assert str(error).startswith("The result of this step cannot be handed over (")
    assert "A task must return data" in str(error.advice)
    assert bench.run(tasks.pid) in worker_pids(bench.runner)


def test_parameters_that_are_no_data_fail_with_advice(bench: Bench, tasks: ModuleType) -> None:
    error = bench.error(tasks.answer, params={"lock": threading.Lock()})
    assert type(error) is JobError
    assert "cannot be handed to the worker" in str(error)
    assert bench.run(tasks.pid) in worker_pids(bench.runner)


def test_only_plain_functions_are_tasks(bench: Bench, tasks: ModuleType) -> None:
    def inner() -> None: ...

    for wrong in (inner, lambda: None, functools.partial(tasks.pid), tasks.Wish.parse, bench.sink):
        with pytest.raises(JobError, match="must be a plain function"):
            bench.runner.submit(wrong, "s", dataset=None, kind="k", title="t")


def test_vanished_task_fails_and_the_next_runs(
    bench: Bench, tasks: ModuleType, tmp_path: Path
) -> None:
    file = tmp_path / "gone.py"
    file.write_text("def task(dataset, params, *, progress):\n    return 1\n", encoding="utf-8")
    space: dict[str, Any] = {"__name__": "dcx_plugin_gone", "__file__": str(file)}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), space)
    file.unlink()
    assert "ModuleNotFoundError" in str(bench.error(space["task"]))
    file.write_text("raise RuntimeError('on import')\n", encoding="utf-8")
    assert "RuntimeError" in str(bench.error(space["task"]))
    file.write_text("def task(dataset, params, *, progress):\n    return 1\n", encoding="utf-8")
    assert bench.run(space["task"]) == 1


def test_delivery_that_is_refused_fails_the_job_with_that_error(
    bench: Bench, tasks: ModuleType
) -> None:
    bench.sink.refuse = UnknownSession("This session does not exist any more.")
    assert bench.error(tasks.pid) is bench.sink.refuse
    bench.sink.refuse = ZeroDivisionError("patient_Mueller")
    error = bench.error(tasks.pid)
    assert type(error) is JobError
    assert "could not be stored (ZeroDivisionError)" in str(error)
    bench.sink.refuse = None
    assert bench.run(tasks.pid)


# ----------------------------------------------------------------------------------------- progress


def test_progress_is_thinned_but_the_last_of_each_stage_is_kept(
    bench: Bench, tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gui.jobs.record import Job

    seen: list[tuple[Any, ...]] = []
    original = Job.report
    monkeypatch.setattr(
        Job,
        "report",
        lambda self, now, *values: (seen.append(values), original(self, now, *values)),
    )
    status = bench.ended(bench.submit(tasks.staged))
    assert len(seen) < 100
    assert [values[0] for values in seen] == sorted(
        (values[0] for values in seen), key=["First", "Second", "Third"].index
    )
    last = {values[0]: values for values in seen}
    assert last["First"] == ("First", 1.0, 2000, 2000, 1 / 2000)
    assert last["Second"] == ("Second", None, 1000, None, None)
    assert last["Third"] == ("Third", 1.0, 3, None, 0.5)
    assert (status.stage, status.fraction, status.count) == ("Third", 1.0, 3)


def test_a_thread_left_behind_reports_into_no_other_job(bench: Bench, tasks: ModuleType) -> None:
    assert bench.run(tasks.straggler) == "left"
    status = bench.ended(bench.submit(tasks.nap, params=tasks.Wish(seconds=0.5)))
    assert status.stage == "Napping"


# ----------------------------------------------------------------------------- dying and cancelling


def test_task_that_kills_its_worker_fails_and_the_next_job_runs_in_a_new_one(
    bench: Bench, tasks: ModuleType
) -> None:
    before = bench.run(tasks.pid)
    error = bench.error(tasks.die, title="Die")
    assert type(error) is WorkerDied
    assert str(error) == "The worker process ended unexpectedly while “Die” was running."
    assert bench.run(tasks.pid) != before
    assert bench.run(tasks.describe)["name"] == "small"  # the new worker gets the dataset


def test_cancelled_task_ends_cancelled_and_delivers_nothing_and_the_worker_stays(
    bench: Bench, tasks: ModuleType
) -> None:
    before = bench.run(tasks.pid)
    bench.sink.delivered.clear()
    job = bench.submit(tasks.nap, params=tasks.Wish(seconds=60))
    bench.until(lambda: bench.status(job).stage == "Napping")
    assert bench.runner.cancel(job)
    assert bench.status(job).stage in ("Cancelling", "Napping")
    status = bench.ended(job)
    assert (status.state, type(status.error).__name__, status.run_id) == (
        "cancelled",
        "JobCancelled",
        None,
    )
    assert not bench.runner.cancel(job)
    assert bench.sink.delivered == []
    assert bench.run(tasks.pid) == before


def test_result_that_comes_after_the_cancel_is_dropped(bench: Bench, tasks: ModuleType) -> None:
    job = bench.submit(tasks.stubborn, params=tasks.Wish(seconds=60))
    bench.until(lambda: bench.status(job).stage == "Stubborn")
    assert bench.runner.cancel(job)
    assert bench.ended(job).state == "cancelled"
    assert bench.sink.delivered == []


def test_a_queued_job_is_cancelled_at_once(bench: Bench, tasks: ModuleType) -> None:
    running = bench.submit(tasks.nap, params=tasks.Wish(seconds=60))
    waiting = bench.submit(tasks.pid)
    bench.until(lambda: bench.status(running).stage == "Napping")
    assert bench.status(waiting).state == "queued"
    assert bench.runner.cancel(waiting)
    assert bench.runner.wait(waiting, 0).state == "cancelled"
    assert bench.status(running).state == "running"
    bench.runner.cancel(running)
    bench.ended(running)
    assert bench.sink.delivered == []


def test_unknown_jobs_are_said_to_be_unknown(bench: Bench) -> None:
    assert not bench.runner.cancel("nothing")
    with pytest.raises(JobError, match="no longer exists"):
        bench.runner.wait("nothing", 0)


def test_wait_returns_the_present_status_after_the_timeout(bench: Bench, tasks: ModuleType) -> None:
    job = bench.submit(tasks.nap, params=tasks.Wish(seconds=60))
    assert bench.runner.wait(job, 0.01).active
    bench.runner.cancel(job)
    assert bench.ended(job).state == "cancelled"
