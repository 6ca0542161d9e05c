"""The objects of a session file: buffers in chunks, named by content, compressed, encrypted."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import zstandard

from gui.errors import DamagedSession
from gui.sessions import container
from gui.sessions.codec import damaged
from gui.sessions.crypto import SessionKey

CHUNK = 32 * 2**20
"""Raw bytes of one object at most: bounds the memory that compressing, sealing and checking take.
"""
LEVEL = 3
THREADS = max(1, min(4, (os.cpu_count() or 1) - 1))
"""That pack; one processor is left to whoever uses the program meanwhile."""
_WINDOW = 2**27
_CHECKSUM = True
"""Private: off for the tests' positive control, as container._CHECKED."""
_INFO = {"n", "codec", "sha256", "stored"}

Info = dict[str, Any]
"""Of one object: n = raw length, codec, sha256 of the raw bytes, stored = sha256 of the bytes in
the file.
"""


def codec(session_key: SessionKey | None) -> str:
    return "zstd" if session_key is None else "zstd+xchacha20poly1305"


def pack(name: str, data: bytes | memoryview, session_key: SessionKey | None) -> bytes:
    """Compressed, then sealed under its name."""
    packed = zstandard.ZstdCompressor(level=LEVEL, write_checksum=_CHECKSUM).compress(data)
    return packed if session_key is None else session_key.encrypt(name, packed)


def unpack(
    name: str, data: bytes, session_key: SessionKey | None, *, length: int | None, limit: int
) -> bytes:
    """Unpack what :func:`pack` packed.

    Parameters
    ----------
    length : bytes that it must have; None: what the frame says.
    limit : bytes that it may have.

    Raises
    ------
    DamagedSession
    """
    packed = data if session_key is None else session_key.decrypt(name, data)
    try:
        found = zstandard.frame_content_size(packed)  # before anything is allocated
        if found < 0 or found > limit or (length is not None and found != length):
            raise DamagedSession("A part of this session has another size than it says.")
        raw = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompress(
            packed, max_output_size=max(found, 1), allow_extra_data=False
        )
    except zstandard.ZstdError:
        raise DamagedSession("A part of this session cannot be unpacked.") from None
    if len(raw) != found:
        raise DamagedSession("A part of this session has another size than it says.")
    return raw


