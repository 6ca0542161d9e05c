"""Watcher of jobs: keep the computer awake while they run, and notify when one ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from gui.app import Application

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks at the jobs."""


class ActivityProbe(Protocol):
    """Where the page is shown."""

    def is_active(self) -> bool | None:
        """Whether the user looks at it now; None: not known."""
        ...


class JobWatcher:
    """Looks at the application's jobs from a thread of its own, until the window is closed.

    Parameters
    ----------
    awake
        A context manager that keeps the machine awake.
    notify
        Shows a notice of the desktop. Both as the system allows.
    """

    def __init__(
        self,
        application: Application,
        host: ActivityProbe,
        *,
        awake: Callable[[], Any] | None = None,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        self._application, self._host = application, host
        self._awake, self._notify = awake or keep_awake, notify or show_desktop_notification
        self._active: set[str] = set()
        self._keeping: contextlib.ExitStack | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="attendant", daemon=True).start()

    def _run(self) -> None:
        while not self._application.stopped.wait(LOOK):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - what the system refuses is no reason to stop looking
                log.warning("attending jobs: %s", type(error).__name__)
        self._let_sleep()

    def look(self) -> None:
        """Once: begin or end keeping awake, tell what ended."""
        jobs = self._application.runner.status()
        active = {job.id for job in jobs if job.active}
        ended = [job for job in jobs if job.id in self._active and not job.active]
        self._active = active
        if active and self._keeping is None:
            self._keeping = contextlib.ExitStack()
            self._keeping.enter_context(self._awake())
        elif not active:
            self._let_sleep()
        if ended and self._host.is_active() is not True:
            for words in filter(None, map(notification_text, ended)):
                self._notify(words)

    def _let_sleep(self) -> None:
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.close()


def notification_text(job: Any) -> str:
    """Return the desktop notification about a finished job; "" if the user cancelled it.

    It can appear on a locked screen, so it names no session and no sample.

    "" if the user ended it.
    """
    return {"done": f"{job.title} is done.", "failed": f"{job.title} failed."}.get(job.state, "")


@contextlib.contextmanager
def keep_awake() -> Any:
    """Keep the computer from going to sleep; its screen may switch off.

    Where the system does not allow it, nothing happens.
    """
    try:
        from wakepy import keep

        mode: Any = keep.running(on_fail="pass")
    except Exception as error:  # noqa: BLE001 - a system it does not know
        log.info("the machine cannot be kept awake: %s", type(error).__name__)
        mode = contextlib.nullcontext()
    with mode:
        yield


def show_desktop_notification(words: str) -> None:
    """Show a notice of the desktop without waiting for it."""

    def act() -> None:
        try:
            from desktop_notifier import DesktopNotifier

            asyncio.run(_send(DesktopNotifier(app_name="DeconomiX", notification_limit=5), words))
        except Exception as error:  # noqa: BLE001 - no service for notices: the page says it too
            log.info("no notice of the desktop: %s", type(error).__name__)

    threading.Thread(target=act, name="desktop-notice", daemon=True).start()


async def _send(notifier: Any, words: str) -> None:
    await asyncio.wait_for(notifier.send(title="DeconomiX", message=words), 10)
