"""Independent tasks over the cores of this computer: the same numbers in the same order, and
nothing left behind.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from gui.engine.parallel import local, parallel_map
from gui.engine.parallel.serialized_value import SerializedValue
from gui.errors import EngineFailed, JobCancelled, JobError
from gui.jobs import wire
from gui.logs import safe_traceback
from tests.engine.spreading import Cancelling, alive, cores, program, same, tasks
from tests.processes import spread_pids
from tests.waiting import until

# ------------------------------------------------------------------------------------------ numbers


def test_numbers_are_the_same_to_the_bit_in_this_process_and_over_several() -> None:
    data = tasks.data()
    cores(1)
    serial = parallel_map(tasks.numbers, range(7), shared=data)
    assert [found["seed"] for found in serial] == list(range(7))
    for count in (2, 3):
        cores(count)
        assert same(serial, parallel_map(tasks.numbers, range(7), shared=data))
    # what the comparison can see
    assert not same(serial, parallel_map(tasks.numbers, range(7), shared=tasks.data(1)))


def test_data_lie_in_memory_in_the_same_way_everywhere() -> None:
    """BLAS adds up in another order where they do not."""
    data = tasks.data()
    mine = tasks.layout(data, 0, step=None)
    found = []
    for count in (1, 2):
        cores(count)
        found += parallel_map(tasks.layout, range(2), shared=data)
    assert found == [found[0]] * 4
    assert found[0] != mine  # every second column: only here
    # Fortran order is kept
    assert dict(item[:2] for item in found[0])["matrix"] == data["matrix"].strides


def test_arrays_that_the_network_puts_at_an_odd_address_are_put_right() -> None:
    values = np.arange(1000.0)
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(SerializedValue.of(values), protocol=5, buffer_callback=buffers.append)

    def odd(buffer: Any) -> memoryview:
        room = bytearray(memoryview(buffer).nbytes + 1)
        room[1:] = memoryview(buffer)
        return memoryview(room)[1:]

    arrived = pickle.loads(body, buffers=[odd(buffer) for buffer in buffers]).open()  # noqa: S301 - our own
    assert arrived.flags.aligned
    assert arrived.tolist() == values.tolist()
    # where nobody puts it right
    assert not wire.unpack([odd(part) for part in wire.pack(values)]).flags.aligned


def test_tasks_have_one_blas_thread_whatever_the_surroundings_say() -> None:
    script = """
import threading
import spread_tasks as tasks
from gui.engine import compute_settings
from gui.engine.parallel import parallel_map

def main():
    found = []
    tasks.two_threads()
    for cores in (1, 2):
        compute_settings.set_compute_settings(compute_settings.ComputeSettings(cores=cores))
        found.append(parallel_map(tasks.threads, range(2)))
    tasks.two_threads()
    one = threading.Thread(target=lambda: found.append(parallel_map(tasks.threads, range(1))))
    one.start()
    one.join()
    print(found, tasks.threads(None, None, step=None))

if __name__ == "__main__":
    main()
