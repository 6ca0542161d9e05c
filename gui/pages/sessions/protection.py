"""Protecting a session by a password, unlocking it for this browser, locking it for everybody."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc
from dash.exceptions import PreventUpdate

from gui.components.password import PasswordPair, agreed
from gui.pages.sessions.base import ACTIVE, CHANGED, Row, chosen, now, page, quoted, show_session
from gui.plugin import Context

PASSWORD = PasswordPair(page, "protect_password")
PASSWORD.bind()


def protect_dialog() -> Any:
    content = [
        dcc.Store(id=page.id.protecting),
        dmc.Text(id=page.id.protect_what, size="sm", style={"overflowWrap": "anywhere"}),
        PASSWORD.layout(),
        dmc.Checkbox(
            id=page.id.protect_hide,
            label="Hide the name too",
            description="Until it is unlocked, the list says “Protected session”.",
            checked=False,
        ),
        dmc.Group(
            [
                dmc.Button("Cancel", id=page.id.protect_cancel, variant="default"),
                dmc.Button("Protect", id=page.id.protect_go),
            ],
            justify="flex-end",
            gap="xs",
        ),
    ]
    return dmc.Modal(
        dmc.Stack(content),
        id=page.id.protect_dialog,
        title="Protect by a password",
        size="lg",
        centered=True,
        keepMounted=True,
    )


def unlock_dialog() -> Any:
    content = [
        dcc.Store(id=page.id.unlocking),
        dmc.Text(id=page.id.unlock_question, size="sm", style={"overflowWrap": "anywhere"}),
        dmc.PasswordInput(
            id=page.id.unlock_password,
            value="",
            label="Password",
            autoComplete="current-password",
            debounce=True,
            **{"data-autofocus": "true"},
        ),
        dmc.Text(
            "It opens in this browser only, and locks again automatically after some time"
            " without use.",
            size="xs",
            c="dimmed",
        ),
        dmc.Group(
            [
                dmc.Button("Cancel", id=page.id.unlock_cancel, variant="default"),
                dmc.Button("Unlock", id=page.id.unlock_go),
            ],
            justify="flex-end",
            gap="xs",
        ),
    ]
    return dmc.Modal(
        dmc.Stack(content),
        id=page.id.unlock_dialog,
        title="Unlock",
        centered=True,
        keepMounted=True,
    )


@page.callback(
    Output(page.id.protecting, "data"),
    Output(page.id.protect_dialog, "opened"),
    Output(page.id.protect_what, "children"),
    Output(page.id.protect_hide, "checked"),
    Input(page.id.active_protect, "n_clicks"),
    State(ACTIVE, "selectedRows"),
    prevent_initial_call=True,
)
def ask_protect(ctx: Context, clicks: int | None, selected: list[Row] | None) -> Any:
    found = chosen(ctx, selected)
    if not clicks or len(found) != 1:
        raise PreventUpdate
    words = (
        f"{quoted(found[0].name)} is encrypted from now on, and its unencrypted backups are"
        " removed. Files exported earlier do not change."
    )
    return found[0].session_id, True, words, False


@page.callback(
    Output(page.id.protect_dialog, "opened", allow_duplicate=True),
    *PASSWORD.cleared,
    Input(page.id.protect_cancel, "n_clicks"),
    prevent_initial_call=True,
)
def cancel_protect(ctx: Context, _clicks: int | None) -> Any:
    return False, "", ""


@page.callback(
    CHANGED,
    Output(page.id.protect_dialog, "opened", allow_duplicate=True),
    *PASSWORD.cleared,
    Input(page.id.protect_go, "n_clicks"),
    State(page.id.protecting, "data"),
    State(page.id.protect_hide, "checked"),
    *PASSWORD.states,
    running=[(Output(page.id.protect_go, "loading"), True, False)],
    prevent_initial_call=True,
)
def protect(
    ctx: Context,
    clicks: int | None,
    session_id: str | None,
    hide: bool | None,
    one: str | None,
    two: str | None,
) -> Any:
    if not clicks or not session_id:
        raise PreventUpdate
    ctx.sessions.protect_session(
        session_id, agreed(one, two), hide_name=bool(hide), actor=ctx.actor
    )
    ctx.notify(
        f"{quoted(ctx.sessions.info(session_id, actor=ctx.actor).name)} is protected, and unlocked"
        " in this browser.",
        colour="green",
    )
    return now(), False, "", ""


@page.callback(
    CHANGED,
    Input(page.id.active_lock, "n_clicks"),
    State(ACTIVE, "selectedRows"),
    prevent_initial_call=True,
)
def lock(ctx: Context, clicks: int | None, selected: list[Row] | None) -> Any:
    found = chosen(ctx, selected)
    if not clicks or len(found) != 1:
        raise PreventUpdate
    running = sum(job.active for job in ctx.jobs.status(found[0].session_id))
    ctx.sessions.lock_session(found[0].session_id, actor=ctx.actor)
    stopped = (
        f" {running} running job{'s were' if running > 1 else ' was'} stopped." if running else ""
    )
    ctx.notify(
        f"{quoted(ctx.sessions.info(found[0].session_id, actor=ctx.actor).name)} is"
        f" locked.{stopped}",
        colour="green",
    )
    ctx.request_refresh("locked", found[0].session_id)
    return now()


@page.callback(
    Output(page.id.unlock_dialog, "opened", allow_duplicate=True),
    Output(page.id.unlock_password, "value", allow_duplicate=True),
    Input(page.id.unlock_cancel, "n_clicks"),
    prevent_initial_call=True,
)
def cancel_unlock(ctx: Context, _clicks: int | None) -> Any:
    return False, ""


@page.callback(
    CHANGED,
    Output(page.id.unlock_dialog, "opened", allow_duplicate=True),
    Output(page.id.unlock_password, "value", allow_duplicate=True),
    Input(page.id.unlock_go, "n_clicks"),
    Input(page.id.unlock_password, "n_submit"),
    State(page.id.unlocking, "data"),
    State(page.id.unlock_password, "value"),
    running=[(Output(page.id.unlock_go, "loading"), True, False)],
    prevent_initial_call=True,
)
def unlock(
    ctx: Context,
    clicks: int | None,
    submit: int | None,
    session_id: str | None,
    password: str | None,
) -> Any:
    """Open it in this browser, and show it."""
    if not (clicks or submit) or not session_id or not password:
        raise PreventUpdate
    ctx.sessions.unlock_session(session_id, password, actor=ctx.actor)
    show_session(ctx, session_id)
    ctx.notify(
        f"{quoted(ctx.sessions.info(session_id, actor=ctx.actor).name)} is open.", colour="green"
    )
    return now(), False, ""
