"""The program from its start to its end, as every way of starting it needs it."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from gui import __version__

if TYPE_CHECKING:  # heavy: the splash page must not wait for them
    from gui.app import Application
    from gui.config import Config
    from gui.files import Files
    from gui.settings import SettingsStore

log = logging.getLogger(__name__)


@contextlib.contextmanager
def running(
    config: Config,
    files: Files | None = None,
    settings: SettingsStore | None = None,
    *,
    tell: Callable[[str], None] | None = None,
) -> Iterator[Application]:
    """The application with its worker and its log; on the way out all are ended and all is saved,
    whatever happened.

    tell : is told what could not be saved, where nobody sees a terminal
    """
    from gui.logs import start_logging

    start_logging(config.logs_folder)
    log.info("DeconomiX %s starts", __version__)
    from desktop.doctor import checks
    from gui.app import create_app
    from gui.temporary import private_temporary_files

    with private_temporary_files():
        application = create_app(config, files, settings)
        application.more_checks = checks()
        try:
            application.start()
            yield application
        finally:
            end(application, tell)


def end(application: Any, tell: Callable[[str], None] | None = None) -> None:
    """Stop the application, which waits until everything is saved; stderr hears of it, and of what
    could not be saved.
    """
    from desktop.close_guard import saving

    try:
        if number := application.pending_saves():
            say(saving(number), sys.stderr)
    finally:
        if problem := application.stop():
            log.error("the program ends with unsaved sessions")
            say(problem, sys.stderr)
            if tell is not None:
                tell(problem)


@contextlib.contextmanager
def ending_by_signal() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; a second one acts as it always does, should the end
    take too long.

    Nothing is raised: in the middle of a start an exception would be lost in one of Qt's callbacks,
    and the program would go on.
    """
    ended = threading.Event()

    def handle(number: int, frame: object) -> None:
        signal.signal(number, before[number])
        ended.set()

    before: dict[int, Any] = {
        number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def say(text: str, stream: Any = None) -> None:
    """The one place where this program talks to a terminal."""
    stream = sys.stdout if stream is None else stream
    with contextlib.suppress(OSError, ValueError):  # whoever listened has gone: no reason to fail
        stream.write(f"{text}\n")
        stream.flush()
