"""A stand-in for rectanglepy 1.7.0: its signature, and a check of what it is handed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import nnls


def rectangle(
    adata: Any,
    bulks: pd.DataFrame,
    cell_type_col: str = "cell_type",
    *,
    layer: Any = None,
    raw: bool = False,
    correct_mrna_bias: bool = True,
    correct_unknown_fraction: bool = True,
    correct_unknown_positive_residual: bool = True,
    optimize_cutoffs: bool = True,
    p: float = 0.015,
    lfc: float = 1.5,
    n_cpus: Any = None,
    gene_expression_threshold: float = 0.4,
    advanced_parameters: Any = None,
) -> tuple[pd.DataFrame, Any]:
    """The stand-in: samples x cell types and Unknown, by non-negative least squares."""
    from anndata import AnnData

    assert isinstance(adata, AnnData)
    assert adata.obs_names.is_unique
    assert isinstance(bulks, pd.DataFrame)
    assert set(bulks.columns) <= set(adata.var_names)
    np.testing.assert_allclose(bulks.sum(axis=1), 1e6)
    assert n_cpus == 1, "the worker has one core"
    labels = adata.obs[cell_type_col]
    means = pd.DataFrame(adata.X, columns=adata.var_names).groupby(labels.to_numpy()).mean().T
    profiles = means / means.sum()
    shared = bulks.div(bulks.sum(axis=1), axis=0)[profiles.index]
    found = np.array([nnls(profiles.to_numpy(), row)[0] for row in shared.to_numpy()])
    known = pd.DataFrame(found, index=bulks.index, columns=profiles.columns)
    if correct_mrna_bias:
        known = known / means.sum()
    known = known.div(known.sum(axis=1), axis=0)
    estimated = 0.9 * known
    estimated["Unknown"] = 0.1
    return estimated, SimpleNamespace(get_signature_matrix=lambda include_mrna_bias=True: profiles)
