"""Requests that take long keep nobody else waiting: however many there are, a short one finds a
thread.
"""

from __future__ import annotations

import contextlib
import json
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from waitress.channel import HTTPChannel

from desktop import server as module
from gui.caller import set_browser
from gui.config import Config
from gui.errors import ProgramBusy
from gui.guard import KEY_HEADER
from gui.jobs.reader import Reader
from gui.long_calls import MAX_LONG, MAX_PER_BROWSER, LongCalls
from tests.signing_in import key_in
from tests.waiting import until

WAITING = """
    import threading

    from dash import Input, Output, html

    from gui.plugin import Page

    page = Page("waiting", "Waiting", "callbacks that end when the test says so")
    go_on, running = threading.Event(), threading.Semaphore(0)


    @page.layout
    def layout(ctx):
        return html.Div([html.Button("Go", id=page.id.go), html.Div(id=page.id.out), html.Button("Go", id=page.id.go2), html.Div(id=page.id.out2)])


    @page.callback(Output(page.id.out, "children"), Input(page.id.go, "n_clicks"), prevent_initial_call=True, long=True)
    def wait(ctx, clicks):
        running.release()
        go_on.wait(120)
        return "done"


    @page.callback(
        Output(page.id.out2, "children"), Input(page.id.go2, "n_clicks"), prevent_initial_call=True, running=[(Output(page.id.go2, "disabled"), True, False)]
    )
    def wait_too(ctx, clicks):
        return wait(ctx, clicks)
"""


@pytest.fixture
def program(serve: Callable[..., Any], tmp_path: Path) -> Iterator[Any]:
    (Config.for_tests(tmp_path).plugins_folder / "waiting.py").write_text(
        textwrap.dedent(WAITING), "utf-8"
    )
    program = serve()
    yield program
    sys.modules["dcx_plugin_waiting"].go_on.set()


Browser = dict[str, str]


def mine(program: Any) -> Browser:
    """The headers by which the program knows the browser that was let in."""
    return {"Cookie": program.cookie, KEY_HEADER: program.key}


def another(program: Any) -> Browser:
    """Those of one that is let in now."""
    answer = program.ask("GET", program.application.start_url("x").removeprefix("x"))
    return {
        "Cookie": answer.headers["Set-Cookie"].partition(";")[0],
        KEY_HEADER: key_in(answer.body.decode()),
    }


def wait(program: Any, browser: Browser, number: str = "") -> Any:
    """The callback that waits, asked for by one browser."""
    body = {
        "output": f"waiting-out{number}.children",
        "outputs": {"id": f"waiting-out{number}", "property": "children"},
        "inputs": [{"id": f"waiting-go{number}", "property": "n_clicks", "value": 1}],
        "state": [{"id": "dcx-session", "property": "data", "value": None}],
        "changedPropIds": [f"waiting-go{number}.n_clicks"],
    }
    headers = {**browser, "Origin": program.origin, "Content-Type": "application/json"}
    return program.ask(
        "POST", "/_dash-update-component", json.dumps(body).encode(), headers=headers
    )


def at_once(
    program: Any, browsers: list[Browser], number: str = ""
) -> tuple[list[threading.Thread], list[str]]:
    answers = list[str]()
    threads = [
        threading.Thread(
            target=lambda b=b: answers.append(wait(program, b, number).body.decode()), daemon=True
        )
        for b in browsers
    ]
    for thread in threads:
        thread.start()
    return threads, answers


@pytest.mark.parametrize("number", ["", "2"])
def test_however_many_long_calls_there_are_a_short_one_is_answered(
    program: Any, number: str
) -> None:
    """By ``long``, and by ``running``.

    Those beyond the places are told so, and those that have one are all answered in the end.
    """
    browsers = [mine(program), another(program), another(program)]
    threads, answers = at_once(
        program, [browser for browser in browsers for _ in range(MAX_PER_BROWSER + 5)], number
    )
    until(
        lambda: (
            program.application.long_calls.running == MAX_LONG
            and len(answers) == len(threads) - MAX_LONG
        )
    )
    assert all(
        "The program is busy" in answer and "Try again in a moment" in answer for answer in answers
    )
    assert program.as_user("GET", "/_dash-layout").status == 200  # while all places are taken
    sys.modules["dcx_plugin_waiting"].go_on.set()
    for thread in threads:
        thread.join(120)
    assert sum("done" in answer for answer in answers) == MAX_LONG
    assert program.application.long_calls.running == 0


