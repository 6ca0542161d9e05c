"""The main job in the native window, on real data: files through native dialogs, DTD, search,
Deconomix+h,r, every tab drawn, table and figure saved.

DECONOMIX_GUI_SHOTS names a folder for a picture of the window at every tab.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.dialogs import NativeFiles
from gui.app import Application, create_app
from gui.config import Config

pytestmark = pytest.mark.window
RUN = 900.0
"""Seconds a computation may take on a busy machine."""


class User:
    """What a person does in the window.

    Elements are named by CSS selector or by the text that stands on them.
    """

    def __init__(self, window: Any) -> None:
        self.window = window
        self.shots = os.environ.get("DECONOMIX_GUI_SHOTS")
        self._taken = 0

    def click(self, selector: str) -> None:
        """Click once the element is there, on screen and enabled."""
        element = (
            f"[...document.querySelectorAll({json.dumps(selector)})].find(e => e.checkVisibility()"
            " && !e.disabled)"
        )
        self.window.wait_js(element)
        self.window.run_js(f"{element}.click(); 1")

    def click_text(
        self, text: str, within: str, kind: str = "button, a, label, [role=tab]"
    ) -> None:
        """Click what bears exactly this text."""
        found = f"[...document.querySelector({json.dumps(within)}).querySelectorAll({json.dumps(kind)})]"
        element = (
            f"{found}.find(e => e.checkVisibility() && e.innerText.trim() === {json.dumps(text)})"
        )
        self.window.wait_js(element)
        self.window.run_js(f"{element}.click(); 1")

    def type(self, selector: str, text: str) -> None:
        """Replace what a field holds, then leave it."""
        field = f"document.querySelector({json.dumps(selector)})"
        self.window.wait_js(f"{field}.checkVisibility()")
        self.window.run_js(
            f"{field}.focus(); {field}.select(); document.execCommand('insertText', false,"
            f" {json.dumps(text)}); {field}.blur(); 1"
        )
        self.window.wait_js(f"{field}.value === {json.dumps(text)}")

    def go(self, page: str) -> None:
        self.click(f"#dcx-nav a[href='/{page}']")
        self.window.wait_js(
            f"document.querySelector('#{'upload-load' if page == 'upload' else page + '-run'}').checkVisibility()"
        )

    def tab(self, page: str, title: str) -> None:
        self.click_text(title, f"#{page}-tabs", "[role=tab]")

    def sees(self, text: str, within: str = "body", timeout: float = RUN) -> None:
        self.window.wait_js(
            f"document.querySelector({json.dumps(within)}).innerText.includes({json.dumps(text)})",
            timeout,
        )

    def sees_figure(self, graph: str, least: int = 120) -> None:
        """Drawn with marks, as large as something one can read, and inside the window's width."""
        marks = (
            f"document.querySelector('#{graph} .js-plotly-plot .overplot :is(path, image, rect,"
            f" text), #{graph} .js-plotly-plot .barlayer path')"
        )
        box = f"document.querySelector('#{graph} .main-svg').getBoundingClientRect()"
        self.window.wait_js(
            f"{marks} && {box}.height > {least} && {box}.width > 250 &&"
            f" document.querySelector('#{graph}').checkVisibility()"
        )
        assert self.window.json(
            f"document.querySelector('#{graph}').getBoundingClientRect().right <= window.innerWidth"
        )

    def save(self, scope: str, item: str, path: Path) -> str:
        """Save through the menu and the native dialog, as ``path``; the dialog's title."""
        seen = self.window.accept_dialog(path)
        self.click_text("Save…", scope)
        self.click(f"#{item}")
        self.sees(f"Saved as {path.name}")
        return str(seen[0])

    def look(self, name: str) -> None:
        """Keep a picture, if somebody wants to look."""
        if self.shots:
            self._taken += 1
            self.window.screenshot(Path(self.shots) / f"window-{self._taken:02}-{name}.png")


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """The whole program with its worker and native dialogs."""
    application = create_app(Config.for_tests(tmp_path), NativeFiles())
    application.start()
    yield application
    application.stop()


@pytest.fixture
def user(application: Application, open_window: Any, serving: Any) -> Iterator[User]:
    with serving(application.server) as server:
        window = open_window(application.start_url(server.url), application.files)
        window.wait_js("document.querySelector('#upload-load')")
        yield User(window)
        window.close()  # before the server goes: an open page asks on


def rows_of(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))


