"""What the program says by itself is said once in each open tab, for a while; a new tab does not
hear it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gui.app import Application
from gui.inbox import LASTING, MOST, Announcements


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_new_tab_hears_what_its_browser_has_not_seen_and_an_open_one_everything_once() -> None:
    said = Announcements(Clock())
    said.append("one")
    first, at_first = said.news(None, "a")
    assert first == ["one"]
    second, at_second = said.news(None, "a")
    assert second == [], "its browser has seen it"
    assert said.news(None, "b")[0] == ["one"]
    said.append("two")
    assert said.news(at_first, "a")[0] == ["two"]
    texts, at_second = said.news(at_second, "a")
    assert texts == ["two"], "the other open tab says it too"
    assert said.news(at_second, "a")[0] == []
    assert said.news(None, "a")[0] == []


def test_what_was_said_long_ago_is_not_said_any_more() -> None:
    clock = Clock()
    said = Announcements(clock)
    said.append("early")
    clock.now += LASTING - 1
    said.append("late")
    assert list(said) == ["early", "late"]
    clock.now += 2
    assert said.news(None, "a")[0] == ["late"]
    clock.now += LASTING
    assert said.news(None, "b")[0] == []
    assert len(said) == 0


def test_they_do_not_grow() -> None:
    said = Announcements(Clock())
    _, at = said.news(None, "a")
    for number in range(10 * MOST):
        said.append(str(number))
    assert len(said) == MOST
    assert said.news(at, "a")[0] == [str(n) for n in range(9 * MOST, 10 * MOST)]


@pytest.mark.parametrize("last", ["", "7", 3, {}, "x:y", "0000:99"])
def test_a_tab_of_an_earlier_start_hears_what_is_new(last: Any) -> None:
    said = Announcements(Clock())
    said.append("one")
    assert said.news(last, "a")[0] == ["one"]


def test_in_tabs(application: Application, open_tab: Callable[[Application], Any]) -> None:
    clock = Clock()
    application.inbox.announcements = Announcements(clock)
    tab = open_tab(application)
    application.inbox.announcements.append("Cleaned up.")
    tab.tick()
    tab.tick()
    assert tab.notices.count("Cleaned up.") == 1
    other = open_tab(application)  # another browser: it has a cookie of its own
    other.tick()
    assert other.notices.count("Cleaned up.") == 1
    clock.now += LASTING + 1
    late = open_tab(application)
    late.tick()
    assert late.notices == []
