"""What has to be imported before the window can open, each in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator


def bench(quick: bool) -> Iterator[tuple[str, float, str]]:
    for what in ("desktop.cli", "gui.app", "gui.cli.analyze"):
        best, megabytes = float("inf"), 0.0
        for _ in range(1 if quick else 3):
            began = time.perf_counter()
            code = f"import {what}, psutil; print(psutil.Process().memory_info().rss / 1e6)"
            megabytes = float(
                subprocess.run(
                    [sys.executable, "-c", code], check=True, capture_output=True, text=True
                ).stdout
            )
            best = min(best, time.perf_counter() - began)
        yield f"import {what}", best, f"{megabytes:.0f} MB resident"
