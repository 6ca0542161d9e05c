"""What a hidden profile looks like: known profiles and marker genes, beyond the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from gui.analyses.hidden_library import empty_library, library_likeness
from gui.data.dataset import Dataset
from gui.data.profiles import type_profiles
from gui.engine.regulation import GeneEffects
from gui.knowledge.common_names import GenesInUse
from gui.knowledge.markers import Markers
from gui.statistics.profile_similarity import (
    marker_similarity,
    outside_span,
    profile_similarity,
)

EXPLAINED = 0.15
"""Part of what lies outside of the reference that a profile has to explain to fit. Profiles of
unrelated types explain at most 0.05 of it on the example, glioma and PBMC data, right ones 0.3 to
0.8 where the background is a cell type.
"""
FALSE_DISCOVERY = 0.05
"""Of the marker test, over all types tested."""
PROFILES = ["explained", "cosine", "weight", "fits", "origin"]
MARKERS = ["markers", "auc", "p", "p_adjusted", "fits", "genes"]


@dataclass(frozen=True, eq=False)
class Likeness:
    """What a hidden profile looks like.

    Attributes
    ----------
    profiles
        By known type, best first: explained, cosine, weight (see
        :func:`gui.statistics.profile_similarity.profile_similarity`), fits, origin.
    markers
        By cell type, best first: markers, auc, p, p_adjusted, fits, genes (text).
    outside
        Fraction of the hidden profile's length outside of the span of the reference; NaN where
        there is no hidden profile.
    mixture
        Part of it that the best mixture of known types explains.
    references
        By type of the saved references, see
        :func:`gui.analyses.hidden_library.library_likeness`; second to the markers.
    """

    profiles: pd.DataFrame
    markers: pd.DataFrame
    outside: float
    mixture: float
    references: pd.DataFrame = field(default_factory=empty_library)


def library_of(dataset: Dataset, reference: pd.DataFrame) -> pd.DataFrame:
    """Mean profiles of the types that are among the cells of the session but not in the reference.

    genes x types, of training and test cells together; genes in the order of the reference.
    """
    known = set(map(str, reference.columns))
    found: pd.DataFrame | None = None
    for cells in (dataset.train, dataset.test):
        if cells is None or not set(cells.types) - known:
            continue
        sums = type_profiles(cells)
        new = sums.loc[
            sums.index.isin(reference.index), [c for c in sums.columns if str(c) not in known]
        ]
        found = new if found is None else found.add(new, fill_value=0.0)
    if found is None:
        return pd.DataFrame(index=reference.index)
    found = found.reindex(reference.index).fillna(0.0)
    return found.loc[:, (found.sum(axis=0) > 0).to_numpy()]


def reference_in_samples(result: GeneEffects) -> pd.DataFrame:
    """The profiles whose mixtures a run explains the bulk with: the reference times Delta.

    genes x cell types, unit sums before the regulation. The hidden profile is determined up to
    their mixtures, as in :func:`gui.engine.adtd.hidden_interval`.
    """
    sums = result.reference.sum(axis=0)
    reference = result.reference / sums.where(sums > 0, 1.0)
    delta = result.gene_regulation
    if delta is None:
        return reference
    factors = delta.reindex(index=reference.index, columns=reference.columns).clip(lower=0.0)
    return reference * factors.fillna(1.0)


def likeness(
    result: GeneEffects,
    library: pd.DataFrame,
    markers: Markers,
    genes: GenesInUse,
    references: Sequence[tuple[str, pd.DataFrame]] = (),
) -> tuple[Likeness, list[str]]:
    """Compare the hidden profile of a run with known profiles and markers; notes beside it.

    Parameters
    ----------
    library
        genes x types, of :func:`library_of`; may have no column.
    markers
        Any names; those in use are taken.
    references
        Name and genes x types of the saved references.
    """
    empty = Likeness(
        pd.DataFrame(columns=PROFILES), pd.DataFrame(columns=MARKERS), float("nan"), float("nan")
    )
    if result.hidden_profile is None:
        return empty, []
    reference = reference_in_samples(result)
    profile = result.hidden_profile.reindex(reference.index).fillna(0.0)
    if not (profile.sum() > 0 and reference.to_numpy().sum() > 0):
        return replace(empty, outside=0.0), []
    outside = outside_span(profile, reference)
    if library.shape[1]:
        similar = profile_similarity(profile, reference, library)
        profiles = similar.table.assign(
            fits=similar.table["explained"] >= EXPLAINED,
            origin="cells of this session",
        )[PROFILES]
        mixture = similar.mixture
    else:
        profiles, mixture = empty.profiles, float("nan")
    tested = marker_similarity(outside.part, reference, markers.in_use(genes).positive)
    marked = tested.assign(
        fits=tested["p_adjusted"] <= FALSE_DISCOVERY,
        genes=[", ".join(found) for found in tested["genes"]],
    )[MARKERS]
    named = [str(name) for name in marked.index[marked["fits"].astype(bool)]]
    saved, notes = library_likeness(profile, reference, references, named)
    return Likeness(profiles, marked, outside.fraction, mixture, saved), notes
