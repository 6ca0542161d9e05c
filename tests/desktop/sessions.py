"""Session files for tests that start whole programs."""

from __future__ import annotations

from pathlib import Path

from gui.app import create_app
from gui.config import Config
from gui.data.example import make_example
from gui.sessions.manager import LOCAL


def session_files(folder: Path, number: int) -> list[Path]:
    """``number`` sessions with the example's data, exported from a program of their own."""
    folder.mkdir()
    application = create_app(Config.for_tests(folder))
    try:
        paths = []
        for i in range(number):
            session = application.sessions.create_session(f"Given {i}", actor=LOCAL)
            session.set_dataset(make_example().dataset, keep_runs=False)
            exported = application.sessions.export_session(session.session_id, actor=LOCAL)
            paths.append(folder / f"given {i}.dcxsession")
            paths[-1].write_bytes(exported.data)
        return paths
    finally:
        application.stop()
