"""macOS: calls and answers that pywebview's Cocoa window lacks.

Not run here (no macOS); tested with stand-ins for pywebview's classes (``tests/platforms``).
"""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable
from typing import Any

from gui.host import Edit

log = logging.getLogger(__name__)

TEXT, PNG = "public.utf8-plain-text", "public.png"
"""Types of the clipboard."""
CANCEL = 0
"""NSTerminateCancel"""
SELECTORS: dict[Edit, str] = {
    "cut": "cut:",
    "copy": "copy:",
    "paste": "paste:",
    "select_all": "selectAll:",
}


def call(act: Callable[[], None]) -> None:
    """Run ``act`` in AppKit's thread, later."""
    importlib.import_module("PyObjCTools.AppHelper").callAfter(act)


def zoom(window: Any, factor: float) -> None:
    """``window``: the NSWindow; its content is the web view."""
    window.contentView().setPageZoom_(factor)


def close(window: Any) -> None:
    """As a click on the red button: NSWindow's ``close``, which pywebview calls, asks nobody."""
    window.performClose_(None)


def edit(what: Edit) -> None:
    """What the Edit menu does; a page may not paste by itself."""
    application = importlib.import_module("AppKit").NSApplication.sharedApplication()
    application.sendAction_to_from_(SELECTORS[what], None, None)  # to whatever has the focus


def copy(content: bytes, kind: str) -> None:
    """Put it into the clipboard, as :data:`TEXT` or :data:`PNG`."""
    data = importlib.import_module("Foundation").NSData.dataWithBytes_length_(content, len(content))
    board = importlib.import_module("AppKit").NSPasteboard.generalPasteboard()
    board.clearContents()
    board.setData_forType_(data, kind)


def extend(close_window: Callable[[], None], view: Any = None, objc: Any = None) -> None:
    """Have Quit close the window, and leave each menu once. Before the toolkit starts.

    Parameters
    ----------
    close_window
        Closes as the user does: it may ask, and saves.
    view, objc
        pywebview's BrowserView and PyObjC, or what stands for them in a test.
    """
    if view is None:
        objc = importlib.import_module("objc")
        view = importlib.import_module("webview.platforms.cocoa").BrowserView

    def applicationShouldTerminate_(self: Any, application: Any) -> int:
        # Cmd+Q, Quit in the Dock, log-out. “Now”, pywebview's answer, ends the process within
        # AppKit: nothing that stands after the loop would run.
        try:
            close_window()
        except Exception:
            log.exception("the window was not closed")
        return CANCEL

    objc.classAddMethods(
        view.AppDelegate,
        [
            objc.selector(
                applicationShouldTerminate_,
                selector=b"applicationShouldTerminate:",
                signature=b"Q@:@",
            )
        ],
    )
    _one_menu_each(view)


def _one_menu_each(view: Any) -> None:
    """Ours instead of pywebview's View menu, and its Edit menu instead of ours: the entries of that
    one act on what has the focus, with the keys that macOS has for them.
    """
    add_edit, add_others = view._add_edit_menu, view._add_custom_menu

    class AtTheEnd:
        """A menu bar that takes what is inserted as its last menu so far."""

        def __init__(self, bar: Any) -> None:
            self._bar = bar

        def insertItem_atIndex_(self, item: Any, _index: int) -> None:
            self._bar.addItem_(item)

    def add_custom_menu(self: Any, bar: Any, menus: Any) -> None:
        found = list(menus or ())
        add_others(self, bar, found[:1])  # File
        add_edit(self, AtTheEnd(bar))
        add_others(self, bar, found[1:])

    view._add_view_menu = view._add_edit_menu = lambda self, bar: None
    view._add_custom_menu = add_custom_menu


def on_page_ended(window: Any, ended: Callable[[], None], objc: Any = None) -> None:
    """Call ``ended`` in a thread of its own when the page's process is gone."""
    objc = objc or importlib.import_module("objc")
    view = window.contentView()
    delegate = view.navigationDelegate()

    def webViewWebContentProcessDidTerminate_(self: Any, view: Any) -> None:
        log.error("the page's process ended")
        threading.Thread(target=ended, name="page-crashed", daemon=True).start()

    objc.classAddMethods(
        type(delegate),
        [
            objc.selector(
                webViewWebContentProcessDidTerminate_,
                selector=b"webViewWebContentProcessDidTerminate:",
                signature=b"v@:@",
            )
        ],
    )
    # WebKit looks only then which methods a delegate has
    view.setNavigationDelegate_(None)
    view.setNavigationDelegate_(delegate)


def working_areas(screens: Any = None) -> list[tuple[int, int, int, int]]:
    """x, y, width, height of each screen without menu bar and Dock, counted from the upper left of
    the main one, which comes first.

    AppKit counts from its lower left; pywebview's positions of windows are counted as here.
    """
    if screens is None:
        screens = importlib.import_module("AppKit").NSScreen.screens()
    top = screens[0].frame().size.height
    found = []
    for screen in screens:
        area = screen.visibleFrame()
        y = top - area.origin.y - area.size.height
        found.append((int(area.origin.x), int(y), int(area.size.width), int(area.size.height)))
    return found
