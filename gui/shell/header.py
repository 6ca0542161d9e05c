"""The header: name, session with its switcher, jobs, theme, help; and the two dialogs it opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from gui.components.common import icon

SIGN_OUT = "dcx-sign-out"
"""The entry of the help menu, in a browser only."""


def header(*, single: bool = False, native: bool = False, help_items: Sequence[Any] = ()) -> Any:
    """single : there is one session only, and nothing to choose; native : it is in the window;
    help_items : of the help menu.
    """
    hidden = {"display": "none"}
    return dmc.Group(
        [
            dmc.Group(
                [
                    html.Img(src="/assets/icons/logo.svg", width=24, height=24, alt=""),
                    dmc.Text("DeconomiX", fw=700, size="lg"),
                    html.Div(
                        dmc.Divider(orientation="vertical", h=24), style=hidden if single else {}
                    ),
                    html.Div(
                        dmc.Menu(
                            [
                                dmc.MenuTarget(
                                    dmc.Button(
                                        "Default",
                                        id="dcx-session-button",
                                        variant="subtle",
                                        color="gray",
                                        rightSection=icon("down", 12),
                                        px="xs",
                                        maw=300,
                                        **{"aria-label": "Session"},
                                    )
                                ),
                                dmc.MenuDropdown(
                                    [
                                        dmc.MenuItem(
                                            "New session…", id="dcx-new", leftSection=icon("plus")
                                        ),
                                        dmc.MenuDivider(),
                                        dmc.Box(
                                            [],
                                            id="dcx-session-menu",
                                            mah=380,
                                            style={"overflowY": "auto"},
                                        ),
                                    ]
                                ),
                            ],
                            position="bottom-start",
                            width=300,
                        ),
                        style=hidden if single else {},
                    ),
                    lock_button(),
                    html.Div(id="dcx-saved", role="status", style={"whiteSpace": "nowrap"}),
                ],
                gap="sm",
                wrap="nowrap",
            ),
            dmc.Group(
                [
                    html.Div(id="dcx-ticker"),
                    dmc.Popover(  # no menu: it holds text and buttons
                        [
                            dmc.PopoverTarget(
                                dmc.ActionIcon(
                                    icon("jobs"),
                                    variant="subtle",
                                    color="gray",
                                    id="dcx-jobs-button",
                                    **{"aria-label": "Jobs"},
                                )
                            ),
                            dmc.PopoverDropdown(
                                html.Div(
                                    id="dcx-jobs", style={"maxHeight": 420, "overflowY": "auto"}
                                ),
                                p=4,
                            ),
                        ],
                        width=380,
                        position="bottom-end",
                        keepMounted=True,
                        trapFocus=True,
                        returnFocus=True,
                    ),
                    dmc.Menu(
                        [
                            dmc.MenuTarget(
                                dmc.ActionIcon(
                                    icon("theme"),
                                    variant="subtle",
                                    color="gray",
                                    **{"aria-label": "Theme"},
                                )
                            ),
                            dmc.MenuDropdown(
                                [
                                    dmc.MenuItem(label, id=f"dcx-theme-{name}")
                                    for name, label in (
                                        ("light", "Light"),
                                        ("dark", "Dark"),
                                        ("system", "As the system"),
                                    )
                                ]
                            ),
                        ],
                        position="bottom-end",
                    ),
                    help_menu(help_items, native=native),
                ],
                gap="xs",
                wrap="nowrap",
            ),
        ],
        justify="space-between",
        h="100%",
        wrap="nowrap",
    )


def help_menu(help_items: Sequence[Any] = (), *, native: bool = False) -> Any:
    """The "?": the guide, the tour, logs and support bundle, what this program is, and in a browser
    the way out.
    """
    way_out = [] if native else [dmc.MenuDivider(), dmc.MenuItem("Sign out", id=SIGN_OUT)]
    return dmc.Menu(
        [
            dmc.MenuTarget(
                dmc.ActionIcon(
                    icon("help"),
                    variant="subtle",
                    color="gray",
                    id="dcx-help",
                    **{"aria-label": "Help"},
                )
            ),
            dmc.MenuDropdown(
                [
                    dmc.MenuItem("User guide", id="dcx-help-guide", href="/help"),
                    dmc.MenuItem("Help on this page", id="dcx-help-here"),
                    dmc.MenuItem("Tour on the example", id="dcx-help-tour"),
                    dmc.MenuItem("Keyboard shortcuts", id="dcx-help-shortcuts"),
                    dmc.MenuDivider(),
                    *help_items,
                    dmc.MenuItem("About DeconomiX", id="dcx-help-about"),
                    *way_out,
                ]
            ),
        ],
        position="bottom-end",
    )


def lock_button() -> Any:
    """Beside the name of a protected session that is open."""
    return html.Div(
        dmc.Button(
            "Lock now",
            id="dcx-lock",
            variant="subtle",
            color="gray",
            size="compact-sm",
            leftSection=icon("lock", 14),
        ),
        id="dcx-lock-box",
        style={"display": "none"},
    )
