"""``gui.host.Host`` on pywebview, with calls of the toolkit where pywebview has none."""

from __future__ import annotations

import json
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop import cocoa, drop, winforms
from gui.host import Edit

log = logging.getLogger(__name__)
LINUX, WINDOWS, MACOS = (
    sys.platform.startswith("linux"),
    sys.platform == "win32",
    sys.platform == "darwin",
)


def set_props(window: Any, component: str, **properties: Any) -> None:
    """Set properties in the page like dash's ``set_props``, and wait for it.

    Uses run_js: the content security policy forbids what evaluate_js needs.
    """
    window.run_js(
        f"dash_clientside.set_props({json.dumps(component)}, {json.dumps(properties)}); 1"
    )


def request_close(window: Any) -> None:
    """Close pywebview's window as if the user had clicked on its cross: the handlers of ``closing``
    are asked. From any thread.
    """
    if MACOS:
        native = window.native
        if native is not None:
            cocoa.call(lambda: cocoa.close(native))
        return
    window.destroy()


class NativeHost:
    """``window`` is pywebview's, and already on screen."""

    def __init__(self, window: Any) -> None:
        self._window = window
        self._inside = _caller(window) if LINUX else None

    # -- what gui.host.Host says
    def to_front(self) -> None:
        if not self._window.events.loaded.is_set() or self._window.events.closed.is_set():
            return
        # A thread of its own: a page that hangs never answers, and who hands over waits.
        threading.Thread(target=self._to_front, name="to-front", daemon=True).start()

    def close(self) -> None:
        threading.Thread(
            target=request_close, args=(self._window,), name="close", daemon=True
        ).start()

    def zoom(self, factor: float) -> None:
        if LINUX:
            self._do(lambda view: view.webview.setZoomFactor(factor))
        elif WINDOWS:
            self._do(lambda form: winforms.zoom(form, factor))
        else:
            self._do(lambda window: cocoa.zoom(window, factor))

    def fullscreen(self) -> None:
        self._window.toggle_fullscreen()

    def edit(self, what: Edit) -> None:
        if LINUX:
            from PySide6.QtWebEngineCore import QWebEnginePage

            actions = QWebEnginePage.WebAction
            action = {
                "cut": actions.Cut,
                "copy": actions.Copy,
                "paste": actions.Paste,
                "select_all": actions.SelectAll,
            }[what]
            self._do(lambda view: view.webview.page().triggerAction(action))
            return
        if WINDOWS:
            self._do(lambda form: winforms.edit(form, what))
        else:
            self._do(lambda _window: cocoa.edit(what))

    def copy_text(self, text: str) -> bool:
        if LINUX:
            self._do(lambda _view: _clipboard().setText(text))
        elif WINDOWS:
            self._do(lambda _form: winforms.copy_text(text))
        else:
            self._do(lambda _window: cocoa.copy(text.encode(), cocoa.TEXT))
        return True

    def copy_picture(self, png: bytes) -> bool:
        if LINUX:
            from PySide6.QtGui import QImage

            self._do(lambda _view: _clipboard().setImage(QImage.fromData(png)))
        elif WINDOWS:
            self._do(lambda _form: winforms.copy_picture(png))
        else:
            self._do(lambda _window: cocoa.copy(png, cocoa.PNG))
        return True

    def theme(self, name: str) -> None:
        if LINUX:
            self._do(lambda view: _set_scheme(name))

    def dark(self) -> bool | None:
        """Qt's web view does not hand the system's colours on to its pages; the others do."""
        if not LINUX:
            return None
        from PySide6.QtCore import Qt
        from PySide6.QtGui import QGuiApplication

        scheme = QGuiApplication.styleHints().colorScheme()
        return None if scheme == Qt.ColorScheme.Unknown else scheme == Qt.ColorScheme.Dark

    # -- for the program
    def follow_system(self) -> None:
        """Tell the page when the system becomes dark or light."""
        if LINUX:
            self._do(
                lambda view: _on_scheme(view, lambda: self.push("dcx-system", data=self.dark()))
            )

    def push(self, component: str, **properties: Any) -> None:
        """Set properties in the page without waiting for it."""

        def act() -> None:
            try:
                set_props(self._window, component, **properties)
            except Exception as error:  # noqa: BLE001 - the toolkit raises what it likes; a page that is not there needs nothing
                log.warning("the page was not told: %s", type(error).__name__)

        threading.Thread(target=act, name="push", daemon=True).start()

    def on_drop(self, dropped: Callable[[list[Path], int, int], None]) -> None:
        """Call ``dropped(paths, x, y)`` for dropped files: all of them on Linux, elsewhere those
        among which there is a session (the page takes the others).
        """
        if LINUX:
            self._do(lambda view: drop.listen(view.webview, dropped))
        else:
            drop.listen_for_sessions(self._window, dropped)

    def on_crash(self, crashed: Callable[[], None]) -> None:
        """Call ``crashed`` in its own thread when the page's process ends."""
        if WINDOWS:
            self._do(
                lambda form: winforms.when_ready(
                    form, lambda core: winforms.on_page_ended(core, crashed)
                )
            )
        elif MACOS:
            self._do(lambda window: cocoa.on_page_ended(window, crashed))
        else:

            def ended(status: Any, code: int) -> None:
                log.error("the page's process ended: %s", code)
                threading.Thread(target=crashed, name="page-crashed", daemon=True).start()

            self._do(lambda view: view.webview.page().renderProcessTerminated.connect(ended))

    def ask_nobody(self) -> None:
        """Keep the web view from asking its maker about pages (Windows' SmartScreen)."""
        if WINDOWS:
            self._do(lambda form: winforms.when_ready(form, winforms.ask_nobody))

    def confirm(self, title: str, question: str, *, yes: str, no: str) -> bool:
        """Ask, and wait for the answer. Not in the toolkit's own thread."""
        window = self._window
        if self._inside is None:
            # macOS shows them, Windows its own
            window.localization.update({"global.ok": yes, "global.cancel": no})
            try:
                return bool(window.create_confirmation_dialog(title, question))
            finally:
                window.localization.update({"global.ok": "OK", "global.cancel": "Cancel"})
        answers: queue.Queue[bool | Exception] = queue.Queue()

        def ask() -> None:
            try:
                answers.put(_question(window.native, title, question, yes, no))
            except Exception as error:  # noqa: BLE001 - who waits for the answer has to hear of it
                answers.put(error)

        self._inside(ask)
        answer = answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def is_active(self) -> bool | None:
        """Whether the user has the window in front; None: not known."""
        return bool(self._window.native.isActiveWindow()) if LINUX else None

    def _to_front(self) -> None:
        window = self._window
        try:
            # pywebview's event of a minimised window is never cleared; to restore one that is
            # maximised would take that
            if WINDOWS:
                self._do(winforms.restore)
            elif window.native.isMinimized() if LINUX else window.native.isMiniaturized():
                window.restore()
            window.show()
            if LINUX:  # elsewhere pywebview raises a window that it shows
                self._do(lambda view: (view.raise_(), view.activateWindow()))
            set_props(window, "dcx-poke", data=f"handed over {time.monotonic_ns()}")
        except Exception as error:  # noqa: BLE001 - the toolkit raises what it likes; the files have arrived anyway
            log.warning("the window did not come to the front: %s", type(error).__name__)

    def _do(self, act: Callable[[Any], Any]) -> None:
        """Run ``act`` on the toolkit's window in the toolkit's thread."""
        native = self._window.native
        if native is None:
            return

        def safely() -> None:
            try:
                act(native)
            except Exception:
                log.exception("the window did not do what it was asked")

        if self._inside is not None:
            self._inside(safely)
            return
        try:
            if WINDOWS:
                winforms.call(native, safely)
            else:
                cocoa.call(safely)
        except Exception as error:  # noqa: BLE001 - a window that is on its way out
            log.warning("the window could not be asked: %s", type(error).__name__)


