"""Deleting asks first; for a while "Undo" brings back what was deleted."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, dcc
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import clicked
from gui.components.sessions import counted
from gui.errors import DeconomixError
from gui.pages.sessions.base import (
    ACTIVE,
    ARCHIVED,
    CHANGED,
    UNTICKED,
    Row,
    about,
    chosen,
    leave,
    now,
    page,
    quoted,
    undo_message,
)
from gui.plugin import Context


def delete_dialog() -> Any:
    buttons = [
        dmc.Button("Cancel", id=page.id.keep, variant="default", **{"data-autofocus": "true"}),
        dmc.Button("Delete", id=page.id.delete, color="red"),
    ]
    text = dmc.Text(
        id=page.id.delete_question,
        size="sm",
        style={"overflowWrap": "anywhere", "whiteSpace": "pre-line"},
    )
    content = dmc.Stack(
        [dcc.Store(id=page.id.doomed), text, dmc.Group(buttons, justify="flex-end", gap="xs")]
    )
    return dmc.Modal(
        content, id=page.id.delete_dialog, title="Delete", centered=True, keepMounted=True
    )


@page.callback(
    Output(page.id.doomed, "data"),
    Output(page.id.delete_dialog, "opened"),
    Output(page.id.delete_question, "children"),
    Input(page.id.active_delete, "n_clicks"),
    Input(page.id.archived_delete, "n_clicks"),
    State(ACTIVE, "selectedRows"),
    State(ARCHIVED, "selectedRows"),
    prevent_initial_call=True,
)
def ask_delete(
    ctx: Context,
    one: int | None,
    two: int | None,
    active: list[Row] | None,
    archived: list[Row] | None,
) -> Any:
    found = chosen(ctx, active if call.triggered_id == page.id.active_delete else archived)
    if not (one or two) or not found:
        raise PreventUpdate
    names = [info.name for info in found]
    if len(names) == 1:
        question = f"Delete {quoted(names[0])}? {undo_message(ctx)}"
    else:
        shown = "\n".join([*names[:8], *([f"and {len(names) - 8} more"] if len(names) > 8 else [])])
        question = f"Delete these {len(names)} sessions? {undo_message(ctx, len(names))}\n{shown}"
    return [{"id": info.session_id} for info in found], True, question


@page.callback(
    Output(page.id.delete_dialog, "opened", allow_duplicate=True),
    Input(page.id.keep, "n_clicks"),
    prevent_initial_call=True,
)
def keep(ctx: Context, _clicks: int | None) -> bool:
    return False


@page.callback(
    CHANGED,
    Output(page.id.delete_dialog, "opened", allow_duplicate=True),
    *UNTICKED,
    Input(page.id.delete, "n_clicks"),
    State(page.id.doomed, "data"),
    prevent_initial_call=True,
)
def delete(ctx: Context, clicks: int | None, doomed: list[Row] | None) -> Any:
    found = chosen(ctx, doomed)
    if not clicks or not doomed:
        raise PreventUpdate
    done: list[str] = []
    for info in found:
        try:
            ctx.sessions.delete_session(info.session_id, actor=ctx.actor)
            done.append(info.name)
        except DeconomixError as error:
            ctx.notify_error(about(info.name, error))
    if done:
        leave(ctx, found)
        ctx.notify(f"{counted(done)} deleted. {undo_message(ctx, len(done))}", colour="green")
    return now(), False, [], []


@page.callback(CHANGED, Input(page.id.each("undo", ALL), "n_clicks"), prevent_initial_call=True)
def undo(ctx: Context, _clicks: list[int | None]) -> Any:
    session_id = clicked()
    if not session_id:
        raise PreventUpdate
    session_id = ctx.sessions.undo_delete(session_id, actor=ctx.actor).session_id
    ctx.notify(
        f"{quoted(ctx.sessions.info(session_id, actor=ctx.actor).name)} is back.", colour="green"
    )
    return now()
