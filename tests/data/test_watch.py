"""Reading that never ends is ended, even in compiled code that lets no other thread run."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

# a regular expression that takes years, within one call of compiled code that keeps the
# interpreter's lock
LOOP = "import re; print('begun', flush=True); re.match('(a+)+$', 'a' * 60 + 'b')"


def run(code: str, timeout: float) -> int:
    return subprocess.run(
        [sys.executable, "-c", code],
        timeout=timeout,
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
    ).returncode


def test_an_endless_loop_in_compiled_code_ends_the_process() -> None:
    began = time.monotonic()
    assert (
        run(
            f"from gui.data.readers.watchdog import watched\nwith watched([], seconds=0.5):\n    {LOOP}",
            120,
        )
        == 1
    )
    assert time.monotonic() - began < 60
    with pytest.raises(subprocess.TimeoutExpired):  # positive control: nothing else ends it
        run(LOOP, 5)


def test_a_file_that_is_read_in_time_is_not_disturbed(tmp_path: Path) -> None:
    (tmp_path / "large.csv").write_bytes(bytes(10_000_000))  # two seconds more than the half
    code = (
        "import time\nfrom pathlib import Path\nfrom gui.data.readers.watchdog import watched\npath ="
        f" Path({str(tmp_path / 'large.csv')!r})\n"
    )
    assert run(code + "with watched([path], seconds=0.5): time.sleep(1)\ntime.sleep(2)", 60) == 0
    assert run(code + "with watched([], seconds=0.5): time.sleep(2)", 60) == 1
