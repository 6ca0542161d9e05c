"""Gene sets of a run's regulated genes and of their ranking, over all cell types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from gui.analyses.gene_params import GenesParams, called, could_be_called
from gui.engine.regulation import LOWEST
from gui.errors import BadValues, DataError, InvalidParameter
from gui.knowledge.common_names import GenesInUse
from gui.knowledge.gene_sets import SHIPPED, GeneSets, shipped_sets
from gui.knowledge.own_files import OWN, OwnFiles
from gui.text import numbered

if TYPE_CHECKING:
    from gui.jobs.status import Progress

OVER, RANKED = "Testing regulated genes", "Testing the ranking of genes"
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
OVER_COLUMNS = [
    *("cell_type", "direction", "collection", "set", "size", "in_background", "overlap"),
    *("expected", "fold", "p", "p_adjusted", "genes"),
]
RANKED_COLUMNS = [
    *("cell_type", "collection", "set", "size", "in_ranking", "es", "nes", "p", "fdr"),
    "leading_edge",
]


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
    titles = numbered([one.name for one in collections])
    collections = [replace(one, name=title) for one, title in zip(collections, titles, strict=True)]
    sets: dict[str, list[str]] = {}
    for at, one in enumerate(collections):
        matched = genes.match(one.sets)
        sets |= {f"{at}{SEPARATOR}{name}": found for name, found in matched.items()}
    return collections, sets, notes


def over_representations(
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


def rankings(
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


def significant(tests: pd.DataFrame, rate: str, types: Mapping[str, object]) -> pd.Series:
    """By cell type, how many of all tests have a false discovery rate of at most 5 %."""
    counts = tests.loc[tests[rate] <= RATE, "cell_type"].value_counts()
    return counts.reindex(list(types), fill_value=0).astype(int)


def best_tests(
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


def ties(
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


def tested_collections(
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
