"""Sessions on disk beside the predecessor's way (a pickle of the same content, written through to
the disk): time, memory, ratios.

Every measurement is a process of its own. Seconds are the median of the repetitions, the remark
says how far they spread; memory is the largest resident size while it was measured. The session
holds sparse training cells of the size said, and six runs.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from scipy import sparse

from gui.data.dataset import Bulk, Cells, Dataset, Matrix
from gui.engine.params import ADTDParams, DTDParams
from gui.engine.results import ADTDResult, DTDResult, Provenance, Run
from gui.sessions import file
from gui.sessions.lazy import Origin, materialise
from gui.sessions.snapshot import Snapshot

ID, NOW = "20261122#120000#07c2e7ed", datetime(2026, 11, 22, tzinfo=UTC)
LISTED = 200
GENES, TYPES, SAMPLES = 12_000, 15, 100
PAIRS = {  # what -> ours, theirs
    "full save": ("full", "pickle-full"),
    "save after one new ADTD run": ("again", "pickle-again"),
    "load, everything": ("eager", "pickle-load"),
    "load, matrices when needed": ("lazy", "pickle-load"),
    f"list of {LISTED}": ("list", "pickle-list"),
}


def bench(quick: bool) -> Iterator[tuple[str, float, str]]:
    repetitions = 3
    for size in (50,) if quick else (50, 500):
        with tempfile.TemporaryDirectory(prefix="bench-sessions-") as folder:
            measure(folder, "make", size)
            done: dict[str, list[dict[str, float]]] = {}
            for what, (ours, theirs) in PAIRS.items():
                for action in (ours, theirs):
                    if action not in done:
                        done[action] = [measure(folder, action, size) for _ in range(repetitions)]
                        for written in Path(folder).glob("tried-*"):
                            written.unlink()
                yield (
                    f"{size} MB: {what}",
                    _median(done[ours], "seconds"),
                    _remark(done[ours], done[theirs]),
                )
            ours_size, theirs_size = (
                (Path(folder) / name).stat().st_size / 1e6 for name in ("a.dcxsession", "a.pickle")
            )
            yield (
                f"{size} MB: size of the file",
                0.0,
                f"{ours_size:.0f} MB   pickle {theirs_size:.0f} MB",
            )


def _median(found: list[dict[str, float]], key: str) -> float:
    return statistics.median(one[key] for one in found)


def _remark(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> str:
    spread = [
        f"{min(x['seconds'] for x in found):.3f}-{max(x['seconds'] for x in found):.3f}"
        for found in (ours, theirs)
    ]
    mine, other = _median(ours, "seconds"), _median(theirs, "seconds")
    memory = f"{_median(ours, 'peak'):5.0f} MB, pickle {_median(theirs, 'peak'):5.0f} MB"
    scaled = (
        f"   (pickle: {theirs[0]['scaled']:.0f} read, times {LISTED / theirs[0]['scaled']:.0f})"
        if theirs[0].get("scaled", LISTED) < LISTED
        else ""
    )
    return (
        f"({spread[0]})   pickle {other:8.3f} s ({spread[1]})   x {mine / other:6.3f}   peak"
        f" {memory}{scaled}"
    )


def measure(folder: str, action: str, size: int) -> dict[str, float]:
    """One action in a new process."""
    command = [sys.executable, __file__, folder, action, str(size)]
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        command, cwd=root, env=environment, check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout))


# -- in the child
# --------------------------------------------------------------------------------------------------


def timed(action: Callable[[], Any]) -> dict[str, float]:
    """Seconds, and the largest resident size in MB, of one action."""
    process, going, peak = psutil.Process(), threading.Event(), [0]

    def sample() -> None:
        while not going.wait(0.002):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=sample)
    watcher.start()
    began = time.perf_counter()
    kept = action()
    seconds = time.perf_counter() - began
    peak[0] = max(peak[0], process.memory_info().rss)
    going.set()
    watcher.join()
    del kept
    return {"seconds": seconds, "peak": peak[0] / 1e6}


def child(folder: Path, action: str, size: int) -> dict[str, float]:
    path, pickled = folder / "a.dcxsession", folder / "a.pickle"
    if action == "make":
        snapshot = make(size)
        file.save(path, snapshot, expected_generation=None)
        dump(pickled, snapshot)
        (folder / "list").mkdir()
        for k in range(LISTED):  # one file under 200 names: only what is read of each counts
            for source in (path, pickled):
                os.link(source, folder / "list" / f"{k}{source.suffix}")
        return {}
    if action == "full":
        snapshot = unpickled(pickled)
        return timed(
            lambda: file.save(
                folder / f"tried-{os.getpid()}.dcxsession", snapshot, expected_generation=None
            )
        )
    if action == "pickle-full":
        snapshot = unpickled(pickled)
        return timed(lambda: dump(folder / f"tried-{os.getpid()}.pickle", snapshot))
    if action == "again":  # as in the program: opened, the data were used, a run was added
        target = folder / f"tried-{os.getpid()}.dcxsession"
        target.write_bytes(path.read_bytes())
        snapshot = with_another_run(materialise(file.load(target, origin=Origin(target))))
        return timed(lambda: file.save(target, snapshot, expected_generation=1))
    if action == "pickle-again":
        snapshot = with_another_run(unpickled(pickled))
        return timed(lambda: dump(folder / f"tried-{os.getpid()}.pickle", snapshot))
    if action == "eager":
        return timed(lambda: file.load(path))
    if action == "lazy":
        return timed(lambda: file.load(path, origin=Origin(path)))
    if action == "pickle-load":
        return timed(lambda: unpickled(pickled))
    return listed(folder, action, size)


def listed(folder: Path, action: str, size: int) -> dict[str, float]:
    """A list of many sessions, with their names."""
    names = sorted((folder / "list").iterdir())
    if action == "list":
        return timed(lambda: [file.read_header(p) for p in names if p.suffix == ".dcxsession"])
    count = LISTED if size <= 50 else 10
    some = [p for p in names if p.suffix == ".pickle"][:count]
    # a pickle tells its name only when all of it is read
    found = timed(lambda: [unpickled(p).name for p in some])
    return {"seconds": found["seconds"] * LISTED / count, "peak": found["peak"], "scaled": count}


def dump(path: Path, snapshot: Snapshot) -> None:
    """The predecessor's way, and on disk when it returns, as ours is."""
    with path.open("wb") as opened:
        pickle.dump(snapshot, opened, protocol=pickle.HIGHEST_PROTOCOL)
        opened.flush()
        os.fsync(opened.fileno())


