"""What the installers say the program is: names, version, file type.

One place for the recipe, the three systems and their tests.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "DeconomiX GUI"
PACKAGE = "deconomix-gui"
"""Of the command, the folder, the .deb."""
IDENTIFIER = "org.deconomix.gui"
"""Of the program, to desktops and to macOS."""
PUBLISHER = "The DeconomiX GUI developers"
SUMMARY = "Cell types, hidden background and gene regulation in bulk tissue"
COPYRIGHT = "GPL-3.0-or-later. For research use only."
MIME = "application/x-dcxsession"
SUFFIX = ".dcxsession"
FILE_TYPE = "DeconomiX session"
ICONS = ROOT / "packaging" / "icons"
BUNDLE = ROOT / "dist" / PACKAGE
"""The program as PyInstaller puts it together; on macOS beside it the .app made from it."""


def version() -> str:
    """The program's own, read from the source: nothing of it has to be importable."""
    found = re.search(
        r'^__version__ = "([^"]+)"', (ROOT / "gui" / "__init__.py").read_text("utf-8"), re.MULTILINE
    )
    assert found, "gui/__init__.py says the version"
    return found[1]


def numbers(text: str) -> tuple[int, int, int, int]:
    """Of a version, as Windows wants it: 1.2.3rc1 is (1, 2, 3, 0)."""
    found = [int(part) for part in re.findall(r"\d+", re.split(r"[a-z+-]", text)[0])]
    first, second, third, *_ = *found, 0, 0, 0
    return first, second, third, 0


def machine() -> str:
    """What the file names say: linux-x86_64, windows-x86_64, macos-arm64."""
    import platform

    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
    kind = platform.machine().lower()
    return f"{system}-{'x86_64' if kind in ('amd64', 'x86_64') else kind}"
