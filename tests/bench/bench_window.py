"""The window from its start to first paint and to ready, cold and warm, and what it takes while
idle: what is on the display says, not the program.

python -m tests.bench.bench_window ROOT     one start of one checkout, or of a program, on the
    display that DISPLAY names: a line of JSON
DECONOMIX_GUI_BEFORE=OTHER_CHECKOUT dev.py bench window     another state of the program side by
    side, start by start in turn
DECONOMIX_GUI_BEFORE=dist/deconomix-gui/deconomix-gui dev.py bench window     the same with the
    program as it is installed (both: with a colon between)
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE, IDLE = 180.0, 20.0
STEP = 4
"""Every fourth pixel is looked at."""


def bench(quick: bool) -> Iterator[tuple[str, float, str]]:
    if not sys.platform.startswith("linux") or shutil.which("xvfb-run") is None:
        yield "no Xvfb here", float("nan"), ""
        return
    others = [
        Path(path).resolve()
        for path in os.environ.get("DECONOMIX_GUI_BEFORE", "").split(os.pathsep)
        if path
    ]
    roots = [
        ("", ROOT),
        *((" (installed)" if other.is_file() else " (before)", other) for other in others),
    ]
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for _ in range(1 if quick else 5):
        for name, root in roots:  # in turn: these machines are noisy
            for state in ("cold", "warm"):
                if state == "warm" or forget():
                    found.setdefault((name, state), []).append(start(root))
    for (name, state), each in found.items():
        for what in ("first paint", "ready"):
            times = [one[what] for one in each]
            yield (
                f"window{name}, {state}: {what}",
                statistics.median(times),
                f"{min(times):.2f} to {max(times):.2f} s over {len(times)} starts",
            )
        if state == "warm":
            words = ", ".join(
                f"{what} {statistics.median(one[what] for one in each):.0f} MB"
                for what in ("program", "web view", "worker")
            )
            yield f"window{name}: idle memory (proportional set size)", 0.0, words


def forget() -> bool:
    """Have the system forget what it read from the disk; only an administrator may."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def start(root: Path) -> dict[str, float]:
    command = [
        "xvfb-run",
        "-a",
        "-s",
        "-screen 0 1366x900x24",
        sys.executable,
        "-m",
        "tests.bench.bench_window",
        str(root),
    ]
    return json.loads(
        subprocess.run(
            command, cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.splitlines()[-1]
    )  # type: ignore[no-any-return]


def main(root: Path) -> None:
    from PySide6.QtGui import QGuiApplication

    watching = QGuiApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as home:
        homes = dict.fromkeys(
            ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"), home
        )
        environment = {
            **os.environ,
            **homes,
            "QTWEBENGINE_DISABLE_SANDBOX": "1",
            "OMP_NUM_THREADS": "1",
        }
        began = time.perf_counter()
        command = [str(root)] if root.is_file() else [sys.executable, "-m", "desktop"]
        process = subprocess.Popen(
            command,
            cwd=ROOT if root.is_file() else root,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            found: dict[str, float] = {}
            while "ready" not in found and time.perf_counter() - began < PATIENCE:
                painted, blue = look(watching)
                if painted:
                    found.setdefault("first paint", time.perf_counter() - began)
                if blue:
                    found["ready"] = time.perf_counter() - began
                time.sleep(0.05)
            time.sleep(IDLE)
            print(json.dumps({**found, **memory(process.pid)}))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def look(watching: Any) -> tuple[bool, bool]:
    """Whether something is drawn in a window, and whether the blue button of the empty Upload page
    is there (the splash page's bar is smaller).
    """
    watching.processEvents()
    image = watching.primaryScreen().grabWindow(0).toImage()
    colours: set[int] = set()
    blue = 0
    for y in range(60, image.height(), STEP):
        for x in range(0, image.width(), STEP):
            pixel = image.pixel(x, y)
            colours.add(pixel)
            blue += (pixel & 255) > 190 and (pixel >> 16 & 255) < 110 and (pixel >> 8 & 255) < 140
    return len(colours) > 6, blue > 100


def memory(pid: int) -> dict[str, float]:
    """MB of the program, of its web view's processes and of its worker and reading process."""
    import psutil

    program = psutil.Process(pid)
    sizes = {"program": program.memory_full_info().pss / 1e6, "web view": 0.0, "worker": 0.0}
    for child in program.children(recursive=True):
        try:
            sizes["web view" if "QtWebEngine" in child.name() else "worker"] += (
                child.memory_full_info().pss / 1e6
            )
        except psutil.Error:
            continue
    return sizes


if __name__ == "__main__":
    main(Path(sys.argv[1]))
