"""Files dropped on the window, with their paths: Qt's own drop event has them, the page's has not.

On Windows and macOS the page takes the bytes of data files; sessions, which are opened where they
are, come by pywebview's list of dropped files.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

from gui.files import SESSION

log = logging.getLogger(__name__)


def listen(view: Any, dropped: Callable[[list[Path], int, int], None]) -> Any:
    """Call ``dropped(paths, x, y)`` for files dropped on Qt's web view, in its pixels.

    Runs in Qt's thread, so it must return at once; the page sees the drag leave. Returns the event
    filter, which lives as long as the view; None on other toolkits.
    """
    if not sys.platform.startswith("linux"):
        return None
    from PySide6.QtCore import QEvent, QObject
    from PySide6.QtGui import QDragLeaveEvent
    from PySide6.QtWidgets import QApplication

    class Filter(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() != QEvent.Type.Drop:
                return False
            paths = files(event)
            if not paths:
                return False
            place = event.position()  # type: ignore[attr-defined]
            event.acceptProposedAction()  # type: ignore[attr-defined]
            QApplication.postEvent(watched, QDragLeaveEvent())
            try:
                dropped(paths, int(place.x()), int(place.y()))
            except Exception:
                log.exception("dropped files were not taken")
            return True

    found = Filter(view)
    view.installEventFilter(found)
    return found


class DroppedFiles(list[tuple[str, str]]):
    """Stands for the list that pywebview adds (name, path) of dropped files to, and nobody empties.

    Parameters
    ----------
    dropped
        Is given the paths where there is a session among them, in a thread of its own.
    """

    def __init__(self, dropped: Callable[[list[Path]], None]) -> None:
        super().__init__()
        self._dropped = dropped

    def __iadd__(self, files: Iterable[tuple[str, str]]) -> Self:  # type: ignore[misc,override]
        paths = [Path(path) for _name, path in files]
        if any(path.name.lower().endswith(SESSION.suffixes) for path in paths):
            threading.Thread(
                target=self._dropped, args=(paths,), name="dropped", daemon=True
            ).start()
        return self


LISTEN = """
(() => {
  if (window.dcxSessionsDropped) return 1;
  window.dcxSessionsDropped = true;
  document.addEventListener("drop", (event) => {
    const files = event.dataTransfer ? event.dataTransfer.files : [];
    if (![...files].some((file) => file.name.toLowerCase().endsWith("SUFFIX"))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (window.chrome && window.chrome.webview) {
      window.chrome.webview.postMessageWithAdditionalObjects("FilesDropped", files);
    }
  }, true);
  return 1;
})()
""".replace("SUFFIX", SESSION.suffixes[0])
"""Keeps sessions from the fields of the page. WebView2 says where files are only if it is asked so,
in the message that pywebview listens for; WebKit's view is asked by pywebview.
"""


def listen_for_sessions(
    window: Any,
    dropped: Callable[[list[Path], int, int], None],
    state: dict[str, Any] | None = None,
) -> None:
    """Call ``dropped(paths, -1, -1)`` (beside every field) for files with a session among them.

    Parameters
    ----------
    state
        pywebview's, or what stands for it in a test.
    """
    if state is None:
        from webview import dom

        state = dom._dnd_state
    assert state is not None
    state["num_listeners"] = 1
    state["paths"] = DroppedFiles(lambda paths: dropped(paths, -1, -1))

    def listen() -> None:
        try:
            window.run_js(LISTEN)
        except Exception as error:  # noqa: BLE001 - the toolkit raises what it likes
            log.warning("dropped sessions will not be opened: %s", type(error).__name__)

    window.events.loaded += listen
    if window.events.loaded.is_set():
        threading.Thread(target=listen, name="listen-for-drops", daemon=True).start()


def files(event: Any) -> list[Path]:
    """Return the files and folders of a drop event; nothing if it carries anything else."""
    urls = event.mimeData().urls() if event.mimeData().hasUrls() else []
    return (
        [Path(url.toLocalFile()) for url in urls]
        if urls and all(url.isLocalFile() for url in urls)
        else []
    )


def into_page(window: Any, answers: list[dict[str, Any]], x: float, y: float) -> bool:
    """Give files to the upload field at this place of the page; False if there is none.

    Waits for the page.
    """
    return bool(
        window.run_js(
            f"window.dash_clientside.dcx.dropped({x:.1f}, {y:.1f}, {json.dumps(answers)})"
        )
    )
