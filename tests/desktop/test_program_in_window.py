"""The window as the program connects it: menu, shortcuts, closing with jobs, drops, theme, zoom,
size and place, recent files, a report saved and opened.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from desktop import close_guard
from desktop.geometry import WindowGeometry
from desktop.instance import Instance
from desktop.start import Start
from gui.app import Application, create_app
from gui.config import Config
from gui.data.example import make_example
from gui.engine.params import DTDParams
from gui.engine.tasks import run_dtd
from gui.sessions.manager import LOCAL
from gui.settings import SettingsStore, Window

pytestmark = pytest.mark.window

CELLS = "gene,T cell,T cell,B cell,B cell\nCD3E,5,4,0,1\nCD19,0,1,6,5\nACTB,3,3,3,2\n"


@dataclass
class Program:
    page: Any
    application: Application
    settings: SettingsStore
    ended: threading.Event
    start: Start

    def entry(self, title: str) -> Any:
        """The menu's entry (QAction) with this title."""
        found = [
            action
            for menu in self.page.view.menuBar().actions()
            for action in menu.menu().actions()
            if action.text().partition("\t")[0] == title
        ]
        assert len(found) == 1, title
        return found[0]

    def choose(self, title: str) -> None:
        self.entry(title).trigger()

    def key(self, key: str, *, ctrl: bool = False, shift: bool = False) -> None:
        """Press keys in the page, as the keyboard does."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        held = Qt.KeyboardModifier.NoModifier
        held |= Qt.KeyboardModifier.ControlModifier if ctrl else held
        held |= Qt.KeyboardModifier.ShiftModifier if shift else held
        self.page.view.activateWindow()
        self.page.view.webview.setFocus()
        target = self.page.view.webview.focusProxy() or self.page.view.webview
        QTest.keyClick(target, getattr(Qt.Key, f"Key_{key}"), held)


@pytest.fixture
def program(open_window: Any, serving: Any, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """``program(**settings)`` opens the window as the program does; once per test or again after
    ``page.close()``.
    """
    stops: list[Callable[[], None]] = []

    def open_(*, worker: bool = False, paths: tuple[Path, ...] = (), **kept: Any) -> Program:
        config = Config.for_tests(tmp_path)
        settings = SettingsStore(tmp_path / "data" / "settings.json")
        settings.change(**kept)
        ended = threading.Event()
        start = Start(config, paths, Instance(config, tmp_path / "state"), settings, ended)
        page = open_window(None, start.files, settings, start.menus())
        application = create_app(config, start.files, settings)
        if worker:
            application.start()
        serve = serving(application.server)
        server = serve.__enter__()
        WindowGeometry(page.native, settings)
        page.call(start.connect, application, server, page.native)
        page.wait_js("document.querySelector('#upload-train-choose')")

        def stop() -> None:
            ended.set()
            page.close()
            serve.__exit__(None, None, None)
            application.stop()

        stops.append(stop)
        return Program(page, application, settings, ended, start)

    yield open_
    for stop in stops:
        stop()


def long_job(application: Application) -> str:
    session = application.sessions.create_session("Long", actor=LOCAL)
    session.set_dataset(make_example().dataset, keep_runs=False)
    params = DTDParams(iterations=100_000)
    return application.submit(
        run_dtd,
        session.session_id,
        params,
        kind="dtd",
        title="DTD",
        actor=LOCAL,
    )


def test_closing_with_a_running_job_asks_and_stays_or_stops_it(
    program: Callable[..., Program],
) -> None:
    it = program(worker=True)
    job = long_job(it.application)
    question = close_guard.question(1)
    left = it.page.answer(question, close_guard.KEEP)
    it.page.view.close()
    it.page.wait_for(lambda: question not in left)
    # until its dialog is gone, closing is not asked about once more
    it.page.wait_for(lambda: all(t.name != "close-question" for t in threading.enumerate()))
    assert it.page.view.isVisible()
    assert not it.page.native.events.closed.is_set()
    assert next(j for j in it.application.runner.status() if j.id == job).active
    it.page.answer(question, close_guard.STOP)
    # asked where a busy disk takes longer than the patience
    it.page.answer(close_guard.lost(1), close_guard.LOSE)
    it.choose("Close")
    it.page.wait_for(it.page.native.events.closed.is_set)
    assert it.page.unexpected == []


def test_a_system_that_ends_the_program_is_not_asked(program: Callable[..., Program]) -> None:
    it = program(worker=True)
    long_job(it.application)
    it.ended.set()
    it.page.view.close()
    it.page.wait_for(it.page.native.events.closed.is_set)
    assert it.page.unexpected == []


def test_menu_opens_dialogs_pages_and_files(
    program: Callable[..., Program], tmp_path: Path
) -> None:
    it = program()
    it.choose("Keyboard shortcuts")
    it.page.wait_js("document.body.innerText.includes('Ctrl+Shift+S')")
    it.key("Escape")
    it.page.wait_js("!document.body.innerText.includes('Ctrl+Shift+S')")
    it.choose("New session…")
    it.page.wait_js("document.querySelector('#dcx-new-name')")
    it.key("Escape")
    it.page.wait_js("!document.querySelector('#dcx-new-name')")
    it.choose("User guide")
    it.page.wait_js("location.pathname === '/help'")
    it.choose("All sessions")
    it.page.wait_js("location.pathname === '/sessions'")
    it.choose("Import data…")
    it.page.wait_js("location.pathname === '/upload'")
    path = tmp_path / "cells of März.csv"
    path.write_text(CELLS, encoding="utf-8")
    it.page.accept_dialog(path)
    it.choose("Open…")
    it.page.wait_js("document.body.innerText.includes('cells of März.csv')")
    it.choose("Open recent…")
    it.page.wait_js(
        "document.querySelector('#dcx-recent-list')?.innerText.includes('cells of März.csv')"
    )
    it.choose("About DeconomiX")
    it.page.wait_js("document.body.innerText.includes('GPL-3.0-or-later')")
    assert it.page.unexpected == []
    assert it.page.complaints == []


def test_zoom_theme_and_text_by_menu_and_keys(program: Callable[..., Program]) -> None:
    from PySide6.QtGui import QGuiApplication

    it = program()
    view = it.page.view.webview
    it.choose("Zoom in")
    it.page.wait_for(lambda: view.zoomFactor() == 1.1)
    it.key("Plus", ctrl=True)
    it.page.wait_for(lambda: view.zoomFactor() == 1.25)
    it.key("0", ctrl=True)
    it.page.wait_for(lambda: view.zoomFactor() == 1.0)
    it.choose("Dark")
    it.page.wait_js("document.documentElement.dataset.mantineColorScheme === 'dark'")
    it.page.wait_for(lambda: it.settings.get().theme == "dark")
    it.choose("Light")
    it.page.wait_js("document.documentElement.dataset.mantineColorScheme === 'light'")
    it.page.run_js("document.querySelector('#upload-train-path').focus(); 1")
    QGuiApplication.clipboard().setText("/data/pasted.csv")
    it.choose("Paste")
    it.page.wait_js("document.querySelector('#upload-train-path').value === '/data/pasted.csv'")
    it.choose("Select all")
    it.choose("Cut")
    it.page.wait_js("document.querySelector('#upload-train-path').value === ''")
    it.key("F1")
    it.page.wait_js("location.pathname === '/help'")


def test_window_comes_up_as_it_was_left(program: Callable[..., Program]) -> None:
    it = program(theme="dark", zoom=1.25, window=Window(width=1100, height=700, x=40, y=30))
    it.page.wait_js("document.documentElement.dataset.mantineColorScheme === 'dark'")
    it.page.wait_for(lambda: it.page.view.webview.zoomFactor() == 1.25)
    assert (it.page.view.width(), it.page.view.height()) == (1100, 700)
    assert (it.page.view.x(), it.page.view.y()) == (40, 30)
    it.page.view.resize(1180, 760)
    it.page.view.move(60, 20)
    it.page.wait_for(lambda: (it.page.view.x(), it.page.view.y()) == (60, 20))
    it.page.view.close()
    it.page.wait_for(it.page.native.events.closed.is_set)
    assert it.settings.get().window == Window(width=1180, height=760, x=60, y=20)


def drop(page: Any, paths: list[Path], x: int, y: int) -> None:
    """Deliver a drop of files to the web view's own widget, as the system does."""
    from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
    from PySide6.QtGui import QDragEnterEvent, QDropEvent
    from PySide6.QtWidgets import QApplication

    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    rest = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    # deprecated for programs that make one, which only a test does; without it Qt knows of no
    # target
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        enter = QDragEnterEvent(QPoint(x, y), *rest)
    QApplication.sendEvent(page.view.webview, enter)
    QApplication.sendEvent(page.view.webview, QDropEvent(QPointF(x, y), *rest))


