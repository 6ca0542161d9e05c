"""Genes: enrichment and markers of gene regulation, and what the hidden profile looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from gui.analyses.gene_markers import MARKER_COLUMNS, marker_verdicts
from gui.analyses.hidden_likeness import Likeness, library_of, likeness
from gui.engine.params import Params, param
from gui.engine.regulation import LOW_SUPPORT, LOWEST, regulation_of, regulation_table
from gui.engine.results import ADTDResult, BootstrapResult
from gui.errors import BadValues, DataError, InvalidParameter, MissingPart
from gui.knowledge.common_names import GenesInUse
from gui.knowledge.gene_sets import SHIPPED, GeneSets, shipped_sets
from gui.knowledge.markers import (
    SHIPPED_CITATION,
    SHIPPED_LICENCE,
    SHIPPED_NAME,
    SHIPPED_VERSION,
    Markers,
    shipped_markers,
)
from gui.knowledge.own_files import OWN, OwnFiles
from gui.text import number

if TYPE_CHECKING:
    from gui.data.dataset import Dataset
    from gui.jobs.status import Progress

READING, OVER, RANKED, MARKING, HIDDEN_LOOKS = (
    "Reading gene sets",
    "Testing regulated genes",
    "Testing the ranking of genes",
    "Looking up markers",
    "Comparing the hidden profile",
)
SHIPPED_MARKERS = "shipped"
SEPARATOR = " · "
"""Between the number of a collection and a set where collections are tested together."""
LISTED = 200
"""Sets that are kept of each test of one cell type, the most significant ones."""
RATE = 0.05
"""False discovery rate up to which sets are counted."""
TIED = 0.05
"""Part of the genes with the same regulation from which that is said of a ranking."""
UP, DOWN = "up", "down"
COLLECTIONS = ["key", "name", "version", "licence", "citation", "sets", "tested"]
REGULATED = frozenset({"up", "down", "background", "over", "ranked"})
OVER_COLUMNS = [
    *("cell_type", "direction", "collection", "set", "size", "in_background", "overlap"),
    *("expected", "fold", "p", "p_adjusted", "genes"),
]
RANKED_COLUMNS = [
    *("cell_type", "collection", "set", "size", "in_ranking", "es", "nes", "p", "fdr"),
    "leading_edge",
]


class GenesParams(Params):
    """What counts as regulated, and what it is compared with."""

    fold: float = param(
        2.0,
        "Regulated from",
        "A gene counts as regulated where its expression differs by at least this factor from the"
        " reference, upwards or downwards.",
        unit="fold",
        gt=1,
        le=1000,
        allow_inf_nan=False,
    )
    supported: bool = param(
        True,
        "Supported only",
        "Leave out regulation that the data hardly support: of rare cell types, of genes with a"
        " small weight, and where there is a bootstrap of an uncertain direction.",
    )
    sets: tuple[str, ...] = param(
        ("hallmark",),
        "Gene sets",
        "Collections that are tested, of the program and of your own GMT files.",
    )
    markers: tuple[str, ...] = param(
        (SHIPPED_MARKERS,),
        "Marker lists",
        "Lists of marker genes that are looked up, of the program and your own.",
    )
    smallest: int = param(
        10,
        "Smallest set",
        "Sets with fewer genes among those compared are not tested.",
        unit="genes",
        ge=2,
        le=1000,
        advanced=True,
    )
    largest: int = param(
        500,
        "Largest set",
        "Sets with more genes among those compared are not tested.",
        unit="genes",
        ge=3,
        le=100_000,
        advanced=True,
    )
    permutations: int = param(
        1000,
        "Permutations",
        "Random sets of genes that each score of the ranking is compared with. No p-value is below"
        " 1 / (permutations + 1).",
        ge=100,
        le=100_000,
        advanced=True,
    )
    seed: int = param(
        1,
        "Seed",
        "Random seed. The same seed gives the same p-values.",
        ge=0,
        le=2**32 - 2,
        advanced=True,
    )
    folder: str = Field("", exclude=True)
    """Where the user's own files are kept; not part of a session."""

    @field_validator("sets", "markers", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    def used(self) -> list[str]:
        without = {"folder"} | (
            set() if self.sets else {"smallest", "largest", "permutations", "seed"}
        )
        return [name for name in super().used() if name not in without]


@dataclass(frozen=True, eq=False)
class GenesResult:
    """What is regulated, what it is enriched for, and what the hidden profile looks like.

    Attributes
    ----------
    over
        Over-representation of regulated genes, best first within cell type and direction: columns
        :data:`OVER_COLUMNS`; ``genes`` is text, ``p_adjusted`` counts all tests of the run.
    ranked
        Pre-ranked enrichment, best first within a cell type: columns :data:`RANKED_COLUMNS`;
        ``fdr`` counts all sets of one cell type.
    markers
        Regulated genes that are known markers: columns :data:`MARKER_COLUMNS`.
    regulated
        By cell type: up, down (regulated genes), background (genes that could have been called);
        over, ranked (sets with a false discovery rate up to 5 %, of all tested).
    calls
        genes x cell types: 1 regulated upwards, -1 downwards, 0 neither; no column without
        regulation.
    collections
        What was tested: columns :data:`COLLECTIONS`.
    marker_lists
        Names of the marker lists.
    likeness
        Of the hidden profile.
    types
        Of the reference.
    family
        Tests that ``over["p_adjusted"]`` answers for.
    genes
        How many are in use.
    """

    over: pd.DataFrame
    ranked: pd.DataFrame
    markers: pd.DataFrame
    regulated: pd.DataFrame
    calls: pd.DataFrame
    collections: pd.DataFrame
    marker_lists: tuple[str, ...]
    likeness: Likeness
    types: tuple[str, ...]
    family: int
    genes: int
    notes: tuple[str, ...]

    def tables(self) -> dict[str, pd.DataFrame]:
        found = {
            "genes_regulated": self.regulated.rename_axis("cell_type"),
            "gene_sets": self.sources().set_index("key"),
            "enrichment": self.over.set_index("cell_type"),
            "enrichment_ranked": self.ranked.set_index("cell_type"),
            "markers": self.markers.set_index("cell_type"),
            "hidden_profiles": self.likeness.profiles.rename_axis("cell_type"),
            "hidden_markers": self.likeness.markers.rename_axis("cell_type"),
        }
        return {name: table for name, table in found.items() if len(table)}

    def sources(self) -> pd.DataFrame:
        """What was tested and looked up, with versions, licences and citations.

        Columns :data:`COLLECTIONS` and kind ("gene sets", "markers"); markers have no sets.
        """
        lists = [
            ("shipped", name, SHIPPED_VERSION, SHIPPED_LICENCE, SHIPPED_CITATION)
            if name == SHIPPED_NAME
            else ("own", name, "", "", "your own file")
            for name in self.marker_lists
        ]
        rows = pd.DataFrame(lists, columns=COLLECTIONS[:5], dtype=object)
        parts = [
            part.reindex(columns=COLLECTIONS).assign(kind=kind)
            for part, kind in ((self.collections, "gene sets"), (rows, "markers"))
        ]
        found = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
        return found.astype({"sets": "Int64", "tested": "Int64"})

    def citations(self) -> tuple[str, ...]:
        tests = ("hypergeometric", "gsea", "benjamini-hochberg") if len(self.collections) else ()
        return (*tests, *(["nnls"] if len(self.likeness.profiles) else []))

    def fits(self) -> bool:
        likeness = self.likeness
        return (
            list(self.over.columns) == OVER_COLUMNS
            and list(self.ranked.columns) == RANKED_COLUMNS
            and list(self.markers.columns) == MARKER_COLUMNS
            and list(self.collections.columns) == COLLECTIONS
            and set(self.calls.columns) == set(self.regulated.index) <= set(self.types)
            and set(self.regulated.columns) >= REGULATED
            and {"explained", "cosine", "fits"} <= set(likeness.profiles.columns)
            and {"auc", "p_adjusted", "fits", "genes"} <= set(likeness.markers.columns)
            and all(
                frame.empty or all(frame[name].dtype.kind in "biuf" for name in names)
                for frame, names in (
                    (self.over, ("p", "p_adjusted", "overlap", "fold", "in_background")),
                    (self.ranked, ("es", "nes", "p", "fdr", "in_ranking")),
                    (self.markers, ("log2",)),
                    (self.calls, tuple(self.calls.columns)),
                    (self.regulated, tuple(REGULATED)),
                    (likeness.profiles, ("explained", "cosine", "weight")),
                    (likeness.markers, ("auc", "p", "p_adjusted")),
                )
            )
        )


def run_genes(
    dataset: Dataset,
    params: GenesParams,
    *,
    progress: Progress,
    adtd: ADTDResult | None = None,
    bootstrap: BootstrapResult | None = None,
) -> GenesResult:
    """Enrichment and markers of a run's gene regulation; what its hidden profile looks like.

    Parameters
    ----------
    bootstrap
        Of that run: regulation of an uncertain direction does not count then.

    Raises
    ------
    MissingPart
        No ADTD run; a file of the user that is gone.
    InvalidParameter
    JobCancelled
    """
    if adtd is None:
        raise MissingPart("There is no ADTD run yet.", advice="Run ADTD first.")
    if params.smallest > params.largest:
        raise InvalidParameter("The smallest set is larger than the largest one.")
    progress(READING, 0.0)
    genes = GenesInUse.of(adtd.reference.index)
    collections, sets, notes = read_sets(params, genes)
    markers, lists, more = read_markers(params, genes)
    notes += more
    delta = adtd.gene_regulation
    types = [] if delta is None else [str(name) for name in delta.columns]
    tables = {name: regulation_of(adtd, name, bootstrap) for name in types}
    if delta is None:
        notes.append("The run estimates no gene regulation: only its hidden profile is looked at.")
    calls = pd.DataFrame(
        {name: called(table, params) for name, table in tables.items()},
        index=adtd.reference.index,
    ).astype(np.int8)
    names = [one.name for one in collections]
    over, family = _over(tables, params, sets, progress)
    ranked, missing = _ranked(tables, params, sets, progress)
    regulated = regulated_counts(tables, params).assign(
        over=_significant(over, "p_adjusted", tables), ranked=_significant(ranked, "fdr", tables)
    )
    over, less = _best(over, ["cell_type", "direction"], "genes", names, OVER_COLUMNS)
    ranked, fewer = _best(ranked, ["cell_type"], "leading_edge", names, RANKED_COLUMNS)
    if less + fewer:
        notes.append(
            f"The tables list the {LISTED} best gene sets of each test of a cell type;"
            f" {number(less + fewer)} more were tested, and count."
        )
    notes += [*missing, *_ties(tables, params, sets)]
    progress(MARKING, 0.95)
    found = marker_verdicts(tables, calls, markers.in_use(genes))
    progress(HIDDEN_LOOKS, 0.97)
    looks = likeness(adtd, library_of(dataset, adtd.reference), markers, genes)
    return GenesResult(
        over,
        ranked,
        found,
        regulated,
        calls,
        _tested(collections, sets, tables, params),
        lists,
        looks,
        tuple(map(str, adtd.reference.columns)),
        family,
        len(genes.genes),
        tuple(dict.fromkeys(notes)),
    )


def read_sets(
    params: GenesParams, genes: GenesInUse
) -> tuple[list[GeneSets], dict[str, list[str]], list[str]]:
    """The chosen collections, all their sets under the names of the run, and notes.

    Sets are called "<number of the collection> · <set>"; of collections with one name the later
    ones get a number. Collections of human genes are left out where the genes
    of the run are not human ones.
    """
    own = OwnFiles(Path(params.folder) if params.folder else None)
    collections, notes = [], []
    for key in params.sets:
        if key in SHIPPED:
            if genes.human:
                collections.append(shipped_sets(key))
            else:
                notes.append(genes.sentence)
        elif key.startswith(OWN):
            collections.append(own.sets(key))
        else:
            raise InvalidParameter(
                f"There is no collection of gene sets called {key[:40]}.",
                advice=f"Choose among {', '.join(SHIPPED)}.",
            )
    titles = _numbered([one.name for one in collections])
    collections = [replace(one, name=title) for one, title in zip(collections, titles, strict=True)]
    sets: dict[str, list[str]] = {}
    for at, one in enumerate(collections):
        matched = genes.match(one.sets)
        sets |= {f"{at}{SEPARATOR}{name}": found for name, found in matched.items()}
    return collections, sets, notes


def _numbered(names: Sequence[str]) -> list[str]:
    """Names without repetition: "my.gmt", "my.gmt (2)"."""
    found: list[str] = []
    for name in names:
        title, n = name, 1
        while title in found:
            n += 1
            title = f"{name} ({n})"
        found.append(title)
    return found


def read_markers(
    params: GenesParams, genes: GenesInUse
) -> tuple[Markers, tuple[str, ...], list[str]]:
    """The chosen marker lists as one, their names, and notes."""
    own = OwnFiles(Path(params.folder) if params.folder else None)
    parts, names, notes = [], [], []
    for key in params.markers:
        if key == SHIPPED_MARKERS:
            if genes.species in ("human", "mouse"):
                parts.append(shipped_markers(genes.species))
                names.append(SHIPPED_NAME)
            else:
                notes.append(genes.sentence)
        else:
            one = own.get(key)
            parts.append(own.markers(key, genes.species))
            names.append(f"{one.name} (added {one.date})")
    return Markers.joined(parts), tuple(_numbered(names)), notes


# -- which genes
# --------------------------------------------------------------------------------------------------
def called(table: pd.DataFrame, params: GenesParams) -> pd.Series:
    """By gene of :func:`regulation_of`: 1 regulated upwards, -1 downwards, 0 neither."""
    strong = table["log2"].abs() >= np.log2(params.fold)
    if params.supported:
        strong &= table["supported"]
    return np.sign(table["log2"]).where(strong, 0.0).astype(int)


def could_be_called(table: pd.DataFrame, params: GenesParams) -> pd.Index:
    """Genes about which the data could have said something: the background of all tests."""
    if not params.supported:
        return table.index
    support = table["support"]
    return table.index[(support.isna() | (support >= LOW_SUPPORT)).to_numpy()]


def regulated_counts(tables: Mapping[str, pd.DataFrame], params: GenesParams) -> pd.DataFrame:
    """By cell type: genes up and down, and the background."""
    rows = {}
    for name, table in tables.items():
        calls = called(table, params)
        rows[name] = {
            "up": int((calls > 0).sum()),
            "down": int((calls < 0).sum()),
            "background": len(could_be_called(table, params)),
        }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["up", "down", "background"])


