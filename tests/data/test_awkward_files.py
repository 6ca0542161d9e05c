"""Every file of the awkward collection gets in correctly or is refused in one helpful sentence;
never a raw exception.
"""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from gui.data.dataset import Dataset
from gui.data.load import FileChoice, LoadRequest, inspect_file, load_dataset, read_parts
from gui.data.normalize import Prepared, prepare
from gui.data.validation.examine import examine
from gui.data.validation.repairs_genes import MapGenes
from gui.errors import DataError
from tests.data.repairing import repaired

REFUSED_UNTIL_REPAIRS: dict[str, str] = {
    "application_real_dup_symbols.csv.gz": "duplicated genes",
    "nan_application.csv": "missing values",
    "transposed_train.h5ad": "transposed",
    "samples_duplicated.csv": "samples of the same name",
    "application_real_negative_log2cpm.csv": "log2-CPM",
}
"""Refused as they are; with the proposed repairs they load."""
NEEDS_THE_USER = {
    "real_transposed_reference.h5ad": (
        "after transposing, its types (CAF, Endo ...) are none of the training cells': only the"
        " user can say what they are"
    ),
}
"""Accepted with a warning by the manifest, but what is proposed does not make them fit the training
cells.
"""


def rows(shared: Path) -> list[dict[str, str]]:
    with open(shared / "awkward_files" / "manifest.csv", encoding="utf-8") as file:
        return [
            row
            for row in csv.DictReader(file)
            if row["role"] in ("train", "test", "bulk", "reference")
        ]


def attempt(folder: Path, row: dict[str, str]) -> Dataset:
    files = {row["role"]: FileChoice(path=folder / row["file"])}
    if row["against"]:
        files["train"] = FileChoice(path=folder / row["against"])
    return load_dataset(LoadRequest(files=files))


def load_clean(shared: Path, train: str = "clean_train.h5ad", bulk: str | None = None) -> Prepared:
    folder = shared / "awkward_files"
    files = {"train": FileChoice(path=folder / train)} | (
        {"bulk": FileChoice(path=folder / bulk)} if bulk else {}
    )
    return prepare(load_dataset(LoadRequest(files=files)))


def is_one_sentence(said: str) -> bool:
    return (
        said.endswith(".")
        and 20 < len(said) < 400
        and not any(bad in said for bad in ("\n", "Traceback", "Errno", "Error", "Exception"))
    )


def test_each_file_is_accepted_or_refused_in_one_sentence(shared_data: Path) -> None:
    table = rows(shared_data)
    assert len(table) > 50
    wrong = []
    for row in table:
        file, expected, said = row["file"], row["expected_outcome"], ""
        try:
            prepared = prepare(attempt(shared_data / "awkward_files", row))
            assert np.isfinite(prepared.reference.to_numpy()).all()
        except DataError as error:
            said = str(error)
            if not is_one_sentence(said):
                wrong.append((file, "not one sentence", said))
        refused = bool(said)
        if expected == "refuse" and not refused:
            wrong.append((file, "should be refused", said))
        if (
            expected != "refuse"
            and refused
            and file not in {**NEEDS_THE_USER, **REFUSED_UNTIL_REPAIRS}
        ):
            wrong.append((file, "should be accepted", said))
        if not refused and file in REFUSED_UNTIL_REPAIRS:
            wrong.append((file, "is accepted: take it off the list", said))
    assert not wrong


def mended(shared: Path, file: str) -> Prepared:
    row = next(r for r in rows(shared) if r["file"] == file)
    folder = shared / "awkward_files"
    files = {row["role"]: FileChoice(path=folder / file)} | (
        {"train": FileChoice(path=folder / row["against"])} if row["against"] else {}
    )
    return prepare(load_dataset(repaired(LoadRequest(files=files))))


@pytest.mark.parametrize("file", REFUSED_UNTIL_REPAIRS)
def test_what_is_refused_as_it_is_loads_with_the_proposed_repairs(
    shared_data: Path, file: str
) -> None:
    assert np.isfinite(mended(shared_data, file).reference.to_numpy()).all()


@pytest.mark.parametrize(
    ("file", "tolerance"),
    [("excel_dates.csv", 0), ("samples_duplicated.csv", 0), ("log2_application.csv", 2e-3)],
)
def test_a_repaired_bulk_holds_the_numbers_of_the_clean_one(
    shared_data: Path, file: str, tolerance: float
) -> None:
    expected, got = load_clean(shared_data, bulk="clean_application.csv"), mended(shared_data, file)
    assert expected.genes.equals(got.genes)
    np.testing.assert_allclose(
        got.bulk.to_numpy(), expected.bulk.to_numpy(), rtol=tolerance, atol=5 * tolerance
    )