def centre(page: Any, selector: str) -> tuple[int, int]:
    box = page.json(
        f"(() => {{ const b = document.querySelector('{selector}').getBoundingClientRect(); return"
        " [b.x + b.width / 2, b.y + b.height / 2] })()"
    )
    return int(box[0]), int(box[1])


def test_files_dropped_on_a_field_are_chosen_there_and_read_where_they_lie(
    program: Callable[..., Program], tmp_path: Path
) -> None:
    it = program()
    path = tmp_path / "cells.csv"
    path.write_text(CELLS, encoding="utf-8")
    drop(it.page, [path], *centre(it.page, "#upload-bulk-choose"))
    it.page.wait_js("document.querySelector('#upload-bulk-name').textContent.includes('cells.csv')")
    assert it.page.run_js("document.querySelector('#upload-train-name').textContent") == ""
    assert [upload.path for upload in it.application.uploads._uploads.values()] == [path]
    assert it.page.run_js("location.pathname") in ("/", "/upload")
    assert it.page.complaints == []


@pytest.mark.slow
def test_files_dropped_beside_every_field_are_opened(
    program: Callable[..., Program], tmp_path: Path
) -> None:
    from tests.desktop.sessions import session_files

    it = program()
    (given,) = session_files(tmp_path / "given", 1)
    notes = tmp_path / "notes.docx"
    notes.write_text("no data", encoding="utf-8")
    drop(it.page, [given], *centre(it.page, "#dcx-nav"))
    it.page.wait_js("document.querySelector('#dcx-session-button').textContent.includes('Given 0')")
    drop(it.page, [tmp_path / "gone.csv"], *centre(it.page, "#dcx-nav"))
    it.page.wait_js("document.body.innerText.includes('There is no file gone.csv')")
    drop(it.page, [notes], *centre(it.page, "#dcx-nav"))
    it.page.wait_js("document.body.innerText.includes('notes.docx')")
    assert it.page.complaints == []