def regulation_calls(
    result: ADTDResult, params: GenesParams, sure: BootstrapResult | None = None
) -> pd.DataFrame:
    """Every gene in every cell type, with column ``call`` (1, -1, 0)."""
    table = regulation_table(result, sure)
    return table.assign(call=called(table, params))


# -- enrichment
# --------------------------------------------------------------------------------------------------
def _over(
    tables: Mapping[str, pd.DataFrame],
    params: GenesParams,
    sets: Mapping[str, list[str]],
    progress: Progress,
) -> tuple[pd.DataFrame, int]:
    """All tests of all cell types, adjusted as one family (also those without overlap).

    And how many they are.
    """
    from gui.statistics.multiple_testing import benjamini_hochberg
    from gui.statistics.over_representation import over_representation

    found = []
    for done, (name, table) in enumerate(tables.items()):
        progress(OVER, 0.1 + 0.2 * done / len(tables))
        calls, background = called(table, params), could_be_called(table, params)
        for direction, sign in ((UP, 1), (DOWN, -1)):
            chosen = calls.index[calls == sign]
            if not len(chosen) or not sets:
                continue
            try:
                tested = over_representation(
                    list(chosen),
                    list(background),
                    sets,
                    smallest=params.smallest,
                    largest=params.largest,
                )
            except DataError:  # no set of a usable size: said by the ranking
                continue
            found.append(tested.table.assign(cell_type=name, direction=direction))
    if not found:
        return pd.DataFrame(columns=OVER_COLUMNS), 0
    whole = pd.concat(found, ignore_index=True)
    whole["p_adjusted"] = benjamini_hochberg(whole["p"])
    return whole[whole["overlap"] > 0], len(whole)


