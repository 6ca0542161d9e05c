"""Upload: files are collected in the form, one Load commits them together; beside it, what is
loaded.
"""

from gui.pages.upload import choosing as _choosing  # noqa: F401  records its callbacks
from gui.pages.upload import layout as _layout  # noqa: F401  records the layout
from gui.pages.upload import library as _library  # noqa: F401  records its callbacks
from gui.pages.upload import loading as _loading  # noqa: F401  records its callbacks
from gui.pages.upload import undoing as _undoing  # noqa: F401  records its callbacks
from gui.pages.upload.base import page

__all__ = ["page"]
