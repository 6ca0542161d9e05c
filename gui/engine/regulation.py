"""Gene regulation of a run as numbers for pages, reports and analyses. No torch."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from gui.engine.results import BootstrapResult

LOW_SUPPORT = 0.1
STABLE = 0.95
"""A regulation whose direction came out the same less often than this in the draws of the bootstrap
is not supported.
"""
LOWEST = -10.0
"""Regulation below 2^-10 (also 0) counts as that."""
PER = 10_000
"""Expression is given per this sum of a cell type's profile."""
COLUMNS = ["log2", "factor", "support", "stability", "expression", "supported"]


class GeneEffects(Protocol):
    """What a result of any method says of genes.

    Attributes
    ----------
    reference
        genes x cell types.
    hidden_profile
        By gene, or None.
    gene_regulation, support
        genes x cell types, or None: the factor, and in [0, 1] how much the data say about it.
    """

    @property
    def reference(self) -> pd.DataFrame: ...
    @property
    def hidden_profile(self) -> pd.Series | None: ...
    @property
    def gene_regulation(self) -> pd.DataFrame | None: ...
    @property
    def support(self) -> pd.DataFrame | None: ...


def logs(delta: pd.DataFrame) -> pd.DataFrame:
    """log2 of the regulation; lower values than 2^-10 count as that."""
    return np.log2(delta.clip(lower=2.0**LOWEST))


def regulation_of(
    result: GeneEffects, cell_type: str, sure: BootstrapResult | None = None
) -> pd.DataFrame:
    """Regulation of all genes in one cell type, in the order of the genes.

    Parameters
    ----------
    sure
        Intervals of the same run, for the stability of the direction.

    Returns
    -------
    By gene: log2 and factor of Delta, support (0 to 1, NaN where unknown), stability (fraction of
    the bootstrap draws with the same direction, NaN without a bootstrap), expression (in the
    reference, per 10 000) and supported (support of at least 0.1, and where there is a bootstrap
    the same direction in 95 % of its draws).

    Raises
    ------
    KeyError : a run without regulation, or without this type
    """
    delta = result.gene_regulation
    if delta is None:
        raise KeyError(cell_type)
    factor = delta[cell_type].astype(np.float64)
    missing = pd.Series(np.nan, index=factor.index)
    support = missing if result.support is None else result.support[cell_type].reindex(factor.index)
    stability = missing
    if sure is not None and sure.sign_stability is not None and cell_type in sure.sign_stability:
        stability = sure.sign_stability[cell_type].reindex(factor.index)
    profile = result.reference[cell_type].reindex(factor.index).astype(np.float64)
    supported = support.isna() | (support >= LOW_SUPPORT)
    supported &= stability.isna() | (stability >= STABLE)
    return pd.DataFrame(
        {
            "log2": logs(factor.to_frame()).iloc[:, 0],
            "factor": factor,
            "support": support,
            "stability": stability,
            "expression": profile / profile.sum() * PER,
            "supported": supported.to_numpy(dtype=bool),
        },
        columns=COLUMNS,
    )


def regulation_table(result: GeneEffects, sure: BootstrapResult | None = None) -> pd.DataFrame:
    """All genes in all cell types: columns cell_type, gene and those of :func:`regulation_of`."""
    parts = [
        regulation_of(result, str(name), sure)
        .rename_axis("gene")
        .reset_index()
        .assign(cell_type=str(name))
        for name in ([] if result.gene_regulation is None else result.gene_regulation.columns)
    ]
    columns = ["cell_type", "gene", *COLUMNS]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
