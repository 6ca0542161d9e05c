"""What stands around the pages: a key pressed while the page loads, the list to switch sessions,
what a page shows until its answer is there.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from gui.sessions.manager import LOCAL
from gui.shell.opening import OpeningAnswers
from tests.browser.conftest import PATIENCE
from tests.browser.walk import rest
from tests.sessions import samples

pytestmark = pytest.mark.browser
SPY = """() => {
    const { set_props } = window.dash_clientside;
    window.set_by_keys = [];
    window.dash_clientside.set_props = (id, props) => { window.set_by_keys.push(id); set_props(id, props); };
}"""
LEFT = (
    "(e) => { const range = document.createRange(); range.selectNodeContents(e); return"
    " range.getBoundingClientRect().left; }"
)
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


def until_held(page: Page, held: list[Route], count: int) -> None:
    """Wait until so many requests are held back, or fail."""
    deadline = time.monotonic() + PATIENCE / 1000
    while len(held) < count:
        assert time.monotonic() < deadline, f"{len(held)} of {count} requests were made"
        page.wait_for_timeout(20)  # what is routed is handed over in here


def test_a_key_pressed_while_the_page_loads_counts(
    opened: Page, running: Any, watched: Any
) -> None:
    held: list[Route] = []
    opened.route("**/_dash-layout", lambda route: held.append(route))
    opened.goto(running.server.url + "/upload", wait_until="load")
    expect(opened.locator("#dcx-keys")).to_have_count(0)
    opened.keyboard.press("F1")
    until_held(opened, held, 1)
    held[0].continue_()
    expect(opened.locator(".dcx-help-text h1")).to_have_text("First steps")
    assert watched.complaints == []


def test_the_list_to_switch_sessions_is_aligned_and_shows_where_the_focus_is(
    opened: Page, running: Any, watched: Any
) -> None:
    sessions = running.application.sessions
    for name in (
        "Melanoma",
        (
            "A session with a name that is much longer than one line of this list has room for, in"
            " any window"
        ),
    ):
        sessions.create_session(name, actor=LOCAL)
    opened.keyboard.press("ControlOrMeta+k")
    entries = opened.locator("#dcx-switch-list button")
    expect(entries).to_have_count(3)
    expect(entries.filter(has_text="Default")).to_be_focused()  # the one that is shown
    opened.evaluate(SPY)
    opened.keyboard.press("ControlOrMeta+k")
    # pressing again does not draw the list anew: the focus would be lost
    assert opened.evaluate("window.set_by_keys") == []
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


def test_plotly_is_loaded_when_the_first_figure_comes(opened: Page, watched: Any) -> None:
    """It is most of what the program sends, and nothing of it can be seen before."""
    loaded = "Boolean(window.Plotly)"
    opened.click("#upload-example")
    expect(opened.locator("#upload-answer")).to_contain_text("training cells")
    assert not opened.evaluate(loaded)
    opened.click("#upload-tabs-tab-types")
    expect(opened.locator("#upload-type-counts .trace").first).to_be_attached()
    assert opened.evaluate(loaded)
    assert watched.complaints == []


def test_a_page_says_that_its_answer_is_on_the_way(
    opened: Page, watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bars where a sentence comes, a ring where a figure comes; and neither once it is there."""
    # the answers that would come with the page have to be asked for
    monkeypatch.setattr(OpeningAnswers, "write_into", lambda *_: [])
    held: list[Route] = []
    names = ["upload-answer.children", "upload-type-counts.figure"]

    def hold(route: Route) -> None:
        output = json.loads(route.request.post_data or "{}").get("output", "")
        if any(name in output for name in names):
            held.append(route)
        else:
            route.fallback()

    def bars() -> Any:
        return opened.evaluate(
            "getComputedStyle(document.getElementById('upload-answer')).backgroundImage"
        )

    def ring() -> Any:
        return opened.evaluate(
            "getComputedStyle(document.getElementById('upload-type-counts'), '::after').content"
        )

    opened.click("#upload-example")
    expect(opened.locator("#upload-answer")).to_contain_text("training cells")
    opened.click("#upload-tabs-tab-types")
    expect(opened.locator("#upload-type-counts .trace").first).to_be_attached()
    opened.route("**/_dash-update-component?*", hold)
    opened.reload()
    until_held(opened, held, 2)
    assert "linear-gradient" in bars()
    assert ring() == '""'
    names.clear()
    for route in held:
        route.continue_()
    expect(opened.locator("#upload-answer")).to_contain_text("training cells")
    expect(opened.locator("#upload-type-counts .trace").first).to_be_attached()
    assert bars() == "none"
    assert ring() == "none"
    assert watched.complaints == []


def test_a_page_opens_with_few_requests(opened: Page, running: Any, watched: Any) -> None:
    """Those that change pages ask for the page, and little more: the answers came with it."""
    session = samples.filled(running.application.sessions)
    opened.evaluate(
        "id => window.dash_clientside.set_props('dcx-session', {data: id})", session.session_id
    )
    expect(opened.locator("#dcx-session-button")).to_contain_text("Mine")
    expect(opened.locator("#upload-answer")).not_to_be_empty()
    rest(opened)
    asked: list[str] = []
    opened.on(
        "request",
        lambda request: (
            asked.append(request.post_data_json["output"])
            if "_dash-update-component" in request.url
            and request.post_data_json["changedPropIds"] != ["dcx-interval.n_intervals"]
            else None
        ),
    )
    for page, shown in (
        ("dtd", "#dtd-answer"),
        ("adtd", "#adtd-run-answer"),
        ("upload", "#upload-answer"),
    ):
        del asked[:]
        opened.click(f"a[href='/{page}']")
        expect(opened.locator(shown)).not_to_be_empty()
        rest(opened)
        assert "..dcx-outlet.children...dcx-answered.data.." in asked
        assert len(asked) <= 6, (page, asked)
    assert watched.complaints == []
