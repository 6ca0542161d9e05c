"""Search over sessions by what their list knows: names, notes, tags, samples, files.

Of a session that is locked only the name is known, and that not where it is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gui.sessions.store import SessionInfo

FIELDS = ("source", "notes", "tags", "marks")
"""Of the summary, beside the samples (see :func:`gui.sessions.header.contents_of`)."""
LONGEST = 200
"""Characters of a question that count."""


@dataclass(frozen=True)
class Found:
    """A session that a search found; sample : the sample's name that held a word, or ""."""

    info: SessionInfo
    sample: str = ""


def tags_of(info: SessionInfo) -> tuple[str, ...]:
    """The tags of a session, as far as this actor may see them."""
    return tuple(filter(None, str(info.contents.get("tags") or "").split(", ")))


def search_sessions(
    infos: Iterable[SessionInfo], text: str, tags: Sequence[str] = ()
) -> list[Found]:
    """The sessions that hold every word of the text and carry every tag, in the given order.

    Upper and lower case are the same. A word may be a part of a name; each word may be found in
    another place.
    """
    words = text[:LONGEST].casefold().split()
    wanted = {tag.casefold() for tag in tags}
    found = []
    for info in infos:
        if wanted <= {tag.casefold() for tag in tags_of(info)}:
            one = _found(info, words)
            if one is not None:
                found.append(one)
    return found


def _found(info: SessionInfo, words: Sequence[str]) -> Found | None:
    places = [info.name, *(str(info.contents.get(field) or "") for field in FIELDS)]
    listed = "\n".join(places).casefold()
    rest = [word for word in words if word not in listed]
    if not rest:
        return Found(info)
    samples = str(info.contents.get("samples") or "")
    if not all(word in samples.casefold() for word in rest):
        return None
    named = (name for name in samples.split("\n") if rest[0] in name.casefold())
    return Found(info, next(named, ""))
