"""Files dropped anywhere on the page but on a field: sessions are opened, data offered for Upload.

resources/assets/upload.js sends them; the window on Linux has its own way (desktop/drop.py).
"""

from __future__ import annotations

from typing import Any

from dash import Input, State, dcc, set_props
from dash.exceptions import PreventUpdate

from gui.components.offered_files import PAGE, place_file
from gui.errors import DeconomixError, UnreadableFile
from gui.files import SESSION
from gui.plugin import Context
from gui.shell.navigation import page_at
from gui.shell.page import shell

STORE = "dcx-dropped"
MOST = 50
"""Files of one drop that are looked at."""


def layout() -> list[Any]:
    return [dcc.Store(id=STORE)]


@shell.callback(
    Input(STORE, "data"), State("dcx-location", "pathname"), prevent_initial_call=True, long=True
)
def take_dropped(ctx: Context, data: dict[str, Any] | None, pathname: str | None) -> None:
    """Each file by itself: one that is refused does not stop the others."""
    files = (data or {}).get("files")
    if not isinstance(files, list) or not files:
        raise PreventUpdate
    placed: dict[str, str] = {}
    opened = None
    for one in files[:MOST]:
        try:
            if not isinstance(one, dict) or one.get("error"):
                what = str(one["error"])[:300] if isinstance(one, dict) else "No file arrived."
                raise UnreadableFile(what, advice="")
            upload = ctx.uploads.get(str(one.get("token")))
            if upload.name.lower().endswith(SESSION.suffixes):
                opened = _import(ctx, upload.token) or opened
            elif ctx.locked is not None:
                ctx.uploads.forget(upload.token)
                raise UnreadableFile(
                    f"{upload.name} was not taken: the session is locked.",
                    advice="Unlock it, then drop the file again.",
                )
            elif (role := place_file(ctx, upload)) is not None:
                placed[role] = upload.token
        except DeconomixError as error:
            ctx.notify_error(error)
    if len(files) > MOST:
        ctx.notify(f"Only the first {MOST} files were taken.", keep=True)
    if opened is not None:
        ctx.switch_to(opened)
    shown = page_at(ctx.pages, pathname)
    if placed and shown is not None and shown.key == PAGE:
        for role, token in placed.items():
            set_props(f"{PAGE}-{role}-token", {"data": token})
    elif placed:
        ctx.go_to(PAGE)


def _import(ctx: Context, token: str) -> str | None:
    """Copy a session file in; its id, None where another version of it is here."""
    upload = ctx.uploads.get(token)
    try:
        found = ctx.sessions.import_session(upload.path, actor=ctx.actor)
    finally:
        ctx.uploads.forget(token)
    if found.outcome == "differs":
        ctx.notify(
            f"“{found.name}” is here already, in another version than {upload.name} holds. To have"
            " both, import the file on the Sessions page.",
            keep=True,
        )
        return None
    ctx.notify(f"“{found.name}” is open.", colour="green")
    return found.session_id
