"""A private temporary folder that is gone with the program, however it ends: held by a lock while
it lives, and swept by a later start once nobody holds it.

A process id would not do: it may be another program's by then. The lock falls with the process that
held it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

log = logging.getLogger(__name__)

PREFIX = "deconomix-gui-"
LOCK = "held.lock"
"""In every such folder. One without it is not touched, whatever its name."""
_EARLIER = re.compile(r"deconomix-[a-z0-9_]{8}")
_UPLOADED = re.compile(r"[A-Za-z0-9_-]{32}.*")
_EARLIER_SECONDS = 24 * 3600.0
"""Folders of earlier versions have no lock: what lies in them must look like uploads of theirs, and
be this old.
"""
_TRIES = 5


class TemporaryFolder:
    """``path`` : the folder, which nobody else can read. :meth:`close` deletes it.

    OSError if it cannot be made.
    """

    def __init__(self) -> None:
        for _ in range(_TRIES):
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._lock = FileLock(self.path / LOCK, timeout=0, thread_local=False, mode=0o600)
            try:
                self._lock.acquire()
            except Timeout:  # the sweep of another start was faster; it deletes this one
                continue
            except NotImplementedError:
                log.warning(
                    "no lock for temporary files: what is left of them after a crash is not found"
                    " again"
                )
                (self.path / LOCK).unlink(missing_ok=True)
            return
        raise OSError("no temporary folder could be locked")

    def close(self) -> None:
        """Delete the folder and all that is in it."""
        _empty(self.path)
        self._lock.release()  # Windows deletes no file that is open
        shutil.rmtree(self.path, ignore_errors=True)


@contextlib.contextmanager
def private_temporary_files() -> Iterator[None]:
    """Whatever this process, and a library in it, makes with ``tempfile`` goes into such a folder:
    openpyxl, for one, writes every table there in clear.
    """
    sweep()
    before = tempfile.tempdir
    try:
        folder = TemporaryFolder()
    except OSError as error:  # each place that needs one says so itself
        log.warning("no private folder for temporary files: %s", type(error).__name__)
        yield
        return
    tempfile.tempdir = str(folder.path)
    try:
        yield
    finally:
        tempfile.tempdir = before
        folder.close()


def sweep(folder: Path | None = None) -> int:
    """Delete what programs that were killed left in the temporary folder of the system (or
    ``folder``); how many folders that were.
    """
    root, swept = folder or Path(tempfile.gettempdir()), 0
    with contextlib.suppress(OSError):
        for path in root.iterdir():
            with contextlib.suppress(OSError, ValueError):
                if path.name.startswith("deconomix-") and _is_ours(path):
                    swept += _swept(path)
    if swept:
        log.info("temporary folders of programs that were killed: %d deleted", swept)
    return swept


def _is_ours(path: Path) -> bool:
    """Whether it is a folder, no link, that belongs to this user and nobody else can write to."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        return False
    return os.name != "posix" or (
        found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def _swept(path: Path) -> bool:
    held = path / LOCK
    if not path.name.startswith(PREFIX) or not held.is_file() or held.is_symlink():
        if _EARLIER.fullmatch(path.name) and _left_by_an_earlier_version(path):
            shutil.rmtree(path, ignore_errors=True)
            return not path.exists()
        return False
    lock = FileLock(held, timeout=0, thread_local=False, mode=0o600)
    try:
        lock.acquire()
    except (Timeout, NotImplementedError):
        return False
    _empty(path)
    lock.release()
    shutil.rmtree(path, ignore_errors=True)
    return not path.exists()


def _left_by_an_earlier_version(path: Path) -> bool:
    inside = [path, *path.iterdir()]
    return time.time() - max(p.lstat().st_mtime for p in inside) > _EARLIER_SECONDS and all(
        _UPLOADED.fullmatch(p.name) for p in inside[1:]
    )


def _empty(path: Path) -> None:
    """Delete all but the lock."""
    with contextlib.suppress(OSError):
        for inside in path.iterdir():
            if inside.name == LOCK:
                continue
            if inside.is_dir() and not inside.is_symlink():
                shutil.rmtree(inside, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    inside.unlink()
