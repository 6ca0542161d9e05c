"""Small whole files of every kind, to be mutated: kind -> name -> path.

And a task per kind that reads one such file completely.
"""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import numpy as np

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
KINDS = ("h5ad", "cells", "rds", "table", "xlsx", "mtx", "tenx", "dcx", "dcxsession")


def make(folder: Path, shared: Path | None = None) -> dict[str, list[Path]]:
    """Write the files; shared : the folder of shared data (the .dcx files of the predecessor lie
    there).
    """
    import anndata
    import h5py
    import pandas as pd
    from openpyxl import Workbook
    from scipy import io, sparse

    from tests.data import cell_formats
    from tests.data.r_objects import dgc_matrix, matrix, saved

    random = np.random.default_rng(0)
    counts = random.poisson(1.5, (24, 15)).astype(np.float32)  # cells x genes
    genes, cells = [f"GENE{i}" for i in range(15)], [f"cell{i}-1" for i in range(24)]
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical(list("ABC") * 8), "n": range(24), "donor": list("xy") * 12},
        index=cells,
    )
    found: dict[str, list[Path]] = {kind: [] for kind in KINDS}

    def path(kind: str, name: str) -> Path:
        found[kind].append(folder / name)
        return folder / name

    for name, values in {
        "csr": sparse.csr_matrix(counts),
        "csc": sparse.csc_matrix(counts.astype(np.int64)),
        "dense": counts,
    }.items():
        data = anndata.AnnData(
            values, obs=obs, var=pd.DataFrame({"feature_name": genes}, index=genes)
        )
        data.layers["counts"] = values
        if name == "csr":
            data.raw = data.copy()
        data.write_h5ad(path("h5ad", f"{name}.h5ad"), compression="gzip" if name == "csc" else None)
    cell_formats.loom_2(path("cells", "two.loom"))
    cell_formats.loom_3(path("cells", "three.loom"))
    cell_formats.h5seurat_4(path("cells", "four.h5Seurat"))
    saved(path("rds", "dense.rds"), matrix(counts.T.astype(float), genes, cells), bytes)
    saved(path("rds", "sparse.rds"), dgc_matrix(counts.T, genes, cells), bytes)
    rows: list[list[Any]] = [
        ["gene", *cells],
        *([g, *map(float, counts[:, i])] for i, g in enumerate(genes)),
    ]
    for name, delimiter, encoding in (
        ("comma.csv", ",", "utf-8"),
        ("tab.tsv", "\t", "utf-16"),
        ("semicolon.csv", ";", "latin-1"),
    ):
        text = "\n".join(delimiter.join(map(str, row)) for row in rows)
        path("table", name).write_bytes(
            (text.replace(".", ",") if delimiter == ";" else text).encode(encoding)
        )
    path("table", "quoted.csv.gz").write_bytes(
        gzip.compress("\n".join(",".join(f'"{v}"' for v in row) for row in rows).encode())
    )
    path("table", "t.gct").write_text(
        "#1.2\n15\t24\n" + "\n".join("\t".join([str(r[0]), "d", *map(str, r[1:])]) for r in rows)
    )
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.create_sheet("Empty")
    book.save(path("xlsx", "book.xlsx"))
    for version, end in ((3, ".gz"), (2, "")):
        home = path("mtx", f"v{version}")
        home.mkdir()
        io.mmwrite(home / "matrix.mtx", sparse.csc_matrix(counts.T.astype(int)), field="integer")
        (home / "barcodes.tsv").write_text("\n".join(cells))
        (home / ("features.tsv" if version == 3 else "genes.tsv")).write_text(
            "\n".join(f"ENSG{i}\t{g}\tGene Expression" for i, g in enumerate(genes))
        )
        for each in list(home.iterdir()) if end else []:
            each.with_name(each.name + end).write_bytes(gzip.compress(each.read_bytes()))
            each.unlink()
    with h5py.File(path("tenx", "tenx.h5"), "w") as file:
        stored, group = sparse.csc_matrix(counts.T.astype(np.int32)), file.create_group("matrix")
        for key in ("data", "indices", "indptr"):
            group.create_dataset(key, data=getattr(stored, key), compression="gzip")
        group["shape"], group["barcodes"] = np.array(stored.shape), np.array(cells, dtype="S")
        group["features/id"] = group["features/name"] = np.array(genes, dtype="S")
        group["features/feature_type"] = np.array(["Gene Expression"] * 15, dtype="S")
    found["dcx"] = (
        sorted((shared / "data" / "predecessor").glob("*.dcx"), key=lambda p: p.stat().st_size)[:4]
        if shared
        else []
    )
    for each in sorted(FIXTURES.glob("session-1.1*.dcxsession")):
        shutil.copy(each, path("dcxsession", each.name))
    return found


def read(kind: str, path: Path) -> None:
    """Everything the program does with such a file on loading. DataError, SessionError."""
    if kind == "dcxsession":
        from gui.sessions.file import load, read_header
        from gui.sessions.lazy import materialise

        read_header(path)
        materialise(load(path))
        return
    from gui.data.readers.inspection import inspect_file
    from gui.data.readers.options import CellChoice, FileChoice
    from gui.data.readers.read import read_all
    from gui.data.readers.watchdog import watched

    with watched([path]):  # as the tasks of the reading process do
        inspect_file(path, "train")
        read_all(
            {"bulk": FileChoice(path=path)} if kind != "dcx" else {"train": FileChoice(path=path)}
        )
        if kind in ("h5ad", "cells", "mtx", "tenx"):
            read_all({"train": FileChoice(path=path, cells=CellChoice(per_label=2), keep_obs=())})


def warm_up() -> None:
    """Import what reading needs, so that it counts neither as time nor as memory of the first
    file.
    """
    import anndata  # noqa: F401
    import openpyxl  # noqa: F401
    import rdata  # noqa: F401

    import gui.data.readers.read
    import gui.sessions.file  # noqa: F401
