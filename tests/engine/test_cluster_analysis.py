"""What the program really spreads, on a real Dask cluster: a search, bootstraps and whole ADTD
runs, with the numbers, the progress and the cancel of here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Dataset
from gui.engine import compute_settings, lambda2_path, search
from gui.engine import tasks as engine_tasks
from gui.engine.compute_settings import ComputeSettings
from gui.engine.draw_intervals import RESAMPLING
from gui.engine.parallel import cluster, local, parallel_map, serial
from gui.engine.params import ADTDParams, BootstrapParams, DTDParams, SearchParams
from gui.engine.results import ADTDResult, DTDResult
from gui.engine.search import SEARCHING
from gui.engine.tasks import run_adtd, run_bootstrap, run_dtd, run_search
from gui.errors import JobCancelled
from tests.engine.dask_cluster import Cluster
from tests.engine.spreading import tasks
from tests.waiting import until

pytest.importorskip("distributed")
SEARCH = SearchParams(smallest=1e-5, largest=1.0, points=6, folds=2)
ADTD = ADTDParams(model="h,r", lambda2=1e-6, max_iterations=3)
DRAWS = BootstrapParams(replicates=20, lambda2=1e-6, max_iterations=3)


@pytest.fixture
def on_cluster(
    pair: Cluster, monkeypatch: pytest.MonkeyPatch, left_as_found: None
) -> Iterator[Callable[[], list[int]]]:
    """From its call on everything is spread over the cluster, and nothing may be computed here
    instead.

    Returns how many tasks each spreading sent there.
    """
    for small in (search, lambda2_path):  # so small a search would be computed here
        monkeypatch.setattr(small, "WORTH", 0.0)
    monkeypatch.setattr(lambda2_path, "allowed_cores", lambda: 2)
    # fewer mixtures on which intervals are checked
    monkeypatch.setattr(engine_tasks, "CHECK_ADTD", 10)
    monkeypatch.setattr(engine_tasks, "CHECK_DTD", 10)

    def start() -> list[int]:
        sent: list[int] = []
        run = cluster.run
        compute_settings.set_compute_settings(ComputeSettings(scheduler=pair.address))
        monkeypatch.setattr(
            cluster,
            "run",
            lambda chosen, task, packed_items, *more: (
                sent.append(len(packed_items)),
                run(chosen, task, packed_items, *more),
            )[1],
        )
        for elsewhere in (local, serial):
            monkeypatch.setattr(elsewhere, "run", lambda *_: pytest.fail("this was computed here"))
        return sent

    yield start
    monkeypatch.undo()


def same(one: Any, other: Any) -> bool:
    """To the bit, names and types included."""
    if is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)
        )
    if isinstance(one, pd.DataFrame | pd.Series):
        labels = all(a.equals(b) for a, b in zip(one.axes, other.axes, strict=True))
        return labels and same(one.to_numpy(), other.to_numpy())
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and (
            one.tolist() == other.tolist()
            if one.dtype == object
            else one.tobytes() == other.tobytes()
        )
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or (one != one and other != other)


def idle(found: Cluster) -> bool:
    return not found.ask(lambda client: client.run_on_scheduler(tasks_known))


def tasks_known(dask_scheduler: Any) -> list[str]:
    return [str(key) for key in dask_scheduler.tasks]


@pytest.fixture(scope="module")
def data(make: Callable[..., Dataset]) -> Dataset:
    return make(genes=30, types=3, samples=6)


@pytest.fixture(scope="module")
def dtd(data: Dataset, recorder: Any) -> DTDResult:
    params = DTDParams(
        genes=25, iterations=10, train_mixtures=20, test_mixtures=10, train_cells=10, test_cells=10
    )
    return run_dtd(data, params, progress=recorder())


@pytest.fixture(scope="module")
def adapted(data: Dataset, dtd: DTDResult) -> ADTDResult:
    compute_settings.set_compute_settings(ComputeSettings(cores=1))
    return parallel_map(tasks.adapt, [ADTD], shared=(data, dtd))[0][1]  # type: ignore[no-any-return]


def test_a_search_gives_the_numbers_of_here_with_true_progress(
    data: Dataset, dtd: DTDResult, recorder: Any, on_cluster: Any
) -> None:
    compute_settings.set_compute_settings(ComputeSettings(cores=1))
    expected = run_search(data, SEARCH, progress=recorder(), dtd=dtd)
    sent, seen = on_cluster(), recorder()
    assert same(run_search(data, SEARCH, progress=seen, dtd=dtd), expected)
    assert sent == [4, 2]  # each fold in two pieces, and the path of all samples
    counts = [
        (fraction, count, limit)
        for stage, fraction, count, limit, _ in seen.reports
        if stage == SEARCHING
    ]
    assert counts == sorted(counts)
    assert counts[0] == (0.0, 0, 12)
    assert counts[-1] == (1.0, 12, 12)


@pytest.mark.parametrize("of", ["ADTD", "DTD with weights learned anew"])
def test_a_bootstrap_gives_the_numbers_of_here_with_true_progress(
    of: str, data: Dataset, dtd: DTDResult, adapted: ADTDResult, recorder: Any, on_cluster: Any
) -> None:
    params, adtd = (
        (DRAWS, adapted) if of == "ADTD" else (DRAWS.model_copy(update={"seeds": True}), None)
    )
    compute_settings.set_compute_settings(ComputeSettings(cores=1))
    expected = run_bootstrap(data, params, progress=recorder(), dtd=dtd, adtd=adtd)
    sent, seen = on_cluster(), recorder()
    assert same(run_bootstrap(data, params, progress=seen, dtd=dtd, adtd=adtd), expected)
    assert sent
    assert min(sent) >= 20
    fractions = [fraction for stage, fraction, *_ in seen.reports if stage == RESAMPLING]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_whole_adtd_runs_give_the_numbers_of_here_on_every_worker(
    data: Dataset, dtd: DTDResult, adapted: ADTDResult, on_cluster: Any
) -> None:
    items = [
        ADTD,
        ADTDParams(model="h", max_iterations=3),
        ADTD,
        ADTDParams(model="custom", c_static=False, lambda1=0.1, lambda2=1e-6, max_iterations=2),
    ]
    compute_settings.set_compute_settings(ComputeSettings(cores=1))
    expected = [found for _, found in parallel_map(tasks.adapt, items, shared=(data, dtd))]
    on_cluster()
    seen: list[tuple[int, tuple[str, int]]] = []
    found = parallel_map(
        tasks.adapt,
        items,
        shared=(data, dtd),
        on_step=lambda index, value: seen.append((index, value)),
    )
    assert same([result for _, result in found], expected)
    assert same(found[0][1], adapted)
    assert len({pid for pid, _ in found} - {os.getpid()}) == 2
    for index in range(len(items)):  # each with its own course, in its order
        counts = [count for at, (_, count) in seen if at == index]
        assert max(counts) >= 2


def test_an_adtd_run_of_a_program_with_a_cluster_is_that_of_one_without(
    data: Dataset, dtd: DTDResult, recorder: Any, on_cluster: Any
) -> None:
    compute_settings.set_compute_settings(ComputeSettings(cores=1))
    expected = run_adtd(data, ADTD, progress=recorder(), dtd=dtd)
    on_cluster()
    assert same(run_adtd(data, ADTD, progress=recorder(), dtd=dtd), expected)


def test_a_cancel_ends_what_runs_on_the_cluster_and_the_next_run_is_whole(
    data: Dataset,
    dtd: DTDResult,
    adapted: ADTDResult,
    recorder: Any,
    on_cluster: Any,
    pair: Cluster,
) -> None:
    compute_settings.set_compute_settings(ComputeSettings(cores=1))
    expected = run_search(data, SEARCH, progress=recorder(), dtd=dtd)
    on_cluster()
    with pytest.raises(JobCancelled):
        run_search(data, SEARCH, progress=recorder(SEARCHING, 3), dtd=dtd)
    with pytest.raises(JobCancelled):
        run_bootstrap(data, DRAWS, progress=recorder(RESAMPLING, 3), dtd=dtd, adtd=adapted)

    def cancels(index: int, value: Any) -> None:
        raise JobCancelled("The step was cancelled.")

    with pytest.raises(JobCancelled):
        parallel_map(tasks.adapt, [ADTD] * 4, shared=(data, dtd), on_step=cancels)
    until(lambda: idle(pair))
    assert same(run_search(data, SEARCH, progress=recorder(), dtd=dtd), expected)
