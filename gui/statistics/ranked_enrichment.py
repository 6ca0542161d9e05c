"""Gene set enrichment analysis of a ranked list of genes (pre-ranked GSEA)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.errors import BadValues, DataError
from gui.statistics.over_representation import LARGEST, SMALLEST, usable_sets

COLUMNS = ["set", "size", "in_ranking", "es", "nes", "p", "fdr", "leading_edge"]


@dataclass(frozen=True, eq=False)
class RankedEnrichment:
    """Sets by false discovery rate.

    table : set, size (as given), in_ranking, es, nes (divided by the mean of the permutations of
        the same sign), p (of the permutations of the same sign), fdr, leading_edge (genes up to
        the extreme of the running sum, best first)
    skipped : set -> genes within the ranking, of sets too small or too large
    """

    table: pd.DataFrame
    genes: int
    permutations: int
    seed: int
    weight: float
    skipped: dict[str, int]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RunningSum:
    """The curve of one set for a figure: by place in the ranking; hits are the set's places."""

    curve: np.ndarray
    hits: np.ndarray
    es: float


def ranking(scores: pd.Series) -> pd.Series:
    """Scores from the highest to the lowest, each gene once; equal scores in the order given.

    Raises
    ------
    BadValues : gaps, a gene twice, or the same score for all

    Source: Subramanian et al. 2005, PNAS 102:15545.
    """
    if scores.index.has_duplicates:
        twice = scores.index[scores.index.duplicated()][0]
        raise BadValues(f"The gene {twice} is ranked more than once.", advice="Rank each once.")
    values = scores.astype(np.float64)
    if not np.isfinite(values).all():
        raise BadValues("Some genes have no finite score.", advice="Leave them out of the ranking.")
    if values.size < 2 or np.ptp(values.to_numpy()) == 0:
        raise BadValues("All genes have the same score, so they cannot be ranked.", advice="")
    return values.iloc[np.argsort(-values.to_numpy(), kind="stable")]


def running_sum(ranked: pd.Series, genes: Collection[str], weight: float = 1.0) -> RunningSum:
    """The running sum of a set over a ranking of :func:`ranking` (Subramanian et al. 2005)."""
    hit = ranked.index.isin(list(genes))
    hits = np.flatnonzero(hit)
    if not hits.size or hits.size == hit.size:
        raise DataError("A set needs genes inside and outside of it in the ranking.")
    strength = np.abs(ranked.to_numpy()) ** weight
    steps = np.where(hit, strength, 0.0)
    total = steps.sum()
    steps = steps / total if total > 0 else hit / hits.size
    curve = np.cumsum(steps - ~hit / (hit.size - hits.size))
    return RunningSum(curve, hits, float(enrichment_scores(strength, hits[None])[0]))


