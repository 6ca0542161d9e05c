"""Parts as read, held from one request to the next: looking again after a repair was chosen reads
no file anew.

Only the reading process holds any (:data:`PROCESS_CACHE`). It is replaced when a protected session
is locked, and nothing that it holds survives that.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from gui.data.dataset import ROLES, Role
from gui.data.readers.dcx import DcxFile
from gui.data.readers.file_kind import file_marks, read_from
from gui.data.readers.options import FileChoice
from gui.data.readers.part import Part
from gui.data.readers.read import read_all
from gui.errors import DataError

LIMIT = 1_000_000_000
"""Bytes of all parts together, more are not held: the next job may need the room."""


@dataclass(frozen=True, eq=False)
class Reading:
    """parts : by role, in their order; dcx : what a .dcx under "train" says about itself, without
    its parts; errors : of the files that cannot be read.
    """

    parts: dict[Role, Part]
    dcx: DcxFile | None = None
    errors: Mapping[Role, DataError] = field(default_factory=dict)

    def whole(self) -> tuple[dict[Role, Part], DcxFile | None]:
        """As from :func:`read_all`. Raises the first of the errors."""
        for error in self.errors.values():
            # the one here would refer, by way of its traceback, to itself and to the parts
            raise copy(error)
        return self.parts, self.dcx


class PartCache:
    """The parts of the last request, before any repair (no repair changes the part that it is
    given).

    Not for several threads.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self.drop()

    def drop(self) -> None:
        """Let go of everything."""
        self._marks: dict[Role, Any] = {}
        self._reading = Reading({})

    def read(self, files: Mapping[Role, FileChoice]) -> Reading:
        """Everything that can be read of ``files``; what was read the last time in the same way
        from the same content is not read again.
        """
        marks = {role: _mark(choice) for role, choice in files.items()}
        if marks and marks == self._marks and None not in marks.values():
            return self._reading
        same: dict[Role, Part] = {}
        if not _entangled(files, self._reading):
            same = {
                r: part
                for r, part in self._reading.parts.items()
                if marks.get(r) is not None and marks[r] == self._marks.get(r)
            }
        self.drop()  # before the others need the room
        reading = _read(files, same)
        if not reading.errors or not _entangled(files, reading):
            self._hold(
                {role: mark for role, mark in marks.items() if role not in reading.errors},
                replace(reading, errors={}),
            )
        return reading

    def take(self, files: Mapping[Role, FileChoice]) -> tuple[dict[Role, Part], DcxFile | None]:
        """As :func:`read_all`, by what is held as far as it goes; afterwards nothing is held any
        more.
        """
        try:
            return self.read(files).whole()
        finally:
            self.drop()

    def _hold(self, marks: dict[Role, Any], reading: Reading) -> None:
        if sum(map(size_of, reading.parts.values())) <= self._limit:
            self._marks, self._reading = marks, reading


PROCESS_CACHE = PartCache()
"""Of this process, for the tasks that the reading process runs."""


def size_of(part: Part) -> int:
    """Bytes of its arrays: values, indices of sparse ones, labels, annotation."""
    tables = [part.obs] if part.var is None else [part.obs, part.var]
    beside = sum(int(table.memory_usage(index=True, deep=True).sum()) for table in tables)
    names = sum(
        int(pd.Index(names).memory_usage(deep=True))
        for names in (part.matrix.genes, part.matrix.columns)
    )
    return part.matrix.nbytes + (0 if part.labels is None else part.labels.nbytes) + beside + names


def _mark(choice: FileChoice) -> object | None:
    """What decides what is read: the choice, and the files as they lie there.

    None: they cannot be told.
    """
    try:
        return choice, file_marks(read_from(choice))
    except (OSError, DataError):
        return None


def _entangled(files: Mapping[Role, FileChoice], reading: Reading) -> bool:
    """Whether what is read of one file depends on the others: only the common genes are, or a .dcx
    fills the parts without a file.
    """
    return any(choice.only_common for choice in files.values()) or any(
        part.source.kind == "dcx" for part in reading.parts.values()
    )


def _read(files: Mapping[Role, FileChoice], same: Mapping[Role, Part]) -> Reading:
    """All parts; each file on its own, unless they have to be read together and can be. same :
    those that are there already.
    """
    if any(choice.only_common for choice in files.values()):
        try:
            return _ordered(*read_all(files), {})
        except DataError:
            pass  # which one it is, each on its own tells
    parts, errors, whole = dict(same), dict[Role, DataError](), None
    for role in ROLES:
        if role in same or role not in files:
            continue
        try:
            read, dcx = read_all({role: files[role]})
        except DataError as error:
            # which refers to this function, and so to the parts
            errors[role] = error.with_traceback(None)
        else:
            parts |= {r: part for r, part in read.items() if r == role or r not in files}
            whole = dcx or whole
    return _ordered(parts, whole, errors)


def _ordered(
    parts: Mapping[Role, Part], dcx: DcxFile | None, errors: Mapping[Role, DataError]
) -> Reading:
    return Reading(
        {role: parts[role] for role in ROLES if role in parts},
        None if dcx is None else replace(dcx, parts={}),
        errors,
    )
