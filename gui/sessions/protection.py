"""Protection: sessions sealed with a password.

An unlock belongs to the browser that gave the password; the last one to go wipes the key.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from gui.clock import elapsed
from gui.errors import DeconomixError, SessionError, SessionLocked
from gui.logs import get_logger
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.crypto import SessionKey
from gui.sessions.names import Names
from gui.sessions.store import Entry

log = get_logger(__name__)


class Protection(Names):
    """Turning a password into a key takes most of a second and 256 MB: always outside of all locks
    of the manager.

    ``PasswordDelay`` is raised by every method that is given the password of a session, after wrong
    ones.
    """

    def protect_session(
        self, session_id: str, password: str, *, hide_name: bool = False, actor: Actor
    ) -> None:
        """Encrypt the session, and unlock it for the caller.

        InvalidParameter (too short), DefaultSession, SessionNotSaved: then it is as it was.

        The backups of its file, which are not sealed, are removed.
        """
        entry = self._allowed(self._changeable(session_id, actor=actor), actor)
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
        with self._still_active(session_id, entry):
            if entry.encrypted:
                raise SessionError("This session was protected in the meantime.", advice="")
            self._replaced(entry, session_key, hidden=hide_name)
            entry.unlocked.clear()
            entry.unlock(actor)
            self._without_backups(entry)

    def unlock_session(self, session_id: str, password: str, *, actor: Actor) -> None:
        """Open it for this actor's browser. WrongPassword; DamagedSession; UnknownSession."""
        entry = self._changeable(session_id, actor=actor)
        if not entry.encrypted or entry.path is None:
            return
        with self._still_active(session_id, entry):
            held = entry.session_key
            of = held if held is not None else file.read_header(entry.path)
        with self.attempts.attempt(session_id, actor.browser):
            session_key = SessionKey.unlock(of, password)
        with self._still_active(session_id, entry):
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
            if entry.problem is None:  # another program protected it anew: this key opens nothing
                self._lock_entry(entry)
            raise
        entry.touch()
        with self._reserving(
            session_id, lambda: self.free_name(entry.session.name, actor=actor, but=session_id)
        ) as name:
            if name != entry.session.name:  # while it was hidden another session may have taken it
                entry.session.name = name

    def lock_session(self, session_id: str, *, actor: Actor) -> None:
        """For everybody: saved, content out of memory, key overwritten.

        SessionNotSaved: then nothing changes.
        """
        entry = self._changeable(session_id, actor=actor)
        if entry.encrypted:
            self._lock_entry(entry)

    def is_locked(self, session_id: str, *, actor: Actor) -> bool:
        """Whether the session is there, and protected, and this browser has not unlocked it."""
        with self._lock:
            entry = self._active.get(session_id) or self._archived.get(session_id)
        return entry is not None and entry.locked_for(actor)

    def touch(self, session_id: str, *, actor: Actor, ago: float = 0.0) -> None:
        """The user of this browser did something in the session, so many seconds ago: the idle time
        begins anew with that.
        """
        with self._lock:
            entry = self._active.get(session_id)
        if entry is not None and actor.browser in entry.unlocked:
            entry.unlock(actor, ago=ago)

    def forget_browser(self, *, actor: Actor) -> None:
        """What this browser has unlocked it has no more; what no other one has either is locked
        (where a job computes, or it cannot be saved yet, by :meth:`lock_idle` later).
        """
        with self._lock:
            entries = [
                entry
                for entry in self._active.values()
                if entry.unlocked.pop(actor.browser, None) is not None
            ]
        self._lock_all([entry for entry in entries if not entry.unlocked])

    def lock_idle(self, seconds: float, *, actor: Actor) -> list[str]:
        """Lock for every browser whose user did nothing for so long; returns the sessions that are
        locked now.

        A running job defers it.

        What cannot be saved stays in memory with its key, until it can be, but nobody sees it
        without the password.
        """
        busy, now = set(self.busy()), elapsed()
        with self._lock:
            entries = [
                e
                for e in self._active.values()
                if e.session_key is not None and e.session.session_id not in busy
            ]
        left = []
        for entry in entries:
            with entry.lock:  # while it is being protected it has a key, and no browser yet
                for browser in [
                    browser
                    for browser, then in list(entry.unlocked.items())
                    if now - then > seconds
                ]:
                    entry.unlocked.pop(browser, None)
                if not entry.unlocked:
                    left.append(entry)
        return self._lock_all(left)

    def _lock_all(self, entries: Sequence[Entry]) -> list[str]:
        """Lock what can be locked now: no job computes in it, and it can be saved.

        The ids of what is.
        """
        busy, locked = set(self.busy()), []
        for entry in entries:
            if entry.session.session_id in busy:
                continue
            try:
                self._lock_entry(entry)
                locked.append(entry.session.session_id)
            except Exception as error:  # noqa: BLE001 - it cannot be saved: nothing of it is lost, and the others are locked all the same
                why = error if isinstance(error, DeconomixError) else type(error).__name__
                log.warning("a protected session that nobody uses could not be locked: %s", why)
        return locked

    def change_password(
        self, session_id: str, old: str, new: str, *, hide_name: bool | None = None, actor: Actor
    ) -> None:
        """Another password for the same key: old copies of the file still open with the old one.

        WrongPassword, InvalidParameter, SessionNotSaved.
        """
        entry, held = self._with_password(session_id, old, actor)
        session_key = held.rewrapped(new)
        session_key.hide_name = entry.hidden if hide_name is None else hide_name
        with self._still_sealed(session_id, entry, held):
            self._replaced(entry, session_key, hidden=session_key.hide_name)
            self._without_backups(entry)

    def reencrypt_session(self, session_id: str, old: str, new: str, *, actor: Actor) -> None:
        """A new key under a new password, everything sealed anew: after a leak.

        WrongPassword, InvalidParameter, SessionNotSaved.
        """
        entry, held = self._with_password(session_id, old, actor)
        session_key = SessionKey.new(new, hide_name=entry.hidden)
        with self._still_sealed(session_id, entry, held):
            self._replaced(entry, session_key, hidden=entry.hidden)
            self._without_backups(entry)

    def remove_password(self, session_id: str, password: str, *, actor: Actor) -> None:
        """The session is not protected any more. WrongPassword, SessionNotSaved."""
        entry, held = self._with_password(session_id, password, actor)
        with self._still_sealed(session_id, entry, held):
            self._replaced(entry, None, hidden=False)
            entry.unlocked.clear()

    # -- inside
    # ----------------------------------------------------------------------------------------------
    def _with_password(
        self, session_id: str, password: str, actor: Actor
    ) -> tuple[Entry, SessionKey]:
        """The entry of a session that is unlocked here, and its key, if the password is the right
        one.
        """
        entry = self._allowed(self._changeable(session_id, actor=actor), actor)
        if not entry.encrypted:
            raise SessionError("This session is not protected by a password.", advice="")
        entry.session.load()
        held = self._session_key(entry)
        with self.attempts.attempt(session_id, actor.browser):
            SessionKey.unlock(held, password).wipe()
        return entry, held

    @contextlib.contextmanager
    def _still_sealed(
        self, session_id: str, entry: Entry, session_key: SessionKey
    ) -> Iterator[None]:
        """Hold the entry's lock.

        SessionLocked if it was locked, or protected anew, since the password was looked at.
        """
        with self._still_active(session_id, entry):
            if self._session_key(entry) is not session_key:
                raise SessionLocked("The password of the session was changed in the meantime.")
            yield

    @staticmethod
    def _session_key(entry: Entry) -> SessionKey:
        if entry.session_key is None:
            raise SessionLocked("The session was locked in the meantime.")
        return entry.session_key

    def _lock_entry(self, entry: Entry) -> None:
        with entry.lock:
            if entry.session_key is None:
                entry.unlocked.clear()
                return
            self._save(entry)  # first: what cannot be saved stays unlocked, and nothing is lost
        self._call_before_lock(entry)
        with entry.lock:
            self._save(entry)
            self._let_go(entry)
        log.info("session locked: id %s", entry.session.session_id)

    def _without_backups(self, entry: Entry) -> None:
        """SessionError: it is sealed, but a copy of before is left."""
        if self._store is not None and entry.path is not None:
            try:
                self._store.forget_backups(entry.path)
            except (SessionError, OSError):
                where = self._store.backups / entry.path.name
                raise SessionError(
                    "The session is sealed now, but a backup from before could not be removed.",
                    advice=f"Delete {where} yourself.",
                ) from None
            entry.backed_up = False
