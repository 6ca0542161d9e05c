"""The fast engine computes without torch, deconomix, matplotlib and scikit-learn: they take 230 MB
and two seconds of every worker.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from gui.engine.fast.folds import k_folds
from gui.engine.fast.weights import stock_start

HEAVY = ("torch", "deconomix", "matplotlib", "sklearn", "anndata", "plotly", "dash")
WORK = """
import sys
from gui.data.example import make_example
from gui.engine.compute_settings import ComputeSettings
from gui.engine.params import ADTDParams, BootstrapParams, DTDParams, SearchParams
from gui.engine.tasks import run_adtd, run_bootstrap, run_dtd, run_search, warm_up

warm_up(ComputeSettings(engine={engine!r}, cores=1))
quiet = lambda *_, **__: None
data = make_example().dataset
few = dict(genes=60, iterations=5, train_mixtures=20, test_mixtures=20)
if {engine!r} == "fast":
    dtd = run_dtd(data, DTDParams(**few), progress=quiet)
    run_adtd(data, ADTDParams(model="h,r", max_iterations=3), progress=quiet, dtd=dtd)
    run_search(data, SearchParams(folds=2, points=3), progress=quiet, dtd=dtd)
    run_bootstrap(data, BootstrapParams(replicates=20), progress=quiet, dtd=dtd)
print(*sorted(name for name in {heavy!r} if name in sys.modules))
"""


@pytest.mark.parametrize(("engine", "loaded"), [("fast", set()), ("stock", {"torch", "deconomix"})])
def test_what_an_engine_loads(engine: str, loaded: set[str]) -> None:
    code = WORK.format(engine=engine, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    found = set(done.stdout.split())
    assert found >= loaded if loaded else found == set()


@pytest.mark.parametrize("genes", [1, 15, 16, 17, 624, 625, 5000, 20_001])
def test_the_first_gene_weights_are_stocks(genes: int) -> None:
    from gui.engine.stock import methods, torch

    with torch.random.fork_rng(devices=[]):
        stock = methods.DTD.Model(genes).weights.detach().numpy()
    ours = stock_start(genes)
    assert ours.dtype == stock.dtype == np.float32
    assert np.array_equal(ours, stock)


@pytest.mark.parametrize(("samples", "folds"), [(2, 2), (7, 3), (42, 5), (1000, 10), (11, 11)])
def test_the_folds_are_scikit_learns(samples: int, folds: int) -> None:
    from sklearn.model_selection import KFold

    theirs = list(KFold(n_splits=folds, shuffle=True, random_state=42).split(np.arange(samples)))
    ours = k_folds(samples, folds)
    assert len(ours) == len(theirs)
    for (train, test), (their_train, their_test) in zip(ours, theirs, strict=True):
        assert np.array_equal(train, their_train)
        assert np.array_equal(test, their_test)
