"""The same cells in every layout that loompy, scanpy, Seurat and SeuratDisk write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy import sparse

N_CELLS, N_GENES = 60, 40
GENES = [f"GENE{i}" for i in range(N_GENES)]
IDS = [f"ENSG{i:011}" for i in range(N_GENES)]
CELLS = [f"AAC{i}-1" for i in range(N_CELLS)]
TYPES = ["T cell", "B cell", "Mono α/β & co"] * (N_CELLS // 3)
_RANDOM = np.random.default_rng(7)
COUNTS = _RANDOM.poisson(0.4, (N_CELLS, N_GENES)).astype(np.float32)
COUNTS[:, 0] = 1 + np.arange(N_CELLS)
LOGS = np.log1p(COUNTS)
OTHER = 1000.0 + _RANDOM.integers(0, 9, (N_CELLS, 5)).astype(np.float32)
"""Counts of antibodies, which must not come in."""


def anndata_of_cells() -> anndata.AnnData:
    obs = pd.DataFrame({"cell_type": pd.Categorical(TYPES), "n": range(N_CELLS)}, index=CELLS)
    var = pd.DataFrame({"gene_ids": IDS}, index=GENES)
    return anndata.AnnData(sparse.csr_matrix(COUNTS), obs=obs, var=var)


def loom_2(path: Path) -> Path:
    """loompy 2: ASCII text with entities, the version as attribute of the file."""
    with h5py.File(path, "w") as file:
        file.attrs["LOOM_SPEC_VERSION"] = "2.0.1"
        file.attrs["CreationDate"] = "20190101T000000"
        options: dict[str, Any] = {"chunks": (16, 16), "compression": "gzip", "shuffle": True}
        file.create_dataset("matrix", data=COUNTS.T, **options)
        for group in ("layers", "row_attrs", "col_attrs", "row_graphs", "col_graphs"):
            file.create_group(group)
        file.create_dataset("layers/spliced", data=COUNTS.T, **options)
        ascii_of = lambda values: np.array([v.encode("ascii", "xmlcharrefreplace") for v in values])  # noqa: E731
        file["row_attrs/Accession"], file["row_attrs/Gene"] = ascii_of(IDS), ascii_of(GENES)
        file["col_attrs/CellID"] = ascii_of(CELLS)
        file["col_attrs/CellType"] = ascii_of([v.replace("&", "&amp;") for v in TYPES])
        file["col_attrs/_X"] = np.arange(N_CELLS) / 7
        file["col_attrs/PCA"] = np.ones((N_CELLS, 3))
    return path


def loom_3(path: Path) -> Path:
    """loompy 3, as scanpy's write_loom calls the names: UTF-8, attributes in a group, integers."""
    text = h5py.string_dtype("utf-8")
    with h5py.File(path, "w") as file:
        for key, value in {"LOOM_SPEC_VERSION": "3.0.0", "CreationDate": "20240101"}.items():
            file.create_dataset(f"attrs/{key}", data=value, dtype=text)
        file.create_dataset("matrix", data=COUNTS.T.astype(np.int32), chunks=(1, N_CELLS))
        file.create_group("layers")
        file.create_dataset("row_attrs/var_names", data=GENES, dtype=text)
        file.create_dataset("row_attrs/gene_ids", data=IDS, dtype=text)
        file.create_dataset("col_attrs/obs_names", data=CELLS, dtype=text)
        file.create_dataset("col_attrs/cell_type", data=TYPES, dtype=text)
        file["col_attrs/n"] = np.arange(N_CELLS)
    return path


def loom_of_seurat(path: Path) -> Path:
    """as.loom of an object of Seurat: /matrix holds logarithms, the counts are a layer, a factor
    is an enumerated type, a contiguous array.
    """
    with h5py.File(path, "w") as file:
        file.attrs["LOOM_SPEC_VERSION"] = np.array(["3.0.0"], dtype=h5py.string_dtype())
        file["matrix"] = LOGS.T.astype(np.float64)
        file["layers/counts"] = COUNTS.T.astype(np.float64)
        file["row_attrs/Gene"] = np.array(GENES, dtype=object)
        file["col_attrs/CellID"] = np.array(CELLS, dtype=object)
        levels = {name: at + 1 for at, name in enumerate(sorted(set(TYPES)))}
        factor = h5py.enum_dtype(levels, basetype="i4")
        file["col_attrs/cell_type"] = np.array([levels[t] for t in TYPES], dtype=factor)
    return path


