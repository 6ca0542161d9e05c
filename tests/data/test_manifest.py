"""``deconomix-gui check`` over the whole manifest of awkward files: each row gives its outcome, and
a message that names the fault.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from gui.cli.check import check

SHARED = Path(
    os.environ.get("DECONOMIX_GUI_SHARED") or Path(__file__).resolve().parents[2].parent / "shared"
)
NAMED: dict[str, tuple[str, ...]] = {
    "application_real_dup_symbols.csv.gz": ("more than once", "TAF9"),
    "excel_dates.csv": ("Excel", "2-Sep", "SEPT2"),
    "application_ensembl.csv": ("no gene in common", "Ensembl", "ENSG00000115523"),
    "application_ensembl_pipe_symbol.tsv": ("no gene in common", "ID|SYMBOL"),
    "genes_half_missing.csv": ("198 of 396 training genes found", "50%"),
    "application_real_mouse.csv.gz": ("no gene in common", "mouse"),
    "log1p_train.h5ad": ("look log-transformed", "base seems to be e"),
    "log2_application.csv": ("look log-transformed", "base is 2 by the name of the file"),
    "one_negative.h5ad": ("negative value -2.5", "RPS8", "E2L8_ACACAGTTCTGAGATC"),
    "nan_application.csv": ("no value for gene CD74 in sample pbmc_10", "CD74 and RPS15A"),
    "zero_genes_train.h5ad": ("40 of 396 genes are zero",),
    "zero_sample.csv": ("sample pbmc_12 is zero",),
    "two_identical_types.h5ad": ("T cells CD4 conv and T cells CD8", "the same", "Merge"),
    "one_type_single_cell.h5ad": ("pDC has a single cell",),
    "test_without_pDC.h5ad": ("no correlation can be given: pDC",),
    "labels_missing.h5ad": ("2 cells", "without a label"),
    "labels_huge_name.h5ad": ("5\u00a0000 characters long",),
    "no_obs_columns.h5ad": ("no annotation", "obs"),
    "transposed_train.h5ad": ("exchanged", "cell_type in var"),
    "real_transposed_reference.h5ad": ("transposed",),
    "X_missing_layers_only.h5ad": ("layer counts",),
    "var_index_numbers.h5ad": ("numbers (0, 1, 2 ...) instead of gene names", "gene_symbol"),
    "real_anndata06_pbmc68k.h5ad": ("X holds negative values", "raw", "log-transformed"),
    "comments_and_title.csv": ("begin on line 4",),
    "thousands_separator.csv": ("thousands",),
    "samples_duplicated.csv": ("pbmc_1 and pbmc_2 occur more than once",),
    "two_sheets.xlsx": ("sheet TPM",),
    "one_gene.csv": ("1 gene cannot tell 6 cell types apart",),
    "empty.h5ad": ("is empty",),
    "truncated.h5ad": ("damaged or incomplete",),
    "truncated.csv.gz": ("damaged or incomplete",),
    "git_lfs_pointer.h5ad": ("Git LFS",),
    "h5ad_named.csv": ("looks like HDF5",),
    "r_workspace.h5ad": ("R workspace",),
    "clinical_control.csv": ("TCGA-05-4244 has the time 0", "It is kept"),
    "clinical_dots.csv": ("0 of 20 samples match", "20 match", "“.”"),
    "clinical_event_text_negative_time.csv": (
        "Alive and Dead",
        "TCGA-BR-6455 has a negative time",
        "TCGA-BR-7196 has no time",
    ),
    "clinical_months_decimal_comma.csv": ("unit of OS.time", "cannot be known", "decimal comma"),
    "truth_percent.csv": ("sum up to about 100", "percent"),
    "truth_other_names.csv": ("NK and CD8+ T cells", "pair them"),
    "application_real_negative_log2cpm.csv": ("look like log2-CPM",),
}
"""Words that the messages on a file must hold, for every file that is not accepted as it is."""


def rows() -> list[dict[str, str]]:
    path = SHARED / "data" / "awkward_files" / "manifest.csv"
    if not path.is_file():
        return []
    with open(path, encoding="utf-8") as file:
        return [dict(row) for row in csv.DictReader(file)]


def test_the_manifest_is_covered(shared_data: Path) -> None:
    listed = {row["file"]: row["expected_outcome"] for row in rows()}
    assert len(listed) > 60
    assert {file for file, outcome in listed.items() if outcome != "accept"} == set(NAMED)


@pytest.mark.parametrize("row", [pytest.param(row, id=row["file"]) for row in rows()])
def test_each_row_gives_its_outcome_and_names_the_fault(
    row: dict[str, str],
    shared_data: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = shared_data / "awkward_files"
    against = ["--against", str(folder / row["against"])] if row["against"] else []
    code = check([str(folder / row["file"]), "--role", row["role"], *against, "--json"])
    shown = capsys.readouterr()
    answer = json.loads(shown.out)
    said = " ".join(finding["message"] for finding in answer["findings"])
    assert answer["outcome"] == row["expected_outcome"], said
    assert code == (2 if answer["outcome"] == "refuse" else 0)
    assert not shown.err
    for words in NAMED.get(row["file"], ()):
        assert words in said
    for finding in answer["findings"]:
        assert set(finding) == {"code", "severity", "message", "where", "repair"}
        assert finding["message"].rstrip()[-1] in ".)"
        assert not any(
            bad in finding["message"]
            for bad in ("Traceback", "Errno", "Exception", "/tmp", str(folder))
        )
