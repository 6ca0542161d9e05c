"""Repairs of gene names: version suffixes, Excel's dates, duplicated genes, other names by a table,
by the names themselves or by a column of var.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from gui.data.dataset import Matrix, Role
from gui.data.readers.part import Part
from gui.data.readers.text_table import read_pairs
from gui.data.validation.repairs import ROWS, Repair, changes, gene_means, keep_genes, named
from gui.errors import MissingPart
from gui.knowledge.identifiers import without_version
from gui.text import number, some

VERSION = re.compile(r"^(ENS[A-Z]*[GTP]\d{6,})\.\d+(?=$|[|_])")
"""An Ensembl ID with its version, maybe in front of another name."""
ENSEMBL = re.compile(r"^ENS[A-Z]*[GTP]\d{6,}")


class CleanNames(Repair):
    """Remove blanks and quotes around gene names and, with ``versions``, the version of Ensembl
    IDs.
    """

    what: ClassVar[str] = "Remove version numbers and blanks from gene names"
    kind: Literal["clean_names"] = "clean_names"
    role: Role
    versions: bool = True

    def clean(self, gene: object) -> str:
        text = str(gene).strip().strip("\"'").strip()
        return VERSION.sub(r"\1", text) if self.versions else text

    def apply(self, part: Part) -> tuple[Part, str]:
        new = [self.clean(g) for g in part.matrix.genes]
        count = sum(a != str(b) for a, b in zip(new, part.matrix.genes, strict=True))
        return (
            named(part, new),
            (
                f"{number(count)} gene name{'s' if count != 1 else ''} freed of version numbers,"
                " blanks or quotes."
            ),
        )

    def preview(self, part: Part) -> pd.DataFrame:
        return changes(
            [str(g) for g in part.matrix.genes], [self.clean(g) for g in part.matrix.genes]
        )


class RestoreDates(Repair):
    """Put back the genes that Excel turned into dates. names : date -> symbol, "" leaves the row
    out (two genes may be meant).
    """

    what: ClassVar[str] = "Restore the gene names that Excel turned into dates"
    kind: Literal["restore_dates"] = "restore_dates"
    role: Role
    names: Mapping[str, str]

    def apply(self, part: Part) -> tuple[Part, str]:
        genes = [str(g) for g in part.matrix.genes]
        new = [self.names.get(g, g) for g in genes]
        done = [
            f"{a} to {b}" for a, b in dict(zip(genes, new, strict=True)).items() if b and a != b
        ]
        gone = list(
            dict.fromkeys(g for g, n in zip(genes, new, strict=True) if not n and g in self.names)
        )
        said = [f"Gene names restored: {some(done)}."] if done else []
        said += (
            [f"Left out, as it cannot be told which gene is meant: {some(gone)}."] if gone else []
        )
        lost = np.array([g in self.names and not self.names[g] for g in genes], dtype=bool)
        return keep_genes(named(part, new), ~lost), " ".join(said) or "No gene name was a date."

    def preview(self, part: Part) -> pd.DataFrame:
        shown = [str(g) for g in part.matrix.genes]
        return changes(shown, [self.names.get(g, g) or "left out" for g in shown])


class MergeGenes(Repair):
    """One row for every gene name. how : "sum" adds the rows up, "larger" keeps the row of the
    largest mean.
    """

    kind: Literal["merge_genes"] = "merge_genes"
    role: Role
    how: Literal["sum", "larger"] = "sum"

    def title(self) -> str:
        return (
            "Sum up duplicated genes"
            if self.how == "sum"
            else "Of duplicated genes keep the one with the larger mean"
        )

    def apply(self, part: Part) -> tuple[Part, str]:
        genes = part.matrix.genes
        double = genes[genes.duplicated()].unique()
        if not len(double):
            return part, "No gene occurs more than once."
        extra = len(genes) - genes.nunique()
        if self.how == "sum":
            return (
                add_up(part),
                (
                    f"{number(len(double))} gene{'s' if len(double) > 1 else ''} that stood in"
                    f" several rows summed up: {some(double)}."
                ),
            )
        order = np.lexsort((np.arange(len(genes)), -gene_means(part.matrix)))  # the first of equals
        keep = np.zeros(len(genes), dtype=bool)
        keep[order[~genes[order].duplicated()]] = True
        return (
            keep_genes(part, keep),
            (
                f"{number(extra)} row{'s' if extra > 1 else ''} left out; of {some(double)} the one"
                " with the larger mean was kept."
            ),
        )

    def preview(self, part: Part) -> pd.DataFrame:
        matrix = part.matrix
        double = list(matrix.genes[matrix.genes.duplicated()].unique()[:ROWS])
        after = self.apply(part)[0].matrix
        then = dict(zip(after.genes, gene_means(after), strict=True))
        means = pd.Series(gene_means(matrix), index=matrix.genes)
        rows = [
            (str(g), ", ".join(f"{v:.4g}" for v in np.atleast_1d(means.loc[g])), f"{then[g]:.4g}")
            for g in double
        ]
        return pd.DataFrame(rows, columns=["gene", "before", "after"])


def add_up(part: Part) -> Part:
    """Rows of the same name added up, in the order of their first occurrence."""
    from scipy import sparse

    matrix = part.matrix
    codes, names = pd.factorize(matrix.genes)
    stored: Any = matrix.values
    first = np.flatnonzero(~matrix.genes.duplicated())
    if matrix.is_sparse:
        group = sparse.csr_matrix(
            (np.ones(len(codes), dtype=stored.dtype), (codes, np.arange(len(codes)))),
            shape=(len(names), len(codes)),
        )
        values: Any = (group @ stored).tocsc()
        values.sort_indices()
    else:
        values = stored[first].copy()
        later = np.flatnonzero(matrix.genes.duplicated())
        np.add.at(values, codes[later], stored[later])
    made = Matrix(values, pd.Index(names, dtype=object), matrix.columns)
    return replace(part, matrix=made, var=None if part.var is None else part.var.iloc[first])


class MapGenes(Repair):
    """Other gene names.

    by : "table" reads old name -> new name from the two columns of ``table``; "names" takes what
    follows the ID in ID|SYMBOL; "column" takes the column ``column`` of var. keep_unknown : genes
    without a new name keep the old one, else they are left out
    """

    kind: Literal["map_genes"] = "map_genes"
    role: Role
    by: Literal["table", "names", "column"]
    table: Path | None = Field(default=None, exclude=True)
    table_name: str = ""
    column: str = ""
    keep_unknown: bool = False

    def title(self) -> str:
        if self.by == "table":
            return (
                "Take the gene names from"
                f" {self.table_name or (self.table.name if self.table else 'a table')}"
            )
        return (
            "Take the names behind the IDs"
            if self.by == "names"
            else f"Take the gene names from the column {self.column}"
        )

    def record(self) -> dict[str, Any]:
        found = super().record()
        if self.by == "table" and self.table is not None:
            found["table_name"] = self.table_name or self.table.name
            if self.table.is_file():
                with open(self.table, "rb") as file:
                    found["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def names(self, part: Part) -> list[str]:
        """The new name of every gene, "" where there is none."""
        genes = [str(g) for g in part.matrix.genes]
        if self.by == "names":
            return [g.split("|", 1)[1].strip() if "|" in g else "" for g in genes]
        if self.by == "column":
            if part.var is None or self.column not in part.var.columns:
                raise MissingPart(
                    f"{part.source.name} has no column {self.column} in var.",
                    advice="Choose another column.",
                )
            return ["" if pd.isna(v) else str(v).strip() for v in part.var[self.column]]
        if self.table is None:
            raise MissingPart(
                "No table of gene names was chosen.",
                advice=(
                    "Choose a table with the old names in one column and the new ones in another."
                ),
            )
        known = read_pairs(self.table, self.table_name or self.table.name, set(genes))
        return [known.get(g) or known.get(without_version(g), "") for g in genes]

    def apply(self, part: Part) -> tuple[Part, str]:
        old = [str(g) for g in part.matrix.genes]
        new = self.names(part)
        found = np.array([bool(n) for n in new], dtype=bool)
        said = f"{number(int(found.sum()))} of {number(len(new))} genes renamed"
        if self.keep_unknown:
            return (
                named(part, [n or o for n, o in zip(new, old, strict=True)]),
                f"{said}; the others kept their names.",
            )
        return (
            keep_genes(named(part, new), found),
            f"{said}; {number(int((~found).sum()))} without a new name left out.",
        )

    def preview(self, part: Part) -> pd.DataFrame:
        return changes(
            [str(g) for g in part.matrix.genes],
            [n or ("" if self.keep_unknown else "left out") for n in self.names(part)],
        )
