"""A walk over everything that can be looked at: every page, every tab in it, the menus and dialogs
of the header.
"""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect


def nothing(_: str) -> None:
    """At a place where nobody looks."""


SETTLED = """() => new Promise((done) => {
    let rests = 0;
    const look = () => {
        const busy = document.querySelector('._dash-loading-callback')
            || document.getAnimations().some((a) => a.playState === 'running' && a.effect.getTiming().iterations !== Infinity);
        rests = busy ? 0 : rests + 1;
        if (rests < 10) requestAnimationFrame(look); else done();
    };
    look();
})"""
"""Ten frames in a row without a callback under way and without anything that fades or slides."""


def rest(page: Page) -> None:
    """Wait until no callback is under way and what draws itself has done so.

    (``wait_for_function`` would need ``unsafe-eval``.)
    """
    page.evaluate(SETTLED)


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
    """Every page in the list at the left that can be opened, with its tabs; then the header's menus.

    Returns the keys of the pages.
    """
    links = page.locator("#dcx-nav a:not([data-disabled])").all()
    keys = [str(link.get_attribute("href")).strip("/") for link in links]
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
        rest(page)
        at(button)
        page.keyboard.press("Escape")
        rest(page)
    return keys
