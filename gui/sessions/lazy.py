"""What is read from a session's file only when it is needed: the values of large matrices.

The file is opened for each, wherever it is at that moment; its objects are found by
their names, which stay the same however often the session is saved in the meantime.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from gui import atomic
from gui.data.dataset import Matrix
from gui.data.memory import available_memory
from gui.errors import DamagedSession, SessionError, SessionLocked
from gui.sessions import container, header, objects
from gui.sessions.codec import Encoder, Node, damaged, plain_bytes
from gui.sessions.crypto import SessionKey
from gui.sessions.decode import EXPECTED, Decoder, names_in
from gui.sessions.snapshot import Snapshot

LARGE = 2**20
"""Bytes of a matrix's values from which on they are read only when needed."""
_MOVES = 4
"""How often a file that is just being moved is looked for."""


class Origin:
    """Where one session's file is, and its key, for everything that is still to be read from it.

    The owner keeps it up to date: it sets ``path`` after a move and ``session_key`` after a change
    of the password, and calls :meth:`close` when the session is locked. Reading then raises
    SessionError.
    """

    def __init__(self, path: Path, session_key: SessionKey | None = None) -> None:
        self.path, self.session_key = path, session_key
        self.closed = False
        self.on_damage: Callable[[DamagedSession], None] = lambda error: None
        """Told of damage that shows only now; the owner sets it."""

    def close(self) -> None:
        self.closed, self.session_key = True, None

    @contextlib.contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The file, for reading. SessionError, DamagedSession."""
        for left in reversed(range(_MOVES)):
            if self.closed:
                raise SessionLocked("This session is locked again.")
            if self.path.exists() or not left:
                break
            time.sleep(0.05)  # between the move and what the owner says of it
        with reading(self.path) as file:
            yield file


class StoredValues:
    """The values of one matrix as they are in the file.

    node : their part of the tree; parts : what the file says of the objects in it.
    """

    def __init__(
        self,
        origin: Origin,
        node: Node,
        parts: Mapping[str, objects.Info],
        session_key: SessionKey | None,
    ) -> None:
        self.origin, self.node, self.parts = origin, node, dict(parts)
        self.mark = mark(session_key)
        self.is_sparse = node["t"] == "sparse"
        self.lock = threading.Lock()

    def read(self, matrix: Matrix) -> Any:
        """Read the values.

        Raises
        ------
        SessionError
            The file is not there, another one, or of another key; the session is locked; too little
            memory.
        DamagedSession
        """
        try:
            return self._read(matrix)
        except DamagedSession as error:
            self.origin.on_damage(error)
            raise

    def _read(self, matrix: Matrix) -> Any:
        need_room(size_of(self.node), "These data need")
        with self.origin.opened() as file:
            session_key = self.origin.session_key
            head = header.parse(container.first_members(file))
            if head.encrypted is not (session_key is not None) or (
                session_key is not None
                and not (session_key.fits(head.lock) and mark(session_key) == self.mark)
            ):
                raise SessionError(
                    "This session was protected again since it was opened.", advice="Open it again."
                )
            try:
                values = Decoder(
                    objects.StoredObjects(container.Reader(file), self.parts, session_key)
                )(self.node)
            except EXPECTED:
                raise damaged() from None
        if matrix.known_fingerprint is not None:
            check_fingerprint(matrix.known_fingerprint, matrix, values)
        return values

    def raw(self, values: Any) -> dict[str, memoryview]:
        """Object -> its bytes, out of the values. SessionError if these are not what was read."""
        found: dict[str, memoryview] = {}
        nodes = (
            [self.node[k] for k in ("data", "indices", "indptr")] if self.is_sparse else [self.node]
        )
        arrays = [values.data, values.indices, values.indptr] if self.is_sparse else [values]
        for node, array in zip(nodes, arrays, strict=True):
            flat, at = plain_bytes(array), 0
            for name in node["o"]:
                found[name] = flat[at : at + self.parts[name]["n"]]
                at += self.parts[name]["n"]
                if objects.sha256(found[name]) != self.parts[name]["sha256"]:
                    raise SessionError("The data of this session were changed in memory.")
        return found


class MatrixCopier:
    """Copies large matrices from the file they are in, in one save.

    They are neither read into memory nor packed again.
    """

    def __init__(self, collector: objects.ObjectCollector, session_key: SessionKey | None) -> None:
        self._collector, self._session_key = collector, session_key
        self._large: list[tuple[Matrix, Node]] = []
        self.origins: list[Origin] = []
        """Of the files from which something can be copied."""

    def values(self, encode: Encoder, matrix: Matrix) -> Node:
        """The node of a matrix's values."""
        where = matrix.where_kept
        if not isinstance(where, StoredValues) or where.mark != mark(self._session_key):
            node = encode(matrix.values)
            self._large += [(matrix, node)] if size_of(node) > LARGE else []
            return node
        if where.origin not in self.origins:
            self.origins.append(where.origin)
        raws = functools.cache(
            lambda: where.raw(matrix.values if matrix.loaded else where.read(matrix))
        )
        for name, info in where.parts.items():
            self._collector.refer(name, info, lambda name=name: raws()[name])  # type: ignore[misc]
        return where.node

    def settle(self, origin: Origin, listed: Mapping[str, objects.Info]) -> None:
        """After the save into the file of ``origin``: the matrices written are there from now on.
        listed : what the file says of its objects
        """
        for matrix, node in self._large:
            if (
                not isinstance(matrix.where_kept, StoredValues)
                or matrix.where_kept.origin is origin
            ):
                matrix.keep(
                    StoredValues(
                        origin,
                        node,
                        {name: listed[name] for name in names_in(node)},
                        self._session_key,
                    )
                )


