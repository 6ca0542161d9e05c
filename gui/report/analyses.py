"""The part of a report that tells of an analysis, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.analyses.genes import GenesResult
from gui.analyses.group_regulation import GroupRegulationResult
from gui.analyses.groups import GroupsResult
from gui.analyses.hidden_library import AGREES_FROM
from gui.analyses.hidden_likeness import EXPLAINED
from gui.analyses.registry import ANALYSES
from gui.analyses.robustness import RobustnessResult
from gui.answers.analyses import TEXTS, sources_of
from gui.answers.genes import library_bars, library_line, looks_like
from gui.answers.group_regulation import difference_text, different_genes
from gui.answers.groups import effect_caption, effect_title, lost_sentence
from gui.answers.robustness import LEAKAGE_CAPTION, TITLES
from gui.answers.run_names import source_name
from gui.data.dataset import Dataset
from gui.engine.results import Run
from gui.engine.variants import GENES, LEFT_OUT
from gui.figures import genes as gene_figures
from gui.figures import groups as group_figures
from gui.figures import robustness as robustness_figures
from gui.figures.adtd import gene_regulation
from gui.figures.palette import type_colours
from gui.report.document import Document
from gui.report.parts import parameters
from gui.report.survival import survival_drawings
from gui.sessions.cache import DCXCache

Drawings = Iterator[tuple[go.Figure, str]]
"""Figures and their captions, in the order of the report."""
MOST_GENES = 45
"""Genes that are drawn."""
MOST_TYPES = 8
"""Cell types that have a figure of their own."""


def analysis_part(doc: Document, session: DCXCache, run: Run, *told: str) -> None:
    """Write what it is of, its parameters, figures and tables.

    Parameters
    ----------
    told
        What stands first, in sentences.
    """
    analysis, text = ANALYSES[run.kind], TEXTS[run.kind]
    doc.heading(analysis.title)
    if told:
        doc.paragraph(" ".join(told))
    for source in sources_of(session, run)[:1]:
        doc.paragraph(f"Computed from the {source_name(source)}.")
    parameters(doc, run.params)
    for figure, caption in DRAWINGS[run.kind](run.result, session.dataset):
        doc.figure(figure, caption)
    for caption, table in text.tables(run.result).items():
        first = str(table.index.name or "")
        where = f"The program shows all: page {analysis.title}, Table."
        doc.table(table, first=first, caption=caption, most=60, whole=where)


def groups_drawings(result: GroupsResult, dataset: Dataset | None) -> Drawings:
    """Effects, all types, the heat map, and each type that differs."""
    types = [str(t) for t in result.fractions.index]
    colours = type_colours(dataset, *types)
    yield (
        group_figures.effects(
            result.table,
            title=effect_title(result),
            no_effect=result.no_effect,
            colour_of=colours,
        ),
        f"{effect_caption(result)}. Filled: the"
        f" type differs at a false discovery rate of {100 * result.level:g} %."
        f" {lost_sentence(result)}",
    )
    if result.levels:
        yield (
            group_figures.overview(result.fractions, result.design, result.levels),
            "RNA fractions of all cell types by group: quartiles, and samples as dots.",
        )
    yield (
        group_figures.heatmap(result.values, result.fractions, result.design, result.levels),
        "Samples in the order of the groups: standard deviations from the mean of each type.",
    )
    for name in result.called[:MOST_TYPES]:
        yield one_type(result, name, colours), f"{name}: every sample is a dot."


def one_type(result: GroupsResult, name: str, colours: Mapping[str, str]) -> go.Figure:
    """Every sample of one cell type, by group or along the number."""
    fractions = result.fractions.loc[name]
    colour = colours.get(name, group_figures.GREY)
    if result.levels:
        return group_figures.by_group(
            fractions, result.design, result.levels, name=name, colour=colour
        )
    return group_figures.along_number(
        fractions, result.design["number"], name=name, variable=result.variable, colour=colour
    )


def genes_drawings(result: GenesResult, dataset: Dataset | None) -> Drawings:
    """Overlaps, gene sets, and what the hidden profile looks like."""
    calls = result.calls != 0
    if calls.to_numpy().any():
        colours = type_colours(dataset, *result.types)
        yield (
            gene_figures.overlaps(calls, colours),
            "Regulated genes that cell types have in common; every gene is counted once.",
        )
    for table, draw, what in (
        (result.over, gene_figures.over_bars, "Gene sets in which regulated genes are frequent"),
        (result.ranked, gene_figures.ranked_bars, "Gene sets in the ranking of genes"),
    ):
        for name in dict.fromkeys(table["cell_type"]):
            part = table[table["cell_type"] == name]
            if (part["p_adjusted" if "p_adjusted" in part else "fdr"] <= 0.05).any():
                yield draw(part), f"{what}, {name}."
    likeness = result.likeness
    words = f"The hidden profile: {looks_like(likeness, result.types)}."
    if len(likeness.profiles):
        yield gene_figures.likeness_bars(likeness.profiles, needed=EXPLAINED), words
    if len(likeness.markers):
        yield gene_figures.marker_bars(likeness.markers), f"{words} By markers."
    if len(likeness.references):
        yield (
            gene_figures.likeness_bars(library_bars(likeness.references), needed=AGREES_FROM),
            library_line(likeness),
        )


def regulation_drawings(result: GroupRegulationResult, _dataset: Dataset | None) -> Drawings:
    """The genes that differ most between the groups."""
    genes = different_genes(result, MOST_GENES)
    if genes:
        yield difference_figure(result, genes), f"{difference_text(result)} Grey: little support."


def difference_figure(result: GroupRegulationResult, genes: list[str]) -> go.Figure:
    """Difference of the regulation of these genes, cell types x genes."""
    factors = np.exp2(result.difference)
    unknown = bool(result.support.isna().all(axis=None))
    return gene_regulation(factors, None if unknown else result.support, genes=genes)


def robustness_drawings(result: RobustnessResult, dataset: Dataset | None) -> Drawings:
    """Every kind of change, the gene counts by type, and where lost fractions go."""
    colours = type_colours(dataset, *map(str, result.base.index))
    for kind in result.kinds:
        yield (
            variants_figure(result, kind, colours),
            f"{TITLES[kind]}: every dot is a variant (median over the samples), the line is the"
            " run.",
        )
    if GENES in result.kinds:
        yield (
            robustness_figures.gene_counts(result.gene_count_table(), result.genes, colours),
            "Median fraction by number of genes; dashed: that of the run.",
        )
    if LEFT_OUT in result.kinds:
        yield robustness_figures.leakage(result.leakage()), LEAKAGE_CAPTION


def variants_figure(result: RobustnessResult, kind: str, colours: Mapping[str, str]) -> go.Figure:
    """The median fractions of the variants of one kind, beside those of the run."""
    types = [str(name) for name in result.base.index]
    medians = pd.DataFrame(np.median(result.of(kind), axis=2), columns=types)
    base = pd.Series(np.median(result.base.to_numpy(), axis=1), index=types)
    names = [str(n) for n in result.variants.loc[result.variants["kind"] == kind, "name"]]
    return robustness_figures.variants(medians, base, names, colours)


DRAWINGS: Mapping[str, Callable[[Any, Dataset | None], Drawings]] = {
    "groups": groups_drawings,
    "genes": genes_drawings,
    "group_regulation": regulation_drawings,
    "survival": survival_drawings,
    "robustness": robustness_drawings,
}
"""Kind of analysis -> its figures. A kind of :data:`gui.analyses.registry.ANALYSES` has one."""
