"""Looks through all that is alive in this process for a text."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np

AT_ONCE = 500
"""Objects whose referents are asked for together, which is many times faster than one by one."""


class _Searched(dict[type, bool]):
    """Whether objects of a class are searched: texts, bytes and arrays, into which the garbage
    collector does not look.

    By the real class: isinstance() asks the object, and some of torch's answer with a warning.
    """

    def __missing__(self, kind: type) -> bool:
        self[kind] = issubclass(kind, str | bytes | bytearray | np.ndarray)
        return self[kind]


def holders(kram: str) -> list[str]:
    """Which objects hold a text or bytes with the reverse of ``kram``: the test keeps only the
    reverse, or it would find itself.
    """
    gc.collect()
    alive, searched = gc.get_objects(), _Searched()
    found: list[str] = []
    for start in range(0, len(alive), AT_ONCE):
        things = alive[start : start + AT_ONCE]
        candidates = [held for held in gc.get_referents(*things) if searched[type(held)]]
        if any(_has(held, kram) for held in candidates):
            found += [
                f"{type(thing).__name__} -> {type(held).__name__}"
                for thing in things
                for held in gc.get_referents(thing)
                if searched[type(held)] and _has(held, kram)
            ]
    return found


def _has(value: Any, kram: str) -> bool:
    kind = type(value)
    if issubclass(kind, np.ndarray):
        return value.dtype == object and any(_has(one, kram) for one in value.ravel().tolist())
    if issubclass(kind, str):
        return len(value) >= len(kram) and kram[::-1] in value
    return (
        issubclass(kind, bytes | bytearray)
        and len(value) >= len(kram)
        and kram[::-1].encode() in value
    )
