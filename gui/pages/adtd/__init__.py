"""ADTD: hidden background and gene regulation, the search of lambda2, and their results."""

from gui.pages.adtd import layout as _layout  # noqa: F401  records the layout and every callback
from gui.pages.adtd.base import page

__all__ = ["page"]