@pytest.mark.slow
def test_a_report_is_saved_from_the_menu_and_opens(
    program: Callable[..., Program], tmp_path: Path, open_window: Any
) -> None:
    it = program(worker=True)
    session = it.application.sessions.create_session("Reported", actor=LOCAL)
    session.set_dataset(make_example().dataset, keep_runs=False)
    params = DTDParams(iterations=10, train_mixtures=50, test_mixtures=20)
    job = it.application.submit(
        run_dtd,
        session.session_id,
        params,
        kind="dtd",
        title="DTD",
        actor=LOCAL,
    )
    it.page.wait_for(
        lambda: not next(j for j in it.application.runner.status() if j.id == job).active,
        timeout=180,
    )
    it.application.inbox.arrived = session.session_id
    it.page.wait_js(
        "document.querySelector('#dcx-session-button').textContent.includes('Reported')"
    )
    path = tmp_path / "my report.html"
    it.page.accept_dialog(path)
    it.choose("Save report…")
    it.page.wait_for(lambda: path.is_file() and path.stat().st_size > 1_000_000)
    it.page.wait_js("document.body.innerText.includes('Saved as my report.html')")
    assert it.page.unexpected == []
    opened = open_window(path.as_uri())
    opened.wait_js("document.querySelectorAll('.js-plotly-plot svg').length > 0")
    assert "DTD" in opened.run_js("document.body.innerText")
    assert opened.complaints == []


def test_a_file_of_the_command_line_waits_on_the_page(
    program: Callable[..., Program], tmp_path: Path
) -> None:
    path = tmp_path / "given.csv"
    path.write_text(CELLS, encoding="utf-8")
    it = program(paths=(path,))
    it.page.wait_js("document.body.innerText.includes('given.csv')")
    assert it.settings.get().recent == (str(path),)


def test_a_page_whose_process_is_killed_comes_back(program: Callable[..., Program]) -> None:
    it = program()
    it.page.run_js("window.before = 1; 1")
    psutil.Process(it.page.view.webview.page().renderProcessPid()).kill()
    it.page.wait_for(
        lambda: any("reloaded" in words for words in it.application.inbox.announcements)
    )
    it.page.wait_js("!window.before && document.querySelector('#upload-train-choose')")
    it.page.wait_js(
        "document.body.innerText.includes('The page stopped working and was reloaded.')"
    )
    assert not it.ended.is_set()
