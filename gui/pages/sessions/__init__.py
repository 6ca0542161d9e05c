"""Page Sessions: open, rename, duplicate, archive, delete, export and import sessions."""

from gui.pages.sessions import layout as _layout  # noqa: F401  records the layout and, through it, every callback
from gui.pages.sessions.base import page

__all__ = ["page"]
