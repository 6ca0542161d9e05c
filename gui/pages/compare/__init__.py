"""Compare: two runs beside each other."""

from gui.pages.compare import layout as _layout  # noqa: F401  records the layout and every callback
from gui.pages.compare.base import page

__all__ = ["page"]
