"""Oversized, slow and very many requests.

No test looks at a clock: what must not be kept waiting is waited for.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from waitress.adjustments import Adjustments

from desktop import server as module
from gui.guard import KEY_HEADER, STRANGER
from gui.server_settings import Server
from tests.waiting import until

HEAD = "POST /_dcx/upload?name=x.csv HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\n"


def refused(sock: socket.socket, program: Any, head: str, body: bytes = b"") -> bool:
    """Whether the server answers 413 (or 431) as soon as it knows the size, without what was
    announced having been sent.
    """
    sock.sendall(
        HEAD.format(port=program.server.port, origin=program.origin).encode()
        + head.encode()
        + b"\r\n"
        + body
    )
    return sock.recv(12) in (b"HTTP/1.1 413", b"HTTP/1.1 431", b"HTTP/1.0 431", b"HTTP/1.0 413")


def test_a_stranger_cannot_fill_the_disk(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for announced in (f"Content-Length: {STRANGER + 1}\r\n", "Content-Length: 60000000000\r\n"):
        with program.raw() as sock:
            assert refused(sock, program, announced)
    chunk = b"%x\r\n" % (STRANGER + 1) + b"x" * (STRANGER + 1) + b"\r\n"
    with program.raw() as sock:  # a size that is not announced
        assert refused(sock, program, "Transfer-Encoding: chunked\r\n", chunk)
    with program.raw() as sock:  # the control: without the limit the server goes on reading
        monkeypatch.setattr(module._Request, "parse_header", module.HTTPRequestParser.parse_header)
        sock.settimeout(2)
        with pytest.raises(TimeoutError):
            refused(sock, program, f"Content-Length: {STRANGER + 1}\r\n")


def test_a_huge_header_is_refused(serve: Callable[..., Any]) -> None:
    """The server stops reading at header_limit_kb; 100 kB are sent of a header that has no end."""
    head = "".join(f"X-{i}: {'x' * 1000}\r\n" for i in range(100))
    program = serve()
    with program.raw() as sock:
        assert refused(sock, program, head)


def test_the_same_header_is_read_where_more_is_allowed(serve: Callable[..., Any]) -> None:
    """The control of the test before: the header alone is no reason to refuse."""
    program = serve(Server(header_limit_kb=1024))
    head = "".join(f"X-{i}: {'x' * 1000}\r\n" for i in range(100))
    with program.raw() as sock:
        sock.sendall(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {program.cookie}\r\n{head}\r\n".encode()
        )
        assert sock.recv(12) == b"HTTP/1.1 200"


def test_a_user_may_send_a_large_file_but_not_a_larger_one(serve: Callable[..., Any]) -> None:
    program = serve(Server(upload_limit_mb=2, request_limit_mb=1))
    assert program.as_user("POST", "/_dcx/upload?name=x.csv", b"x" * 2_000_000).status == 200
    with program.raw() as sock:
        assert refused(
            sock,
            program,
            f"Cookie: {program.cookie}\r\n{KEY_HEADER}: {program.key}\r\nContent-Length:"
            " 2000001\r\n",
        )


PATIENT = 1e9
"""Seconds: nothing is cut off for being slow, so that only the number of places counts."""
NEVER = 3
"""Seconds that an answer is waited for which cannot come.

On a slow machine it comes even less: nothing fails for being slow.
"""
WAITRESS = 100
"""Connections that waitress takes by itself."""


def half_sent(program: Any, number: int) -> list[socket.socket]:
    """Slowloris: requests that never end, every other one in its body."""
    socks = [program.raw() for _ in range(number)]
    for i, sock in enumerate(socks):
        body = (
            HEAD.format(port=program.server.port, origin=program.origin)
            + "Content-Length: 9\r\n\r\nx"
        )
        head = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-" if i % 2 else body
        sock.sendall(head.encode())
    return socks


def test_half_sent_requests_keep_nobody_waiting(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than there are threads, and than waitress takes by itself: our limit on
    connections is what leaves room.
    """
    monkeypatch.setattr(module, "HASTE", PATIENT)
    program = serve(Server(timeout_s=3600))
    socks = half_sent(program, WAITRESS + 50)
    try:
        assert program.as_user("GET", "/").status == 200
    finally:
        for sock in socks:
            sock.close()


