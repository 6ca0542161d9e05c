"""What a clean-up takes, and what it never takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gui.errors import DamagedSession, SessionError
from gui.sessions.cleanup import to_clean, words
from gui.sessions.store import SessionInfo

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def session(days: float, **other: Any) -> SessionInfo:
    """A session that was last used so many days ago; its id says how many."""
    used = NOW - timedelta(days=days)
    given = {
        "session_id": f"{days:g}",
        "name": f"melanoma {days:g}",
        "archived": False,
        "created": used,
        "used": used,
        "size": 1,
        "contents": {},
    }
    return SessionInfo(**{**given, **other})


def taken(sessions: list[SessionInfo], **limits: Any) -> list[str]:
    return [
        s.session_id
        for s in to_clean(sessions, NOW, **{"max_sessions": None, "max_age_days": None, **limits})
    ]


def test_without_a_limit_nothing_is_decided() -> None:
    with pytest.raises(SessionError, match="needs the largest number"):
        taken([session(1)])


def test_age_is_counted_since_the_last_use_and_the_limit_itself_still_stays() -> None:
    assert taken([session(3), session(200), session(181), session(180)], max_age_days=180) == [
        "200",
        "181",
    ]


def test_number_takes_the_longest_unused_until_it_is_met() -> None:
    assert taken([session(n) for n in (2, 5, 1, 4, 3)], max_sessions=3) == ["5", "4"]
    assert taken([session(1), session(2)], max_sessions=2) == []


def test_both_limits_together_take_no_more_than_needed() -> None:
    assert taken([session(n) for n in (1, 2, 3, 400, 500)], max_sessions=2, max_age_days=180) == [
        "500",
        "400",
        "3",
    ]
    assert taken([session(n) for n in (1, 2, 400, 500)], max_sessions=2, max_age_days=180) == [
        "500",
        "400",
    ]


NEVER = {
    "open or with a running job": session(900),
    "damaged": session(901, problem=DamagedSession("The file is damaged.")),
    "not saved": session(902, state="not saved"),
    "being saved": session(903, state="saving"),
    "archived already": session(904, archived=True),
}


@pytest.mark.parametrize("limit", [{"max_age_days": 180}, {"max_sessions": 1}])
@pytest.mark.parametrize("reason", NEVER)
def test_what_must_not_be_touched_is_never_taken(reason: str, limit: dict[str, int]) -> None:
    spared = ["900"] if reason.startswith("open") else []
    chosen = taken([NEVER[reason], session(800), session(1)], **limit, spared=spared)
    assert NEVER[reason].session_id not in chosen
    assert chosen[0] == "800"
    # without the reason it goes first
    plain = session(float(NEVER[reason].session_id))
    assert taken([plain, session(800), session(1)], **limit)[0] == plain.session_id


@pytest.mark.parametrize("limit", [{"max_age_days": 180}, {"max_sessions": 2}])
def test_default_session_is_neither_taken_nor_counted(limit: dict[str, int]) -> None:
    def rows(holds_data: bool) -> list[Any]:
        return [
            SimpleNamespace(**{**vars(session(900)), "holds_data": holds_data}),
            session(2),
            session(1),
        ]

    assert taken(rows(holds_data=False), **limit) == []
    assert taken(rows(holds_data=True), **limit) == ["900"]


def test_what_cannot_be_taken_counts_so_that_others_go() -> None:
    assert taken([session(9, state="not saved"), session(8), session(1)], max_sessions=2) == ["8"]


@pytest.mark.parametrize(
    ("days", "options", "sentence"),
    [
        ([200, 190, 180.5], {}, "Clean-up archived 3 sessions that were not used for 180 days."),
        ([1.5], {}, "Clean-up archived 1 session that was not used for 1 day."),
        ([200], {"action": "delete"}, "Clean-up deleted 1 session that was not used for 200 days."),
        ([200, 0.2], {"action": "delete"}, "Clean-up deleted the 2 longest unused sessions."),
        ([0.2], {}, "Clean-up archived the longest unused session."),
        (
            [200, 190],
            {"dry_run": True},
            "Clean-up would archive 2 sessions that were not used for 190 days.",
        ),
        (
            [0.2],
            {"dry_run": True, "action": "delete"},
            "Clean-up would delete the longest unused session.",
        ),
        ([], {}, "The clean-up found nothing to do."),
        ([], {"dry_run": True}, "The clean-up would find nothing to do."),
    ],
)
def test_what_was_done_is_said_in_a_sentence_without_names(
    days: list[float], options: dict[str, Any], sentence: str
) -> None:
    assert (
        words([session(d) for d in days], **{"action": "archive", **options}, now=NOW) == sentence
    )
