"""Methods: what they declare, their numbers, sessions, and plug-ins that bring one along."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls

from gui.analyses.composition import bulk_composition
from gui.data.dataset import Bulk, Dataset, Matrix
from gui.data.example import make_example
from gui.engine.second_opinion import second_opinion
from gui.errors import EmptyColumn, EngineFailed, InvalidParameter, TooFewGenes
from gui.methods.least_squares import LeastSquaresParams, run_nnls, run_relative
from gui.methods.method import Capability, Method, method_result
from gui.methods.registry import BUILT_IN, check_method, method_named, others

SHARED = Path(os.environ.get("DECONOMIX_GUI_SHARED", "nowhere"))


def silent(*_: object, **__: object) -> None:
    """A progress that nobody watches."""


@pytest.fixture(scope="module")
def example() -> Dataset:
    return make_example().dataset


def reference_only(data: Dataset) -> Dataset:
    assert data.train is not None
    labels = pd.Index(data.train.labels)
    frame = data.train.matrix.frame().set_axis(labels, axis=1)
    means = frame.T.groupby(level=0).mean().T
    reference = Matrix(means.to_numpy(), means.index, means.columns)
    return Dataset(None, None, reference, data.bulk)


def test_relative_errors_equal_the_second_opinion(example: Dataset) -> None:
    found = run_relative(example, LeastSquaresParams(), progress=silent)
    opinion = second_opinion(example, found.reference, found.composition)
    assert opinion is not None
    relative = opinion.relative.reindex(found.composition.index)
    assert np.abs(relative - found.composition).to_numpy().max() < 1e-14
    assert np.allclose(found.composition.sum(), 1.0)
    assert found.second_opinion is None, "it is one of the two estimates itself"
    assert found.fits()


@pytest.mark.skipif(not (SHARED / "second_opinion.py").exists(), reason="no shared data")
def test_relative_errors_equal_the_prototype() -> None:
    from tests.engine.test_second_opinion import loaded

    path = SHARED / "second_opinion.py"
    spec = importlib.util.spec_from_file_location("prototype", path)
    assert spec is not None
    assert spec.loader is not None
    prototype: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(prototype)
    data = replace(loaded(SHARED / "data" / "pbmc_hao_finotello"), reference=None)
    assert data.train is not None
    assert data.bulk is not None
    genes = data.train.matrix.genes[data.train.matrix.genes.isin(data.bulk.matrix.genes)]
    cells, bulk = data.train.matrix.take(genes).frame(), data.bulk.matrix.take(genes).frame()
    expected = prototype.share(prototype.relative(cells, data.train.labels, bulk))
    found = run_relative(data, LeastSquaresParams(), progress=silent).composition
    assert np.abs(expected.reindex(found.index) - found).to_numpy().max() < 1e-7


def test_nnls_is_that_of_every_sample_alone(example: Dataset) -> None:
    found = run_nnls(example, LeastSquaresParams(genes=100), progress=silent)
    assert found.reference.shape[0] == 100
    assert example.bulk is not None
    bulk = example.bulk.matrix.take(found.reference.index).frame()
    expected = nnls(found.reference.to_numpy(), (bulk * (1e4 / bulk.sum())).iloc[:, 3])[0]
    assert np.allclose(found.composition.iloc[:, 3], expected / expected.sum())
    assert found.second_opinion is not None


def test_a_reference_alone_recovers_its_own_mixtures(example: Dataset) -> None:
    data = reference_only(example)
    assert data.reference is not None
    truth = pd.DataFrame(
        np.random.default_rng(3).dirichlet([2.0] * len(data.types), 6).T,
        index=data.types,
        columns=[f"s{i}" for i in range(6)],
    )
    profiles = data.reference.frame()
    mixed = (profiles / profiles.sum()) @ truth.set_axis(profiles.columns)
    bulk = Bulk(Matrix(mixed.to_numpy(), mixed.index, mixed.columns), pd.DataFrame(index=range(6)))
    for run in (run_relative, run_nnls):
        found = run(replace(data, bulk=bulk), LeastSquaresParams(genes=None), progress=silent)
        assert np.abs(found.composition - truth).to_numpy().max() < 1e-4
        assert "without single cells" in found.notes[0]
    assert BUILT_IN["relative"].obstacle(data) == ""
    assert "single cells" in BUILT_IN["deconomix"].obstacle(data)
    assert "bulk" in BUILT_IN["relative"].obstacle(replace(data, bulk=None))


def test_what_cannot_be_estimated_is_refused(example: Dataset) -> None:
    assert example.bulk is not None
    with pytest.raises(TooFewGenes):
        run_nnls(example, LeastSquaresParams(genes=4), progress=silent)
    values = example.bulk.matrix.frame().copy()
    values.iloc[:, 2] = 0.0
    empty = Bulk(Matrix(values.to_numpy(), values.index, values.columns), example.bulk.obs)
    with pytest.raises(EmptyColumn, match=str(values.columns[2])):
        run_relative(replace(example, bulk=empty), LeastSquaresParams(), progress=silent)
    found = run_nnls(example, LeastSquaresParams(), progress=silent)
    for wrong in (found.composition.iloc[:, 1:], -found.composition, found.composition.iloc[::-1]):
        with pytest.raises(EngineFailed):
            method_result(example, "mine", "Mine", wrong, found.reference)


def test_methods_declare_what_they_can() -> None:
    can = {key: method.capabilities for key, method in BUILT_IN.items()}
    assert Capability.REGULATION in can["deconomix+h,r"]
    assert Capability.HIDDEN in can["deconomix+h"]
    assert Capability.REGULATION not in can["deconomix+h"]
    assert not BUILT_IN["naive"].can(Capability.WEIGHTS)
    assert not can["relative"]
    assert {"relative", "nnls"} <= others().keys()
    with pytest.raises(InvalidParameter, match="There is no method"):
        method_named("ν-SVR")
    with pytest.raises(ValueError, match="no key"):
        Method("Not A Key", "", "", run_nnls)
    from gui.errors import PluginError

    with pytest.raises(PluginError, match="another method"):
        check_method(BUILT_IN["nnls"], BUILT_IN)
    with pytest.raises(PluginError, match="claims the runs"):
        check_method(replace(BUILT_IN["nnls"], key="mine", kind="dtd"), BUILT_IN)


def test_analyses_take_the_composition_of_any_method(example: Dataset) -> None:
    found = run_nnls(example, LeastSquaresParams(), progress=silent)
    assert bulk_composition(method=found) is found.composition
    hidden = pd.Series(0.25, index=found.composition.columns)
    whole = bulk_composition(method=replace(found, hidden=hidden))
    assert list(whole.index[-1:]) == ["hidden"]
    assert not replace(found, hidden=hidden.iloc[1:]).fits()
