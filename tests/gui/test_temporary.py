"""Temporary files: a quota, an end, and nothing left of a program that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pytest
from filelock import FileLock
from openpyxl.worksheet import _writer

from desktop.lifecycle import running
from gui import files, temporary
from gui.app import Application, create_app
from gui.config import Config
from gui.data.export import xlsx_bytes
from gui.errors import UnreadableFile
from gui.files import Uploads
from gui.jobs.reader import Reader
from gui.server_settings import Server
from gui.temporary import TemporaryFolder, sweep
from tests.gui.conftest import ORIGIN

HOLDER = """
import sys
from gui.files import Uploads
from gui.jobs.reader import Reader
uploads = Uploads()
kept = uploads.receive("patients.csv", [b"gene,Patientin Mueller 4711"], limit=100)
with uploads.scratch() as folder:
    (folder / "session").write_bytes(b"Patientin Mueller 4711")
    print(uploads._folder.parent, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary folder."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def other(place: Path) -> Iterator[subprocess.Popen[str]]:
    """Another program that holds an upload and a scratch file."""
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(place))}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == str(next(place.iterdir()))
        yield process
        process.kill()


def lying(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file() and path.name != temporary.LOCK]


def test_what_a_killed_program_left_is_swept_and_a_running_one_keeps_its_files(
    place: Path, other: subprocess.Popen[str], tmp_path: Path
) -> None:
    create_app(Config.for_tests(tmp_path / "first")).stop()
    assert len(lying(place)) == 2  # the other one runs
    other.kill()
    other.wait()
    assert len(lying(place)) == 2
    create_app(Config.for_tests(tmp_path / "second")).stop()
    assert list(place.iterdir()) == []


