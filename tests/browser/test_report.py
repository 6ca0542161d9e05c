"""The report as a biologist uses it: pressed for, opened from the disk without a network,
printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from gui.data.example import make_example
from gui.engine.params import DTDParams
from gui.engine.results import Provenance, Run
from gui.engine.tasks import run_dtd
from gui.figures.dtd import correlation
from gui.report.document import Document
from gui.sessions.manager import LOCAL

pytestmark = pytest.mark.browser
QUICK = DTDParams(iterations=20, train_mixtures=40, test_mixtures=40, genes=200)
SCRIPT = "<img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"


class Alone:
    """A browser without a network. asked : every address it asked for; failed : why not, by
    address; complaints : of console and page.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context, self.asked, self.failed, self.complaints = (
            context,
            list[str](),
            dict[str, str](),
            list[str](),
        )
        context.on("request", lambda request: self.asked.append(request.url))
        context.on(
            "requestfailed", lambda request: self.failed.update({request.url: str(request.failure)})
        )
        context.on(
            "console",
            lambda m: (
                self.complaints.append(m.text[:500]) if m.type in ("error", "warning") else None
            ),
        )
        context.on("weberror", lambda e: self.complaints.append(str(e.error)[:500]))

    def open(self, file: Path) -> Page:
        page = self.context.new_page()
        page.goto(file.as_uri())
        return page


@pytest.fixture
def alone(browser: Browser) -> Iterator[Alone]:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    yield Alone(context)
    context.close()


def foreign(alone: Alone, file: Path) -> list[str]:
    return [url for url in alone.asked if url != file.as_uri() and not url.startswith("data:")]


def test_saved_report_opens_offline_with_its_figures_and_prints(
    opened: Page, running: Any, watched: Any, alone: Alone, tmp_path: Path
) -> None:
    session = running.application.sessions.create_session("Melanoma", actor=LOCAL)
    data = make_example().dataset
    session.set_dataset(data, keep_runs=False)
    result = run_dtd(data, QUICK, progress=lambda *_, **__: None)
    session.add_run(
        Run(
            "one",
            "dtd",
            "DTD",
            datetime.now(UTC),
            QUICK,
            result,
            Provenance(data.training_id, data.bulk_id),
        )
    )
    opened.click("#dcx-session-button")
    opened.click("#dcx-session-menu button:has-text('Melanoma')")
    opened.click("#dcx-nav a:has-text('DTD')")
    with opened.expect_download() as given:
        opened.click("#dtd-report")
    assert given.value.suggested_filename == "Melanoma DTD report.html"
    file = tmp_path / "report.html"
    given.value.save_as(file)
    assert watched.complaints == []
    page = alone.open(file)
    places = page.locator(".plot")
    drawn = page.locator(".plot .main-svg:first-child")
    drawn.first.wait_for()
    assert places.count() == drawn.count() >= 4
    assert page.locator(".barlayer .point path").count() > 20
    assert page.locator(".modebar-btn").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 1
    page.evaluate("document.querySelectorAll('.plot').forEach((place) => place.replaceChildren())")
    bare = page.pdf(prefer_css_page_size=True)
    assert len(printed) > 1.2 * len(bare), "the figures are in print"
    assert alone.complaints == []
    assert foreign(alone, file) == []


def hostile() -> Document:
    """Names with script wherever a report takes names."""
    run = run_dtd(make_example().dataset, QUICK, progress=lambda *_, **__: None)
    metrics = run.metrics.assign(cell_type=SCRIPT + run.metrics["cell_type"])
    doc = Document(SCRIPT)
    doc.heading(SCRIPT)
    doc.paragraph(SCRIPT, "warn")
    doc.points([SCRIPT])
    doc.pairs([(SCRIPT, SCRIPT)], SCRIPT)
    doc.table(
        metrics.set_index("cell_type")[["pearson"]].rename(columns={"pearson": SCRIPT}),
        first=SCRIPT,
        caption=SCRIPT,
    )
    doc.figure(correlation(metrics), SCRIPT)
    return doc


def test_script_in_names_does_not_run_and_would_if_it_were_written_as_it_is(
    alone: Alone, tmp_path: Path
) -> None:
    file, without_policy, naive = (
        tmp_path / "report.html",
        tmp_path / "no policy.html",
        tmp_path / "naive.html",
    )
    html = hostile().html()
    file.write_bytes(html)
    unguarded = re.sub(rb"<meta http-equiv=[^>]*>", b"", html, count=1)
    without_policy.write_bytes(unguarded)
    naive.write_bytes(unguarded.replace(b"<main>", b"<main>" + SCRIPT.encode(), 1))
    for path in (file, without_policy):
        page = alone.open(path)
        page.locator(".plot .main-svg").first.wait_for()
        assert page.title() == SCRIPT
        assert page.locator("main img").count() == 0
        assert page.locator("h2").inner_text() == SCRIPT
    page = alone.open(naive)
    page.wait_for_function("document.title === 'ran'")  # the positive control


def test_policy_stops_a_script_that_got_in(alone: Alone, tmp_path: Path) -> None:
    html = (
        hostile()
        .html()
        .replace(b"<main>", b"<main>" + SCRIPT.encode() + b"<img src='http://127.0.0.1:1/x'>", 1)
    )
    file = tmp_path / "report.html"
    file.write_bytes(html)
    page = alone.open(file)
    page.locator(".plot .main-svg").first.wait_for()
    assert page.title() == SCRIPT
    assert any("Content Security Policy" in text for text in alone.complaints)
    assert {alone.failed.get(url) for url in foreign(alone, file)} == {"csp"}
