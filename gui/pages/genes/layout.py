"""Layout of the page: parameters at the left, answer and tabs at the right."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, html

from gui.answers.analyses import analysis_summary, older
from gui.answers.genes import regulated_line
from gui.answers.methods import method_sentence
from gui.answers.run_names import source_name
from gui.answers.summary import summary_of
from gui.components.common import card, drawn, not_drawn, two_columns, warning
from gui.components.headline import Headline
from gui.components.report import bind_report, saving_buttons
from gui.components.runs import PreviousRuns
from gui.components.views import GONE, SHOWN
from gui.methods.method import KIND
from gui.pages.genes import enrichment, hidden, lookup, markers, parameters, regulation
from gui.pages.genes.base import (
    ENRICHMENT,
    GENE,
    HIDDEN_TAB,
    MARKERS,
    REGULATION,
    TABS,
    effects_run,
    form,
    genes_run,
    page,
)
from gui.plugin import REVISION, Context

PANELS = {
    REGULATION: regulation.panel,
    GENE: lookup.panel,
    ENRICHMENT: enrichment.panel,
    MARKERS: markers.panel,
    HIDDEN_TAB: hidden.panel,
}
previous = PreviousRuns(page, "genes", form, describe=regulated_line)
headline = Headline(page, details="remarks", multiline=True)


@page.layout
def layout(ctx: Context) -> Any:
    run = effects_run(ctx)
    regulated = run is not None and run.result.gene_regulation is not None
    tab = ctx.session.form(page.key).get("tab")
    if tab not in TABS:
        tab = REGULATION if run is None or regulated else HIDDEN_TAB

    def panel(name: str) -> Any:
        return drawn(
            f"the tab {name} of Genes",
            lambda: PANELS[name](ctx),
            not_drawn(f"{TABS[name]} cannot be shown."),
        )

    tabs = dmc.Tabs(
        [
            dmc.TabsList([dmc.TabsTab(text, value=name, px="xs") for name, text in TABS.items()]),
            *[dmc.TabsPanel(panel(name), value=name, pt="sm") for name in TABS],
        ],
        id=page.id.tabs,
        value=tab,
        keepMounted=True,
    )
    report = html.Div(
        saving_buttons(page), id=page.id.report_box, style=SHOWN if genes_run(ctx) else GONE
    )
    head = headline.layout(dmc.Group([report, previous.layout()], gap="xs", wrap="nowrap"))
    return two_columns(parameters.column(ctx), [head, card(tabs)], foldable=True)


@page.summary
def summary(ctx: Context) -> str | None:
    run = genes_run(ctx)
    return None if run is None else regulated_line(run)


previous.bind()
bind_report(page)


@page.callback(
    output={**headline.outputs, "report": Output(page.id.report_box, "style")},
    inputs={"_revision": REVISION},
)
def show_answer(ctx: Context, *, _revision: Any) -> dict[str, Any]:
    """The sentence about the analysis, or while there is none about the run itself."""
    run, source = genes_run(ctx), effects_run(ctx)
    if run is not None:
        short, old = analysis_summary(ctx.session, run), older(ctx.session, run)
        basis = [f"Computed from the {short.basis}."] if short.basis else []
        parts = headline.parts(
            short.answer,
            [],
            [text for text in short.warnings if text not in old],
            warning(" ".join(old)) if old else None,
            short.doubtful,
            [*short.details, *basis],
        )
        return {**parts, "report": SHOWN}
    if source is None:
        return {**headline.parts("", [], []), "report": GONE}
    words = f"{source_name(source)}. Gene sets were not tested yet."
    said = (
        method_sentence(source.result)
        if source.kind == KIND
        else summary_of(ctx.session, source).answer
    )
    parts = headline.parts(said, [], [], dmc.Text(words, size="xs", c="dimmed"))
    return {**parts, "report": GONE}


@page.callback(Input(page.id.tabs, "value"), prevent_initial_call=True)
def keep_tab(ctx: Context, tab: str) -> None:
    ctx.session.keep_form(page.key, {"tab": tab})
