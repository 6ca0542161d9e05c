"""Deleting asks first; for a while "Undo" brings back what was deleted."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import clicked
from gui.components.sessions import counted
from gui.errors import DeconomixError
from gui.pages.sessions.base import CHANGED, Row, leave, now, page
from gui.plugin import Context


def delete_dialog() -> Any:
    buttons = [dmc.Button("Cancel", id=page.id.keep, variant="default", **{"data-autofocus": "true"}), dmc.Button("Delete", id=page.id.delete, color="red")]
    text = dmc.Text(id=page.id.delete_question, size="sm", style={"overflowWrap": "anywhere", "whiteSpace": "pre-line"})
    return dmc.Modal(dmc.Stack([text, dmc.Group(buttons, justify="flex-end", gap="xs")]), id=page.id.delete_dialog, title="Delete", centered=True)


@page.callback(
    Output(page.id.doomed, "data"),
    Output(page.id.delete_dialog, "opened"),
    Output(page.id.delete_question, "children"),
    Input(page.id.active_delete, "n_clicks"),
    Input(page.id.archived_delete, "n_clicks"),
    State(page.id.active, "selectedRows"),
    State(page.id.archived, "selectedRows"),
    prevent_initial_call=True,
)
def ask_delete(ctx: Context, one: int | None, two: int | None, active: list[Row] | None, archived: list[Row] | None) -> Any:
    chosen = (active if call.triggered_id == page.id.active_delete else archived) or []
    if not (one or two) or not chosen:
        raise PreventUpdate
    names = [row["name"] for row in chosen]
    if len(names) == 1:
        question = f'Do you really want to permanently delete "{names[0]}"?'
    else:
        shown = "\n".join([*names[:8], *([f"and {len(names) - 8} more"] if len(names) > 8 else [])])
        question = f"Do you really want to permanently delete these {len(names)} sessions?\n{shown}"
    return [{"id": row["id"], "name": row["name"]} for row in chosen], True, question


@page.callback(Output(page.id.delete_dialog, "opened", allow_duplicate=True), Input(page.id.keep, "n_clicks"), prevent_initial_call=True)
def keep(ctx: Context, _clicks: int | None) -> bool:
    return False


@page.callback(
    CHANGED,
    Output(page.id.delete_dialog, "opened", allow_duplicate=True),
    Output(page.id.active, "selectedRows", allow_duplicate=True),
    Output(page.id.archived, "selectedRows", allow_duplicate=True),
    Input(page.id.delete, "n_clicks"),
    State(page.id.doomed, "data"),
    prevent_initial_call=True,
)
def delete(ctx: Context, clicks: int | None, doomed: list[Row] | None) -> Any:
    if not clicks or not doomed:
        raise PreventUpdate
    done: list[str] = []
    for row in doomed:
        try:
            ctx.sessions.delete_session(row["id"], actor=ctx.actor)
            done.append(row["name"])
        except DeconomixError as error:
            ctx.complain(error)
    if done:
        leave(ctx, doomed)
        ctx.notify(f"{counted(done)} deleted.", colour="green")
    return now(), False, [], []


@page.callback(CHANGED, Input(page.id.each("undo", ALL), "n_clicks"), prevent_initial_call=True)
def undo(ctx: Context, _clicks: list[int | None]) -> Any:
    session_id = clicked()
    if not session_id:
        raise PreventUpdate
    session = ctx.sessions.undo_delete(session_id, actor=ctx.actor)
    ctx.notify(f"“{session.name}” is back.", colour="green")
    return now()
