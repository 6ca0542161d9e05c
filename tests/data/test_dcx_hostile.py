"""A hostile .dcx is refused and nothing in it runs.

The same bytes do run under pickle.load: that is the positive control.

All of them are read in a child process, where time, memory and whatever Python does beyond reading
are watched.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui.data.readers.dcx import read_dcx
from gui.data.readers.safe_pickle import interpret
from gui.errors import UnreadableFile, UnsafeFile
from tests.data.hostile_dcx import (
    DAMAGED,
    LIES,
    ODD,
    THREE,
    TWO,
    block,
    bombs,
    dcx,
    matrix,
    payloads,
    span,
    truncated,
)

ROOT = Path(__file__).resolve().parents[2]
SECONDS, MEGABYTES = 10, 400


@pytest.fixture(scope="module")
def reports(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """By kind and name: what a child process says of each hostile file, and of the same file under
    pickle.load.
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("the child process measures with what Linux has")
    folder, files = tmp_path_factory.mktemp("hostile"), {}
    whole = (shared_data / "predecessor" / "FULL.p0default.dcx").read_bytes()
    for kind, found in {
        "lie": LIES,
        "odd": ODD,
        "damaged": DAMAGED,
        "bomb": bombs(),
        "cut": truncated(whole),
    }.items():
        for i, (name, data) in enumerate(found.items()):
            files[f"{kind}: {name}"] = f"{kind}-{i:03}.dcx", data
    for i, name in enumerate(payloads(folder)):
        file = f"payload-{i:03}.dcx"
        files[f"payload: {name}"] = file, payloads((folder / file).with_suffix(".ran"))[name]
    for file, data in files.values():
        (folder / file).write_bytes(data if data[:1] == b"\x80" or not data else b"\x80\x04" + data)
    done = subprocess.run(
        [sys.executable, "-m", "tests.data.hostile_dcx", str(folder)],
        capture_output=True,
        text=True,
        timeout=900,
        cwd=ROOT,
        check=True,
    )
    said = json.loads(done.stdout)
    return {
        name: {**said["read"][file], "ran": said["ran"][file], "control": said["control"].get(file)}
        for name, (file, _) in files.items()
    }


def test_there_are_enough_hostile_files_of_every_kind(reports: dict[str, dict[str, Any]]) -> None:
    kinds = [name.partition(":")[0] for name in reports]
    least = {"payload": 30, "lie": 14, "odd": 17, "damaged": 12, "bomb": 20, "cut": 20}
    assert {kind for kind in least if kinds.count(kind) < least[kind]} == set()


def test_every_hostile_file_is_refused_in_a_sentence(reports: dict[str, dict[str, Any]]) -> None:
    assert {name: r for name, r in reports.items() if "raised" in r} == {}
    assert [
        name for name, r in reports.items() if not r["said"].endswith(".") or len(r["said"]) > 300
    ] == []


def test_no_hostile_file_takes_long_or_much_memory(reports: dict[str, dict[str, Any]]) -> None:
    assert {name: r["seconds"] for name, r in reports.items() if r["seconds"] > SECONDS} == {}
    assert {name: r["megabytes"] for name, r in reports.items() if r["megabytes"] > MEGABYTES} == {}
    assert max(r["megabytes"] for r in reports.values()) > 20  # it is really measured


def test_nothing_in_a_hostile_file_runs_and_the_same_payloads_do_under_pickle_load(
    reports: dict[str, dict[str, Any]],
) -> None:
    asking = {name: r for name, r in reports.items() if name.startswith("payload")}
    assert [name for name, r in asking.items() if "nothing of it was run" not in r["said"]] == []
    assert [name for name, r in reports.items() if r["ran"]] == []
    # positive control: each of them runs there
    assert [name for name, r in asking.items() if not r["control"]["ran"]] == []


def test_reading_a_hostile_file_imports_opens_and_starts_nothing(
    reports: dict[str, dict[str, Any]],
) -> None:
    assert {name: r["seen"] for name, r in reports.items() if r["seen"]} == {}
    controls = [r["control"]["seen"] for r in reports.values() if r["control"]]
    # positive control: there it is noticed
    assert all("os.mkdir" in str(seen) or "os.system" in str(seen) for seen in controls)


def test_the_hand_made_file_is_readable_when_it_does_not_lie(tmp_path: Path) -> None:
    file = tmp_path / "honest.dcx"
    file.write_bytes(dcx([block(matrix(), span(0, 2))], TWO, THREE))
    part = read_dcx(file).parts["train"]
    assert part.values.tolist() == [[1, 1], [2, 2], [3, 3]]
    assert (part.columns, part.genes) == (["T", "B"], ["g", "h", "i"])


@pytest.mark.parametrize("name", sorted(LIES))
def test_a_file_that_contradicts_itself_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "lies.dcx"
    file.write_bytes(LIES[name])
    with pytest.raises(UnreadableFile) as refused:
        read_dcx(file)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("name", sorted(ODD))
def test_operations_no_data_file_needs_are_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "odd.dcx"
    file.write_bytes(b"\x80\x04" + ODD[name])
    with pytest.raises(UnsafeFile):
        read_dcx(file)


@pytest.mark.parametrize("name", sorted(DAMAGED))
def test_impossible_claims_are_refused_without_taking_memory(tmp_path: Path, name: str) -> None:
    file = tmp_path / "damaged.dcx"
    file.write_bytes(b"\x80\x04" + DAMAGED[name])
    with pytest.raises(UnreadableFile):
        read_dcx(file)


def test_more_operations_than_any_file_needs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gui.data.readers.safe_pickle.MAX_OPERATIONS", 1000)
    with pytest.raises(UnsafeFile, match="more operations"):
        interpret(b"\x80\x04" + b"N0" * 1000 + b"N.", "f.dcx")
    monkeypatch.setattr("gui.data.readers.safe_pickle.MAX_MEMO", 10)
    with pytest.raises(UnsafeFile, match="remembers more"):
        interpret(b"\x80\x04N" + b"\x94" * 20 + b".", "f.dcx")


def test_flipped_bytes_never_escape_as_a_raw_exception(shared_data: Path, tmp_path: Path) -> None:
    whole = (shared_data / "predecessor" / "catcols.p4.dcx").read_bytes()
    random, file, refused = np.random.default_rng(0), tmp_path / "flipped.dcx", 0
    for _ in range(300):
        data = bytearray(whole)
        for at in random.integers(0, 3000, 3):
            data[at] = random.integers(256)
        file.write_bytes(data)
        try:
            read_dcx(file)
        except UnreadableFile:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04rest", b"gene,a\nx,1\n", b"\x89HDF\r\n\x1a\nxx"])
def test_another_kind_of_file_is_named(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "other.dcx"
    file.write_bytes(data)
    with pytest.raises(UnreadableFile, match=r"empty|looks like"):
        read_dcx(file)


def test_the_sessions_of_the_predecessor_are_refused_too(shared_data: Path) -> None:
    for path in (shared_data / "predecessor" / "sessions" / "cache").glob("*.pkl"):
        with pytest.raises(UnsafeFile):
            read_dcx(path)
