"""Groups: which cell types differ between groups of samples, over an order or along a number."""

from gui.pages.groups import layout as _layout  # noqa: F401  records the layout and every callback
from gui.pages.groups.base import page

__all__ = ["page"]
