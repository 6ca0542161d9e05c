"""Password of a protected session: change it, remove it, or re-encrypt after a leak."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc
from dash.exceptions import PreventUpdate

from gui.components.password import PasswordPair, agreed
from gui.pages.sessions.base import ACTIVE, CHANGED, HIDDEN, Row, chosen, now, page, quoted
from gui.plugin import Context

NEW = PasswordPair(page, "new_password")
NEW.bind()
CHANGE, REMOVE, RENEW = "change", "remove", "renew"
WAYS = (
    (
        CHANGE,
        "Change the password",
        "The key stays: earlier copies of the file still open with the old password.",
    ),
    (
        RENEW,
        "Re-encrypt after a leak",
        (
            "Encrypts the session again with a new key and a new password. Earlier copies still"
            " open with the old password."
        ),
    ),
    (
        REMOVE,
        "Remove the password",
        (
            "The session is stored unencrypted: anyone who can read the files of this computer"
            " can read it."
        ),
    ),
)
BUTTON = {CHANGE: "Change", REMOVE: "Remove", RENEW: "Re-encrypt"}
DONE_MESSAGES = {
    CHANGE: "has another password.",
    REMOVE: "is no longer protected.",
    RENEW: "is encrypted again and has another password.",
}


def password_dialog() -> Any:
    ways = [dmc.Radio(title, value=way, description=words) for way, title, words in WAYS]
    content = [
        dcc.Store(id=page.id.changing),
        dmc.Text(id=page.id.password_what, size="sm", style={"overflowWrap": "anywhere"}),
        dmc.RadioGroup(
            dmc.Stack(ways, gap="xs"),
            id=page.id.password_way,
            value=CHANGE,
            **{"aria-label": "What to do"},
        ),
        dmc.PasswordInput(
            id=page.id.password_old,
            value="",
            label="Current password",
            autoComplete="current-password",
        ),
        NEW.layout("New password"),
        dmc.Group(
            [
                dmc.Button("Cancel", id=page.id.password_cancel, variant="default"),
                dmc.Button(BUTTON[CHANGE], id=page.id.password_go),
            ],
            justify="flex-end",
            gap="xs",
        ),
    ]
    return dmc.Modal(
        dmc.Stack(content),
        id=page.id.password_dialog,
        title="Password",
        size="lg",
        centered=True,
        keepMounted=True,
    )


@page.callback(
    Output(page.id.changing, "data"),
    Output(page.id.password_dialog, "opened"),
    Output(page.id.password_what, "children"),
    Output(page.id.password_way, "value"),
    Input(page.id.active_password, "n_clicks"),
    State(ACTIVE, "selectedRows"),
    prevent_initial_call=True,
)
def ask_password(ctx: Context, clicks: int | None, selected: list[Row] | None) -> Any:
    found = chosen(ctx, selected)
    if not clicks or len(found) != 1:
        raise PreventUpdate
    return found[0].session_id, True, quoted(found[0].name), CHANGE


@page.callback(
    Output(NEW.box_id, "style"),
    Output(page.id.password_go, "children"),
    Output(page.id.password_go, "color"),
    Input(page.id.password_way, "value"),
    prevent_initial_call=True,
)
def fit(ctx: Context, way: str | None) -> Any:
    """Removing needs no new password."""
    return (
        HIDDEN if way == REMOVE else {},
        BUTTON[way or CHANGE],
        "red" if way == REMOVE else "indigo",
    )


CLEARED = [*NEW.cleared, Output(page.id.password_old, "value", allow_duplicate=True)]


@page.callback(
    Output(page.id.password_dialog, "opened", allow_duplicate=True),
    *CLEARED,
    Input(page.id.password_cancel, "n_clicks"),
    prevent_initial_call=True,
)
def cancel_password(ctx: Context, _clicks: int | None) -> Any:
    return False, "", "", ""


@page.callback(
    CHANGED,
    Output(page.id.password_dialog, "opened", allow_duplicate=True),
    *CLEARED,
    Input(page.id.password_go, "n_clicks"),
    State(page.id.changing, "data"),
    State(page.id.password_way, "value"),
    State(page.id.password_old, "value"),
    *NEW.states,
    running=[(Output(page.id.password_go, "loading"), True, False)],
    prevent_initial_call=True,
)
def change(
    ctx: Context,
    clicks: int | None,
    session_id: str | None,
    way: str | None,
    old: str | None,
    one: str | None,
    two: str | None,
) -> Any:
    if not clicks or not session_id:
        raise PreventUpdate
    if way == REMOVE:
        ctx.sessions.remove_password(session_id, old or "", actor=ctx.actor)
    elif way == RENEW:
        ctx.sessions.reencrypt_session(session_id, old or "", agreed(one, two), actor=ctx.actor)
    else:
        ctx.sessions.change_password(session_id, old or "", agreed(one, two), actor=ctx.actor)
    ctx.notify(
        f"{quoted(ctx.sessions.info(session_id, actor=ctx.actor).name)}"
        f" {DONE_MESSAGES[way or CHANGE]}",
        colour="green",
    )
    return now(), False, "", "", ""
