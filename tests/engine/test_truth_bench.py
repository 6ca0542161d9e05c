"""The truth bench: its measures on made-up numbers, and one quick run on the small data set."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Dataset
from gui.engine.results import SecondOpinion
from gui.errors import TooFewGenes
from gui.methods.least_squares import profiles_and_bulk
from gui.methods.method import Method, method_result
from gui.methods.registry import BUILT_IN

TINY = Path(__file__).resolve().parents[1] / "fixtures" / "tiny_pbmc68k"


@pytest.fixture(scope="module")
def truth() -> Any:
    return importlib.import_module("tests.bench.bench_truth")


def frame(rows: dict[str, list[float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, index=["s1", "s2", "s3", "s4"]).T


def test_measures_are_over_the_compared_types_made_to_sum_to_one(truth: Any) -> None:
    known = truth.Known(
        frame({"A": [0.2, 0.4, 0.1, 0.3], "B": [0.2, 0.1, 0.4, 0.2], "rest": [0.6, 0.5, 0.5, 0.5]}),
        {"A": "a", "B": "b"},
    )
    estimate = known.fractions.iloc[:2] * 3
    estimate.index = pd.Index(["a", "b"])
    estimate.loc["c"] = 0.7  # nobody counted it
    found = truth.agreement(estimate, known)
    assert list(found.index) == ["a", "b", "all types"]
    np.testing.assert_allclose(found[["pearson", "spearman", "ccc"]], 1)
    np.testing.assert_allclose(found[["rmse", "bias"]], 0, atol=1e-12)


def test_coverage_counts_known_fractions_within_their_interval(truth: Any) -> None:
    known = truth.Known(
        frame({"A": [0.2, 0.4, 0.5, 0.3], "B": [0.8, 0.6, 0.5, 0.7]}), {"A": "a", "B": "b"}
    )
    estimate = frame({"a": [0.2, 0.4, 0.9, 0.3], "b": [0.8, 0.6, 0.1, 0.7]})
    ends = estimate - 0.05, estimate + 0.05
    held, width = truth.coverage(estimate, ends, known)
    assert held == pytest.approx(6 / 8)
    assert width == pytest.approx(0.1)


def test_a_warning_is_right_where_the_type_it_names_is_wrong(truth: Any) -> None:
    known = truth.Known(
        frame({"A": [0.5] * 4, "B": [0.3] * 4, "C": [0.2] * 4}), {t: t.lower() for t in "ABC"}
    )
    estimate = frame({"a": [0.1] * 4, "b": [0.7] * 4, "c": [0.2] * 4})
    other = frame({"a": [0.5] * 4, "b": [0.65] * 4, "c": [0.2] * 4})
    found = truth.judged(estimate, SecondOpinion(estimate, other, other), known)
    assert found == {"types": 3, "wrong": 2, "named": 1, "right": 1}


def test_types_counted_together_are_in_no_count_of_warnings(truth: Any) -> None:
    known = truth.Known(frame({"AB": [0.8] * 4, "C": [0.2] * 4}), {"AB": "a|b", "C": "c"})
    estimate = frame({"a": [0.1] * 4, "b": [0.2] * 4, "c": [0.7] * 4})
    other = frame({"a": [0.4] * 4, "b": [0.4] * 4, "c": [0.2] * 4})
    found = truth.judged(estimate, SecondOpinion(estimate, other, other), known)
    assert found == {"types": 1, "wrong": 1, "named": 1, "right": 1}


def test_warnings_of_zero_and_of_missing_types_are_judged_too(truth: Any) -> None:
    known = truth.Known(
        frame({"A": [0.5] * 4, "B": [0.2] * 4, "Neutrophils": [0.2] * 4, "rest": [0.1] * 4}),
        {"A": "a", "B": "b"},
    )
    estimate = frame({"a": [0.0] * 4, "b": [1.0] * 4})
    assert truth.judged_zero(estimate, known) == {"types": 2, "wrong": 2, "named": 1, "right": 1}
    missing = pd.DataFrame(
        {"fold": [6.0, 3.0], "genes": ["X", "Y"]}, index=["Neutrophil", "Platelet"]
    )
    opinion = SecondOpinion(estimate, estimate, estimate, missing=missing, offset=2.0)
    found = truth.judged_missing(opinion, known)
    assert found == {"types": 4, "wrong": 1, "named": 2, "right": 1}


def test_a_quick_run_compares_every_method_and_writes_the_tables(
    truth: Any, tmp_path: Path
) -> None:
    lines = "\n".join(truth.bench(True, data=[TINY], html=tmp_path / "out.html"))
    html = (tmp_path / "out.html").read_text("utf-8")
    for method in BUILT_IN.values():
        assert f"  {method.title} " in lines
        assert method.title in html
    for beside in ("Markers", "Consensus with DTD", "Constant (training cells)"):
        assert beside in lines
    assert "precision" in lines
    assert "coverage" in lines
    assert "was not run" not in lines
    assert "tiny_pbmc68k" in html
    assert "Typical factor between genes" in html
    assert "Warnings over all sets" in html


@pytest.fixture
def only_a_reference(tmp_path: Path) -> Path:
    folder = tmp_path / "signature"
    folder.mkdir()
    for name in ("reference.h5ad", "application.h5ad", "truth.csv"):
        shutil.copy(TINY / name, folder)
    return folder


def test_methods_that_need_cells_are_named_where_a_set_has_none(
    truth: Any, only_a_reference: Path
) -> None:
    found = truth.outcome_of(only_a_reference, quick=True)
    methods = set(found.agreement.index.get_level_values("method"))
    assert {"NNLS", "Relative errors"} <= methods
    assert "DTD" not in methods
    assert "reference only" in found.left_out["DTD"]


def test_the_command_finds_what_a_bench_imports(tmp_path: Path) -> None:
    """As dev.py starts it: tests/bench is then the first place of modules, not the project."""
    command = [sys.executable, str(TINY.parents[1] / "bench"), "truth", "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert "No module named" not in done.stderr
    assert done.returncode != 0  # an empty folder is no set
    assert done.stderr.strip().splitlines()[-1].endswith("has no application.h5ad.")


def test_a_method_that_fails_is_named_and_the_others_are_compared(truth: Any) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise TooFewGenes("Only 3 genes.")

    def halves(dataset: Dataset, *_: Any, **__: Any) -> Any:
        profiles, bulk, _notes = profiles_and_bulk(dataset, None)
        same = pd.DataFrame(
            1 / profiles.shape[1], index=profiles.columns, columns=bulk.columns, dtype=float
        )
        ends = {"low": same * 0.0, "high": same * 0.0 + 1.0}
        return method_result(dataset, "halves", "Halves", same, profiles, **ends)

    methods = {
        "bad": Method("bad", "Bad", "", failing, needs="reference"),
        "halves": Method("halves", "Halves", "", halves, needs="reference"),
    }
    found = truth.outcome_of(TINY, quick=True, methods=methods)
    assert found.left_out == {"Bad": "Only 3 genes."}
    assert found.coverage.loc["Halves", "coverage"] == 1.0
    assert {"Halves: contradicted", "Halves: 0"} <= set(found.warnings.index)
    assert "Bad" not in found.agreement.index.get_level_values("method")
