"""Files as Windows treats them: what is open can be neither replaced nor deleted.

Each promise has a control: the stand-in refuses what Windows refuses.
"""

from __future__ import annotations

import os
import re
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from desktop import cli, dialogs
from gui import atomic, result_folder
from gui.errors import DeconomixError, UnreadableFile
from gui.files import Uploads, is_device, safe_name
from gui.server_settings import Server, local_path
from gui.sessions import file as session_file
from gui.sessions.hooks import Hooks
from gui.sessions.store import Store
from tests.platforms.windows_files import ACCESS_DENIED, SHARING_VIOLATION, long_name

pytestmark = pytest.mark.usefixtures("windows_files")
ROOT = Path(__file__).parents[2]


def winerror(error: pytest.ExceptionInfo[BaseException]) -> Any:
    return getattr(error.value, "winerror", None)


def function(name: str) -> Any:
    """Looked up in the test: the stand-in is in place by then."""
    return getattr({"os": os, "Path": Path}[name.partition(".")[0]], name.partition(".")[2])


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``released(file, after=3)``: another program lets go of the file at the third try."""

    def release(file: Any, after: int = 3) -> list[float]:
        waits: list[float] = []

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == after:
                file.close()

        monkeypatch.setattr(atomic.time, "sleep", sleep)
        return waits

    return release


# -- the stand-in itself
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["os.unlink", "os.remove", "Path.unlink"])
def test_control_an_open_file_is_not_deleted(name: str, tmp_path: Path) -> None:
    path, act = tmp_path / "a", function(name)
    with path.open("wb"), pytest.raises(PermissionError) as error:
        act(path)
    assert winerror(error) == SHARING_VIOLATION
    act(path)
    assert not path.exists()


@pytest.mark.parametrize("name", ["os.replace", "Path.replace", "os.rename", "Path.rename"])
def test_control_an_open_file_is_not_moved_and_none_replaces_it(name: str, tmp_path: Path) -> None:
    path, other, act = tmp_path / "a", tmp_path / "b", function(name)
    path.write_bytes(b"a")
    with path.open("rb"), pytest.raises(OSError, match="cannot access") as error:
        act(path, other)
    assert winerror(error) == SHARING_VIOLATION
    other.write_bytes(b"b")
    with other.open("rb"), pytest.raises(OSError, match="b'") as error:
        act(path, other)
    assert winerror(error) in (ACCESS_DENIED, None)
    if name.endswith("replace"):
        act(path, other)
        assert other.read_bytes() == b"a"
    else:
        with pytest.raises(FileExistsError):
            act(path, other)


def test_control_devices_long_paths_and_capitals(tmp_path: Path) -> None:
    for name in ("CON", "nul.csv", "Com1.tar.gz", "aux .txt"):
        with pytest.raises(OSError, match="syntax"):
            (tmp_path / name).write_bytes(b"x")
    with pytest.raises(FileNotFoundError):
        long_name(tmp_path).write_bytes(b"x")
    long_name(tmp_path, 259).write_bytes(b"x")
    (tmp_path / "Data.csv").write_bytes(b"x")
    assert (tmp_path / "DATA.CSV").read_bytes() == b"x"
    assert (tmp_path / "data.csv").is_file()
    with pytest.raises(FileExistsError):
        (tmp_path / "dATA.csv").open("xb")


# -- replacing and deleting
# --------------------------------------------------------------------------------------------------
def test_a_file_that_a_scanner_reads_is_replaced_once_it_is_let_go(
    tmp_path: Path, released: Any
) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b"old")
    waits = released(path.open("rb"))
    with atomic.replacing(path) as out:
        out.write(b"new")
    assert (path.read_bytes(), len(waits)) == (b"new", 3)
    waits = released(path.open("rb"), after=1)
    atomic.remove(path)
    assert (path.exists(), len(waits)) == (False, 1)


def test_on_other_systems_nothing_is_tried_again(
    tmp_path: Path, released: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "WINDOWS", False)
    path = tmp_path / "a"
    held = path.open("wb")
    waits = released(held)
    with pytest.raises(PermissionError):
        atomic.remove(path)
    assert waits == []
    held.close()


def test_no_module_moves_a_file_but_by_the_one_that_tries_again() -> None:
    """``os.replace``, ``os.rename`` and their namesakes of Path, anywhere but in gui/atomic.py."""
    moves = re.compile(r"\b(?:os|shutil|part|path|staged|entry\.path)\.(?:replace|renames?)\(")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("gui", "desktop")
        for path in (ROOT / folder).rglob("*.py")
        if path != ROOT / "gui" / "atomic.py"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if moves.search(line)
    ]
    assert found == []
    assert moves.search("    part.replace(other)")


# -- sessions
# --------------------------------------------------------------------------------------------------
def _store(tmp_path: Path) -> tuple[Store, Path]:
    store = Store(tmp_path)
    folder = store.place("sessions")
    folder.mkdir()
    path = folder / "a.dcxsession"
    path.write_bytes(b"session")
    return store, path


def _saving_over(path: Path) -> None:
    with session_file._saving():
        atomic.replace(path, path.with_name("b"))


@pytest.mark.parametrize("place", ["archive", "trash"])
def test_a_session_that_a_scanner_reads_is_archived_and_deleted_all_the_same(
    place: Any, tmp_path: Path, released: Any
) -> None:
    store, path = _store(tmp_path)
    waits = released(path.open("rb"))
    moved = store.move(path, place)
    assert (moved.read_bytes(), path.exists(), len(waits)) == (b"session", False, 3)
    released(moved.open("rb"))
    assert store.move(moved, "sessions") == path


def test_a_session_that_stays_open_elsewhere_is_said_in_these_words(tmp_path: Path) -> None:
    store, path = _store(tmp_path)
    with path.open("rb"), pytest.raises(DeconomixError, match="virus scanner") as error:
        store.move(path, "archive")
    assert path.exists()
    assert "folder" in error.value.advice
    with path.open("rb"), pytest.raises(DeconomixError, match="virus scanner"):
        _saving_over(path)
    with pytest.raises(DeconomixError, match="cannot be written to"), session_file._saving():
        raise PermissionError(13, "Permission denied")


def test_a_damaged_session_that_a_scanner_reads_gets_its_backup(
    tmp_path: Path, released: Any
) -> None:
    store, path = _store(tmp_path)
    store.backups.mkdir()
    (store.backups / path.name).write_bytes(b"backup")
    waits = released(path.open("rb"))
    store.restore_backup(path)
    assert path.read_bytes() == b"backup"
    assert path.with_name(f"{path.name}.damaged").read_bytes() == b"session"
    assert len(waits) == 3


# -- uploads
# --------------------------------------------------------------------------------------------------
def test_an_upload_that_is_being_read_is_deleted_later_and_stops_nothing() -> None:
    uploads = Uploads()
    first = uploads.receive("a.csv", [b"1"], limit=10)
    second = uploads.receive("b.csv", [b"2"], limit=10)
    with first.path.open("rb"):
        for upload in (first, second):
            uploads.forget(upload.token)
        assert (first.path.exists(), second.path.exists()) == (True, False)
        uploads.expire()  # still being read: kept in mind
        assert first.path.exists()
    uploads.expire()
    assert not first.path.exists()
    uploads.close()


def test_a_session_is_locked_although_its_upload_is_still_being_read() -> None:
    uploads = Uploads()
    upload = uploads.receive("a.csv", [b"1"], limit=10)
    locked: list[str] = []
    hooks = Hooks()
    session: Any = type("Session", (), {"session_id": "s"})()
    with upload.path.open("rb"):
        hooks.before_lock = lambda _session: uploads.forget(upload.token)
        hooks.call_before_lock(session)
        locked.append("once")
        # and whatever else of it Windows refuses
        hooks.before_lock = lambda _session: os.unlink(upload.path)
        hooks.call_before_lock(session)
        locked.append("twice")
    assert locked == ["once", "twice"]
    uploads.close()


def test_files_of_one_folder_are_put_together_or_stay_where_they_are() -> None:
    uploads = Uploads()
    names = ("matrix.mtx", "genes.tsv", "barcodes.tsv")
    parts = [uploads.receive(name, [b"1"], limit=10) for name in names]
    tokens = [part.token for part in parts]
    with parts[1].path.open("rb"), pytest.raises(UnreadableFile, match="open in another program"):
        uploads.together(tokens)
    assert all(part.path.exists() for part in parts)
    folder = uploads.together(tokens).path
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    same = [uploads.receive(name, [b"1"], limit=10).token for name in ("A.mtx", "a.MTX")]
    with pytest.raises(UnreadableFile, match="same name"):
        uploads.together(same)
    uploads.close()


def test_an_upload_that_breaks_off_while_a_scanner_reads_it_says_why() -> None:
    uploads = Uploads()
    held = []

    def chunks() -> Any:
        yield b"1"
        held.extend(path.open("rb") for path in uploads._place().iterdir())
        yield b"much too long"

    with pytest.raises(UnreadableFile, match="larger than"):
        uploads.receive("a.csv", chunks(), limit=5)
    for file in held:
        file.close()
    uploads.expire()
    assert list(uploads._place().iterdir()) == []
    uploads.close()


# -- saving, and results
# --------------------------------------------------------------------------------------------------
def test_saving_over_a_table_that_is_open_in_excel_says_so(tmp_path: Path, released: Any) -> None:
    path = tmp_path / "fractions.csv"
    dialogs.write(path, b"one")
    with path.open("rb"), pytest.raises(DeconomixError, match="open in another program"):
        dialogs.write(path, b"two")
    assert (path.read_bytes(), [p.name for p in tmp_path.iterdir()]) == (b"one", [path.name])
    released(path.open("rb"))
    dialogs.write(path, b"two")
    assert path.read_bytes() == b"two"


def test_results_take_the_place_of_files_that_a_scanner_reads(
    tmp_path: Path, released: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_folder, "_exchange_call", lambda: None)  # as there
    folder, names = tmp_path / "out", ("a.csv", "run.json")
    result_folder.replace_files(folder, dict.fromkeys(names, b"1"), names)
    waits = released((folder / "run.json").open("rb"))
    result_folder.replace_files(folder, dict.fromkeys(names, b"2"), names)
    assert [(folder / name).read_bytes() for name in names] == [b"2", b"2"]
    assert len(waits) == 3


def test_results_inherit_the_rights_of_the_folder_they_are_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.12.4 and later make ``mkdir(0o700)`` an access list for one user on Windows."""
    asked: list[int] = []
    real = os.mkdir
    monkeypatch.setattr(result_folder, "_exchange_call", lambda: None)
    names = ("run.json",)
    with pytest.MonkeyPatch.context() as patch:  # ends before the stand-in, which patches it, too
        patch.setattr(
            os, "mkdir", lambda path, mode=0o777, **more: (asked.append(mode), real(path, mode))[1]
        )
        for _ in range(2):
            result_folder.replace_files(tmp_path / "out", {"run.json": b"1"}, names)
    assert asked
    assert 0o700 not in asked
    monkeypatch.setattr(atomic, "WINDOWS", False)
    made = result_folder.staging_folder(tmp_path, ".a.")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700  # control: elsewhere it is private


