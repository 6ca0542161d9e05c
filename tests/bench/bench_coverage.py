"""How often the 95 % intervals of the tab Uncertainty hold the truth: of the draws alone, and widened; the
seconds are those of the intervals.

On the built-in example always; not with --quick also on the real data sets that are there
(DECONOMIX_GUI_SHARED). Three kinds of mixtures: made exactly from the reference (Poisson counts,
each gene times a factor of its own), simulated from test cells, and the example's bulk (many cells
of an unknown type).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from gui.data.dataset import HIDDEN, Dataset
from gui.data.example import make_example
from gui.engine import tasks
from gui.engine.bootstrap import bootstrap
from gui.engine.params import ADTDParams, BootstrapParams, DTDParams
from gui.engine.results import BootstrapResult, DTDResult

SETS = ("tiny_pbmc68k", "pbmc_hao_finotello", "glioma_tirosh")


def silent(*args: object, **details: object) -> None: ...


def sets(quick: bool) -> Iterator[tuple[str, Dataset, pd.DataFrame | None]]:
    """Name, data, true composition of the bulk where it is known."""
    example = make_example()
    yield "example", example.dataset, example.truth
    shared = os.environ.get("DECONOMIX_GUI_SHARED")
    if quick or not shared:
        return
    from gui.data.load import FileChoice, LoadRequest, load_dataset

    for name in SETS:
        folder = Path(shared) / "data" / name
        if folder.is_dir():
            files = {
                role: FileChoice.parse(path=folder / f"{role}.h5ad", name=f"{role}.h5ad")
                for role in ("train", "test")
            }
            yield name, load_dataset(LoadRequest.parse(files=files)), None


def held(sure: BootstrapResult, truth: pd.DataFrame) -> str:
    rows = [t for t in sure.estimate.index if t in truth.index]
    real = truth.loc[rows, sure.estimate.columns].to_numpy()
    shares = []
    for low, high in ((sure.genes_low, sure.genes_high), (sure.low, sure.high)):
        inside = (real >= low.loc[rows].to_numpy() - 1e-9) & (
            real <= high.loc[rows].to_numpy() + 1e-9
        )
        shares.append(f"{100 * inside.mean():.1f} %")
    check = sure.check
    back = (
        ""
        if check is None
        else (
            f"; {sure.mixtures} held back: {100 * check['genes'].mean():.1f} %,"
            f" {100 * check['widened'].mean():.1f} %"
        )
    )
    return f"truth within: draws alone {shares[0]}, widened {shares[1]}{back}"


def exact(dtd: DTDResult, hidden: bool) -> tuple[BootstrapResult, pd.DataFrame]:
    """Mixtures made of the reference itself."""
    random, types = np.random.default_rng(0), dtd.reference.columns
    truth = pd.DataFrame(
        random.dirichlet(np.full(len(types), 2.0), 100).T,
        index=types,
        columns=[f"s{j}" for j in range(100)],
    )
    expected = (dtd.reference @ truth).to_numpy()
    bulk = random.poisson(expected * 100 * random.gamma(100.0, 0.01, expected.shape)) / 100
    frame = pd.DataFrame(bulk, index=dtd.reference.index, columns=truth.columns)
    return (
        bootstrap(
            dtd.reference,
            frame,
            dtd.gene_weights,
            replicates=100,
            seed=1,
            progress=silent,
            hidden=hidden,
        ),
        truth,
    )


def bench(quick: bool) -> Iterator[tuple[str, float, str]]:
    for name, data, bulk_truth in sets(quick):
        dtd = tasks.run_dtd(
            data,
            DTDParams(iterations=200 if quick else 500, train_mixtures=400, test_mixtures=60),
            progress=silent,
        )
        for model in ("dtd", "h"):
            began = time.perf_counter()
            sure, truth = exact(dtd, model == "h")
            yield (
                f"{name}, {model}, mixtures of the reference itself",
                time.perf_counter() - began,
                held(sure, truth),
            )
            for part in ("test", "bulk") if bulk_truth is not None else ("test",):
                adtd = (
                    tasks.run_adtd(data, ADTDParams(part=part), progress=silent, dtd=dtd)
                    if model == "h"
                    else None
                )
                began = time.perf_counter()
                sure = tasks.run_bootstrap(
                    data,
                    BootstrapParams(part=part, replicates=100),
                    progress=silent,
                    dtd=dtd,
                    adtd=adtd,
                )
                seconds = time.perf_counter() - began
                truth = (
                    dtd.truth["test"].copy()
                    if part == "test" or bulk_truth is None
                    else bulk_truth.copy()
                )
                if model == "h":
                    truth.loc[HIDDEN] = 1 - truth.loc[dtd.reference.columns].sum()
                yield (
                    f"{name}, {model}, {'simulated test pseudobulks' if part == 'test' else 'bulk'}",
                    seconds,
                    held(sure, truth),
                )
