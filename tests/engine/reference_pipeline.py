"""An analysis in its plainest form, on stock deconomix: what ``deconomix-gui analyze`` has to equal. Not a test.

The order of the steps decides the numbers. It is that of the authors' case study (doi 10.1101/2024.11.28.625894):

1. The genes that all parts have in common, in the order of the training data.
2. Of these the ones with the largest variance of the type means of the scaled training cells.
3. Every matrix scaled to 10 000 per column over the chosen genes.
4. Pseudobulks, gene weights (DTD), composition, hidden background and gene regulation (ADTD).

It knows nothing of ``gui``, so that a fault there cannot hide here. deconomix, which takes seconds
to import, is imported when an analysis is run. Run it with one BLAS thread: with two, stock
differs in the fifth digit.
"""

from __future__ import annotations

import os
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

SCALE = 10_000.0
MODELS = ("naive", "deconomix", "deconomix+h", "deconomix+h,r")


def frame(path: Path, labels: str | None = None) -> pd.DataFrame:
    """Read an ``.h5ad`` file as float64: genes x cells (columns = cell types) or genes x samples."""
    data = anndata.read_h5ad(path)
    values = data.X.toarray() if hasattr(data.X, "toarray") else np.asarray(data.X)
    columns = data.obs[labels].astype(str).to_numpy() if labels else data.obs_names
    return pd.DataFrame(values.T.astype(np.float64), index=data.var_names, columns=columns)


def scaled(matrix: pd.DataFrame) -> pd.DataFrame:
    """Scale every column to 10 000."""
    return matrix * (SCALE / matrix.sum(axis=0).to_numpy())


def type_means(cells: pd.DataFrame) -> pd.DataFrame:
    """Average the cells of each type: genes x cell types, types sorted by name."""
    return cells.T.groupby(level=0).mean().T


def prepare(
    train: pd.DataFrame,
    test: pd.DataFrame,
    bulk: pd.DataFrame | None,
    reference: pd.DataFrame | None = None,
    n_genes: int | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame | None]:
    """Align, select and scale.

    Returns
    -------
    reference X (genes x cell types), training cells, test cells (genes x cells), bulk (genes x samples)
    """
    parts = [part for part in (train, test, bulk, reference) if part is not None]
    common = set.intersection(*(set(part.index) for part in parts))
    genes = pd.Index([gene for gene in train.index if gene in common])
    if n_genes and n_genes < len(genes):
        genes = type_means(scaled(train.loc[genes])).var(axis=1).nlargest(n_genes).index
    train, test = scaled(train.loc[genes]), scaled(test.loc[genes])
    bulk = None if bulk is None else scaled(bulk.loc[genes])
    X = type_means(train) if reference is None else scaled(reference.loc[genes])
    # types that the reference lacks are hidden: nothing is trained on them
    return X, train.loc[:, train.columns.isin(X.columns)], test, bulk


def analyze(
    folder: Path,
    model: str,
    *,
    genes: int,
    mixtures: int,
    iterations: int,
    seed: int,
    cells: int = 100,
    lambda2: float = 1e-9,
    own_reference: bool = False,
) -> dict[str, pd.DataFrame]:
    """Run the analysis on the files of a folder.

    Parameters
    ----------
    folder : holds train.h5ad, test.h5ad, application.h5ad, with ``own_reference`` also reference.h5ad
    model : one of MODELS

    Returns
    -------
    the tables that ``deconomix-gui analyze`` writes, by file name
    """
    os.environ.setdefault("MPLBACKEND", "Agg")  # deconomix imports pyplot
    from deconomix.methods import ADTD, DTD
    from deconomix.utils import calculate_estimated_composition, simulate_data

    reference = frame(folder / "reference.h5ad", "cell_type") if own_reference else None
    train, test = (frame(folder / f"{part}.h5ad", "cell_type") for part in ("train", "test"))
    X, train, test, bulk = prepare(
        train, test, frame(folder / "application.h5ad"), reference, genes
    )
    assert bulk is not None
    _, Y_train, C_train = simulate_data(train, mixtures, cells, seed=seed)
    _, Y_test, _ = simulate_data(test, mixtures, cells, seed=seed + 1)
    gamma = pd.DataFrame(1.0, index=X.index, columns=["gene weights"])
    if model != "naive":
        dtd = DTD(X, Y_train, C_train.loc[X.columns])
        dtd.run(iterations=iterations)
        gamma = dtd.gamma
    tables = {
        "gene_weights.csv": gamma,
        "composition_test.csv": calculate_estimated_composition(X, Y_test, gamma),
    }
    if "+h" not in model:
        return tables | {"composition_bulk.csv": calculate_estimated_composition(X, bulk, gamma)}
    regulated = model == "deconomix+h,r"
    adtd = ADTD(
        X,
        bulk,
        gamma,
        lambda2=lambda2,
        max_iterations=1000,
        C_static=True,
        Delta_static=not regulated,
    )
    adtd.run(verbose=False)
    composition = pd.concat([adtd.C_est, adtd.c_est]).set_axis(bulk.columns, axis=1)
    tables |= {
        "composition_bulk.csv": composition,
        "hidden_profile.csv": adtd.x_est.set_axis(["hidden"], axis=1),
    }
    return tables | ({"gene_regulation.csv": adtd.Delta_est} if regulated else {})
