"""SessionProtection: sessions encrypted under a password.

An unlock belongs to the browser that gave the password; when the last one goes, the key is wiped.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from gui.clock import elapsed
from gui.errors import DeconomixError, SessionError, SessionLocked
from gui.logs import get_logger
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.attempts import Attempts
from gui.sessions.crypto import SessionKey
from gui.sessions.entry import Entry
from gui.sessions.hooks import Hooks
from gui.sessions.loader import ContentLoader
from gui.sessions.names import SessionNames
from gui.sessions.store import Store
from gui.sessions.table import SessionTable
from gui.sessions.writer import SessionWriter

log = get_logger(__name__)


class SessionProtection:
    """Locks and unlocks sessions, and changes their passwords.

    Turning a password into a key takes most of a second and 256 MB: always outside of all locks.
    Every method that is given the password of a session raises ``PasswordDelay`` after wrong ones.
    """

    def __init__(
        self,
        table: SessionTable,
        names: SessionNames,
        writer: SessionWriter,
        loader: ContentLoader,
        store: Store | None,
        hooks: Hooks | None = None,
        attempts: Attempts | None = None,
    ) -> None:
        self._table, self._names = table, names
        self._writer, self._loader, self._store = writer, loader, store
        self._hooks = hooks or Hooks()
        self._attempts = attempts or Attempts()

    # -- a password for a session, and none
    # ----------------------------------------------------------------------------------------------
    def protect(
        self, session_id: str, password: str, *, hide_name: bool = False, actor: Actor
    ) -> None:
        """Encrypt the session, and unlock it for the actor; remove its unencrypted backups.

        Raises
        ------
        InvalidParameter
            The password is too short or too long.
        DefaultSession, SessionError, SessionNotSaved
            The session is as it was.
        """
        entry = self._table.changeable(session_id).require_unlocked(actor)
        if self._store is None:
            raise SessionError(
                "Sessions are kept in memory only: there is no file to protect.", advice=""
            )
        if entry.encrypted:
            raise SessionError(
                "This session is protected already.", advice="Change its password instead."
            )
        entry.session.load()
        session_key = SessionKey.new(password, hide_name=hide_name)
        with self._table.still_active(session_id, entry):
            if entry.encrypted:
                raise SessionError("This session was protected in the meantime.", advice="")
            self._writer.replace_key(entry, session_key, hidden=hide_name)
            entry.unlocked.clear()
            entry.unlock(actor)
            self._writer.remove_backups(entry)

    def change_password(
        self, session_id: str, old: str, new: str, *, hide_name: bool | None = None, actor: Actor
    ) -> None:
        """Another password for the same key: old copies of the file still open with the old one.

        WrongPassword, InvalidParameter, SessionNotSaved.
        """
        entry, present = self._check_password(session_id, old, actor)
        session_key = present.rewrapped(new)
        session_key.hide_name = entry.hidden if hide_name is None else hide_name
        with self._still_unlocked(session_id, entry, present):
            self._writer.replace_key(entry, session_key, hidden=session_key.hide_name)
            self._writer.remove_backups(entry)

    def reencrypt(self, session_id: str, old: str, new: str, *, actor: Actor) -> None:
        """A new key under a new password, and everything encrypted again: after a leak.

        WrongPassword, InvalidParameter, SessionNotSaved.
        """
        entry, present = self._check_password(session_id, old, actor)
        session_key = SessionKey.new(new, hide_name=entry.hidden)
        with self._still_unlocked(session_id, entry, present):
            self._writer.replace_key(entry, session_key, hidden=entry.hidden)
            self._writer.remove_backups(entry)

    def remove_password(self, session_id: str, password: str, *, actor: Actor) -> None:
        """The session is not protected any more. WrongPassword, SessionNotSaved."""
        entry, present = self._check_password(session_id, password, actor)
        with self._still_unlocked(session_id, entry, present):
            self._writer.replace_key(entry, None, hidden=False)
            entry.unlocked.clear()

    def _check_password(
        self, session_id: str, password: str, actor: Actor
    ) -> tuple[Entry, SessionKey]:
        """The entry of a session that is unlocked here, and its key, if the password is right."""
        entry = self._table.changeable(session_id).require_unlocked(actor)
        if not entry.encrypted:
            raise SessionError("This session is not protected by a password.", advice="")
        entry.session.load()
        present = entry.require_key()
        with self._attempts.attempt(session_id, actor.browser):
            SessionKey.unlock(present, password).wipe()
        return entry, present

    @contextlib.contextmanager
    def _still_unlocked(
        self, session_id: str, entry: Entry, session_key: SessionKey
    ) -> Iterator[None]:
        """Hold the entry's lock.

        SessionLocked if it was locked, or protected again, since the password was checked.
        """
        with self._table.still_active(session_id, entry):
            if entry.require_key() is not session_key:
                raise SessionLocked("The password of the session was changed in the meantime.")
            yield

    # -- unlock
    # ----------------------------------------------------------------------------------------------
    def unlock(self, session_id: str, password: str, *, actor: Actor) -> None:
        """Open it for this actor's browser. WrongPassword; DamagedSession; UnknownSession."""
        table = self._table
        entry = table.changeable(session_id)
        if not entry.encrypted or entry.path is None:
            return
        with table.still_active(session_id, entry):
            present = entry.session_key
            locked = present if present is not None else file.read_header(entry.path)
        with self._attempts.attempt(session_id, actor.browser):
            session_key = SessionKey.unlock(locked, password)
        with table.still_active(session_id, entry):
            if not entry.encrypted:  # the password was removed in the meantime
                session_key.wipe()
                return
            if entry.session_key is None:
                session_key.hide_name = entry.hidden
                entry.session_key = session_key
            else:
                session_key.wipe()
            entry.unlock(actor)
        try:
            entry.session.load()
        except DeconomixError:
            if entry.problem is None:  # another program protected it: this key opens nothing
                self._lock(entry)
            raise
        entry.touch()
        # while its name was hidden another session may have taken it
        with table.reserving(
            session_id,
            lambda: self._names.free_name(entry.session.name, actor=actor, but=session_id),
        ) as name:
            if name != entry.session.name:
                entry.session.name = name

    def touch(self, session_id: str, *, actor: Actor, ago: float = 0.0) -> None:
        """Note that the user of this browser did something in the session ``ago`` seconds ago."""
        with self._table.lock:
            entry = self._table.active.get(session_id)
        if entry is not None and actor.browser in entry.unlocked:
            entry.unlock(actor, ago=ago)

    # -- lock
    # ----------------------------------------------------------------------------------------------
    def lock(self, session_id: str) -> None:
        """Lock it for everybody: saved, content out of memory, key overwritten.

        SessionNotSaved: nothing changes.
        """
        entry = self._table.changeable(session_id)
        if entry.encrypted:
            self._lock(entry)

    def is_locked(self, session_id: str, *, actor: Actor) -> bool:
        """Whether the session is there and protected, and this browser has not unlocked it."""
        entry = self._table.find(session_id)
        return entry is not None and entry.locked_for(actor)

    def forget_browser(self, *, actor: Actor) -> None:
        """Take from this browser what it has unlocked, and lock what no other one has unlocked.

        Where a job computes, or a session cannot be saved yet, :meth:`lock_idle` locks it later.
        """
        entries = [
            entry
            for entry in self._table.active_entries()
            if entry.unlocked.pop(actor.browser, None) is not None
        ]
        self._lock_all([entry for entry in entries if not entry.unlocked])

    def lock_idle(self, seconds: float) -> list[str]:
        """Lock for every browser whose user did nothing for so long; return the ids locked now.

        A running job defers it. What cannot be saved stays in memory with its key until it can be,
        but nobody sees it without the password.
        """
        busy, now = set(self._hooks.busy()), elapsed()
        unused = []
        for entry in self._table.active_entries():
            if entry.session_key is None or entry.session.session_id in busy:
                continue
            with entry.lock:  # while it is being protected it has a key, and no browser yet
                for browser, then in list(entry.unlocked.items()):
                    if now - then > seconds:
                        entry.unlocked.pop(browser, None)
                if not entry.unlocked:
                    unused.append(entry)
        return self._lock_all(unused)

    def _lock_all(self, entries: Sequence[Entry]) -> list[str]:
        """Lock those in which no job computes and that can be saved; return their ids."""
        busy, locked = set(self._hooks.busy()), []
        for entry in entries:
            if entry.session.session_id in busy:
                continue
            try:
                self._lock(entry)
                locked.append(entry.session.session_id)
            except Exception as error:  # noqa: BLE001 - it cannot be saved: nothing of it is lost, and the others are locked all the same
                why = error if isinstance(error, DeconomixError) else type(error).__name__
                log.warning("a protected session that nobody uses could not be locked: %s", why)
        return locked

    def _lock(self, entry: Entry) -> None:
        with entry.lock:
            if entry.session_key is None:
                entry.unlocked.clear()
                return
            self._writer.save(entry)  # first: what cannot be saved stays unlocked, nothing is lost
        self._hooks.call_before_lock(entry.session)
        with entry.lock:
            self._writer.save(entry)
            self._loader.evict_locked(entry)
        log.info("session locked: id %s", entry.session.session_id)
