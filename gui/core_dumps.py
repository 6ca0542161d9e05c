"""No core dumps: after a crash the memory of this process, with passwords and what they protect,
would lie on the disk in clear.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

_PR_SET_DUMPABLE = 4


def forbid_core_dumps(*, whole: bool = True) -> None:
    """For this process, from now on; processes that it starts write none either.

    Does nothing where the system has no such limit (Windows).

    whole : on Linux also for systems that hand dumps to a program whatever the limit is. Other
    users' programs cannot look into the process then,
        and neither can those of the same user; a process that this one starts by exec has to say so
        itself. The window does without:
        the sandbox of its web view needs to write to its own files in /proc.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if whole and sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
