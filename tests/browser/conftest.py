"""The program on a real server, and a real Chromium that notes every request that would leave the
machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from desktop.server import LocalServer
from gui.app import Application, create_app
from gui.config import Config

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


class Watched:
    """A browser context. foreign : requests that went to other machines (where they find none);
    complaints : errors of the console and the page.

    What the page's policy stopped was never sent, so it is among the complaints only.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        context.on("requestfailed", lambda r: self._look(r) if r.failure != "csp" else None)
        context.on(
            "console", lambda m: self.complaints.append(m.text[:500]) if m.type == "error" else None
        )
        context.on("weberror", lambda e: self.complaints.append(str(e.error)[:500]))

    def _look(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.foreign.append(request.url)


class Running:
    """A running program: ``address()`` opens it once."""

    def __init__(self, application: Application, server: LocalServer) -> None:
        self.application, self.server = application, server

    def address(self) -> str:
        return self.application.start_url(self.server.url)


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """One for a file: what is tested next in this process has an event loop of its own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def watched(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    yield Watched(context)
    # a folder: what every tab showed at the end, to look at
    shots = os.environ.get("DECONOMIX_GUI_SHOTS")
    for number, page in enumerate(context.pages if shots else []):
        page.screenshot(path=Path(str(shots)) / f"{request.node.name}-{number}.png")
    context.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    application = create_app(Config.for_tests(tmp_path))
    server = LocalServer(application.server)
    server.start()
    application.start()
    yield Running(application, server)
    server.stop()
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