def _ranked(
    tables: Mapping[str, pd.DataFrame],
    params: GenesParams,
    sets: Mapping[str, list[str]],
    progress: Progress,
) -> tuple[pd.DataFrame, list[str]]:
    """Pre-ranked enrichment of log2 regulation in every cell type, and notes."""
    from gui.statistics.ranked_enrichment import ranked_enrichment

    found, without, equal = [], [], []
    for done, (name, table) in enumerate(tables.items() if sets else ()):
        begin, part = 0.3 + 0.65 * done / len(tables), 0.65 / len(tables)
        progress(RANKED, begin)
        scores = table.loc[could_be_called(table, params), "log2"]
        try:
            tested = ranked_enrichment(
                scores,
                sets,
                smallest=params.smallest,
                largest=params.largest,
                permutations=params.permutations,
                seed=params.seed,
                progress=lambda f, begin=begin, part=part: progress(RANKED, begin + part * f),  # type: ignore[misc]
            )
        except BadValues:  # one value for all: nothing is moved, or all is at the floor
            equal.append(name)
            continue
        except DataError:
            without.append(name)
            continue
        found.append(tested.table.assign(cell_type=name))
    notes = []
    if without:
        notes.append(
            f"No gene set has {params.smallest} to {params.largest} genes with support in"
            f" {', '.join(without)}: there is no enrichment of them."
        )
    if equal:
        notes.append(
            f"All genes have the same regulation in {', '.join(equal)}: they cannot be ranked."
        )
    return (
        pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=RANKED_COLUMNS)
    ), notes


