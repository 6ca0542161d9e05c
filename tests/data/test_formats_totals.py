"""Columns called Total, Mean or ID: samples by their values, or left out as what they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.test_formats_columns import COUNTS, SAMPLES, named, written


@pytest.mark.parametrize("name", ["Total", "Mean", "Average", "Sum", "Median", "ID", "Overall"])
def test_a_sample_called_like_a_total_is_one_by_its_values(name: str, tmp_path: Path) -> None:
    samples = [*SAMPLES[:-1], name]
    table = written(tmp_path / "bulk.tsv", named(samples))
    assert table.columns == samples
    np.testing.assert_array_equal(table.values, COUNTS.to_numpy())


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Total", lambda t: t.sum(axis=1)),
        ("Mean", lambda t: t.mean(axis=1).round(0)),
        ("Average", lambda t: t.iloc[:, :3].mean(axis=1).round(2)),
        ("Sum", lambda t: t.iloc[:, 2:5].sum(axis=1)),
        ("Median", lambda t: t.median(axis=1)),
        ("Max", lambda t: t.max(axis=1)),
        ("Mean", lambda t: np.exp(np.log(t + 1e-12).mean(axis=1)).round(3)),
        ("SD", lambda t: t.std(axis=1)),
        ("Total", lambda t: t.sum(axis=1) / t.sum().sum() * 1e6),
    ],
    ids=[
        "sum",
        "mean",
        "some",
        "sum of some",
        "median",
        "max",
        "log mean",
        "spread",
        "per million",
    ],
)
@pytest.mark.parametrize("front", [True, False])
def test_totals_of_all_or_some_samples_are_left_out(
    name: str, made: Callable[[pd.DataFrame], pd.Series], front: bool, tmp_path: Path
) -> None:
    frame = named(list(COUNTS.columns))
    frame.insert(1 if front else frame.shape[1], name, np.asarray(made(COUNTS)))
    table = written(tmp_path / "bulk.tsv", frame)
    assert table.columns == list(COUNTS.columns)
    assert table.left_out == {name: "totals of the samples"}
