"""The real application in the window: its first page, files through native dialogs, closing.

The whole analysis is tested elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.close_guard import CloseGuard
from desktop.dialogs import NativeFiles
from gui.app import create_app
from gui.config import Config

pytestmark = pytest.mark.window

CELLS = "gene,T cell,T cell,B cell,B cell\nCD3E,5,4,0,1\nCD19,0,1,6,5\nACTB,3,3,3,2\n"


@pytest.fixture
def page(open_window: Any, serving: Any, tmp_path: Path) -> Iterator[Any]:
    files = NativeFiles()
    # without its worker: nothing is computed here
    application = create_app(Config.for_tests(tmp_path), files)
    try:
        with serving(application.server) as server:
            page = open_window(application.start_url(server.url), files)
            page.wait_js("document.querySelector('#upload-train-choose')")
            yield page
            page.close()  # before the server goes: an open page asks on
    finally:
        application.stop()


def test_file_chosen_in_the_dialog_is_named_on_the_page_and_read_where_it_lies(
    page: Any, tmp_path: Path
) -> None:
    path = tmp_path / "cells of März.csv"
    path.write_text(CELLS, encoding="utf-8")
    page.accept_dialog(path)
    page.run_js("document.querySelector('#upload-train-choose').click(); 1")
    page.wait_js("document.body.innerText.includes('cells of März.csv')")
    assert page.unexpected == []
    assert path.read_text(encoding="utf-8") == CELLS


def test_cancelled_dialog_chooses_nothing(page: Any, qtbot: Any) -> None:
    seen = page.cancel_dialog()
    page.run_js("document.querySelector('#upload-train-choose').click(); 1")
    qtbot.waitUntil(lambda: bool(seen), timeout=60_000)
    page.wait_js("document.querySelector('#upload-train-choose').checkVisibility()")
    assert page.run_js("document.querySelector('#upload-train-name').textContent") == ""


def test_window_with_pending_saves_says_so_and_closes_when_they_are_done(page: Any) -> None:
    unsaved, looks = [2], [0]

    def pending() -> int:
        looks[0] += 1
        return unsaved[0]

    CloseGuard(page.native, pending, patience=600)
    page.view.close()
    page.wait_js("document.body.innerText.includes('Saving 2 sessions… The window then closes.')")
    seen = looks[0]
    page.wait_for(lambda: looks[0] > seen + 2)
    assert page.view.isVisible()
    assert not page.native.events.closed.is_set()
    unsaved[0] = 0
    page.wait_for(page.native.events.closed.is_set)
    assert not page.view.isVisible()


def test_window_without_the_guard_closes_over_pending_saves(page: Any) -> None:
    """What the test above is measured against."""
    page.view.close()
    assert page.native.events.closed.is_set()
