"""What a window of 1280 x 720 has room for on the pages of results, measured in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.walk import go, rest

pytestmark = pytest.mark.browser
LEAST = 420
"""Pixels of a figure."""


def test_figure_controls_and_button_are_in_view_whatever_is_folded(results: Page) -> None:
    page = results
    for key in ("dtd", "adtd"):
        go(page, key)
        page.locator(f"#{key}-tabs [role=tab]", has_text="Composition").click()
        # no callback tells when the tab is built and Plotly has drawn
        expect(page.locator(f"#{key}-composition-figure .main-svg").first).to_be_visible()
        rest(page)
        for fold in (".dcx-fold-away", ".dcx-fold-back"):
            figure = page.locator(f"#{key}-composition-figure").bounding_box()
            assert figure is not None
            assert figure["height"] >= LEAST
            below = figure["y"] + figure["height"] - 720
            assert below <= (0 if fold == ".dcx-fold-away" else 12)
            tops = {t.bounding_box()["y"] for t in page.locator(f"#{key}-tabs [role=tab]").all()}  # type: ignore[index]
            assert len(tops) == 1, "the tabs are in one row"
            expect(page.locator(f"#{key}-run")).to_be_in_viewport(ratio=1)
            width = figure["width"]
            page.locator(f"#{key}-page {fold}").click()
            rest(page)
            now = page.locator(f"#{key}-composition-figure").bounding_box()
            assert now is not None
            assert (now["width"] > width + 200) == (fold == ".dcx-fold-away")


def test_the_figure_of_an_analysis_is_in_view_below_its_answer(results: Page) -> None:
    page = results
    go(page, "groups")
    page.evaluate("window.dash_clientside.set_props('groups-column', {value: 'arm'})")
    rest(page)
    page.locator("#groups-run").click()
    expect(page.locator("#groups-head-answer")).to_contain_text("cell types differ")
    expect(page.locator("#groups-figure .main-svg").first).to_be_visible()
    rest(page)
    figure = page.locator("#groups-figure .main-svg").first.bounding_box()
    assert figure is not None
    assert figure["y"] + min(figure["height"], LEAST) <= 720
    answer = page.locator("#groups-head-answer .dcx-headline")
    assert answer.evaluate("e => e.scrollHeight <= e.clientHeight + 1"), "the answer is cut"


def test_errors_leave_the_end_of_a_page_within_reach(results: Page) -> None:
    page = results
    page.set_viewport_size({"width": 1280, "height": 720})
    go(page, "upload")
    last = page.locator("#upload-page .mantine-Paper-root").last
    for number in range(2):
        page.evaluate(
            """(number) => window.dash_clientside.set_props("dcx-notices", {sendNotifications: [{
                action: "show", id: `error-${number}`, autoClose: false, color: "red",
                title: "Not read", message: "Some words on what is wrong. ".repeat(8)}]})""",
            number,
        )
        notices = page.locator("[data-position='bottom-right'] .mantine-Notification-root")
        expect(notices).to_have_count(number + 1)
        rest(page)
        page.mouse.move(900, 300)
        page.mouse.wheel(0, 10_000)
        rest(page)
        tops = [box["y"] for box in (n.bounding_box() for n in notices.all()) if box]
        box = last.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= min(tops) + 1, "a notice lies over it"
    for button in notices.locator(".mantine-Notification-closeButton").all():
        button.click()
    expect(notices).to_have_count(0)


def test_a_high_window_shows_the_answer_on_two_lines(results: Page) -> None:
    page = results
    page.set_viewport_size({"width": 1280, "height": 900})
    for key in ("dtd", "adtd"):
        go(page, key)
        answer = page.locator(f"#{key}-page .dcx-headline:visible").first
        answer.evaluate("e => e.append(' and what else is to be known of it'.repeat(2))")
        lines = answer.evaluate("e => e.clientHeight / parseFloat(getComputedStyle(e).lineHeight)")
        assert 1.5 < lines < 2.5
    page.set_viewport_size({"width": 1280, "height": 720})


def test_a_table_says_that_it_goes_on_and_its_samples_stay_in_sight(results: Page) -> None:
    page = results
    go(page, "adtd")
    page.locator("#adtd-composition-view label", has_text="Table").click()
    page.set_viewport_size({"width": 900, "height": 720})
    box = page.locator("#adtd-page .dcx-table", has=page.locator("#adtd-composition-table"))
    expect(box).to_have_attribute("data-more", "Scroll sideways for more columns")
    first = box.locator(".ag-pinned-left-cols-container .ag-cell").first
    before = first.bounding_box()
    box.locator(".ag-center-cols-viewport").evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    expect(box).not_to_have_attribute("data-more", "Scroll sideways for more columns")
    assert first.bounding_box() == before


def test_the_mark_of_a_field_opens_its_section_beside_the_page(results: Page) -> None:
    page = results
    page.set_viewport_size({"width": 1280, "height": 720})
    go(page, "dtd")
    field = page.locator("#dtd-run-on-bulk")
    checked = field.is_checked()
    page.locator("#dtd-page .dcx-tip[data-topic='Iterations']").click()
    heading = page.locator("#dcx-guide-text h3, #dcx-guide-text h2").filter(has_text="Iterations")
    expect(heading.first).to_be_in_viewport()
    expect(page.locator("#dtd-page")).to_be_visible()
    page.locator("#dtd-page .dcx-tip[data-topic='Run on bulk']").press("Enter")
    expect(page.locator("#dcx-guide-text .dcx-help-here")).to_have_text("Run on bulk")
    assert field.is_checked() == checked, "the mark is no part of the switch"
    page.get_by_label("Close the guide").click()
    expect(page.locator("#dcx-guide-text")).to_be_hidden()


def test_every_page_can_be_reached_though_each_has_two_lines_of_text(results: Page) -> None:
    page = results
    page.set_viewport_size({"width": 1280, "height": 720})
    go(page, "dtd")
    links = page.locator("#dcx-nav .dcx-nav-link")
    page.evaluate(
        "() => document.querySelectorAll('#dcx-nav .mantine-NavLink-description').forEach("
        "e => { e.textContent = 'what is missing before this page can be used at all'; })"
    )
    bottom = page.locator("#dcx-nav").bounding_box()
    last = links.last.bounding_box()
    assert bottom is not None
    assert last is not None
    assert last["y"] + last["height"] <= bottom["y"] + bottom["height"]
    expect(links.last).to_be_in_viewport(ratio=1)


def test_notices_leave_every_page_of_the_navigation_within_reach(results: Page) -> None:
    page = results
    go(page, "dtd")
    page.set_viewport_size({"width": 1280, "height": 720})
    last = page.locator("#dcx-nav a").last
    free = page.locator("#dcx-nav").bounding_box()
    for number in range(2):
        page.evaluate(
            """(number) => window.dash_clientside.set_props("dcx-notices", {sendNotifications: [{
                action: "show", id: `long-${number}`, position: "bottom-left", autoClose: false,
                title: "Saved", message: "Some words on what was done. ".repeat(8)}]})""",
            number,
        )
        notice = page.locator("[data-position='bottom-left'] .mantine-Notification-root").last
        expect(notice).to_be_visible()
        rest(page)
        last.scroll_into_view_if_needed()
        notices = page.locator("[data-position='bottom-left'] .mantine-Notification-root")
        tops = [box["y"] for box in (n.bounding_box() for n in notices.all()) if box]
        box = last.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= min(tops) + 1, "a notice lies over it"
        last.click(trial=True)
    for button in page.locator(
        "[data-position='bottom-left'] .mantine-Notification-closeButton"
    ).all():
        button.click()
    expect(page.locator("[data-position='bottom-left'] .mantine-Notification-root")).to_have_count(
        0
    )
    page.wait_for_function(
        "height => document.getElementById('dcx-nav').getBoundingClientRect().height === height",
        arg=free["height"] if free else 0,
    )
