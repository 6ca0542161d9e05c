"""Files that somebody made to do harm, and files that lie: each is refused in a sentence, nothing
is run, no memory is taken.
"""

from __future__ import annotations

import contextlib
import random
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from gui.errors import DamagedSession, SessionError
from gui.sessions import file, lazy
from gui.sessions.file import load, read_header, save
from tests.conftest import ROOT
from tests.sessions.hostile import end, members, pack, rebuilt
from tests.sessions.samples import ID, rich, same


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / file.file_name(ID)


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
    return pack(
        [*((k, v) for k, v in found.items() if k != "manifest"), ("manifest", _zeros(2**29))]
    )


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
    return rebuilt(
        path,
        objects=lambda o: (
            o
            | {
                next(iter(o)): (
                    zstandard.ZstdCompressor(write_content_size=False).compress(bytes(2**22))
                )
            }
        ),
    )


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

    return rebuilt(
        path, objects=lambda o: o | {"o/" + "0" * 32: zstandard.compress(raw)}, manifest=put
    )


def repeated(path: Path) -> bytes:
    """One object of 32 MB used 4000 times: 128 GB."""

    def put(manifest: Any) -> Any:
        name = "o/" + "0" * 32
        manifest["objects"][name]["n"] = 2**25
        _node(manifest["session"], "array").update(
            o=[name] * 4000, n=4000 * 2**25, dtype="u1", shape=[4000 * 2**25]
        )
        return manifest

    return rebuilt(
        path,
        objects=lambda o: o | {"o/" + "0" * 32: zstandard.compress(bytes(2**25))},
        manifest=put,
    )


HOSTILE: dict[str, Callable[[Path], bytes]] = {
    "not a zip": lambda p: b"MZ" + bytes(5000),
    "empty": lambda p: b"",
    "a pickle": lambda p: (
        b"\x80\x04\x95\x1e\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94."
    ),
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
def test_a_hostile_file_is_refused_in_a_sentence_without_taking_memory(
    path: Path, good: bytes, kind: str
) -> None:
    path.write_bytes(good)
    path.write_bytes(rebuilt(path))
    # positive control: built by hand it opens, as long as nothing in it is wrong
    same(rich(), load(path))
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


def test_peak_memory_of_a_process_that_meets_the_bombs_stays_small(
    tmp_path: Path, good: bytes
) -> None:
    """tracemalloc does not see what C libraries take: the system's own figure of a fresh process
    does.
    """
    if sys.platform != "linux":
        pytest.skip("ru_maxrss is not there or counts differently")
    kinds = (
        "not a zip",
        "object bomb",
        "object bomb that says so",
        "manifest bomb",
        "repeated object",
        "endless list",
    )
    for kind in kinds:
        path = tmp_path / f"{kind}.dcxsession"
        path.write_bytes(good)
        path.write_bytes(HOSTILE[kind](path))
    code = (
        "import resource, sys; from pathlib import Path; from gui.errors import DamagedSession;"
        " from gui.sessions.file import load\nfor path in sys.argv[1:]:\n    try:"
        " load(Path(path))\n    except DamagedSession: pass\n    else: sys.exit('it opened')\n   "
        " sys.stdout.write(f'{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} ')"
    )
    command = [
        sys.executable,
        "-c",
        code,
        *(str(tmp_path / f"{kind}.dcxsession") for kind in kinds),
    ]
    peaks = [
        int(mb)
        for mb in subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
    ]
    assert len(peaks) == len(kinds)
    assert max(peaks) < peaks[0] + 150, dict(zip(kinds, peaks, strict=True))


def test_a_session_that_needs_more_memory_than_there_is_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(path, rich(), expected_generation=None)
    monkeypatch.setattr(lazy, "available_memory", lambda: 1000)
    with pytest.raises(SessionError, match="GB of memory"):
        load(path)


def test_a_matrix_of_zeros_is_no_bomb(path: Path) -> None:
    from tests.sessions.test_file import with_result

    zeros = np.zeros((3000, 3000))
    save(path, with_result({"v": zeros}), expected_generation=None)
    assert path.stat().st_size < 20_000
    assert load(path).runs[0].result["v"].shape == zeros.shape


@pytest.mark.slow
def test_random_damage_never_raises_anything_but_the_errors_of_a_session(
    path: Path, good: bytes
) -> None:
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
