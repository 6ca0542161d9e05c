"""What every tab costs with 1000 samples and 30 cell types, beside 10 samples: time of the server's
answers, and their bytes.

Synthetic results are put into a session; a tab without a browser (that of tests/gui) asks the real
server for each view. Seconds are those for the many samples (best of the repetitions), sizes those
of all answers that one change of view causes.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gui.app import create_app
from gui.config import Config
from gui.data.dataset import Bulk, Cells, Dataset, Matrix
from gui.engine.metrics import COLUMNS, compare
from gui.engine.params import ADTDParams, DTDParams, SearchParams
from gui.engine.results import ADTDResult, DTDResult, Provenance, Run, SearchResult
from gui.sessions.manager import LOCAL

FEW, MANY, TYPES, GENES = 10, 1000, 30, 3000
Change = tuple[str, str, Any]
VIEWS: dict[str, tuple[str, tuple[Change, ...]]] = {
    "Upload, overview": (
        "upload",
        (("upload-tabs", "value", "parts"), ("dcx-revision", "data", "again")),
    ),
    "Upload, cell types": ("upload", (("upload-tabs", "value", "types"),)),
    "DTD, composition, bars": (
        "dtd",
        (("dtd-tabs", "value", "composition"), ("dtd-composition-view", "value", "bars")),
    ),
    "DTD, composition, heatmap": ("dtd", (("dtd-composition-view", "value", "heatmap"),)),
    "DTD, composition, table": ("dtd", (("dtd-composition-view", "value", "table"),)),
    "DTD, correlation": ("dtd", (("dtd-tabs", "value", "correlation"),)),
    "DTD, one cell type": ("dtd", (("dtd-one-type", "n_clicks", 1),)),
    "DTD, markers": ("dtd", (("dtd-tabs", "value", "markers"),)),
    "DTD, gene weights": ("dtd", (("dtd-markers-view", "value", "table"),)),
    "DTD, loss": ("dtd", (("dtd-tabs", "value", "loss"),)),
    "ADTD, composition, bars": (
        "adtd",
        (("adtd-tabs", "value", "composition"), ("adtd-composition-view", "value", "bars")),
    ),
    "ADTD, composition, heatmap": ("adtd", (("adtd-composition-view", "value", "heatmap"),)),
    "ADTD, composition, table": ("adtd", (("adtd-composition-view", "value", "table"),)),
    "ADTD, hidden profile": ("adtd", (("adtd-tabs", "value", "hidden"),)),
    "ADTD, hidden fraction of the samples": ("adtd", (("adtd-hidden-of", "value", "samples"),)),
    "ADTD, gene regulation": ("adtd", (("adtd-tabs", "value", "regulation"),)),
    "ADTD, gene regulation, table": ("adtd", (("adtd-regulation-view", "value", "table"),)),
    "ADTD, search": ("adtd", (("adtd-tabs", "value", "search"),)),
}


class Cost(NamedTuple):
    """seconds : best of the repetitions; sent : bytes of all answers."""

    seconds: float
    sent: int


def bench(quick: bool) -> Iterator[tuple[str, float, str]]:
    repetitions = 2 if quick else 5  # the first one also imports
    few, many = costs(FEW, repetitions), costs(MANY, repetitions)
    for name, cost in many.items():
        beside = few[name]
        ratios = (
            f"x {cost.seconds / beside.seconds:4.1f} time, x {cost.sent / beside.sent:5.1f} bytes"
        )
        yield (
            name,
            cost.seconds,
            (
                f"{cost.sent / 1e6:6.3f} MB   {FEW} samples: {beside.seconds:6.3f} s"
                f" {beside.sent / 1e6:6.3f} MB   {ratios}"
            ),
        )


def costs(samples: int, repetitions: int) -> dict[str, Cost]:
    """Every view of every page for a session with so many samples, TYPES cell types and GENES
    genes.
    """
    with tempfile.TemporaryDirectory() as folder:
        # without its worker: nothing is computed
        application = create_app(Config.for_tests(Path(folder)))
        try:
            session = application.sessions.create_session("bench", actor=LOCAL)
            fill(session, samples)
            tab = _tab_class()(application)
            sent = _watched(tab)
            tab.set({("dcx-session", "data"): session.session_id})
            found, page = {}, ""
            for name, (wanted, changes) in VIEWS.items():
                if wanted != page:
                    page = wanted
                    tab.go(page)
                    tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})
                *before, last = changes
                for identity, prop, value in before:
                    tab.set({(identity, prop): value})
                seconds = []
                for _ in range(repetitions):
                    sent.clear()
                    began = time.perf_counter()
                    tab.set({last[:2]: last[2]})
                    seconds.append(time.perf_counter() - began)
                found[name] = Cost(min(seconds), sum(sent))
        finally:
            application.stop()
    return found


def fill(session: Any, samples: int) -> None:
    """A dataset and one run of each kind, drawn at random."""
    data = make_dataset(samples)
    trained, run, search = make_results(data, samples)
    session.set_dataset(data, keep_runs=False)
    origin = Provenance(data.training_id, data.bulk_id)
    after = replace(origin, inputs={"dtd": "d"})
    now = datetime.now(UTC)
    session.add_run(Run("d", "dtd", "DTD", now, DTDParams(), trained, origin))
    session.add_run(Run("a", "adtd", "Deconomix+h,r", now, ADTDParams(model="h,r"), run, after))
    session.add_run(Run("s", "search", "Search", now, SearchParams(), search, after))


def make_dataset(samples: int) -> Dataset:
    """As many bulk samples, and twice as many cells, of TYPES cell types with long names."""
    random = np.random.default_rng(0)
    genes = pd.Index([f"ENSG{i:011d}" for i in range(GENES)])
    kinds = [f"Cell type {i:02} with a long name" for i in range(TYPES)]
    names = pd.Index([f"patient_{i:04d}_biopsy" for i in range(samples)])

    def cells(count: int) -> Cells:
        labels = np.resize(np.array(kinds), count)
        barcodes = pd.Index([f"{i:016d}-1" for i in range(count)])
        return Cells(
            Matrix(random.poisson(1.0, (GENES, count)).astype(np.float32), genes, barcodes),
            labels,
            pd.DataFrame(index=barcodes),
        )

    groups = pd.DataFrame({"group": np.resize(np.array(["a", "b"]), samples)}, index=names)
    reference = Matrix(random.gamma(0.3, 1, (GENES, TYPES)), genes, pd.Index(kinds))
    bulk = Bulk(Matrix(random.random((GENES, samples)), genes, names), groups)
    return Dataset(cells(2 * samples), cells(samples), reference=reference, bulk=bulk, name="bench")


def make_results(data: Dataset, samples: int) -> tuple[DTDResult, ADTDResult, SearchResult]:
    """DTD with as many mixtures as samples, Deconomix+h,r on the bulk, and a search on the default
    grid.
    """
    random = np.random.default_rng(1)
    assert data.reference is not None
    assert data.bulk is not None
    reference, names = data.reference.frame(), data.bulk.matrix.columns
    kinds, genes = reference.columns, reference.index

    def shares(columns: Any) -> pd.DataFrame:
        return pd.DataFrame(random.dirichlet(np.ones(TYPES), samples).T, kinds, columns)

    mixtures = [str(i) for i in range(samples)]
    composition = {"train": shares(mixtures), "test": shares(mixtures), "bulk": shares(names)}
    truth = {"train": shares(mixtures), "test": shares(mixtures)}
    rows = [
        compare(part, method, truth[part], composition[part])
        for part in truth
        for method in ("dtd", "naive")
    ]
    weights = pd.Series(random.random(GENES).astype(np.float32), genes)
    trained = DTDResult(
        reference=reference,
        gene_weights=weights,
        loss=random.random(1000),
        correlation=pd.DataFrame(random.random((1000, TYPES)), columns=kinds),
        composition=composition,
        naive=composition,
        truth=truth,
        metrics=pd.concat(rows, ignore_index=True)[COLUMNS],
        params=DTDParams(),
    )
    hidden = pd.Series(random.beta(2, 8, samples), names)
    run = ADTDResult(
        composition=composition["bulk"] * (1 - hidden),
        hidden=hidden,
        hidden_profile=pd.Series(random.dirichlet(np.full(GENES, 0.1)), genes),
        gene_regulation=pd.DataFrame(np.exp(random.normal(0, 0.5, (GENES, TYPES))), genes, kinds),
        gene_weights=weights,
        reference=reference,
        loss=np.linspace(1, 0.1, 30),
        support=pd.DataFrame(random.beta(0.5, 1, (GENES, TYPES)), genes, kinds),
        hidden_interval=pd.DataFrame({"low": hidden * 0.3, "high": np.minimum(1, hidden * 1.5)}),
    )
    grid = SearchParams().lambdas()
    losses = pd.DataFrame(random.random((SearchParams().folds, len(grid))), columns=grid)
    return trained, run, SearchResult(losses, {"min": grid[3], "one_se": grid[12], "drop": grid[8]})


def _tab_class() -> Any:
    """``Tab`` of tests/gui/conftest.py: the tests are no package."""
    path = Path(__file__).parents[1] / "gui" / "conftest.py"
    spec = importlib.util.spec_from_file_location("tab_without_a_browser", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Tab


def _watched(tab: Any) -> list[int]:
    """Gets the bytes of every answer from now on."""
    sent: list[int] = []
    post = tab.client.post

    def counted(*args: Any, **options: Any) -> Any:
        answer = post(*args, **options)
        sent.append(len(answer.data))
        return answer

    tab.client.post = counted
    return sent