def mark(session_key: SessionKey | None) -> str | None:
    """Tells keys apart; the names of objects are of one key."""
    return None if session_key is None else str(session_key.lock["mark"])


def is_large(node: Node) -> bool:
    """Whether a node is a matrix whose values are read only when needed."""
    if (
        not isinstance(node, dict)
        or node.get("t") != "record"
        or node.get("class") != "Matrix"
        or not isinstance(node.get("fields"), dict)
    ):
        return False
    return size_of(node["fields"].get("values")) > LARGE


def size_of(values: Node) -> int:
    """Bytes of the values of a matrix.

    Looks at no other node below: a hostile tree costs no time.
    """
    parts = (
        [values, *(values.get(k) for k in ("data", "indices", "indptr"))]
        if isinstance(values, dict)
        else []
    )
    return sum(part["n"] for part in parts if isinstance(part, dict) and type(part.get("n")) is int)


def materialise(snapshot: Snapshot) -> Snapshot:
    """The snapshot with all its values in memory.

    What becomes a session of its own must not depend on this one's file. SessionError.
    """
    for matrix in snapshot.dataset.parts().values() if snapshot.dataset is not None else ():
        _ = matrix.values
    return snapshot


def check_fingerprint(known: str, matrix: Matrix, values: Any) -> None:
    """Raise DamagedSession if the fingerprint in the file is not that of these values."""
    if container._CHECKED and matrix.fingerprint_with(values) != known:
        raise DamagedSession("The data of this session are not those it says.")


def need_room(size: int, what: str) -> None:
    """SessionError if so many bytes are not free."""
    free = available_memory()
    if free is not None and 1.2 * size > free:
        raise SessionError(
            f"{what} {1.2 * size / 1e9:.1f} GB of memory, but only {free / 1e9:.1f} GB are free.",
            advice="Close other programs.",
        )


@contextlib.contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """A session's file; errors of the system in words."""
    try:
        with atomic.reading(path) as file:
            yield file
    except FileNotFoundError:
        raise DamagedSession("The file of this session is not there.", advice="") from None
    except OSError as error:
        raise DamagedSession(
            f"The file of this session cannot be read ({error.strerror or 'error'})."
        ) from None
    except MemoryError:
        raise SessionError(
            "There is too little memory for this session.", advice="Close other programs."
        ) from None
