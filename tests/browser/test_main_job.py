"""The main job in a browser, on real data, as a user does it: load, DTD, search, Deconomix+h,r,
every tab, a saved table.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gui.sessions.manager import LOCAL
from tests.browser.walk import rest

pytestmark = pytest.mark.browser
RUN = 300_000
"""Milliseconds a computation may take on a busy machine."""


def choose(page: Page, role: str, path: Path) -> None:
    """Choose a file through the browser's own dialog; it is streamed to the server."""
    with page.expect_file_chooser() as chooser:
        page.click(f"#upload-{role}-choose")
    chooser.value.set_files(path)
    expect(page.locator(f"#upload-{role}-name")).to_have_text(path.name)


def open_page(page: Page, title: str) -> None:
    page.click(f"#dcx-nav a:has-text('{title}')")


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def drawn(page: Page, graph: str) -> None:
    """The figure holds marks and is as large as something one can read."""
    locator = page.locator(f"#{graph} .main-svg").first
    expect(locator).to_be_visible()
    box = locator.bounding_box()
    assert box is not None
    assert box["height"] > 120
    assert box["width"] > 250
    expect(page.locator(f"#{graph} .overplot :is(path, image, rect)").first).to_be_attached()
    # plotly's own button would send the chart away
    assert page.locator(f"#{graph} [data-title*='hare']").count() == 0


def saved(page: Page, save_button_scope: str, item: str) -> bytes:
    """What a save menu gives."""
    page.locator(f"{save_button_scope} button:has-text('Save…'):visible").first.click()
    with page.expect_download() as download:
        page.click(f"#{item}")
    return Path(download.value.path()).read_bytes()


def load_pbmc(page: Page, data: Path) -> None:
    choose(page, "train", data / "train.h5ad")
    choose(page, "bulk", data / "application.h5ad")
    page.click("text=Test data, reference, trained model")
    choose(page, "test", data / "test.h5ad")
    page.click("#upload-load")
    expect(page.locator("#upload-answer")).to_contain_text(
        "349 training cells of 9 types and 12 bulk samples"
    )
    expect(page.locator("#upload-answer")).to_contain_text("765 genes in common")


def test_the_main_job_on_real_data(
    opened: Page, watched: Any, tiny_data: Path, finished: Callable[..., None]
) -> None:
    page = opened
    load_pbmc(page, tiny_data)
    for tab, seen in (
        ("Cell types", "#upload-type-counts .main-svg >> nth=0"),
        ("First rows", "#upload-rows >> text=Bulk samples"),
        ("About", "#upload-new-name"),
    ):
        open_tab(page, tab)
        expect(page.locator(f"#upload-page >> {seen}").last).to_be_visible()

    open_page(page, "DTD")
    expect(page.locator("#dtd-genes")).to_have_value("1000")
    page.fill("#dtd-iterations", "200")  # fewer than proposed: what is shown is the same
    page.keyboard.press("Tab")
    rest(page)
    page.click("#dtd-run")
    # the job is in the header, on every page
    expect(page.locator("#dcx-ticker")).to_contain_text("DTD")
    open_page(page, "Upload")
    expect(page.locator("#dcx-ticker")).to_contain_text("Cancel", timeout=RUN)
    open_page(page, "DTD")
    expect(page.locator("#dtd-page")).to_contain_text("Mean correlation", timeout=RUN)
    for tab, graph in (
        ("Composition", "dtd-composition-figure"),
        ("Correlation", "dtd-correlation"),
        ("Markers", "dtd-markers"),
        ("Loss", "dtd-loss"),
    ):
        open_tab(page, tab)
        drawn(page, graph)

    open_tab(page, "Composition")
    picture = saved(page, "#dtd-page", "dtd-composition-figure-png")
    assert picture.startswith(b"\x89PNG")
    assert b"<svg" in saved(page, "#dtd-page", "dtd-composition-figure-svg")[:500]
    page.locator("#dtd-composition-view").get_by_text("Table").click()
    expect(page.locator("#dtd-composition-table .ag-row").first).to_be_visible()
    rows = list(
        csv.reader(
            io.StringIO(saved(page, "#dtd-page", "dtd-composition-table-csv").decode("utf-8-sig"))
        )
    )
    assert {"sample 01", "sample 12"} <= set(rows[0]) | {row[0] for row in rows}

    open_page(page, "ADTD")
    page.click("#adtd-page >> text=Search λ₂ >> nth=0")
    page.fill("#adtd-max-iterations", "60")
    page.fill("#adtd-search-points", "5")
    page.fill("#adtd-search-folds", "3")
    page.keyboard.press("Tab")
    rest(page)
    page.click("#adtd-search")
    expect(page.locator("#dcx-ticker")).to_contain_text("Searching", timeout=RUN)
    finished(600)
    open_tab(page, "Search")
    drawn(page, "adtd-search-curve")
    page.get_by_role("button", name="Use").first.click()
    page.click("#adtd-model")
    page.get_by_role("option", name="Hidden background + gene regulation").click()
    before = page.input_value("#adtd-lambda2")
    page.fill("#adtd-lambda2", "1e-9")
    page.keyboard.press("Tab")
    assert float(before) > 0
    expect(page.locator("#adtd-model-words")).to_contain_text("Hidden background + gene regulation")
    rest(page)
    page.click("#adtd-run")
    expect(page.locator("#adtd-run-answer")).to_contain_text("hidden fraction", timeout=RUN)
    for tab, graph in (
        ("Composition", "adtd-composition-figure"),
        ("Hidden profile", "adtd-hidden"),
        ("Gene regulation", "adtd-regulation"),
    ):
        open_tab(page, tab)
        drawn(page, graph)
    open_tab(page, "Composition")
    page.locator("#adtd-composition-view").get_by_text("Table").click()
    expect(page.locator("#adtd-composition-table .ag-row").first).to_be_visible()
    text = saved(page, "#adtd-page", "adtd-composition-table-csv").decode("utf-8-sig")
    assert "hidden" in text
    assert len(list(csv.reader(io.StringIO(text)))) >= 9

    assert watched.foreign == []
    assert watched.complaints == []
    assert "Traceback" not in page.content()