"""
    many = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "2")
    out = program(script, **many)
    inside, _, outside = out.strip().rpartition("]] [")
    assert set(inside) <= set("[]1, ")
    assert "1" in inside
    assert "2" in outside  # where nobody intervenes


def test_results_are_in_the_order_of_the_items_also_when_the_first_takes_longest() -> None:
    cores(2)
    found = parallel_map(tasks.where, ["a", "b", "c", "d", "e"], shared=None)
    assert [item for item, _ in found] == ["a", "b", "c", "d", "e"]
    assert parallel_map(tasks.where, []) == []
    assert parallel_map(tasks.where, iter([3, 2]))[0][0] == 3


def test_shared_data_cannot_be_changed_anywhere() -> None:
    data = tasks.data()
    for count in (1, 2):
        cores(count)
        with pytest.raises(ValueError, match="read-only"):
            parallel_map(tasks.spoil, range(2), shared=data)
    data["matrix"][0, 0] = 1.0  # the caller's own stay as they were


# ------------------------------------------------------------------------------ where, and how many


def test_one_item_or_one_core_is_computed_here_and_starts_no_process() -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    cores(4)
    assert parallel_map(tasks.where, ["only"]) == [("only", os.getpid())]
    cores(1)
    assert {pid for _, pid in parallel_map(tasks.where, range(3))} == {os.getpid()}
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


def test_processes_are_used_again_and_end_when_they_are_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    local._pool._end_idle()
    cores(2)
    first = {pid for _, pid in parallel_map(tasks.slow_where, range(6))}
    assert len(first) == 2
    assert os.getpid() not in first
    assert {pid for _, pid in parallel_map(tasks.slow_where, range(4))} == first
    assert set(spread_pids()) == first
    monkeypatch.setattr(local, "IDLE", 0.05)
    assert {pid for _, pid in parallel_map(tasks.slow_where, range(4))} <= first
    until(lambda: not any(map(alive, first)))
    assert spread_pids() == []
    assert len(parallel_map(tasks.where, range(4))) == 4  # and they come again


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere freed memory may still count")
def test_idle_processes_hold_no_data() -> None:
    local._pool._end_idle()
    cores(2)
    parallel_map(tasks.slow_where, range(2), shared=np.ones(1_000_000))
    before = memory()
    during: list[int] = []
    parallel_map(
        tasks.slow_where,
        range(2),
        shared=np.ones(20_000_000),
        on_step=lambda index, value: during.append(memory()),
    )
    assert max(during) - before > 100_000_000  # 160 MB each while they have them
    until(lambda: memory() - before < 50_000_000)


def memory() -> int:
    return sum(psutil.Process(pid).memory_info().rss for pid in spread_pids())


def test_a_task_that_spreads_itself_does_so_in_its_own_process_with_the_callers_engine() -> None:
    cores(2, engine="stock")
    for pid, inner, engine in parallel_map(tasks.spread_again, range(2)):
        assert set(inner) == {pid} != {os.getpid()}
        assert engine == "stock"


def test_a_call_out_of_a_report_and_one_from_another_thread_get_their_results() -> None:
    cores(2)
    found: list[Any] = []
    other = threading.Thread(target=lambda: found.append(parallel_map(tasks.slow_where, range(3))))

    def on_step(index: int, value: Any) -> None:
        if index == 0:
            other.start()
            found.append(parallel_map(tasks.where, range(2)))

    assert len(parallel_map(tasks.slow_where, range(3), on_step=on_step)) == 3
    other.join(30)
    assert {pid for _, pid in found[0]} == {os.getpid()}
    assert [item for item, _ in found[1]] == [0, 1, 2]


def test_all_cores_are_those_that_affinity_and_container_leave(tmp_path: Path) -> None:
    every = local.allowed_cores(tmp_path)
    assert every == len(psutil.Process().cpu_affinity()) if sys.platform == "linux" else every >= 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert local.allowed_cores(tmp_path) == every
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    assert local.allowed_cores(tmp_path) == 1
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert local.allowed_cores(tmp_path) == 1
    (tmp_path / "cpu.max").unlink()
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("100000")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert local.allowed_cores(tmp_path) == 1
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1")
    assert local.allowed_cores(tmp_path) == every


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_no_data_or_no_function_is_refused_in_a_sentence(count: int) -> None:
    cores(count)
    with pytest.raises(JobError, match="plain function of a module"):
        parallel_map(lambda shared, item, *, step: None, range(2))
    with pytest.raises(JobError, match="cannot be handed to another process"):
        parallel_map(tasks.where, range(2), shared=lambda: None)
    with pytest.raises(JobError, match="cannot be handed to another process"):
        parallel_map(tasks.fail, ["well", "no data"])


# ----------------------------------------------------------------------------------------- progress


@pytest.mark.parametrize("count", [1, 2])
def test_every_report_arrives_here_in_its_order_before_the_end(count: int) -> None:
    cores(count)
    seen: list[tuple[int, Any]] = []
    threads: set[int] = set()

    def on_step(index: int, value: Any) -> None:
        threads.add(threading.get_ident())
        seen.append((index, value))

    parallel_map(tasks.numbers, [5, 6, 7], shared=tasks.data(), on_step=on_step)
    assert {index: [value for i, value in seen if i == index] for index in range(3)} == {
        index: list(range(6)) for index in range(3)
    }
    assert threads == {threading.get_ident()}


# ------------------------------------------------------------------------------------------- cancel


def test_cancelling_at_a_report_ends_the_processes_and_the_next_call_works(tmp_path: Path) -> None:
    cores(2)
    cancelling = Cancelling(2)
    with pytest.raises(JobCancelled):
        parallel_map(tasks.deaf, range(5), shared=tmp_path, on_step=cancelling)
    assert len(cancelling.pids) == 2
    assert not any(map(alive, cancelling.pids))
    assert len(parallel_map(tasks.where, range(3))) == 3


def test_check_is_asked_while_tasks_say_nothing_and_its_cancel_ends_them() -> None:
    cores(2)
    seen: set[int] = set()
    asked = 0

    def check() -> None:
        nonlocal asked
        asked = asked + 1 if len(seen) == 2 else 0
        if asked == 5:
            raise JobCancelled("The step was cancelled.")

    with pytest.raises(JobCancelled):
        parallel_map(tasks.deaf, range(2), on_step=lambda index, pid: seen.add(pid), check=check)
    assert not any(map(alive, seen))


def test_cancelling_in_this_process(tmp_path: Path) -> None:
    cores(1)
    with pytest.raises(JobCancelled):
        parallel_map(
            tasks.steps_for_ever,
            ["one", "two"],
            shared=tmp_path,
            on_step=Cancelling(1),
            keep_errors=True,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["cancelled-one"]


# ------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("count", [1, 2])
def test_errors_come_back_as_themselves(count: int) -> None:
    cores(count)
    with pytest.raises(EngineFailed, match="Mueller") as ours:
        parallel_map(tasks.fail, ["well", "engine", "well"])
    assert ours.value.advice == "Use fewer genes."
    with pytest.raises(MemoryError):
        parallel_map(tasks.fail, ["well", "memory"])
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        parallel_map(tasks.fail, ["algebra", "well"])


def test_log_of_an_error_from_another_process_names_the_places_there() -> None:
    cores(2)
    with pytest.raises(np.linalg.LinAlgError) as caught:
        parallel_map(tasks.fail, ["algebra", "well"])
    text = safe_traceback(caught.value)
    assert "spread_tasks.py" in text
    assert " in fail" in text


def test_what_cannot_be_sent_is_still_an_error_with_a_sentence() -> None:
    cores(2)
    with pytest.raises(JobError, match="unexpected error \\(Awkward\\)"):
        parallel_map(tasks.fail, ["awkward", "well"])
    with pytest.raises(JobError, match="unexpected error \\(SystemExit\\)"):
        parallel_map(tasks.fail, ["exit", "well"])


def test_first_error_by_order_of_the_items_is_raised_and_what_comes_after_is_not_waited_for(
    tmp_path: Path,
) -> None:
    cores(3)
    with pytest.raises(ValueError, match="first"):
        parallel_map(tasks.fail_in_turn, range(3), shared=tmp_path)
    assert len(parallel_map(tasks.where, range(5))) == 5


@pytest.mark.parametrize("count", [1, 2])
def test_errors_can_be_kept_in_the_results_place_but_no_cancel(count: int) -> None:
    cores(count)
    first, second, third = parallel_map(tasks.fail, ["well", "engine", "fine"], keep_errors=True)
    assert (first, third) == ("well", "fine")
    assert isinstance(second, EngineFailed)
    assert second.advice == "Use fewer genes."
    with pytest.raises(JobCancelled):
        parallel_map(tasks.fail, ["well", "cancelled", "fine"], keep_errors=True)


def test_no_more_processes_than_the_memory_will_do_for(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    monkeypatch.setattr(local, "run", lambda count, *_: started.append(count))
    cores(4)
    for free, least in ((4e9, 4), (2.5e9, 2), (0.5e9, 1), (None, 4)):
        monkeypatch.setattr(local, "available_memory", lambda free=free: free)
        started.clear()
        # what local.run left is computed here
        assert parallel_map(tasks.numbers, range(4), shared=tasks.data(), memory=8e8)
        assert started == ([least] if least > 1 else [])
