"""What keeps Dash's renderer light: ``resources/assets/dash_rerender_patch.js``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.walk import go, rest

pytestmark = pytest.mark.browser
ASSETS = Path(__file__).resolve().parents[2] / "resources" / "assets"
TABLES = "#dtd-page .ag-root"
TOLD = """async () => {
    const { store } = window;
    const turn = () => new Promise((done) => setTimeout(done, 50));
    const counts = [];
    let told = 0;
    const stop = store.subscribe(() => { told += 1; });
    store.dispatch({ type: "to begin with" });
    await turn();
    told = 0;
    for (let number = 0; number < 50; number += 1) store.dispatch({ type: "nothing" });
    counts.push(told);
    await turn();
    counts.push(told);
    const itempath = store.getState().paths.strs["dcx-outlet"];
    for (const title of ["one", "two"]) {
        const payload = { itempath, props: { title }, renderType: "callback" };
        store.dispatch({ type: "ON_PROP_CHANGE", payload });
        counts.push(told);
    }
    for (const _ of ["something to forget", "nothing"]) {
        store.dispatch({ type: "RESET_COMPONENT_STATE", payload: { itempath } });
        counts.push(told);
    }
    stop();
    return counts;
}"""


def test_changes_of_the_layout_are_told_at_once_and_all_else_once_per_turn(results: Page) -> None:
    go(results, "sessions")
    at_once, later, first, second, forgotten, nothing = results.evaluate(TOLD)
    assert at_once == 0
    assert 1 <= later < 10  # of fifty; the page itself may go on a little
    assert [first - later, second - first] == [1, 1]
    assert [forgotten - second, nothing - forgotten] == [1, 0]
    assert results.locator("#dcx-outlet").get_attribute("title") == "two"


def test_a_table_is_built_when_it_is_first_seen_and_stays(results: Page) -> None:
    go(results, "dtd")
    for _ in range(2):
        results.get_by_role("tab", name="Loss").click()
        rest(results)
        go(results, "sessions")
        go(results, "dtd")
        assert results.locator(TABLES).count() == 0
        results.get_by_role("tab", name="Composition").click()
        results.locator("#dtd-composition-view").get_by_text("Table").click()
        expect(
            results.locator(f"{TABLES}:visible .ag-center-cols-container .ag-row")
        ).not_to_have_count(0)
        built = results.locator(TABLES).count()
        results.locator("#dtd-composition-view").get_by_text("Bars").click()
        rest(results)
        assert results.locator(TABLES).count() == built == 1


def test_a_tab_is_drawn_when_it_is_first_opened_with_what_was_answered_before(
    results: Page,
) -> None:
    go(results, "dtd")
    results.get_by_role("tab", name="Loss").click()
    rest(results)
    go(results, "sessions")
    go(results, "dtd")
    view = results.locator("#dtd-composition-view")
    for _ in range(2):
        expect(view).to_have_count(0)
        # as a callback would answer, while nobody looks
        results.evaluate(
            "window.dash_clientside.set_props('dtd-composition-view', { value: 'table' })"
        )
        rest(results)
        results.get_by_role("tab", name="Composition").click()
        expect(view.locator("input:checked")).to_have_attribute("value", "table")
        expect(results.locator(f"{TABLES}:visible .ag-row").first).to_be_visible()
        view.get_by_text("Bars").click()
        expect(view.locator("input:checked")).to_have_attribute("value", "bars")
        results.get_by_role("tab", name="Loss").click()  # and stays, as it is
        results.get_by_role("tab", name="Composition").click()
        expect(view.locator("input:checked")).to_have_attribute("value", "bars")
        results.get_by_role("tab", name="Loss").click()
        rest(results)
        go(results, "sessions")
        go(results, "dtd")


def test_the_page_says_that_it_waits_only_while_it_does(results: Page) -> None:
    outlet = results.locator("#dcx-outlet")
    held: list[Route] = []
    go(results, "dtd")
    results.get_by_role("tab", name="Loss").click()
    rest(results)
    expect(outlet).not_to_have_attribute("data-dcx-pending", "")
    results.route("**/_dash-update-component", lambda route: held.append(route))
    try:
        results.get_by_role("tab", name="Markers").click()
        expect(outlet).to_have_attribute("data-dcx-pending", "")
        results.unroute_all()
        for route in held:
            route.continue_()
        expect(outlet).not_to_have_attribute("data-dcx-pending", "")
    finally:
        results.unroute_all()


def test_no_style_asks_for_what_lies_far_below() -> None:
    """``:has()`` that is answered anywhere below makes every change style the whole page anew."""
    style = (ASSETS / "style.css").read_text("utf-8")
    found = re.findall(r"([^{};]*:has\((?!>)[^{};]*)\{", style)
    nested = ("> :not(.dcx-fold), :has(.dcx-form-end)", ":has(.dcx-form-end)) ")
    assert [one for one in found if not any(part in one for part in nested)] == []
