"""The human genes: IDs, symbols and aliases, from the tables that come with the program.

Sources and licences: ``resources/knowledge/SOURCE.md``.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from gui.resources import resource

RELEASE = "NCBI Gene 2022-09, Ensembl 2022-06, GENCODE v44"
"""What the tables were made from, for the provenance."""
_INVALID = re.compile(r"[^A-Za-z0-9._]")


@dataclass(frozen=True, eq=False)
class HumanGenes:
    """Lookup tables whose values are current symbols.

    Parameters
    ----------
    symbols
        All current symbols.
    by_ensembl, by_entrez
        ID without version -> symbol. Several IDs may be of one gene.
    by_alias
        Alias with one meaning -> symbol. None of them is a current symbol.
    ambiguous
        Alias with several meanings -> their symbols, separated by blanks. May be a current symbol
        itself, which is then one of them.
    """

    symbols: frozenset[str]
    by_ensembl: dict[str, str]
    by_entrez: dict[str, str]
    by_alias: dict[str, str]
    ambiguous: dict[str, str]

    @cached_property
    def by_r_name(self) -> dict[str, str]:
        """Current symbol or alias as R's ``make.names`` writes it (HLA.A) -> as it is (HLA-A).

        Only names that R changes, and none that two names would become.
        """
        return r_names(self.symbols) | {
            name: alias
            for name, alias in r_names(self.by_alias).items()
            if name not in self.symbols
        }

    @cached_property
    def by_upper_case(self) -> dict[str, str]:
        """Current symbol or alias in upper case -> as it is."""
        aliases = {alias.upper(): alias for alias in self.by_alias}
        return aliases | {symbol.upper(): symbol for symbol in self.symbols}


def make_r_name(name: str) -> str:
    """As R's ``make.names`` writes a name: HLA-A -> HLA.A, 7SK -> X7SK."""
    made = _INVALID.sub(".", name)
    return made if made[:1].isalpha() else f"X{made}"


def r_names(names: Iterable[str]) -> dict[str, str]:
    """R's form -> name, for the names that R changes; forms that two names share are left out."""
    made: dict[str, str] = {}
    shared: set[str] = set()
    for name in names:
        if name.isalnum() and name.isascii() and name[0].isalpha():
            continue  # as most are
        form = make_r_name(name)
        if form != name:
            if form in made:
                shared.add(form)
            made[form] = name
    return {form: name for form, name in made.items() if form not in shared}


@cache
def human_genes() -> HumanGenes:
    """The tables, read on first use (about 0.2 s and 25 MB)."""
    by_ensembl: dict[str, str] = {}
    by_entrez: dict[str, str] = {}
    for ensembl, entrez, symbol in _rows("human_genes.tsv.gz"):
        if ensembl:
            by_ensembl[ensembl] = symbol
        if entrez:
            by_entrez[entrez] = symbol
    symbols = frozenset(by_ensembl.values()) | frozenset(by_entrez.values())
    by_alias: dict[str, str] = {}
    ambiguous: dict[str, str] = {}
    for alias, meanings in _rows("human_aliases.tsv.gz"):
        if " " in meanings:
            ambiguous[alias] = meanings
        elif alias.upper() in symbols and alias.upper() != meanings:  # Alb, of mouse, is not FBF1
            ambiguous[alias] = f"{alias.upper()} {meanings}"
        elif alias not in symbols:
            by_alias[alias] = meanings
    for alias, symbol in _RENAMED.items():
        if alias not in symbols:
            by_alias[alias] = symbol
            ambiguous.pop(alias, None)
    return HumanGenes(symbols, by_ensembl, by_entrez, by_alias, ambiguous)


def _rows(name: str) -> Iterator[list[str]]:
    text = gzip.decompress(resource(f"knowledge/{name}").read_bytes()).decode("utf-8")
    lines = iter(text.splitlines())
    next(lines)
    return (line.split("\t") for line in lines)


_RENAMED = {
    **{f"SEPT{n}": f"SEPTIN{n}" for n in range(1, 15) if n != 13},
    **{f"MARCH{n}": f"MARCHF{n}" for n in range(1, 12)},
    **{f"MARC{n}": f"MTARC{n}" for n in (1, 2)},
    "SEP15": "SELENOF",
}
"""Symbols that HGNC replaced because Excel reads them as dates (Bruford et al. 2020,
doi 10.1038/s41588-020-0669-3). NCBI lists some of them as aliases of a second gene too."""
