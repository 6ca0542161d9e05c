"""Session files are parsed in a reading process first: what is wrong with one ends that process and
nothing else.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gui.data.readers.watchdog import watched
from gui.errors import (
    DamagedSession,
    SessionConflict,
    SessionError,
    SessionLocked,
    UnknownSession,
    WrongPassword,
)
from gui.jobs.reader import Reader
from gui.sessions import container, file, parsing
from gui.sessions.manager import LOCAL, Actor, SessionCacheManager
from gui.sessions.parsing import InProcessParser, ParseRequest, ProcessParser
from gui.sessions.snapshot import Snapshot
from tests.processes import worker_pids
from tests.sessions.hostile import with_result
from tests.sessions.samples import ID, PASSWORD, filled, rich, same, session_key, tiny
from tests.waiting import until

A = Actor(browser="a")
pytestmark = pytest.mark.usefixtures("cheap")


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    found = Reader(warm_up="gui.sessions.parsing:warm_up")
    yield found
    found.stop()


@pytest.fixture
def parser(reader: Reader) -> ProcessParser:
    return ProcessParser(reader)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "in" / file.file_name(ID)


def written(path: Path, snapshot: Snapshot, **options: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    file.save(path, snapshot, expected_generation=None, **options)
    return path


def manager(tmp_path: Path, parser: parsing.Parser) -> SessionCacheManager:
    return SessionCacheManager(tmp_path / "data", parser=parser)


def busy(dataset: object, params: ParseRequest, *, progress: object) -> None:
    """Stands for a file that keeps a library busy for ever, in a call that lets no thread run."""
    import re

    with watched([], 1.0):
        re.match("(a+)+$", "a" * 60 + "b")


def greedy(dataset: object, params: ParseRequest, *, progress: object) -> None:
    """Stands for a file that takes what it did not declare."""
    with watched([], 60.0):
        held = [bytes(2**26) for _ in range(10_000)]
    assert held


def test_a_good_file_passes_and_a_damaged_one_is_said(path: Path, parser: ProcessParser) -> None:
    written(path, rich())
    for whole in (True, False):
        parser.check(path, None, whole=whole)
    with path.open("rb") as opened:
        at = next(
            m.data_offset
            for name, m in container.Reader(opened).members.items()
            if name.startswith("o/")
        )
    raw = bytearray(path.read_bytes())
    raw[at + 8] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DamagedSession):
        parser.check(path, None, whole=True)
    found, here = parser.salvage(path, None), InProcessParser().salvage(path, None)
    assert found.lost == here.lost
    same(found.snapshot, here.snapshot)


def test_the_program_reads_only_what_was_read_in_the_process(
    tmp_path: Path, path: Path, parser: ProcessParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positive control: without the process the program itself meets the bad file."""
    written(path, tiny())
    path.write_bytes(
        with_result(
            path, {"t": "multi", "names": [None], "of": [{"t": "multi", "names": [None], "of": []}]}
        )
    )
    met: list[Path] = []
    real = file.load
    monkeypatch.setattr(
        file, "load", lambda path, **options: met.append(path) or real(path, **options)
    )
    for parse, expected in ((parser, []), (InProcessParser(), [path])):
        sessions = manager(tmp_path, parse)
        with pytest.raises(DamagedSession):
            sessions.import_session(path, actor=LOCAL)
        assert met == expected
        assert sessions._store is not None
        sessions._store.place("sessions").mkdir(parents=True)
        shutil.copy(path, sessions._store.place("sessions"))
        sessions.close(actor=LOCAL)
        sessions = manager(tmp_path, parse)
        for _ in range(2):  # the second time it is known
            with pytest.raises(DamagedSession):
                sessions.get_session(ID, actor=LOCAL)
        assert (met == []) is (parse is parser)
        sessions.close(actor=LOCAL)
        shutil.rmtree(tmp_path / "data")


