"""Page Survival: whether it can be run and why not, and running it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Input, Output

from gui.analyses.samples import sample_table
from gui.analyses.survival import SurvivalParams, run_survival
from gui.analyses.survival_subjects import check_columns, endpoint
from gui.answers.analyses import composition_runs, inputs_of
from gui.components.jobs import running
from gui.components.views import GONE, SHOWN
from gui.errors import DeconomixError, InvalidParameter, MissingPart
from gui.pages.survival.base import form, page
from gui.pages.survival.columns import INPUTS, STATES, parse
from gui.plugin import JOBS, REVISION, Context

STARTED = "Started. You can go on working."


@page.callback(
    Output(page.id.run, "disabled"),
    Output(page.id.reason, "children"),
    Output(page.id.cut_points_box, "style"),
    inputs={"_revision": REVISION, "_jobs": JOBS, "values": form.inputs, "columns": INPUTS},
)
def ready(
    ctx: Context,
    *,
    values: Mapping[str, Any],
    columns: Mapping[str, Any],
    _revision: str | None,
    _jobs: Any,
) -> tuple[bool, str, dict[str, str]]:
    """Whether it can be run, and why not."""
    stated = SHOWN if values["cut"] == "stated" else GONE
    try:
        can_run(ctx, values, columns)
    except DeconomixError as error:
        return True, error.full_text, stated
    return False, STARTED if running(ctx, page.key) is not None else "", stated


def can_run(
    ctx: Context, values: Mapping[str, Any], columns: Mapping[str, Any]
) -> tuple[SurvivalParams, Mapping[str, str]]:
    """Parameters and inputs of the task; DeconomixError where it cannot be run."""
    data = ctx.session.need_dataset()
    found = composition_runs(ctx.session)
    if not found:
        raise MissingPart(
            "There is no composition of the current bulk yet.",
            advice="Run DTD, or compute the bulk on its page.",
        )
    params = parse(values, columns)
    named = endpoint(data, params)
    check_columns(
        sample_table(data), (*params.compare, *params.covariates, *params.strata), params, named
    )
    if not params.time_zero:
        raise InvalidParameter(
            "Say from when times are counted.", advice="Fill in “Time zero”: diagnosis, surgery …"
        )
    if params.cut == "stated" and not params.cut_points:
        raise InvalidParameter("State where fractions are cut, in percent.", advice="")
    source = next((run for run in found if run.id == columns.get("of")), None)
    if source is None:
        raise InvalidParameter(
            "The run whose fractions are compared is no longer there.",
            advice="Choose another under “Fractions of”.",
        )
    return params, inputs_of(ctx.session, source)


@page.callback(
    inputs={"clicks": Input(page.id.run, "n_clicks")},
    state={"values": form.states, "columns": STATES},
    prevent_initial_call=True,
)
def run(
    ctx: Context, *, clicks: int | None, values: Mapping[str, Any], columns: Mapping[str, Any]
) -> None:
    if not clicks:
        return
    params, inputs = can_run(ctx, values, columns)
    start(ctx, params, inputs)


def start(ctx: Context, params: SurvivalParams, inputs: Mapping[str, str]) -> None:
    """Queue the analysis, unless the same is under way."""
    jobs = ctx.jobs.status(ctx.session_id)
    same = (job.active and job.kind == page.key and job.params == params for job in jobs)
    if any(same):
        ctx.notify("The same analysis is already running.", colour="yellow")
        return
    ctx.jobs.submit(
        run_survival, ctx.session_id, params, kind=page.key, title="Survival", inputs=inputs
    )
