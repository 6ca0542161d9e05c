"""Replace-or-nothing writing, with a lock between programs: after a crash at any moment the old
file or the new one is there, whole.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from filelock import FileLock, Timeout

log = logging.getLogger(__name__)

WINDOWS = sys.platform == "win32"
LOCK_SECONDS = 20.0
"""How long a save waits for another program that is saving the same file."""
TRIES = 12
"""On Windows a virus scanner or an indexer may hold a file for a moment: about 3 s in all."""
IN_USE = (32, 33)
"""Windows' ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION."""
PATH_TOO_LONG = 206
"""Windows' ERROR_FILENAME_EXCED_RANGE."""
SHORT_PATH = 260
"""Characters that a path has less than, where Windows does not allow long ones."""
_PART = re.compile(r"(?P<file>.+)\.\d+\.[0-9a-f]{8}\.part")


def _open(path: Path, mode: str) -> IO[bytes]:
    """A binary file that only its owner can read, from its first byte on."""
    return cast(IO[bytes], open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600)))


def reading(path: Path) -> IO[bytes]:
    """The file, for reading.

    OSError, also where it is no file: who opens a pipe waits for its other end, and a device has no
    end.
    """
    file = open(  # noqa: SIM115 - the caller closes it
        path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    )
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is no ordinary file")
    return file


def private_folder(folder: Path) -> None:
    """Make the folder and those above it as far as they are missing, for their owner only.

    OSError.
    """
    if not folder.is_dir():
        if folder.parent == folder:  # a drive that is not there
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


class Busy(OSError):
    """Another program held the lock for too long."""


def lock_path(path: Path) -> Path:
    """The lock beside ``path``, there only while it is held (and after a kill: then it is empty and
    nobody's).
    """
    return path.with_name(f".{path.name}.lock")


@contextlib.contextmanager
def locked(path: Path, *, timeout: float = LOCK_SECONDS) -> Iterator[None]:
    """The only writer of ``path`` among all threads and programs.

    Busy after ``timeout`` seconds; OSError if no lock can be made.
    """
    # FileLock would make it: a session would land below the mount point of a drive that vanished
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    lock = FileLock(lock_path(path), timeout=timeout, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise Busy("another program is writing this file") from error
    except NotImplementedError as error:  # a file system without locks
        raise OSError(str(error)) from error
    try:
        yield
    finally:
        # there filelock does it. Under the lock this is safe: who waited for the removed file
        # starts over
        if not WINDOWS:
            with contextlib.suppress(OSError):
                lock_path(path).unlink()
        lock.release()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Any]:
    """Open a binary file that replaces ``path`` once the block ends without an error.

    Otherwise ``path`` is as it was.

    Written beside ``path`` as ``<file>.<pid>.<random>.part``; :func:`sweep` removes what a killed
    program left. Raises OSError.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with _open(part, "xb") as file:
            yield file
            flush_to_disk(file)
        replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def flush_to_disk(file: IO[bytes]) -> None:
    """Write what is buffered, and wait until it is on the disk itself.

    On macOS ``fsync`` ends when the drive has the data in its own memory; F_FULLFSYNC has it write
    them (not on every network drive). OSError.
    """
    file.flush()
    if sys.platform == "darwin":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(file.fileno(), fcntl.F_FULLFSYNC)
            return
    os.fsync(file.fileno())


def replace(source: Path, target: Path) -> None:
    """``os.replace`` for files and folders, tried again while another program on Windows has one of
    them open.

    OSError.
    """
    _insist(lambda: os.replace(source, target))


def remove(path: Path) -> None:
    """Delete a file that may be missing, tried again while another program on Windows has it open.

    OSError.
    """
    _insist(lambda: path.unlink(missing_ok=True))


def _insist(act: Callable[[], None]) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            act()
            return
        except PermissionError:
            if not WINDOWS or attempt == TRIES:
                raise
            time.sleep(0.05 * attempt)


def is_in_use(error: OSError) -> bool:
    """Whether Windows refused because another program has the file open."""
    return getattr(error, "winerror", None) in IN_USE


def is_too_long(path: Path, error: OSError) -> bool:
    """Whether the system refused because of the length of the name or path; where Windows does not
    allow long paths, it says that nothing is there.
    """
    return (
        error.errno == errno.ENAMETOOLONG
        or getattr(error, "winerror", None) == PATH_TOO_LONG
        or (WINDOWS and error.errno == errno.ENOENT and len(str(path)) >= SHORT_PATH)
    )


def explanation(error: OSError) -> str:
    """What the system said, for a sentence in brackets."""
    if is_in_use(error):
        return "another program, such as a virus scanner or a backup, has the file open"
    return error.strerror or type(error).__name__


def copy(source: Path, target: Path) -> None:
    """A copy of ``source`` in place of ``target``, whole or not at all. OSError."""
    with reading(source) as file, replacing(target) as made:
        shutil.copyfileobj(file, made, 2**20)


def link(source: Path, target: Path) -> None:
    """A second name for ``source`` in place of ``target``, or a copy where the file systems cannot
    do that.

    OSError.
    """
    if target.exists() and os.path.samefile(source, target):  # then a rename would do nothing
        return
    part = target.with_name(f"{target.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        os.link(source, part)
    # another drive, a file system without links; why else it does not work the copy will say
    except OSError:
        copy(source, target)
        return
    try:
        part.chmod(0o600)
        replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable where the system can.

    The new file is in place already: a failure here is logged, not raised.
    """
    if WINDOWS:  # folders cannot be opened there; NTFS journals the entry
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        log.warning("the folder of the sessions could not be synchronised: error %s", error.errno)


def sweep(folder: Path) -> int:
    """Remove the ``.part`` files that killed programs left in ``folder``; those of a save that is
    going on stay.

    Returns how many.
    """
    removed = 0
    for part in sorted(folder.glob("*.part")) if folder.is_dir() else ():
        match = _PART.fullmatch(part.name)
        if match is None:
            continue
        # whoever writes it holds this lock
        with contextlib.suppress(OSError), locked(part.with_name(match["file"]), timeout=0):
            part.unlink()
            removed += 1
    return removed
