"""The Sessions page itself, and what its parts share."""

from __future__ import annotations

import time
from typing import Any

from dash import Output

from gui.plugin import Context, Page

page = Page("sessions", "Sessions", "open, archive, exchange", order=90, free=True)
CHANGED = Output(page.id.changed, "data", allow_duplicate=True)
Row = dict[str, Any]
"""A row of the tables, as :func:`gui.components.sessions.rows` makes it."""


def now() -> str:
    """A value no other call gives: the table is looked at anew."""
    return str(time.monotonic_ns())


def leave(ctx: Context, gone: list[Row]) -> None:
    """To the default session if this tab's own is no longer there."""
    here = {s.session_id for s in ctx.sessions.list_sessions(actor=ctx.actor)}
    if ctx.session_id in {row["id"] for row in gone} and ctx.session_id not in here:
        ctx.switch_to(ctx.sessions.default_id)
