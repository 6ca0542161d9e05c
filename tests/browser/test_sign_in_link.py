"""A sign-in link that is clicked on another site's page (a message in a web mailer, a page on the
disk) lets its user in.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from gui import guard
from tests.browser.conftest import OTHER_SITE

pytestmark = pytest.mark.browser


@pytest.fixture
def elsewhere() -> Iterator[Any]:
    """``elsewhere(link)``: the address of another site's page with this link."""
    links: list[str] = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<!doctype html><a href='{links[-1]}'>Your link</a>".encode())

        def log_message(self, *args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def address(link: str) -> str:
        links.append(link)
        return f"http://{OTHER_SITE}:{server.server_port}/"

    yield address
    server.shutdown()
    server.server_close()


def test_a_link_on_another_site_lets_in(
    elsewhere: Any, browser: Any, running: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = browser.new_context().new_page()
    tab.goto(elsewhere(running.address()))
    tab.click("a")
    expect(tab.locator("#upload-train-choose")).to_be_visible()
    tab.context.close()
    page = tmp_path / "open.html"
    page.write_text(
        f'<!doctype html><meta http-equiv="refresh" content="0;url={running.address()}">'
    )
    tab = browser.new_context().new_page()
    tab.goto(page.as_uri())
    expect(tab.locator("#upload-train-choose")).to_be_visible()
    tab.context.close()
    # The control: with the redirection alone the cookie is not sent along, and the link is used up.
    monkeypatch.setattr(guard, "ENTER", "")
    tab = browser.new_context().new_page()
    tab.goto(elsewhere(running.address()))
    tab.click("a")
    tab.wait_for_timeout(1500)
    expect(tab.locator("#upload-train-choose")).to_have_count(0)
    tab.context.close()
