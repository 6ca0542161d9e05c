"""Every control of every page and of what stands around it is used twice in a row, and does
something both times (tests/browser/controls.py uses them).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from desktop.server import LocalServer
from gui.app import Application, create_app
from gui.config import Config
from gui.data.dataset import Clinical, Dataset
from gui.data.example import make_example
from gui.diagnostics import support_bundle
from gui.engine import tasks
from gui.engine.params import ADTDParams, DTDParams, SearchParams
from gui.engine.results import Provenance, Run
from gui.sessions.manager import LOCAL
from gui.shell.header import SIGN_OUT
from tests.browser.controls import Walker

pytestmark = pytest.mark.browser
PATIENCE = 90_000
CHEAP = {
    "dtd": {"iterations": 5, "train_mixtures": 30, "test_mixtures": 30, "sure_replicates": 20},
    "adtd": {"max_iterations": 5, "search_points": 2, "search_folds": 2, "sure_replicates": 20},
    "groups": {"column": "arm", "regulation_permutations": 19},
    "survival": {"time_zero": "diagnosis", "permutations": 99},
    "genes": {"permutations": 100},
    "robustness": {"seeds": 1},
}
"""What the forms hold, so that a run can be started and takes a moment."""

IDS = {kind: f"{number:016x}" for number, kind in enumerate(("dtd", "search", "adtd"), 1)}
"""Kind of run -> id of the run that every session holds."""

BRINGS = {
    "#upload-model-remove": (
        "#upload-library-open",
        '#{"index":"program:tiny_pbmc68k","page":"upload","part":"reference-use"}',
        "#upload-page button “Test data, reference, trained model”",
    )
}
"""A trained model comes with a reference of the library; once removed, it is chosen again."""

DEAD_ONES = """<!doctype html><body>
<button id="alive" onclick="this.dataset.n = 1 + Number(this.dataset.n || 0)">Alive</button>
<button id="once" onclick="document.getElementById('said').textContent = 'used'">Works once</button>
<button id="never">Works never</button>
<button id="open" onclick="const m = document.getElementById('menu'); m.hidden = !m.hidden">Menu</button>
<div id="menu" role="menu" hidden>
  <button role="menuitem" id="save" onclick="menu.hidden = true; const a = document.createElement('a'); a.download = 'x'; a.href = 'data:,x'; a.click()">
    Save</button>
  <button role="menuitem" id="save-once" onclick="menu.hidden = true; if (!this.n) { this.n = 1; document.title = 'saved'; }">Save once</button>
</div>
<label>Switch <input type="checkbox" id="switch"></label>
<label><input type="radio" name="r" id="r1" checked>One</label><label><input type="radio" name="r" id="r2">Two</label>
<p id="said"></p></body>"""


@pytest.fixture
def watched_by_walker(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 720},
        accept_downloads=True,
        color_scheme="dark",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    Walker.watch(context)
    yield context
    context.close()


def test_a_control_that_does_nothing_the_second_time_is_found(
    watched_by_walker: BrowserContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control of the walk below."""
    monkeypatch.setattr("tests.browser.controls.PATIENCE", 700)
    page = watched_by_walker.new_page()
    page.route("**/*", lambda route: route.fulfill(body=DEAD_ONES, content_type="text/html"))
    page.goto("http://127.0.0.1:9/dead")
    walker = Walker(page)
    walker.walk(lambda: page.evaluate("document.getElementById('menu').hidden = true"))
    assert sorted(entry.split(":")[0] for entry in walker.dead) == ["#never", "#once", "#save-once"]
    assert walker.used == {
        f"#{key}"
        for key in ("alive", "once", "never", "open", "save", "save-once", "switch", "r1", "r2")
    }
    assert walker.gone == []


def with_patients(data: Dataset) -> Dataset:
    """With a table about the samples that Groups and Survival can use."""
    assert data.bulk is not None
    samples = data.bulk.matrix.columns
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "arm": np.resize(["control", "treated"], len(samples)),
            "age": random.integers(30, 80, len(samples)),
            "months": random.uniform(3, 60, len(samples)).round(1),
            "died": np.resize(["yes", "no", "yes"], len(samples)),
        },
        index=samples,
    )
    return replace(
        data, clinical=Clinical(table, "patients.csv", "months", "died", "yes", "months")
    )


@pytest.fixture(scope="module")
def runs() -> list[tuple[str, Any, Any, dict[str, str]]]:
    """(kind, parameters, result, inputs) of a DTD run, a search and an ADTD run with regulation on
    the example. Their ids look like those of other runs, so that one row of each list is walked.
    """
    data = with_patients(make_example().dataset)

    def quiet(*_: Any, **__: Any) -> None:
        """A progress that nobody watches."""

    learning, searching = (
        DTDParams(iterations=20, train_mixtures=40, test_mixtures=40, genes=200),
        SearchParams(points=4, folds=2),
    )
    dtd = tasks.run_dtd(data, learning, progress=quiet)
    search = tasks.run_search(data, searching, progress=quiet, dtd=dtd)
    params = ADTDParams(model="h,r", lambda2=search.choices["min"], max_iterations=30)
    adtd = tasks.run_adtd(data, params, progress=quiet, dtd=dtd)
    return [
        ("dtd", learning, dtd, {}),
        ("search", searching, search, {"dtd": IDS["dtd"]}),
        ("adtd", params, adtd, {"dtd": IDS["dtd"]}),
    ]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Application, str]]:
    application = create_app(Config.for_tests(tmp_path_factory.mktemp("controls")))
    server = LocalServer(application.server)
    server.start()
    application.start()
    yield application, server.url
    server.stop()
    application.stop()


