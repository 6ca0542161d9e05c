"""Files dropped on the window, with their paths: Qt's own drop event has them, the page's has not.

Elsewhere the page takes the bytes.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


def listen(view: Any, dropped: Callable[[list[Path], int, int], None]) -> Any:
    """Call ``dropped(paths, x, y)`` for files dropped on Qt's web view, in its pixels.

    Runs in Qt's thread, so it must return at once; the page sees the drag leave. Returns the event
    filter, which lives as long as the view; None on other toolkits.

    In Qt's thread: it must return at once. Returns the filter, which lives as long as the view.
    None on other toolkits.
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
