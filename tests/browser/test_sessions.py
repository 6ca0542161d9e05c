"""The six workflows of sessions in a browser: run and reopen after a restart, rename, new, switch,
delete, archive, restore.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from desktop.server import LocalServer
from gui.app import Application, create_app
from gui.config import Config
from gui.data.example import make_example
from gui.sessions.manager import LOCAL
from tests.browser.walk import rest

pytestmark = pytest.mark.browser
RUN = 300_000


@contextlib.contextmanager
def program(folder: Path) -> Iterator[tuple[Application, str]]:
    """The program on ``folder``, with its worker; left as a user ends it."""
    application = create_app(Config.for_tests(folder))
    server = LocalServer(application.server)
    server.start()
    application.start()
    try:
        yield application, application.start_url(server.url)
    finally:
        server.stop()
        application.stop()


DROP = """([field, name, text]) => {
    const given = new DataTransfer();
    given.items.add(new File([text], name));
    document.querySelector(field).dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: given}));
}"""


def go(page: Page, title: str) -> None:
    page.click(f"#dcx-nav a:has-text('{title}')")


def row(page: Page, name: str, grid: str = "sessions-active") -> Locator:
    return page.locator(f"#{grid} .ag-row").filter(
        has=page.locator(f".ag-cell[col-id=name]:text-is('{name}')")
    )


def tick(page: Page, name: str, grid: str = "sessions-active") -> None:
    row(page, name, grid).locator(".ag-checkbox-input").first.check()


def current(page: Page, name: str) -> None:
    expect(page.locator("#dcx-session-button")).to_have_text(name)


def value_set(page: Page, field: str, value: str) -> None:
    page.fill(f"#{field}", value)
    page.keyboard.press("Tab")
    rest(page)


def example(page: Page, name: str) -> None:
    go(page, "Upload")
    page.click("#upload-example")
    current(page, name)
    expect(page.locator("#upload-answer")).to_contain_text("training cells")


def load(page: Page, folder: Path, name: str, *, bulk: bool) -> None:
    """Load real single cells, with or without a bulk: into the session on screen, or into one named
    after the file.
    """
    if not page.locator("#upload-load").is_visible():
        go(page, "Upload")
    for role, file in (("train", "train.h5ad"), ("bulk", "application.h5ad"))[: 1 + bulk]:
        with page.expect_file_chooser() as chooser:
            page.click(f"#upload-{role}-choose")
        chooser.value.set_files(folder / file)
        expect(page.locator(f"#upload-{role}-name")).to_have_text(file)
    page.click("#upload-load")
    current(page, name)
    expect(page.locator("#upload-answer")).to_contain_text("training cells")


def pbmc(page: Page, data: Path, name: str = "train") -> None:
    load(page, data, name, bulk=True)
    expect(page.locator("#upload-answer")).to_contain_text(
        "244 training cells of 9 types and 12 bulk samples"
    )


def cells_only(page: Page, data: Path, name: str) -> None:
    load(page, data, name, bulk=False)
    expect(page.locator("#upload-answer .mantine-Badge-root", has_text="no bulk")).to_have_count(1)


def run_dtd(page: Page, iterations: str) -> None:
    go(page, "DTD")
    value_set(page, "dtd-iterations", iterations)
    page.click("#dtd-run")
    expect(page.locator("#dtd-page")).to_contain_text(f"{iterations} iterations", timeout=RUN)
    expect(page.locator("#dtd-page")).to_contain_text("Mean correlation", timeout=RUN)


def drawn(page: Page, graph: str) -> None:
    expect(page.locator(f"#{graph} .main-svg").first).to_be_visible()
    expect(page.locator(f"#{graph} .overplot :is(path, image, rect)").first).to_be_attached()


def ended(application: Application) -> None:
    deadline = time.monotonic() + RUN / 1000
    while any(job.active for job in application.runner.status()):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_run_is_there_again_after_a_restart_with_everything_that_was_on_screen(
    watched: Any, tmp_path: Path, tiny_data: Path
) -> None:
    with program(tmp_path) as (application, address):
        page = watched.context.new_page()
        page.goto(address)
        page.wait_for_selector("#upload-load")
        expect(page.locator("#upload-reason")).to_contain_text("Choose training data")
        pbmc(page, tiny_data)
        run_dtd(page, "60")
        run_dtd(page, "40")
        go(page, "ADTD")
        value_set(page, "adtd-max-iterations", "30")
        page.click("#adtd-run")
        expect(page.locator("#adtd-run-answer")).to_contain_text("hidden fraction", timeout=RUN)
        answer = page.locator("#adtd-run-answer").inner_text()
        ended(application)
        page.get_by_role("tab", name="Hidden profile").click()
        page.locator("#adtd-hidden-of").get_by_text("Fraction by sample").click()
        go(page, "Upload")
        page.get_by_role("tab", name="First rows").click()
        page.click("text=Advanced")
        value_set(page, "upload-author", "A. Author")
        go(page, "DTD")
        page.get_by_role("tab", name="Correlation").click()
        page.locator("#dtd-metric").get_by_text("RMSE").click()
        expect(page.locator("#dcx-saved")).to_have_text("Saved")
        metrics = page.locator("#dtd-page").get_by_text("Mean correlation").first.inner_text()
        page.close()
    with program(tmp_path) as (application, address):
        assert [s.loaded for s in application.sessions.list_sessions(actor=None)] == [True, False]  # type: ignore[arg-type]
        page = watched.context.new_page()
        page.goto(address)
        current(page, "Default")
        go(page, "Sessions")
        expect(row(page, "train")).to_contain_text("Data · 2 DTD · ADTD")
        row(page, "train").get_by_role("button", name="Open").click()
        current(page, "train")
        expect(page.locator("#dcx-saved")).to_have_text("Saved")
        go(page, "DTD")
        expect(page.locator("#dtd-iterations")).to_have_value("40")
        expect(page.get_by_role("tab", name="Correlation")).to_have_attribute(
            "aria-selected", "true"
        )
        drawn(page, "dtd-correlation")
        expect(page.locator("#dtd-metric input:checked")).to_have_value("rmse")
        expect(page.locator("#dtd-page").get_by_text("Mean correlation").first).to_have_text(
            metrics
        )
        expect(page.get_by_role("button", name="Previous runs")).to_contain_text("2")
        go(page, "ADTD")
        expect(page.locator("#adtd-max-iterations")).to_have_value("30")
        expect(page.locator("#adtd-run-answer")).to_have_text(answer, use_inner_text=True)
        expect(page.get_by_role("tab", name="Hidden profile")).to_have_attribute(
            "aria-selected", "true"
        )
        expect(page.locator("#adtd-hidden-of input:checked")).to_have_value("samples")
        drawn(page, "adtd-hidden")
        page.get_by_role("tab", name="Composition").click()
        drawn(page, "adtd-composition-figure")
        go(page, "Upload")
        expect(page.locator("#upload-answer")).to_contain_text(
            "244 training cells of 9 types and 12 bulk samples"
        )
        expect(page.get_by_role("tab", name="First rows")).to_have_attribute(
            "aria-selected", "true"
        )
        expect(page.locator("#upload-author")).to_have_value("A. Author")
    assert watched.complaints == []
    assert watched.foreign == []


def test_rename_then_a_new_session_is_empty_and_the_old_one_is_whole(
    opened: Page, watched: Any, tiny_data: Path
) -> None:
    page = opened
    pbmc(page, tiny_data)
    run_dtd(page, "40")
    go(page, "Sessions")
    row(page, "train").locator(".ag-cell[col-id=name]").dblclick()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("melanoma run 1")
    page.keyboard.press("Enter")
    current(page, "melanoma run 1")
    expect(row(page, "melanoma run 1")).to_contain_text("open")
    page.click("#sessions-new")
    page.fill("#sessions-new-name", "Second")
    page.click("#sessions-create")
    current(page, "Second")
    for title, lacking in (("DTD", "needs data"), ("ADTD", "needs a DTD run")):
        link = page.locator("#dcx-nav a").filter(has_text=lacking).filter(has_text=title)
        expect(link.first).to_have_attribute("data-disabled", "true")
    row(page, "melanoma run 1").get_by_role("button", name="Open").click()
    current(page, "melanoma run 1")
    go(page, "DTD")
    expect(page.locator("#dtd-page")).to_contain_text("40 iterations")
    go(page, "Sessions")
    row(page, "Second").get_by_role("button", name="Open").click()
    current(page, "Second")
    go(page, "Upload")
    expect(page.locator("#upload-page")).to_contain_text("No data yet")
    cells_only(page, tiny_data, "Second")  # load again: into the empty session that is open
    expect(
        page.locator("#dcx-nav a[href='/adtd']").filter(has_text="needs a DTD run")
    ).to_have_count(1)
    page.click("#dcx-session-button")
    page.locator("#dcx-session-menu").get_by_text("melanoma run 1").click()
    current(page, "melanoma run 1")
    expect(page.locator("#upload-answer")).to_contain_text("12 bulk samples")
    assert watched.complaints == []


@pytest.mark.slow
def test_switching_between_two_sessions_shows_each_its_own(
    opened: Page, watched: Any, tiny_data: Path
) -> None:
    page = opened
    pbmc(page, tiny_data)
    run_dtd(page, "40")
    go(page, "Sessions")
    page.click("#sessions-new")
    page.fill("#sessions-new-name", "Second")
    page.click("#sessions-create")
    current(page, "Second")
    cells_only(page, tiny_data, "Second")  # into the empty session that is open
    run_dtd(page, "25")
    go(page, "Sessions")
    for name, iterations in (("train", "40"), ("Second", "25"), ("train", "40")):
        row(page, name).get_by_role("button", name="Open").click()
        current(page, name)
        go(page, "DTD")
        expect(page.locator("#dtd-page")).to_contain_text(f"{iterations} iterations")
        expect(page.locator("#dtd-iterations")).to_have_value(iterations)
        go(page, "Upload")
        expect(page.locator("#upload-answer")).to_contain_text(
            "12 bulk samples" if name == "train" else "training cells"
        )
        expect(
            page.locator("#upload-answer .mantine-Badge-root", has_text="no bulk")
        ).to_have_count(0 if name == "train" else 1)
        go(page, "Sessions")
    assert watched.complaints == []


def test_delete_asks_archive_and_restore_keep_everything(
    opened: Page, watched: Any, tiny_data: Path
) -> None:
    page = opened
    pbmc(page, tiny_data)
    run_dtd(page, "40")
    go(page, "Sessions")
    tick(page, "train")
    page.click("#sessions-active-delete")
    expect(page.locator("#sessions-delete-question")).to_have_text(
        "Delete “train”? Undo brings it back for 30 seconds; then it is gone for good."
    )
    page.click("#sessions-keep")
    expect(page.locator("#sessions-delete-question")).to_be_hidden()
    expect(row(page, "train")).to_be_visible()
    page.click("#sessions-active-delete")
    page.click("#sessions-delete")
    expect(row(page, "train")).to_have_count(0)
    current(page, "Default")
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "train")).to_be_visible()

    row(page, "train").get_by_role("button", name="Open").click()
    current(page, "train")
    rest(page)  # the table is drawn anew, for the session that is open now
    tick(page, "train")
    page.click("#sessions-active-archive")
    expect(row(page, "train", "sessions-archived")).to_be_visible()
    expect(row(page, "train")).to_have_count(0)
    current(page, "Default")
    row(page, "train", "sessions-archived").get_by_role("button", name="Restore").click()
    current(page, "train")
    expect(page.locator("#sessions-archived")).to_be_hidden()
    go(page, "DTD")
    expect(page.locator("#dtd-page")).to_contain_text("40 iterations")
    drawn(page, "dtd-composition-figure")
    assert watched.complaints == []


@pytest.mark.slow
def test_export_and_import_in_a_browser(opened: Page, watched: Any, tmp_path: Path) -> None:
    page = opened
    example(page, "Example")
    go(page, "Sessions")
    tick(page, "Example")
    page.click("#sessions-active-export")
    with page.expect_download() as download:
        page.click("#sessions-export-go")
    assert download.value.suggested_filename == "Example.dcxsession"
    out = tmp_path / "Example.dcxsession"
    download.value.save_as(out)
    page.click("#sessions-active-delete")
    page.click("#sessions-delete")
    current(page, "Default")
    page.click("#sessions-bring")
    with page.expect_file_chooser() as chooser:
        page.click("#sessions-file-choose")
    chooser.value.set_files(out)
    current(page, "Example")
    go(page, "Upload")
    expect(page.locator("#upload-answer")).to_contain_text("training cells")
    assert watched.complaints == []


def test_several_sessions_go_out_and_come_in_at_once_and_notes_are_typed_in_the_table(
    opened: Page, watched: Any, running: Any, tmp_path: Path
) -> None:
    page = opened
    with page.expect_response(
        lambda answer: "sessions-active.rowData" in (answer.request.post_data or "")
    ):
        # to its end: a click before that may meet a button that is about to be replaced
        go(page, "Sessions")
    for name in ("One", "Two"):
        page.click("#sessions-new")
        page.fill("#sessions-new-name", name)
        page.click("#sessions-create")
        current(page, name)
    expect(row(page, "Two")).to_have_attribute("row-index", "0")  # the table has come to rest
    expect(row(page, "One")).to_have_attribute("row-index", "1")
    notes = row(page, "One").locator(".ag-cell[col-id=notes]")
    notes.dblclick()
    page.locator(".ag-large-text-input textarea").fill("from the March batch")
    # the table looks for news meanwhile, and there are some: the editor stays, and what was typed
    with page.expect_response(
        lambda answer: "sessions-active.rowData" in (answer.request.post_data or "")
    ):
        running.application.sessions.create_session("Three", actor=LOCAL)
    rest(page)
    expect(page.locator(".ag-large-text-input textarea")).to_have_value("from the March batch")
    page.locator(".ag-large-text-input textarea").press("Enter")
    expect(notes).to_have_text("from the March batch")
    expect(row(page, "Three")).to_be_visible()
    # it is the one used last now: the rows change places before they are ticked
    expect(row(page, "One")).to_have_attribute("row-index", "0")
    arrived: list[Any] = []
    page.on("download", lambda download: arrived.append(download))
    for name in ("One", "Two"):
        tick(page, name)
    page.click("#sessions-active-export")
    page.click("#sessions-export-go")
    for _ in range(100):
        if len(arrived) == 2:
            break
        page.wait_for_timeout(100)
    paths = []
    for download in arrived:
        download.save_as(tmp_path / download.suggested_filename)
        paths.append(tmp_path / download.suggested_filename)
    assert sorted(path.name for path in paths) == ["One.dcxsession", "Two.dcxsession"]
    (tmp_path / "bad.dcxsession").write_bytes(b"nothing")
    page.click("#sessions-bring")
    with page.expect_file_chooser() as chooser:
        page.click("#sessions-file-choose")
    assert chooser.value.is_multiple()
    chooser.value.set_files([*paths, tmp_path / "bad.dcxsession"])
    expect(page.locator("#sessions-import-list")).to_contain_text("“One” is already here")
    expect(page.locator("#sessions-import-list")).to_contain_text("“Two” is already here")
    expect(page.locator("#sessions-import-list")).to_contain_text("bad.dcxsession")
    page.evaluate(DROP, ["#sessions-file-choose", "dropped.dcxsession", "no session"])
    expect(page.locator("#sessions-import-list")).to_contain_text("dropped.dcxsession")
    assert watched.complaints == []
    assert watched.foreign == []


def test_a_password_gets_an_honest_hint_and_locks_the_session(opened: Page, watched: Any) -> None:
    page = opened
    go(page, "Sessions")
    page.click("#sessions-new")
    page.fill("#sessions-new-name", "Mine")
    page.click("#sessions-create")
    current(page, "Mine")
    tick(page, "Mine")
    page.click("#sessions-active-protect")
    hint = page.locator("#sessions-protect-password-hint")
    for password, words in (
        ("melanoma", "Too short: 8 of 12"),
        ("Melanoma2024!", "Weak"),
        ("passwordpassword", "Weak"),
        ("123456789012", "Weak"),
        ("aB3!aB3!aB3!aB3!", "Weak"),
        ("tiger lamp seven", "Fair"),
        ("four grey owls sleep", "Good"),
        ("x7$Kq9!mZ2pL", "Strong"),
    ):
        page.fill("#sessions-protect-password-one", password)
        expect(hint).to_contain_text(words)
    page.fill("#sessions-protect-password-one", "four grey owls sleep")
    page.fill("#sessions-protect-password-two", "four grey owls slept")
    expect(hint).to_contain_text("not the same yet")
    page.fill("#sessions-protect-password-two", "four grey owls sleep")
    page.click("#sessions-protect-go")
    expect(page.locator("#sessions-active-lock")).to_be_visible()
    page.click("#sessions-active-lock")
    expect(page.get_by_role("button", name="Unlock Mine")).to_be_visible()
    go(page, "Upload")
    expect(page.locator("#dcx-unlock-password")).to_be_visible()
    go(page, "Sessions")
    page.get_by_role("button", name="Unlock Mine").click()
    page.fill("#sessions-unlock-password", "four grey owls sleep")
    page.keyboard.press("Enter")
    expect(page.locator("#sessions-unlock-password")).to_be_hidden()
    current(page, "Mine")
    go(page, "Upload")
    expect(page.locator("#upload-load")).to_be_visible()
    assert watched.complaints == []


def test_a_locked_session_shows_its_lock_screen_to_every_browser_and_unlocks_for_one(
    running: Any, browser: Any, watched: Any
) -> None:
    application, password = running.application, "four grey owls sleep"
    session = application.sessions.create_session("Mine", actor=LOCAL)
    session.set_dataset(make_example().dataset, keep_runs=False)
    application.sessions.protect_session(session.session_id, password, actor=LOCAL)
    application.sessions.lock_session(session.session_id, actor=LOCAL)
    elsewhere = browser.new_context(viewport={"width": 1280, "height": 720})
    pages = [context.new_page() for context in (watched.context, watched.context, elsewhere)]
    for page in pages:
        page.set_default_timeout(RUN)
        page.goto(running.address())
        page.click("#dcx-session-button")
        page.locator("#dcx-session-menu").get_by_text("Mine").click()
        expect(page.locator("#dcx-unlock-password")).to_be_focused()
    mine, beside, other = pages
    mine.keyboard.type("four grey owls slept")
    mine.keyboard.press("Enter")
    expect(mine.get_by_text("The password is wrong.")).to_be_visible()
    expect(mine.locator("#dcx-unlock-password")).to_have_value("")
    mine.fill("#dcx-unlock-password", password)
    mine.keyboard.press("Enter")
    for page in (mine, beside):  # two tabs of one browser
        expect(page.locator("#upload-answer")).to_contain_text("training cells", timeout=RUN)
        expect(page.locator("#dcx-lock")).to_be_visible()
    expect(other.locator("#dcx-unlock-password")).to_be_visible()
    expect(other.locator("#upload-answer")).to_have_count(0)
    mine.click("#dcx-lock")
    for page in pages:
        expect(page.locator("#dcx-unlock-password")).to_be_visible()
        expect(page.get_by_text("training cells")).to_have_count(0)
    elsewhere.close()
    assert watched.complaints == []
