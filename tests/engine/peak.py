"""One step of the engine in a process of its own; prints the bytes it took at its peak beyond what
was loaded before, and the forecast.

Not a test.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gui.data.dataset import Bulk, Cells, Dataset, Matrix
from gui.engine import forecast, tasks
from gui.engine.compute_settings import ComputeSettings
from gui.engine.params import ADTDParams, DTDParams

TYPES, CELLS, SAMPLES = 5, 100, 10


def peak() -> float:
    """Of this program alone: getrusage would count what the process that started it had, too."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return 1024.0 * int(line)


def made(genes: int) -> Dataset:
    random = np.random.default_rng(1)
    profiles = random.gamma(0.5, 2.0, (genes, TYPES)) + 0.05
    labels = np.repeat([f"type {i}" for i in range(TYPES)], CELLS // TYPES)
    names = pd.Index([f"g{i}" for i in range(genes)], dtype=object)
    cells = np.repeat(profiles, CELLS // TYPES, axis=1) * random.gamma(4.0, 0.25, (genes, CELLS))
    bulk = profiles @ random.dirichlet(np.ones(TYPES), SAMPLES).T
    columns = pd.Index([f"c{i}" for i in range(CELLS)], dtype=object)
    train = Cells(Matrix(cells, names, columns), labels, pd.DataFrame(index=range(CELLS)))
    samples = Bulk(
        Matrix(bulk, names, pd.Index([f"s{i}" for i in range(SAMPLES)], dtype=object)),
        pd.DataFrame(index=range(SAMPLES)),
    )
    return Dataset(train=train, test=None, bulk=samples)


def main(engine: Any, step: str, genes: int, mixtures: int, cells: int) -> dict[str, float]:
    def progress(*_: Any, **__: Any) -> None:
        return

    data = made(genes)
    params = DTDParams(genes=None, iterations=2, train_mixtures=mixtures, train_cells=cells)
    tasks.warm_up(ComputeSettings(engine))
    if step == "dtd":
        before = peak()
        tasks.run_dtd(data, params, progress=progress)
        return {"taken": peak() - before, "forecast": forecast.dtd_bytes(data, params, engine)[0]}
    small = tasks.run_naive(data, params, progress=progress)
    chosen = ADTDParams(model="h,r" if step == "h,r" else "h", max_iterations=2)
    before = peak()
    tasks.run_adtd(data, chosen, progress=progress, dtd=small)
    return {
        "taken": peak() - before,
        "forecast": forecast.adtd_bytes(data, chosen, small, engine)[0],
        "before": before,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))))  # noqa: T201
