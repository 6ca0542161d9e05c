"""Other systems' behaviour, for tests on this one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from gui import atomic
from tests.platforms.windows_files import windows_files as as_on_windows


@pytest.fixture
def windows_files() -> Iterator[None]:
    """This process sees its files as on Windows; trying again takes no time.

    It has patches of its own: those of the test, made later, are then taken back before it ends.
    Taken back after it, they would leave a part of Windows behind for every later test.
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("the stand-in for Windows asks Linux which files are open")
    before = atomic.WINDOWS, os.mkdir, os.unlink, os.replace
    with pytest.MonkeyPatch.context() as patch, as_on_windows():
        patch.setattr(atomic.time, "sleep", lambda _seconds: None)
        yield
    assert (atomic.WINDOWS, os.mkdir, os.unlink, os.replace) == before
