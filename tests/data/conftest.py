"""Small data sets for the tests of this room, as the fixture ``make``."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Bulk, Cells, Dataset, Matrix


def matrix(values: Any, genes: Any = None, columns: Any = None) -> Matrix:
    values = np.asarray(values, dtype=float)
    genes = [f"G{i}" for i in range(values.shape[0])] if genes is None else genes
    columns = [f"S{i}" for i in range(values.shape[1])] if columns is None else columns
    return Matrix(values, pd.Index(genes, dtype=object), pd.Index(columns, dtype=object))


def cells(values: Any, labels: Any, genes: Any = None) -> Cells:
    made = matrix(values, genes, [f"c{i}" for i in range(len(labels))])
    return Cells(made, np.array(labels, dtype=object), pd.DataFrame(index=made.columns))


def bulk(values: Any, genes: Any = None, samples: Any = None) -> Bulk:
    made = matrix(values, genes, samples)
    return Bulk(made, pd.DataFrame(index=made.columns))


def dataset(
    genes: int = 12,
    types: tuple[str, ...] = ("B", "NK", "T"),
    per_type: int = 5,
    samples: int = 3,
    **changes: Any,
) -> Dataset:
    """Counts with clear markers; no reference of its own unless given in ``changes``."""
    random = np.random.default_rng(0)
    labels = list(types) * per_type
    profile = {
        t: np.where(np.arange(genes) % len(types) == i, 20.0, 2.0) for i, t in enumerate(types)
    }

    def draw() -> np.ndarray:
        return random.poisson(np.column_stack([profile[t] for t in labels])).astype(float) + 1

    parts: dict[str, Any] = {
        "train": cells(draw(), labels),
        "test": cells(draw(), labels),
        "bulk": bulk(random.poisson(50, (genes, samples)) + 1.0),
    }
    return Dataset(**(parts | changes))


def write_csv(path: Path, values: Any, genes: list[str], columns: list[str]) -> Path:
    lines = [",".join(["gene", *columns])] + [
        ",".join([g, *map(repr, map(float, row))])
        for g, row in zip(genes, np.asarray(values), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def make() -> SimpleNamespace:
    """The makers above (test folders are no packages, so that they cannot import from each
    other).
    """
    return SimpleNamespace(matrix=matrix, cells=cells, bulk=bulk, dataset=dataset, csv=write_csv)
