"""A folder of results in which a set of files is replaced as one: all of them or none, whatever
else is in it stays.

The new files are written to a folder beside it. A new result folder is that folder, renamed. An
existing one is exchanged for it in one step where the system can do that (Linux, macOS); where it
cannot (Windows, a mounted folder, the folder that this program was started in), the files are
replaced one by one, after a copy of the old ones was put into ``.before-analysis`` in it. An error
brings these back; after a kill the next :func:`recover` does.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import itertools
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gui import atomic
from gui.errors import DeconomixError

BEFORE = ".before-analysis"
"""In a result folder: the files of the result before, while they are being replaced."""
_STAGING, _LIST = ".new", "files"
MOST_LINKS = 1000
"""A folder that holds more of other things is no result folder: it stays, and the files in it are
replaced one by one.
"""


class NotRestored(DeconomixError):
    """Writing failed, and the files of the result before could not be put back."""


def replace_files(folder: Path, files: Mapping[str, bytes], names: Sequence[str]) -> None:
    """Write ``files`` (name -> content) into ``folder``, made if need be; of ``names`` those that
    are not among them are removed.

    names : all files of the set; the last one says what the others are: it is never there beside
        files that it does not belong to.
    OSError: the folder is as it was. NotRestored.
    """
    folder = folder.absolute()
    made = [p for p in (folder, *folder.parents) if not p.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _only_writer(folder) as alone:
            if alone:
                _sweep(folder, names)
            recover(folder, names)
            _replace(folder, files, names)
    except BaseException:
        for parent in made:  # parents that were made for nothing
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise


def _replace(folder: Path, files: Mapping[str, bytes], names: Sequence[str]) -> None:
    staged = staging_folder(folder.parent, f".{folder.name}.", _STAGING)
    try:
        for name, content in files.items():
            with (staged / name).open("xb") as file:
                file.write(content)
                atomic.flush_to_disk(file)
        if not folder.exists():
            staged.chmod(0o755)  # the staging folder's 0700 would keep colleagues out
            atomic.replace(staged, folder)
        elif not _exchanged(staged, folder, names):
            _one_by_one(staged, folder, names)
        atomic.sync_folder(folder.parent)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def staging_folder(parent: Path, prefix: str, suffix: str = "") -> Path:
    """A new folder in ``parent`` under a name that nobody has.

    Only its owner may read it, but not on Windows: there Python turns 0700 into an access list,
    which goes with the files when they are moved, and colleagues could not read the results. What
    is made with any other mode inherits the rights of ``parent``.
    """
    while True:
        path = parent / f"{prefix}{secrets.token_hex(4)}{suffix}"
        try:
            path.mkdir(0o777 if atomic.WINDOWS else 0o700)
        except FileExistsError:
            continue
        return path


def recover(folder: Path, names: Sequence[str]) -> bool:
    """Put back the result before, if a program was killed while it replaced the files one by one.

    Whether it was. OSError.
    """
    before = folder / BEFORE
    if not before.is_dir():
        return False
    were_there = (before / _LIST).read_text("utf-8").split("\n")
    atomic.remove(folder / names[-1])
    for name in names:
        if name not in were_there:
            atomic.remove(folder / name)
        elif (before / name).exists():  # else it is back already
            atomic.replace(before / name, folder / name)
    _discard(before)
    return True


# -- all at once
# --------------------------------------------------------------------------------------------------
def _exchanged(staged: Path, folder: Path, names: Sequence[str]) -> bool:
    """Exchange the folders in one step; False, and nothing done, where that is not possible.

    What else is in ``folder`` is linked into ``staged`` first.
    """
    here = Path.cwd()
    if _exchange_call() is None:
        return False
    # whoever is in it would be left in a deleted folder
    if folder.is_symlink() or here == folder or folder in here.parents:
        return False
    own = {*names, BEFORE}
    try:
        others = [entry for entry in folder.iterdir() if entry.name not in own]
        if (
            folder.stat().st_mode & stat.S_ISGID
            or sum(1 for _ in itertools.islice(_all(others), MOST_LINKS + 1)) > MOST_LINKS
        ):
            return False
        for entry in others:
            _link(entry, staged / entry.name)
        _keep_owner(folder, staged)
        exchange(staged, folder)
    except (OSError, NotImplementedError):
        for entry in staged.iterdir():
            if entry.name not in own:
                _remove(entry)
        return False
    for entry in staged.iterdir():  # the folder before: what another program put there meanwhile
        if entry.name not in own and not os.path.lexists(folder / entry.name):
            atomic.replace(entry, folder / entry.name)
    return True


def _all(entries: Iterable[Path]) -> Iterator[Path]:
    for entry in entries:
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _all(entry.iterdir())


def _link(source: Path, target: Path) -> None:
    """A second name for a file; a folder is made anew, with links to what is in it.

    OSError where the file system has no links.
    """
    if source.is_dir() and not source.is_symlink():
        target.mkdir()
        for entry in source.iterdir():
            _link(entry, target / entry.name)
        _keep_owner(source, target)
    else:
        os.link(source, target, follow_symlinks=False)


def _keep_owner(source: Path, target: Path) -> None:
    shutil.copystat(source, target)
    found, now = source.stat(), target.stat()
    if (found.st_uid, found.st_gid) != (now.st_uid, now.st_gid):
        # not allowed: then the folder is not exchanged
        os.chown(target, found.st_uid, found.st_gid)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def exchange(one: Path, other: Path) -> None:
    """The two folders change places, in one step.

    NotImplementedError, OSError: nothing was done.
    """
    rename = _exchange_call()
    if rename is None:
        raise NotImplementedError("this system does not exchange folders")
    names = os.fsencode(one), os.fsencode(other)
    at_cwd, swap = -100, 2  # AT_FDCWD; RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS
    failed = (
        rename(at_cwd, names[0], at_cwd, names[1], swap)
        if sys.platform == "linux"
        else rename(*names, swap)
    )
    if failed:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(other))


def _exchange_call() -> Any:
    """The C library's function, or None where there is none (Windows, old systems)."""
    name = {"linux": "renameat2", "darwin": "renamex_np"}.get(sys.platform)
    return getattr(ctypes.CDLL(None, use_errno=True), name, None) if name else None


