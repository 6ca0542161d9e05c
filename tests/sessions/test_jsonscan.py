"""JSON from outside: the scanners say what Python's own parser finds, never less, and look at each
byte once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui import jsonscan
from tests.conftest import ROOT

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(alphabet='a"\\,:[]{} \n\u0101\U0001f600', max_size=8),
    lambda x: (
        st.lists(x, max_size=4)
        | st.dictionaries(st.text(alphabet='a"\\,:[]{}', max_size=4), x, max_size=4)
    ),
    max_leaves=20,
)


def counted(value: Any) -> tuple[int, int, int]:
    """Brackets, commas, colons."""
    if not isinstance(value, dict | list):
        return 0, 0, 0
    below = [counted(x) for x in (value.values() if isinstance(value, dict) else value)]
    own = (1, max(0, len(value) - 1), len(value) if isinstance(value, dict) else 0)
    return tuple(own[k] + sum(b[k] for b in below) for k in range(3))  # type: ignore[return-value]


@pytest.fixture(autouse=True, params=[7, 2**20])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonscan, "BLOCK", request.param)


@given(value=VALUES, ascii_only=st.booleans())
def test_what_is_outside_of_texts_is_counted(value: Any, ascii_only: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    found = jsonscan.structure(raw)
    assert (found.brackets, found.commas, found.colons) == counted(value)
    assert jsonscan.brackets(raw, -1) == found.brackets


@given(values=st.lists(VALUES, max_size=8), indent=st.sampled_from([None, 1]))
def test_a_list_read_in_pieces_is_the_list(values: list[Any], indent: int | None) -> None:
    raw = json.dumps(values, indent=indent).encode()
    assert [x for piece in jsonscan.items(raw) for x in piece] == values
    assert [json.loads(part) for part in jsonscan.parts(raw)] == values


@given(values=st.dictionaries(st.text(alphabet='a,"\\', max_size=3), VALUES, max_size=5))
def test_the_members_of_an_object_are_found(values: dict[str, Any]) -> None:
    assert {
        k: v
        for part in jsonscan.parts(json.dumps(values).encode())
        for k, v in json.loads(b"{" + part + b"}").items()
    } == values


NO_LIST = (
    b"",
    b"[",
    b"]",
    b"1",
    b"[1],[2]",
    b"[1,]",
    b"[,1]",
    b"[1 2]",
    b"[1]]",
    b'["a]',
    b"[1}",
    b"{}",
    b'["\\"]',
    b"[\xff]",
    b'["a\\\\""]',
)


@pytest.mark.parametrize("raw", NO_LIST)
def test_what_is_no_list_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(jsonscan.items(raw))


@pytest.mark.parametrize(
    "raw",
    [
        b"[" + b"1.5," * 50_000 + b"1]",
        b"[" + b'"",' * 50_000 + b"1]",
        b"[" + b"12345," * 50_000 + b"1]",
        b'{"a":[' + b"{}," * 50_000 + b"{}]}",
        b"[" + b"[]," * 50_000 + b"[]]",
        b"{" + b",".join(b'"%x":1' % k for k in range(50_000)) + b"}",
        b"[" + b",".join(b'{"%x":1}' % k for k in range(20_000)) + b"]",
        b'["' + b"a" * 500_000 + b'\\ud83d\\ude00"]',
        b'["' + b"a" * 500_000 + b'"]',
        b"[" + b",".join(b'"\\u0101%x"' % k for k in range(50_000)) + b"]",
    ],
    ids=range(10),
)
def test_parsing_never_takes_more_than_was_counted(raw: bytes) -> None:
    tracemalloc.start()
    try:
        value = json.loads(raw.decode("ascii"))
        assert tracemalloc.get_traced_memory()[1] < jsonscan.memory(raw)
    finally:
        tracemalloc.stop()
    assert value


LONG = {
    "quotes that do not end": b"[" * 1_000_001 + b'"' + b'\\"' * 2_000_000,
    "backslashes": b'["' + b"\\" * 4_000_001,
    "quotes": b'"' * 4_000_000,
    "commas": b"[" + b"," * 4_000_000 + b"]",
    "brackets": b"[" * 4_000_000,
    "brackets closed": b"[" * 2_000_000 + b"]" * 2_000_000,
    "texts": b"[" + b'"",' * 1_000_000 + b'""]',
}
SCAN = """
import faulthandler, sys
from gui import jsonscan
from tests.sessions.test_jsonscan import LONG
faulthandler.dump_traceback_later(240, exit=True)
for raw in LONG.values():
    jsonscan.structure(raw)
    jsonscan.memory(raw)
    for scan in (jsonscan.items, jsonscan.parts):
        try:
            for found in scan(raw): pass
        except (ValueError, RecursionError): pass
"""
OLD = """
import re
from tests.sessions.test_jsonscan import LONG
print("made", flush=True)
re.compile(rb'"(?:[^"\\\\]++|\\\\.)*+"').sub(b"", LONG["quotes that do not end"])
"""


def test_long_hostile_texts_take_moments(block: None) -> None:
    """A watchdog, not a stopwatch. Positive control: the expression that was here is still busy."""
    if jsonscan.BLOCK == 7:
        pytest.skip("one size of blocks is enough")
    subprocess.run([sys.executable, "-c", SCAN], cwd=ROOT, check=True)
    with subprocess.Popen([sys.executable, "-c", OLD], cwd=ROOT, stdout=subprocess.PIPE) as old:
        try:
            assert old.stdout is not None
            assert old.stdout.readline() == b"made\n"
            with pytest.raises(subprocess.TimeoutExpired):
                old.wait(5)
        finally:
            old.kill()
