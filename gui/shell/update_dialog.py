"""“Install an update…” of the help menu: only in the window, and only in a program that was built
with the key that updates are signed with.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, html
from dash.exceptions import PreventUpdate

from gui import __version__, notify, updates
from gui.errors import BadUpdate, JobError
from gui.plugin import Context
from gui.program import Program
from gui.shell.page import shell

WORDS = (
    "Choose the installer of a new version that you were given; its signature (the same name with"
    " .sig) has to be in the same folder. The program never looks for updates by itself. Sessions"
    " and settings stay as they are."
)


def offered(program: Program) -> bool:
    return program.files.native and updates.key() is not None


def menu_items(program: Program) -> list[Any]:
    return [dmc.MenuItem("Install an update…", id="dcx-help-update")] if offered(program) else []


def dialogs(program: Program) -> list[Any]:
    """The dialog, closed; none where no update can be installed."""
    if not offered(program):
        return []
    buttons = [
        dmc.Button("Choose file…", id="dcx-update-choose", variant="default"),
        dmc.Button("Install", id="dcx-update-install", disabled=True),
    ]
    content = [
        html.Div(
            [
                dmc.LoadingOverlay(id="dcx-update-busy", visible=False, zIndex=10),
                dmc.Text(WORDS, size="sm"),
                dmc.Text(f"This is version {__version__}.", size="sm", mt="xs"),
                html.Div(
                    id="dcx-update-answer", role="status", style={"marginTop": 12, "minHeight": 44}
                ),
            ],
            style={"position": "relative"},
        ),
        dmc.Group(buttons, justify="flex-end", mt="md"),
    ]
    return [
        dmc.Modal(content, id="dcx-update", title="Install an update", centered=True, size="lg")
    ]


@shell.callback(
    Output("dcx-update", "opened"),
    Output("dcx-update-answer", "children"),
    Output("dcx-update-install", "disabled"),
    Input("dcx-help-update", "n_clicks"),
    prevent_initial_call=True,
    when=offered,
)
def show(ctx: Context, clicks: int | None) -> Any:
    if not clicks:
        raise PreventUpdate
    ctx.program.checked_update = None
    return True, None, True


@shell.callback(
    Output("dcx-update-answer", "children", allow_duplicate=True),
    Output("dcx-update-install", "disabled", allow_duplicate=True),
    Input("dcx-update-choose", "n_clicks"),
    running=[(Output("dcx-update-busy", "visible"), True, False)],
    prevent_initial_call=True,
    when=offered,
)
def choose(ctx: Context, clicks: int | None) -> Any:
    public = updates.key()
    if not clicks or public is None:
        raise PreventUpdate
    paths = ctx.files.open([updates.kind()], title="Choose the installer of a new version")
    if not paths:
        raise PreventUpdate
    ctx.program.checked_update = None
    try:
        update = updates.examine(paths[0], public, ctx.program.updates_folder)
    except BadUpdate as error:
        return dmc.Alert(notify.sentence(error), color="red", p="xs"), True
    ctx.program.checked_update = update
    said = f"Version {update.version}, signed by the makers of this program."
    if update.older:
        said += (
            " It is older than this one: it does not open what this one saved in a newer form,"
            " says so, and leaves those files as they are."
        )
    return dmc.Alert(said, color="orange" if update.older else "teal", p="xs"), False


@shell.callback(
    Output("dcx-update-answer", "children", allow_duplicate=True),
    Output("dcx-update-install", "disabled", allow_duplicate=True),
    Input("dcx-update-install", "n_clicks"),
    running=[(Output("dcx-update-busy", "visible"), True, False)],
    prevent_initial_call=True,
    when=offered,
)
def install(ctx: Context, clicks: int | None) -> Any:
    update = ctx.program.checked_update
    if not clicks or update is None:
        raise PreventUpdate
    if ctx.program.running_jobs():
        raise JobError(
            "A job is running.",
            advice="Wait until it is done, or cancel it; then install the update.",
        )
    try:
        said = updates.install(update)
    except BadUpdate as error:
        return dmc.Alert(notify.sentence(error), color="red", p="xs"), False
    return dmc.Alert(said, color="teal", p="xs"), True
