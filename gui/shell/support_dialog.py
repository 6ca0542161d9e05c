"""“Save support bundle…” and “Show logs” of the help menu: what will be saved is read before it is
saved, and saved as it was read.
"""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

from gui.components.common import icon
from gui.diagnostics import support_bundle as support
from gui.errors import JobError, MissingPart
from gui.files import ZIP
from gui.plugin import Context, Recorded
from gui.shell.callbacks import SHELL, bind

if TYPE_CHECKING:
    from gui.app import Application

KEPT = 8
"""Bundles that were shown and not yet saved, of all tabs."""
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


class Shown:
    """Bundles on screen, by a token that only their tab knows: the page never sends back what is
    saved.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bundles: dict[str, dict[str, str]] = {}

    def keep(self, files: dict[str, str]) -> str:
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._bundles[token] = files
            while len(self._bundles) > KEPT:
                del self._bundles[next(iter(self._bundles))]
        return token

    def get(self, token: str | None) -> dict[str, str]:
        """MissingPart if it is not there any more."""
        with self._lock:
            found = self._bundles.get(token or "")
        if found is None:
            raise MissingPart(
                "This support bundle is not there any more.",
                advice="Close the dialog and open it again.",
            )
        return found


def bind_support(app: Dash, application: Application) -> None:
    """The callbacks of both dialogs and of their menu items."""
    shown = Shown()
    checking = threading.Lock()

    def on(*args: Any, **options: Any) -> Any:
        return lambda function: bind(app, application, SHELL, Recorded(function, args, options))

    # at once, empty: the checks take their time
    app.clientside_callback(
        "(clicks) => [true, [], null, '', true]",
        Output("dcx-support", "opened"),
        Output("dcx-support-file", "data"),
        Output("dcx-support-file", "value"),
        Output("dcx-support-text", "children"),
        Output("dcx-support-save", "disabled"),
        Input("dcx-help-support", "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        "(clicks) => false",
        Output("dcx-support", "opened", allow_duplicate=True),
        Input("dcx-support-cancel", "n_clicks"),
        prevent_initial_call=True,
    )

    @on(
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
        if not checking.acquire(blocking=False):
            raise JobError(
                "This computer is being checked already.", advice="Wait a moment, then try again."
            )
        try:
            files = support.bundle(application, more=application.more_checks)
        finally:
            checking.release()
        answer = files["doctor.txt"].strip().splitlines()[-1]
        return (
            shown.keep(files),
            dmc.Text(answer, size="sm", fw=600),
            list(files),
            "doctor.txt",
            False,
        )

    @on(
        Output("dcx-support-text", "children", allow_duplicate=True),
        Input("dcx-support-file", "value"),
        State("dcx-support-open", "data"),
        prevent_initial_call=True,
    )
    def read(ctx: Context, name: str | None, token: str | None) -> str:
        if not name:
            raise PreventUpdate
        return shown.get(token).get(name, "")

    @on(
        Output("dcx-support", "opened", allow_duplicate=True),
        Input("dcx-support-save", "n_clicks"),
        State("dcx-support-open", "data"),
        prevent_initial_call=True,
    )
    def save(ctx: Context, clicks: int | None, token: str | None) -> bool:
        if not clicks:
            raise PreventUpdate
        told = ctx.files.save(FILE, support.zipped(shown.get(token)), ZIP)
        if told is None:
            raise PreventUpdate
        ctx.notify(told, title="Saved", colour="teal")
        return False

    @on(
        Output("dcx-logs", "opened"),
        Output("dcx-logs-place", "children"),
        Output("dcx-logs-text", "children"),
        Input("dcx-help-logs", "n_clicks"),
        prevent_initial_call=True,
    )
    def logs(ctx: Context, clicks: int | None) -> Any:
        if not clicks:
            raise PreventUpdate
        folder = application.config.logs_folder
        # a reader elsewhere could do nothing with a path, but learn from it
        remote = application.config.server.allow_remote
        place = (
            "The log lies on the server."
            if remote
            else f"The log lies in {folder}. Names and paths are left out below."
        )
        return True, place, support.redactor(application)(support.log_end(folder, 200))
