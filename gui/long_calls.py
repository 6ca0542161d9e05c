"""How many requests may take long at once, so that the server's threads are never all busy with
them: a short request always finds one.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar

from gui.caller import browser_id, in_request
from gui.errors import ProgramBusy

MAX_LONG = 40
"""Long requests of all browsers at once.

The server has this many threads and some more, which are left to short requests.
"""
MAX_PER_BROWSER = 20

Admission = Callable[[], AbstractContextManager[None]]
"""``with admission():`` around what may take long. ProgramBusy where too much of it is going on."""

_admitted: ContextVar[bool] = ContextVar("admitted", default=False)


class LongCalls:
    """The places for what takes long: reading a file, turning a password into a key, a report.

    Thread-safe.

    most, per_browser : calls at once, of all and of one browser
    """

    def __init__(self, most: int = MAX_LONG, per_browser: int = MAX_PER_BROWSER) -> None:
        self._most, self._per_browser = most, per_browser
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()

    @property
    def running(self) -> int:
        """How many are going on."""
        with self._lock:
            return self._running.total()

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """One place, for as long as the call lasts.

        ProgramBusy: all are taken, or this browser's are.

        A call within it needs no further place; what the program does for itself (keep a result,
        clean up) needs none at all and is never refused.
        """
        if _admitted.get() or not in_request():
            yield
            return
        browser = browser_id()
        with self._lock:
            if self._running.total() >= self._most or self._running[browser] >= self._per_browser:
                raise ProgramBusy(
                    "Too many files, passwords or reports are being worked on at once."
                )
            self._running[browser] += 1
        token = _admitted.set(True)
        try:
            yield
        finally:
            _admitted.reset(token)
            with self._lock:
                self._running[browser] -= 1
                self._running += Counter()  # drops who has none
