"""Where the files that come with the program lie: icons, style sheet, help texts, default
configuration.
"""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath

_HERE = Path(__file__).resolve().parent


def _roots() -> list[Path]:
    """A bundle (PyInstaller), an installed wheel, a source checkout: in this order."""
    bundle = getattr(sys, "_MEIPASS", None)
    found = [Path(bundle) / "resources"] if bundle else []
    return [*found, _HERE / "_resources", _HERE.parent / "resources"]


def resource(name: str) -> Path:
    """The file or folder ``name`` ("default_config.toml", "icons/app.svg"; always with forward
    slashes).

    Raises ValueError for a name that leads out of the resources, FileNotFoundError where it is not
    there.
    """
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts or "\\" in name or ":" in name:
        raise ValueError(f"not the name of a resource: {name!r}")
    for root in _roots():
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError(f"The program's own file {name} is missing; install the program again.")
