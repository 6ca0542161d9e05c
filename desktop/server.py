"""LocalServer: the application's pages on 127.0.0.1, for the window and for ``serve``."""

from __future__ import annotations

import logging
import os
import socket
import threading
from typing import TYPE_CHECKING

from waitress.server import create_server
from waitress.wasyncore import close_all

from gui.errors import DeconomixError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"
THREADS = 8
"""A thread that shows a native dialog is busy until the user answers: the others go on serving."""
LARGEST_BODY = 1 << 36
"""Bytes. Waitress spools bodies to disk; what an upload may weigh is decided by the application, not here."""
MEMORY = 1 << 26
"""Bytes of an answer kept in memory before waitress spools it to disk: all of ours, the page's libraries included."""
GRACE = 2.0
"""Seconds that answers under way may still take once we stop."""


class LocalServer:
    """Serves a WSGI application on the loopback interface from a thread of its own.

    port : 0 takes a free one. Raises DeconomixError (a sentence) if the port cannot be had.
    ``url`` is known at once; ``ready`` is set when requests are answered (earlier ones wait, they are not refused).
    """

    def __init__(self, app: WSGIApplication, port: int = 0) -> None:
        # Waitress warns of each request that waits for a thread: with a chatty page that is noise, not news.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._server = create_server(
            app, sockets=[_listen(port)], threads=THREADS, ident=None, max_request_body_size=LARGEST_BODY, outbuf_overflow=MEMORY, asyncore_use_poll=True
        )
        self._thread: threading.Thread | None = None
        self._stopping = threading.Lock()
        self._stopped = False
        self.ready = threading.Event()

    @property
    def port(self) -> int:
        return int(self._server.effective_port)

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``, without a slash at its end."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> LocalServer:
        self._thread = threading.Thread(target=self._run, name="local-server", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End now: the port is free on return. May be called twice, before ``start``, and from any thread."""
        with self._stopping:
            if self._stopped:
                return
            self._stopped = True
            if self._thread is None:
                self._end()
                return
            # Waitress is not thread-safe: only its own loop may close it.
            self._server.trigger.pull_trigger(self._end)
            self._thread.join(GRACE + 5)

    def _run(self) -> None:
        self.ready.set()
        self._server.run()

    def _end(self) -> None:
        server = self._server
        # A thread whose reader is slow waits for this very loop to drain its answer: told that the reader has gone, it ends.
        for channel in list(server.active_channels.values()):
            if channel.total_outbufs_len:
                channel.handle_close()
        server.task_dispatcher.shutdown(timeout=GRACE)
        close_all(server._map)


def _listen(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "nt":  # SO_REUSEADDR would let another program share the port and read along
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
    except (OSError, OverflowError):
        sock.close()
        raise DeconomixError(
            f"Port {port} of this computer cannot be used: another program has it, or it is not allowed.",
            advice="Choose another one with --port, or 0 for any free one.",
        ) from None
    return sock
