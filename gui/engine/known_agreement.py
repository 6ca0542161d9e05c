"""Estimated fractions against known ones (flow cytometry): per cell type and pooled over all.

NumPy and pandas only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.errors import MissingPart
from gui.statistics.agreement import ccc, pearson, rmse, spearman

POOLED = "all types"
"""The row of all types together."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Agreement of estimated and known fractions.

    Attributes
    ----------
    table
        One row per pair of types and one pooled ("cell_type", "known_as", "samples", "pearson",
        "spearman", "rmse", "ccc").
    points
        One row per sample and pair ("sample", "cell_type", "known", "estimated", fractions).
    left_out
        Types of the truth without a partner.
    """

    table: pd.DataFrame
    points: pd.DataFrame
    left_out: tuple[str, ...]


def compare_with_known(
    known: pd.DataFrame, estimated: pd.DataFrame, pairs: Mapping[str, str]
) -> Comparison:
    """Over the samples that both have and that have a known fraction.

    Parameters
    ----------
    known, estimated
        Cell types x samples, fractions.
    pairs
        Type of ``known`` -> type of ``estimated``, or several ("A|B") whose sum is meant; types
        of ``known`` with the same partner are added up. Pooled figures are over all pairs and
        samples at once.

    Raises
    ------
    MissingPart
        No common sample, or no pair.
    """
    samples = [s for s in estimated.columns if s in set(known.columns)]
    if not samples:
        raise MissingPart(
            "The known and the estimated fractions have no sample in common.",
            advice=(
                "Compare the sample names with those in the table of known compositions (Upload"
                " page)."
            ),
        )
    partners: dict[tuple[str, ...], list[str]] = {}
    for name, partner in pairs.items():
        wanted = (
            tuple(t for t in partner.split("|") if t)
            if partner not in estimated.index
            else (partner,)
        )
        if name in known.index and wanted and all(t in estimated.index for t in wanted):
            partners.setdefault(wanted, []).append(name)
    if not partners:
        raise MissingPart(
            "No known cell type is paired with an estimated one.",
            advice="Pair them on the Upload page, tab Known compositions.",
        )
    rows, points = [], []
    for wanted, names in partners.items():
        truth = (
            known.loc[names, samples].sum(axis=0, min_count=len(names)).to_numpy(dtype=np.float64)
        )
        found = estimated.loc[list(wanted), samples].sum(axis=0).to_numpy(dtype=np.float64)
        there = np.isfinite(truth) & np.isfinite(found)
        label = "|".join(wanted)
        rows.append((label, " + ".join(names), *_figures(truth[there], found[there])))
        points.append(
            pd.DataFrame(
                {
                    "sample": np.asarray(samples, dtype=object)[there],
                    "cell_type": label,
                    "known": truth[there],
                    "estimated": found[there],
                }
            )
        )
    every = pd.concat(points, ignore_index=True)
    rows.append((POOLED, "", *_figures(every["known"].to_numpy(), every["estimated"].to_numpy())))
    table = pd.DataFrame(
        rows, columns=["cell_type", "known_as", "samples", "pearson", "spearman", "rmse", "ccc"]
    )
    used = {name for names in partners.values() for name in names}
    return Comparison(table, every, tuple(str(t) for t in known.index if t not in used))


def _figures(truth: np.ndarray, found: np.ndarray) -> tuple[int, float, float, float, float]:
    return (
        truth.size,
        pearson(truth, found),
        spearman(truth, found),
        rmse(truth, found),
        ccc(truth, found),
    )
