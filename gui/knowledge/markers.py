"""Marker genes of cell types: the lists that come with the program, and tables of the user.

Sources and licences: ``resources/knowledge/SOURCE.md``.
"""

from __future__ import annotations

import lzma
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import pandas as pd

from gui.knowledge.common_names import GenesInUse
from gui.resources import resource

COLUMNS = ["cell_type", "gene", "direction", "source"]
SHIPPED_NAME = "marker lists of the program"
SHIPPED_VERSION = "Pegasus 1.10.2; Besca 2.5.5"
SHIPPED_LICENCE = "BSD-3-Clause (Pegasus, Broad Institute); GPL-3.0 (Besca, F. Hoffmann-La Roche)"
SHIPPED_CITATION = (
    "Li et al. 2020, Nat Methods 17:793, doi 10.1038/s41592-020-0905-x; Mädler et al. 2021, NAR"
    " Genom Bioinform 3:lqab102, doi 10.1093/nargab/lqab102"
)
SHIPPED_SOURCE = f"{SHIPPED_VERSION}. {SHIPPED_LICENCE}. {SHIPPED_CITATION}"
LISTS = {"pegasus": "Pegasus", "besca": "Besca"}


@dataclass(frozen=True, eq=False)
class Markers:
    """Marker genes by cell type, of one list or several.

    Attributes
    ----------
    table
        One row per cell type and gene: columns cell_type, gene, direction ("+" expressed, "-" not
        expressed), source (the lists that say so).
    """

    table: pd.DataFrame

    @classmethod
    def joined(cls, parts: Iterable[Markers]) -> Markers:
        """All rows of several lists."""
        tables = [part.table for part in parts if len(part.table)]
        empty = pd.DataFrame(columns=COLUMNS, dtype=object)
        return cls(pd.concat(tables, ignore_index=True) if tables else empty)

    def in_use(self, genes: GenesInUse) -> Markers:
        """Only markers among the genes of a run, under the run's names."""
        table = self.table.assign(gene=[genes.find(str(gene)) for gene in self.table["gene"]])
        found = table[table["gene"] != ""]
        keys = ["cell_type", "gene", "direction"]
        joined = found.groupby(keys, sort=False)["source"].agg(
            lambda names: ", ".join(dict.fromkeys(", ".join(names).split(", ")))
        )
        return Markers(joined.reset_index() if len(found) else found.reset_index(drop=True))

    @cached_property
    def positive(self) -> Mapping[str, list[str]]:
        """Cell type -> genes that it expresses."""
        found: dict[str, list[str]] = defaultdict(list)
        for row in self.table[self.table["direction"] == "+"].itertuples():
            found[str(row.cell_type)].append(str(row.gene))
        return {name: list(dict.fromkeys(genes)) for name, genes in found.items()}

    @cached_property
    def by_gene(self) -> Mapping[str, list[tuple[str, str, str]]]:
        """Gene -> (cell type, direction, source) of everything that is said about it."""
        found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for row in self.table.itertuples():
            found[str(row.gene)].append((str(row.cell_type), str(row.direction), str(row.source)))
        return dict(found)


@cache
def shipped_markers(species: str = "human") -> Markers:
    """The lists that come with the program, of human or mouse genes; none for other species."""
    text = lzma.decompress(resource("knowledge/markers.tsv.xz").read_bytes()).decode("utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    kept = [
        (name, gene, direction, ", ".join(LISTS[one] for one in lists.split()))
        for of, name, gene, direction, lists in rows
        if of == species
    ]
    return Markers(pd.DataFrame(kept, columns=COLUMNS, dtype=object))
