"""The endurance run in short. The whole of it is run by hand: see tabs.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.endurance.tabs import run

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_ten_tabs_on_ten_sessions_mix_nothing(chromium: Path, tmp_path: Path) -> None:
    found = run(tmp_path, seconds=60, switches=60, jobs=6, minute=20, chromium=chromium)
    assert found.mixed == []
    assert found.complaints == []
    assert found.switches >= 60
    assert found.jobs >= 6
    assert found.growth <= 1.1
    assert abs(found.handles_end - found.handles_minute) <= 5


def test_a_page_that_keeps_its_state_in_its_module_is_found_out(
    chromium: Path, tmp_path: Path
) -> None:
    """The positive control."""
    assert (
        run(tmp_path, seconds=0, switches=20, jobs=0, minute=0, mixed=True, chromium=chromium).mixed
        != []
    )
