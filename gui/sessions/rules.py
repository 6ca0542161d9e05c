"""What ids, names, times and counts of a session may be, typed or read from a file."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gui.errors import SessionError

DEFAULT_NAME = "Default"
MAX_NAME = 120
_LONGEST = 10 * MAX_NAME
MAX_TEXT = 1000
"""Characters of a text in the clear header."""
MAX_COUNT = 1_000_000
MAX_TAGS, MAX_TAG = 10, 30
"""Tags of a session, and characters of one."""
MAX_SAMPLES = 24_000
"""Characters of the sample names in the clear header."""
MAX_NOTES = 10_000
"""Characters of what a user writes about a run."""
ID = re.compile(r"[0-9]{8}#[0-9]{6}#[0-9a-f]{8}")
"""ASCII digits only: an id becomes a file's name."""
SINGLE_ID = "00000000#000000#00000000"
"""Of the one session of a program that has one for everybody: it is another session in each
program.
"""
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2900, 1, 1, tzinfo=UTC)
"""Every system can turn times between these into local time."""
_BREAKS = ("Cc", "Cs", "Zl", "Zp")
_JOINERS = "\u200c\u200d"
_TEXTS = ("source", "notes", "marks", "jobs", "tags")
_COUNTS = ("runs", "dtd", "search", "adtd", "unlisted")


def new_id() -> str:
    """Time and random part, like ``20250520#191019#07c2e7ed``."""
    return f"{datetime.now():%Y%m%d#%H%M%S}#{secrets.token_hex(4)}"


def plain(name: str) -> str:
    """A name on one line, with composed letters, as it looks: what looks equal is equal.

    macOS writes ä as two letters. Control characters and marks that turn the direction of writing
    are removed.
    """
    composed = unicodedata.normalize("NFC", name[:_LONGEST])  # takes the square of a run of accents
    return " ".join(
        "".join(
            c
            for c in composed
            if c.isspace() or c in _JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs")
        ).split()
    )


def checked_name(name: str) -> str:
    """The name as it is kept. SessionError: there is nothing in it, or it is too long."""
    found = plain(name)
    if not found.strip(_JOINERS):
        raise SessionError("A session needs a name.")
    if len(found) > MAX_NAME:
        raise SessionError(f"The name is longer than {MAX_NAME} characters.")
    return found


def stored_name(name: Any) -> str:
    """The name in a file, as it is shown.

    ValueError: no version of this program writes such a name.

    Marks of direction are taken out: earlier versions kept those that were typed.
    """
    if (
        not isinstance(name, str)
        or len(name) > 4 * MAX_NAME
        or any(unicodedata.category(c) in _BREAKS for c in name)
    ):
        raise ValueError("no name of a session")
    try:
        return checked_name(name)
    except SessionError as error:
        raise ValueError(str(error)) from None


def checked_label(name: str, notes: str) -> tuple[str, str]:
    """Name and notes of a run as they are kept; both may be empty. SessionError: too long."""
    found = plain(name)
    if len(found) > MAX_NAME:
        raise SessionError(f"The name of the run is longer than {MAX_NAME} characters.")
    if len(notes) > MAX_NOTES:
        raise SessionError(f"The notes on the run are longer than {MAX_NOTES} characters.")
    return found, notes


def stored_label(name: Any, notes: Any) -> tuple[str, str]:
    """Name and notes of a run in a file, as they are shown. ValueError."""
    if not (isinstance(name, str) and isinstance(notes, str)):
        raise ValueError("no name of a run")
    try:
        return checked_label(name, notes)
    except SessionError as error:
        raise ValueError(str(error)) from None


def checked_tags(text: str) -> tuple[str, ...]:
    """The tags in a text, between commas or semicolons, as they are kept.

    A tag that is there already, in capitals or not, is not added. SessionError: too many or too
    long.
    """
    found: dict[str, str] = {}
    for piece in text[: 10 * MAX_TEXT].replace(";", ",").split(","):
        tag = plain(piece)
        if tag.strip(_JOINERS):
            found.setdefault(tag.casefold(), tag)
    if len(found) > MAX_TAGS:
        raise SessionError(f"A session has at most {MAX_TAGS} tags.", advice="Take one away.")
    long = next((tag for tag in found.values() if len(tag) > MAX_TAG), None)
    if long is not None:
        raise SessionError(
            f"The tag “{long[:MAX_TAG]}…” is longer than {MAX_TAG} characters.",
            advice="Put commas between tags.",
        )
    return tuple(found.values())


def stored_tags(tags: Any) -> tuple[str, ...]:
    """The tags in a file. ValueError: no version of this program writes them."""
    if not isinstance(tags, tuple) or not all(isinstance(tag, str) for tag in tags):
        raise ValueError("no tags")
    try:
        found = checked_tags(",".join(tags))
    except SessionError as error:
        raise ValueError(str(error)) from None
    if len(found) != len(tags):
        raise ValueError("tags that are none, or twice the same")
    return found


def stored_time(then: Any) -> datetime:
    """A time in a file, in UTC. ValueError: it has no zone, or no clock shows it."""
    if not isinstance(then, datetime) or then.tzinfo is None:
        raise ValueError("a time without a zone")
    try:
        found = then.astimezone(UTC)
    except OverflowError:
        raise ValueError("no such time") from None
    if not EARLIEST <= found < LATEST:
        raise ValueError("no such time")
    return found


def file_time(seconds: float) -> datetime:
    """The time stamp of a file; one that no clock shows becomes the nearest that is possible."""
    return datetime.fromtimestamp(min(max(seconds, EARLIEST.timestamp()), LATEST.timestamp()), UTC)


def stored_contents(contents: Any) -> dict[str, Any]:
    """The summary in a header, checked; what this version does not know is left out.

    See :func:`gui.sessions.header.contents_of`. ValueError.
    """
    if not isinstance(contents, Mapping):
        raise ValueError("no summary")
    if not all(
        contents[key] is True or contents[key] is False for key in ("data",) if key in contents
    ):
        raise ValueError("no yes or no")
    if not all(
        type(contents[key]) is int and 0 <= contents[key] <= MAX_COUNT
        for key in _COUNTS
        if key in contents
    ):
        raise ValueError("no count")
    if not all(
        isinstance(contents[key], str) and len(contents[key]) <= MAX_TEXT
        for key in _TEXTS
        if key in contents
    ):
        raise ValueError("no text, or a long one")
    samples = contents.get("samples", "")
    if not isinstance(samples, str) or len(samples) > MAX_SAMPLES:
        raise ValueError("no names of samples, or too many")
    lines = {key: plain(contents[key]) for key in _TEXTS if key in contents and key != "notes"}
    if "samples" in contents:
        lines["samples"] = "\n".join(map(plain, samples.split("\n")))
    return {key: contents[key] for key in ("data", *_COUNTS, "notes") if key in contents} | lines
