"""Steps that bring the tree of an older session file up to the present schema."""

from __future__ import annotations

from typing import Any

NEW_KINDS = ("groups", "survival", "genes", "compare")
"""Kinds of runs that became the program's own with schema 1.3.

Before, a plug-in could keep its runs under such a name.
"""


def rename_plugin_kinds(tree: Any) -> Any:
    """1.2 to 1.3: a plug-in's runs and jobs of a kind that is the program's own now.

    They are kept under the name with ``plugin_`` before it.
    """
    fields = tree["fields"]
    for name in ("runs", "jobs"):
        for item in fields.get(name, {"items": ()})["items"]:
            kind = item["fields"]["kind"]
            item["fields"]["kind"] = _renamed(kind)
    for name in ("chosen", "forms"):
        for pair in fields.get(name, {"items": ()})["items"]:
            pair[0] = _renamed(pair[0])
    return tree


def _renamed(kind: Any) -> Any:
    return f"plugin_{kind}" if kind in NEW_KINDS else kind
