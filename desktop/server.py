"""LocalServer: the application on 127.0.0.1, or for ``serve`` on another address."""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.utilities import RequestEntityTooLarge
from waitress.wasyncore import close_all

from gui.errors import DeconomixError
from gui.long_calls import MAX_LONG
from gui.server_settings import Server

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"
SHORT_THREADS = 8
"""Threads beyond those that long calls may keep: a native dialog that waits for the user, a file
that is read.

Short requests always find one.
"""
LARGEST_BODY = 1 << 36
"""Bytes.

Waitress spools bodies to disk; what an upload may weigh is decided by the application, not here.
"""
MEMORY = 1 << 26
"""Bytes of an answer kept in memory before waitress spools it to disk: all of ours, the page's
libraries included.
"""
GRACE = 2.0
"""Seconds that answers under way may still take once we stop."""
HASTE = 20.0
"""Seconds for the header lines of a request, and for all of a request of whom the application does
not know.
"""
SMALL = 64_000
"""Bytes: a body up to this size is one that strangers may send, and has to arrive in HASTE seconds
too.
"""

HEAPS = (-8, 2)
"""glibc's M_ARENA_MAX (malloc.h), and how many."""

MEASURED = 1 << 23
"""Bytes of a body between two looks at how much all of them have."""

AT_ONCE_ON_WINDOWS = 500
"""Of the 512 sockets of ``select``; the listening one, and one that wakes the loop, count too."""
OTHER_FILES, FEWEST = 150, 50
"""Files that are open beside connections; connections that one browser needs."""

BodyLimit = Callable[[str, Mapping[str, str]], int]
"""``limit(path, headers) -> bytes``: what the body of a request may have; headers have keys like
COOKIE.

Asked before the body is received.
"""


