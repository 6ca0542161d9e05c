"""A short, always equal form of tests/fuzz: damaged files of every kind are read or refused in a
sentence, in time and within memory.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fuzz import seeds
from tests.fuzz.fuzz_files import ALLOWED, Reader, fuzz

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the limits of memory are those of Linux"
)


@pytest.fixture
def started() -> Iterator[Callable[..., Reader]]:
    readers: list[Reader] = []

    def start(*args: object, **options: object) -> Reader:
        readers.append(Reader(*args, **options))
        return readers[-1]

    yield start
    for reader in readers:
        reader.stop()


def test_damaged_files_of_every_kind_are_read_or_refused_in_a_sentence(
    tmp_path: Path, dcx_file: Path, started: Callable[..., Reader]
) -> None:
    found = seeds.make(tmp_path) | {"dcx": [dcx_file]}
    tally = fuzz(started(), found, tmp_path, 1, count=12)
    assert tally.faults == []
    assert sum(tally.outcomes.values()) == 12 * len(seeds.KINDS)
    assert {outcome for _, outcome in tally.outcomes} <= set(ALLOWED)
    assert sum(n for (_, outcome), n in tally.outcomes.items() if outcome == "refused") > 20


def hostile(kind: str, path: Path) -> None:
    """Does what no reader may do."""
    if kind == "loop":
        while True:
            time.sleep(0)
    if kind == "memory":
        bytearray(2**34)
    if kind == "crash":
        import os

        os.abort()
    raise ValueError("unexpected")


def nothing_to_import() -> None: ...


def test_every_fault_would_be_found(tmp_path: Path, started: Callable[..., Reader]) -> None:
    reader = started(hostile, seconds=2.0, warm_up=nothing_to_import)
    (tmp_path / "seed.csv").write_text("gene,a\nx,1\n")
    found = {kind: [tmp_path / "seed.csv"] for kind in ("raise", "crash", "memory", "loop")}
    tally = fuzz(reader, found, tmp_path, 1, count=1)
    assert set(tally.outcomes) == {
        ("raise", "raised"),
        ("crash", "died"),
        ("memory", "memory"),
        ("loop", "hung"),
    }
    assert len(tally.faults) == 3
