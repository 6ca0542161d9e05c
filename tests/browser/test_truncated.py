"""Long names in narrow fields: whole on hover."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.gui.groups_session import filled

pytestmark = pytest.mark.browser


def test_a_long_run_name_is_shown_whole_when_the_pointer_is_on_it(
    running: Any, watched: Any
) -> None:
    session = filled(running.application)
    session.add_run(
        replace(session.run("adtd0"), id="adtd1", name="after the outlier was left out")
    )
    page = watched.context.new_page()
    page.goto(running.address())
    page.wait_for_selector("#upload-load")
    page.evaluate(
        "id => window.dash_clientside.set_props('dcx-session', {data: id})", session.session_id
    )
    page.click("#dcx-nav a:has-text('Groups')")
    chosen = page.locator("#groups-source")
    expect(chosen).to_be_visible()
    for _ in range(2):
        chosen.hover()
        expect(chosen).to_have_attribute("title", chosen.input_value())
        page.locator("#groups-run").hover()
    assert "after the outlier was left out" in str(chosen.get_attribute("title"))
    page.evaluate("window.dash_clientside.set_props('groups-column', {value: 'arm'})")
    short = page.locator("#groups-column")
    expect(short).to_have_value("arm")
    short.hover()
    assert short.get_attribute("title") is None