def _significant(tests: pd.DataFrame, rate: str, types: Mapping[str, object]) -> pd.Series:
    """By cell type, how many of all tests have a false discovery rate of at most 5 %."""
    counts = tests.loc[tests[rate] <= RATE, "cell_type"].value_counts()
    return counts.reindex(list(types), fill_value=0).astype(int)


def _best(
    tests: pd.DataFrame, by: list[str], genes: str, names: Sequence[str], columns: list[str]
) -> tuple[pd.DataFrame, int]:
    """The best tests of each kind with collection and set apart and genes as text.

    And how many are left out.
    """
    if tests.empty:
        return pd.DataFrame(columns=columns), 0
    kept = tests.groupby(by, sort=False).head(LISTED)
    parts = kept["set"].str.split(SEPARATOR, n=1, regex=False)
    shown = kept.assign(
        collection=[names[int(at)] for at in parts.str[0]],
        set=parts.str[1],
        **{genes: [", ".join(found) for found in kept[genes]]},
    )
    return shown[columns].reset_index(drop=True), len(tests) - len(kept)


def _ties(
    tables: Mapping[str, pd.DataFrame], params: GenesParams, sets: Mapping[str, object]
) -> list[str]:
    """What is said of rankings in which many genes have the same place."""
    found = []
    for name, table in tables.items() if sets else ():
        scores = table.loc[could_be_called(table, params), "log2"]
        if TIED * len(scores) < len(scores) - scores.nunique() < len(scores) - 1:
            found.append(name)
    if not found:
        return []
    return [
        f"In {', '.join(found)} more than {TIED:.0%} of the genes have the same regulation as"
        f" another (factors up to 2^{LOWEST:g}, shown as log2 {LOWEST:g}, count as equal): the"
        " ranking has these in the order of the reference."
    ]


def _tested(
    collections: list[GeneSets],
    sets: Mapping[str, list[str]],
    tables: Mapping[str, pd.DataFrame],
    params: GenesParams,
) -> pd.DataFrame:
    """What was tested: each collection with how many of its sets have a usable size."""
    from gui.statistics.over_representation import usable_sets

    usable: set[str] = set()
    for table in tables.values():
        kept, _ = usable_sets(
            sets, list(could_be_called(table, params)), params.smallest, params.largest
        )
        usable |= set(kept)
    rows = [
        (
            one.key,
            one.name,
            one.version,
            one.licence,
            one.citation,
            len(one.sets),
            sum(f"{at}{SEPARATOR}{name}" in usable for name in one.sets),
        )
        for at, one in enumerate(collections)
    ]
    return pd.DataFrame(rows, columns=COLLECTIONS)
