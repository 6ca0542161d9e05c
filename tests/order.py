"""Which tests begin first, and which share a process.

``dev.py test`` runs files side by side. What takes longest begins first, or at the end one process
would work while the others wait. ``tests/seconds.tsv`` says what takes how long; it need not be
exact. On a quiet machine this writes it anew::

    DECONOMIX_GUI_SECONDS=1 python3 dev.py test
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "seconds.tsv"
RENEW = "DECONOMIX_GUI_SECONDS"
SHORT = 10.0
"""Seconds: files that take less are not in the table."""
ON_SCREEN = (
    "tests/desktop/test_app_in_window.py",
    "tests/desktop/test_instance.py",
    "tests/desktop/test_main_job_in_window.py",
    "tests/desktop/test_program_in_window.py",
    "tests/desktop/test_start.py",
    "tests/desktop/test_window.py",
    "tests/endurance/",
)
"""What needs the screen, which has one focus."""


def scope_of(nodeid: str) -> str:
    """What is tested in one process: a file, or all that needs the screen."""
    file = nodeid.split("::", 1)[0]
    return "screen" if file.startswith(ON_SCREEN) else file


def longest_first(items: list[pytest.Item]) -> None:
    """Sort the tests; those of one file, and files that are not in the table, keep their order."""
    total: dict[str, float] = {}
    for file, took in seconds().items():
        total[scope_of(file)] = total.get(scope_of(file), 0.0) + took
    items.sort(key=lambda item: (_room(item.nodeid), -total.get(scope_of(item.nodeid), 0.0)))


def _room(nodeid: str) -> int:
    """The screen comes first, then the browser: its tests share one, which ends where another room
    begins.
    """
    return 0 if scope_of(nodeid) == "screen" else 1 if nodeid.startswith("tests/browser/") else 2


def seconds(table: Path = TABLE) -> dict[str, float]:
    """File -> seconds, as recorded."""
    if not table.is_file():
        return {}
    lines = table.read_text("utf-8").splitlines()
    return {file: float(took) for took, file in (line.split("\t") for line in lines)}


def renew(reports: Iterable[Any], table: Path = TABLE) -> None:
    """Write the table with what these reports of pytest tell; files that did not run keep what
    they had, and those that are gone or take a moment are left out.
    """
    took: dict[str, float] = {}
    for report in reports:
        if hasattr(report, "duration") and hasattr(report, "nodeid"):
            file = report.nodeid.split("::", 1)[0]
            took[file] = took.get(file, 0.0) + report.duration
    found = {
        f: s for f, s in (seconds(table) | took).items() if s >= SHORT and (ROOT / f).is_file()
    }
    lines = [f"{took:.0f}\t{file}\n" for file, took in sorted(found.items(), key=lambda x: -x[1])]
    table.write_text("".join(lines), "utf-8")
