"""Page Survival: the answer above the tabs, earlier runs, the report."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, html
from dash.exceptions import PreventUpdate

from gui.answers.survival import badges, sentence, short_answer, warnings
from gui.components.common import answer, card, clicked, warning
from gui.components.report import bind_report, report_button
from gui.components.runs import PreviousRuns
from gui.components.views import GONE, SHOWN
from gui.components.warnings import warning_list
from gui.pages.survival.base import TAB, form, page, sources, survival_run
from gui.pages.survival.running import start
from gui.plugin import REVISION, Context

runs = PreviousRuns(page, page.key, form, describe=lambda run: short_answer(run.result))


def head_layout() -> Any:
    """Filled by :func:`show`."""
    actions = dmc.Group([report_button(page), runs.layout()], gap="xs", wrap="nowrap")
    return card(
        html.Div(id=page.id.answer, className="dcx-pending"),
        dmc.Group(
            [dmc.Group(id=page.id.badges, gap="xs", style={"flex": 1}), actions],
            justify="space-between",
            align="flex-start",
            gap="xs",
            mt="xs",
            wrap="nowrap",
        ),
        html.Div(id=page.id.notes),
    )


@page.callback(
    Output(page.id.empty, "style"),
    Output(page.id.shown, "style"),
    Output(page.id.answer, "children"),
    Output(page.id.badges, "children"),
    Output(page.id.notes, "children"),
    REVISION,
)
def show(ctx: Context, _revision: str | None) -> Any:
    current = survival_run(ctx)
    if current is None:
        return SHOWN, GONE, None, [], None
    result = current.result
    shown = [
        dmc.Badge(text, color=colour, variant="light", radius="sm", tt="none", fw=600, maw=320)
        for text, colour in badges(result)
    ]
    notes: list[Any] = []
    outdated = ctx.session.outdated(current)
    if outdated:
        notes.append(warning(outdated, _button("again", current.id, "Run again")))
    if any("idge" in text for text in result.refused):
        ridge = _button("ridge-fit", current.id, "Use the ridge fit")
        notes.append(warning(next(t for t in result.refused if "idge" in t), ridge))
    notes += warning_list([text for text in warnings(result) if "idge fit” on" not in text])
    return (
        GONE,
        SHOWN,
        answer(sentence(result)),
        shown,
        dmc.Stack(notes, gap=4, mt=6) if notes else None,
    )


def _button(name: str, run_id: str, text: str) -> Any:
    return dmc.Button(
        text, id=page.id.each(name, run_id), size="compact-sm", variant="light", color="orange"
    )


@page.callback(Input(page.id.each("ridge-fit", ALL), "n_clicks"), prevent_initial_call=True)
def use_ridge(ctx: Context, _clicks: list[int | None]) -> None:
    """The run on screen once more, with a penalty."""
    _once_more(ctx, ridge=True)


@page.callback(Input(page.id.each("again", ALL), "n_clicks"), prevent_initial_call=True)
def run_again(ctx: Context, _clicks: list[int | None]) -> None:
    """The run on screen once more, on the present data."""
    _once_more(ctx)


def _once_more(ctx: Context, **change: Any) -> None:
    current = survival_run(ctx)
    found = sources(ctx)
    if clicked() is None or current is None or not found:
        raise PreventUpdate
    was = "adtd" if "adtd" in current.provenance.inputs else "dtd"
    inputs = found[was if was in found else next(iter(found))][1]
    start(ctx, current.params.model_copy(update=change), inputs)


@page.callback(TAB, prevent_initial_call=True)
def keep_tab(ctx: Context, tab: str) -> None:
    ctx.session.keep_form(page.key, {"tab": tab})


runs.bind()
bind_report(page)
