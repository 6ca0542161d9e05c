"""What tests of the Upload page share: choosing files and reading what the wizard shows, through
the door.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL


def choose(tab: Any, role: str, path: Path) -> None:
    """Type the path of a file."""
    tab.set({(f"upload-{role}-path", "value"): str(path)})
    tab.set({(f"upload-{role}-path", "n_submit"): 1})


def session_of(tab: Any) -> DCXCache:
    shown = tab.get("dcx-session", "data") or tab.application.sessions.default_id
    session: DCXCache = tab.application.sessions.get_session(shown, actor=LOCAL)
    return session


def one(part: str, index: Any) -> str:
    return json.dumps(
        {"page": "upload", "part": part, "index": index}, sort_keys=True, separators=(",", ":")
    )


def switches(tab: Any, part: str = "offer") -> dict[str, int]:
    """Label -> place of the switches on screen: "offer" (repairs one may switch on) or
    "applied".
    """

    def found(node: Any) -> Iterator[tuple[str, int]]:
        if isinstance(node, dict):
            props = node.get("props", {})
            if (
                node.get("type") == "Switch"
                and isinstance(props.get("id"), dict)
                and props["id"]["part"] == part
            ):
                yield props["label"], props["id"]["index"]
            for value in node.values():
                yield from found(value)
        elif isinstance(node, list):
            for value in node:
                yield from found(value)

    return dict(found(tab.get("upload-findings", "children")))


def switch_on(tab: Any, words: str) -> None:
    """Switch on the repair whose label holds these words."""
    place = next(place for label, place in switches(tab).items() if words in label)
    tab.set({(one("offer", place), "checked"): True})


def switch_off(tab: Any, words: str) -> None:
    place = next(place for label, place in switches(tab, "applied").items() if words in label)
    tab.set({(one("applied", place), "checked"): False})


def types_of(tab: Any) -> dict[str, dict[str, Any]]:
    """The table of cell types by name."""
    return {row["type"]: row for row in tab.get("upload-types", "rowData") or []}