def dgc_matrix(group: h5py.Group, key: str, cells_by_genes: np.ndarray) -> None:
    """As SeuratDisk writes a dgCMatrix of genes x cells."""
    found = sparse.csc_matrix(cells_by_genes.T)
    place = group.create_group(key)
    place["data"], place["indices"], place["indptr"] = found.data, found.indices, found.indptr
    place.attrs["dims"] = np.array(found.shape, dtype=np.int32)


def h5seurat_4(path: Path) -> Path:
    """Seurat 4 with antibodies and SCT: metadata as a group with factors, ADT active."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"project": "P", "active.assay": "ADT", "version": "4.0.2"})
        file["cell.names"] = np.array(CELLS, dtype=object)
        for key, values in {"RNA": COUNTS, "ADT": OTHER, "SCT": COUNTS[:, ::-1]}.items():
            assay = file.create_group(f"assays/{key}")
            assay.attrs["key"] = f"{key.lower()}_"
            names = GENES if key != "ADT" else [f"CD{i}" for i in range(5)]
            assay["features"] = np.array(names, dtype=object)
            dgc_matrix(assay, "counts", values)
            dgc_matrix(assay, "data", np.log1p(values))
            assay["scale.data"] = np.zeros((N_CELLS, 3))
        meta = file.create_group("meta.data")
        meta.attrs["colnames"] = np.array(["orig.ident", "cell_type", "ok", "n"], dtype=object)
        meta.attrs["logicals"] = np.array(["ok"], dtype=object)
        levels = sorted(set(TYPES))
        meta["cell_type/levels"] = np.array(levels, dtype=object)
        codes = [levels.index(t) + 1 for t in TYPES]
        meta["cell_type/values"] = np.array([*codes[:-1], -(2**31)], dtype=np.int32)
        meta["orig.ident/levels"] = np.array(["P"], dtype=object)
        meta["orig.ident/values"] = np.ones(N_CELLS, dtype=np.int32)
        meta["ok"], meta["n"] = np.arange(N_CELLS) % 3, np.arange(N_CELLS)
        for group in ("reductions", "graphs", "images", "misc", "tools", "commands"):
            file.create_group(group)
    return path


def h5seurat_3(path: Path) -> Path:
    """Seurat 3 without factors: metadata as a compound array; counts were never set (0 x 0), data
    are TPM as a dense matrix.
    """
    with h5py.File(path, "w") as file:
        file.attrs.update({"project": "P", "active.assay": "RNA", "version": "3.1.5"})
        file["cell.names"] = np.array(CELLS, dtype=object)
        assay = file.create_group("assays/RNA")
        assay["features"] = np.array(GENES, dtype=object)
        dgc_matrix(assay, "counts", np.zeros((0, 0), dtype=np.float64))
        assay["data"] = COUNTS.astype(np.float64)  # R's genes x cells lies transposed
        text = h5py.string_dtype("utf-8")
        table = np.empty(N_CELLS, dtype=[("cell_type", text), ("nCount_RNA", "f8")])
        table["cell_type"], table["nCount_RNA"] = TYPES, COUNTS.sum(axis=1)
        file["meta.data"] = table
        features = assay.create_group("meta.features")
        features["gene_ids"] = np.array(IDS, dtype=object)
    return path


def h5seurat_5(path: Path) -> Path:
    """Seurat 5: the matrices lie in layers."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"project": "P", "active.assay": "RNA", "version": "5.0.1"})
        file["cell.names"] = np.array(CELLS, dtype=object)
        assay = file.create_group("assays/RNA")
        assay["features"] = np.array(GENES, dtype=object)
        layers = assay.create_group("layers")
        dgc_matrix(layers, "counts", COUNTS)
        dgc_matrix(layers, "data", LOGS)
        file.create_group("meta.data")["cell_type"] = np.array(TYPES, dtype=object)
    return path
