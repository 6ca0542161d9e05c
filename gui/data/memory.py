"""How much memory is free: of the computer, of the groups (containers) that this process is in, and
of what it may take itself.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_UNLIMITED = 2**60
"""Limits above it are none: the older kind of groups says so with a number close to the largest
there is.
"""


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that can be taken without swapping, or None where this cannot be known.

    The limit of each group counts that this process is in, of version 1 or 2, and of those around
    it. root : where /proc and /sys are
    """
    import psutil

    found = [*_of_groups(root), *_of_this_process()]
    with contextlib.suppress(OSError, psutil.Error):
        found.append(int(psutil.virtual_memory().available))
    return max(0, min(found)) if found else None


def _of_this_process() -> Iterator[int]:
    """What is left of the address space that this process may take (see
    :mod:`gui.data.readers.watchdog`).
    """
    if sys.platform == "win32":
        return
    import resource

    import psutil

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        with contextlib.suppress(psutil.Error):
            yield int(limit - psutil.Process().memory_info().vms)


def _of_groups(root: Path) -> Iterator[int]:
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except (OSError, ValueError):
        lines = ["0::/", "0:memory:/"]  # what is mounted counts anyway
    top = root / "sys/fs/cgroup"
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":  # version 2: one tree; beside version 1 it lies below
            for mount in (top, top / "unified"):
                yield from _around(
                    mount, path, ("memory.max", "memory.high"), "memory.current", "inactive_file"
                )
        elif "memory" in controllers.split(","):
            for mount in (top / "memory", top / controllers):
                yield from _around(
                    mount,
                    path,
                    ("memory.limit_in_bytes",),
                    "memory.usage_in_bytes",
                    "total_inactive_file",
                )


def _around(
    mount: Path, path: str, limits: tuple[str, ...], usage: str, cached: str
) -> Iterator[int]:
    """Of a group and all around it.

    Inside of a container its own group is often the top of what is mounted, whatever its path says.
    """
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..", ".")]
    for count in range(len(parts), -1, -1):
        yield from _of_group(mount.joinpath(*parts[:count]), limits, usage, cached)


def _of_group(group: Path, limits: tuple[str, ...], usage: str, cached: str) -> Iterator[int]:
    """Limit less use.

    What is only kept of files that were read is given up when it is needed, and does not count as
    used.
    """
    for name in limits:
        with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
            limit = int((group / name).read_text())
            if limit < _UNLIMITED:
                used = int((group / usage).read_text())
                yield limit - max(0, used - _cached(group, cached))


def _cached(group: Path, key: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in (group / "memory.stat").read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == key:
                return int(value)
    return 0
