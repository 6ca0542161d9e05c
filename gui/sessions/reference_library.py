"""The library of references: those that come with the program, and those in the user's folder.

Only headers are read here. What a reference holds is read, and written under another name, in the
reading process (:mod:`gui.sessions.references`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gui.analyses.hidden_library import Library
from gui.atomic import private_folder, remove, replacing
from gui.errors import DataError, InvalidParameter, MissingPart, SessionError
from gui.jobs.taskref import TaskRef
from gui.resources import resource
from gui.sessions import file
from gui.sessions.actor import Actor
from gui.sessions.references import (
    MARK,
    NOTE_LINES,
    SUFFIX,
    Renaming,
    reference_profiles,
    write_renamed,
)
from gui.sessions.rules import MAX_NAME, new_id, plain
from gui.sessions.snapshot import Snapshot

log = logging.getLogger(__name__)
FOLDER = "references"
SHIPPED = "program:"
"""Begins the key of a reference that comes with the program."""
MOST = 500
"""References that are kept."""
MOST_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Reference:
    """One reference, as the list shows it.

    Attributes
    ----------
    key
        In the library.
    holds
        Cells, types, genes and gene weights, in words.
    source, licence, note
        As given when it was saved.
    """

    key: str
    name: str
    path: Path
    size: int
    holds: str = ""
    source: str = ""
    licence: str = ""
    note: str = ""

    @property
    def shipped(self) -> bool:
        """Whether it comes with the program, and so cannot be changed."""
        return self.key.startswith(SHIPPED)


class ReferenceLibrary:
    """References that come with the program, and those in the user's folder.

    Parameters
    ----------
    shared : several people use the program, who can all choose every reference. Only the browser
        that added one can rename or delete it, as long as it is signed in and the program runs.
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        self.folder = folder
        self._shared = shared
        self._added_by: dict[str, str] = {}
        """Key of a reference -> browser that added it since the program started."""

    def list(self) -> list[Reference]:
        """All references by name, those of the program last; damaged ones are left out."""
        own = sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []
        found = [*_listed(own, ""), *_listed(_shipped(), SHIPPED)]
        return sorted(found, key=lambda one: (one.shipped, one.name.casefold()))

    def library(self) -> Library:
        """All references, for a task that compares with them; those of the user first."""
        return Library(
            TaskRef.of(reference_profiles), tuple((one.name, one.path) for one in self.list())
        )

    def get(self, key: str) -> Reference:
        """MissingPart if it is not there any more."""
        for one in self.list():
            if one.key == key:
                return one
        raise MissingPart("This reference is no longer in the library.", advice="Choose another.")

    def named(self, name: str) -> Reference:
        """The reference of this name or key, whatever its capitals. MissingPart names all."""
        every = self.list()
        for one in every:
            if name.casefold() in (one.name.casefold(), one.key.casefold()):
                return one
        known = ", ".join(f"“{one.name}”" for one in every)
        raise MissingPart(
            f"The library has no reference “{name[:100]}”.", advice=f"It has {known}."
        )

    def may_change(self, one: Reference, actor: Actor) -> bool:
        """Whether ``actor`` can rename and delete a reference."""
        return not one.shipped and (
            not self._shared
            or (bool(actor.browser) and self._added_by.get(one.key) == actor.browser)
        )

    def keep(self, snapshot: Snapshot, *, actor: Actor) -> Reference:
        """Add a reference under a name that is free.

        Raises
        ------
        DataError
            There are as many as may be, or its name is taken.
        SessionNotSaved
        """
        path = self._place(snapshot.name)
        file.save(path, snapshot, expected_generation=None)
        return self._added(path, actor)

    def add(self, path: Path, name: str, *, actor: Actor) -> Reference:
        """Copy a reference that was read in the reading process before.

        Raises
        ------
        DataError
            As :meth:`keep`; or it is too large.
        OSError
        """
        if path.stat().st_size > MOST_BYTES:
            raise DataError("This reference is larger than a reference may be (2 GB).")
        target = self._place(name)
        with path.open("rb") as given, replacing(target) as out:
            while block := given.read(2**20):
                out.write(block)
        return self._added(target, actor)

    def rename(
        self,
        key: str,
        name: str,
        *,
        actor: Actor,
        write: Callable[[Renaming], None] = write_renamed,
    ) -> Reference:
        """Keep a reference under another name.

        Parameters
        ----------
        write
            Writes the renamed file; on a page, in the reading process.

        Raises
        ------
        InvalidParameter
            The name is empty.
        DataError
            It comes with the program, somebody else added it, or the name is taken.
        DamagedSession, SessionNotSaved
        """
        old = self._own(key, actor)
        name = plain(name)[:MAX_NAME].strip()
        if not name:
            raise InvalidParameter("The reference has no name.", advice="Give it a name.")
        if name == old.name:
            return old
        target = self._place(name, but=key)
        if target == old.path:  # the names differ in what no file name shows
            target = target.with_name(f"{target.stem}-{new_id()[-4:]}{SUFFIX}")
        write(Renaming(old.path, target, name))
        remove(old.path)
        self._added_by.pop(key, None)
        return self._added(target, actor)

    def delete(self, key: str, *, actor: Actor) -> Reference:
        """Delete a reference; DataError as :meth:`rename`."""
        one = self._own(key, actor)
        remove(one.path)
        self._added_by.pop(key, None)
        return one

    def _added(self, path: Path, actor: Actor) -> Reference:
        self._added_by[path.stem] = actor.browser
        return self.get(path.stem)

    def _own(self, key: str, actor: Actor) -> Reference:
        one = self.get(key)
        if one.shipped:
            raise DataError(
                "This reference comes with the program and stays as it is.",
                advice="Choose it, load it, and save it under another name.",
            )
        if not self.may_change(one, actor):
            raise DataError(
                "Somebody else added this reference, so it stays as it is.",
                advice="Ask whoever runs this server to change it.",
            )
        return one

    def _place(self, name: str, *, but: str = "") -> Path:
        """The file of a new reference. DataError: the name is taken, or there are too many."""
        private_folder(self.folder)
        every = self.list()
        if sum(one.key != but for one in every) >= MOST:
            raise DataError(f"There are {MOST} references already.", advice="Delete one first.")
        for one in every:
            if one.key != but and name.casefold() == one.name.casefold():
                raise DataError(
                    f"There is a reference “{one.name}” already.", advice="Give another name."
                )
        # a prefix, because some systems keep names like CON for devices
        stem = f"reference-{re.sub('[^0-9A-Za-z]+', '-', name).strip('-')}"[:100]
        path, place = self.folder / f"{stem}{SUFFIX}", 2
        while path.exists() and path.stem != but:
            path, place = self.folder / f"{stem}-{place}{SUFFIX}", place + 1
        return path


def _shipped() -> list[Path]:
    try:
        return sorted(resource(FOLDER).glob(f"*{SUFFIX}"))
    except FileNotFoundError:
        return []


def _listed(paths: Iterable[Path], prefix: str) -> list[Reference]:
    found = []
    for path in paths:
        try:
            header = file.read_header(path)
            size = path.stat().st_size
        except (SessionError, OSError):
            log.warning("a reference in the library cannot be read")
            continue
        if MARK not in str(header.contents.get("marks", "")) or header.name is None:
            continue
        said = _lines(str(header.contents.get("notes", "")))
        found.append(
            Reference(
                f"{prefix}{path.stem}",
                header.name,
                path,
                size,
                said["Holds"],
                said["Source"],
                said["Licence"],
                said["Note"],
            )
        )
    return found


def _lines(notes: str) -> dict[str, str]:
    """Of the notes in a header, what is on each line."""
    found = dict.fromkeys(NOTE_LINES, "")
    for line in notes.split("\n"):
        key, colon, text = line.partition(": ")
        if colon and key in found:
            found[key] = plain(text)
    return found
