"""What is wrong and what can be done: sessions that are not saved, and files that are damaged.

A bar for each, above the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, dcc
from dash.exceptions import PreventUpdate

from gui import notify
from gui.components.common import clicked, icon, shorten
from gui.components.sessions import ago, digest
from gui.errors import SessionConflict, SessionNotSaved
from gui.files import SESSION
from gui.pages.sessions.base import CHANGED, HIDDEN, infos, now, page, quoted, show_session
from gui.plugin import Context
from gui.sessions.store import SessionInfo

MOST = 20
"""Bars that are shown at once."""


def trouble_bars(found: Sequence[SessionInfo]) -> Any:
    """One bar for each session that is not saved or damaged, the former first."""
    unsaved = [i for i in found if i.problem is None and i.state == "not saved"]
    damaged = [i for i in found if i.problem is not None]
    return [*[_unsaved(i) for i in unsaved], *[_damaged(i) for i in damaged]][:MOST] or None


def _unsaved(info: SessionInfo) -> Any:
    key = digest(info.session_id)
    last = (
        ("theirs", "Take the file's version…")
        if isinstance(info.reason, SessionConflict)
        else ("retry", "Try again")
    )
    return _bar(
        info,
        notify.sentence(info.reason) if info.reason is not None else "",
        [("copy_out", "Save a copy…"), ("elsewhere", "Save to another folder…"), last],
        key,
    )


def _damaged(info: SessionInfo) -> Any:
    actions = [("recover", "Recover what is readable")]
    if info.backup is not None:
        actions.append(("backup", f"Open the last backup ({ago(info.backup)})"))
    # what to do next, the buttons say
    return _bar(info, str(info.problem), actions, digest(info.session_id))


def _bar(info: SessionInfo, why: str, actions: Sequence[tuple[str, str]], key: str) -> Any:
    words = f"“{shorten(info.name, 50)}”{' (archived)' if info.archived else ''}: {why}"
    buttons = [
        dmc.Button(
            title, id=page.id.each(name, key), size="compact-sm", variant="light", color="red"
        )
        for name, title in actions
    ]
    line = dmc.Group(
        [
            dmc.Text(words, size="sm", style={"flex": "1 1 320px", "overflowWrap": "anywhere"}),
            dmc.Group(buttons, gap="xs"),
        ],
        justify="space-between",
        gap="sm",
    )
    return dmc.Alert(line, color="red", variant="light", p="xs", mb=4)


def folder_dialog(ctx: Context) -> Any:
    """Where to keep a session instead, and whether to give up one's own version of another."""
    path = dmc.TextInput(
        id=page.id.folder,
        label="Folder",
        placeholder="/media/backup/sessions",
        debounce=True,
        style={"flex": 1},
        **{"data-autofocus": "true"},
    )
    choose = dmc.Button(
        "Choose…",
        id=page.id.folder_choose,
        variant="default",
        leftSection=icon("folder"),
        style={} if ctx.files.native else HIDDEN,
    )
    where = [
        dcc.Store(id=page.id.moving),
        dmc.Text(
            "The session is saved there at once, and is kept there from now on.",
            size="sm",
            c="dimmed",
        ),
        dmc.Group([path, choose], align="flex-end", gap="xs"),
        dmc.Group([dmc.Button("Save there", id=page.id.folder_go)], justify="flex-end"),
    ]
    words = (
        "This replaces your version by the one in the file, which another program wrote. Your"
        " later changes are lost; save a copy first."
    )
    theirs = [
        dcc.Store(id=page.id.giving_up),
        dmc.Text(words, size="sm"),
        dmc.Group(
            [
                dmc.Button("Keep mine", id=page.id.theirs_keep, variant="default"),
                dmc.Button("Take the file's version", id=page.id.theirs_go, color="red"),
            ],
            justify="flex-end",
            gap="xs",
        ),
    ]
    return dmc.Box(
        [
            dmc.Modal(
                dmc.Stack(where),
                id=page.id.folder_dialog,
                title="Save to another folder",
                centered=True,
                keepMounted=True,
            ),
            dmc.Modal(
                dmc.Stack(theirs),
                id=page.id.theirs_dialog,
                title="Take the file's version",
                centered=True,
                keepMounted=True,
            ),
        ]
    )


def _clicked(ctx: Context) -> SessionInfo:
    """The session whose button was clicked; PreventUpdate if a button merely appeared."""
    key = clicked()
    found = next(
        (info for session_id, info in infos(ctx).items() if key and digest(session_id) == key), None
    )
    if found is None:
        raise PreventUpdate
    return found


# -- not saved
# --------------------------------------------------------------------------------------------------


@page.callback(
    CHANGED, Input(page.id.each("retry", ALL), "n_clicks"), prevent_initial_call=True, long=True
)
def retry(ctx: Context, _clicks: list[int | None]) -> Any:
    info = _clicked(ctx)
    ctx.sessions.save_session(info.session_id, actor=ctx.actor)
    ctx.notify(f"{quoted(info.name)} is saved.", colour="green")
    ctx.refresh()
    return now()


