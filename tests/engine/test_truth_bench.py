"""The truth bench: its measures on made-up numbers, and one quick run on the small data set."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.engine.results import BootstrapResult, SecondOpinion

ROOT = Path(__file__).resolve().parents[2]


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
    sure = BootstrapResult(estimate, *ends, *ends, 100)
    held, width = truth.coverage(sure, known)
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
    folder = ROOT / "tests" / "fixtures" / "tiny_pbmc68k"
    lines = "\n".join(truth.bench(True, data=[folder], html=tmp_path / "out.html"))
    for method in ("DTD", "Naive", "Hidden background", "Markers", "Relative errors", "Consensus"):
        assert method in lines
    assert "precision" in lines
    assert "coverage" in lines
    html = (tmp_path / "out.html").read_text("utf-8")
    assert "tiny_pbmc68k" in html
    assert "Typical factor between genes" in html
    assert "Warnings over all sets" in html
