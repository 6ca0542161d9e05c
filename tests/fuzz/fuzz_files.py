"""Damaged files by the thousand: `python -m tests.fuzz.fuzz_files --seconds 1200 [--kinds h5ad
table] [--seed 1] [--keep FOLDER]`.

Each file is read in a child process with limits. Allowed: it is read, or refused with a sentence
(DataError, SessionError); of the kinds that the reading process reads, also that the child dies (by
a crash of a library or by gui/data/readers/watchdog.py), which the reading process turns into a
sentence. Everything else is a fault: another exception, a sentence that is none, more than 30 s of
computing, more memory than the limit.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from tests.fuzz import mutate, seeds

SECONDS = 30.0
MEMORY = 2 * 2**30
"""Bytes that reading a file of some kilobytes may take beyond what the libraries take."""
ALLOWED = ("read", "refused", "died")


@dataclass
class Tally:
    """outcomes : (kind, outcome) -> how many; faults : (kind, outcome, what was said, kept file);
    slowest : kind -> seconds; memory : kind -> bytes.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[tuple[str, str, str, Path]] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)


def is_sentence(said: str) -> bool:
    return (
        said[-1:] in ".!?"
        and 10 < len(said) < 600
        and not any(bad in said for bad in ("Traceback", "Errno", "Exception", " at 0x"))
    )


def child(
    pipe: Connection,
    task: Callable[[str, Path], None],
    memory: int,
    warm_up: Callable[[], None],
) -> None:
    """Reads what comes through the pipe and says how that went."""
    import resource

    from gui.errors import DataError, SessionError

    warm_up()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            kind, path = pipe.recv()
        except EOFError:
            return
        with contextlib.suppress(OSError):  # the peak is counted anew for each file
            Path("/proc/self/clear_refs").write_text("5")
        before = _peak()
        try:
            task(kind, path)
            said = ("read", "")
        except (DataError, SessionError) as error:
            said = ("refused" if is_sentence(str(error)) else "no sentence", str(error))
        except MemoryError as error:
            said = ("memory", repr(error))
        except BaseException as error:  # noqa: BLE001  that is what is looked for
            import traceback

            said = (
                "raised",
                f"{type(error).__name__}: {error}"[:300]
                + " | "
                + "".join(traceback.format_tb(error.__traceback__)[-3:]),
            )
        pipe.send((*said, _peak() - before))


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


class Reader:
    """The child, started anew when it is gone."""

    def __init__(
        self,
        task: Callable[[str, Path], None] = seeds.read,
        *,
        seconds: float = SECONDS,
        memory: int = MEMORY,
        warm_up: Callable[[], None] = seeds.warm_up,
    ) -> None:
        """warm_up : what the child does before it is measured: import what the task needs."""
        self._task, self._seconds, self._memory, self._warm_up = task, seconds, memory, warm_up
        self._process: multiprocessing.process.BaseProcess | None = None

    def read(self, kind: str, path: Path) -> tuple[str, str, int]:
        """Outcome, what was said, bytes of memory at the peak."""
        if self._process is None or not self._process.is_alive():
            self._start()
        assert self._process is not None
        try:
            self._pipe.send((kind, path))
            if self._hangs():
                self.stop()
                return "hung", f"more than {self._seconds:.0f} s", 0
            self._fresh = False
            found: tuple[str, str, int] = self._pipe.recv()
            return found
        except (EOFError, OSError):
            self._process.join(10)
            code = self._process.exitcode
            self.stop()
            return "died" if kind != "dcxsession" else "died in the program", f"exit code {code}", 0

    def _hangs(self) -> bool:
        """Waits for the answer.

        The limit is of computing time, or ten times as much of waiting: other programs may have the
        processors.
        """
        assert self._process is not None
        # the first file also waits for the imports
        watched, limit = (
            psutil.Process(self._process.pid),
            self._seconds + (60 if self._fresh else 0),
        )
        used, began = sum(watched.cpu_times()[:2]), time.monotonic()
        while not self._pipe.poll(min(1.0, self._seconds)):
            with contextlib.suppress(psutil.Error):  # it may be dying: then the pipe tells
                if sum(watched.cpu_times()[:2]) - used > limit:
                    return True
            if time.monotonic() - began > 10 * limit:
                return True
        return False

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=child, args=(theirs, self._task, self._memory, self._warm_up), daemon=True
        )
        self._process.start()
        theirs.close()
        self._fresh = True

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


def fuzz(
    reader: Reader,
    found: dict[str, list[Path]],
    folder: Path,
    seed: int,
    *,
    seconds: float = 0.0,
    count: int = 0,
    keep: Path | None = None,
) -> Tally:
    """``count`` files of each kind, or as many as fit into ``seconds``, the kinds in turn."""
    tally, ends, number = Tally(), time.monotonic() + seconds, 0
    kinds = [kind for kind, paths in found.items() if paths]
    while kinds and (number < count * len(kinds) if count else time.monotonic() < ends):
        kind = kinds[number % len(kinds)]
        draw = random.Random(f"{seed}-{number}")
        path = mutate.mutate(kind, draw.choice(found[kind]), folder / "mutated", draw)
        began = time.monotonic()
        outcome, said, memory = reader.read(kind, path)
        took = time.monotonic() - began
        tally.outcomes[kind, outcome] += 1
        if number >= len(kinds):  # the first ones also import
            tally.slowest[kind] = max(tally.slowest.get(kind, 0.0), took)
        tally.memory[kind] = max(tally.memory.get(kind, 0), memory)
        if outcome not in ALLOWED or (outcome == "died" and keep):
            kept = (
                keep or folder / "faults"
            ) / f"{outcome.replace(' ', '-')}-{kind}-{seed}-{number}{path.suffix}"
            kept.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if path.is_dir() else shutil.copy)(path, kept)
            if outcome not in ALLOWED:
                tally.faults.append((kind, outcome, said, kept))
                print(f"FAULT {kind} {outcome}: {said}\n  {kept}", flush=True)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        number += 1
    return tally


def main() -> int:
    cli = argparse.ArgumentParser(description="Reads damaged files and counts how that goes.")
    cli.add_argument("--seconds", type=float, default=60)
    cli.add_argument("--seed", type=int, default=int(time.time()))
    cli.add_argument("--kinds", nargs="*", choices=seeds.KINDS, default=list(seeds.KINDS))
    cli.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-faults")
    options = cli.parse_args()
    shared = os.environ.get("DECONOMIX_GUI_SHARED")
    reader = Reader()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        found = {
            k: v
            for k, v in seeds.make(home, Path(shared) if shared else None).items()
            if k in options.kinds
        }
        try:
            tally = fuzz(
                reader, found, home, options.seed, seconds=options.seconds, keep=options.keep
            )
        finally:
            reader.stop()
    print(f"seed {options.seed}, {options.seconds:.0f} s")
    for kind in found:
        mine = {outcome: n for (k, outcome), n in sorted(tally.outcomes.items()) if k == kind}
        print(
            f"  {kind:<12}{sum(mine.values()):>7}  {mine}  slowest {tally.slowest.get(kind, 0):.1f}"
            f" s, memory {tally.memory.get(kind, 0) / 1e6:.0f} MB"
        )
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
