"""Disks that fill up, break, become read-only or vanish, and other programs, as the manager and its
user meet them.

Each defence has a positive control.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui import atomic
from gui.engine.results import Run
from gui.errors import SessionConflict, SessionError, SessionNotSaved
from gui.sessions import file
from gui.sessions.manager import LOCAL, Actor, SessionCacheManager
from tests.conftest import ROOT
from tests.sessions.kill_saves import in_place
from tests.sessions.samples import ID, PASSWORD, Managers, filled, rich, same, session_key, tiny
from tests.waiting import until

pytestmark = [
    pytest.mark.usefixtures("cheap"),
    pytest.mark.skipif(sys.platform == "win32", reason="needs the system calls of POSIX"),
]
A = Actor(browser="a")


# -------------------------------------------------------------------------------- every system call


class Trip:
    """The n-th system call of a save fails: opening, writing, synchronising, replacing, linking,
    removing.

    ``calls`` says which they were.
    """

    def __init__(self, at: int, code: int) -> None:
        self.at, self.code, self.calls = at, code, list[str]()

    def step(self, name: str) -> None:
        self.calls.append(name)
        if len(self.calls) == self.at:
            raise OSError(self.code, os.strerror(self.code))

    @contextlib.contextmanager
    def laid(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        def tripping(name: str, real: Any) -> Any:
            return lambda *args, **options: (self.step(name), real(*args, **options))[1]

        plain = atomic._open
        with patch.context() as patched:
            for name in ("open", "fsync", "replace", "link", "chmod"):
                patched.setattr(os, name, tripping(name, getattr(os, name)))
            patched.setattr(atomic, "_open", lambda path, mode: Tripping(plain(path, mode), self))
            yield


class Tripping:
    """A file that tells of its writes; of one that fails the first half was written."""

    def __init__(self, inner: Any, trip: Trip) -> None:
        self._inner, self._trip = inner, trip

    def write(self, data: bytes) -> int:
        try:
            self._trip.step("write")
        except OSError:
            self._inner.write(data[: len(data) // 2])
            raise
        return int(self._inner.write(data))

    def __enter__(self) -> Tripping:
        return self

    def __exit__(self, *_: object) -> None:
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def tried(path: Path, key: Any, patch: pytest.MonkeyPatch, code: int) -> tuple[int, set[str], int]:
    """(saves that failed, calls that failed, how often the file was then not one of the two
    versions, whole), over the n-th call for all n.
    """
    failed, names, broken, at = 0, set(), 0, 0
    while True:
        at += 1
        path.unlink(missing_ok=True)
        file.save(path, tiny("before"), expected_generation=None, session_key=key)
        trip, refused = Trip(at, code), False
        with trip.laid(patch):
            try:
                file.save(path, tiny("after"), expected_generation=1, session_key=key)
            except SessionNotSaved:
                refused = True
        if len(trip.calls) < at:
            return failed, names, broken
        failed += refused
        names.add(trip.calls[at - 1])
        try:
            broken += file.load(path, session_key=key).notes != ("before" if refused else "after")
        except SessionError:
            broken += 1
        left = [p for p in path.parent.iterdir() if p != path]
        broken += len(left)
        for one in left:
            one.unlink()


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
@pytest.mark.parametrize("protected", [False, True], ids=["plain", "protected"])
def test_an_error_at_any_system_call_of_a_save_leaves_a_whole_file(
    tmp_path: Path, protected: bool, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, names, broken = tried(
        tmp_path / file.file_name(ID), session_key() if protected else None, monkeypatch, code
    )
    assert broken == 0
    assert names >= {"open", "write", "fsync", "replace"}
    assert failed > 10


def test_errors_break_a_file_that_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control."""
    monkeypatch.setattr(atomic, "replacing", in_place)
    assert tried(tmp_path / file.file_name(ID), None, monkeypatch, errno.EIO)[2] > 10


