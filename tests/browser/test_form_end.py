"""Buttons that start an analysis stay in sight while sections of their forms are open."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.gui.groups_session import filled

pytestmark = pytest.mark.browser


def test_the_buttons_of_long_forms_stay_in_sight(watched: Any, running: Any) -> None:
    session = filled(running.application)
    page = watched.context.new_page()
    page.goto(running.address())
    page.locator("#dcx-session-button").click()
    page.get_by_text(session.name).last.click()
    for name in ("groups", "survival"):
        page.locator(f'a[href="/{name}"]:not([data-disabled])').first.click()
        button = page.locator(f"#{name}-run")
        button.wait_for(state="attached")
        for section in page.locator("main .mantine-Accordion-control").all():
            if section.is_visible():
                section.click()
        page.evaluate("window.scrollTo(0, 0)")
        expect(button).to_be_in_viewport(ratio=1)
