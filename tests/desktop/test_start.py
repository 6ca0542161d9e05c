"""The program as a user starts it: ``python -m desktop`` on a display, with its real window, server
and worker.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.window

PATIENCE = 120.0


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.2)


def colours(qapp: Any, path: Path) -> Counter[str]:
    """The colours on the whole display, the black of an empty one left out."""
    picture = qapp.primaryScreen().grabWindow(0)
    picture.save(str(path))
    image = picture.toImage()
    found = Counter(
        image.pixelColor(x, y).name()
        for x in range(0, image.width(), 4)
        for y in range(0, image.height(), 4)
    )
    del found["#000000"]
    return found


def ended(process: subprocess.Popen[str], children: list[psutil.Process]) -> None:
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []


def test_program_starts_shows_its_page_and_ends_without_orphans(
    start: Any, qapp: Any, tmp_path: Path
) -> None:
    process = start()
    # a page has text and a frame; a window that is still blank has one colour only
    wait_until(lambda: len(colours(qapp, tmp_path / "started.png")) > 20, process)
    children = family(process)
    assert any(
        "deconomix" in " ".join(child.cmdline()).lower() or "spawn" in " ".join(child.cmdline())
        for child in children
    )
    assert any("QtWebEngine" in child.name() for child in children)
    process.send_signal(signal.SIGTERM)
    ended(process, children)


def test_program_told_to_end_while_it_starts_ends(start: Any) -> None:
    process = start()
    wait_until(lambda: bool(family(process)), process)
    children = family(process)
    process.send_signal(signal.SIGTERM)
    ended(process, children)


def test_program_told_to_end_as_the_window_appears_ends(start: Any) -> None:
    """The toolkit waits for answers of a page that is gone by then: it must not keep the program
    alive.
    """
    process = start()
    wait_until(lambda: any("QtWebEngine" in child.name() for child in family(process)), process)
    children = family(process)
    process.send_signal(signal.SIGTERM)
    ended(process, children)
