"""Managers on folders of their own, and passwords that cost little."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import disk_usage
from typing import Any

import pytest

from gui.sessions.crypto import SessionKey
from gui.sessions.manager import LOCAL, SessionCacheManager
from tests.sessions.samples import CHEAP, Managers

MEMORY = Path("/dev/shm")
"""The RAM disk of Linux."""


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory, where the system has one: these tests write thousands of files."""
    if not has_memory_folder():
        yield tmp_path_factory.mktemp("sessions")
        return
    with tempfile.TemporaryDirectory(prefix="dcx-", dir=MEMORY, ignore_cleanup_errors=True) as made:
        folder = Path(made) / "test"
        folder.mkdir(mode=0o700)
        yield folder


def has_memory_folder() -> bool:
    """Whether there is a RAM disk with room; containers often have one of 64 MB."""
    return MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and disk_usage(MEMORY).free > 2**30


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Managers]:
    """A manager on the same folder each time, as a restart of the program gives."""
    made: list[SessionCacheManager] = []

    def new(folder: Path | None = None, **options: Any) -> SessionCacheManager:
        made.append(SessionCacheManager(folder or tmp_path, **options))
        return made[-1]

    yield new
    for manager in made:
        manager.close(actor=LOCAL, timeout=20)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turning a password into a key costs a millisecond and not half a second; what it costs in
    earnest, test_crypto.py says.
    """
    make_cheap(monkeypatch)


def make_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What :func:`cheap` does, for fixtures of a wider scope."""
    for method in (SessionKey.new.__func__, SessionKey.rewrapped):  # type: ignore[attr-defined]
        monkeypatch.setitem(method.__kwdefaults__, "cost", CHEAP)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root on Linux")
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        ).returncode
        != 0
    ):
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
