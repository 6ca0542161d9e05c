"""The window on macOS, with stand-ins: there is no Mac here."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from desktop import cocoa, dialogs, drop, host, menu, window
from desktop.close_guard import CloseGuard
from desktop.geometry import Screen, fitting
from desktop.host import NativeHost, request_close
from gui import atomic
from gui.files import EXPRESSION, SESSION
from gui.settings import Window as Geometry
from tests.platforms.toolkits import (
    Application,
    CocoaWindow,
    NSScreen,
    ObjC,
    Placement,
    ProcessEnded,
    browser_view,
    open_panel_types,
    rectangle,
)

WAIT = 30.0


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture(autouse=True)
def _on_a_mac(monkeypatch: pytest.MonkeyPatch, application: Application) -> None:
    monkeypatch.setattr(host, "LINUX", False)
    monkeypatch.setattr(host, "WINDOWS", False)
    monkeypatch.setattr(host, "MACOS", True)
    modules = {
        "PyObjCTools.AppHelper": SimpleNamespace(callAfter=lambda act, *given: act(*given)),
        "AppKit": SimpleNamespace(
            NSApplication=SimpleNamespace(sharedApplication=lambda: application)
        ),
        "objc": ObjC,
    }
    monkeypatch.setattr(cocoa.importlib, "import_module", modules.__getitem__)


@pytest.fixture
def mac_window() -> CocoaWindow:
    return CocoaWindow()


# -- closing
# --------------------------------------------------------------------------------------------------
def test_control_pywebview_ends_the_process_and_destroy_asks_nobody(
    mac_window: CocoaWindow, application: Application
) -> None:
    application.delegate = browser_view(mac_window).AppDelegate()
    with pytest.raises(ProcessEnded):
        application.terminate_(None)
    mac_window.events.closing += lambda: False
    mac_window.destroy()
    assert mac_window.events.closed.is_set()


def test_quit_closes_the_window_and_the_process_goes_on_to_its_end(
    mac_window: CocoaWindow, application: Application
) -> None:
    view = browser_view(mac_window)
    cocoa.extend(lambda: request_close(mac_window), view, ObjC)
    application.delegate = view.AppDelegate()
    application.terminate_(None)
    assert mac_window.events.closed.is_set()


def test_quit_with_a_running_job_asks_and_keeps_the_window(
    mac_window: CocoaWindow, application: Application
) -> None:
    asked, answer = threading.Event(), threading.Event()
    leaving = threading.Event()

    def confirm(_question: str, _yes: str) -> bool:
        asked.set()
        return answer.wait(WAIT)

    CloseGuard(mac_window, lambda: 0, running=lambda: 1, confirm=confirm, leaving=leaving)
    view = browser_view(mac_window)
    cocoa.extend(lambda: request_close(mac_window), view, ObjC)
    application.delegate = view.AppDelegate()
    application.terminate_(None)
    assert asked.wait(WAIT)
    assert not mac_window.events.closed.is_set()
    answer.set()
    assert mac_window.events.closed.wait(WAIT)
    assert leaving.is_set()  # closed by the way that saves


def test_close_of_the_menu_asks_as_the_red_button_does(mac_window: CocoaWindow) -> None:
    vetoes = [False, True]
    mac_window.events.closing += lambda: vetoes.pop(0)
    NativeHost(mac_window).close()
    for _ in range(300):
        if len(vetoes) == 1:
            break
        threading.Event().wait(0.01)
    assert not mac_window.events.closed.is_set()
    NativeHost(mac_window).close()
    assert mac_window.events.closed.wait(WAIT)


def test_a_fault_while_quitting_does_not_end_the_process(application: Application) -> None:
    view = browser_view()
    cocoa.extend(lambda: 1 / 0, view, ObjC)  # type: ignore[arg-type, return-value, unused-ignore]
    application.delegate = view.AppDelegate()
    application.terminate_(None)


# -- the view
# --------------------------------------------------------------------------------------------------
def test_zoom_reaches_the_page(mac_window: CocoaWindow) -> None:
    assert not hasattr(mac_window.native, "webview")  # control
    NativeHost(mac_window).zoom(1.5)
    assert mac_window.native.view.factor == 1.5


def test_what_the_window_refuses_is_in_the_log(
    mac_window: CocoaWindow, caplog: pytest.LogCaptureFixture
) -> None:
    del mac_window.native.view
    NativeHost(mac_window).zoom(1.5)
    assert "AttributeError" in caplog.text


def test_text_and_picture_go_to_the_clipboard(
    mac_window: CocoaWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[tuple[object, ...]] = []
    board = SimpleNamespace(
        clearContents=lambda: copied.append(()),
        setData_forType_=lambda data, kind: copied.append((data, kind)),
    )
    modules = {
        "PyObjCTools.AppHelper": SimpleNamespace(callAfter=lambda act, *given: act(*given)),
        "AppKit": SimpleNamespace(NSPasteboard=SimpleNamespace(generalPasteboard=lambda: board)),
        "Foundation": SimpleNamespace(
            NSData=SimpleNamespace(dataWithBytes_length_=lambda content, length: content[:length])
        ),
    }
    monkeypatch.setattr(cocoa.importlib, "import_module", modules.__getitem__)
    found = NativeHost(mac_window)
    assert found.copy_text("ä")
    assert found.copy_picture(b"png")
    assert copied == [(), ("ä".encode(), cocoa.TEXT), (), (b"png", cocoa.PNG)]


def test_editing_goes_to_what_has_the_focus(
    mac_window: CocoaWindow, application: Application
) -> None:
    found = NativeHost(mac_window)
    for what in ("cut", "copy", "paste", "select_all"):
        found.edit(what)
    assert application.sent == ["cut:", "copy:", "paste:", "selectAll:"]
    assert mac_window.ran == []  # a page may not paste


def test_a_minimised_window_comes_back_and_another_one_is_not_restored(
    mac_window: CocoaWindow,
) -> None:
    mac_window.minimize()
    NativeHost(mac_window)._to_front()
    assert (mac_window.restored, mac_window.shows) == (1, 1)
    NativeHost(mac_window)._to_front()
    assert (mac_window.restored, mac_window.shows) == (1, 2)


def test_the_end_of_the_pages_process_is_heard(mac_window: CocoaWindow) -> None:
    mac_window.native.view.end_process()  # control: nobody listens
    ended = threading.Event()
    NativeHost(mac_window).on_crash(ended.set)
    mac_window.native.view.end_process()
    assert ended.wait(WAIT)


# -- menus
# --------------------------------------------------------------------------------------------------
def test_every_menu_is_there_once_and_in_the_usual_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    ours = menu.menus(lambda key: None, single=False)
    monkeypatch.undo()
    assert "Edit" not in [each.title for each in ours]
    view = browser_view()
    both = [SimpleNamespace(title="Edit"), *ours]
    titles = view()._recreate_menus(both).titles
    assert (titles.count("Edit"), titles.count("View")) == (2, 2)  # control
    cocoa.extend(lambda: None, view, ObjC)
    for _ in range(2):  # pywebview makes them anew for each window that gets the focus
        titles = view()._recreate_menus(ours).titles
        assert titles == ["DeconomiX", "File", "Edit", "View", "Session", "Help"]


# -- dialogs
# --------------------------------------------------------------------------------------------------
def test_no_filter_of_a_dialog_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="empty"):
        open_panel_types(("All files (*.*)",))  # control
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(dialogs, "ANYTHING", dialogs.anything())
    types = open_panel_types(dialogs.file_types([EXPRESSION, SESSION]))
    monkeypatch.undo()
    assert all(types)
    assert types[-1] == ["public.data"]
    assert "h5ad" in types[0]


# -- places
# --------------------------------------------------------------------------------------------------
MAIN = NSScreen((0, 0, 1440, 900), bars=(25, 70))
ABOVE_RIGHT = NSScreen((1440, 300, 1920, 1080), bars=(25, 0))


def test_control_a_window_drifts_where_another_screen_has_the_focus() -> None:
    placed = Placement(ABOVE_RIGHT.frame())
    placed.move(100, 50)
    assert placed.position() != (100, 50)


def test_a_window_opens_where_it_was_whatever_screen_has_the_focus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    webview: Any = SimpleNamespace(screens=[SimpleNamespace(frame=MAIN.frame())])
    monkeypatch.setitem(sys.modules, "webview", webview)
    monkeypatch.setattr(sys, "platform", "darwin")
    placed = Placement(window.main_screen().frame)
    kept = Geometry(width=1100, height=700, x=1500, y=-400)
    x, y = window.relative(kept, [])
    monkeypatch.undo()
    for _ in range(3):
        placed.move(x or 0, y or 0)
        x, y = placed.position()
    assert (x, y) == (1500, -400)


def test_a_window_fits_between_menu_bar_and_dock_and_other_screens_are_above() -> None:
    areas = [Screen(*area) for area in cocoa.working_areas([MAIN, ABOVE_RIGHT])]
    assert areas == [Screen(0, 25, 1440, 805), Screen(1440, -455, 1920, 1055)]
    large = fitting(Geometry(width=3000, height=2000, x=10, y=30), areas)
    assert (large.width, large.height) == (1440, 805)
    other = Geometry(width=1100, height=700, x=1500, y=-400)
    assert fitting(other, areas) == other
    assert rectangle(0, 1, 2, 3).size.height == 3


# -- files
# --------------------------------------------------------------------------------------------------
def test_a_dropped_session_is_opened_where_it_is_and_data_are_the_pages(
    mac_window: CocoaWindow,
) -> None:
    state: dict[str, Any] = {"num_listeners": 0, "paths": []}
    came: list[list[Path]] = []
    heard = threading.Event()

    def dropped(paths: list[Path], x: int, y: int) -> None:
        assert x < 0 > y  # on no field
        came.append(paths)
        heard.set()

    drop.listen_for_sessions(mac_window, dropped, state)
    assert state["num_listeners"] == 1  # else pywebview does not look
    state["paths"] += [("a.csv", "/tmp/a.csv")]
    state["paths"] += [("A.DCXSESSION", "/tmp/A.DCXSESSION"), ("b.csv", "/tmp/b.csv")]
    assert heard.wait(WAIT)
    assert came == [[Path("/tmp/A.DCXSESSION"), Path("/tmp/b.csv")]]
    mac_window.events.loaded.set()
    for _ in range(300):
        if mac_window.ran:
            break
        threading.Event().wait(0.01)
    assert ".dcxsession" in mac_window.ran[0]


def test_what_is_saved_reaches_the_disk_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    fcntl: Any = SimpleNamespace(
        F_FULLFSYNC=51, fcntl=lambda number, command: asked.append(command)
    )
    monkeypatch.setitem(sys.modules, "fcntl", fcntl)
    monkeypatch.setattr(atomic.os, "fsync", lambda number: asked.append(0))
    monkeypatch.setattr(sys, "platform", "darwin")
    with (tmp_path / "a").open("wb") as file:
        atomic.flush_to_disk(file)
        assert asked == [51]

        def refuse(number: int, command: int) -> None:
            raise OSError(45, "Operation not supported")

        fcntl.fcntl = refuse  # a network drive
        atomic.flush_to_disk(file)
        assert asked == [51, 0]
