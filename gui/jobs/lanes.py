"""Lanes: calls in threads, in order within a session, parallel between sessions."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from gui.logs import get_logger

log = get_logger(__name__)


class Lanes:
    """Whoever hands in a call goes on at once.

    There is a thread for each key as long as something of it waits. Thread-safe.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[Callable[[], object]]] = {}

    def put(self, key: str, call: Callable[[], object]) -> None:
        """Make ``call`` after all earlier ones of this key. What it raises is logged."""
        with self._changed:
            if key in self._waiting:
                self._waiting[key].append(call)
                return
            self._waiting[key] = deque([call])
        threading.Thread(target=self._run, args=(key,), name="deliveries", daemon=True).start()

    def wait(self, timeout: float) -> bool:
        """Until nothing waits; False if that takes longer than ``timeout`` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout)

    def _run(self, key: str) -> None:
        while True:
            with self._changed:
                calls = self._waiting[key]
                if not calls:
                    del self._waiting[key]
                    self._changed.notify_all()
                    return
                call = calls.popleft()
            try:
                call()
            except Exception:  # a mistake of ours must not end the lane
                log.exception("in a delivery")
            del call  # it holds a result
