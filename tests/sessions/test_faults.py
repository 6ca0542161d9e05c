"""Damage, hostile files, kills, full disks, two writers. Every defence has a positive control. Power loss cannot be tested here."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import resource
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from gui.errors import DamagedSession, NewerSession, SessionConflict, SessionError, SessionNotSaved, WrongPassword
from gui.sessions import atomic, container, file
from gui.sessions.file import load, read_header, save
from gui.sessions.snapshot import Snapshot
from tests.conftest import ROOT
from tests.sessions.hostile import end, members, pack, rebuilt
from tests.sessions.samples import ID, WHEN, rich, same, seal, tiny

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs fork, signals and file modes of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / file.file_name(ID)


# --------------------------------------------------------------------------------------------------------------- every byte


def changed(path: Path, snapshot: Snapshot, key: Any, masks: tuple[int, ...], step: int = 1) -> tuple[int, int, int]:
    """(refused, identical, different) over every single-byte change of the file by XOR with each mask."""
    raw = path.read_bytes()
    refused = identical = different = 0
    for at in range(0, len(raw), step):
        for mask in masks:
            path.write_bytes(raw[:at] + bytes([raw[at] ^ mask]) + raw[at + 1 :])
            try:
                found = load(path, seal=key)
            except (DamagedSession, NewerSession, WrongPassword):
                refused += 1
                continue
            try:
                same(snapshot, found)
                identical += 1
            except AssertionError:
                different += 1
    return refused, identical, different


@pytest.mark.parametrize("protected", [False, True])
def test_every_single_byte_change_of_a_small_file_is_refused(path: Path, protected: bool) -> None:
    key, snapshot = seal() if protected else None, Snapshot(ID, "tiny", WHEN, WHEN, notes="some notes to change") if protected else tiny()
    save(path, snapshot, expected_generation=None, seal=key)
    refused, identical, different = changed(path, snapshot, key, (0x01, 0x80))
    assert different == 0
    assert identical == 0  # stricter than promised: no byte is without meaning
    assert refused == 2 * path.stat().st_size


@pytest.mark.slow
@pytest.mark.parametrize("protected", [False, True])
def test_every_value_of_every_byte_of_a_small_file_is_refused(path: Path, protected: bool) -> None:
    key, snapshot = seal() if protected else None, Snapshot(ID, "tiny", WHEN, WHEN)
    save(path, snapshot, expected_generation=None, seal=key)
    assert changed(path, snapshot, key, tuple(range(1, 256)))[1:] == (0, 0)


def test_without_the_checks_changes_pass_through(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control of the two tests above."""
    monkeypatch.setattr(container, "_CHECKED", False)
    snapshot = tiny("no checks")
    monkeypatch.setattr("gui.sessions.objects._CHECKSUM", False)
    save(path, snapshot, expected_generation=None)
    assert changed(path, snapshot, None, (0x01,))[2] > 10


def test_every_truncation_and_every_appended_byte_is_refused(path: Path) -> None:
    save(path, tiny(), expected_generation=None)
    raw = path.read_bytes()
    for size in range(len(raw)):
        path.write_bytes(raw[:size])
        for read in (read_header, load):
            with pytest.raises(DamagedSession):
                read(path)
    for longer in (raw + b"\0", b"\0" + raw, raw + raw):
        path.write_bytes(longer)
        with pytest.raises(DamagedSession):
            load(path)


# ----------------------------------------------------------------------------------------------------------- hostile files


def _node(tree: Any, kind: str) -> Any:
    """The first node of a kind in a tree."""
    waiting = [tree]
    while waiting:
        x = waiting.pop(0)
        if isinstance(x, dict):
            if x.get("t") == kind:
                return x
            waiting.extend(x.values())
        elif isinstance(x, list):
            waiting.extend(x)
    raise KeyError(kind)


def lie(kind: str, /, **fields: Any) -> Callable[[Path], bytes]:
    """A session whose first node of a kind says something else."""

    def made(path: Path) -> bytes:
        def change(manifest: Any) -> Any:
            node = _node(manifest["session"], kind)
            node.update({k: v(node) if callable(v) else v for k, v in fields.items()})
            return manifest

        return rebuilt(path, manifest=change)

    return made


def bomb(_: Path) -> bytes:
    return _zeros(2**29)


def object_bomb(path: Path, *, says: int | None = None) -> bytes:
    """An object that unpacks to 512 MB, whatever it says."""
    large = _zeros(2**29)

    def first(parts: dict[str, bytes]) -> dict[str, bytes]:
        return parts | {next(iter(parts)): large}

    def tell(manifest: Any) -> Any:
        info = next(iter(manifest["objects"].values()))
        info["n"] = says or info["n"]
        return manifest

    return rebuilt(path, objects=first, manifest=tell)


