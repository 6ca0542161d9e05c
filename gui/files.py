"""Files in and out: the interface, and what it means in a browser.

The window's implementation is ``desktop/dialogs.py``.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gui import atomic
from gui.caller import browser_id
from gui.errors import UnreadableFile
from gui.temporary import TemporaryFolder
from gui.text import some

CHUNK = 1 << 20


@dataclass(frozen=True)
class FileKind:
    """What a dialog offers: ``FileKind("CSV table", (".csv",))``; the first suffix is added when
    the user gives none.

    recent : what is opened is listed under “Open recent”
    """

    name: str
    suffixes: tuple[str, ...]
    recent: bool = True


EXPRESSION = FileKind(
    "Expression data",
    (
        *(".h5ad", ".csv", ".tsv", ".txt", ".tab", ".gz", ".bz2", ".xz", ".zip", ".tar", ".tgz"),
        *(".xlsx", ".xlsm", ".gct", ".mtx", ".results", ".counts", ".sf", ".out"),
        *(".h5", ".h5mu", ".loom", ".h5seurat", ".rds", ".parquet", ".feather", ".dcx"),
    ),
)
KNOWLEDGE = FileKind(
    "Gene sets or markers", (".gmt", ".csv", ".tsv", ".txt", ".xlsx", ".gz"), recent=False
)
SESSION = FileKind("DeconomiX session", (".dcxsession",))
MODEL = FileKind("Trained model", (".dcxmodel",))
REFERENCE = FileKind("Reference of the library", (".dcxreference",))
TEMPLATE = FileKind("Template of parameters", (".json",), recent=False)
CSV = FileKind("CSV table", (".csv",))
TSV = FileKind("TSV table", (".tsv",))
XLSX = FileKind("Excel table", (".xlsx",))
PNG = FileKind("PNG picture", (".png",))
SVG = FileKind("SVG drawing", (".svg",))
PDF = FileKind("PDF drawing", (".pdf",))
HTML = FileKind("Report", (".html",))
ZIP = FileKind("ZIP archive", (".zip",))


class Files(Protocol):
    """How the program asks for files and gives files away."""

    native: bool
    """True in the window: ``open`` shows a dialog and gives paths.

    False in a browser: files arrive through :class:`Uploads`.
    """

    def open(self, kinds: Sequence[FileKind], *, title: str, multiple: bool = False) -> list[Path]:
        """Paths the user chose; empty if cancelled."""
        ...

    def folder(self, title: str) -> Path | None:
        """A folder the user chose; None if cancelled, and in a browser, which cannot ask for one:
        there it is typed.
        """
        ...

    def save(self, name: str, data: bytes, kind: FileKind) -> str | None:
        """Save under a name the user confirms; returns what to tell them, None if cancelled.

        DeconomixError if it cannot be written.
        """
        ...

    def save_all(self, items: Sequence[tuple[str, bytes]], kind: FileKind) -> str | None:
        """Save several files (name, data) at once, never over one that is there; returns what to
        tell the user, None if cancelled.

        DeconomixError if one cannot be written; it says which are saved all the same.
        """
        ...


DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in "123456789¹²³"]
)
"""Names that Windows keeps for devices, in every folder and with every suffix."""


def is_device(name: str) -> bool:
    """Whether Windows takes a file of this name for a device, such as CON or nul.csv."""
    return name.partition(".")[0].rstrip(" ").lower() in DEVICES


def safe_name(name: str) -> str:
    """A file name that every system accepts, made of ``name``; never empty, never a path."""
    cleaned = re.sub(
        r'[<>:"/\\|?*\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+', "_", name[:1000]
    ).strip(" .")[:200]
    while len(cleaned.encode(errors="replace")) > 200:  # file systems count bytes, up to 255
        cleaned = cleaned[:-1]
    cleaned = cleaned[:120].strip(" .") or "file"
    return f"_{cleaned}" if is_device(cleaned) else cleaned


def with_suffix(name: str, kind: FileKind) -> str:
    """``name``, with the kind's first suffix where it has none of them."""
    return name if name.lower().endswith(kind.suffixes) else name + kind.suffixes[0]


def unreadable(path: Path, error: OSError) -> UnreadableFile:
    """Why a file cannot be opened, in a sentence."""
    if atomic.is_too_long(path, error):
        return UnreadableFile(
            "The path of the file is too long.", advice="Give it a shorter name or place."
        )
    if atomic.is_in_use(error):
        return UnreadableFile(
            f"{path.name} is open in another program.", advice="Close it there, and try again."
        )
    return UnreadableFile(f"{path.name} cannot be opened.")


@dataclass(frozen=True)
class Upload:
    """A file that arrived: the browser knows only the token. browser : that sent it; more : files
    of one sample each that were chosen with it
    """

    token: str
    name: str
    path: Path
    size: int
    browser: str = ""
    more: tuple[Path, ...] = ()


