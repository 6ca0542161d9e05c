"""AnnData files: only what is chosen is read, sparse stays sparse, and nothing outside of the file
is touched.
"""

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

from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.readers import forecast, h5ad_frames, matrix_choice
from gui.data.readers import hdf5_matrix as stored
from gui.data.readers.h5ad import inspect_h5ad, no_labels, preview_h5ad, read_h5ad
from gui.data.readers.inspection import inspect_file
from gui.data.readers.labels import label_values
from gui.data.readers.options import CellChoice
from gui.data.readers.read import read_all
from gui.errors import NoLabels, TooLarge, UnreadableFile, UnsafeFile


@pytest.fixture
def data() -> anndata.AnnData:
    counts = sparse.random(6, 4, density=0.6, format="csr", random_state=0, dtype=np.float32)
    obs = pd.DataFrame(
        {
            "CellType": pd.Categorical(list("TTBBNN"), categories=list("BNTX")),
            "lane": list("aabbcc"),
            "n": range(6),
        },
        index=[f"c{i}" for i in range(6)],
    )
    made = anndata.AnnData(counts * 2, obs=obs, var=pd.DataFrame(index=list("ghij")))
    made.layers["counts"] = counts
    made.raw = anndata.AnnData(
        sparse.hstack([counts, counts[:, :1]]).tocsr(),
        obs=obs,
        var=pd.DataFrame(index=list("ghijk")),
    )
    return made


def saved(data: anndata.AnnData, tmp_path: Path) -> Path:
    path = tmp_path / "data.h5ad"
    data.write_h5ad(path)
    return path


def test_what_the_file_offers_is_told_without_reading_it_all(
    data: anndata.AnnData, tmp_path: Path
) -> None:
    info = inspect_h5ad(saved(data, tmp_path))
    assert (info.n_obs, info.n_genes) == (6, 4)
    assert info.obs == {"CellType": 3, "lane": 3, "n": 6}
    assert info.label_column == "CellType"
    assert info.matrices == ("X", "raw", "layer:counts")
    assert info.matrix == "X"


@pytest.mark.parametrize(
    "column",
    [
        "cell_type",
        "celltype",
        "CellType",
        "cell_types",
        "Cell.Type",
        "bulk_labels",
        "annotation",
        "cluster",
        "celltype_major",
        "louvain",
    ],
)
def test_the_usual_spellings_of_the_label_column_are_proposed(
    data: anndata.AnnData, tmp_path: Path, column: str
) -> None:
    data.obs = data.obs.rename(columns={"CellType": column})
    assert inspect_h5ad(saved(data, tmp_path)).label_column == column


@pytest.mark.parametrize("matrix", ["X", "raw", "layer:counts"])
def test_the_chosen_matrix_is_read_and_stays_sparse(
    data: anndata.AnnData, tmp_path: Path, matrix: str
) -> None:
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
    [
        (np.uint16, np.float32),
        (np.int32, np.float32),
        (np.int64, np.float32),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.bool_, np.float32),
    ],
)
def test_any_number_type_becomes_an_exact_float(tmp_path: Path, dtype: type, becomes: type) -> None:
    values = np.array([[1, 0], [0, 1]], dtype=dtype)
    part = read_h5ad(saved(anndata.AnnData(values), tmp_path))
    assert part.matrix.values.dtype == becomes
    np.testing.assert_array_equal(part.matrix.values, values.T.astype(float))


def test_large_whole_numbers_are_not_rounded(tmp_path: Path) -> None:
    values = np.array([[2**24 + 1, 0]], dtype=np.int64)
    assert read_h5ad(saved(anndata.AnnData(values), tmp_path)).matrix.values[0, 0] == 2**24 + 1


def test_a_scaled_x_is_not_proposed_when_there_are_counts(
    data: anndata.AnnData, tmp_path: Path
) -> None:
    data.X = data.X.toarray() - 1
    info = inspect_h5ad(saved(data, tmp_path))
    assert info.matrix == "layer:counts"
    assert "negative" in info.notes[0]


