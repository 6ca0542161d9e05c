"""A method that wraps another program: the example of the guide, with and without rectanglepy.

The stand-in has the signature of rectanglepy 1.7.0 and checks what it is handed. The last tests run
the package itself where the guide installs it.
"""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Cells, Dataset, Matrix
from gui.data.example import make_example
from gui.errors import EngineFailed, InvalidParameter, JobCancelled, MissingPart
from gui.methods.method import Capability, Method
from gui.registry import find_pages
from tests.methods import stand_in_rectangle

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("rectangle_plugin.py")


def silent(*_: object, **__: object) -> None:
    """A progress that nobody watches."""


@pytest.fixture
def method(tmp_path: Path) -> Method:
    shutil.copy(FILE, tmp_path)
    found = find_pages(tmp_path)
    assert not found.errors
    return {one.key: one for one in found.methods}["rectangle"]


@pytest.fixture
def stand_in(method: Method, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This Python in place of that of Rectangle; it finds the stand-in as rectanglepy."""
    folder = tmp_path / "packages"
    folder.mkdir()
    shutil.copy(stand_in_rectangle.__file__, folder / "rectanglepy.py")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setitem(method.task.__globals__, "PYTHON", Path(sys.executable))
    return folder / "rectanglepy.py"


@pytest.fixture(scope="module")
def counts() -> Dataset:
    """The example with raw counts, as Rectangle needs them."""
    data = make_example().dataset
    assert data.train is not None
    matrix = data.train.matrix
    whole = Matrix(matrix.frame().round().to_numpy(), matrix.genes, matrix.columns)
    return replace(data, train=Cells(whole, data.train.labels, data.train.obs))


@pytest.mark.usefixtures("stand_in")
def test_the_example_runs_as_a_method_with_hidden_background(
    method: Method, counts: Dataset
) -> None:
    assert method.can(Capability.HIDDEN)
    assert method.obstacle(counts) == ""
    found = method.task(counts, method.params(), progress=silent)
    assert counts.bulk is not None
    assert list(found.composition.columns) == list(counts.bulk.matrix.columns)
    np.testing.assert_allclose(found.full().sum(), 1.0)
    np.testing.assert_allclose(found.hidden, 0.1)
    assert found.fits()
    assert found.second_opinion is not None
    assert found.notes == ()


@pytest.mark.usefixtures("stand_in")
def test_fractions_of_cells_are_called_so(method: Method, counts: Dataset) -> None:
    rna = method.task(counts, method.params(), progress=silent)
    cells = method.task(counts, method.params.parse(mrna_bias=True), progress=silent)
    assert cells.notes == ("Fractions of cells, not of RNA.",)
    assert not np.allclose(rna.composition, cells.composition)


@pytest.mark.usefixtures("stand_in")
def test_values_that_are_no_counts_are_refused(method: Method, counts: Dataset) -> None:
    assert counts.train is not None
    matrix = counts.train.matrix
    half = Matrix(matrix.frame().to_numpy() / 2, matrix.genes, matrix.columns)
    data = replace(counts, train=Cells(half, counts.train.labels, counts.train.obs))
    with pytest.raises(InvalidParameter, match="raw counts"):
        method.task(data, method.params(), progress=silent)


def test_without_the_package_it_says_where_it_belongs(
    method: Method, counts: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(method.task.__globals__, "PYTHON", tmp_path / "nowhere")
    with pytest.raises(MissingPart, match=r"Rectangle is not installed in .*rectangle"):
        method.task(counts, method.params(), progress=silent)


def test_what_it_fails_with_is_said(method: Method, counts: Dataset, stand_in: Path) -> None:
    stand_in.write_text("raise ImportError('no such solver')")
    with pytest.raises(EngineFailed, match="found no solution: ImportError: no such solver"):
        method.task(counts, method.params(), progress=silent)


def test_a_cancel_ends_the_other_program(
    method: Method, counts: Dataset, stand_in: Path, tmp_path: Path
) -> None:
    alive = tmp_path / "alive"
    stand_in.write_text(
        textwrap.dedent(
            f"""
            import pathlib, time
            while True:
                pathlib.Path({str(alive)!r}).write_text("yes")
                time.sleep(0.05)
            """
        )
    )

    def cancel(*_: Any, **__: Any) -> None:
        if alive.exists():
            raise JobCancelled("cancelled")

    with pytest.raises(JobCancelled):
        method.task(counts, method.params(), progress=cancel)
    alive.unlink()
    time.sleep(0.5)
    assert not alive.exists(), "it writes no more"


# -- the package itself, in ~/rectangle as the guide installs it
# --------------------------------------------------------------------------------------------------
HAND = """
import json, sys
import numpy as np, pandas as pd, rectanglepy
from anndata import AnnData
bulk, cells, labels = (pd.read_csv(path, index_col=0) for path in sys.argv[1:4])
data = AnnData(cells.T)
data.obs["cell_type"] = labels.iloc[:, 0].astype("category")
found, _ = rectanglepy.rectangle(data, bulk.T, correct_mrna_bias=False, n_cpus=1)
found.to_csv(sys.argv[4])
"""


def package(method: Method) -> Path:
    found: Path = method.task.__globals__["PYTHON"]
    if not found.exists():
        pytest.skip("rectanglepy is not installed in ~/rectangle")
    return found


def test_the_stand_in_has_the_signature_of_the_package(method: Method) -> None:
    code = (
        "import inspect, json, rectanglepy; print(json.dumps([[p.name, int(p.kind)] for p in"
        " inspect.signature(rectanglepy.rectangle).parameters.values()]))"
    )
    asked = subprocess.run([package(method), "-c", code], capture_output=True, check=True)
    mine = inspect.signature(stand_in_rectangle.rectangle).parameters.values()
    assert json.loads(asked.stdout) == [[p.name, int(p.kind)] for p in mine]


@pytest.mark.slow
def test_the_package_gives_the_numbers_it_gives_by_hand(
    method: Method, counts: Dataset, tmp_path: Path
) -> None:
    python = package(method)
    assert counts.train is not None
    assert counts.bulk is not None
    bulk, cells = counts.bulk.matrix.frame(), counts.train.matrix.frame()
    cells.columns = pd.Index([f"c{at}" for at in range(cells.shape[1])])
    labels = pd.Series(np.asarray(counts.train.labels), cells.columns)
    paths = [tmp_path / f"{name}.csv" for name in ("bulk", "cells", "labels", "found")]
    for frame, path in zip((bulk / bulk.sum() * 1e6, cells, labels), paths, strict=False):
        frame.to_csv(path)
    subprocess.run([python, "-c", HAND, *paths], check=True, capture_output=True)
    hand = pd.read_csv(paths[-1], index_col=0)
    found = method.task(counts, method.params(), progress=silent)
    assert found.fits()
    mine = found.full().rename(index={"hidden": "Unknown"}).T
    np.testing.assert_allclose(mine[hand.columns], hand, atol=1e-9)
    np.testing.assert_allclose(found.full().sum(), 1.0, atol=1e-6)


def test_the_package_is_not_handed_normalised_cells(method: Method) -> None:
    from tests.engine.test_second_opinion import loaded

    package(method)
    data = loaded(ROOT / "tests" / "fixtures" / "tiny_pbmc68k")
    with pytest.raises(InvalidParameter, match="raw counts"):
        method.task(data, method.params(), progress=silent)


def test_the_guide_shows_this_file() -> None:
    code = FILE.read_text("utf-8").split('"""', 2)[2].strip()
    assert code in (ROOT / "resources" / "help" / "plugins.md").read_text("utf-8")
