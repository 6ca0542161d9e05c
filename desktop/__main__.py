"""Entry point: ``python -m desktop``, the bundle and the command ``deconomix-gui``.

Every worker imports this module again (spawn): nothing heavy here, and nothing at module level but
the streams.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence


def _mend_streams() -> None:
    """A windowed build has no stdout and stderr: whoever writes there (tqdm does) would crash."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            # a path must not crash on a narrow code page
            stream.reconfigure(errors="backslashreplace")


_mend_streams()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    multiprocessing.freeze_support()
    from desktop.cli import main as run

    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
