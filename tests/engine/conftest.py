"""Small simulated data and a progress that records, for the engine's tests."""

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Bulk, Cells, Dataset, Matrix
from gui.engine import compute_settings
from gui.engine.parallel import local
from gui.engine.params import DTDParams
from gui.errors import JobCancelled
from tests.waiting import until

if TYPE_CHECKING:
    from tests.engine.dask_cluster import Cluster

QUICK = {
    "genes": 50,
    "iterations": 20,
    "train_mixtures": 40,
    "test_mixtures": 30,
    "train_cells": 20,
    "test_cells": 20,
}


def make_dataset(
    *,
    genes: int = 60,
    types: int = 4,
    samples: int = 8,
    seed: int = 0,
    zero_genes: tuple[int, ...] = (),
    scale: float | None = 10_000.0,
) -> Dataset:
    """Poisson counts of ``types`` cell types and one more ("T<types>") that only the test cells and
    the bulk hold.

    zero_genes : rows that are zero in every bulk sample
    """
    random = np.random.default_rng(seed)
    names = pd.Index([f"G{i}" for i in range(genes)])
    profiles = random.gamma(0.6, 1, (genes, types + 1)) + 0.02

    def cells(each: int, count: int) -> Cells:
        labels = np.repeat([f"T{t}" for t in range(count)], each)
        values = random.poisson(np.repeat(profiles[:, :count], each, axis=1) * 20).astype(float)
        matrix = Matrix(values, names, pd.Index([f"c{i}" for i in range(len(labels))]))
        return Cells(matrix, labels.astype(object), pd.DataFrame(index=range(len(labels))))

    train, test = cells(30, types), cells(30, types + 1)
    bulk = random.poisson(profiles @ random.dirichlet(np.ones(types + 1), samples).T * 200).astype(
        float
    )
    bulk[list(zero_genes)] = 0
    matrix = Matrix(bulk, names, pd.Index([f"sample {chr(65 + i)}" for i in range(samples)]))
    return Dataset(train, test, None, Bulk(matrix, pd.DataFrame(index=range(samples))), scale=scale)


class Recorder:
    """A Progress that keeps every report and can cancel like a user: at the n-th report of a
    stage.
    """

    def __init__(self, stage: str = "", at: int = 0) -> None:
        self.reports: list[tuple[str, float | None, int | None, int | None, float | None]] = []
        self._stage, self._at = stage, at

    def __call__(
        self,
        stage: str,
        fraction: float | None = None,
        *,
        count: int | None = None,
        limit: int | None = None,
        loss: float | None = None,
    ) -> None:
        self.reports.append((stage, fraction, count, limit, loss))
        if self._at and sum(r[0] == self._stage for r in self.reports) >= self._at:
            raise JobCancelled("The job was cancelled.")

    @property
    def stages(self) -> list[str]:
        return list(dict.fromkeys(r[0] for r in self.reports))


@pytest.fixture(autouse=True)
def _own_setting() -> Iterator[None]:
    """A test that chooses an engine or a number of cores chooses it for itself."""
    yield
    compute_settings.set_compute_settings(compute_settings.ComputeSettings())


@pytest.fixture(autouse=True, scope="module")
def _no_process_is_left() -> Iterator[None]:
    """Processes that tasks were spread over wait for the next ones: not for those of another
    file.
    """
    yield
    local._pool._end_idle()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Cluster]":
    """A Dask scheduler and two workers, for all tests of a file that leave them as they found
    them.
    """
    from tests.engine.dask_cluster import Cluster

    found = Cluster(tmp_path_factory.mktemp("pair"))
    try:
        found.workers(2)
        yield found
    finally:
        found.end()


@pytest.fixture
def left_as_found() -> Iterator[None]:
    """After the test nothing is sent to a cluster any more, and no thread of one is left."""
    yield
    compute_settings.set_compute_settings(compute_settings.ComputeSettings())
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "cluster"])


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


@pytest.fixture(scope="session")
def make() -> Callable[..., Dataset]:
    return make_dataset


@pytest.fixture(scope="session")
def recorder() -> type[Recorder]:
    return Recorder


@pytest.fixture
def quick() -> DTDParams:
    return DTDParams(**QUICK)


@pytest.fixture(scope="session")
def trained():
    """A DTD run on ``make_dataset()``, computed once."""
    from gui.engine.tasks import run_dtd

    return run_dtd(make_dataset(), DTDParams(**QUICK), progress=Recorder())
