"""What stands around the pages: a key pressed while the page loads, the list to switch sessions."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from gui.sessions.manager import LOCAL

pytestmark = pytest.mark.browser
SPY = """() => {
    const { set_props } = window.dash_clientside;
    window.set_by_keys = [];
    window.dash_clientside.set_props = (id, props) => { window.set_by_keys.push(id); set_props(id, props); };
}"""
LEFT = "(e) => { const range = document.createRange(); range.selectNodeContents(e); return range.getBoundingClientRect().left; }"
"""Where the text of an element begins."""
RING = """(e) => {
    const box = e.getBoundingClientRect();
    const ring = parseFloat(getComputedStyle(e).outlineWidth) + parseFloat(getComputedStyle(e).outlineOffset);
    for (let over = e.parentElement; over; over = over.parentElement) {
        const room = over.getBoundingClientRect();
        const inside = box.left - ring >= room.left && box.right + ring <= room.right && box.top - ring >= room.top;
        if (getComputedStyle(over).overflow !== 'visible' && !inside) return false;
    }
    return ring > 0;
}"""
"""Whether the ring around the focus lies within everything that would cut it off."""


def test_a_key_pressed_while_the_page_loads_counts(opened: Page, running: Any, watched: Any) -> None:
    held: list[Route] = []
    opened.route("**/_dash-layout", lambda route: held.append(route))
    opened.goto(running.server.url + "/upload", wait_until="load")
    expect(opened.locator("#dcx-keys")).to_have_count(0)
    opened.keyboard.press("F1")
    while not held:
        opened.wait_for_timeout(20)
    held[0].continue_()
    expect(opened.locator(".dcx-help-text h1")).to_have_text("First steps")
    assert watched.complaints == []


def test_the_list_to_switch_sessions_is_aligned_and_shows_where_the_focus_is(opened: Page, running: Any, watched: Any) -> None:
    sessions = running.application.sessions
    for name in ("Melanoma", "A session with a name that is much longer than one line of this list has room for, in any window"):
        sessions.create_session(name, actor=LOCAL)
    opened.keyboard.press("Control+k")
    entries = opened.locator("#dcx-switch-list button")
    expect(entries).to_have_count(3)
    expect(entries.filter(has_text="Default")).to_be_focused()  # the one that is shown
    opened.evaluate(SPY)
    opened.keyboard.press("Control+k")
    assert opened.evaluate("window.set_by_keys") == []  # pressing again does not draw the list anew: the focus would be lost
    for number in range(3):
        assert entries.nth(number).evaluate(RING)
        opened.keyboard.press("Tab" if number else "Shift+Tab")
        opened.keyboard.press("Tab")
    texts = [entries.nth(number).locator(".dcx-cut").first.evaluate(LEFT) for number in range(3)]
    assert max(texts) - min(texts) <= 1
    entries.filter(has_text="Melanoma").click()
    expect(opened.locator("#dcx-session-button")).to_have_text("Melanoma")
    assert watched.complaints == []


def test_the_proposed_name_of_a_session_is_typed_over(opened: Page, watched: Any) -> None:
    opened.click("#dcx-session-button")
    opened.click("#dcx-new")
    expect(opened.locator("#dcx-new-name")).to_be_focused()
    expect(opened.locator("#dcx-new-name")).to_have_value("Session")
    opened.keyboard.type("Melanoma")
    opened.keyboard.press("Enter")
    expect(opened.locator("#dcx-session-button")).to_have_text("Melanoma")
    assert watched.complaints == []
