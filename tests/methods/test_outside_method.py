"""A method that wraps another program: the example of the guide, with and without rectanglepy.

The stand-in has the signature of rectanglepy 1.7.0 and checks what it is handed.
"""

from __future__ import annotations

import inspect
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls

from gui.data.dataset import Cells, Dataset, Matrix
from gui.data.example import make_example
from gui.errors import InvalidParameter, MissingPart
from gui.methods.method import Capability, Method
from gui.registry import find_pages

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("rectangle_plugin.py")


def silent(*_: object, **__: object) -> None:
    """A progress that nobody watches."""


def rectangle(
    adata: Any,
    bulks: pd.DataFrame,
    cell_type_col: str = "cell_type",
    *,
    layer: Any = None,
    raw: bool = False,
    correct_mrna_bias: bool = True,
    correct_unknown_fraction: bool = True,
    correct_unknown_positive_residual: bool = True,
    optimize_cutoffs: bool = True,
    p: float = 0.015,
    lfc: float = 1.5,
    n_cpus: Any = None,
    gene_expression_threshold: float = 0.4,
    advanced_parameters: Any = None,
) -> tuple[pd.DataFrame, Any]:
    """The stand-in: samples x cell types and Unknown, by non-negative least squares."""
    from anndata import AnnData

    assert isinstance(adata, AnnData)
    assert adata.obs_names.is_unique
    assert isinstance(bulks, pd.DataFrame)
    assert set(bulks.columns) <= set(adata.var_names)
    assert n_cpus == 1, "the worker has one core"
    labels = adata.obs[cell_type_col]
    means = pd.DataFrame(adata.X, columns=adata.var_names).groupby(labels.to_numpy()).mean().T
    profiles = means / means.sum()
    shared = bulks.div(bulks.sum(axis=1), axis=0)[profiles.index]
    found = np.array([nnls(profiles.to_numpy(), row)[0] for row in shared.to_numpy()])
    known = pd.DataFrame(found, index=bulks.index, columns=profiles.columns)
    if correct_mrna_bias:
        known = known / means.sum()
    known = known.div(known.sum(axis=1), axis=0)
    estimated = 0.9 * known
    estimated["Unknown"] = 0.1
    return estimated, SimpleNamespace(get_signature_matrix=lambda include_mrna_bias=True: profiles)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("rectanglepy")
    module.rectangle = rectangle  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rectanglepy", module)


@pytest.fixture
def method(tmp_path: Path) -> Method:
    shutil.copy(FILE, tmp_path)
    found = find_pages(tmp_path)
    assert not found.errors
    return {one.key: one for one in found.methods}["rectangle"]


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


def test_without_the_package_it_says_what_to_install(
    method: Method, counts: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rectanglepy", None)
    with pytest.raises(MissingPart, match="not installed") as refused:
        method.task(counts, method.params(), progress=silent)
    assert "pip install rectanglepy" in str(refused.value.advice)


def test_the_stand_in_has_the_signature_of_the_package() -> None:
    package = pytest.importorskip("rectanglepy")
    real = inspect.signature(package.rectangle).parameters
    assert list(real) == list(inspect.signature(rectangle).parameters)
    assert [p.kind for p in real.values()] == [
        p.kind for p in inspect.signature(rectangle).parameters.values()
    ]


def test_the_real_package_runs(method: Method) -> None:
    pytest.importorskip("rectanglepy")
    from tests.engine.test_second_opinion import loaded

    data = loaded(ROOT / "tests" / "fixtures" / "tiny_pbmc68k")
    found = method.task(data, method.params(), progress=silent)
    np.testing.assert_allclose(found.full().sum(), 1.0, atol=1e-6)


def test_the_guide_shows_this_file() -> None:
    code = FILE.read_text("utf-8").split('"""', 2)[2].strip()
    assert code in (ROOT / "resources" / "help" / "plugins.md").read_text("utf-8")
