"""Layout and callbacks of the page: what is changed at the left, what comes of it at the right."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, State
from dash.exceptions import PreventUpdate

from gui.analyses.robustness import RobustnessParams, RobustnessResult, run_robustness
from gui.answers.analyses import basis_name
from gui.answers.robustness import summary_line
from gui.components.analysis import AnalysisHead, go_to
from gui.components.common import card, empty_state, form_end, tip_label, two_columns
from gui.components.figure import bind_figure_export, figure_card
from gui.components.job_progress import JobProgress
from gui.components.jobs import running
from gui.components.persistent_controls import PersistentControls
from gui.components.runs import PreviousRuns
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import Views, graph_height_style, switch
from gui.engine.results import Run
from gui.errors import DeconomixError
from gui.figures.palette import type_colours
from gui.figures.template import styled
from gui.pages.robustness.base import (
    form,
    inputs_of,
    page,
    params_for,
    source_options,
    source_run,
)
from gui.pages.robustness.looks import ABOUT, FILES, LOOKS, TABLE, TABLES, available, drawn
from gui.plugin import DARK, JOBS, REVISION, Context

GOING = "Started. You can go on working."
progress = JobProgress(page, page.key)
previous = PreviousRuns(
    page,
    "robustness",
    form,
    describe=lambda run: summary_line(run.result),
    basis=lambda ctx, run: basis_name(ctx.session, run),
)


def nothing(ctx: Context) -> Any:
    """What to do while nothing was recomputed."""
    if not source_options(ctx):
        return empty_state(
            "No composition of the bulk yet",
            "What is recomputed is a run of DTD, ADTD or another method on the bulk.",
            go_to("dtd", "Go to DTD"),
        )
    return empty_state(
        "Nothing recomputed yet",
        "Choose at the left what is changed, then press Recompute. Each variant takes about as long"
        " as the run itself.",
    )


def start(ctx: Context, params: RobustnessParams, source: Run) -> None:
    """Queue it, unless one is under way."""
    if running(ctx, page.key) is not None:
        ctx.notify("The run is being recomputed already.", colour="yellow")
        return
    ctx.jobs.submit(
        run_robustness,
        ctx.session_id,
        params_for(source, params),
        kind=page.key,
        title="Robustness",
        inputs=inputs_of(source),
    )


def again(ctx: Context, run: Run, source: Run) -> None:
    params: RobustnessParams = run.params  # type: ignore[assignment]
    start(ctx, params, source_run(ctx, source.id))


head = AnalysisHead(page, previous, nothing, again)
views = Views(page, "view")
controls = PersistentControls(page, look=TABLE)


@page.layout
def layout(ctx: Context) -> Any:
    options = source_options(ctx)
    parameters = card(
        dmc.Stack(
            [
                dmc.Select(
                    id=page.id.source,
                    label=tip_label("Run", "The run that is computed again."),
                    data=options,
                    value=options[0]["value"] if options else None,
                    allowDeselect=False,
                    size="sm",
                ),
                form.fields(ctx),
                form.advanced(ctx),
                form.hidden_parts(),
                form_end(
                    dmc.Button("Recompute", id=page.id.run, fullWidth=True, disabled=True),
                    dmc.Text(id=page.id.reason, size="xs", c="dimmed", ta="center", mt=6),
                    progress.layout(ctx),
                ),
            ],
            gap="sm",
        )
    )
    which = switch(LOOKS, page.id.look, controls.value(ctx, "look"))
    drawing = figure_card(page, "figure", file_name="robustness")
    table = result_table(page, "table", filters=False, engine=True)
    shown = views.layout([which], drawing, table)
    note = dmc.Text(id=page.id.note, size="xs", c="dimmed", mt=6)
    return two_columns(parameters, head.layout(ctx, card(shown, note)), foldable=True)


@page.summary
def summary(ctx: Context) -> str | None:
    run = ctx.session.current(page.key)
    return None if run is None else summary_line(run.result)


@page.callback(
    output={
        "options": Output(page.id.source, "data"),
        "value": Output(page.id.source, "value"),
    },
    inputs={"_revision": REVISION},
    state={"chosen": State(page.id.source, "value")},
)
def offer(ctx: Context, *, chosen: str | None, _revision: Any) -> dict[str, Any]:
    """The runs that can be computed again."""
    options = source_options(ctx)
    if any(option["value"] == chosen for option in options):
        return {"options": options}
    return {"options": options, "value": options[0]["value"] if options else None}


@page.callback(
    Output(page.id.run, "disabled"),
    Output(page.id.reason, "children"),
    inputs={
        "_revision": REVISION,
        "_jobs": JOBS,
        "source": Input(page.id.source, "value"),
        "values": form.inputs,
    },
)
def ready(
    ctx: Context, *, source: str | None, values: dict[str, Any], _revision: Any, _jobs: Any
) -> tuple[bool, str]:
    """Whether it can be computed, and why not."""
    try:
        params = params_for(source_run(ctx, source), form.parse(values))
    except DeconomixError as error:
        return True, error.full_text
    if not (params.genes or params.seeds or params.left_out or params.donors):
        return True, "Nothing is changed. Switch one of the changes on."
    return (True, GOING) if running(ctx, page.key) is not None else (False, "")


@page.callback(
    inputs={"clicks": Input(page.id.run, "n_clicks")},
    state={"source": State(page.id.source, "value"), "values": form.states},
    prevent_initial_call=True,
)
def recompute(
    ctx: Context, *, clicks: int | None, source: str | None, values: dict[str, Any]
) -> None:
    if clicks:
        start(ctx, form.parse(values), source_run(ctx, source))


@page.callback(
    output={
        "figure": Output(page.id.figure, "figure"),
        "style": Output(page.id.figure, "style"),
        "file": Output(page.id.figure_file, "data"),
        "columns": Output(page.id.table, "columnDefs"),
        "rows": Output(page.id.table, "rowData"),
        "table_note": Output(page.id.table_note, "children"),
        "note": Output(page.id.note, "children"),
        "views": views.outputs,
    },
    inputs={"_revision": REVISION, "dark": DARK, "look": Input(page.id.look, "value")},
)
def draw(ctx: Context, *, dark: bool, look: str, _revision: Any) -> dict[str, Any]:
    """The figure or the table that is chosen; the summary where it was not computed."""
    run = ctx.session.current(page.key)
    if run is None:
        raise PreventUpdate
    result: RobustnessResult = run.result
    look, note = available(result, look)
    if look in TABLES:
        shown = table_view(TABLES[look](result))
        return {
            "columns": shown.columns,
            "rows": shown.rows,
            "table_note": shown.note,
            "note": note or ABOUT[look],
            "views": views.show("table"),
        }
    fig, below = drawn(
        result, look, type_colours(ctx.session.dataset, *map(str, result.base.index))
    )
    return {
        "figure": styled(fig, bool(dark)),
        "style": graph_height_style(fig, above=360, least=420),
        "file": f"robustness-{look.replace('_', '-')}",
        "note": below,
        "views": views.show("figure"),
    }


def to_save(ctx: Context, look: str) -> TableFile | None:
    run = ctx.session.current(page.key)
    if run is None:
        return None
    result: RobustnessResult = run.result
    look, _ = available(result, look)
    look = look if look in TABLES else TABLE
    engine: pd.DataFrame | None = result.tables().get(FILES[look].replace("-", "_"))
    return TableFile(FILES[look], TABLES[look](result), ABOUT[look], engine, ABOUT[look])


head.bind()
controls.bind()
form.bind()
progress.bind()
bind_figure_export(page, "figure")
bind_table_export(page, "table", to_save, State(page.id.look, "value"), engine=True)
