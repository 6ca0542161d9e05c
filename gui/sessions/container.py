"""The ZIP around a session: stored members one after the other, written in one way only.

Ordinary tools list and unpack it. Reading is stricter than theirs: what is not exactly as
:class:`Writer` writes it is damaged, and no byte of the file is unaccounted for. ``zipfile`` is not
used, because it accepts gaps, overlaps, prefixes, and two names for a member.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from gui.errors import DamagedSession

MIMETYPE = b"application/x-dcxsession"
MAX_HEADER = 64 * 1024
MAX_MANIFEST = 64 * 2**20
MAX_OBJECT = 33 * 2**20
"""Of a stored object: a chunk of 32 MiB that did not compress, its nonce and tag, and some room."""
MAX_MEMBERS = 24_000
_MAX_HEADERS = 20 * MAX_MEMBERS
_MAX_NAME = 64
OBJECT_NAME = re.compile(r"o/[0-9a-f]{32}")

_LOCAL, _ENTRY, _END = (
    struct.Struct("<4s5H3I2H"),
    struct.Struct("<4s6H3I5H2I"),
    struct.Struct("<4s4H2IH"),
)
_END64, _LOCATOR, _EXTRA = (
    struct.Struct("<4sQ2H2I4Q"),
    struct.Struct("<4sIQI"),
    struct.Struct("<2HQ"),
)
_DATE = 0x21  # 1 January 1980: a time of its own would make equal contents differ
_4GB = 0xFFFFFFFF
_CHECKED = True
"""Private, for the tests' positive control only: without the checks a changed byte passes through.
"""


@dataclass(frozen=True)
class Member:
    """One member of the ZIP.

    Attributes
    ----------
    offset : of its local header.
    size : of its data.
    crc : CRC-32 of its data.
    """

    name: str
    offset: int
    size: int
    crc: int

    @property
    def data_offset(self) -> int:
        return self.offset + _LOCAL.size + len(self.name)

    def local(self) -> bytes:
        name = self.name.encode("ascii")
        return (
            _LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, _DATE, self.crc, self.size, self.size, len(name), 0)
            + name
        )

    def entry(self) -> bytes:
        name, large = self.name.encode("ascii"), self.offset >= _4GB
        extra = _EXTRA.pack(1, 8, self.offset) if large else b""
        version = 45 if large else 20
        fixed = (
            b"PK\1\2",
            version,
            version,
            0,
            0,
            0,
            _DATE,
            self.crc,
            self.size,
            self.size,
            len(name),
            len(extra),
            0,
            0,
            0,
            0,
            min(self.offset, _4GB),
        )
        return _ENTRY.pack(*fixed) + name + extra


def _ending(members: list[Member], start: int) -> bytes:
    """Directory and end record for a file whose directory begins at ``start``."""
    directory = b"".join(m.entry() for m in members)
    count, size = len(members), len(directory)
    end = b""
    if start >= _4GB:
        end = _END64.pack(
            b"PK\6\6", _END64.size - 12, 45, 45, 0, 0, count, count, size, start
        ) + _LOCATOR.pack(b"PK\6\7", 0, start + size, 1)
    return directory + end + _END.pack(b"PK\5\6", 0, 0, count, count, size, min(start, _4GB), 0)


class Writer:
    """Writes members to an open binary file, in order.

    :meth:`close` ends the ZIP, not the file.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._members, self._at = file, list[Member](), 0

    def add(self, name: str, data: bytes, crc: int | None = None) -> None:
        """Write a member. crc : of ``data``, where it is known to be right."""
        member = Member(name, self._at, len(data), zlib.crc32(data) if crc is None else crc)
        self._file.write(member.local())
        self._file.write(data)
        self._members.append(member)
        self._at = member.data_offset + member.size

    def close(self) -> None:
        self._file.write(_ending(self._members, self._at))


class Reader:
    """Members of an open binary file, by name.

    DamagedSession if a single byte outside the members' data is not what it must be.
    """

    def __init__(self, file: IO[bytes], members: Mapping[str, Member] | None = None) -> None:
        """Read the directory, or take the members of a file whose directory is damaged.

        members : what :func:`walk` found; None: those of the directory.
        """
        self._file = file
        self.members = (
            dict(members) if members is not None else {m.name: m for m in self._directory()}
        )

    def read(self, name: str, limit: int) -> bytes:
        """A member's data.

        DamagedSession: not there, larger than ``limit``, or its CRC is wrong.
        """
        member = self.members.get(name)
        if member is None:
            raise DamagedSession("A part of this session is missing.")
        return _data(self._file, member, limit)

    def _directory(self) -> list[Member]:
        file = self._file
        total = file.seek(0, os.SEEK_END)
        count, size, start = _end(file, total)
        names: set[str] = set()
        members: list[Member] = []
        directory, at, expected = _at(file, start, size), 0, 0
        for _ in range(count):
            if at + _ENTRY.size > size:
                raise DamagedSession("The list of parts in this session is damaged.")
            fields = _ENTRY.unpack_from(directory, at)
            crc, stored, length, extra = fields[7], fields[8], fields[10], fields[11]
            raw_name = directory[at + _ENTRY.size : at + _ENTRY.size + length]
            name = raw_name.decode("latin-1")
            if name in names:
                raise DamagedSession("This session holds a part twice.")
            if name not in ("mimetype", "header.json", "manifest") and not OBJECT_NAME.fullmatch(
                name
            ):
                raise DamagedSession("This session holds a part that no session has.")
            if fields[4] != 0:
                raise DamagedSession(
                    "A part of this session is packed in a way that no session is."
                )
            # where it must begin: right behind the one before
            member = Member(name, expected, stored, crc)
            if directory[at : at + _ENTRY.size + length + extra] != member.entry():
                raise DamagedSession("The list of parts in this session is damaged.")
            names.add(name)
            members.append(member)
            expected = member.data_offset + member.size
            at += _ENTRY.size + length + extra
        if (
            expected != start
            or [m.name for m in members[:2]] != ["mimetype", "header.json"]
            or "manifest" not in names
        ):
            raise DamagedSession("The parts of this session do not fit together.")
        if _at(file, start, total - start) != _ending(members, start):
            raise DamagedSession("The end of this session is damaged.")
        for member in members:
            local = member.local()
            if _at(file, member.offset, len(local)) != local:
                raise DamagedSession("The parts of this session do not fit together.")
        return members


