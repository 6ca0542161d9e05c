"""Robustness: what the fractions owe to genes, seed, cell types and donors."""

from gui.pages.robustness import layout as _layout  # noqa: F401  records the layout and callbacks
from gui.pages.robustness.base import page

__all__ = ["page"]
