"""Every file of the awkward collection gets in correctly or is refused in one helpful sentence; never a raw exception."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from gui.data.dataset import Dataset
from gui.data.load import FileChoice, LoadRequest, inspect_file, load_dataset
from gui.data.normalize import Prepared, prepare
from gui.errors import DataError

WAITING: dict[str, str] = {}
"""Files that the manifest accepts without a warning but that need a repair of the data doctor (issue 4): name -> reason. None at present."""

REFUSED_UNTIL_REPAIRS = {
    "application_real_dup_symbols.csv.gz": "duplicated genes are summed by a repair",
    "nan_application.csv": "genes with missing values are dropped by a repair",
    "transposed_train.h5ad": "transposing is a repair",
    "real_transposed_reference.h5ad": "transposing is a repair",
    "samples_duplicated.csv": "renaming samples is a repair",
    "application_real_negative_log2cpm.csv": "undoing a log is a repair",
}
"""Accepted with a warning by the manifest, refused with a sentence until issue 4 brings the repair."""


def rows(shared: Path) -> list[dict[str, str]]:
    with open(shared / "awkward_files" / "manifest.csv", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["role"] in ("train", "test", "bulk", "reference")]


def attempt(folder: Path, row: dict[str, str]) -> Dataset:
    files = {row["role"]: FileChoice(path=folder / row["file"])}
    if row["against"]:
        files["train"] = FileChoice(path=folder / row["against"])
    return load_dataset(LoadRequest(files=files))


def load_clean(shared: Path, train: str = "clean_train.h5ad", bulk: str | None = None) -> Prepared:
    folder = shared / "awkward_files"
    files = {"train": FileChoice(path=folder / train)} | ({"bulk": FileChoice(path=folder / bulk)} if bulk else {})
    return prepare(load_dataset(LoadRequest(files=files)))


def is_one_sentence(said: str) -> bool:
    return said.endswith(".") and 20 < len(said) < 400 and not any(bad in said for bad in ("\n", "Traceback", "Errno", "Error", "Exception"))


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
        if expected != "refuse" and refused and file not in {**WAITING, **REFUSED_UNTIL_REPAIRS}:
            wrong.append((file, "should be accepted", said))
        if not refused and file in {**WAITING, **REFUSED_UNTIL_REPAIRS}:
            wrong.append((file, "is accepted: take it off the list", said))
    assert not wrong


def test_each_file_can_be_looked_at_or_is_refused_in_one_sentence(shared_data: Path) -> None:
    said = []
    for row in rows(shared_data):
        try:
            assert len(inspect_file(shared_data / "awkward_files" / row["file"], row["role"]).preview) > 0
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
        ("zero_genes_train.h5ad", "40 genes are zero"),
        ("two_identical_types.h5ad", "Nearly the same profile"),
        ("one_type_single_cell.h5ad", "pDC has a single cell"),
        ("test_without_pDC.h5ad", "no correlation can be given: pDC"),
        ("labels_missing.h5ad", "2 cells without a label left out"),
        ("X_missing_layers_only.h5ad", "taken from the layer counts"),
        ("real_anndata06_pbmc68k.h5ad", "taken from raw"),
        ("two_sheets.xlsx", "sheet TPM"),
        ("thousands_separator.csv", "a comma between the thousands"),
        ("log2_application.csv", "look log-transformed"),
    ],
)
def test_what_was_unusual_is_noted(shared_data: Path, file: str, note: str) -> None:
    row = next(r for r in rows(shared_data) if r["file"] == file)
    notes = [n for source in attempt(shared_data / "awkward_files", row).sources for n in source.notes]
    assert any(note in n for n in notes), notes


@pytest.mark.parametrize("file", ["utf8_bom.csv", "latin1.csv", "old_mac_cr.csv", "tab_named_csv.csv", "genes_whitespace.csv", "samples_numeric.csv"])
def test_another_spelling_of_the_same_table_gives_the_same_numbers(shared_data: Path, file: str) -> None:
    expected, got = load_clean(shared_data, bulk="clean_application.csv"), load_clean(shared_data, bulk=file)
    assert expected.genes.equals(got.genes)
    np.testing.assert_array_equal(expected.bulk.to_numpy(), got.bulk.to_numpy())


@pytest.mark.parametrize("file", ["semicolon_decimal_comma.csv", "expression.gct", "two_sheets.xlsx", "scale_1e-9.csv", "clean_application.h5ad"])
def test_tables_written_with_fewer_digits_give_nearly_the_same_numbers(shared_data: Path, file: str) -> None:
    expected, got = load_clean(shared_data, bulk="clean_application.csv"), load_clean(shared_data, bulk=file)
    np.testing.assert_allclose(got.bulk.to_numpy(), expected.bulk.to_numpy(), rtol=2e-3, atol=1e-2)


@pytest.mark.parametrize("file", ["dtype_csc.h5ad", "dtype_uint16_csr.h5ad", "csr_unsorted_indices.h5ad", "X_missing_layers_only.h5ad"])
def test_dense_and_sparse_of_any_type_give_the_same_numbers(shared_data: Path, file: str) -> None:
    expected, got = load_clean(shared_data, "dtype_float64_dense.h5ad"), load_clean(shared_data, file)
    np.testing.assert_array_equal(expected.reference.to_numpy(), got.reference.to_numpy())
    np.testing.assert_array_equal(expected.train.to_numpy(), got.train.to_numpy())
