"""Page Compare: two runs, of this session or of another one, and how far they agree."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, html

from gui.answers.comparison import Comparison, compare, sentence
from gui.answers.run_names import source_label
from gui.components.common import card, empty_state, two_columns
from gui.components.figure import bind_figure_export, figure_card
from gui.components.headline import Headline
from gui.components.report import report_button
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import GONE, SHOWN, Views, graph_height_style, switch
from gui.errors import DeconomixError
from gui.figures import comparison as figures
from gui.figures.palette import GREY, type_colours
from gui.figures.template import styled
from gui.pages.compare.base import (
    ABOUT,
    FIELD_STATES,
    FIELDS,
    FIGURES,
    LOOKS,
    SCATTER,
    THIS,
    TOO_FEW,
    TYPES,
    bind_comparison_report,
    chosen_runs,
    common_types,
    compared,
    frame_of,
    options,
    other_session,
    page,
    runs_of,
    select,
    sides,
    words_for,
)
from gui.plugin import DARK, REVISION, Context

views = Views(page, "compared")
headline = Headline(page, multiline=True)


@page.layout
def layout(ctx: Context) -> Any:
    parameters = card(
        dmc.Stack(
            [
                select("first", "First run", "A run of this session; differences are against it."),
                select("session", "Second run from", "This session, or another open one."),
                select("second", "Second run", "The run that is compared with the first one."),
            ],
            gap="sm",
        )
    )
    controls = [
        switch(LOOKS, page.id.look, TYPES),
        dmc.Select(
            id=page.id.cell_type,
            data=[],
            value=None,
            w=160,
            size="xs",
            allowDeselect=False,
            **{"aria-label": "Cell type"},
        ),
    ]
    drawing = figure_card(page, "compared", file_name="comparison")
    shown = views.layout(controls, drawing, result_table(page, "compared_table"))
    words = dmc.Text("", id=page.id.words, size="xs", c="dimmed", mt=4)
    head = headline.layout(
        report_button(page), dmc.Text("", id=page.id.conclusion, size="sm", mt=4)
    )
    results = [
        html.Div(id=page.id.empty, style=GONE),
        html.Div(dmc.Stack([head, card(shown, words)], gap="md"), id=page.id.body, style=GONE),
    ]
    return two_columns(parameters, results)


# -- callbacks
# --------------------------------------------------------------------------------------------------
@page.callback(
    output={
        "first": Output(page.id.first, "data"),
        "first_value": Output(page.id.first, "value"),
        "sessions": Output(page.id.session, "data"),
        "second": Output(page.id.second, "data"),
        "second_value": Output(page.id.second, "value"),
    },
    inputs={"_revision": REVISION, "session": FIELDS["session"]},
    state={
        "first": FIELD_STATES["first"],
        "second": FIELD_STATES["second"],
        "known": State(page.id.first, "data"),
    },
)
def offer(
    ctx: Context,
    *,
    session: str | None,
    first: str | None,
    second: str | None,
    known: list[dict[str, str]] | None,
    _revision: Any,
) -> dict[str, Any]:
    """All runs with a composition; the two newest ones, and what has just come as the second."""
    sessions = [
        info
        for info in ctx.sessions.list_sessions(actor=ctx.actor)
        if info.session_id != ctx.session_id and not info.locked and info.holds_data
    ]
    if session not in {info.session_id for info in sessions}:
        session = THIS
    own, others = runs_of(ctx.session), runs_of(other_session(ctx, session))
    first, second, rest = chosen_runs(own, others, first, second, known)
    return {
        "first": options(own),
        "first_value": first,
        "sessions": [
            {"value": THIS, "label": "this session"},
            *({"value": info.session_id, "label": info.name} for info in sessions),
        ],
        "second": options(rest),
        "second_value": second,
    }


@page.callback(
    output={
        "empty": Output(page.id.empty, "style"),
        "nothing": Output(page.id.empty, "children"),
        "body": Output(page.id.body, "style"),
        **headline.outputs,
        "conclusion": Output(page.id.conclusion, "children"),
        "words": Output(page.id.words, "children"),
        "type_style": Output(page.id.cell_type, "style"),
        "figure": Output(page.id.compared, "figure"),
        "style": Output(page.id.compared, "style"),
        "columns": Output(page.id.compared_table, "columnDefs"),
        "rows": Output(page.id.compared_table, "rowData"),
        "note": Output(page.id.compared_table_note, "children"),
        "views": views.outputs,
    },
    inputs={
        "_revision": REVISION,
        "dark": DARK,
        "fields": FIELDS,
        "look": Input(page.id.look, "value"),
        "cell_type": Input(page.id.cell_type, "value"),
    },
)
def show(
    ctx: Context,
    *,
    dark: bool,
    fields: dict[str, str | None],
    look: str,
    cell_type: str | None,
    _revision: Any,
) -> dict[str, Any]:
    if not fields["first"] or not fields["second"]:
        return {"empty": SHOWN, "nothing": card(empty_state(TOO_FEW[0], TOO_FEW[1])), "body": GONE}
    try:
        both = sides(ctx, **fields)
        found = compare(*both)
    except DeconomixError as error:
        text = error.full_text
        return {
            "empty": SHOWN,
            "nothing": card(empty_state("These two runs cannot be compared", text)),
            "body": GONE,
        }
    types = [str(name) for name in found.agreement.table.index]
    cell_type = cell_type if cell_type in types else types[0]
    shown: dict[str, Any] = {
        "empty": GONE,
        "body": SHOWN,
        **headline.parts(sentence(found), [], [], more=identical(found)),
        "conclusion": found.conclusion,
        "words": words_for(found, look),
        "type_style": SHOWN if look in FIGURES else GONE,
    }
    if look not in FIGURES:
        view = table_view(frame_of(found, look))
        return {
            **shown,
            "columns": view.columns,
            "rows": view.rows,
            "note": view.note,
            "views": views.show("table"),
        }
    colour = type_colours(ctx.session.dataset, *types).get(cell_type, GREY)
    one, two = found.agreement.first.loc[cell_type], found.agreement.second.loc[cell_type]
    titles = (f"First: {source_label(both[0].run)}", f"Second: {source_label(both[1].run)}")
    drawn = (
        figures.scatter(one, two, colour, titles)
        if look == SCATTER
        else figures.differences(one, two, colour)
    )
    styled(drawn, bool(dark))
    return {
        **shown,
        "figure": drawn,
        "style": graph_height_style(drawn),
        "views": views.show("figure"),
    }


def identical(found: Comparison) -> list[str]:
    """What does not differ, in a sentence; the table Differences leaves it out."""
    return [f"Identical: {', '.join(found.same)}."] if found.same else []


@page.callback(
    Output(page.id.cell_type, "data"),
    Output(page.id.cell_type, "value"),
    inputs={"_revision": REVISION, "fields": FIELDS},
    state={"cell_type": State(page.id.cell_type, "value")},
)
def offer_types(
    ctx: Context, *, fields: dict[str, str | None], cell_type: str | None, _revision: Any
) -> Any:
    """The cell types that both runs have."""
    try:
        types = common_types(*sides(ctx, **fields))
    except DeconomixError:  # said where the result would be
        return [], None
    return types, cell_type if cell_type in types else next(iter(types), None)


def _to_save(ctx: Context, look: str, *fields: Any) -> TableFile | None:
    found = compared(ctx, *fields)
    look = look if look in ABOUT else TYPES
    return TableFile(f"comparison-{look}", frame_of(found, look), ABOUT[look])


bind_figure_export(page, "compared")
bind_table_export(
    page, "compared_table", _to_save, State(page.id.look, "value"), *FIELD_STATES.values()
)
bind_comparison_report()
