"""Tab Gene sets: over-representation and ranking of one cell type or all."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, State, html
from dash.exceptions import PreventUpdate

from gui.analyses.genes import GenesResult
from gui.answers.genes import family_sentence, over_table, ranked_table, sources
from gui.components.persistent_controls import PersistentControls
from gui.components.views import switch
from gui.figures import genes as figures
from gui.pages.genes.base import (
    ENRICHMENT,
    TAB,
    Panel,
    genes_run,
    no_analysis,
    no_regulation,
    page,
)
from gui.plugin import DARK, JOBS, REVISION, Context

OVER, RANKED = "over", "ranked"
ALL = ""
ABOUT = {
    OVER: "Over-representation of regulated genes in gene sets (hypergeometric test).",
    RANKED: "Pre-ranked gene set enrichment of log2 regulation.",
}
panel_of = Panel("enrichment", "gene-sets")
kept = PersistentControls(page, enrichment_test=OVER, enrichment_type=ALL, enrichment_view="figure")


def panel(ctx: Context) -> Any:
    """The tab's skeleton, with the sources of the sets below."""
    return html.Div(
        [
            panel_of.layout(
                [
                    switch(
                        {OVER: "Regulated genes", RANKED: "Ranking"},
                        page.id.enrichment_test,
                        kept.value(ctx, "enrichment_test"),
                    ),
                    dmc.Select(
                        id=page.id.enrichment_type,
                        data=[{"value": ALL, "label": "all cell types"}],
                        value=kept.value(ctx, "enrichment_type"),
                        w=170,
                        size="xs",
                        allowDeselect=False,
                        **{"aria-label": "Cell type"},
                    ),
                    switch(
                        {"figure": "Figure", "table": "Table"},
                        page.id.enrichment_view,
                        kept.value(ctx, "enrichment_view"),
                    ),
                ]
            ),
            html.Div(id=page.id.enrichment_sources),
        ]
    )


# -- what is shown
# --------------------------------------------------------------------------------------------------
def chosen(result: GenesResult, test: str, cell_type: str) -> pd.DataFrame:
    """Tests of one kind, of one cell type or all, best first."""
    table, by = (result.over, "p") if test == OVER else (result.ranked, "fdr")
    if cell_type != ALL:
        table = table[table["cell_type"] == cell_type]
    return table.sort_values([by, "p"], kind="stable") if by != "p" else table.sort_values(by)


def shown_table(result: GenesResult, test: str, cell_type: str) -> pd.DataFrame:
    """With headers, the set first."""
    shown = over_table(result) if test == OVER else ranked_table(result)
    return shown if cell_type == ALL else shown[shown["Cell type"] == cell_type]


kept.bind()


@page.callback(
    Output(page.id.enrichment_type, "data"),
    Output(page.id.enrichment_type, "value"),
    REVISION,
    State(page.id.enrichment_type, "value"),
)
def offer_types(ctx: Context, _revision: Any, cell_type: str) -> Any:
    run = genes_run(ctx)
    if run is None:
        raise PreventUpdate
    types = [str(name) for name in run.result.regulated.index]
    shown = [{"value": ALL, "label": "all cell types"}, *({"value": t, "label": t} for t in types)]
    return shown, cell_type if cell_type in types else ALL


@page.callback(
    output={**panel_of.outputs, "sources": Output(page.id.enrichment_sources, "children")},
    inputs={
        "_revision": REVISION,
        "_jobs": JOBS,
        "dark": DARK,
        "tab": TAB,
        "test": Input(page.id.enrichment_test, "value"),
        "cell_type": Input(page.id.enrichment_type, "value"),
        "view": Input(page.id.enrichment_view, "value"),
    },
)
def show_enrichment(
    ctx: Context,
    *,
    dark: bool,
    tab: str,
    test: str,
    cell_type: str,
    view: str,
    _revision: Any,
    _jobs: Any,
) -> dict[str, Any]:
    if tab != ENRICHMENT:
        raise PreventUpdate
    run = genes_run(ctx)
    if run is None:
        return {**panel_of.nothing(no_analysis(ctx, "enrichment")), "sources": None}
    result: GenesResult = run.result
    if result.regulated.empty:
        return {**panel_of.nothing(no_regulation()), "sources": None}
    told = [family_sentence(result, run.params), *sources(result.collections)]  # type: ignore[arg-type]
    below = {
        "sources": dmc.Stack(
            [dmc.Text(text, size="xs", c="dimmed") for text in told if text], gap=2, mt="xs"
        )
    }
    table = chosen(result, test, cell_type)
    if table.empty:
        return {**panel_of.words_only(_why_empty(result, test)), **below}
    if view == "table":
        return {**panel_of.table(shown_table(result, test, cell_type), ABOUT[test]), **below}
    draw = figures.over_bars if test == OVER else figures.ranked_bars
    words = f"{ABOUT[test]} The best {min(len(table), figures.MOST_BARS)} are drawn."
    return {**panel_of.figure(draw(table), bool(dark), words), **below}


def _why_empty(result: GenesResult, test: str) -> str:
    if result.collections.empty:
        return "No gene set was tested: " + (
            result.notes[0] if result.notes else "none was chosen on the left."
        )
    if test == OVER and not result.regulated[["up", "down"]].to_numpy().any():
        return "No gene counts as regulated here, so there is nothing to look for in gene sets."
    return "No gene set of a usable size was tested for this cell type."


def _to_save(ctx: Context, test: str, cell_type: str) -> tuple[str, pd.DataFrame, str] | None:
    run = genes_run(ctx)
    if run is None:
        return None
    about = f"{ABOUT[test]} {family_sentence(run.result, run.params)}"  # type: ignore[arg-type]
    told = " ".join(sources(run.result.collections))
    return f"gene-sets-{test}", shown_table(run.result, test, cell_type), f"{about} {told}"


panel_of.bind(
    _to_save, State(page.id.enrichment_test, "value"), State(page.id.enrichment_type, "value")
)
