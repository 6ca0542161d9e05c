"""Messages between processes: a small head, then payloads without copies of arrays.

Nothing touches the disk. Pickle is used between our own two processes only, never on a user's file.
Imports nothing heavy: the worker loads this before it has set the number of threads.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

CHUNK = 1 << 26
"""Bytes sent at once: Windows pipes take less than 4 GB, and the receiver needs this much besides
the payload.
"""

Packed = Sequence[bytes | bytearray | memoryview]
"""A pickle and the buffers it refers to."""


def pack(value: Any) -> Packed:
    """``value`` ready to be sent.

    Raises
    ------
    What pickle raises when it holds something that is not data.
    """
    buffers: list[memoryview] = []

    def keep_apart(buffer: pickle.PickleBuffer) -> bool:
        try:
            buffers.append(buffer.raw())
        except BufferError:  # not contiguous: let pickle copy it
            return True
        return False

    body = pickle.dumps(value, protocol=5, buffer_callback=keep_apart)
    return [body, *buffers]


def unpack(parts: Packed, *, read_only: bool = False) -> Any:
    """What was packed.

    Parameters
    ----------
    read_only
        Its arrays refuse to be written to.
    """
    body, *buffers = parts
    if read_only:
        buffers = [memoryview(buffer).toreadonly() for buffer in buffers]
    return pickle.loads(body, buffers=buffers)  # noqa: S301 - from our own other process


def send(connection: Connection, head: tuple[Any, ...], *payloads: Packed) -> None:
    """Send one message.

    OSError: the other side is gone.

    Parameters
    ----------
    head
        Plain values only, so that receiving it imports nothing.
    """
    sizes = [[memoryview(part).nbytes for part in payload] for payload in payloads]
    connection.send_bytes(pickle.dumps((head, sizes), protocol=5))
    for payload in payloads:
        for part in payload:
            view = memoryview(part).cast("B") if memoryview(part).nbytes else memoryview(b"")
            for start in range(0, view.nbytes, CHUNK):
                connection.send_bytes(view[start : start + CHUNK])


def receive(connection: Connection) -> tuple[tuple[Any, ...], list[list[bytearray]]]:
    """The next message: its head and its payloads, still packed.

    EOFError or OSError: the other side is gone.
    """
    head, sizes = pickle.loads(connection.recv_bytes())  # noqa: S301 - from our own other process
    payloads = []
    for lengths in sizes:
        parts = [bytearray(length) for length in lengths]
        for part in parts:
            for start in range(0, len(part), CHUNK):
                connection.recv_bytes_into(part, start)
        payloads.append(parts)
    return head, payloads
