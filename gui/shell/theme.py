"""Light, dark, or as the system is.

In a browser the choice is the browser's, in the window it is kept in the settings: its web view
forgets.
"""

from __future__ import annotations

from typing import Any, get_args

from dash import Input, Output, dcc

from gui.plugin import Context
from gui.program import Program
from gui.settings import Theme
from gui.shell.page import shell

NAMES = get_args(Theme)


def layout(program: Program) -> list[Any]:
    """The Stores: dcx-theme is the choice, dcx-system whether the window's toolkit says that the
    system is dark (None: the page knows itself).
    """
    native = program.files.native
    return [
        dcc.Store(
            id="dcx-theme", storage_type="memory" if native else "local", data=wanted(program)
        ),
        dcc.Store(id="dcx-system", data=program.host.dark() if program.host is not None else None),
        dcc.Store(id="dcx-dark", data=False),
    ]


def wanted(program: Program) -> str:
    """What was chosen last in the window, else what the configuration says."""
    chosen = program.settings.get().theme if program.files.native else None
    return chosen or program.config.appearance.theme


shell.clientside(
    """(...clicks) => {
        const name = dash_clientside.callback_context.triggered_id;
        return name ? name.replace('dcx-theme-', '') : dash_clientside.no_update;
    }""",
    Output("dcx-theme", "data"),
    *[Input(f"dcx-theme-{name}", "n_clicks") for name in NAMES],
    prevent_initial_call=True,
)
shell.clientside(
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


@shell.callback(Input("dcx-theme", "data"), prevent_initial_call=True)
def keep(ctx: Context, name: str | None) -> None:
    """The window comes up as it was left."""
    if (
        name is not None
        and name in NAMES
        and ctx.program.files.native
        and name != wanted(ctx.program)
    ):
        ctx.program.settings.change(theme=name)
        if ctx.program.host is not None:
            ctx.program.host.theme(name)
