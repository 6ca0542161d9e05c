"""Every address that the page asks for, on a walk over all of it, is this program's own: no font,
no map, no counter, no update is asked for elsewhere.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from gui.sessions.manager import LOCAL
from tests.browser.walk import go, rest, walk

pytestmark = pytest.mark.browser


def elsewhere(asked: list[str], port: int) -> list[str]:
    """Those of the addresses that are not of the program at ``port``, nor data in the page
    itself.
    """
    found = [(url, urlsplit(url)) for url in asked]
    return [
        url
        for url, parts in found
        if parts.scheme not in ("data", "blob")
        and (parts.hostname, parts.port) != ("127.0.0.1", port)
    ]


def test_every_request_of_the_page_goes_to_this_program(
    opened: Page, watched: Any, running: Any
) -> None:
    page, asked, port = opened, list[str](), running.server.port
    watched.listen("request", lambda request: asked.append(request.url))
    page.reload()
    page.click("#upload-example")
    expect(page.locator("#upload-answer")).to_contain_text("training cells")
    go(page, "dtd")
    page.fill("#dtd-iterations", "10")
    page.keyboard.press("Tab")
    rest(page)
    page.click("#dtd-run")
    expect(page.locator("#dtd-page")).to_contain_text("Mean correlation", timeout=300_000)
    assert len(walk(page)) >= 7  # all but Genes, which needs an ADTD run
    for theme in ("dark", "light"):
        page.click("[aria-label=Theme]")
        page.click(f"#dcx-theme-{theme}")
    page.click("#dcx-help")
    page.click("#dcx-help-about")
    rest(page)
    page.keyboard.press("Escape")
    chapters = page.locator("#help-contents a")
    page.click("#dcx-help")
    page.click("#dcx-help-guide")
    chapters.first.wait_for()
    for number in range(chapters.count()):
        chapters.nth(number).click()
        rest(page)
    assert (
        len([s for s in running.application.sessions.list_sessions(actor=LOCAL) if s.loaded]) >= 1
    )
    paths = {urlsplit(url).path for url in asked}
    assert {"/_dash-layout", "/_dash-update-component", "/assets/style.css"} <= paths
    assert any("plotly" in path for path in paths)  # the walk came to the figures
    assert elsewhere(asked, port) == []
    assert watched.foreign == []
    assert watched.complaints == []


def test_a_request_that_goes_elsewhere_is_seen(watched: Any, running: Any) -> None:
    """The control: another host, and another port of this computer."""
    asked = list[str]()
    watched.listen("request", lambda request: asked.append(request.url))
    page = watched.context.new_page()
    page.set_content(
        '<img src="http://tracker.example.com/x.png"><img src="http://127.0.0.1:1/y.png"><img'
        ' src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
        wait_until="load",  # every picture has been asked for, and refused
    )
    assert elsewhere(asked, running.server.port) == [
        "http://tracker.example.com/x.png",
        "http://127.0.0.1:1/y.png",
    ]
