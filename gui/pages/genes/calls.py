"""Regulation as the page shows it: calls by cell type as table, matrix and sentence."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from gui.analyses.gene_params import GenesParams
from gui.components.views import GONE, SHOWN
from gui.figures.genes import overlaps
from gui.figures.venn import MOST, venn
from gui.text import number

VOLCANO, HEATMAP, TOP, TABLE = "volcano", "heatmap", "top", "table"
OVERLAP, VENN = "overlap", "venn"
VIEWS = {
    VOLCANO: "Volcano",
    HEATMAP: "Heatmap",
    TOP: "Top and bottom",
    OVERLAP: "Overlap",
    VENN: "Venn",
    TABLE: "Table",
}
SHARED = {OVERLAP, VENN}
"""Views of genes that sets have in common."""
ONE_TYPE = {VOLCANO, TOP, TABLE}
"""Views of one cell type."""
ABOUT = (
    "Gene regulation by cell type: log2 and factor against the reference; support, 0 to 1;"
    " stability of the direction over the bootstrap; expression in the reference per 10 000."
)
HEADERS = {
    "cell_type": "Cell type",
    "log2": "log2",
    "factor": "Factor",
    "support": "Support",
    "stability": "Sign stability (bootstrap)",
    "expression": "Expression per 10 000",
    "supported": "Supported",
    "call": "Regulated",
}


def of_type(calls: pd.DataFrame, cell_type: str) -> pd.DataFrame:
    """By gene, of one cell type."""
    return calls[calls["cell_type"] == cell_type].set_index("gene")


def shown_table(calls: pd.DataFrame, cell_type: str, params: GenesParams) -> pd.DataFrame:
    """Genes of one cell type, most regulated first; unsupported ones only where they count."""
    table = of_type(calls, cell_type)
    if params.supported:
        table = table[table["supported"]]
    order = table["log2"].abs().sort_values(ascending=False, kind="stable").index
    words = table["call"].map({1: "up", -1: "down", 0: "no"})
    shown = table.loc[order].drop(columns="cell_type").assign(call=words)
    if shown["stability"].isna().all():
        shown = shown.drop(columns="stability")
    return shown.rename(columns=HEADERS).rename_axis("Gene")


def matrix_of_calls(calls: pd.DataFrame) -> pd.DataFrame:
    """genes x cell types, True where regulated."""
    table = calls.assign(on=calls["call"] != 0)
    order = list(dict.fromkeys(calls["cell_type"]))
    return table.pivot_table(index="gene", columns="cell_type", values="on", aggfunc="any")[order]


OF_SETS = (
    "regulated genes that runs or groups have in common; every gene is counted once. A gene that is"
    " regulated in one group only need not differ between the groups: the page Groups tests that."
)


def drawn_sets(
    view: str, sets: pd.DataFrame, colours: Mapping[str, str], words: str
) -> tuple[go.Figure, str]:
    """UpSet or Venn diagram of genes x names, and the words with how the latter is to be read."""
    if view != VENN:
        return overlaps(sets, colours), words
    many = int(sets.any().sum())
    rest = f" The {MOST} largest of {many} sets; “Overlap” shows all." if many > MOST else ""
    return venn(sets, colours), f"{words} Numbers are genes; areas are not to scale.{rest}"


def matrix_of_estimates(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """genes x titles, True where regulated in one cell type; parts : title -> table by gene."""
    called = {title: table["call"] != 0 for title, table in parts.items()}
    return pd.DataFrame(called).fillna(False).astype(bool)


def words_for(calls: pd.DataFrame, view: str, cell_type: str, params: GenesParams) -> str:
    """What is shown and how far to trust it."""
    of_all = view == HEATMAP or view in SHARED
    part = calls if of_all else calls[calls["cell_type"] == cell_type]
    up, down = int((part["call"] > 0).sum()), int((part["call"] < 0).sum())
    weak = int((~part["supported"]).sum())
    where = "" if of_all else f" in {cell_type}"
    what = "Pairs of gene and cell type" if of_all else "Genes"
    counted = f"{what} with support" if params.supported else what
    words = (
        f"{counted}: {number(up)} up and {number(down)} down by {params.fold:g} fold or more"
        f"{where}."
    )
    if weak:
        hidden = "left out" if params.supported else "shown as they are"
        words += (
            f" {number(weak)} of {number(len(part))} have little support in the data (grey,"
            f" {hidden})."
        )
    if part["stability"].isna().all():
        words += " Intervals (ADTD, Uncertainty) would add how stable the directions are."
    return words


def styles_of(view: str) -> dict[str, dict[str, str]]:
    """Which controls mean something in a view."""
    return {
        "type_style": SHOWN if view in ONE_TYPE | SHARED else GONE,
        "n_style": SHOWN if view in (HEATMAP, TOP) else GONE,
        "beside_style": SHOWN if view in {TOP} | SHARED else GONE,
    }
