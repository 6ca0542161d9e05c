"""Gene names of one file brought to those of another, with the way by which each was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from gui.knowledge.gene_lists import (
    AMBIGUOUS,
    COLUMN,
    R_NAME,
    SAME,
    UNKNOWN,
    GeneList,
    Recognition,
    Resolved,
    Target,
)
from gui.knowledge.human_genes import HumanGenes, human_genes, make_r_name, r_names
from gui.knowledge.identifiers import Kind, take_apart

_SAMPLE = 5_000
"""Names looked at to recognise a list."""


@dataclass(frozen=True, eq=False)
class NameMap:
    """What each name of a list becomes.

    Parameters
    ----------
    old, new
        The names before and after, one per row of the list.
    genes
        The current symbol of the gene; "" where it is not known.
    ways
        How the new name was found, in words.
    """

    old: Sequence[str]
    new: Sequence[str]
    genes: Sequence[str]
    ways: Sequence[str]

    @property
    def changed(self) -> int:
        """How many names change."""
        return sum(a != b for a, b in zip(self.old, self.new, strict=True))

    def counts(self) -> pd.Series:
        """Number of names by way, the most frequent first."""
        found = Counter(self.ways).most_common()
        return pd.Series(dict(found), dtype=int, name="names")

    def table(self) -> pd.DataFrame:
        """The list to save: name in the file, name used, way."""
        columns = {"name in the file": self.old, "name used": self.new, "way": self.ways}
        return pd.DataFrame({name: list(values) for name, values in columns.items()})

    def keys(self, to: Target) -> list[str]:
        """What tells the gene of each name: its current symbol, or else the new name."""
        if to == "ensembl":
            return list(self.new)
        return [gene or new for gene, new in zip(self.genes, self.new, strict=True)]

    def together(self) -> dict[str, tuple[str, ...]]:
        """New name -> the old ones, for the genes on which several rows fall."""
        at: dict[str, list[str]] = {}
        for old, new in zip(self.old, self.new, strict=True):
            at.setdefault(new, []).append(old)
        return {new: tuple(old) for new, old in at.items() if len(old) > 1}


@dataclass(frozen=True)
class NameRule:
    """How a list of names is brought to the names of another list. Small enough to be saved.

    Parameters
    ----------
    to
        What the names are brought to.
    renamed
        Name after that step -> name in the other list, where the two lists call a gene differently.
    kept
        Names that stay because the other list has them as they are.
    """

    to: Target = "symbol"
    renamed: Mapping[str, str] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RuleProposal:
    """A rule, and what it does. before, after : names of the other list that are found."""

    rule: NameRule
    names: NameMap
    before: int
    after: int


def recognise(names: Iterable[object], genes: HumanGenes | None = None) -> Recognition:
    """Of which kind the names are: by their form and by the fraction of known ones."""
    reading = GeneList([str(n) for n in names], genes or human_genes(), sample=_SAMPLE)
    return reading.recognition


def known_fraction(names: Iterable[object], genes: HumanGenes | None = None) -> float:
    """Fraction of the names that are human genes of any kind; to find the column of the genes."""
    return recognise(names, genes).known


def convert(
    names: Iterable[object], rule: NameRule | None = None, genes: HumanGenes | None = None
) -> NameMap:
    """What each name becomes by the rule; without one, symbols as they are in the list."""
    rule, old = rule or NameRule(), [str(n) for n in names]
    return _apply(rule, old, GeneList(old, genes or human_genes()).resolve(rule.to))


def _apply(rule: NameRule, old: list[str], resolved: list[Resolved]) -> NameMap:
    new: list[str] = []
    ways: list[str] = []
    for name, (_, bare, way) in zip(old, resolved, strict=True):
        if name in rule.kept:
            made, way = name, SAME
        else:
            made = rule.renamed.get(bare, bare)
            if made != bare and way.startswith((UNKNOWN, AMBIGUOUS)):
                way = R_NAME if make_r_name(made) == bare else COLUMN
        new.append(made)
        ways.append(way)
    return NameMap(old, new, [gene for gene, _, _ in resolved], ways)


def propose_rule(
    names: Iterable[object],
    onto: Iterable[object],
    to: Target = "symbol",
    known: Mapping[str, str] | None = None,
    keys: Sequence[str] | None = None,
    genes: HumanGenes | None = None,
) -> RuleProposal:
    """The rule by which the most names are found in another list, and none wrongly.

    Parameters
    ----------
    names, onto
        The list, and the one whose names are wanted.
    to
        "ensembl" where both hold Ensembl IDs, else "symbol".
    known
        ID without version -> name in ``onto``, as the other file says itself.
    keys
        What tells the gene of each name in ``onto`` (:meth:`NameMap.keys`), if it is known already.
    """
    genes, old = genes or human_genes(), [str(n) for n in names]
    wanted = [str(n) for n in onto]
    there = set(wanted)
    resolved = GeneList(old, genes).resolve(to)
    if keys is None:
        keys = convert(wanted, NameRule(to), genes).keys(to)
    by_gene: dict[str, str] = {}
    for name, key in zip(wanted, keys, strict=True):
        if key not in by_gene or name == key:
            by_gene[key] = name
    r_form = r_names(there)
    renamed: dict[str, str] = {}
    kept: set[str] = set()
    taken = set(old) & there
    for name, (gene, new, _) in zip(old, resolved, strict=True):
        if name in there:
            if new != name:
                kept.add(name)
            continue
        target = (known or {}).get(_id_in(name)) if known else None
        target = target or (new if new in there else None)
        target = target or (by_gene.get(gene) if to == "symbol" and gene else by_gene.get(new))
        target = target or r_form.get(new)
        # a gene that is in the list under the wanted name already is not this one as well,
        # unless an ID says so
        if target is None or (target in taken and not _is_id(name)):
            continue
        if target != new:
            renamed[new] = target
    rule = NameRule(to, renamed, frozenset(kept))
    made = _apply(rule, old, resolved)
    return RuleProposal(rule, made, len(taken), len(there & set(made.new)))


def common_target(lists: Iterable[Recognition]) -> Target:
    """What several lists are brought to: Ensembl IDs where all hold them, else symbols."""
    found = list(lists)
    return "ensembl" if found and all(Kind.ENSEMBL in r.holds for r in found) else "symbol"


def _id_in(name: str) -> str:
    return take_apart(name).ensembl


def _is_id(name: str) -> bool:
    return bool(_id_in(name)) or name.isdecimal()