@pytest.mark.parametrize(
    ("file", "tolerance"),
    [("transposed_train.h5ad", 0), ("var_index_numbers.h5ad", 0), ("log1p_train.h5ad", 1e-4)],
)
def test_repaired_training_cells_hold_the_numbers_of_the_clean_ones(
    shared_data: Path, file: str, tolerance: float
) -> None:
    expected, got = load_clean(shared_data), mended(shared_data, file)
    assert expected.genes.equals(got.genes)
    np.testing.assert_allclose(
        got.reference.to_numpy(), expected.reference.to_numpy(), rtol=tolerance, atol=tolerance
    )


def test_genes_with_gaps_are_left_out_and_the_others_are_as_before(shared_data: Path) -> None:
    got = mended(shared_data, "nan_application.csv")
    folder = shared_data / "awkward_files"
    files = {
        "train": FileChoice(path=folder / "clean_train.h5ad"),
        "bulk": FileChoice(path=folder / "clean_application.csv"),
    }
    expected = prepare(load_dataset(LoadRequest(files=files)), genes=got.genes)
    assert {"CD74", "RPS15A"}.isdisjoint(got.genes)
    np.testing.assert_array_equal(got.bulk.to_numpy(), expected.bulk.to_numpy())


def test_duplicated_genes_of_a_real_file_are_summed_and_unclear_dates_left_out(
    shared_data: Path,
) -> None:
    table = pd.read_csv(
        shared_data / "awkward_files" / "application_real_dup_symbols.csv.gz", index_col=0
    )
    request = LoadRequest(
        files={
            "bulk": FileChoice(
                path=shared_data / "awkward_files" / "application_real_dup_symbols.csv.gz"
            )
        }
    )
    part = read_parts(repaired(request))[0]["bulk"]
    expected = table[~table.index.isin(["1-Mar", "2-Mar"])].groupby(level=0).sum()
    np.testing.assert_allclose(
        part.matrix.frame().loc[expected.index].to_numpy(), expected.to_numpy(), rtol=1e-12
    )


def test_log2_cpm_of_a_real_file_becomes_linear(shared_data: Path) -> None:
    path = shared_data / "awkward_files" / "application_real_negative_log2cpm.csv"
    part = read_parts(repaired(LoadRequest(files={"bulk": FileChoice(path=path)})))[0]["bulk"]
    np.testing.assert_allclose(
        part.matrix.frame().to_numpy(), 2 ** pd.read_csv(path, index_col=0).to_numpy(), rtol=1e-12
    )


def test_a_transposed_reference_is_turned_round(shared_data: Path) -> None:
    path = shared_data / "awkward_files" / "real_transposed_reference.h5ad"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stored = anndata.read_h5ad(path)
    files = {
        "reference": FileChoice(path=path),
        "train": FileChoice(path=shared_data / "awkward_files" / "clean_train.h5ad"),
    }
    found = examine(LoadRequest(files=files))
    fault = next(f for f in found.findings if f.code == "transposed")
    part = read_parts(LoadRequest(files=files, repairs=(fault.repair,)))[0]["reference"]
    assert list(part.matrix.columns) == ["CAF", "Endo", "Macro", "NK", "T"]
    np.testing.assert_array_equal(
        part.matrix.frame().to_numpy(),
        np.asarray(stored.X.toarray() if hasattr(stored.X, "toarray") else stored.X),
    )
    after = examine(LoadRequest(files=files, repairs=(fault.repair,)))
    assert "untrained-type" in [f.code for f in after.findings]