def enrichment_scores(strength: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Enrichment score of sets of the same size: the extreme of their running sums.

    Parameters
    ----------
    strength : |score| ** weight by place in the ranking
    hits : sets x size, places of their genes, ascending

    Source: Subramanian et al. 2005, eq. 1; evaluated at the genes of the set only, as in
    Korotkevich et al. 2021 (fgsea).
    """
    size, n = hits.shape[1], strength.size
    found = strength[hits]
    total = found.sum(axis=1, keepdims=True)
    inside = np.cumsum(found, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(total > 0, inside / total, np.arange(1, size + 1) / size)
    misses = (hits - np.arange(size)) / (n - size)  # outside of the set, before each of its genes
    highest = (inside - misses).max(axis=1)
    before = np.concatenate([np.zeros((len(hits), 1)), inside[:, :-1]], axis=1)
    lowest = (before - misses).min(axis=1)
    return np.asarray(np.where(highest >= -lowest, highest, lowest))


def ranked_enrichment(
    scores: pd.Series,
    sets: Mapping[str, Collection[str]],
    *,
    weight: float = 1.0,
    smallest: int = SMALLEST,
    largest: int = LARGEST,
    permutations: int = 1000,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> RankedEnrichment:
    """Pre-ranked GSEA: permutations draw as many genes as the set has, shared by sets of one size.

    Parameters
    ----------
    scores : by gene, higher is up (log2 regulation, for instance)
    weight : exponent of the scores in the running sum; 0 uses ranks alone
    progress : called with the part done, 0 to 1; may raise to cancel

    Raises
    ------
    BadValues : scores that cannot be ranked
    DataError : no set of a usable size

    Source: Subramanian et al. 2005, PNAS 102:15545 (score, normalisation, false discovery rate
    over all sets tested); Phipson & Smyth 2010 (p is never 0). gseapy leaves sets without overlap
    out of the family, so its rates differ.
    """
    ranked = ranking(scores)
    kept, skipped = usable_sets(sets, ranked.index, smallest, min(largest, ranked.size - 1))
    if not kept:
        raise DataError(
            f"No gene set has {smallest} to {largest} of the ranked genes.",
            advice="Use the same kind of gene names, or other limits.",
        )
    strength = np.abs(ranked.to_numpy()) ** weight
    places = {
        name: np.sort(ranked.index.get_indexer(list(inside))) for name, inside in kept.items()
    }
    es = np.array([enrichment_scores(strength, hits[None])[0] for hits in places.values()])
    sizes = np.array([hits.size for hits in places.values()])
    null = _null_scores(strength, sizes, permutations, seed, progress)
    nes, p = np.empty(es.size), np.empty(es.size)
    pooled: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    for size, drawn in null.items():
        at = np.flatnonzero(sizes == size)
        up, down = drawn[drawn >= 0], drawn[drawn < 0]
        means = [float(np.abs(part).mean()) if part.size else np.nan for part in (up, down)]
        nes[at] = np.where(es[at] >= 0, es[at] / means[0], es[at] / means[1])
        p[at] = [_same_sign_p(value, up if value >= 0 else down) for value in es[at]]
        pooled.append(np.concatenate([up / means[0], down / means[1]]))
        weights.append(np.full(drawn.size, float(at.size)))
    fdr = _fdr(nes, np.concatenate(pooled), np.concatenate(weights))
    edges = [
        _leading_edge(ranked.index, strength, hits, value)
        for hits, value in zip(places.values(), es, strict=True)
    ]
    table = pd.DataFrame(
        {
            "set": list(kept),
            "size": [len(set(sets[name])) for name in kept],
            "in_ranking": sizes,
            "es": es,
            "nes": nes,
            "p": p,
            "fdr": fdr,
            "leading_edge": edges,
        },
        columns=COLUMNS,
    )
    notes = [
        f"{len(kept)} sets tested in a ranking of {ranked.size} genes; {permutations} permutations "
        f"of the genes, so no p-value is below {1 / (permutations + 1):.2g}."
    ]
    if skipped:
        notes.append(
            f"{len(skipped)} sets have fewer than {smallest} or more than {largest} of these genes "
            "and were not tested."
        )
    repeated = ranked.size - ranked.nunique()
    if repeated > 0.05 * ranked.size:
        notes.append(
            f"{repeated} genes have the same score as another; their order among each other is "
            "that of the table."
        )
    return RankedEnrichment(
        table.sort_values(["fdr", "p", "set"], kind="stable").reset_index(drop=True),
        ranked.size,
        permutations,
        seed,
        weight,
        skipped,
        tuple(notes),
    )


def _null_scores(
    strength: np.ndarray,
    sizes: np.ndarray,
    permutations: int,
    seed: int,
    progress: Callable[[float], None] | None,
) -> dict[int, np.ndarray]:
    """Scores of random sets of each size; a larger one contains the smaller ones (as in fgsea)."""
    rng = np.random.default_rng(seed)
    largest = int(sizes.max())
    drawn = np.empty((permutations, largest), dtype=np.int32)
    for row in drawn:
        row[:] = rng.choice(strength.size, largest, replace=False, shuffle=True)
    distinct = [int(size) for size in np.unique(sizes)]
    result = {}
    for done, size in enumerate(distinct):
        result[size] = enrichment_scores(strength, np.sort(drawn[:, :size], axis=1))
        if progress is not None:
            progress((done + 1) / len(distinct))
    return result


def _same_sign_p(es: float, drawn: np.ndarray) -> float:
    beyond = int((np.abs(drawn) >= abs(es) - 1e-12).sum())
    return (beyond + 1.0) / (drawn.size + 1.0)


def _fdr(nes: np.ndarray, drawn: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Part of the permutations at least as extreme, by part of the sets (Subramanian 2005)."""
    result = np.full(nes.shape, np.nan)
    for sign in (1.0, -1.0):
        own = np.flatnonzero(sign * nes > 0)
        some = sign * drawn > 0
        if not own.size or not some.any():
            continue
        order = np.argsort(sign * drawn[some])
        values, summed = (sign * drawn[some])[order], np.cumsum(weights[some][order])
        total = summed[-1]
        at = np.searchsorted(values, sign * nes[own] - 1e-12)
        above = total - np.concatenate([[0.0], summed])[at]
        observed = np.sort(sign * nes[own])
        beyond = own.size - np.searchsorted(observed, sign * nes[own] - 1e-12)
        rate = ((above + 1.0) / (total + 1.0)) / (beyond / own.size)
        # no set gets a higher rate than one that is less extreme
        rank = np.argsort(sign * nes[own])
        result[own[rank]] = np.minimum.accumulate(np.minimum(rate[rank], 1.0))
    return result


def _leading_edge(
    genes: pd.Index, strength: np.ndarray, hits: np.ndarray, es: float
) -> tuple[str, ...]:
    """The set's genes up to the extreme of its running sum, the most extreme first."""
    size, n = hits.size, strength.size
    found = strength[hits]
    total = found.sum()
    inside = np.cumsum(found) / total if total > 0 else np.arange(1, size + 1) / size
    misses = (hits - np.arange(size)) / (n - size)
    if es >= 0:
        last = int(np.argmax(inside - misses))
        return tuple(str(gene) for gene in genes[hits[: last + 1]])
    before = np.concatenate([[0.0], inside[:-1]])
    first = int(np.argmin(before - misses))
    return tuple(str(gene) for gene in genes[hits[first:]][::-1])
