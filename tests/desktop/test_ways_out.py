"""A page that does not come up, and a program that crashed: what is said and tried."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from desktop import start, toolkit
from desktop.instance import Instance
from desktop.start import Start, following, in_browser, rendering
from gui.app import create_app
from gui.config import Config
from gui.engine.params import DTDParams
from gui.sessions.manager import LOCAL
from gui.sessions.snapshot import PendingJob
from gui.settings import SettingsStore

WAIT = 30.0


class Window:
    """As pywebview's, as far as a page that does not come up needs it."""

    def __init__(self) -> None:
        self.events = SimpleNamespace(closed=threading.Event())
        self.pages: list[str] = []
        self.urls: list[str] = []

    def load_url(self, url: str) -> None:
        self.urls.append(url)

    def load_html(self, page: str) -> None:
        self.pages.append(page)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "PATIENCE", 0.05)
    monkeypatch.setattr(start.time, "sleep", lambda seconds: None)
    monkeypatch.delenv(start.RENDERING, raising=False)
    monkeypatch.setattr(toolkit, "graphics_card", lambda: True)


def begun(tmp_path: Path) -> tuple[Start, Window, SettingsStore]:
    config = Config.for_tests(tmp_path)
    settings = SettingsStore(tmp_path / "data" / "settings.json")
    it = Start(config, [], Instance(config, tmp_path / "state"), settings, threading.Event())
    it.window = Window()
    return it, it.window, settings


@pytest.mark.usefixtures("quick")
def test_a_page_that_does_not_come_up_is_tried_without_the_graphics_card_and_then_in_the_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never: Any = SimpleNamespace(shown=threading.Event())
    it, window, _ = begun(tmp_path)
    it._watch(never)
    assert it.again == "software"
    assert it._ended.is_set()
    assert "without the graphics card" in window.pages[0]
    assert str(tmp_path / "logs") in window.pages[0]
    assert it.timed_out
    monkeypatch.setenv(start.RENDERING, it.again)
    it, window, _ = begun(tmp_path)
    it._watch(never)
    assert it.again == "browser"
    assert "in your browser" in window.pages[0]


@pytest.mark.usefixtures("quick")
def test_a_page_that_came_up_is_left_alone_and_what_helped_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: Any = SimpleNamespace(shown=threading.Event())
    there.shown.set()
    it, window, settings = begun(tmp_path)
    it._watch(there)
    assert (it.again, window.pages, settings.get().software) == ("", [], "")
    assert rendering(settings) == ""
    monkeypatch.setenv(start.RENDERING, "software")
    it, window, settings = begun(tmp_path)
    it._watch(there)
    # after a crash: the next start tries the graphics card
    assert (it.again, window.pages, settings.get().software) == ("", [], "")
    monkeypatch.setenv(start.TIMED_OUT, "yes")
    it, window, settings = begun(tmp_path)
    it._watch(there)
    monkeypatch.delenv(start.RENDERING)
    assert rendering(settings) == "software"  # the next start does not wait first
    assert following(rendering(settings)) == "browser"
    settings.change(software="0.0.1")
    assert rendering(settings) == ""  # another version of the program tries the graphics card again


@pytest.mark.usefixtures("quick")
def test_a_page_that_crashes_once_is_loaded_again_and_a_second_time_shown_in_another_way(
    tmp_path: Path,
) -> None:
    it, window, _ = begun(tmp_path)
    application: Any = SimpleNamespace(
        shown=threading.Event(),
        inbox=SimpleNamespace(announcements=[]),
        start_url=lambda base: f"{base}/?t=new",
    )
    server: Any = SimpleNamespace(url="http://127.0.0.1:1")
    application.shown.set()
    it._crashed(application, server)
    assert (window.urls, it.again, it._ended.is_set()) == (["http://127.0.0.1:1/?t=new"], "", False)
    assert application.inbox.announcements
    it._crashed(application, server)
    assert (len(window.urls), it.again, it.timed_out) == (1, "software", False)


