"""The list of shortcuts holds every key that does something, and nothing else; so does the guide."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gui.resources import resource
from gui.shell.actions import ACTIONS, PAGE_KEYS, Action, keys

ASSETS = Path(__file__).resolve().parents[2] / "resources" / "assets"
NO_KEYS = {"access.js": "notes that a key was pressed, whichever"}
"""Scripts that listen to the keyboard and bind no key."""
OF_GRIDS = {"Shift+Enter", "Arrow keys", "Space", "Tab", "Shift+Tab"}
"""What Mantine, AG Grid and the browser do; tests/browser/test_keyboard.py presses them."""


def listed(node: Any) -> list[str]:
    """The keys in the dialog, as they are read."""
    if isinstance(node, dict):
        props = node.get("props", {})
        if node.get("type") == "Kbd":
            return [props["children"]]
        return [key for value in props.values() for key in listed(value)]
    return [key for one in node for key in listed(one)] if isinstance(node, list) else []


def test_the_dialog_lists_every_key_that_the_page_binds(tab: Any) -> None:
    shown = listed(tab.get("dcx-shortcuts", "children"))
    bound = json.loads(tab.get("dcx-keys", "data-keys"))
    by_key = {action.key: action for action in ACTIONS}
    of_actions = {keys(by_key[name]) for name in bound.values()}
    own = {keys(a) for a in ACTIONS if a.own}
    assert set(shown) == of_actions | own | {key for key, _ in PAGE_KEYS}
    assert len(shown) == len(set(shown))
    for written, name in bound.items():
        assert by_key[name].shortcut == written


def test_no_script_binds_a_key_that_is_not_listed() -> None:
    bound: dict[str, set[str]] = {}
    for script in sorted(ASSETS.glob("*.js")):
        text = script.read_text("utf-8")
        if re.search(r"[\"']key(down|up|press)[\"']", text):
            bound[script.name] = set(re.findall(r"\.key(?:Code)? [!=]==? \"([^\"]+)\"", text))
    # keys.js asks the table; what it names are spellings of keys
    assert bound.pop("keys.js") <= {"Plus", "Slash"}
    assert {name for name, found in bound.items() if not found} == set(NO_KEYS)
    pressed = {key for found in bound.values() for key in found}
    assert pressed == {key for key, _ in PAGE_KEYS} - OF_GRIDS


def _in_guide() -> set[str]:
    text = resource("help/window.md").read_text("utf-8").partition("## Shortcuts")[2]
    table = text.partition("\n## ")[0]
    cells = re.findall(r"^\| (.+?) \| .+ \|$", table, re.MULTILINE)
    return {key for cell in cells[1:] for key in cell.split(", ")}


def test_the_guide_lists_the_same_keys() -> None:
    def read(action: Action) -> str:
        return keys(action, mac=False)

    expected = {read(action) for action in ACTIONS if action.shortcut}
    assert _in_guide() == expected | {key for key, _ in PAGE_KEYS}
