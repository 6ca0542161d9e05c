"""Hooks: what the program that owns the sessions tells them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass

from gui.logs import get_logger
from gui.sessions.cache import DCXCache

log = get_logger(__name__)


def _ignore(session: DCXCache) -> None:
    pass


@dataclass
class Hooks:
    """Functions that the program sets after it made the manager.

    Attributes
    ----------
    busy : ids of the sessions that have a job queued or running.
    before_lock : called, under no lock, with a protected session before its content is evicted.
    admission : entered around reading a session's content, which may take long; what it raises
        ends the call.
    """

    busy: Callable[[], Collection[str]] = tuple
    before_lock: Callable[[DCXCache], None] = _ignore
    admission: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext

    def call_before_lock(self, session: DCXCache) -> None:
        """Call ``before_lock``; whatever fails there, the session is locked all the same.

        Under no lock: it may wait for a result that is just being delivered into this session.
        """
        try:
            self.before_lock(session)
        except Exception:
            log.exception(
                "not everything of a session that is being locked could be cleared: id %s",
                session.session_id,
            )