def walk(file: IO[bytes]) -> dict[str, Member]:
    """The members of a damaged file, by the headers in front of them.

    Nothing is known of their data; what is no member is passed over.
    """
    total, at = file.seek(0, os.SEEK_END), 0
    found: dict[str, Member] = {}
    for place in _headers(file):
        if place < at:  # inside of a member's data
            continue
        member = _member_at(file, place, total)
        if member is not None:
            found.setdefault(member.name, member)
            at = member.data_offset + member.size
        if len(found) >= MAX_MEMBERS:
            break
    return found


def _member_at(file: IO[bytes], at: int, total: int) -> Member | None:
    if at + _LOCAL.size > total:
        return None
    fields = _LOCAL.unpack(_at(file, at, _LOCAL.size))
    if fields[0] != b"PK\3\4" or fields[9] > _MAX_NAME or at + _LOCAL.size + fields[9] > total:
        return None
    name = _at(file, at + _LOCAL.size, fields[9]).decode("latin-1")
    if name not in ("mimetype", "header.json", "manifest") and not OBJECT_NAME.fullmatch(name):
        return None
    member = Member(name, at, fields[7], fields[6])
    whole = (
        member.data_offset + member.size <= total
        and _at(file, at, len(member.local())) == member.local()
    )
    return member if whole else None


def _headers(file: IO[bytes]) -> Iterator[int]:
    """Where a header may begin.

    Each byte is read once, however many there are; DamagedSession if these are more than any file
    has.
    """
    start, kept, count = 0, b"", 0
    file.seek(0)
    while block := file.read(2**20):
        after = file.tell()
        letters, at = kept + block, -1
        while (at := letters.find(b"PK\3\4", at + 1)) >= 0:
            count += 1
            if count > _MAX_HEADERS:
                raise DamagedSession("This session holds more parts than a session may.")
            yield start - len(kept) + at
        start, kept = start + len(block), letters[-3:]  # a header may begin in the last bytes
        file.seek(after)


def first_members(file: IO[bytes]) -> bytes:
    """The data of ``header.json``, without looking at the rest of the file.

    That is what a list of many sessions needs.
    """
    total = file.seek(0, os.SEEK_END)
    if total == 0:
        raise DamagedSession("This session is an empty file.")
    mimetype = Member("mimetype", 0, len(MIMETYPE), zlib.crc32(MIMETYPE))
    if _at(file, 0, mimetype.data_offset + mimetype.size) != mimetype.local() + MIMETYPE:
        raise DamagedSession("This file is not a session of this program.")
    at = mimetype.data_offset + mimetype.size
    fields = _LOCAL.unpack(_at(file, at, _LOCAL.size))
    header = Member("header.json", at, fields[7], fields[6])
    if _at(file, at, len(header.local())) != header.local():
        raise DamagedSession("The header of this session is damaged.")
    return _data(file, header, MAX_HEADER)


def check_end(file: IO[bytes]) -> None:
    """DamagedSession if the file does not end as a ZIP does: it was cut off."""
    _end(file, file.seek(0, os.SEEK_END))


def _end(file: IO[bytes], total: int) -> tuple[int, int, int]:
    """Number of members, size and start of the directory."""
    if total < _END.size:
        raise DamagedSession("This session is cut off.")
    end = _END.unpack(_at(file, total - _END.size, _END.size))
    if end[0] != b"PK\5\6":
        raise DamagedSession("This session is cut off, or it is not a session.")
    count, size, start = end[4], end[5], end[6]
    if count > MAX_MEMBERS:
        raise DamagedSession("This session holds more parts than a session may.")
    room = total - _END.size
    if start == _4GB:
        room -= _END64.size + _LOCATOR.size
        if room < 0:
            raise DamagedSession("The end of this session is damaged.")
        start = _END64.unpack(_at(file, room, _END64.size))[9]
    if start + size != room:
        raise DamagedSession("The end of this session is damaged.")
    return count, size, start


def _at(file: IO[bytes], offset: int, size: int) -> bytes:
    file.seek(offset)
    data = file.read(size)
    if len(data) != size:
        raise DamagedSession("This session is cut off.")
    return data


def _data(file: IO[bytes], member: Member, limit: int) -> bytes:
    if member.size > limit:
        raise DamagedSession("A part of this session is larger than it may be.")
    data = _at(file, member.data_offset, member.size)
    if _CHECKED and zlib.crc32(data) != member.crc:
        raise DamagedSession("A part of this session was changed or is damaged.")
    return data
