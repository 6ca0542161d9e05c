"""Small files that declare much: what is asked for before reading is never less than what is taken,
and nothing takes long.

Each file is read in a process of its own, whose peak the system knows.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gui.sessions import file
from tests.conftest import ROOT
from tests.sessions.hostile import stored, with_result
from tests.sessions.samples import tiny

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="ru_maxrss is not there or counts differently"
)
CHUNK = 2**25
SLACK = 3 * CHUNK
"""What is held of a file for a moment, however small: an object, packed and unpacked."""
PRIME = 2**61 - 1
"""Whole numbers that differ by it have one hash."""

READ = """
import json, os, resource, sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import pandas, scipy.sparse, zstandard
from gui import jsonscan
from gui.errors import SessionError
from gui.sessions import file, lazy
real, asked = lazy.need_room, [0]
def note(size, what):
    asked.append(size)
    real(size, what)
lazy.need_room = note
def peak():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024
if sys.argv[2] == "off":  # only buffers are counted, as if Python's objects were nothing
    def buffers(node, but=None):
        if isinstance(node, dict):
            return node.get("n", 0) * ("o" in node) + sum(map(buffers, node.values()))
        return sum(map(buffers, node)) if isinstance(node, list) else 0
    file.needed, jsonscan.memory = buffers, lambda raw: 0
for path in sys.argv[3:]:
    out, into = os.pipe()
    if os.fork() == 0:
        lazy.available_memory = lambda: 3 * 2**30
        Path("/proc/self/clear_refs").write_text("5")
        before, began = peak(), time.process_time()
        try:
            file.load(Path(path))
            outcome = "loaded"
        except SessionError as error:
            outcome = type(error).__name__
        except BaseException as error:
            outcome = f"unexpected {type(error).__name__}: {error}"
        os.write(into, json.dumps([outcome, sum(asked), peak() - before, time.process_time() - began]).encode())
        os._exit(0)
    os.close(into)
    print(os.read(out, 10000).decode(), flush=True)
    os.wait()