# -- words
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["CON", "nul.csv", "COM3.tar.gz", "aux", "LPT¹.txt", "con .csv"])
def test_no_file_is_saved_under_the_name_of_a_device(name: str, tmp_path: Path) -> None:
    assert is_device(name)
    assert not is_device(safe_name(name))
    for write in (dialogs.write, dialogs.write_new):
        with pytest.raises(DeconomixError, match="for a device"):
            write(tmp_path / name, b"x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["console.csv", "_con.csv", "com10.txt", "nullity", "Konto.csv"])
def test_names_that_only_begin_like_a_device_stay(name: str, tmp_path: Path) -> None:
    assert safe_name(name) == name
    dialogs.write(tmp_path / name, b"x")


def test_a_folder_a_device_and_a_path_that_is_too_long_are_three_sentences(tmp_path: Path) -> None:
    with pytest.raises(DeconomixError, match="is a folder"):
        cli.existing([str(tmp_path)])
    with pytest.raises(UnreadableFile, match="is a folder"):
        Uploads().adopt(tmp_path)
    with pytest.raises(DeconomixError, match="is a folder"):
        dialogs.write(tmp_path, b"x")
    with pytest.raises(DeconomixError, match="There is no file"):
        cli.existing([str(tmp_path / "missing.csv")])
    with pytest.raises(DeconomixError, match=r"no file|cannot be opened"):
        cli.existing([str(tmp_path / "NUL")])
    with pytest.raises(DeconomixError, match="too long"):
        dialogs.write(long_name(tmp_path), b"x")
    with pytest.raises(DeconomixError, match=r"too long"):
        cli.existing([str(tmp_path / ("x" * 4000))])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:///C:/Users/anna/a%20b.csv", "C:/Users/anna/a b.csv"),
        ("FILE:///d:/x.h5ad", "d:/x.h5ad"),
        ("file://localhost/C:/x.csv", "C:/x.csv"),
        ("file://server/share/x.csv", "//server/share/x.csv"),
        ("file://C:/x.csv", "C:/x.csv"),
        (r"C:\a%20b.csv", r"C:\a%20b.csv"),
    ],
)
def test_an_address_of_a_file_is_taken_as_its_path(text: str, path: str) -> None:
    assert local_path(text, windows=True) == path


def test_elsewhere_an_address_of_a_file_begins_at_the_root() -> None:
    assert local_path("file:///home/anna/a%20b.csv", windows=False) == "/home/anna/a b.csv"
    assert local_path("file://localhost/tmp/x", windows=False) == "/tmp/x"
    assert local_path("/tmp/a%20b", windows=False) == "/tmp/a%20b"


@pytest.mark.parametrize("text", ["file:///tmp/a%00b", "file:///tmp/a\0b", "/tmp/a\0b"])
def test_no_address_brings_in_a_null_character(text: str) -> None:
    with pytest.raises(UnreadableFile, match="not a whole path"):
        Server().typed_path(text)
    assert Server().typed_path("file:///tmp/a%20b") == Path("/tmp/a b")


def test_the_lock_between_programs_works_there(tmp_path: Path) -> None:
    path, order = tmp_path / "a", []
    with atomic.locked(path):
        other = threading.Thread(target=lambda: _locked(path, order))
        other.start()
        order.append("first")
    other.join(30)
    assert order == ["first", "second"]


def _locked(path: Path, order: list[str]) -> None:
    with atomic.locked(path):
        order.append("second")
