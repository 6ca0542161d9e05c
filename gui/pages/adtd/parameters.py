"""Parameter column: model, dataset, search of lambda2; what can run, and running it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, html
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.answers.adtd import PARTS, model_name
from gui.components.common import card, clicked, empty_state, form_end
from gui.components.form import folded
from gui.components.job_progress import JobProgress
from gui.components.jobs import running, running_state
from gui.components.templates import TemplatesDialog
from gui.data.normalize import bulk_keeps
from gui.engine.lambda2_advice import FEW_SAMPLES
from gui.engine.params import ADTDParams, Params, SearchParams
from gui.engine.results import DTDResult
from gui.engine.tasks import run_adtd, run_search
from gui.errors import DeconomixError, InvalidParameter, MissingPart
from gui.pages.adtd.base import (
    COMPOSITION,
    HIDDEN_TAB,
    applies,
    form,
    kept_values,
    page,
    search_form,
    visible,
)
from gui.plugin import JOBS, REVISION, Context
from gui.text import number

GOING = "This is waiting or running."
progress = JobProgress(page, "adtd", "search", "bootstrap")
templates = TemplatesDialog(page, form)
MODEL_TEXTS = {
    "h": "estimates what is in the samples but not in the reference.",
    "h,r": "also estimates how genes are regulated in each cell type.",
    "custom": "your own choice of what is estimated.",
}


def column(ctx: Context, following: Any) -> Any:
    """The parameters, the search folded, one primary button, and ``following``: the next step."""
    show = applies(kept_values(ctx))
    search = folded(
        "Search λ₂",
        dmc.Text(
            "Finds λ₂ by cross-validation on the dataset chosen above.",
            size="xs",
            c="dimmed",
            mb="xs",
        ),
        dmc.SimpleGrid(
            [search_form.fields(ctx, name) for name in search_form.names],
            cols=2,
            spacing="xs",
            verticalSpacing="xs",
        ),
        dmc.Button("Search λ₂", id=page.id.search, variant="light", fullWidth=True, mt="sm"),
        dmc.Text("", id=page.id.search_reason, size="xs", c="dimmed", mt=4),
    )
    return card(
        dmc.Group([dmc.Text("Parameters", fw=600), templates.button()], gap="xs"),
        form.fields(ctx, "model"),
        dmc.Text("", id=page.id.model_words, size="xs", c="dimmed", mt=6, mb="sm"),
        form.fields(ctx, "part", "max_iterations"),
        dmc.Box(
            form.fields(ctx, "c_static", "delta_static"),
            id=page.id.for_custom,
            style=visible(show["custom"]),
            mt="sm",
        ),
        dmc.Box(
            form.fields(ctx, "lambda1"),
            id=page.id.for_lambda1,
            style=visible(show["lambda1"]),
            mt="sm",
        ),
        dmc.Box(
            form.fields(ctx, "lambda2"),
            id=page.id.for_lambda2,
            style=visible(show["lambda2"]),
            mt="sm",
        ),
        dmc.Box([search, form.advanced(ctx, "gene_weights", "refine")], mt="sm"),
        form_end(
            dmc.Button("Run ADTD", id=page.id.run, fullWidth=True),
            dmc.Text("", id=page.id.reason, size="xs", c="dimmed", ta="center", mt=6),
            progress.layout(ctx),
            following,
        ),
        templates.dialog(ctx),
        form.hidden_parts(),
        search_form.hidden_parts(),
    )


# -- what can be run
# --------------------------------------------------------------------------------------------------
def sample_count(ctx: Context, part: str) -> int | None:
    """Samples or mixtures of the dataset chosen; None where it is not there."""
    data, dtd = ctx.session.dataset, ctx.session.current("dtd")
    if data is None or dtd is None:
        return None
    if part == "bulk":
        return data.bulk.matrix.n_columns if data.bulk is not None else None
    trained = dtd.result.params
    if trained is None or (data.train if part == "train" else data.test) is None:
        return None
    return int(trained.train_mixtures if part == "train" else trained.test_mixtures)


def obstacle(ctx: Context, part: str) -> str | None:
    """Why this dataset cannot be deconvolved now and what to do, as sentences; None if it can."""
    data, dtd = ctx.session.dataset, ctx.session.current("dtd")
    if dtd is None or data is None:
        return "There is no DTD run yet. Run DTD first."
    trained: DTDResult = dtd.result
    if part == "bulk":
        if data.bulk is None:
            return (
                "There is no bulk. Load one on the Upload page, or choose pseudobulks as"
                " the dataset."
            )
        lacking = bulk_keeps(trained.genes, data.bulk.matrix)
        if lacking:
            return (
                f"The bulk lacks {number(len(lacking))} of the {number(len(trained.genes))} genes"
                " of the DTD run. Run DTD again."
            )
        return None
    if trained.params is None:
        return "A loaded model comes without pseudobulks. Choose the bulk as the dataset."
    if (data.train if part == "train" else data.test) is None:
        return (
            f"There are no {'training' if part == 'train' else 'test'} cells to simulate mixtures"
            " from. Choose another dataset."
        )
    return None


def adtd_problem(ctx: Context, values: Mapping[str, Any]) -> str | None:
    """Why Run is disabled, or None."""
    try:
        params = form.parse(values)
    except DeconomixError as error:
        return str(error)
    return GOING if _is_running(ctx, "adtd", params) else obstacle(ctx, params.part)


def search_problem(ctx: Context, values: Mapping[str, Any], part: str) -> str | None:
    """Why the search is disabled, or None."""
    try:
        params = search_form.parse(values, part=part)
    except DeconomixError as error:
        return str(error)
    count = sample_count(ctx, part)
    if count is not None and params.folds > count:
        return f"Folds is {params.folds}, but there are only {count} samples."
    return GOING if _is_running(ctx, "search", params) else obstacle(ctx, part)


def _is_running(ctx: Context, kind: str, params: Params) -> bool:
    """Whether the same is waiting or running, on the DTD current run."""
    dtd = ctx.session.current("dtd")
    inputs = {} if dtd is None else {"dtd": dtd.id}
    return any(
        job.active and job.kind == kind and job.params == params and dict(job.inputs) == inputs
        for job in ctx.jobs.status(ctx.session_id)
    )


def using(ctx: Context, part: str) -> str:
    """What is computed with, below the button: "1000 genes · 8 samples"."""
    dtd, count = ctx.session.current("dtd"), sample_count(ctx, part)
    if dtd is None or count is None:
        return ""
    what = ("sample" if part == "bulk" else "mixture") + "s" * (count != 1)
    return f"{number(len(dtd.result.genes))} genes of the DTD run · {number(count)} {what}"


def part_options(ctx: Context) -> list[dict[str, Any]]:
    """The datasets with their sizes; those that are not there cannot be chosen."""
    found = []
    for part, text in form.choices["part"].items():
        count = sample_count(ctx, part)
        found.append(
            {
                "value": part,
                "label": text if count is None else f"{text} ({number(count)})",
                "disabled": count is None,
            }
        )
    return found


# -- running
# --------------------------------------------------------------------------------------------------
def submit_adtd(ctx: Context, params: ADTDParams) -> None:
    """Queue a run on the DTD current run. MissingPart says why it cannot be."""
    _submit(
        ctx,
        run_adtd,
        params,
        "adtd",
        f"{model_name(params.model)} on {PARTS[params.part]}",
        params.part,
    )


def submit_search(ctx: Context, params: SearchParams) -> None:
    """Queue a search on the DTD current run.

    MissingPart or InvalidParameter say why it cannot be.
    """
    count = sample_count(ctx, params.part)
    if count is not None and params.folds > count:
        raise InvalidParameter(f"Folds is {params.folds}, but there are only {count} samples.")
    _submit(ctx, run_search, params, "search", f"Search λ₂ on {PARTS[params.part]}", params.part)


def _submit(ctx: Context, task: Any, params: Params, kind: str, title: str, part: str) -> None:
    reason, dtd = obstacle(ctx, part), ctx.session.current("dtd")
    if reason is not None or dtd is None:
        raise MissingPart(reason or "There is no DTD run yet.")
    if _is_running(ctx, kind, params):
        ctx.notify(f"{title} with these parameters is already waiting or running.")
        return
    ctx.jobs.submit(task, ctx.session_id, params, kind=kind, title=title, inputs={"dtd": dtd.id})


def nothing_yet(ctx: Context, tab: str, model: str, reason: str | None) -> Any:
    """Return the empty state of a tab: what the model would show, with a button, or the job."""
    job = running(ctx, "adtd")
    if job is not None:
        return running_state(job)
    button = dmc.Button(
        "Run with these parameters",
        variant="light",
        disabled=reason is not None,
        id=page.id.each("start", tab),
    )
    name = model_name(model)
    if tab == HIDDEN_TAB:
        return empty_state(
            "No hidden background yet",
            f"The model “{name}” estimates what is in the samples but not in the reference. Run it"
            " with the parameters on the left.",
            button,
        )
    found = "the fraction of each cell type and of a hidden background that the reference lacks"
    more = ", and how genes are regulated in each cell type" if model == "h,r" else ""
    return empty_state(
        "No result yet",
        f"The model “{name}” estimates {found}{more}. Run it with the parameters on the left.",
        button,
    )


form.bind()
search_form.bind()
templates.bind()
progress.bind()


@page.callback(
    output={
        "disabled": Output(page.id.run, "disabled"),
        "reason": Output(page.id.reason, "children"),
        "model_words": Output(page.id.model_words, "children"),
        "custom": Output(page.id.for_custom, "style"),
        "lambda1": Output(page.id.for_lambda1, "style"),
        "lambda2": Output(page.id.for_lambda2, "style"),
        "composition_empty": Output(page.id.composition_empty, "children"),
        "hidden_empty": Output(page.id.hidden_empty, "children"),
    },
    inputs={"_revision": REVISION, "_jobs": JOBS, "values": form.inputs},
)
def check_form(
    ctx: Context, *, values: dict[str, Any], _revision: Any, _jobs: Any
) -> dict[str, Any]:
    """Disable the button with its reason, and hide the fields that mean nothing for the model."""
    model, part = values["model"], values["part"]
    reason, show, name = adtd_problem(ctx, values), applies(values), model_name(model)
    return {
        "disabled": reason is not None,
        "reason": reason or using(ctx, part),
        "model_words": [html.B(name), f": {MODEL_TEXTS.get(model, '')}"],
        **{field: visible(show[field]) for field in ("custom", "lambda1", "lambda2")},
        "composition_empty": nothing_yet(ctx, COMPOSITION, model, reason),
        "hidden_empty": nothing_yet(ctx, HIDDEN_TAB, model, reason),
    }


@page.callback(Output(form.id("part"), "data"), REVISION)
def offer_parts(ctx: Context, _revision: Any) -> Any:
    return part_options(ctx)


@page.callback(
    Output(page.id.search, "disabled"),
    Output(page.id.search_reason, "children"),
    Output(page.id.search_empty, "children"),
    inputs={
        "_revision": REVISION,
        "_jobs": JOBS,
        "part": Input(form.id("part"), "value"),
        "values": search_form.inputs,
    },
)
def check_search(
    ctx: Context, *, part: str, values: dict[str, Any], _revision: Any, _jobs: Any
) -> Any:
    reason = search_problem(ctx, values, part)
    points, folds = values["points"], values["folds"]
    count = sample_count(ctx, part)
    few = (
        f". Only {count} samples: with fewer than {FEW_SAMPLES} the choice is uncertain."
        if count is not None and count < FEW_SAMPLES
        else ""
    )
    words = reason or f"{points} values × {folds} folds = {points * folds} fits{few}"
    job = running(ctx, "search")
    if job is not None:
        return reason is not None, words, running_state(job)
    empty = empty_state(
        "No search yet",
        "The search tries values of λ₂ on parts of the samples and shows which one predicts"
        " the samples left out best.",
        dmc.Button(
            "Search λ₂",
            variant="light",
            disabled=reason is not None,
            id=page.id.each("start-search", "empty"),
        ),
    )
    return reason is not None, words, empty


@page.callback(
    inputs={
        "clicks": Input(page.id.run, "n_clicks"),
        "_started": Input(page.id.each("start", ALL), "n_clicks"),
    },
    state={"values": form.states},
    prevent_initial_call=True,
)
def run(ctx: Context, *, clicks: int | None, values: dict[str, Any], _started: Any) -> None:
    """Parse the form and queue a run; also from the empty states."""
    if not (clicks if call.triggered_id == page.id.run else clicked()):
        raise PreventUpdate
    submit_adtd(ctx, form.parse(values))


@page.callback(
    inputs={
        "clicks": Input(page.id.search, "n_clicks"),
        "_started": Input(page.id.each("start-search", ALL), "n_clicks"),
    },
    state={"part": State(form.id("part"), "value"), "values": search_form.states},
    prevent_initial_call=True,
)
def start_search(
    ctx: Context, *, clicks: int | None, part: str, values: dict[str, Any], _started: Any
) -> None:
    if not (clicks if call.triggered_id == page.id.search else clicked()):
        raise PreventUpdate
    submit_search(ctx, search_form.parse(values, part=part))


@page.callback(Input(page.id.each("again", ALL), "n_clicks"), prevent_initial_call=True)
def again(ctx: Context, _clicks: Any) -> None:
    """An outdated result once more, with its own parameters, on the present data and DTD run."""
    found = ctx.session.run(clicked())
    if found is None:
        raise PreventUpdate
    if isinstance(found.params, SearchParams):
        submit_search(ctx, found.params)
    elif isinstance(found.params, ADTDParams):
        submit_adtd(ctx, found.params)


@page.callback(
    Output(form.fill_id, "data", allow_duplicate=True),
    Input(search_form.fill_id, "data"),
    prevent_initial_call=True,
)
def fill_part(ctx: Context, data: dict[str, Any] | None) -> Any:
    """A search brought back brings its dataset, which stands in the form above."""
    if not data or "part" not in data:
        raise PreventUpdate
    return {"part": data["part"], "": data.get("")}


@page.callback(
    Output(form.fill_id, "data", allow_duplicate=True),
    Input(page.id.each("model", ALL), "n_clicks"),
    prevent_initial_call=True,
)
def choose_model(ctx: Context, clicks: Any) -> Any:
    """From an empty state: the model that would fill it."""
    model = clicked()
    if model is None:
        raise PreventUpdate
    return {"model": model, "": f"{model} {clicks}"}
