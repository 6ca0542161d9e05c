"""Native window: pywebview on the system's web view (Qt on Linux)."""

from __future__ import annotations

import html
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from desktop import cocoa, winforms
from desktop.dialogs import NativeFiles
from desktop.geometry import SMALLEST, Screen, fitting
from desktop.host import request_close
from gui.resources import resource
from gui.settings import SettingsStore, Window

log = logging.getLogger(__name__)

TITLE = "DeconomiX"
COLOURS = {False: ("#FFFFFF", "#1a1b1e"), True: ("#242424", "#c9c9c9")}
"""Dark or not -> background and text of what is shown before the page is there; the page's own
(Mantine).
"""


def prepare() -> None:
    """Set up the toolkit's environment; call it before webview or Qt is imported."""
    os.environ.setdefault("PYWEBVIEW_LOG", "WARNING")
    if sys.platform.startswith("linux"):
        os.environ["QT_API"] = "pyside6"
        os.environ["PYWEBVIEW_GUI"] = "qt"  # asked about screens, pywebview tries GTK first
        # Chromium refuses to start its sandbox as root; for anybody else it stays on
        if os.geteuid() == 0:
            os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
        from PySide6.QtCore import QCoreApplication

        # else window class and cache folder are called __main__.py
        QCoreApplication.setApplicationName(TITLE)
    if sys.platform == "win32" and getattr(sys, "frozen", False):
        winforms.trust_own_files(Path(sys._MEIPASS))  # type: ignore[attr-defined,unused-ignore]
    import webview

    # broken in Qt's view: files are saved through NativeFiles
    webview.settings["ALLOW_DOWNLOADS"] = False
    webview.settings["ALLOW_FILE_URLS"] = False


def toolkit() -> str | None:
    """The toolkit to ask pywebview for; None leaves the choice (macOS has one only)."""
    return {"linux": "qt", "win32": "edgechromium"}.get(sys.platform)


def create(
    url: str | None,
    files: NativeFiles,
    settings: SettingsStore | None = None,
    menu: Sequence[Any] = (),
    *,
    dark: bool = False,
) -> Any:
    """The window (pywebview's), not yet on screen.

    ``files`` shows its dialogs in it.

    Parameters
    ----------
    url
        None for the splash page.
    settings
        How it was left last.
    menu
        Pywebview's menus.
    dark
        The splash page and what is seen before it.
    """
    prepare()
    import webview

    kept = settings.get() if settings is not None else None
    there = screens()
    place = fitting(kept.window if kept else None, there)
    x, y = relative(place, there)
    window = webview.create_window(
        TITLE,
        url,
        html=None if url else splash("Starting…", dark=dark),
        width=place.width,
        height=place.height,
        x=x,
        y=y,
        maximized=place.maximized,
        min_size=SMALLEST,
        text_select=True,
        background_color=COLOURS[dark][0],
        menu=list(menu),
        screen=main_screen(),
    )
    files.attach(window)
    return window


def screens() -> list[Screen]:
    """What a window may cover of the screens there are, the main one first; empty where the toolkit
    does not say.

    On Windows and macOS without task bar, menu bar and Dock.
    """
    import webview

    try:
        if sys.platform == "darwin":
            return [Screen(*area) for area in cocoa.working_areas()]
        found = list(webview.screens)
        if sys.platform == "win32":
            found.sort(key=lambda s: (s.x, s.y) != (0, 0))
            areas = [s.frame for s in found]
            return [Screen(a.X, a.Y, a.Width, a.Height) for a in areas]
        return [Screen(s.x, s.y, s.width, s.height) for s in found]
    except Exception as error:  # noqa: BLE001 - the toolkit raises what it likes; then the system places the window
        log.warning("the screens are not known: %s", type(error).__name__)
        return []


def main_screen() -> Any:
    """On macOS the screen with the menu bar, from which positions are counted.

    Without one pywebview adds the origin of the screen that the user works on, but does not take it
    off when it says where a window is.
    """
    if sys.platform != "darwin":
        return None
    import webview

    return next(iter(webview.screens), None)


def relative(place: Window, screens: Sequence[Screen]) -> tuple[int | None, int | None]:
    """Return the position relative to the main screen, whose origin pywebview's Qt window adds."""
    if place.x is None or place.y is None:
        return None, None
    origin = screens[0] if screens and sys.platform.startswith("linux") else Screen(0, 0, 0, 0)
    return place.x - origin.x, place.y - origin.y


def splash(words: str, *, dark: bool = False, busy: bool = True) -> str:
    """A page of our own, while there is no application to ask, or none any more.

    Parameters
    ----------
    words
        Plain text.
    """
    background, text = COLOURS[dark]
    page = resource("splash.html").read_text(encoding="utf-8")
    logo = (
        resource("assets/icons/logo.svg")
        .read_text(encoding="utf-8")
        .replace("<svg", '<svg width="72" height="72" aria-hidden="true"', 1)
    )
    parts = {
        "%BACKGROUND%": background,
        "%TEXT%": text,
        "%LOGO%": logo,
        "%BUSY%": '<div class="busy"></div>' if busy else "",
        "%WORDS%": html.escape(words),
    }
    for mark, value in parts.items():
        page = page.replace(mark, value)
    return page


def show(window: Any, ended: threading.Event, then: Callable[[], None] | None = None) -> None:
    """Show ``window`` and return when it is closed, by the user or because ``ended`` is set.

    Main thread only, once per process (a second start crashes Qt).

    Parameters
    ----------
    then
        Called in a separate thread once the window is on screen.
    """
    import webview

    threading.Thread(
        target=_close_when, args=(ended, window), name="close-window", daemon=True
    ).start()
    # Private mode: cookies and storage live in memory and go with the window.
    webview.start(then, gui=toolkit(), private_mode=True)


def _close_when(ended: threading.Event, window: Any) -> None:
    """Close as if the user had, but without a question."""
    ended.wait()
    window.events.shown.wait()
    request_close(window)
