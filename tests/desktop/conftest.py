"""Native-window tests: pytest-qt owns the QApplication, windows are shown without ``webview.start``
(two starts in one process crash).

``open_window(url, files=None) -> Handle`` works on any address, so end-to-end tests on real data
use it too::

    files = NativeFiles()
    application = create_app(config, files)
    application.start()
    with serving(application.server) as server:
        page = open_window(application.start_url(server.url), files)
        page.wait_js("document.querySelector('#upload-load')")
        page.accept_dialog("/some/file.h5ad")          # answers the next file dialog
        page.run_js("document.querySelector('#upload-train-choose').click(); 1")
        ...
        page.close()                                    # before the server goes: an open page asks
            on
    application.stop()
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from desktop import toolkit, window
from desktop.dialogs import NativeFiles
from desktop.server import LocalServer
from gui.settings import SettingsStore

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0
"""Seconds until a wait that never comes true fails; no test depends on how fast something is."""


@pytest.fixture(autouse=True)
def _no_box_that_waits_for_a_click(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(toolkit.NO_DIALOGS, "1")


@pytest.fixture(scope="module", autouse=True)
def _started_as_by_the_program(spawned_processes: None) -> None:
    """A server to fork from would be started within Qt, while the window waits."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pywebview calls deprecated functions of Qt: not ours to mend, and not to be hidden
    elsewhere.
    """
    for item in items:
        if item.get_closest_marker("window"):
            item.add_marker(
                pytest.mark.filterwarnings(
                    "ignore:.*is marked as deprecated:DeprecationWarning:webview.platforms.qt"
                )
            )


class Handle:
    """One open window, seen from a test. Methods run the event loop while they wait."""

    def __init__(self, native: Any, view: Any, qtbot: Any) -> None:
        self.native = native
        """pywebview's window"""
        self.view = view
        """Qt's main window"""
        self._links = view.webview.page().nav_handler
        self.complaints = _complaints(view.webview.page())
        """Errors of the page's console, uncaught ones included"""
        self._qtbot = qtbot
        self._answers = Answers()

    def call(
        self, function: Callable[..., Any], *args: Any, timeout: float = PATIENCE, **options: Any
    ) -> Any:
        """Run ``function`` in a thread, as a callback of the server does, and return its result or
        raise its error.
        """
        outcome: dict[str, Any] = {}

        def run() -> None:
            try:
                outcome["value"] = function(*args, **options)
            except BaseException as error:  # noqa: BLE001 - handed to the test below
                outcome["error"] = error

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._qtbot.waitUntil(lambda: not thread.is_alive(), timeout=int(timeout * 1000))
        if "error" in outcome:
            raise outcome["error"]
        return outcome["value"]

    def run_js(self, code: str, timeout: float = PATIENCE) -> Any:
        """The value of ``code`` (an expression or statements; no promise) in the page: text,
        number, bool or None.

        Objects: use JSON.stringify.
        """
        return self.call(self.native.run_js, code, timeout=timeout)

    def json(self, expression: str, timeout: float = PATIENCE) -> Any:
        """The value of a JavaScript expression, whatever JSON can hold."""
        return json.loads(self.run_js(f"JSON.stringify([{expression}])", timeout))[0]

    def wait_js(self, condition: str, timeout: float = PATIENCE) -> None:
        """Wait until the expression is true in the page; an error in it counts as not yet."""
        code = (
            f"(() => {{ try {{ return Boolean({condition}) }} catch (error) {{ return false }}"
            " })()"
        )
        deadline = time.monotonic() + timeout
        while self.run_js(code) is not True:
            if time.monotonic() > deadline:
                shown = self.run_js(
                    "document.location.pathname + ': ' + (document.body ?"
                    " document.body.innerText.slice(0, 1500) : '')"
                )
                raise AssertionError(
                    f"never true in the page: {condition}\nthe page showed: {shown}"
                )
            self._qtbot.wait(100)  # asking all the time would slow down what is waited for

    def wait_for(self, condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Run the event loop until ``condition`` is true."""
        self._qtbot.waitUntil(condition, timeout=int(timeout * 1000))

    def screenshot(self, path: Path | str) -> Path:
        """What the window shows, as a PNG."""
        self._qtbot.wait(200)  # the compositor is a frame or two behind the page
        assert self.view.grab().save(str(path), "PNG")
        return Path(path)

    def resize(self, width: int, height: int) -> None:
        self.view.resize(width, height)
        self.wait_js(f"window.innerWidth === {width}")

    def accept_dialog(
        self, filename: Path | str | None = None, *, replace: bool | None = None
    ) -> list[str]:
        """Answer the next file dialog with ``filename`` (None: as proposed); ``replace`` answers
        the question about an existing file.

        To be called before what opens the dialog; several calls answer several dialogs in turn. “Do
        not replace” then cancels.
        The list returned gets the dialog's title and the text of the questions answered.
        """
        return self._answers.expect(Answer(None if filename is None else str(filename), replace))

    def cancel_dialog(self) -> list[str]:
        """Cancel the next file dialog; else like ``accept_dialog``."""
        return self._answers.expect(Answer(None, None, give_up=True))

    def answer(self, question: str, button: str) -> dict[str, str]:
        """Press ``button`` when this question comes up; the dict returned loses it then."""
        self._answers.questions[question] = button
        return self._answers.questions

    @property
    def unexpected(self) -> list[str]:
        """Titles of dialogs and texts of questions that came up without an answer prepared; they
        were cancelled.
        """
        return self._answers.unexpected

    def close(self) -> None:
        """Close the window and delete what Qt keeps of it, here and in this order: the garbage
        collector would do it in any thread, and abort.
        """
        from PySide6.QtCore import QCoreApplication, QEvent

        self._answers.timer.stop()
        if self.view is None:
            return
        view, self.view = self.view, None
        profile, links = view.profile, self._links
        if not self.native.events.closed.is_set():  # the program may have closed it
            # nothing stands in the way of the end of a test
            self.native.events.closing._items.clear()
            view.close()  # deletes the page
        for owned in (links, profile, view):  # pages before the profile they belong to
            owned.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@dataclass
class Answer:
    """What to do with one file dialog and the question that may follow it."""

    filename: str | None
    replace: bool | None
    give_up: bool = False
    seen: list[str] = field(default_factory=list)


class Answers:
    """The user at the dialogs: answers those expected and cancels all others, since an open one
    blocks the test for good.
    """

    def __init__(self) -> None:
        from PySide6.QtCore import QTimer

        self.expected: list[Answer] = []
        self.unexpected: list[str] = []
        self.questions: dict[str, str] = {}
        """Text of a question -> label of the button to press."""
        self._current: Answer | None = None
        self.timer = QTimer()
        # Acting from the timer itself would silence it while Qt asks back within accept().
        self.timer.timeout.connect(lambda: QTimer.singleShot(0, self._look))
        self.timer.start(50)

    def expect(self, answer: Answer) -> list[str]:
        self.expected.append(answer)
        return answer.seen

    def _look(self) -> None:
        from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

        dialog = QApplication.activeModalWidget()
        if dialog is None or dialog.property("answered"):
            return
        dialog.setProperty("answered", True)
        if isinstance(dialog, QMessageBox):
            self._question(dialog)
        elif isinstance(dialog, QFileDialog):
            self._file(dialog)

    def _question(self, box: Any) -> None:
        from PySide6.QtWidgets import QMessageBox

        current = self._current
        if box.text() in self.questions:
            wanted_label = self.questions.pop(box.text())
            next(button for button in box.buttons() if button.text() == wanted_label).click()
            return
        if current is None or current.replace is None:
            self.unexpected.append(box.text())
            box.reject()
            return
        current.seen.append(box.text())
        current.give_up = not current.replace
        buttons = QMessageBox.StandardButton
        wanted = (buttons.Yes, buttons.Ok) if current.replace else (buttons.No, buttons.Cancel)
        box.button(next(button for button in wanted if box.standardButtons() & button)).click()

    def _file(self, dialog: Any) -> None:
        from PySide6.QtWidgets import QLineEdit

        if self._current is not None and self._current.give_up and self._current.replace is False:
            self._current = None  # asked again after “do not replace”
            dialog.reject()
            return
        self._current = self.expected.pop(0) if self.expected else None
        if self._current is None:
            self.unexpected.append(dialog.windowTitle())
            dialog.reject()
            return
        current = self._current
        current.seen.append(dialog.windowTitle())
        if current.give_up:
            dialog.reject()
            return
        if current.filename is not None:
            dialog.findChild(QLineEdit, "fileNameEdit").setText(current.filename)
        dialog.accept()  # comes back once Qt's own question about replacing, if any, is answered
        if dialog.isVisible():
            self._current = None
            dialog.reject()


@contextlib.contextmanager
def serving(app: Any) -> Iterator[LocalServer]:
    """A LocalServer on a WSGI application, stopped at the end."""
    server = LocalServer(app).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(name="serving")
def _serving() -> Any:
    return serving


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    """pytest-qt makes the QApplication with these; what must happen before that happens here."""
    if problem := toolkit.obstacle():
        pytest.skip(problem)
    window.prepare()
    # Must be loaded before a QApplication exists.
    from PySide6 import QtWebEngineWidgets  # noqa: F401
    from PySide6.QtCore import QCoreApplication, Qt

    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    return ["deconomix-tests"]


def _listen(page: Any, level: Any, message: str, line: int, source: str) -> None:
    """Qt calls this for what the page's console gets."""
    if level == page.JavaScriptConsoleMessageLevel.ErrorMessageLevel:
        _complaints(page).append(f"{message[:500]} ({source}:{line})")


def _complaints(page: Any) -> list[str]:
    return page.__dict__.setdefault("complaints", [])  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def _guilib(qapp: Any) -> Any:
    import webview

    class Stays:
        """Closing the last window would end the application that pytest-qt goes on using."""

        def exit(self, *args: Any) -> None: ...

        quit = exit

    guilib = webview.initialize("qt")
    guilib.stays = Stays()
    guilib.BrowserView.WebPage.javaScriptConsoleMessage = _listen
    webview.guilib = guilib
    return guilib


@pytest.fixture
def open_window(_guilib: Any, qtbot: Any) -> Iterator[Callable[..., Handle]]:
    """``open_window(url, files=None, settings=None, menus=()) -> Handle``: a window of the program
    on ``url`` (None: the splash page), closed in the end.
    """
    handles: list[Handle] = []

    def open_(
        url: str | None,
        files: NativeFiles | None = None,
        settings: SettingsStore | None = None,
        menus: Sequence[Any] = (),
    ) -> Handle:
        native = window.create(url, files or NativeFiles(), settings, menus)
        _guilib._app = _guilib.stays  # asked about screens, pywebview has put the real one back
        assert native._initialize(_guilib)
        view = _guilib.BrowserView(native)
        if menus:
            _guilib.create_menu(native.menu, view.menuBar())
        view.show()
        handle = Handle(native, view, qtbot)
        handles.append(handle)
        qtbot.waitUntil(native.events.loaded.is_set, timeout=int(PATIENCE * 1000))
        return handle

    yield open_
    for handle in handles:
        handle.close()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a program started by a test: settings, logs and home in ``tmp_path``,
    nothing of the developer's.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DECONOMIX", "PYTEST"))
    }
    homes = {
        name: str(tmp_path / name.lower())
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    }
    for home in homes.values():
        Path(home).mkdir(exist_ok=True)
    return {**kept, **homes, "PYTHONUNBUFFERED": "1", toolkit.NO_DIALOGS: "1"}


@pytest.fixture
def start(environment: dict[str, str], qapp: Any) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program on the display of the tests."""
    if qapp.platformName() != "xcb":
        pytest.skip("needs an X display that two programs share (Xvfb)")
    with programs(environment) as started:
        yield started


@contextlib.contextmanager
def programs(
    environment: dict[str, str], program: Sequence[str] = (sys.executable, "-m", "desktop")
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """``start(*arguments)`` starts the program; whatever is left of it at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start_(*args: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*program, *args],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start_
    for process in started:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
        process.communicate()
