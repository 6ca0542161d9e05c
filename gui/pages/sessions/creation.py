"""A new, empty session."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State
from dash.exceptions import PreventUpdate

from gui.pages.sessions.base import CHANGED, now, page, quoted
from gui.plugin import Context


def new_dialog() -> Any:
    return dmc.Modal(
        [
            dmc.TextInput(
                id=page.id.new_name,
                label="Name",
                placeholder="Melanoma, batch 2",
                debounce=True,
                **{"data-autofocus": "true"},
            ),
            dmc.Group(
                [dmc.Button("Create session", id=page.id.create)], justify="flex-end", mt="md"
            ),
        ],
        id=page.id.new_dialog,
        title="New session",
        centered=True,
    )


@page.callback(
    Output(page.id.new_dialog, "opened"),
    Output(page.id.new_name, "value"),
    Input(page.id.new, "n_clicks"),
    prevent_initial_call=True,
)
def ask_name(ctx: Context, clicks: int | None) -> Any:
    if not clicks:
        raise PreventUpdate
    return True, ctx.sessions.free_name("Session", actor=ctx.actor)


@page.callback(
    CHANGED,
    Output(page.id.new_dialog, "opened", allow_duplicate=True),
    Output(page.id.search, "value"),
    Input(page.id.create, "n_clicks"),
    Input(page.id.new_name, "n_submit"),
    State(page.id.new_name, "value"),
    prevent_initial_call=True,
)
def create(ctx: Context, clicks: int | None, submit: int | None, name: str | None) -> Any:
    if not (clicks or submit):
        raise PreventUpdate
    session = ctx.sessions.create_session(name or "", actor=ctx.actor)
    ctx.switch_to(session.session_id)
    ctx.notify(f"{quoted(session.name)} was created and is open.", colour="green")
    return now(), False, ""  # a search could hide it