def unpickled(path: Path) -> Snapshot:
    with path.open("rb") as opened:
        found = pickle.load(opened)  # noqa: S301 - the predecessor's way is what is compared with; the file is our own, written a moment ago
    assert isinstance(found, Snapshot)
    return found


def make(size: int) -> Snapshot:
    """Counts of ``size`` MB as the program holds them (sparse, float32), a bulk, one DTD run and
    five ADTD runs.
    """
    random = np.random.default_rng(0)
    cells = size * 50
    per = size * 1_000_000 // 8 // cells
    step = GENES // per
    rows = (np.arange(per) * step + random.integers(0, step, (cells, per))).astype(np.int32).ravel()
    counts = (1 + random.poisson(1.0, len(rows))).astype(np.float32)
    values = sparse.csc_matrix(
        (counts, rows, np.arange(cells + 1, dtype=np.int32) * per), shape=(GENES, cells)
    )
    genes, barcodes = (
        pd.Index([f"ENSG{k:011d}" for k in range(GENES)]),
        pd.Index([f"{k:016d}-1" for k in range(cells)]),
    )
    types, samples = (
        pd.Index([f"Cell type {k}" for k in range(TYPES)]),
        pd.Index([f"sample {k}" for k in range(SAMPLES)]),
    )
    train = Cells(
        Matrix(values, genes, barcodes),
        np.resize(types.to_numpy(), cells),
        pd.DataFrame(index=barcodes),
    )
    bulk = Bulk(
        Matrix(random.random((GENES, SAMPLES)), genes, samples), pd.DataFrame(index=samples)
    )
    data = Dataset(
        train, None, Matrix(random.random((GENES, TYPES)), genes, types), bulk, name="bench"
    )
    used = genes[:1000]
    x = pd.DataFrame(random.random((1000, TYPES)), used, types)
    shares = pd.DataFrame(random.random((TYPES, 1000)), types)
    weights, loss, empty = pd.Series(random.random(1000), used), random.random(1000), pd.DataFrame()
    composition = {
        "train": shares,
        "test": shares,
        "bulk": shares.iloc[:, :SAMPLES].set_axis(samples, axis=1),
    }
    correlation = pd.DataFrame(random.random((1000, TYPES)), columns=types)
    dtd = DTDResult(
        x,
        weights,
        loss,
        correlation,
        composition,
        composition,
        {"train": shares, "test": shares},
        empty,
        1e4,
        (),
        DTDParams(),
    )
    made = Provenance(data.training_id, data.bulk_id)
    runs = (Run("d", "dtd", "DTD", NOW, DTDParams(), dtd, made), *(adtd(data, k) for k in range(5)))
    return Snapshot(ID, "bench", NOW, NOW, 1, data, runs)


def adtd(data: Dataset, seed: int) -> Run:
    """A run of the size that one on 1000 genes has."""
    assert data.bulk is not None
    random = np.random.default_rng(seed + 1)
    genes, samples, types = (
        data.bulk.matrix.genes[:1000],
        data.bulk.matrix.columns,
        pd.Index(data.types),
    )
    x = pd.DataFrame(random.random((1000, TYPES)), genes, types)
    by_gene, hidden = (
        pd.Series(random.random(1000), genes),
        pd.Series(random.random(SAMPLES), samples),
    )
    shares = pd.DataFrame(random.random((TYPES, SAMPLES)), types, samples)
    result = ADTDResult(shares, hidden, by_gene, x, by_gene, x, random.random(1000))
    return Run(
        f"a{seed}",
        "adtd",
        "ADTD",
        NOW,
        ADTDParams(),
        result,
        Provenance(data.training_id, data.bulk_id, {"dtd": "d"}),
    )


def with_another_run(snapshot: Snapshot) -> Snapshot:
    assert snapshot.dataset is not None
    return dataclasses.replace(
        snapshot, runs=(*snapshot.runs, adtd(snapshot.dataset, len(snapshot.runs)))
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(child(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
