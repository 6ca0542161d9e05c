"""Opening a large .h5ad (2 GB: 20 000 genes x 100 000 cells, sparse) and choosing 3000 of its
cells, beside anndata.read_h5ad; each in a fresh process.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

GENES, CELLS, QUICK_CELLS, TYPES, CHOSEN = 20_000, 100_000, 5_000, 20, 3_000
_BLOCK = 1_000
_PEAK = """
import resource
from pathlib import Path
used = resource.getrusage(resource.RUSAGE_SELF)
status = Path("/proc/self/status")  # ru_maxrss begins with that of the parent
peak = status.read_text().split("VmHWM:")[1].split()[0] if status.exists() else used.ru_maxrss
print(int(peak) / 1e3 * 1.024, used.ru_utime + used.ru_stime)
"""
_CHOICE = f"FileChoice(path=path, cells=CellChoice(per_label={CHOSEN // TYPES}))"
_WAYS = {
    "imports alone": "import anndata, gui.data.load",
    "look at it (inspect_file)": (
        "from gui.data.load import inspect_file; inspect_file(path, 'train')"
    ),
    f"read {CHOSEN} cells": (
        "from gui.data.load import *; from gui.data.readers.read import read_all;"
        " assert read_all({'train':"
        f" {_CHOICE}}})[0]['train'].matrix.n_columns == {CHOSEN}"
    ),
    f"load {CHOSEN} cells (checked, split)": (
        f"from gui.data.load import *; load_dataset(LoadRequest(files={{'train': {_CHOICE}}}))"
    ),
    "read all cells": (
        "from gui.data.load import *; from gui.data.readers.read import read_all;"
        " read_all({'train': FileChoice(path=path)})"
    ),
    "anndata.read_h5ad": "import anndata; anndata.read_h5ad(path)",
    f"anndata.read_h5ad, then {CHOSEN} cells": (
        "import anndata, numpy; anndata.read_h5ad(path)[numpy.arange(0, {cells}, {cells} //"
        f" {CHOSEN})].copy()"
    ),
}


def write(path: Path, cells: int) -> None:
    """Counts of 20 types, an eighth of them filled, written in pieces."""
    import anndata
    import h5py
    import pandas as pd
    from scipy import sparse

    random = np.random.default_rng(0)
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical([f"type {i % TYPES}" for i in range(cells)])},
        index=[f"cell{i}" for i in range(cells)],
    )
    var = pd.DataFrame(index=[f"GENE{i}" for i in range(GENES)])
    anndata.AnnData(
        sparse.csr_matrix((cells, GENES), dtype=np.float32), obs=obs, var=var
    ).write_h5ad(path)
    with h5py.File(path, "a") as file:
        group = file["X"]
        for key in ("data", "indices", "indptr"):
            del group[key]
        data = group.create_dataset(
            "data", shape=(0,), maxshape=(None,), dtype=np.float32, chunks=(1 << 18,)
        )
        indices = group.create_dataset(
            "indices", shape=(0,), maxshape=(None,), dtype=np.int32, chunks=(1 << 18,)
        )
        pointer = np.zeros(cells + 1, dtype=np.int64)
        for begin in range(0, cells, _BLOCK):
            rows, columns = np.nonzero(
                np.frombuffer(random.bytes(_BLOCK * GENES), dtype=np.uint8).reshape(_BLOCK, GENES)
                < 32
            )
            pointer[begin + 1 : begin + _BLOCK + 1] = pointer[begin] + np.cumsum(
                np.bincount(rows, minlength=_BLOCK)
            )
            end = int(pointer[begin + _BLOCK])
            for item, values in (
                (data, 1 + (columns + rows) % (3 + rows % TYPES)),
                (indices, columns),
            ):
                item.resize((end,))
                item[int(pointer[begin]) : end] = values
        group["indptr"] = pointer


def bench(quick: bool) -> Iterator[tuple[str, float, str]]:
    cells = QUICK_CELLS if quick else CELLS
    folder = Path(tempfile.mkdtemp(prefix="bench-open-"))
    try:
        if shutil.disk_usage(folder).free < 5e9:
            raise OSError(f"{folder} has less than 5 GB free")
        path = folder / "large.h5ad"
        began = time.perf_counter()
        write(path, cells)
        yield (
            f"write {GENES} genes x {cells} cells",
            time.perf_counter() - began,
            f"{path.stat().st_size / 1e9:.2f} GB on disk",
        )
        from gui.data.load import inspect_file

        said = inspect_file(path, "train").forecast
        if said is not None:
            some = (
                f"{said.cells_bytes / 1e9:.2f} GB for at most {said.cells.per_label} of each type"
                if said.cells
                else "nothing smaller is proposed"
            )
            yield "forecast for all of it", said.seconds, f"{said.bytes / 1e9:.2f} GB; {some}"
        for what, code in _WAYS.items():
            began = time.perf_counter()
            script = (
                "from pathlib import Path; path ="
                f" Path({str(path)!r})\n{code.replace('{cells}', str(cells))}\n{_PEAK}"
            )
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", script],
                check=True,
                capture_output=True,
                text=True,
            )
            peak, busy = map(float, done.stdout.split())
            yield (
                what,
                time.perf_counter() - began,
                f"{peak:.0f} MB at the peak, {busy:.1f} s of computing",
            )
    finally:
        shutil.rmtree(folder)
