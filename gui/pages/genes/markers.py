"""Tab Markers: regulated genes that are known markers, and whether the direction fits."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, State
from dash.exceptions import PreventUpdate

from gui.analyses.gene_markers import CONTRARY, FITTING
from gui.analyses.genes import GenesResult
from gui.answers.genes import marker_sources, marker_table
from gui.components.persistent_controls import PersistentControls
from gui.pages.genes.base import MARKERS, TAB, Panel, genes_run, no_analysis, page
from gui.plugin import JOBS, REVISION, Context
from gui.text import number, some

ALL = ""
ABOUT = "Regulated genes that are known markers, by cell type, with the direction of regulation."
panel_of = Panel("markers", "markers")
kept = PersistentControls(page, markers_type=ALL)


def panel(ctx: Context) -> Any:
    """The tab's skeleton."""
    return panel_of.layout(
        [
            dmc.Select(
                id=page.id.markers_type,
                data=[{"value": ALL, "label": "all cell types"}],
                value=kept.value(ctx, "markers_type"),
                w=170,
                size="xs",
                allowDeselect=False,
                **{"aria-label": "Cell type"},
            )
        ]
    )


# -- what is shown
# --------------------------------------------------------------------------------------------------
def shown_table(result: GenesResult, cell_type: str) -> pd.DataFrame:
    """With headers, the gene first."""
    shown = marker_table(result)
    return shown if cell_type == ALL else shown[shown["Cell type"] == cell_type]


def words_for(result: GenesResult, cell_type: str) -> str:
    """How many fit their type, and what that means."""
    table = result.markers
    if cell_type != ALL:
        table = table[table["cell_type"] == cell_type]
    own = int(table["verdict"].isin(FITTING).sum())
    against = int(table["verdict"].isin(CONTRARY).sum())
    lists = some(result.marker_lists, 4) or "no list"
    return (
        f"{number(len(table))} regulated genes are known markers ({lists}): {number(own)} fit their"
        f" own type, {number(against)} go against it. A marker of another type that goes up can"
        " also mean cells of that type which the reference lacks; one that goes down, a reference"
        f" cell type that was not pure. {marker_sources(result)}"
    )


kept.bind()


@page.callback(
    Output(page.id.markers_type, "data"),
    Output(page.id.markers_type, "value"),
    REVISION,
    State(page.id.markers_type, "value"),
)
def offer_marked_types(ctx: Context, _revision: Any, cell_type: str) -> Any:
    run = genes_run(ctx)
    if run is None:
        raise PreventUpdate
    types = list(dict.fromkeys(map(str, run.result.markers["cell_type"])))
    shown = [{"value": ALL, "label": "all cell types"}, *({"value": t, "label": t} for t in types)]
    return shown, cell_type if cell_type in types else ALL


@page.callback(
    output=panel_of.outputs,
    inputs={
        "_revision": REVISION,
        "_jobs": JOBS,
        "tab": TAB,
        "cell_type": Input(page.id.markers_type, "value"),
    },
)
def show_markers(
    ctx: Context, *, tab: str, cell_type: str, _revision: Any, _jobs: Any
) -> dict[str, Any]:
    if tab != MARKERS:
        raise PreventUpdate
    run = genes_run(ctx)
    if run is None:
        return panel_of.nothing(no_analysis(ctx, "markers"))
    result: GenesResult = run.result
    if result.markers.empty:
        why = f" {result.notes[0]}" if result.notes else ""
        return panel_of.words_only(f"No regulated gene is a known marker.{why}")
    return panel_of.table(shown_table(result, cell_type), words_for(result, cell_type))


def _to_save(ctx: Context, cell_type: str) -> tuple[str, pd.DataFrame, str] | None:
    run = genes_run(ctx)
    if run is None or run.result.markers.empty:
        return None
    return "markers", shown_table(run.result, cell_type), ABOUT


panel_of.bind(_to_save, State(page.id.markers_type, "value"))
