"""Files as people have them: each gives its outcome, and what is mended has the right numbers.

The files were made after reports of people (``origin`` in ``manifest.csv``); kinds like them are
tested with files of their own beside the readers.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls

from gui.cli.check import check
from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.normalize import prepare
from tests.data.repairing import repaired

SHARED = Path(
    os.environ.get("DECONOMIX_GUI_SHARED") or Path(__file__).resolve().parents[2].parent / "shared"
)
FOLDER = SHARED / "data" / "field_files"
NOT_YET: dict[str, str] = {
    "52_parquet": "read where pyarrow is installed, as here; test_formats_arrow.py has it refused"
}
"""Files whose outcome is not that of the manifest, and why."""
NUMBERS_NOT_YET: dict[str, str] = {}
OTHER_SAMPLES = {"10_gdc_augmented_star": "PT01", "16_depmap_models_by_genes": ""}
"""Files whose samples are called otherwise than in the truth: the sample it is; "" for all in order."""
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


def cases(not_yet: dict[str, str], *roles: str, refused: bool = True) -> list[object]:
    """The rows as parameters; those of ``not_yet`` are expected to fail."""
    return [
        pytest.param(
            row,
            id=case_of(row),
            marks=[pytest.mark.xfail(reason=not_yet[case_of(row)], strict=True)]
            if case_of(row) in not_yet
            else [],
        )
        for row in rows(*roles)
        if refused or row["expected_outcome"] != "refuse"
    ]


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    """Cell types x samples."""
    return pd.read_csv(FOLDER / "00_common" / "truth.csv", index_col=0).T


@pytest.mark.parametrize("row", cases(NOT_YET))
def test_each_file_gives_its_outcome_and_says_why(
    row: dict[str, str], shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    against = [str(FOLDER / name) for name in row["against"].split(";") if name]
    options = [word for name in against for word in ("--against", name)]
    code = check([str(FOLDER / row["file"]), "--role", row["role"], *options, "--json"])
    answer = json.loads(capsys.readouterr().out)
    said = " ".join(finding["message"] for finding in answer["findings"])
    assert answer["outcome"] == row["expected_outcome"], said
    assert code == (2 if answer["outcome"] == "refuse" else 0)
    for words in SAYS.get(case_of(row), ()):
        assert words in said


MENDED = [*cases(NUMBERS_NOT_YET, "bulk", "train", refused=False)]


@pytest.mark.parametrize("row", MENDED)
def test_what_is_mended_gives_the_true_compositions(
    row: dict[str, str], shared_data: Path, truth: pd.DataFrame
) -> None:
    if case_of(row) == "63_cells_by_genes_plus_metadata":
        pytest.skip("its labels are in a second file, which the user has to choose")
    other = row["against"].split(";")[0]
    files = {row["role"]: FOLDER / row["file"]}
    if row["role"] == "bulk":
        files["train"] = FOLDER / other
    else:
        files["bulk"] = FOLDER / (other or "00_common/bulk_tpm.tsv")
    request = LoadRequest(files={role: FileChoice(path=path) for role, path in files.items()})
    prepared = prepare(load_dataset(repaired(request)))
    assert prepared.bulk is not None
    weights = prepared.reference.to_numpy()
    found = pd.DataFrame(
        {name: nnls(weights, prepared.bulk[name].to_numpy())[0] for name in prepared.bulk},
        index=prepared.reference.columns,
    )
    found /= found.sum()
    known = truth.loc[found.index]
    if case_of(row) in OTHER_SAMPLES:
        alone = OTHER_SAMPLES[case_of(row)]
        known = known[[alone] if alone else list(known)]
        found.columns = known.columns
    assert float(np.abs(found - known[found.columns]).to_numpy().mean()) < 0.03
