"""Layout of the page: parameters at the left, answer, figures and tables at the right."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, html
from dash.exceptions import PreventUpdate

from gui.analyses.groups import GroupsResult
from gui.analyses.samples import grouping_columns
from gui.answers.analyses import basis_name, contradicted_of
from gui.answers.groups import effect_title, summary_line, type_sentence
from gui.components.analysis import AnalysisHead, go_to
from gui.components.common import card, empty_state, two_columns
from gui.components.figure import bind_figure_export, figure_card
from gui.components.persistent_controls import PersistentControls
from gui.components.runs import PreviousRuns
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style, options, switch
from gui.figures.groups import effects, heatmap, overview
from gui.figures.palette import type_colours
from gui.figures.template import styled
from gui.pages.groups import regulation
from gui.pages.groups.base import form, page, progress, source_options
from gui.pages.groups.fields import column
from gui.pages.groups.looks import (
    ALL,
    EFFECTS,
    FILES,
    LOOKS,
    MAP,
    ONE,
    TABLE,
    TABLES,
    by_evidence,
    note_of,
    table_of,
)
from gui.pages.groups.parameters import start
from gui.plugin import DARK, REVISION, Context
from gui.report.analyses import one_type

TYPE = "type:"
NO_COLUMNS = "Nothing is known that divides the samples"
previous = PreviousRuns(
    page,
    "groups",
    form,
    describe=lambda run: summary_line(run.result),
    basis=lambda ctx, run: basis_name(ctx.session, run),
)


def nothing(ctx: Context) -> Any:
    """What to do while no groups were compared."""
    data = ctx.session.dataset
    if data is None or not source_options(ctx):
        return empty_state(
            "No composition of the bulk yet",
            "Groups are compared by the composition of the bulk samples. Compute it with DTD.",
            go_to("dtd", "Go to DTD"),
        )
    if not grouping_columns(data):
        return empty_state(
            NO_COLUMNS,
            "Load a clinical table, or a bulk with annotations, with a column that says to which"
            " group each sample belongs.",
            go_to("upload", "Go to Upload"),
        )
    return empty_state(
        "No groups compared yet",
        "Choose at the left by which column the samples are grouped, then press Compare. The"
        " fractions of all cell types are compared, with their effect, its interval and p-values"
        " adjusted for their number.",
    )


head = AnalysisHead(
    page, previous, nothing, lambda ctx, run, source: start(ctx, run.params, source)
)
views = Views(page, "view")
controls = PersistentControls(page, look=EFFECTS)


@page.layout
def layout(ctx: Context) -> Any:
    which = switch(LOOKS, page.id.look, controls.value(ctx, "look"))
    one = dmc.Select(
        id=page.id.type,
        data=[],
        size="xs",
        w=190,
        searchable=True,
        allowDeselect=False,
        **{"aria-label": "Cell type"},
    )
    of_type = dmc.Text(id=page.id.type_answer, size="xs", style={"flex": 1})
    one = dmc.Group([one, of_type], gap="xs", wrap="nowrap")
    drawing = figure_card(page, "figure", file_name="groups")
    table = result_table(page, "table", filters=False, engine=True)
    shown = views.layout([which, html.Div(one, id=page.id.types, style=GONE)], drawing, table)
    note = dmc.Text(id=page.id.note, size="xs", c="dimmed", mt=6)
    results = head.layout(ctx, card(shown, note))
    shown = dmc.Stack([*results, regulation.layout(ctx)], gap="md")
    return two_columns(column(ctx), shown, foldable=True)


@page.summary
def summary(ctx: Context) -> str | None:
    run = ctx.session.current(page.key)
    return None if run is None else summary_line(run.result)


@page.callback(
    output={
        "types": Output(page.id.types, "style"),
        "options": Output(page.id.type, "data"),
        "type": Output(page.id.type, "value"),
        "type_answer": Output(page.id.type_answer, "children"),
        "figure": Output(page.id.figure, "figure"),
        "style": Output(page.id.figure, "style"),
        "file": Output(page.id.figure_file, "data"),
        "columns": Output(page.id.table, "columnDefs"),
        "rows": Output(page.id.table, "rowData"),
        "table_note": Output(page.id.table_note, "children"),
        "note": Output(page.id.note, "children"),
        "views": views.outputs,
    },
    inputs={
        "_revision": REVISION,
        "dark": DARK,
        "look": Input(page.id.look, "value"),
        "chosen": Input(page.id.type, "value"),
    },
)
def draw(
    ctx: Context, *, dark: bool, look: str, chosen: str | None, _revision: Any
) -> dict[str, Any]:
    """The figure or the table that is chosen."""
    run = ctx.session.current(page.key)
    if run is None:
        raise PreventUpdate
    result: GroupsResult = run.result
    found: dict[str, Any] = {"types": GONE, "note": note_of(result, look)}
    if look in TABLES:
        frame = table_of(result, look)
        shown = table_view(frame)
        return {
            **found,
            "columns": shown.columns,
            "rows": shown.rows,
            "table_note": shown.note,
            "views": views.show("table"),
        }
    types = [str(t) for t in result.fractions.index]
    colours = type_colours(ctx.session.dataset, *types)
    if look == ONE or (look == ALL and not result.levels):
        name = str(chosen or "").removeprefix(TYPE)
        name = name if name in types else (result.called or by_evidence(result))[0]
        found |= {"types": SHOWN, "options": options({f"{TYPE}{t}": t for t in types})}
        doubt = " Two other estimates contradict its fraction: see the tab Second opinion."
        found["type_answer"] = type_sentence(result, name) + (
            doubt if name in contradicted_of(ctx.session, run) else ""
        )
        if chosen != f"{TYPE}{name}":
            found["type"] = f"{TYPE}{name}"
        fig, file = one_type(result, name, colours), f"groups-{name}"
    elif look == ALL:
        fig, file = overview(result.fractions, result.design, result.levels), "groups-all-types"
    elif look == MAP:
        fig = heatmap(result.values, result.fractions, result.design, result.levels)
        file = "groups-heat-map"
    else:
        title, file = effect_title(result), "groups-effects"
        fig = effects(result.table, title=title, no_effect=result.no_effect, colour_of=colours)
    style = graph_height_style(styled(fig, bool(dark)), above=360, least=420)
    return {**found, "figure": fig, "style": style, "file": file, "views": views.show("figure")}


def to_save(ctx: Context, look: str) -> TableFile | None:
    run = ctx.session.current(page.key)
    if run is None:
        return None
    look = look if look in TABLES else TABLE
    result: GroupsResult = run.result
    engine = result.tables().get(FILES[look].replace("-", "_"))
    about = f"{note_of(result, look)} Test: {result.test}."
    return TableFile(FILES[look], table_of(result, look), about, engine, about)


head.bind()
controls.bind()
form.bind()
progress.bind()
bind_figure_export(page, "figure")
bind_table_export(page, "table", to_save, State(page.id.look, "value"), engine=True)
