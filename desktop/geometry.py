"""Size and place of the window: as it was left, if that is still on a screen."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

from gui.settings import SettingsStore, Window

SIZE = (1280, 800)
SMALLEST = (1024, 640)
GRIP = 100
"""Pixels of the title bar that have to be on a screen, so that the window can be moved."""


class Screen(NamedTuple):
    """In pixels of the desktop that all screens make up."""

    x: int
    y: int
    width: int
    height: int


def fitting(kept: Window | None, screens: Iterable[Screen]) -> Window:
    """Return the kept geometry cut to its screen, without a position if it would be off screen."""
    screens = list(screens)
    wanted = kept or Window(width=SIZE[0], height=SIZE[1])
    home = next((screen for screen in screens if _shows_title(wanted, screen)), None)
    room = home or (screens[0] if screens else None)
    if room is None:
        return wanted.model_copy(update={"x": None, "y": None})
    width = max(min(wanted.width, room.width), min(SMALLEST[0], room.width))
    height = max(min(wanted.height, room.height), min(SMALLEST[1], room.height))
    place = {"x": wanted.x, "y": wanted.y} if home else {"x": None, "y": None}
    return wanted.model_copy(update={"width": width, "height": height, **place})


def _shows_title(window: Window, screen: Screen) -> bool:
    if window.x is None or window.y is None:
        return False
    across = min(window.x + window.width, screen.x + screen.width) - max(window.x, screen.x)
    return across >= GRIP and screen.y <= window.y <= screen.y + screen.height - GRIP


class WindowGeometry:
    """Remembers where ``window`` (pywebview's) is when it closes."""

    def __init__(self, window: Any, settings: SettingsStore) -> None:
        self._window, self._settings = window, settings
        self._maximized = False
        window.events.maximized += self._on_maximized
        window.events.restored += self._on_restored
        window.events.closing += self.keep

    def _on_maximized(self) -> None:
        self._maximized = True

    def _on_restored(self) -> None:
        self._maximized = False

    def keep(self) -> None:
        """Called in the window's own thread, while it is still there.

        Says nothing about closing.
        """
        window = self._window
        if sys.platform.startswith("linux"):
            view = window.native
            if view.isFullScreen() or view.isMinimized():
                return
            # What it goes back to from the whole screen; pos() is where the frame is, which is what
            # a place is asked for as.
            shape, maximized = (
                (view.normalGeometry(), True) if view.isMaximized() else (view.geometry(), False)
            )
            place = view.normalGeometry().topLeft() if maximized else view.pos()
            found = {
                "width": shape.width(),
                "height": shape.height(),
                "x": place.x(),
                "y": place.y(),
                "maximized": maximized,
            }
        elif self._maximized:
            before = self._settings.get().window or Window(width=SIZE[0], height=SIZE[1])
            found = {**before.model_dump(), "maximized": True}
        else:
            found = {
                "width": window.width,
                "height": window.height,
                "x": window.x,
                "y": window.y,
                "maximized": False,
            }
        try:
            self._settings.change(window=Window.model_validate(found))
        except ValueError:  # sizes that no screen has, from a window that is on its way out
            return
