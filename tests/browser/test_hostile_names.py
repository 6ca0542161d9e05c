"""Names nobody vouches for, in a real browser: cell types, samples, genes, files and sessions whose
names are scripts, markup or formulas.

They are looked at wherever names stand (files being looked at, loaded data, both analyses with
their figures and tables, sessions, header), and in what is saved. Nothing of them may run, become
an element, or make the browser ask for something.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from gui.data.dataset import Bulk, Cells, Clinical, Dataset, KnownComposition, Matrix
from gui.data.example import make_example
from gui.engine import tasks
from gui.engine.params import ADTDParams, DTDParams, SearchParams
from gui.engine.results import Provenance, Run
from gui.figures.text import inert
from gui.report import report
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.browser.walk import go, rest, walk, walk_tabs

pytestmark = pytest.mark.browser
READ = 120_000
RUNS = [
    '<img src=x onerror="window.pwned=1">',
    '"><svg onload=window.pwned=1>',
    "<svg><animate onbegin=window.pwned=1 attributeName=x>",
]
"""Written into a page as they are, these run by themselves."""
HOSTILE = [
    *RUNS,
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>",
    '<a href="javascript:window.pwned=1">a</a>',
    "<a href='http://evil.example/'><b>link</b></a>",
    "javascript:window.pwned=1",
    "[x](javascript:window.pwned=1)",
    "{{constructor.constructor('window.pwned=1')()}}",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(1)",
    "-2+3",
    "%{customdata[0]}<br>&lt;i&gt;",
    '=HYPERLINK("http://evil.example","x")',
    "__proto__",
]
LOOK = """() => {
    const bad = [...document.querySelectorAll('*')].filter((e) => [...e.attributes].some((a) =>
        /^on/i.test(a.name) || (/(href|src|action|data)$/i.test(a.name) && /^\\s*javascript:|evil\\.example|^x$/i.test(a.value))));
    const links = document.querySelectorAll('.main-svg a').length;
    return [window.pwned, bad.map((e) => e.outerHTML.slice(0, 200)), links];
}"""
"""What ran, elements that a name has become, links in figures."""


def renamed(names: pd.Index | list[str], hostile: list[str]) -> dict[str, str]:
    """The first names become hostile ones."""
    return dict(zip(map(str, names), hostile, strict=False))


def hostile_dataset() -> Dataset:
    """The example, with hostile names for cell types, genes and samples, and for groups, clinical
    data and known compositions.
    """
    data = make_example().dataset
    assert data.train is not None
    assert data.test is not None
    assert data.reference is not None
    assert data.bulk is not None
    assert data.truth is not None
    types = renamed(data.types, HOSTILE) | {"Neutrophils": HOSTILE[5]}
    genes = renamed(data.train.matrix.genes[::-1], HOSTILE) | renamed(
        data.train.matrix.genes[:17], [f"{h} 2" for h in HOSTILE]
    )
    samples = renamed(data.bulk.matrix.columns, HOSTILE)

    def named(index: pd.Index, names: dict[str, str]) -> pd.Index:
        return pd.Index([names.get(str(n), n) for n in index], dtype=object)

    def cells(part: Cells) -> Cells:
        matrix = Matrix(part.matrix.values, named(part.matrix.genes, genes), part.matrix.columns)
        return Cells(
            matrix, np.array([types.get(t, t) for t in part.labels], dtype=object), part.obs
        )

    columns = named(data.bulk.matrix.columns, samples)
    obs = pd.DataFrame(
        {
            HOSTILE[0]: [HOSTILE[k % 3] for k in range(len(columns))],
            "group": ["a", HOSTILE[1]] * (len(columns) // 2),
        },
        index=columns,
    )
    clinical = pd.DataFrame(
        {
            HOSTILE[0]: np.arange(len(columns)) + 1.0,
            "dead": [0, 1] * (len(columns) // 2),
            HOSTILE[3]: HOSTILE[4],
        },
        index=columns,
    )
    shares = data.truth.shares.set_axis(columns, axis=1).set_axis(
        named(data.truth.shares.index, types), axis=0
    )
    return dataclasses.replace(
        data,
        train=cells(data.train),
        test=cells(data.test),
        reference=Matrix(
            data.reference.values,
            named(data.reference.genes, genes),
            named(data.reference.columns, types),
        ),
        bulk=Bulk(
            Matrix(data.bulk.matrix.values, named(data.bulk.matrix.genes, genes), columns), obs
        ),
        name=HOSTILE[0],
        author=HOSTILE[1],
        description=HOSTILE[3],
        sources=tuple(
            dataclasses.replace(
                s, name=f"{HOSTILE[0]}.csv", notes=(HOSTILE[1],), warnings=(HOSTILE[2],)
            )
            for s in data.sources
        ),
        clinical=Clinical(
            clinical,
            name=HOSTILE[0],
            time=HOSTILE[0],
            event="dead",
            event_value="1",
            unit=HOSTILE[1],
        ),
        truth=KnownComposition(shares, HOSTILE[0], {str(t): str(t) for t in shares.index}),
    )


@pytest.fixture(scope="module")
def computed() -> tuple[Dataset, list[tuple[str, Any, Any]]]:
    """The hostile data with a DTD run, a search and an ADTD run, real and small."""
    data = hostile_dataset()

    def quiet(*_: Any, **__: Any) -> None:
        """A progress that nobody watches."""

    dtd_params, search_params = (
        DTDParams(iterations=20, train_mixtures=40, test_mixtures=40, genes=None, seed=7),
        SearchParams(points=3, folds=2),
    )
    adtd_params = ADTDParams(model="h,r", lambda2=1e-8, max_iterations=20)
    dtd = tasks.run_dtd(data, dtd_params, progress=quiet)
    search = tasks.run_search(data, search_params, progress=quiet, dtd=dtd)
    adtd = tasks.run_adtd(data, adtd_params, progress=quiet, dtd=dtd)
    return data, [
        ("dtd", dtd_params, dtd),
        ("search", search_params, search),
        ("adtd", adtd_params, adtd),
    ]


@pytest.fixture
def session(running: Any, computed: Any) -> DCXCache:
    """A session of a hostile name with the hostile results, and one of each other name."""
    data, found = computed
    for name in HOSTILE[1:]:
        running.application.sessions.create_session(name, actor=LOCAL).notes = name
    made: DCXCache = running.application.sessions.create_session(HOSTILE[0], actor=LOCAL)
    made.notes = HOSTILE[0]
    made.set_dataset(data, keep_runs=False)
    for kind, params, result in found:
        inputs = {} if kind == "dtd" else {"dtd": "run-dtd"}
        origin = Provenance(
            data.training_id, data.bulk_id, inputs, versions={HOSTILE[0]: HOSTILE[1]}, seconds=1.0
        )
        made.add_run(
            Run(f"run-{kind}", kind, HOSTILE[0], datetime.now(UTC), params, result, origin)
        )
    return made


class Eyes:
    """Looks at a page, again and again: nothing of a name ran or became more than text. shown :
    where a name stood as the text it is
    """

    def __init__(self, page: Page) -> None:
        self.page, self.shown, self.asked, self.dialogs = page, set[str](), list[str](), list[str]()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

    def __call__(self, place: str) -> None:
        assert self.page.evaluate(LOOK) == [None, [], 0], place
        text = self.page.evaluate(
            "document.body.innerText + [...document.querySelectorAll('svg text')].map((e) =>"
            " e.textContent).join(' ')"
        )
        if "<img src=x" in text or "<svg onload" in text:
            self.shown.add(place.partition("/")[0])

    def closed(self, watched: Any) -> None:
        """At the end: nothing was asked for, and nothing had to be stopped by the policy."""
        assert [url for url in self.asked if re.search(r"/x$|evil", url)] == []
        assert self.dialogs == []
        assert watched.foreign == []
        assert watched.complaints == []


def choose_session(page: Page, name: str) -> None:
    page.click("#dcx-session-button")
    page.locator("#dcx-session-menu").get_by_text(name, exact=True).first.click()
    expect(page.locator("#dcx-session-button")).to_have_text(name)


def test_hostile_names_are_text_on_every_page(
    opened: Page, watched: Any, session: DCXCache
) -> None:
    page = opened
    eyes = Eyes(page)
    choose_session(page, HOSTILE[0])
    eyes("header")
    walk(page, eyes)
    for table in ("dtd-composition", "adtd-composition"):
        go(page, table.partition("-")[0])
        page.get_by_role("tab", name="Composition").click()
        page.locator(f"#{table}-view").get_by_text("Table").click()
        expect(page.locator(f"#{table}-table .ag-row").first).to_be_visible()
        rest(page)
        eyes(f"table {table}")
    page.get_by_role("button", name="Previous runs").click()
    rest(page)
    eyes("previous runs")
    page.keyboard.press("Escape")
    go(page, "sessions")
    row = page.locator("#sessions-active .ag-row").filter(has_text="onerror").first
    row.locator(".ag-checkbox-input").first.check()
    for action, away in (("delete", "#sessions-keep"), ("archive", None)):
        page.click(f"#sessions-active-{action}")
        rest(page)
        eyes(f"dialog {action}")
        if away:
            page.click(away)
    assert {
        "header",
        "upload",
        "dtd",
        "adtd",
        "sessions",
        "#dcx-session-button",
        "table dtd-composition",
        "dialog delete",
        "dialog archive",
    } <= eyes.shown
    eyes.closed(watched)


def test_markup_in_names_would_be_read_by_the_figures(
    opened: Page, watched: Any, session: DCXCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control for figures: without :func:`gui.figures.text.inert` a name becomes a link in
    them.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith("gui.figures") and getattr(module, "inert", None) is inert:
            monkeypatch.setattr(module, "inert", str)
    choose_session(opened, HOSTILE[0])
    go(opened, "dtd")
    expect(opened.locator(".main-svg a").first).to_be_attached()


def test_hostile_names_in_files_are_text_while_they_are_looked_at_and_loaded(
    opened: Page, watched: Any, tmp_path: Path
) -> None:
    """A table whose header and genes are hostile, in a file of a hostile name, through the
    browser's own dialog.
    """
    page, eyes, data = opened, Eyes(opened), hostile_dataset()
    assert data.train is not None
    assert data.bulk is not None
    train, bulk = (
        tmp_path / f"{role} <img src=x onerror=window.pwned=1>.csv" for role in ("train", "bulk")
    )
    for path, header, matrix in (
        (train, list(data.train.labels), data.train.matrix),
        (bulk, list(data.bulk.matrix.columns), data.bulk.matrix),
    ):
        with path.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow([HOSTILE[0], *header])
            writer.writerows(
                [gene, *map(int, row)]
                for gene, row in zip(matrix.genes, np.asarray(matrix.values), strict=True)
            )
    for role, path in (("train", train), ("bulk", bulk)):
        with page.expect_file_chooser() as chooser:
            page.click(f"#upload-{role}-choose")
        chooser.value.set_files(path)
        expect(page.locator(f"#upload-{role}-name")).to_contain_text("onerror", timeout=READ)
    expect(page.locator("#upload-load")).to_be_enabled(timeout=READ)
    rest(page)
    walk_tabs(page, eyes, "looked at")
    page.click("#upload-load")
    expect(page.locator("#upload-answer")).to_contain_text("training cells", timeout=READ)
    walk_tabs(page, eyes, "loaded")
    expect(page.locator("#dcx-session-button")).to_contain_text("onerror")
    page.fill("#upload-train-path", "/nowhere/<img src=x onerror=window.pwned=1>.csv")
    page.press("#upload-train-path", "Enter")
    expect(page.get_by_role("alert").filter(has_text="onerror")).to_be_visible()
    eyes("notice")
    page.click("#dcx-session-button")
    page.click("#dcx-new")
    page.fill("#dcx-new-name", HOSTILE[1])
    page.click("#dcx-new-create")
    expect(page.locator("#dcx-session-button")).to_have_text(HOSTILE[1])
    eyes("new session")
    assert {"looked at", "loaded", "notice", "new session"} <= eyes.shown
    eyes.closed(watched)


def saved(page: Page, scope: str, item: str) -> bytes:
    page.locator(f"{scope} button:has-text('Save…'):visible").first.click()
    with page.expect_download() as download:
        page.click(f"#{item}")
    name = download.value.suggested_filename
    assert not set('<>:"/\\|?*') & set(name)
    return Path(download.value.path()).read_bytes()


def bare(watched: Any, html: str) -> Page:
    """A page without any policy."""
    page: Page = watched.context.new_page()
    page.set_content(html)
    page.wait_for_timeout(500)
    return page


def test_what_is_saved_of_hostile_names_is_text_too(
    opened: Page, watched: Any, session: DCXCache
) -> None:
    page = opened
    choose_session(page, HOSTILE[0])
    go(page, "dtd")
    expect(page.locator("#dtd-composition-figure .main-svg").first).to_be_visible()
    drawing = saved(page, "#dtd-page", "dtd-composition-figure-svg")
    page.locator("#dtd-composition-view").get_by_text("Table").click()
    expect(page.locator("#dtd-composition-table .ag-row").first).to_be_visible()
    tables = [saved(page, "#dtd-page", f"dtd-composition-table-{kind}") for kind in ("csv", "csv2")]
    book = saved(page, "#dtd-page", "dtd-composition-table-xlsx")

    for table, delimiter in zip(tables, ",;", strict=True):
        cells = [
            cell
            for row in csv.reader(io.StringIO(table.decode("utf-8-sig")), delimiter=delimiter)
            for cell in row
        ]
        assert any(cell.endswith("=cmd|' /C calc'!A0") for cell in cells)
        texts = [cell for cell in cells if not re.fullmatch(r"-?[\d.,e+-]*", cell)]
        assert [cell for cell in texts if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    shown = [
        cell for row in openpyxl.load_workbook(io.BytesIO(book)).active.iter_rows() for cell in row
    ]
    assert {cell.data_type for cell in shown} <= {"s", "inlineStr", "n"}
    assert any(str(cell.value).endswith("=cmd|' /C calc'!A0") for cell in shown)

    tree = ElementTree.fromstring(drawing)
    elements = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert not elements & {"script", "a", "img", "animate", "foreignObject"}
    assert "onerror" in "".join(tree.itertext())
    document = report(session, "dtd").decode()
    found = re.sub(r"<meta http-equiv=[^>]*>", "", document, count=1)
    assert found != document
    for html in (drawing.decode(), found):
        alone = bare(watched, html)
        alone.locator("svg").first.wait_for()
        assert alone.evaluate("window.pwned") is None
        assert alone.locator("[onerror], [onload], img[src=x], a[href^=javascript]").count() == 0
    assert watched.foreign == []


@pytest.mark.parametrize("name", RUNS)
def test_the_same_names_run_where_they_are_written_into_a_page_as_they_are(
    watched: Any, name: str
) -> None:
    """The control: each of them, in a page without a policy."""
    page = bare(watched, f"<p>{name}</p>")
    page.wait_for_function("window.pwned === 1")


def test_the_policy_stops_what_would_run(opened: Page, watched: Any) -> None:
    """The second defence, in the program's own page: the same name, written into it as it is."""
    with opened.expect_console_message(lambda m: "Content Security Policy" in m.text):
        # until the image has failed: what its name says would have run by then
        opened.evaluate(
            """(name) => new Promise((done) => {
                document.body.insertAdjacentHTML('beforeend', name);
                document.body.lastElementChild.addEventListener('error', () => done());
            })""",
            RUNS[0],
        )
    assert opened.evaluate("window.pwned") is None
    assert any("Content Security Policy" in text for text in watched.complaints)
    assert opened.evaluate(LOOK)[1] != []  # and the look that the tests above take sees it


def formula_cells(write: Callable[[pd.DataFrame], bytes]) -> int:
    """Cells of the written workbook that a spreadsheet would compute."""
    sheet = openpyxl.load_workbook(
        io.BytesIO(write(pd.DataFrame({"a": [1.0]}, index=["=1+1"])))
    ).active
    return sum(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


def test_formulas_would_be_computed_where_they_are_written_as_they_are() -> None:
    """The control for tables: the same name through pandas' own writer."""
    from gui.data.export import xlsx_bytes

    def naive(frame: pd.DataFrame) -> bytes:
        out = io.BytesIO()
        frame.to_excel(out)
        return out.getvalue()

    assert formula_cells(xlsx_bytes) == 0
    assert formula_cells(naive) == 1
