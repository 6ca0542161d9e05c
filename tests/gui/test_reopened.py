"""Reopened after a restart, a session shows on every page what was on screen: chosen tabs, form
values, what each view was set to.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui.app import create_app
from gui.config import Config
from gui.sessions.manager import LOCAL
from tests.gui.steps import SHORT, press, session_with, show
from tests.waiting import until

LEFT: dict[str, dict[str, Any]] = {
    "upload": {
        "tabs": "rows",
        "share": "25",
        "seed": 4,
        "author": "A. Author",
        "description": "to be loaded next",
    },
    "dtd": {
        **{name.replace("_", "-"): value for name, value in SHORT.model_dump().items()},
        "genes": 150,
        "run-on-bulk": False,
        "train-cells": 20,
        "test-cells": 21,
        "seed": 3,
        "metric": "rmse",
        "correlation-view": "table",
        "markers-view": "table",
        "markers-n": 12,
        "markers-scale": "share",
        "composition-part": "test",
        "composition-view": "heatmap",
        "composition-sort": "order:name",
        "composition-shares": False,
        "composition-intervals": True,
        "opinion-look": "table",
        "tabs": "markers",
        "known-type": "type:Monocytes",
        "known-look": "table",
        "sure-replicates": 30,
        "sure-seeds": True,
        "sure-look": "table",
    },
    "adtd": {
        "model": "custom",
        "part": "test",
        "max-iterations": 31,
        "lambda2": "3e-5",
        "gene-weights": "inverse",
        "c-static": False,
        "delta-static": True,
        "refine": True,
        "lambda1": "0.25",
        "search-smallest": "1e-9",
        "search-largest": "0.5",
        "search-points": 7,
        "search-folds": 3,
        "tabs": "hidden",
        "opinion-look": "table",
        "hidden-of": "samples",
        "hidden-view": "table",
        "hidden-n": 9,
        "regulation-view": "support",
        "genes-n": 6,
        "genes-type": "type:Monocytes",
        "genes-chosen": ["G1", "G2"],
        "regulation-scale": "log2",
        "supported": False,
        "search-view": "table",
        "known-type": "type:B cells",
        "known-look": "table",
        "sure-replicates": 25,
        "sure-seeds": True,
        "sure-look": "fit",
    },
}
# in dialogs, in forms that are filled from the data, and in fields for files: not what the page is
# set to
PASSING = (
    "dtd-scatter-",
    "-sample",
    "-cells-",  # kept once the RNA contents are known: tests/gui/test_cell_fractions.py
    "upload-new-",
    "upload-train",
    "upload-bulk",
    "upload-test",
    "upload-reference",
    "upload-saved-reference",
    "-template-name",
    "-runs-name",
    "-runs-notes",
    "-searches-name",
    "-searches-notes",
    "upload-model",
    "-composition-group",  # there are no groups in these data
    "-sure-fold",  # closed where there are intervals
    "adtd-composition-",  # there is no run to show; the same as on the DTD page
)


def controls(tab: Any, page: str) -> dict[str, Any]:
    """What the page's controls are set to; by id."""
    found = {}
    for (key, prop), value in tab.values.items():
        if (
            key.startswith(f"{page}-")
            and prop in ("value", "checked")
            and not any(part in key for part in PASSING)
        ):
            found[key] = value
    return found


def test_every_control_of_every_page_is_as_it_was_left(
    tmp_path: Path, open_tab: Callable[..., Any]
) -> None:
    first = create_app(Config.for_tests(tmp_path))
    try:
        first.start()
        session = session_with(first, "Mine")
        tab = open_tab(first)
        show(tab, session.session_id)
        tab.go("dtd")
        tab.set(
            {
                (
                    f"dtd-{name.replace('_', '-')}",
                    "checked" if isinstance(value, bool) else "value",
                ): value
                for name, value in SHORT.model_dump().items()
            }
        )
        press(tab, "dtd-run")
        until(lambda: session.current("dtd"))
        tab.tick()
        for page, values in LEFT.items():
            tab.go(page)
            begin = controls(tab, page)
            changed = {f"{page}-{name}" for name in values}
            # a control that was added later belongs into the list above
            assert changed == set(begin), page
            for name, value in values.items():
                tab.set(
                    {(f"{page}-{name}", "checked" if isinstance(value, bool) else "value"): value}
                )
        left = {
            page: {f"{page}-{name}": value for name, value in values.items()}
            for page, values in LEFT.items()
        }
        assert tab.notices == [n for n in tab.notices if "DTD is done" in n]
    finally:
        first.stop()
    second = create_app(Config.for_tests(tmp_path))
    try:
        tab = open_tab(second)
        show(tab, session.session_id)
        for page, values in left.items():
            tab.go(page)
            assert controls(tab, page) == values, page
            tab.tick()
            assert controls(tab, page) == values, page
        other = second.sessions.create_session("Other", actor=LOCAL)
        other.set_dataset(
            second.sessions.get_session(session.session_id, actor=LOCAL).need_dataset(),
            keep_runs=False,
        )
        show(tab, other.session_id)
        tab.go("dtd")
        # it belongs to the session, not to the program
        assert tab.get("dtd-metric", "value") == "pearson"
        show(tab, session.session_id)
        assert tab.get("dtd-metric", "value") == "rmse"
        assert tab.get("dtd-tabs", "value") == "markers"
    finally:
        second.stop()


def test_a_reopened_session_reads_its_values_when_they_are_looked_at(
    tmp_path: Path, open_tab: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.sessions.lazy.LARGE", 100)
    first = create_app(Config.for_tests(tmp_path))
    try:
        first.start()
        session = session_with(first, "Mine")
        session.keep_form("upload", {"tabs": "parts"})
    finally:
        first.stop()
    second = create_app(Config.for_tests(tmp_path))
    try:
        tab = open_tab(second)
        show(tab, session.session_id)
        tab.go("upload")
        parts = second.sessions.get_session(session.session_id, actor=LOCAL).need_dataset().parts()
        assert [role for role, matrix in parts.items() if matrix.loaded] == []
        tab.set({("upload-tabs", "value"): "rows"})
        assert all(matrix.loaded for matrix in parts.values())  # the values on screen are read
        assert "Training cells" in tab.text("upload-rows")
    finally:
        second.stop()
