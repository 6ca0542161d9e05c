"""Tab One gene: its regulation in all cell types, runs and groups, and what is known of it."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, State
from dash.exceptions import PreventUpdate

from gui.analyses.gene_params import called
from gui.components.persistent_controls import PersistentControls
from gui.components.views import switch
from gui.engine.regulation import regulation_of
from gui.errors import DeconomixError
from gui.figures import genes as figures
from gui.knowledge.common_names import GenesInUse
from gui.knowledge.markers import SHIPPED_NAME, SHIPPED_SOURCE, shipped_markers
from gui.pages.genes.base import (
    GENE,
    TAB,
    Panel,
    calls_of,
    effects_run,
    form,
    no_regulation,
    page,
    regulated_runs,
)
from gui.pages.genes.beside import by_title, group_runs, of_groups, of_run
from gui.pages.genes.calls import HEADERS
from gui.plugin import DARK, REVISION, Context
from gui.text import some

ABOUT = "Regulation of one gene by run or group and cell type."
MOST_RUNS = 8
MOST_COMPARISONS = 2
"""Comparisons of groups whose groups are shown, the newest."""
panel_of = Panel("gene", "gene")
kept = PersistentControls(page, gene_name="", gene_view="figure")


def panel(ctx: Context) -> Any:
    """The tab's skeleton."""
    return panel_of.layout(
        [
            dmc.Select(
                id=page.id.gene_name,
                data=[kept.value(ctx, "gene_name")] if kept.value(ctx, "gene_name") else [],
                value=kept.value(ctx, "gene_name") or None,
                placeholder="Name of a gene…",
                searchable=True,
                limit=50,
                w=220,
                size="xs",
                nothingFoundMessage="No such gene among those in use",
                **{"aria-label": "Gene"},
            ),
            switch(
                {"figure": "Figure", "table": "Table"},
                page.id.gene_view,
                kept.value(ctx, "gene_view"),
            ),
        ]
    )


# -- what is shown
# --------------------------------------------------------------------------------------------------
def over_runs(ctx: Context, gene: str, values: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Title of a run or group -> by cell type: regulation of the gene; the current run first."""
    params, current = form.parse(values), effects_run(ctx)
    runs = sorted(regulated_runs(ctx), key=lambda run: current is None or run.id != current.id)
    groups = [one for run in group_runs(ctx)[:MOST_COMPARISONS] for one in of_groups(ctx, run)]
    found = []
    for one in [*(of_run(ctx, run) for run in runs[:MOST_RUNS]), *groups[:MOST_RUNS]]:
        if gene not in one.result.gene_regulation.index:  # type: ignore[union-attr]
            continue
        rows = {}
        for name in one.result.gene_regulation.columns:  # type: ignore[union-attr]
            row = regulation_of(one.result, str(name), one.intervals).loc[[gene]]
            rows[str(name)] = row.assign(call=called(row, params)).iloc[0]
        table = pd.DataFrame(rows).T.infer_objects().astype({"supported": bool})
        found.append((one.title, table))
    return by_title(found)


def known_of(gene: str, genes: GenesInUse) -> str:
    """Of which cell types the gene is a known marker, in a sentence; "" if of none."""
    if genes.species not in ("human", "mouse"):
        return ""
    markers = shipped_markers(genes.species).in_use(GenesInUse.of([gene]))
    said = markers.by_gene.get(gene, [])
    of = {
        sign: list(dict.fromkeys(name for name, direction, _ in said if direction == sign))
        for sign in "+-"
    }
    parts = [
        f"{words} {some(of[sign], 8)}"
        for sign, words in (("+", "known marker of"), ("-", "negative marker of"))
        if of[sign]
    ]
    if not parts:
        return ""
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]} ({SHIPPED_NAME}: {SHIPPED_SOURCE})."


def long_table(parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One row a run and cell type."""
    frames = [
        table.rename_axis("Cell type").reset_index().assign(Run=title)
        for title, table in parts.items()
    ]
    found = pd.concat(frames, ignore_index=True).set_index("Run")
    words = found["call"].astype(int).map({1: "up", -1: "down", 0: "no"})
    return found.assign(call=words).rename(columns=HEADERS)


kept.bind()


@page.callback(
    Output(page.id.gene_name, "data"),
    Output(page.id.gene_name, "value"),
    REVISION,
    TAB,
    State(page.id.gene_name, "value"),
)
def offer_genes(ctx: Context, _revision: Any, tab: str, gene: str | None) -> Any:
    """All genes of the run; the most regulated one is chosen first."""
    run = effects_run(ctx)
    if tab != GENE or run is None or run.result.gene_regulation is None:
        raise PreventUpdate
    genes = sorted(map(str, run.result.gene_regulation.index))
    if gene not in genes:
        calls = calls_of(ctx, run, form.cls())
        strong = calls[calls["call"] != 0]
        best = (strong if len(strong) else calls)["log2"].abs().idxmax()
        gene = str(calls.at[best, "gene"])
    return genes, gene


@page.callback(
    output=panel_of.outputs,
    inputs={
        "_revision": REVISION,
        "dark": DARK,
        "tab": TAB,
        "gene": Input(page.id.gene_name, "value"),
        "view": Input(page.id.gene_view, "value"),
        "values": form.inputs,
    },
)
def show_gene(
    ctx: Context,
    *,
    dark: bool,
    tab: str,
    gene: str | None,
    view: str,
    values: dict[str, Any],
    _revision: Any,
) -> dict[str, Any]:
    if tab != GENE:
        raise PreventUpdate
    run = effects_run(ctx)
    if run is None or run.result.gene_regulation is None:
        return panel_of.nothing(no_regulation())
    if not gene:
        return panel_of.words_only("Choose a gene.")
    try:
        parts = over_runs(ctx, gene, values)
    except DeconomixError as error:
        return panel_of.words_only(str(error))
    if not parts:
        return panel_of.words_only(f"{gene} is not among the genes of a run with regulation.")
    known = known_of(gene, GenesInUse.of(run.result.reference.index))
    words = f"{known or 'No known marker.'} Hollow and grey: little support in the data."
    if view == "table":
        return panel_of.table(long_table(parts), words)
    return panel_of.figure(figures.gene_over_types(parts, gene), bool(dark), words, f"gene-{gene}")


def _to_save(ctx: Context, gene: str | None, *values: Any) -> tuple[str, pd.DataFrame, str] | None:
    parts = over_runs(ctx, gene or "", dict(zip(form.names, values, strict=True)))
    return (f"gene-{gene}", long_table(parts), ABOUT) if parts else None


panel_of.bind(_to_save, State(page.id.gene_name, "value"), *form.states.values())
