"""The pages draw the figures of an imported session of the predecessor from its numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gui.app import Application
from gui.data.legacy.predecessor import read_session
from gui.sessions import file
from gui.sessions.manager import LOCAL
from gui.sessions.predecessor import to_snapshot


def opened(
    application: Application,
    open_tab: Callable[[Application], Any],
    shared_data: Path,
    tmp_path: Path,
) -> Any:
    (old,) = (shared_data / "predecessor" / "sessions" / "cache").glob("*.pkl")
    path = tmp_path / f"old{file.SUFFIX}"
    file.save(path, to_snapshot(read_session(old)), expected_generation=None, generation=1)
    found = application.sessions.import_session(path, actor=LOCAL)
    tab = open_tab(application)
    tab.set({("dcx-session", "data"): found.session_id})
    return tab


def go_to(tab: Any, key: str) -> None:
    """Open a page.

    Dash also calls callbacks of which only the outputs are new: they all listen to the revision.
    """
    tab.go(key)
    tab.set({("dcx-revision", "data"): tab.get("dcx-revision", "data")})


def drawn(tab: Any, name: str) -> list[Any]:
    return (tab.get(name, "figure") or {"data": []})["data"]


def test_the_dtd_page_shows_an_imported_session(
    application: Application, open_tab: Any, shared_data: Path, tmp_path: Path
) -> None:
    tab = opened(application, open_tab, shared_data, tmp_path)
    go_to(tab, "dtd")
    assert "Mean correlation 0.98" in tab.text("dtd-answer")
    assert "60 genes" in tab.text("dtd-badges")
    assert "seed" not in tab.text("dtd-badges")  # the predecessor did not keep it
    assert "neither the seed" in tab.text("dtd-notes")
    tab.set({("dtd-tabs", "value"): "correlation"})
    names = [str(t.get("name")) for t in drawn(tab, "dtd-correlation")]
    assert names
    assert "Naive" not in names
    tab.set({("dtd-tabs", "value"): "loss"})
    assert drawn(tab, "dtd-loss")
    tab.set({("dtd-tabs", "value"): "composition"})
    tab.set({("dtd-composition-part", "value"): "test"})
    assert drawn(tab, "dtd-composition-figure")
    assert tab.notices == []


def test_the_adtd_page_shows_composition_background_and_regulation(
    application: Application, open_tab: Any, shared_data: Path, tmp_path: Path
) -> None:
    tab = opened(application, open_tab, shared_data, tmp_path)
    go_to(tab, "adtd")
    tab.set({("adtd-part", "value"): "test"})
    for name, figure in {
        "composition": "adtd-composition-figure",
        "hidden": "adtd-hidden",
        "regulation": "adtd-regulation",
    }.items():
        tab.set({("adtd-tabs", "value"): name})
        assert drawn(tab, figure), name
    tab.set({("adtd-tabs", "value"): "composition"})
    bars = [t["name"] for t in drawn(tab, "adtd-composition-figure") if t.get("type") == "bar"]
    assert {"B", "Mono", "NK", "T", "hidden"} <= set(bars)
    assert tab.notices == []
