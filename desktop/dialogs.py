"""Files by native dialogs: the window's implementation of ``gui.files.Files``.

Python reads and writes; nothing passes through the web view.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gui import atomic
from gui.errors import DeconomixError
from gui.files import FileKind, is_device, safe_name, with_suffix
from gui.settings import SettingsStore


def anything() -> str:
    """What every file matches.

    pywebview hands macOS what follows "*.", and macOS takes a type there as well as a suffix. Of
    "*.*" pywebview makes an empty list, which raises an exception in the dialog.
    """
    return {"win32": "*.*", "darwin": "*.public.data"}.get(sys.platform, "*")


ANYTHING = anything()
_TITLES = ("linux.openFile", "linux.openFiles", "linux.openFolder", "global.saveFile")


class NativeFiles:
    """Open and save through the window's dialogs.

    Methods block until the user answers and may be called from any thread but the window's own.
    """

    native = True

    def __init__(self, settings: SettingsStore | None = None) -> None:
        """settings : where the folders used last and the recent files are kept, for the next start
        too
        """
        self._settings = settings
        self._window: Any = None
        # pywebview keeps one result per window: two dialogs at once would swap their answers.
        self._one_at_a_time = threading.Lock()
        self._folders: dict[str, Path] = {}
        """Kind of file -> the folder used last for it."""
        if settings is not None:
            self._folders = {kind: Path(folder) for kind, folder in settings.get().folders.items()}

    def attach(self, window: Any) -> None:
        """The pywebview window that owns the dialogs; until then every call is refused."""
        self._window = window

    def open(self, kinds: Sequence[FileKind], *, title: str, multiple: bool = False) -> list[Path]:
        """Absolute paths the user chose; empty if cancelled."""
        from webview import FileDialog

        with self._one_at_a_time:
            name = kinds[0].name if kinds else ""
            chosen = self._ask(
                FileDialog.OPEN, title, name, allow_multiple=multiple, file_types=file_types(kinds)
            )
            paths = [Path(path) for path in chosen]
            if paths:
                self._used(name, paths[0].parent)
            if self._settings is not None and all(kind.recent for kind in kinds):
                for path in reversed(paths):
                    self._settings.remember(path)
            return paths

    def folder(self, title: str) -> Path | None:
        """A folder the user chose; None if cancelled."""
        with self._one_at_a_time:
            return self._ask_folder(title)

    def save(self, name: str, data: bytes, kind: FileKind) -> str | None:
        """Write ``data`` where the user says: all of it or nothing.

        Returns where it is, None if cancelled.

        The kind's suffix is added if the user gives none of them; an existing file is replaced only
        after a question.

        Raises
        ------
        DeconomixError
            If the file cannot be written.
        """
        from webview import FileDialog

        with self._one_at_a_time:
            proposal = with_suffix(safe_name(name), kind)
            while True:
                chosen = self._ask(
                    FileDialog.SAVE,
                    f"Save {kind.name}",
                    kind.name,
                    save_filename=proposal,
                    file_types=file_types([kind], anything=False),
                )
                if not chosen:
                    return None
                typed = Path(chosen[0])
                path = typed.with_name(with_suffix(typed.name, kind))
                # The toolkit has asked about the name that was typed, not about the one with our
                # suffix.
                if path == typed or not os.path.exists(path) or self._may_replace(path):
                    break
                self._used(kind.name, path.parent)
                proposal = path.name
            write(path, data)
            self._used(kind.name, path.parent)
            return f"Saved as {path.name} in {path.parent}."

    def save_all(self, items: Sequence[tuple[str, bytes]], kind: FileKind) -> str | None:
        """Write every (name, data) into a folder that the user chooses, under free names.

        Returns the sentence to show, or None if the user cancelled.

        Returns where they are, None if cancelled.

        Raises
        ------
        DeconomixError
            If one cannot be written; the message says how many were saved.
        """
        if not items:
            return None
        if len(items) == 1:
            return self.save(*items[0], kind)
        with self._one_at_a_time:
            folder = self._ask_folder(f"Save {len(items)} files in a folder")
            if folder is None:
                return None
            for done, (name, data) in enumerate(items):
                try:
                    write_new(folder / with_suffix(safe_name(name), kind), data)
                except DeconomixError as error:
                    already = f" {done} of {len(items)} files are saved there." if done else ""
                    raise DeconomixError(f"{error}{already}", advice=error.advice) from None
            return f"Saved {len(items)} files in {folder}."

    def _ask_folder(self, title: str) -> Path | None:
        from webview import FileDialog

        chosen = self._ask(FileDialog.FOLDER, title, "folder")
        if not chosen:
            return None
        self._used("folder", Path(chosen[0]))
        return Path(chosen[0])

    def _used(self, kind: str, folder: Path) -> None:
        """Remember ``folder`` for the next dialog of this kind of file.

        A kind of file without a remembered folder uses the last one.
        """
        self._folders.pop("", None)
        self._folders |= {kind: folder, "": folder}
        if self._settings is not None:
            self._settings.change(folders={name: str(path) for name, path in self._folders.items()})

    def _ask(self, dialog: int, title: str, kind: str, **options: Any) -> tuple[str, ...]:
        window = self._window
        if window is None:
            raise DeconomixError("The window is not open yet.")
        # pywebview takes the titles of dialogs from its table of translations only.
        window.localization.update(dict.fromkeys(_TITLES, title))
        begin = self._folders.get(kind) or self._folders.get("") or Path.home()
        folder = str(begin) if begin.is_dir() else ""
        chosen = window.create_file_dialog(dialog, directory=folder, **options)
        if not chosen:
            return ()
        return (chosen,) if isinstance(chosen, str) else tuple(chosen)  # macOS gives a bare string

    def _may_replace(self, path: Path) -> bool:
        return bool(
            self._window.create_confirmation_dialog(
                "Replace the file?", f"{path.name} already exists in {path.parent}. Replace it?"
            )
        )


def file_types(kinds: Sequence[FileKind], *, anything: bool = True) -> tuple[str, ...]:
    """The kinds as pywebview's filters: all together first if there are several, anything last.

    Descriptions may hold letters, digits and blanks only.
    """
    groups = [(kind.name, kind.suffixes) for kind in kinds]
    if len(groups) > 1:
        groups.insert(
            0,
            (
                "All of these",
                tuple(dict.fromkeys(suffix for kind in kinds for suffix in kind.suffixes)),
            ),
        )
    filters = [
        f"{_description(name)} ({';'.join(f'*{suffix}' for suffix in _patterns(suffixes))})"
        for name, suffixes in groups
    ]
    return (*filters, f"All files ({ANYTHING})") if anything else tuple(filters)


def _description(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z ]+", " ", name).strip() or "Files"


def _patterns(suffixes: tuple[str, ...]) -> tuple[str, ...]:
    # macOS knows only what follows the last point.
    return (
        tuple(dict.fromkeys(f".{suffix.rpartition('.')[2]}" for suffix in suffixes))
        if sys.platform == "darwin"
        else suffixes
    )


def write(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` in one step, or leave it as it was.

    A link keeps pointing to the file. DeconomixError if it cannot be written.
    """
    _check_name(path)
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else None
        with part.open("xb") as out:
            out.write(data)
            atomic.flush_to_disk(out)
        if mode is not None:
            part.chmod(mode)
        atomic.replace(part, target)
    except OSError as error:
        raise _refusal(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def write_new(path: Path, data: bytes) -> Path:
    """Write ``data`` under a free name ("name 2", "name 3", …) and return its path.

    Never overwrites a file.

    Returns where. DeconomixError if it cannot be.

    Raises
    ------
    DeconomixError
        If it cannot be written.
    """
    _check_name(path)
    target, number = path, 2
    while True:
        try:
            # takes the name, also from a program that looks for a free one at the same moment
            target.open("xb").close()
        except FileExistsError:
            target, number = path.with_name(f"{path.stem} {number}{path.suffix}"), number + 1
        except OSError as error:
            raise _refusal(path, error) from None
        else:
            break
    try:
        write(target, data)
    except BaseException:
        with contextlib.suppress(OSError):
            target.unlink()
        raise
    return target


def _check_name(path: Path) -> None:
    """Windows would write into a device, and say that all is well. DeconomixError."""
    if atomic.WINDOWS and is_device(path.name):
        raise DeconomixError(
            f"Windows keeps the name {path.name} for a device.", advice="Choose another name."
        )


def _refusal(path: Path, error: OSError) -> DeconomixError:
    another = "Save it in another folder."
    if atomic.is_in_use(error):
        return DeconomixError(
            f"{path.name} is open in another program.", advice="Close it there, and save again."
        )
    if atomic.is_too_long(path, error):
        return DeconomixError("The file name is too long.", advice="Choose a shorter one.")
    if path.is_dir():  # Windows says only that it may not be written
        return DeconomixError(f"{path.name} is a folder.", advice="Choose another name.")
    if error.errno == errno.ENOENT:
        return DeconomixError(f"The folder {path.parent} does not exist.", advice=another)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DeconomixError(
            f"There is not enough space for {path.name} in {path.parent}.",
            advice="Free some space, or save it on another disk.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        reason = (
            "is it open in another program?"
            if path.exists() and os.access(path.parent, os.W_OK)
            else "you may not write into this folder."
        )
        return DeconomixError(
            f"{path.name} cannot be written in {path.parent}: {reason}", advice=another
        )
    return DeconomixError(
        f"{path.name} cannot be written in {path.parent} ({error.strerror}).", advice=another
    )
