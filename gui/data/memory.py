"""How much memory is free."""

from __future__ import annotations

import contextlib
from pathlib import Path


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