@pytest.mark.parametrize("protected", [False, True], ids=["plain", "protected"])
def test_whatever_call_fails_the_session_in_memory_is_saved_by_the_next_try(
    make: Managers, protected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = make()
    key = filled(start, actor=A).session_id
    if protected:
        start.protect_session(key, PASSWORD, actor=A)
    start.close(actor=LOCAL)
    for at in (1, 2, 3, 5, 8, 13, 40):
        manager = make()
        if protected:
            manager.unlock_session(key, PASSWORD, actor=A)
        session = manager.get_session(key, actor=A)
        with Trip(at, errno.EIO).laid(monkeypatch):
            session.notes = f"try {at}"
            with contextlib.suppress(SessionNotSaved):
                manager.save_session(key, actor=A)
            assert session.notes == f"try {at}"
        manager.save_session(key, actor=A)
        assert manager.save_state(key, actor=A) == ("saved", None)
        expected = session.snapshot()
        manager.close(actor=LOCAL)
        again = make()
        if protected:
            again.unlock_session(key, PASSWORD, actor=A)
        same(again.get_session(key, actor=A).snapshot(), expected)
        again.close(actor=LOCAL)


# ---------------------------------------------------------------------------- full, read-only, gone


def large(name: str) -> Run:
    return replace(
        rich().runs[0], id=name, kind="told", result={"v": np.random.default_rng(0).random(100_000)}
    )


@pytest.mark.parametrize("protected", [False, True], ids=["plain", "protected"])
def test_on_a_full_disk_the_session_stays_usable_is_saved_elsewhere_and_later(
    small_disk: Path, tmp_path: Path, make: Managers, protected: bool
) -> None:
    manager = make(small_disk)
    key = filled(manager, actor=A).session_id
    if protected:
        manager.protect_session(key, PASSWORD, actor=A)
    manager.save_session(key, actor=A)
    generation = manager._table.entry(key).generation
    session = manager.get_session(key, actor=A)
    session.add_run(large("large"))
    until(lambda: manager.save_state(key, actor=A)[0] == "not saved")
    state, why = manager.save_state(key, actor=A)
    assert (state, str(why)) == ("not saved", "The disk is full.")
    # one state that is told, however often it is tried
    assert manager._writer.saver._failed.keys() == {key}
    session.notes = "goes on"
    assert session.run("large") is not None
    assert file.read_header(manager._table.entry(key).path).generation == generation  # type: ignore[arg-type]
    if protected:
        with pytest.raises(SessionNotSaved):
            manager.lock_session(key, actor=A)
        assert session.run("large") is not None
    assert len(manager.export_session(key, actor=A).data) > 256 * 1024
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = manager.redirect_session(key, elsewhere, actor=A)
    assert (path.parent, manager.save_state(key, actor=A)) == (elsewhere, ("saved", None))
    session.notes = "there"
    manager.save_session(key, actor=A)
    again = make(tmp_path / "new")
    again.import_session(path, actor=A)
    if protected:
        assert file.read_header(path).encrypted
        again.unlock_session(key, PASSWORD, actor=A)
    same(again.get_session(key, actor=A).snapshot(), session.snapshot())
    manager.close(actor=LOCAL)


def test_when_there_is_room_again_it_is_saved_by_itself(small_disk: Path, make: Managers) -> None:
    manager = make(small_disk)
    manager._writer.saver._pauses = (0.2,)
    session = filled(manager)
    manager.save_session(session.session_id, actor=LOCAL)
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb") as full:
        while True:
            full.write(b"x" * 4096)
            full.flush()
    session.notes = "kept"
    until(lambda: manager.save_state(session.session_id, actor=LOCAL)[0] == "not saved")
    filler.unlink()
    until(lambda: manager.save_state(session.session_id, actor=LOCAL)[0] == "saved")
    manager.close(actor=LOCAL)
    assert make(small_disk).get_session(session.session_id, actor=LOCAL).notes == "kept"


def test_a_folder_that_becomes_read_only_is_said_and_nothing_is_lost(
    small_disk: Path, make: Managers
) -> None:
    manager = make(small_disk)
    session = filled(manager)
    manager.save_session(session.session_id, actor=LOCAL)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    session.notes = "kept"
    with pytest.raises(SessionNotSaved, match="cannot be written to"):
        manager.save_session(session.session_id, actor=LOCAL)
    for refused in (manager.archive_session, manager.delete_session):
        with pytest.raises(SessionError):
            refused(session.session_id, actor=LOCAL)
    session.notes = "kept, and changed"  # it is not closed by what was refused
    reader = make(small_disk)
    assert reader.get_session(session.session_id, actor=LOCAL).notes == ""  # it can be read there
    reader.close(actor=LOCAL)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert manager.close(actor=LOCAL)
    assert (
        make(small_disk).get_session(session.session_id, actor=LOCAL).notes == "kept, and changed"
    )


def test_a_drive_that_vanishes_is_said_and_when_it_is_back_all_is_saved(
    tmp_path: Path, make: Managers
) -> None:
    data, away = tmp_path / "drive" / "data", tmp_path / "away"
    start = make(data)
    unread, key = filled(start, "Unread").session_id, filled(start, "Open").session_id
    start.close(actor=LOCAL)
    manager = make(data)
    manager._writer.saver._pauses = (0.2,)
    session = manager.get_session(key, actor=LOCAL)
    (tmp_path / "drive").rename(away)
    session.notes = "meanwhile"
    until(lambda: manager.save_state(key, actor=LOCAL)[0] == "not saved")
    new = manager.create_session("New", actor=LOCAL)
    new.notes = "begun meanwhile"
    for _ in range(2):  # and so it stays: one state, one reason
        time.sleep(0.3)
        assert (
            str(manager.save_state(key, actor=LOCAL)[1])
            == "The folder of the session is not there."
        )
        assert (
            str(manager.save_state(new.session_id, actor=LOCAL)[1])
            == "The folder of the session is not there."
        )
    with pytest.raises(SessionError):
        manager.get_session(unread, actor=LOCAL)
    assert manager.info(unread, actor=LOCAL).problem is None  # no damage
    assert manager.duplicate_session(key, actor=LOCAL).notes == "meanwhile"
    assert not (tmp_path / "drive").exists()  # nothing is written where the drive will be again
    for refused in (manager.archive_session,):
        with pytest.raises(SessionError):
            refused(key, actor=LOCAL)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = manager.redirect_session(new.session_id, elsewhere, actor=LOCAL)
    assert file.load(moved).notes == "begun meanwhile"
    away.rename(tmp_path / "drive")
    until(lambda: manager.save_state(key, actor=LOCAL)[0] == "saved")
    assert manager.get_session(unread, actor=LOCAL).run("run0") is not None
    assert manager.close(actor=LOCAL)
    again = make(data)
    notes = {
        i.name: again.get_session(i.session_id, actor=LOCAL).notes
        for i in again.list_sessions(actor=LOCAL)[1:]
    }
    assert notes == {"Unread": "", "Open": "meanwhile", "Open copy": "meanwhile"}


def test_a_new_folder_is_made_where_there_was_none(tmp_path: Path, make: Managers) -> None:
    """The other side of the test above."""
    manager = make(tmp_path / "never" / "there")
    manager.save_session(filled(manager).session_id, actor=LOCAL)
    assert len(list((tmp_path / "never" / "there" / "sessions").glob("*.dcxsession"))) == 1


def test_what_killed_saves_left_is_removed_also_from_folders_that_were_configured(
    tmp_path: Path,
) -> None:
    folders = {"sessions_folder": tmp_path / "mine", "archive_folder": tmp_path / "old"}
    left = [
        folder / f"{file.file_name(ID)}.1.0000abcd.part"
        for folder in (*folders.values(), tmp_path / "mine" / "backups")
    ]
    for part in left:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"x")
    other = tmp_path / "mine" / "notes.part"
    other.write_bytes(b"of the user")
    SessionCacheManager(tmp_path / "data", **folders)  # type: ignore[arg-type]
    assert [part.exists() for part in left] == [False] * 3
    assert other.exists()


