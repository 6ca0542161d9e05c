"""What stands behind the dialogs: writing all or nothing, and the filters.

The dialogs themselves: test_window.py.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from desktop import dialogs
from desktop.dialogs import NativeFiles, file_types, write, write_new
from gui.errors import DeconomixError
from gui.files import CSV, EXPRESSION, MODEL, FileKind


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_writing_replaces_an_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"old and longer")
    write(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a.csv"]


def test_interrupted_writing_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(dialogs.os, "fsync", full)
    with pytest.raises(DeconomixError, match="not enough space"):
        write(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.csv"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_written_files_have_ordinary_permissions_and_replaced_ones_keep_theirs(
    tmp_path: Path,
) -> None:
    mask = os.umask(0o022)
    try:
        write(tmp_path / "new", b"")
    finally:
        os.umask(mask)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o644
    (tmp_path / "new").chmod(0o600)
    write(tmp_path / "new", b"x")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_writing_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_bytes(b"old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    write(tmp_path / "link.csv", b"new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"new"


def read_only(tmp_path: Path) -> Path:
    """A folder nobody, not even root, can write into."""
    if os.name == "nt":
        pytest.skip("folders are not read-only on Windows")
    if os.geteuid() != 0:
        tmp_path.chmod(0o555)
        return tmp_path
    if not sys.platform.startswith("linux"):
        pytest.skip("root may write anywhere")
    return Path("/sys/kernel")


def test_folder_that_may_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        DeconomixError, match=r"a\.csv cannot be written in .*: you may not write"
    ) as caught:
        write(read_only(tmp_path) / "a.csv", b"x")
    assert caught.value.advice == "Save it in another folder."


def test_missing_folder_a_folder_in_the_way_and_a_long_name_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(DeconomixError, match="does not exist"):
        write(tmp_path / "gone" / "a.csv", b"x")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DeconomixError):
        write(tmp_path / "folder.csv", b"x")
    with pytest.raises(DeconomixError, match="too long"):
        write(tmp_path / ("a" * 300), b"x")
    assert names(tmp_path) == ["folder.csv"]


def test_a_new_file_takes_a_free_name_and_never_replaces(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"old")
    assert write_new(tmp_path / "a.csv", b"1") == tmp_path / "a 2.csv"
    assert write_new(tmp_path / "a.csv", b"2") == tmp_path / "a 3.csv"
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {
        "a.csv": b"old",
        "a 2.csv": b"1",
        "a 3.csv": b"2",
    }
    write(tmp_path / "a.csv", b"new")  # the positive control: writing without the defence replaces
    assert (tmp_path / "a.csv").read_bytes() == b"new"


def test_a_new_file_that_cannot_be_written_leaves_no_name_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(dialogs.os, "fsync", full)
    with pytest.raises(DeconomixError, match="not enough space"):
        write_new(tmp_path / "a.csv", b"x")
    assert names(tmp_path) == []


class Answering:
    """The window's dialogs, answered with ``chosen``; notes what was asked."""

    def __init__(self, *chosen: str) -> None:
        self.chosen, self.asked, self.localization = chosen, [], {}

    def create_file_dialog(self, dialog: int, **options: object) -> tuple[str, ...]:
        self.asked.append((int(dialog), self.localization["linux.openFolder"]))
        return self.chosen


def test_several_files_go_into_one_folder_under_free_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"old")
    files, window = NativeFiles(), Answering(str(tmp_path))
    files.attach(window)
    told = files.save_all([("a", b"1"), ("b/c", b"2"), ("a.csv", b"3")], CSV)
    assert told == f"Saved 3 files in {tmp_path}."
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {
        "a.csv": b"old",
        "a 2.csv": b"1",
        "b_c.csv": b"2",
        "a 3.csv": b"3",
    }
    assert window.asked == [(20, "Save 3 files in a folder")]  # once


def test_cancelling_the_folder_writes_nothing_and_a_failure_says_what_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = NativeFiles()
    files.attach(Answering())
    assert files.save_all([("a", b"1"), ("b", b"2")], CSV) is None
    assert names(tmp_path) == []
    files.attach(Answering(str(tmp_path)))

    def sometimes(path: Path, data: bytes) -> None:
        if data == b"2":
            raise DeconomixError("There is no room.")
        path.write_bytes(data)

    monkeypatch.setattr(dialogs, "write", sometimes)
    with pytest.raises(DeconomixError, match=r"There is no room\. 1 of 2 files are saved there\."):
        files.save_all([("a", b"1"), ("b", b"2")], CSV)
    assert names(tmp_path) == ["a.csv"]


def test_filters_are_what_pywebview_accepts() -> None:
    from webview.util import parse_file_type

    kinds = [
        EXPRESSION,
        MODEL,
        CSV,
        FileKind("µ-arrays (old) & more", (".csv.gz",)),
        FileKind("–", (".x",)),
    ]
    for chosen in (kinds, [CSV], []):
        for filter_ in file_types(chosen):
            parse_file_type(filter_)  # raises for one it would refuse
    assert file_types([CSV])[0] == "CSV table (*.csv)"
    together = file_types(kinds)[0]
    assert all(suffix in together for suffix in (".h5ad", ".dcxmodel", ".csv"))


def test_without_a_window_files_refuse_in_a_sentence() -> None:
    with pytest.raises(DeconomixError, match="not open yet"):
        NativeFiles().save("a", b"x", CSV)
