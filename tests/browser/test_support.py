"""Support bundle and logs in Chromium: opened from the help menu, read, saved."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SELF_CHECK = 180_000
"""Milliseconds the self-check may take on a busy machine."""


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_the_bundle_is_read_and_saved(
    opened: Page, watched: Any, running: Any, tmp_path: Path, theme: str
) -> None:
    page = opened
    if theme == "dark":
        page.click("[aria-label=Theme]")
        page.click("#dcx-theme-dark")
    page.click("#dcx-help")
    page.click("#dcx-help-support")
    text = page.locator("#dcx-support-text")
    expect(text).to_contain_text("8 of 8 numbers as expected", timeout=SELF_CHECK)
    expect(page.locator("#dcx-support-save")).to_be_enabled()
    page.click("#dcx-support-file")
    page.get_by_role("option", name="sessions.txt").click()
    expect(text).to_contain_text("id, state, bytes, problem")
    shown = text.inner_text()
    with page.expect_download() as given:
        page.click("#dcx-support-save")
    file = tmp_path / "bundle.zip"
    given.value.save_as(file)
    with zipfile.ZipFile(file) as found:
        assert found.read("sessions.txt").decode().strip() == shown.strip()
        assert re.search("torch = 2", found.read("versions.txt").decode())
    expect(page.locator("#dcx-support-text")).to_be_hidden()
    page.click("#dcx-help")
    page.click("#dcx-help-logs")
    expect(page.locator("#dcx-logs-place")).to_contain_text("The log is in")
    assert watched.foreign == []
    assert watched.complaints == []
