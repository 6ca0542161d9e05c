"""Light, dark, or as the system is.

In a browser the choice is the browser's, in the window it is kept in the settings: its web view
forgets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from dash import Dash, Input, Output, dcc

from gui.plugin import Context, Recorded
from gui.settings import Theme
from gui.shell.callbacks import SHELL, bind

if TYPE_CHECKING:
    from gui.app import Application

NAMES = get_args(Theme)


def layout(application: Application) -> list[Any]:
    """The Stores: dcx-theme is the choice, dcx-system whether the window's toolkit says that the
    system is dark (None: the page knows itself).
    """
    native = application.files.native
    return [
        dcc.Store(
            id="dcx-theme", storage_type="memory" if native else "local", data=wanted(application)
        ),
        dcc.Store(
            id="dcx-system", data=application.host.dark() if application.host is not None else None
        ),
        dcc.Store(id="dcx-dark", data=False),
    ]


def wanted(application: Application) -> str:
    """What was chosen last in the window, else what the configuration says."""
    chosen = application.settings.get().theme if application.files.native else None
    return chosen or application.config.appearance.theme


def bind_theme(app: Dash, application: Application) -> None:
    """Register the callbacks of the theme."""
    app.clientside_callback(
        """(...clicks) => {
            const name = dash_clientside.callback_context.triggered_id;
            return name ? name.replace('dcx-theme-', '') : dash_clientside.no_update;
        }""",
        Output("dcx-theme", "data"),
        *[Input(f"dcx-theme-{name}", "n_clicks") for name in NAMES],
        prevent_initial_call=True,
    )
    app.clientside_callback(
        """(choice, system) => {
            const query = window.matchMedia('(prefers-color-scheme: dark)');
            if (!window.dcxThemeWatched) {
                window.dcxThemeWatched = true;
                query.addEventListener('change', () =>
                    dash_clientside.set_props('dcx-system', {data: null}));
            }
            const dark = choice === 'dark' || (choice !== 'light' && (system ?? query.matches));
            return [dark ? 'dark' : 'light', dark];
        }""",
        Output("dcx-theme-provider", "forceColorScheme"),
        Output("dcx-dark", "data"),
        Input("dcx-theme", "data"),
        Input("dcx-system", "data"),
    )

    def keep(ctx: Context, name: str | None) -> None:
        """The window comes up as it was left."""
        if (
            name is not None
            and name in NAMES
            and application.files.native
            and name != wanted(application)
        ):
            application.settings.change(theme=name)
            if application.host is not None:
                application.host.theme(name)

    bind(
        app,
        application,
        SHELL,
        Recorded(keep, (Input("dcx-theme", "data"),), {"prevent_initial_call": True}),
    )
