"""The log of the cache: what, how large and by whom; never a value, nor a name or key out of the
data.
"""

from __future__ import annotations

import contextvars
import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.data.dataset import Bulk, Dataset, Matrix
from gui.logs import (
    CALLER,
    get_logger,
    kind_of,
    start_cache_log,
    start_logging,
    stop_logging,
    trace_cache,
)
from tests.sessions.samples import ID, MARKER, rich

NAMES = (
    MARKER,
    "T cells",
    "NK",
    "sample 0",
    "G1",
    "melanoma",
    "train.h5ad",
    "unused",
    "donor",
    "lambda",
    "empty",
    "cells",
)
"""What the session of the tests tells: patients, samples, genes, types, files, columns, keys of
forms and results.
"""


@pytest.fixture
def shown() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    start_cache_log(stream)
    yield stream
    stop_logging()


def everything(value: Any) -> Iterator[Any]:
    """The value and all that is in it, down to single columns and keys."""
    yield value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from everything(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from everything(inner)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from everything(getattr(value, field.name))
    elif isinstance(value, pd.DataFrame):
        yield value.index
        yield value.columns
        for k in range(value.shape[1]):
            yield value.iloc[:, k]
            yield value.iloc[:, k].array


def test_no_value_name_or_key_of_a_telling_session_is_shown_or_logged(tmp_path: Path) -> None:
    file, stream = start_logging(tmp_path), io.StringIO()
    assert file is not None
    start_cache_log(stream)
    values = list(everything(rich(runs=2)))
    try:
        for value in values:
            for action in ("read", "write", "delete"):
                trace_cache(ID, action, "part", value)
        logged = file.read_text(encoding="utf-8")
    finally:
        stop_logging()
    assert all(any(name in str(value) for value in values) for name in NAMES)  # it does tell
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3 * len(values) > 600
    assert logged.splitlines() == lines
    assert not [line for line in lines if any(name in line for name in NAMES)]


def test_a_line_says_when_which_session_what_how_large_and_who(shown: io.StringIO) -> None:
    trace_cache(ID, "write", "dataset", np.zeros((12, 8)))
    page = contextvars.copy_context()
    page.run(CALLER.set, "survival")
    page.run(trace_cache, ID, "delete", "run 5f\n0c", None)
    first, second = shown.getvalue().splitlines()
    assert first[:4].isdigit()
    assert first.endswith(f"gui.cache: {ID} write dataset: 12 x 8 float64 (program)")
    assert second.endswith(f"gui.cache: {ID} delete run 5f\\n0c: nothing (survival)")


def test_nothing_is_shown_unless_it_is_wanted_and_a_value_is_not_even_looked_at(
    tmp_path: Path,
) -> None:
    class Untouchable:
        @property
        def shape(self) -> tuple[int, ...]:
            raise AssertionError

        @property
        def __class__(self) -> type:  # isinstance asks for it
            raise AssertionError

    file = start_logging(tmp_path)
    assert file is not None
    try:
        trace_cache(ID, "read", "part", Untouchable())
        get_logger("gui.x").info("heard")
        start_cache_log(stream := io.StringIO())
        with pytest.raises(AssertionError):
            trace_cache(ID, "read", "part", Untouchable())
        start_cache_log(stream)  # once more does not show it twice
        trace_cache(ID, "read", "part", 1)
        stop_logging()
        trace_cache(ID, "read", "part", 1)
        assert len(stream.getvalue().splitlines()) == 1
        assert len(file.read_text(encoding="utf-8").splitlines()) == 2
    finally:
        stop_logging()


def test_a_console_that_is_gone_stops_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    start_cache_log(stream)
    stream.close()
    try:
        trace_cache(ID, "read", "part", 1)
    finally:
        stop_logging()
    assert capsys.readouterr() == ("", "")


class Odd:
    """As a plug-in's own class may be."""

    @property
    def shape(self) -> tuple[int, ...]:
        raise ValueError(MARKER)


class Lying(Odd):
    shape = (MARKER, 2)  # type: ignore[assignment]
    dtype = MARKER


GENES, SAMPLES = pd.Index(["A", "B", "C"]), pd.Index(["s1", "s2"])
MATRIX = Matrix(np.ones((3, 2), np.float32), GENES, SAMPLES)
RUNS = rich().runs


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (3, "int"),
        (True, "bool"),
        (2.5, "float"),
        ("melanoma run", "text of 12 characters"),
        (b"abc", "3 bytes"),
        ({"a": 1, "b": 2, MARKER: 3}, "dict of 3"),
        ([MARKER], "list of 1"),
        ((), "tuple of 0"),
        (np.zeros((12, 8)), "12 x 8 float64"),
        (np.zeros(4, np.float32), "4 float32"),
        (np.float64(1), "float64"),
        (np.zeros(2, [(MARKER, "f8")]), "2 void64"),
        (sparse.csc_matrix((5, 6), dtype=np.float32), "5 x 6 float32"),
        (pd.DataFrame(np.zeros((12, 8)), columns=list("abcdefgh")), "12 x 8 float64"),
        (pd.DataFrame({"a": [1], "b": ["x"]}), "1 x 2 of several types"),
        (pd.DataFrame(), "0 x 0 of several types"),
        (pd.Series([1.0, 2.0], name=MARKER), "2 float64"),
        (pd.Series(pd.Categorical([MARKER])), "1 category"),
        (pd.Series([1.5, 1.5], dtype=pd.SparseDtype(float, 1.5)), "2 Sparse"),
        (SAMPLES, "2 object"),
        (MATRIX, "Matrix: 3 x 2"),
        (Bulk(MATRIX, pd.DataFrame(index=SAMPLES)), "Bulk: 3 x 2"),
        (Dataset(None, None, name=MARKER), "Dataset: empty"),
        (rich().dataset, "Dataset: train 30 x 40, test 30 x 6, reference 30 x 3, bulk 30 x 4"),
        (RUNS[0], "Run: DTDResult"),
        (RUNS[0].result, "DTDResult"),
        (RUNS[0].params, "DTDParams"),
        (RUNS[2], "Run: dict of 3"),
        (Odd(), "Odd"),
        (Lying(), "Lying"),
    ],
)
def test_kinds_in_words(value: Any, words: str) -> None:
    assert kind_of(value) == words


def test_content_that_is_still_on_disk_is_not_read() -> None:
    class OnDisk(Matrix):
        @property
        def values(self) -> Any:
            raise AssertionError("read")

        def __init__(self) -> None:
            self.__dict__.update(genes=GENES, columns=SAMPLES)

    matrix = OnDisk()
    with pytest.raises(AssertionError, match="read"):
        _ = matrix.values
    assert kind_of(Dataset(None, None, matrix)) == "Dataset: reference 3 x 2"
