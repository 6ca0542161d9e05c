"""The two tables: what they show, and what is done in a row or with ticked rows at once."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, State
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.sessions import counted, digest, grid_style, rows, undo_bar
from gui.errors import DeconomixError, SessionError
from gui.pages.sessions.base import CHANGED, Row, leave, now, page
from gui.plugin import REVISION, Context


@page.callback(
    Output(page.id.active, "rowData"),
    Output(page.id.archived, "rowData"),
    Output(page.id.active, "style"),
    Output(page.id.archived, "style"),
    Output(page.id.none, "style"),
    Output(page.id.archived_count, "children"),
    Output(page.id.archive_box, "style"),
    Output(page.id.undo, "children"),
    Output(page.id.seen, "data"),
    Input(page.id.again, "n_intervals"),
    Input(page.id.changed, "data"),
    REVISION,
    State(page.id.seen, "data"),
)
def show(ctx: Context, _n: int | None, _changed: Any, _revision: str | None, seen: str | None) -> Any:
    """Everything, if anything changed since this tab last looked."""
    active = rows([i for i in ctx.sessions.list_sessions(actor=ctx.actor) if i.holds_data], current=(ctx.locked or ctx.session).session_id)
    archived = rows(ctx.sessions.list_archived_sessions(actor=ctx.actor))
    deleted = ctx.sessions.list_deleted_sessions(actor=ctx.actor)
    now = digest([active, archived, deleted, ctx.session_id])
    forced = isinstance(call.triggered_id, str) and call.triggered_id == page.id.changed  # also after a name that was refused
    if now == seen and not forced:
        raise PreventUpdate
    hidden, styles = {"display": "none"}, (grid_style(len(active)), grid_style(len(archived)))
    return active, archived, *styles, hidden if active else {}, str(len(archived)), {} if archived else hidden, undo_bar(page, deleted), now


@page.callback(
    Output(page.id.active, "dashGridOptions"),
    Output(page.id.archived, "dashGridOptions"),
    Input(page.id.search, "value"),
    State(page.id.active, "dashGridOptions"),
    State(page.id.archived, "dashGridOptions"),
    prevent_initial_call=True,
)
def search(ctx: Context, text: str | None, active: dict[str, Any], archived: dict[str, Any]) -> Any:
    return [{**options, "quickFilterText": text or ""} for options in (active, archived)]


@page.callback(
    *[Output(i, "disabled") for i in (page.id.active_duplicate, page.id.active_archive, page.id.active_export, page.id.active_delete)],
    Input(page.id.active, "selectedRows"),
)
def may_active(ctx: Context, selected: list[Row] | None) -> Any:
    """Duplicating and exporting take one session, archiving and deleting as many as are ticked."""
    chosen = selected or []
    one = len(chosen) == 1
    return not one or bool(chosen[0]["problem"]), not chosen, not one, not chosen


@page.callback(*[Output(i, "disabled") for i in (page.id.archived_export, page.id.archived_delete)], Input(page.id.archived, "selectedRows"))
def may_archived(ctx: Context, selected: list[Row] | None) -> Any:
    return len(selected or []) != 1, not selected


# -- open, rename, duplicate, archive, restore ----------------------------------------------------------------------------------


@page.callback(CHANGED, Input(page.id.active, "cellRendererData"), prevent_initial_call=True)
def open_session(ctx: Context, asked: dict[str, Any] | None) -> Any:
    if not asked:
        raise PreventUpdate
    session = ctx.sessions.get_session(asked["value"], actor=ctx.actor)
    ctx.switch_to(session.session_id)
    ctx.notify(f"“{session.name}” is open.", colour="green")
    return now()


@page.callback(CHANGED, Input(page.id.archived, "cellRendererData"), prevent_initial_call=True)
def restore(ctx: Context, asked: dict[str, Any] | None) -> Any:
    """Back to the active ones, and open it."""
    if not asked:
        raise PreventUpdate
    session = ctx.sessions.restore_session(asked["value"], actor=ctx.actor)
    ctx.notify(f"“{session.name}” is restored.", colour="green")
    ctx.switch_to(ctx.sessions.get_session(session.session_id, actor=ctx.actor).session_id)
    return now()


@page.callback(CHANGED, Input(page.id.active, "cellValueChanged"), prevent_initial_call=True)
def rename(ctx: Context, edited: list[Row] | None) -> Any:
    """A name was changed in the table; one that is refused is put back."""
    for change in edited or []:
        try:
            ctx.sessions.rename_session(change["rowId"], str(change["value"] or ""), actor=ctx.actor)
        except DeconomixError as error:
            ctx.complain(error)
    ctx.refresh()
    return now()


@page.callback(
    CHANGED,
    Input(page.id.active_duplicate, "n_clicks"),
    State(page.id.active, "selectedRows"),
    running=[(Output(page.id.active_duplicate, "loading"), True, False)],
    prevent_initial_call=True,
)
def duplicate(ctx: Context, clicks: int | None, selected: list[Row] | None) -> Any:
    if not clicks or not selected:
        raise PreventUpdate
    copy = ctx.sessions.duplicate_session(selected[0]["id"], actor=ctx.actor)
    ctx.notify(f"“{copy.name}” was made.", colour="green")
    return now()


@page.callback(
    CHANGED,
    Output(page.id.active, "selectedRows", allow_duplicate=True),
    Input(page.id.active_archive, "n_clicks"),
    State(page.id.active, "selectedRows"),
    running=[(Output(page.id.active_archive, "loading"), True, False)],
    prevent_initial_call=True,
)
def archive(ctx: Context, clicks: int | None, selected: list[Row] | None) -> Any:
    """Into the archive; one whose job still runs stays, so that its result is not lost."""
    if not clicks or not selected:
        raise PreventUpdate
    done: list[str] = []
    for row in selected:
        try:
            if any(job.active for job in ctx.jobs.status(row["id"])):
                raise SessionError(f"A job of “{row['name']}” is running.", advice="Wait for it or cancel it, then archive.")
            ctx.sessions.archive_session(row["id"], actor=ctx.actor)
            done.append(row["name"])
        except DeconomixError as error:
            ctx.complain(error)
    if done:
        leave(ctx, selected)
        ctx.notify(f"{counted(done)} archived.", colour="green")
    return now(), []