@pytest.mark.parametrize("task", [busy, greedy])
def test_a_file_that_takes_too_long_or_too_much_ends_the_process_only(
    tmp_path: Path,
    path: Path,
    parser: ProcessParser,
    reader: Reader,
    monkeypatch: pytest.MonkeyPatch,
    task: Any,
) -> None:
    written(path, tiny())
    sessions = manager(tmp_path, parser)
    with monkeypatch.context() as hostile:
        hostile.setattr(parsing, "check_task", task)
        with pytest.raises(SessionError, match=r"^This session [^\n]+\.$"):
            sessions.import_session(path, actor=LOCAL)
    assert sessions.list_sessions(actor=LOCAL)[1:] == []
    assert sessions.import_session(path, actor=LOCAL).outcome == "new"  # a new process reads
    same(sessions.get_session(ID, actor=LOCAL).snapshot().runs, tiny().runs)
    sessions.close(actor=LOCAL)


def ended_from_outside(dataset: object, params: ParseRequest, *, progress: object) -> None:
    """Stands for a process that the system ends when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX")
@pytest.mark.parametrize("task", [ended_from_outside, busy])
def test_a_reader_that_was_ended_from_outside_does_not_make_the_session_damaged(
    tmp_path: Path,
    path: Path,
    parser: ProcessParser,
    monkeypatch: pytest.MonkeyPatch,
    task: Any,
) -> None:
    """Positive control: its own watchdog does."""
    written(path, tiny("kept"))
    sessions = manager(tmp_path, InProcessParser())
    sessions.import_session(path, actor=LOCAL)
    sessions.close(actor=LOCAL)
    sessions = manager(tmp_path, parser)
    damaged = task is busy
    with monkeypatch.context() as hostile:
        hostile.setattr(parsing, "check_task", task)
        with pytest.raises(SessionError) as found:
            sessions.get_session(ID, actor=LOCAL)
    assert isinstance(found.value, DamagedSession) is damaged
    assert (sessions.info(ID, actor=LOCAL).problem is not None) is damaged
    if not damaged:
        assert sessions.get_session(ID, actor=LOCAL).notes == "kept"
    sessions.close(actor=LOCAL)


@pytest.mark.parametrize("as_copy", [False, True], ids=["as itself", "as a copy"])
def test_a_file_that_is_replaced_while_it_is_imported_does_not_come_in(
    tmp_path: Path, path: Path, as_copy: bool
) -> None:
    """What was parsed in the reading process is what the program reads."""

    class Replacing(InProcessParser):
        def check(self, path: Path, session_key: Any, *, whole: bool) -> None:
            super().check(path, session_key, whole=whole)
            path.unlink()
            path.write_bytes(file.to_bytes(tiny("another, never parsed")))

    written(path, tiny("parsed"))
    sessions = manager(tmp_path, Replacing())
    with pytest.raises(SessionConflict, match="was changed while it was being"):
        sessions.import_session(path, actor=LOCAL, as_copy=as_copy)
    assert sessions.list_sessions(actor=LOCAL)[1:] == []
    assert list(tmp_path.glob("data/sessions/*")) == []
    sessions.close(actor=LOCAL)


def test_a_file_that_is_replaced_before_it_is_read_again_is_parsed_again(
    tmp_path: Path, path: Path
) -> None:
    """The same for the version of another program that takes the place of one's own."""
    parsed: list[str] = []

    class Replacing(InProcessParser):
        def check(self, path: Path, session_key: Any, *, whole: bool) -> None:
            parsed.append(file.load(path).notes)
            if len(parsed) == 1:
                replaced = file.to_bytes(tiny("third"))
                path.unlink()
                path.write_bytes(replaced)

    written(path, tiny("first"))
    sessions = manager(tmp_path, InProcessParser())
    sessions.import_session(path, actor=LOCAL)
    sessions.get_session(ID, actor=LOCAL)
    sessions._loader.parser = Replacing()
    kept = sessions._table.entry(ID).path
    assert kept is not None
    kept.unlink()
    kept.write_bytes(file.to_bytes(tiny("second")))
    assert sessions.reload_session(ID, actor=LOCAL).notes == "third"
    assert parsed == ["second", "third"]
    sessions.close(actor=LOCAL)


