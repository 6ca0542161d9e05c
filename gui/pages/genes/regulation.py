"""Tab Regulation: volcano, heatmap, top and bottom of two runs, overlaps between cell types."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, State
from dash.exceptions import PreventUpdate

from gui.analyses.gene_params import GenesParams
from gui.answers.confidence_intervals import stability
from gui.components.number_field import whole_number_field
from gui.components.persistent_controls import PersistentControls
from gui.components.views import switch
from gui.engine.results import Run
from gui.errors import DeconomixError
from gui.figures import adtd as adtd_figures
from gui.figures import genes as figures
from gui.figures.palette import type_colours
from gui.pages.genes import beside as choices
from gui.pages.genes.base import (
    REGULATION,
    TAB,
    Panel,
    calls_of,
    effects_run,
    form,
    intervals_of,
    no_regulation,
    page,
)
from gui.pages.genes.calls import (
    ABOUT,
    HEATMAP,
    OF_SETS,
    SHARED,
    TABLE,
    TOP,
    VIEWS,
    VOLCANO,
    drawn_sets,
    matrix_of_calls,
    matrix_of_estimates,
    of_type,
    shown_table,
    styles_of,
    words_for,
)
from gui.plugin import DARK, REVISION, Context

NONE = choices.NONE
DEFAULT_N, MOST_N = 15, 100
panel_of = Panel("regulation", "gene-regulation")
kept = PersistentControls(
    page,
    regulation_view=VOLCANO,
    regulation_type=NONE,
    regulation_beside=NONE,
    regulation_n=DEFAULT_N,
)


def panel(ctx: Context) -> Any:
    """The tab's skeleton."""
    small = {"size": "xs"}
    styles = styles_of(str(kept.value(ctx, "regulation_view")))
    return panel_of.layout(
        [
            switch(VIEWS, page.id.regulation_view, kept.value(ctx, "regulation_view")),
            dmc.Select(
                id=page.id.regulation_type,
                data=[],
                value=kept.value(ctx, "regulation_type"),
                w=150,
                allowDeselect=False,
                searchable=True,
                style=styles["type_style"],
                **small,
                **{"aria-label": "Cell type"},
            ),
            whole_number_field(
                id=page.id.regulation_n,
                value=kept.value(ctx, "regulation_n"),
                min=1,
                max=MOST_N,
                w=86,
                prefix="Top ",
                debounce=300,
                style=styles["n_style"],
                **small,
                **{"aria-label": "Number of genes"},
            ),
            dmc.Select(
                id=page.id.regulation_beside,
                data=[],
                value=kept.value(ctx, "regulation_beside"),
                w=170,
                allowDeselect=False,
                style=styles["beside_style"],
                **small,
                **{"aria-label": "Beside which run or groups"},
            ),
        ]
    )


kept.bind()


@page.callback(
    output={
        "types": Output(page.id.regulation_type, "data"),
        "type": Output(page.id.regulation_type, "value"),
        "runs": Output(page.id.regulation_beside, "data"),
        "run": Output(page.id.regulation_beside, "value"),
    },
    inputs={"_revision": REVISION},
    state={
        "cell_type": State(page.id.regulation_type, "value"),
        "beside": State(page.id.regulation_beside, "value"),
    },
)
def offer(ctx: Context, *, cell_type: str, beside: str, _revision: Any) -> dict[str, Any]:
    """Cell types, the one with most regulation first chosen; other runs to look at beside."""
    run = effects_run(ctx)
    if run is None or run.result.gene_regulation is None:
        raise PreventUpdate
    types = [str(name) for name in run.result.gene_regulation.columns]
    others = choices.options(ctx, run)
    if cell_type not in types:
        counts = (
            calls_of(ctx, run, GenesParams())
            .groupby("cell_type")["call"]
            .agg(lambda calls: int((calls != 0).sum()))
        )
        cell_type = max(types, key=lambda name: int(counts.get(name, 0)))
    return {
        "types": types,
        "type": cell_type,
        "runs": others,
        "run": beside if beside in {other["value"] for other in others} else NONE,
    }


