"""Figure and table on a real page, in Chromium, under the program's own policy: hover, saving,
theme.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
from playwright.sync_api import expect

from desktop.server import LocalServer
from gui.app import Application, create_app
from gui.config import Config
from gui.figures import composition
from gui.figures.palette import colours
from gui.files import FileKind
from tests.browser.conftest import PATIENCE
from tests.pdf_words import unpacked_pdf

pytestmark = pytest.mark.browser

LONG = "regulatory T cells of the second germinal centre"

PAGE = """
import pandas as pd
from dash import Input, Output, html
from gui.components.figure import bind_figure_export, figure_card, type_legend
from gui.components.table import bind_table_export, result_table
from gui.figures import composition
from gui.figures.palette import colours
from gui.figures.palette import colours
from gui.plugin import Page

page = Page("look", "Look", "A figure and a table", order=50)
LONG = "regulatory T cells of the second germinal centre"
SAMPLES = ["a.b[1]", "=1+1", "a sample with quite a long name"]
DATA = pd.DataFrame([[0.123456789, 0.25, 0.3], [0.5, 0.5, 0.5], [0.3, 0.2, 0.1]], index=[LONG, "<b>B</b> cells", "hidden"], columns=SAMPLES)

WIDE = pd.DataFrame(0.5, index=["B", "hidden"], columns=[f"s{i}" for i in range(100)])

@page.layout
def layout(ctx):
    fig = composition.stacked(DATA, colours(DATA.index), normalise=True)
    return html.Div([
        html.Button("next", id=page.id.next),
        figure_card(page, "bars", file_name="composition", figure=fig, legend=type_legend(composition.legend_entries(DATA, colours(DATA.index)))),
        result_table(page, "numbers", DATA.T, index_name="sample"),
        figure_card(page, "wide", file_name="wide", figure=composition.stacked(WIDE, colours(WIDE.index))),
    ])

@page.callback(Output(page.id.bars, "figure"), Input(page.id.next, "n_clicks"), prevent_initial_call=True)
def show(ctx, clicks):
    data = pd.DataFrame(0.5, index=["B", "hidden"], columns=[f"s{i}" for i in range(100 if clicks % 2 else 3)])
    return composition.stacked(data, colours(data.index))

