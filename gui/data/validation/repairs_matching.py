"""The repair that brings the gene names of a part to those of the other parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from gui.data.dataset import Role
from gui.data.readers.part import Part
from gui.data.validation.heuristics import scale_of
from gui.data.validation.repairs import Repair, changes, gene_means, keep_genes, named
from gui.data.validation.repairs_genes import add_up
from gui.errors import MissingPart
from gui.knowledge.gene_names import NameMap, NameRule, convert
from gui.knowledge.human_genes import RELEASE
from gui.text import number, some


class MatchGenes(Repair):
    """Bring the gene names to those of the other parts, and put rows of one gene together.

    Rows are added up where the values are linear (counts, TPM). Of logarithms and scaled values,
    which must not be added, the row with the larger mean is kept.

    Parameters
    ----------
    to
        "symbol" or "ensembl" (IDs without version).
    column
        Column of the genes' annotation that holds the names; "" for the names themselves.
    renamed
        Name after that step -> name in the other parts, where they call a gene differently.
    kept
        Names that stay as they are, because the other parts have them.
    tables
        The gene tables in use, for the provenance.
    """

    what: ClassVar[str] = "Bring the gene names to those of the other files"
    kind: Literal["match_genes"] = "match_genes"
    role: Role
    to: Literal["symbol", "ensembl"] = "symbol"
    column: str = ""
    renamed: Mapping[str, str] = {}
    kept: tuple[str, ...] = ()
    tables: str = RELEASE

    def title(self) -> str:
        where = f" from the column {self.column}" if self.column else ""
        what = "gene symbols" if self.to == "symbol" else "Ensembl IDs without version"
        return f"Take {what}{where}, as the other files have them"

    def old_names(self, part: Part) -> list[str]:
        """The names that are converted; the part's own where the column holds none."""
        own = [str(gene) for gene in part.matrix.genes]
        if not self.column:
            return own
        if part.var is None or self.column not in part.var.columns:
            raise MissingPart(
                f"{part.source.name} has no column {self.column} of gene names.",
                advice="Choose another column.",
            )
        beside = ["" if pd.isna(v) else str(v).strip() for v in part.var[self.column]]
        return [b or o for b, o in zip(beside, own, strict=True)]

    def names(self, part: Part) -> NameMap:
        """What becomes of every gene name, and by which way."""
        rule = NameRule(self.to, self.renamed, frozenset(self.kept))
        return convert(self.old_names(part), rule)

    def apply(self, part: Part) -> tuple[Part, str]:
        names = self.names(part)
        own = [str(gene) for gene in part.matrix.genes]
        count = sum(a != b for a, b in zip(own, names.new, strict=True))
        what = "gene symbols" if self.to == "symbol" else "Ensembl IDs without version"
        said = f"{number(count)} of {number(len(own))} gene names brought to {what}."
        made = named(part, names.new)
        genes = made.matrix.genes
        double = genes[genes.duplicated()].unique()
        if not len(double):
            return made, said
        rows = int(genes.isin(double).sum())
        which = f"{number(rows)} rows of {number(len(double))} genes ({some(double)})"
        if scale_of(part.matrix) == "linear":
            return add_up(made), f"{said} {which} were added up."
        order = np.lexsort((np.arange(len(genes)), -gene_means(made.matrix)))
        keep = np.zeros(len(genes), dtype=bool)
        keep[order[~genes[order].duplicated()]] = True
        return keep_genes(made, keep), (
            f"{said} Of {which} the one with the larger mean was kept, "
            "as these values must not be added."
        )

    def preview(self, part: Part) -> pd.DataFrame:
        own = [str(gene) for gene in part.matrix.genes]
        return changes(own, list(self.names(part).new))