def test_the_watch_sees_a_request_that_would_leave_the_machine(watched: Any) -> None:
    """The positive control of ``watched.foreign`` (a page of its own: the program's policy would
    stop it first).
    """
    page = watched.context.new_page()
    with page.expect_event("requestfailed"):
        page.set_content('<img src="http://tracker.example.com/x.png">')
    assert watched.foreign == ["http://tracker.example.com/x.png"]


def test_the_policy_stops_what_a_page_would_fetch(opened: Page, watched: Any) -> None:
    with opened.expect_console_message(lambda m: "Content Security Policy" in m.text):
        opened.evaluate("fetch('http://tracker.example.com/x').catch(() => 0)")
    assert watched.foreign == []
    assert any("Content Security Policy" in text for text in watched.complaints)


def test_two_browser_tabs_on_two_sessions_do_not_mix(
    opened: Page, watched: Any, running: Any, finished: Callable[..., None]
) -> None:
    """Jobs of both run and wait at the same time; each tab keeps its session, also after a
    reload.
    """
    second = watched.context.new_page()
    second.goto(running.server.url + "/upload")
    for page, name in ((opened, "Example"), (second, "Example 2")):
        page.click("#upload-example")
        expect(page.locator("#dcx-session-button")).to_contain_text(name)
    for page, iterations in ((opened, "400"), (second, "300")):
        open_page(page, "DTD")
        page.fill("#dtd-iterations", iterations)
        page.keyboard.press("Tab")
        rest(page)
        page.click("#dtd-run")
        expect(page.locator("#dcx-ticker")).to_contain_text("DTD")
    finished()
    for page, iterations in ((opened, "400"), (second, "300")):
        expect(page.locator("#dtd-page")).to_contain_text(f"{iterations} iterations")
        page.reload()
        expect(page.locator("#dtd-page")).to_contain_text(f"{iterations} iterations")
    expect(opened.locator("#dcx-session-button")).to_have_text("Example")
    expect(second.locator("#dcx-session-button")).to_have_text("Example 2")
    assert watched.complaints == []


@pytest.mark.slow
def test_progress_below_the_button_moves_as_in_the_header(opened: Page, watched: Any) -> None:
    page = opened
    page.click("#upload-example")
    expect(page.locator("#dcx-session-button")).to_contain_text("Example")
    open_page(page, "DTD")
    page.fill("#dtd-iterations", "100000")
    page.keyboard.press("Tab")
    rest(page)
    page.click("#dtd-run")
    text = page.locator("#dtd-job-text")
    for _ in range(2):  # twice, and again after the page was left
        expect(text).to_contain_text("Learning gene weights", timeout=RUN)
        before = text.inner_text()
        expect(text).not_to_have_text(before)
        expect(page.locator("#dtd-job-bar [role=progressbar]")).to_be_visible()
        open_page(page, "Sessions")
        rest(page)
        open_page(page, "DTD")
    page.locator("#dtd-job").get_by_role("button", name="Cancel").click()
    expect(page.locator("#dtd-job")).to_have_count(0)
    assert watched.complaints == []


def test_a_refused_file_is_said_in_a_sentence_and_changes_nothing(
    opened: Page, watched: Any, running: Any, tmp_path: Path
) -> None:
    page = opened
    broken = tmp_path / "broken.h5ad"
    broken.write_bytes(b"not an HDF5 file at all")
    with page.expect_file_chooser() as chooser:
        page.click("#upload-train-choose")
    chooser.value.set_files(broken)
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("broken.h5ad")
    assert "Traceback" not in notice.inner_text()
    expect(page.locator("#upload-load")).to_be_disabled()
    page.fill("#upload-bulk-path", str(tmp_path / "nowhere.csv"))
    page.press("#upload-bulk-path", "Enter")
    expect(page.get_by_role("alert").filter(has_text="nowhere.csv")).to_be_visible()
    assert [s.name for s in running.application.sessions.list_sessions(actor=LOCAL)] == ["Default"]
    assert watched.complaints == []


def test_an_address_typed_too_early_says_what_is_missing(opened: Page, running: Any) -> None:
    opened.goto(running.server.url + "/adtd")
    expect(opened.locator("#dcx-outlet")).to_contain_text("ADTD needs a DTD run.")
    opened.click("text=Go to Upload")
    expect(opened.locator("#upload-load")).to_be_visible()


def test_the_theme_changes_and_stays(opened: Page, running: Any) -> None:
    opened.click("[aria-label=Theme]")
    opened.click("#dcx-theme-dark")
    expect(opened.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    opened.reload()
    expect(opened.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