bind_figure_export(page, "bars")
bind_figure_export(page, "wide")
bind_table_export(page, "numbers", lambda ctx: ("numbers", DATA.T))
"""


class Kept:
    """Files that keep what is saved."""

    native = False

    def __init__(self) -> None:
        self.saved: list[tuple[str, bytes, FileKind]] = []

    def open(self, kinds: Sequence[FileKind], *, title: str, multiple: bool = False) -> list[Path]:
        return []

    def save(self, name: str, data: bytes, kind: FileKind) -> str | None:
        self.saved.append((name, data, kind))
        return f"{name} is saved."


@pytest.fixture(scope="module")
def files() -> Kept:
    return Kept()


@pytest.fixture(scope="module")
def app(files: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Application, str]]:
    folder = tmp_path_factory.mktemp("look")
    config = Config.for_tests(folder)
    (folder / "plugins" / "look.py").write_text(PAGE, encoding="utf-8")
    application = create_app(config, files)
    server = LocalServer(application.server).start()
    yield application, server.url
    server.stop()
    application.stop()


@pytest.fixture
def page(app: tuple[Application, str], browser: Any) -> Iterator[Any]:
    application, base = app
    tab = browser.new_page(viewport={"width": 1280, "height": 1000})
    tab.set_default_timeout(PATIENCE)
    tab.errors = []
    tab.on("console", lambda m: tab.errors.append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda e: tab.errors.append(str(e)))
    tab.goto(application.start_url(base))
    tab.goto(f"{base}/look")
    tab.wait_for_selector("#look-bars .bars .point path", state="attached")
    tab.wait_for_selector("#look-numbers .ag-cell")
    yield tab
    assert tab.errors == []
    tab.close()


def _save(tab: Any, item: str, files: Kept) -> tuple[str, bytes, FileKind]:
    before = len(files.saved)
    tab.get_by_role("button", name="Save…").nth(0 if item.startswith("look-bars") else 1).click()
    tab.locator(f"xpath=//*[@id='{item}']").click()
    for _ in range(600):
        if len(files.saved) > before:
            return files.saved[-1]
        tab.wait_for_timeout(100)
    raise AssertionError(f"nothing was saved; {getattr(tab, 'errors', '')}")


def test_hover_names_type_and_sample_in_full(page: Any) -> None:
    points = page.locator("#look-bars .trace.bars").first.locator(".point path")
    box = points.nth(2).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#look-bars .hovertext")
    text = page.locator("#look-bars .hovertext").first.text_content()
    assert "regulatory T cells of the second germinal centre" in text
    assert "a sample with quite a long name" in text
    assert "33.3 %" in text


def test_figure_is_saved_as_png_and_svg_on_white(page: Any, files: Kept) -> None:
    # WebKit gives no picture away from a canvas that has seen a blob: address ("tainted")
    page.evaluate("""() => {
      window.blobs = URL.createObjectURL;
      URL.createObjectURL = () => { throw new Error("tainted"); };
    }""")
    plain = "Plotly.toImage({data: []}, {format: 'png'}).then(() => 'painted', (e) => e.message)"
    assert page.evaluate(plain) == "tainted"  # control: Plotly's own way is the blob
    name, png, kind = _save(page, "look-bars-png", files)
    assert (name, kind.suffixes) == ("composition", (".png",))
    assert png.startswith(b"\x89PNG")
    _, svg, kind = _save(page, "look-bars-svg", files)
    assert kind.suffixes == (".svg",)
    assert b"<svg" in svg
    assert b"rgb(255, 255, 255)" in svg
    assert b"RNA fraction" in svg
    _, pdf, kind = _save(page, "look-bars-pdf", files)
    assert kind.suffixes == (".pdf",)
    assert "RNA fraction" in unpacked_pdf(pdf)
    page.evaluate("() => { URL.createObjectURL = window.blobs; }")


def test_a_figure_that_is_still_to_be_drawn_is_saved_once_it_is(
    app: tuple[Application, str], browser: Any, files: Kept
) -> None:
    application, base = app
    tab = browser.new_page()
    tab.set_default_timeout(PATIENCE)
    waiting: list[Any] = []
    tab.route("**/*plotly*.js*", lambda route: waiting.append(route))
    tab.goto(application.start_url(base))
    tab.goto(f"{base}/look")
    tab.get_by_role("button", name="Save…").first.click()
    before = len(files.saved)
    tab.locator("#look-bars-png").click()
    tab.wait_for_timeout(500)
    assert len(files.saved) == before  # control: there is nothing to save yet
    assert waiting
    tab.unroute("**/*plotly*.js*")  # which lets go on what waited
    _until(tab, lambda: len(files.saved) > before)
    assert files.saved[-1][1].startswith(b"\x89PNG")
    # and where none comes
    tab.evaluate("() => { window.dcxFigureExport.figure_soon = async () => null; }")
    tab.get_by_role("button", name="Save…").first.click()
    tab.locator("#look-bars-png").click()
    expect(tab.get_by_text("There is no figure to save. Wait until")).to_be_visible()
    tab.close()


def _sizes(tab: Any) -> tuple[float, float, int]:
    """Width drawn, width of the place, number of bars of the first type."""
    drawn = tab.evaluate("document.querySelector('#look-bars .js-plotly-plot')._fullLayout.width")
    return (
        drawn,
        tab.locator("#look-bars").bounding_box()["width"],
        tab.locator("#look-bars .trace.bars").first.locator(".point").count(),
    )


def _until(tab: Any, met: Any) -> None:
    for _ in range(600):
        if met():
            return
        tab.wait_for_timeout(100)
    raise AssertionError(f"did not come: {_sizes(tab)}")


def test_many_samples_scroll_and_few_fill_the_room_again(page: Any) -> None:
    page.locator("#look-next").click()
    _until(page, lambda: _sizes(page)[2] == 100)
    assert _sizes(page)[0] > 1500
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.locator("#look-next").click()
    _until(page, lambda: _sizes(page)[2] == 3 and abs(_sizes(page)[0] - _sizes(page)[1]) <= 1)
    page.set_viewport_size({"width": 1000, "height": 800})
    _until(page, lambda: _sizes(page)[1] < 800 and abs(_sizes(page)[0] - _sizes(page)[1]) <= 1)
    assert page.locator("#look-bars").bounding_box()["height"] >= 380


def test_table_shows_any_name_as_text_and_saves_full_precision(page: Any, files: Kept) -> None:
    pytest.importorskip("gui.data.export")
    headers = page.locator("#look-numbers .ag-header-cell-text").all_text_contents()
    assert headers == [
        "sample",
        "regulatory T cells of the second germinal centre",
        "<b>B</b> cells",
        "hidden",
    ]
    cells = page.locator("#look-numbers .ag-row .ag-cell").all_text_contents()
    assert {"a.b[1]", "=1+1", "0.1235"} <= set(cells)
    _, csv, kind = _save(page, "look-numbers-csv", files)
    assert kind.suffixes == (".csv",)
    assert b"0.123456789" in csv
    assert not any(line.startswith((b"=", b'"=')) for line in csv.splitlines())
    assert _save(page, "look-numbers-xlsx", files)[1].startswith(b"PK")


def test_the_saved_table_has_the_order_filter_and_columns_of_the_grid(
    page: Any, files: Kept
) -> None:
    assert [line[:4] for line in _save(page, "look-numbers-csv", files)[1].splitlines()[1:]] == [
        b"a.b[",
        b"'=1+",
        b"a sa",
    ]
    header = page.locator("#look-numbers .ag-header-cell[col-id=c1] .ag-header-cell-label")
    header.click()
    header.click()  # the largest first
    page.evaluate("dash_ag_grid.getApi('look-numbers').moveColumns(['c3'], 1)")
    page.wait_for_timeout(500)
    saved = _save(page, "look-numbers-csv2", files)[1].decode("utf-8-sig").splitlines()
    assert (
        saved[0]
        == "# Sorted and filtered as shown: all rows. For research use only. Not for diagnosis or"
        " treatment. Made with DeconomiX GUI."
    )
    assert saved[1].split(";")[1:] == [
        "hidden",
        "regulatory T cells of the second germinal centre",
        "<b>B</b> cells",
    ]
    assert [line.split(";")[0] for line in saved[2:]] == [
        "a sample with quite a long name",
        "'=1+1",
        "a.b[1]",
    ]
    assert saved[4].split(";")[2] == "0,123456789"
    page.evaluate(
        "dash_ag_grid.getApi('look-numbers').setFilterModel({c1: {filterType: 'number', type:"
        " 'lessThan', filter: 0.3}})"
    )
    page.wait_for_timeout(500)
    sheet = pd.read_excel(
        io.BytesIO(_save(page, "look-numbers-xlsx", files)[1]), sheet_name=None, index_col=0
    )
    assert list(sheet["Table"].index) == ["'=1+1", "a.b[1]"]
    assert "2 of 3 rows" in sheet["About"].index.name


def test_every_entry_of_a_save_menu_works_again_and_again(page: Any, files: Kept) -> None:
    for item, suffix in (
        ("look-bars-png", ".png"),
        ("look-bars-svg", ".svg"),
        ("look-bars-pdf", ".pdf"),
        ("look-numbers-tsv", ".tsv"),
        ("look-numbers-csv", ".csv"),
        ("look-numbers-xlsx", ".xlsx"),
    ):
        for _ in range(3):
            assert _save(page, item, files)[2].suffixes == (suffix,)


def test_a_scrolling_figure_keeps_its_width_from_the_start_and_when_the_window_changes(
    page: Any,
) -> None:
    width = "document.querySelector('#look-wide .js-plotly-plot')._fullLayout.width"
    page.wait_for_selector("#look-wide .bars .point path", state="attached")
    first = page.evaluate(width)
    assert first > 1500
    for size in (900, 1600):
        page.set_viewport_size({"width": size, "height": 800})
        # the other figure has followed
        _until(page, lambda: abs(_sizes(page)[0] - _sizes(page)[1]) <= 1)
        assert page.evaluate(width) == first


def test_a_figure_keeps_the_height_that_it_is_saved_with_when_the_window_changes(
    page: Any,
) -> None:
    data = pd.DataFrame(0.5, index=["B", "hidden"], columns=list("abc"))
    made = composition.stacked(data, colours(data.index))
    assert made.layout.height
    height = "document.querySelector('#look-bars .js-plotly-plot').layout.height"
    for size in (1280, 900, 1600):
        page.set_viewport_size({"width": size, "height": 800})
        _until(page, lambda: abs(_sizes(page)[0] - _sizes(page)[1]) <= 1)
        page.wait_for_timeout(500)  # what follows the width forgot it a moment later
        assert page.evaluate(height) == made.layout.height


def test_save_menus_do_not_ask_to_be_drawn_anew(page: Any) -> None:
    """A page has a dozen: with them asking, ten minutes in the window were half as many page
    changes (tests/endurance/window.py).
    """
    asks = page.evaluate(
        "() => { const all = window.dash_mantine_components, found = [];"
        " for (const name in all) if (all[name] && all[name].dashChildrenUpdate) found.push(name);"
        " return found; }"
    )
    # those of the header do, or they would keep what they listed first
    assert "MenuDropdown" in asks
    assert not {"StillMenuDropdown", "MenuItem", "Tooltip"} & set(asks)
    assert page.evaluate("typeof window.dash_mantine_components.StillMenuDropdown") == "function"


def test_table_follows_the_theme(page: Any) -> None:
    colour = (
        "getComputedStyle(document.querySelector('#look-numbers .ag-root-wrapper')).backgroundColor"
    )
    found = []
    for scheme in ("light", "dark"):
        page.evaluate(
            "document.documentElement.setAttribute('data-mantine-color-scheme',"
            f" {json.dumps(scheme)})"
        )
        page.wait_for_timeout(300)
        found.append(page.evaluate(colour))
    assert found[0] == "rgb(255, 255, 255)"
    assert found[1] == "rgb(36, 36, 36)"


def _open_dialog(tab: Any, item: str = "look-bars-options") -> None:
    tab.get_by_role("button", name="Save…").nth(0).click()
    tab.locator(f"xpath=//*[@id='{item}']").click()
    tab.wait_for_selector('#dcx-export-image[src^="data:image/svg"]', state="attached")


def _saved_from_dialog(tab: Any, files: Kept) -> tuple[str, bytes, FileKind]:
    before = len(files.saved)
    tab.locator("#dcx-export-save").click()
    for _ in range(600):
        if len(files.saved) > before:
            tab.wait_for_selector("#dcx-export-save", state="hidden")
            return files.saved[-1]
        tab.wait_for_timeout(100)
    raise AssertionError("nothing was saved")


def _preview(tab: Any, *holds: str) -> str:
    """The drawing in the dialog once it holds these texts."""
    found = ""
    for _ in range(600):
        found = unquote(tab.locator("#dcx-export-image").get_attribute("src") or "")
        if all(text in found for text in holds):
            return found
        tab.wait_for_timeout(100)
    said = tab.locator("#dcx-export-size").text_content()
    raise AssertionError(f"not in the preview: {holds}; it says “{said}”: {found[:300]}")


def test_a_figure_is_saved_in_the_size_that_the_dialog_shows(page: Any, files: Kept) -> None:
    _open_dialog(page)
    shown = _preview(page, 'width="85.00mm"')
    assert LONG in shown
    page.locator("#dcx-export-format").get_by_text("SVG").click()
    _, svg, kind = _saved_from_dialog(page, files)
    assert kind.suffixes == (".svg",)
    assert b'width="85.00mm"' in svg
    for word in ("RNA fraction", LONG, "a sample with quite a long name", "<b>B</b> cells"):
        assert word in html.unescape(svg.decode())

    _open_dialog(page)  # what was chosen is kept
    assert page.locator("#dcx-export-format input:checked").get_attribute("value") == "svg"
    page.locator("#dcx-export-format").get_by_text("PDF").click()
    page.locator("#dcx-export-preset").click()
    page.get_by_role("option", name="Double column, 180 mm").click()
    page.locator("#dcx-export-height").fill("140,5")
    page.locator("#dcx-export-font").fill("10")
    page.locator("#dcx-export-legend").click()
    page.locator("#dcx-export-titled").click()
    page.locator("#dcx-export-words").fill("Responders & others")
    shown = _preview(page, 'width="180.00mm"', 'height="140.', "Responders &amp; others")
    assert LONG not in shown  # the legend is left out
    _, pdf, kind = _saved_from_dialog(page, files)
    assert kind.suffixes == (".pdf",)
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert box is not None
    size = [float(v) * 25.4 / 72 for v in box.groups()]
    assert size == [pytest.approx(180, abs=0.1), pytest.approx(140.5, abs=0.5)]
    words = unpacked_pdf(pdf)
    assert "(Responders & others) Tj" in words
    assert "(a sample with quite a long name) Tj" in words
    _open_dialog(page)
    page.locator("#dcx-export-legend").click()
    page.locator("#dcx-export-titled").click()
    page.locator("#dcx-export-height").fill("")
    page.locator("#dcx-export-font").fill("8")
    _preview(page, LONG)
    page.keyboard.press("Escape")


def test_a_figure_in_grey_is_told_apart_by_hatches(page: Any, files: Kept) -> None:
    _open_dialog(page)
    page.get_by_text("Grey, hatched").click()
    shown = _preview(page, "patternUnits")
    for _ in range(100):  # the drawing before it has patterns, too: of the hidden background
        shown = unquote(page.locator("#dcx-export-image").get_attribute("src") or "")
        if not _coloured(shown):
            break
        page.wait_for_timeout(100)
    assert _coloured(shown) == []
    assert shown.count("<pattern") >= 2
    page.get_by_text("As on screen").click()
    for _ in range(100):
        if _coloured(unquote(page.locator("#dcx-export-image").get_attribute("src") or "")):
            break
        page.wait_for_timeout(100)
    page.keyboard.press("Escape")


def _coloured(svg: str) -> list[str]:
    """Colours of a drawing that are no grey. Text and axes have a touch of blue on screen."""
    found = re.findall(r"rgb\((\d+), (\d+), (\d+)\)", svg)
    return [str(c) for c in found if max(map(int, c)) - min(map(int, c)) > 45]


def test_a_number_that_is_not_allowed_is_said_and_not_saved(page: Any, files: Kept) -> None:
    _open_dialog(page)
    before = len(files.saved)
    page.locator("#dcx-export-font").fill("99")
    expect(page.locator("#dcx-export-size")).to_contain_text("4 to 30 pt")
    page.locator("#dcx-export-save").click()
    page.wait_for_timeout(500)
    assert len(files.saved) == before
    page.locator("#dcx-export-font").fill("8")
    expect(page.locator("#dcx-export-size")).to_contain_text("mm")
    page.keyboard.press("Escape")


def _wait_until(tab: Any, expression: str) -> None:
    """Wait for what may be a promise; ``wait_for_function`` ends at once with one."""
    for _ in range(600):
        if tab.evaluate(expression):
            return
        tab.wait_for_timeout(100)
    raise AssertionError(f"never true: {expression}")


def test_figure_and_table_are_copied(page: Any) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    # A picture can be read shortly before it is written: only the program knows when it is done.
    page.evaluate(
        "() => { const { dcx } = window.dash_clientside; const copy = dcx.copy_picture;"
        " window.copied = 0;"
        " dcx.copy_picture = (one) => copy(one).then(() => { window.copied += 1; }); }"
    )
    _open_dialog(page)
    for number in (1, 2):
        page.evaluate("navigator.clipboard.writeText('')")
        page.locator("#dcx-export-copy").click()
        _wait_until(page, f"window.copied === {number}")
        kinds = page.evaluate("navigator.clipboard.read().then((all) => all[0].types)")
        assert kinds == ["image/png"]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save…").nth(1).click()
    page.locator("xpath=//*[@id='look-numbers-copy']").click()
    _wait_until(page, "navigator.clipboard.readText().then((text) => text.includes('0.1234'))")
    copied = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert copied[0].split("\t")[1] == LONG
    assert copied[2].startswith("'=1+1\t0.25")
    page.get_by_role("button", name="Save…").nth(1).click()
    page.locator("xpath=//*[@id='look-numbers-code']").click()
    expect(page.locator("#dcx-code-python")).to_contain_text("numbers.csv")
    page.locator("#dcx-code-r-copy").click()
    _wait_until(page, "navigator.clipboard.readText().then((text) => text.includes('read.csv'))")
    page.keyboard.press("Escape")
