"""What stands around every page: header with session switcher and job ticker, navigation, page
outlet, notices.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, dcc, html

from gui import notify
from gui.program import Program
from gui.shell import dropped, menu, support_dialog, theme, tour, update_dialog
from gui.shell.about_dialog import about_dialog
from gui.shell.export_dialog import export_dialog
from gui.shell.guide import guide_drawer
from gui.shell.header import SIGN_OUT, header
from gui.shell.page import shell
from gui.shell.refresh import IDLE_MS
from gui.shell.save_all import save_all_stores
from gui.shell.session_menu import new_session_dialog
from gui.shell.table_code import table_code_dialog

THEME = {
    "primaryColor": "indigo",
    "primaryShade": {"light": 8, "dark": 8},  # Mantine's own 6 has too little contrast with white
    "fontFamily": "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
    "defaultRadius": "md",
    "components": {
        "Button": {"defaultProps": {"size": "sm"}},
        # what Mantine leaves without a name, or with a child that a menu may not have
        "Menu": {"defaultProps": {"withInitialFocusPlaceholder": False}},
        "Modal": {"defaultProps": {"closeButtonProps": {"aria-label": "Close"}}},
        "Notification": {"defaultProps": {"closeButtonProps": {"aria-label": "Close"}}},
        "PasswordInput": {
            "defaultProps": {
                "visibilityToggleButtonProps": {
                    "aria-label": "Show what is typed",
                    "aria-hidden": False,
                    "tabIndex": 0,
                }
            }
        },
        "Tooltip": {
            "defaultProps": {"multiline": True, "maw": 320, "withArrow": True, "openDelay": 200}
        },
    },
}


def layout(program: Program) -> Any:
    """The whole page, made anew for each tab."""
    help_items = [*support_dialog.menu_items(), *update_dialog.menu_items(program)]
    return dmc.MantineProvider(
        id="dcx-theme-provider",
        theme=THEME,
        defaultColorScheme="auto",
        children=html.Div(
            id="dcx-root",
            children=[
                html.A("Skip to the page", href="#dcx-outlet", className="dcx-skip"),
                dcc.Location(id="dcx-location", refresh="callback-nav"),
                dcc.Store(id="dcx-session", storage_type="session"),
                *theme.layout(program),
                *menu.layout(program),
                dcc.Store(id="dcx-revision"),
                dcc.Store(id="dcx-page"),
                dcc.Store(id="dcx-answered"),
                dcc.Store(id="dcx-active", data=[]),
                dcc.Store(id="dcx-progress", data={}),
                dcc.Store(id="dcx-seen", data={}),
                dcc.Store(id="dcx-poke"),
                dcc.Interval(id="dcx-interval", interval=IDLE_MS),
                dcc.Store(id="dcx-download"),
                *dropped.layout(),
                dmc.NotificationContainer(
                    id="dcx-notices",
                    position="bottom-right",
                    limit=4,
                    sendNotifications=_start_notices(program),
                ),
                new_session_dialog(),
                about_dialog(
                    None if program.config.server.allow_remote else program.config.plugins_folder
                ),
                *table_code_dialog(),
                *export_dialog(program),
                *save_all_stores(),
                *support_dialog.dialogs(),
                *update_dialog.dialogs(program),
                *guide_drawer(),
                *tour.layout(welcome=not program.settings.get().tour_seen),
                dmc.AppShell(
                    [
                        dmc.AppShellHeader(
                            header(
                                single=program.sessions.single,
                                native=program.files.native,
                                help_items=help_items,
                            ),
                            px="md",
                        ),
                        dmc.AppShellNavbar(
                            [
                                dmc.Box([], id="dcx-nav", style={"flex": 1, "overflowY": "auto"}),
                                dmc.Text("For research use only", size="xs", c="dimmed", px="xs"),
                            ],
                            p="sm",
                            **{"aria-label": "Pages"},
                        ),
                        dmc.AppShellMain(
                            [
                                html.Div(id="dcx-interrupted"),
                                html.Div(id="dcx-deleted-runs"),
                                html.Div(id="dcx-outlet", tabIndex=-1),
                            ]
                        ),
                    ],
                    header={"height": 48},
                    navbar={"width": 230, "breakpoint": 0},
                    padding="md",
                ),
            ],
        ),
    )


def _start_notices(program: Program) -> list[dict[str, Any]]:
    shown = []
    for number, error in enumerate(program.plugin_errors):
        words = notify.notice(error)
        shown.append(
            {
                "action": "show",
                "id": f"plugin-{number}",
                "title": words["title"],
                "message": words["message"],
                "color": words["colour"],
                "autoClose": False,
            }
        )
    return shown


shell.clientside(
    "() => window.dash_clientside.dcx.sign_out()",
    Input(SIGN_OUT, "n_clicks"),
    prevent_initial_call=True,
    when=lambda program: not program.files.native,
)
shell.clientside(
    "(files) => window.dash_clientside.dcx.fetch_files(files)",
    Input("dcx-download", "data"),
    prevent_initial_call=True,
)
