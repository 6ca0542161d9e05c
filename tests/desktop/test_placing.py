"""Where the window opens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from desktop.geometry import SIZE, Screen, fitting
from desktop.window import relative
from gui.settings import SettingsStore, Window

BIG, LEFT = Screen(0, 0, 1920, 1080), Screen(-1280, 0, 1280, 720)


def test_first_start_has_its_size_and_no_place() -> None:
    assert fitting(None, [BIG]) == Window(width=SIZE[0], height=SIZE[1])


@pytest.mark.parametrize("place", [(100, 50), (-1200, 10), (1700, 900)])
def test_a_window_that_is_still_on_a_screen_opens_where_it_was(place: tuple[int, int]) -> None:
    kept = Window(width=1100, height=700, x=place[0], y=place[1], maximized=True)
    assert fitting(kept, [BIG, LEFT]) == kept


@pytest.mark.parametrize("place", [(-1200, 10), (1900, 50), (100, 1060), (100, -40), (5000, 5000)])
def test_a_window_whose_screen_is_gone_is_placed_by_the_system(place: tuple[int, int]) -> None:
    kept = Window(width=1100, height=700, x=place[0], y=place[1])
    assert fitting(kept, [BIG]) == Window(width=1100, height=700)


def test_a_place_is_told_as_the_toolkit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    # the main screen stands to the right of another
    kept, main = Window(width=1100, height=700, x=100, y=50), Screen(1280, 300, 1920, 1080)
    monkeypatch.setattr("sys.platform", "linux")
    assert relative(kept, [main, Screen(0, 0, 1280, 720)]) == (100 - 1280, 50 - 300)
    assert relative(kept, [BIG]) == (100, 50)
    assert relative(Window(width=1100, height=700), [main]) == (None, None)
    monkeypatch.setattr("sys.platform", "win32")
    assert relative(kept, [main]) == (100, 50)


def test_a_window_is_never_larger_than_its_screen() -> None:
    found = fitting(Window(width=3000, height=2000, x=0, y=0), [Screen(0, 0, 1280, 720)])
    assert (found.width, found.height) == (1280, 720)


def test_without_a_word_about_screens_the_size_is_kept() -> None:
    assert fitting(Window(width=1500, height=900, x=10, y=10), []) == Window(width=1500, height=900)


def test_settings_of_nonsense_are_the_defaults_value_by_value(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(
        '{"zoom": 99, "theme": "dark", "window": {"width": -4, "height": 100}, "recent": ["/a"],'
        ' "unknown": 1}',
        encoding="utf-8",
    )
    found = SettingsStore(path).get()
    assert (found.zoom, found.theme, found.window, found.recent) == (1.0, "dark", None, ("/a",))


def test_settings_survive_and_the_newest_file_comes_first(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    for name in ("a", "b", "a"):
        store.remember(tmp_path / name)
    store.change(zoom=1.25, window=Window(width=1000, height=700))
    again = SettingsStore(tmp_path / "settings.json").get()
    assert again.recent == (str(tmp_path / "a"), str(tmp_path / "b"))
    assert again.zoom == 1.25
    assert again.window == Window(width=1000, height=700)
    if os.name == "posix":  # Windows: who may read it is inherited from the user's folder
        assert (tmp_path / "settings.json").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.name != "posix", reason="names are text on Windows")
def test_a_name_that_is_no_text_is_kept_and_stops_nothing(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    odd = Path(os.fsdecode(b"/data/cells\xff.csv"))
    store.remember(odd)
    store.change(zoom=1.5)
    again = SettingsStore(tmp_path / "settings.json").get()
    assert (again.recent, again.zoom) == ((str(odd),), 1.5)