@page.callback(
    output={
        **panel_of.outputs,
        "type_style": Output(page.id.regulation_type, "style"),
        "n_style": Output(page.id.regulation_n, "style"),
        "beside_style": Output(page.id.regulation_beside, "style"),
    },
    inputs={
        "_revision": REVISION,
        "dark": DARK,
        "tab": TAB,
        "view": Input(page.id.regulation_view, "value"),
        "cell_type": Input(page.id.regulation_type, "value"),
        "n": Input(page.id.regulation_n, "value"),
        "beside": Input(page.id.regulation_beside, "value"),
        "values": form.inputs,
    },
)
def show_regulation(
    ctx: Context,
    *,
    dark: bool,
    tab: str,
    view: str,
    cell_type: str,
    n: Any,
    beside: str,
    values: dict[str, Any],
    _revision: Any,
) -> dict[str, Any]:
    if tab != REGULATION:
        raise PreventUpdate
    run = effects_run(ctx)
    if run is None or run.result.gene_regulation is None:
        return panel_of.nothing(no_regulation())
    try:
        params = form.parse(values)
    except DeconomixError as error:
        return panel_of.words_only(str(error))
    types = [str(name) for name in run.result.gene_regulation.columns]
    cell_type = cell_type if cell_type in types else types[0]
    many = n if isinstance(n, int) and 1 <= n <= MOST_N else DEFAULT_N
    calls = calls_of(ctx, run, params)
    words = words_for(calls, view, cell_type, params)
    controls = styles_of(view)
    if view == TABLE:
        return {**controls, **panel_of.table(shown_table(calls, cell_type, params), words)}
    if view in {HEATMAP, TOP} | SHARED and not (calls["call"] != 0).any():
        return {**controls, **panel_of.words_only(f"{words} There is nothing to draw.")}
    if view == VOLCANO:
        table = of_type(calls, cell_type)
        if params.supported:
            table = table[table["supported"]]
        if table.empty:
            return {**controls, **panel_of.words_only(f"{words} There is nothing to draw.")}
        drawn = figures.volcano(table, params.fold)
    elif view in SHARED:
        sets, colours = matrix_of_calls(calls), type_colours(ctx.session.dataset, *types)
        if beside:
            sets = matrix_of_estimates(choices.of_type_beside(ctx, run, beside, cell_type, params))
            colours, words = {}, f"{cell_type}: {OF_SETS}"
        drawn, words = drawn_sets(view, sets, colours, words)
    elif view == TOP:
        drawn = figures.top_and_bottom(
            choices.of_type_beside(ctx, run, beside, cell_type, params), many
        )
    else:
        drawn = _heatmap(ctx, run, calls, many)
    return {**controls, **panel_of.figure(drawn, bool(dark), words, f"gene-regulation-{view}")}


def _heatmap(ctx: Context, run: Run, calls: pd.DataFrame, n: int) -> Any:
    """The most regulated genes of every type in all types."""
    strong = calls[calls["call"] != 0]
    strong = strong.assign(size=strong["log2"].abs()).sort_values("size", ascending=False)
    genes = dict.fromkeys(strong.groupby("cell_type", sort=False).head(n)["gene"])
    return adtd_figures.gene_regulation(
        run.result.gene_regulation,
        run.result.support,
        genes=list(genes),
        stability=stability(intervals_of(ctx, run), run.result),
    )


def _to_save(ctx: Context, cell_type: str, *values: Any) -> tuple[str, pd.DataFrame, str] | None:
    run = effects_run(ctx)
    if run is None or run.result.gene_regulation is None:
        return None
    params = form.parse(dict(zip(form.names, values, strict=True)))
    calls = calls_of(ctx, run, params)
    chosen = cell_type if cell_type in set(calls["cell_type"]) else str(calls["cell_type"].iloc[0])
    return f"gene-regulation-{chosen}", shown_table(calls, chosen, params), ABOUT


panel_of.bind(_to_save, State(page.id.regulation_type, "value"), *form.states.values())
