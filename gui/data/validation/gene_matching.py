"""Whether the parts call their genes alike, and the repairs that bring them to one kind of name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from gui.data.dataset import PART_NAMES, ROLES, Role
from gui.data.readers.part import Part
from gui.data.validation import findings as f
from gui.data.validation.findings import Finding, Place
from gui.data.validation.heuristics import symbol_column
from gui.data.validation.registry import repair_part
from gui.data.validation.repairs import Repair, Transpose
from gui.data.validation.repairs_genes import CleanNames, MapGenes, RestoreDates
from gui.data.validation.repairs_matching import MatchGenes
from gui.knowledge.gene_lists import DATE, Recognition, Target
from gui.knowledge.gene_names import (
    NameMap,
    NameRule,
    RuleProposal,
    common_target,
    convert,
    propose_rule,
    recognise,
)
from gui.knowledge.identifiers import Kind, leading_kind, take_apart
from gui.text import number, shorten


@dataclass(frozen=True, eq=False)
class Match:
    """What is proposed for the gene names of a part.

    Parameters
    ----------
    kind
        Of which kind its own names are.
    repair
        None where they stay.
    names
        What becomes of them, and by which way.
    before, after
        How many genes of the first part are found without and with all repairs.
    """

    role: Role
    kind: Recognition
    repair: MatchGenes | None
    names: NameMap
    before: int
    after: int


@dataclass(frozen=True, eq=False)
class _Source:
    """A list of names of a part: its own (column ""), or those of a column beside them."""

    column: str
    names: list[str]
    kind: Recognition


@dataclass(frozen=True, eq=False)
class _Plan:
    """One way to bring all parts together."""

    to: Target
    first: _Source
    names: NameMap
    others: Mapping[Role, tuple[_Source, RuleProposal]]

    @property
    def found(self) -> int:
        return sum(made.after for _, made in self.others.values())

    @property
    def dates(self) -> int:
        """How many of those found are dates that Excel made of genes."""
        wanted = set(self.names.new)
        return sum(
            way.startswith(DATE) and new in wanted
            for _, made in self.others.values()
            for new, way in zip(made.names.new, made.names.ways, strict=True)
        )


def match_genes(parts: Mapping[Role, Part], fixed: Collection[Role] = ()) -> dict[Role, Match]:
    """For every part what is proposed, so that as many genes as possible are in all parts.

    The names of the training cells count, the others are brought to them. Symbols are wanted,
    unless all parts hold Ensembl IDs. The names of the ``fixed`` parts stay as they are.
    """
    ordered = [role for role in ROLES if role in parts]
    shown = [role for role in ordered if role == ordered[0] or role not in fixed]
    sources = {role: _sources(parts[role]) for role in shown}
    if not sources:
        return {}
    first, *others = sources
    own = {role: found[0] for role, found in sources.items()}
    if not others:
        return {first: _alone(first, own[first])}
    there = set(own[first].names)
    before = {role: len(there & set(own[role].names)) for role in others}
    if all(count == len(there) for count in before.values()):
        return {role: _unchanged(role, source, len(there)) for role, source in own.items()}
    plans: list[_Plan] = []
    as_is: list[tuple[Target, bool]] = [("symbol", False)]
    for to, clean in as_is if first in fixed else _ways(sources):
        if clean or not plans or list(plans[0].names.new) != plans[0].first.names:
            plans.append(_plan(sources, to, clean))
    plan = max(plans, key=lambda p: p.found)  # of equally good ones the first
    if plan.found - plan.dates <= sum(before.values()):  # dates have a repair of their own
        return {
            role: _unchanged(role, source, before.get(role, len(there)))
            for role, source in own.items()
        }
    whole = len(there)
    made = {
        first: _match(first, own[first], plan.first, NameRule(plan.to), plan.names, whole, whole)
    }
    for role, (source, proposal) in plan.others.items():
        counts = before[role], proposal.after
        made[role] = _match(role, own[role], source, proposal.rule, proposal.names, *counts)
    return made


def _sources(part: Part) -> list[_Source]:
    own = [str(gene) for gene in part.matrix.genes]
    found = [_Source("", own, recognise(own))]
    if part.var is None:
        return found
    symbols = symbol_column(part.var, part.matrix.genes)
    for column in part.var.columns:
        values = ["" if pd.isna(v) else str(v).strip() for v in part.var[column]]
        filled = [v for v in values if v]
        if 2 * len(filled) <= len(own) or 2 * len(set(filled)) <= len(filled) or values == own:
            continue
        kind = recognise(filled)
        if kind.known > 0.3 or Kind.ENSEMBL in kind.holds or column == symbols:
            names = [v or o for v, o in zip(values, own, strict=True)]
            found.append(_Source(str(column), names, kind))
    return found


def _ways(sources: Mapping[Role, Sequence[_Source]]) -> Iterator[tuple[Target, bool]]:
    """What the parts are brought to, and whether the names of the first one are cleaned for it."""
    if common_target(found[0].kind for found in sources.values()) == "ensembl":
        yield "ensembl", True
        return
    yield "symbol", True
    first = next(iter(sources.values()))[0]
    if _plain_symbols(first.kind):
        yield "symbol", False
    if all(any(Kind.ENSEMBL in s.kind.holds for s in found) for found in sources.values()):
        yield "ensembl", True


def _plan(sources: Mapping[Role, Sequence[_Source]], to: Target, clean: bool) -> _Plan:
    (_, own), *others = sources.items()
    first = _first_source(own, to)
    names = convert(first.names, NameRule(to))
    keys = names.keys(to)
    if not clean:
        names = replace(names, new=first.names)
    known = _ids_of(own, names.new) if to == "symbol" else {}
    made = {
        role: max(
            ((source, propose_rule(source.names, names.new, to, known, keys)) for source in found),
            # what the file says of its IDs itself before the tables
            key=lambda pair: (pair[1].after, to == "symbol" and Kind.SYMBOL in pair[0].kind.holds),
        )
        for role, found in others
    }
    return _Plan(to, first, names, made)


def _first_source(own: Sequence[_Source], to: Target) -> _Source:
    """The names of the first part that the others are brought to."""
    if to == "ensembl":
        return next((s for s in own if Kind.ENSEMBL in s.kind.holds), own[0])
    if Kind.SYMBOL in own[0].kind.holds:
        return own[0]
    symbols = [s for s in own if Kind.SYMBOL in s.kind.holds or s.kind.kind is Kind.UNKNOWN]
    return max(symbols, key=lambda s: s.kind.known, default=own[0])


def _plain_symbols(kind: Recognition) -> bool:
    return kind.kind is Kind.SYMBOL and Kind.ENSEMBL not in kind.holds


def _ids_of(own: Sequence[_Source], wanted: Sequence[str]) -> dict[str, str]:
    """Ensembl ID -> name, as the file of the first part says it."""
    source = next((s for s in own if Kind.ENSEMBL in s.kind.holds), None)
    if source is None or list(wanted) == source.names:
        return {}
    ids = (take_apart(name).ensembl for name in source.names)
    return {gene: name for gene, name in zip(ids, wanted, strict=True) if gene}


def _alone(role: Role, own: _Source) -> Match:
    """Symbols are freed of what stands around them; IDs are names as good as symbols."""
    if _plain_symbols(own.kind):
        names = convert(own.names)
        odd = sum(
            old.strip() != new and not way.startswith(DATE)
            for old, new, way in zip(own.names, names.new, names.ways, strict=True)
        )
        if odd:
            return _match(role, own, own, NameRule(), names, 0, 0)
    return _unchanged(role, own, len(own.names))


def _unchanged(role: Role, own: _Source, count: int) -> Match:
    names = convert(own.names)
    return Match(role, own.kind, None, replace(names, new=own.names), count, count)


def _match(
    role: Role,
    own: _Source,
    source: _Source,
    rule: NameRule,
    names: NameMap,
    before: int,
    after: int,
) -> Match:
    repair = None
    if list(names.new) != own.names:
        kept = tuple(sorted(rule.kept))
        repair = MatchGenes(
            role=role, to=rule.to, column=source.column, renamed=dict(rule.renamed), kept=kept
        )
    return Match(role, own.kind, repair, names, before, after)


def kinds_differ(parts: Mapping[Role, Part], matches: Mapping[Role, Match]) -> bool:
    """Whether the parts call their genes by different kinds of identifier, as written, so that the
    names of one are a choice: Ensembl IDs, Entrez IDs or probes beside symbols.

    A file that brings both kinds in columns needs no choice.
    """
    if any(match.repair is not None and match.repair.column for match in matches.values()):
        return False
    return len({leading_kind([str(g) for g in parts[r].matrix.genes]) for r in matches}) > 1


def gene_name_maps(
    raw: Mapping[Role, Part], repairs: Sequence[Repair], matches: Mapping[Role, Match]
) -> dict[Role, NameMap]:
    """For every part what becomes of the names in its file, as chosen or else as proposed.

    raw : the parts as read; repairs : those of the request; matches : what is proposed after them
    """
    first = tuple(r for r in repairs if isinstance(r, _OF_NAMES))
    found: dict[Role, NameMap] = {}
    for role, part in raw.items():
        if role not in matches:
            continue
        chosen = next((r for r in repairs if isinstance(r, MatchGenes) and r.fits(role)), None)
        if chosen is not None:
            found[role] = chosen.names(repair_part(part, first)[0])
        else:
            found[role] = matches[role].names
    return found


_OF_NAMES = (Transpose, CleanNames, MapGenes, RestoreDates)
"""Repairs of names that come before: see registry.KINDS."""


def count_ways(names: Mapping[Role, NameMap]) -> pd.DataFrame:
    """Number of names by way (rows) and part (columns), the most frequent ways first."""
    counts = pd.DataFrame({role: made.counts() for role, made in names.items()})
    counts = counts.fillna(0).astype(int)
    return counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]


def list_names(names: Mapping[Role, NameMap]) -> pd.DataFrame:
    """Every name of every part, what it becomes, and by which way."""
    made = [frame.table().assign(file=PART_NAMES[role]) for role, frame in names.items()]
    table = pd.concat(made, ignore_index=True) if made else NameMap([], [], [], []).table()
    return table.set_index("name in the file")


def describe_matches(matches: Mapping[Role, Match], parts: Mapping[Role, Part]) -> list[Finding]:
    """A finding for every part whose names are to be changed."""
    first = next(iter(matches), None)
    return [
        f.GeneNames(
            _place(match, parts[role]),
            _message(match, parts[role], None if role == first else first),
            _advice(match, None if role == first else first),
            match.repair,
        )
        for role, match in matches.items()
        if match.repair is not None
    ]


def _place(match: Match, part: Part) -> Place:
    pairs = zip(match.names.old, match.names.new, strict=True)
    odd = [old for old, new in pairs if old != new]
    return Place.at(part.source.name, match.role, genes=odd or match.names.old[:3])


def _message(match: Match, part: Part, first: Role | None) -> str:
    """Which names change, by the ways that are the most frequent."""
    pairs = zip(match.names.old, match.names.new, match.names.ways, strict=True)
    ways = Counter(way for old, new, way in pairs if old != new or match.repair is None)
    own = [str(gene) for gene in part.matrix.genes]
    count = sum(a != b for a, b in zip(own, match.names.new, strict=True))
    how = "; ".join(f"{way}: {number(often)}" for way, often in ways.most_common(3))
    example = next(
        (
            f" ({shorten(a)} is {shorten(b)})"
            for a, b in zip(own, match.names.new, strict=True)
            if a != b
        ),
        "",
    )
    where = f"in {PART_NAMES[first]}" if first else "otherwise"
    called = "called otherwise " + where if first else "called by their symbols in other files"
    said = (
        f"{number(count)} of {number(len(own))} genes of {part.source.name} are {called}{example}"
    )
    column = match.repair.column if match.repair is not None else ""
    via = f"the column {shorten(column, 40)}" if column else how
    return f"{said}; found by: {via}." if via else f"{said}."


def _advice(match: Match, first: Role | None) -> str:
    said = []
    if first is not None:
        said.append(
            f"With those names {number(match.after)} genes of {PART_NAMES[first]} are found instead"
            f" of {number(match.before)}."
        )
    if several := match.names.together():
        genes = f"{number(len(several))} gene{'s' if len(several) > 1 else ''}"
        said.append(f"Several rows are of one gene ({genes}) and are put together.")
    return " ".join(said)