def sha256(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Part:
    """An object to be saved.

    n : raw bytes; digest : their SHA-256; raw : gives them.
    """

    n: int
    digest: str
    raw: Callable[[], memoryview]


@dataclass(frozen=True)
class Packed:
    """An object as it lies in a file.

    stored : SHA-256 of the data; crc : their CRC-32.
    """

    data: bytes
    stored: str
    crc: int


def packed_parts(
    parts: Mapping[str, Part],
    copied: Callable[[str, Part], Packed | None],
    session_key: SessionKey | None,
) -> Iterator[tuple[str, Part, Packed]]:
    """The objects of a session, in their order, ready to be written.

    What is not copied is packed by threads while others are written; a few objects at most are
    ahead.

    Parameters
    ----------
    copied : gives an object that is in a file already, or None.
    """

    def made(name: str, raw: memoryview) -> Packed:
        data = pack(name, raw, session_key)
        return Packed(data, sha256(data), zlib.crc32(data))

    ahead: deque[tuple[str, Part, Packed | Future[Packed]]] = deque()
    with ThreadPoolExecutor(THREADS, "packing") as pool:
        try:
            for name, part in parts.items():
                # the bytes are fetched here: a matrix that has to be read again is read once, and
                # no two threads read from one file
                found = copied(name, part) or pool.submit(made, name, part.raw())
                ahead.append((name, part, found))
                if len(ahead) > THREADS:
                    yield _first(ahead)
            while ahead:
                yield _first(ahead)
        finally:
            pool.shutdown(cancel_futures=True)


def _first(
    ahead: deque[tuple[str, Part, Packed | Future[Packed]]],
) -> tuple[str, Part, Packed]:
    name, part, found = ahead.popleft()
    return name, part, found if isinstance(found, Packed) else found.result()


class ObjectCollector:
    """Takes what is to be saved; equal content is one object."""

    def __init__(self, session_key: SessionKey | None) -> None:
        self._session_key = session_key
        self.objects: dict[str, Part] = {}

    def put(self, data: memoryview) -> list[str]:
        names = []
        for start in range(0, data.nbytes, CHUNK):
            chunk = data[start : start + CHUNK]
            digest = sha256(chunk)
            name = "o/" + (
                digest[:32] if self._session_key is None else self._session_key.name_of(chunk)
            )
            self.objects[name] = Part(chunk.nbytes, digest, lambda chunk=chunk: chunk)  # type: ignore[misc]
            names.append(name)
        return names

    def refer(self, name: str, info: Info, raw: Callable[[], memoryview]) -> None:
        """Refer to an object that is in a file already and is to be copied.

        raw : gives its bytes where it cannot be copied.
        """
        self.objects.setdefault(name, Part(info["n"], info["sha256"], raw))

    def get(self, names: Sequence[str], length: int) -> bytearray:
        raise NotImplementedError


def _is_info(info: Any, session_key: SessionKey | None) -> bool:
    right = type(info) is dict and set(info) == _INFO and info["codec"] == codec(session_key)
    return right and type(info["n"]) is int and 0 < info["n"] <= CHUNK


class StoredObjects:
    """Gives what a file holds, checked."""

    def __init__(
        self, reader: container.Reader, objects: Mapping[str, Info], session_key: SessionKey | None
    ) -> None:
        self._reader, self._session_key = reader, session_key
        self.objects = dict(objects)

    @classmethod
    def of(
        cls, reader: container.Reader, objects: Any, session_key: SessionKey | None
    ) -> StoredObjects:
        """After a check of the list of objects against the file's members. DamagedSession."""
        if type(objects) is not dict or set(objects) != {
            n for n in reader.members if n.startswith("o/")
        }:
            raise DamagedSession("The parts of this session are not those it lists.")
        if not all(_is_info(info, session_key) for info in objects.values()):
            raise damaged()
        return cls(reader, objects, session_key)

    @classmethod
    def what_is_left(
        cls, reader: container.Reader, objects: Any, session_key: SessionKey | None
    ) -> StoredObjects:
        """Of a damaged file: the objects that are both listed and there, not read yet."""
        listed = objects.items() if type(objects) is dict else ()
        return cls(
            reader,
            {
                name: info
                for name, info in listed
                if name in reader.members and _is_info(info, session_key)
            },
            session_key,
        )

    def put(self, data: memoryview) -> list[str]:
        raise NotImplementedError

    def check(self, names: Sequence[str], length: int) -> None:
        """DamagedSession unless there are such objects, of so many bytes together."""
        if (
            any(n not in self.objects for n in names)
            or sum(self.objects[n]["n"] for n in names) != length
        ):
            raise damaged()

    def get(self, names: Sequence[str], length: int) -> bytearray:
        self.check(names, length)
        found, at = bytearray(length), 0
        for name in names:
            raw = self._one(name)
            found[at : at + len(raw)] = raw
            at += len(raw)
        return found

    def _one(self, name: str) -> bytes:
        info = self.objects[name]
        raw = unpack(
            name,
            self._reader.read(name, container.MAX_OBJECT),
            self._session_key,
            length=info["n"],
            limit=CHUNK,
        )
        if container._CHECKED and sha256(raw) != info["sha256"]:
            raise DamagedSession("A part of this session was changed or is damaged.")
        return raw

    def verbatim(self, name: str, digest: str) -> Packed | None:
        """The bytes in the file of an object with this name and content.

        None if it must be written again: it is not there, or damaged. The CRC tells; who wanted to
        deceive it would be found out on reading, by the SHA-256.
        """
        info = self.objects.get(name)
        if info is None or info["sha256"] != digest:
            return None
        try:
            data = self._reader.read(name, container.MAX_OBJECT)
        except DamagedSession:  # we have the content itself
            return None
        return Packed(data, info["stored"], self._reader.members[name].crc)
