"""SessionTable: which sessions there are, and under which lock each may be changed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator

from gui.errors import DefaultSession, SessionError, UnknownSession
from gui.sessions.cache import DCXCache
from gui.sessions.entry import Entry
from gui.sessions.rules import DEFAULT_NAME


class SessionTable:
    """The active, archived and deleted sessions of one manager.

    Locks are taken in this order: an entry's, then the table's, then a session's, then the saver's;
    never those of two entries. Under the table's lock there are only look-ups and names: nothing
    is read, written or loaded. A session changes its list (active, archived, deleted) under its
    entry's lock, and in one step under the table's: nobody ever finds it in none or in two.

    Parameters
    ----------
    default : the session where one lands.
    max_active : so many sessions there may be, archived ones not counted; None: any number.
    """

    def __init__(self, default: DCXCache, *, max_active: int | None = None) -> None:
        self.lock = threading.RLock()
        self.default = default
        self.max_active = max_active
        self.active: dict[str, Entry] = {}
        self.archived: dict[str, Entry] = {}
        self.trash: dict[str, tuple[Entry, threading.Timer]] = {}
        self.reserved: list[tuple[str, str]] = []
        """Names that sessions are about to get, with the session's id: no other one gets them."""
        self.arriving: set[str] = set()
        """Ids of sessions that are being imported; ``arrived`` is notified when that ends."""
        self.arrived = threading.Condition(self.lock)

    @property
    def default_id(self) -> str:
        """Id of the session where one lands."""
        return self.default.session_id

    # -- look-ups
    # ----------------------------------------------------------------------------------------------
    def entry(self, session_id: str | None) -> Entry:
        """The entry of an active session; UnknownSession."""
        with self.lock:
            entry = self.active.get(session_id or "")
        if entry is None:
            raise UnknownSession("This session does not exist any more.")
        return entry

    def find(self, session_id: str) -> Entry | None:
        """The entry of an active or archived session, or None."""
        with self.lock:
            return self.active.get(session_id) or self.archived.get(session_id)

    def find_deleted(self, session_id: str) -> Entry | None:
        """The entry of a session in the trash, or None."""
        with self.lock:
            return self.trash.get(session_id, (None, None))[0]

    def changeable(self, session_id: str, *, archived: bool = False) -> Entry:
        """The entry of a session other than the default one; DefaultSession, UnknownSession.

        archived : look among the archived sessions too.
        """
        if session_id == self.default_id:
            raise DefaultSession(f"The session {DEFAULT_NAME} can be neither renamed nor deleted.")
        with self.lock:
            if archived and session_id in self.archived:
                return self.archived[session_id]
        return self.entry(session_id)

    def is_taken(self, session_id: str) -> bool:
        """Whether a session has this id, active, archived or deleted."""
        with self.lock:
            return session_id in self.trash or self.find(session_id) is not None

    def active_entries(self) -> list[Entry]:
        """The active sessions at this moment."""
        with self.lock:
            return list(self.active.values())

    # -- holding a session where it is
    # ----------------------------------------------------------------------------------------------
    @contextlib.contextmanager
    def locked_entry(
        self, session_id: str, lists: Collection[dict[str, Entry]]
    ) -> Iterator[tuple[Entry, dict[str, Entry]]]:
        """Hold an entry's lock; yield the entry and the list it is in.

        Raises
        ------
        UnknownSession
            The session is in none of ``lists``.
        """
        with self.lock:
            entry = next((found[session_id] for found in lists if session_id in found), None)
        if entry is not None:
            with entry.lock:  # waits for a save of it
                with self.lock:
                    source = next(
                        (found for found in lists if found.get(session_id) is entry), None
                    )
                if source is not None:
                    yield entry, source
                    return
        raise UnknownSession("This session does not exist any more.")

    @contextlib.contextmanager
    def still_active(self, session_id: str, entry: Entry) -> Iterator[None]:
        """Hold the entry's lock.

        Raises
        ------
        UnknownSession
            It was archived or deleted since it was looked up.
        """
        with self.locked_entry(session_id, (self.active,)) as (found, _):
            if found is not entry:
                raise UnknownSession("This session does not exist any more.")
            yield

    @contextlib.contextmanager
    def reserving(self, session_id: str, choose: Callable[[], str]) -> Iterator[str]:
        """Yield the name that ``choose`` finds under the lock, and keep it for this session.

        No other one gets it until the session has it.
        """
        with self.lock:
            name = choose()
            self.reserved.append((name, session_id))
        try:
            yield name
        finally:
            with self.lock:
                self.reserved.remove((name, session_id))

    def check_not_full(self) -> None:
        """Raise SessionError if there are as many sessions as may be.

        What is already there is never refused, nor what saves it from being lost.
        """
        if self.max_active is not None and len(self.active) >= self.max_active:
            raise SessionError(
                f"There are {self.max_active} sessions, as many as this program allows.",
                advice="Archive or delete one first.",
            )
