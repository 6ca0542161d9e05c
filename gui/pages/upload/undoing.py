"""On the card of what is loaded: the repairs that were made, each with its Undo as long as its file
is there.
"""

from __future__ import annotations

import json
from typing import Any

import dash_mantine_components as dmc
from dash import Output, html

from gui.data.dataset import Dataset
from gui.pages.upload.base import page
from gui.pages.upload.loading import undoable
from gui.pages.upload.repair_form import repair_of, whose
from gui.plugin import REVISION, Context


@page.callback(Output(page.id.undo_bar, "children"), REVISION)
def show_repairs(ctx: Context, _revision: str | None) -> Any:
    data = ctx.session.dataset
    records = made(data) if data is not None else []
    if not records:
        return None
    there = [e["record"] for e in undoable(ctx)]
    return dmc.Stack(
        [
            dmc.Text("Repairs", fw=600, size="sm"),
            *[_row(ctx, record, record in there) for record in records],
        ],
        gap=6,
    )


def made(data: Dataset) -> list[dict[str, Any]]:
    """The repairs of a dataset, each once, as they stand in its sources."""
    found: list[dict[str, Any]] = []
    for source in data.sources:
        found += [dict(r) for r in source.options.get("repairs", ()) if dict(r) not in found]
    return found


def _row(ctx: Context, record: dict[str, Any], there: bool) -> Any:
    name = dmc.Text(
        [
            repair_of({"record": record}, ctx.uploads).title(),
            dmc.Text(f" · {whose(str(record.get('role')))}", span=True, c="dimmed"),
        ],
        size="sm",
    )
    if there:
        way: Any = dmc.Button(
            "Undo", id=page.id.each("undo", json.dumps(record)), size="compact-sm", variant="light"
        )
    else:
        way = dmc.Text("choose the file again to undo it", size="xs", c="dimmed")
    return html.Div([name, way], className="dcx-repair")
