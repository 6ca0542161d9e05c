"""Order, position, time left and what the status keeps."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from gui.errors import JobError
from gui.jobs.record import SETTLE, STARTING, Job, Turns
from gui.jobs.runner import KEEP_ENDED
from gui.jobs.taskref import TaskRef

Bench = Any


def job(session: str, number: int) -> Job:
    return Job(
        id=f"{session}{number}",
        number=number,
        session_id=session,
        kind="k",
        title="t",
        actor="local",
        task=TaskRef("m", "f", None),
        params=None,
        inputs={},
    )


def served(turns: Turns, waiting: list[Job]) -> list[str]:
    found = []
    while (one := turns.take(waiting)) is not None:
        waiting.remove(one)
        found.append(one.id)
    return found


def test_sessions_take_turns_and_keep_their_own_order() -> None:
    waiting = [job("a", 1), job("a", 2), job("a", 3), job("b", 4), job("c", 5), job("b", 6)]
    assert [j.id for j in Turns().order(waiting)] == ["a1", "b4", "c5", "a2", "b6", "a3"]
    assert served(Turns(), waiting) == ["a1", "b4", "c5", "a2", "b6", "a3"]


def test_a_session_that_comes_late_need_not_wait_for_all_of_another() -> None:
    turns = Turns()
    waiting = [job("a", 1), job("a", 2), job("a", 3)]
    first = turns.take(waiting)
    assert first is not None
    waiting.remove(first)
    waiting.append(job("b", 4))
    assert [j.id for j in turns.order(waiting)] == ["b4", "a2", "a3"]
    assert served(turns, waiting) == ["b4", "a2", "a3"]


def test_jobs_of_several_sessions_run_in_turns(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    bench = make_bench()
    ids = [bench.submit(tasks.pid, session) for session in "aabb"]
    assert [(s.id, s.position) for s in bench.runner.status()] == [
        (ids[0], 1),
        (ids[1], 3),
        (ids[2], 2),
        (ids[3], 4),
    ]
    assert {s.state for s in bench.runner.status()} == {"queued"}
    bench.runner.start()
    for one in ids:
        assert bench.ended(one).state == "done"
    assert [status.id for status, *_ in bench.sink.delivered] == [ids[0], ids[2], ids[1], ids[3]]
    assert [s.id for s in bench.runner.status()] == ids
    assert [s.id for s in bench.runner.status("b")] == ids[2:]
    assert {s.position for s in bench.runner.status()} == {0}


def test_status_keeps_the_latest_ended_jobs(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    bench = make_bench()
    ids = [bench.submit(tasks.pid) for _ in range(KEEP_ENDED + 5)]
    active = bench.submit(tasks.pid)
    for one in ids:
        bench.runner.cancel(one)
    assert [s.id for s in bench.runner.status()] == [*ids[5:], active]
    with pytest.raises(JobError, match="no longer exists"):
        bench.runner.wait(ids[0], 0)


def test_time_left_follows_the_pace_of_the_stage() -> None:
    one = job("a", 1)
    assert one.eta(0.0) is None
    one.begin(100.0)
    assert one.snapshot(101.0).stage == STARTING
    one.report(110.0, "Learning", 0.0, 0, 100, None)
    assert one.eta(110.0) is None
    one.report(110.0 + SETTLE / 2, "Learning", 0.1, 10, 100, None)
    assert one.eta(111.0) is None  # too early to tell
    one.report(120.0, "Learning", 0.25, 25, 100, None)
    assert one.eta(120.0) == pytest.approx(30.0)
    assert one.eta(125.0) == pytest.approx(25.0)
    assert one.eta(500.0) == 0.0
    assert one.snapshot(125.0).elapsed == 25.0


def test_time_left_is_unknown_without_a_fraction_and_starts_anew_with_a_stage() -> None:
    one = job("a", 1)
    one.begin(0.0)
    one.report(0.0, "Learning", 0.0, None, None, None)
    one.report(10.0, "Learning", 0.5, None, None, None)
    assert one.eta(10.0) == pytest.approx(10.0)
    one.report(11.0, "Fitting", None, 3, None, 0.1)
    assert one.eta(11.0) is None
    one.report(12.0, "Testing", 0.5, None, None, None)
    assert one.eta(12.0) is None
    one.report(14.0, "Testing", 0.75, None, None, None)
    assert one.eta(14.0) == pytest.approx(2.0)
    one.report(15.0, "Testing", 0.1, None, None, None)  # the next fold begins at the bottom
    assert one.eta(15.0) is None
    one.cancelling = True
    one.report(20.0, "Testing", 0.9, None, None, None)
    assert one.eta(20.0) is None
    assert one.snapshot(20.0).stage == "Cancelling"
    one.end("cancelled", 21.0)
    assert one.snapshot(99.0).elapsed == 21.0
