"""Bytes that no browser sends, from a client that is let in: every request gets an answer, and none
is an error of ours.
"""

from __future__ import annotations

import json
import logging
import random
from typing import Any

import pytest

from gui.callback_requests import ROUTE
from gui.engine.params import DTDParams
from gui.guard import GESTURE_HEADER, KEY_HEADER
from tests.gui.conftest import Tab
from tests.gui.steps import session_with, show

ODD = (
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc3\x28",
    b'"\\777\\000"',
    b"\xe2\x80\xae\xc2\xa0",
    b"\x80" * 2000,
    b"%ff%00",
    b"=;=;,",
    b"bytes=-1-,9e9",
    b"9" * 400,
)
HEADERS = (
    *(
        "Cookie",
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "Authorization",
        "Referer",
        "Range",
        "If-Range",
        "If-Match",
        "If-None-Match",
    ),
    *(
        "If-Modified-Since",
        "Content-Type",
        "Content-Encoding",
        "X-Forwarded-Host",
        "Forwarded",
        "Origin",
        "Upgrade",
        "Sec-Fetch-Site",
        "Date",
    ),
    *(GESTURE_HEADER, KEY_HEADER, "X-Odd"),
)
PATHS = (
    *(
        b"/",
        b"/assets/",
        b"/assets/style.css?m=",
        b"/_dash-component-suites/dash/",
        b"/_dash-component-suites/",
        b"/_dash-layout?",
        b"/_dcx/download/",
    ),
    *(
        b"/_dcx/signed-out?",
        b"/?t=",
        b"/upload?session=",
        b"/_favicon.ico?",
        b"/static/",
        b"/_dash-",
        b"/_dcx/",
    ),
)


def answered(
    program: Any,
    method: str,
    path: bytes,
    lines: dict[str, bytes],
    body: bytes = b"",
    cookie: bytes = b"",
) -> int:
    """The status of a raw request with the user's cookie and key, unless ``lines`` say otherwise;
    ``cookie`` comes before ours.
    """
    given: dict[str, bytes] = {
        "Host": f"127.0.0.1:{program.server.port}".encode(),
        "Origin": program.origin.encode(),
        "Cookie": (cookie + b"; " if cookie else b"") + program.cookie.encode(),
        KEY_HEADER: program.key.encode(),
        **(
            {"Content-Length": b"%d" % len(body), "Content-Type": b"application/json"}
            if method == "POST"
            else {}
        ),
        "Connection": b"close",
    } | lines
    with program.raw() as sock:
        sock.sendall(
            method.encode()
            + b" "
            + path
            + b" HTTP/1.1\r\n"
            + b"".join(k.encode() + b": " + v + b"\r\n" for k, v in given.items())
            + b"\r\n"
            + body
        )
        sock.settimeout(30)
        head = sock.recv(64)
        while sock.recv(65536):
            pass
    assert head.startswith(b"HTTP/1."), (method, path, lines, head)
    return int(head[9:12])


@pytest.fixture
def unbroken(program: Any, caplog: pytest.LogCaptureFixture) -> Any:
    """The program; in the end, nothing in it has failed."""
    with caplog.at_level(logging.ERROR):
        yield program
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR], (
        caplog.text[:2000]
    )


def test_a_foreign_cookie_that_is_no_text_locks_nobody_out(unbroken: Any) -> None:
    """Another program's on this computer: the browser sends it to us too."""
    for cookie in (
        b"a=\xff\xfe",
        b"\xff",
        b'a="\\777',
        b"a=\xed\xa0\x80",
        b";;=",
        b"dcx_00000000=\xff",
    ):
        assert answered(unbroken, "GET", b"/", {}, cookie=cookie) == 200
        assert answered(unbroken, "GET", b"/_dash-layout", {}, cookie=cookie) == 200
        assert answered(unbroken, "POST", ROUTE.encode(), {}, tick(unbroken), cookie=cookie) == 200
        assert (
            answered(unbroken, "POST", b"/_dcx/upload?name=x.csv", {}, b"x", cookie=cookie) == 200
        )
    own = unbroken.cookie.partition("=")[0].encode()
    # one of our own name, put before ours by whoever serves on another port
    for cookie in (own + b"=\xff\xfe", own + b"=", own):
        assert answered(unbroken, "GET", b"/", {}, cookie=cookie) == 200
        assert answered(unbroken, "GET", b"/", {"Cookie": cookie}) == 403


