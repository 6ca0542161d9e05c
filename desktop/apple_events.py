"""Files opened from the macOS Finder, which arrive as Apple Events.

Not run here (no macOS); tested with a fake.
"""

from __future__ import annotations

import importlib
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

SELECTOR, SIGNATURE = b"application:openFiles:", b"v@:@@"
SUCCESS = 0
"""NSApplicationDelegateReplySuccess"""


class Opened:
    """Files asked for, kept until the application can take them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Path] = []
        self._take: Callable[[list[Path]], None] | None = None

    def open(self, paths: list[Path]) -> None:
        """From the system. Returns at once: it is called in the toolkit's own thread."""
        with self._lock:
            take = self._take
            if take is None:
                self._waiting += paths
                return
        threading.Thread(target=take, args=(paths,), name="apple-event", daemon=True).start()

    def ready(self, take: Callable[[list[Path]], None]) -> None:
        """From now on files go to ``take``, those that came before first."""
        with self._lock:
            waiting, self._waiting, self._take = self._waiting, [], take
        if waiting:
            take(waiting)


def listen(opened: Opened, delegate: type | None = None, objc: Any = None) -> bool:
    """Add the file-opening method to pywebview's delegate; False on other systems.

    Called before the toolkit starts.

    Parameters
    ----------
    delegate, objc
        Pywebview's class and PyObjC, or what stands for them in a test.
    """
    if delegate is None:
        if sys.platform != "darwin":
            return False
        objc = importlib.import_module("objc")
        from webview.platforms.cocoa import BrowserView

        delegate = BrowserView.AppDelegate

    def application_openFiles_(self: Any, application: Any, names: Any) -> None:
        try:
            opened.open([Path(str(name)) for name in names])
        except Exception:
            log.exception("files from the Finder were not taken")
        application.replyToOpenOrPrint_(SUCCESS)

    objc.classAddMethods(
        delegate, [objc.selector(application_openFiles_, selector=SELECTOR, signature=SIGNATURE)]
    )
    return True
