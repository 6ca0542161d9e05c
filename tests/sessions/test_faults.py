"""Damage, kills, full disks, two writers.

Every defence has a positive control. Power loss cannot be tested here.
"""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui import atomic
from gui.errors import DamagedSession, NewerSession, SessionConflict, SessionNotSaved, WrongPassword
from gui.sessions import container, file, lazy
from gui.sessions.file import Origin, load, read_header, save
from gui.sessions.lazy import materialise
from gui.sessions.snapshot import Snapshot
from tests.conftest import ROOT
from tests.sessions.conftest import MEMORY, has_memory_folder
from tests.sessions.samples import ID, WHEN, rich, same, session_key, tiny

POSIX = pytest.mark.skipif(
    sys.platform == "win32", reason="needs fork, signals and file modes of POSIX"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / file.file_name(ID)


# --------------------------------------------------------------------------------------- every byte


@pytest.fixture
def read_as(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """``read_as(raw)``: the sessions' files are read as these bytes from now on, without writing
    thousands of them.
    """

    def put(raw: bytes) -> None:
        monkeypatch.setattr(atomic, "reading", lambda path: io.BytesIO(raw))

    return put


def changed(
    path: Path,
    snapshot: Snapshot,
    key: Any,
    masks: tuple[int, ...],
    read_as: Callable[[bytes], None],
    lazily: bool = False,
    enough: float = float("inf"),
) -> tuple[int, int, int]:
    """(refused, identical, different) over every single-byte change of the file by XOR with each
    mask, until ``enough`` are different.
    """
    raw = path.read_bytes()
    refused = identical = different = 0
    for at in range(len(raw)):
        for mask in masks:
            read_as(raw[:at] + bytes([raw[at] ^ mask]) + raw[at + 1 :])
            try:
                found = materialise(
                    load(path, session_key=key, origin=Origin(path, key) if lazily else None)
                )
            except (DamagedSession, NewerSession, WrongPassword):
                refused += 1
                continue
            try:
                same(snapshot, found)
                identical += 1
            except AssertionError:
                different += 1
                if different >= enough:
                    return refused, identical, different
    return refused, identical, different


@pytest.mark.parametrize("how", ["plain", "protected", "read when needed"])
def test_every_single_byte_change_of_a_small_file_is_refused(
    path: Path, how: str, monkeypatch: pytest.MonkeyPatch, read_as: Callable[[bytes], None]
) -> None:
    protected, lazily = how == "protected", how == "read when needed"
    monkeypatch.setattr(lazy, "LARGE", 1)
    key, snapshot = (
        session_key() if protected else None,
        Snapshot(ID, "tiny", WHEN, WHEN, notes="some notes to change") if protected else tiny(),
    )
    save(path, snapshot, expected_generation=None, session_key=key)
    refused, identical, different = changed(path, snapshot, key, (0x01, 0x80), read_as, lazily)
    assert different == 0
    assert identical == 0  # stricter than promised: no byte is without meaning
    assert refused == 2 * path.stat().st_size


@pytest.mark.slow
@pytest.mark.parametrize("protected", [False, True])
def test_every_value_of_every_byte_of_a_small_file_is_refused(
    path: Path, protected: bool, read_as: Callable[[bytes], None]
) -> None:
    key, snapshot = session_key() if protected else None, Snapshot(ID, "tiny", WHEN, WHEN)
    save(path, snapshot, expected_generation=None, session_key=key)
    assert changed(path, snapshot, key, tuple(range(1, 256)), read_as)[1:] == (0, 0)


def test_without_the_checks_changes_pass_through(
    path: Path, monkeypatch: pytest.MonkeyPatch, read_as: Callable[[bytes], None]
) -> None:
    """The positive control of the two tests above."""
    monkeypatch.setattr(container, "_CHECKED", False)
    snapshot = tiny("no checks")
    monkeypatch.setattr("gui.sessions.objects._CHECKSUM", False)
    save(path, snapshot, expected_generation=None)
    assert changed(path, snapshot, None, (0x01,), read_as, enough=11)[2] > 10


def test_every_truncation_and_every_appended_byte_is_refused(
    path: Path, read_as: Callable[[bytes], None]
) -> None:
    save(path, tiny(), expected_generation=None)
    raw = path.read_bytes()
    read_as(raw)
    same(tiny(), load(path))  # what is read is what is put there
    for size in range(len(raw)):
        read_as(raw[:size])
        for read in (read_header, load):
            with pytest.raises(DamagedSession):
                read(path)
    for longer in (raw + b"\0", b"\0" + raw, raw + raw):
        read_as(longer)
        with pytest.raises(DamagedSession):
            load(path)


# -------------------------------------------------------------------------------------------- kills


@POSIX
@pytest.mark.parametrize(
    "options", [(), pytest.param(("--sealed",), marks=pytest.mark.slow)], ids=["plain", "sealed"]
)
def test_20_kills_in_saves_lose_no_session_and_no_save_that_was_reported(
    options: tuple[str, ...],
) -> None:
    found = _kills(20, *options)
    assert (found["lost"], found["lost_saves"], found["parts_left"]) == (0, 0, 0)
    assert found["in_save"] > 0


@POSIX
def test_kills_lose_sessions_where_the_file_is_overwritten_in_place() -> None:
    """The positive control."""
    assert _kills(40, "--in-place", "--until-lost")["lost"] > 0


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--sealed",)], ids=["plain", "sealed"])
def test_200_kills_in_saves_lose_no_session_and_no_save_that_was_reported(
    options: tuple[str, ...],
) -> None:
    found = _kills(200, *options)
    assert (found["lost"], found["lost_saves"], found["parts_left"]) == (0, 0, 0)
    assert found["in_save"] > 40


def _kills(count: int, *options: str) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.sessions.kill_saves", str(count), *options]
    if has_memory_folder():
        command += ["--folder", str(MEMORY)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


# ------------------------------------------------------------------ full disks, rights, two writers


class _Failing:
    """A file whose n-th write fails, after a part of it was written."""

    def __init__(self, inner: Any, at: int, code: int) -> None:
        self._inner, self._left, self._code = inner, at, code

    def write(self, data: bytes) -> int:
        self._left -= 1
        if self._left == 0:
            self._inner.write(data[: len(data) // 2])
            raise OSError(self._code, os.strerror(self._code))
        return int(self._inner.write(data))

    def __enter__(self) -> _Failing:
        return self

    def __exit__(self, *_: object) -> None:
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "The disk is full"), (errno.EIO, "could not be written")],
    ids=["ENOSPC", "EIO"],
)
def test_an_error_at_any_write_leaves_the_file_as_it_was_and_is_a_sentence(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    save(path, tiny("before"), expected_generation=None)
    before, plain_open, said = path.read_bytes(), open, []
    for at in range(1, 200):
        monkeypatch.setattr(atomic, "_open", lambda *a, at=at: _Failing(plain_open(*a), at, code))
        try:
            save(path, tiny("after"), expected_generation=1)
        except SessionNotSaved as error:
            said.append(str(error))
            assert path.read_bytes() == before
            assert list(path.parent.iterdir()) == [path]
        else:
            break
    assert len(said) > 10
    assert all(words in sentence for sentence in said)
    same(tiny("after"), load(path))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_an_error_of_the_system_at_the_end_of_a_save_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    save(path, tiny("before"), expected_generation=None)
    before = path.read_bytes()

    def fails(*_: Any) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, call, fails)
    with pytest.raises(SessionNotSaved, match=r"could not be written \(broken\)"):
        save(path, tiny("after"), expected_generation=1)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    assert save(path, tiny("after"), expected_generation=1).generation == 2


def test_a_folder_that_cannot_be_synchronised_does_not_undo_the_save(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(OSError(errno.EINVAL, "no")))
    atomic.sync_folder(path.parent)


def test_on_windows_a_file_held_by_another_program_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic.time, "sleep", lambda _: None)
    monkeypatch.setattr(atomic, "WINDOWS", True)
    real, left = os.replace, [3]

    def held(*arguments: Any) -> None:
        left[0] -= 1
        if left[0] > 0:
            raise PermissionError(errno.EACCES, "in use")
        real(*arguments)

    source = path.with_name("a")
    source.write_bytes(b"x")
    monkeypatch.setattr(os, "replace", held)
    atomic.replace(source, path)
    assert path.read_bytes() == b"x"
    left[0] = 1000
    with pytest.raises(PermissionError):
        atomic.replace(path, source)


def test_a_full_disk_is_said_and_the_session_on_it_stays(small_disk: Path) -> None:
    from tests.sessions.test_file import with_result

    path = small_disk / "a.dcxsession"
    save(path, rich(), expected_generation=None)
    large = with_result({"v": np.random.default_rng(0).random(100_000)})
    with pytest.raises(SessionNotSaved, match="The disk is full"):
        save(path, large, expected_generation=1)
    same(rich(), load(path))
    assert list(small_disk.iterdir()) == [path]
    save(path, rich(runs=2), expected_generation=1)


def test_a_read_only_mount_is_said(small_disk: Path) -> None:
    path = small_disk / "a.dcxsession"
    save(path, rich(), expected_generation=None)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(SessionNotSaved, match="cannot be written to"):
        save(path, rich(runs=2), expected_generation=1)
    same(rich(), load(path))


@POSIX
def test_a_read_only_folder_is_said_and_the_session_stays(path: Path, tmp_path: Path) -> None:
    """As root, in a child that gives its rights away."""
    save(path, tiny(), expected_generation=None)
    before = path.read_bytes()
    modes = {folder: folder.stat().st_mode & 0o7777 for folder in (tmp_path, *tmp_path.parents[:2])}
    for folder in modes:  # whoever the child is may look in, and not write
        folder.chmod(0o555 if folder == tmp_path else modes[folder] | 0o055)
    with warnings.catch_warnings():
        # threads of other tests: the child uses none of them
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            try:
                save(path, tiny("lost?"), expected_generation=1)
            except SessionNotSaved as error:
                os._exit(42 if "cannot be written to" in str(error) else 43)
            os._exit(44)
        finally:
            os._exit(45)
    _, status = os.waitpid(pid, 0)
    for folder, mode in modes.items():
        folder.chmod(mode)
    assert os.waitstatus_to_exitcode(status) == 42
    assert path.read_bytes() == before


def test_a_folder_that_is_gone_is_said(path: Path) -> None:
    gone = path.parent / "drive" / path.name
    with pytest.raises(SessionNotSaved, match="is not there"):
        save(gone, tiny(), expected_generation=None)
    with pytest.raises(SessionNotSaved, match="is not there"):
        save(gone, tiny(), expected_generation=3)
    with pytest.raises(DamagedSession, match="is not there"):
        load(gone)


def test_a_lock_that_another_program_does_not_release_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic.locked.__wrapped__, "__kwdefaults__", {"timeout": 0.05})  # type: ignore[attr-defined]
    with atomic.locked(path), pytest.raises(SessionNotSaved, match="Another program is writing"):
        save(path, tiny(), expected_generation=None)


