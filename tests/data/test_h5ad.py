"""AnnData files: only what is chosen is read, sparse stays sparse, and nothing outside of the file is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gui.data.h5ad import inspect_h5ad, label_values, preview_h5ad, read_h5ad
from gui.errors import NoLabels, UnreadableFile, UnsafeFile


@pytest.fixture
def data() -> anndata.AnnData:
    counts = sparse.random(6, 4, density=0.6, format="csr", random_state=0, dtype=np.float32)
    obs = pd.DataFrame(
        {"CellType": pd.Categorical(list("TTBBNN"), categories=list("BNTX")), "lane": list("aabbcc"), "n": range(6)}, index=[f"c{i}" for i in range(6)]
    )
    made = anndata.AnnData(counts * 2, obs=obs, var=pd.DataFrame(index=list("ghij")))
    made.layers["counts"] = counts
    made.raw = anndata.AnnData(sparse.hstack([counts, counts[:, :1]]).tocsr(), obs=obs, var=pd.DataFrame(index=list("ghijk")))
    return made


def saved(data: anndata.AnnData, tmp_path: Path) -> Path:
    path = tmp_path / "data.h5ad"
    data.write_h5ad(path)
    return path


def test_what_the_file_offers_is_told_without_reading_it_all(data: anndata.AnnData, tmp_path: Path) -> None:
    info = inspect_h5ad(saved(data, tmp_path))
    assert (info.n_obs, info.n_genes) == (6, 4)
    assert info.obs == {"CellType": 3, "lane": 3, "n": 6}
    assert info.label_column == "CellType"
    assert info.matrices == ("X", "raw", "layer:counts")
    assert info.matrix == "X"


@pytest.mark.parametrize(
    "column", ["cell_type", "celltype", "CellType", "cell_types", "Cell.Type", "bulk_labels", "annotation", "cluster", "celltype_major", "louvain"]
)
def test_the_usual_spellings_of_the_label_column_are_proposed(data: anndata.AnnData, tmp_path: Path, column: str) -> None:
    data.obs = data.obs.rename(columns={"CellType": column})
    assert inspect_h5ad(saved(data, tmp_path)).label_column == column


@pytest.mark.parametrize("matrix", ["X", "raw", "layer:counts"])
def test_the_chosen_matrix_is_read_and_stays_sparse(data: anndata.AnnData, tmp_path: Path, matrix: str) -> None:
    part = read_h5ad(saved(data, tmp_path), matrix=matrix, obs=("lane",))
    expected = {"X": data.X, "raw": data.raw.X, "layer:counts": data.layers["counts"]}[matrix]
    assert part.matrix.is_sparse
    assert part.matrix.values.format == "csc"
    np.testing.assert_array_equal(part.matrix.values.toarray(), expected.toarray().T)
    assert list(part.matrix.genes) == list("ghijk" if matrix == "raw" else "ghij")
    assert list(part.obs.columns) == ["lane"]


def test_the_preview_shows_the_corner_of_any_storage(data: anndata.AnnData, tmp_path: Path) -> None:
    expected = data.X.toarray().T[:3, :2]
    for kind in (data.X, sparse.csc_matrix(data.X), data.X.toarray()):
        data.X = kind
        corner = preview_h5ad(saved(data, tmp_path), matrix="X", rows=3, columns=2)
        np.testing.assert_array_equal(corner.to_numpy(), expected)
        assert (list(corner.index), list(corner.columns)) == (["g", "h", "i"], ["c0", "c1"])


@pytest.mark.parametrize(
    ("dtype", "becomes"),
    [(np.uint16, np.float32), (np.int32, np.float32), (np.int64, np.float32), (np.float32, np.float32), (np.float64, np.float64), (np.bool_, np.float32)],
)
def test_any_number_type_becomes_an_exact_float(tmp_path: Path, dtype: type, becomes: type) -> None:
    values = np.array([[1, 0], [0, 1]], dtype=dtype)
    part = read_h5ad(saved(anndata.AnnData(values), tmp_path))
    assert part.matrix.values.dtype == becomes
    np.testing.assert_array_equal(part.matrix.values, values.T.astype(float))


def test_large_whole_numbers_are_not_rounded(tmp_path: Path) -> None:
    values = np.array([[2**24 + 1, 0]], dtype=np.int64)
    assert read_h5ad(saved(anndata.AnnData(values), tmp_path)).matrix.values[0, 0] == 2**24 + 1


def test_a_scaled_x_is_not_proposed_when_there_are_counts(data: anndata.AnnData, tmp_path: Path) -> None:
    data.X = data.X.toarray() - 1
    info = inspect_h5ad(saved(data, tmp_path))
    assert info.matrix == "layer:counts"
    assert "negative" in info.notes[0]


def test_labels_are_text_and_missing_ones_are_none() -> None:
    column = pd.Series(pd.Categorical(["T", None, "B"], categories=["B", "T", "X"]))
    assert label_values(column).tolist() == ["T", None, "B"]
    assert label_values(pd.Series([1, 2])).tolist() == ["1", "2"]
    assert label_values(pd.Series(["a", " ", np.nan])).tolist() == ["a", None, None]


def test_a_column_or_matrix_that_is_not_there_is_refused(data: anndata.AnnData, tmp_path: Path) -> None:
    path = saved(data, tmp_path)
    with pytest.raises(NoLabels, match="no column cell_type in obs"):
        read_h5ad(path, obs=("cell_type",))
    with pytest.raises(UnreadableFile, match="holds no matrix layer:tpm"):
        read_h5ad(path, matrix="layer:tpm")


def test_hdf5_of_another_kind_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file["matrix"] = np.ones(3)
    with pytest.raises(UnreadableFile, match=r"not an \.h5ad file"):
        read_h5ad(tmp_path / "x.h5ad")


@pytest.mark.parametrize("trick", ["external link", "external storage", "virtual dataset"])
def test_a_file_that_points_into_other_files_is_refused(data: anndata.AnnData, tmp_path: Path, trick: str) -> None:
    path, other = saved(data, tmp_path), tmp_path / "secret.h5"
    with h5py.File(other, "w") as file:
        file["values"] = np.ones((6, 4), dtype=np.float32)
    raw = tmp_path / "secret.bin"
    raw.write_bytes(np.ones((6, 4), dtype=np.float32).tobytes())
    with h5py.File(path, "a") as file:
        del file["X"]
        if trick == "external link":
            file["X"] = h5py.ExternalLink(str(other), "values")
        elif trick == "external storage":
            file.create_dataset("X", shape=(6, 4), dtype=np.float32, external=[(str(raw), 0, 96)])
        else:
            layout = h5py.VirtualLayout(shape=(6, 4), dtype=np.float32)
            layout[:] = h5py.VirtualSource(str(other), "values", shape=(6, 4))
            file.create_virtual_dataset("X", layout)
    with h5py.File(path) as file:
        assert (np.asarray(file["X"]) == 1).all()  # positive control: plain h5py does read the other file
    for function in (inspect_h5ad, read_h5ad):
        with pytest.raises(UnsafeFile, match="other files"):
            function(path)


@pytest.mark.parametrize("damage", ["indices", "indptr", "shape", "obs"])
def test_a_matrix_that_contradicts_itself_is_refused_before_compiled_code_sees_it(data: anndata.AnnData, tmp_path: Path, damage: str) -> None:
    path = saved(data, tmp_path)
    with h5py.File(path, "a") as file:
        if damage == "indices":
            file["X/indices"][0] = 2_000_000
        elif damage == "indptr":
            file["X/indptr"][1] = 1_000_000
        elif damage == "shape":
            file["X"].attrs["shape"] = (6, 2)
        else:
            del file["obs"]
    with pytest.raises(UnreadableFile):
        read_h5ad(path)


def test_a_file_cut_off_anywhere_is_refused(data: anndata.AnnData, tmp_path: Path) -> None:
    whole, path = saved(data, tmp_path).read_bytes(), tmp_path / "cut.h5ad"
    for percent in range(0, 100, 10):
        path.write_bytes(whole[: len(whole) * percent // 100])
        with pytest.raises(UnreadableFile):
            read_h5ad(path)


def test_loading_does_not_import_anndata_before_a_file_is_read() -> None:
    heavy = ("anndata", "h5py", "scipy", "torch", "openpyxl")
    code = f"import sys, gui.data.load, gui.data.normalize, gui.data.export, gui.data.example; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[2])
    assert found.stdout.strip() == "[]"
