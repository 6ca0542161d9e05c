"""LocalServer: real sockets, real threads."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from desktop.server import HOST, LocalServer
from gui.errors import DeconomixError


class Double:
    """A WSGI application whose answers to /slow wait until the test lets them go."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.release = threading.Event()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            self.entered.release()
            self.release.wait(60)
        parts = (
            [b"x" * 1_000_000] * 50
            if environ["PATH_INFO"] == "/large"
            else [environ["wsgi.input"].read() or b"hello"]
        )
        start_response(
            "200 OK",
            [("Content-Type", "text/plain"), ("Content-Length", str(sum(map(len, parts))))],
        )
        return parts


@pytest.fixture
def app() -> Iterable[Double]:
    app = Double()
    yield app
    app.release.set()


def fetch(server: LocalServer, path: str = "/", body: bytes | None = None) -> bytes:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=30)
    try:
        connection.request("GET" if body is None else "POST", path, body)
        return connection.getresponse().read()
    finally:
        connection.close()


def is_open(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((HOST, port)) == 0


def test_serves_on_the_loopback_address_only(app: Double, serving: Any) -> None:
    with serving(app) as server:
        assert server.ready.wait(30)
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert fetch(server) == b"hello"
        addresses = {sock.getsockname()[0] for sock in (server._server.socket,)}
        assert addresses == {"127.0.0.1"}


def test_answers_others_while_one_request_waits(app: Double, serving: Any) -> None:
    """As when a callback shows a native dialog."""
    with serving(app) as server:
        waiting = threading.Thread(target=fetch, args=(server, "/slow"), daemon=True)
        waiting.start()
        assert app.entered.acquire(timeout=30)
        assert fetch(server) == b"hello"
        assert waiting.is_alive()
        app.release.set()
        waiting.join(30)


def test_stop_frees_the_port_and_may_be_called_again(app: Double) -> None:
    server = LocalServer(app).start()
    assert fetch(server) == b"hello"
    port = server.port
    assert is_open(port)
    server.stop()
    server.stop()
    assert not is_open(port)
    again = LocalServer(app, port).start()  # at once, although old connections linger in TIME_WAIT
    try:
        assert fetch(again) == b"hello"
    finally:
        again.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_stop_frees_the_port_where_its_loop_cannot_be_woken(app: Double) -> None:
    server = LocalServer(app).start()
    assert fetch(server) == b"hello"
    server._server.trigger.close()
    server.stop()
    assert not is_open(server.port)


def test_stop_before_start_frees_the_port(app: Double) -> None:
    server = LocalServer(app)
    port = server.port
    server.stop()
    assert not is_open(port)


@pytest.mark.parametrize("path", ["/slow", "/large"])
def test_stop_does_not_wait_for_an_answer_that_never_ends(app: Double, path: str) -> None:
    server = LocalServer(app).start()
    # never reads: a large answer does not fit
    with socket.create_connection((HOST, server.port)) as reader:
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        if path == "/slow":
            assert app.entered.acquire(timeout=30)
        else:
            assert reader.recv(4) == b"HTTP"
        stopping = threading.Thread(target=server.stop, daemon=True)
        stopping.start()
        stopping.join(30)
        assert not stopping.is_alive()
        assert not is_open(server.port)
        if path == "/large":  # its thread waits for us, the other for somebody else
            assert not server._server.task_dispatcher.threads


def test_upload_larger_than_memory_buffers_arrives_whole(app: Double, serving: Any) -> None:
    body = bytes(range(256)) * 20_000
    with serving(app) as server:
        assert fetch(server, "/", body) == body


@pytest.mark.parametrize("port", ["taken", 70_000])
def test_port_that_cannot_be_had_is_one_sentence(app: Double, serving: Any, port: Any) -> None:
    with serving(app) as server:
        with pytest.raises(DeconomixError, match="cannot be used") as caught:
            LocalServer(app, server.port if port == "taken" else port)
        assert "--port" in str(caught.value.advice)
