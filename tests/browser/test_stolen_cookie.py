"""A browser sends a cookie to every port of a computer.

Who serves on another one gets it, and with it alone nothing of value.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gui.guard import SIGN_OUT, Guard

pytestmark = pytest.mark.browser
ASKED = (
    ("GET", "/_dash-layout"),
    ("GET", "/_dash-dependencies"),
    ("POST", "/_dash-update-component"),
    ("POST", "/_dcx/upload?name=x.csv"),
    ("GET", "/_reload-hash"),
    ("POST", SIGN_OUT),
    ("OPTIONS", "/_dash-update-component"),
    ("HEAD", "/_dash-layout"),
)


@pytest.fixture
def thief() -> Iterator[Any]:
    """Another server of this computer.

    ``url`` leads there; ``cookies`` are those that came with the requests; a page of it tries what
    a page can.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if cookie := self.headers.get("Cookie"):
                server.cookies.append(cookie)
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if self.path == "/" else "image/png")
            self.end_headers()
            self.wfile.write(
                b"<!doctype html><title>thief</title><img src='/x.png'>"
                if self.path == "/"
                else b""
            )

        def log_message(self, *args: Any) -> None: ...

    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.cookies, server.url = [], f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def replay(running: Any, cookie: str, method: str, path: str) -> Any:
    """A client of the thief's own, which sends whatever headers it likes."""
    connection = http.client.HTTPConnection("127.0.0.1", running.server.port, timeout=60)
    try:
        headers = {
            "Cookie": cookie,
            "Origin": running.server.url,
            "Content-Type": "application/json",
            "X-Dcx-Key": "",
            "Sec-Fetch-Site": "same-origin",
        }
        connection.request(method, path, b"{}" if method == "POST" else None, headers)
        answer: Any = connection.getresponse()
        answer.body = answer.read()
        return answer
    finally:
        connection.close()


def test_who_gets_the_cookie_gets_nothing(
    opened: Page, watched: Any, running: Any, thief: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.click("#upload-example")
    expect(opened.locator("#dcx-session-button")).to_contain_text("Example")
    page = watched.context.new_page()
    page.goto(thief.url)
    # the browser gives it away: that is how browsers are
    cookie = next(cookie for cookie in thief.cookies if "dcx_" in cookie)
    for method, path in ASKED:
        answer = replay(running, cookie, method, path)
        assert (answer.status, b"Example" in answer.body) == (403, False), path
    for path in ("/", "/dtd", "/assets/access.js"):  # what is the same for everybody
        answer = replay(running, cookie, "GET", path)
        assert answer.status == 200
        assert b"Example" not in answer.body
    assert not running.application.uploads._uploads
    # Nor from a page of its own in the victim's browser, which has the cookie but not the key, and
    # no business with our origin.
    asked = """async ([base, paths]) => Promise.all(paths.map(async ([method, path]) => {
        try {
            const a = await fetch(base + path, { method, mode: "no-cors", credentials: "include" });
            return a.type + a.status;
        } catch (e) { return "failed"; }
    }))"""
    assert set(
        page.evaluate(
            asked,
            [running.server.url, [list(item) for item in ASKED if item[0] in ("GET", "POST")]],
        )
    ) <= {"opaque0", "failed"}
    assert page.evaluate("() => JSON.stringify(localStorage)") == "{}"
    # The victim works on: other tabs, a reload and a page of another address have the key.
    opened.reload()
    expect(opened.locator("#dcx-session-button")).to_contain_text("Example")
    second = watched.context.new_page()
    second.goto(running.server.url)
    expect(second.locator("#upload-load")).to_be_visible()
    # The control: without the look at the key the cookie opens everything.
    monkeypatch.setattr(Guard, "_has_key", lambda self: True)
    assert "Sign out" in replay(running, cookie, "GET", "/_dash-layout").body.decode()
    assert replay(running, cookie, "POST", "/_dcx/upload?name=x.csv").status == 200


def test_the_key_is_in_no_address_and_a_page_without_it_says_how_to_get_in(
    opened: Page, watched: Any, running: Any
) -> None:
    key = opened.evaluate("() => localStorage.getItem('dcx-key')")
    assert len(key) == 64
    seen = json.dumps(
        [
            opened.evaluate(
                "() => [location.href, document.referrer, performance.getEntries().map((e) =>"
                " e.name)]"
            ),
            opened.content(),
        ]
    )
    assert key not in seen
    assert "?t=" not in opened.url
    opened.evaluate("() => localStorage.removeItem('dcx-key')")  # as where site data were cleared
    opened.reload()
    expect(opened.locator("body")).to_contain_text("This browser is not signed in to DeconomiX")
    opened.goto(running.address())  # a new address repairs it
    expect(opened.locator("#upload-load")).to_be_visible()


def test_signing_out_ends_the_access_of_every_tab(
    opened: Page, watched: Any, running: Any, browser: Any
) -> None:
    second = watched.context.new_page()
    second.goto(running.server.url)
    expect(second.locator("#upload-load")).to_be_visible()
    other = browser.new_context().new_page()
    other.goto(running.address())
    expect(other.locator("#upload-load")).to_be_visible()
    opened.click("#dcx-help")
    opened.click("#dcx-sign-out")
    for page in (opened, second):  # the other tab hears of it with its next question
        expect(page.locator("body")).to_contain_text(
            "This browser is not signed in to DeconomiX. To get in again"
        )
    assert second.goto(running.server.url).status == 403
    other.reload()
    expect(other.locator("#upload-load")).to_be_visible()  # another browser stays
    other.context.close()
    opened.goto(running.address())
    expect(opened.locator("#upload-load")).to_be_visible()


def test_only_what_a_person_does_is_told(opened: Page) -> None:
    """The idle lock goes by it: a page that changes by itself under a pointer at rest, and scripts,
    tell nothing.
    """
    told = []
    opened.on(
        "request",
        lambda request: (
            told.append(request.headers.get("x-dcx-gesture"))
            if "/_dash-update-component" in request.url
            else None
        ),
    )

    def asked(times: int) -> list[str]:
        del told[:]
        for _ in range(times):
            with opened.expect_request("**/_dash-update-component*"):
                pass
        return [age for age in told if age is not None]

    opened.mouse.move(640, 360)
    asked(2)  # what came before is told
    opened.evaluate("""() => {
        document.getElementById("dcx-help").click();
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true }));
        document.body.style.paddingTop = "40px";
        window.scrollTo(0, 100);
        document.getElementById("dcx-help").focus();
    }""")
    assert asked(3) == []
    for gesture in (
        lambda: opened.mouse.move(660, 380),
        lambda: opened.keyboard.press("Shift"),
        lambda: opened.mouse.wheel(0, 10),
    ):
        gesture()
        assert [0 <= float(age) < 60 for age in asked(2)] == [True]  # once for each
