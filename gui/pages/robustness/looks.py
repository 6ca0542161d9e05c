"""What can be looked at once a run was computed again: figures, tables and what each needs."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from gui.analyses.robustness import RobustnessResult
from gui.answers.robustness import (
    LEAKAGE_CAPTION,
    TITLES,
    shown_gene_counts,
    shown_leakage,
    shown_summary,
)
from gui.engine.variants import DONORS, GENES, LEFT_OUT, SEED
from gui.figures import robustness as figures
from gui.report.analyses import variants_figure

LEAKAGE, BY_GENES, TABLE, LEAKS, COUNTS = "leakage", "by_genes", "table", "leaks", "counts"
LOOKS = {
    GENES: TITLES[GENES],
    BY_GENES: "By count",
    SEED: TITLES[SEED],
    DONORS: "Donors",
    LEAKAGE: "Leakage",
    TABLE: "Table",
    LEAKS: "Leakage table",
    COUNTS: "Count table",
}
NEEDS = {BY_GENES: GENES, LEAKAGE: LEFT_OUT, LEAKS: LEFT_OUT, COUNTS: GENES}
"""What has to be computed for a look; the others need themselves."""
TABLES = {TABLE: shown_summary, LEAKS: shown_leakage, COUNTS: shown_gene_counts}
FILES = {TABLE: "robustness", LEAKS: "robustness-leakage", COUNTS: "robustness-gene-counts"}
ABOUT = {
    TABLE: "Fractions when one thing is changed: medians over the samples, in percent; IQR and"
    " range over the variants in percentage points; Spearman correlation with the run.",
    LEAKS: LEAKAGE_CAPTION,
    COUNTS: "Median fraction (%) by number of genes.",
}


def available(result: RobustnessResult, look: str) -> tuple[str, str]:
    """The look, and "", or the table and why it is shown instead."""
    if look == TABLE or NEEDS.get(look, look) in result.kinds:
        return look, ""
    name = LOOKS.get(look, "This")
    return TABLE, f"“{name}” was not computed in this run; the table is shown."


def drawn(result: RobustnessResult, look: str, colours: Mapping[str, str]) -> tuple[go.Figure, str]:
    """The figure of a look, and the line below it."""
    if look == LEAKAGE:
        return figures.leakage(result.leakage()), LEAKAGE_CAPTION
    if look == BY_GENES:
        fig = figures.gene_counts(result.gene_count_table(), result.genes, colours)
        return fig, "Dashed: the number of genes of the run."
    note = "Every dot is a variant: median over the samples. Grey line: the run."
    return variants_figure(result, look, colours), note