"""


def range_(size: int) -> Any:
    return {"t": "range", "v": [0, size, 1], "name": None}


def array(*shape: int, dtype: str = "i8", of: bytes | None = None) -> Any:
    names = [stored(of)[0]] if of is not None else []
    return {"t": "array", "dtype": dtype, "shape": list(shape), "o": names, "n": len(of or b"")}


def texts(raw: bytes, count: int, **more: Any) -> Any:
    return {
        "t": "texts",
        "shape": [count],
        "width": None,
        "o": [stored(raw)[0]],
        "n": len(raw),
        **more,
    }


def listed(element: bytes, count: int) -> bytes:
    return b"[" + b",".join([element] * count) + b"]"


def by_reference(element: bytes, chunks: int) -> tuple[Any, bytes, bytes, bytes]:
    """A list of texts of which one object of 32 MB is the middle, again and again."""
    middle = (element + b",") * (CHUNK // (len(element) + 1))
    first, last, (name, _, _) = b"[", element + b"]", stored(middle)
    items = chunks * (len(middle) // (len(element) + 1)) + 1
    names, length = (
        [stored(first)[0], *[name] * chunks, stored(last)[0]],
        1 + chunks * len(middle) + len(last),
    )
    node = {"t": "texts", "shape": [items], "width": None, "o": names, "n": length}
    return node, first, middle, last


def nested_names(size: int) -> Any:
    node = {"t": "index", "name": "x" * size, "values": array(0)}
    for _ in range(19):
        node = {"t": "multi", "names": [None], "of": [node]}
    return node


def lists(node: Any, count: int) -> Any:
    return {"t": "list", "items": [node] * count}


def chained(depth: int, count: int) -> Any:
    node: Any = array(0)
    for _ in range(depth):
        node = {
            "t": "categories",
            "of": {"t": "index", "name": None, "values": node},
            "ordered": False,
            "codes": array(0),
        }
    return lists(node, count)


def colliding(count: int) -> Any:
    return {"t": "map", "items": [[k * PRIME, None] for k in range(1, count + 1)]}


def tables(count: int) -> Any:
    return lists({"t": "frame", "index": range_(0), "columns": range_(0), "parts": []}, count)


Made = tuple[Any, ...]
BLANK = listed(b'"a"', 10)
CASES: dict[str, Callable[[], Made]] = {
    "range as a level, 30 million": lambda: (
        {"t": "multi", "names": [None], "of": [range_(30_000_000)]},
    ),
    "range as a level, a billion": lambda: (
        {"t": "multi", "names": [None], "of": [range_(10**9)]},
    ),
    "range as a level of a level": lambda: (
        {
            "t": "multi",
            "names": [None],
            "of": [{"t": "multi", "names": [None], "of": [range_(10**6)]}],
        },
    ),
    "range of categories": lambda: (
        {"t": "categories", "of": range_(30_000_000), "ordered": False, "codes": array(0)},
    ),
    "range of rows without columns": lambda: (
        {"t": "frame", "index": range_(2**61), "columns": range_(0), "parts": []},
    ),
    "range backwards": lambda: (
        {"t": "multi", "names": [None], "of": [{"t": "range", "v": [10**9, 0, -1], "name": None}]},
    ),
    "ranges, many": lambda: (
        lists({"t": "multi", "names": [None], "of": [range_(300_000)]}, 1000),
    ),
    "one text by reference, numbers": lambda: by_reference(b"1.5", 3),
    "one text by reference, empty texts": lambda: by_reference(b'""', 3),
    "one text by reference, letters": lambda: by_reference(b'"\\u0101"', 2),
    "one text by reference, 500 MB": lambda: by_reference(b"1.5", 15),
    "one list of texts in a thousand places": lambda: (
        lists(texts(raw := listed(b"0.5", 200_000), 200_000), 10_000),
        raw,
    ),
    "texts that declare one": lambda: (texts(raw := listed(b"0.5", 4_000_000), 1), raw),
    "a list in a text": lambda: (texts(raw := b"[" + listed(b"0.5", 4_000_000) + b"]", 1), raw),
    "texts that declare more": lambda: (texts(BLANK, 10**9), BLANK),
    "texts without end": lambda: (texts(raw := b'["' + b'\\"' * 5_000_000, 1), raw),
    "texts of escapes": lambda: (texts(raw := b'["' + b"\\\\" * 5_000_000 + b'"]', 1), raw),
    "texts of wide letters": lambda: (
        texts(raw := b'["' + b"a" * 10_000_000 + b'\\ud83d\\ude00"]', 1),
        raw,
    ),
    "texts of commas in texts": lambda: (texts(raw := b'["' + b"," * 10_000_000 + b'"]', 1), raw),
    "wide texts": lambda: (texts(BLANK, 10, width=2**24),),
    "wide texts, none": lambda: (
        {"t": "texts", "shape": [0], "width": 2**28, "o": [stored(b"[]")[0]], "n": 2},
        b"[]",
    ),
    "an array in a text": lambda: (
        texts(raw := listed(json.dumps(array(CHUNK // 8, of=bytes(CHUNK))).encode(), 50), 50),
        raw,
        bytes(CHUNK),
    ),
    "a range in a text": lambda: (
        texts(
            raw := listed(
                json.dumps({"t": "multi", "names": [None], "of": [range_(10**9)]}).encode(), 1
            ),
            1,
        ),
        raw,
    ),
    "nested names, 10 MB": lambda: (nested_names(10 * 2**20),),
    "numbers in the tree": lambda: ({"t": "list", "items": [1.5] * 2_000_000},),
    "keys in the tree": lambda: (
        {"t": "plugin", "of": ["a", "b"], "fields": {f"{k:x}": 1 for k in range(200_000)}},
    ),
    "small tables, many": lambda: (tables(10_000),),
    "columns, many": lambda: (
        {"t": "frame", "index": range_(0), "columns": range_(20_000), "parts": [array(0)] * 20_000},
    ),
    "chained categories": lambda: (chained(15, 3000),),
    "keys that collide": lambda: (colliding(20_000),),
    "whole numbers of 4300 digits": lambda: ({"t": "list", "items": [int("9" * 4300)] * 500},),
    "zeros by reference": lambda: (
        {
            "t": "array",
            "dtype": "i8",
            "shape": [10 * CHUNK // 8],
            "o": [stored(bytes(CHUNK))[0]] * 10,
            "n": 10 * CHUNK,
        },
        bytes(CHUNK),
    ),
    "zeros as a level": lambda: (
        {
            "t": "multi",
            "names": [None],
            "of": [{"t": "index", "name": None, "values": array(CHUNK // 8, of=bytes(CHUNK))}],
        },
        bytes(CHUNK),
    ),
    "codes by reference": lambda: (
        {
            "t": "categories",
            "of": range_(1),
            "ordered": False,
            "codes": array(CHUNK, dtype="i1", of=bytes(CHUNK)),
        },
        bytes(CHUNK),
    ),
    "masked by reference": lambda: (
        {
            "t": "masked",
            "dtype": "Int64",
            "data": array(CHUNK // 8, of=bytes(CHUNK)),
            "mask": array(CHUNK // 8, dtype="b1", of=bytes(CHUNK // 8)),
        },
        bytes(CHUNK),
        bytes(CHUNK // 8),
    ),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("base") / "base.dcxsession"
    file.save(path, tiny(), expected_generation=None)
    return path


def read(paths: list[Path], defence: str = "on") -> Iterator[tuple[str, int, int, float]]:
    """Of each file: what came of it, bytes asked for, bytes taken, seconds of the processor."""
    found = subprocess.run(
        [sys.executable, "-c", READ, str(ROOT), defence, *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
        timeout=900,
    )
    for line in found.stdout.splitlines():
        yield tuple(json.loads(line))


@pytest.fixture(scope="module")
def outcomes(base: Path) -> dict[str, tuple[str, int, int, float]]:
    paths = []
    for number, made in enumerate(CASES.values()):
        node, *raws = made()
        paths.append(base.with_name(f"{number}.dcxsession"))
        paths[-1].write_bytes(with_result(base, node, *raws))
        assert paths[-1].stat().st_size < 20_000_000
    return dict(zip(CASES, read(paths), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_no_file_takes_more_memory_than_was_asked_for(
    outcomes: dict[str, tuple[str, int, int, float]], case: str
) -> None:
    outcome, asked, taken, _ = outcomes[case]
    assert outcome in ("loaded", "DamagedSession", "SessionError"), outcome
    assert taken < asked + SLACK, (outcome, asked / 1e6, taken / 1e6)


def test_control_where_only_buffers_are_counted_files_take_more_than_was_asked_for(
    base: Path,
) -> None:
    path = base.with_name("control.dcxsession")
    node, *raws = by_reference(b'"ab"', 3)
    path.write_bytes(with_result(base, node, *raws))
    ((outcome, asked, taken, _),) = read([path], "off")
    assert outcome == "loaded"
    assert taken > asked + SLACK, (asked / 1e6, taken / 1e6)
