"""Saves what ``gui/components/save_all.py`` had drawn as one ZIP file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Input, Output, State, dcc

from gui.components.pictures import picture_file
from gui.components.save_all import WANTED
from gui.errors import DeconomixError
from gui.figures.template import template
from gui.files import ZIP
from gui.plugin import Context
from gui.report import STEPS
from gui.report.figures_and_tables import contents, zipped
from gui.shell.page import shell

DRAWN, LIGHT = "dcx-save-all-drawn", "dcx-save-all-light"


def save_all_stores() -> list[Any]:
    """What is to be drawn, what was drawn, and the template of saved figures."""
    light = template(False).to_plotly_json()
    return [dcc.Store(id=WANTED), dcc.Store(id=DRAWN), dcc.Store(id=LIGHT, data=light)]


shell.clientside(
    "function() { return window.dash_clientside.dcx.draw_all(...arguments); }",
    Output(DRAWN, "data"),
    Input(WANTED, "data"),
    State(LIGHT, "data"),
    State("dcx-export-kept", "data"),
    prevent_initial_call=True,
)


@shell.callback(Input(DRAWN, "data"), prevent_initial_call=True, long=True, picture=True)
def save_archive(ctx: Context, drawn: Mapping[str, Any] | None) -> None:
    """Write figures, tables and a list of them. DeconomixError: they are not those asked for."""
    if not drawn:
        return
    kinds = [kind for kind in drawn.get("kinds") or [] if kind in STEPS]
    found = contents(ctx.session, kinds)
    files: dict[str, bytes] = {}
    for picture in drawn.get("pictures") or []:
        name = str(picture.get("name"))
        if name not in found.figures:
            raise DeconomixError("The results have changed meanwhile.", advice="Save them again.")
        data, kind, _ = picture_file(picture)
        files[name + kind.suffixes[0]] = data
    if len(files) < len(found.figures):
        raise DeconomixError(
            "The figures could not be drawn.",
            advice="Wait until a figure is shown, then try again.",
        )
    which = STEPS[kinds[0]] if len(kinds) == 1 else "all results"
    told = ctx.files.save(f"{ctx.session.name} {which}", zipped(found, files), ZIP)
    if told:
        ctx.notify(told, title="Saved", colour="teal")