def load(user: User, data: Path) -> None:
    """Three files through three dialogs, one Load."""
    user.look("empty")
    for role, title, name in (
        ("train", "Training data", "train"),
        ("bulk", "Bulk (application) data", "application"),
        ("test", "Test data", "test"),
    ):
        if role == "test":
            user.click_text("Test data, reference, trained model", "#upload-page")
        seen = user.window.accept_dialog(data / f"{name}.h5ad")
        user.click(f"#upload-{role}-choose")
        user.sees(f"{name}.h5ad", f"#upload-{role}-name")
        assert seen == [title]
    user.look("chosen")
    user.click("#upload-load")
    user.sees("349 training cells of 9 types and 12 bulk samples", "#upload-answer")
    user.look("upload-overview")


def test_the_main_job_on_real_data_in_the_window(
    user: User, tiny_data: Path, tmp_path: Path
) -> None:
    window = user.window
    load(user, tiny_data)
    user.tab("upload", "Cell types")
    user.sees_figure("upload-type-counts")
    user.look("upload-types")
    user.tab("upload", "First rows")
    user.sees("Bulk samples", "#upload-rows")
    user.look("upload-rows")
    user.tab("upload", "About")
    user.look("upload-about")

    user.go("dtd")
    assert window.run_js("document.querySelector('#dtd-genes').value") == "1000"
    user.type("#dtd-iterations", "200")  # fewer than proposed: what is shown is the same
    user.look("dtd-before")
    user.click("#dtd-run")
    user.sees("DTD", "#dcx-ticker")
    user.sees("Mean correlation", "#dtd-answer")
    for title, graph in (
        ("Composition", "dtd-composition-figure"),
        ("Correlation", "dtd-correlation"),
        ("Markers", "dtd-markers"),
        ("Loss", "dtd-loss"),
    ):
        user.tab("dtd", title)
        user.sees_figure(graph)
        user.look(graph)

    user.tab("dtd", "Composition")
    assert (
        user.save("#dtd-page", "dtd-composition-figure-png", tmp_path / "Zusammensetzung ä.png")
        == "Save PNG picture"
    )
    picture = (tmp_path / "Zusammensetzung ä.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 10_000  # something is drawn in it

    user.go("adtd")
    user.look("adtd-before")
    user.click_text("Search λ₂", "#adtd-page", ".mantine-Accordion-control")
    user.type("#adtd-max-iterations", "60")
    user.type("#adtd-search-points", "5")
    user.type("#adtd-search-folds", "3")
    user.sees("5 values × 3 folds = 15 fits", "#adtd-search-reason")
    user.click("#adtd-search")
    user.sees("λ₂: minimum at", "#adtd-search-answer")
    user.sees_figure("adtd-search-curve")
    user.look("adtd-search")
    user.click("#adtd-search-choices [aria-label^='Minimum']")
    # a model without gene regulation has no λ₂
    window.wait_js(
        "document.querySelector('#adtd-model-words').innerText.startsWith("
        "'Hidden background + gene regulation')"
    )
    user.click("#adtd-run")
    user.sees("hidden fraction", "#adtd-run-answer")
    for title, graph in (
        ("Composition", "adtd-composition-figure"),
        ("Hidden profile", "adtd-hidden"),
        ("Gene regulation", "adtd-regulation"),
    ):
        user.tab("adtd", title)
        user.sees_figure(graph)
        user.look(graph)

    user.tab("adtd", "Composition")
    user.click_text("Table", "#adtd-composition-view", "label")
    window.wait_js("document.querySelector('#adtd-composition-table .ag-row')")
    user.look("adtd-composition-table")
    seen = window.accept_dialog(tmp_path / "composition of März")  # the suffix is added
    user.click_text("Save…", "#adtd-page")
    user.click("#adtd-composition-table-csv")
    user.sees("Saved as composition of März.csv")
    assert seen == ["Save CSV table"]
    rows = rows_of(tmp_path / "composition of März.csv")
    assert rows[0][0].startswith("# RNA fraction (%)")
    assert rows[1][0] == "Sample"
    assert "hidden" in rows[1]
    assert len(rows[1]) >= 11  # the sample, 9 types, hidden
    assert {"sample 01", "sample 12"} <= {row[0] for row in rows}

    assert window.unexpected == []
    assert "Traceback" not in window.run_js("document.documentElement.innerText")
    assert window.complaints == []


def test_an_error_of_the_console_is_seen(user: User) -> None:
    """The positive control of ``complaints``."""
    user.window.run_js("console.error('something broke'); 1")
    user.window.run_js("setTimeout(() => { throw new Error('and nobody caught it') }, 0); 1")
    user.window.wait_for(lambda: len(user.window.complaints) == 2)
    assert "something broke" in user.window.complaints[0]
    assert "and nobody caught it" in user.window.complaints[1]