def kind(key: str) -> str:
    """Of a row, and of what belongs to a session or a run, all have the same controls."""
    key = re.sub(r"^(#\S+) row “[^”]*” (\w+).*", r"\1 row \2", key)
    key = re.sub(r" section \(\d+\)$", " section", key)  # the cross of each entry that was chosen
    key = re.sub(r'"index":"[^"]*"(.*"part":"known_pair")', r'"index":"*"\1', key)
    return re.sub(r'"index":"([0-9a-f]{16}|\d{8}#[^"]*)"', '"index":"*"', key)


def around(key: str) -> bool:
    """Whether it stands around every page: these are used on the first one only."""
    key = key.removeprefix("#dcx-outlet ")  # the way out of a page that lacks something
    return key.startswith("#dcx-") or '"page":"dcx"' in key or key.startswith(" a “Skip")


class Place:
    """One page in one session: ``()`` brings the tab there, whatever the last use of a control did
    to it.
    """

    def __init__(
        self,
        application: Application,
        page: Page,
        walker: Walker,
        key: str,
        fill: Callable[[], str],
        *,
        full: bool,
    ) -> None:
        self.application, self.page, self.walker = application, page, walker
        self.key, self.fill, self.full = key, fill, full
        self.session = fill()

    def renew(self) -> None:
        """The next arrival is in a session that nobody has used yet."""
        self.session = self.fill()

    def __call__(self) -> None:
        page, walker = self.page, self.walker
        walker.rest()
        for _ in range(4):  # menus and dialogs, one over the other
            if not page.evaluate("window.dcx_controls.layers()"):
                break
            page.keyboard.press("Escape")
            walker.rest()
        if all(
            info.session_id != self.session
            for info in self.application.sessions.list_sessions(actor=LOCAL)
        ):
            self.renew()  # it was deleted or archived
        elif (
            not self.full
            and self.application.sessions.get_session(self.session, actor=LOCAL).dataset
        ):
            self.renew()  # data were loaded where there were none
        here = page.evaluate("JSON.parse(sessionStorage.getItem('dcx-session') || 'null')")
        if here != self.session:
            page.evaluate(
                "(id) => window.dash_clientside.set_props('dcx-session', {data: id})", self.session
            )
            walker.rest()
        if page.evaluate("location.pathname") != f"/{self.key}":
            page.evaluate(
                "(path) => window.dash_clientside.set_props('dcx-location', {pathname: path,"
                " search: '', hash: ''})",
                f"/{self.key}",
            )
        page.wait_for_selector(f"#{self.key}-page, #dcx-outlet a:has-text('Go to')")
        walker.rest()


PLACES = [
    (key, True)
    for key in (
        "upload",
        "dtd",
        "adtd",
        "method",
        "groups",
        "survival",
        "genes",
        "compare",
        "robustness",
        "sessions",
        "help",
    )
] + [
    ("upload", False),
    ("dtd", False),
]


@pytest.mark.slow
@pytest.mark.parametrize(("key", "full"), PLACES, ids=lambda value: str(value))
def test_every_control_does_something_twice(
    key: str,
    full: bool,
    watched_by_walker: BrowserContext,
    program: tuple[Application, str],
    runs: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    application, url = program
    # collecting it computes an analysis each time, in a process of its own:
    # tests/gui/test_support.py
    monkeypatch.setattr(
        support_bundle,
        "bundle",
        lambda _application, **_: {"doctor.txt": "1 check passed.", "log.txt": "started"},
    )
    page = watched_by_walker.new_page()
    # else the browser's own dialog would stand over the page
    page.on("filechooser", lambda _: None)

    def settle() -> None:
        """What a run brings is on the page."""
        waited = False
        while any(job.active for job in application.runner.status()):
            page.wait_for_timeout(50)
            waited = True
        if waited:
            page.evaluate(
                "window.dash_clientside.set_props('dcx-poke', {data: String(performance.now())})"
            )
        walker.rest()

    def fill() -> str:
        session = application.sessions.create_session(
            application.sessions.free_name("Melanoma", actor=LOCAL), actor=LOCAL
        )
        if full:
            data = with_patients(make_example().dataset)
            session.set_dataset(data, keep_runs=False)
            for page_key, values in CHEAP.items():
                session.keep_form(page_key, values)
            for kind, params, result, inputs in runs:
                made = Provenance(
                    data.training_id, data.bulk_id, inputs, versions=tasks.versions(), seconds=1.5
                )
                session.add_run(
                    Run(IDS[kind], kind, kind.upper(), datetime.now(UTC), params, result, made)
                )
        return session.session_id

    page.goto(application.start_url(url))
    page.wait_for_selector("#upload-load")
    walker = Walker(page, settle, alike=kind, chooses=lambda key: key.startswith("#dcx-theme-"))
    place = Place(application, page, walker, key, fill, full=full)
    walker.renew = place.renew
    walker.brings = BRINGS

    def skipped(control: str) -> bool:
        """To switch to where one is; to cancel or stop a run that is over before it is reached;
        and what ends the walk (signing out: test_stolen_cookie.py).
        """
        return (
            (place.session in control and not control.endswith(" tick"))
            or '"part":"cancel"' in control
            or '"part":"stop"' in control
            or control == f"#{SIGN_OUT}"
            or ((key, full) != PLACES[0] and around(control))
        )

    walker.skipped = skipped
    place()
    walker.walk(place)
    assert walker.dead == []
    assert walker.gone == []
    assert walker.used, "no control was found"