def test_half_sent_requests_take_every_place_where_waitress_own_limit_holds(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test before: the same requests, with the limit that waitress has by
    itself.
    """
    assert Adjustments.connection_limit == WAITRESS
    monkeypatch.setattr(module, "HASTE", PATIENT)
    program = serve(Server(connections=WAITRESS, timeout_s=3600))
    socks = half_sent(program, WAITRESS + 50)
    try:
        with program.raw() as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            sock.settimeout(NEVER)
            with pytest.raises(TimeoutError):
                sock.recv(12)
            for other in socks:
                other.close()
            sock.settimeout(60)
            assert sock.recv(12) == b"HTTP/1.1 403"  # it was the places that were missing
    finally:
        for sock in socks:
            sock.close()


STARTS = {
    "header": ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X: y\r\n"),
    "body": (HEAD + "Content-Length: 60000\r\n\r\n", b"x"),
}


def begun(program: Any, where: str) -> socket.socket:
    """A connection of a stranger whose request has begun."""
    sock: socket.socket = program.raw()
    sock.sendall(STARTS[where][0].format(port=program.server.port, origin=program.origin).encode())
    return sock


def gone(sock: socket.socket, wait: float) -> bool:
    """Whether the server has closed the connection, or does within ``wait`` seconds."""
    sock.settimeout(wait)
    try:
        return sock.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("where", STARTS)
def test_a_request_that_trickles_in_is_cut_off(
    program: Any, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A byte now and then: never idle, never done.

    Cut off at some time; when does not matter here.
    """
    monkeypatch.setattr(module, "HASTE", 0.5)
    with begun(program, where) as sock:
        while not gone(sock, 0.1):  # ends at the time limit of the whole test run only
            with contextlib.suppress(OSError):
                sock.sendall(STARTS[where][1])


@pytest.mark.parametrize("where", STARTS)
def test_a_request_that_trickles_in_goes_on_where_no_haste_is_asked(
    program: Any, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The control of the test before: three times as many bytes are taken, and the request is
    answered in the end.
    """
    monkeypatch.setattr(module, "HASTE", PATIENT)
    with begun(program, where) as sock:
        for _ in range(20):
            assert not gone(sock, 0.1)
            sock.sendall(STARTS[where][1])
        sock.sendall(b"\r\n" if where == "header" else b"x" * (60_000 - 20))
        sock.settimeout(60)
        assert sock.recv(12) == b"HTTP/1.1 403"


@pytest.mark.parametrize("on", [True, False])
def test_a_request_that_stops_in_the_middle_is_cut_off(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    """Silence is seen by the server's own round.

    The control (``on`` False) waits until that has been made, and finds the connection open.
    """
    rounds = threading.Semaphore(0)
    usual = module.LocalServer._maintenance
    monkeypatch.setattr(
        module.LocalServer, "_maintenance", lambda self, now: (usual(self, now), rounds.release())
    )
    monkeypatch.setattr(module, "HASTE", 0.5 if on else PATIENT)
    program = serve(Server(timeout_s=3600))
    program.server._server.adj.cleanup_interval = 0  # a round whenever its loop comes by
    program.server._server.next_channel_cleanup = 0
    with begun(program, "body") as sock:
        until(
            lambda: (
                any(
                    getattr(c.request, "headers_finished", False)
                    for c in program.server._server.active_channels.values()
                )
                or gone(sock, 0.1)
            )
        )
        while rounds.acquire(blocking=False):
            pass
        assert rounds.acquire(timeout=60)
        assert rounds.acquire(timeout=60)
        assert gone(sock, 60 if on else 0.1) is on


def at_once(program: Any, number: int, enough: int) -> tuple[int, int]:
    """That many connections open at the same time, each with a whole request, none closed before
    ``enough`` are answered: (answered, refused)
    """
    socks = [program.raw() for _ in range(number)]
    try:
        for sock in socks:
            head = (
                "GET /assets/style.css HTTP/1.1\r\nHost:"
                f" 127.0.0.1:{program.server.port}\r\nCookie: {program.cookie}\r\n\r\n"
            )
            sock.sendall(head.encode())
        answers, waiting = list[bytes](), selectors.DefaultSelector()
        for sock in socks:
            waiting.register(sock, selectors.EVENT_READ)
        while waiting.get_map() and (
            ready := waiting.select(60 if len(answers) < enough else NEVER)
        ):
            for key, _ in ready:
                answers.append(key.fileobj.recv(12))  # type: ignore[union-attr]
                waiting.unregister(key.fileobj)
        return answers.count(b"HTTP/1.1 200"), len(answers) - answers.count(b"HTTP/1.1 200")
    finally:
        for sock in socks:
            sock.close()


def test_200_requests_at_once_are_all_answered(program: Any) -> None:
    assert at_once(program, 200, 200) == (200, 0)


# files of answers that the end of the test cuts off
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_200_requests_at_once_are_not_all_answered_where_few_connections_are_allowed(
    serve: Callable[..., Any],
) -> None:
    """The control of the test before: as none is closed, the places are what there is too little
    of.
    """
    answered, _ = at_once(serve(Server(connections=50, timeout_s=3600)), 200, 45)
    assert 45 <= answered <= 55


def test_200_users_at_once_are_all_answered(program: Any) -> None:
    """The same from 200 threads, each with an own connection that it closes: pages that are worked
    out, not files.
    """
    ready, found = threading.Barrier(200), []

    def ask() -> None:
        ready.wait(60)
        found.append(program.as_user("GET", "/_dash-layout").status)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert found == [200] * 200


@pytest.mark.parametrize("on", [True, False])
def test_many_large_bodies_at_once_do_not_fill_the_disk(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    """Each is smaller than what may be sent, and none is ever complete.

    The control: without the look at all of them every one is taken.
    """
    monkeypatch.setattr(module, "MEASURED", 100_000 if on else 1 << 40)
    program = serve(Server(upload_limit_mb=2, upload_total_mb=4, timeout_s=3600))
    socks = [program.raw() for _ in range(4)]
    known = f"Cookie: {program.cookie}\r\n{KEY_HEADER}: {program.key}\r\n"
    head = (
        HEAD.format(port=program.server.port, origin=program.origin)
        + known
        + "Content-Length: 1900000\r\n\r\n"
    )
    try:
        for number, sock in enumerate(socks):
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                sock.sendall(head.encode() + b"x" * 1_800_000)
            if number < 2:
                until(lambda number=number: program.server._arriving() == 1_800_000 * (number + 1))
        socks[-1].settimeout(60 if on else NEVER)
        with contextlib.nullcontext() if on else pytest.raises(TimeoutError):
            assert socks[-1].recv(12) == b"HTTP/1.1 413"
    finally:
        for sock in socks:
            sock.close()
