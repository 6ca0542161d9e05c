"""Several files given away by one callback arrive in a real browser, under the strict policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.server import LocalServer
from gui.app import create_app
from gui.config import Config

pytestmark = pytest.mark.browser
GIVING = """
from dash import Input, html
from gui.files import CSV
from gui.plugin import Page

page = Page("giving", "Giving", "gives files away")

@page.layout
def layout(ctx):
    return html.Button("give", id=page.id.give)

@page.callback(Input(page.id.give, "n_clicks"), prevent_initial_call=True)
def give(ctx, clicks):
    ctx.files.save("Größe 100 %", b"first", CSV)
    ctx.files.save_all([(f"file {n}", str(n).encode() * 100_000) for n in range(4)], CSV)
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    config = Config.for_tests(tmp_path)
    (config.plugins_folder / "giving.py").write_text(GIVING, encoding="utf-8")
    application = create_app(config)
    server = LocalServer(application.server).start()
    yield application.start_url(server.url)
    server.stop()
    application.stop()


def test_five_files_of_one_callback_arrive_whole_and_twice_on_two_clicks(
    address: str, watched: Any, tmp_path: Path
) -> None:
    page = watched.context.new_page()
    page.goto(address)
    page.click("#dcx-nav a:has-text('Giving')")
    arrived: list[Any] = []
    # playwright marks what it is given: no builtin
    page.on("download", lambda download: arrived.append(download))
    for _ in range(2):
        arrived.clear()
        page.click("#giving-give")
        for _ in range(100):
            if len(arrived) == 5:
                break
            page.wait_for_timeout(100)
        page.wait_for_timeout(1000)
        assert len(arrived) == 5
        contents = {}
        for number, download in enumerate(arrived):
            download.save_as(tmp_path / str(number))
            contents[download.suggested_filename] = (tmp_path / str(number)).read_bytes()
        assert contents == {"Größe 100 %.csv": b"first"} | {
            f"file {n}.csv": str(n).encode() * 100_000 for n in range(4)
        }
    assert page.url.endswith("/giving")
    assert watched.complaints == []
    assert watched.foreign == []
