"""Parameter column: what counts as regulated, gene sets and markers, the user's own files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, html
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.analyses.genes import SHIPPED_MARKERS, GenesParams, run_genes
from gui.answers.analyses import source_name
from gui.components.common import card, clicked, cut, tip_label
from gui.components.file_field import FileField
from gui.components.form import folded
from gui.components.jobs import running
from gui.components.persistent_controls import PersistentControls
from gui.data.readers.knowledge_file import knowledge_task
from gui.errors import DeconomixError, MissingPart
from gui.files import KNOWLEDGE
from gui.knowledge.gene_sets import SHIPPED
from gui.knowledge.markers import SHIPPED_NAME
from gui.pages.genes.base import adtd_run, form, intervals_run, own_files, page
from gui.plugin import JOBS, REVISION, Context

GOING = "This is waiting or running. The header shows the progress."
field = FileField(page, "own", (KNOWLEDGE,), title="Gene sets or markers")
kept = PersistentControls(page, sets=["hallmark"], markers=[SHIPPED_MARKERS])
CHOSEN = {"sets": Input(page.id.sets, "value"), "markers": Input(page.id.markers, "value")}
CHOSEN_STATES = {name: State(one.component_id, "value") for name, one in CHOSEN.items()}


def column(ctx: Context) -> Any:
    """Essentials first, then own files and advanced parameters, one primary button."""
    offered = options(ctx)
    choices = [
        dmc.MultiSelect(
            id=getattr(page.id, name),
            label=_label(name),
            data=offered[name],
            value=there(kept.value(ctx, name), offered[name]),
            searchable=True,
            size="sm",
        )
        for name in ("sets", "markers")
    ]
    own = folded(
        "Your own files",
        dmc.Text(
            "A GMT file of gene sets; or a table of markers: CellMarker, PanglaoDB, or any with a"
            " column of cell types and one of genes. Kept on this computer, for all sessions.",
            size="xs",
            c="dimmed",
            mb="xs",
        ),
        field.layout(ctx),
        html.Div(listed(ctx), id=page.id.own_list),
    )
    return card(
        dmc.Stack(
            [
                form.fields(ctx, "fold", "supported"),
                *choices,
                own,
                form.advanced(ctx),
                form.hidden_parts(),
                dmc.Button("Run Genes", id=page.id.run, fullWidth=True, disabled=True),
                dmc.Text("", id=page.id.reason, size="xs", c="dimmed", ta="center"),
            ],
            gap="sm",
        )
    )


def _label(name: str) -> Any:
    found = GenesParams.model_fields[name]
    return tip_label(found.title, found.description or "")


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


def parse(ctx: Context, values: Mapping[str, Any], chosen: Mapping[str, Any]) -> GenesParams:
    """The parameters; InvalidParameter if one is not allowed."""
    return form.parse(
        values,
        sets=tuple(chosen["sets"] or ()),
        markers=tuple(chosen["markers"] or ()),
        folder=str(own_files(ctx).folder),
    )


form.bind()
field.bind()
kept.bind()


@page.callback(
    output={
        "disabled": Output(page.id.run, "disabled"),
        "reason": Output(page.id.reason, "children"),
    },
    inputs={"_revision": REVISION, "_jobs": JOBS, "values": form.inputs, "chosen": CHOSEN},
)
def ready(
    ctx: Context, *, values: dict[str, Any], chosen: dict[str, Any], _revision: Any, _jobs: Any
) -> dict[str, Any]:
    """Whether the analysis can run, what it is of, and why not."""
    run = adtd_run(ctx)
    try:
        params = parse(ctx, values, chosen)
    except DeconomixError as error:
        return {"disabled": True, "reason": str(error)}
    if run is None:
        return {"disabled": True, "reason": "There is no ADTD run yet. Run ADTD first."}
    if running(ctx, page.key) is not None:
        return {"disabled": True, "reason": GOING}
    if params.smallest > params.largest:
        return {"disabled": True, "reason": "The smallest set is larger than the largest one."}
    return {"disabled": False, "reason": f"Of the {source_name(run)}."}


@page.callback(
    inputs={
        "clicks": Input(page.id.run, "n_clicks"),
        "_started": Input(page.id.each("start", ALL), "n_clicks"),
    },
    state={"values": form.states, "chosen": CHOSEN_STATES},
    prevent_initial_call=True,
)
def start(
    ctx: Context,
    *,
    clicks: int | None,
    values: dict[str, Any],
    chosen: dict[str, Any],
    _started: Any,
) -> None:
    """Queue the analysis of the current ADTD run; also from the empty states."""
    if not (clicks if call.triggered_id == page.id.run else clicked()):
        raise PreventUpdate
    run = adtd_run(ctx)
    if run is None:
        raise MissingPart("There is no ADTD run yet.", advice="Run ADTD first.")
    if running(ctx, page.key) is not None:
        ctx.notify("Genes are being analysed already.", colour="yellow")
        return
    inputs = {"adtd": run.id}
    if (sure := intervals_run(ctx, run)) is not None:
        inputs["bootstrap"] = sure.id
    params = parse(ctx, values, chosen)
    ctx.jobs.submit(
        run_genes, ctx.session_id, params, kind=page.key, title="Genes", inputs=inputs
    )


@page.callback(Input(page.id.each("go", ALL), "n_clicks"), prevent_initial_call=True)
def go(ctx: Context, _clicks: Any) -> None:
    """From an empty state to the page with the missing step."""
    target = clicked()
    if target is None:
        raise PreventUpdate
    ctx.go_to(str(target))


@page.callback(
    output={name: Output(one.component_id, "value", allow_duplicate=True) for name, one in CHOSEN.items()},
    inputs={"data": Input(form.fill_id, "data")},
    prevent_initial_call=True,
)
def fill_chosen(ctx: Context, *, data: Mapping[str, Any] | None) -> dict[str, Any]:
    """The gene sets and marker lists of an earlier run that is shown again."""
    if not data:
        raise PreventUpdate
    offered = options(ctx)
    return {name: there(list(data.get(name) or ()), offered[name]) for name in CHOSEN}


# -- own files
# --------------------------------------------------------------------------------------------------
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
