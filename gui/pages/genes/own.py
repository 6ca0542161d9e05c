"""The user's own files of gene sets and markers: adding, listing and removing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, html
from dash.exceptions import PreventUpdate

from gui.analyses.gene_params import SHIPPED_MARKERS
from gui.components.common import clicked, cut
from gui.components.file_field import FileField
from gui.data.readers.knowledge_file import knowledge_task
from gui.files import KNOWLEDGE
from gui.knowledge.gene_sets import SHIPPED
from gui.knowledge.markers import SHIPPED_NAME
from gui.pages.genes.base import own_files, page
from gui.plugin import Context

field = FileField(page, "own", (KNOWLEDGE,), title="Gene sets or markers")
CHOSEN = {"sets": Input(page.id.sets, "value"), "markers": Input(page.id.marker_lists, "value")}
"""The fields in which files are chosen."""
CHOSEN_STATES = {name: State(one.component_id, "value") for name, one in CHOSEN.items()}


def options(ctx: Context) -> dict[str, list[dict[str, str]]]:
    """Collections and marker lists to choose from, the user's own ones last."""
    own = own_files(ctx).list()
    return {
        "sets": [
            *({"value": one.key, "label": one.name} for one in SHIPPED.values()),
            *({"value": one.key, "label": one.name} for one in own if one.kind == "sets"),
        ],
        "markers": [
            {"value": SHIPPED_MARKERS, "label": SHIPPED_NAME[0].upper() + SHIPPED_NAME[1:]},
            *({"value": one.key, "label": one.name} for one in own if one.kind == "markers"),
        ],
    }


def there(values: list[str] | None, offered: list[dict[str, str]]) -> list[str]:
    """Those values that are still offered."""
    known = {option["value"] for option in offered}
    return [value for value in values or [] if value in known]


def listed(ctx: Context) -> Any:
    """The user's files with date and content, and a button that removes each."""
    rows = [
        dmc.Group(
            [
                html.Div(
                    [
                        dmc.Text(cut(one.name, 26), size="xs", fw=600),
                        dmc.Text(f"{one.date}: {one.note}", size="xs", c="dimmed"),
                    ],
                    style={"flex": 1, "minWidth": 0, "overflowWrap": "anywhere"},
                ),
                dmc.Button(
                    "Remove",
                    id=page.id.each("own-remove", one.key),
                    variant="subtle",
                    color="red",
                    size="compact-xs",
                ),
            ],
            wrap="nowrap",
            gap="xs",
            align="flex-start",
        )
        for one in own_files(ctx).list()
    ]
    return dmc.Stack(rows, gap="xs", mt="xs")


field.bind()


OWN_OUTPUTS = {
    "listed": Output(page.id.own_list, "children", allow_duplicate=True),
    "data": {
        name: Output(one.component_id, "data", allow_duplicate=True) for name, one in CHOSEN.items()
    },
    "values": {
        name: Output(one.component_id, "value", allow_duplicate=True)
        for name, one in CHOSEN.items()
    },
}


def _offered(ctx: Context, chosen: Mapping[str, Any], added: str = "", kind: str = "") -> Any:
    """What the fields show now; a file that was added is chosen."""
    offered = options(ctx)
    values = {name: there(chosen[name], offered[name]) for name in CHOSEN}
    if added and added not in values[kind]:
        values[kind] = [*values[kind], added]
    return {"listed": listed(ctx), "data": offered, "values": values}


@page.callback(
    output={**OWN_OUTPUTS, "token": Output(field.token_id, "data", allow_duplicate=True)},
    inputs={"token": Input(field.token_id, "data")},
    state={"chosen": CHOSEN_STATES},
    prevent_initial_call=True,
    long=True,
)
def add_file(ctx: Context, *, token: str | None, chosen: dict[str, Any]) -> dict[str, Any]:
    """Read a file in the reading process, keep what it holds, and choose it."""
    if not token:
        raise PreventUpdate
    upload = ctx.uploads.get(token)
    found = ctx.read(knowledge_task, (upload.path, upload.name), name=upload.name)
    kept_file = own_files(ctx).keep(
        found.name, found.sha256, found.note, sets=found.sets, markers=found.markers
    )
    ctx.uploads.forget(token)
    ctx.notify(found.note, title=f"{found.name} was added", colour="teal")
    return {**_offered(ctx, chosen, kept_file.key, kept_file.kind), "token": None}


@page.callback(
    output=OWN_OUTPUTS,
    inputs={"_clicks": Input(page.id.each("own-remove", ALL), "n_clicks")},
    state={"chosen": CHOSEN_STATES},
    prevent_initial_call=True,
)
def remove_file(ctx: Context, *, chosen: dict[str, Any], _clicks: Any) -> dict[str, Any]:
    """Remove the kept copy; the user's own file is not touched."""
    key = clicked()
    if key is None:
        raise PreventUpdate
    gone = own_files(ctx).remove(str(key))
    ctx.notify(f"{gone.name} was removed from the program. Your own file was not touched.")
    return _offered(ctx, chosen)
