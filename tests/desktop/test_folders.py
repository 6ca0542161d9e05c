"""Dialogs begin in the folder that was used last for the same kind of file, also at the next start.

The window is a stand-in.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from desktop.dialogs import NativeFiles
from gui.files import CSV, EXPRESSION, SESSION
from gui.settings import SettingsStore


class Window:
    """As pywebview's: answers each dialog with the next of ``answers`` and notes where it began."""

    def __init__(self) -> None:
        self.localization: dict[str, str] = {}
        self.answers: list[tuple[str, ...]] = []
        self.began: list[str] = []

    def create_file_dialog(self, dialog: int, *, directory: str, **options: Any) -> tuple[str, ...]:
        self.began.append(directory)
        return self.answers.pop(0)


def test_every_kind_of_file_has_its_folder_and_keeps_it(tmp_path: Path) -> None:
    data, tables = tmp_path / "data", tmp_path / "tables"
    for folder in (data, tables):
        folder.mkdir()
    (data / "cells.h5ad").write_bytes(b"1")
    store = tmp_path / "settings.json"
    window, files = Window(), NativeFiles(SettingsStore(store))
    files.attach(window)
    window.answers = [(str(data / "cells.h5ad"),), (str(tables / "weights.csv"),), (), (), ()]
    assert files.open([EXPRESSION], title="Data") == [data / "cells.h5ad"]
    assert files.save("weights", b"a,b\n", CSV)
    files.open([EXPRESSION], title="Data")
    files.save("weights", b"a,b\n", CSV)
    files.open([SESSION], title="A kind that was never asked for")
    assert window.began[1:] == [str(data), str(data), str(tables), str(tables)]
    again = NativeFiles(SettingsStore(store))
    again.attach(window)
    window.answers = [(), ()]
    again.open([EXPRESSION], title="Data")
    again.save("weights", b"", CSV)
    assert window.began[-2:] == [str(data), str(tables)]
    assert SettingsStore(store).get().recent == (str(data / "cells.h5ad"),)


def test_a_folder_that_is_gone_is_not_asked_for(tmp_path: Path) -> None:
    settings: Any = SimpleNamespace(
        get=lambda: SimpleNamespace(folders={"CSV table": str(tmp_path / "gone")})
    )
    window, files = Window(), NativeFiles(settings)
    files.attach(window)
    window.answers = [()]
    assert files.save("weights", b"", CSV) is None
    assert window.began == [""]
