"""Session files and models made to freeze the program or to take its memory: others are answered
meanwhile, and the sentence names the file.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui.engine import model
from gui.errors import DamagedSession, SessionError
from gui.sessions import file, parsing
from gui.sessions.manager import LOCAL
from tests.attacks.conftest import Served
from tests.conftest import ROOT
from tests.gui.conftest import Tab
from tests.gui.upload_page import choose
from tests.sessions.hostile import members, pack, stored, with_result
from tests.sessions.samples import ID, tiny
from tests.sessions.test_hostile_memory import CASES, PRIME


def base(folder: Path) -> Path:
    path = folder / file.file_name(ID)
    file.save(path, tiny(), expected_generation=None)
    return path


def brackets_in_an_endless_text(path: Path) -> bytes:
    """682 bytes that kept a regular expression busy for minutes."""
    import zstandard

    raw = b"[" * 1_000_001 + b'"' + b'\\"' * 60_000
    return pack(
        [
            *((name, data) for name, data in members(path).items() if name != "manifest"),
            ("manifest", zstandard.compress(raw)),
        ]
    )


def colliding_labels(path: Path) -> bytes:
    """It passes every check, and each look at its labels compares all with all."""
    raw = ("[" + ",".join(str(k * PRIME) for k in range(1, 300_000)) + "]").encode()
    texts = {"t": "texts", "shape": [299_999], "width": None, "o": [stored(raw)[0]], "n": len(raw)}
    return with_result(path, {"t": "index", "name": None, "values": texts}, raw)


def meanwhile(program: Served, path: Path) -> tuple[bool, Exception | None]:
    """Import the file and ask for something else: whether that was answered before, and what came
    of the import.
    """
    found: list[Exception] = []

    def work() -> None:
        try:
            program.application.sessions.import_session(path, actor=LOCAL)
        except SessionError as error:
            found.append(error)

    importing = threading.Thread(target=work)
    importing.start()
    assert program.as_user("GET", "/_dash-dependencies").status == 200
    before = importing.is_alive()
    importing.join(240)
    assert not importing.is_alive()
    return before, found[0] if found else None


def test_a_file_that_keeps_its_reader_busy_for_ever_holds_nobody_up(
    program: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positive control: a process that reads it itself is still busy with it."""
    monkeypatch.setattr(parsing, "SECONDS", 3.0)
    path = base(tmp_path)
    path.write_bytes(colliding_labels(path))
    before, error = meanwhile(program, path)
    assert before
    assert isinstance(error, DamagedSession)
    code = (
        "import sys; from pathlib import Path; from gui.sessions import file, parsing;"
        " session = file.load(Path(sys.argv[1])); print('loaded', flush=True);"
        " parsing.look_up(session)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, stdout=subprocess.PIPE
    ) as itself:
        try:
            assert itself.stdout is not None
            assert itself.stdout.readline().strip() == b"loaded"
            with pytest.raises(subprocess.TimeoutExpired):
                itself.wait(6)  # twice what the reading process was given
        finally:
            itself.kill()


HOSTILE: dict[str, Callable[[Path], bytes]] = {
    "brackets in an endless text": brackets_in_an_endless_text,
    **{
        case: lambda path, case=case: with_result(path, *CASES[case]())
        for case in ("range as a level, a billion", "one text by reference, 500 MB")
    },  # type: ignore[misc]
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence_wherever_it_is_met(
    program: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if kind == "one text by reference, 500 MB":
        # refused for the time that it takes, three times here: seconds show it as well as minutes
        monkeypatch.setattr(parsing, "SECONDS", 2.0)
    path = base(tmp_path)
    path.write_bytes(HOSTILE[kind](path))
    sessions = program.application.sessions
    assert path.stat().st_size < 10_000
    for take in (
        lambda: sessions.import_session(path, actor=LOCAL),
        lambda: sessions.import_session(path, actor=LOCAL, as_copy=True),
    ):
        with pytest.raises(SessionError, match=r"^This session [^\n]+\.$"):
            take()
    program.application.inbox.open_later([path])
    assert path.name in str(program.application.inbox.announcements[-1])
    assert sessions.list_sessions(actor=LOCAL)[1:] == []
    assert program.as_user("GET", "/_dash-dependencies").status == 200


def test_a_model_is_read_in_the_reading_process(
    program: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positive control: where the program reads it itself, it is found to."""
    read: list[int] = []
    real = model.read_model
    monkeypatch.setattr(model, "read_model", lambda data: read.append(len(data)) or real(data))
    path = tmp_path / "hostile.dcxmodel"
    path.write_bytes(
        gzip.compress(
            b'{"format":"deconomix-gui model","schema":1,"genes":[' + b"1.5," * 5_000_000 + b"1.5]}"
        )
    )
    tab: Any = Tab(program.application)
    choose(tab, "model", path)
    assert "damaged" in str(tab.values)
    assert read == []
    monkeypatch.setattr(
        program.application, "reader", lambda task, params, **_: task(None, params, progress=None)
    )
    choose(tab, "model", path)
    assert len(read) == 1
