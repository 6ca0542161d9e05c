"""Gene regulation per group: a card below the comparison of fractions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, html

from gui.analyses.group_regulation import GroupRegulationParams, run_group_regulation
from gui.answers.analyses import analysis_summary, composition_runs
from gui.answers.group_regulation import difference_text, different_genes, shown_table
from gui.answers.run_names import method_name, source_name
from gui.components.common import card
from gui.components.figure import bind_figure_export, figure_card
from gui.components.form import ParamsForm
from gui.components.jobs import running
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style, switch
from gui.components.warnings import warning_list
from gui.engine.results import Run
from gui.errors import DeconomixError, MissingPart
from gui.figures.template import styled
from gui.methods.method import KIND as METHOD
from gui.methods.method import Capability
from gui.methods.registry import capabilities_of
from gui.pages.groups.base import field_inputs, field_states, page, parse
from gui.plugin import DARK, JOBS, REVISION, Context
from gui.report.analyses import MOST_GENES, difference_figure

KIND = "group_regulation"
GOING = "This is waiting or running."
form = ParamsForm(page, GroupRegulationParams, prefix="regulation_", names=("permutations",))
views = Views(page, "regulation_view")


def layout(ctx: Context) -> Any:
    """The card: what it asks, the button, and the result once there is one."""
    row = dmc.Group(
        [
            html.Div(form.fields(ctx), style={"width": 190}),
            dmc.Button(
                "Compare gene regulation",
                id=page.id.regulation_run,
                variant="light",
                size="sm",
                disabled=True,
            ),
        ],
        gap="sm",
        align="flex-end",
    )
    look = switch({"figure": "Figure", "table": "Table"}, page.id.regulation_look, "figure")
    drawing = figure_card(page, "regulation_figure", file_name="groups-regulation")
    table = result_table(page, "regulation_table", filters=False, engine=True)
    return card(
        dmc.Text("Gene regulation per group", fw=600),
        dmc.Text(
            "Estimates gene regulation in the samples of each group alone, and asks by permutation"
            " of the groups which genes are regulated differently.",
            size="xs",
            c="dimmed",
            mb="xs",
        ),
        row,
        form.hidden_parts(),
        dmc.Text(id=page.id.regulation_reason, size="xs", c="dimmed", mt=4),
        html.Div(id=page.id.regulation_words),
        html.Div(
            views.layout([look], drawing, table),
            id=page.id.regulation_shown,
            style=GONE,
        ),
    )


def regulated_run(ctx: Context, source: str | None) -> Run:
    """The run with gene regulation: the one chosen, or else the newest; MissingPart."""
    runs = composition_runs(ctx.session)
    chosen = next((run for run in runs if run.id == source), runs[0] if runs else None)
    able = [run for run in runs if Capability.REGULATION in capabilities_of(run)]
    there = [run for run in able if _can_run_again(ctx, run)]
    found = chosen if chosen in there else max(there, key=lambda run: run.created, default=None)
    if found is None and able:
        raise MissingPart(
            f"The {source_name(able[0])} cannot be computed again: what it was computed with is not"
            " there any more.",
            advice="Run it again.",
        )
    if found is None:
        raise MissingPart(
            "There is no run of the bulk with gene regulation."
            if chosen is None
            else f"{method_name(chosen)} estimates no gene regulation.",
            advice="Run ADTD with the model “Hidden background + gene regulation”, or another"
            " method that estimates it.",
        )
    return found


def _can_run_again(ctx: Context, run: Run) -> bool:
    """Whether the DTD run of ADTD is there, or the plug-in of another method."""
    if run.kind == METHOD:
        return any(method.key == run.result.method for method in ctx.methods)
    return ctx.session.run(run.provenance.inputs.get("dtd")) is not None


def instead(ctx: Context, source: str | None, run: Run) -> str:
    """That another run than the one chosen is compared, a sentence; "" if it is that one."""
    chosen = next((one for one in composition_runs(ctx.session) if one.id == source), None)
    if chosen is None or chosen.id == run.id:
        return ""
    able = Capability.REGULATION in capabilities_of(chosen)
    why = "cannot be computed again" if able else "estimates no gene regulation"
    return f"{method_name(chosen)} {why}: the {source_name(run)} is compared."


def asked(ctx: Context, values: Mapping[str, Any]) -> tuple[GroupRegulationParams, Run]:
    """Parameters and run; DeconomixError if it cannot be compared."""
    groups = parse(values)
    run = regulated_run(ctx, values["source"])
    if groups.compare != "groups" or groups.subject or groups.covariates:
        raise MissingPart(
            "Gene regulation is compared between groups, without order, pairs or covariates.",
            advice="Choose Groups at the left, and clear the fields under Advanced.",
        )
    if not groups.column:
        raise MissingPart("No column is chosen.", advice="Choose one under “Groups by”.")
    own = {name.removeprefix(form.prefix): v for name, v in values.items()}
    params = form.parse(
        own,
        column=groups.column,
        groups=groups.groups,
        cuts=groups.cuts,
        **settings_of(run),
    )
    return params, run


def settings_of(run: Run) -> dict[str, Any]:
    """What of the run's parameters the comparison names as its own."""
    if run.kind == METHOD:
        return {"method": run.result.method}
    return {name: getattr(run.params, name) for name in ("lambda2", "max_iterations")}


