"""The clear header of a session file: what the list of sessions and unlocking need."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gui.errors import DamagedSession, NewerSession
from gui.sessions.crypto import SessionKey, checked_lock
from gui.sessions.rules import (
    ID,
    MAX_SAMPLES,
    MAX_TEXT,
    plain,
    stored_contents,
    stored_name,
    stored_time,
)
from gui.sessions.snapshot import Snapshot

FORMAT = "deconomix-gui session"
SCHEMA = (1, 3)
"""Major, minor.

Major: older programs cannot read it. Minor: :data:`gui.sessions.file.MIGRATIONS` brings older files
up.
"""
STATES = ("active", "archived")
_KEYS = {
    "format",
    "schema",
    "id",
    "name",
    "created",
    "modified",
    "status",
    "encrypted",
    "generation",
    "contents",
    "lock",
}


@dataclass(frozen=True)
class Header:
    """What a session file says in clear.

    Attributes
    ----------
    name : None if a protected session hides it.
    generation : counts the saves.
    status : "active" or "archived".
    contents : {"data": True, "dtd": 1, "search": 1, "adtd": 3, "runs": 5, "source": "train.h5ad",
        "notes": "...", "marks": "", "tags": "melanoma, pilot", "samples": "P1\\nP2" (of the
        bulk), "unlisted": 0 (samples more than these)}; {} if protected.
    lock : how to turn the password into the key; None if not protected.
    """

    id: str
    name: str | None
    created: datetime
    modified: datetime
    generation: int
    status: str = "active"
    encrypted: bool = False
    contents: Mapping[str, Any] = field(default_factory=dict)
    lock: Mapping[str, Any] | None = None
    format: str = FORMAT
    schema: tuple[int, int] = SCHEMA

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "format": self.format,
            "schema": list(self.schema),
            "id": self.id,
            "name": self.name,
            "created": self.created.isoformat(),
            "modified": self.modified.isoformat(),
            "status": self.status,
            "encrypted": self.encrypted,
            "generation": self.generation,
            "contents": dict(self.contents),
            "lock": None if self.lock is None else dict(self.lock),
        }

    def packed(self) -> bytes:
        return canonical(self.plain())


def canonical(value: Any) -> bytes:
    """One text for one value: sorted keys, no blanks, ASCII."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")
    ).encode("ascii")


def header_of(
    snapshot: Snapshot, generation: int, status: str, session_key: SessionKey | None
) -> Header:
    """The header under which a snapshot is saved."""
    return Header(
        id=snapshot.session_id,
        name=None if session_key is not None and session_key.hide_name else snapshot.name,
        created=snapshot.created,
        modified=snapshot.modified,
        generation=generation,
        status=status,
        encrypted=session_key is not None,
        contents=contents_of(snapshot) if session_key is None else {},
        lock=None if session_key is None else session_key.lock,
    )


def contents_of(snapshot: Snapshot) -> dict[str, Any]:
    """The summary of a session for its header and for the list of sessions.

    This is the only place that makes it.
    """
    data = snapshot.dataset
    kinds = [run.kind for run in snapshot.runs]
    source = (data.source("train") or next(iter(data.sources), None)) if data is not None else None
    found: dict[str, Any] = {
        "data": data is not None,
        "runs": len(kinds),
        **{kind: kinds.count(kind) for kind in ("dtd", "search", "adtd")},
        "source": (source.name if source else "")[:MAX_TEXT],
        "notes": snapshot.notes[:MAX_TEXT],
        "marks": ", ".join(snapshot.marks)[:MAX_TEXT],
        **(
            {"jobs": ", ".join(job.title for job in snapshot.jobs)[:MAX_TEXT]}
            if snapshot.jobs
            else {}
        ),
        **({"tags": ", ".join(snapshot.tags)} if snapshot.tags else {}),
    }
    return found | _samples(snapshot, min(MAX_SAMPLES, _ROOM - len(canonical(found))))


_ROOM = 48 * 1024
"""Bytes of a summary in JSON: with a name and a lock it stays below the largest header."""


def _samples(snapshot: Snapshot, room: int) -> dict[str, Any]:
    """The names of the bulk samples, as many as there is room for, and how many are not listed."""
    data = snapshot.dataset
    if data is None or data.bulk is None:
        return {}
    names, used = [], 0
    for name in map(str, data.bulk.matrix.columns):
        line = plain(name)
        used += len(json.dumps(line))
        if used > room:
            break
        names.append(line)
    lacking = len(data.bulk.matrix.columns) - len(names)
    return {"samples": "\n".join(names)} | ({"unlisted": lacking} if lacking else {})


def parse(raw: bytes) -> Header:
    """A header, checked. NewerSession; DamagedSession."""
    if raw.count(b"[") + raw.count(b"{") > 10_000:
        raise _damaged()
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise _damaged() from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise DamagedSession("This file is not a session of this program.")
    schema = found.get("schema")
    if (
        not isinstance(schema, list)
        or len(schema) != 2
        or not all(type(n) is int and n >= 0 for n in schema)
    ):
        raise _damaged()
    if tuple(schema) > SCHEMA:
        raise NewerSession("This session was saved by a newer version of this program.")
    if set(found) != _KEYS:
        raise _damaged()
    name, lock = found["name"], found["lock"]
    if (
        not isinstance(found["id"], str)
        or ID.fullmatch(found["id"]) is None
        or found["status"] not in STATES
    ):
        raise _damaged()
    if (
        type(found["encrypted"]) is not bool
        or found["encrypted"] is not (lock is not None)
        or (name is None and lock is None)
    ):
        raise _damaged()
    if type(found["generation"]) is not int or not 0 < found["generation"] < 2**53:
        raise _damaged()
    if lock is not None:
        lock = checked_lock(lock) if isinstance(lock, dict) else _raise()
    try:
        name = None if name is None else stored_name(name)
        created, modified = (
            stored_time(datetime.fromisoformat(found[k])) for k in ("created", "modified")
        )
        contents = stored_contents(found["contents"])
    except (ValueError, TypeError):
        raise _damaged() from None
    return Header(
        id=found["id"],
        name=name,
        created=created,
        modified=modified,
        generation=found["generation"],
        status=found["status"],
        encrypted=found["encrypted"],
        contents=contents,
        lock=lock,
        schema=(schema[0], schema[1]),
    )


def _damaged() -> DamagedSession:
    return DamagedSession("The header of this session is damaged.")


def _raise() -> Any:
    raise _damaged()
