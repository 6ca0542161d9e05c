"""Who sees little, sees other colours or uses a screen reader: axe-core over every page and dialog
in both themes, and everything at 200 % zoom.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from gui.data.example import make_example
from gui.engine import tasks
from gui.engine.params import ADTDParams, DTDParams, SearchParams
from gui.engine.results import Provenance, Run
from gui.sessions.crypto import Cost, SessionKey
from gui.sessions.manager import LOCAL
from tests.browser.walk import rest

pytestmark = pytest.mark.browser
READ = 120_000
"""Milliseconds a file may take to be looked at on a busy machine."""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NOT_OURS = {
    # a menu opens over the page and belongs to the button that opened it, not to a landmark
    "region": [".mantine-Menu-dropdown"],
    # axe counts the <header> inside Mantine's dialogs as a second banner; a screen reader hears a
    # dialog only
    "landmark-no-duplicate-banner": ["header"],
    "landmark-unique": ["header"],
    # the column of ag-grid's boxes for ticking: its header is such a box, or, where all cannot be
    # ticked at once, nothing
    "empty-table-header": ["[col-id='ag-Grid-SelectionColumn']"],
}
"""Rules that are not asked inside what we cannot mend: rule -> CSS selectors, each with its reason.
"""


@pytest.fixture
def quick_passwords_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """New passwords take a moment instead of half a second and 256 MB."""
    for made in (SessionKey.new.__func__, SessionKey.rewrapped):  # type: ignore[attr-defined]
        monkeypatch.setitem(made.__kwdefaults__, "cost", Cost(passes=1, memory=8192))


def quiet(*_: Any, **__: Any) -> None:
    """A progress that nobody watches."""


@pytest.fixture(scope="module")
def computed() -> list[tuple[str, Any, Any, dict[str, str]]]:
    """(kind, parameters, result, inputs) of a DTD run, a search and an ADTD run with regulation on
    the example.
    """
    data = make_example().dataset
    learning, searching = (
        DTDParams(iterations=20, train_mixtures=40, test_mixtures=40, genes=200),
        SearchParams(points=4, folds=2),
    )
    dtd = tasks.run_dtd(data, learning, progress=quiet)
    search = tasks.run_search(data, searching, progress=quiet, dtd=dtd)
    params = ADTDParams(model="h,r", lambda2=search.choices["min"], max_iterations=30)
    adtd = tasks.run_adtd(data, params, progress=quiet, dtd=dtd)
    return [
        ("dtd", learning, dtd, {}),
        ("search", searching, search, {"dtd": "dtd"}),
        ("adtd", params, adtd, {"dtd": "dtd"}),
    ]


@pytest.fixture
def full(opened: Page, running: Any, computed: Any) -> Page:
    """A tab with two sessions: “Melanoma” holds the example and the runs, “Empty” nothing; the
    empty one is on screen.
    """
    sessions = running.application.sessions
    session, data = sessions.create_session("Melanoma", actor=LOCAL), make_example().dataset
    session.set_dataset(data, keep_runs=False)
    for kind, params, result, inputs in computed:
        made = Provenance(
            data.training_id, data.bulk_id, inputs, versions=tasks.versions(), seconds=1.5
        )
        session.add_run(Run(kind, kind, kind.upper(), datetime.now(UTC), params, result, made))
    sessions.create_session("Empty", actor=LOCAL)
    switch(opened, "Empty")
    return opened


def switch(page: Page, name: str) -> None:
    page.click("#dcx-session-button")
    page.click(f"#dcx-session-menu [role=menuitem]:has-text('{name}')")
    expect(page.locator("#dcx-session-button")).to_contain_text(name)
    expect(page.locator("#dcx-session-menu")).to_be_hidden()


def go(page: Page, title: str, shown: str) -> None:
    page.click(f"#dcx-nav a:has-text('{title}')")
    expect(page.locator(shown).first).to_be_visible()


def each_tab(page: Page, tabs: str) -> Iterator[str]:
    """Every tab of ``tabs``, one after another, drawn."""
    for tab in page.locator(f"#{tabs} [role=tab]").all():
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        rest(page)
        yield f"{tabs}: {tab.inner_text()}"


def places(page: Page, awkward: Path) -> Iterator[str]:
    """Every page, tab, menu and dialog, one after another; the name of what is on screen now."""
    yield "upload, empty"
    page.click("#dcx-help")
    expect(page.locator("#dcx-help-about")).to_be_visible()
    yield "menu: help"
    page.click("#dcx-help-about")
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "dialog: about"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.click("#dcx-session-button")
    expect(page.locator("#dcx-new")).to_be_visible()
    yield "menu: session"
    page.click("#dcx-new")
    expect(page.locator("#dcx-new-name")).to_be_visible()
    yield "dialog: new session"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.click("#dcx-jobs-button")
    expect(page.locator("#dcx-jobs")).to_be_visible()
    yield "menu: jobs"
    page.keyboard.press("Escape")
    for fold in page.locator("#upload-page .mantine-Accordion-control").all():
        fold.click()
    rest(page)
    yield "upload, form unfolded"
    for role, name in (("train", "log1p_train.h5ad"), ("bulk", "excel_dates.csv")):
        page.fill(f"#upload-{role}-path", str(awkward / name))
        page.press(f"#upload-{role}-path", "Enter")
        expect(page.locator(f"#upload-{role}-name")).to_have_text(name, timeout=READ)
    expect(page.locator("#upload-findings")).to_contain_text("look log-transformed", timeout=READ)
    expect(page.locator("#upload-reason")).not_to_contain_text("Looking", timeout=READ)
    # the page goes there by itself
    expect(page.locator("#upload-step-tab-findings")).to_have_attribute("aria-selected", "true")
    yield from each_tab(page, "upload-step")
    switch(page, "Melanoma")
    expect(page.locator("#upload-answer")).to_contain_text("training cells")
    yield from each_tab(page, "upload-tabs")
    go(page, "DTD", "#dtd-answer")
    for fold in page.locator("#dtd-page .dcx-parameters .mantine-Accordion-control").all():
        fold.click()
    yield from each_tab(page, "dtd-tabs")
    page.click("#dtd-runs-open")
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "dialog: previous runs"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    go(page, "ADTD", "#adtd-run")
    for fold in page.locator("#adtd-page .dcx-parameters .mantine-Accordion-control").all():
        fold.click()
    yield from each_tab(page, "adtd-tabs")
    go(page, "Sessions", "#sessions-active .ag-row")
    yield "sessions"
    page.click("#sessions-new")
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "sessions: new"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.click("#sessions-bring")
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "sessions: import"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.click("#dcx-help")
    page.click("#dcx-help-guide")
    expect(page.locator(".dcx-help-text h1")).to_be_visible()
    rest(page)
    yield "guide"
    page.fill("#help-query", "one standard error")
    expect(page.locator(".dcx-help-found").first).to_be_visible()
    yield "guide: found"


def opened_from_help(page: Page, entry: str, shown: str) -> None:
    page.click("#dcx-help")
    page.click(f"#dcx-help-{entry}")
    expect(page.locator(shown)).to_be_visible()


def closed(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def more_places(page: Page, running: Any, data: Path) -> Iterator[str]:
    """Dialogs, notices, the tour and the lock screen; the name of what is on screen now."""
    tour = page.locator("#dcx-welcome-tour")
    if tour.is_visible():
        yield "welcome"
        page.click("#dcx-welcome-skip")
    opened_from_help(page, "tour", "#dcx-tour-next")
    yield "tour: begin"
    page.click("#dcx-tour-close")
    expect(page.locator("#dcx-tour-next")).to_be_hidden()
    opened_from_help(page, "shortcuts", "[role=dialog] kbd >> nth=0")
    yield "dialog: shortcuts"
    closed(page)
    opened_from_help(page, "logs", "#dcx-logs-text")
    yield "dialog: logs"
    closed(page)
    opened_from_help(page, "support", "#dcx-support-text")
    yield "dialog: support bundle"
    closed(page)
    page.keyboard.press("ControlOrMeta+k")
    expect(page.locator("#dcx-switch-list button").first).to_be_visible()
    yield "dialog: switch"
    closed(page)
    # a window offers what was opened last
    application = running.application
    application.settings.change(recent=(str(data),))
    files = application.files
    application.files = WithDialogs(files)
    page.evaluate(
        "window.dash_clientside.set_props('dcx-command', {data: {action: 'recent', at: 1}})"
    )
    expect(page.locator("#dcx-recent-list button").first).to_be_visible()
    yield "dialog: recent"
    closed(page)
    application.files = files
    page.fill("#upload-train-path", "/no/such/file.csv")
    page.press("#upload-train-path", "Enter")
    expect(page.locator(".mantine-Notification-root").first).to_be_visible()
    yield "notice"
    page.locator(".mantine-Notification-root [aria-label=Close]").first.click()
    page.click("#upload-library-open")
    expect(page.get_by_role("dialog")).to_contain_text("PBMC")
    yield "dialog: library"
    closed(page)
    go(page, "Sessions", "#sessions-active .ag-row")
    for action, dialog in (("export", "Export"), ("delete", "Delete"), ("protect", "Protect")):
        ticked(page, "Melanoma", True)
        page.click(f"#sessions-active-{action}")
        expect(page.get_by_role("dialog")).to_contain_text(dialog)
        yield f"dialog: {action}"
        closed(page)
        ticked(page, "Melanoma", False)
    manager = application.sessions
    session_id = next(
        i.session_id for i in manager.list_sessions(actor=LOCAL) if i.name == "Melanoma"
    )
    manager.protect_session(session_id, "four grey owls sleep", actor=LOCAL)
    manager.lock_session(session_id, actor=LOCAL)
    expect(page.locator("#sessions-active .ag-row:has-text('locked')")).to_be_visible()
    yield "sessions: one locked"
    page.get_by_role("button", name="Unlock Melanoma").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "dialog: unlock"
    closed(page)
    page.click("#dcx-session-button")
    page.click("#dcx-session-menu [role=menuitem]:has-text('Melanoma')")
    page.click("#dcx-nav a[href='/upload']")
    expect(page.locator("#dcx-unlock-password")).to_be_visible()
    yield "lock screen"


class WithDialogs:
    """The files of a browser, said to be those of a window."""

    native = True

    def __init__(self, files: Any) -> None:
        self._files = files

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


def ticked(page: Page, name: str, on: bool) -> None:
    box = page.locator(f"#sessions-active .ag-row:has-text('{name}') input[type=checkbox]").first
    box.set_checked(on)


def violations(page: Page, only: list[str] = TAGS) -> list[str]:
    """What axe finds on the page as it is now: rule, where, and why. only : tags of rules, or
    rules
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(
        # the end of a form stays in sight and covers what can be scrolled from under it: for axe it
        # is where the form ends
        """(tags) => {
            const ends = [...document.querySelectorAll('.dcx-form-end')];
            ends.forEach((end) => { end.style.position = 'static'; });
            return axe.run(document, {runOnly: tags, resultTypes: ['violations'], preload: false})
                .then((r) => r.violations)
                .finally(() => ends.forEach((end) => { end.style.position = ''; }));
        }""",
        only,
    )
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))} {node['html'][:150]}"
        f" ({'; '.join(c['message'] for c in node['any'] + node['all'] + node['none'])})"
        for rule in found
        for node in rule["nodes"]
        if not any(
            page.locator(str(node["target"][-1])).first.evaluate(
                f"e => e.closest({where!r}) !== null"
            )
            for where in NOT_OURS.get(rule["id"], ())
        )
    ]


