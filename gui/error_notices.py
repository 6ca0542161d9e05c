"""Which errors a browser was told: they stay on screen until what they are about succeeds or is
left, and go then.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

MOST = 2000
"""Of all browsers; the oldest are forgotten: their notices stay until they are closed."""


class ErrorNotices:
    """Thread-safe. about : what failed, on a page: a callback's name, or what the page calls it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: OrderedDict[tuple[str, str, str, str], None] = OrderedDict()

    def shown(self, browser: str, page: str, about: str, notice: str) -> None:
        """An error was shown as the notice of this id."""
        with self._lock:
            key = browser, page, about, notice
            self._shown[key] = None
            self._shown.move_to_end(key)
            while len(self._shown) > MOST:
                self._shown.popitem(last=False)

    def of(self, browser: str, page: str, about: str | None = None) -> list[str]:
        """Ids of the notices about this; None: of everything on the page.

        They are not forgotten: another tab of the browser may show them too.
        """
        with self._lock:
            return [
                notice
                for b, p, a, notice in self._shown
                if (b, p) == (browser, page) and about in (None, a)
            ]
