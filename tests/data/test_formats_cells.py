"""Single cells in loom and h5Seurat, in every layout of their writers, against the .h5ad of the same
cells.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from gui.data.dataset import Role
from gui.data.load import LoadRequest
from gui.data.readers import hdf5_matrix
from gui.data.readers.inspection import inspect_file
from gui.data.readers.options import CellChoice, FileChoice
from gui.data.readers.part import Part
from gui.data.readers.read import read_all
from gui.data.validation.examine import examine
from gui.errors import DataError, UnreadableFile, UnsafeFile
from tests.data import cell_formats as made

LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "loom-2": made.loom_2,
    "loom-3-scanpy": made.loom_3,
    "loom-seurat": made.loom_of_seurat,
    "h5seurat-4": made.h5seurat_4,
    "h5seurat-3": made.h5seurat_3,
    "h5seurat-5": made.h5seurat_5,
}
each_layout = pytest.mark.parametrize("layout", list(LAYOUTS))


def part_of(path: Path, role: Role = "train", **choice: Any) -> Part:
    return read_all({role: FileChoice(path=path, **choice)})[0][role]


def dense(part: Part) -> np.ndarray:
    values = part.matrix.values
    return np.asarray(values if isinstance(values, np.ndarray) else values.toarray())


@pytest.fixture
def h5ad(tmp_path: Path) -> Path:
    made.anndata_of_cells().write_h5ad(tmp_path / "same.h5ad")
    return tmp_path / "same.h5ad"


def written(layout: str, folder: Path) -> Path:
    return LAYOUTS[layout](folder / f"cells.{'loom' if 'loom' in layout else 'h5Seurat'}")


@each_layout
@pytest.mark.parametrize("role", ["train", "test", "bulk"])
def test_the_numbers_names_and_labels_are_those_of_the_h5ad(
    layout: str, role: Role, h5ad: Path, tmp_path: Path
) -> None:
    part, same = part_of(written(layout, tmp_path), role), part_of(h5ad, role)
    np.testing.assert_array_equal(dense(part), dense(same))
    assert list(part.matrix.genes) == list(same.matrix.genes)
    assert list(part.matrix.columns) == list(same.matrix.columns)
    if role == "bulk":
        assert part.labels is None
        return
    expected = list(made.TYPES)
    if layout == "h5seurat-4":  # R's missing value
        expected[-1] = None  # type: ignore[call-overload]
    assert list(part.labels) == expected  # type: ignore[arg-type]
    assert part.source.kind == layout.partition("-")[0]


@each_layout
def test_the_first_step_says_what_is_in_the_file(layout: str, tmp_path: Path) -> None:
    found = inspect_file(written(layout, tmp_path), "train")
    assert found.shape == (made.N_GENES, made.N_CELLS)
    assert found.label_column in ("cell_type", "CellType")
    assert found.likely[found.matrix or ""] == "counts"
    assert list(found.preview.index) == made.GENES[:8]
    np.testing.assert_array_equal(found.preview.to_numpy(), made.COUNTS.T[:8, :6])


@each_layout
def test_chosen_cells_and_genes_are_those_of_the_h5ad(
    layout: str, h5ad: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5_matrix, "PIECE", 100)
    path, bulk = written(layout, tmp_path), tmp_path / "bulk.csv"
    bulk.write_text("gene,S\n" + "".join(f"{g},1\n" for g in made.GENES[5:30:3]))
    files = {
        "train": FileChoice(path=path, only_common=True, cells=CellChoice(keep=("T cell",))),
        "test": FileChoice(path=h5ad, only_common=True, cells=CellChoice(keep=("T cell",))),
        "bulk": FileChoice(path=bulk),
    }
    parts = read_all(files)[0]  # type: ignore[arg-type]
    np.testing.assert_array_equal(dense(parts["train"]), dense(parts["test"]))
    assert (parts["train"].matrix.n_genes, parts["train"].matrix.n_columns) == (9, 20)
    assert list(parts["train"].matrix.columns) == list(parts["test"].matrix.columns)


@pytest.mark.parametrize("layout", ["loom-2", "loom-3-scanpy", "loom-seurat"])
@pytest.mark.parametrize("piece", [50, 1000])
def test_few_values_stay_sparse_and_blocks_give_the_whole(
    layout: str, piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5_matrix, "PIECE", piece)
    part = part_of(written(layout, tmp_path))
    assert not isinstance(part.matrix.values, np.ndarray)
    np.testing.assert_array_equal(dense(part), made.COUNTS.T)


def test_a_full_matrix_of_a_loom_file_is_dense(tmp_path: Path) -> None:
    path = made.loom_2(tmp_path / "c.loom")
    with h5py.File(path, "r+") as file:
        file["matrix"][...] = made.COUNTS.T + 1
    part = part_of(path)
    assert isinstance(part.matrix.values, np.ndarray)
    np.testing.assert_array_equal(part.matrix.values, made.COUNTS.T + 1)


def test_logarithms_in_a_loom_file_are_said_and_the_counts_proposed(tmp_path: Path) -> None:
    part = part_of(made.loom_of_seurat(tmp_path / "c.loom"))
    assert part.source.options["matrix"] == "layer:counts"
    assert "matrix holds no whole numbers" in part.traits["matrix-proposed"]
    logs = part_of(tmp_path / "c.loom", matrix="matrix")
    np.testing.assert_allclose(dense(logs), made.LOGS.T, rtol=1e-6)


def test_other_assays_are_left_out_and_said(tmp_path: Path) -> None:
    part = part_of(made.h5seurat_4(tmp_path / "c.h5Seurat"))
    assert list(part.matrix.genes) == made.GENES
    assert "assay RNA; left out: ADT and SCT" in part.traits["assay"]
    seen = examine(
        LoadRequest(files={"train": FileChoice(path=tmp_path / "c.h5Seurat")}), n_genes=20
    )
    assert any("left out: ADT and SCT" in f.message for f in seen.findings)


def test_ids_beside_the_symbols_are_known(tmp_path: Path) -> None:
    for layout, column in (("loom-2", "Accession"), ("loom-3-scanpy", "gene_ids")):
        part = part_of(written(layout, tmp_path))
        assert part.var is not None
        assert list(part.var[column]) == made.IDS


def test_a_loom_file_without_names_of_cells_numbers_them_and_says_so(tmp_path: Path) -> None:
    path = made.loom_3(tmp_path / "c.loom")
    with h5py.File(path, "r+") as file:
        del file["col_attrs/obs_names"]
    part = part_of(path)
    assert list(part.matrix.columns[:2]) == ["cell1", "cell2"]
    assert "they were numbered" in part.traits["cell-names"]


def test_a_matrix_of_cells_and_genes_exchanged_is_turned(tmp_path: Path) -> None:
    path = made.loom_3(tmp_path / "c.loom")
    with h5py.File(path, "r+") as file:
        del file["matrix"]
        file["matrix"] = made.COUNTS
    np.testing.assert_array_equal(dense(part_of(path)), made.COUNTS.T)


def test_codes_without_a_level_are_refused_as_labels(tmp_path: Path) -> None:
    path = made.h5seurat_4(tmp_path / "c.h5Seurat")
    with h5py.File(path, "r+") as file:
        file["meta.data/cell_type/values"][0] = 9
    with pytest.raises(DataError, match=r"category number, such as 9.*counted from 1"):
        part_of(path, label_column="cell_type")


def hostile(path: Path, kind: str) -> None:
    """Make a sound file point elsewhere, or declare what it does not hold."""
    outside = path.parent / "other.h5"
    with h5py.File(outside, "w") as file:
        file["secret"] = np.ones((made.N_GENES, made.N_CELLS))
        file["names"] = np.array(made.CELLS, dtype=object)
    loom = path.suffix == ".loom"
    values = "matrix" if loom else "assays/RNA/counts/data"
    names = "col_attrs/CellID" if loom else "cell.names"
    with h5py.File(path, "r+") as file:
        if kind == "external-values":
            del file[values]
            file[values] = h5py.ExternalLink(str(outside), "secret")
        elif kind == "external-names":
            del file[names]
            file[names] = h5py.ExternalLink(str(outside), "names")
        elif kind == "soft-to-external":
            del file[names]
            file["elsewhere"] = h5py.ExternalLink(str(outside), "/")
            file[names] = h5py.SoftLink("/elsewhere/names")
        elif kind == "virtual":
            layout = h5py.VirtualLayout((made.N_GENES, made.N_CELLS), "f8")
            layout[:] = h5py.VirtualSource(outside, "secret", (made.N_GENES, made.N_CELLS))
            del file[values]
            file.create_virtual_dataset(values, layout)
        elif kind == "huge":
            del file[values]
            size = (10**6, 10**6) if loom else (10**12,)
            file.create_dataset(values, size, chunks=(64, 64)[: len(size)], dtype="f4")
        elif kind == "loop":
            group = file["col_attrs" if loom else "assays/RNA"]
            group["again"] = group


@pytest.mark.parametrize(
    "kind", ["external-values", "external-names", "soft-to-external", "virtual", "huge", "loop"]
)
@pytest.mark.parametrize("layout", ["loom-2", "h5seurat-4"])
def test_hostile_files_are_refused_and_nothing_of_others_is_read(
    layout: str, kind: str, tmp_path: Path
) -> None:
    path = written(layout, tmp_path)
    hostile(path, kind)
    with pytest.raises(UnsafeFile):
        part_of(path)
    with pytest.raises(UnsafeFile):
        inspect_file(path, "train")


def test_a_soft_link_by_way_of_another_file_is_refused_in_an_h5ad_too(
    h5ad: Path, tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = made.COUNTS
    with h5py.File(h5ad, "r+") as file:
        file["elsewhere"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
        del file["X"]
        file["X"] = h5py.SoftLink("/elsewhere/secret")
    with pytest.raises(UnsafeFile, match="other files"):
        part_of(h5ad)


def test_a_loom_file_without_names_of_genes_is_refused_with_what_there_is(tmp_path: Path) -> None:
    path = made.loom_3(tmp_path / "c.loom")
    with h5py.File(path, "r+") as file:
        for key in list(file["row_attrs"]):
            del file[f"row_attrs/{key}"]
        file["row_attrs/Selected"] = np.ones(made.N_GENES)
    with pytest.raises(UnreadableFile, match="there are Selected") as refused:
        part_of(path)
    assert "damaged" not in str(refused.value)