def _caller(window: Any) -> Callable[[Callable[[], None]], None]:
    """A function that has another one run in Qt's thread, from any thread."""
    from PySide6.QtCore import QObject, Qt, Signal, Slot

    class Caller(QObject):
        asked = Signal(object)

        @Slot(object)
        def run(self, act: Callable[[], None]) -> None:
            act()

    caller = Caller()
    caller.moveToThread(window.native.thread())
    caller.asked.connect(caller.run, Qt.ConnectionType.QueuedConnection)

    def ask(act: Callable[[], None]) -> None:
        caller.asked.emit(act)  # not the bound signal itself: it does not keep the caller alive

    return ask


def _question(parent: Any, title: str, question: str, yes: str, no: str) -> bool:
    from PySide6.QtWidgets import QMessageBox

    box = QMessageBox(QMessageBox.Icon.Question, title, question, parent=parent)
    agree = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    stay = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    return box.clickedButton() is agree


def _clipboard() -> Any:
    from PySide6.QtGui import QGuiApplication

    return QGuiApplication.clipboard()


def _set_scheme(name: str) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication

    schemes = Qt.ColorScheme
    QGuiApplication.styleHints().setColorScheme(
        {"light": schemes.Light, "dark": schemes.Dark}.get(name, schemes.Unknown)
    )


def _on_scheme(view: Any, changed: Callable[[], None]) -> None:
    from PySide6.QtGui import QGuiApplication

    QGuiApplication.styleHints().colorSchemeChanged.connect(lambda _scheme: changed())
