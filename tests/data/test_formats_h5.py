"""AnnData, MuData and other HDF5 files as Seurat, CELLxGENE and muon hand them over."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Role
from gui.data.readers import h5file
from gui.data.readers.inspection import inspect_file
from gui.data.readers.options import FileChoice
from gui.data.readers.part import Part
from gui.data.readers.read import read_all
from gui.errors import DataError, UnreadableFile

GENES = [f"GENE{i}" for i in range(12)]
IDS = [f"ENSG{i:011}" for i in range(12)]
CELLS = [f"AAC{i}-1" for i in range(8)]
COUNTS = np.random.default_rng(2).integers(1, 90, (8, 12)).astype(np.float32)
TYPES = ["T", "B"] * 4


def data(counts: np.ndarray = COUNTS, obs: Any = None, var: Any = None) -> anndata.AnnData:
    obs = pd.DataFrame({"cell_type": TYPES} if obs is None else obs, index=CELLS)
    names = GENES if counts.shape[1] == len(GENES) else [f"F{i}" for i in range(counts.shape[1])]
    return anndata.AnnData(counts, obs=obs, var=pd.DataFrame(index=names) if var is None else var)


def part_of(path: Path, role: Role = "train", **choice: Any) -> Part:
    return read_all({role: FileChoice(path=path, **choice)})[0][role]


def dense(part: Part) -> np.ndarray:
    values = part.matrix.values
    return np.asarray(values if isinstance(values, np.ndarray) else values.toarray())


@pytest.mark.parametrize("column", ["feature_types", "modality"])
@pytest.mark.parametrize("kind", ["Antibody Capture", "Peaks", "CRISPR Guide Capture"])
def test_features_that_are_no_genes_are_left_out_and_said(
    column: str, kind: str, tmp_path: Path
) -> None:
    kinds = ["Gene Expression"] * 9 + [kind] * 3
    made = data(var=pd.DataFrame({column: pd.Categorical(kinds)}, index=GENES))
    made.write_h5ad(tmp_path / "cite.h5ad")
    part = part_of(tmp_path / "cite.h5ad")
    assert list(part.matrix.genes) == GENES[:9]
    np.testing.assert_array_equal(dense(part), COUNTS.T[:9])
    assert f"3 features that are no genes ({kind})" in part.traits["features-left-out"]
    assert part.var is not None
    assert len(part.var) == 9


def test_features_are_left_out_of_raw_as_well_where_only_var_tells_them(tmp_path: Path) -> None:
    made = data(np.log1p(COUNTS))
    made.raw = data()
    kinds = ["Gene Expression"] * 10 + ["Antibody Capture"] * 2
    made.var["feature_types"] = kinds
    made.write_h5ad(tmp_path / "c.h5ad")
    part = part_of(tmp_path / "c.h5ad", matrix="raw")
    assert list(part.matrix.genes) == GENES[:10]


def test_a_column_of_biotypes_leaves_nothing_out(tmp_path: Path) -> None:
    made = data(var=pd.DataFrame({"feature_type": ["protein_coding", "lncRNA"] * 6}, index=GENES))
    made.write_h5ad(tmp_path / "c.h5ad")
    part = part_of(tmp_path / "c.h5ad")
    assert part.matrix.n_genes == 12
    assert "features-left-out" not in part.traits


@pytest.mark.parametrize("more", [0, 3])
def test_symbols_that_only_var_has_are_beside_the_ids_of_raw(more: int, tmp_path: Path) -> None:
    symbols = pd.DataFrame({"feature_name": GENES[: 12 - more]}, index=IDS[: 12 - more])
    made = data(np.log1p(COUNTS[:, : 12 - more]), var=symbols)
    made.raw = data(var=pd.DataFrame(index=IDS))
    made.write_h5ad(tmp_path / "c.h5ad")
    part = part_of(tmp_path / "c.h5ad")
    assert list(part.matrix.genes) == IDS
    assert part.var is not None
    assert list(part.var["feature_name"]) == GENES[: 12 - more] + [""] * more


def test_ids_of_raw_find_the_symbols_in_the_index_of_var(tmp_path: Path) -> None:
    made = data(np.log1p(COUNTS), var=pd.DataFrame({"gene_ids": IDS}, index=GENES))
    made.raw = data(var=pd.DataFrame(index=IDS))
    made.write_h5ad(tmp_path / "c.h5ad")
    part = part_of(tmp_path / "c.h5ad")
    assert part.var is not None
    assert list(part.var["gene_symbol"]) == GENES


@pytest.mark.parametrize(
    ("obs", "chosen"),
    [
        ({"cell_type": [0, 1] * 4, "cell_type_chr": TYPES}, "cell_type_chr"),
        ({"leiden": ["0", "1"] * 4, "CellType_final": TYPES}, "CellType_final"),
        ({"seurat_clusters": [0, 1] * 4, "annotation_L1": TYPES}, "annotation_L1"),
        ({"louvain": ["0", "1"] * 4, "predicted.celltype.l2": TYPES}, "predicted.celltype.l2"),
        ({"predicted.id.score": [0.5] * 8, "celltype.l3": TYPES}, "celltype.l3"),
    ],
)
def test_names_of_types_come_before_codes_and_clusters(
    obs: dict[str, list[object]], chosen: str, tmp_path: Path
) -> None:
    data(obs=obs).write_h5ad(tmp_path / "c.h5ad")
    part = part_of(tmp_path / "c.h5ad")
    assert part.source.options["label_column"] == chosen
    assert list(part.labels) == TYPES


def muon(path: Path, **parts: anndata.AnnData) -> Path:
    """As mudata writes it: every part is a group of its own."""
    with h5py.File(path, "w") as file:
        file.attrs["encoding-type"] = "MuData"
        for key, value in parts.items():
            anndata.io.write_elem(file, f"mod/{key}", value)
        anndata.io.write_elem(file, "obs", pd.DataFrame(index=CELLS))
        anndata.io.write_elem(file, "var", pd.DataFrame(index=GENES))
    return path


@pytest.mark.parametrize("name", ["rna", "GEX", "scRNA"])
def test_the_part_with_genes_of_a_mudata_file_is_read(name: str, tmp_path: Path) -> None:
    path = muon(tmp_path / "m.h5mu", **{name: data(), "prot": data(COUNTS[:, :3])})
    part = part_of(path)
    assert list(part.matrix.genes) == GENES
    assert list(part.labels) == TYPES
    np.testing.assert_array_equal(dense(part), COUNTS.T)
    assert inspect_file(path, "train").shape == (12, 8)


def test_a_mudata_file_without_such_a_part_is_refused_with_its_parts(tmp_path: Path) -> None:
    path = muon(tmp_path / "m.h5mu", atac=data(), prot=data(COUNTS[:, :3]))
    with pytest.raises(UnreadableFile, match="atac and prot"):
        part_of(path)


@pytest.mark.parametrize(
    ("items", "words", "way_out"),
    [
        (("assays/RNA/counts/data", "meta.data"), "h5Seurat", "SeuratDisk::Convert"),
        (("assays/ADT/counts", "meta.data", "cell.names"), "genes: there are ADT", "SaveH5Seurat"),
        (("matrix", "row_attrs/Gene", "col_attrs/CellID", "layers/x"), "loom", "read_loom"),
    ],
    ids=["h5seurat", "h5seurat-adt", "loom"],
)
def test_other_hdf5_without_its_matrix_is_named_with_its_way_out(
    items: tuple[str, ...], words: str, way_out: str, tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for item in items:
            file[item] = np.ones(3)
    with pytest.raises(DataError, match=words) as refused:
        part_of(tmp_path / "x.h5")
    assert way_out in str(refused.value.advice)
    assert "damaged" not in str(refused.value)


def test_a_compression_that_is_not_here_is_not_called_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data().write_h5ad(tmp_path / "c.h5ad", compression="lzf")
    assert part_of(tmp_path / "c.h5ad").matrix.n_genes == 12  # the control: it is read
    monkeypatch.setattr("h5py.h5z.filter_avail", lambda code: False)
    with pytest.raises(UnreadableFile, match=r"\(LZF\)") as refused:
        part_of(tmp_path / "c.h5ad")
    assert "damaged" not in str(refused.value)
    assert h5file._FILTERS[32015] == "Zstandard"


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("folder", ["", "filtered_feature_bc_matrix/"])
def test_cell_rangers_folder_in_an_archive(mode: str, folder: str, tmp_path: Path) -> None:
    entries = [(g + 1, c + 1, int(COUNTS[c, g])) for c in range(8) for g in range(12)]
    matrix = "%%MatrixMarket matrix coordinate integer general\n12 8 96\n"
    matrix += "".join(f"{g} {c} {v}\n" for g, c, v in entries)
    files = {
        f"{folder}matrix.mtx": matrix,
        f"{folder}barcodes.tsv": "\n".join(CELLS) + "\n",
        f"{folder}features.tsv": "".join(
            f"{i}\t{g}\tGene Expression\n" for i, g in zip(IDS, GENES, strict=True)
        ),
    }
    if folder:
        files["raw_feature_bc_matrix/matrix.mtx"] = matrix
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content.encode()))
    path = tmp_path / "sample.tar.gz"
    path.write_bytes(out.getvalue())
    (tmp_path / "labels.csv").write_text(
        "barcode,cell_type\n" + "".join(f"{c},{t}\n" for c, t in zip(CELLS, TYPES, strict=True))
    )
    part = part_of(path, labels=tmp_path / "labels.csv")
    assert list(part.matrix.genes) == GENES
    assert list(part.labels) == TYPES
    np.testing.assert_array_equal(dense(part), COUNTS.T)
    assert inspect_file(path, "train").shape == (12, 8)
