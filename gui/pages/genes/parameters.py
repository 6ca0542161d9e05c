"""Parameter column: what counts as regulated, gene sets and markers, the user's own files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, html
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.analyses.gene_params import SHIPPED_MARKERS, GenesParams
from gui.analyses.genes import NO_RUN, NO_RUN_ADVICE, run_genes
from gui.answers.run_names import source_name
from gui.components.common import card, clicked, form_end, tip_label
from gui.components.form import folded
from gui.components.job_progress import JobProgress
from gui.components.jobs import running
from gui.components.persistent_controls import PersistentControls
from gui.errors import DeconomixError, MissingPart
from gui.pages.genes.base import effects_run, form, intervals_run, own_files, page
from gui.pages.genes.own import CHOSEN, CHOSEN_STATES, field, listed, options, there
from gui.plugin import JOBS, REVISION, Context

FIELDS = {"sets": "sets", "markers": "marker_lists"}
"""Parameter -> name under which the session keeps its field."""
GOING = "This is waiting or running."
progress = JobProgress(page, page.key)
kept = PersistentControls(page, sets=["hallmark"], marker_lists=[SHIPPED_MARKERS])


def column(ctx: Context) -> Any:
    """Essentials first, then own files and advanced parameters, one primary button."""
    offered = options(ctx)
    choices = [
        dmc.MultiSelect(
            id=CHOSEN[name].component_id,
            label=_label(name),
            data=offered[name],
            value=there(kept.value(ctx, FIELDS[name]), offered[name]),
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
                form_end(
                    dmc.Button("Run Genes", id=page.id.run, fullWidth=True, disabled=True),
                    dmc.Text("", id=page.id.reason, size="xs", c="dimmed", ta="center"),
                    progress.layout(ctx),
                ),
            ],
            gap="sm",
        )
    )


def _label(name: str) -> Any:
    found = GenesParams.model_fields[name]
    return tip_label(found.title, found.description or "")


def parse(ctx: Context, values: Mapping[str, Any], chosen: Mapping[str, Any]) -> GenesParams:
    """The parameters; InvalidParameter if one is not allowed."""
    return form.parse(
        values,
        sets=tuple(chosen["sets"] or ()),
        markers=tuple(chosen["markers"] or ()),
        folder=str(own_files(ctx).folder),
    )


form.bind()
kept.bind()
progress.bind()


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
    run = effects_run(ctx)
    try:
        params = parse(ctx, values, chosen)
    except DeconomixError as error:
        return {"disabled": True, "reason": str(error)}
    if run is None:
        return {"disabled": True, "reason": f"{NO_RUN} {NO_RUN_ADVICE}"}
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
    """Queue the analysis of the current run; also from the empty states."""
    if not (clicks if call.triggered_id == page.id.run else clicked()):
        raise PreventUpdate
    run = effects_run(ctx)
    if run is None:
        raise MissingPart(NO_RUN, advice=NO_RUN_ADVICE)
    if running(ctx, page.key) is not None:
        ctx.notify("Genes are being analysed already.", colour="yellow")
        return
    inputs = {run.kind: run.id}
    if (sure := intervals_run(ctx, run)) is not None:
        inputs["bootstrap"] = sure.id
    params = parse(ctx, values, chosen)
    ctx.jobs.submit(run_genes, ctx.session_id, params, kind=page.key, title="Genes", inputs=inputs)


@page.callback(Input(page.id.each("go", ALL), "n_clicks"), prevent_initial_call=True)
def go(ctx: Context, _clicks: Any) -> None:
    """From an empty state to the page with the missing step."""
    target = clicked()
    if target is None:
        raise PreventUpdate
    ctx.go_to(str(target))


@page.callback(
    output={
        name: Output(one.component_id, "value", allow_duplicate=True)
        for name, one in CHOSEN.items()
    },
    inputs={"data": Input(form.fill_id, "data")},
    prevent_initial_call=True,
)
def fill_chosen(ctx: Context, *, data: Mapping[str, Any] | None) -> dict[str, Any]:
    """The gene sets and marker lists of an earlier run that is shown again."""
    if not data:
        raise PreventUpdate
    offered = options(ctx)
    return {name: there(list(data.get(name) or ()), offered[name]) for name in CHOSEN}
