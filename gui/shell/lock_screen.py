"""The lock screen: what every page shows while the tab's session is protected and this browser has
not given the password.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, no_update
from dash.exceptions import PreventUpdate

from gui.components.common import icon
from gui.errors import WrongPassword
from gui.plugin import Context
from gui.shell.page import shell


def lock_screen(name: str) -> Any:
    """Asks for the password of the session ``name``."""
    return dmc.Center(
        dmc.Paper(
            dmc.Stack(
                [
                    icon("lock", 28),
                    dmc.Text(name, fw=700, size="lg", style={"overflowWrap": "anywhere"}),
                    dmc.Text("This session is protected by a password.", size="sm", c="dimmed"),
                    dmc.PasswordInput(
                        id="dcx-unlock-password",
                        label="Password",
                        value="",
                        autoComplete="off",
                        debounce=True,
                    ),
                    dmc.Button("Unlock", id="dcx-unlock", fullWidth=True),
                    dmc.Text(
                        "There is no way in without it. The session unlocks for this browser only.",
                        size="xs",
                        c="dimmed",
                    ),
                ],
                gap="sm",
            ),
            withBorder=True,
            p="lg",
            radius="md",
            w=380,
        ),
        mih=420,
    )


"""The callbacks of the screen, and of "Lock now" in the header."""


@shell.callback(
    Output("dcx-unlock-password", "value"),
    Output("dcx-unlock-password", "error"),
    Output("dcx-poke", "data", allow_duplicate=True),
    Input("dcx-unlock", "n_clicks"),
    Input("dcx-unlock-password", "n_submit"),
    State("dcx-unlock-password", "value"),
    running=[(Output("dcx-unlock", "loading"), True, False)],
    prevent_initial_call=True,
)
def unlock(ctx: Context, clicks: int | None, submit: int | None, password: str | None) -> Any:
    if ctx.locked is None or not (clicks or submit):
        raise PreventUpdate
    try:
        ctx.sessions.unlock_session(ctx.locked.session_id, password or "", actor=ctx.actor)
    except WrongPassword as error:
        return "", str(error), no_update
    except Exception as error:  # noqa: BLE001 - any: the field must be emptied whatever went wrong
        ctx.notify_error(error)
        return "", None, f"refused {clicks} {submit}"
    return "", None, f"unlocked {ctx.locked.session_id} {clicks} {submit}"


shell.clientside(
    "() => { window.setTimeout(() => document.getElementById('dcx-unlock-password')?.focus(),"
    " 50); }",
    Input("dcx-outlet", "children"),
    prevent_initial_call=True,
)


@shell.callback(
    Output("dcx-poke", "data", allow_duplicate=True),
    Input("dcx-lock", "n_clicks"),
    running=[(Output("dcx-lock", "loading"), True, False)],
    prevent_initial_call=True,
)
def lock(ctx: Context, clicks: int | None) -> Any:
    if not clicks:
        raise PreventUpdate
    running = sum(job.active for job in ctx.jobs.status(ctx.session_id))
    name = ctx.session.name
    ctx.sessions.lock_session(ctx.session_id, actor=ctx.actor)
    more = (
        f" {running} job{'s were' if running > 1 else ' was'} stopped; start"
        f" {'them' if running > 1 else 'it'} again after unlocking."
        if running
        else ""
    )
    ctx.notify(f"“{name}” is locked.{more}", colour="green")
    return f"locked {clicks}"
