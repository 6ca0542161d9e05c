"""For comparisons of the two engines: made and real data, and running a step with either.

Not a test.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gui.engine import compute_settings


def quiet(*_: Any, **__: Any) -> None: ...


def with_engine(engine: Any, step: Callable[[], Any]) -> Any:
    before = compute_settings.get_compute_settings()
    compute_settings.set_compute_settings(compute_settings.ComputeSettings(engine, cores=1))
    try:
        return step()
    finally:
        compute_settings.set_compute_settings(before)


def made(p: int, q: int, n: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Reference (genes x types, a fifth of it zero), bulk (genes x samples) with a hidden type,
    both scaled to 10 000, and float32 gene weights.
    """
    random = np.random.default_rng(seed)
    profiles = random.gamma(0.6, 1, (p, q + 1)) + 0.02
    profiles[random.random((p, q + 1)) < 0.2] = 0
    profiles[:, -1] += 0.01
    genes, types, samples = (
        [f"{letter}{i}" for i in range(size)] for letter, size in (("g", p), ("t", q), ("s", n))
    )
    reference = pd.DataFrame(profiles[:, :q], index=genes, columns=types)
    bulk = pd.DataFrame(
        random.poisson(profiles @ random.dirichlet(np.ones(q + 1), n).T * 200) + 1e-3,
        index=genes,
        columns=samples,
    )
    weights = random.random(p) ** 2
    return (
        scaled(reference),
        scaled(bulk),
        pd.Series(
            (weights * (p / weights.sum())).astype(np.float32), index=genes, name="gene weights"
        ),
    )


def made_cells(genes: int, types: int, each: int, seed: int = 0) -> pd.DataFrame:
    """Genes x cells, columns = types in no order."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat([f"t{i}" for i in range(types)], each))
    profiles = random.gamma(0.6, 1, (genes, types)) + 0.02
    values = random.poisson(profiles[:, [int(label[1:]) for label in labels]] * 20).astype(float)
    values[0] += 1e-3
    return scaled(pd.DataFrame(values, index=[f"g{i}" for i in range(genes)], columns=labels))


def real(
    folder: Path, n_genes: int, *, test: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """(reference, training cells, bulk) of a data set, aligned, selected and scaled as an analysis
    does it; ``test``: its test cells, not the bulk.
    """
    from gui.data.load import FileChoice, LoadRequest, load_dataset
    from gui.data.normalize import prepare

    names = {"train": "train.h5ad", "bulk": "application.h5ad"} | (
        {"test": "test.h5ad"} if test else {}
    )
    files = {role: FileChoice.parse(path=folder / name, name=name) for role, name in names.items()}
    prepared = prepare(load_dataset(LoadRequest.parse(files=files)), n_genes=n_genes)
    other = prepared.test if test else prepared.bulk
    assert other is not None
    return prepared.reference, prepared.train, other


def scaled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame * (10_000.0 / frame.sum(axis=0).to_numpy())