@pytest.mark.usefixtures("quick")
def test_a_window_that_the_user_closes_meanwhile_is_not_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it, window, _ = begun(tmp_path)
    monkeypatch.setattr(start.time, "sleep", lambda seconds: window.events.closed.set())
    it._retry()
    assert it.again == ""


def test_without_a_window_the_page_is_in_the_browser_and_the_program_ends_when_nobody_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    contents: list[str] = []
    modes: list[int] = []

    def browser(address: str) -> bool:
        opened.append(address)
        page = Path(url2pathname(urlsplit(address).path))
        contents.append(page.read_text())
        modes.append(page.stat().st_mode & 0o777)
        return True

    monkeypatch.setattr(start.webbrowser, "open", browser)
    monkeypatch.setattr(start, "AWAY", 0.0)
    path = tmp_path / "bulk.csv"
    path.write_text("gene,S1\nA,1\n")
    config = Config.for_tests(tmp_path)
    ended = threading.Event()
    running = threading.Thread(
        target=in_browser,
        args=(config, [path], Instance(config, tmp_path / "state"), ended),
        daemon=True,
    )
    running.start()
    running.join(120)
    assert not running.is_alive()
    assert not ended.is_set()
    (page,) = opened
    # no token on a command line that everybody sees
    assert page == (tmp_path / "state" / "open.html").as_uri()
    assert contents[0].startswith("<!doctype html>")
    assert "url=http://127.0.0.1:" in contents[0]
    assert modes == [0o600] or sys.platform == "win32"
    assert not (tmp_path / "state" / "open.html").exists()


def test_an_instance_knows_that_the_one_before_it_did_not_leave(tmp_path: Path) -> None:
    config, state = Config.for_tests(tmp_path), tmp_path / "state"
    with Instance(config, state) as first:
        assert first.take()
        assert not first.crashed
        first.tell(1, "token")
    with Instance(config, state) as second:  # the first left
        assert second.take()
        assert not second.crashed
        second.tell(1, "token")
        assert second._lock is not None
        second._lock.release()  # as the system does for a program that was killed
        third = Instance(config, state)
        assert third.take()
        assert third.crashed
        third.leave()


def test_after_a_crash_it_is_said_what_is_there_and_what_was_interrupted(tmp_path: Path) -> None:
    config = Config.for_tests(tmp_path)
    first = create_app(config)
    first.sessions.create_session("Whole", actor=LOCAL)
    session = first.sessions.create_session("Melanoma", actor=LOCAL)
    session.job_submitted(
        PendingJob(
            "1", "dtd", "DTD", ("gui.engine.tasks", "run_dtd"), DTDParams(), {}, datetime.now(UTC)
        )
    )
    first.stop()
    second = create_app(config)
    try:
        second.inbox.announce_recovery()
        words = second.inbox.announcements[-1]
    finally:
        second.stop()
    assert words == (
        "DeconomiX was not closed properly last time. Your 2 sessions are here as last saved. "
        "Interrupted: DTD in “Melanoma”. Open the session to start it again."
    )


@pytest.mark.usefixtures("quick")
def test_without_a_graphics_card_none_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, settings = begun(tmp_path)
    assert rendering(settings) == ""
    monkeypatch.setattr(toolkit, "graphics_card", lambda: False)
    assert rendering(settings) == "software"
    monkeypatch.setenv(start.RENDERING, "browser")
    assert rendering(settings) == "browser"  # what failed before counts more


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the other systems' web views know by themselves"
)
@pytest.mark.parametrize(
    ("device", "there"),
    [
        ("dri/renderD128", True),
        ("nvidia0", True),
        ("dri/card0", False),
        ("nvidiactl", False),
        (None, False),
    ],
)
def test_a_graphics_card_is_known_by_its_device(
    device: str | None, there: bool, tmp_path: Path
) -> None:
    if device:
        (tmp_path / device).parent.mkdir(exist_ok=True)
        (tmp_path / device).touch()
    assert toolkit.graphics_card(tmp_path) is there
