"""JSON from outside: what it would take is counted before anything is made of it, by scanners that
look at each byte once.

Python makes 20 to 60 bytes of a two-byte element, and holds its lock all the while. So the elements
outside of texts are counted first, and long lists are read in pieces. Here are no regular
expressions: one that backtracks takes longer than a life on bytes made for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK = 2**20
"""Bytes looked at, or turned into values, at a time."""
BRACKET, ELEMENT, ENTRY = 240, 100, 200
"""Bytes of memory at most that Python takes for a list or object, for each further element and for
each key; the letters of texts come on top.
"""
_SMALL = 2**25
_BLANKS = b" \t\r\n"
_QUOTE, _COMMA, _COLON, _OPEN_LIST, _OPEN_OBJECT = b'",:[{'
_CLOSE_LIST, _CLOSE_OBJECT = b"]}"

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Structure:
    """How often these letters occur, outside of texts."""

    brackets: int
    commas: int
    colons: int

    @property
    def bytes(self) -> int:
        """Of memory that Python takes for it, without the letters."""
        return BRACKET * self.brackets + ELEMENT * self.commas + ENTRY * self.colons


def structure(raw: bytes | bytearray) -> Structure:
    """What the JSON is made of, outside of texts.

    Valid up to the first mistake in it, where parsing ends too.
    """
    brackets = commas = colons = 0
    for letters, outside in _blocks(raw):
        brackets += int(
            np.count_nonzero(((letters == _OPEN_LIST) | (letters == _OPEN_OBJECT)) & outside)
        )
        commas += int(np.count_nonzero((letters == _COMMA) & outside))
        colons += int(np.count_nonzero((letters == _COLON) & outside))
    return Structure(brackets, commas, colons)


def brackets(raw: bytes | bytearray, limit: int) -> int:
    """How many lists and objects; exactly only where it matters: above ``limit``."""
    most = raw.count(b"[") + raw.count(b"{")
    return structure(raw).brackets if most > limit else most


def memory(raw: bytes | bytearray) -> int:
    """Bytes at most that parsing takes, values and text together, with the bytes themselves."""
    # one letter beyond the usual makes four bytes of each in its text
    letters = len(raw) * (3 if raw.isascii() and raw.find(b"\\u") < 0 else 8)
    most = Structure(raw.count(b"[") + raw.count(b"{"), raw.count(b","), raw.count(b":"))
    return letters + (most if most.bytes < _SMALL else structure(raw)).bytes


def items(raw: bytes | bytearray) -> Iterator[list[Any]]:
    """The elements of one list, some at a time.

    ValueError: it is none, or damaged (what came before is right).
    """
    body = bytes(raw).strip(_BLANKS)
    if len(body) < 2 or body[:1] != b"[" or body[-1:] != b"]":
        raise ValueError("no list")
    start = 1
    for commas in _commas(body):
        yield _parsed(body[start : commas[-1]])
        start = int(commas[-1]) + 1
    if start > 1 or body[1:-1].strip(_BLANKS):
        yield _parsed(body[start:-1])


def parts(raw: bytes | bytearray) -> Iterator[bytes]:
    """The elements of one list, or the members (``"key":value``) of one object, each as it is
    written.

    ValueError: it is neither.
    """
    body = bytes(raw).strip(_BLANKS)
    if len(body) < 2 or (body[:1], body[-1:]) not in ((b"[", b"]"), (b"{", b"}")):
        raise ValueError("neither list nor object")
    start = 1
    for commas in _commas(body):
        for comma in commas.tolist():
            yield body[start:comma].strip(_BLANKS)
            start = comma + 1
    if start > 1 or body[1:-1].strip(_BLANKS):
        yield body[start:-1].strip(_BLANKS)


def _parsed(piece: bytes) -> list[Any]:
    found = json.loads(f"[{piece.decode('utf-8', 'surrogatepass')}]")
    if not found:
        raise ValueError("an element is missing")
    return found  # type: ignore[no-any-return]


def _commas(body: bytes) -> Iterator[npt.NDArray[np.int64]]:
    """Where the outermost list or object is divided, block by block, never none of them at a time.

    ValueError: it ends before the text does.
    """
    at, depth = 0, 0
    for letters, outside in _blocks(body):
        opened = ((letters == _OPEN_LIST) | (letters == _OPEN_OBJECT)) & outside
        closed = ((letters == _CLOSE_LIST) | (letters == _CLOSE_OBJECT)) & outside
        depths = depth + np.cumsum(opened.astype(np.int8) - closed.astype(np.int8), dtype=np.int32)
        depth, at = int(depths[-1]), at + len(letters)
        if (depths[:-1] if at == len(body) else depths).min(initial=1) < 1:
            raise ValueError("more than one value")
        commas = np.flatnonzero((letters == _COMMA) & outside & (depths == 1)) + (at - len(letters))
        if len(commas):
            yield commas


def _blocks(raw: bytes | bytearray) -> Iterator[tuple[Bytes, npt.NDArray[np.bool_]]]:
    """Letters, and which of them are outside of texts, block by block."""
    # escapes are of two letters and lie inside texts: none of them ends one
    if raw.find(b"\\") >= 0:
        raw = raw.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    whole, inside = np.frombuffer(raw, np.uint8), np.uint8(0)
    for start in range(0, len(whole), BLOCK):
        letters = whole[start : start + BLOCK]
        states = np.cumsum(letters == _QUOTE, dtype=np.uint8)
        states += inside
        states &= 1
        inside = states[-1]
        yield letters, states == 0
