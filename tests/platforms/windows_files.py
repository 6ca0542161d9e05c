"""Windows' file system for the tests of other systems: what Windows refuses is refused here.

``with windows_files():`` (or the fixture ``windows_files``)

- ``os.replace``, ``os.rename``, ``os.unlink`` and ``os.remove`` raise PermissionError while this
  process has the file open: WinError 32 for the file itself, 5 for one that would be replaced.
- A name that is kept for a device (CON, nul.csv) and a path of 260 characters and more cannot be
  opened, made, renamed to or looked up.
- A name that is there in other capitals is that file.
- ``gui.atomic`` takes the system for Windows, and the file of a lock is gone once it is released.

With DECONOMIX_GUI_FAKE_WINDOWS set, every test runs under it (``tests/conftest.py``). Not covered:
folders in use, access lists, sharing modes of other processes.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from filelock import UnixFileLock

from gui import atomic

SHARING_VIOLATION, ACCESS_DENIED, INVALID_NAME, PATH_NOT_FOUND = 32, 5, 123, 3
LONGEST = 259
"""Characters of a path, where the long ones are not switched on."""
RESERVED = frozenset(
    ["con", "prn", "aux", "nul"] + [f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)]
)
FREE = ("/proc/", "/dev/", "/sys/", "/usr/", "/lib", "/etc/", "/opt/")
"""What is the system's own."""
MEMORY = "/dev/shm/"
"""Where dev.py has the folders of tests lie."""

real_open, real_os_open, real_stat, real_lstat = io.open, os.open, os.stat, os.lstat
real_scandir, real_unlink = os.scandir, os.unlink


def refusal(code: int, words: str, path: object) -> OSError:
    """An error as Windows' Python raises it."""
    kinds: dict[int, tuple[type[OSError], int]] = {
        SHARING_VIOLATION: (PermissionError, errno.EACCES),
        ACCESS_DENIED: (PermissionError, errno.EACCES),
        INVALID_NAME: (OSError, errno.EINVAL),
        PATH_NOT_FOUND: (FileNotFoundError, errno.ENOENT),
    }
    kind, number = kinds[code]
    error = kind(number, words, str(path))
    error.winerror = code  # type: ignore[attr-defined,unused-ignore]
    return error


def is_open(path: str) -> bool:
    """Whether this process has the file open."""
    try:
        wanted = real_stat(path)
    except OSError:
        return False
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found = os.fstat(int(number))
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                return True
    return False


def _mode(path: str) -> int:
    """Its ``st_mode``; 0 where there is nothing."""
    try:
        return real_lstat(path).st_mode
    except OSError:
        return 0


def resolved(path: Any, folder: int | None = None) -> Any:
    """The path as it is on the disk, whatever its capitals; an error for one that Windows does not
    take.
    """
    if isinstance(path, int):
        return path
    text = os.fsdecode(os.fspath(path))
    if folder is not None and not os.path.isabs(text):
        text = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), text)
    whole = os.path.join(os.getcwd(), text)
    if (whole.startswith(FREE) and not whole.startswith(MEMORY)) or "/.venv/" in whole:
        return text
    name = os.path.basename(whole)
    if name.partition(".")[0].rstrip(" ").lower() in RESERVED:
        raise refusal(INVALID_NAME, "The filename, directory name, or volume label syntax", text)
    if len(whole) > LONGEST:
        raise refusal(PATH_NOT_FOUND, "The system cannot find the path specified", text)
    if _mode(text):
        return text
    parent = os.path.dirname(text) or "."
    with contextlib.suppress(OSError), real_scandir(parent) as entries:
        for entry in entries:
            if entry.name.casefold() == name.casefold():
                return os.path.join(os.path.dirname(text), entry.name)
    return text


def _moving(act: Callable[..., None], *, replaces: bool) -> Callable[..., None]:
    def move(source: Any, target: Any, **options: Any) -> None:
        here = resolved(source, options.get("src_dir_fd"))
        there = resolved(target, options.get("dst_dir_fd"))
        same = os.fspath(here).casefold() == os.fspath(there).casefold()
        if is_open(here):
            raise refusal(SHARING_VIOLATION, "The process cannot access the file", source)
        if not same and _mode(there):
            if not replaces:
                raise FileExistsError(errno.EEXIST, "Cannot create a file", str(target))
            if stat.S_ISDIR(_mode(there)) or is_open(there):
                raise refusal(ACCESS_DENIED, "Access is denied", target)
        act(here, os.fspath(target) if same else there)

    return move


def _deleting(act: Callable[..., None]) -> Callable[..., None]:
    def delete(path: Any, *, dir_fd: int | None = None) -> None:
        found = resolved(path, dir_fd)
        if is_open(found):
            raise refusal(SHARING_VIOLATION, "The process cannot access the file", path)
        act(found)

    return delete


def _looking(act: Callable[..., Any]) -> Callable[..., Any]:
    def look(path: Any, *args: Any, **options: Any) -> Any:
        return act(resolved(path, options.pop("dir_fd", None)), *args, **options)

    return look


def _releasing(act: Callable[[Any], None]) -> Callable[[Any], None]:
    """filelock removes the file of a lock on Windows. Here before the release: that is safe, for
    who waits for a removed file starts over.
    """

    def release(lock: Any) -> None:
        with contextlib.suppress(OSError):
            real_unlink(lock.lock_file)
        act(lock)

    return release


@contextlib.contextmanager
def windows_files() -> Iterator[None]:
    """Until the end of the block this process sees its files as on Windows."""
    with contextlib.ExitStack() as stack:

        def put(place: Any, name: str, value: Any) -> None:
            stack.enter_context(mock.patch.object(place, name, value))

        put(atomic, "WINDOWS", True)
        put(os, "replace", _moving(os.replace, replaces=True))
        put(os, "rename", _moving(os.rename, replaces=False))
        deleting = _deleting(os.unlink)
        put(os, "unlink", deleting)
        put(os, "remove", deleting)
        put(os, "mkdir", _looking(os.mkdir))
        put(os, "stat", _looking(real_stat))
        put(os, "lstat", _looking(real_lstat))
        put(os, "open", _looking(real_os_open))
        put(UnixFileLock, "_release", _releasing(UnixFileLock._release))
        opening = _looking(real_open)
        put(io, "open", opening)
        put(builtins, "open", opening)
        yield


def long_name(folder: Path, length: int = LONGEST + 1) -> Path:
    """A path of ``length`` characters in ``folder``."""
    return folder / ("x" * (length - len(str(folder)) - 1))
