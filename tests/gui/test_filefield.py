"""Choosing files: one token in the Store, or a list of them where a field takes several; one that
fails stops none of the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.errors import UnreadableFile
from gui.files import FileKind, Uploads

BASE = "http://127.0.0.1:8050"
CHOOSING = """
from dash import html
from gui.components.file_field import FileField
from gui.files import CSV
from gui.plugin import Page

page = Page("choosing", "Choosing", "asks for files")
ONE = FileField(page, "one", (CSV,), title="One file")
MANY = FileField(page, "many", (CSV,), title="Many files", multiple=True)
ONE.bind()
MANY.bind()

@page.layout
def layout(ctx):
    return html.Div([ONE.layout(ctx), MANY.layout(ctx)])
"""


class Window:
    """The window's dialogs, answered with ``chosen``."""

    native = True

    def __init__(self, chosen: Sequence[Path]) -> None:
        self.chosen, self.asked = list(chosen), []

    def open(self, kinds: Sequence[FileKind], *, title: str, multiple: bool = False) -> list[Path]:
        self.asked.append((title, multiple))
        return self.chosen

    def save(self, name: str, data: bytes, kind: FileKind) -> str | None:
        raise AssertionError

    def save_all(self, items: Sequence[tuple[str, bytes]], kind: FileKind) -> str | None:
        raise AssertionError


@pytest.fixture
def start(tmp_path: Path, open_tab: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    started: list[Application] = []

    def go(files: Any = None) -> Any:
        config = Config.for_tests(tmp_path)
        (config.plugins_folder / "choosing.py").write_text(CHOOSING, encoding="utf-8")
        started.append(create_app(config, files))
        tab = open_tab(started[-1])
        tab.go("choosing")
        return tab

    yield go
    for application in started:
        application.stop()


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    found = [tmp_path / f"{n}.csv" for n in range(3)]
    for path in found:
        path.write_text(path.name)
    return found


def chosen(tab: Any, field: str) -> list[str]:
    """The names of the files behind what the Store holds."""
    tokens = tab.get(f"choosing-{field}-token", "data")
    assert isinstance(tokens, list) == (field == "many")
    return [
        tab.application.uploads.get(t).path.read_text()
        for t in (tokens if isinstance(tokens, list) else [tokens])
    ]


def sent(tab: Any, name: str) -> dict[str, Any]:
    """What the page's script does with one file."""
    headers = {"Origin": BASE}
    return dict(
        tab.client.post(
            f"/_dcx/upload?name={name}", data=BytesIO(name.encode()), base_url=BASE, headers=headers
        ).json
    )


def test_the_dialog_of_the_window_gives_several_files_or_one(
    start: Callable[..., Any], paths: list[Path]
) -> None:
    window = Window(paths)
    tab = start(window)
    tab.click("choosing-many-choose")
    assert chosen(tab, "many") == ["0.csv", "1.csv", "2.csv"]
    tab.click("choosing-one-choose")
    assert chosen(tab, "one") == ["0.csv"]
    assert window.asked == [("Many files", True), ("One file", False)]


def test_files_sent_by_a_browser_arrive_together_and_a_failed_one_is_said(
    start: Callable[..., Any],
) -> None:
    tab = start()
    files = [sent(tab, "a.csv"), {"error": "b.csv could not be read."}, sent(tab, "c.csv")]
    tab.set({("choosing-many-arrived", "data"): {"files": files, "at": 1}})
    assert chosen(tab, "many") == ["a.csv", "c.csv"]
    assert tab.notices == ["b.csv could not be read."]
    tab.set({("choosing-one-arrived", "data"): {**sent(tab, "d.csv"), "at": 1}})
    assert chosen(tab, "one") == ["d.csv"]


def test_a_typed_path_is_a_list_of_one_and_a_wrong_one_changes_nothing(
    start: Callable[..., Any], paths: list[Path], tmp_path: Path
) -> None:
    tab = start()
    for text in (str(paths[1]), str(tmp_path / "gone.csv"), "relative.csv"):
        tab.set(
            {
                ("choosing-many-path", "value"): text,
                ("choosing-many-path", "n_submit"): time.monotonic_ns(),
            }
        )
        assert chosen(tab, "many") == ["1.csv"]
    assert len(tab.notices) == 2


def test_only_a_field_for_several_lets_the_browser_choose_several(
    start: Callable[..., Any],
) -> None:
    tab = start()
    assert tab.get("choosing-many-choose", "data-multiple") == "true"
    assert tab.get("choosing-one-choose", "data-multiple") == ""


def test_files_that_lie_where_the_user_keeps_them_are_never_moved(tmp_path: Path) -> None:
    uploads = Uploads()
    paths = [tmp_path / name for name in ("matrix.mtx", "barcodes.tsv")]
    for path in paths:
        path.write_text("x")
    with pytest.raises(ValueError, match="only what was uploaded"):
        uploads.together([uploads.adopt(path).token for path in paths])
    assert all(path.is_file() for path in paths)
    sent = [uploads.receive(path.name, [b"x"], limit=10).token for path in paths]
    folder = uploads.together(sent).path  # the control: what was uploaded is
    assert {path.name for path in folder.iterdir()} == {"matrix.mtx", "barcodes.tsv"}
    uploads.close()
    assert not folder.exists()


def test_of_files_that_go_together_none_is_kept_if_one_failed(start: Callable[..., Any]) -> None:
    tab = start()
    first = sent(tab, "a.csv")
    tab.set(
        {
            ("choosing-one-arrived", "data"): {
                "files": [first, {"error": "b.csv could not be read."}],
                "at": 1,
            }
        }
    )
    assert tab.notices == ["b.csv could not be read."]
    with pytest.raises(UnreadableFile):
        tab.application.uploads.get(first["token"])
