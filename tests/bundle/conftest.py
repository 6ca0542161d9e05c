"""The program as ``dev.py bundle`` built it, started as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.bundle.window import Page, free_port
from tests.desktop.conftest import environment, programs

__all__ = ["environment"]
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "packaging"), str(ROOT / "packaging" / "windows")]


@pytest.fixture(scope="session")
def built() -> Path:
    """The program's own file. DECONOMIX_GUI_PROGRAM names another one than dist/ holds."""
    path = Path(
        os.environ.get("DECONOMIX_GUI_PROGRAM") or ROOT / "dist" / "deconomix-gui" / "deconomix-gui"
    )
    if not path.is_file():
        pytest.skip("no program was built: python3 dev.py bundle")
    return path


@pytest.fixture
def start(
    built: Path, environment: dict[str, str]
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start it with nothing of the developer's Python around it."""
    plain = {
        name: value
        for name, value in environment.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV", "QT_"))
    }
    with programs(
        {**plain, "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}, [str(built)]
    ) as started:
        yield started


@pytest.fixture
def window(
    built: Path, environment: dict[str, str], qapp: object
) -> Iterator[Callable[..., tuple[subprocess.Popen[str], Page]]]:
    """Start it and look at its page: ``process, page = window(*arguments)``."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the web views of the other systems have no such port")
    port = free_port()
    plain = {
        name: value
        for name, value in environment.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV", "QT_"))
    }
    plain |= {
        "PATH": "/usr/bin:/bin",
        "OMP_NUM_THREADS": "1",
        "QTWEBENGINE_REMOTE_DEBUGGING": f"127.0.0.1:{port}",
    }
    with programs(plain, [str(built)]) as started:

        def open_(*arguments: str) -> tuple[subprocess.Popen[str], Page]:
            process = started(*arguments)
            return process, Page(process, port)

        yield open_


def close(process: subprocess.Popen[str]) -> None:
    """End it as the system does; nothing of it may stay."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert psutil.wait_procs(family, timeout=60)[1] == []
