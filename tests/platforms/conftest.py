"""Other systems' behaviour, for tests on this one."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from gui import atomic
from tests.platforms.windows_files import windows_files as as_on_windows


@pytest.fixture
def windows_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process sees its files as on Windows; trying again takes no time."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the stand-in for Windows asks Linux which files are open")
    monkeypatch.setattr(atomic.time, "sleep", lambda _seconds: None)
    with as_on_windows():
        yield
