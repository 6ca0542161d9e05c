"""Files as people have them: each gives its outcome, and what is mended has the right numbers.

The files were made after reports of people (``origin`` in ``manifest.csv``); kinds like them are
tested with files of their own beside the readers.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gui.cli.analyze import analyze
from gui.cli.check import check

SHARED = Path(
    os.environ.get("DECONOMIX_GUI_SHARED") or Path(__file__).resolve().parents[2].parent / "shared"
)
FOLDER = SHARED / "data" / "field_files"
ONE_SAMPLE = {
    "07_htseq_headerless": "PT01",
    "08_rsem_genes_results": "PT01",
    "10_gdc_augmented_star": "PT01",
}
OTHER_NAMES = ("16_depmap_models_by_genes", "85_r_x_prefix", "89_tumour_and_normal")
"""Files whose samples are those of the truth in its order under other names."""
SAYS: dict[str, tuple[str, ...]] = {
    "01_nfcore_gene_name": ("taken from the column gene_name",),
    "03_length_column_only": ("Length (lengths of the genes)",),
    "05_cbioportal_blank_hugo": (
        "3 rows without a gene name",
        "Entrez_Gene_Id (identifiers)",
        "ADAR",
    ),
    "07_htseq_headerless": ("no header", "5 rows count reads of no gene"),
    "08_rsem_genes_results": ("TPM is taken", "effective_length", "expected_count"),
    "10_gdc_augmented_star": ("tpm_unstranded is taken", "column gene_name", "4 rows"),
    "14_tcga_legacy_pipe": ("ABCC11|", "620 genes of the training cells are found"),
    "16_depmap_models_by_genes": ("exchanged",),
    "18_gtex_gct_ensembl_train": ("version cut", "5 genes"),
    "20_r_make_names": ("dashes that R turned into points", "instead of 584"),
    "21_r_row_numbers": ("column Gene.symbol", "row numbers"),
    "26_detection_pvals": ("PT01.Detection Pval", "detection p-values"),
    "28_results_columns_behind": ("baseMean", "results of a test"),
    "37_featurecounts_second_try": ("Length (lengths of the genes)",),
    "43_bytes_as_text_names": ("b'ABCC11' is ABCC11", "b'' removed"),
}
"""Words that the messages on a file must hold."""


def rows(*roles: str) -> list[dict[str, str]]:
    path = FOLDER / "manifest.csv"
    if not path.is_file():
        return []
    with open(path, encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if not roles or row["role"] in roles]


def case_of(row: dict[str, str]) -> str:
    return row["file"].split("/")[0]


def cases(*roles: str, refused: bool = True) -> list[object]:
    """The rows as parameters."""
    return [
        pytest.param(row, id=case_of(row))
        for row in rows(*roles)
        if refused or row["expected_outcome"] != "refuse"
    ]


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    """Cell types x samples."""
    return pd.read_csv(FOLDER / "00_common" / "truth.csv", index_col=0).T


@pytest.mark.parametrize("row", cases())
def test_each_file_gives_its_outcome_and_says_why(
    row: dict[str, str],
    shared_data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # an extra that the installers and the plain program do not have; with it Parquet is read
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    against = [str(FOLDER / name) for name in row["against"].split(";") if name]
    options = [word for name in against for word in ("--against", name)]
    code = check([str(FOLDER / row["file"]), "--role", row["role"], *options, "--json"])
    answer = json.loads(capsys.readouterr().out)
    said = " ".join(finding["message"] for finding in answer["findings"])
    assert answer["outcome"] == row["expected_outcome"], said
    assert code == (2 if answer["outcome"] == "refuse" else 0)
    for words in SAYS.get(case_of(row), ()):
        assert words in said


FEW = ["--iterations", "100", "--mixtures", "200"]
"""A tenth of the training: a second for each file, and the control is within .01."""
ALLOWED = 0.03
EVENTS = {"83_censored_flag": "Censored=0", "86_status_1_2": "status=2"}
"""Clinical tables that leave open which value is the event: what is asked for and answered."""
LABELS = {"63_cells_by_genes_plus_metadata": "metadata.csv"}
"""Cells whose types are in a second table beside the file: asked for and given."""


def command(files: dict[str, Path], out: Path, *options: str) -> list[str]:
    """The words of ``analyze`` for files by role."""
    given = [word for role, path in files.items() for word in (f"--{role}", str(path))]
    return [*given, "--out", str(out), *FEW, *options]


def composition(out: Path) -> pd.DataFrame:
    """Cell types x samples, as ``analyze`` wrote it."""
    return pd.read_csv(out / "composition_bulk.csv", index_col=0)


def error_of(found: pd.DataFrame, known: pd.DataFrame) -> float:
    """Mean absolute error over types and samples, both in the same order of samples."""
    assert sorted(found.index) == sorted(known.index)
    return float(np.abs(found.to_numpy() - known.loc[found.index].to_numpy()).mean())


def files_of(row: dict[str, str]) -> dict[str, Path]:
    """The file in its role, with those that it is given against; else the common ones."""
    common = ("00_common/train.h5ad", "00_common/bulk_tpm.tsv")
    against = [name for name in row["against"].split(";") if name]
    named = {"train" if "train" in name else "bulk": name for name in (*common, *against)}
    return {role: FOLDER / name for role, name in (named | {row["role"]: row["file"]}).items()}


@pytest.mark.parametrize("bulk", ["bulk_tpm.tsv", "bulk_counts.tsv"])
def test_the_files_without_a_fault_give_the_true_compositions(
    bulk: str, shared_data: Path, truth: pd.DataFrame, tmp_path: Path
) -> None:
    files = {"train": FOLDER / "00_common" / "train.h5ad", "bulk": FOLDER / "00_common" / bulk}
    assert analyze(command(files, tmp_path / "out")) == 0
    found = composition(tmp_path / "out")
    assert list(found.columns) == list(truth.columns)
    assert error_of(found, truth) < 0.01


@pytest.mark.parametrize("row", cases(refused=False))
def test_what_is_mended_is_analysed_to_the_true_compositions(
    row: dict[str, str],
    shared_data: Path,
    truth: pd.DataFrame,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files, case, out = files_of(row), case_of(row), tmp_path / "out"
    options = ["--repair"]
    for asked, option in ((EVENTS, "--event"), (LABELS, "--labels")):
        if case not in asked:
            continue
        assert analyze(command(files, out, *options)) == 2
        said = capsys.readouterr().err
        assert option in said
        assert (asked is LABELS or asked[case] in said, out.exists()) == (True, False)
        beside = files[row["role"]].with_name(asked[case])
        options += [option, str(beside) if asked is LABELS else asked[case]]
    assert analyze(command(files, out, *options)) == 0
    found, known = composition(out), truth
    if case in ONE_SAMPLE:
        known = truth[[ONE_SAMPLE[case]]]
    elif case not in OTHER_NAMES:
        assert list(found.columns) == list(known.columns)
    assert found.shape[1] == known.shape[1]
    assert error_of(found, known) < ALLOWED
    if row["role"] == "truth":
        agreement = pd.read_csv(out / "agreement_bulk.csv", index_col=0)
        assert agreement.loc["all types", "samples"] == known.size
        assert agreement.loc["all types", "rmse"] < ALLOWED


def test_a_logarithm_taken_for_linear_is_past_what_is_allowed(
    shared_data: Path, truth: pd.DataFrame, tmp_path: Path
) -> None:
    common = FOLDER / "00_common"
    log2 = np.log2(pd.read_csv(common / "bulk_tpm.tsv", sep="\t", index_col=0) + 1)
    log2.to_csv(tmp_path / "log2.tsv", sep="\t")
    files = {"train": common / "train.h5ad", "bulk": tmp_path / "log2.tsv"}
    assert analyze(command(files, tmp_path / "out", "--as-is")) == 0
    assert error_of(composition(tmp_path / "out"), truth) > 2 * ALLOWED
