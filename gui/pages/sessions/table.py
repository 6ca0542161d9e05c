"""The two tables: what they show, and what is done in a row or with ticked rows at once."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, State, no_update
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.common import shorten
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
from gui.sessions.search import Found, search_sessions, tags_of
from gui.sessions.store import SessionInfo
from gui.text import some


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
    Output(page.id.search_answer, "children"),
    Output(page.id.search_tags, "data"),
    Output(page.id.search_tags, "style"),
    Input(page.id.again, "n_intervals"),
    Input(page.id.changed, "data"),
    REVISION,
    Input(page.id.search, "value"),
    Input(page.id.search_tags, "value"),
    State(page.id.seen, "data"),
)
def show(
    ctx: Context,
    _n: int | None,
    _changed: Any,
    _revision: str | None,
    text: str | None,
    tags: list[str] | None,
    seen: str | None,
) -> Any:
    """Everything that is searched for, if anything changed since this tab last looked."""
    everything = list(infos(ctx).values())
    hits = search_sessions(everything, text or "", tags or ())
    found = [hit.info for hit in hits]
    active = rows([i for i in found if not i.archived], current=current(ctx))
    archived = rows([i for i in found if i.archived])
    deleted = ctx.sessions.list_deleted_sessions(actor=ctx.actor)
    here = current(ctx)
    answer = _search_answer(everything, hits) if (text or "").strip() or tags else ""
    spelled = {tag.casefold(): tag for info in everything for tag in tags_of(info)}
    offered = [spelled[key] for key in sorted(spelled)] or list(tags or ())
    state = f"{here}|{digest([active, archived, deleted, answer, offered])}"
    moved = (seen or "").partition("|")[0] != here and any(row["id"] == here for row in active)
    # also after a name that was refused
    forced = isinstance(call.triggered_id, str) and call.triggered_id == page.id.changed
    if state == seen and not forced:
        raise PreventUpdate
    styles = (grid_style(len(active)), grid_style(len(archived)))
    any_active = any(not i.archived for i in everything)
    boxes = (HIDDEN if any_active else {}, str(len(archived)), {} if archived else HIDDEN)
    return (
        active,
        archived,
        *styles,
        *boxes,
        undo_bar(page, deleted),
        trouble_bars(everything),
        state,
        {"rowId": here} if moved else no_update,
        answer,
        offered,
        {} if offered else HIDDEN,
    )


def _search_answer(everything: list[SessionInfo], hits: list[Found]) -> str:
    """How many sessions a search found, where a sample is, and what was not searched."""
    sentences = [f"{len(hits)} of {len(everything)} sessions."]
    by_sample = [
        f"sample “{shorten(hit.sample, 40)}” in {quoted(hit.info.name)}"
        for hit in hits
        if hit.sample
    ]
    if by_sample:
        sentences.append(f"Found: {some(by_sample, longest=None)}.")
    locked = sum(info.locked for info in everything)
    if locked:
        what = "session is" if locked == 1 else "sessions are"
        sentences.append(f"{locked} locked {what} searched by name only.")
    unlisted = sum(bool(info.contents.get("unlisted")) for info in everything)
    if unlisted:
        what = "session has" if unlisted == 1 else "sessions have"
        sentences.append(f"{unlisted} {what} more samples than are searched.")
    return " ".join(sentences)


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
    """A name, a note or tags were changed in the table; what is refused is put back."""
    kinds = {"notes": _keep_notes, "tags": _keep_tags}
    for change in edited or []:
        try:
            kinds.get(str(change.get("colId")), _rename)(ctx, change)
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


def _keep_tags(ctx: Context, change: dict[str, Any]) -> None:
    session = ctx.sessions.get_session(change["rowId"], actor=ctx.actor)
    tags = session.set_tags(str(change["value"] or ""))
    name = quoted(session.name)
    ctx.notify(
        f"{name} is tagged {some(tags, 10)}." if tags else f"{name} no longer has tags.",
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
