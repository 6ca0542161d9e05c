"""A second start hands its files over to the first: the meeting place alone, the door in the
server, and whole programs under Xvfb.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from desktop.instance import Instance
from gui.app import Application, create_app
from gui.config import Config
from gui.errors import DeconomixError
from gui.guard import HANDOVER
from tests.waiting import until

PATIENCE = 120.0


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.for_tests(tmp_path)


@pytest.fixture
def application(config: Config) -> Iterator[Application]:
    made = create_app(config)
    yield made
    made.stop()


def post(port: int, body: Any, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(
        "POST", HANDOVER, json.dumps(body), {"Content-Type": "application/json", **headers}
    )
    status = connection.getresponse().status
    connection.close()
    return status


def test_second_start_gives_its_files_to_the_first(
    config: Config, application: Application, tmp_path: Path, serving: Any
) -> None:
    path = tmp_path / "bulk ü.csv"
    path.write_text("gene,S1\nA,1\n")
    fronts: list[int] = []
    application.host = SimpleNamespace(to_front=lambda: fronts.append(1))  # type: ignore[assignment]
    with Instance(config, tmp_path / "state") as first, serving(application.server) as server:
        assert first.take()
        first.tell(server.port, application.guard.bearer)
        assert Instance(config, tmp_path / "state").hand_over([path, tmp_path / "gone.csv"])
        assert [upload.path for upload in application.uploads.take_offered()] == [path]
        assert application.inbox.announcements[-1].startswith("There is no file gone.csv")
        # no file: it only comes to the front
        assert Instance(config, tmp_path / "state").hand_over([])
        assert fronts == [1, 1]
        assert application.inbox.handed_over == 2


def test_first_that_is_still_starting_is_waited_for(
    config: Config, application: Application, tmp_path: Path, serving: Any
) -> None:
    with Instance(config, tmp_path / "state") as first, serving(application.server) as server:
        assert first.take()
        answers: list[bool] = []
        waiting = threading.Thread(
            target=lambda: answers.append(Instance(config, tmp_path / "state").hand_over([]))
        )
        waiting.start()
        waiting.join(1.0)
        assert answers == []  # nothing tells yet where the first can be asked
        first.tell(server.port, application.guard.bearer)
        waiting.join(PATIENCE)
        assert answers == [True]


def test_one_that_never_answers_is_said(config: Config, tmp_path: Path) -> None:
    with Instance(config, tmp_path / "state") as first:
        assert first.take()
        with pytest.raises(DeconomixError, match="already running"):
            Instance(config, tmp_path / "state").hand_over([], patience=0.5)


def test_when_the_first_has_ended_the_next_is_the_first(config: Config, tmp_path: Path) -> None:
    with Instance(config, tmp_path / "state") as first:
        assert first.take()
    second = Instance(config, tmp_path / "state")
    assert not second.hand_over([])
    assert not Instance(config, tmp_path / "state").take()  # held by the second now
    second.leave()


def test_programs_with_other_data_are_apart(config: Config, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Config.for_tests(tmp_path / "other")
    with (
        Instance(config, tmp_path / "state") as first,
        Instance(other, tmp_path / "state") as second,
    ):
        assert first.take()
        assert second.take()


def test_only_the_user_can_read_where_the_first_can_be_asked(
    config: Config, tmp_path: Path
) -> None:
    with Instance(config, tmp_path / "state") as first:
        first.take()
        first.tell(1, "secret")
        if os.name != "nt":
            assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
            assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "state").iterdir()} == {
                0o600
            }
    assert not list((tmp_path / "state").glob("*.json"))


def test_what_a_killed_first_has_told_is_forgotten(config: Config, tmp_path: Path) -> None:
    """Its port may be another program's by now."""
    with Instance(config, tmp_path / "state") as first:
        first.take()
        first.tell(1, "secret")
        (told,) = (tmp_path / "state").glob("*.json")
        left = told.read_bytes()
    told.write_bytes(left)
    with Instance(config, tmp_path / "state") as second:
        assert second.take()
        assert not told.exists()


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"paths": "x"},
        {"paths": ["relative.csv"]},
        {"paths": [1]},
        {"paths": ["/a\x00b"]},
    ],
)
def test_the_door_takes_absolute_paths_only(
    application: Application, serving: Any, body: Any
) -> None:
    with serving(application.server) as server:
        assert post(server.port, body, Authorization=f"Bearer {application.guard.bearer}") == 400
        assert application.inbox.handed_over == 0


def test_the_door_opens_to_nobody_without_the_token(
    application: Application, serving: Any, tmp_path: Path
) -> None:
    with serving(application.server) as server:
        body = {"paths": [str(tmp_path)]}
        assert post(server.port, body) == 403
        assert post(server.port, body, Authorization="Bearer wrong") == 403
        assert (
            post(
                server.port,
                body,
                Authorization=f"Bearer {application.guard.bearer}",
                Host="evil.example",
            )
            == 421
        )
        assert application.inbox.handed_over == 0
        # the control
        assert post(server.port, body, Authorization=f"Bearer {application.guard.bearer}") == 200
        assert application.inbox.handed_over == 1


# -- whole programs
# --------------------------------------------------------------------------------------------------


@pytest.mark.window
@pytest.mark.slow
def test_five_starts_at_once_are_one_program_that_has_all_files(
    start: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    """One of them is killed in the end: then the next start opens."""
    from tests.desktop.sessions import session_files

    files = session_files(tmp_path / "given", 5)
    processes = [start(str(path)) for path in files]
    until(lambda: sum(process.poll() is None for process in processes) == 1)
    (first,) = (process for process in processes if process.poll() is None)
    assert [process.returncode for process in processes if process is not first] == [0] * 4
    kept = Path(environment["XDG_DATA_HOME"]) / "DeconomiX GUI" / "sessions"
    until(lambda: len(list(kept.glob("*.dcxsession"))) >= 5)
    assert first.poll() is None
    for child in psutil.Process(first.pid).children(recursive=True):
        child.kill()
    first.send_signal(signal.SIGKILL)
    first.wait(PATIENCE)
    next_one = start()
    told = Path(environment["XDG_STATE_HOME"])
    until(
        lambda: any(
            json.loads(p.read_bytes())["pid"] == next_one.pid for p in told.rglob("instance-*.json")
        )
    )
    assert next_one.poll() is None
