"""How much memory a step needs and whether it is there: a sentence instead of a process killed by the system."""

from __future__ import annotations

import contextlib
from pathlib import Path

from gui.errors import InvalidParameter

GB = 1e9


def available_memory() -> int | None:
    """Bytes that can be taken without swapping, or None where this cannot be known. A container's limit counts too."""
    import psutil

    found: list[int] = []
    with contextlib.suppress(OSError, psutil.Error):
        found.append(int(psutil.virtual_memory().available))
    with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
        group = Path("/sys/fs/cgroup")
        found.append(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    return max(0, min(found)) if found else None


def need_memory(needed: float, doing: str, advice: str) -> None:
    """InvalidParameter, with the gigabytes and what to lower, if ``needed`` bytes are not free."""
    free = available_memory()
    if free is not None and needed > free:
        raise InvalidParameter(f"{doing} needs about {needed / GB:.1f} GB of memory, but only {free / GB:.1f} GB are free.", advice=advice)
