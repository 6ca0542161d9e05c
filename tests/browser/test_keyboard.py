"""Who has no mouse: everything is reached by Tab and the arrow keys, one sees where one is, and a
dialog gives the focus back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gui.engine.params import DTDParams
from gui.engine.results import Provenance, Run
from gui.engine.tasks import run_dtd
from gui.sessions.manager import LOCAL
from gui.shell.actions import offered

pytestmark = pytest.mark.browser
READ = 120_000
"""Milliseconds a file may take to be looked at on a busy machine."""
FOCUS = """() => {
    // who has the focus, and whether what is drawn around it shows that: around itself, or, where it is a hidden box for ticking, around its neighbour
    const here = document.activeElement, box = here.getBoundingClientRect();
    const who = `${here.tagName} ${here.id} ${here.ariaLabel || here.textContent.slice(0, 30)}`;
    const bare = box.width > 4 && getComputedStyle(here).opacity !== '0' ? [here] : [];
    const near = here.matches('input[type=radio], input[type=checkbox]') ? [here.nextElementSibling, here.parentElement] : [];
    const all = [...bare, ...near].filter(Boolean);
    const look = (e) => { const s = getComputedStyle(e); return [s.outlineStyle === 'none' ? '' : s.outline, s.boxShadow].join(); };
    const focused = all.map(look);
    here.blur();
    const without = all.map(look);
    here.focus({preventScroll: true});
    return {who, seen: document.activeElement === here && all.some((_, i) => focused[i] !== without[i])};
}"""
"""Asked in one piece: between two questions the page may draw anew what has the focus (the figures
of data that arrive), and the answers be of two elements.
"""


def is_at(page: Page, selector: str) -> bool:
    return bool(page.evaluate("(selector) => document.activeElement.matches(selector)", selector))


def tab_to(page: Page, selector: str, *, most: int = 90, key: str = "Tab") -> None:
    """Press Tab until the focus is there.

    AssertionError if that never happens, or if on the way one cannot see where the focus is.
    """
    passed: list[str] = []
    for _ in range(most):
        page.keyboard.press(key)
        focus = page.evaluate(FOCUS)
        passed.append(focus["who"])
        # past the last element, where the browser's own bars would be
        if not focus["who"].startswith("BODY"):
            assert focus["seen"], f"the focus is not seen on {focus['who']}"
        if is_at(page, selector):
            return
    raise AssertionError(f"{selector} is not reached; passed: {passed}")


def test_the_way_past_the_navigation(opened: Page, watched: Any) -> None:
    page = opened
    page.keyboard.press("Tab")
    assert is_at(page, ".dcx-skip")
    expect(page.locator(".dcx-skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert is_at(page, "#dcx-outlet")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#upload-page') !== null")
    assert watched.complaints == []


def test_menu_and_dialog_keep_the_focus_and_give_it_back(opened: Page, watched: Any) -> None:
    page = opened
    for name in ("Session", "Jobs", "Theme", "Help"):
        tab_to(page, f"button[aria-label={name}]", most=4)
        page.keyboard.press("Enter")
        expect(page.locator(f"button[aria-label={name}]")).to_have_attribute(
            "aria-expanded", "true"
        )
        page.wait_for_timeout(300)
        page.keyboard.press("Escape")
        expect(page.locator(f"button[aria-label={name}]")).to_have_attribute(
            "aria-expanded", "false"
        )
        expect(page.locator(f"button[aria-label={name}]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="User guide")).to_be_focused()
    page.keyboard.press("ArrowUp")  # round to the last entry
    expect(page.locator("#dcx-sign-out")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#dcx-help-about")).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="About DeconomiX")
    expect(dialog).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('[role=dialog]') !== null"), (
            "the focus left the dialog"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("button[aria-label=Help]")).to_be_focused()
    assert watched.complaints == []


def test_a_whole_analysis_by_keyboard_alone(
    opened: Page, watched: Any, running: Any, awkward: Path, finished: Callable[..., None]
) -> None:
    page = opened
    for role, name in (("train", "clean_train.h5ad"), ("bulk", "clean_application.h5ad")):
        tab_to(page, f"#upload-{role}-path")
        page.keyboard.type(str(awkward / name))
        page.keyboard.press("Enter")
        expect(page.locator(f"#upload-{role}-name")).to_have_text(name, timeout=READ)
    expect(page.locator("#upload-load")).to_be_enabled(timeout=READ)
    tab_to(page, "#upload-load")
    page.keyboard.press("Enter")
    expect(page.locator("#upload-answer")).to_contain_text("training cells", timeout=READ)
    tab_to(page, "#dcx-nav a[href='/dtd']")
    page.keyboard.press("Enter")
    expect(page.locator("#dtd-run")).to_be_enabled()
    tab_to(page, "#dtd-iterations")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("20")
    tab_to(page, "#dtd-run")
    page.keyboard.press("Enter")
    expect(page.locator("#dtd-reason")).to_contain_text("Started")
    finished()
    expect(page.locator("#dtd-answer")).to_contain_text("Mean correlation")
    tab_to(page, "[role=tab][aria-selected=true]")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#dtd-tabs [role=tab]").nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#dtd-tabs [role=tab]").nth(1)).to_be_focused()
    assert page.evaluate(FOCUS)["seen"]
    tab_to(page, "#dcx-nav a[href='/adtd']", key="Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#adtd-run")).to_be_enabled()
    # the model with gene regulation, and its λ₂ typed as in German
    tab_to(page, "#adtd-model")
    page.keyboard.press("Enter")
    expect(page.get_by_role("option", name="Hidden background", exact=True)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#adtd-lambda2")).to_be_visible()
    tab_to(page, "#adtd-lambda2")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("0,0000015")
    tab_to(page, "#adtd-run")
    page.keyboard.press("Enter")
    finished()
    expect(page.locator("#adtd-page .dcx-headline:visible").first).to_contain_text("idden")
    (run,) = [
        run
        for info in running.application.sessions.list_sessions(actor=LOCAL)
        for run in running.application.sessions.get_session(info.session_id, actor=LOCAL).runs(
            "adtd"
        )
    ]
    assert (run.params.model, run.params.lambda2) == ("h,r", 1.5e-6)
    tab_to(page, "#adtd-tabs [role=tab][aria-selected=true]")
    for _ in range(2):  # second opinion, hidden profile
        page.keyboard.press("ArrowRight")
    expect(page.locator("#adtd-page .js-plotly-plot:visible").first).to_be_visible()
    with page.expect_download() as download:
        page.keyboard.press("ControlOrMeta+Shift+S")
    assert "λ₂" in Path(download.value.path()).read_text("utf-8")
    assert watched.complaints == []


def test_every_listed_shortcut_is_heard(opened: Page) -> None:
    """Those of the window too: the list of its keys is put in place of the browser's."""
    page = opened
    wanted = {
        action.shortcut: action.key
        for action in offered(native=True, single=False)
        if action.shortcut and not action.own
    }
    page.evaluate(
        """(keys) => {
            document.getElementById('dcx-keys').dataset.keys = JSON.stringify(keys);
            window.heard = [];
            window.dash_clientside.set_props = (id, props) => {
                if (id === 'dcx-command') window.heard.push(props.data.action);
            };
        }""",
        wanted,
    )
    names = {"Mod": "Control", "Plus": "+", "Minus": "-", "Slash": "/"}
    for shortcut in wanted:
        page.keyboard.press("+".join(names.get(key, key) for key in shortcut.split("+") if key))
    assert page.evaluate("window.heard") == list(wanted.values())
    page.keyboard.press("Control+j")
    page.keyboard.press("k")
    assert len(page.evaluate("window.heard")) == len(wanted)


