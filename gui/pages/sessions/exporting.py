"""Exporting."""

from __future__ import annotations

from dash import Input, Output, State
from dash import ctx as call

from gui.files import SESSION
from gui.pages.sessions.base import Row, page
from gui.plugin import Context


@page.callback(
    Input(page.id.active_export, "n_clicks"),
    Input(page.id.archived_export, "n_clicks"),
    State(page.id.active, "selectedRows"),
    State(page.id.archived, "selectedRows"),
    running=[(Output(page.id.active_export, "loading"), True, False), (Output(page.id.archived_export, "loading"), True, False)],
    prevent_initial_call=True,
)
def export(ctx: Context, one: int | None, two: int | None, active: list[Row] | None, archived: list[Row] | None) -> None:
    chosen = (active if call.triggered_id == page.id.active_export else archived) or []
    if not (one or two) or len(chosen) != 1:
        return
    exported = ctx.sessions.export_session(chosen[0]["id"], actor=ctx.actor)
    told = ctx.files.save(exported.name, exported.data, SESSION)
    if told:
        ctx.notify(told, title="Exported", colour="green")