def test_where_long_calls_are_not_bounded_a_short_one_finds_no_thread(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test before: the same requests without the places."""
    monkeypatch.setattr(LongCalls, "place", lambda self: contextlib.nullcontext())
    plugin = sys.modules["dcx_plugin_waiting"]
    threads, _ = at_once(program, [mine(program)] * (MAX_LONG + module.SHORT_THREADS))
    for _ in threads:
        assert plugin.running.acquire(timeout=60)
    with program.raw() as sock:
        sock.sendall(
            f"GET /assets/style.css HTTP/1.1\r\nHost: 127.0.0.1:{program.server.port}\r\nCookie:"
            f" {program.cookie}\r\n\r\n".encode()
        )
        sock.settimeout(2)
        with pytest.raises(TimeoutError):
            sock.recv(12)
        plugin.go_on.set()
        sock.settimeout(60)
        assert sock.recv(12) == b"HTTP/1.1 200"
    for thread in threads:
        thread.join(60)


def test_one_browser_cannot_take_the_places_of_all(program: Any) -> None:
    threads, answers = at_once(program, [mine(program)] * (MAX_PER_BROWSER + 1))
    until(lambda: program.application.long_calls.running == MAX_PER_BROWSER and len(answers) == 1)
    other, late = at_once(program, [another(program)])
    until(lambda: program.application.long_calls.running == MAX_PER_BROWSER + 1)
    sys.modules["dcx_plugin_waiting"].go_on.set()
    for thread in (*threads, *other):
        thread.join(60)
    assert "done" in late[0]


@contextlib.contextmanager
def asked_by(browser: str) -> Iterator[None]:
    set_browser(browser)
    try:
        yield
    finally:
        set_browser(None)


def test_a_call_within_a_long_call_needs_no_place_of_its_own() -> None:
    calls = LongCalls(most=1)
    with asked_by("a"), calls.place(), calls.place():
        assert calls.running == 1
        refused = list[bool]()

        def other() -> None:
            try:
                with asked_by("a"), calls.place():
                    refused.append(False)
            except ProgramBusy:
                refused.append(True)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert refused == [True]
    assert calls.running == 0


def test_the_program_itself_is_never_refused() -> None:
    """A job's result is kept although as many requests are being answered as may be: its session
    may have to be read for it.
    """
    calls = LongCalls(most=1)
    with asked_by("a"), calls.place():
        kept = list[bool]()

        def keep() -> None:
            with calls.place():
                kept.append(True)

        thread = threading.Thread(target=keep)
        thread.start()
        thread.join()
    assert kept == [True]


def test_reading_a_file_and_a_session_are_long_calls(program: Any) -> None:
    application = program.application
    assert (
        application.reader._admission
        == application.sessions.admission
        == application.long_calls.place
    )
    with asked_by("a"), pytest.raises(ProgramBusy):
        Reader(admission=LongCalls(most=0).place)(len, None, name="x")


TWO = "GET /assets/style.css HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n"


@pytest.mark.parametrize("on", [True, False])
def test_requests_that_do_not_wait_for_answers_keep_no_thread(
    program: Any, monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    """Many in one packet, whose answers nobody reads, would have a thread wait for each connection.

    The first is answered; the control answers all.
    """
    if not on:
        monkeypatch.setattr(module._Channel, "received", HTTPChannel.received)
        monkeypatch.setattr(module._Channel, "service", HTTPChannel.service)
    with program.raw() as sock:
        sock.sendall(TWO.format(port=program.server.port, cookie=program.cookie).encode() * 3)
        found = b""
        sock.settimeout(60 if on else 3)
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while part := sock.recv(1 << 16):
                found += part
    assert found.count(b"HTTP/1.1 200") == (1 if on else 3)