def themed(page: Page, theme: str) -> None:
    page.click("[aria-label=Theme]")
    page.click(f"#dcx-theme-{theme}")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", theme)
    rest(page)


def test_axe_sees_what_is_planted(opened: Page) -> None:
    """The positive control of the test below."""
    assert violations(opened) == []
    opened.evaluate(
        """() => document.getElementById('upload-page').insertAdjacentHTML('beforeend',
            '<p style="color: #aaa; background: #fff">pale</p><button type="button"></button><input type="text"><img src="/assets/icons/logo.svg">')"""
    )
    assert {each.partition(":")[0] for each in violations(opened)} >= {
        "color-contrast",
        "button-name",
        "label",
        "image-alt",
    }


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing_on_any_page_tab_menu_or_dialog(
    full: Page, awkward: Path, theme: str
) -> None:
    only = TAGS if theme == "light" else ["color-contrast"]  # nothing else depends on the theme
    themed(full, theme)
    found: dict[str, list[str]] = {}
    figures = 0
    for place in places(full, awkward):
        rest(full)
        for each in violations(full, only):
            found.setdefault(each, []).append(place)
        for figure in figure_texts(full):
            figures += 1
            if not figure["sentence"] or not (figure["rows"] or figure["empty"]):
                found.setdefault("a figure has no words", []).append(f"{place}: {figure}")
    assert figures > 12
    assert not found, "\n".join(
        f"{each}\n    on {', '.join(where)}" for each, where in found.items()
    )


