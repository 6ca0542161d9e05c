"""The program on a real socket, asked as an attacker asks: raw, without a browser that would
behave.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.server import LocalServer
from gui.app import Application, create_app
from gui.config import Config
from gui.guard import KEY_HEADER
from gui.server_settings import Server
from tests.signing_in import key_in


class Served:
    """A running program; ``cookie`` and ``key`` are those of a browser that was let in."""

    def __init__(self, application: Application, server: LocalServer) -> None:
        self.application, self.server = application, server
        self.origin = server.url
        path = application.start_url(server.url).partition(
            application.config.server.origin or server.url
        )[2]
        host = application.guard._public or None
        answer = self.ask("GET", path, headers={"Host": host} if host else {})
        assert answer.status == 200
        self.key = key_in(answer.body.decode())
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: dict[str, str] | None = None,
        source: str = "127.0.0.1",
    ) -> Any:
        """One request on a connection of its own; the answer with ``status``, ``headers`` and
        ``body``. source : address that it comes from
        """
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=60, source_address=(source, 0)
        )
        try:
            connection.request(method, path, body, headers or {})
            answer: Any = connection.getresponse()
            answer.body = answer.read()
            return answer
        finally:
            connection.close()

    def as_user(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        """The same from the browser that was let in, with the Origin of its page."""
        return self.ask(
            method,
            path,
            body,
            headers={"Cookie": self.cookie, KEY_HEADER: self.key, "Origin": self.origin, **headers},
        )

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=60)


@contextlib.contextmanager
def served(folder: Path, settings: Server | None = None) -> Iterator[Served]:
    config = Config.for_tests(folder)
    application = create_app(config.model_copy(update={"server": settings}) if settings else config)
    server = LocalServer(
        application.server, settings=application.config.server, limit=application.guard.body_limit
    ).start()
    try:
        yield Served(application, server)
    finally:
        server.stop()
        application.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """``serve(settings)`` starts the program."""
    with contextlib.ExitStack() as stack:
        yield lambda settings=None: stack.enter_context(served(tmp_path, settings))


@pytest.fixture
def program(serve: Callable[..., Served]) -> Served:
    return serve()
