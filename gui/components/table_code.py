"""Opens the dialog that shows how a saved table is read in R and Python.

The dialog is in ``gui/shell/table_code.py``, one for all tables.
"""

from __future__ import annotations

from dash import set_props

from gui.components.table_files import TableFile
from gui.data.reading_code import python_code, r_code
from gui.files import safe_name

FILE, PYTHON, R = "dcx-code", "dcx-code-python", "dcx-code-r"


def show_code(found: TableFile) -> None:
    """Open it with the code for this table."""
    name = safe_name(found.name)
    has = {"tidy": found.tidy is not None, "about": bool(found.about)}
    set_props(PYTHON, {"children": python_code(name, **has)})
    set_props(R, {"children": r_code(name, **has)})
    set_props(FILE, {"opened": True})
