"""The native window: pywebview on the system's web view (Qt on Linux), showing the application's own address."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from desktop.closing import CloseGuard
from desktop.dialogs import NativeFiles

log = logging.getLogger(__name__)

TITLE = "DeconomiX"
SIZE = (1280, 800)
SMALLEST = (1024, 640)


def prepare() -> None:
    """Environment and settings of the toolkit: before webview or Qt is imported for the first time."""
    os.environ.setdefault("PYWEBVIEW_LOG", "WARNING")
    if sys.platform.startswith("linux"):
        os.environ["QT_API"] = "pyside6"
        if os.geteuid() == 0:  # Chromium refuses to start its sandbox as root; for anybody else it stays on
            os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
        from PySide6.QtCore import QCoreApplication

        QCoreApplication.setApplicationName(TITLE)  # else window class and cache folder are called __main__.py
    import webview

    webview.settings["ALLOW_DOWNLOADS"] = False  # broken in Qt's view: files are saved through NativeFiles
    webview.settings["ALLOW_FILE_URLS"] = False


def toolkit() -> str | None:
    """The toolkit to ask pywebview for; None leaves the choice (macOS has one only)."""
    return {"linux": "qt", "win32": "edgechromium"}.get(sys.platform)


def create(url: str, files: NativeFiles) -> Any:
    """The window (pywebview's), not yet on screen. ``files`` shows its dialogs in it."""
    prepare()
    import webview

    window = webview.create_window(TITLE, url, width=SIZE[0], height=SIZE[1], min_size=SMALLEST, text_select=True, background_color="#FFFFFF")
    files.attach(window)
    return window


def show(window: Any, ended: threading.Event, pending: Callable[[], int] | None = None) -> None:
    """Show ``window`` and return when it is closed, by the user or because ``ended`` is set.

    pending : how many sessions are not on disk yet; closing waits for them
    Main thread only, once per process (a second start crashes Qt).
    """
    import webview

    if pending is not None:
        CloseGuard(window, pending)

    threading.Thread(target=_close_when, args=(ended, window), name="close-window", daemon=True).start()
    # Private mode: cookies and storage live in memory and go with the window.
    webview.start(gui=toolkit(), private_mode=True)


def to_front(window: Any) -> None:
    """Raise ``window`` and have its page look at once what is new. From any thread; before the page is there it looks by itself."""
    if not window.events.loaded.is_set() or window.events.closed.is_set():
        return

    def act() -> None:
        try:
            if _is_minimized(window):
                window.restore()  # of a maximised window it would take that
            window.show()
            _raise(window)
            window.run_js(f"dash_clientside.set_props('dcx-poke', {{data: 'handed over {time.monotonic_ns()}'}}); 1")
        except Exception as error:  # noqa: BLE001 - the toolkit raises what it likes; the files are there all the same
            log.warning("the window did not come to the front: %s", type(error).__name__)

    # A thread of its own: a page that hangs never answers, and who hands over waits.
    threading.Thread(target=act, name="to-front", daemon=True).start()


def _is_minimized(window: Any) -> bool:
    if sys.platform.startswith("linux"):
        return bool(window.native.isMinimized())
    return bool(window.events.minimized.is_set())


def _raise(window: Any) -> None:
    """Above other windows: pywebview does it on Windows and macOS when it shows one, on Qt not."""
    native = window.native
    if sys.platform.startswith("linux") and native is not None:
        from PySide6.QtCore import QMetaObject, Qt

        QMetaObject.invokeMethod(native, "raise", Qt.ConnectionType.QueuedConnection)


def _close_when(ended: threading.Event, window: Any) -> None:
    """Close as if the user had."""
    ended.wait()
    window.events.shown.wait()
    window.destroy()
