"""Transfer: sessions out of the program and into it; what can be had of a damaged one; another
folder when the usual one cannot be written.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gui import atomic
from gui.errors import DeconomixError, SessionError, SessionLocked, SessionNotSaved, WrongPassword
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.cache import DCXCache
from gui.sessions.crypto import SessionKey
from gui.sessions.lazy import materialise, need_room
from gui.sessions.parsing import identity
from gui.sessions.protection import Protection
from gui.sessions.rules import SINGLE_ID, new_id
from gui.sessions.snapshot import Snapshot
from gui.sessions.store import PROTECTED, Entry

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Imported:
    """What an import did.

    "new": copied in; "known": the session is here already, as in the file; "differs": it is here,
    but another version of it, and nothing was done; "copy": copied in as a session of its own.
    """

    session_id: str
    name: str
    outcome: Literal["new", "known", "differs", "copy"]


@dataclass(frozen=True, eq=False)
class Exported:
    """A session as a file. name : proposed for it; names : columns name, pseudonym, role where
    sample names were replaced, to be kept apart
    """

    name: str
    data: bytes
    names: pd.DataFrame | None = None


class Transfer(Protection):
    _most: int | None = None
    """So many sessions may there be, without archived ones; None: any number."""

    def _refuse_if_full(self) -> None:
        """SessionError if there are as many sessions as may be.

        What is already there is never refused, nor what saves it from being lost.
        """
        if self._most is not None and len(self._active) >= self._most:
            raise SessionError(
                f"There are {self._most} sessions, as many as may be.",
                advice="Archive or delete one first.",
            )

    # -- out
    # ----------------------------------------------------------------------------------------------
    def export_session(
        self,
        session_id: str,
        *,
        actor: Actor,
        cells: bool = True,
        pseudonyms: bool = False,
        password: str | None = None,
        unprotected: bool = False,
    ) -> Exported:
        """The session as a ``.dcxsession`` file, also one that cannot be saved; an archived, locked
        or damaged one as it lies on disk.

        cells : False leaves the single-cell data out; pseudonyms : sample names are replaced;
        password : seals the file with this one unprotected : write a protected session in clear
        Raises SessionLocked (anything but the file as it is, of a session that is locked),
        InvalidParameter (password), SessionError.
        """
        # where there is one session only it can be given away like any other
        one = session_id == self.default_id and self._default.holds_data
        entry = (
            self._entry(session_id)
            if one
            else self._changeable(session_id, actor=actor, archived=True)
        )
        if self._store is not None and (entry.session_key is not None or not entry.encrypted):
            # it can be exported even where it cannot be saved
            with contextlib.suppress(DeconomixError):
                self._save(entry)
        changed = (
            not cells or pseudonyms or password is not None or (unprotected and entry.encrypted)
        )
        if changed:
            self._allowed(entry, actor)
        name = self._info(entry, actor, archived=False).name
        if not changed:
            return Exported(f"{name}{file.SUFFIX}", self._as_it_is(entry))
        from gui.sessions import exchange

        snapshot, names = entry.session.snapshot(), None
        if not cells:
            snapshot = exchange.without_cells(snapshot)
        if pseudonyms:
            snapshot, names = exchange.pseudonymised(snapshot)
        if password is not None:
            session_key: SessionKey | None = SessionKey.new(password, hide_name=entry.hidden)
        else:
            session_key = None if unprotected or not entry.encrypted else self._session_key(entry)
        # another content is another session: imported beside the original it is no other version of
        # it
        if not cells or pseudonyms:
            snapshot = replace(snapshot, session_id=new_id(), jobs=())
        return Exported(
            f"{snapshot.name}{file.SUFFIX}",
            file.to_bytes(snapshot, session_key=session_key, generation=entry.generation),
            names,
        )

    def _as_it_is(self, entry: Entry) -> bytes:
        with entry.lock:
            if entry.path is not None and not entry.dirty:
                try:
                    with atomic.reading(entry.path) as there:
                        need_room(
                            os.fstat(there.fileno()).st_size, "The file of this session needs"
                        )
                        return there.read()
                except OSError:
                    if not entry.session.loaded or (entry.encrypted and entry.session_key is None):
                        raise SessionError(
                            "The file of the session cannot be read.",
                            advice="Check the folder of the sessions.",
                        ) from None
            if entry.encrypted and entry.session_key is None:
                raise SessionLocked("This session is locked and has no file.")
            return file.to_bytes(
                entry.session.snapshot(), session_key=entry.session_key, generation=entry.generation
            )

    def redirect_session(self, session_id: str, folder: Path, *, actor: Actor) -> Path:
        """Keep this session's file in another folder from now on, and save it there at once; the
        path.

        SessionNotSaved, SessionConflict: as before.
        """
        entry = self._allowed(self._changeable(session_id, actor=actor), actor)
        if self._store is None or not folder.is_absolute() or not folder.is_dir():
            raise SessionNotSaved("There is no such folder.", advice="Choose another one.")
        entry.session.load()
        with self._still_active(session_id, entry):
            before = entry.path, entry.generation, entry.backed_up
            entry.path, entry.generation, entry.backed_up = (
                folder / file.file_name(session_id),
                None,
                True,
            )
            try:
                self._write_entry(entry)
            except BaseException:
                entry.path, entry.generation, entry.backed_up = before
                raise
            self._saver.forget(session_id)
            return entry.path

    # -- in
    # ----------------------------------------------------------------------------------------------
    def import_session(
        self, path: Path, *, actor: Actor, as_copy: bool = False, password: str | None = None
    ) -> Imported:
        """Copy a session file in; the original is never changed.

        DamagedSession, NewerSession, WrongPassword: nothing happened.

        as_copy : as a session of its own, even if this one is here already; a protected one needs
        its password then
        """
        header = file.read_header(path)
        while True:
            with self._arrived:  # two imports of one session at once: the second one finds it here
                self._arrived.wait_for(lambda: header.id not in self._arriving)
                here = None if as_copy else self._find(header.id)
                if here is None:
                    self._arriving.add(header.id)
            if here is None:
                break
            with contextlib.suppress(DeconomixError):
                self._save(here)
            same = (
                not here.dirty
                and here.generation == header.generation
                and here.problem is None
                and here.session.modified == header.modified
            )
            with self._lock:
                archived = self._archived.get(header.id) is here
                gone = not archived and self._active.get(header.id) is not here
            if gone:  # deleted at this moment
                continue
            if same and archived:
                self._refuse_if_full()
                self._bring_back(
                    header.id,
                    here,
                    lambda name: self.free_name(name, actor=actor, but=header.id),
                    self._refuse_if_full,
                )
            return Imported(
                header.id,
                self._info(here, actor, archived=False).name,
                "known" if same else "differs",
            )
        try:
            return self._import(path, header, actor=actor, as_copy=as_copy, password=password)
        finally:
            with self._arrived:
                self._arriving.discard(header.id)
                self._arrived.notify_all()

    def _import(
        self, path: Path, header: file.Header, *, actor: Actor, as_copy: bool, password: str | None
    ) -> Imported:
        """A session that is not here, or a copy of one."""
        self._refuse_if_full()
        fresh = as_copy or self._is_taken(header.id)
        session_key = None
        if header.encrypted and (fresh or self._store is None):
            session_key = self._unlocked(header, password, actor)
        sealed = header.encrypted and session_key is None  # it is copied in sealed
        found = identity(path)
        if not sealed:
            self._parser.check(path, session_key, whole=True)
        if (
            self._store is not None
            and not fresh
            and (
                sealed
                or header.name is None
                or self.free_name(header.name, actor=actor) == header.name
            )
        ):
            if (entry := self._copy_in(path, header, actor)) is not None:
                # a copy of just what was parsed
                if not sealed and entry.path is not None and identity(path) == found:
                    entry.accepted = identity(entry.path)
                return Imported(header.id, self._info(entry, actor, archived=False).name, "new")
            # it came in some other way meanwhile, or its name was given away
            fresh = self._is_taken(header.id)
        if sealed:
            session_key = self._unlocked(header, password, actor)
            self._parser.check(path, session_key, whole=True)
        snapshot = file.load(path, session_key=session_key)
        taken = replace(snapshot, session_id=new_id() if fresh else snapshot.session_id)
        session = self._take_in(
            taken, snapshot.name, actor, session_key=session_key, check=self._refuse_if_full
        )
        return Imported(
            session.session_id, session.name, "new" if session.session_id == header.id else "copy"
        )

    def _is_taken(self, session_id: str) -> bool:
        """Whether a session of this id cannot come in as itself.

        A file of its name that no session here has is one whose header cannot be read: it stays,
        for what may be recovered of it.
        """
        with self._lock:
            if (
                session_id in (self.default_id, SINGLE_ID)
                or session_id in self._trash
                or self._find(session_id) is not None
            ):
                return True
        return self._store is not None and self._store.path_for(session_id).exists()

    def _unlocked(self, header: file.Header, password: str | None, actor: Actor) -> SessionKey:
        if password is None:
            raise WrongPassword(
                "This session is protected by a password.",
                advice="Type its password to import it as a copy.",
            )
        with self.attempts.attempt(header.id, actor.browser):
            return SessionKey.unlock(header, password)

    def _copy_in(self, path: Path, header: file.Header, actor: Actor) -> Entry | None:
        """Take a copy of a session file among the active ones, byte for byte; None if its id or its
        name was taken at this moment.
        """
        assert self._store is not None
        copied = self._store.copy_in(path, header.id)
        entry = Entry(self._default, copied)
        entry.known(header)
        with contextlib.ExitStack() as undo, self._lock:
            undo.callback(_remove, copied)
            shown = PROTECTED if header.name is None else self.free_name(header.name, actor=actor)
            if (
                header.id in self._trash
                or self._find(header.id) is not None
                or (shown != header.name and not header.encrypted)
            ):
                return None
            self._refuse_if_full()
            entry.session = self._lazy(header.id, shown, entry, header)
            self._active[header.id] = entry
            undo.pop_all()
        return entry

    def _take_in(
        self,
        snapshot: Snapshot,
        name: str,
        actor: Actor,
        *,
        session_key: SessionKey | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> DCXCache:
        """A snapshot as a session of its own under a free name, of a new id where its own is taken;
        ``check`` is called under the lock.

        SessionError.
        """
        materialise(snapshot)
        with self._lock:
            check()
            taken = (
                snapshot.session_id in self._trash or self._find(snapshot.session_id) is not None
            )
            found = replace(
                snapshot,
                name=self.free_name(name, actor=actor),
                session_id=new_id() if taken else snapshot.session_id,
            )
            return self._adopt(DCXCache.from_snapshot(found), session_key=session_key, actor=actor)

    # -- damaged
    # ----------------------------------------------------------------------------------------------
    def salvage_session(self, session_id: str, *, actor: Actor) -> DCXCache:
        """What can still be read of a damaged session, as a session of its own; its notes say what
        was lost.

        DamagedSession: nothing can.
        """
        entry = self._allowed(self._changeable(session_id, actor=actor, archived=True), actor)
        if entry.path is None or (entry.problem or entry.damage) is None:
            raise SessionError("This session is not damaged.", advice="Open it.")
        found = self._parser.salvage(entry.path, entry.session_key)
        lost = (
            "\n".join(
                ["Recovered from a damaged file. Lost:", *[f"- {what}" for what in found.lost]]
            )
            if found.lost
            else "Recovered from a damaged file."
        )
        content = replace(
            found.snapshot,
            session_id=new_id(),
            notes=f"{found.snapshot.notes}\n\n{lost}".strip(),
            jobs=(),
        )
        with entry.lock:
            session_key = entry.session_key.copy() if entry.session_key is not None else None
        if entry.encrypted and session_key is None:
            raise SessionLocked("The session was locked in the meantime.")
        return self._take_in(content, f"{content.name} (recovered)", actor, session_key=session_key)

    def restore_backup(self, session_id: str, *, actor: Actor) -> str:
        """The last backup in the place of a damaged session's file (which is kept beside it); its
        id.

        SessionError, DamagedSession.
        """
        asked = self._changeable(session_id, actor=actor, archived=True)
        backup = self._store.backup_of(asked.path) if self._store is not None else None
        found = identity(backup) if backup is not None else None
        if (
            backup is not None
            and (asked.problem or asked.damage) is not None
            and not file.read_header(backup).encrypted
        ):
            # it must be whole before it takes the place
            self._parser.check(backup, None, whole=True)
        with self._held(session_id, (self._active, self._archived)) as (entry, place):
            if self._store is None or entry.path is None or (entry.problem or entry.damage) is None:
                raise SessionError("This session is not damaged.", advice="Open it.")
            if backup is not None and identity(backup) != found:
                raise SessionError("The backup was replaced at this moment.", advice="Try again.")
            header = file.read_header(backup) if backup is not None else None
            if header is not None:
                self._refuse_twin(header.id, entry)
            self._store.restore_backup(entry.path)
            header = file.read_header(entry.path)
            with self._lock:
                self._refuse_twin(header.id, entry)
                del place[session_id]
                entry.session.close()
                entry.problem = entry.damage = entry.origin = None
                entry.known(header)
                name = (
                    PROTECTED
                    if header.name is None
                    else self.free_name(header.name, actor=actor, but=header.id)
                )
                entry.session = self._lazy(header.id, name, entry, header)
                place[header.id] = entry
            return header.id

    def _refuse_twin(self, session_id: str, entry: Entry) -> None:
        """SessionError if another session of this id is in the list."""
        with self._lock:
            other = self._find(session_id)
        if other is not None and other is not entry:
            raise SessionError(
                f"The backup is of “{other.session.name}”, which is in the list.",
                advice="Open that one.",
            )


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