def few_heaps() -> None:
    """Limit glibc to two heaps for all threads, which saves 25 MB.

    By default every thread has a heap that keeps what was freed in it.
    """
    if sys.platform.startswith("linux"):
        with contextlib.suppress(AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(*HEAPS)


def most_connections(wanted: int) -> int:
    """How many connections the system lets this process have, ``wanted`` at most.

    Windows looks at 512 sockets at once (Python's ``select``; one more raises ValueError and ends
    the server's loop). Elsewhere the limit is that of open files, 256 at first on macOS; it is
    raised as far as it may be.
    """
    if sys.platform == "win32":
        found = min(wanted, AT_ONCE_ON_WINDOWS)
    else:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = wanted + OTHER_FILES
        if soft != resource.RLIM_INFINITY and soft < needed:
            allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
            with contextlib.suppress(OSError, ValueError):  # macOS has another limit above that one
                resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        found = wanted if soft == resource.RLIM_INFINITY else min(wanted, soft - OTHER_FILES)
    found = max(found, FEWEST)
    if found < wanted:
        log.warning(
            "%d connections at once instead of %d: the system allows no more", found, wanted
        )
    return found


class _Request(HTTPRequestParser):  # type: ignore[misc]
    """A request that is refused after its header if its body, or all bodies, are too large.

    Parameters
    ----------
    arriving
        Bytes of bodies that lie on the disk and are not worked on yet; room : how many may.
    """

    limit: BodyLimit | None = None
    arriving: Callable[[], int]
    room = 0
    error: Any

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.most = LARGEST_BODY
        self.measured = 0
        self.deadline: float | None = time.monotonic() + HASTE

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.limit is not None and self.body_rcv is not None and self.error is None:
            # of a chunked body the size is seen only as it arrives
            known = self.body_bytes_received
            if max(known, self.content_length) > self.most:
                self._refuse(f"At most {self.most} bytes may be sent.")
            elif known - self.measured > MEASURED:
                self.measured = known
                if self.arriving() > self.room:
                    self._refuse("Too much is being sent at once. Try again in a moment.")
        return consumed

    def _refuse(self, words: str) -> None:
        self.error = RequestEntityTooLarge(words)
        self.completed = True
        self.expect_continue = False

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.limit is not None:
            self.most = self.limit(self.path, self.headers)
            if self.most > SMALL:
                self.deadline = None  # a large file over a slow line may take its time


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection.

    One that takes too long for its request is closed: it would keep a place that others need.

    last : it is closed after the answer that is being worked on
    """

    last = False

    def received(self, data: bytes) -> bool:
        taken: bool = super().received(data)
        with self.requests_lock:
            if len(self.requests) > 1:
                # No browser asks again before it has the answer. Whoever does, and reads nothing,
                # would keep a thread waiting for room for the next answer.
                self.last = True
                for request in self.requests[1:]:
                    request.close()
                del self.requests[1:]
        if self.late():
            self.will_close = True
        return taken

    def service(self) -> None:
        super().service()
        if self.last:
            with self.requests_lock:
                self.close_when_flushed = True
            self.server.pull_trigger()

    def handle_close(self) -> None:
        super().handle_close()
        self.drop()

    def drop(self) -> None:
        """Give back the disk space of a body that did not arrive as a whole."""
        if self.request is not None:
            self.request.close()

    def late(self) -> bool:
        deadline = getattr(self.request, "deadline", None)
        return deadline is not None and time.monotonic() > deadline


class LocalServer:
    """Server of a WSGI application in its own thread, on the loopback interface by default.

    Parameters
    ----------
    port
        0 takes a free one.
    settings
        Address, limits and the proxy that is believed.
    limit
        Of the bodies of requests, see :data:`BodyLimit`. ``url`` is known at once; ``ready`` is
        set when requests are answered (earlier ones wait, they are not refused).

    Raises
    ------
    DeconomixError
        If the port is not available.
    """

    def __init__(
        self,
        app: WSGIApplication,
        port: int = 0,
        *,
        settings: Server | None = None,
        limit: BodyLimit | None = None,
    ) -> None:
        # Waitress warns of each request that waits for a thread: with a chatty page that is noise,
        # not news.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        settings = settings or Server()
        self._host = settings.host
        proxy = (
            {"trusted_proxy": settings.trusted_proxy, "trusted_proxy_headers": {"x-forwarded-host"}}
            if settings.trusted_proxy
            else {}
        )
        self._server = create_server(
            app,
            sockets=[_listen(self._host, port)],
            threads=SHORT_THREADS + MAX_LONG,
            ident=None,
            max_request_body_size=LARGEST_BODY,
            max_request_header_size=settings.header_limit_kb * 1024,
            outbuf_overflow=MEMORY,
            asyncore_use_poll=True,
            connection_limit=most_connections(settings.connections),
            channel_timeout=settings.timeout_s,
            cleanup_interval=5,
            # X-Forwarded-* of anybody else is dropped before the application sees it
            clear_untrusted_proxy_headers=True,
            **proxy,
        )
        room = 1_000_000 * max(settings.upload_total_mb, settings.upload_limit_mb)
        own = {
            "limit": None if limit is None else staticmethod(limit),
            "arriving": staticmethod(self._arriving),
            "room": room,
        }
        request = type("_LimitedRequest", (_Request,), own)
        self._server.channel_class = type("_LimitedChannel", (_Channel,), {"parser_class": request})
        self._server.maintenance = self._maintenance
        self._thread: threading.Thread | None = None
        self._stopping = threading.Lock()
        self._stopped = False
        self.ready = threading.Event()

    def _arriving(self) -> int:
        """Bytes of the bodies of all requests that are received or wait for a thread."""
        channels = list(self._server.active_channels.values())
        return sum(
            each.body_bytes_received
            for channel in channels
            for each in (channel.request, *channel.requests)
            if each is not None
        )

    def _maintenance(self, now: float) -> None:
        """Close silent and late connections every few seconds, in the server's own loop."""
        type(self._server).maintenance(self._server, now)
        for channel in self._server.active_channels.values():
            if not channel.requests and channel.late():
                channel.will_close = True

    @property
    def port(self) -> int:
        return int(self._server.effective_port)

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``, or the one address it listens on; no slash at the end."""
        address = ipaddress.ip_address(self._host)
        host = (
            HOST
            if address.is_unspecified
            else f"[{address}]"
            if address.version == 6
            else str(address)
        )
        return f"http://{host}:{self.port}"

    def start(self) -> LocalServer:
        self._thread = threading.Thread(target=self._run, name="local-server", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End now: the port is free on return.

        May be called twice, before ``start``, and from any thread.
        """
        with self._stopping:
            if self._stopped:
                return
            self._stopped = True
            if self._thread is None:
                self._end()
                return
            # Waitress is not thread-safe: only its own loop may close it, unless that cannot be
            # reached any more.
            try:
                self._server.trigger.pull_trigger(self._end)
            except OSError:
                self._end()
            self._thread.join(GRACE + 5)

    def _run(self) -> None:
        self.ready.set()
        self._server.run()

    def _end(self) -> None:
        server = self._server
        # A thread whose reader is slow waits for this very loop to drain its answer: told that the
        # reader has gone, it ends.
        for channel in list(server.active_channels.values()):
            channel.drop()
            if channel.total_outbufs_len:
                channel.handle_close()
        server.task_dispatcher.shutdown(timeout=GRACE)
        close_all(server._map)


def _listen(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "nt":  # SO_REUSEADDR would let another program share the port and read along
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except (OSError, OverflowError):
        sock.close()
        where = "of this computer" if host == HOST else f"of the address {host}"
        raise DeconomixError(
            f"Port {port} {where} cannot be used: another program has it, or it is not allowed.",
            advice="Choose another one with --port, or 0 for any free one.",
        ) from None
    return sock