def tick(program: Any) -> bytes:
    """What a page asks every few seconds."""
    callback = next(
        c
        for c in program.application.dash._callback_list
        if any(i["id"] == "dcx-interval" for i in c["inputs"])
    )
    outputs = [
        {"id": one.rpartition(".")[0], "property": one.rpartition(".")[2]}
        for one in callback["output"][2:-2].split("...")
    ]
    inputs, state = (
        [{**item, "value": {} if item["id"] == "dcx-seen" else None} for item in callback[part]]
        for part in ("inputs", "state")
    )
    body = {
        "output": callback["output"],
        "outputs": outputs,
        "inputs": inputs,
        "state": state,
        "changedPropIds": [],
    }
    return json.dumps(body).encode()


def test_odd_headers_paths_and_queries_get_an_answer(unbroken: Any) -> None:
    body = tick(unbroken)
    for number, header in enumerate(HEADERS):
        for odd in ODD:
            path = (
                b"/",
                b"/assets/style.css",
                b"/_dash-layout",
                b"/_dash-component-suites/dash/x.js",
            )[number % 4]
            assert answered(unbroken, "GET", path, {header: odd}) < 500, (header, odd)
        assert (
            answered(unbroken, "POST", ROUTE.encode(), {header: ODD[number % len(ODD)]}, body) < 500
        ), header
    for path in PATHS:
        for odd in (
            b"\xff\xfe",
            b"%ff%fe",
            b"%00",
            b"..%2f..%2f",
            b"%ed%a0%80",
            b"x" * 3000,
            b"a%0d%0ab",
            b"//x",
            b"dash.v1m1/x.js",
            b"&&==;",
        ):
            for method in ("GET", "HEAD"):
                assert answered(unbroken, method, path + odd, {}) < 500, (path, odd)
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "BREW"):
        assert answered(unbroken, method, b"/_dash-layout", {}) < 500


def bodies(good: Any) -> list[bytes]:
    """Bodies that are no JSON, or no callback, or one with other parts."""
    deep = b"[" * 100_000, b'{"a":' * 50_000, b"[" * 900 + b"]" * 900
    raw = [
        b"",
        b"\xff\xfe",
        b"nul",
        b'"\\ud800"',
        b"[]",
        b"5",
        b"null",
        b'{"output": 1}',
        b"9" * 5000,
        *deep,
    ]
    values: list[Any] = [
        None,
        True,
        0,
        -1,
        1e308,
        "",
        "x",
        "\ud800",
        [],
        [None],
        [[]],
        {},
        {"id": 1},
        [{"id": "x"}],
        {"__proto__": {}},
    ]
    changed = [{**good, key: value} for key in good for value in values]
    parts = [
        {**good, part: [*good[part][:-1], value]}
        for part in ("inputs", "state", "outputs")
        for value in values
    ]
    return [
        *raw,
        *(
            json.dumps(body).encode()
            for body in (
                *changed,
                *parts,
                *({k: v for k, v in good.items() if k != key} for key in good),
            )
        ),
    ]


def test_bodies_that_are_no_callback_are_refused_before_dash(unbroken: Any) -> None:
    good = tick(unbroken)
    assert answered(unbroken, "POST", ROUTE.encode(), {}, good) == 200  # the control
    for body in bodies(json.loads(good)):
        assert answered(unbroken, "POST", ROUTE.encode(), {}, body) in (200, 204, 400, 413, 415), (
            body[:200]
        )
    for session in (["x"], {"id": "x"}, 5, True, "x" * 101, 1.5):  # what no id of a session can be
        given = json.loads(good)
        for item in (*given["inputs"], *given["state"]):
            if item["id"] == "dcx-session":
                item["value"] = session
        assert answered(unbroken, "POST", ROUTE.encode(), {}, json.dumps(given).encode()) == 400


VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        2**80,
        1e308,
        "",
        "x",
        "x" * 20_000,
        "\u202e\x00",
        "\ud800",
        "/etc/passwd",
        "file:///x",
        [],
        [None],
        [[]],
        {},
        [5],
    ),
    *(
        {"id": 1},
        [{"id": None}],
        {"value": {}},
        {"points": [{}]},
        {"points": [{"x": 1, "customdata": ["a"]}]},
        "nan",
        "1e999",
        ["T cells"],
        {"files": 5},
    ),
    *(
        {"files": [{"token": ["x"]}]},
        {"token": {}},
        {"error": 5},
        [{"record": None, "token": None}],
        [{"rowId": [], "colId": "name", "value": None}],
    ),
    *(
        {"action": []},
        {"url": "x", "format": "svg"},
        {"url": 5, "format": "png", "name": []},
        [[[[[]]]]],
        {"a": {"a": {}}},
        float("nan"),
    ),
]


