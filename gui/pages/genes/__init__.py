"""Genes: regulation, enrichment and markers of a run; what its hidden profile looks like."""

from gui.pages.genes import layout as _layout  # noqa: F401  records the layout and every callback
from gui.pages.genes.base import page

__all__ = ["page"]