# -- one by one
# --------------------------------------------------------------------------------------------------
def _one_by_one(staged: Path, folder: Path, names: Sequence[str]) -> None:
    there = [name for name in names if (folder / name).exists()]
    copies = staging_folder(folder, f"{BEFORE}.")
    try:
        for name in there:
            shutil.copy2(folder / name, copies / name)
        (copies / _LIST).write_text("\n".join(there), "utf-8")
        # from here on the result before comes back, whatever happens
        atomic.replace(copies, folder / BEFORE)
    except BaseException:
        shutil.rmtree(copies, ignore_errors=True)
        raise
    try:
        atomic.remove(folder / names[-1])
        for name in names:
            if (staged / name).exists():
                _copy(staged / name, folder / name)
            else:
                atomic.remove(folder / name)
    except BaseException as error:
        try:
            recover(folder, names)
        except OSError:
            raise NotRestored(
                f"Writing to {folder} failed, and the files of the result before could not be put"
                " back: what is in the folder is incomplete.",
                advice=(
                    f"The files before are in {folder / BEFORE}. The next analysis into this folder"
                    " puts them back first."
                ),
            ) from error
        raise
    _discard(folder / BEFORE)


def _copy(source: Path, target: Path) -> None:
    """In place of ``target``, whole or not at all."""
    part = target.with_name(f".{target.name}{_STAGING}")
    try:
        shutil.copy2(source, part)
        atomic.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _discard(before: Path) -> None:
    """The files are in place: the copies are removed, in one step as far as :func:`recover` can
    see.
    """
    gone = before.with_name(f"{BEFORE}.{os.getpid()}.done")
    atomic.replace(before, gone)
    shutil.rmtree(gone, ignore_errors=True)


# -- what is beside it
# --------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def _only_writer(folder: Path) -> Iterator[bool]:
    """Of all programs; False where the file system knows no locks: results of hours are written all
    the same.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(atomic.locked(folder))
        except atomic.Busy as error:
            raise OSError(
                errno.EBUSY, "another analysis is being written to this folder", str(folder)
            ) from error
        except OSError:
            yield False
            return
        yield True


def _sweep(folder: Path, names: Sequence[str]) -> None:
    """Remove what killed programs left of files that never came into place."""
    left = [
        p
        for p in folder.parent.iterdir()
        if p.name.startswith(f".{folder.name}.") and p.name.endswith(_STAGING)
    ]
    left += folder.glob(f"{BEFORE}.*") if folder.is_dir() else []
    left += [folder / f".{name}{_STAGING}" for name in names]
    for path in left:
        with contextlib.suppress(OSError):
            _remove(path)