# --------------------------------------------------------------------------- two programs, 60 times


TWO = """
import sys
from dataclasses import replace
from pathlib import Path
from gui.errors import SessionConflict
from gui.sessions import file, header
from gui.sessions.manager import LOCAL, SessionCacheManager
from tests.sessions.samples import rich
folder, key, me, blind = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] == "blind"
if blind:
    file._compare = lambda path, session_id, expected: file.read_header(path)
manager = SessionCacheManager(folder)
run, conflicts = replace(rich().runs[0], kind="told", result={"v": 1.0}), 0
for turn in range(60):
    session = manager.get_session(key, actor=LOCAL)
    if turn == 0:  # both have read the same generation before either writes
        print("read", flush=True)
        sys.stdin.readline()
    while True:
        if session.run(f"{me} {turn}") is None:
            session.add_run(replace(run, id=f"{me} {turn}"))
        try:
            manager.save_session(key, actor=LOCAL)
        except SessionConflict:
            conflicts += 1
            session = manager.reload_session(key, actor=LOCAL)
        else:
            if manager.save_state(key, actor=LOCAL)[0] == "saved":
                break
manager.close(actor=LOCAL)
print(conflicts)
"""


def shared(folder: Path, blind: bool) -> tuple[int, int]:
    """(runs of 120 that are there at the end, conflicts) of two programs that add 60 runs each to
    one session; each reloads after a conflict.
    """
    start = SessionCacheManager(folder)
    key = start.create_session("Shared", actor=LOCAL).session_id
    start.close(actor=LOCAL)
    command = [sys.executable, "-c", TWO, str(folder), key]
    programs = [
        subprocess.Popen(
            [*command, me, "blind" if blind else "seeing"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for me in ("a", "b")
    ]
    try:
        assert [program.stdout.readline() for program in programs if program.stdout] == [
            "read\n"
        ] * 2
        for program in programs:
            assert program.stdin
            program.stdin.write("\n")
            program.stdin.flush()
        conflicts = sum(int(program.communicate(timeout=300)[0]) for program in programs)
    finally:
        for program in programs:
            program.kill()
            program.communicate()
    end, runs = SessionCacheManager(folder), set[str]()
    for info in end.list_sessions(actor=LOCAL)[1:]:
        runs |= {run.id for run in end.get_session(info.session_id, actor=LOCAL).runs()}
    end.close(actor=LOCAL)
    return len(runs), conflicts


def test_two_programs_that_add_60_runs_each_to_one_session_lose_none(tmp_path: Path) -> None:
    runs, conflicts = shared(tmp_path, blind=False)
    assert runs == 120
    assert conflicts > 0


def test_without_comparing_generations_runs_are_lost(tmp_path: Path) -> None:
    """The positive control."""
    assert shared(tmp_path, blind=True)[0] < 120


def test_of_two_programs_one_that_lost_a_conflict_tells_it_and_overwrites_nothing(
    make: Managers,
) -> None:
    first = make()
    key = filled(first).session_id
    first.save_session(key, actor=LOCAL)
    second = make()
    second.get_session(key, actor=LOCAL).notes = "second"
    second.save_session(key, actor=LOCAL)
    first.get_session(key, actor=LOCAL).notes = "first"
    until(lambda: first.save_state(key, actor=LOCAL)[0] == "not saved")
    assert isinstance(first.save_state(key, actor=LOCAL)[1], SessionConflict)
    assert file.load(first._table.entry(key).path).notes == "second"  # type: ignore[arg-type]
    first.duplicate_session(key, actor=LOCAL)
    first.reload_session(key, actor=LOCAL)
    first.close(actor=LOCAL)
    second.close(actor=LOCAL)
    again = make()
    assert sorted(
        again.get_session(i.session_id, actor=LOCAL).notes
        for i in again.list_sessions(actor=LOCAL)[1:]
    ) == ["first", "second"]
