"""Chores that run by themselves: on a clock of the test's, and once in the real thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gui.housekeeping import LONGEST_NAP, Housekeeping
from gui.logs import start_logging, stop_logging

DAY = 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(clock: Clock) -> Iterator[Housekeeping]:
    house = Housekeeping(clock)
    yield house
    assert house.stop()


def test_each_chore_has_its_own_beginning_and_interval(house: Housekeeping, clock: Clock) -> None:
    done: list[tuple[str, float]] = []
    begin = clock.now
    for name, every, after in (("clean-up", DAY, 0), ("lock", 5, 5), ("memory", 30, 10)):
        house.add(
            name, lambda name=name: done.append((name, clock.now - begin)), every=every, after=after
        )
    while clock.now - begin <= 40:
        clock.now += max(house.run_due(), 1)
    assert done[0] == ("clean-up", 0)
    assert [at for name, at in done if name == "lock"] == [5, 10, 15, 20, 25, 30, 35, 40]
    assert [at for name, at in done if name == "memory"] == [10, 40]
    clock.now = begin + DAY
    house.run_due()
    assert [at for name, at in done if name == "clean-up"] == [0, DAY]


def test_the_interval_counts_from_the_end_so_that_a_slow_chore_does_not_pile_up(
    house: Housekeeping, clock: Clock
) -> None:
    starts: list[float] = []

    def slow() -> None:
        starts.append(clock.now)
        clock.now += 100

    house.add("slow", slow, every=10)
    assert house.run_due() == 10
    assert house.run_due() == 10
    clock.now += 10
    house.run_due()
    assert starts == [1_000_000, 1_000_110]


def test_a_clock_that_was_set_back_or_a_computer_that_slept_keeps_no_chore_waiting(
    house: Housekeeping, clock: Clock
) -> None:
    done: list[float] = []
    house.add("lock", lambda: done.append(clock.now), every=5)
    house.run_due()
    clock.now -= 365 * DAY
    assert house.run_due() == 5
    clock.now += 5
    house.run_due()
    assert len(done) == 2
    clock.now += 8 * 3600  # slept: once, not for each time missed
    house.run_due()
    assert len(done) == 3
    assert house.run_due() == 5
    assert LONGEST_NAP <= 60


def test_a_failing_chore_is_logged_by_class_once_and_stops_nobody(
    house: Housekeeping, clock: Clock, tmp_path: Path
) -> None:
    done: list[str] = []
    file = start_logging(tmp_path)
    assert file is not None

    def fail() -> None:
        raise KeyError("patient_Mueller")

    house.add("memory", fail, every=5)
    house.add("lock", lambda: done.append("lock"), every=5)
    try:
        for _ in range(3):
            house.run_due()
            clock.now += 5
        text = file.read_text(encoding="utf-8")
    finally:
        stop_logging()
    assert done == ["lock"] * 3
    assert text.count("gui.housekeeping: chore memory failed: KeyError") == 1
    assert "patient_Mueller" not in text


def test_thread_runs_what_is_due_at_once_and_ends_promptly() -> None:
    house, first, late = Housekeeping(), threading.Event(), threading.Event()
    house.add("clean-up", first.set, every=DAY)
    house.start()
    house.start()
    assert first.wait(30)
    assert [t.name for t in threading.enumerate()].count("housekeeping") == 1
    house.add("late", late.set, every=DAY)  # although it naps until tomorrow
    assert late.wait(30)
    assert house.stop(30)
    assert house.stop(30)
    assert "housekeeping" not in [t.name for t in threading.enumerate()]
    house.start()  # what was stopped stays so
    assert "housekeeping" not in [t.name for t in threading.enumerate()]


def test_stop_waits_for_the_chore_at_work_and_begins_no_other() -> None:
    house, at_work, go_on = Housekeeping(), threading.Event(), threading.Event()
    done: list[str] = []
    house.add("long", lambda: (at_work.set(), go_on.wait(30), done.append("long")), every=DAY)
    house.add("next", lambda: done.append("next"), every=DAY)
    house.start()
    assert at_work.wait(30)
    assert not house.stop(0.05)
    go_on.set()
    assert house.stop(30)
    assert done == ["long"]
