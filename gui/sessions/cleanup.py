"""Which sessions a clean-up would take, and the sentence that says it.

Pure functions, so that a clean-up can be shown before it is done.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from gui.errors import SessionError
from gui.sessions.store import SessionInfo

Action = Literal["archive", "delete"]
NOTHING_TO_LOSE = ("saved", "memory")
"""States in which nothing would be lost: all is in the file, or there are no files."""


def to_clean(
    sessions: Sequence[SessionInfo],
    now: datetime,
    *,
    max_sessions: int | None,
    max_age_days: float | None,
    spared: Collection[str] = (),
) -> list[SessionInfo]:
    """The sessions to clean, longest unused first.

    SessionError if neither limit is given.

    Archived sessions and the default one neither count nor are taken; damaged ones and those not
    saved count, but are not taken.
    spared : ids of sessions that are open or have a running job; they count, but are not taken
    """
    if max_sessions is None and max_age_days is None:
        raise SessionError(
            "A clean-up needs the largest number of sessions or the largest age.",
            advice="Set max_sessions or max_age_days.",
        )
    waiting = sorted((s for s in sessions if not s.archived and s.holds_data), key=lambda s: s.used)
    free = [
        s
        for s in waiting
        if s.session_id not in spared and s.problem is None and s.state in NOTHING_TO_LOSE
    ]
    old = [
        s for s in free if max_age_days is not None and now - s.used > timedelta(days=max_age_days)
    ]
    excess = 0 if max_sessions is None else max(0, len(waiting) - len(old) - max_sessions)
    return [*old, *[s for s in free if s not in old][:excess]]


def words(
    chosen: Sequence[SessionInfo],
    action: Action,
    *,
    now: datetime | None = None,
    dry_run: bool = False,
) -> str:
    """What a clean-up did, as a sentence without names, for the notice and for the log.

    dry_run : what it would do.
    """
    if not chosen:
        return (
            "The clean-up would find nothing to do."
            if dry_run
            else "The clean-up found nothing to do."
        )
    what = f"would {action}" if dry_run else f"{action}d"
    # The shortest of their times is true of them all, whichever of the limits took them.
    days = ((now or datetime.now(UTC)) - max(s.used for s in chosen)).days
    number = len(chosen)
    if days < 1:
        return (
            f"Clean-up {what} the {f'{number} ' if number > 1 else ''}longest unused"
            f" session{'s' if number > 1 else ''}."
        )
    which = "sessions that were" if number > 1 else "session that was"
    return f"Clean-up {what} {number} {which} not used for {days} day{'s' if days > 1 else ''}."
