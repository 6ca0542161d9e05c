"""Genes: enrichment and markers of gene regulation, and what the hidden profile looks like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gui.analyses.gene_enrichment import (
    COLLECTIONS,
    LISTED,
    OVER_COLUMNS,
    RANKED_COLUMNS,
    best_tests,
    over_representations,
    rankings,
    read_sets,
    significant,
    tested_collections,
    ties,
)
from gui.analyses.gene_markers import MARKER_COLUMNS, marker_verdicts
from gui.analyses.gene_params import SHIPPED_MARKERS, GenesParams, called, regulated_counts
from gui.analyses.hidden_library import LIBRARY, Library
from gui.analyses.hidden_likeness import Likeness, library_of, likeness
from gui.engine.regulation import GeneEffects, regulation_of
from gui.engine.results import ADTDResult, BootstrapResult
from gui.errors import InvalidParameter, MissingPart
from gui.knowledge.common_names import GenesInUse
from gui.knowledge.markers import (
    SHIPPED_CITATION,
    SHIPPED_LICENCE,
    SHIPPED_NAME,
    SHIPPED_VERSION,
    Markers,
    shipped_markers,
)
from gui.knowledge.own_files import OwnFiles
from gui.methods.method import MethodResult
from gui.text import number, numbered

if TYPE_CHECKING:
    from gui.data.dataset import Dataset
    from gui.jobs.status import Progress

READING, MARKING, HIDDEN_LOOKS = (
    "Reading gene sets",
    "Looking up markers",
    "Comparing the hidden profile",
)
NO_RUN = "There is no run with gene regulation or a hidden profile yet."
NO_RUN_ADVICE = "Run ADTD first, or another method that estimates one."
REGULATED = frozenset({"up", "down", "background", "over", "ranked"})


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
            "hidden_references": self.likeness.references.rename_axis("cell_type"),
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
        return (
            *tests,
            *(["nnls"] if len(self.likeness.profiles) + len(self.likeness.references) else []),
        )

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
            and set(LIBRARY) <= set(likeness.references.columns)
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
                    (likeness.references, ("explained", "cosine", "weight")),
                )
            )
        )


def run_genes(
    dataset: Dataset,
    params: GenesParams,
    *,
    progress: Progress,
    adtd: ADTDResult | None = None,
    method: MethodResult | None = None,
    bootstrap: BootstrapResult | None = None,
    library: Library | None = None,
) -> GenesResult:
    """Enrichment and markers of a run's gene regulation; what its hidden profile looks like.

    Parameters
    ----------
    adtd, method
        The run: of ADTD, or of any method with gene regulation or a hidden profile.
    bootstrap
        Of that run: regulation of an uncertain direction does not count then.
    library
        The saved references, with which the hidden profile is compared too.

    Raises
    ------
    MissingPart
        No such run; a file of the user that is gone.
    InvalidParameter
    JobCancelled
    """
    run: GeneEffects | None = adtd or method
    if run is None or (run.gene_regulation is None and run.hidden_profile is None):
        raise MissingPart(NO_RUN, advice=NO_RUN_ADVICE)
    if params.smallest > params.largest:
        raise InvalidParameter("The smallest set is larger than the largest one.")
    progress(READING, 0.0)
    genes = GenesInUse.of(run.reference.index)
    collections, sets, notes = read_sets(params, genes)
    markers, lists, more = read_markers(params, genes)
    notes += more
    delta = run.gene_regulation
    types = [] if delta is None else [str(name) for name in delta.columns]
    tables = {name: regulation_of(run, name, bootstrap) for name in types}
    if delta is None:
        notes.append("The run estimates no gene regulation: only its hidden profile is looked at.")
    if run.hidden_profile is None:
        notes.append("The run estimates no hidden profile: only its gene regulation is looked at.")
    calls = pd.DataFrame(
        {name: called(table, params) for name, table in tables.items()},
        index=run.reference.index,
    ).astype(np.int8)
    names = [one.name for one in collections]
    over, family = over_representations(tables, params, sets, progress)
    ranked, missing = rankings(tables, params, sets, progress)
    regulated = regulated_counts(tables, params).assign(
        over=significant(over, "p_adjusted", tables), ranked=significant(ranked, "fdr", tables)
    )
    over, less = best_tests(over, ["cell_type", "direction"], "genes", names, OVER_COLUMNS)
    ranked, fewer = best_tests(ranked, ["cell_type"], "leading_edge", names, RANKED_COLUMNS)
    if less + fewer:
        notes.append(
            f"The tables list the {LISTED} best gene sets of each test of a cell type;"
            f" {number(less + fewer)} more were tested, and count."
        )
    notes += [*missing, *ties(tables, params, sets)]
    progress(MARKING, 0.95)
    found = marker_verdicts(tables, calls, markers.in_use(genes))
    progress(HIDDEN_LOOKS, 0.97)
    references, left_out = ([], []) if library is None else library.profiles()
    looks, fewer_genes = likeness(
        run, library_of(dataset, run.reference), markers, genes, references
    )
    notes += [*left_out, *fewer_genes]
    return GenesResult(
        over,
        ranked,
        found,
        regulated,
        calls,
        tested_collections(collections, sets, tables, params),
        lists,
        looks,
        tuple(map(str, run.reference.columns)),
        family,
        len(genes.genes),
        tuple(dict.fromkeys(notes)),
    )


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
    return Markers.joined(parts), tuple(numbered(names)), notes