@page.callback(
    Input(page.id.each("copy_out", ALL), "n_clicks"), prevent_initial_call=True, long=True
)
def copy_out(ctx: Context, _clicks: list[int | None]) -> None:
    """What is in memory, as a file."""
    out = ctx.sessions.export_session(_clicked(ctx).session_id, actor=ctx.actor)
    told = ctx.files.save(out.name, out.data, SESSION)
    if told:
        ctx.notify(told, title="Saved a copy", colour="green")


@page.callback(
    Output(page.id.moving, "data"),
    Output(page.id.folder_dialog, "opened"),
    Input(page.id.each("elsewhere", ALL), "n_clicks"),
    prevent_initial_call=True,
)
def ask_folder(ctx: Context, _clicks: list[int | None]) -> Any:
    return _clicked(ctx).session_id, True


@page.callback(
    Output(page.id.folder, "value"),
    Input(page.id.folder_choose, "n_clicks"),
    prevent_initial_call=True,
)
def choose_folder(ctx: Context, clicks: int | None) -> Any:
    found = ctx.files.folder("Folder for the session") if clicks else None
    if found is None:
        raise PreventUpdate
    return str(found)


@page.callback(
    CHANGED,
    Output(page.id.folder_dialog, "opened", allow_duplicate=True),
    Input(page.id.folder_go, "n_clicks"),
    Input(page.id.folder, "n_submit"),
    State(page.id.moving, "data"),
    State(page.id.folder, "value"),
    running=[(Output(page.id.folder_go, "loading"), True, False)],
    prevent_initial_call=True,
)
def redirect(
    ctx: Context, clicks: int | None, submit: int | None, session_id: str | None, text: str | None
) -> Any:
    if not (clicks or submit) or not session_id:
        raise PreventUpdate
    if not text or not text.strip():
        raise SessionNotSaved("No folder is given.", advice="Type its full path.")
    folder = ctx.config.server.typed_path(text)
    ctx.sessions.redirect_session(session_id, folder, actor=ctx.actor)
    ctx.notify(
        f"{quoted(ctx.sessions.info(session_id, actor=ctx.actor).name)} is saved in {folder}.",
        colour="green",
    )
    ctx.refresh()
    return now(), False


@page.callback(
    Output(page.id.giving_up, "data"),
    Output(page.id.theirs_dialog, "opened"),
    Input(page.id.each("theirs", ALL), "n_clicks"),
    prevent_initial_call=True,
)
def ask_theirs(ctx: Context, _clicks: list[int | None]) -> Any:
    return _clicked(ctx).session_id, True


@page.callback(
    Output(page.id.theirs_dialog, "opened", allow_duplicate=True),
    Input(page.id.theirs_keep, "n_clicks"),
    prevent_initial_call=True,
)
def keep_mine(ctx: Context, _clicks: int | None) -> bool:
    return False


@page.callback(
    CHANGED,
    Output(page.id.theirs_dialog, "opened", allow_duplicate=True),
    Input(page.id.theirs_go, "n_clicks"),
    State(page.id.giving_up, "data"),
    prevent_initial_call=True,
)
def take_theirs(ctx: Context, clicks: int | None, session_id: str | None) -> Any:
    if not clicks or not session_id:
        raise PreventUpdate
    session = ctx.sessions.reload_session(session_id, actor=ctx.actor)
    ctx.notify(f"{quoted(session.name)} is as in the file.", colour="green")
    ctx.refresh()
    return now(), False


# -- damaged
# --------------------------------------------------------------------------------------------------


@page.callback(CHANGED, Input(page.id.each("recover", ALL), "n_clicks"), prevent_initial_call=True)
def recover(ctx: Context, _clicks: list[int | None]) -> Any:
    session = ctx.sessions.salvage_session(_clicked(ctx).session_id, actor=ctx.actor)
    show_session(ctx, session.session_id)
    ctx.notify(
        f"{quoted(session.name)} holds everything that was readable; its notes list what was lost.",
        colour="green",
    )
    return now()


@page.callback(CHANGED, Input(page.id.each("backup", ALL), "n_clicks"), prevent_initial_call=True)
def open_backup(ctx: Context, _clicks: list[int | None]) -> Any:
    """The backup in the place of the damaged file, which is kept beside it."""
    session_id = ctx.sessions.restore_backup(_clicked(ctx).session_id, actor=ctx.actor)
    info = ctx.sessions.info(session_id, actor=ctx.actor)
    if not (info.locked or info.archived):
        show_session(ctx, session_id)
    ctx.notify(
        f"{quoted(info.name)} is as in its last backup; the damaged file is kept.", colour="green"
    )
    return now()
