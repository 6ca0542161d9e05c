"""“Save support bundle…” and “Show logs” of the help menu: what will be saved is read before it is
saved, and saved as it was read.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

from gui.components.common import icon
from gui.diagnostics import support_bundle
from gui.errors import JobError
from gui.files import ZIP
from gui.plugin import Context
from gui.shell.page import shell

FILE = "DeconomiX support bundle.zip"


def menu_items() -> list[Any]:
    return [
        dmc.MenuItem("Show logs", id="dcx-help-logs"),
        dmc.MenuItem("Save support bundle…", id="dcx-help-support"),
    ]


def dialogs() -> list[Any]:
    """Both dialogs, closed."""
    words = (
        "This is all that will be saved: look at each file. It holds no data, no names of samples"
        " or sessions, and no paths of yours."
    )
    bundle = dmc.Modal(
        [
            dcc.Store(id="dcx-support-open"),
            html.Div(
                [
                    dmc.LoadingOverlay(id="dcx-support-busy", visible=False, zIndex=10),
                    dmc.Text(words, size="sm"),
                    html.Div(
                        dmc.Text(
                            "Checking this computer: about 10 seconds.", size="sm", c="dimmed"
                        ),
                        id="dcx-support-answer",
                        role="status",
                    ),
                    dmc.Select(
                        id="dcx-support-file",
                        label="File",
                        data=[],
                        allowDeselect=False,
                        mt="xs",
                        comboboxProps={"withinPortal": True},
                    ),
                    _text("dcx-support-text", "Content of the file"),
                ],
                style={"position": "relative"},
            ),
            dmc.Group(
                [
                    dmc.Button("Cancel", id="dcx-support-cancel", variant="default"),
                    dmc.Button(
                        "Save…", id="dcx-support-save", leftSection=icon("save"), disabled=True
                    ),
                ],
                justify="flex-end",
                mt="md",
            ),
        ],
        id="dcx-support",
        title="Support bundle",
        size="xl",
        centered=True,
    )
    logs = dmc.Modal(
        [
            dmc.Text("", id="dcx-logs-place", size="sm", style={"wordBreak": "break-all"}),
            _text("dcx-logs-text", "End of the log"),
        ],
        id="dcx-logs",
        title="Logs",
        size="xl",
        centered=True,
    )
    return [bundle, logs]


def _text(identity: str, label: str) -> Any:
    """Lines as they are; scrolled by keyboard, too."""
    style = {
        "height": 300,
        "overflow": "auto",
        "fontSize": 12,
        "margin": "8px 0 0",
        "padding": 8,
        "border": "1px solid var(--mantine-color-default-border)",
    }
    return html.Pre(
        "", id=identity, tabIndex=0, role="region", style=style, **{"aria-label": label}
    )


# at once, empty: the checks take their time
shell.clientside(
    "(clicks) => [true, [], null, '', true]",
    Output("dcx-support", "opened"),
    Output("dcx-support-file", "data"),
    Output("dcx-support-file", "value"),
    Output("dcx-support-text", "children"),
    Output("dcx-support-save", "disabled"),
    Input("dcx-help-support", "n_clicks"),
    prevent_initial_call=True,
)
shell.clientside(
    "(clicks) => false",
    Output("dcx-support", "opened", allow_duplicate=True),
    Input("dcx-support-cancel", "n_clicks"),
    prevent_initial_call=True,
)


@shell.callback(
    Output("dcx-support-open", "data"),
    Output("dcx-support-answer", "children"),
    Output("dcx-support-file", "data", allow_duplicate=True),
    Output("dcx-support-file", "value", allow_duplicate=True),
    Output("dcx-support-save", "disabled", allow_duplicate=True),
    Input("dcx-help-support", "n_clicks"),
    running=[(Output("dcx-support-busy", "visible"), True, False)],
    prevent_initial_call=True,
)
def collect(ctx: Context, clicks: int | None) -> Any:
    if not clicks:
        raise PreventUpdate
    if not ctx.program.previews.collecting.acquire(blocking=False):
        raise JobError(
            "This computer is being checked already.", advice="Wait a moment, then try again."
        )
    try:
        files = support_bundle.bundle(ctx.program, more=ctx.program.more_checks)
    finally:
        ctx.program.previews.collecting.release()
    answer = files["doctor.txt"].strip().splitlines()[-1]
    return (
        ctx.program.previews.keep(files),
        dmc.Text(answer, size="sm", fw=600),
        list(files),
        "doctor.txt",
        False,
    )


@shell.callback(
    Output("dcx-support-text", "children", allow_duplicate=True),
    Input("dcx-support-file", "value"),
    State("dcx-support-open", "data"),
    prevent_initial_call=True,
)
def read(ctx: Context, name: str | None, token: str | None) -> str:
    if not name:
        raise PreventUpdate
    return ctx.program.previews.get(token).get(name, "")


@shell.callback(
    Output("dcx-support", "opened", allow_duplicate=True),
    Input("dcx-support-save", "n_clicks"),
    State("dcx-support-open", "data"),
    prevent_initial_call=True,
)
def save(ctx: Context, clicks: int | None, token: str | None) -> bool:
    if not clicks:
        raise PreventUpdate
    told = ctx.files.save(FILE, support_bundle.zipped(ctx.program.previews.get(token)), ZIP)
    if told is None:
        raise PreventUpdate
    ctx.notify(told, title="Saved", colour="teal")
    return False


@shell.callback(
    Output("dcx-logs", "opened"),
    Output("dcx-logs-place", "children"),
    Output("dcx-logs-text", "children"),
    Input("dcx-help-logs", "n_clicks"),
    prevent_initial_call=True,
)
def logs(ctx: Context, clicks: int | None) -> Any:
    if not clicks:
        raise PreventUpdate
    folder = ctx.program.config.logs_folder
    # a reader elsewhere could do nothing with a path, but learn from it
    remote = ctx.program.config.server.allow_remote
    place = (
        "The log is on the server."
        if remote
        else f"The log is in {folder}. Names and paths are left out below."
    )
    return True, place, support_bundle.redactor(ctx.program)(support_bundle.log_end(folder, 200))
