"""The table of actions: what the menu, the keys and the list of shortcuts are made of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui.app import create_app
from gui.config import Config
from gui.files import FileKind
from gui.sessions.manager import LOCAL
from gui.settings import SettingsStore
from gui.shell import menu
from gui.shell.actions import ACTIONS, SEPARATOR, keys, offered, zoomed
from gui.shell.menu import recent_preview
from tests.gui.steps import session_with


def test_no_two_actions_share_a_key_or_a_shortcut() -> None:
    named = [action for action in ACTIONS if action.key != SEPARATOR]
    assert max(Counter(action.key for action in named).values()) == 1
    assert max(Counter(action.shortcut for action in named if action.shortcut).values()) == 1


def test_every_action_does_something() -> None:
    done = {*menu.DONE, *menu.DIALOGS, "report", "cut", "copy", "paste", "select_all"}
    other = {action.key for action in ACTIONS if action.key != SEPARATOR} - done
    assert {name for name in other if not name.startswith(("zoom_", "theme_"))} == set()


def test_shortcuts_are_written_as_the_system_writes_them() -> None:
    by_key = {action.key: action for action in ACTIONS}
    assert keys(by_key["report"], mac=False) == "Ctrl+Shift+S"
    assert keys(by_key["report"], mac=True) == "⇧⌘S"
    assert keys(by_key["zoom_in"], mac=False) == "Ctrl++"
    assert keys(by_key["guide"], mac=False) == "F1"


def test_a_browser_keeps_its_own_keys_and_one_session_has_nothing_to_switch_to() -> None:
    assert not {"new", "open", "recent", "close", "zoom_in", "fullscreen"} & {
        a.key for a in offered(native=False, single=False)
    }
    assert not {"new", "switch", "sessions"} & {a.key for a in offered(native=True, single=True)}


def test_zoom_goes_by_steps_and_ends() -> None:
    assert zoomed(1.0, "zoom_in") == 1.1
    assert zoomed(1.1, "zoom_out") == 1.0
    assert zoomed(3.0, "zoom_in") == 3.0
    assert zoomed(0.5, "zoom_out") == 0.5
    assert zoomed(2.0, "zoom_reset") == 1.0


class Window:
    """Files and host of a window, without one."""

    native = True

    def __init__(self) -> None:
        self.opens: list[Path] = []
        self.saved: list[tuple[str, bytes]] = []
        self.asked: list[Any] = []

    def open(self, kinds: Any, *, title: str, multiple: bool = False) -> list[Path]:
        return self.opens

    def folder(self, title: str) -> Path | None:
        return None

    def save(self, name: str, data: bytes, kind: FileKind) -> str | None:
        self.saved.append((name, data))
        return f"Saved as {name}."

    def save_all(self, items: Any, kind: FileKind) -> str | None:
        return None

    def dark(self) -> bool | None:
        return True

    def __getattr__(self, name: str) -> Any:
        if name in ("to_front", "close", "zoom", "fullscreen", "edit", "theme"):
            return lambda *args: self.asked.append((name, *args))
        raise AttributeError(name)


@pytest.fixture
def scene(tmp_path: Path, open_tab: Callable[..., Any]) -> Any:
    window = Window()
    application = create_app(Config.for_tests(tmp_path), window)  # type: ignore[arg-type]
    application.host = window  # type: ignore[assignment]
    tab = open_tab(application)
    yield application, tab, window
    application.stop()


def do(tab: Any, action: str) -> None:
    tab.set({("dcx-command", "data"): {"action": action, "at": 1}})


def test_window_is_asked_for_what_only_it_can_do(scene: Any) -> None:
    application, tab, window = scene
    for action in ("zoom_in", "zoom_in", "fullscreen", "paste", "close"):
        do(tab, action)
    assert window.asked == [
        ("zoom", 1.1),
        ("zoom", 1.25),
        ("fullscreen",),
        ("edit", "paste"),
        ("close",),
    ]
    assert application.settings.get().zoom == 1.25


def test_what_is_no_action_does_nothing(scene: Any) -> None:
    _, tab, window = scene
    for action in ("", "-", "shutdown", "__init__"):
        do(tab, action)
    assert window.asked == []


def test_chosen_theme_is_kept_for_the_next_window_and_reaches_the_toolkit(
    scene: Any, tmp_path: Path
) -> None:
    application, tab, window = scene
    tab.set({("dcx-theme", "data"): "dark"})
    assert SettingsStore(tmp_path / "data" / "settings.json").get().theme == "dark"
    assert window.asked == [("theme", "dark")]
    tab.set({("dcx-theme", "data"): "<script>"})
    assert application.settings.get().theme == "dark"
    layout = json.dumps(
        application.dash.layout().to_plotly_json(),
        default=lambda o: o.to_plotly_json() if hasattr(o, "to_plotly_json") else str(o),
    )
    assert '"storage_type": "memory"' in layout
    assert '"data": true' in layout.replace("\\", "")  # dcx-system: the toolkit says dark


def test_opened_files_are_remembered_and_offered_again(scene: Any, tmp_path: Path) -> None:
    application, tab, window = scene
    path = tmp_path / "bulk ü.csv"
    path.write_text("gene,S1\nA,1\n")
    window.opens = [path]
    do(tab, "open")
    assert application.settings.get().recent == (str(path),)
    # and the page has taken it
    assert [upload.path for upload in application.uploads._uploads.values()] == [path]
    assert "bulk ü.csv" in tab.text("upload-train-name") + tab.text("upload-bulk-name")
    do(tab, "recent")
    assert "bulk ü.csv" in tab.text("dcx-recent-list")
    path.unlink()
    do(tab, "recent")
    assert "bulk ü.csv" not in tab.text("dcx-recent-list")


def test_recent_files_say_what_they_hold_before_they_are_opened(scene: Any, tmp_path: Path) -> None:
    application, tab, _ = scene
    session = session_with(application, "Melanoma")
    session.set_tags("pilot, ward 3")
    session.notes = "batch of the clinic\nand more"
    found = application.sessions.export_session(session.session_id, actor=LOCAL)
    path, damaged, table = (tmp_path / n for n in ("a.dcxsession", "b.dcxsession", "c.csv"))
    path.write_bytes(found.data)
    damaged.write_bytes(found.data[:100])
    table.write_text("gene,S1\nA,1\n")
    for number in range(2):
        application.settings.change(recent=tuple(map(str, (path, damaged, table))))
        do(tab, "recent")
        shown = tab.text("dcx-recent-list")
        assert "Data · pilot, ward 3 · batch of the clinic · " in shown, number
        assert "and more" not in shown
        assert "cannot be read as a session" in shown
        assert "12 bytes · changed just now" in shown
        sample = str(session.need_dataset().bulk.matrix.columns[0])  # type: ignore[union-attr]
        assert sample not in shown
    assert recent_preview(tmp_path / "gone.csv") == ""


def test_report_without_a_run_says_what_to_do(scene: Any) -> None:
    _, tab, window = scene
    do(tab, "report")
    assert window.saved == []
    assert "There is no run to report yet" in json.dumps(tab.notices)
