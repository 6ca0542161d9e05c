"""Page Survival: times to an event against the fractions of cell types."""

from gui.pages.survival import layout as _layout  # noqa: F401  records layout and callbacks
from gui.pages.survival.base import page

__all__ = ["page"]
