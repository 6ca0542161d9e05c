"""RNA content of the cell types: where it is measured, where it is refused and why, and the sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.data.dataset import HIDDEN, Cells, Dataset, Matrix
from gui.engine import rna_content
from gui.engine.params import DTDParams
from gui.engine.results import DTDResult
from gui.engine.rna_content import as_cells, given_content, measured_content
from gui.engine.tasks import run_dtd
from gui.errors import InvalidParameter

GENES = 12_000


def counts(totals: dict[str, float], *, genes: int = GENES, seed: int = 0) -> Cells:
    """Sparse Poisson counts of 20 cells a type, on average ``totals`` by cell."""
    random = np.random.default_rng(seed)
    profile = random.gamma(0.3, 1, genes)
    profile /= profile.sum()
    labels = np.repeat(np.array(list(totals), dtype=object), 20)
    values = random.poisson(profile[:, None] * np.array([totals[t] for t in labels]))
    matrix = Matrix(
        sparse.csc_matrix(values.astype(float)),
        pd.Index([f"G{i}" for i in range(genes)]),
        pd.Index([f"c{i}" for i in range(len(labels))]),
    )
    return Cells(matrix, labels, pd.DataFrame(index=range(len(labels))))


def with_values(cells: Cells, change: Callable[[Any], Any], obs: Any = None) -> Cells:
    matrix = Matrix(change(cells.matrix.values.tocsc()), cells.matrix.genes, cells.matrix.columns)
    return Cells(matrix, cells.labels, cells.obs if obs is None else obs)


def test_it_is_the_mean_count_of_the_cells_of_each_type() -> None:
    cells = counts({"a": 2000.0, "b": 6000.0})
    found = measured_content(cells)
    assert found.factors is not None
    assert found.factors["b"] / found.factors["a"] == pytest.approx(3, rel=0.02)
    assert found.factors.mean() == pytest.approx(1)
    assert "raw counts" in found.source
    dense = with_values(cells, lambda v: v.toarray())
    pd.testing.assert_series_equal(measured_content(dense).factors, found.factors)


def test_a_column_of_total_counts_is_believed_even_of_a_filtered_list() -> None:
    cells = counts({"a": 2000.0, "b": 2000.0}, genes=500)
    obs = pd.DataFrame({"nCount_RNA": np.r_[np.full(20, 1000.0), np.full(20, 4000.0)]})
    found = measured_content(with_values(cells, lambda v: v, obs))
    assert found.factors is not None
    np.testing.assert_allclose(found.factors, [0.4, 1.6])
    assert "nCount_RNA" in found.source


def test_a_column_that_sums_a_filtered_list_is_refused() -> None:
    cells = counts({"a": 2000.0, "b": 6000.0}, genes=500)
    obs = pd.DataFrame({"total_counts": np.asarray(cells.matrix.sums())})
    found = measured_content(with_values(cells, lambda v: v, obs))
    assert found.factors is None
    assert "sum over the 500 genes" in found.reason
    whole = counts({"a": 2000.0, "b": 6000.0})
    obs = pd.DataFrame({"total_counts": np.asarray(whole.matrix.sums())})
    assert measured_content(with_values(whole, lambda v: v, obs)).factors is not None


def test_the_protocol_behind_a_column_is_checked_or_said_to_be_unknown() -> None:
    cells = counts({"a": 2000.0, "b": 6000.0}, genes=500)
    obs = pd.DataFrame({"nCount_RNA": np.arange(40.0) * 1500 + 30_000})
    reads = measured_content(with_values(cells, lambda v: v * 12, obs))
    assert "without UMIs" in reads.reason
    logs = measured_content(with_values(cells, lambda v: v.multiply(0.3).log1p().tocsc(), obs))
    assert logs.factors is not None
    assert "could not be checked" in logs.source


def test_few_values_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = counts({"a": 2000.0, "b": 6000.0})
    dense = with_values(cells, lambda v: v.toarray())
    for one in (cells, dense):
        seen = rna_content._values(one)
        assert 0 < len(seen) <= max(rna_content.SEEN, 20 * GENES)
    few = with_values(counts({"a": 2000.0}, genes=300), lambda v: v)
    monkeypatch.setattr(rna_content, "_values", lambda _: pytest.fail("not needed"))
    assert "genes only" in measured_content(few).reason


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (lambda: None, "no single cells"),
        (lambda: counts({"a": 2000.0, "b": 6000.0}, genes=3000), "filtered list"),
        (
            lambda: with_values(
                counts({"a": 2000.0, "b": 6000.0}),
                lambda v: v.multiply(1e4 / v.sum(axis=0)).tocsc(),
            ),
            "choose these on the Upload page, under “Expression is in”",
        ),
        (
            lambda: with_values(counts({"a": 2000.0, "b": 6000.0}), lambda v: v * 40),
            "without UMIs",
        ),
        (lambda: counts({"a": 9e5, "b": 2e6}), "without UMIs"),
        (
            lambda: with_values(
                counts({"a": 2000.0, "b": 6000.0}),
                lambda v: v,
                pd.DataFrame({"total_counts": np.full(40, 1e4)}),
            ),
            "normalised",
        ),
        (
            lambda: with_values(
                counts({"a": 2000.0, "b": 6000.0}),
                lambda v: v,
                pd.DataFrame({"nUMI": np.r_[0.0, np.arange(39.0) + 500]}),
            ),
            "no counts",
        ),
    ],
    ids=["no cells", "few genes", "normalised", "scaled", "reads", "equal totals", "empty cell"],
)
def test_it_is_refused_with_the_reason(cells: Callable[[], Cells | None], reason: str) -> None:
    found = measured_content(cells())
    assert found.factors is None
    assert reason in found.reason


def test_a_run_keeps_why_its_cells_cannot_tell(
    make: Callable[..., Dataset], quick: DTDParams, recorder: Any
) -> None:
    result: DTDResult = run_dtd(make(), quick, progress=recorder())
    assert result.rna_content is not None
    assert "genes only" in result.rna_content.reason


@pytest.mark.parametrize(
    "text",
    ["a\t1\nb c\t3", "b c; 3\na; 1\n", "cell type,RNA\na,0.5\nb c,1.5", "a 2\n\n b c: 6"],
    ids=["tab", "semicolon", "header", "blank"],
)
def test_the_users_contents_are_read_however_they_are_pasted(text: str) -> None:
    np.testing.assert_allclose(given_content(text, ["a", "b c"]), [0.5, 1.5])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a 1", "RNA content of b c is missing"),
        ("a 1\nb c 0", "“b c 0” is not"),
        ("a 1\nb c -2", "“b c -2” is not"),
        ("a 1\nb c x2", "“b c x2” is not"),
        ("a 1\nd 2\nb c 1", "no cell type “d”"),
        ("a 1\nb c nan", "is not"),
    ],
    ids=["missing", "zero", "negative", "text", "unknown", "nan"],
)
def test_wrong_contents_are_refused_by_line(text: str, said: str) -> None:
    with pytest.raises(InvalidParameter, match=said):
        given_content(text, ["a", "b c"])


def test_cell_fractions_are_divided_by_the_content_and_sum_to_one() -> None:
    rna = pd.DataFrame({"s": [0.3, 0.6, 0.1], "t": [0.0, 0.0, 0.0]}, index=["a", "b", HIDDEN])
    found = as_cells(rna, {"a": 0.5, "b": 1.5})
    np.testing.assert_allclose(found["s"], [0.6, 0.4])
    assert found["t"].isna().all()
    assert list(found.index) == ["a", "b"]
