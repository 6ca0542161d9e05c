"""Cell types that the bulk holds and the reference lacks, by marker genes from outside.

For every cell type of the shipped marker lists that is none of the reference: are its markers in
the bulk beyond what the estimated mixture of the reference's types explains? Only markers that
both the single cells and the bulk hold can tell.

The limits were set on simulated mixtures with each cell type left out in turn, and complete
(tests/engine/test_missing_types.py): nothing is named where nothing is missing; of types left out
those are found that have enough markers of their own, about one in three.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from gui.knowledge.cell_types import is_kind_of
from gui.knowledge.common_names import GenesInUse
from gui.knowledge.markers import shipped_markers

LEVEL = 0.1
"""Added to both sides of a ratio, of 10 000: expression below it is noise."""
PRESENT = 0.05
"""Mean in the bulk, of 10 000, from which a gene counts."""
FEWEST, TWOFOLD, TAIL = 3, 1.0, 0.035
"""Markers of a type at least; their median log2 ratio at least; genes that reach it at most."""
CERTAIN = 2.0
"""Median log2 ratio times the root of the number of markers, at least: few markers must exceed by
more.
"""
SHARED = 0.25
"""Of its markers beyond the mixture, from this fraction on those of a named type explain a type."""
MOST = 3
UMBRELLAS = frozenset({"Leukocyte", "Myeloid cell"})
"""Of several types; the reference nearly always has some of them."""
COLUMNS = ["fold", "genes"]


def log_ratios(bulk: pd.DataFrame, explained: pd.DataFrame) -> pd.Series:
    """Log2 of bulk over what the mixture explains, of the means over the samples, by gene.

    Genes that the bulk hardly expresses are left out.

    Parameters
    ----------
    bulk, explained
        genes x samples, columns sum to 10 000.
    """
    seen, expected = bulk.mean(axis=1), explained.mean(axis=1)
    ratios = np.log2((seen + LEVEL) / (expected + LEVEL))
    return ratios[(seen > PRESENT) & np.isfinite(ratios)]


def typical_offset(ratios: pd.Series) -> float:
    """By which factor a gene typically differs (half the span of the middle 68 %, as a factor)."""
    if not len(ratios):
        return float("nan")
    low, high = np.quantile(ratios, [0.16, 0.84])
    return float(2 ** ((high - low) / 2))


def missing_types(ratios: pd.Series, types: Iterable[str]) -> pd.DataFrame:
    """Return the cell types whose markers are beyond what the mixture explains.

    Parameters
    ----------
    ratios
        By gene, of :func:`log_ratios`.
    types
        Of the reference: these, their subtypes and what they are subtypes of are not asked for.

    Returns
    -------
    pd.DataFrame
        Index cell type, the most certain first; fold (median factor), genes (the markers with the
        largest factors, separated by commas). At most three.
    """
    used = GenesInUse.of(ratios.index)
    known = [str(t) for t in types]
    species = used.species
    if species not in ("human", "mouse"):
        return pd.DataFrame(columns=COLUMNS)
    found = []
    for name, genes in shipped_markers(species).in_use(used).positive.items():
        related = any(is_kind_of(name, t) or is_kind_of(t, name) for t in known)
        if related or name in UMBRELLAS or len(genes) < FEWEST:
            continue
        own = ratios[genes].sort_values(ascending=False)
        middle = float(own.median())
        certainty = middle * np.sqrt(len(own))
        rare = float((ratios >= middle).mean()) <= TAIL
        if middle >= TWOFOLD and certainty >= CERTAIN and rare:
            found.append((certainty, name, middle, own[own >= TWOFOLD].index))
    found.sort(key=lambda row: -row[0])
    named: dict[str, tuple[float, str]] = {}
    taken: set[str] = set()
    for _, name, middle, genes in found:
        if taken and len(taken.intersection(genes)) >= SHARED * len(genes):
            continue
        if len(named) == MOST:
            break
        taken |= set(genes)
        named[name] = (2**middle, ", ".join(map(str, genes[:4])))
    return pd.DataFrame.from_dict(named, orient="index", columns=COLUMNS)
