"""No memory of the program is written to disk when it crashes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")

SAY = """
import contextlib, ctypes, json, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)

def say():
    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) if sys.platform == "linux" else None
    print(json.dumps([resource.getrlimit(resource.RLIMIT_CORE), dumpable]))

def command(*words):
    from desktop.cli import main
    with contextlib.redirect_stdout(None), contextlib.suppress(SystemExit):
        main([*words, "--help"])

say()
{what}
say()
"""
LINUX = sys.platform == "linux"


@pytest.mark.parametrize(
    ("what", "whole"),
    [
        ("command('serve')", True),
        ("command()", False),  # the window: its web view needs /proc
        # every process that computes or reads
        ("from gui.jobs.worker import begin; begin()", True),
    ],
    ids=["server", "window", "worker"],
)
def test_server_window_and_workers_write_no_core_dumps(what: str, whole: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAY.replace("{what}", what)],
        capture_output=True,
        text=True,
        check=True,
    )
    before, after = map(json.loads, done.stdout.splitlines())
    assert after == [[0, 0], (0 if whole else 1) if LINUX else None]
    assert before[1] == (1 if LINUX else None)  # the control


def test_the_reading_process_is_seen_by_the_server_all_the_same() -> None:
    """Its memory is asked for by whoever started it."""
    import psutil

    script = (
        "import sys; from gui.core_dumps import forbid_core_dumps; forbid_core_dumps();"
        " print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        found = psutil.Process(child.pid)
        assert found in psutil.Process().children()
        assert found.memory_info().rss > 1_000_000
        assert found.cpu_times().user >= 0
        child.kill()
