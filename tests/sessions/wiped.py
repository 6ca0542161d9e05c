"""Looks through all that is alive in this process for a text."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np


def holders(kram: str) -> list[str]:
    """Which objects hold a text or bytes with the reverse of ``kram``: the test keeps only the
    reverse, or it would find itself.
    """
    gc.collect()
    found: list[str] = []
    seen: set[int] = set()
    for thing in gc.get_objects():
        if thing is found or thing is seen:
            continue
        for held in gc.get_referents(thing):
            # the garbage collector does not look into these
            if _is(held, np.ndarray) and held.dtype == object:
                if id(held) not in seen:
                    seen.add(id(held))
                    found += [
                        f"{type(thing).__name__} -> array"
                        for one in held.ravel().tolist()
                        if _has(one, kram)
                    ]
            elif _has(held, kram):
                found.append(f"{type(thing).__name__} -> {type(held).__name__}")
    return found


def _has(value: Any, kram: str) -> bool:
    if _is(value, str):
        return len(value) >= len(kram) and kram[::-1] in value
    return _is(value, bytes, bytearray) and len(value) >= len(kram) and kram[::-1].encode() in value


def _is(value: Any, *classes: type) -> bool:
    """By its real class: isinstance() asks the object, and some of torch's answer with a
    warning.
    """
    return issubclass(type(value), classes)