@pytest.fixture
def tab(program: Any) -> Tab:
    return Tab(program.application)


@pytest.mark.parametrize("seed", [1, 2])
def test_crafted_values_are_refused_or_answered_with_a_sentence(
    tab: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every callback there is, with values of any kind in every place: no answer is an error of the
    server.
    """
    chosen, statuses = random.Random(seed), set()
    pages = []
    for page in ("upload", "dtd", "adtd", "sessions", "help"):
        tab.go(page)
        pages.append(dict(tab.values))
    sent: list[Any] = []
    real = tab.client.post

    class Never:
        status_code = 204
        text = ""

    def post(path: str, *, json: Any, **options: Any) -> Any:
        for item in [*json["inputs"], *json["state"]]:
            for one in item if isinstance(item, list) else [item]:
                if one["id"] != "dcx-session" and chosen.random() < 0.5:
                    one["value"] = chosen.choice(VALUES)
        answer = real(path, json=json, **options)
        statuses.add(answer.status_code)
        sent.append((answer.status_code, json["output"][:80]))
        assert answer.status_code in (200, 204, 400), (answer.status_code, json)
        return Never()

    monkeypatch.setattr(tab.client, "post", post)
    # a self-check of ten seconds; what asks another computer
    skipped = ("dcx-help-support", "dcx-update", "n_submit_password")
    for dependency in tab.dependencies:
        if any(word in json.dumps(dependency["inputs"]) for word in skipped):
            continue
        tab.values = dict(chosen.choice(pages))
        tab._call(
            dependency,
            [
                (item["id"], item["property"])
                for item in dependency["inputs"]
                if not item["id"].startswith("{")
            ],
        )
    assert len(sent) > 250
    assert {200, 204, 400} == statuses


@pytest.mark.parametrize("value", [["a"], {"a": {}}, 7], ids=["list", "object", "number"])
def test_a_session_id_of_another_kind_is_a_refusal_in_every_callback(
    tab: Any, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list cannot be looked up in a dictionary: it once was an error of the server."""
    tab.go("dtd")
    statuses: list[int] = []
    real = tab.client.post

    class Never:
        status_code = 204
        text = ""

    def post(path: str, *, json: Any, **options: Any) -> Any:
        places = [
            one
            for item in [*json["inputs"], *json["state"]]
            for one in (item if isinstance(item, list) else [item])
            if one["id"] == "dcx-session"
        ]
        if places:
            places[0]["value"] = value
            statuses.append(real(path, json=json, **options).status_code)
        return Never()

    monkeypatch.setattr(tab.client, "post", post)
    values = dict(tab.values)
    for dependency in tab.dependencies:
        tab.values = dict(values)
        first = next((i for i in dependency["inputs"] if not i["id"].startswith("{")), None)
        if first is not None:
            tab._call(dependency, [(first["id"], first["property"])])
    assert len(statuses) > 50
    assert set(statuses) <= {200, 204, 400}
    assert 400 in statuses


def test_form_values_of_any_kind_in_a_session_leave_the_fields_usable(
    program: Any, tab: Tab
) -> None:
    """A session file may keep anything as what was typed, a component among it: a field shows what
    it can, or its default.
    """
    session = session_with(program.application, "any")
    show(tab, session.session_id)
    component = {
        "props": {"id": "pwned", "children": "x"},
        "type": "A",
        "namespace": "dash_html_components",
    }
    for value in (
        component,
        [component],
        {},
        [],
        True,
        10**400,
        float("nan"),
        float("inf"),
        5,
        "5",
    ):
        session.keep_form("dtd", dict.fromkeys(DTDParams.model_fields, value))
        tab.go("upload")
        tab.notices.clear()
        tab.go("dtd")
        assert tab.notices == []
        assert tab.get("pwned", "id") is None
        shown = [
            tab.get(f"dtd-{name.replace('_', '-')}", "value") for name in DTDParams.model_fields
        ]
        assert all(one is None or isinstance(one, int | float | str) for one in shown), (
            value,
            shown,
        )
    assert 5 in shown or "5" in shown  # the control: what a field can show, it shows
