"""The order of the tests: the longest first, and what shares a screen or a browser together."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import order


def item(nodeid: str) -> Any:
    return SimpleNamespace(nodeid=nodeid)


def test_the_longest_begins_first_and_rooms_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    took = {"tests/gui/test_b.py": 9.0, "tests/browser/test_d.py": 5.0, order.ON_SCREEN[0]: 1.0}
    monkeypatch.setattr(order, "seconds", lambda: took)
    names = [
        "tests/gui/test_a.py::test_1",  # not in the table
        "tests/gui/test_b.py::test_2",
        "tests/browser/test_c.py::test_3",
        "tests/gui/test_a.py::test_0",
        "tests/browser/test_d.py::test_4",
        f"{order.ON_SCREEN[0]}::test_5",
    ]
    items = [item(name) for name in names]
    order.longest_first(items)
    assert [i.nodeid.rpartition("_")[2] for i in items] == ["5", "4", "3", "2", "1", "0"]


def test_whatever_opens_a_window_shares_the_screen() -> None:
    marked = "pytest.mark." + "window"
    opens = {
        path.relative_to(order.ROOT).as_posix()
        for path in (order.ROOT / "tests" / "desktop").glob("test_*.py")
        if marked in (text := path.read_text("utf-8")) or "qapp" in text or "qtbot" in text
    }
    assert opens
    assert {order.scope_of(f"{name}::test") for name in opens} == {"screen"}
    assert order.scope_of("tests/gui/test_app.py::test") == "tests/gui/test_app.py"


def test_the_table_is_written_and_read_again(tmp_path: Path) -> None:
    table, here = tmp_path / "seconds.tsv", "tests/test_order.py"
    table.write_text("70\ttests/gone.py\n50\ttests/test_words.py\n", "utf-8")
    reports = [SimpleNamespace(nodeid=f"{here}::test", duration=t) for t in (1.5, 20.5)]
    order.renew([*reports, SimpleNamespace(nodeid="tests/conftest.py::test", duration=0.1)], table)
    assert order.seconds(table) == {"tests/test_words.py": 50.0, here: 22.0}