def test_whole_numbers_win_over_a_logarithm_and_over_scaled_values(
    data: anndata.AnnData, tmp_path: Path
) -> None:
    counts = np.random.default_rng(0).poisson(3.0, (6, 4)).astype(np.float32)
    data.layers["counts"] = sparse.csr_matrix(counts)
    for x in (np.log1p(counts * 100), counts - counts.mean()):
        data.X = x
        info = inspect_h5ad(saved(data, tmp_path))
        assert (info.matrix, info.likely["layer:counts"]) == ("layer:counts", "counts")
        assert "the layer counts is proposed instead" in info.notes[0]
    data.X = counts * 15.5  # linear: nothing is wrong with it
    assert inspect_h5ad(saved(data, tmp_path)).matrix == "X"


def test_the_layout_of_cellxgene_offers_raw_counts_and_symbols(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).poisson(3.0, (6, 4)).astype(np.float32)
    ids, obs = (
        [f"ENSG0000000000{i}" for i in range(4)],
        pd.DataFrame({"cell_type": list("TTBBNN")}, index=[f"c{i}" for i in range(6)]),
    )
    var = pd.DataFrame(
        {
            "feature_is_filtered": False,
            "feature_name": pd.Categorical(["CD3D", "CD19", None, "NKG7"]),
        },
        index=ids,
    )
    made = anndata.AnnData(sparse.csr_matrix(np.log1p(1000 * counts)), obs=obs, var=var)
    made.raw = anndata.AnnData(sparse.csr_matrix(counts), obs=obs, var=var)
    path = saved(made, tmp_path)
    seen = inspect_file(path, "train")
    assert (seen.matrix, seen.genes_column, seen.label_column) == (
        "raw",
        "feature_name",
        "cell_type",
    )
    part = read_all({"train": FileChoice(path=path, genes_column="feature_name")})[0]["train"]
    # without a symbol the ID stays
    assert list(part.matrix.genes) == ["CD3D", "CD19", ids[2], "NKG7"]
    assert list(part.var["index"]) == ids
    np.testing.assert_array_equal(part.matrix.values.toarray(), counts.T)
    # offered, not done
    assert list(read_all({"train": FileChoice(path=path)})[0]["train"].matrix.genes) == ids
    with pytest.raises(UnreadableFile, match="no column symbol in var"):
        read_h5ad(path, genes_column="symbol")


def test_a_file_of_anndata_07_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.h5ad"
    with h5py.File(path, "w") as file:
        file["X"] = np.arange(12, dtype=np.float32).reshape(4, 3)
        for key, names in (("obs", ["c1", "c2", "c3", "c4"]), ("var", ["g1", "g2", "g3"])):
            group = file.create_group(key)
            group["index"] = np.array(names, dtype=h5py.string_dtype())
            group.attrs.update(
                {"_index": "index", "encoding-type": "dataframe", "encoding-version": "0.1.0"}
            )
            group.attrs["column-order"] = np.array(
                ["cell_type"] if key == "obs" else [], dtype=h5py.string_dtype()
            )
        file["obs/cell_type"] = np.array([1, 0, -1, 1], dtype=np.int8)
        file["obs/__categories/cell_type"] = np.array(["B", "T"], dtype=h5py.string_dtype())
        file["obs/cell_type"].attrs["categories"] = file["obs/__categories/cell_type"].ref
    part = read_all({"train": FileChoice(path=path)})[0]["train"]
    assert part.labels.tolist() == ["T", "B", None, "T"]
    assert list(part.matrix.genes) == ["g1", "g2", "g3"]


FORMS = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix, "dense": np.asarray}


@pytest.fixture
def many() -> anndata.AnnData:
    counts = np.random.default_rng(1).poisson(0.4, (300, 40)).astype(np.int32)
    obs = pd.DataFrame(
        {"cell_type": [None if i % 50 == 0 else "ABC"[i % 3] for i in range(300)]},
        index=[f"c{i}" for i in range(300)],
    )
    return anndata.AnnData(counts, obs=obs, var=pd.DataFrame(index=[f"g{i}" for i in range(40)]))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("piece", [1, 97, 4_000_000])