def test_what_this_program_wrote_is_not_parsed_again_and_what_another_wrote_is(
    tmp_path: Path, parser: ProcessParser
) -> None:
    asked: list[Path] = []

    class Counting(ProcessParser):
        def check(self, path: Path, session_key: Any, *, whole: bool) -> None:
            asked.append(path)
            super().check(path, session_key, whole=whole)

    counting = Counting(parser._reader)
    sessions = manager(tmp_path, counting)
    incoming = written(tmp_path / "in" / file.file_name(ID), tiny())
    sessions.import_session(incoming, actor=LOCAL)
    sessions.get_session(ID, actor=LOCAL)
    assert asked == [incoming]  # and its copy is the same
    asked.clear()
    key = filled(sessions).session_id
    sessions.save_session(key, actor=LOCAL)
    entry = sessions._table.entry(key)
    assert sessions._loader.unload(entry)
    sessions.get_session(key, actor=LOCAL)
    assert asked == []
    assert sessions._loader.unload(entry)
    assert entry.path is not None
    os.utime(entry.path, ns=(1, 1))
    for _ in range(2):
        sessions.get_session(key, actor=LOCAL)
        sessions._loader.unload(entry)
    assert asked == [entry.path]
    sessions.close(actor=LOCAL)


def test_the_one_session_is_parsed_once_at_start(tmp_path: Path) -> None:
    asked: list[Path] = []

    class Counting(InProcessParser):
        def check(self, path: Path, session_key: Any, *, whole: bool) -> None:
            asked.append(path)
            super().check(path, session_key, whole=whole)

    for times in (0, 1):  # the second time there is a file
        sessions = SessionCacheManager(tmp_path, single=True, parser=Counting())
        session = sessions.get_session(sessions.default_id, actor=LOCAL)
        assert session.notes == ("kept" if times else "")
        session.notes = "kept"
        assert len(asked) == times
        sessions.close(actor=LOCAL)


def test_no_lock_is_held_while_a_file_is_parsed(tmp_path: Path, path: Path) -> None:
    """Somebody else saves, lists and opens meanwhile."""
    begun, go = threading.Event(), threading.Event()

    class Slow(InProcessParser):
        def check(self, path: Path, session_key: Any, *, whole: bool) -> None:
            begun.set()
            assert go.wait(60)

    written(path, tiny())
    sessions = manager(tmp_path, InProcessParser())
    sessions.import_session(path, actor=LOCAL)
    sessions.close(actor=LOCAL)
    sessions = manager(tmp_path, Slow())
    other = filled(sessions, "Other").session_id
    opening = threading.Thread(target=lambda: sessions.get_session(ID, actor=LOCAL))
    opening.start()
    assert begun.wait(60)
    assert sessions._table.lock.acquire(blocking=False)
    sessions._table.lock.release()
    assert sessions._table.entry(ID).lock.acquire(blocking=False)
    sessions._table.entry(ID).lock.release()
    sessions.save_session(other, actor=LOCAL)
    assert len(sessions.list_sessions(actor=LOCAL)) == 3
    assert opening.is_alive()
    go.set()
    opening.join(60)
    assert sessions.get_session(ID, actor=LOCAL).loaded
    sessions.close(actor=LOCAL)


