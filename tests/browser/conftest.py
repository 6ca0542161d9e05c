"""The program on a real server, and a real Chromium that notes every request that would leave the
machine.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Page,
    Request,
    expect,
    sync_playwright,
)

from desktop.server import GRACE, LocalServer
from gui.app import Application, create_app
from gui.config import Config
from tests.gui.groups_session import filled

OTHER_SITE = "elsewhere.test"
"""Another site to a browser, on this machine."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Whatever asks for another machine, by name or by number, is told that there is none; OTHER_SITE
    # is this machine by another name.
    f"--host-resolver-rules=MAP {OTHER_SITE} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


PATIENCE = 90_000
"""Milliseconds: these machines are busy."""
expect.set_options(timeout=PATIENCE)
STORED = "cookies,local_storage,indexeddb,cache_storage,service_workers,file_systems"
"""What a page can leave behind in a browser, by Chromium's names."""


class Watched:
    """A browser context, as one test uses it. foreign : requests that went to other machines (where
    they find none); complaints : errors of the console and the page.

    What the page's policy stopped was never sent, so it is among the complaints only.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        self._listeners: list[tuple[Any, Any]] = []
        self.listen("requestfailed", lambda r: self._look(r) if r.failure != "csp" else None)
        self.listen(
            "console", lambda m: self.complaints.append(m.text[:500]) if m.type == "error" else None
        )
        self.listen("weberror", lambda e: self.complaints.append(str(e.error)[:500]))

    def listen(self, event: Any, handler: Callable[[Any], Any]) -> None:
        """Call ``handler`` on this event of the context, until the test ends."""
        self.context.on(event, handler)
        self._listeners.append((event, handler))

    def close(self) -> None:
        """Hear nothing more of the context."""
        for event, handler in self._listeners:
            self.context.remove_listener(event, handler)
        self._listeners.clear()

    def _look(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.foreign.append(request.url)


class Origin:
    """The address of the programs of all tests: one server, which hands every request to the
    program of the test that runs now.

    A browser keeps scripts by their address: read anew for every test, they are what takes longest.
    """

    def __init__(self) -> None:
        self._application: Application | None = None
        self._calls = 0
        self._changed = threading.Condition()
        self.server = LocalServer(self._call)
        self.server.start()

    def _call(self, environ: Any, start_response: Any) -> Any:
        with self._changed:
            application = self._application
            self._calls += application is not None
        if application is None:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        try:
            return application.server(environ, start_response)
        finally:
            with self._changed:
                self._calls -= 1
                self._changed.notify_all()

    def show(self, application: Application | None) -> None:
        """Hand requests to this program (None: refuse them), once those to the last one have ended.

        As when a server stops, those that take longer are left alone.
        """
        with self._changed:
            self._application = application
            self._changed.wait_for(lambda: not self._calls, timeout=GRACE)


class Running:
    """A running program: ``address()`` opens it once."""

    def __init__(self, application: Application, server: LocalServer) -> None:
        self.application, self.server = application, server

    def address(self) -> str:
        return self.application.start_url(self.server.url)


@pytest.fixture(scope="package")
def browser(chromium: Path) -> Iterator[Browser]:
    """One for this room: what is tested next in this process has an event loop of its own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="package")
def origin() -> Iterator[Origin]:
    """Where the program of every test is found."""
    made = Origin()
    yield made
    made.server.stop()


@pytest.fixture(scope="package")
def shared_context(browser: Browser) -> Iterator[tuple[BrowserContext, CDPSession]]:
    """A browser context that has read the program's scripts before, and a way to empty it.

    An empty tab stays open in it: without any, the next one would be a new window.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    yield context, context.new_cdp_session(context.new_page())
    context.close()


@pytest.fixture
def watched(
    shared_context: tuple[BrowserContext, CDPSession],
    origin: Origin,
    request: pytest.FixtureRequest,
) -> Iterator[Watched]:
    """The browser context as new: without tabs, cookies, permissions and anything stored."""
    context, inside = shared_context
    found = Watched(context)
    yield found
    found.close()
    used = context.pages[1:]
    # a folder: what every tab showed at the end, to look at
    shots = os.environ.get("DECONOMIX_GUI_SHOTS")
    for number, page in enumerate(used if shots else []):
        page.screenshot(path=Path(str(shots)) / f"{request.node.name}-{number}.png")
    for page in used:
        page.close()
    context.unroute_all()
    context.clear_permissions()
    context.clear_cookies()
    inside.send("Storage.clearDataForOrigin", {"origin": origin.server.url, "storageTypes": STORED})


@pytest.fixture
def running(tmp_path: Path, origin: Origin) -> Iterator[Running]:
    """A program of its own for every test, with its own folder and processes."""
    application = create_app(Config.for_tests(tmp_path))
    application.start()
    origin.show(application)
    yield Running(application, origin.server)
    origin.show(None)
    application.stop()


@pytest.fixture
def opened(watched: Watched, running: Running) -> Page:
    """The program in a tab, ready to use."""
    page = watched.context.new_page()
    page.goto(running.address())
    page.wait_for_selector("#upload-load")
    return page


@pytest.fixture
def finished(running: Running) -> Callable[..., None]:
    """Wait until every job has ended well: ``finished(timeout)``."""

    def wait(timeout: float = 120) -> None:
        deadline = time.monotonic() + timeout
        while any(job.active for job in running.application.runner.status()):
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"still running after {timeout} s: {running.application.runner.status()}"
                )
            time.sleep(0.2)
        failed = [job for job in running.application.runner.status() if job.state == "failed"]
        assert not failed, [str(job.error) for job in failed]

    return wait


@pytest.fixture(scope="module")
def results(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One program for all tests of this file, with a DTD and an ADTD run."""
    application = create_app(Config.for_tests(tmp_path_factory.mktemp("program")))
    server = LocalServer(application.server)
    server.start()
    application.start()
    session = filled(application)
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(PATIENCE)
    page.goto(application.start_url(server.url))
    page.locator("#dcx-session-button").click()
    page.get_by_text(session.name).last.click()
    yield page
    page.close()
    server.stop()
    application.stop()
