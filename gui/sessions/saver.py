"""Saver: writes in the background, once for many changes, and tries again what failed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)
PAUSES = (5.0, 15.0, 60.0)
"""Seconds until what failed is tried again; the last one for all further times."""


class Saver:
    """Calls ``write(key)`` for every key asked for, in a few threads. Thread-safe.

    A slow write does not hold up another one.

    Parameters
    ----------
    write : returns when it is written, raises if not.
    again : whether an error may pass by itself, so that trying again makes sense.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        again: Callable[[Exception], bool] = lambda error: True,
        *,
        threads: int = 2,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._write, self._again, self._limit, self._pauses = write, again, threads, pauses
        self._changed = threading.Condition()
        self._due: dict[str, float] = {}
        self._busy: set[str] = set()
        self._failed: dict[str, Exception] = {}
        self._row: dict[str, int] = {}
        self._tries: dict[str, int] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False

    def request(self, key: str, delay: float = 0.0) -> None:
        """Write ``key`` within ``delay`` seconds; further requests until then are one with it.

        Nothing happens after :meth:`close`.
        """
        with self._changed:
            if self._closed:
                log.warning("a change came after the end and is not saved")
                return
            due = time.monotonic() + (max(delay, 2.0) if key in self._failed else delay)
            self._due[key] = min(self._due.get(key, due), due)
            if len(self._threads) < min(self._limit, len(self._due) + len(self._busy)):
                self._threads.append(threading.Thread(target=self._loop, name="saver", daemon=True))
                self._threads[-1].start()
            self._changed.notify_all()

    def pending(self, key: str) -> bool:
        """Whether ``key`` waits to be written, or is being written."""
        with self._changed:
            return key in self._due or key in self._busy

    def failure(self, key: str) -> Exception | None:
        """Why ``key`` could not be written the last time; None if it could."""
        with self._changed:
            return self._failed.get(key)

    def forget(self, key: str) -> None:
        """Write it no more."""
        with self._changed:
            for known in (self._due, self._failed, self._row):
                known.pop(key, None)
            self._changed.notify_all()

    def flush(self, timeout: float, key: str | None = None) -> bool:
        """Write what waits now, also what failed, once; return whether all of it is written.

        key : of one session only; None: of all.
        """
        with self._changed:
            if self._closed:
                return not self._failed
            keys = [k for k in {*self._due, *self._busy, *self._failed} if key in (None, k)]
            until = {k: self._tries.get(k, 0) + (k in self._busy) for k in keys}
            for k in keys:
                if k in self._due or k in self._failed:
                    self.request(k)
                    if k in self._due:
                        self._due[k] = 0.0
            self._changed.notify_all()

            def settled() -> bool:
                return all(
                    k not in self._busy and (k not in self._due or self._tries.get(k, 0) > until[k])
                    for k in keys
                )

            return self._changed.wait_for(settled, timeout) and not any(
                k in self._failed for k in keys
            )

    def close(self, timeout: float) -> bool:
        """:meth:`flush`, then no more. True if everything is written."""
        done = self.flush(timeout)
        with self._changed:
            self._closed = True
            self._due.clear()
            self._changed.notify_all()
            threads = list(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(5 if done else 0.1)
        return done

    def _loop(self) -> None:
        while (key := self._next()) is not None:
            error: Exception | None = None
            try:
                self._write(key)
            except Exception as trouble:  # noqa: BLE001 - whatever it is, the thread must go on and the failure be known
                error = _bare(trouble)
                log.warning("a session could not be saved: %s", type(trouble).__name__)
            with self._changed:
                self._busy.discard(key)
                self._tries[key] = self._tries.get(key, 0) + 1
                if error is None:
                    self._failed.pop(key, None)
                    self._row.pop(key, None)
                else:
                    self._failed[key] = error
                    row = self._row[key] = self._row.get(key, 0) + 1
                    if self._again(error) and not self._closed:
                        self._due[key] = (
                            time.monotonic() + self._pauses[min(row, len(self._pauses)) - 1]
                        )
                self._changed.notify_all()

    def _next(self) -> str | None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                waiting = sorted(
                    (due, key) for key, due in self._due.items() if key not in self._busy
                )
                if waiting and waiting[0][0] <= now:
                    key = waiting[0][1]
                    del self._due[key]
                    self._busy.add(key)
                    return key
                self._changed.wait(waiting[0][0] - now if waiting else None)
            return None


def _bare(error: Exception) -> Exception:
    """The error and its causes without their frames.

    Frames hold the content that could not be written, perhaps of a session that is locked later.
    """
    found: BaseException | None = error
    while found is not None:
        found.__traceback__ = None
        found = found.__cause__ or found.__context__
    return error
