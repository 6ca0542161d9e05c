"""One program per user and data folder: a second start hands its files over to the first and ends.

Whoever holds the lock is the first. It writes where it can be asked (port, token) into a file that
only its user can read. The lock falls with the process, however it ends, so that after a kill the
next start takes over.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import platformdirs
from filelock import FileLock, Timeout

from desktop.winforms import let_come_to_front
from gui import atomic
from gui.config import APP_NAME, Config
from gui.errors import DeconomixError
from gui.guard import HANDOVER

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds a second start waits for a first one that is still starting."""
AGAIN = 0.2
ANSWER = 10.0


class Instance:
    """The place where starts of the program for one data folder meet.

    Use it as a context: left, the next start is the first.
    """

    def __init__(self, config: Config, folder: Path | None = None) -> None:
        # Not the runtime folder: where there is none, platformdirs takes one in /tmp whose name
        # others can guess.
        self.folder = folder or Path(platformdirs.user_state_dir(APP_NAME, appauthor=False))
        mark = hashlib.sha256(os.fsencode(os.path.realpath(config.data_folder))).hexdigest()[:12]
        self._told = self.folder / f"instance-{mark}.json"
        self._path = self.folder / f"instance-{mark}.lock"
        self._lock: FileLock | None = None
        self.crashed = False
        """The previous first instance crashed or was killed. Known after :meth:`take`."""

    def take(self) -> bool:
        """Whether this is the first; it stays it until :meth:`leave`.

        Without a folder to lock in every start is the first.
        """
        try:
            atomic.private_folder(self.folder)
            lock = FileLock(self._path, timeout=0, thread_local=False, mode=0o600)
            lock.acquire()
        except Timeout:
            return False
        except OSError as error:
            log.warning("no lock for a single instance: %s", type(error).__name__)
            return True
        self._lock = lock
        self.crashed = self._told.exists()
        with contextlib.suppress(OSError):
            # of one that was killed: its port may be another program's now
            self._told.unlink(missing_ok=True)
        return True

    def tell(self, port: int, token: str) -> None:
        """Where the first can be asked from now on."""
        if self._lock is None:
            return
        try:
            with atomic.replacing(self._told) as file:
                file.write(json.dumps({"port": port, "token": token, "pid": os.getpid()}).encode())
        except OSError as error:
            log.warning("a second start will not find this one: %s", type(error).__name__)

    def leave(self) -> None:
        """The next start is the first."""
        if self._lock is not None:
            with contextlib.suppress(OSError):
                self._told.unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def hand_over(self, paths: Sequence[Path], *, patience: float = PATIENCE) -> bool:
        """Give the files to the first, which comes to the front.

        True: it has them. False: it has ended, and this is the first now.

        DeconomixError if it is there and does not answer.
        """
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self.take():
                return False
            if self._ask([str(path) for path in paths]):
                return True
            time.sleep(AGAIN)
        raise DeconomixError(
            "DeconomiX is already running but does not respond.",
            advice="Close its window, or end it in the task manager, and start again.",
        )

    def _ask(self, paths: list[str]) -> bool:
        try:
            told = json.loads(self._told.read_bytes())
            # no proxy is asked
            connection = http.client.HTTPConnection("127.0.0.1", int(told["port"]), timeout=ANSWER)
        except (OSError, ValueError, KeyError, TypeError):
            return False  # still starting
        pid = told.get("pid")
        if isinstance(pid, int):
            let_come_to_front(pid)
        try:
            headers = {
                "Authorization": f"Bearer {told['token']}",
                "Content-Type": "application/json",
            }
            connection.request("POST", HANDOVER, json.dumps({"paths": paths}), headers)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()
