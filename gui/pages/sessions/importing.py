"""Importing a session file; a session that is here in another version is asked about."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.filefield import FileField
from gui.errors import DeconomixError
from gui.files import SESSION
from gui.pages.sessions.base import CHANGED, now, page
from gui.plugin import Context

FILE = FileField(page, "file", (SESSION,), title="Session file")
FILE.bind()


def import_dialog(ctx: Context) -> Any:
    words = dmc.Text("A session file (.dcxsession). It is copied in; the file itself stays as it is.", size="sm", c="dimmed")
    return dmc.Modal(dmc.Stack([words, FILE.layout(ctx)], gap="sm"), id=page.id.import_dialog, title="Import a session", centered=True, keepMounted=True)


def differs_dialog() -> Any:
    buttons = [dmc.Button("Open mine", id=page.id.open_mine, variant="default"), dmc.Button("Import as a copy", id=page.id.as_copy)]
    text = dmc.Text(id=page.id.differs_text, size="sm", style={"overflowWrap": "anywhere"})
    return dmc.Modal(
        dmc.Stack([text, dmc.Group(buttons, justify="flex-end", gap="xs")]), id=page.id.differs_dialog, title="This session is here already", centered=True
    )


@page.callback(Output(page.id.import_dialog, "opened"), Input(page.id.bring, "n_clicks"), prevent_initial_call=True)
def ask_file(ctx: Context, clicks: int | None) -> bool:
    return bool(clicks)


@page.callback(
    CHANGED,
    Output(page.id.import_dialog, "opened", allow_duplicate=True),
    Output(page.id.differing, "data"),
    Output(page.id.differs_dialog, "opened"),
    Output(page.id.differs_text, "children"),
    Output(FILE.token_id, "data", allow_duplicate=True),
    Input(FILE.token_id, "data"),
    prevent_initial_call=True,
)
def bring_in(ctx: Context, token: str | None) -> Any:
    """A file was chosen: copy it in, or ask if another version of this session is here."""
    if not token:
        raise PreventUpdate
    try:
        found = ctx.sessions.import_session(ctx.uploads.get(token).path, actor=ctx.actor)
    except DeconomixError as error:
        ctx.complain(error)
        ctx.uploads.forget(token)
        return no_update, no_update, None, False, "", None
    if found.outcome == "differs":
        text = f"“{found.name}” is here already, in another version than the file holds. Your own version is kept in any case."
        return now(), False, {"token": token, "id": found.session_id}, True, text, None
    ctx.uploads.forget(token)
    ctx.switch_to(ctx.sessions.get_session(found.session_id, actor=ctx.actor).session_id)
    ctx.notify(f"“{found.name}” {'is here already and open.' if found.outcome == 'known' else 'was imported.'}", colour="green")
    return now(), False, None, False, "", None


@page.callback(
    CHANGED,
    Output(page.id.differs_dialog, "opened", allow_duplicate=True),
    Input(page.id.open_mine, "n_clicks"),
    Input(page.id.as_copy, "n_clicks"),
    State(page.id.differing, "data"),
    prevent_initial_call=True,
)
def decide(ctx: Context, mine: int | None, copy: int | None, asked: dict[str, str] | None) -> Any:
    if not (mine or copy) or not asked:
        raise PreventUpdate
    if call.triggered_id == page.id.as_copy:
        found = ctx.sessions.import_session(ctx.uploads.get(asked["token"]).path, actor=ctx.actor, as_copy=True)
        ctx.notify(f"“{found.name}” was imported.", colour="green")
        session_id = found.session_id
    else:
        session_id = asked["id"]
        if session_id in {i.session_id for i in ctx.sessions.list_archived_sessions(actor=ctx.actor)}:
            ctx.sessions.restore_session(session_id, actor=ctx.actor)
    ctx.uploads.forget(asked["token"])
    ctx.switch_to(ctx.sessions.get_session(session_id, actor=ctx.actor).session_id)
    return now(), False
