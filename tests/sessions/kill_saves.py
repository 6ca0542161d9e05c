"""SIGKILLs in the middle of saves: what is on disk afterwards?

A script with figures, and what test_faults.py runs.

    .venv/bin/python -m tests.sessions.kill_saves 200 [--sealed] [--in-place] [--folder DIR]

Per kill a child process saves one session after another and reports each finished save through a
pipe; it is killed at a random moment, and every fifth time at a chosen write, fsync or replace of a
save. Then the file must open and hold a save at least as new as the last reported one.
``--in-place`` is the positive control: the same with a writer that overwrites the file.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import random
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gui import atomic
from gui.engine.params import Params
from gui.engine.results import Provenance, Run
from gui.errors import SessionError
from gui.sessions import file
from gui.sessions.crypto import SessionKey
from gui.sessions.snapshot import Snapshot
from tests.sessions.samples import ID, WHEN, rich, session_key

_BASE = rich()
_VALUES = np.random.default_rng(0).random(60_000)


def version(number: int) -> Snapshot:
    """A session of about 0.5 MB, half of which changes from save to save; its content follows from
    the number.
    """
    runs = tuple(
        Run(f"r{k}", "cells", "", WHEN, Params(), {"v": _VALUES + k * number}, Provenance("t", "b"))
        for k in (0, 1)
    )
    return dataclasses.replace(_BASE, revision=number, runs=runs)


class _Deadly:
    """A file that kills its own process at the n-th write; the first half of that write is done."""

    left = 0

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def write(self, data: bytes) -> int:
        deadly(lambda: (self._inner.write(data[: len(data) // 2]), self._inner.flush()))
        return int(self._inner.write(data))

    def __enter__(self) -> _Deadly:
        return self

    def __exit__(self, *_: object) -> None:
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def deadly(last_words: Any = lambda: None) -> None:
    _Deadly.left -= 1
    if _Deadly.left == 0:
        last_words()
        os.kill(os.getpid(), signal.SIGKILL)


@contextlib.contextmanager
def in_place(path: Path) -> Iterator[Any]:
    """The defence off."""
    with atomic._open(path, "wb") as opened:
        yield opened


def child(
    path: Path, key: SessionKey | None, number: int, generation: int, report: int, at: int
) -> None:
    """Saves until it is killed."""
    if at:
        _Deadly.left = at
        plain_open, plain_fsync, plain_replace = atomic._open, os.fsync, os.replace
        atomic._open = lambda *a: _Deadly(plain_open(*a))  # type: ignore[assignment]
        os.fsync = lambda handle: (deadly(), plain_fsync(handle))[1]  # type: ignore[assignment]
        os.replace = lambda *a: (deadly(), plain_replace(*a), deadly())[1]  # type: ignore[assignment]
    while True:
        number += 1
        generation = file.save(
            path, version(number), expected_generation=generation, session_key=key
        ).generation
        os.write(report, struct.pack("<q", number))


def kill_once(
    path: Path,
    key: SessionKey | None,
    number: int,
    generation: int,
    chance: random.Random,
    turn: int,
    window: float,
) -> int:
    """One child, one kill within ``window`` seconds.

    Returns the number of the last save it reported.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            child(
                path,
                key,
                number,
                generation,
                writing,
                at=chance.randint(1, 250) if turn % 5 == 0 else 0,
            )
        finally:
            os._exit(3)
    os.close(writing)
    if turn % 5:
        time.sleep(chance.uniform(0.0, window))
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status):
        raise RuntimeError("the child ended before it was killed")
    reported = b""
    while piece := os.read(reading, 2**16):
        reported += piece
    os.close(reading)
    return int(struct.unpack("<q", reported[-8:])[0]) if reported else number


def run(
    kills: int, folder: Path, *, sealed: bool, until_lost: bool = False, seed: int = 0
) -> dict[str, int]:
    """Figures: kills, in_save (a half-written file was left), lost (does not open), lost_saves
    (older than reported), saves (reported), parts_left.
    """
    chance, key = random.Random(seed), session_key() if sealed else None
    path = folder / file.file_name(ID)
    found = {"kills": kills, "in_save": 0, "lost": 0, "lost_saves": 0, "saves": 0, "parts_left": 0}
    number = 1
    file.save(path, version(number), expected_generation=None, session_key=key)
    started = time.perf_counter()
    number = file.save(path, version(2), expected_generation=1, session_key=key).generation
    # some die in their first save, most after some saves
    window = 5 * (time.perf_counter() - started)
    for turn in range(kills):
        if until_lost and found["lost"]:
            break
        generation = file.read_header(path).generation
        reported = kill_once(path, key, number, generation, chance, turn, window)
        found["in_save"] += any(folder.glob("*.part"))
        found["saves"] += reported - number
        file.sweep(folder)
        found["parts_left"] += len(list(folder.glob("*.part")))
        try:
            present = file.load(path, session_key=key)
            expected = version(present.revision)
            whole = all(
                np.array_equal(a.result["v"], b.result["v"])
                for a, b in zip(present.runs, expected.runs, strict=True)
            )
            found["lost"] += not whole
            found["lost_saves"] += present.revision < reported
            number = present.revision
        except SessionError:
            found["lost"] += 1
            path.unlink(missing_ok=True)
            number = reported
            with contextlib.suppress(SessionError):
                file.save(path, version(number), expected_generation=None, session_key=key)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kills", type=int)
    parser.add_argument("--sealed", action="store_true")
    parser.add_argument("--in-place", action="store_true")
    parser.add_argument("--until-lost", action="store_true")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.in_place:
        atomic.replacing = in_place  # type: ignore[assignment]
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        sys.stdout.write(
            json.dumps(
                run(given.kills, Path(folder), sealed=given.sealed, until_lost=given.until_lost)
            )
            + "\n"
        )


if __name__ == "__main__":
    main()
