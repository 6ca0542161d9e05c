"""Export and import on the Sessions page, through the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gui.data.example import make_example
from gui.sessions import file
from gui.sessions.manager import LOCAL
from tests.gui.sessions_page import (
    ACTIVE,
    ARCHIVED,
    OTHER,
    PASSWORD,
    answer,
    bring,
    current,
    export,
    locked,
    made,
    names,
    outcomes,
    press,
    protected,
    row,
    tick,
)

pytestmark = pytest.mark.usefixtures("quick_passwords")


@pytest.fixture(scope="module")
def example() -> Any:
    return make_example()


@pytest.fixture
def page(tab: Any) -> Any:
    tab.go("sessions")
    return tab


def written(folder: Path, given: list[tuple[str, bytes]]) -> list[Path]:
    for name, data in given:
        (folder / name).write_bytes(data)
    return [folder / name for name, _ in given]


def test_an_exported_session_is_imported_and_a_changed_one_is_asked_about(
    page: Any, example: Any, tmp_path: Path
) -> None:
    session = made(page.application, "melanoma: run 1", example)
    [(name, data)] = export(page, "melanoma: run 1")
    assert name == "melanoma_ run 1.dcxsession"
    assert not page.get("sessions-export-dialog", "opened")
    assert any(name in n for n in page.notices)
    [out] = written(tmp_path, [(name, data)])
    bring(page, out)
    assert any("is already here, the same as in the file" in n for n in page.notices)
    assert current(page) == "melanoma: run 1"
    assert not page.get("sessions-import-dialog", "opened")
    session.notes = "changed since"
    bring(page, out)
    assert outcomes(page)[name][0] == "differs"
    assert page.get("sessions-import-dialog", "opened") is not False
    answer(page, "copy", name)
    assert names(page) == ["melanoma: run 1", "melanoma: run 1 2"]
    assert current(page) == "melanoma: run 1 2"
    assert not page.get("sessions-import-dialog", "opened")
    bring(page, out)
    answer(page, "mine", name)
    assert current(page) == "melanoma: run 1"
    assert session.notes == "changed since"
    assert out.read_bytes() == data


def test_several_are_exported_at_once_also_archived_ones(page: Any, example: Any) -> None:
    for name in ("A", "B", "C"):
        made(page.application, name, example)
    assert [name for name, _ in export(page, "A", "B", "C")] == [
        "A.dcxsession",
        "B.dcxsession",
        "C.dcxsession",
    ]
    assert any("3 files" in n for n in page.notices)
    tick(page, "A", "B")
    page.click("sessions-active-archive")
    given = export(page, "A", "B", grid=ARCHIVED)
    assert [name for name, _ in given] == ["A.dcxsession", "B.dcxsession"]
    assert names(page, ARCHIVED) == ["A", "B"]


def test_several_files_are_imported_each_with_its_own_outcome(
    page: Any, example: Any, tmp_path: Path
) -> None:
    for name in ("A", "B", "C"):
        made(page.application, name, example)
    paths = written(tmp_path, export(page, "A", "B", "C"))
    (tmp_path / "bad.dcxsession").write_bytes(b"nothing")
    tick(page, "A")
    page.click("sessions-active-delete")
    page.click("sessions-delete")
    page.application.sessions.get_session(row(page, "B")["id"], actor=LOCAL).notes = "mine"
    before = current(page)
    bring(page, *paths, tmp_path / "bad.dcxsession")
    states = {name: state for name, (state, _) in outcomes(page).items()}
    assert states == {
        "A.dcxsession": "done",
        "B.dcxsession": "differs",
        "C.dcxsession": "done",
        "bad.dcxsession": "failed",
    }
    assert "imported" in outcomes(page)["A.dcxsession"][1]
    assert any("2 of 4 sessions were imported" in n for n in page.notices)
    assert any("bad.dcxsession" in n for n in page.notices)
    assert current(page) == before  # several: none of them is opened unasked
    bring(page, tmp_path / "bad.dcxsession")
    assert outcomes(page)["B.dcxsession"][0] == "differs"  # what is not decided stays in the list
    answer(page, "copy", "B.dcxsession")
    assert names(page) == ["A", "B", "B 2", "C"]
    assert outcomes(page)["B.dcxsession"][0] == "done"


def test_leaving_the_dialog_forgets_what_was_not_decided(
    page: Any, example: Any, tmp_path: Path
) -> None:
    session = made(page.application, "A", example)
    [out] = written(tmp_path, export(page, "A"))
    session.notes = "changed"
    bring(page, out)
    assert outcomes(page)
    page.set({("sessions-import-dialog", "opened"): False})
    assert not outcomes(page)
    assert names(page) == ["A"]


def test_a_file_that_is_no_session_is_refused_in_a_sentence(page: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.dcxsession"
    bad.write_bytes(b"nothing")
    bring(page, bad)
    assert outcomes(page)["bad.dcxsession"][0] == "failed"
    assert page.notices
    assert not any("unexpected" in n or "Traceback" in n for n in page.notices)
    assert names(page) == []


def test_a_file_is_exported_with_a_password_of_its_own(
    page: Any, example: Any, tmp_path: Path
) -> None:
    session = made(page.application, "A", example)
    assert page.get("sessions-export-password-box", "style") == {"display": "none"}
    short = export(page, "A", way="sealed", password_one="too short", password_two="too short")
    assert short == []
    assert any("12 or more" in n for n in page.notices)
    assert page.get("sessions-export-password-box", "style") == {}
    assert export(page, "A", way="sealed", password_one=PASSWORD, password_two=OTHER) == []
    assert any("passwords differ" in n for n in page.notices)
    [out] = written(
        tmp_path, export(page, "A", way="sealed", password_one=PASSWORD, password_two=PASSWORD)
    )
    header = file.read_header(out)
    assert header.encrypted
    assert not row(page, "A")["protected"]
    assert page.get("sessions-export-password-one", "value") == ""
    session.notes = "changed since"
    bring(page, out)
    answer(page, "copy", "A.dcxsession", "a wrong password")
    assert any("wrong" in n for n in page.notices)
    assert names(page) == ["A"]
    answer(page, "copy", "A.dcxsession", PASSWORD)
    assert names(page) == ["A", "A 2"]
    assert row(page, "A 2")["protected"]


def test_a_protected_one_is_exported_sealed_and_in_clear_only_when_asked_and_unlocked(
    page: Any, example: Any, tmp_path: Path
) -> None:
    made(page.application, "A", example)
    tick(page, "A")
    page.click("sessions-active-export")
    # an unprotected one is in clear as it is
    assert page.get("sessions-export-open", "style") == {"display": "none"}
    protected(page, "A")
    [sealed] = written(tmp_path, export(page, "A"))
    assert file.read_header(sealed).encrypted
    assert page.get("sessions-export-open", "style") == {}
    [clear] = written(tmp_path, export(page, "A", way="open"))
    assert not file.read_header(clear).encrypted
    locked(page, "A")
    [still] = written(tmp_path, export(page, "A"))
    assert file.read_header(still).encrypted
    assert page.get("sessions-export-open", "style") == {"display": "none"}
    assert page.get("sessions-export-no-cells", "disabled") is True
    assert "locked" in page.get("sessions-export-what", "children")


def test_one_that_cannot_be_exported_is_named_and_the_others_are_exported(
    page: Any, example: Any
) -> None:
    made(page.application, "A", example)
    made(page.application, "B", example)
    protected(page, "B")
    tick(page, "A", "B")
    page.click("sessions-active-export")
    # meanwhile, in another tab
    page.application.sessions.lock_session(row(page, "B")["id"], actor=LOCAL)
    page.set({("sessions-export-way", "value"): "open"})
    page.click("sessions-export-go")
    assert [name for name, _ in page.downloaded()] == ["A.dcxsession"]
    assert any("“B”" in n for n in page.notices)
    assert any("1 of 2 could not be exported" in n for n in page.notices)


def test_without_cells_and_with_pseudonyms_the_table_of_names_is_a_second_file(
    page: Any, example: Any, tmp_path: Path
) -> None:
    session = made(page.application, "A", example)
    paths = written(tmp_path, export(page, "A", no_cells=True, pseudonyms=True))
    assert [p.name for p in paths] == ["A.dcxsession", "A - names.csv"]
    table = paths[1].read_text("utf-8-sig")
    sample = session.need_dataset().bulk.samples[0]
    assert sample in table
    assert sample.encode() not in paths[0].read_bytes()
    bring(page, paths[0])
    assert row(page, "A 2")["contents"].startswith("Data (")
    copy = page.application.sessions.get_session(row(page, "A 2")["id"], actor=LOCAL).need_dataset()
    assert copy.train is None
    assert sample not in copy.bulk.samples
    assert sample in session.need_dataset().bulk.samples


def test_a_sealed_file_that_is_new_is_copied_in_locked(
    page: Any, example: Any, tmp_path: Path
) -> None:
    made(page.application, "A", example)
    protected(page, "A")
    [out] = written(tmp_path, export(page, "A"))
    data = out.read_bytes()
    session_id = row(page, "A")["id"]
    page.application.sessions.delete_session(session_id, actor=LOCAL)
    page.application.sessions._lifecycle.purge(session_id)  # its 30 seconds are over
    bring(page, out)
    assert any("It is locked" in n for n in page.notices)
    assert (row(page, "A")["state"], row(page, "A")["open"]) == ("locked", "Unlock")
    assert current(page) == "Default"
    assert out.read_bytes() == data


def test_restoring_by_the_row_and_by_an_import_are_the_same(
    page: Any, example: Any, tmp_path: Path
) -> None:
    made(page.application, "A", example)
    [out] = written(tmp_path, export(page, "A"))
    tick(page, "A")
    page.click("sessions-active-archive")
    bring(page, out)
    assert names(page) == ["A"]
    tick(page, "A")
    page.click("sessions-active-archive")
    press(page, "A", ARCHIVED)
    assert names(page, ACTIVE) == ["A"]
