"""The user's own files of gene sets and markers, kept in the data folder with name and date."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from gui.atomic import private_folder, replacing
from gui.config import load_config
from gui.errors import DataError, MissingPart
from gui.knowledge.gene_sets import GeneSets
from gui.knowledge.markers import COLUMNS, Markers

log = logging.getLogger(__name__)
FOLDER = "knowledge"
OWN = "own:"
"""Begins the key of a user's file, where the collections of the program have a short name."""
MOST = 100
"""Files that are kept."""
MOST_BYTES = 300_000_000


@dataclass(frozen=True)
class OwnFile:
    """A file that the user added.

    Attributes
    ----------
    key
        "own:" and the beginning of its SHA-256.
    added
        Date and time, ISO 8601.
    note
        What was found in it, in a sentence.
    """

    key: str
    kind: Literal["sets", "markers"]
    name: str
    added: str
    sha256: str
    note: str

    @property
    def date(self) -> str:
        """Day on which it was added: 2026-11-30."""
        return self.added[:10]


class OwnFiles:
    """The files in one folder. Nothing is read before it is asked for.

    Parameters
    ----------
    folder
        Default: in the data folder of the configuration.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or load_config().data_folder / FOLDER

    def list(self) -> list[OwnFile]:
        """All files, oldest first; what cannot be read is left out."""
        found = []
        for path in sorted(self.folder.glob("*.about.json")) if self.folder.is_dir() else ():
            try:
                values = json.loads(path.read_text("utf-8"))
                one = OwnFile(**{name: str(values[name]) for name in OwnFile.__annotations__})  # type: ignore[arg-type]
            except (OSError, ValueError, KeyError, TypeError):
                log.warning("an entry of the user's gene sets and markers cannot be read")
                continue
            if one.kind in ("sets", "markers") and self._content(one.key).is_file():
                found.append(one)
        return sorted(found, key=lambda one: (one.added, one.key))

    def get(self, key: str) -> OwnFile:
        """MissingPart if it is not there any more."""
        for one in self.list():
            if one.key == key:
                return one
        raise MissingPart(
            "A file of gene sets or markers that was chosen is no longer there.",
            advice="Add it again, or leave it out.",
        )

    def keep(
        self,
        name: str,
        sha256: str,
        note: str,
        *,
        sets: Mapping[str, tuple[str, ...]] | None = None,
        markers: pd.DataFrame | None = None,
    ) -> OwnFile:
        """Keep what was read of a file; the same file is kept once.

        Raises
        ------
        DataError : too many, or too large
        OSError
        """
        private_folder(self.folder)
        kind: Literal["sets", "markers"] = "sets" if sets is not None else "markers"
        key = f"{OWN}{hashlib.sha256(f'{kind} {sha256}'.encode()).hexdigest()[:16]}"
        there = {one.key for one in self.list()}
        if key not in there and len(there) >= MOST:
            raise DataError(
                f"There are {MOST} files of gene sets and markers already.",
                advice="Remove one first.",
            )
        content: Any = (
            {title: list(genes) for title, genes in sets.items()}
            if sets is not None
            else (markers if markers is not None else pd.DataFrame()).to_dict("list")
        )
        data = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
        if len(data) > MOST_BYTES:
            raise DataError(f"{name} is too large to be kept.", advice="Keep what you need of it.")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        one = OwnFile(key, kind, name[:200], now, sha256, note)
        with replacing(self._content(key)) as file:
            file.write(data)
        with replacing(self._about(key)) as file:
            file.write(json.dumps(asdict(one), ensure_ascii=False).encode("utf-8", "replace"))
        return one

    def remove(self, key: str) -> OwnFile:
        """Delete a file from the data folder, not the user's own copy. MissingPart."""
        one = self.get(key)
        self._about(key).unlink(missing_ok=True)
        self._content(key).unlink(missing_ok=True)
        return one

    def sets(self, key: str) -> GeneSets:
        """MissingPart where the file is gone or damaged."""
        one = self.get(key)
        content = self._load(one)
        if one.kind != "sets" or not isinstance(content, dict):
            raise MissingPart(f"{one.name} holds no gene sets.", advice="Choose another file.")
        sets = {str(title): tuple(map(str, genes)) for title, genes in content.items()}
        about = f"added {one.date}, SHA-256 {one.sha256[:12]}…"
        return GeneSets(one.key, one.name, about, "", "your own file", "", sets)

    def markers(self, key: str, species: str = "") -> Markers:
        """The markers of a file, without those that are of another species. MissingPart."""
        one = self.get(key)
        content = self._load(one)
        try:
            table = pd.DataFrame(content, dtype=object)
            whose = table["species"].astype(str)
            right = (whose == "") | whose.str.contains(species or "", regex=False)
            found = table.loc[right].assign(source=one.name)[COLUMNS]
        except (KeyError, ValueError, TypeError):
            raise MissingPart(f"{one.name} holds no markers.", advice="Add it again.") from None
        return Markers(found.reset_index(drop=True))

    def _load(self, one: OwnFile) -> Any:
        try:
            return json.loads(self._content(one.key).read_bytes())
        except (OSError, ValueError):
            raise MissingPart(
                f"The kept copy of {one.name} cannot be read.", advice="Add the file again."
            ) from None

    def _about(self, key: str) -> Path:
        return self.folder / f"{key.removeprefix(OWN)}.about.json"

    def _content(self, key: str) -> Path:
        return self.folder / f"{key.removeprefix(OWN)}.json"
