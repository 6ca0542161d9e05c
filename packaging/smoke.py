"""Does an installed program open a session file in its window?  ``python smoke.py PROGRAM``.
    Standard library only: no Python package is there yet.

Starts the program with folders of its own and a session file whose name has blanks and umlauts;
waits until its log says that the page is shown and the session lies among its own. Exit code 0, or
1 with the end of the log.

    --data FOLDER     where sessions go, such as a share
    --second-start    Windows: another window is in front, then a second start is made
    --quit            macOS: Quit by AppleScript, twice; no instance file is left
    --pictures FOLDER macOS: pictures of the screen
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SESSION = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "session-1.2.dcxsession"
PATIENCE, A_MOMENT = 180, 30
SHOWN = "the page is shown"
"""The program writes it into its log."""
QUIT = 'tell application id "org.deconomix.gui" to quit'
STATE = Path.home() / "Library" / "Application Support" / "DeconomiX GUI"
"""Of the running instance, on macOS."""


@dataclass
class Started:
    process: subprocess.Popen[bytes]
    program: str
    data: Path
    logs: Path
    environment: dict[str, str]

    @property
    def log(self) -> str:
        return "".join(
            path.read_text("utf-8", errors="replace") for path in self.logs.rglob("*.log")
        )

    def is_shown(self) -> bool:
        return SHOWN in self.log and any(self.data.rglob("*.dcxsession"))


def main() -> int:
    cli = argparse.ArgumentParser()
    cli.add_argument("program")
    cli.add_argument("--data", type=Path)
    cli.add_argument("--second-start", action="store_true")
    cli.add_argument("--quit", action="store_true")
    cli.add_argument("--pictures", type=Path)
    asked = cli.parse_args()
    for _ in range(2 if asked.quit else 1):
        with started(asked.program, asked.data) as program:
            if not until(lambda p=program: p.is_shown() or p.process.poll() is not None, PATIENCE):
                return failed("It did not come", program)
            if program.process.poll() is not None:
                return failed("It has ended", program)
            print("The window shows the session.")
            if asked.pictures:
                asked.pictures.mkdir(parents=True, exist_ok=True)
                picture = asked.pictures / f"window-{time.time():.0f}.png"
                subprocess.run(["screencapture", "-x", str(picture)], check=False)
            if asked.second_start and not comes_to_front(program):
                return failed("The window stayed behind", program)
            if asked.quit and not quits(program):
                return failed("Quit was not an end", program)
    return 0


@contextmanager
def started(program: str, data: Path | None = None) -> Iterator[Started]:
    """The program, shown with a session file; ended in the end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        given = Path(folder) / "Größe 2 µm.dcxsession"
        shutil.copyfile(SESSION, given)
        config = Path(folder) / "config.toml"
        data, logs = data or Path(folder) / "data", Path(folder) / "logs"
        config.write_text(
            f"[folders]\ndata = '{data.as_posix()}'\nlogs = '{logs.as_posix()}'\n", "utf-8"
        )
        environment = {**os.environ, "DECONOMIX_GUI_CONFIG": str(config)}
        process = subprocess.Popen([program, str(given)], env=environment)
        try:
            yield Started(process, program, data, logs, environment)
        finally:
            process.terminate()
            try:
                process.wait(A_MOMENT)
            except subprocess.TimeoutExpired:
                process.kill()


def until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.5)
    return condition()


def failed(words: str, program: Started) -> int:
    print(f"{words}. The end of its log:\n{program.log[-3000:]}")
    return 1


def comes_to_front(program: Started) -> bool:
    """Whether a second start puts the first one's window before another one. Windows only."""
    import ctypes

    user32 = ctypes.windll.user32  # type: ignore[attr-defined,unused-ignore]

    def in_front() -> int:
        process = ctypes.c_ulong()
        user32.GetWindowThreadProcessId(user32.GetForegroundWindow(), ctypes.byref(process))
        return process.value

    other = subprocess.Popen(["notepad.exe"])
    try:
        if not until(lambda: in_front() not in (0, program.process.pid), A_MOMENT):
            print("No other window came to the front.")
            return False
        subprocess.run([program.program], env=program.environment, timeout=60, check=True)
        return until(lambda: in_front() == program.process.pid, A_MOMENT)
    finally:
        other.terminate()


def quits(program: Started) -> bool:
    """Whether Quit is an ordinary end: exit code 0, no instance file. macOS only."""
    subprocess.run(["osascript", "-e", QUIT], timeout=60, check=False)
    try:
        code = program.process.wait(60)
    except subprocess.TimeoutExpired:
        return False
    left = [path.name for path in STATE.glob("instance-*.json")]
    print(f"Quit: exit code {code}, instance files {left}")
    return code == 0 and not left


if __name__ == "__main__":
    sys.exit(main())
