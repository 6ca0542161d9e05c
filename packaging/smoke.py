"""Does an installed program open a session file in its window?  ``python smoke.py PROGRAM``.
    Standard library only: no Python package is there yet.

Starts the program with folders of its own and a session file whose name has blanks and umlauts;
waits until its log says that the page is shown and the session lies among its own. Exit code 0, or
1 with the end of the log.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SESSION = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "session-1.2.dcxsession"
PATIENCE = 180
SHOWN = "the page is shown"
"""The program writes it into its log."""


def main() -> int:
    program = sys.argv[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        given = Path(folder) / "Größe 2 µm.dcxsession"
        shutil.copyfile(SESSION, given)
        config = Path(folder) / "config.toml"
        data, logs = Path(folder) / "data", Path(folder) / "logs"
        config.write_text(
            f"[folders]\ndata = '{data.as_posix()}'\nlogs = '{logs.as_posix()}'\n", "utf-8"
        )
        process = subprocess.Popen(
            [program, str(given)], env={**os.environ, "DECONOMIX_GUI_CONFIG": str(config)}
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while process.poll() is None and time.monotonic() < deadline:
                if SHOWN in written(logs) and list(data.rglob("*.dcxsession")):
                    print("The window shows the session.")
                    return 0
                time.sleep(0.5)
            print(
                "It did not come, the program has"
                f" {'ended' if process.poll() is not None else 'not ended'}. The end of its"
                f" log:\n{written(logs)[-3000:]}"
            )
            return 1
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def written(logs: Path) -> str:
    return "".join(path.read_text("utf-8", errors="replace") for path in logs.rglob("*.log"))


if __name__ == "__main__":
    sys.exit(main())
