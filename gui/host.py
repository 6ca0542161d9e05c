"""What the window can do for the page, as far as a browser cannot.

The implementation is ``desktop/host.py``.
"""

from __future__ import annotations

from typing import Literal, Protocol

Edit = Literal["cut", "copy", "paste", "select_all"]


class Host(Protocol):
    """The window.

    Every method may be called from any thread, returns at once and does nothing where the system
    cannot.
    """

    def to_front(self) -> object:
        """Raise the window and have its page look at once what is new."""
        ...

    def close(self) -> None:
        """Close as if the user had clicked on the cross: it may ask."""
        ...

    def zoom(self, factor: float) -> None:
        """Show the page larger (above 1) or smaller."""
        ...

    def fullscreen(self) -> None:
        """Fill the screen, or no longer."""
        ...

    def edit(self, what: Edit) -> None:
        """What the Edit menu says, on the text in the page."""
        ...

    def copy_text(self, text: str) -> bool:
        """Put it into the clipboard; False where the page has to."""
        ...

    def copy_picture(self, png: bytes) -> bool:
        """The same with a picture."""
        ...

    def theme(self, name: str) -> None:
        """The window's own parts (menu, dialogs) follow "light", "dark" or "system" too."""
        ...

    def dark(self) -> bool | None:
        """Whether the system is dark, as the toolkit says; None: ask the page."""
        ...


class NoHost:
    """Where there is no window: nothing of it can be done."""

    def to_front(self) -> object:
        return None

    def close(self) -> None: ...

    def zoom(self, factor: float) -> None: ...

    def fullscreen(self) -> None: ...

    def edit(self, what: Edit) -> None: ...

    def copy_text(self, text: str) -> bool:
        return False

    def copy_picture(self, png: bytes) -> bool:
        return False

    def theme(self, name: str) -> None: ...

    def dark(self) -> bool | None:
        return None