def test_chosen_cells_and_genes_are_those_of_the_whole(
    many: anndata.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, piece: int
) -> None:
    monkeypatch.setattr(stored, "PIECE", piece)
    monkeypatch.setattr(stored, "_GAP", 20)
    whole = many.X.copy()
    many.X = FORMS[form](whole)
    path = saved(many, tmp_path)
    choice = CellChoice(per_label=7, seed=3, keep=("A", "C"))
    for genes in (None, ("g3", "g17", "g39", "elsewhere")):
        part = read_h5ad(path, label="cell_type", cells=choice, genes=genes)
        at = [int(c[1:]) for c in part.matrix.columns]
        assert at == sorted(at)
        assert many.obs["cell_type"].astype(str).iloc[at].value_counts().to_dict() == {
            "A": 7,
            "C": 7,
        }
        rows = [3, 17, 39] if genes else list(range(40))
        values = part.matrix.values if form == "dense" else part.matrix.values.toarray()
        np.testing.assert_array_equal(values, whole[at][:, rows].T)
        assert len(part.var) == len(rows)
        assert part.matrix.is_sparse == (form != "dense")
    again = read_h5ad(path, label="cell_type", cells=choice)
    assert list(again.matrix.columns) == list(part.matrix.columns)


@pytest.mark.parametrize("form", ["csr", "dense"])
def test_only_what_is_chosen_is_read_from_the_file(
    many: anndata.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    read: list[int] = []
    plain = h5py.Dataset.__getitem__

    def counted(self: h5py.Dataset, *args: object, **options: object) -> object:
        found = plain(self, *args, **options)
        if self.name in ("/X", "/X/data"):
            read.append(np.size(found))
        return found

    many.X = FORMS[form](many.X)
    path = saved(many, tmp_path)
    monkeypatch.setattr(matrix_choice, "sample", lambda matrix: np.ones(1))
    monkeypatch.setattr(stored, "_GAP", 0)
    monkeypatch.setattr(stored, "PIECE", 40)
    monkeypatch.setattr(h5py.Dataset, "__getitem__", counted)
    read_h5ad(path, label="cell_type", cells=CellChoice(per_label=2))
    few = sum(read)
    read.clear()
    read_h5ad(path)
    assert 0 < few < 0.1 * sum(read)


def test_only_genes_that_the_other_files_have_are_read_where_that_is_wished(
    many: anndata.AnnData, tmp_path: Path
) -> None:
    path, bulk = saved(many, tmp_path), tmp_path / "bulk.csv"
    bulk.write_text("gene,S\n" + "".join(f"g{i},{i}\n" for i in range(30, 60)))
    files = {
        "train": FileChoice(path=path, only_common=True),
        "test": FileChoice(path=path, only_common=True),
        "bulk": FileChoice(path=bulk),
    }
    dataset = load_dataset(LoadRequest(files=files))
    assert (
        list(dataset.train.matrix.genes)
        == list(dataset.test.matrix.genes)
        == [f"g{i}" for i in range(30, 40)]
    )
    whole = load_dataset(
        LoadRequest(
            files={
                role: choice.model_copy(update={"only_common": False})
                for role, choice in files.items()
            }
        )
    )
    assert len(whole.train.matrix.genes) == 40


def test_what_does_not_fit_is_refused_before_it_is_read_and_a_choice_is_proposed(
    many: anndata.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many.X = FORMS["csr"](many.X)
    path = saved(many, tmp_path)
    assert inspect_h5ad(path).forecast.refusal == ""  # positive control: there is room
    read_h5ad(path)
    monkeypatch.setattr(forecast, "BASE", 0.0)
    monkeypatch.setattr(forecast, "available_memory", lambda: 40_000)
    said = inspect_h5ad(path).forecast
    assert "needs about" in said.refusal
    assert said.cells.per_label < 500
    assert said.cells_bytes < 40_000 < said.bytes
    with pytest.raises(TooLarge, match=r"only 0\.0 GB are free"):
        read_h5ad(path)
    assert read_h5ad(path, label="cell_type", cells=said.cells).matrix.n_columns < 300


def test_the_file_is_free_again_after_reading(many: anndata.AnnData, tmp_path: Path) -> None:
    path = saved(many, tmp_path)
    part = read_h5ad(path, cells=CellChoice(per_label=5))
    with h5py.File(path, "a") as file:  # HDF5 would not let it be written while it is open
        del file["X"]
    assert part.matrix.values.sum() > 0


def test_an_array_that_was_declared_but_never_written_is_refused(
    many: anndata.AnnData, tmp_path: Path
) -> None:
    path = saved(many, tmp_path)
    with h5py.File(path, "a") as file:
        del file["X"]
        file.create_dataset("X", shape=(2**20, 2**20), dtype=np.float32, chunks=(1024, 1024))
    for function in (inspect_h5ad, read_h5ad):
        with pytest.raises(UnsafeFile, match="far more data than it holds"):
            function(path)


def test_labels_of_a_table_beside_the_file_are_joined_by_name(
    many: anndata.AnnData, tmp_path: Path
) -> None:
    path, table = saved(many, tmp_path), tmp_path / "types.tsv"
    table.write_text("cell\tlabel\n" + "".join(f"c{i}\t{'XY'[i % 2]}\n" for i in range(300)))
    part = read_all({"train": FileChoice(path=path, labels=table, cells=CellChoice(per_label=4))})[
        0
    ]["train"]
    assert part.labels.tolist() == ["XY"[int(c[1:]) % 2] for c in part.matrix.columns]
    assert len(part.labels) == 8


def test_labels_are_text_and_missing_ones_are_none() -> None:
    column = pd.Series(pd.Categorical(["T", None, "B"], categories=["B", "T", "X"]))
    assert label_values(column).tolist() == ["T", None, "B"]
    assert label_values(pd.Series([1, 2])).tolist() == ["1", "2"]
    assert label_values(pd.Series(["a", " ", np.nan])).tolist() == ["a", None, None]


def test_a_column_or_matrix_that_is_not_there_is_refused(
    data: anndata.AnnData, tmp_path: Path
) -> None:
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
def test_a_file_that_points_into_other_files_is_refused(
    data: anndata.AnnData, tmp_path: Path, trick: str
) -> None:
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
        # positive control: plain h5py does read the other file
        assert (np.asarray(file["X"]) == 1).all()
    for function in (inspect_h5ad, read_h5ad):
        with pytest.raises(UnsafeFile, match="other files"):
            function(path)


@pytest.mark.parametrize("damage", ["indices", "indptr", "shape", "obs"])
def test_a_matrix_that_contradicts_itself_is_refused_before_compiled_code_sees_it(
    data: anndata.AnnData, tmp_path: Path, damage: str
) -> None:
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
    code = (
        "import sys, gui.data.load, gui.data.normalize, gui.data.export, gui.data.example;"
        f" print([m for m in {heavy} if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert found.stdout.strip() == "[]"


COLUMNS = {
    "type": pd.Categorical(["B", None, "T", "B"], categories=["T", "B", "NK"]),
    "stage": pd.Categorical(["I", "II", None, "I"], categories=["I", "II"], ordered=True),
    "text": np.array(["ä", "", "b c", "d"], dtype=object),
    "number": np.array([1.5, np.nan, -3.0, 0.0]),
    "whole": np.array([3, 1, 2, 1], dtype=np.int32),
    "flag": np.array([True, False, True, True]),
    "maybe": pd.array([1, None, 3, 4], dtype="Int64"),
    "unknown": pd.array([True, None, False, True], dtype="boolean"),
    "note": pd.array(["x", None, "y", "z"], dtype="string"),
}


def columns_written(tmp_path: Path) -> Path:
    obs = pd.DataFrame(COLUMNS, index=list("abcd"))
    path = tmp_path / "columns.h5ad"
    plain = anndata.AnnData(np.ones((4, 2)), obs=obs[[]], var=pd.DataFrame(index=["A", "B"]))
    plain.write_h5ad(path)
    with (
        h5py.File(path, "r+") as file,
        anndata.settings.override(allow_write_nullable_strings=True),
    ):
        anndata.io.write_elem(file, "obs", obs)  # write_h5ad makes categories of repeated text
        assert file["obs/note"].attrs["encoding-type"] == "nullable-string-array"
    return path


def test_columns_of_any_kind_are_those_that_anndata_reads(tmp_path: Path) -> None:
    with h5py.File(columns_written(tmp_path)) as file:
        for name in COLUMNS:
            expected = anndata.io.read_elem(file["obs"][name])
            if not isinstance(expected, pd.Categorical):
                expected = np.asarray(expected)
            found = h5ad_frames.column_of(h5ad_frames.AnnDataFrame(file["obs"]), name)
            pd.testing.assert_series_equal(found, pd.Series(expected), obj=name)


def test_a_text_column_whose_gaps_do_not_fit_is_refused(tmp_path: Path) -> None:
    path = columns_written(tmp_path)
    with h5py.File(path, "r+") as file:
        note = file["obs/note"]
        attributes = dict(note["mask"].attrs)
        del note["mask"]
        note["mask"] = np.array([True, False])
        note["mask"].attrs.update(attributes)
        with pytest.raises(UnreadableFile, match="which of its values are missing"):
            h5ad_frames.column_of(h5ad_frames.AnnDataFrame(file["obs"]), "note")


def test_an_h5ad_file_is_read_without_anndata(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gui.data.readers.h5ad import read_h5ad, inspect_h5ad;"
        f" path = Path({str(columns_written(tmp_path))!r}); inspect_h5ad(path); read_h5ad(path);"
        " print([m for m in ('anndata', 'dask', 'zarr', 'torch') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert found.stdout.strip() == "[]"


BROKEN_CODES = {"one too high": (3, 2), "far too high": (0, 127), "negative": (5, -2)}


@pytest.mark.parametrize("case", BROKEN_CODES)
def test_a_column_whose_categories_do_not_fit_is_named_and_is_the_reason(
    data: anndata.AnnData, tmp_path: Path, case: str
) -> None:
    at, code = BROKEN_CODES[case]
    only = data.copy()
    only.obs = pd.DataFrame(
        {"cell_type": pd.Categorical(["a", "b"] * (data.n_obs // 2) + ["a"] * (data.n_obs % 2))},
        index=data.obs_names,
    )
    path = saved(only, tmp_path)
    assert inspect_h5ad(path).label_column == "cell_type"  # control
    with h5py.File(path, "r+") as file:
        file["obs/cell_type/codes"][at] = code
    info = inspect_h5ad(path)
    assert info.label_column is None
    said = f"In the column cell_type, 1 of {data.n_obs} rows have a category number, such as {code}"
    error = no_labels(info, "cells.h5ad")
    assert said in str(error)
    assert "save this column as text" in error.full_text
    with pytest.raises(NoLabels, match="category number"):
        read_h5ad(path, obs=("cell_type",))


def test_another_column_is_not_taken_for_a_broken_one_in_silence(
    data: anndata.AnnData, tmp_path: Path
) -> None:
    both = data.copy()
    labels = ["a", "b"] * (data.n_obs // 2) + ["a"] * (data.n_obs % 2)
    both.obs = pd.DataFrame(
        {"cell_type": pd.Categorical(labels), "cluster": labels}, index=data.obs_names
    )
    path = saved(both, tmp_path)
    before = inspect_h5ad(path)
    with h5py.File(path, "r+") as file:
        codes = file["obs/cell_type/codes"]
        codes[:] = codes[()] + 1  # as a converter from R writes them
    info = inspect_h5ad(path)
    assert (before.label_column, info.label_column) == ("cell_type", "cluster")
    assert "for which the file has no name" in info.label_said
    assert "taken from the column cluster" in info.label_said


@pytest.mark.parametrize("mark", ["\u200b", "\u00ad", "\ufeff", "\u2060"])
def test_invisible_characters_in_names_of_genes_and_types_are_removed(
    data: anndata.AnnData, mark: str, tmp_path: Path
) -> None:
    names, types = list(data.var_names), ["B cells", "T cells"]
    hidden = data.copy()
    hidden.var_names = [g[:1] + mark + g[1:] if i % 2 else g for i, g in enumerate(names)]
    hidden.obs = pd.DataFrame(
        {"cell_type": [types[i % 2] + mark * (i % 3) for i in range(data.n_obs)]}, data.obs_names
    )
    part = read_all({"train": FileChoice(path=saved(hidden, tmp_path))})[0]["train"]
    assert list(part.matrix.genes) == names
    assert part.labels is not None
    assert set(part.labels) == set(types)
    assert any(f"in {len(names) // 2} gene names" in note for note in part.source.notes)
