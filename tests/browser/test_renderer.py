"""What keeps Dash's renderer light: ``resources/assets/dash_rerender_patch.js``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.walk import go, rest

pytestmark = pytest.mark.browser
ASSETS = Path(__file__).resolve().parents[2] / "resources" / "assets"


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
