"""Gene regulation per group in words and as a table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gui.analyses.group_regulation import GroupRegulationParams, GroupRegulationResult
from gui.answers.group_names import sizes_text
from gui.figures.text import shorten
from gui.text import number

NAMED = 5
"""Genes that are named."""


def who(result: GroupRegulationResult) -> str:
    """The groups with their sizes."""
    return sizes_text(result.sizes, sum(result.sizes.values()))


def sentence(result: GroupRegulationResult) -> str:
    """How many genes are regulated differently, and in which types."""
    if not result.permutations:
        return f"Too few samples to test gene regulation between {who(result)}: the data are shown."
    called = result.called
    genes = int(called.any(axis=1).sum())
    if not genes:
        return (
            f"No gene is regulated differently between {who(result)}; that does not show that"
            " regulation is equal."
        )
    by_type = called.sum(axis=0)
    by_type = by_type[by_type > 0].sort_values(ascending=False, kind="stable")
    types = ", ".join(f"{shorten(str(t))} ({number(int(n))})" for t, n in by_type[:4].items())
    more = f" and {len(by_type) - 4} more types" if len(by_type) > 4 else ""
    verb = "genes are" if genes > 1 else "gene is"
    return f"{number(genes)} {verb} regulated differently between {who(result)}: {types}{more}."


def details(result: GroupRegulationResult) -> list[str]:
    """Which genes, and what was tested."""
    if not result.permutations:
        return []
    genes = [g for g in different_genes(result, NAMED) if bool(result.called.loc[g].any())]
    named = [f"Largest differences: {', '.join(map(shorten, genes))}."] if genes else []
    which = "entries" if result.support.isna().all(axis=None) else "entries with support"
    return [
        *named,
        f"{number(result.family)} {which} are tested with {result.permutations}"
        f" permutations of the groups; the chance of any false one is {100 * result.level:g} %.",
    ]


def warnings(result: GroupRegulationResult) -> list[str]:
    """What weakens it."""
    return list(result.notes)


def different_genes(result: GroupRegulationResult, most: int) -> list[str]:
    """The genes with the smallest p, then the largest difference, each once."""
    table = result.tables()["groups_regulation"]
    return [str(g) for g in dict.fromkeys(table.index)][:most]


def difference_text(result: GroupRegulationResult) -> str:
    """What the difference is."""
    if len(result.levels) == 2:
        first, second = map(shorten, result.levels)
        return f"Factor of gene regulation in {second}, relative to that in {first}."
    return "Largest factor of gene regulation of any group, relative to the smallest."


def shown_table(result: GroupRegulationResult) -> pd.DataFrame:
    """One row per gene and cell type with support, as on screen."""
    table = result.tables()["groups_regulation"]
    titles = {
        "cell_type": "Cell type",
        "difference": "Difference (log2)",
        "p_adjusted": "Adjusted p",
        "called": "Differs",
        "support": "Support",
    } | {f"log2_{level}": f"log2 in {level}" for level in result.levels}
    shown = table.assign(called=np.where(table["called"], "yes", "no")).rename(columns=titles)
    first = ["Cell type", "Difference (log2)", "Adjusted p", "Differs"]
    return shown[first + [c for c in shown.columns if c not in first]].rename_axis("Gene")


def shown_tables(result: GroupRegulationResult) -> dict[str, pd.DataFrame]:
    """Caption -> table."""
    return {
        f"{difference_text(result)} P-values are adjusted for all entries.": shown_table(result)
    }


def methods(params: GroupRegulationParams, result: GroupRegulationResult) -> str:
    """A sentence for a manuscript."""
    return (
        f"Gene regulation was estimated by {result.method or 'ADTD'} for each group of"
        f" {result.variable} ({who(result)}) alone and compared by {result.permutations}"
        f" permutations of the groups (seed {params.seed}); p-values were adjusted by the largest"
        " statistic of each permutation."
    )
