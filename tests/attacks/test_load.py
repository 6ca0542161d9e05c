"""Oversized, slow and very many requests. No test looks at a clock: what must not be kept waiting is waited for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from desktop import server as module
from gui.guard import STRANGER
from gui.serving import Server

HEAD = "POST /_dcx/upload?name=x.csv HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\n"


def refused(sock: socket.socket, program: Any, head: str, body: bytes = b"") -> bool:
    """Whether the server answers 413 (or 431) as soon as it knows the size, without what was announced having been sent."""
    sock.sendall(HEAD.format(port=program.server.port, origin=program.origin).encode() + head.encode() + b"\r\n" + body)
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


def test_headers_without_end_are_refused(program: Any) -> None:
    with program.raw() as sock:
        assert refused(sock, program, "".join(f"X-{i}: {'x' * 1000}\r\n" for i in range(70)))


def test_a_user_may_send_a_large_file_but_not_a_larger_one(serve: Callable[..., Any]) -> None:
    program = serve(Server(upload_limit_mb=2, request_limit_mb=1))
    assert program.as_user("POST", "/_dcx/upload?name=x.csv", b"x" * 2_000_000).status == 200
    with program.raw() as sock:
        assert refused(sock, program, f"Cookie: {program.cookie}\r\nContent-Length: 2000001\r\n")


def half_sent(program: Any, number: int) -> list[socket.socket]:
    """Slowloris: requests that never end."""
    socks = [program.raw() for _ in range(number)]
    for i, sock in enumerate(socks):
        body = HEAD.format(port=program.server.port, origin=program.origin) + "Content-Length: 9\r\n\r\nx"
        head = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-" if i % 2 else body
        sock.sendall(head.encode())
    return socks


def test_half_sent_requests_keep_nobody_waiting(serve: Callable[..., Any]) -> None:
    program = serve()
    socks = half_sent(program, 150)  # more than there are threads, and more than waitress takes by itself
    try:
        assert program.as_user("GET", "/").status == 200
    finally:
        for sock in socks:
            sock.close()


def test_half_sent_requests_keep_others_waiting_where_few_connections_are_allowed(serve: Callable[..., Any]) -> None:
    """The control of the test before: with waitress's own limit they take every place."""
    program = serve(Server(connections=50))
    socks = half_sent(program, 60)
    try:
        with program.raw() as sock:
            sock.settimeout(3)
            sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            with pytest.raises(TimeoutError):
                sock.recv(1)
    finally:
        for sock in socks:
            sock.close()


@pytest.mark.parametrize("on", [True, False])
def test_a_request_that_trickles_in_is_cut_off(serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, on: bool) -> None:
    monkeypatch.setattr(module, "HASTE", 0.5 if on else 1e9)
    program = serve()
    with program.raw() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        sock.settimeout(0.1)
        closed = False
        for _ in range(40):  # a byte now and then: never idle, never done
            try:
                sock.sendall(b"X: y\r\n")
                closed = sock.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
            break
        assert closed is on


def test_200_requests_at_once_are_all_answered(program: Any) -> None:
    ready, found = threading.Barrier(200), []

    def ask() -> None:
        ready.wait(60)
        found.append(program.as_user("GET", "/assets/style.css").status)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert found == [200] * 200
