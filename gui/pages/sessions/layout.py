"""The page's skeleton: the two tables, what can be done with ticked rows, the dialogs."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from gui.components.common import card, icon
from gui.components.sessions import session_grid
from gui.pages.sessions import recovery as _mending  # noqa: F401  records its callbacks
from gui.pages.sessions import table as _table  # noqa: F401  records its callbacks
from gui.pages.sessions.base import ACTIVE, ARCHIVED, HIDDEN, page
from gui.pages.sessions.cleanup import cleanup_card
from gui.pages.sessions.creation import new_dialog
from gui.pages.sessions.deletion import delete_dialog
from gui.pages.sessions.exports import export_dialog
from gui.pages.sessions.imports import import_dialog
from gui.pages.sessions.password import password_dialog
from gui.pages.sessions.protection import protect_dialog, unlock_dialog
from gui.pages.sessions.recovery import folder_dialog
from gui.plugin import Context


@page.layout
def layout(ctx: Context) -> Any:
    dialogs = [
        delete_dialog(),
        new_dialog(),
        export_dialog(),
        import_dialog(ctx),
        protect_dialog(),
        unlock_dialog(),
        password_dialog(),
        folder_dialog(ctx),
    ]
    stores = [dcc.Store(id=i) for i in (page.id.changed, page.id.seen)]
    return html.Div(
        [
            dcc.Interval(id=page.id.again, interval=2000),
            *stores,
            *dialogs,
            dmc.Stack(
                [
                    _head(),
                    html.Div(id=page.id.undo, className="dcx-bars"),
                    html.Div(id=page.id.troubles, className="dcx-bars"),
                    _active(),
                    _archive(),
                    cleanup_card(ctx),
                ]
            ),
        ]
    )


def _head() -> Any:
    tools = [
        dmc.TextInput(
            id=page.id.search,
            placeholder="Name, note, tag or sample",
            w=230,
            debounce=250,
            **{"aria-label": "Search sessions by name, note, tag, file or sample"},
        ),
        dmc.MultiSelect(
            id=page.id.search_tags,
            data=[],
            placeholder="Tags",
            w=150,
            style=HIDDEN,
            **{"aria-label": "Only sessions with these tags"},
        ),
        dmc.Button("Import…", id=page.id.bring, variant="default", leftSection=icon("folder")),
        dmc.Button("New session", id=page.id.new, leftSection=icon("plus")),
    ]
    head = dmc.Group(
        [dmc.Title("Sessions", order=2, fz=22), dmc.Group(tools, gap="xs")], justify="space-between"
    )
    answer = dmc.Text(
        id=page.id.search_answer, size="sm", c="dimmed", attributes={"root": {"role": "status"}}
    )
    return dmc.Stack([head, answer], gap=4)


def _active() -> Any:
    actions = [
        ("duplicate", "Duplicate"),
        ("archive", "Archive"),
        ("export", "Export…"),
        ("protect", "Protect…"),
        ("lock", "Lock now"),
        ("password", "Password…"),
        ("delete", "Delete…"),
    ]
    nothing = dmc.Text(
        "No session yet. Load data on the Upload page, or create a session here.",
        id=page.id.none,
        size="sm",
        c="dimmed",
        mt="xs",
    )
    hint = "Double-click a name, a note or tags to change them, or press Enter there."
    return card(_tools("active", hint, actions), session_grid(ACTIVE, archived=False), nothing)


def _archive() -> Any:
    head = dmc.Group(
        [
            dmc.Text("Archived", fw=700, size="lg"),
            dmc.Badge("0", id=page.id.archived_count, variant="light", color="gray", radius="sm"),
            dmc.Text("not kept in memory; restore to work on them", size="sm", c="dimmed"),
        ],
        gap="xs",
    )
    table = card(
        _tools(
            "archived",
            "Tick sessions to export or delete them.",
            [("export", "Export…"), ("delete", "Delete…")],
        ),
        session_grid(ARCHIVED, archived=True),
    )
    return html.Div(dmc.Stack([head, table], gap="xs"), id=page.id.archive_box, style=HIDDEN)


def _tools(which: str, hint: str, actions: list[tuple[str, str]]) -> Any:
    """What can be done with the ticked rows."""
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
    return dmc.Group(
        [dmc.Text(hint, size="xs", c="dimmed"), dmc.Group(buttons, gap="xs")],
        justify="space-between",
        mb="xs",
    )


@page.summary
def summary(ctx: Context) -> str | None:
    active, archived = (
        len(ctx.sessions.list_sessions(actor=ctx.actor)) - 1,
        len(ctx.sessions.list_archived_sessions(actor=ctx.actor)),
    )
    return (
        f"{active} active" + (f", {archived} archived" if archived else "")
        if active or archived
        else None
    )
