"""Clean-up as configured: described, previewed, done at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import dash_mantine_components as dmc
from dash import Input, Output, State, html
from dash.exceptions import PreventUpdate

from gui.components.common import card, cut
from gui.components.number_field import whole_number_field
from gui.components.sessions import ago
from gui.pages.sessions.base import CHANGED, HIDDEN, current, leave, now, page, undo_message
from gui.plugin import Context
from gui.sessions.cleanup import words
from gui.sessions.store import SessionInfo

HOW = """[sessions.cleanup]
enabled = true
max_sessions = 50      # keep at most so many
max_age_days = 180     # what was not used for so long
action = "archive"     # or "delete"
"""
MOST = 50
"""Names that are listed."""


def rule(ctx: Context) -> str:
    """What it does, in sentences."""
    settings = ctx.config.sessions.cleanup
    if not settings.enabled:
        return "Off: no session is archived or deleted automatically."
    limits = []
    if settings.max_age_days is not None:
        limits.append(f"sessions not used for {settings.max_age_days:g} days")
    if settings.max_sessions is not None:
        limits.append(f"the least recently used beyond {settings.max_sessions} sessions")
    done = {"archive": "archives", "delete": "deletes"}[settings.action]
    when = (
        f"On: at every start and once a day it {done} {' and '.join(limits)}. Never the session"
        " that is open, nor one with a job."
    )
    return f"{when} {undo_message(ctx, 2)}" if settings.action == "delete" else when


def cleanup_card(ctx: Context) -> Any:
    settings = ctx.config.sessions.cleanup
    off = {} if not settings.enabled else HIDDEN
    limits = [
        whole_number_field(
            id=i,
            value=value or "",
            placeholder=words,
            min=1,
            w=170,
            size="xs",
            style=off,
            **{"aria-label": words},
        )
        for i, value, words in (
            (page.id.clean_days, settings.max_age_days, "not used for … days"),
            (page.id.clean_most, settings.max_sessions, "sessions to keep"),
        )
    ]
    head = [
        dmc.Text("Clean-up", fw=700, size="lg"),
        dmc.Group(
            [
                *limits,
                dmc.Button("Preview", id=page.id.clean_try, variant="light", size="compact-sm"),
            ],
            gap="xs",
        ),
    ]
    how = html.Details(
        [
            html.Summary(
                dmc.Text("How to switch it on", size="sm", c="dimmed", span=True),
                style={"cursor": "pointer"},
            ),
            dmc.Text(
                "Write into config.toml, with your own limits, and start again:",
                size="xs",
                c="dimmed",
                my=4,
            ),
            dmc.Code(HOW, block=True),
        ],
        style=off,
    )
    go = dmc.Box(dmc.Button("Clean up now", id=page.id.clean_go, size="compact-sm", style=HIDDEN))
    return card(
        dmc.Stack(
            [
                dmc.Group(head, justify="space-between"),
                dmc.Text(rule(ctx), size="sm"),
                how,
                html.Div(id=page.id.clean_answer, role="status"),
                go,
            ],
            gap="xs",
        )
    )


def _limits(ctx: Context, days: Any, most: Any) -> dict[str, Any]:
    """Of the configuration; where it has none in force, what was typed to try."""
    settings = ctx.config.sessions.cleanup
    if settings.enabled:
        return {
            "max_age_days": settings.max_age_days,
            "max_sessions": settings.max_sessions,
            "action": settings.action,
        }
    return {
        "max_age_days": days or None,
        "max_sessions": most or None,
        "action": settings.action,
    }


@page.callback(
    Output(page.id.clean_answer, "children"),
    Output(page.id.clean_go, "style"),
    Output(page.id.clean_go, "color"),
    Input(page.id.clean_try, "n_clicks"),
    State(page.id.clean_days, "value"),
    State(page.id.clean_most, "value"),
    prevent_initial_call=True,
)
def try_out(ctx: Context, clicks: int | None, days: Any, most: Any) -> Any:
    if not clicks:
        raise PreventUpdate
    limits = _limits(ctx, days, most)
    found = ctx.sessions.cleanup_sessions(
        actor=ctx.actor, spared={current(ctx)}, dry_run=True, **limits
    )
    may = bool(found) and ctx.config.sessions.cleanup.enabled
    return (
        _listed(ctx, found, limits["action"]),
        {} if may else HIDDEN,
        "red" if limits["action"] == "delete" else "indigo",
    )


def _listed(ctx: Context, found: list[SessionInfo], action: Literal["archive", "delete"]) -> Any:
    shown = [
        dmc.Text([cut(i.name, 80), f", last used {ago(i.used)}"], size="sm") for i in found[:MOST]
    ]
    more = (
        [dmc.Text(f"and {len(found) - MOST} more", size="sm", c="dimmed")]
        if len(found) > MOST
        else []
    )
    undo = f" {undo_message(ctx, len(found))}" if found and action == "delete" else ""
    head = dmc.Text(f"{words(found, action, dry_run=True)}{undo}", size="sm", fw=600)
    checked = dmc.Text(f"Checked at {datetime.now():%H:%M:%S}.", size="xs", c="dimmed")
    return dmc.Stack(
        [head, checked, html.Div([*shown, *more], style={"maxHeight": 220, "overflowY": "auto"})],
        gap=4,
    )


@page.callback(
    CHANGED,
    Output(page.id.clean_answer, "children", allow_duplicate=True),
    Output(page.id.clean_go, "style", allow_duplicate=True),
    Input(page.id.clean_go, "n_clicks"),
    running=[(Output(page.id.clean_go, "loading"), True, False)],
    prevent_initial_call=True,
)
def clean_up(ctx: Context, clicks: int | None) -> Any:
    if not clicks or not ctx.config.sessions.cleanup.enabled:
        raise PreventUpdate
    limits = _limits(ctx, None, None)
    gone = ctx.sessions.cleanup_sessions(actor=ctx.actor, spared={current(ctx)}, **limits)
    leave(ctx, gone)
    undo = f" {undo_message(ctx, len(gone))}" if gone and limits["action"] == "delete" else ""
    ctx.notify(f"{words(gone, limits['action'])}{undo}", title="Clean-up", colour="green")
    return now(), None, HIDDEN
