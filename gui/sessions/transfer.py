"""Transfer: sessions out of the program and into it; what can be had of a damaged one; another folder when the usual one cannot be written."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gui.errors import DeconomixError, SessionError, SessionLocked, SessionNotSaved, WrongPassword
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.cache import DCXCache
from gui.sessions.crypto import Seal
from gui.sessions.entries import renamed
from gui.sessions.names import new_id
from gui.sessions.parsing import identity
from gui.sessions.protection import Protection
from gui.sessions.store import ID, Entry

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Imported:
    """What an import did. "new": copied in; "known": the session is here already, as in the file; "differs": it is here, but another
    version of it, and nothing was done; "copy": copied in as a session of its own."""

    session_id: str
    name: str
    outcome: Literal["new", "known", "differs", "copy"]


@dataclass(frozen=True, eq=False)
class Exported:
    """A session as a file. name : proposed for it; names : columns name, pseudonym, role where sample names were replaced, to be kept apart"""

    name: str
    data: bytes
    names: pd.DataFrame | None = None


class Transfer(Protection):
    _most: int | None = None
    """So many sessions may there be, without archived ones; None: any number."""

    def _refuse_if_full(self) -> None:
        """SessionError if there are as many sessions as may be. What is already there is never refused, nor what saves it from being lost."""
        if self._most is not None and len(self._active) >= self._most:
            raise SessionError(f"There are {self._most} sessions, as many as may be.", advice="Archive or delete one first.")

    # -- out --------------------------------------------------------------------------------------------------------------------
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
        """The session as a ``.dcxsession`` file, also one that cannot be saved; an archived, locked or damaged one as it lies on disk.

        cells : False leaves the single-cell data out; pseudonyms : sample names are replaced; password : seals the file with this one
        unprotected : write a protected session in clear
        Raises SessionLocked (anything but the file as it is, of a session that is locked), InvalidParameter (password), SessionError.
        """
        one = session_id == self.default_id and self._default.holds_data  # where there is one session only it can be given away like any other
        entry = self._entry(session_id) if one else self._changeable(session_id, actor=actor, archived=True)
        if self._store is not None and (entry.seal is not None or not entry.encrypted):
            with contextlib.suppress(DeconomixError):  # it can be exported even where it cannot be saved
                self._save(entry)
        changed = not cells or pseudonyms or password is not None or (unprotected and entry.encrypted)
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
            seal: Seal | None = Seal.new(password, hide_name=entry.hidden)
        else:
            seal = None if unprotected or not entry.encrypted else self._seal(entry)
        if not cells or pseudonyms:  # another content is another session: imported beside the original it is no other version of it
            snapshot = replace(snapshot, session_id=new_id(), jobs=())
        return Exported(f"{snapshot.name}{file.SUFFIX}", file.to_bytes(snapshot, seal=seal, generation=entry.generation), names)

    def _as_it_is(self, entry: Entry) -> bytes:
        with entry.lock:
            if entry.path is not None and not entry.dirty:
                try:
                    return entry.path.read_bytes()
                except OSError:
                    if not entry.session.loaded or (entry.encrypted and entry.seal is None):
                        raise SessionError("The file of the session cannot be read.", advice="Check the folder of the sessions.") from None
            if entry.encrypted and entry.seal is None:
                raise SessionLocked("This session is locked and has no file.")
            return file.to_bytes(entry.session.snapshot(), seal=entry.seal, generation=entry.generation)

    def redirect_session(self, session_id: str, folder: Path, *, actor: Actor) -> Path:
        """Keep this session's file in another folder from now on, and save it there at once; the path. SessionNotSaved, SessionConflict: as before."""
        entry = self._allowed(self._changeable(session_id, actor=actor), actor)
        if self._store is None or not folder.is_absolute() or not folder.is_dir():
            raise SessionNotSaved("There is no such folder.", advice="Choose another one.")
        entry.session.load()
        with entry.lock:
            before = entry.path, entry.generation, entry.backed_up
            entry.path, entry.generation, entry.backed_up = folder / file.file_name(session_id), None, True
            try:
                self._write_entry(entry)
            except BaseException:
                entry.path, entry.generation, entry.backed_up = before
                raise
            self._saver.forget(session_id)
            return entry.path

    # -- in ---------------------------------------------------------------------------------------------------------------------
    def import_session(self, path: Path, *, actor: Actor, as_copy: bool = False, password: str | None = None) -> Imported:
        """Copy a session file in; the original is never changed. DamagedSession, NewerSession, WrongPassword: nothing happened.

        as_copy : as a session of its own, even if this one is here already; a protected one needs its password then
        """
        header = file.read_header(path)
        as_copy = as_copy or ID.fullmatch(header.id) is None
        with self._lock:
            here = self._active.get(header.id) or self._archived.get(header.id)
        if here is not None and not as_copy:
            with contextlib.suppress(DeconomixError):
                self._save(here)
            same = not here.dirty and here.generation == header.generation and here.problem is None and here.session.modified == header.modified
            if same and header.id in self._archived:
                self._restore(header.id, actor)
            return Imported(header.id, self._info(here, actor, archived=False).name, "known" if same else "differs")
        self._refuse_if_full()
        # a file of its name that no session here has is one whose header cannot be read: it stays, for what may be recovered of it
        fresh = as_copy or header.id in self._trash or (self._store is not None and self._store.path_for(header.id).exists())
        seal = None
        if header.encrypted and (fresh or self._store is None):
            if password is None:
                raise WrongPassword("This session is protected by a password.", advice="Type its password to import it as a copy.")
            with self.attempts.attempt(header.id, actor.browser):
                seal = Seal.unlock(header, password)
        sealed = header.encrypted and seal is None  # it is copied in sealed
        found = identity(path)
        if not sealed:
            self._parser.check(path, seal, whole=True)
        if self._store is not None and not fresh and (sealed or header.name is None or self.free_name(header.name, actor=actor) == header.name):
            entry = self._copy_in(path, header)
            if not sealed and entry.path is not None and identity(path) == found:  # a copy of just what was parsed
                entry.accepted = identity(entry.path)
            return Imported(header.id, self._info(entry, actor, archived=False).name, "new")
        snapshot = file.load(path, seal=seal)
        with self._lock:
            fresh = fresh or header.id in self._active
            taken = replace(snapshot, name=self.free_name(snapshot.name, actor=actor), session_id=new_id() if fresh else snapshot.session_id)
            session = self._adopt(DCXCache.from_snapshot(taken), seal=seal, actor=actor)
            return Imported(session.session_id, session.name, "copy" if fresh else "new")

    def _restore(self, session_id: str, actor: Actor) -> DCXCache:
        self._refuse_if_full()
        with self._lock:
            entry = self._archived[session_id]
        session = self._bring_back(session_id, entry, lambda name: self.free_name(name, actor=actor, but=session_id))
        with self._lock:
            self._archived.pop(session_id, None)
        return session

    # -- damaged ----------------------------------------------------------------------------------------------------------------
    def salvage_session(self, session_id: str, *, actor: Actor) -> DCXCache:
        """What can still be read of a damaged session, as a session of its own; its notes say what was lost. DamagedSession: nothing can."""
        entry = self._allowed(self._changeable(session_id, actor=actor, archived=True), actor)
        if entry.path is None or (entry.problem or entry.damage) is None:
            raise SessionError("This session is not damaged.", advice="Open it.")
        found = self._parser.salvage(entry.path, entry.seal)
        lost = "\n".join(["Recovered from a damaged file. Lost:", *[f"- {what}" for what in found.lost]]) if found.lost else "Recovered from a damaged file."
        notes = f"{found.snapshot.notes}\n\n{lost}".strip()
        with self._lock:
            name = self.free_name(f"{found.snapshot.name} (recovered)", actor=actor)
            content = replace(renamed(found.snapshot, new_id(), name), notes=notes)
            seal = entry.seal.copy() if entry.seal is not None else None
            return self._adopt(DCXCache.from_snapshot(content), seal=seal, actor=actor)

    def restore_backup(self, session_id: str, *, actor: Actor) -> str:
        """The last backup in the place of a damaged session's file (which is kept beside it); its id. SessionError, DamagedSession."""
        entry = self._changeable(session_id, actor=actor, archived=True)
        if self._store is None or entry.path is None or (entry.problem or entry.damage) is None:
            raise SessionError("This session is not damaged.", advice="Open it.")
        backup = self._store.backup_of(entry.path)
        header = file.read_header(backup) if backup is not None else None
        if header is not None and not header.encrypted:
            self._parser.check(backup, None, whole=True)  # type: ignore[arg-type]  # it must be whole before it takes the place
        with entry.lock, self._lock:
            self._store.restore_backup(entry.path)
            header = file.read_header(entry.path)
            place = self._archived if session_id in self._archived else self._active
            other = self._active.get(header.id) or self._archived.get(header.id)
            if other is not None and other is not entry:
                raise SessionError(f"The backup is of “{other.session.name}”, which is in the list.", advice="Open that one.")
            del place[session_id]
            entry.session.close()
            entry.problem = entry.damage = entry.origin = None
            entry.known(header)
            entry.session = self._lazy(header.id, header.name or "Protected session", entry, header)
            place[header.id] = entry
            return header.id
