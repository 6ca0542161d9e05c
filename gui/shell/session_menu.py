"""The session in the header: its name, its menu, and whether it is saved."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, html
from dash.exceptions import PreventUpdate

from gui import notify
from gui.components.common import clicked, drawn, icon
from gui.errors import SessionConflict, SessionLocked
from gui.files import SESSION
from gui.plugin import Context
from gui.sessions.store import SessionInfo
from gui.shell.page import shell, shell_id


def session_name(name: str, *, bold: bool = True) -> Any:
    """On one line, cut where there is no room; the whole on hover."""
    return html.Span(
        name, title=name, className="dcx-cut", style={"fontWeight": 600 if bold else 400}
    )


def session_menu(ctx: Context) -> list[Any]:
    """Every session that can be opened, the present one ticked, protected ones with a lock."""
    items, present = [], (ctx.locked or ctx.session).session_id
    for session in ctx.sessions.list_sessions(actor=ctx.actor):
        if session.problem is None:
            items.append(
                drawn(
                    "a session of the menu",
                    functools.partial(_menu_item, session, here=session.session_id == present),
                    None,
                )
            )
    return [item for item in items if item is not None]


def _menu_item(session: SessionInfo, *, here: bool) -> Any:
    return dmc.MenuItem(
        session_name(session.name, bold=here),
        id=shell_id("switch", session.session_id),
        leftSection=(
            icon("check") if here else html.Span(style={"display": "inline-block", "width": 16})
        ),
        rightSection=icon("lock", 14) if session.protected else None,
        styles={"itemLabel": {"minWidth": 0}, "itemSection": {"flexShrink": 0}},
    )


def new_session_dialog() -> Any:
    return dmc.Modal(
        [
            dmc.TextInput(
                id="dcx-new-name",
                label="Name",
                placeholder="Melanoma, batch 2",
                debounce=True,
                **{"data-autofocus": "true"},
            ),
            dmc.Group(
                [dmc.Button("Create session", id="dcx-new-create")], justify="flex-end", mt="md"
            ),
        ],
        id="dcx-new-dialog",
        title="New session",
        centered=True,
    )


def saved_words(
    state: str,
    trouble: Exception | None,
    *,
    single: bool,
) -> Any:
    """Whether the session is on disk; if it cannot be, why, and what can be done. single :
    there cannot be another session
    """
    words = {"saved": "Saved", "saving": "Saving…", "not saved": "Not saved"}.get(state)
    if words is None:
        return None
    if trouble is None:
        return dmc.Text(words, size="xs", c="dimmed")
    actions = {"again": "Try again", "copy": "Save a copy…"}
    if isinstance(trouble, SessionConflict):  # trying again would meet it again
        own = {} if single else {"own": "Keep mine as a new session"}
        actions = {"copy": "Save a copy…", **own, "theirs": "Give up mine, open the other"}
    return dmc.Menu(
        [
            dmc.MenuTarget(
                dmc.Button(
                    words,
                    variant="subtle",
                    color="red",
                    size="compact-xs",
                    rightSection=icon("down", 12),
                )
            ),
            dmc.MenuDropdown(
                [
                    dmc.MenuLabel(
                        dmc.Text(
                            notify.sentence(trouble),
                            size="xs",
                            maw=320,
                            style={"whiteSpace": "normal"},
                        )
                    ),
                    *[
                        dmc.MenuItem(words, id=shell_id("unsaved", action))
                        for action, words in actions.items()
                    ],
                ]
            ),
        ],
        position="bottom-start",
        width=340,
    )


@shell.callback(Input(shell_id("switch", ALL), "n_clicks"), prevent_initial_call=True)
def switch(ctx: Context, _clicks: list[int | None]) -> None:
    if session_id := clicked():
        with contextlib.suppress(SessionLocked):  # then the lock screen asks for its password
            ctx.sessions.get_session(session_id, actor=ctx.actor)
        ctx.switch_to(session_id)


@shell.callback(
    Output("dcx-new-dialog", "opened"),
    Output("dcx-new-name", "value"),
    Input("dcx-new", "n_clicks"),
    prevent_initial_call=True,
)
def ask_name(ctx: Context, clicks: int | None) -> Any:
    if not clicks:
        raise PreventUpdate
    return True, ctx.sessions.free_name("Session", actor=ctx.actor)


@shell.callback(
    Output("dcx-new-dialog", "opened", allow_duplicate=True),
    Input("dcx-new-create", "n_clicks"),
    Input("dcx-new-name", "n_submit"),
    State("dcx-new-name", "value"),
    prevent_initial_call=True,
)
def create(ctx: Context, _clicks: Any, _submit: Any, name: str | None) -> Any:
    session = ctx.sessions.create_session(name or "", actor=ctx.actor)
    ctx.switch_to(session.session_id)
    return False


@shell.callback(Input(shell_id("unsaved", ALL), "n_clicks"), prevent_initial_call=True)
def unsaved(ctx: Context, _clicks: list[int | None]) -> None:
    """What the user does about a session that cannot be saved."""
    action = clicked()
    if action == "again":
        ctx.sessions.save_session(ctx.session_id, actor=ctx.actor)
        ctx.notify("Saved.", colour="green")
    elif action == "copy":
        copy = ctx.sessions.export_session(ctx.session_id, actor=ctx.actor)
        if told := ctx.files.save(copy.name, copy.data, SESSION):
            ctx.notify(told, title="A copy is saved", colour="green")
    elif action == "own":
        own = ctx.sessions.duplicate_session(ctx.session_id, actor=ctx.actor)
        ctx.sessions.reload_session(ctx.session_id, actor=ctx.actor)
        ctx.switch_to(own.session_id)
        ctx.notify(f"Yours is “{own.name}” now.", colour="green")
    elif action == "theirs":
        session = ctx.sessions.reload_session(ctx.session_id, actor=ctx.actor)
        ctx.notify(f"“{session.name}” is shown as it is in its file.", colour="green")
    if action:
        ctx.request_refresh("unsaved", action)
