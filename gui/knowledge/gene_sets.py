"""Gene sets: the collections that come with the program, and GMT files.

Sources and licences: ``resources/knowledge/SOURCE.md``.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from gui.errors import UnreadableFile
from gui.resources import resource

MOST_SETS = 50_000
LONGEST_NAME = 300
LARGEST_TEXT = 200_000_000
"""Characters of a GMT file: all of MSigDB has 40 million."""


@dataclass(frozen=True, eq=False)
class GeneSets:
    """A collection of gene sets and where it comes from.

    Attributes
    ----------
    key
        Short, in parameters and on the command line ("hallmark").
    species
        Whose genes: "human", or "" for a file of the user.
    citation
        Reference, with doi where there is one.
    sets
        Name -> genes as given.
    """

    key: str
    name: str
    version: str
    licence: str
    citation: str
    species: str
    sets: Mapping[str, tuple[str, ...]]

    @property
    def source(self) -> str:
        """Version, licence and citation in one line."""
        return ". ".join(text for text in (self.version, self.licence, self.citation) if text)


@dataclass(frozen=True)
class Shipped:
    """What is said about a collection that comes with the program, without reading it."""

    key: str
    name: str
    version: str
    licence: str
    citation: str


SHIPPED: Mapping[str, Shipped] = {
    one.key: one
    for one in (
        Shipped(
            "hallmark",
            "Hallmark",
            "MSigDB 7.5.1",
            "CC BY 4.0",
            "Liberzon et al. 2015, Cell Systems 1:417, doi 10.1016/j.cels.2015.12.004",
        ),
        Shipped(
            "reactome",
            "Reactome",
            "as in MSigDB 7.5.1",
            "CC BY 4.0",
            "Gillespie et al. 2022, Nucleic Acids Res 50:D687, doi 10.1093/nar/gkab1028",
        ),
        Shipped(
            "wikipathways",
            "WikiPathways",
            "as in MSigDB 7.5.1",
            "CC0",
            "Martens et al. 2021, Nucleic Acids Res 49:D613, doi 10.1093/nar/gkaa1024",
        ),
        Shipped(
            "go_bp",
            "GO biological process",
            "Gene Ontology 2022-07-01",
            "CC BY 4.0",
            "Ashburner et al. 2000, Nat Genet 25:25, doi 10.1038/75556",
        ),
        Shipped(
            "go_cc",
            "GO cellular component",
            "Gene Ontology 2022-07-01",
            "CC BY 4.0",
            "Ashburner et al. 2000, Nat Genet 25:25, doi 10.1038/75556",
        ),
        Shipped(
            "go_mf",
            "GO molecular function",
            "Gene Ontology 2022-07-01",
            "CC BY 4.0",
            "Ashburner et al. 2000, Nat Genet 25:25, doi 10.1038/75556",
        ),
    )
}


@cache
def shipped_sets(key: str) -> GeneSets:
    """A collection that comes with the program; KeyError for another key.

    The first call reads it: up to 0.3 s for the biological processes.
    """
    about = SHIPPED[key]
    text = lzma.decompress(resource(f"knowledge/{key}.gmt.xz").read_bytes()).decode("utf-8")
    sets = parse_gmt(text, f"{key}.gmt")
    return GeneSets(key, about.name, about.version, about.licence, about.citation, "human", sets)


def parse_gmt(text: str, name: str) -> dict[str, tuple[str, ...]]:
    """Sets of a GMT file: name, description, genes, one set a line, separated by tabs.

    Genes may carry a weight behind a comma (Enrichr: ``CD3E,1.0``), which is left out. Two sets of
    one name get their line numbers. Lines without a gene are left out, see :func:`without_genes`.

    Raises
    ------
    UnreadableFile : no such file, or one without a set
    """
    if len(text) > LARGEST_TEXT:
        raise UnreadableFile(f"{name} is too large for a file of gene sets.")
    found: dict[str, tuple[str, ...]] = {}
    empty: list[int] = []
    for number, line in _lines(text):
        title, *fields = line.split("\t")
        genes = dict.fromkeys(
            gene for gene in (field.split(",", 1)[0].strip() for field in fields[1:]) if gene
        )
        if not genes:
            empty.append(number)
            continue
        title = title.strip()[:LONGEST_NAME] or f"set {number}"
        found[title if title not in found else f"{title} (line {number})"] = tuple(genes)
        if len(found) > MOST_SETS:
            raise UnreadableFile(f"{name} holds more than {MOST_SETS} gene sets.")
    if len(empty) > len(found):
        raise UnreadableFile(
            f"{name} is not a GMT file: line {empty[0]} has fewer than three columns.",
            advice="One set a line: name, description and genes, separated by tabs.",
        )
    if not found:
        raise UnreadableFile(f"{name} holds no gene set.")
    return found


def without_genes(text: str, sets: Mapping[str, tuple[str, ...]]) -> int:
    """How many lines of a GMT file :func:`parse_gmt` left out, because they name no gene."""
    return sum(1 for _ in _lines(text)) - len(sets)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of the lines, without empty ones and remarks."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.startswith("#"):
            yield number, line.rstrip("\r")
