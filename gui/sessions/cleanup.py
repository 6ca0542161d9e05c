"""Which sessions a clean-up would take: pure, so that it can be shown before it is done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from gui.errors import SessionError
from gui.sessions.store import SessionInfo


def to_clean(
    sessions: Sequence[SessionInfo], now: datetime, *, max_sessions: int | None, max_age_days: float | None, spared: Collection[str] = ()
) -> list[SessionInfo]:
    """The sessions to clean, longest unused first. SessionError if neither limit is given.

    spared : ids of sessions that are open or have a running job; they count, but are never taken
    """
    if max_sessions is None and max_age_days is None:
        raise SessionError("A clean-up needs the largest number of sessions or the largest age.", advice="Set max_sessions or max_age_days.")
    waiting = sorted((s for s in sessions if not s.archived), key=lambda s: s.used)
    free = [s for s in waiting if s.session_id not in spared and s.problem is None and s.state in ("saved", "memory")]
    old = [s for s in free if max_age_days is not None and now - s.used > timedelta(days=max_age_days)]
    excess = 0 if max_sessions is None else max(0, len(waiting) - len(old) - max_sessions)
    return [*old, *[s for s in free if s not in old][:excess]]