IDLE = 900.0
"""Seconds without use after which a file makes room for another one of the same browser."""


SPARE = 1_000_000_000
"""Bytes of the disk (or a twentieth of it) that files which are sent leave free: sessions are saved
there too.
"""


class Uploads:
    """Files on their way in, kept in a private temporary folder until loaded, expired or the
    program ends.

    Thread-safe.

    per_browser, total : bytes that may lie there, of one browser and of all; lifetime : seconds
        after its last use that a file is kept
    clock : seconds that never go back
    """

    def __init__(
        self,
        *,
        per_browser: int = 16_000_000_000,
        total: int = 64_000_000_000,
        lifetime: float = 24 * 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_browser, self._total, self._lifetime, self._clock = (
            per_browser,
            total,
            lifetime,
            clock,
        )
        self._lock = threading.Lock()
        self._held: TemporaryFolder | None = None
        self._folder: Path | None = None
        self._uploads: dict[str, Upload] = {}
        self._used: dict[str, float] = {}
        self._sizes: Counter[str] = Counter()
        """Bytes in the folder, by browser, what is arriving included."""
        self._offered: list[Upload] = []
        self._undeleted: list[Path] = []
        """Files that Windows would not delete, because they were being read."""

    def offer(self, path: Path) -> None:
        """A file from the command line, for the next form that asks.

        UnreadableFile if it is not there.
        """
        upload = self.adopt(path)
        with self._lock:
            if all(other.path != path for other in self._offered):
                self._offered.append(upload)

    @property
    def offers(self) -> bool:
        """Whether something was offered and not yet taken."""
        return bool(self._offered)

    def take_offered(self) -> list[Upload]:
        """What was offered and not yet taken."""
        with self._lock:
            taken, self._offered = self._offered, []
        return taken

    def receive(self, name: str, chunks: Iterable[bytes], *, limit: int) -> Upload:
        """Write the stream to disk.

        UnreadableFile if it is larger than ``limit`` bytes, or than the room that is left; then
        nothing is kept.
        """
        self.expire()
        token, browser, size, counted = secrets.token_urlsafe(24), browser_id(), 0, 0
        path = self._place() / f"{token}{''.join(Path(safe_name(name)).suffixes[-2:])[-40:]}"
        try:
            with open(path, "xb", opener=lambda file, flags: os.open(file, flags, 0o600)) as out:
                for chunk in chunks:
                    size += len(chunk)
                    if size > limit:
                        raise UnreadableFile(
                            f"{safe_name(name)} is larger than {limit // 1_000_000} MB.",
                            advice=(
                                "Use the desktop window for larger files, or raise upload_limit_mb."
                            ),
                        )
                    counted = size
                    self._make_room(browser, len(chunk), safe_name(name))
                    out.write(chunk)
        except BaseException:
            self._delete(path)
            with self._lock:
                self._sizes[browser] -= counted
            raise
        return self._keep(Upload(token, safe_name(name), path, size, browser))

    def _make_room(self, browser: str, size: int, name: str) -> None:
        """Count bytes that arrive; what this browser has not used for a while goes for them.

        UnreadableFile: no room; they are counted all the same.
        """
        with self._lock:
            self._sizes[browser] += size
            if self._fits(browser):
                return
            idle = self._clock() - IDLE
            old = [
                token
                for token, upload in self._uploads.items()
                if upload.browser == browser and self._was_sent(upload) and self._used[token] < idle
            ]
        for token in sorted(old, key=lambda token: self._used.get(token, 0.0)):
            self.forget(token)
            if self._fits(browser):
                return
        mine = self._sizes[browser] > self._per_browser
        words = (
            f"the files that you sent take {self._per_browser // 1_000_000} MB, as much as they may"
            if mine
            else "there is no room left for files that are sent"
        )
        raise UnreadableFile(
            f"{name} cannot be received: {words}.",
            advice="Load the files that you have chosen, or remove them, or try again later.",
        )

    def _fits(self, browser: str) -> bool:
        disk = shutil.disk_usage(self._folder or ".")
        return (
            self._sizes[browser] <= self._per_browser
            and self._sizes.total() <= self._total
            and disk.free > min(SPARE, disk.total // 20)
        )

    def _was_sent(self, upload: Upload) -> bool:
        """Whether it lies in the folder, and not where the user keeps it."""
        return self._folder is not None and upload.path.parent == self._folder

    def expire(self) -> None:
        """Delete what was sent and not used for ``lifetime`` seconds, and what could not be deleted
        before.
        """
        with self._lock:
            again, self._undeleted = self._undeleted, []
            old = self._clock() - self._lifetime
            expired = [
                token
                for token, upload in self._uploads.items()
                if self._was_sent(upload) and self._used[token] < old
            ]
        for path in again:
            self._delete(path)
        for token in expired:
            self.forget(token)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder of its own for files that are needed for a moment; gone afterwards, and after a
        crash with what was uploaded.
        """
        folder = self._place().parent / secrets.token_urlsafe(24)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def stays(self, token: str) -> bool:
        """Whether the file lies where the user keeps it and is still there: it can be read again
        later.
        """
        upload = self._uploads.get(token)
        return upload is not None and upload.path.parent != self._folder and upload.path.exists()

    def adopt(self, path: Path, *, folder: bool = False) -> Upload:
        """A file on this computer, chosen in a dialog or typed: read where it lies, never deleted.

        UnreadableFile if it is not there.

        folder : a folder will do as well
        """
        try:
            if path.is_dir() and not folder:
                raise UnreadableFile(
                    f"{path.name or path} is a folder.", advice="Choose a file that is in it."
                )
            if not path.is_file() and not path.is_dir():
                raise UnreadableFile(f"There is no file {path.name or path} at the place given.")
            size = path.stat().st_size
        except OSError as error:
            raise unreadable(path, error) from None
        return self._keep(Upload(secrets.token_urlsafe(24), path.name, path, size))

    def adopt_all(self, paths: Sequence[Path]) -> Upload:
        """Several files on this computer that were chosen at once, as one. UnreadableFile if one is
        not there.
        """
        found = [self.adopt(path) for path in paths]
        for each in found[1:]:
            self.forget(each.token)
        size = sum(each.size for each in found)
        self.forget(found[0].token)
        name = some([each.name for each in found], 1)
        more = tuple(each.path for each in found[1:])
        return self._keep(Upload(secrets.token_urlsafe(24), name, found[0].path, size, more=more))

    def together(self, tokens: Sequence[str]) -> Upload:
        """Uploaded files as the folder they come from, each under its own name: what is kept in
        several files is read from there.

        UnreadableFile if one is gone, or if two have the same name. ValueError for a file that lies
        where the user keeps it: it is never moved.
        """
        parts = [self.get(token) for token in tokens]
        token = secrets.token_urlsafe(24)
        folder = self._place() / token
        if any(part.path.parent != folder.parent for part in parts):
            raise ValueError("only what was uploaded is put together")
        # Windows and macOS take A.csv and a.csv for one file
        same = str if sys.platform.startswith("linux") and not atomic.WINDOWS else str.casefold
        if len({same(part.name) for part in parts}) < len(parts):
            raise UnreadableFile(
                "Two of the chosen files have the same name.",
                advice="Choose the files of one folder.",
            )
        folder.mkdir(mode=0o700)
        for number, part in enumerate(parts):
            try:
                atomic.replace(part.path, folder / part.name)
            except OSError as error:
                for moved in parts[:number]:
                    with contextlib.suppress(OSError):
                        atomic.replace(folder / moved.name, moved.path)
                raise unreadable(Path(part.name), error) from None
        for part in parts:
            self.forget(part.token, counted=True)
        largest = max(parts, key=lambda part: part.size)
        return self._keep(
            Upload(
                token,
                some([largest.name, *(part.name for part in parts if part is not largest)], 1),
                folder,
                sum(part.size for part in parts),
                parts[0].browser,
            )
        )

    def get(self, token: str) -> Upload:
        """The file behind a token; UnreadableFile if it is gone."""
        upload = self._uploads.get(token)
        if upload is None:
            raise UnreadableFile("The chosen file is no longer there.", advice="Choose it again.")
        self._used[token] = self._clock()
        return upload

    def forget(self, token: str, *, counted: bool = False) -> None:
        """Delete an uploaded file or folder (an adopted one stays where it is). counted : its bytes
        are kept in another one
        """
        with self._lock:
            upload = self._uploads.pop(token, None)
            self._used.pop(token, None)
            if upload and self._was_sent(upload) and not counted:
                self._sizes[upload.browser] -= upload.size
        # what was put together lies elsewhere by now
        if upload and self._was_sent(upload) and not counted:
            self._delete(upload.path)

    def _delete(self, path: Path) -> None:
        """Delete a file or folder; what Windows keeps because it is being read, at the next
        :meth:`expire`, and with the whole folder in the end.
        """
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        if os.path.lexists(path):
            with self._lock:
                self._undeleted.append(path)

    def close(self) -> None:
        """Delete everything that was uploaded."""
        with self._lock:
            self._uploads.clear()
            self._used.clear()
            self._sizes.clear()
            self._undeleted.clear()
            self._folder = None
            if self._held is not None:
                self._held.close()
                self._held = None

    def _place(self) -> Path:
        with self._lock:
            if self._folder is None:
                self._held = self._held or TemporaryFolder()
                self._folder = self._held.path / "uploads"
                self._folder.mkdir(mode=0o700)
            return self._folder

    def _keep(self, upload: Upload) -> Upload:
        with self._lock:
            self._uploads[upload.token] = upload
            self._used[upload.token] = self._clock()
        return upload
