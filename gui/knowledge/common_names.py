"""Names by which genes in use and genes of sets and markers are compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from gui.knowledge.gene_lists import GeneList, Recognition
from gui.knowledge.human_genes import human_genes
from gui.text import number

FEW_KNOWN = 0.2
"""With a smaller fraction of known human genes nothing of human genes is compared."""


@dataclass(frozen=True, eq=False)
class GenesInUse:
    """The genes of a run, and how they are found under other names.

    Attributes
    ----------
    genes
        As the run names them.
    by_name
        Name to compare by -> gene of the run: the current human symbol where it is known, and the
        gene's own name. Where two genes have one symbol, it is the first one's.
    recognition
        Of which kind the names are.
    """

    genes: tuple[str, ...]
    by_name: Mapping[str, str]
    recognition: Recognition

    @classmethod
    def of(cls, genes: Iterable[object]) -> GenesInUse:
        names = tuple(str(gene) for gene in genes)
        listed = GeneList(names, human_genes())
        by_name: dict[str, str] = {}
        for name, (symbol, _, _) in zip(names, listed.resolve("symbol"), strict=True):
            if symbol:
                by_name.setdefault(symbol, name)
        for name in names:
            by_name.setdefault(name, name)
        return cls(names, by_name, listed.recognition)

    @property
    def species(self) -> str:
        """ "human", "mouse" or another one; "" if it cannot be told."""
        return (
            self.recognition.species
            if self.recognition.known >= FEW_KNOWN
            else ("mouse" if self.recognition.species == "mouse" else "")
        )

    @property
    def human(self) -> bool:
        """Whether sets and markers of human genes can be compared."""
        return self.species == "human"

    @cached_property
    def sentence(self) -> str:
        """What the genes are, where shipped sets cannot be compared; else ""."""
        if self.human:
            return ""
        if self.species == "mouse":
            return (
                "The genes look like mouse genes, and the gene sets of the program are of human"
                " genes: add a GMT file of mouse genes."
            )
        known = round(self.recognition.known * len(self.genes))
        return (
            f"Only {number(known)} of the {number(len(self.genes))} genes in use are known human"
            " genes, so the gene sets and markers of the program say nothing about them: add a"
            " file with the same names."
        )

    def find(self, gene: str) -> str:
        """The gene of the run that a set means by this name, "" if it is not in use."""
        own = self.by_name.get(gene)
        if own is None and self.human:
            own = self.by_name.get(human_genes().by_alias.get(gene, ""))
        return own or ""

    def match(self, sets: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
        """Every set under the names of the run.

        Genes that are not in use keep the names they have, so that the size of a set is known.
        """
        return {
            name: list(dict.fromkeys(self.find(gene) or gene for gene in genes))
            for name, genes in sets.items()
        }
