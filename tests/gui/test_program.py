"""The running program can be used without a screen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ALONE = """
import sys
from pathlib import Path

from gui.config import Config
from gui.data.example import make_example
from gui.program import Program
from gui.sessions.manager import LOCAL


class NoFiles:
    native = True


program = Program(Config.for_tests(Path(sys.argv[1])), NoFiles())
session = program.sessions.create_session("Alone", actor=LOCAL)
session.set_dataset(make_example().dataset, keep_runs=False)
program.inbox.open_later([Path(sys.argv[2])])
print(program.uploads.offers, program.running_jobs(), program.stop())
print(sorted({"dash", "flask", "plotly", "torch", "PySide6"} & sys.modules.keys()))
"""


def test_the_program_runs_without_dash_and_flask(tmp_path: Path) -> None:
    given = tmp_path / "given.csv"
    given.write_text("gene,s1\ng1,1\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path / "data"), str(given)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["True 0 None", "[]"]