def test_ensembl_ids_are_mapped_by_a_table_that_the_user_loads(
    shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "awkward_files"
    pairs = [
        line.split("\t")[0].split("|")
        for line in (folder / "application_ensembl_pipe_symbol.tsv").read_text().splitlines()[1:]
    ]
    table = tmp_path / "biomart.csv"
    table.write_text(
        "Gene stable ID,Gene name\n" + "\n".join(",".join(pair) for pair in pairs) + "\n"
    )
    files = {
        "train": FileChoice(path=folder / "clean_train.h5ad"),
        "bulk": FileChoice(path=folder / "application_ensembl.csv"),
    }
    mapping = MapGenes(role="bulk", by="table", table=table, table_name="biomart.csv")
    got = prepare(load_dataset(LoadRequest(files=files, repairs=(mapping,))))
    expected = load_clean(shared_data, bulk="clean_application.csv")
    common = got.genes.intersection(expected.genes)
    assert len(common) > 350
    by_names = files | {"bulk": FileChoice(path=folder / "application_ensembl_pipe_symbol.tsv")}
    fault = next(
        f for f in examine(LoadRequest(files=by_names)).findings if f.code == "no-common-genes"
    )
    other = prepare(load_dataset(LoadRequest(files=by_names, repairs=(fault.repair,))))
    np.testing.assert_array_equal(got.bulk.to_numpy(), other.bulk.to_numpy())


def test_each_file_can_be_looked_at_or_is_refused_in_one_sentence(shared_data: Path) -> None:
    said = []
    for row in rows(shared_data):
        try:
            assert (
                len(inspect_file(shared_data / "awkward_files" / row["file"], row["role"]).preview)
                > 0
            )
        except DataError as error:
            said.append(str(error))
    assert said
    assert all(map(is_one_sentence, said))


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("application_ensembl.csv", "Ensembl"),
        ("application_ensembl_pipe_symbol.tsv", "ID|SYMBOL"),
        ("application_real_mouse.csv.gz", "mouse"),
        ("real_transposed_reference.h5ad", "transposed"),
        ("transposed_train.h5ad", "exchanged"),
        ("application_real_negative_log2cpm.csv", "log2-CPM"),
        ("one_negative.h5ad", "-2.5"),
        ("nan_application.csv", "CD74 in sample pbmc_10"),
        ("zero_sample.csv", "pbmc_12"),
        ("samples_duplicated.csv", "pbmc_1 and pbmc_2"),
        ("comments_and_title.csv", "line 4"),
        ("truncated.csv.gz", "damaged or incomplete"),
        ("truncated.h5ad", "damaged or incomplete"),
        ("h5ad_named.csv", "looks like HDF5"),
        ("r_workspace.h5ad", "R workspace"),
        ("git_lfs_pointer.h5ad", "Git LFS"),
        ("empty.h5ad", "is empty"),
        ("no_obs_columns.h5ad", "no annotation"),
    ],
)
def test_the_sentence_names_the_fault(shared_data: Path, file: str, says: str) -> None:
    row = next(r for r in rows(shared_data) if r["file"] == file)
    with pytest.raises(DataError) as refused:
        attempt(shared_data / "awkward_files", row)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("file", "note"),
    [
        ("log1p_train.h5ad", "look log-transformed"),
        ("zero_genes_train.h5ad", "40 of 396 genes are zero"),
        ("two_identical_types.h5ad", "Nearly the same profile"),
        ("one_type_single_cell.h5ad", "pDC has a single cell"),
        ("test_without_pDC.h5ad", "no correlation can be given: pDC"),
        ("labels_missing.h5ad", "2 cells of labels_missing.h5ad without a label left out"),
        ("X_missing_layers_only.h5ad", "taken from the layer counts"),
        ("real_anndata06_pbmc68k.h5ad", "taken from raw"),
        ("two_sheets.xlsx", "sheet TPM"),
        ("thousands_separator.csv", "a comma between the thousands"),
        ("log2_application.csv", "look log-transformed"),
    ],
)
def test_what_was_unusual_is_kept_as_a_warning(shared_data: Path, file: str, note: str) -> None:
    row = next(r for r in rows(shared_data) if r["file"] == file)
    notes = [
        n for source in attempt(shared_data / "awkward_files", row).sources for n in source.warnings
    ]
    assert any(note in n for n in notes), notes


@pytest.mark.parametrize(
    "file",
    [
        "utf8_bom.csv",
        "latin1.csv",
        "old_mac_cr.csv",
        "tab_named_csv.csv",
        "genes_whitespace.csv",
        "samples_numeric.csv",
    ],
)
def test_another_spelling_of_the_same_table_gives_the_same_numbers(
    shared_data: Path, file: str
) -> None:
    expected, got = (
        load_clean(shared_data, bulk="clean_application.csv"),
        load_clean(shared_data, bulk=file),
    )
    assert expected.genes.equals(got.genes)
    np.testing.assert_array_equal(expected.bulk.to_numpy(), got.bulk.to_numpy())


@pytest.mark.parametrize(
    "file",
    [
        "semicolon_decimal_comma.csv",
        "expression.gct",
        "two_sheets.xlsx",
        "scale_1e-9.csv",
        "clean_application.h5ad",
    ],
)
def test_tables_written_with_fewer_digits_give_nearly_the_same_numbers(
    shared_data: Path, file: str
) -> None:
    expected, got = (
        load_clean(shared_data, bulk="clean_application.csv"),
        load_clean(shared_data, bulk=file),
    )
    np.testing.assert_allclose(got.bulk.to_numpy(), expected.bulk.to_numpy(), rtol=2e-3, atol=1e-2)


@pytest.mark.parametrize(
    "file",
    [
        "dtype_csc.h5ad",
        "dtype_uint16_csr.h5ad",
        "csr_unsorted_indices.h5ad",
        "X_missing_layers_only.h5ad",
    ],
)
def test_dense_and_sparse_of_any_type_give_the_same_numbers(shared_data: Path, file: str) -> None:
    expected, got = (
        load_clean(shared_data, "dtype_float64_dense.h5ad"),
        load_clean(shared_data, file),
    )
    np.testing.assert_array_equal(expected.reference.to_numpy(), got.reference.to_numpy())
    np.testing.assert_array_equal(expected.train.to_numpy(), got.train.to_numpy())
