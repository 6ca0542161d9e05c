"""What grows with the cells, the samples or the columns grows in proportion: operations are counted
at one size and at twice that size, not timed.
"""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.data.dataset import Cells, Matrix, Source
from gui.data.normalize import split_cells
from gui.data.readers import h5ad_frames as frames
from gui.data.readers import text_table
from gui.data.readers.h5ad import inspect_h5ad
from gui.data.readers.options import CellChoice
from gui.data.readers.part import Part
from gui.data.samples import joining
from gui.data.samples.joining import join
from gui.data.validation import check_parts, duplicates
from gui.data.validation.checks import check_trainable


class Label(str):
    """A label that counts how often it is put into or looked up in a set or table."""

    hashed = 0

    def __hash__(self) -> int:
        Label.hashed += 1
        return super().__hash__()

    __eq__ = str.__eq__


def cells(count: int, types: int) -> Cells:
    labels = np.empty(count, dtype=object)
    labels[:] = [Label(f"type {i % types}") for i in range(count)]
    columns = pd.RangeIndex(count)
    return Cells(
        Matrix(np.ones((2, count)), pd.Index(["A", "B"]), columns),
        labels,
        pd.DataFrame(index=columns),
    )


def proportional(operations: Callable[[int], int]) -> None:
    once, twice = operations(100), operations(200)
    assert 0 < twice <= 2.3 * once, (once, twice)


def hashed(task: Callable[[], object]) -> int:
    Label.hashed = 0
    task()
    return Label.hashed


def test_the_types_of_the_cells_are_collected_once_however_many_types_there_are() -> None:
    def check(types: int) -> int:
        found = cells(20 * types, types)
        return hashed(lambda: check_trainable([f"type {i}" for i in range(types)], found))

    proportional(check)


def test_the_labels_of_two_parts_are_compared_in_one_pass_over_their_cells() -> None:
    def compare(types: int) -> int:
        train, test = cells(20 * types, types), cells(20 * types, types)
        parts = {
            role: Part(c.matrix, c.labels, c.obs, Source(role, f"{role}.h5ad", "h5ad"))
            for role, c in (("train", train), ("test", test))  # type: ignore[arg-type]
        }
        return hashed(lambda: list(check_parts._types_between([], train, test, parts)))  # type: ignore[arg-type]

    proportional(compare)


@pytest.mark.parametrize(
    "task",
    [lambda c: split_cells(c, 0.3, 1), lambda c: CellChoice(per_label=3).positions(c.labels)],
    ids=["split", "choice of cells"],
)
def test_cells_are_grouped_by_label_in_one_pass(
    task: Callable[[Cells], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    plain = np.flatnonzero
    monkeypatch.setattr(
        np, "flatnonzero", lambda values: (seen.append(np.size(values)), plain(values))[1]
    )

    def group(types: int) -> int:
        seen.clear()
        found = cells(20 * types, types)
        return hashed(lambda: task(found)) + sum(seen)

    proportional(group)


def test_samples_are_joined_without_comparing_each_with_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[str] = []
    plain = joining.plain
    monkeypatch.setattr(joining, "plain", lambda name: (called.append(name), plain(name))[1])

    def joined(count: int) -> int:
        called.clear()
        found = join(
            [f"TCGA-{i:05d}-01A" for i in range(count)], [f"tcga.{i:05d}" for i in range(count)]
        )
        assert found.ways == {"prefix": count}
        return len(called)

    proportional(joined)


def test_joining_by_beginnings_finds_what_comparing_each_with_each_finds() -> None:
    def begins(one: str, other: str) -> bool:
        short, long = sorted((one, other), key=len)
        return len(short) >= 4 and long.startswith(f"{short}-")

    random = np.random.default_rng(0)
    sections = ["A", "B7", "TCGA", "01", "x", "1234"]

    def names(count: int) -> list[str]:
        return ["-".join(random.choice(sections, random.integers(1, 5))) for _ in range(count)]

    for _ in range(50):
        samples, known = names(8), names(12)
        expected = {
            s: tuple(i for i, n in enumerate(known) if begins(joining.plain(s), joining.plain(n)))
            for s in samples
        }
        assert joining._by_beginning(samples, known) == expected


def test_the_index_of_obs_is_not_read_again_for_each_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    one = frames._one
    monkeypatch.setattr(
        frames, "_one", lambda file, key, column: (read.append(column), one(file, key, column))[1]
    )

    def inspected(columns: int) -> int:
        obs = pd.DataFrame(
            {f"column{i}": np.arange(6) % 3 for i in range(columns)},
            index=[f"c{i}" for i in range(6)],
        )
        path = tmp_path / f"{columns}.h5ad"
        anndata.AnnData(np.ones((6, 4)), obs=obs).write_h5ad(path)
        read.clear()
        inspect_h5ad(path)
        return read.count("_index")

    assert inspected(2) == inspected(12) <= 3


def test_a_header_is_searched_for_repeated_names_in_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    class Name(str):
        def __eq__(self, other: Any) -> bool:
            compared.append(1)
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    reader = csv.reader
    monkeypatch.setattr(
        csv, "reader", lambda lines, **how: ([Name(v) for v in row] for row in reader(lines, **how))
    )
    monkeypatch.setattr(Name, "strip", lambda self: self, raising=False)

    def searched(columns: int) -> int:
        path = tmp_path / f"{columns}.csv"
        path.write_text("\n".join(",".join(f"{row}{i}" for i in range(columns)) for row in "ab"))
        compared.clear()
        text_table.read_text_table(path, path.name)
        return len(compared) + columns

    proportional(searched)


def test_equal_samples_take_no_more_memory_the_more_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Positive control: they do if every one that was compared is kept dense."""
    values = sparse.csc_matrix(
        np.repeat(np.arange(20_000.0)[:, None] % 7 == 3, 300, axis=1) * np.arange(1.0, 301.0) + 0.0
    )
    values.data += np.tile(np.arange(values.indptr[1]) % 5, 300) * np.repeat(
        np.arange(1.0, 301.0), values.indptr[1]
    )
    matrix = Matrix(
        values,
        pd.Index([f"g{i}" for i in range(20_000)], dtype=object),
        pd.Index([f"s{i}" for i in range(300)], dtype=object),
    )

    def taken(kept: int) -> int:
        monkeypatch.setattr(duplicates, "_PROFILES", kept)
        tracemalloc.start()
        try:
            assert duplicates.same_samples(matrix) == [list(range(300))]
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    dense = 300 * 20_000 * 8
    assert taken(10) < dense / 2 < taken(1000)
