"""Robustness: 1000 genes x 8 cell types x 20 samples, all kinds of change, in under a minute."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from gui.analyses.robustness import RobustnessParams, run_robustness
from gui.data.dataset import Bulk, Cells, Dataset, Matrix
from gui.engine import tasks
from gui.engine.params import ADTDParams, DTDParams

GENES, TYPES, SAMPLES, CELLS, DONORS = 2500, 8, 20, 100, 5


def bench(quick: bool) -> Iterator[tuple[str, float, str]]:
    data = _dataset()
    params = DTDParams(iterations=100 if quick else 1000)
    dtd = tasks.run_dtd(data, params, progress=_quiet)
    adtd = tasks.run_adtd(data, ADTDParams(), progress=_quiet, dtd=dtd)
    begin = time.perf_counter()
    found = run_robustness(data, RobustnessParams(), progress=_quiet, dtd=dtd, adtd=adtd)
    seconds = time.perf_counter() - begin
    size = f"1000 genes x {TYPES} types x {SAMPLES} samples"
    yield "robustness", seconds, f"{size}, {len(found.variants)} variants"


def _quiet(*_: Any, **__: Any) -> None: ...


def _dataset() -> Dataset:
    """Cells of five donors, and a bulk that is a tenth another type."""
    random = np.random.default_rng(0)
    genes = pd.Index([f"G{i}" for i in range(GENES)])
    profiles = random.lognormal(0.0, 1.5, (GENES, TYPES + 1))
    labels = np.repeat([f"T{k}" for k in range(TYPES)], CELLS)
    expected = np.repeat(profiles[:, :TYPES], CELLS, axis=1)
    values = random.poisson(expected * random.gamma(2.0, 0.5, expected.shape)).astype(float)
    donors = pd.DataFrame({"donor": [f"D{i % DONORS}" for i in range(len(labels))]})
    names = pd.Index([f"c{i}" for i in range(len(labels))])
    cells = Cells(Matrix(values, genes, names), labels, donors)
    fractions = random.dirichlet(np.full(TYPES + 1, 3.0), SAMPLES).T
    samples = pd.Index([f"s{i}" for i in range(SAMPLES)])
    bulk = Bulk(Matrix(profiles @ fractions, genes, samples), pd.DataFrame(index=samples))
    return Dataset(train=cells, test=None, bulk=bulk)
