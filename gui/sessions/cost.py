"""What a session's tree takes in memory, counted by what it declares before anything is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from gui.sessions.codec import MAX_DIMENSIONS, Node, damaged

VALUE, TABLE = 200, 3000
"""Bytes of a small Python object, and of a pandas object without its values."""
TEXT, POINTER = 100, 8
"""Bytes of a short text in a list, and of its place in an array."""
LABEL, LEVEL = 40, 80
"""Bytes of a label that is counted and not listed, once it is used; of one in a level of an index
of several levels.
"""
_DEEP = 4
"""An index of categories of texts is the deepest there is."""
_TABLES = ("frame", "series", "index", "range", "multi", "categories", "string", "masked", "sparse")


def needed(tree: Node, but: Callable[[Node], bool] = lambda _: False) -> int:
    """Bytes at most that the values of a tree take, with all Python and pandas objects.

    A buffer counts as often as it is used.

    Parameters
    ----------
    but : picks matrices whose values (not their labels) are left out.

    Raises
    ------
    DamagedSession
        It is no tree.
    """
    total, waiting = 0, [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            total += _own(node)
            waiting.extend(_below(node) if but(node) else node.values())
        elif isinstance(node, list):
            waiting.extend(node)
            total += POINTER * len(node)
    return total


def _below(matrix: Node) -> Iterator[Node]:
    """A matrix without its values."""
    for name, value in matrix["fields"].items():
        if name != "values":
            yield value


def _own(node: dict[str, Any]) -> int:
    """Of one node, without those below."""
    kind = node.get("t")
    total = (TABLE if kind in _TABLES else VALUE) + _buffer(node)
    if kind == "texts":
        total += 3 * _buffer(node) + TEXT * _count(node)
        total += (
            POINTER * _count(node)
            if node.get("width") is None
            else 4 * _whole(node.get("width")) * max(1, _count(node))
        )
    elif kind == "range":
        total += LABEL * _length(node)
    elif kind == "bytes":
        total += _buffer(node)
    elif kind == "multi":
        total += LEVEL * sum(map(_length, _nodes(node.get("of"))))
    elif kind == "categories":
        total += LABEL * _length(node.get("of")) + _buffer(node.get("codes"))
    elif kind == "string":
        total += 2 * POINTER * _length(node.get("of"))
    elif kind == "masked":
        total += 2 * _buffer(node.get("data"))
    elif kind == "sparse":
        total += 2 * _buffer(node.get("indptr"))
    elif kind == "frame":
        total += sum(_buffer(part) + POINTER * _length(part) for part in _nodes(node.get("parts")))
    return total


def _buffer(node: Node) -> int:
    """Bytes that a node reads of objects."""
    return _whole(node.get("n")) if isinstance(node, dict) and "o" in node else 0


def _nodes(value: Any) -> list[Node]:
    return value if isinstance(value, list) else []


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise damaged()
    return int(value)


def _count(node: Node) -> int:
    """Values of an array."""
    shape = node.get("shape")
    if type(shape) is not list or len(shape) > MAX_DIMENSIONS:
        raise damaged()
    return int(math.prod(map(_whole, shape)))


def _length(node: Node, depth: int = 0) -> int:
    """Labels of an index, values of a column; 0 for what is neither."""
    if not isinstance(node, dict):
        return 0
    if depth > _DEEP:
        raise damaged()
    kind = node.get("t")
    if kind == "range":
        bounds = node.get("v")
        if (
            type(bounds) is not list
            or len(bounds) != 3
            or not all(type(b) is int and abs(b) < 2**62 for b in bounds)
            or not bounds[2]
        ):
            raise damaged()
        start, stop, step = bounds
        return max(0, int(-((start - stop) // step)))
    if kind == "index":
        return _length(node.get("values"), depth + 1)
    if kind in ("array", "texts"):
        return _count(node)
    inner = {"categories": "codes", "string": "of", "masked": "data"}.get(str(kind))
    return _length(node.get(inner), depth + 1) if inner else 0
