"""JSON that is small to send and large to hold."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from gui import request_limits
from gui.request_limits import MAX_DEPTH, MAX_ELEMENTS, MAX_JSON, MAX_QUOTES, problem

CALLBACK = "/_dash-update-component"
JSON = {"Content-Type": "application/json"}

TOO_LARGE = {
    "lists": b"[" + b"[]," * MAX_ELEMENTS + b"0]",
    "objects": b"[" + b"{}," * MAX_ELEMENTS + b"0]",
    "numbers": b"[" + b"0," * MAX_ELEMENTS + b"0]",
    "texts": b"[" + b'"",' * MAX_ELEMENTS + b"0]",
    "keys": b"{" + b",".join(b'"%d":0' % i for i in range(MAX_ELEMENTS + 1)) + b"}",
    "depth": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "depth of objects": b'{"a":' * (MAX_DEPTH + 1) + b"0" + b"}" * (MAX_DEPTH + 1),
    "depth behind a text": b'["\\\\",' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"]",
    "depth behind an escaped quote": b'["\\"[[[", ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"]",
    "text": b'["' + b"x" * MAX_JSON + b'"]',
    "escapes": b'["' + b'\\"' * MAX_QUOTES + b'"]',
    "text without an end": b'["' + b"x" * MAX_JSON,
    "blanks": b" " * (MAX_JSON + 1) + b"0",
    "many texts": b"[" + b",".join([b'"%s"' % (b"x" * 100_000)] * 41) + b"]",
    "a picture that is none": b'["xdata:image/png,' + b"x" * MAX_JSON + b'"]',
    "beside a picture": b'["data:image/png,' + b"x" * 1000 + b'","' + b"x" * MAX_JSON + b'"]',
    "UTF-16": json.dumps(["∀" * 10, [[]] * 10]).encode("utf-16"),
}


@pytest.mark.parametrize("body", TOO_LARGE.values(), ids=list(TOO_LARGE))
def test_a_body_that_is_too_large_is_refused_before_it_is_parsed(
    program: Any, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    answer = program.as_user("POST", CALLBACK, body, **JSON)
    assert answer.status == 413
    assert answer.body.endswith(b".")  # a sentence
    monkeypatch.setattr(request_limits, "problem", lambda body: None)
    # the control: nothing else refuses it
    assert program.as_user("POST", CALLBACK, body, **JSON).status != 413


def test_a_picture_may_be_as_large_as_a_request(program: Any) -> None:
    picture = (
        b'{"output":"x.y","inputs":[{"id":"a","property":"data","value":{"url":"data:image/png;base64,'
        + b"A" * (5 * MAX_JSON)
        + b'"}}]}'
    )
    assert problem(picture) is None
    answer = program.as_user("POST", CALLBACK, picture, **JSON)
    assert answer.status not in (413, 503)
    assert program.application.long_calls.running == 0  # it was one of the long calls, and is over


def test_large_bodies_wait_for_a_place_and_are_refused_without_one(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program.application.long_calls, "_most", 0)
    answer = program.as_user(
        "POST", CALLBACK, b'["data:image/png,' + b"x" * MAX_JSON + b'"]', **JSON
    )
    assert (answer.status, b"Try again" in answer.body) == (503, True)
    assert program.as_user("POST", CALLBACK, b"[]", **JSON).status != 503


def random_value(random: random.Random, depth: int) -> Any:
    kind = random.randrange(6 if depth else 4)
    if kind == 4:
        return [random_value(random, depth - 1) for _ in range(random.randrange(5))]
    if kind == 5:
        return {
            random_text(random): random_value(random, depth - 1) for _ in range(random.randrange(5))
        }
    return [None, random.random(), random_text(random), random_text(random)][kind]


def random_text(random: random.Random) -> str:
    return "".join(random.choice('"\\[]{},:é∀\n x') for _ in range(random.randrange(8)))


def test_what_is_counted_is_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs inside of texts count for nothing: the depth that is allowed is exactly the depth of
    the value.
    """

    def depth(value: Any) -> int:
        inner = (
            value
            if isinstance(value, list)
            else list(value.values())
            if isinstance(value, dict)
            else None
        )
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    chance = random.Random(7)
    for _ in range(300):
        value = [random_value(chance, 5)]
        for body in (json.dumps(value).encode(), json.dumps(value, ensure_ascii=False).encode()):
            monkeypatch.setattr(request_limits, "MAX_DEPTH", depth(value))
            assert problem(body) is None
            monkeypatch.setattr(request_limits, "MAX_DEPTH", depth(value) - 1)
            assert problem(body) == request_limits.TOO_MANY


def test_what_is_no_json_is_left_to_the_parser(program: Any) -> None:
    for body in (b"", b'"', b'["\\', b"]]]]", b"{", b"nan", b"1" * 5000, b"[1e999]", b'"\xff"'):
        assert problem(body) is None
        assert program.as_user("POST", CALLBACK, body, **JSON).status in (400, 500)
