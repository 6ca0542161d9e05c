"""The window's menu, from the table in ``gui.shell.actions``; pywebview draws it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from gui import updates
from gui.shell.actions import SEPARATOR, keys, offered


def menus(act: Callable[[str], None], *, single: bool) -> list[Any]:
    """Return pywebview's menus; an entry calls ``act`` with its action's key in a new thread.

    Parameters
    ----------
    single
        There is one session only.
    """
    from webview.menu import Menu, MenuAction, MenuSeparator

    found: dict[str, list[Any]] = {}
    for action in offered(native=True, single=single, updates=updates.key() is not None):
        if action.menu == "Edit" and sys.platform == "darwin":
            continue  # macOS has its own, see desktop/cocoa.py
        items = found.setdefault(action.menu, [])
        if action.key == SEPARATOR:
            items.append(MenuSeparator())
            continue
        # Qt shows what follows a tab at the right, where shortcuts stand; the page handles them.
        title = (
            f"{action.title}\t{keys(action)}"
            if action.shortcut and sys.platform.startswith("linux")
            else action.title
        )
        items.append(MenuAction(title, partial(act, action.key)))
    return [Menu(title, items) for title, items in found.items()]
