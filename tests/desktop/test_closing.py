"""Closing with sessions that are not saved yet: the guard alone, and the end of the program.

In the real window: test_app_in_window.py.
"""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from desktop import lifecycle
from desktop.close_guard import CloseGuard

WAIT = 30.0


class Closing:
    """As pywebview's event: False from one handler vetoes."""

    def __init__(self) -> None:
        self.handlers: list[Any] = []

    def __iadd__(self, handler: Any) -> Closing:
        self.handlers.append(handler)
        return self


class Window:
    """As pywebview's, without a screen. ``hangs``: its page never answers."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.events = SimpleNamespace(closing=Closing(), closed=threading.Event())
        self.hangs = hangs
        self.ran: list[str] = []
        self.told = threading.Event()
        self.threads: list[str] = []

    def close(self) -> bool:
        """As the user does; False if that is refused."""
        if any(handler() is False for handler in self.events.closing.handlers):
            return False
        self.events.closed.set()
        return True

    def destroy(self) -> None:
        self.threads.append(threading.current_thread().name)
        self.close()

    def run_js(self, code: str) -> int:
        self.ran.append(code)
        self.told.set()
        if self.hangs:
            self.events.closed.wait()
        return 1


class Saves:
    """How many sessions are unsaved, as the test says."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        return self.number


def test_window_closes_at_once_when_all_is_saved() -> None:
    window = Window()
    CloseGuard(window, Saves(0))
    assert window.close()
    assert window.ran == []


def test_without_the_guard_a_window_closes_over_pending_saves() -> None:
    """What the other tests are measured against."""
    assert Window().close()


@pytest.mark.parametrize("hangs", [False, True])
def test_closing_waits_for_pending_saves_then_happens_by_itself(hangs: bool) -> None:
    window, saves = Window(hangs=hangs), Saves(2)
    CloseGuard(window, saves)
    assert not window.close()
    assert window.told.wait(WAIT)
    [code] = window.ran
    assert code.startswith('dash_clientside.set_props("dcx-notices", {')
    [notice] = json.loads(code[code.index("{") : code.rindex("}") + 1])["sendNotifications"]
    assert notice["message"] == "Saving 2 sessions… The window then closes."
    seen = saves.asked
    while saves.asked < seen + 3:  # it goes on looking, and the window stays
        assert not window.events.closed.wait(0.01)
    saves.number = 0
    assert window.events.closed.wait(WAIT)
    # never from the handler: the toolkit would wait for itself
    assert window.threads == ["close-when-saved"]


def test_a_save_that_does_not_end_keeps_the_window_for_a_while_only() -> None:
    window = Window()
    CloseGuard(window, Saves(1), patience=0.3)
    assert not window.close()
    assert window.events.closed.wait(WAIT)


@pytest.mark.parametrize("agrees", [True, False])
def test_a_save_that_does_not_succeed_is_asked_about(agrees: bool) -> None:
    window, saves, leaving = Window(), Saves(2), threading.Event()
    asked: list[tuple[str, str]] = []
    answered = threading.Event()

    def confirm(question: str, yes: str) -> bool:
        asked.append((question, yes))
        answered.set()
        return agrees

    CloseGuard(window, saves, patience=0.2, confirm=confirm, leaving=leaving)
    assert not window.close()
    assert leaving.is_set()
    assert answered.wait(WAIT)
    [(question, yes)] = asked
    assert question.startswith("2 sessions are not saved yet")
    assert yes == "Close anyway"
    for thread in threading.enumerate():
        if thread.name == "close-when-saved":
            thread.join(WAIT)
    assert window.events.closed.is_set() == agrees
    if not agrees:
        assert not leaving.is_set()
        assert "stays open" in window.ran[-1]
        assert not window.close()  # waits, and asks, again
        saves.number = 0
        assert window.events.closed.wait(WAIT)
        assert len(asked) == 1


def test_nothing_is_asked_where_the_system_ends_the_program() -> None:
    window, silent = Window(), threading.Event()
    silent.set()
    CloseGuard(
        window,
        Saves(1),
        patience=0.2,
        confirm=lambda question, yes: pytest.fail("it asked"),
        silent=silent,
    )
    assert not window.close()
    assert window.events.closed.wait(WAIT)


def test_closing_a_second_time_is_not_refused() -> None:
    window, saves = Window(), Saves(1)
    CloseGuard(window, saves)
    assert not window.close()
    assert window.close()
    seen = [t for t in threading.enumerate() if t.name == "close-when-saved"]
    for thread in seen:
        thread.join(WAIT)
    assert not any(thread.is_alive() for thread in seen)


def test_unknown_number_of_saves_does_not_keep_a_window_open_for_good() -> None:
    window = Window()

    def pending() -> int:
        if threading.current_thread().name == "close-when-saved":
            raise RuntimeError("broken")
        return 1

    CloseGuard(window, pending)
    assert not window.close()
    assert window.events.closed.wait(WAIT)


# -- the end of the program
# --------------------------------------------------------------------------------------------------


class Program:
    def __init__(
        self, pending: int, problem: str | None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._pending, self._problem, self._capsys = pending, problem, capsys
        self.said_before = ""

    def pending_saves(self) -> int:
        if self._pending < 0:
            raise RuntimeError("broken")
        return self._pending

    def stop(self) -> str | None:
        self.said_before = self._capsys.readouterr().err
        return self._problem


@pytest.mark.parametrize(
    ("number", "words"), [(0, ""), (1, "Saving 1 session…\n"), (2, "Saving 2 sessions…\n")]
)
def test_end_says_what_is_saved_before_it_waits(
    number: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    program = Program(number, None, capsys)
    lifecycle.end(program)
    assert program.said_before == words
    assert capsys.readouterr() == ("", "")


def test_end_says_what_could_not_be_saved(capsys: pytest.CaptureFixture[str]) -> None:
    lifecycle.end(Program(1, "1 session could not be saved.", capsys))
    assert capsys.readouterr() == ("", "1 session could not be saved.\n")
    told: list[str] = []
    # who closed a window sees no terminal
    lifecycle.end(Program(1, "1 session could not be saved.", capsys), told.append)
    assert told == ["1 session could not be saved."]


def test_program_is_stopped_whatever_happens(capsys: pytest.CaptureFixture[str]) -> None:
    program = Program(-1, "stopped", capsys)
    with pytest.raises(RuntimeError, match="broken"):
        lifecycle.end(program)
    assert capsys.readouterr().err == "stopped\n"
