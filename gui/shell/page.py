"""The shell's page: it is written as every other page is, but has no address and works while the
tab's session is locked.
"""

from __future__ import annotations

from gui.plugin import Page

shell = Page(
    "dcx",
    "DeconomiX",
    "Header, navigation, menus and dialogs",
    listed=False,
    works_while_locked=True,
)
shell_id = shell.id.each
"""``shell_id(name, index)``: a component id of the shell, one of many (pattern matching)."""