def test_a_file_that_is_replaced_while_it_is_parsed_is_parsed_again(
    tmp_path: Path, path: Path
) -> None:
    parsed: list[bytes] = []

    class Replacing(InProcessParser):
        def check(self, path: Path, session_key: Any, *, whole: bool) -> None:
            parsed.append(path.read_bytes())
            if len(parsed) == 1:
                path.write_bytes(file.to_bytes(tiny("another")))

    written(path, tiny("first"))
    sessions = manager(tmp_path, InProcessParser())
    sessions.import_session(path, actor=LOCAL)
    sessions.close(actor=LOCAL)
    sessions = manager(tmp_path, Replacing())
    assert sessions.get_session(ID, actor=LOCAL).notes == "another"
    assert len(parsed) == 2
    sessions.close(actor=LOCAL)


def test_a_session_that_is_archived_while_it_is_parsed_is_not_said_to_be_damaged(
    tmp_path: Path, path: Path
) -> None:
    parsed: list[Path] = []

    class Archiving(InProcessParser):
        def check(self, path: Path, session_key: Any, *, whole: bool) -> None:
            parsed.append(path)
            if len(parsed) == 1:
                sessions.archive_session(ID, actor=LOCAL)
            super().check(path, session_key, whole=whole)

    written(path, tiny("first"))
    sessions = manager(tmp_path, InProcessParser())
    sessions.import_session(path, actor=LOCAL)
    sessions.close(actor=LOCAL)
    sessions = manager(tmp_path, Archiving())
    with pytest.raises(UnknownSession):
        sessions.get_session(ID, actor=LOCAL)
    sessions.restore_session(ID, actor=LOCAL)
    assert sessions.get_session(ID, actor=LOCAL).notes == "first"
    sessions.close(actor=LOCAL)


def test_a_sealed_session_is_parsed_with_its_key_which_is_overwritten(
    tmp_path: Path, path: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[ParseRequest] = []
    real = ParseRequest.of
    monkeypatch.setattr(
        ParseRequest,
        "of",
        lambda *args, **options: requests.append(real(*args, **options)) or requests[-1],
    )
    key = session_key()
    written(path, tiny(), session_key=key)
    parser = ProcessParser(reader)
    parser.check(path, key, whole=True)
    with pytest.raises(WrongPassword):
        parser.check(path, session_key("another password"), whole=True)
    sessions = manager(tmp_path, parser)
    sessions.import_session(path, actor=A)
    sessions.unlock_session(ID, PASSWORD, actor=A)
    assert sessions.get_session(ID, actor=A).loaded
    assert len(requests) == 3
    assert all(not request.key for request in requests)
    assert not key.wiped
    sessions.close(actor=LOCAL)


def test_a_file_that_another_program_protected_anew_is_parsed_with_the_key_that_opens_it(
    tmp_path: Path, path: Path
) -> None:
    opened: list[bool] = []

    class Recording(InProcessParser):
        def check(self, path: Path, session_key: Any, *, whole: bool) -> None:
            opened.append(False)
            file.load(path, session_key=session_key)
            opened[-1] = True

    written(path, tiny(), session_key=session_key())
    sessions = manager(tmp_path, Recording())
    sessions.import_session(path, actor=A)
    sessions.unlock_session(ID, PASSWORD, actor=A)
    entry = sessions._table.entry(ID)
    assert sessions._loader.unload(entry)
    assert entry.path is not None
    entry.path.unlink()
    written(entry.path, tiny(), session_key=session_key("another password"))
    opened.clear()
    with pytest.raises(SessionLocked):
        sessions.get_session(ID, actor=A).load()
    assert opened == [False]
    sessions.unlock_session(ID, "another password", actor=A)
    assert opened == [False, True]
    sessions.close(actor=LOCAL)


def test_a_process_that_was_given_a_wrong_key_is_replaced(path: Path, reader: Reader) -> None:
    parser, key = ProcessParser(reader), session_key()
    written(path, tiny(), session_key=key)
    parser.check(path, key, whole=True)
    (before,) = worker_pids(reader._runner)
    with pytest.raises(WrongPassword):
        parser.check(path, session_key("another password"), whole=True)
    until(lambda: before not in worker_pids(reader._runner))
