"""How many heaps glibc keeps for the threads of the program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop import start
from desktop.cli import serve

THREADS = """
import ctypes, re, sys, threading
from desktop.start import few_heaps

if sys.argv[1] == "few":
    few_heaps()
libc = ctypes.CDLL(None)
libc.fopen.restype = libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(8)

def allocate():
    together.wait()
    libc.malloc(1000)

threads = [threading.Thread(target=allocate) for _ in range(8)]
[each.start() for each in threads]
[each.join() for each in threads]
file = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is there on Linux only")
def test_the_threads_share_two_heaps(tmp_path: Path) -> None:
    found = {}
    for how in ("few", "many"):  # many: the control
        told = tmp_path / how
        subprocess.run([sys.executable, "-c", THREADS, how, str(told)], check=True)
        found[how] = told.read_text("utf-8").count("<heap nr=")
    assert found["few"] <= 2 < found["many"]


class Called(BaseException):
    """Nothing on the way catches it."""


def called() -> None:
    """Take the place of ``few_heaps``."""
    raise Called


def test_server_and_window_have_few_heaps_before_they_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Heaps that are there already are not given up."""
    monkeypatch.setattr("desktop.server.few_heaps", called)
    monkeypatch.setattr("desktop.start.few_heaps", called)
    monkeypatch.setattr("desktop.cli.running", lambda config: pytest.fail("it has begun"))
    with pytest.raises(Called):
        serve([])
    window = object.__new__(start.Start)
    window._rendering = "hardware"
    with pytest.raises(Called):
        window.run()
