"""Create a .dcx file of what is loaded, for the earlier DeconomiX GUI."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, no_update
from dash.exceptions import PreventUpdate

from gui.data.dataset import Role
from gui.data.legacy.dcx_write import dcx_bytes
from gui.files import FileKind
from gui.pages.upload.base import page
from gui.plugin import Context

DCX = FileKind("DeconomiX data", (".dcx",))
TEXTS: dict[Role, str] = {"train": "Training data", "test": "Test data", "bulk": "Application data"}
FIELDS = [page.id.dcx_author, *[getattr(page.id, f"dcx_{role}") for role in TEXTS]]


def dcx_dialog() -> Any:
    areas = [
        dmc.Textarea(
            id=getattr(page.id, f"dcx_{role}"),
            label=f"{title}: description",
            autosize=True,
            minRows=1,
            maxRows=4,
        )
        for role, title in TEXTS.items()
    ]
    words = (
        "One file with reference, training, test and bulk data over their common genes, unscaled."
        " The earlier DeconomiX GUI and this program open it."
    )
    return dmc.Modal(
        dmc.Stack(
            [
                dmc.Text(words, size="sm", c="dimmed"),
                dmc.TextInput(id=page.id.dcx_author, label="Author"),
                *areas,
                dmc.Group([dmc.Button("Create", id=page.id.dcx_create)], justify="flex-end"),
            ],
            gap="xs",
        ),
        id=page.id.dcx_box,
        title="Create .dcx file",
        centered=True,
        keepMounted=True,
    )


@page.callback(
    Output(page.id.dcx_box, "opened"),
    *[Output(i, "value") for i in FIELDS],
    Input(page.id.dcx_open, "n_clicks"),
    prevent_initial_call=True,
)
def ask(ctx: Context, clicks: int | None) -> Any:
    """Filled with what is known of the data."""
    if not clicks:
        raise PreventUpdate
    data = ctx.session.need_dataset()
    known = [source.description if (source := data.source(role)) else "" for role in TEXTS]
    return [True, data.author, *known]


@page.callback(
    Output(page.id.dcx_box, "opened", allow_duplicate=True),
    Input(page.id.dcx_create, "n_clicks"),
    *[State(i, "value") for i in FIELDS],
    running=[(Output(page.id.dcx_create, "loading"), True, False)],
    prevent_initial_call=True,
)
def create(ctx: Context, clicks: int | None, author: str | None, *texts: str | None) -> Any:
    if not clicks:
        raise PreventUpdate
    data = ctx.session.need_dataset()
    made = dcx_bytes(
        data,
        author=author or "",
        descriptions={role: text or "" for role, text in zip(TEXTS, texts, strict=True)},
    )
    told = ctx.files.save(data.name, made, DCX)
    if told is None:
        return no_update
    ctx.notify(told, title="Saved", colour="teal")
    return False
