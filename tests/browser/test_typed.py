"""What is typed into a form counts at once for the button that is clicked next."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from gui.errors import InvalidParameter
from gui.text import parse_number
from tests.browser.test_main_job import load_pbmc, open_page

pytestmark = pytest.mark.browser


def test_a_click_right_after_typing_runs_with_what_is_shown(
    opened: Page, watched: Any, tiny_data: Path, finished: Callable[..., None]
) -> None:
    page = opened
    load_pbmc(page, tiny_data)
    open_page(page, "DTD")
    expect(page.locator("#dtd-run")).to_be_enabled()
    sent: list[dict[str, Any]] = []

    def look(request: Request) -> None:
        body = json.loads(request.post_data or "{}") if request.method == "POST" else {}
        if "dtd-run.n_clicks" in body.get("changedPropIds", ()):
            sent.append({one["id"]: one.get("value") for one in _flat(body["state"])})

    page.on("request", look)
    typed = {"dtd-genes": "97", "dtd-iterations": "12"}
    for field, text in typed.items():
        page.fill(f"#{field}", text)
    page.press("#dtd-iterations", "ArrowUp")
    with page.expect_request(lambda request: "dtd-run.n_clicks" in (request.post_data or "")):
        # at once: no field has waited for the end of typing
        page.click("#dtd-run")
    finished()
    assert sent
    shown = {"dtd-genes": 97, "dtd-iterations": 13}
    assert {name: sent[0][name] for name in typed} == shown


def _flat(parts: list[Any]) -> list[dict[str, Any]]:
    return [x for part in parts for x in (part if isinstance(part, list) else [part])]


def test_a_filter_of_a_column_reads_numbers_as_every_field_does(opened: Page) -> None:
    texts = ["0,5", " 0.5 ", "-3,25", "1e-9", "1,5e-9", "1.234,5", "1,234.5", "1.125", "0,000"]
    texts += ["1,000", "-12,500", "1,2,3", "five", "1.23,4.5", ""]

    def expected(text: str) -> float | None:
        try:
            return parse_number(text)
        except InvalidParameter:
            return None

    read = opened.evaluate("(texts) => texts.map(window.dashAgGridFunctions.dcx_number)", texts)
    assert read == [expected(text) for text in texts]
