"""``analyze`` equals the reference pipeline on real data: stock deconomix in its plainest form."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from gui.cli import analyze
from tests.engine import reference_pipeline

PARAMETERS = {"genes": 200, "mixtures": 100, "iterations": 60, "seed": 3}
CASES = [*((model, False) for model in reference_pipeline.MODELS), ("deconomix+h,r", True)]
TOLERANCE = 1e-6
FILES = {"naive": 3, "deconomix": 3, "deconomix+h": 4, "deconomix+h,r": 5}
Expected = Callable[..., dict[str, pd.DataFrame]]


@pytest.fixture(scope="module")
def expected(real_data: Path) -> Iterator[Expected]:
    """The reference pipeline's tables of a model, computed once."""
    import torch

    known: dict[tuple[str, bool], dict[str, pd.DataFrame]] = {}

    def tables(model: str, own_reference: bool = False) -> dict[str, pd.DataFrame]:
        if (model, own_reference) not in known:
            with warnings.catch_warnings(), threadpool_limits(1):
                warnings.simplefilter("ignore")
                known[model, own_reference] = reference_pipeline.analyze(
                    real_data, model, **PARAMETERS, own_reference=own_reference
                )
        return known[model, own_reference]

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tables
    torch.set_num_threads(before)


def analyzed(
    folder: Path, out: Path, model: str, engine: str, *options: str
) -> dict[str, pd.DataFrame]:
    """What the command writes: file name -> table."""
    files = {"train": "train.h5ad", "test": "test.h5ad", "bulk": "application.h5ad"}
    given = [word for role, name in files.items() for word in (f"--{role}", str(folder / name))]
    given += [word for name, value in PARAMETERS.items() for word in (f"--{name}", str(value))]
    command = [*given, "--model", model, "--engine", engine, *options, "--out", str(out)]
    assert analyze.analyze(command) == 0
    return {path.name: read(path) for path in out.glob("*.csv")}


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, index_col=0, float_precision="round_trip")


def assert_equal(
    ours: dict[str, pd.DataFrame], wanted: dict[str, pd.DataFrame], model: str
) -> None:
    assert len(wanted) == FILES[model]
    for name, table in wanted.items():
        assert list(ours[name].index) == list(table.index), name
        assert list(ours[name].columns) == [str(column) for column in table.columns], name
        np.testing.assert_allclose(ours[name], table, rtol=0, atol=TOLERANCE, err_msg=name)


@pytest.mark.parametrize(("model", "own_reference"), CASES)
def test_analyze_equals_the_reference_pipeline(
    real_data: Path, expected: Expected, tmp_path: Path, model: str, own_reference: bool
) -> None:
    options = ["--reference", str(real_data / "reference.h5ad")] if own_reference else []
    ours = analyzed(real_data, tmp_path / "out", model, "stock", *options)
    wanted = expected(model, own_reference)
    assert_equal(ours, wanted, model)
    weights = ours["gene_weights.csv"].to_numpy().astype(np.float32)
    assert (weights == wanted["gene_weights.csv"].to_numpy().astype(np.float32)).all(), (
        "the same float32 to the last digit: large weights would miss the tolerance otherwise"
    )


def test_the_models_names_are_the_commands() -> None:
    assert reference_pipeline.MODELS == analyze.MODELS


def test_the_fast_engine_is_the_reference_pipeline_where_nothing_is_learned(
    real_data: Path, expected: Expected, tmp_path: Path
) -> None:
    """Short runs on few pseudobulks are where stock's float32 shows most: see test_fast_dtd.py for DTD."""
    ours = analyzed(real_data, tmp_path / "out", "naive", "fast")
    assert_equal(ours, expected("naive"), "naive")
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["parameters"]["engine"] == "fast"


def test_another_seed_gives_other_numbers(
    real_data: Path, expected: Expected, tmp_path: Path
) -> None:
    """The control: the comparison above can fail."""
    other = analyzed(real_data, tmp_path / "out", "deconomix", "stock", "--seed", "4")
    with pytest.raises(AssertionError):
        assert_equal(other, expected("deconomix"), "deconomix")