WRITER = """
import sys
from pathlib import Path
from gui.errors import SessionConflict
from gui.sessions import file
from tests.sessions.samples import tiny
path, me, tries = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
won = []
for turn in range(tries):
    generation = file.read_header(path).generation
    text = f"{me} {turn}"
    try:
        won.append((file.save(path, tiny(text), expected_generation=generation).generation, text))
    except SessionConflict:
        pass
sys.stdout.write(repr(won))
"""


def test_of_two_programs_that_save_60_times_each_generation_has_one_writer(path: Path) -> None:
    """Read generation, save, 60 times, in two processes at once.

    Who loses a turn is told so; nothing reported as saved is overwritten unseen.
    """
    save(path, tiny("start"), expected_generation=None)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), me, "60"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for me in ("a", "b")
    ]
    won = sorted(pair for w in writers for pair in eval(w.communicate()[0]))  # noqa: S307 - from our own children
    assert [w.returncode for w in writers] == [0, 0]
    assert [generation for generation, _ in won] == list(range(2, len(won) + 2))
    assert read_header(path).generation == won[-1][0]
    assert load(path).notes == won[-1][1]
    assert list(path.parent.iterdir()) == [path]


def test_threads_of_one_program_take_turns(path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    save(path, tiny(), expected_generation=None)

    def one(turn: int) -> bool:
        try:
            save(path, tiny(str(turn)), expected_generation=read_header(path).generation)
        except SessionConflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(one, range(40)))
    assert done > 0
    assert read_header(path).generation == 1 + done
