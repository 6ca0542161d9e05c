"""Texts without an end: no callback takes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gui import request_limits
from gui.app import Application
from gui.request_limits import MAX_TEXT
from gui.shell import callbacks
from tests.gui.conftest import Tab


@pytest.mark.parametrize("on", [True, False])
def test_no_callback_takes_a_text_without_an_end(
    application: Application,
    open_tab: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    on: bool,
) -> None:
    """Every callback of every page, each of its values one character too long.

    The control: without the look at them none says so.
    """
    if not on:
        monkeypatch.setattr(callbacks, "_check_texts", lambda recorded: None)
    tab: Tab = open_tab(application)
    asked = said = 0
    for dependency in tab.dependencies if on else tab.dependencies[::10]:
        places = [
            (each["id"], each["property"]) for each in (*dependency["inputs"], *dependency["state"])
        ]
        places = [
            place
            for place in places
            if not place[0].startswith("{") and place[0] not in ("dcx-location", "dcx-session")
        ]
        if not places or dependency["inputs"][0]["id"].startswith("{"):
            continue
        tab.values.update(dict.fromkeys(places, "x" * (MAX_TEXT + 1)))
        tab.notices.clear()
        try:
            tab._call(
                dependency, [(dependency["inputs"][0]["id"], dependency["inputs"][0]["property"])]
            )
        except AssertionError:
            assert not on
        asked += 1
        said += any("20,000 characters at most" in notice for notice in tab.notices)
    assert asked > (50 if on else 5)
    assert said == (asked if on else 0)


def test_a_text_in_a_list_or_an_object_has_a_length_too_and_only_a_picture_is_exempt() -> None:
    long, picture = "x" * (MAX_TEXT + 1), "data:image/svg+xml," + "x" * MAX_TEXT
    for value in (long, [long], {"a": [{"b": long}]}, {long: 1}, picture):
        with pytest.raises(request_limits.TextTooLong):
            request_limits.check_texts([value])
    request_limits.check_texts([long[1:], 1, None, {"a": [long[1:]]}])
    request_limits.check_texts([{"url": picture}], picture=True)
    with pytest.raises(request_limits.TextTooLong):
        request_limits.check_texts([{"url": picture, "name": long}], picture=True)
