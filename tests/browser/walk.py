"""A walk over everything that can be looked at: every page, every tab in it, the menus and dialogs
of the header.
"""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect


def nothing(_: str) -> None:
    """At a place where nobody looks."""


def rest(page: Page) -> None:
    """Wait until no callback is under way, and a moment for what draws itself.

    (``wait_for_function`` would need ``unsafe-eval``.)
    """
    page.wait_for_timeout(300)
    expect(page.locator("._dash-loading-callback")).to_have_count(0)
    page.wait_for_timeout(300)


def walk_tabs(page: Page, at: Callable[[str], None] = nothing, place: str = "") -> None:
    """Every tab on screen, one after the other; ``at(place)`` is called at each."""
    for number in range(page.get_by_role("tab").count()):
        tab = page.get_by_role("tab").nth(number)
        if tab.is_visible() and tab.is_enabled():
            tab.click()
            expect(tab).to_have_attribute("aria-selected", "true")
            rest(page)
            at(f"{place}/{tab.inner_text()}")


def go(page: Page, key: str) -> None:
    """The page of this key, once it is on screen: until then its tabs would be those of the page
    before.
    """
    page.click(f"#dcx-nav a[href='/{key}']")
    expect(page.locator(f"#{key}-page")).to_be_visible()
    rest(page)


def walk(page: Page, at: Callable[[str], None] = nothing) -> list[str]:
    """Every page in the list at the left, with its tabs; then the header's menus.

    Returns the keys of the pages.
    """
    keys = [str(link.get_attribute("href")).strip("/") for link in page.locator("#dcx-nav a").all()]
    for key in keys:
        go(page, key)
        at(key)
        walk_tabs(page, at, key)
    for button in (
        "#dcx-session-button",
        "#dcx-jobs-button",
        "[aria-label=Theme]",
        "[aria-label=Help]",
    ):
        page.click(button)
        page.wait_for_timeout(400)
        at(button)
        page.keyboard.press("Escape")
        page.wait_for_timeout(300)
    return keys
