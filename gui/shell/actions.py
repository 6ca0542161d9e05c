"""The actions of the menus and their shortcuts: one table for the window's menu, the keys in the
page and the list of shortcuts.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

SEPARATOR = "-"
ZOOM_STEPS = (0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)


@dataclass(frozen=True)
class Action:
    """key : its name; menu : under which heading; title : as it stands there
    shortcut : "Mod+Shift+S" (Mod is Ctrl, on macOS Cmd), "F1", "" for none; browser : there too
        (what a browser needs itself is left to it)
    own : the page does what the keys say by itself, they are only listed
    """

    key: str
    menu: str
    title: str
    shortcut: str = ""
    browser: bool = False
    own: bool = False


ACTIONS = (
    Action("new", "File", "New session…", "Mod+N"),
    Action("open", "File", "Open…", "Mod+O"),
    Action("recent", "File", "Open recent…", "Mod+Shift+O"),
    Action("import", "File", "Import data…", "Mod+I", browser=True),
    Action(SEPARATOR, "File", ""),
    Action("export", "File", "Export session…", "Mod+E", browser=True),
    Action("report", "File", "Save report…", "Mod+Shift+S", browser=True),
    Action(SEPARATOR, "File", ""),
    Action("close", "File", "Close", "Mod+W"),
    Action("cut", "Edit", "Cut", "Mod+X", browser=True, own=True),
    Action("copy", "Edit", "Copy", "Mod+C", browser=True, own=True),
    Action("paste", "Edit", "Paste", "Mod+V", browser=True, own=True),
    Action("select_all", "Edit", "Select all", "Mod+A", browser=True, own=True),
    Action("zoom_in", "View", "Zoom in", "Mod+Plus"),
    Action("zoom_out", "View", "Zoom out", "Mod+Minus"),
    Action("zoom_reset", "View", "Actual size", "Mod+0"),
    Action("fullscreen", "View", "Full screen", "F11"),
    Action(SEPARATOR, "View", ""),
    Action("theme_light", "View", "Light"),
    Action("theme_dark", "View", "Dark"),
    Action("theme_system", "View", "As the system"),
    Action("switch", "Session", "Switch to…", "Mod+K", browser=True),
    Action("sessions", "Session", "All sessions", browser=True),
    Action("guide", "Help", "User guide", "F1", browser=True),
    Action("tour", "Help", "Tour on the example"),
    Action("shortcuts", "Help", "Keyboard shortcuts", "Mod+Slash", browser=True),
    Action(SEPARATOR, "Help", ""),
    Action("logs", "Help", "Show logs"),
    Action("support", "Help", "Save support bundle…"),
    Action("update", "Help", "Install an update…"),
    Action("about", "Help", "About DeconomiX"),
)
PAGE_KEYS = (
    ("Tab", "Next control"),
    ("Shift+Tab", "Control before"),
    ("Arrow keys", "Within tabs, menus, lists and tables"),
    ("Enter", "Press; change a cell of a table; at a “?” open its section of the guide"),
    ("Space", "Switch on or off, tick a row"),
    ("Shift+Enter", "New line in a note that is typed into a table"),
    ("Escape", "Close a menu or dialog, end the tour"),
)
"""Keys that do the same on every page, and what they do; the guide lists the same."""
OF_UPDATES = ("update",)
"""Only in a program that was built with the key that updates are signed with."""
OF_SESSIONS = ("new", "switch", "sessions")
"""Not where there is one session only."""


def offered(*, native: bool, single: bool, updates: bool = False) -> list[Action]:
    """The actions there are in the window (native) or in a browser, in their order. single : there
    is one session only; updates : can be installed
    """
    without = (*(OF_SESSIONS if single else ()), *(() if updates else OF_UPDATES))
    return [
        action for action in ACTIONS if (native or action.browser) and action.key not in without
    ]


def keys(action: Action, *, mac: bool = sys.platform == "darwin") -> str:
    """The shortcut as a user reads it: "Ctrl+Shift+S", on macOS "⇧⌘S"."""
    *held, key = action.shortcut.split("+")
    key = {"Plus": "+", "Minus": "-", "Slash": "/"}.get(key, key)
    if mac:
        return (
            "".join({"Shift": "⇧", "Mod": "⌘"}[name] for name in sorted(held, reverse=True)) + key
        )
    return "+".join([*(name.replace("Mod", "Ctrl") for name in held), key])


def zoomed(factor: float, action: str) -> float:
    """The factor after "zoom_in", "zoom_out" or "zoom_reset"."""
    if action == "zoom_in":
        return next((step for step in ZOOM_STEPS if step > factor + 0.01), ZOOM_STEPS[-1])
    if action == "zoom_out":
        return next((step for step in reversed(ZOOM_STEPS) if step < factor - 0.01), ZOOM_STEPS[0])
    return 1.0