@cache
def _zeros(size: int) -> bytes:
    """A small zstd frame that unpacks to ``size`` zeros, made without holding them."""
    packer = zstandard.ZstdCompressor(level=3).compressobj(size=size)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(size // 2**20)) + packer.flush()


def manifest_bomb(path: Path) -> bytes:
    found = members(path)
    return pack([*((k, v) for k, v in found.items() if k != "manifest"), ("manifest", _zeros(2**29))])


def nested(path: Path) -> bytes:
    return rebuilt(path, manifest=lambda m: b"[" * 900_000 + b"]" * 900_000)


def many_brackets(path: Path) -> bytes:
    return rebuilt(path, manifest=lambda m: b"[" + b"[]," * 3_000_000 + b"[]]")


def deep(path: Path) -> bytes:
    node: Any = None
    for _ in range(100):
        node = {"t": "list", "items": [node]}
    return rebuilt(path, manifest=lambda m: m | {"session": node})


def renamed(name: str) -> Callable[[Path], bytes]:
    def made(path: Path) -> bytes:
        return pack([*members(path).items(), (name, b"x")])

    return made


def by_zipfile(path: Path, kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    found = members(path)
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, data in found.items():
            archive.writestr(name, data)
    return path.read_bytes()


def members_25_000(path: Path) -> bytes:
    return pack([*members(path).items(), *((f"o/{k:032x}", b"x") for k in range(25_000))])


def duplicate(path: Path) -> bytes:
    found = members(path)
    return pack([*found.items(), ("header.json", found["header.json"])])


def overlapping(path: Path) -> bytes:
    """Two entries of the directory with the same place."""
    raw = path.read_bytes()
    _, _, _, _, count, size, start, _ = struct.unpack("<4s4H2IH", raw[-22:])
    directory = bytearray(raw[start : start + size])
    second = 46 + struct.unpack_from("<H", directory, 28)[0]
    struct.pack_into("<I", directory, second + 42, 0)
    return end(raw[:start] + bytes(directory) + bytes(22), count, size, start)


def deflated(path: Path) -> bytes:
    """Everything in its place, but one member says that it is deflated."""
    raw = bytearray(path.read_bytes())
    start = struct.unpack("<4s4H2IH", raw[-22:])[6]
    second = start + 46 + len("mimetype")
    struct.pack_into("<H", raw, second + 10, zipfile.ZIP_DEFLATED)
    return bytes(raw)


def sizeless(path: Path) -> bytes:
    """An object whose frame does not say what it unpacks to."""
    return rebuilt(path, objects=lambda o: o | {next(iter(o)): zstandard.ZstdCompressor(write_content_size=False).compress(bytes(2**22))})


def gap(path: Path) -> bytes:
    raw = path.read_bytes()
    _, _, _, _, count, size, start, _ = struct.unpack("<4s4H2IH", raw[-22:])
    return end(raw[:start] + b"hidden" + raw[start:], count, size, start + 6)


def header_of(change: Callable[[Any], Any]) -> Callable[[Path], bytes]:
    return lambda path: rebuilt(path, header=change)


def endless_list(path: Path) -> bytes:
    """Texts that are made of 30 million empty lists."""
    raw = b"[" + b"[]," * 10_000_000 + b"[]]"

    def put(manifest: Any) -> Any:
        node, name = _node(manifest["session"], "texts"), "o/" + "0" * 32
        node.update(o=[name], n=len(raw), shape=[10_000_001])
        return manifest

    return rebuilt(path, objects=lambda o: o | {"o/" + "0" * 32: zstandard.compress(raw)}, manifest=put)


def repeated(path: Path) -> bytes:
    """One object of 32 MB used 4000 times: 128 GB."""

    def put(manifest: Any) -> Any:
        name = "o/" + "0" * 32
        manifest["objects"][name]["n"] = 2**25
        _node(manifest["session"], "array").update(o=[name] * 4000, n=4000 * 2**25, dtype="u1", shape=[4000 * 2**25])
        return manifest

    return rebuilt(path, objects=lambda o: o | {"o/" + "0" * 32: zstandard.compress(bytes(2**25))}, manifest=put)


HOSTILE: dict[str, Callable[[Path], bytes]] = {
    "not a zip": lambda p: b"MZ" + bytes(5000),
    "empty": lambda p: b"",
    "a pickle": lambda p: b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.",
    "zip bomb": bomb,
    "object bomb": object_bomb,
    "object bomb that says so": lambda p: object_bomb(p, says=2**29),
    "manifest bomb": manifest_bomb,
    "repeated object": repeated,
    "nested": nested,
    "many brackets": many_brackets,
    "deep": deep,
    "endless list": endless_list,
    "25 000 members": members_25_000,
    "name with ..": renamed("../../evil"),
    "absolute name": renamed("/etc/passwd"),
    "unknown name": renamed("run.py"),
    "object name in capitals": renamed("o/" + "A" * 32),
    "unlisted object": renamed("o/" + "0" * 32),
    "deflated": by_zipfile,
    "deflated member": deflated,
    "object that does not tell its size": sizeless,
    "by another tool": lambda p: by_zipfile(p, zipfile.ZIP_STORED),
    "duplicate member": duplicate,
    "overlapping members": overlapping,
    "gap": gap,
    "too many members said": lambda p: end(p.read_bytes(), 65_535, 0, 0),
    "header of 65 kB": header_of(lambda h: h | {"contents": {"notes": "x" * 65_536}}),
    "header without id": header_of(lambda h: {k: v for k, v in h.items() if k != "id"}),
    "header with more": header_of(lambda h: h | {"more": 1}),
    "header of another format": header_of(lambda h: h | {"format": "x"}),
    "header with a huge generation": header_of(lambda h: h | {"generation": 10**30}),
    "header with a list as name": header_of(lambda h: h | {"name": []}),
    "header without time zone": header_of(lambda h: h | {"created": "2020-01-01T00:00:00"}),
    "header of another session": header_of(lambda h: h | {"id": "another"}),
    "array: larger shape": lie("array", shape=[2**40]),
    "array: smaller shape": lie("array", shape=[1]),
    "array: negative shape": lie("array", shape=[-1, -6]),
    "array: text as shape": lie("array", shape="66"),
    "array: huge shape and length": lie("array", shape=[2**33], n=2**36),
    "array: object dtype": lie("array", dtype="O8"),
    "array: unknown dtype": lie("array", dtype="f16"),
    "array: other dtype": lie("array", dtype="f4"),
    "array: bool of other bytes": lie("array", dtype="b1", shape=lambda n: [n["n"]]),
    "array: other length": lie("array", n=8),
    "array: unknown object": lie("array", o=["o/" + "f" * 32]),
    "array: manifest as object": lie("array", o=["manifest"]),
    "array: time of no kind": lie("array", **{"as": "O"}),
    "texts: wide": lie("texts", width=2**40),
    "texts: other shape": lie("texts", shape=[10**12]),
    "sparse: outside": lie("sparse", shape=[1, 40]),
    "sparse: other kind": lie("sparse", kind="dok_matrix"),
    "sparse: __class__": lie("sparse", kind="__class__"),
    "frame: other columns": lie("frame", columns={"t": "range", "v": [0, 10**12, 1], "name": None}),
    "categories: outside": lie("categories", of={"t": "range", "v": [0, 1, 1], "name": None}),
    "record: another class": lie("record", **{"class": "Popen"}),
    "record: unknown field": lie("record", fields=lambda n: n["fields"] | {"__class__": 1}),
    "record: wrong kind of field": lie("record", fields=lambda n: n["fields"] | {"chosen": 5}),
    "params: not allowed": lie("params", fields=lambda n: n["fields"] | {"iterations": -1}),
    "params: another class": lie("params", **{"class": "BaseModel"}),
    "unknown kind": lie("array", t="pickle"),
    "map: list as key": lie("map", items=[[{"t": "list", "items": []}, 1]]),
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "good.dcxsession"
    save(path, rich(), expected_generation=None)
    return path.read_bytes()


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence_without_taking_memory(path: Path, good: bytes, kind: str) -> None:
    path.write_bytes(good)
    path.write_bytes(rebuilt(path))
    same(rich(), load(path))  # positive control: built by hand it opens, as long as nothing in it is wrong
    path.write_bytes(good)
    path.write_bytes(HOSTILE[kind](path))
    before = set(path.parent.rglob("*"))
    tracemalloc.start()
    try:
        with pytest.raises(DamagedSession, match=r"^(This|The|A|There) [^\n]+\.$") as caught:
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 150 * 2**20
    finally:
        tracemalloc.stop()
    assert "Traceback" not in str(caught.value)
    assert set(path.parent.rglob("*")) == before
    with contextlib.suppress(DamagedSession):
        read_header(path)  # a list of sessions meets the same files


def test_peak_memory_of_a_process_that_meets_the_bombs_stays_small(tmp_path: Path, good: bytes) -> None:
    """tracemalloc does not see what C libraries take: the system's own figure of a fresh process does."""
    if not hasattr(resource, "getrusage") or sys.platform == "darwin":
        pytest.skip("ru_maxrss counts differently here")
    kinds = ("not a zip", "object bomb", "object bomb that says so", "manifest bomb", "repeated object", "endless list")
    for kind in kinds:
        path = tmp_path / f"{kind}.dcxsession"
        path.write_bytes(good)
        path.write_bytes(HOSTILE[kind](path))
    code = (
        "import resource, sys; from pathlib import Path; from gui.errors import DamagedSession; from gui.sessions.file import load\n"
        "for path in sys.argv[1:]:\n"
        "    try: load(Path(path))\n"
        "    except DamagedSession: pass\n"
        "    else: sys.exit('it opened')\n"
        "    sys.stdout.write(f'{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} ')"
    )
    command = [sys.executable, "-c", code, *(str(tmp_path / f"{kind}.dcxsession") for kind in kinds)]
    peaks = [int(mb) for mb in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()]
    assert len(peaks) == len(kinds)
    assert max(peaks) < peaks[0] + 150, dict(zip(kinds, peaks, strict=True))


def test_a_session_that_needs_more_memory_than_there_is_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(path, rich(), expected_generation=None)
    monkeypatch.setattr(file, "available_memory", lambda: 1000)
    with pytest.raises(SessionError, match="GB of memory"):
        load(path)


def test_a_matrix_of_zeros_is_no_bomb(path: Path) -> None:
    from tests.sessions.test_file import with_result

    zeros = np.zeros((3000, 3000))
    save(path, with_result({"v": zeros}), expected_generation=None)
    assert path.stat().st_size < 20_000
    assert load(path).runs[0].result["v"].shape == zeros.shape


@pytest.mark.slow
def test_random_damage_never_raises_anything_but_the_errors_of_a_session(path: Path, good: bytes) -> None:
    chance = random.Random(0)
    for _ in range(3000):
        raw = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(raw))
            raw[at : at + chance.randint(0, 4)] = chance.randbytes(chance.randint(0, 4))
        path.write_bytes(raw)
        if bytes(raw) != good:
            with pytest.raises(DamagedSession):
                load(path)


# ------------------------------------------------------------------------------------------------------------------- kills


@POSIX
@pytest.mark.parametrize("options", [(), ("--sealed",)], ids=["plain", "sealed"])
def test_20_kills_in_saves_lose_no_session_and_no_save_that_was_reported(options: tuple[str, ...]) -> None:
    found = _kills(20, *options)
    assert (found["lost"], found["lost_saves"], found["parts_left"]) == (0, 0, 0)
    assert found["in_save"] > 0


@POSIX
def test_kills_lose_sessions_where_the_file_is_overwritten_in_place() -> None:
    """The positive control."""
    assert _kills(40, "--in-place")["lost"] > 0


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--sealed",)], ids=["plain", "sealed"])
def test_200_kills_in_saves_lose_no_session_and_no_save_that_was_reported(options: tuple[str, ...]) -> None:
    found = _kills(200, *options)
    assert (found["lost"], found["lost_saves"], found["parts_left"]) == (0, 0, 0)
    assert found["in_save"] > 40


def _kills(count: int, *options: str) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.sessions.kill_saves", str(count), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


# -------------------------------------------------------------------------------------------- full disks, rights, two writers


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


@pytest.mark.parametrize(("code", "words"), [(errno.ENOSPC, "The disk is full"), (errno.EIO, "could not be written")], ids=["ENOSPC", "EIO"])
def test_an_error_at_any_write_leaves_the_file_as_it_was_and_is_a_sentence(path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str) -> None:
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
def test_an_error_of_the_system_at_the_end_of_a_save_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
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


def test_a_folder_that_cannot_be_synchronised_does_not_undo_the_save(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(OSError(errno.EINVAL, "no")))
    atomic.sync_folder(path.parent)


def test_on_windows_a_file_held_by_another_program_is_tried_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic.time, "sleep", lambda _: None)
    monkeypatch.setattr(atomic.sys, "platform", "win32")
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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root on Linux")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, check=False).returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


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
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of other tests: the child uses none of them
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


def test_a_lock_that_another_program_does_not_release_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    """Read generation, save, 60 times, in two processes at once. Who loses a turn is told so; nothing reported as saved is overwritten unseen."""
    save(path, tiny("start"), expected_generation=None)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), me, "60"], cwd=ROOT, stdout=subprocess.PIPE, text=True) for me in ("a", "b")]
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
