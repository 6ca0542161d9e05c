"""The page's skeleton: the two tables, what can be done with ticked rows, the dialogs."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from gui.components.common import card, icon
from gui.components.sessions import session_grid
from gui.pages.sessions import table as _table  # noqa: F401  records its callbacks
from gui.pages.sessions.base import page
from gui.pages.sessions.creating import new_dialog
from gui.pages.sessions.deleting import delete_dialog
from gui.pages.sessions.exporting import export  # noqa: F401  records its callback
from gui.pages.sessions.importing import differs_dialog, import_dialog
from gui.plugin import Context


@page.layout
def layout(ctx: Context) -> Any:
    return html.Div(
        [
            dcc.Interval(id=page.id.again, interval=2000),
            dcc.Store(id=page.id.changed),
            dcc.Store(id=page.id.seen),
            dcc.Store(id=page.id.doomed),
            dcc.Store(id=page.id.differing),
            delete_dialog(),
            new_dialog(),
            import_dialog(ctx),
            differs_dialog(),
            dmc.Stack(
                [
                    dmc.Group(
                        [
                            dmc.Title("Sessions", order=2, fz=22),
                            dmc.Group(
                                [
                                    dmc.TextInput(id=page.id.search, placeholder="Search", w=200, **{"aria-label": "Search sessions"}),
                                    dmc.Button("Import…", id=page.id.bring, variant="default", leftSection=icon("folder")),
                                    dmc.Button("New session", id=page.id.new, leftSection=icon("plus")),
                                ],
                                gap="xs",
                            ),
                        ],
                        justify="space-between",
                    ),
                    html.Div(id=page.id.undo),
                    card(
                        _tools("active", ("duplicate", "Duplicate"), ("archive", "Archive"), ("export", "Export…"), ("delete", "Delete…")),
                        session_grid(page.id.active, archived=False),
                        dmc.Text("No session yet. Load data on the Upload page, or create a session here.", id=page.id.none, size="sm", c="dimmed", mt="xs"),
                    ),
                    html.Div(
                        dmc.Stack(
                            [
                                dmc.Group(
                                    [
                                        dmc.Text("Archived", fw=700, size="lg"),
                                        dmc.Badge("0", id=page.id.archived_count, variant="light", color="gray", radius="sm"),
                                        dmc.Text("not kept in memory; restore to work on them", size="sm", c="dimmed"),
                                    ],
                                    gap="xs",
                                ),
                                card(_tools("archived", ("export", "Export…"), ("delete", "Delete…")), session_grid(page.id.archived, archived=True)),
                            ],
                            gap="xs",
                        ),
                        id=page.id.archive_box,
                        style={"display": "none"},
                    ),
                ],
                gap="md",
            ),
        ]
    )  # fmt: skip


def _tools(which: str, *actions: tuple[str, str]) -> Any:
    """What can be done with the ticked rows."""
    hint = "Double-click a name to change it. Tick sessions to do more." if which == "active" else "Tick sessions to export or delete them."
    buttons = [
        dmc.Button(
            title,
            id=getattr(page.id, f"{which}_{name}"),
            variant="light" if name != "delete" else "subtle",
            color="red" if name == "delete" else "indigo",
            size="compact-sm",
            disabled=True,
        )
        for name, title in actions
    ]
    return dmc.Group([dmc.Text(hint, size="xs", c="dimmed"), dmc.Group(buttons, gap="xs")], justify="space-between", mb="xs")


@page.summary
def summary(ctx: Context) -> str | None:
    active, archived = len(ctx.sessions.list_sessions(actor=ctx.actor)) - 1, len(ctx.sessions.list_archived_sessions(actor=ctx.actor))
    return f"{active} active" + (f", {archived} archived" if archived else "") if active or archived else None
