"""The ``.dcxsession`` file: read, write, migrate.

One ZIP: header in clear, manifest, objects; no pickle, nothing extracted to disk.

Layout, in this order: ``mimetype``; ``header.json`` (clear, :mod:`gui.sessions.header`); ``o/<32
hex>`` objects (:mod:`gui.sessions.objects`); ``manifest``: canonical JSON of the header again, of
every object's length, codec and SHA-256, and of the session's tree (:mod:`gui.sessions.content`).
All but the first two are compressed with zstd, and sealed if the session is protected.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gui import atomic, jsonscan
from gui.errors import DamagedSession, SessionConflict, SessionError, SessionNotSaved, WrongPassword
from gui.sessions import container, header, lazy, objects
from gui.sessions.codec import check_brackets, damaged
from gui.sessions.content import from_tree, to_tree
from gui.sessions.cost import needed
from gui.sessions.crypto import SessionKey
from gui.sessions.decode import EXPECTED
from gui.sessions.header import Header, canonical
from gui.sessions.identity import Identity, identity_of_open
from gui.sessions.lazy import Origin, reading
from gui.sessions.migrations import rename_plugin_kinds
from gui.sessions.snapshot import Snapshot

__all__ = [
    "SUFFIX",
    "Header",
    "Origin",
    "check_present",
    "file_name",
    "keep_backup",
    "load",
    "read_header",
    "remove_backups",
    "save",
    "sweep",
]

SUFFIX = ".dcxsession"
MAX_TOTAL = 64 * 2**30
"""Bytes of all buffers of a session in memory."""
MIGRATIONS: dict[tuple[int, int], tuple[tuple[int, int], Callable[[Any], Any]]] = {
    (1, 0): ((1, 1), lambda tree: tree),
    (1, 1): ((1, 2), lambda tree: tree),
    (1, 2): ((1, 3), rename_plugin_kinds),
}
"""Schema -> the next one and a function from its tree to the next one's.

