"""What can still be read of a damaged session file, under the same limits as a whole one."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from gui.data.dataset import ROLES, Cells
from gui.errors import DamagedSession, WrongPassword
from gui.sessions import container, file, header, lazy, objects
from gui.sessions.codec import Node
from gui.sessions.content import from_tree, part_of
from gui.sessions.cost import needed
from gui.sessions.crypto import SessionKey
from gui.sessions.decode import EXPECTED
from gui.sessions.snapshot import RECOVERED, Snapshot

_PARTS = {
    "train": "training cells",
    "test": "test cells",
    "reference": "reference",
    "bulk": "bulk samples",
}
_FIELDS = {
    "chosen": "Which runs were shown",
    "forms": "What was typed into the forms",
    "notes": "The notes",
    "tags": "The tags",
    "revision": "",
    "marks": "",
}


@dataclass(frozen=True)
class Salvaged:
    """What was read of a damaged file.

    lost : what is not in the snapshot any more, in words ("The training cells"); empty if only the
    frame of the file was damaged.
    """

    snapshot: Snapshot
    lost: tuple[str, ...]


def salvage(path: Path, session_key: SessionKey | None = None) -> Salvaged:
    """What is readable of a damaged file, marked as recovered.

    The file is not changed.

    Raises DamagedSession: nothing can be recovered; NewerSession; WrongPassword; SessionError (too
    little memory).
    """
    with lazy.reading(path) as opened:
        reader = _members(opened)
        session_key = _fitting(reader, session_key)
        tree, stored = _manifest(reader, session_key)
        size = needed(tree)
        if size > file.MAX_TOTAL:
            raise DamagedSession("This session says that it holds more than any session does.")
        lazy.need_room(size, "This session needs")
        return _PartReader(tree, stored).put_together()


def _members(opened: IO[bytes]) -> container.Reader:
    try:
        return container.Reader(opened)
    except DamagedSession:
        return container.Reader(opened, container.walk(opened))


def _fitting(reader: container.Reader, session_key: SessionKey | None) -> SessionKey | None:
    """The key, if the header asks for one and it fits; as given if the header cannot be read."""
    try:
        head = header.parse(reader.read("header.json", container.MAX_HEADER))
    except DamagedSession:
        return session_key
    if not head.encrypted:
        return None
    if session_key is None:
        raise WrongPassword("This session is protected by a password.")
    if not session_key.fits(head.lock):
        raise WrongPassword("This session was protected again since it was unlocked.")
    return session_key


def _manifest(
    reader: container.Reader, session_key: SessionKey | None
) -> tuple[Node, objects.StoredObjects]:
    try:
        found = file.manifest_of(reader, session_key)
        head = header.parse(header.canonical(found["header"]))
        return file.migrated(found["session"], head.schema), objects.StoredObjects.what_is_left(
            reader, found["objects"], session_key
        )
    except (DamagedSession, *EXPECTED):
        raise DamagedSession(
            "The list of what this session holds is damaged; nothing can be recovered.",
            advice="Restore a backup, if there is one.",
        ) from None


class _PartReader:
    """Tries the parts of a tree one by one, each as a session that holds nothing else."""

    def __init__(self, tree: Node, stored: objects.StoredObjects) -> None:
        self._tree, self._stored = tree, stored
        self._lost: list[str] = []

    def put_together(self) -> Salvaged:
        whole = self._read(self._tree)
        if whole is None:
            whole = self._read(self._pruned())
        if whole is None:
            raise DamagedSession(
                "What is left of this session does not fit together; nothing can be recovered."
            )
        marks = tuple(dict.fromkeys((*whole.marks, RECOVERED)))
        return Salvaged(replace(whole, marks=marks), tuple(self._lost))

    def _read(self, tree: Node) -> Snapshot | None:
        try:
            return from_tree(tree, self._stored)
        except DamagedSession:
            return None

    def _reads(self, fields: Mapping[str, Node]) -> bool:
        return (
            self._read({"t": "record", "class": "Snapshot", "fields": self._base | dict(fields)})
            is not None
        )

    def _pruned(self) -> Node:
        """The tree without what cannot be read."""
        try:
            fields = dict(self._tree["fields"])
            self._base = {
                name: fields[name] for name in ("session_id", "name", "created", "modified")
            }
        except EXPECTED:
            raise DamagedSession("Nothing of this session can be recovered.") from None
        kept: dict[str, Node] = dict(self._base)
        for name, words in _FIELDS.items():
            if name in fields and self._or_lost(words, self._reads({name: fields[name]})):
                kept[name] = fields[name]
        for name in ("runs", "jobs"):
            items = [
                item
                for item in _items(fields.get(name))
                if self._or_lost(_words(item, name), self._reads({name: _tuple([item])}))
            ]
            kept[name] = _tuple(items)
        kept["dataset"] = self._dataset(fields.get("dataset"))
        return self._tree | {"fields": kept}

    def _or_lost(self, words: str, readable: bool) -> bool:
        if not readable and words:
            self._lost.append(words)
        return readable

    def _dataset(self, node: Node) -> Node:
        if node is None:
            return None
        empty: dict[str, Node] = dict.fromkeys(ROLES)
        try:
            fields = dict(node["fields"])
        except EXPECTED:
            self._lost.append("The data")
            return None
        kept = empty | {
            k: v
            for k, v in fields.items()
            if k not in ROLES and self._reads({"dataset": _dataset(empty | {k: v})})
        }
        if len(kept) < len(empty | fields):
            self._lost.append("The descriptions of the data")
        for role in ROLES:
            for part, words in _versions(fields.get(role), role):
                if self._reads({"dataset": _dataset(empty | {role: part})}):
                    kept[role] = part
                    self._lost += [words] if words else []
                    break
            else:
                self._lost.append(f"The {_PARTS[role]}")
        if all(kept[role] is None for role in ROLES):
            return None
        return self._known(_dataset(kept), fields)

    def _known(self, node: Node, before: dict[str, Node]) -> Node:
        """The data with their earlier ids, so that the runs are not shown as outdated.

        Only where the ids can be told without what is lost.
        """
        prints = {role: self._fingerprint(before.get(role)) for role in ROLES}
        ids = {role: found for role, found in prints.items() if found is not None}
        whole = self._read(
            {"t": "record", "class": "Snapshot", "fields": self._base | {"dataset": node}}
        )
        if whole is None or whole.dataset is None or len(ids) < len(ROLES):
            return node
        data = whole.dataset
        pairs = {data.training_id: data.training_id_of(ids), data.bulk_id: data.bulk_id_of(ids)}
        known = {own: was for own, was in pairs.items() if own and was and own != was}
        return _dataset(
            node["fields"]
            | {
                "aliases": {
                    "t": "map",
                    "items": [*_items(node["fields"].get("aliases")), *map(list, known.items())],
                }
            }
        )

    def _fingerprint(self, node: Node) -> str | None:
        """Of a part as it was: "" if there was none, None if that is not known any more."""
        if node is None:
            return ""
        with contextlib.suppress(DamagedSession, *EXPECTED):
            matrix = node["fields"].get("matrix", node)
            if node["class"] != "Cells":
                return str(matrix["fingerprint"])
            return Cells.fingerprint_of(
                str(matrix["fingerprint"]), part_of(node["fields"]["labels"], self._stored)
            )
        return None


def _versions(node: Node, role: str) -> list[tuple[Node, str]]:
    """A part as it is, then without its further columns; with the words for what that loses."""
    found = [(node, "")]
    with contextlib.suppress(*EXPECTED):
        if "obs" in node["fields"]:
            count = node["fields"]["matrix"]["fields"]["values"]["shape"][1]
            rows, none = ({"t": "range", "v": [0, n, 1], "name": None} for n in (count, 0))
            bare = node["fields"] | {
                "obs": {"t": "frame", "index": rows, "columns": none, "parts": []}
            }
            found.append((node | {"fields": bare}, f"The further columns of the {_PARTS[role]}"))
    return found


def _dataset(fields: Mapping[str, Node]) -> Node:
    return {"t": "record", "class": "Dataset", "fields": dict(fields)}


def _tuple(items: list[Node]) -> Node:
    return {"t": "tuple", "items": items}


def _items(node: Node) -> list[Any]:
    items = node.get("items") if isinstance(node, dict) else None
    return items if isinstance(items, list) else []


def _words(node: Node, name: str) -> str:
    """ "The DTD run of 20 May 2025, 19:10"."""
    noun, of, when = (
        ("run", "title", "created") if name == "runs" else ("job", "title", "submitted")
    )
    with contextlib.suppress(*EXPECTED):
        fields = node["fields"]
        title = fields[of] or fields["kind"]
        day = datetime.fromisoformat(fields[when]["v"]).astimezone()
        if isinstance(title, str):
            return f"The {title} {noun} of {day.day} {day:%B %Y, %H:%M}"
    return f"A {noun}"
