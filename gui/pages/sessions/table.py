"""The two tables: what they show, and what is done in a row or with ticked rows at once."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, State, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.sessions import counted, digest, grid_style, rows, undo_bar
from gui.errors import DeconomixError, SessionError
from gui.pages.sessions.base import (
    ACTIVE,
    ARCHIVED,
    CHANGED,
    HIDDEN,
    Row,
    about,
    chosen,
    current,
    infos,
    leave,
    now,
    page,
    quoted,
    show_session,
)
from gui.pages.sessions.recovery import trouble_bars
from gui.plugin import REVISION, Context


@page.callback(
    Output(ACTIVE, "rowData"),
    Output(ARCHIVED, "rowData"),
    Output(ACTIVE, "style"),
    Output(ARCHIVED, "style"),
    Output(page.id.none, "style"),
    Output(page.id.archived_count, "children"),
    Output(page.id.archive_box, "style"),
    Output(page.id.undo, "children"),
    Output(page.id.troubles, "children"),
    Output(page.id.seen, "data"),
    Output(ACTIVE, "scrollTo"),
    Input(page.id.again, "n_intervals"),
    Input(page.id.changed, "data"),
    REVISION,
    State(page.id.seen, "data"),
)
def show(
    ctx: Context, _n: int | None, _changed: Any, _revision: str | None, seen: str | None
) -> Any:
    """Everything, if anything changed since this tab last looked."""
    found = list(infos(ctx).values())
    active = rows([i for i in found if not i.archived], current=current(ctx))
    archived = rows([i for i in found if i.archived])
    deleted = ctx.sessions.list_deleted_sessions(actor=ctx.actor)
    here = current(ctx)
    state = f"{here}|{digest([active, archived, deleted])}"
    moved = (seen or "").partition("|")[0] != here and any(row["id"] == here for row in active)
    # also after a name that was refused
    forced = isinstance(call.triggered_id, str) and call.triggered_id == page.id.changed
    if state == seen and not forced:
        raise PreventUpdate
    styles = (grid_style(len(active)), grid_style(len(archived)))
    boxes = (HIDDEN if active else {}, str(len(archived)), {} if archived else HIDDEN)
    return (
        active,
        archived,
        *styles,
        *boxes,
        undo_bar(page, deleted),
        trouble_bars(found),
        state,
        {"rowId": here} if moved else no_update,
    )


@page.callback(
    Output(ACTIVE, "dashGridOptions"),
    Output(ARCHIVED, "dashGridOptions"),
    Input(page.id.search, "value"),
    State(ACTIVE, "dashGridOptions"),
    State(ARCHIVED, "dashGridOptions"),
    prevent_initial_call=True,
)
def search(ctx: Context, text: str | None, active: dict[str, Any], archived: dict[str, Any]) -> Any:
    return [{**options, "quickFilterText": text or ""} for options in (active, archived)]


_ACTIONS = ("duplicate", "archive", "export", "protect", "lock", "password", "delete")


@page.callback(
    *[Output(getattr(page.id, f"active_{name}"), "disabled") for name in _ACTIONS],
    *[
        Output(getattr(page.id, f"active_{name}"), "style")
        for name in ("protect", "lock", "password")
    ],
    Input(ACTIVE, "selectedRows"),
    Input(ACTIVE, "rowData"),
)
def may_active(ctx: Context, selected: list[Row] | None, _rows: Any) -> Any:
    """Enable the actions: duplicating and passwords take one session, the rest any number."""
    found = chosen(ctx, selected)
    whole = bool(found) and all(i.problem is None for i in found)
    one = found[0] if len(found) == 1 and whole and not found[0].locked else None
    sealed = one is not None and one.protected
    may = {
        "duplicate": one is not None,
        "archive": whole,
        "export": bool(found),
        "protect": one is not None and not sealed,
        "lock": sealed,
        "password": sealed,
        "delete": bool(found),
    }
    return (
        *[not may[name] for name in _ACTIONS],
        HIDDEN if sealed else {},
        *[{} if sealed else HIDDEN] * 2,
    )


@page.callback(
    *[Output(i, "disabled") for i in (page.id.archived_export, page.id.archived_delete)],
    Input(ARCHIVED, "selectedRows"),
    Input(ARCHIVED, "rowData"),
)
def may_archived(ctx: Context, selected: list[Row] | None, _rows: Any) -> Any:
    nothing = not chosen(ctx, selected)
    return nothing, nothing


# -- in a row
# --------------------------------------------------------------------------------------------------


@page.callback(
    CHANGED,
    Output(page.id.unlocking, "data"),
    Output(page.id.unlock_dialog, "opened"),
    Output(page.id.unlock_question, "children"),
    Input(ACTIVE, "cellRendererData"),
    prevent_initial_call=True,
)
def open_session(ctx: Context, asked: dict[str, Any] | None) -> Any:
    """Open it; a locked one asks for its password first."""
    if not asked:
        raise PreventUpdate
    info = ctx.sessions.info(asked["value"], actor=ctx.actor)
    if info.locked and info.problem is None:
        return now(), info.session_id, True, f"{quoted(info.name)} is protected by a password."
    show_session(ctx, info.session_id)
    ctx.notify(f"{quoted(info.name)} is open.", colour="green")
    return now(), None, False, ""


@page.callback(CHANGED, Input(ARCHIVED, "cellRendererData"), prevent_initial_call=True)
def restore(ctx: Context, asked: dict[str, Any] | None) -> Any:
    """Back to the active ones, and open it unless it is locked."""
    if not asked:
        raise PreventUpdate
    session_id = ctx.sessions.restore_session(asked["value"], actor=ctx.actor).session_id
    info = ctx.sessions.info(session_id, actor=ctx.actor)
    ctx.notify(
        f"{quoted(info.name)} is restored." + (" It is locked." if info.locked else ""),
        colour="green",
    )
    if not info.locked:
        show_session(ctx, session_id)
    return now()


@page.callback(CHANGED, Input(ACTIVE, "cellValueChanged"), prevent_initial_call=True)
def edit(ctx: Context, edited: list[dict[str, Any]] | None) -> Any:
    """A name or a note was changed in the table; a name that is refused is put back."""
    for change in edited or []:
        try:
            (_keep_notes if change.get("colId") == "notes" else _rename)(ctx, change)
        except DeconomixError as error:
            ctx.notify_error(error)
    ctx.refresh()
    return now()


def _rename(ctx: Context, change: dict[str, Any]) -> None:
    ctx.sessions.rename_session(change["rowId"], str(change["value"] or ""), actor=ctx.actor)
    ctx.notify(
        f"It is now called {quoted(ctx.sessions.info(change['rowId'], actor=ctx.actor).name)}.",
        colour="green",
    )


def _keep_notes(ctx: Context, change: dict[str, Any]) -> None:
    session = ctx.sessions.get_session(change["rowId"], actor=ctx.actor)
    before, text = str(change.get("oldValue") or ""), str(change["value"] or "").strip()
    # the table shows the beginning of long notes only
    rest = session.notes[len(before) :] if session.notes.startswith(before) else ""
    session.notes = text + rest
    ctx.notify(
        (
            f"The notes of {quoted(session.name)} are kept."
            if session.notes
            else f"{quoted(session.name)} no longer has notes."
        ),
        colour="green",
    )


# -- with ticked rows
# --------------------------------------------------------------------------------------------------


@page.callback(
    CHANGED,
    Input(page.id.active_duplicate, "n_clicks"),
    State(ACTIVE, "selectedRows"),
    running=[(Output(page.id.active_duplicate, "loading"), True, False)],
    prevent_initial_call=True,
)
def duplicate(ctx: Context, clicks: int | None, selected: list[Row] | None) -> Any:
    found = chosen(ctx, selected)
    if not clicks or not found:
        raise PreventUpdate
    copy = ctx.sessions.duplicate_session(found[0].session_id, actor=ctx.actor)
    ctx.notify(f"{quoted(copy.name)} was created.", colour="green")
    return now()


@page.callback(
    CHANGED,
    Output(ACTIVE, "selectedRows", allow_duplicate=True),
    Input(page.id.active_archive, "n_clicks"),
    State(ACTIVE, "selectedRows"),
    running=[(Output(page.id.active_archive, "loading"), True, False)],
    prevent_initial_call=True,
)
def archive(ctx: Context, clicks: int | None, selected: list[Row] | None) -> Any:
    """Into the archive; one whose job still runs stays, so that its result is not lost."""
    found = chosen(ctx, selected)
    if not clicks or not found:
        raise PreventUpdate
    done: list[str] = []
    for info in found:
        try:
            if any(job.active for job in ctx.jobs.status(info.session_id)):
                raise SessionError(
                    f"A job of “{info.name}” is running.",
                    advice="Wait for it or cancel it, then archive.",
                )
            ctx.sessions.archive_session(info.session_id, actor=ctx.actor)
            done.append(info.name)
        except DeconomixError as error:
            ctx.notify_error(about(info.name, error))
    if done:
        leave(ctx, found)
        ctx.notify(f"{counted(done)} archived.", colour="green")
    return now(), []