A schema that only added fields with defaults changes nothing.
"""

sweep = atomic.sweep


def file_name(session_id: str) -> str:
    """The session's file name, with suffix.

    ``#`` and all else that some file system refuses becomes ``-``.
    """
    return re.sub(r"[^0-9A-Za-z_-]", "-", session_id)[:100] + SUFFIX


def read_header(path: Path) -> Header:
    """Only the header: quick, whatever the session holds.

    DamagedSession, NewerSession. That the rest is whole only :func:`load` tells.
    """
    with reading(path) as file:
        found = header.parse(container.first_members(file))
        container.check_end(file)
        return found


def load(
    path: Path,
    *,
    session_key: SessionKey | None = None,
    origin: Origin | None = None,
    expected: Identity | None = None,
) -> Snapshot:
    """Read a session; every byte of it is checked.

    Parameters
    ----------
    origin : then the values of large matrices are read and checked when they are first used, from
        where this says that the file is at that time.
    expected : identity of the file that was parsed before, so that no other one is read.

    Raises
    ------
    DamagedSession, NewerSession
    WrongPassword
        It is protected, and there is no key, or the key of another session.
    SessionConflict
        The file is not the expected one.
    SessionError
        There is too little memory.
    """
    with reading(path) as file:
        if expected is not None and identity_of_open(file) != expected:
            raise SessionConflict(
                "The file of this session was changed while it was being read.", advice="Try again."
            )
        found = _open(file, session_key)
        tree = migrated(found.tree, found.header.schema)
        size = needed(tree)
        if size > MAX_TOTAL:
            raise DamagedSession("This session says that it holds more than any session does.")
        lazy.need_room(
            size if origin is None else needed(tree, but=lazy.is_large), "This session needs"
        )
        snapshot = from_tree(tree, found.stored, origin)
        head = found.header
        if snapshot.session_id != head.id or head.name not in (None, snapshot.name):
            raise damaged()
        return snapshot


def save(
    path: Path,
    snapshot: Snapshot,
    *,
    expected_generation: int | None,
    session_key: SessionKey | None = None,
    generation: int | None = None,
    status: str = "active",
    origin: Origin | None = None,
) -> Header:
    """Write a session in place of what ``path`` is now, all or nothing; return its header.

    Objects that the present file holds already are copied, not compressed again; so are matrices
    that were not read yet.

    Parameters
    ----------
    expected_generation : of the file as last read or written; None: there must be no file yet.
    session_key : protects the session.
    generation : of a first save (a copy may keep that of its original); None: 1.
    status : "active" or "archived".
    origin : of this very file: large matrices in memory are known to be there from now on, and the
        next save copies them.

    Raises
    ------
    SessionConflict
        The file is another one, or there, or not there: nothing was overwritten.
    SessionNotSaved
        The disk is full, there is no right to write, a result cannot be stored: the file is as it
        was.
    """
    collector = objects.ObjectCollector(session_key)
    copier = lazy.MatrixCopier(collector, session_key)
    with _saving():
        tree = to_tree(snapshot, collector, copier)
    if len(collector.objects) + 3 > container.MAX_MEMBERS:
        raise SessionNotSaved(
            "This session holds more runs than a session file can.",
            advice="Remove runs you do not need any more.",
        )
    with _saving(), atomic.locked(path):
        present = _compare(path, snapshot.session_id, expected_generation)
        number = (generation or 1) if present is None else present.generation + 1
        head = header.header_of(snapshot, number, status, session_key)
        # no clear copy of what is sealed now
        if (
            present is not None
            and present.schema < header.SCHEMA
            and (present.encrypted or session_key is None)
        ):
            major, minor = present.schema
            before = path.with_name(f"{path.name}.{major}.{minor}.bak")
            if not before.exists():
                atomic.copy(path, before)
        # they are closed before the old one is replaced
        with atomic.replacing(path) as file, contextlib.ExitStack() as open_files:
            paths = [path] if present is not None else []
            paths += [o.path for o in copier.origins if o.path != path]
            old = [
                found
                for p in paths
                if (found := open_files.enter_context(_old(p, session_key))) is not None
            ]
            listed = _write(file, head, tree, collector, old, session_key)
        if origin is not None:
            copier.settle(origin, listed)
        return head


def to_bytes(
    snapshot: Snapshot, *, session_key: SessionKey | None = None, generation: int | None = None
) -> bytes:
    """The file as bytes, nothing on disk: for an export. generation : of the original, 1 if None.

    SessionNotSaved.
    """
    collector = objects.ObjectCollector(session_key)
    copier = lazy.MatrixCopier(collector, session_key)
    with _saving(), io.BytesIO() as file, contextlib.ExitStack() as open_files:
        tree = to_tree(snapshot, collector, copier)
        old = [
            found
            for o in copier.origins
            if (found := open_files.enter_context(_old(o.path, session_key))) is not None
        ]
        _write(
            file,
            header.header_of(snapshot, generation or 1, "active", session_key),
            tree,
            collector,
            old,
            session_key,
        )
        return file.getvalue()


def _write(
    file: IO[bytes],
    head: Header,
    tree: Any,
    collector: objects.ObjectCollector,
    old: list[objects.StoredObjects],
    session_key: SessionKey | None,
) -> dict[str, objects.Info]:
    packed = head.packed()
    if len(packed) > container.MAX_HEADER:
        raise SessionNotSaved("The name of this session is too long.", advice="Rename the session.")
    writer = container.Writer(file)
    writer.add("mimetype", container.MIMETYPE)
    writer.add("header.json", packed)
    listed: dict[str, objects.Info] = {}

    def copied(name: str, part: objects.Part) -> objects.Packed | None:
        return next(
            (found for stored in old if (found := stored.verbatim(name, part.digest)) is not None),
            None,
        )

    for name, part, found in objects.packed_parts(collector.objects, copied, session_key):
        writer.add(name, found.data, found.crc)
        listed[name] = {
            "n": part.n,
            "codec": objects.codec(session_key),
            "sha256": part.digest,
            "stored": found.stored,
        }
    manifest = canonical({"header": head.plain(), "objects": listed, "session": tree})
    try:
        check_brackets(manifest)
    except DamagedSession:
        manifest = b""
    if not 0 < len(manifest) <= container.MAX_MANIFEST:
        raise SessionNotSaved(
            "This session holds more single values than a session file can.",
            advice="Remove runs you do not need any more.",
        )
    writer.add("manifest", objects.pack("manifest", manifest, session_key))
    writer.close()
    return listed


@dataclass(frozen=True)
class _Opened:
    header: Header
    tree: Any
    stored: objects.StoredObjects


def _open(file: IO[bytes], session_key: SessionKey | None) -> _Opened:
    """Header, manifest and objects of an open file, checked against each other.

    The buffers are not read yet.
    """
    raw = container.first_members(file)
    head = header.parse(raw)
    reader = container.Reader(file)
    if not head.encrypted:
        session_key = None
    elif session_key is None:
        raise WrongPassword("This session is protected by a password.")
    elif not session_key.fits(head.lock):
        raise WrongPassword("This session was protected again since it was unlocked.")
    try:
        found = manifest_of(reader, session_key)
        if type(found) is not dict or set(found) != {"header", "objects", "session"}:
            raise damaged()
        if container._CHECKED and found["header"] != json.loads(raw):
            raise DamagedSession("The header of this session was changed.")
        return _Opened(
            head, found["session"], objects.StoredObjects.of(reader, found["objects"], session_key)
        )
    except EXPECTED:
        raise damaged() from None


def manifest_of(reader: container.Reader, session_key: SessionKey | None) -> Any:
    """The manifest, parsed once it is known what that takes.

    DamagedSession, SessionError (too little memory), or one of EXPECTED.
    """
    raw = objects.unpack(
        "manifest",
        reader.read("manifest", container.MAX_MANIFEST),
        session_key,
        length=None,
        limit=container.MAX_MANIFEST,
    )
    check_brackets(raw)
    lazy.need_room(jsonscan.memory(raw), "This session needs")
    return json.loads(raw.decode("ascii"))


def migrated(tree: Any, schema: tuple[int, int]) -> Any:
    """The tree as the present schema has it."""
    while schema < header.SCHEMA and schema in MIGRATIONS:
        schema, step = MIGRATIONS[schema]
        try:
            tree = step(tree)
        except EXPECTED:
            raise damaged() from None
    return tree


def _compare(path: Path, session_id: str, expected: int | None) -> Header | None:
    """The header of the present file, if it is the expected one; None if none is expected.

    SessionConflict.
    """
    try:
        with atomic.reading(path) as file:
            present = header.parse(container.first_members(file))
    except FileNotFoundError:
        if expected is None:
            return None
        if not path.parent.is_dir():
            raise
        raise SessionConflict("The file of this session is not there any more.") from None
    except SessionError:
        raise SessionConflict(
            "The file of this session was damaged or written by a newer version of this program."
        ) from None
    if expected is None:
        raise SessionConflict("There is a session file of this name already.")
    if present.id != session_id or present.generation != expected:
        raise SessionConflict("Another program changed the file of this session.")
    return present


@contextlib.contextmanager
def _old(path: Path, session_key: SessionKey | None) -> Iterator[objects.StoredObjects | None]:
    """A file's objects if they can be copied: readable, and of the same key or of none."""
    with contextlib.ExitStack() as opened:
        found: objects.StoredObjects | None = None
        # damaged, or of another key: everything is written again
        with contextlib.suppress(SessionError, OSError):
            file = opened.enter_context(atomic.reading(path))
            stored = _open(file, session_key)
            found = stored.stored if stored.header.encrypted is (session_key is not None) else None
        yield found


