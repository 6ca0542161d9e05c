"""The Sessions page itself, and what its parts share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from dash import Output

from gui.components.common import shorten
from gui.errors import DeconomixError
from gui.plugin import Context, Page
from gui.sessions.store import SessionInfo

page = Page("sessions", "Sessions", "open, archive, exchange", order=90, works_while_locked=True)
CHANGED = Output(page.id.changed, "data", allow_duplicate=True)
ACTIVE, ARCHIVED = page.id.active, page.id.archived
UNTICKED = [Output(grid, "selectedRows", allow_duplicate=True) for grid in (ACTIVE, ARCHIVED)]
HIDDEN = {"display": "none"}
Row = dict[str, Any]
"""A row of the tables, as :func:`gui.components.sessions.rows` makes it."""


def now() -> str:
    """A value no other call gives: the table is looked at anew."""
    return str(time.monotonic_ns())


def infos(ctx: Context) -> dict[str, SessionInfo]:
    """Every session but the default one, by id: the active ones, then the archived ones."""
    found = [
        *ctx.sessions.list_sessions(actor=ctx.actor),
        *ctx.sessions.list_archived_sessions(actor=ctx.actor),
    ]
    return {info.session_id: info for info in found if info.session_id != ctx.sessions.default_id}


def chosen(ctx: Context, ticked: Sequence[Row] | None) -> list[SessionInfo]:
    """The sessions of these rows as they are now; what is gone since is left out."""
    known = infos(ctx) if ticked else {}
    return [known[row["id"]] for row in ticked or [] if row["id"] in known]


def quoted(name: str) -> str:
    return f"“{shorten(name, 80)}”"


def undo_message(ctx: Context, count: int = 1) -> str:
    """How long deleted sessions can be brought back, in a sentence."""
    many = count > 1
    return (
        f"Undo brings {'them' if many else 'it'} back for {ctx.sessions.undo_seconds:.0f} seconds;"
        f" then {'they are' if many else 'it is'} gone for good."
    )


def about(name: str, error: DeconomixError) -> DeconomixError:
    """The same error, with the name of the session it is about, for one of several."""
    return (
        error
        if name in str(error)
        else type(error)(f"{quoted(name)}: {error}", advice=error.advice)
    )


def show_session(ctx: Context, session_id: str) -> None:
    """Show a session in this tab; raise SessionLocked or SessionError if impossible."""
    ctx.switch_to(ctx.sessions.get_session(session_id, actor=ctx.actor).session_id)


def current(ctx: Context) -> str:
    """Id of the session in this tab, also of one that is locked."""
    return (ctx.locked or ctx.session).session_id


def leave(ctx: Context, gone: Sequence[SessionInfo]) -> None:
    """To the default session if this tab's own is no longer there."""
    here = {s.session_id for s in ctx.sessions.list_sessions(actor=ctx.actor)}
    if current(ctx) in {info.session_id for info in gone} and current(ctx) not in here:
        ctx.switch_to(ctx.sessions.default_id)