def inputs_of(run: Run) -> dict[str, str]:
    """What the task gets: the run, and of ADTD also its DTD run."""
    before = run.provenance.inputs.get("dtd")
    return {run.kind: run.id} | ({} if run.kind == METHOD or not before else {"dtd": before})


PERMUTATIONS = {"regulation_permutations": form.id("permutations")}


@page.callback(
    Output(page.id.regulation_run, "disabled"),
    Output(page.id.regulation_reason, "children"),
    inputs={
        "_revision": REVISION,
        "_jobs": JOBS,
        "values": field_inputs() | {n: Input(i, "value") for n, i in PERMUTATIONS.items()},
    },
)
def ready_regulation(
    ctx: Context, *, values: dict[str, Any], _revision: Any, _jobs: Any
) -> tuple[bool, str]:
    """Whether it can be compared, and why not."""
    try:
        _, run = asked(ctx, values)
    except DeconomixError as error:
        return True, error.full_text
    if running(ctx, KIND) is not None:
        return True, GOING
    return False, instead(ctx, values["source"], run)


@page.callback(
    inputs={"clicks": Input(page.id.regulation_run, "n_clicks")},
    state={"values": field_states() | {n: State(i, "value") for n, i in PERMUTATIONS.items()}},
    prevent_initial_call=True,
)
def compare_regulation(ctx: Context, *, clicks: int | None, values: dict[str, Any]) -> None:
    if not clicks:
        return
    params, run = asked(ctx, values)
    if running(ctx, KIND) is not None:
        ctx.notify("Gene regulation is being compared already.", colour="yellow")
        return
    ctx.jobs.submit(
        run_group_regulation,
        ctx.session_id,
        params,
        kind=KIND,
        title=f"Gene regulation: {params.column}",
        inputs=inputs_of(run),
    )


@page.callback(
    output={
        "shown": Output(page.id.regulation_shown, "style"),
        "words": Output(page.id.regulation_words, "children"),
        "figure": Output(page.id.regulation_figure, "figure"),
        "style": Output(page.id.regulation_figure, "style"),
        "columns": Output(page.id.regulation_table, "columnDefs"),
        "rows": Output(page.id.regulation_table, "rowData"),
        "note": Output(page.id.regulation_table_note, "children"),
        "views": views.outputs,
    },
    inputs={
        "_revision": REVISION,
        "dark": DARK,
        "look": Input(page.id.regulation_look, "value"),
    },
)
def draw_regulation(ctx: Context, *, dark: bool, look: str, _revision: Any) -> dict[str, Any]:
    run = ctx.session.current(KIND)
    if run is None:
        return {"shown": GONE, "words": None}
    short = analysis_summary(ctx.session, run)
    lines = [dmc.Text(text, size="xs") for text in (*short.details, difference_text(run.result))]
    words = dmc.Stack(
        [dmc.Text(short.answer, fw=600), *lines, *warning_list(short.warnings)], gap=2, my="xs"
    )
    found = {"shown": SHOWN, "words": words, "views": views.show(look)}
    if look == "table":
        shown = table_view(shown_table(run.result))
        return {**found, "columns": shown.columns, "rows": shown.rows, "note": shown.note}
    genes = different_genes(run.result, MOST_GENES)
    fig = styled(difference_figure(run.result, genes), bool(dark))
    return {**found, "figure": fig, "style": graph_height_style(fig, above=360, least=320)}


def to_save(ctx: Context) -> TableFile | None:
    run = ctx.session.current(KIND)
    if run is None:
        return None
    about = f"{difference_text(run.result)} log2; p-values are adjusted for all entries tested."
    whole = run.result.tables()["groups_regulation"]
    return TableFile("groups-regulation", shown_table(run.result), about, whole, about)


form.bind()
bind_figure_export(page, "regulation_figure")
bind_table_export(page, "regulation_table", to_save, engine=True)
