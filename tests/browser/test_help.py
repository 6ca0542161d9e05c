"""The guide and the tour in Chromium, under the program's own policy: as a reader uses them, and
nothing is fetched from outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from desktop.server import LocalServer
from gui.app import Application, create_app
from gui.config import Config
from gui.shell import tour

pytestmark = pytest.mark.browser
RUN = 300_000
"""Milliseconds a computation may take on a busy machine."""


@pytest.fixture
def first_start(tmp_path: Path) -> Iterator[tuple[Application, LocalServer]]:
    """The program as it starts on a computer where it never ran."""
    application = create_app(Config.for_tests(tmp_path, first_run=True))
    server = LocalServer(application.server).start()
    application.start()
    yield application, server
    server.stop()
    application.stop()


@pytest.fixture
def newcomer(watched: Any, first_start: tuple[Application, LocalServer]) -> Page:
    application, server = first_start
    page: Page = watched.context.new_page()
    page.goto(application.start_url(server.url))
    page.wait_for_selector("#upload-load")
    return page


def outlined(page: Page) -> Any:
    return page.locator(".dcx-tour-target")


def dark(page: Page) -> None:
    page.click("[aria-label=Theme]")
    page.click("#dcx-theme-dark")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_the_guide_is_opened_from_the_header_searched_and_followed(
    opened: Page, watched: Any, theme: str
) -> None:
    page = opened
    if theme == "dark":
        dark(page)
    page.evaluate("window.stillHere = true")
    page.click("#dcx-help")
    page.click("#dcx-help-guide")
    text = page.locator(".dcx-help-text")
    expect(text.locator("h1")).to_have_text("First steps")
    expect(text).to_contain_text("DeconomiX answers three questions")  # the Markdown is drawn
    page.locator("#help-contents").get_by_text("Writing a plug-in").click()
    expect(text.locator("pre").first).to_contain_text("def count(dataset, params, *, progress)")
    page.fill("#help-query", "one standard error")
    expect(page.locator(".dcx-help-found").first).to_contain_text("ADTD: Which value to take")
    page.locator(".dcx-help-found a").first.click()
    expect(text.locator("h1")).to_have_text("ADTD")
    heading = text.locator("h2", has_text="Which value to take")
    expect(heading).to_be_in_viewport()
    expect(heading).to_be_focused()  # a screen reader goes on from there
    expect(page.locator("#help-query")).to_have_value("")
    text.get_by_role("link", name="Hidden background and gene regulation").first.click()
    expect(text.locator("h1")).to_have_text("Hidden background and gene regulation")
    page.go_back()
    expect(text.locator("h1")).to_have_text("ADTD")
    page.fill("#help-query", "xylophone")
    expect(text).to_contain_text("Nothing found")
    assert page.evaluate("window.stillHere"), "a link loaded the program anew"
    assert watched.foreign == []
    assert watched.complaints == []


def test_a_link_with_chapter_and_heading_opens_there(
    opened: Page, running: Any, watched: Any
) -> None:
    opened.goto(running.server.url + "/help?chapter=figures#adtd-search")
    expect(opened.locator(".dcx-help-text h3", has_text="ADTD: Search")).to_be_in_viewport()
    assert watched.complaints == []


def test_text_of_the_guide_is_never_taken_as_html(
    opened: Page, watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gui.pages import help as guide
    from gui.pages.help.book import Chapter

    evil = Chapter(
        "dtd",
        "Evil",
        "<img src='http://tracker.example.com/x' onerror='window.evil=1'>"
        " <b>bold</b>\n\n[run](javascript:window.evil=1) end",
        (),
    )
    monkeypatch.setattr(guide, "chapter", lambda _key: evil)
    monkeypatch.setattr(guide, "chapters", lambda: (evil,))
    opened.click("#dcx-help")
    opened.click("#dcx-help-guide")
    expect(opened.locator(".dcx-help-text")).to_contain_text("end")
    assert opened.locator(".dcx-help-text :is(img, b)").count() == 0
    # dash lets such a link through; the policy does not
    with opened.expect_console_message(lambda m: "Content Security Policy" in m.text):
        opened.locator(".dcx-help-text a", has_text="run").click()
    assert any("Content Security Policy" in text for text in watched.complaints)
    assert opened.evaluate("window.evil") is None
    assert watched.foreign == []


@pytest.mark.slow
def test_the_tour_from_start_to_end_on_the_example(
    newcomer: Page, watched: Any, first_start: Any
) -> None:
    page, application = newcomer, first_start[0]
    expect(page.locator("#dcx-welcome")).to_contain_text("For research use only")
    page.click("#dcx-welcome-tour")
    expect(page.locator("#dcx-welcome")).to_be_hidden()
    expect(page.locator("#dcx-tour-card")).to_be_visible()
    expect(page.locator("#dcx-session-button")).to_contain_text("Example")
    expect(page.locator("#dcx-tour-next")).to_be_focused()
    expect(page.locator("#dcx-tour-back")).to_be_disabled()
    for number, step in enumerate(tour.STEPS):
        expect(page.locator("#dcx-tour-count")).to_have_text(f"{number + 1} of {len(tour.STEPS)}")
        expect(page.locator("#dcx-tour-title")).to_have_text(step.title)
        expect(page.locator(f"#{step.page}-page")).to_be_visible()
        following = tour.STEPS[number + 1] if number + 1 < len(tour.STEPS) else None
        if step.target[0].endswith("-run"):  # nothing of what comes next is there yet
            assert following is not None
            expect(page.locator("#dcx-tour-next")).to_be_disabled()
            expect(page.locator("#dcx-tour-until")).to_have_text(following.until)
        if step.target == ("#dtd-run",):
            page.click("#dtd-run")  # the page is not blocked
            expect(page.locator("#dtd-answer")).to_contain_text("Mean correlation", timeout=RUN)
        if step.target == ("#adtd-run",):
            page.click("#adtd-model")
            page.get_by_role("option", name="Hidden background + gene regulation").click()
            expect(page.locator("#adtd-model-words")).to_contain_text(
                "Hidden background + gene regulation"
            )
            page.click("#adtd-run")
            expect(page.locator("#adtd-run-answer")).to_contain_text("hidden fraction", timeout=RUN)
        expect(outlined(page)).to_have_count(1)
        expect(page.locator(f"{step.target[0]}.dcx-tour-target")).to_be_visible()
        expect(page.locator("#dcx-tour-next")).to_be_enabled()
        expect(page.locator("#dcx-tour-until")).to_have_text("")
        page.focus("#dcx-tour-next")
        page.keyboard.press("Enter")
    expect(page.locator("#dcx-tour-card")).to_be_hidden()
    expect(outlined(page)).to_have_count(0)
    assert application.settings.get().tour_seen
    page.reload()
    page.wait_for_selector("#adtd-run")
    expect(page.locator("#dcx-welcome")).to_be_hidden()
    assert watched.foreign == []
    assert watched.complaints == []


def test_the_tour_survives_page_changes_and_a_reload_goes_back_and_ends_with_escape(
    opened: Page, watched: Any
) -> None:
    page = opened
    dark(page)
    page.click("#dcx-help")
    page.click("#dcx-help-tour")
    count = page.locator("#dcx-tour-count")
    expect(count).to_have_text("1 of 7")
    page.click("#dcx-tour-next")
    page.click("#dcx-tour-next")
    expect(page.locator("#dtd-run.dcx-tour-target")).to_be_visible()
    # the user goes elsewhere; the card stays, and nothing is outlined
    page.click("#dcx-nav a:has-text('Sessions')")
    expect(page.locator("#sessions-page")).to_be_visible()
    expect(count).to_have_text("3 of 7")
    expect(outlined(page)).to_have_count(0)
    page.reload()
    expect(count).to_have_text("3 of 7")
    page.click("#dcx-tour-back")
    expect(count).to_have_text("2 of 7")
    expect(page.locator("#upload-page")).to_be_visible()
    page.click("#dcx-help")
    expect(page.locator("#dcx-help-about")).to_be_visible()
    page.keyboard.press("Escape")  # closes the menu that lies on top, not the tour
    expect(page.locator("#dcx-help-about")).to_be_hidden()
    expect(count).to_have_text("2 of 7")
    page.keyboard.press("Escape")
    expect(page.locator("#dcx-tour-card")).to_be_hidden()
    expect(outlined(page)).to_have_count(0)
    assert watched.complaints == []


def test_escape_answers_the_welcome_and_the_program_can_be_used_beside_it(
    newcomer: Page, first_start: Any, watched: Any
) -> None:
    page, application = newcomer, first_start[0]
    expect(page.locator("#dcx-welcome")).to_be_visible()
    page.click("#upload-example")
    expect(page.locator("#upload-answer")).to_contain_text("training cells")
    expect(page.locator("#dcx-welcome")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#dcx-welcome")).to_be_hidden()
    page.wait_for_function("document.getElementById('dcx-welcome').style.display === 'none'")
    assert application.settings.get().tour_seen
    assert watched.complaints == []
