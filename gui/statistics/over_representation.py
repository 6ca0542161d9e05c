"""Are genes of a set more often among the chosen ones than chance would have it?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.errors import DataError
from gui.statistics.multiple_testing import benjamini_hochberg

SMALLEST, LARGEST = 10, 500
"""Genes a set has within the background to be tested."""
COLUMNS = [
    *("set", "size", "in_background", "overlap", "expected", "fold"),
    *("p", "p_adjusted", "genes"),
]


@dataclass(frozen=True, eq=False)
class OverRepresentation:
    """Sets by p-value.

    table : set, size (as given), in_background, overlap, expected (by chance), fold (overlap /
        expected), p, p_adjusted, genes (of the overlap, a tuple in sorted order)
    genes, background : how many were compared
    skipped : set -> genes within the background, of sets too small or too large
    """

    table: pd.DataFrame
    genes: int
    background: int
    skipped: dict[str, int]
    notes: tuple[str, ...]


def usable_sets(
    sets: Mapping[str, Collection[str]],
    background: Collection[str],
    smallest: int = SMALLEST,
    largest: int = LARGEST,
) -> tuple[dict[str, set[str]], dict[str, int]]:
    """Sets cut down to the background, and the sizes of those too small or too large.

    Source: Subramanian et al. 2005, PNAS 102:15545, supplement (sets below 15 and above 500).
    """
    known = set(background)
    kept: dict[str, set[str]] = {}
    skipped: dict[str, int] = {}
    for name, genes in sets.items():
        inside = known.intersection(genes)
        if smallest <= len(inside) <= largest:
            kept[name] = inside
        else:
            skipped[name] = len(inside)
    return kept, skipped


def hypergeometric_p(
    overlap: np.ndarray, in_background: np.ndarray, genes: int, background: int
) -> np.ndarray:
    """Probability of at least this overlap: genes drawn from the background without return.

    Source: Rivals, Personnaz, Taing & Potier 2007, Bioinformatics 23:401, eq. 1.
    """
    from scipy.stats import hypergeom

    overlap = np.asarray(overlap)
    p = hypergeom.sf(overlap - 1, background, np.asarray(in_background), genes)
    return np.where(overlap > 0, np.clip(p, 0.0, 1.0), 1.0)


def over_representation(
    genes: Collection[str],
    background: Collection[str],
    sets: Mapping[str, Collection[str]],
    *,
    smallest: int = SMALLEST,
    largest: int = LARGEST,
) -> OverRepresentation:
    """Hypergeometric test of every set; the background is the genes that could have been chosen.

    Sets without overlap are tested too (p = 1) and count in the false discovery rate.

    Raises
    ------
    DataError : no gene, or none in the background; no set of a usable size

    Source: Rivals et al. 2007 (test); Timmons, Szkop & Gallagher 2015, Genome Biol 16:186 (why
    the background is not the genome); Benjamini & Hochberg 1995.
    """
    known = set(background)
    chosen = known.intersection(genes)
    outside = len(set(genes)) - len(chosen)
    if not chosen:
        raise DataError(
            "None of the chosen genes is among the genes in use.",
            advice="Use the same kind of gene names.",
        )
    kept, skipped = usable_sets(sets, known, smallest, largest)
    if not kept:
        raise DataError(
            f"No gene set has {smallest} to {largest} of the genes in use.",
            advice="Use the same kind of gene names, or other limits.",
        )
    overlaps = [tuple(sorted(chosen & inside)) for inside in kept.values()]
    overlap = np.array([len(found) for found in overlaps])
    size = np.array([len(inside) for inside in kept.values()])
    p = hypergeometric_p(overlap, size, len(chosen), len(known))
    expected = size * (len(chosen) / len(known))
    table = pd.DataFrame(
        {
            "set": list(kept),
            "size": [len(set(sets[name])) for name in kept],
            "in_background": size,
            "overlap": overlap,
            "expected": expected,
            "fold": overlap / expected,
            "p": p,
            "p_adjusted": benjamini_hochberg(p),
            "genes": overlaps,
        },
        columns=COLUMNS,
    )
    notes = [f"{len(kept)} sets tested against a background of the {len(known)} genes in use."]
    if skipped:
        notes.append(
            f"{len(skipped)} sets have fewer than {smallest} or more than {largest} of these genes "
            "and were not tested."
        )
    if outside:
        notes.append(f"{outside} of the chosen genes are not among the genes in use.")
    return OverRepresentation(
        table.sort_values(["p", "set"], kind="stable").reset_index(drop=True),
        len(chosen),
        len(known),
        skipped,
        tuple(notes),
    )