def check_present(path: Path, session_id: str, generation: int) -> None:
    """Raise an error if the file is not the one that was last read or written.

    Reads the header only.

    Raises
    ------
    SessionConflict
        It is another file, or it is gone.
    SessionNotSaved
        It cannot be read.
    """
    with _saving():
        _compare(path, session_id, generation)


def keep_backup(path: Path, folder: Path) -> Path:
    """Keep the file as it is now in ``folder``, in place of an older backup; return the backup.

    An encrypted file stays encrypted. This costs nothing where a second name can be given to the
    file, which is never written in place; elsewhere the file is copied.

    SessionNotSaved: an older backup is as it was.
    """
    backup = folder / path.name
    with _saving():
        atomic.private_folder(folder)
        atomic.link(path, backup)
    return backup


def remove_backups(path: Path, folder: Path) -> int:
    """Remove the backups of a file that was protected, also those from before a migration.

    How many. SessionNotSaved.
    """
    found = [
        p
        for p in (folder / path.name, *path.parent.glob(f"{glob.escape(path.name)}.*.bak"))
        if p.exists()
    ]
    with _saving():
        for backup in found:
            atomic.remove(backup)
    return len(found)


@contextlib.contextmanager
def _saving() -> Iterator[None]:
    """Errors of the system in words."""
    try:
        yield
    except atomic.Busy:
        raise SessionNotSaved(
            "Another program is writing the file of this session and does not finish.",
            advice="Try again.",
        ) from None
    except OSError as error:
        raise SessionNotSaved(_reason(error)) from error
    except (SessionNotSaved, SessionConflict, WrongPassword):
        raise
    except SessionError as error:  # data that are still to be read from the file
        raise SessionNotSaved(
            f"The session could not be saved, because its data could not be read. {error}",
            advice=error.advice,
        ) from error
    except MemoryError:
        raise SessionNotSaved(
            "There is too little memory to save the session.", advice="Close other programs."
        ) from None


def _reason(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return "The disk is full."
    if atomic.is_in_use(error):
        return "Another program, such as a virus scanner or a backup, has the session's file open."
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "The folder of the session cannot be written to."
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "The folder of the session is not there."
    return f"The session could not be written ({error.strerror or 'error'})."
