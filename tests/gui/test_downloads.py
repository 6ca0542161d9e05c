"""What leaves through a browser: fetched once, by the browser it is for, and kept no longer than it
must.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gui.app import Application, create_app
from gui.config import Config
from gui.downloads import BrowserFiles, Downloads

BASE = "http://127.0.0.1:8050"
GIVING = """
from dash import Input, html
from gui.files import CSV
from gui.plugin import Page

page = Page("giving", "Giving", "gives files away")

@page.layout
def layout(ctx):
    return html.Div([html.Button("one", id=page.id.one), html.Button("all", id=page.id.all)])

@page.callback(Input(page.id.one, "n_clicks"), Input(page.id.all, "n_clicks"), prevent_initial_call=True)
def give(ctx, one, many):
    told = ctx.files.save("größe", b"a,b", CSV)
    if many:
        told = ctx.files.save_all([("x.csv", b"1"), ("y/../y", b"2")], CSV)
    ctx.notify(told)
"""


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    config = Config.for_tests(tmp_path)
    (config.plugins_folder / "giving.py").write_text(GIVING, encoding="utf-8")
    application = create_app(config)
    yield application
    application.stop()


@pytest.fixture
def tab(application: Application, open_tab: Callable[..., Any]) -> Any:
    tab = open_tab(application)
    tab.go("giving")
    return tab


def waiting(application: Application) -> Downloads:
    assert isinstance(application.files, BrowserFiles)
    return application.files.downloads


def test_a_download_is_fetched_once_and_its_bytes_are_dropped(tab: Any) -> None:
    tab.click("giving-one")
    [given] = tab.get("dcx-download", "data")
    assert given["name"] == "größe.csv"
    assert len(waiting(tab.application)) == 1
    answer = tab.client.get(given["url"], base_url=BASE)
    assert (answer.status_code, answer.data) == (200, b"a,b")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(waiting(tab.application)) == 0
    assert tab.client.get(given["url"], base_url=BASE).status_code == 404
    assert "größe.csv" in tab.notices[-1]


def test_several_files_of_one_callback_all_arrive(tab: Any) -> None:
    tab.click("giving-all")
    assert tab.downloaded() == [("größe.csv", b"a,b"), ("x.csv", b"1"), ("y_.._y.csv", b"2")]
    assert "2 files" in tab.notices[-1]


def test_a_download_needs_the_cookie_and_looking_does_not_use_it_up(tab: Any) -> None:
    tab.click("giving-one")
    [given] = tab.get("dcx-download", "data")
    assert tab.application.server.test_client().get(given["url"], base_url=BASE).status_code == 403
    assert tab.client.head(given["url"], base_url=BASE).status_code in (403, 404)
    assert tab.client.post(given["url"], base_url=BASE, headers={"Origin": BASE}).status_code in (
        403,
        405,
    )
    assert tab.client.get(f"{given['url']}x", base_url=BASE).status_code == 404
    assert tab.client.get(given["url"], base_url=BASE).data == b"a,b"  # the positive control


def test_a_second_browser_that_knows_the_address_gets_nothing(
    tab: Any, open_tab: Callable[..., Any]
) -> None:
    tab.click("giving-one")
    [given] = tab.get("dcx-download", "data")
    assert open_tab(tab.application).client.get(given["url"], base_url=BASE).status_code == 404
    assert tab.client.get(given["url"], base_url=BASE).data == b"a,b"  # the positive control


def test_what_waits_has_a_budget_and_the_oldest_goes_first() -> None:
    downloads = Downloads(total=250, per_browser=100)
    mine = [downloads.offer(f"{n}.csv", b"x" * 40, browser="mine") for n in range(3)]
    assert (len(downloads), downloads.size) == (2, 80)
    assert downloads.take(mine[0], browser="mine") is None
    # the newest stays, however large it is
    large = downloads.offer("large.csv", b"x" * 1000, browser="mine")
    assert downloads.size == 1000
    assert downloads.take(large, browser="mine") is not None
    # each within its own, together too much
    others = [downloads.offer("a.csv", b"x" * 90, browser=f"b{n}") for n in range(4)]
    assert downloads.size == 180
    assert [
        downloads.take(token, browser=f"b{n}") is not None for n, token in enumerate(others)
    ] == [False, False, True, True]
    unbounded = Downloads(total=10**9, per_browser=10**9)  # the control
    for n in range(10):
        unbounded.offer(f"{n}.csv", b"x" * 1000, browser="mine")
    assert len(unbounded) == 10


def test_several_files_that_do_not_fit_together_are_refused_in_a_sentence(tab: Any) -> None:
    """Else the first would be gone before the page fetches it, and nobody would notice."""
    waiting(tab.application)._per_browser = 1
    tab.click("giving-all")
    assert "can be downloaded at once. Save fewer of them at once." in tab.notices[-1]
    assert not tab.get("dcx-download", "data") or len(waiting(tab.application)) <= 1
    waiting(tab.application)._per_browser = 10
    tab.click("giving-all")  # the control
    assert len(tab.downloaded()) == 3


def test_a_fetch_of_what_is_gone_says_so_in_a_sentence(tab: Any) -> None:
    tab.click("giving-one")
    [given] = tab.get("dcx-download", "data")
    waiting(tab.application)._per_browser = 5
    tab.click("giving-all")  # 7 bytes of another one: the first makes room
    answer = tab.client.get(given["url"], base_url=BASE)
    assert (answer.status_code, answer.mimetype) == (404, "text/plain")
    assert "no longer kept" in answer.text
    assert "Save it again." in answer.text
    # it is shown, not saved in the place of the file
    assert "Content-Disposition" not in answer.headers


def test_another_browser_gets_nothing_and_takes_nothing_away() -> None:
    downloads = Downloads()
    token = downloads.offer("a.csv", b"x", browser="mine")
    assert downloads.take(token, browser="other") is None
    found = downloads.take(token, browser="mine")
    assert found is not None
    assert found.data == b"x"


def test_what_nobody_fetches_is_dropped() -> None:
    downloads = Downloads(lifetime=0.2)
    first = downloads.offer("a.csv", b"x", browser="")
    deadline = time.monotonic() + 10
    while len(downloads) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(downloads) == 0
    assert downloads.take(first, browser="") is None
    kept = Downloads(lifetime=60)  # the positive control
    assert kept.take(kept.offer("a.csv", b"x", browser=""), browser="") is not None
