"""A list of gene names read as a whole: what one name means may depend on the others.

A name is never translated on a guess: an alias of two genes, an alias whose gene is in the same
list under its current symbol, and a date that may be two genes keep their name and are counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from gui.knowledge.excel_dates import restore_dates
from gui.knowledge.human_genes import HumanGenes
from gui.knowledge.identifiers import (
    ADVICE,
    SPECIES,
    Kind,
    NameParts,
    kind_of,
    species_in_front,
    symbol_and_number,
    take_apart,
)

Target = Literal["symbol", "ensembl"]
"""What names are brought to: symbols as they are in the list, or Ensembl IDs without version."""
Resolved = tuple[str, str, str]
"""Gene ("" where unknown), name after bringing it to the target, and way."""
Case = Literal["as it is", "human", "mouse", "unclear"]
_MOSTLY = 0.5
_MOUSE_ONLY = re.compile(r"Gm\d+|H2-\w+|mt-\w+|Olfr\d+|\w+Rik")
_HUMAN_TITLE = re.compile(r"C(\d+|x|X)orf\d+|Mt-\w+")
"""Symbols that only mouse has, and human ones in title case: Mt-co1, where mouse has mt-Co1."""
_OF_DATES = ("SEP", "MAR", "MTARC", "OCT4", "POU5F1", "DEC1", "DELEC1", "SELENOF")
"""Beginning of the symbols that Excel may have made dates of, new and former."""

CURRENT = "current symbol"
SHARED = "current symbol, also an alias of another gene"
FORMER = "former symbol or alias"
OF_ENSEMBL = "Ensembl ID"
OF_ENTREZ = "Entrez ID"
BESIDE = "symbol beside an ID"
ID_BESIDE = "ID beside a name"
R_NAME = "dashes that R turned into points"
OTHER_CASE = "upper and lower case"
DATE = "date made by Excel"
SAME = "same name in both files"
COLUMN = "another column of the file"
AMBIGUOUS = "several genes possible, name kept"
UNKNOWN = "not in the gene tables, name kept"


@dataclass(frozen=True)
class Recognition:
    """Of which kind a list of names is.

    Parameters
    ----------
    kind
        What most names are.
    species
        "human", "mouse" or another one; "" if it cannot be told.
    fraction
        Fraction of the names that are of this kind.
    known
        Fraction of the names whose gene is in the tables of human genes.
    holds
        Kinds that the names hold beside each other: ENSG…|CD3E holds two.
    example
        The first name of the kind.
    removed
        What stands around the names and is no part of them: version numbers, prefixes.
    """

    kind: Kind
    species: str
    fraction: float
    known: float
    holds: frozenset[Kind]
    example: str = ""
    removed: tuple[str, ...] = ()

    @property
    def advice(self) -> str:
        """What to do where the names cannot be matched."""
        return ADVICE.get(self.kind, "")

    def __str__(self) -> str:
        whose = f"{self.species} " if self.species not in ("", "human") else ""
        both = " beside gene symbols" if {Kind.SYMBOL, Kind.ENSEMBL} <= self.holds else ""
        main = Kind.ENSEMBL if both else self.kind
        return f"{whose}{main}{both}{f', such as {self.example[:40]}' if self.example else ''}"


class GeneList:
    """A list of names read as a whole: what one name means may depend on the others."""

    def __init__(self, names: Sequence[str], genes: HumanGenes, sample: int | None = None) -> None:
        self.genes = genes
        self.length = len(names)
        if sample is not None and len(names) > sample:
            at = np.linspace(0, len(names) - 1, sample).astype(int)
            names = [names[i] for i in at]
        self.names = names
        before = [species_in_front(name) for name in names]
        two_species = {"human", "mouse"} <= set(before)
        self.parts = [
            # beside human genes a gene of the mouse keeps the name that tells it apart
            NameParts(name, symbols=(name,))
            if two_species and species == "mouse"
            else self._parts(name)
            for name, species in zip(names, before, strict=True)
        ]
        self.entrez = self._numbers_are_entrez()
        self.trust_ids = self._ids_agree()
        self.case = self._case()
        self.dates = {} if self.entrez else self._dates()

    def _parts(self, name: str) -> NameParts:
        if name in self.genes.symbols:
            return NameParts(name, symbols=(name,))
        parts = take_apart(name)
        if parts.ensembl or parts.number or len(parts.symbols) != 1:
            return parts
        text = parts.symbols[0]
        if text.endswith("_at") and text[:-3].isdecimal() and self._entrez_chip:
            return NameParts(text, (*parts.removed, "_at removed"), "", "", (text[:-3],))
        guess = symbol_and_number(text)
        if guess and text not in self.genes.by_alias and text not in self.genes.ambiguous:
            symbol = self._symbol(guess[0])
            if symbol and self.genes.by_entrez.get(guess[1]) == symbol:
                return NameParts(text, parts.removed, "", guess[1], (guess[0],))
        return parts

    @cached_property
    def _entrez_chip(self) -> bool:
        """Whether numbers before _at are Entrez IDs (Brainarray); Affymetrix has _s_at as well."""
        ends = [n for n in self.names if n.endswith("_at") and not n.startswith("AFFX")]
        numbers = [n[:-3] for n in ends if n[:-3].isdecimal()]
        known = sum(n in self.genes.by_entrez for n in numbers)
        return bool(ends) and len(numbers) == len(ends) and known > 0.8 * len(numbers)

    def _numbers_are_entrez(self) -> bool:
        texts = [p.symbols[0] if len(p.symbols) == 1 else "" for p in self.parts]
        numbers = [t.removesuffix(".0") for t in texts if t.removesuffix(".0").isdecimal()]
        if len(numbers) < _MOSTLY * len(self.names) or not numbers:
            return False
        if max(map(_value, numbers)) < 3 * self.length:
            return False  # row numbers
        return sum(n in self.genes.by_entrez for n in numbers) > _MOSTLY * len(numbers)

    def _ids_agree(self) -> bool:
        """Whether the IDs beside symbols are those of the symbols; without evidence they are."""
        both = [
            (self.genes.by_ensembl.get(p.ensembl) or self.genes.by_entrez.get(p.number), s)
            for p in self.parts
            if (p.ensembl or p.number)
            and len(p.symbols) == 1
            and (s := p.symbols[0]) in self.genes.symbols
        ]
        known = [(gene, symbol) for gene, symbol in both if gene]
        good = sum(gene == symbol for gene, symbol in known)
        return good >= _MOSTLY * len(known) if len(both) < 20 else good >= 0.3 * len(both)

    def _case(self) -> Case:
        """Whose symbols names in lower or mixed case are."""
        texts = [p.symbols[0] for p in self.parts if len(p.symbols) == 1 and not p.ensembl]
        new = [t for t in texts if t not in self.genes.symbols]
        odd = [t for t in new if t.upper() != t and kind_of(t) is None]
        if 2 * len(odd) < len(texts) or not odd:
            return "as it is"
        known = sum(t.upper() in self.genes.by_upper_case for t in odd)
        if 2 * sum(t[0].isupper() for t in odd) < len(odd):  # lower case: human genes, or of fish
            return "human" if known > 0.7 * len(odd) else "unclear"
        if known < 0.3 * len(odd):
            return "unclear"
        human = any(t.startswith("Hla-") or _HUMAN_TITLE.fullmatch(t) for t in odd)
        mouse = any(_MOUSE_ONLY.fullmatch(t) for t in texts)
        return "human" if human and not mouse and known > 0.7 * len(odd) else "mouse"

    def _dates(self) -> dict[str, str]:
        """Names that Excel made dates of -> symbol, "" where several genes are possible."""
        plain = [p.symbols[0] for p in self.parts if len(p.symbols) == 1 and not p.ensembl]
        odd = [t for t in plain if t not in self.genes.symbols or t.startswith(_OF_DATES)]
        return restore_dates(odd, ())

    def _symbol(self, text: str) -> str:
        """The gene of a symbol or alias with one meaning, "" if there is none."""
        return text if text in self.genes.symbols else self.genes.by_alias.get(text, "")

    def resolve(self, to: Target) -> list[Resolved]:
        """Gene ("" if unknown), name after bringing it to ``to``, and way, for every name."""
        found = [self._resolve(parts, to) for parts in self.parts]
        # an alias whose gene is in the list already, or two aliases of one gene: which is it?
        guessed = (FORMER, R_NAME, OTHER_CASE)
        odd = [(gene, bare) for gene, bare, way in found if gene and way.startswith(guessed)]
        of: dict[str, set[str]] = {gene: set() for gene, _ in odd}
        for gene, bare in odd:
            of[gene].add(bare)
        for gene, bare, way in found:
            if gene in of and way.startswith((CURRENT, SHARED)):
                of[gene].add(bare)
        double = {gene for gene, names in of.items() if len(names) > 1}
        if not double:
            return found
        return [
            ("", bare, AMBIGUOUS)
            if gene in double and bare != gene and way.startswith(guessed)
            else (gene, bare, way)
            for gene, bare, way in found
        ]

    def _resolve(self, parts: NameParts, to: Target) -> Resolved:
        gene, bare, way = self._by_parts(parts)
        if to == "symbol" and not parts.removed:
            return gene, bare, way
        if to == "ensembl" and parts.ensembl:
            bare, way = parts.ensembl, OF_ENSEMBL if not parts.symbols else ID_BESIDE
        elif to == "ensembl":
            bare = bare if parts.symbols else parts.text
        return gene, bare, ", ".join((way, *parts.removed))

    def _by_parts(self, parts: NameParts) -> Resolved:
        genes = self.genes
        by_id = genes.by_ensembl.get(parts.ensembl, "") or genes.by_entrez.get(parts.number, "")
        if not parts.symbols:
            if parts.ensembl:
                return by_id, by_id or parts.ensembl, OF_ENSEMBL if by_id else UNKNOWN
            if by_id and self.trust_ids:
                return by_id, by_id, ID_BESIDE
            return "", parts.text, UNKNOWN
        if len(parts.symbols) == 1:
            gene, bare, way = self._by_symbol(parts.symbols[0])
        else:
            found = [self._by_symbol(symbol) for symbol in parts.symbols]
            if len({gene or bare for gene, bare, _ in found}) > 1:
                return "", parts.text, AMBIGUOUS
            gene, bare, way = found[0]
            way = BESIDE if gene else way
        if not parts.ensembl and not parts.number:
            return gene, bare, way
        if by_id and self.trust_ids and by_id != gene:
            # the symbol is unknown, ambiguous or of an older naming: the ID says which gene it is
            return by_id, by_id if not gene else bare, ID_BESIDE
        return gene, bare, BESIDE if gene else UNKNOWN

    def _by_symbol(self, text: str) -> Resolved:
        genes = self.genes
        if self.case == "mouse":  # the tables are of human genes
            return "", text, UNKNOWN
        if text in genes.symbols:
            return text, text, SHARED if text in genes.ambiguous else CURRENT
        if gene := genes.by_alias.get(text, ""):
            if "." in text and genes.by_r_name.get(text) == gene:  # NKX2.1 is NKX2-1
                return gene, gene, R_NAME
            return gene, text, FORMER
        if text in self.dates:
            restored = self.dates[text]
            gene = self._symbol(restored)
            return (gene, restored, DATE) if restored else ("", text, AMBIGUOUS)
        if text in genes.ambiguous:
            return "", text, AMBIGUOUS
        if self.entrez and (gene := genes.by_entrez.get(text.removesuffix(".0"), "")):
            return gene, gene, OF_ENTREZ
        if meant := genes.by_r_name.get(text):
            return self._symbol(meant), meant, R_NAME
        if self.case == "human" and (meant := genes.by_upper_case.get(text.upper())):
            return self._symbol(meant), meant, OTHER_CASE
        return "", text, UNKNOWN

    @property
    def recognition(self) -> Recognition:
        """The kind of most names."""
        resolved = [self._by_parts(parts) for parts in self.parts]
        kinds = [self._kind(*pair) for pair in zip(self.parts, resolved, strict=True)]
        counts = Counter(kinds)
        total = max(1, len(kinds))
        kind, count = counts.most_common(1)[0] if counts else (Kind.UNKNOWN, 0)
        if kind is Kind.UNKNOWN and self.case == "mouse":
            kind = Kind.SYMBOL
        example = next((n for n, k in zip(self.names, kinds, strict=True) if k is kind), "")
        ensembl = sum(bool(p.ensembl) for p in self.parts) > _MOSTLY * total
        symbols = sum(
            len(p.symbols) == 1 and not p.symbols[0].isdecimal() and kind_of(p.symbols[0]) is None
            for p in self.parts
        )
        holds = {kind}
        if ensembl:
            holds.add(Kind.ENSEMBL)
        if symbols > _MOSTLY * total and kind in (Kind.ENSEMBL, Kind.SYMBOL):
            holds.add(Kind.SYMBOL)
        removed = Counter(step for p in self.parts for step in p.removed)
        return Recognition(
            kind,
            self._species(kind),
            count / total,
            sum(bool(gene) for gene, _, _ in resolved) / total,
            frozenset(holds),
            example,
            tuple(step for step, often in removed.most_common() if often > 0.05 * total),
        )

    def _kind(self, parts: NameParts, resolved: Resolved) -> Kind:
        gene, _, way = resolved
        if parts.ensembl:
            return Kind.ENSEMBL
        if way == OF_ENTREZ:
            return Kind.ENTREZ
        if gene or way in (AMBIGUOUS, DATE):
            return Kind.SYMBOL
        text = parts.symbols[0] if len(parts.symbols) == 1 else parts.text
        form = kind_of(text)
        if form is Kind.NUMBER and _on_gene_chip(text):
            return Kind.AFFYMETRIX
        if form is not None:
            return form
        if self.case == "mouse" and text[:1].isupper() and text.upper() in self.genes.by_upper_case:
            return Kind.SYMBOL
        return Kind.UNKNOWN

    def _species(self, kind: Kind) -> str:
        if kind is Kind.ENSEMBL:
            begins = Counter(p.ensembl.rstrip("0123456789") for p in self.parts if p.ensembl)
            return SPECIES.get(begins.most_common(1)[0][0], "another species")
        if kind is Kind.SYMBOL:
            return "mouse" if self.case == "mouse" else "human"
        return "human" if kind is Kind.ENTREZ else ""


def _value(number: str) -> int:
    return int(float(number)) if len(number) < 15 else 0


def _on_gene_chip(number: str) -> bool:
    """Whether a number is a transcript cluster of an Affymetrix Gene ST chip (1.0 or 2.0)."""
    value = _value(number)
    return 7_892_501 <= value <= 8_180_418 or 16_650_001 <= value <= 17_127_999