def test_a_focus_that_is_not_seen_is_noticed(opened: Page) -> None:
    """The positive control of what the tests above assert on their way."""
    opened.add_style_tag(
        content="*:focus-visible { outline: none !important; box-shadow: none !important; }"
    )
    with pytest.raises(AssertionError, match="not seen"):
        tab_to(opened, "button[aria-label=Help]")


def test_a_save_menu_is_used_and_left_by_keyboard(opened: Page, watched: Any) -> None:
    page = opened
    page.click("#upload-example")
    expect(page.locator("#upload-answer")).to_contain_text("training cells")
    page.get_by_role("tab", name="Cell types").click()
    button = page.locator("#upload-page button:has-text('Save…'):visible").first
    expect(button).to_be_visible()
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[role=menuitem]:visible").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("[role=menuitem]:visible")).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[role=menuitem]:visible").first).to_be_focused()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert Path(download.value.path()).stat().st_size > 0
    assert watched.complaints == []


def test_escape_closes_the_uppermost_dialog_and_leaves_the_one_behind(
    opened: Page, watched: Any, running: Any
) -> None:
    page = opened
    page.click("#upload-example")
    expect(page.locator("#upload-answer")).to_contain_text("training cells")
    session = running.application.sessions.get_session(
        page.evaluate("JSON.parse(sessionStorage.getItem('dcx-session'))"), actor=LOCAL
    )
    data = session.need_dataset()
    params = DTDParams(genes=60, iterations=5, train_mixtures=30, test_mixtures=30)
    result = run_dtd(data, params, progress=lambda *_, **__: None)
    made = Provenance(data.training_id, data.bulk_id, seconds=1.0)
    session.add_run(Run("r", "dtd", "DTD", datetime.now(UTC), params, result, made))
    page.click("#dcx-nav a:has-text('DTD')")
    behind = page.get_by_role("dialog", name="Previous runs")
    above = page.get_by_role("dialog", name="Name and notes of the run")
    for _ in "ab":
        page.click("#dtd-runs-open")
        for _ in "ab":
            behind.get_by_role("button", name="Name and notes of").click()
            expect(above).to_be_visible()
            page.keyboard.press("Escape")
            expect(above).to_be_hidden()
            expect(behind).to_be_visible()
        page.keyboard.press("Escape")
        expect(behind).to_be_hidden()
    assert watched.complaints == []
