"""Exporting."""

from __future__ import annotations

from dash import Input, Output, State
from dash import ctx as call

from gui.pages.sessions.base import SESSION, Row, page
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
    told = ctx.files.save(f"{chosen[0]['name']}{SESSION.suffixes[0]}", ctx.sessions.export_session(chosen[0]["id"], actor=ctx.actor), SESSION)
    if told:
        ctx.notify(told, title="Exported", colour="green")
