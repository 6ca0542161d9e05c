"""Tab Hidden profile: what it looks like beyond the reference."""

from __future__ import annotations

from typing import Any

import pandas as pd
from dash import Input, State
from dash.exceptions import PreventUpdate

from gui.analyses.genes import GenesResult
from gui.analyses.hidden_library import AGREES_FROM
from gui.analyses.hidden_likeness import EXPLAINED
from gui.answers.genes import (
    hidden_marker_table,
    is_nothing,
    library_bars,
    library_line,
    library_table,
    looks_like,
    marker_sources,
    profile_table,
)
from gui.components.persistent_controls import PersistentControls
from gui.components.views import switch
from gui.figures import genes as figures
from gui.figures.text import percent
from gui.pages.genes.base import HIDDEN_TAB, TAB, Panel, genes_run, no_analysis, page
from gui.plugin import DARK, JOBS, REVISION, Context

PROFILES, MARKERS, LIBRARY = "profiles", "markers", "library"
ABOUT = {
    PROFILES: "Known profiles by how much they explain of what the reference cannot.",
    MARKERS: "Marker genes by their rank in what the reference cannot explain.",
    LIBRARY: "Types of the library by how much they explain of what the reference cannot.",
}
NO_LIBRARY = (
    "No type can be compared by its profile: all types among the cells of this session are in the"
    " reference. Markers are compared still."
)
NO_REFERENCES = (
    "No reference of the library has enough of the genes in use and a type that the run lacks."
)
NO_MARKERS = "No type has three markers among the genes in use."
panel_of = Panel("looks", "hidden-profile-looks-like")
kept = PersistentControls(page, looks_by=PROFILES, looks_view="figure")


def panel(ctx: Context) -> Any:
    """The tab's skeleton."""
    return panel_of.layout(
        [
            switch(
                {PROFILES: "Known profiles", MARKERS: "Markers", LIBRARY: "Library"},
                page.id.looks_by,
                kept.value(ctx, "looks_by"),
            ),
            switch(
                {"figure": "Figure", "table": "Table"},
                page.id.looks_view,
                kept.value(ctx, "looks_view"),
            ),
        ]
    )


# -- what is shown
# --------------------------------------------------------------------------------------------------
def shown_table(result: GenesResult, by: str) -> pd.DataFrame:
    """With headers, percentages as such."""
    if by == LIBRARY:
        return library_table(result)
    return profile_table(result) if by == PROFILES else hidden_marker_table(result)


def words_for(result: GenesResult) -> str:
    """The answer, and what it is computed on."""
    likeness = result.likeness
    outside = (
        f" {percent(likeness.outside**2)} of the profile's sum of squares lies outside of what the"
        " reference can express; only that part is determined by the data, and only it is compared."
        if likeness.outside > 0
        else ""
    )
    said = f"The hidden profile: {looks_like(likeness, result.types)}.{outside}"
    return " ".join(filter(None, (said, library_line(likeness), marker_sources(result))))


kept.bind()


@page.callback(
    output=panel_of.outputs,
    inputs={
        "_revision": REVISION,
        "_jobs": JOBS,
        "dark": DARK,
        "tab": TAB,
        "by": Input(page.id.looks_by, "value"),
        "view": Input(page.id.looks_view, "value"),
    },
)
def show_likeness(
    ctx: Context, *, dark: bool, tab: str, by: str, view: str, _revision: Any, _jobs: Any
) -> dict[str, Any]:
    if tab != HIDDEN_TAB:
        raise PreventUpdate
    run = genes_run(ctx)
    if run is None:
        return panel_of.nothing(no_analysis(ctx, "comparison of the hidden profile"))
    result: GenesResult = run.result
    words = words_for(result)
    likeness = result.likeness
    if is_nothing(likeness):
        return panel_of.words_only("The run has no hidden profile to compare.")
    table, none = {
        MARKERS: (likeness.markers, NO_MARKERS),
        LIBRARY: (likeness.references, NO_REFERENCES),
    }.get(by, (likeness.profiles, NO_LIBRARY))
    if table.empty:
        return panel_of.words_only(f"{none} {words}")
    if view == "table":
        return panel_of.table(shown_table(result, by), words)
    drawn = (
        figures.marker_bars(table)
        if by == MARKERS
        else figures.likeness_bars(
            library_bars(table) if by == LIBRARY else table,
            needed=AGREES_FROM if by == LIBRARY else EXPLAINED,
        )
    )
    return panel_of.figure(drawn, bool(dark), words)


def _to_save(ctx: Context, by: str) -> tuple[str, pd.DataFrame, str] | None:
    run = genes_run(ctx)
    if run is None:
        return None
    return f"hidden-profile-{by}", shown_table(run.result, by), ABOUT[by]


panel_of.bind(_to_save, State(page.id.looks_by, "value"))
