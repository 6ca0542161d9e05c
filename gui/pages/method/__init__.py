"""Page Methods: the composition by another method than DTD and ADTD, plug-ins' included."""

from gui.pages.method import layout as _layout  # noqa: F401  records the layout and every callback
from gui.pages.method.base import page

__all__ = ["page"]
