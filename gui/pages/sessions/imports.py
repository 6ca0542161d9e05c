"""Import of session files, with an outcome for each and a question for conflicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, dcc, html, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import clicked, cut
from gui.components.file_field import FileField
from gui.errors import DeconomixError, WrongPassword
from gui.files import SESSION
from gui.pages.sessions.base import CHANGED, about, now, page, quoted, show_session
from gui.pages.sessions.predecessor import EARLIER, import_earlier, is_earlier, unfolded
from gui.plugin import Context
from gui.sessions.manager import Imported
from gui.sessions.store import SessionInfo

FILE = FileField(
    page, "file", (SESSION, EARLIER), title="Session files", multiple=True, folder=True
)
FILE.bind()
DONE, DIFFERS, SEALED, FAILED = "done", "differs", "sealed", "failed"
COLOURS = {DONE: "teal", DIFFERS: "orange", SEALED: "orange", FAILED: "red"}
Item = dict[str, Any]
"""One file of the dialog's list. file : its name; token : of the upload; state, text : what came of
it; id : of the session; locked : that one is
"""


def import_dialog(ctx: Context) -> Any:
    words = (
        "Session files (.dcxsession), one or several. They are copied in; the files themselves"
        " stay as they are. Sessions of the earlier DeconomiX GUI (.pkl, or the path of their"
        " folder) are imported with data and results."
    )
    content = [
        dcc.Store(id=page.id.imports, data=[]),
        dmc.Text(words, size="sm", c="dimmed"),
        FILE.layout(ctx),
        html.Div(
            id=page.id.import_list, style={"maxHeight": 340, "overflowY": "auto"}, role="status"
        ),
    ]
    return dmc.Modal(
        dmc.Stack(content, gap="sm"),
        id=page.id.import_dialog,
        title="Import sessions",
        centered=True,
        keepMounted=True,
    )


@page.callback(
    Output(page.id.import_dialog, "opened"),
    Input(page.id.bring, "n_clicks"),
    prevent_initial_call=True,
)
def ask_file(ctx: Context, clicks: int | None) -> bool:
    return bool(clicks)


@page.callback(
    Output(page.id.imports, "data", allow_duplicate=True),
    Input(page.id.import_dialog, "opened"),
    State(page.id.imports, "data"),
    prevent_initial_call=True,
)
def close(ctx: Context, opened: bool | None, items: list[Item] | None) -> Any:
    """What was not decided is left."""
    if opened or not items:
        raise PreventUpdate
    for item in items:
        ctx.uploads.forget(item["token"])
    return []


@page.callback(
    CHANGED,
    Output(page.id.imports, "data", allow_duplicate=True),
    Output(page.id.import_dialog, "opened", allow_duplicate=True),
    Output(FILE.token_id, "data", allow_duplicate=True),
    Input(FILE.token_id, "data"),
    State(page.id.imports, "data"),
    prevent_initial_call=True,
    long=True,
)
def bring_in(ctx: Context, tokens: list[str] | None, items: list[Item] | None) -> Any:
    """Files were chosen: copy each in, or say what is in the way.

    A single one is opened at once.
    """
    if not tokens:
        raise PreventUpdate
    tokens = unfolded(ctx, tokens)
    if not tokens:
        return no_update, no_update, no_update, None
    undecided = [item for item in items or [] if item["state"] in (DIFFERS, SEALED)]
    new = [_brought(ctx, token) for token in tokens]
    done = [item for item in new if item["state"] == DONE]
    if len(done) > 1:
        ctx.notify(
            (
                f"{len(done)} of {len(new)} sessions were imported."
                if len(done) < len(new)
                else f"{len(done)} sessions were imported."
            ),
            colour="green",
        )
    elif done:
        ctx.notify(done[0]["text"], colour="green")
    if len(new) == 1 and done and not undecided:
        _open_unlocked(ctx, done[0]["id"])
        return now(), [], False, None
    return now(), [*undecided, *new], no_update, None


def _brought(
    ctx: Context, token: str, *, as_copy: bool = False, password: str | None = None
) -> Item:
    """One file copied in, or why not; an uploaded one that is done with is forgotten."""
    file = "The file"
    try:
        upload = ctx.uploads.get(token)
        file = upload.name
        if is_earlier(upload):
            found = import_earlier(ctx, upload, as_copy=as_copy)
        else:
            found = ctx.sessions.import_session(
                upload.path, actor=ctx.actor, as_copy=as_copy, password=password
            )
    except WrongPassword as error:
        if as_copy:
            raise
        return _item(file, token, SEALED, str(error))
    except DeconomixError as error:
        if as_copy:
            raise
        ctx.uploads.forget(token)
        ctx.notify_error(about(file, error))
        return _item(file, token, FAILED, str(error))
    info = ctx.sessions.info(found.session_id, actor=ctx.actor)
    if found.outcome != DIFFERS:
        ctx.uploads.forget(token)
        return _item(file, token, DONE, _words(found, info), info)
    text = (
        f"{quoted(found.name)} is already here in a version that differs from the file. Your"
        " version is kept in any case."
    )
    return _item(
        file, token, DIFFERS, text, info, sealed=not is_earlier(upload) and _sealed(upload.path)
    )


def _item(
    file: str,
    token: str,
    state: str,
    text: str,
    info: SessionInfo | None = None,
    *,
    sealed: bool = False,
) -> Item:
    return {
        "file": file,
        "token": token,
        "state": state,
        "text": text,
        "id": info.session_id if info else None,
        "sealed": sealed or state == SEALED,
    }


def _words(found: Imported, info: SessionInfo) -> str:
    what = {
        "known": "is already here, the same as in the file.",
        "copy": "was imported as a copy.",
    }.get(found.outcome, "was imported.")
    return f"{quoted(found.name)} {what}" + (" It is locked." if info.locked else "")


def _sealed(path: Path) -> bool:
    from gui.sessions import file

    return file.read_header(path).encrypted


def _open_unlocked(ctx: Context, session_id: str) -> None:
    info = ctx.sessions.info(session_id, actor=ctx.actor)
    if not info.locked and not info.archived:
        show_session(ctx, session_id)


@page.callback(Output(page.id.import_list, "children"), Input(page.id.imports, "data"))
def show_imports(ctx: Context, items: list[Item] | None) -> Any:
    return dmc.Stack([_shown(item) for item in items or []], gap="xs") if items else None


def _shown(item: Item) -> Any:
    key, actions = item["token"], []
    if item["sealed"] and item["state"] in (DIFFERS, SEALED):
        field = page.id.each("copy_password", key)
        actions.append(
            dmc.PasswordInput(
                id=field,
                value="",
                placeholder="Password, for a copy",
                size="xs",
                w=190,
                autoComplete="off",
                **{"aria-label": "Password"},
            )
        )
    if item["state"] in (DIFFERS, SEALED):
        actions.append(
            dmc.Button("Import as a copy", id=page.id.each("copy", key), size="compact-sm")
        )
    if item["state"] == DIFFERS:
        actions.append(
            dmc.Button(
                "Open mine", id=page.id.each("mine", key), size="compact-sm", variant="default"
            )
        )
    words = [
        dmc.Text(cut(item["file"], 50), size="xs", c="dimmed"),
        dmc.Text(item["text"], size="sm", style={"overflowWrap": "anywhere"}),
    ]
    return dmc.Alert(
        dmc.Stack(
            [*words, dmc.Group(actions, gap="xs", justify="flex-end") if actions else None], gap=4
        ),
        color=COLOURS[item["state"]],
        variant="light",
        p="xs",
    )


@page.callback(
    CHANGED,
    Output(page.id.imports, "data", allow_duplicate=True),
    Output(page.id.import_dialog, "opened", allow_duplicate=True),
    Input(page.id.each("mine", ALL), "n_clicks"),
    Input(page.id.each("copy", ALL), "n_clicks"),
    State(page.id.imports, "data"),
    State(page.id.each("copy_password", ALL), "value"),
    State(page.id.each("copy_password", ALL), "id"),
    prevent_initial_call=True,
    long=True,
)
def decide(
    ctx: Context,
    _mine: Any,
    _copy: Any,
    items: list[Item] | None,
    passwords: list[str | None],
    fields: list[dict[str, Any]],
) -> Any:
    """Mine or a copy, for one of the files."""
    token = clicked()
    item = next((i for i in items or [] if i["token"] == token), None)
    if item is None or items is None:
        raise PreventUpdate
    if call.triggered_id["part"] == "copy":
        password = next(
            (
                value
                for value, field in zip(passwords, fields, strict=True)
                if field["index"] == token
            ),
            None,
        )
        decided = _brought(ctx, item["token"], as_copy=True, password=password or None)
    else:
        session_id = item["id"]
        if ctx.sessions.info(session_id, actor=ctx.actor).archived:
            ctx.sessions.restore_session(session_id, actor=ctx.actor)
        ctx.uploads.forget(item["token"])
        name = ctx.sessions.info(session_id, actor=ctx.actor).name
        decided = {**item, "state": DONE, "text": f"{quoted(name)} stays as it is."}
    ctx.notify(decided["text"], colour="green")
    items = [decided if i is item else i for i in items]
    if len(items) > 1:  # the list stays to be read
        return now(), items, no_update
    _open_unlocked(ctx, decided["id"])
    return now(), [], False
