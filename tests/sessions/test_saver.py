"""Writing in the background: once for many changes, retried, never lost on the way out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from gui.sessions.saver import Saver


class Disk:
    """Counts what is written; ``broken`` keys fail, ``held`` ones wait until let go."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.broken: set[str] = set()
        self.held: dict[str, threading.Event] = {}
        self.begun = threading.Event()

    def write(self, key: str) -> None:
        self.begun.set()
        if key in self.held:
            assert self.held[key].wait(30)
        if key in self.broken:
            raise OSError("disk full")
        self.written.append(key)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def make(disk: Disk) -> Iterator[Callable[..., Saver]]:
    made: list[Saver] = []

    def new(**options: object) -> Saver:
        made.append(Saver(disk.write, **options))  # type: ignore[arg-type]
        return made[-1]

    yield new
    disk.broken.clear()
    for event in disk.held.values():
        event.set()
    for saver in made:
        saver.close(10)


def test_many_requests_are_one_write(make: Callable[..., Saver], disk: Disk) -> None:
    saver = make()
    for _ in range(50):
        saver.request("a", 60)
    assert saver.pending("a")
    assert saver.flush(10)
    assert disk.written == ["a"]
    assert not saver.pending("a")


def test_a_request_during_a_write_is_written_again(make: Callable[..., Saver], disk: Disk) -> None:
    saver = make()
    disk.held["a"] = threading.Event()
    saver.request("a")
    assert disk.begun.wait(10)
    saver.request("a")
    disk.held["a"].set()
    assert saver.flush(10)
    assert disk.written == ["a", "a"]


def test_a_slow_write_holds_up_no_other(make: Callable[..., Saver], disk: Disk) -> None:
    saver = make()
    disk.held["slow"] = threading.Event()
    saver.request("slow")
    assert disk.begun.wait(10)
    saver.request("b")
    assert saver.flush(10, "b")
    assert disk.written == ["b"]
    assert saver.pending("slow")


def test_a_failure_is_known_and_tried_again_until_it_passes(
    make: Callable[..., Saver], disk: Disk
) -> None:
    saver = make(pauses=(0.05,))
    disk.broken.add("a")
    saver.request("a")
    assert not saver.flush(10)
    assert isinstance(saver.failure("a"), OSError)
    assert saver.pending("a")
    disk.broken.clear()
    done = threading.Event()
    for _ in range(200):
        if saver.failure("a") is None:
            break
        done.wait(0.05)
    assert disk.written == ["a"]
    assert saver.flush(10)


def test_what_cannot_pass_by_itself_is_not_tried_again(
    make: Callable[..., Saver], disk: Disk
) -> None:
    saver = make(again=lambda error: False, pauses=(0.01,))
    disk.broken.add("a")
    saver.request("a")
    assert not saver.flush(10)
    assert not saver.pending("a")
    assert saver.failure("a") is not None


def test_closing_waits_for_everything_and_takes_no_more(
    make: Callable[..., Saver], disk: Disk
) -> None:
    saver = make()
    for n in range(20):
        saver.request(f"k{n}", 60)
    assert saver.close(20)
    assert sorted(disk.written) == sorted(f"k{n}" for n in range(20))
    saver.request("late")
    assert saver.close(1)
    assert "late" not in disk.written


def test_closing_says_what_could_not_be_written(make: Callable[..., Saver], disk: Disk) -> None:
    saver = make()
    disk.broken.add("a")
    saver.request("a")
    saver.request("b")
    assert not saver.close(10)
    assert disk.written == ["b"]
