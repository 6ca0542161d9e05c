"""What lies where a session's file should be, and is none: it is listed with the reason, and never
keeps the program waiting.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gui import atomic
from gui.errors import DamagedSession, SessionError
from gui.sessions import file
from gui.sessions.manager import LOCAL, SessionCacheManager
from tests.sessions.samples import Managers, tiny

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="pipes and devices are no files of a folder there"
)
SECONDS = 60.0
"""Only where it fails: who waits for the other end of a pipe waits for ever."""
KINDS: dict[str, Callable[[Path], None]] = {
    "pipe": lambda path: os.mkfifo(path),  # Windows, where these are skipped, has none
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": lambda path: path.mkdir(),
    "link to itself": lambda path: path.symlink_to(path.name),
}


def ended(work: Callable[[], None]) -> bool:
    """Whether it comes to an end; it runs aside, so that the test does."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(SECONDS)
    return not thread.is_alive()


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_listed_as_damaged_beside_the_others_and_can_be_deleted(
    make: Managers, tmp_path: Path, kind: str
) -> None:
    good = tmp_path / "sessions" / file.file_name(tiny().session_id)
    good.parent.mkdir()
    file.save(good, tiny(), expected_generation=None)
    KINDS[kind](good.with_name("odd.dcxsession"))
    seen: list[object] = []

    def work() -> None:
        manager = make()
        infos = {info.name: info for info in manager.list_sessions(actor=LOCAL)}
        seen.extend((infos["tiny"].problem, infos["odd"].problem))
        try:
            manager.export_session(infos["odd"].session_id, actor=LOCAL)
        except SessionError as error:
            seen.append(error)
        manager.delete_session(infos["odd"].session_id, actor=LOCAL)
        seen.append([info.name for info in manager.list_sessions(actor=LOCAL)])

    assert ended(work)
    assert seen[0] is None
    assert isinstance(seen[1], DamagedSession)
    assert isinstance(seen[2], SessionError)
    assert seen[3] == ["Default", "tiny"]


def test_control_who_opens_a_pipe_waits(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    waiting = threading.Thread(target=lambda: pipe.open("rb").close(), daemon=True)
    waiting.start()
    with pytest.raises(OSError, match="no ordinary file"):
        atomic.reading(pipe)
    waiting.join(0.2)
    assert waiting.is_alive()
    pipe.open("wb").close()
    waiting.join(SECONDS)
    assert not waiting.is_alive()


def test_a_file_larger_than_memory_is_not_read_to_be_given_away(
    make: Managers, tmp_path: Path
) -> None:
    path = tmp_path / "sessions" / "large.dcxsession"
    path.parent.mkdir()
    with path.open("wb") as hole:
        hole.truncate(2**43)
    manager: SessionCacheManager = make()
    with pytest.raises(SessionError, match="memory"):
        manager.export_session("sessions:large.dcxsession", actor=LOCAL)
