"""The native window on a page as strict as ours: what pywebview and Qt must keep doing for us."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from desktop.dialogs import NativeFiles
from gui.files import CSV, SVG, FileKind

pytestmark = pytest.mark.window

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; frame-ancestors 'none'"
)
PAGE = (
    b"<!doctype html><title>double</title><body style='margin:0;background:#0a7d5a;color:#fff'><h1"
    b" id=head>Compositions</h1><script src=/page.js></script>"
)
SCRIPT = (
    b"document.body.dataset.ran = 'yes'; try { eval('1'); document.body.dataset.eval = 'allowed' }"
    b" catch (e) { document.body.dataset.eval = 'refused' }"
)


def double(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """One page under the same kind of policy as the program's."""
    kind, body = (
        ("text/javascript", SCRIPT) if environ["PATH_INFO"] == "/page.js" else ("text/html", PAGE)
    )
    start_response("200 OK", [("Content-Type", kind), ("Content-Security-Policy", POLICY)])
    return [body]


@pytest.fixture
def files(tmp_path: Path) -> NativeFiles:
    files = NativeFiles()
    files._folders[""] = tmp_path
    return files


@pytest.fixture
def page(serving: Any, open_window: Any, files: NativeFiles) -> Any:
    with serving(double) as server:
        yield open_window(server.url, files)


def test_page_runs_under_a_policy_without_eval_and_still_answers(page: Any, tmp_path: Path) -> None:
    page.wait_js("document.body.dataset.ran === 'yes'")
    assert page.run_js("document.body.dataset.eval") == "refused"
    assert page.run_js("6 * 7") == 42
    assert page.json("{title: document.title, list: [1, null]}") == {
        "title": "double",
        "list": [1, None],
    }


def test_window_has_the_size_and_title_of_the_program_and_paints(page: Any, tmp_path: Path) -> None:
    from PySide6.QtGui import QImage

    page.wait_js("document.body.dataset.ran === 'yes'")
    assert page.view.windowTitle() == "DeconomiX"
    assert (page.view.minimumWidth(), page.view.minimumHeight()) == (1024, 640)
    page.resize(1280, 720)
    picture = QImage(str(page.screenshot(tmp_path / "window.png")))
    assert picture.pixelColor(picture.width() // 2, picture.height() - 20).name() == "#0a7d5a"


def test_text_in_the_page_can_be_selected(page: Any) -> None:
    page.wait_js("document.body.dataset.ran === 'yes'")
    assert page.run_js("getComputedStyle(document.querySelector('#head')).userSelect") in (
        "auto",
        "text",
    )


def test_storage_is_gone_with_the_window(serving: Any, open_window: Any) -> None:
    with serving(double) as server:
        first = open_window(server.url)
        first.wait_js("document.body.dataset.ran === 'yes'")
        first.run_js("document.cookie = 'left=behind'; localStorage.setItem('left', 'behind'); 1")
        assert "left" in first.run_js("document.cookie")
        first.close()
        second = open_window(server.url)
        assert second.run_js("document.cookie") == ""
        assert second.run_js("localStorage.getItem('left')") in (None, "")


def test_saving_writes_the_bytes_where_the_user_says_and_adds_the_suffix(
    page: Any, files: NativeFiles, tmp_path: Path
) -> None:
    seen = page.accept_dialog(tmp_path / "shares of bulk")
    told = page.call(files.save, "composition", b"a,b\n1,2\n", CSV)
    assert (tmp_path / "shares of bulk.csv").read_bytes() == b"a,b\n1,2\n"
    assert "shares of bulk.csv" in told
    assert seen == ["Save CSV table"]
    assert [path.name for path in tmp_path.iterdir()] == ["shares of bulk.csv"]


def test_several_files_are_saved_into_the_folder_the_user_chooses(
    page: Any, files: NativeFiles, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    seen = page.accept_dialog(tmp_path / "out")
    told = page.call(files.save_all, [("a", b"1"), ("b", b"2")], CSV)
    assert told == f"Saved 2 files in {tmp_path / 'out'}."
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.csv", "b.csv"]
    assert seen == ["Save 2 files in a folder"]


def test_cancelled_save_writes_nothing(page: Any, files: NativeFiles, tmp_path: Path) -> None:
    page.cancel_dialog()
    assert page.call(files.save, "composition", b"x", CSV) is None
    assert list(tmp_path.iterdir()) == []


# with “old” we ask, with “old.csv” the toolkit does
@pytest.mark.parametrize("typed", ["old", "old.csv"])
def test_existing_file_is_replaced_only_after_yes(
    page: Any, files: NativeFiles, tmp_path: Path, typed: str
) -> None:
    old = tmp_path / "old.csv"
    old.write_bytes(b"old")
    refused = page.accept_dialog(tmp_path / typed, replace=False)
    assert page.call(files.save, "composition", b"new", CSV) is None
    assert old.read_bytes() == b"old"
    assert any("already exists" in text for text in refused)
    agreed = page.accept_dialog(tmp_path / typed, replace=True)
    assert page.call(files.save, "composition", b"new", CSV) is not None
    assert old.read_bytes() == b"new"
    assert any("already exists" in text for text in agreed)


def test_opening_gives_the_chosen_paths_and_starts_there_next_time(
    page: Any, files: NativeFiles, tmp_path: Path
) -> None:
    data = tmp_path / "Größe ä" / "cells (1).h5ad"
    data.parent.mkdir()
    data.write_bytes(b"x")
    seen = page.accept_dialog(data)
    kinds = [FileKind("Cells & genes", (".h5ad", ".csv.gz")), CSV]
    assert page.call(files.open, kinds, title="Training data") == [data]
    assert seen == ["Training data"]
    page.accept_dialog("cells (1).h5ad")
    assert page.call(files.open, kinds, title="Training data", multiple=True) == [data]


def test_cancelled_open_gives_nothing(page: Any, files: NativeFiles) -> None:
    page.cancel_dialog()
    assert page.call(files.open, [CSV], title="Bulk") == []


def test_two_dialogs_at_once_take_turns_and_keep_their_answers(
    page: Any, files: NativeFiles, tmp_path: Path
) -> None:
    page.accept_dialog()
    page.accept_dialog()
    second = threading.Thread(target=files.save, args=("b", b"svg", SVG), daemon=True)
    first = threading.Thread(target=files.save, args=("a", b"csv", CSV), daemon=True)
    first.start()
    second.start()
    page.call(lambda: (first.join(), second.join()))
    assert (tmp_path / "a.csv").read_bytes() == b"csv"
    assert (tmp_path / "b.svg").read_bytes() == b"svg"
