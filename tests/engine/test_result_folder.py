"""The files of an analysis are replaced all or none: an error, an interruption and a kill at every
single step of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gui import result_folder
from gui.cli import output
from gui.errors import DeconomixError
from gui.result_folder import BEFORE, NotRestored, recover, replace_files

FILES = (*output.FILES[:9], output.FILES[-1])
"""Enough of them: each takes a dozen steps, and every step is tried."""
OLD = {name: b"old " + name.encode() for name in (*FILES[:3], FILES[-1])}
NEW = {name: b"new " + name.encode() for name in (FILES[0], *FILES[3:])}
WAYS = ("exchange", "one by one")
STOPPED = """
import os, sys
from pathlib import Path
from gui import result_folder
root, way, kill = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "kill"
names, new = eval(sys.argv[4])
count, at, watched = 0, 0, False
def step():
    global count
    count += 1
    if count == at:
        if kill:
            os._exit(137)
        raise KeyboardInterrupt
def look(event, arguments):  # every call that looks at or changes a file
    if watched and (event == "open" or event.startswith(("os.", "shutil."))) and any(str(root) in str(a) for a in arguments):
        step()
real = result_folder.exchange
def exchange(one, other):
    step()
    if way == "one by one":
        raise NotImplementedError
    real(one, other)
    step()
result_folder.exchange = exchange
sys.addaudithook(look)
for at in range(1, 200):
    child = os.fork()
    if not child:
        watched = True
        try:
            result_folder.replace_files(root / str(at) / "results", new, names)
        except KeyboardInterrupt:
            os._exit(130)
        os._exit(0 if count < at else 99)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(at, code, flush=True)
    if code == 0:
        break
"""
"""A program that is stopped before its first step on files, one that is stopped before its second,
and so on, each in a folder of its own.
"""


def write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def read(folder: Path) -> dict[str, bytes]:
    """The files of the result."""
    return {name: (folder / name).read_bytes() for name in FILES if (folder / name).exists()}


def foreign(folder: Path) -> None:
    write(folder, {"my notes.txt": b"keep"})
    write(folder / "figures", {"one.png": b"png"})


def survived(folder: Path) -> bool:
    return (folder / "my notes.txt").read_bytes() == b"keep" and (
        folder / "figures" / "one.png"
    ).read_bytes() == b"png"


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, which does not exchange folders."""

    def exchange(one: Path, other: Path) -> None:
        raise NotImplementedError

    monkeypatch.setattr(result_folder, "exchange", exchange)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("start", ["new", "empty", "results"])
def test_the_new_files_replace_the_old_ones_and_nothing_else(
    tmp_path: Path, request: pytest.FixtureRequest, way: str, start: str
) -> None:
    if way == "one by one":
        request.getfixturevalue("one_by_one")
    out = tmp_path / "deep" / "results" if start == "new" else tmp_path / "results"
    if start != "new":
        out.mkdir()
    if start == "results":
        write(out, OLD)
        foreign(out)
        out.chmod(0o750)
    for _ in range(2):
        replace_files(out, NEW, FILES)
        assert read(out) == NEW
    assert {p.name for p in out.iterdir()} == set(NEW) | (
        {"my notes.txt", "figures"} if start == "results" else set()
    )
    assert {p.name for p in out.parent.iterdir()} == {"results"}, "nothing is left beside it"
    if start == "results":
        assert survived(out)
        assert os.name == "nt" or out.stat().st_mode & 0o777 == 0o750


@pytest.mark.skipif(
    sys.platform == "win32", reason="the test forks, and a folder is not exchanged there"
)
@pytest.mark.parametrize("start", ["new", "empty", "results"])
def test_killed_at_any_step_there_is_the_old_result_or_the_new_one(
    tmp_path: Path, start: str
) -> None:
    seen = every_step(
        tmp_path,
        start,
        "exchange",
        "kill",
        lambda folder: read(folder) in ({} if start != "results" else OLD, NEW),
    )
    assert len(seen) == 2, "some were killed before and some after it"


