"""A result that takes long to be delivered holds up nobody else; those of one session arrive in
their order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from gui.jobs.lanes import Lanes
from gui.jobs.status import JobStatus
from tests.processes import worker_pids

Bench = Any


def test_a_delivery_that_blocks_stops_neither_progress_nor_other_deliveries(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    bench = make_bench()
    held, blocked, order = threading.Event(), threading.Event(), list[str]()

    def deliver(status: JobStatus, result: Any, versions: Mapping[str, str], seconds: float) -> str:
        if status.title == "first":
            blocked.set()
            assert held.wait(90)
        order.append(status.title)
        return status.id

    bench.runner._deliver = deliver
    bench.runner.start()
    first = bench.submit(tasks.pid, "slow", title="first")
    later = bench.submit(tasks.pid, "slow", title="later")
    assert blocked.wait(90)
    try:
        other = bench.submit(tasks.nap, "quick", tasks.Wish(seconds=60), title="other")
        bench.until(lambda: bench.status(other).stage == "Napping")
        assert bench.runner.cancel(other)
        assert bench.ended(other).state == "cancelled"
        assert bench.ended(bench.submit(tasks.pid, "quick", title="another")).state == "done"
        assert order == ["another"]
        assert bench.status(later).active
    finally:
        held.set()
    assert bench.ended(first).state == bench.ended(later).state == "done"
    assert order == ["another", "first", "later"]


def test_the_end_waits_for_what_is_being_delivered(
    make_bench: Callable[..., Bench], tasks: ModuleType
) -> None:
    bench = make_bench()
    held, blocked = threading.Event(), threading.Event()

    def deliver(status: JobStatus, result: Any, versions: Mapping[str, str], seconds: float) -> str:
        blocked.set()
        assert held.wait(90)
        return "kept"

    bench.runner._deliver = deliver
    bench.runner.start()
    job = bench.submit(tasks.pid)
    assert blocked.wait(90)
    stopping = threading.Thread(target=bench.runner.stop)
    stopping.start()
    bench.until(lambda: not worker_pids(bench.runner))
    assert stopping.is_alive()
    held.set()
    stopping.join(90)
    assert (bench.status(job).state, bench.status(job).run_id) == ("done", "kept")


def test_calls_of_one_key_keep_their_order_and_a_failure_ends_none() -> None:
    lanes, seen = Lanes(), list[int]()

    def call(number: int) -> None:
        if number % 3 == 0:
            raise ValueError
        seen.append(number)

    for number in range(30):
        lanes.put("one", lambda number=number: call(number))  # type: ignore[misc]
    assert lanes.wait(90)
    assert seen == [n for n in range(30) if n % 3]