@pytest.mark.usefixtures("quick_passwords_here")
@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing_in_dialogs_notices_the_tour_and_the_lock_screen(
    full: Page, running: Any, tiny_data: Path, theme: str
) -> None:
    only = TAGS if theme == "light" else ["color-contrast"]
    themed(full, theme)
    found: dict[str, list[str]] = {}
    seen = []
    for place in more_places(full, running, tiny_data / "train.h5ad"):
        rest(full)
        seen.append(place)
        for each in violations(full, only):
            found.setdefault(each, []).append(place)
    assert len(seen) >= 14
    assert not found, "\n".join(
        f"{each}\n    on {', '.join(where)}" for each, where in found.items()
    )


def test_the_main_pages_have_enough_contrast_in_the_dark(full: Page) -> None:
    """Of every tab, menu and dialog in the dark, the tests above tell at night."""
    themed(full, "dark")
    switch(full, "Melanoma")
    found: dict[str, list[str]] = {}
    for title, shown in (
        ("Upload", "#upload-answer"),
        ("DTD", "#dtd-answer"),
        ("ADTD", "#adtd-run"),
        ("Sessions", "#sessions-active .ag-row"),
    ):
        go(full, title, shown)
        rest(full)
        if wrong := violations(full, ["color-contrast"]):
            found[title] = wrong
    assert found == {}
    full.evaluate("document.getElementById('sessions-page').style.color = '#333'")  # the control
    full.evaluate(
        """() => document.getElementById('sessions-page').insertAdjacentHTML('beforeend', '<p>dim</p>')"""
    )
    assert violations(full, ["color-contrast"])