@pytest.mark.skipif(sys.platform == "win32", reason="the test forks")
@pytest.mark.parametrize("how", ["kill", "interrupt"])
def test_where_folders_are_not_exchanged_the_next_analysis_finds_the_old_result_or_the_new_one(
    tmp_path: Path, how: str
) -> None:
    def whole(folder: Path) -> bool:
        found = read(folder)
        torn = found not in (OLD, NEW)
        assert how == "kill" or not torn, "an interruption brings the files back at once"
        assert not torn or ("run.json" not in found and (folder / BEFORE).is_dir()), (
            "no record beside files it does not belong to"
        )
        recover(folder, FILES)
        recover(folder, FILES)
        return read(folder) in (OLD, NEW)

    assert len(every_step(tmp_path, "results", "one by one", how, whole)) == 2


def every_step(
    tmp_path: Path, start: str, way: str, how: str, whole: Callable[[Path], bool]
) -> set[bool]:
    """Stop at every step; whether ``whole`` holds each time, and a next analysis works.

    Returns whether the new result was there.
    """
    for at in range(1, 200):
        out = tmp_path / str(at) / "results"
        out.parent.mkdir()
        if start != "new":
            out.mkdir()
        if start == "results":
            write(out, OLD)
            foreign(out)
    arguments = [sys.executable, "-c", STOPPED, str(tmp_path), way, how, repr((FILES, NEW))]
    ran = subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        cwd=Path(result_folder.__file__).parents[1],
        check=True,
    )
    stops = [tuple(map(int, line.split())) for line in ran.stdout.splitlines()]
    assert stops[-1][1] == 0, "the last one was not stopped"
    seen = set()
    for at, _code in stops:
        out = tmp_path / str(at) / "results"
        assert whole(out), f"stopped before step {at}"
        assert start != "results" or survived(out)
        seen.add(read(out) == NEW)
        replace_files(out, NEW, FILES)
        assert read(out) == NEW
        assert start != "results" or survived(out)
        assert {p.name for p in out.parent.iterdir()} == {"results"}, (
            f"what was left at step {at} is swept"
        )
        assert not [p.name for p in out.iterdir() if p.name.startswith(".")]
    return seen


@pytest.mark.usefixtures("one_by_one")
def test_a_full_disk_brings_the_old_files_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "results", OLD)
    real, calls = result_folder._copy, []

    def full(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(result_folder, "_copy", full)
    with pytest.raises(OSError, match="No space"):
        replace_files(tmp_path / "results", NEW, FILES)
    assert read(tmp_path / "results") == OLD
    assert {p.name for p in (tmp_path / "results").iterdir()} == set(OLD)


@pytest.mark.usefixtures("one_by_one")
def test_files_that_cannot_be_brought_back_are_said_to_be_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results"
    write(out, OLD)

    def gone(*_: object) -> None:
        raise OSError(5, "Input/output error")

    real = result_folder.atomic.replace

    def keeps_the_copies(source: Path, target: Path) -> None:
        real(source, target) if target.name == BEFORE else gone()

    with monkeypatch.context() as patch:
        patch.setattr(result_folder, "_copy", gone)
        patch.setattr(result_folder.atomic, "replace", keeps_the_copies)
        with pytest.raises(NotRestored, match="incomplete") as caught:
            replace_files(out, NEW, FILES)
    assert isinstance(caught.value, DeconomixError)
    assert str(out / BEFORE) in str(caught.value.advice)
    assert recover(out, FILES)
    assert read(out) == OLD


def test_who_stands_in_the_folder_stays_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "results", OLD)
    monkeypatch.chdir(tmp_path / "results")
    replace_files(Path("."), NEW, FILES)
    assert {p.name for p in Path().iterdir()} == set(NEW)


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_link_to_a_folder_stays_one(tmp_path: Path) -> None:
    write(tmp_path / "real", OLD)
    (tmp_path / "results").symlink_to(tmp_path / "real")
    replace_files(tmp_path / "results", NEW, FILES)
    assert (tmp_path / "results").is_symlink()
    assert read(tmp_path / "real") == NEW