def test_without_the_lock_a_running_program_would_lose_its_files(
    place: Path, other: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test before."""
    monkeypatch.setattr(FileLock, "acquire", lambda self: None)
    monkeypatch.setattr(FileLock, "release", lambda self: None)
    assert sweep() == 1
    assert lying(place) == []


def test_two_in_one_process_do_not_sweep_each_other_and_an_orderly_end_leaves_nothing(
    place: Path,
) -> None:
    one, two = TemporaryFolder(), TemporaryFolder()
    assert sweep() == 0
    one.close()
    assert two.path.is_dir()
    two.close()
    assert list(place.iterdir()) == []


def test_folders_of_others_are_not_touched(place: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / temporary.LOCK).touch()
    (mine / "kept").touch()
    (place / "deconomix-gui-linked").symlink_to(mine)
    # no lock; the last looks like one of an earlier version, but is new
    for name in ("deconomix-gui-results", "deconomix-analysis", "deconomix-ab3_x9zz"):
        (place / name).mkdir()
        (place / name / "thesis.csv").touch()
    (place / "deconomix-gui-x").touch()
    old = time.time() - 10 * 86400
    (place / "deconomix-analysis" / "thesis.csv").touch()
    for path in (place / "deconomix-analysis" / "thesis.csv", place / "deconomix-analysis"):
        os.utime(path, (old, old))
    assert sweep() == 0
    assert (mine / "kept").exists()
    assert len(list(place.iterdir())) == 5


@pytest.mark.skipif(os.name != "posix", reason="mode bits")
def test_a_folder_that_others_can_write_to_is_not_swept(place: Path) -> None:
    folder = place / f"{temporary.PREFIX}abc"
    folder.mkdir()
    (folder / temporary.LOCK).touch()
    folder.chmod(0o777)
    assert sweep() == 0
    folder.chmod(0o700)
    assert sweep() == 1  # the control


def test_what_an_earlier_version_left_is_swept_a_day_later(place: Path) -> None:
    folder = place / "deconomix-ab3_x9zz"
    folder.mkdir()
    upload = folder / f"{'A' * 32}.csv"
    upload.touch()
    assert sweep() == 0
    yesterday = time.time() - 25 * 3600
    for path in (upload, folder):
        os.utime(path, (yesterday, yesterday))
    assert sweep() == 1
    assert not folder.exists()


class Clock:
    """Seconds, as the test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """``sent(browser, bytes)`` sends a file to ``sent.uploads``, in which a browser may have 100
    bytes, and all 250.
    """
    clock = Clock()
    uploads = Uploads(per_browser=100, total=250, lifetime=3600, clock=clock)

    def send(browser: str, size: int) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(files, "browser_id", lambda: browser)
            return uploads.receive(
                "x.csv", [b"x" * (size // 2), b"x" * (size - size // 2)], limit=10**6
            )

    send.uploads, send.clock = uploads, clock  # type: ignore[attr-defined]
    yield send
    uploads.close()


def test_the_files_of_one_browser_and_of_all_have_a_quota(sent: Any) -> None:
    first = sent("a", 60)
    with pytest.raises(
        UnreadableFile, match="the files that you sent take 0 MB, as much as they may"
    ) as caught:
        sent("a", 41)
    assert caught.value.advice
    sent("a", 40)  # what was refused counts no more
    sent("b", 100)
    with pytest.raises(UnreadableFile, match="no room left"):
        sent("c", 60)
    assert len(list(sent.uploads._folder.iterdir())) == 3  # nothing is left of what was refused
    sent.uploads.forget(first.token)
    sent("c", 60)


def test_what_a_browser_has_not_used_for_a_while_makes_room_for_more_of_its_own(sent: Any) -> None:
    old, used, others = sent("a", 40), sent("a", 40), sent("b", 100)
    sent.clock.now += files.IDLE + 1
    sent.uploads.get(used.token)
    new = sent("a", 60)
    with pytest.raises(UnreadableFile, match="no longer there"):
        sent.uploads.get(old.token)
    for kept in (used, others, new):
        assert sent.uploads.get(kept.token).path.exists()


def test_uploads_expire_and_a_file_of_the_user_does_not(sent: Any, tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("x")
    adopted, old = sent.uploads.adopt(own), sent("a", 60)
    sent.clock.now += 3000
    young = sent("b", 60)
    sent.clock.now += 1000
    sent.uploads.expire()
    with pytest.raises(UnreadableFile, match="no longer there"):
        sent.uploads.get(old.token)
    assert not old.path.exists()
    assert sent.uploads.get(young.token).path.exists()
    assert sent.uploads.get(adopted.token).path == own
    sent("a", 100)  # its bytes count no more


def test_files_put_together_count_once(sent: Any) -> None:
    uploads = sent.uploads
    tokens = []
    for name in ("a.mtx", "b.tsv"):
        tokens.append(uploads.receive(name, [b"x" * 40], limit=100).token)
    folder = uploads.together(tokens)
    assert uploads._sizes.total() == 80
    uploads.forget(folder.token)
    assert uploads._sizes.total() == 0
    assert list(uploads._folder.iterdir()) == []


def test_the_quota_of_the_configuration_is_said_in_a_sentence(
    tmp_path: Path, open_tab: Callable[..., Any]
) -> None:
    config = Config.for_tests(tmp_path)
    app: Application = create_app(
        config.model_copy(update={"server": Server(upload_limit_mb=2, upload_quota_mb=3)})
    )
    try:
        client = open_tab(app).client
        answers = [
            client.post(
                "/_dcx/upload?name=x.csv",
                data=b"x" * 1_900_000,
                headers={"Origin": ORIGIN},
                base_url=ORIGIN,
            )
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [200, 413]
        assert (
            "the files that you sent take 3 MB, as much as they may. Load the files"
            in answers[1].json["error"]
        )
        assert (
            open_tab(app)
            .client.post(
                "/_dcx/upload?name=x.csv",
                data=b"x" * 1_900_000,
                headers={"Origin": ORIGIN},
                base_url=ORIGIN,
            )
            .status_code
            == 200
        )
        assert any(chore.name == "uploads" for chore in app.housekeeping._chores)
    finally:
        app.stop()


def test_a_disk_that_is_nearly_full_takes_no_more_files(
    sent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        files.shutil,
        "disk_usage",
        lambda path: type("Usage", (), {"total": 10**12, "free": files.SPARE})(),
    )
    with pytest.raises(UnreadableFile, match="no room left"):
        sent("a", 10)
    monkeypatch.undo()
    sent("a", 10)


def test_a_program_that_runs_puts_what_libraries_write_into_its_own_folder(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """openpyxl writes every table into a temporary file; what it leaves after a kill is swept
    too.
    """
    made: list[Path] = []
    create = _writer.create_temporary_file
    monkeypatch.setattr(
        _writer, "create_temporary_file", lambda: made.append(Path(create())) or str(made[-1])
    )
    monkeypatch.setattr(
        "gui.app.create_app",
        lambda *given: Mock(**{"pending_saves.return_value": 0, "stop.return_value": None}),
    )
    frame = pd.DataFrame({"Patientin Mueller 4711": [1.0]})
    with running(Config.for_tests(tmp_path / "program")):
        xlsx_bytes(frame)
        [folder] = place.iterdir()
        assert made.pop().parent == folder
        assert sweep(place) == 0
        reader = Reader(None)
        assert Path(reader(where, None, name="x")) == folder  # in the reading process too
        reader.stop()
    assert list(place.iterdir()) == []
    assert tempfile.gettempdir() == str(place)
    xlsx_bytes(frame)
    assert made[-1].parent == place  # the control


def where(dataset: Any, params: Any, *, progress: Any) -> str:
    return tempfile.gettempdir()


MAKES = ("mkdtemp(", "mkstemp(", "TemporaryFile(", "TemporaryDirectory(")


def test_nothing_but_this_module_makes_temporary_files_in_the_temporary_folder_of_the_system() -> (
    None
):
    """A place that is made elsewhere is swept by nobody: only beside the file that it becomes
    (``dir=``) may there be one.
    """
    root = Path(temporary.__file__).parents[1]
    lines = [
        (path, line)
        for room in ("gui", "desktop")
        for path in (root / room).rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
    ]
    made = [
        (path.relative_to(root).as_posix(), "dir=" in line)
        for path, line in lines
        if any(word in line for word in MAKES)
    ]
    assert ("gui/temporary.py", False) in made
    assert [name for name, beside in made if not beside] == ["gui/temporary.py"]