def figure_texts(page: Page) -> list[dict[str, Any]]:
    """What a screen reader hears of every figure in view."""
    if page.locator(".dcx-figure .js-plotly-plot:visible").count():
        page.wait_for_timeout(400)  # they are written a moment after the last redraw
    return page.evaluate(  # type: ignore[no-any-return]
        """() => [...document.querySelectorAll('.dcx-figure .js-plotly-plot')]
            .filter((plot) => plot.checkVisibility() && plot.clientWidth > 50 && plot._fullData)
            .map((plot) => {
                const box = plot.closest('.dcx-figure'), words = box.querySelector('.dcx-figure-text');
                const sentence = document.getElementById(box.getAttribute('aria-describedby') || '');
                return {
                    sentence: sentence ? sentence.textContent : '',
                    rows: words ? [...words.querySelectorAll('tbody tr')].map((r) => [...r.cells].map((c) => c.textContent)) : [],
                    head: words ? [...words.querySelectorAll('th')].map((c) => c.textContent) : [],
                    empty: plot._fullData.length === 0,
                };
            })"""
    )


def test_a_figure_is_heard_as_the_sentence_of_its_page_and_its_numbers(
    full: Page, computed: Any
) -> None:
    switch(full, "Melanoma")
    go(full, "DTD", "#dtd-answer")
    full.get_by_role("tab", name="Composition").click()
    # the first figure of all also loads Plotly, of which Dash knows nothing
    full.wait_for_selector("#dtd-page .js-plotly-plot .trace:visible")
    (heard,) = figure_texts(full)
    composition = computed[0][2].composition["bulk"]
    composition = composition / composition.sum(axis=0)  # as the tab shows it at first
    assert full.locator("#dtd-answer").inner_text().strip() in heard["sentence"]
    assert "Bars. Vertical axis: RNA fraction (%)" in heard["sentence"]
    assert heard["head"][:2] == ["Name", "Where"]
    assert len(heard["rows"]) == composition.size
    for name, sample, value, *_ in heard["rows"]:
        exact = 100 * float(composition.at[name, sample])
        assert float(value) == pytest.approx(exact, rel=0.005, abs=0.01)
    drawing = full.locator(".dcx-figure svg.main-svg:visible").first
    expect(drawing).to_have_attribute("aria-hidden", "true")


def out_of_reach(page: Page) -> list[str]:
    """What sticks out of the window at its sides and cannot be scrolled to, and whether the page
    itself scrolls sideways.
    """
    found: list[str] = page.evaluate("""() => {
            const root = document.scrollingElement, wide = root.scrollWidth > root.clientWidth ? [`page: ${root.scrollWidth} in ${root.clientWidth}`] : [];
            const scrolls = (e) => e && e !== document.body && (/auto|scroll|hidden|clip/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
            const out = [...document.querySelectorAll('button, a, input, textarea, p, h1, h2, h3, [role=tab]')].filter((e) => {
                const box = e.getBoundingClientRect();
                const outside = box.right > root.clientWidth + 1 || box.left < -1;
                return outside && box.width > 1 && box.height > 1 && !scrolls(e.parentElement) && e.checkVisibility();
            });
            return [...wide, ...out.map((e) => `${e.tagName} ${e.id} ${(e.textContent || e.ariaLabel || '').slice(0, 40)}`)];
        }""")
    return found


def test_at_200_percent_nothing_is_cut_off_and_no_page_scrolls_sideways(
    full: Page, awkward: Path
) -> None:
    full.set_viewport_size({"width": 640, "height": 360})  # 1280 x 720 at 200 %
    shots = os.environ.get("DECONOMIX_GUI_SHOTS")
    found: dict[str, list[str]] = {}
    for number, place in enumerate(places(full, awkward)):
        rest(full)
        if shots:
            full.screenshot(path=Path(shots) / f"zoom-{number:02}.png")
        if wrong := out_of_reach(full):
            found[place] = wrong
    assert found == {}
    full.evaluate("document.getElementById('dcx-outlet').style.width = '900px'")  # positive control
    assert out_of_reach(full)
