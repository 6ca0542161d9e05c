"""Every file that is accepted is described before it is loaded: genes, samples, what was left out,
values, cell types.

What is expected was written down from the files themselves, not from the program.
"""

from __future__ import annotations

import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from gui.cli.check import check
from tests.data.test_field_files import FOLDER, case_of, rows

BULK = ("PT01", "PT08", 8)
CELLS = ("TTCCGCTCCGTGCTGC-1", "TATGTGCACTTCTAGC-1", 120)
NOTHING: tuple[str, ...] = ()
Expected = tuple[str, tuple[str, str, int], tuple[str, ...], tuple[str, ...], str]
EXPECTED: dict[str, Expected] = {
    # genes from, samples, left out, values, cell types
    "01": ("column gene_name", BULK, ("gene_id",), ("TPM",), ""),
    "03": ("column Geneid", BULK, ("Length (lengths of the genes)",), ("counts",), ""),
    "05": (
        "column Hugo_Symbol",
        BULK,
        ("Entrez_Gene_Id (identifiers)", "3 rows without a gene name"),
        ("linear",),
        "",
    ),
    "07": ("first column", ("PT01", "PT01", 1), ("5 rows count reads",), ("counts",), ""),
    "08": (
        "column gene_id",
        ("PT01", "PT01", 1),
        ("FPKM", "expected_count", "effective_length (lengths", "transcript_id(s)"),
        ("TPM",),
        "",
    ),
    "10": (
        "column gene_name",
        ("augmented", "augmented", 1),
        ("gene_id and gene_type", "fpkm_unstranded", "4 rows", "1 line of comments"),
        ("tpm_unstranded", "TPM"),
        "",
    ),
    "12": ("column sample", BULK, NOTHING, ("log2(x + 0.001)",), ""),
    "14": ("column gene_id", BULK, NOTHING, ("linear",), ""),
    "16": (
        "names of the columns",
        ("ACH-000000", "ACH-000007", 8),
        ("exchanged",),
        ("log2(x + 1)", "TPM"),
        "",
    ),
    "18": ("column Name", BULK, ("Description",), ("TPM",), ""),
    "20": ("first column", BULK, NOTHING, ("TPM",), ""),
    "21": ("column Gene.symbol", BULK, ("row numbers",), ("TPM",), ""),
    "26": ("column ID_REF", BULK, ("PT01.Detection Pval", "p-values"), ("linear",), ""),
    "28": ("column gene", BULK, ("baseMean", "3 more (results of a test)"), ("counts",), ""),
    "30": ("column Gene", BULK, ("above the table",), ("TPM",), ""),
    "33": ("column gene", BULK, NOTHING, ("TPM",), ""),
    "35": ("names of the columns", BULK, ("tissue",), ("TPM",), ""),
    "37": ("column Geneid", BULK, ("Length (lengths", "Chr, Start, End"), ("counts",), ""),
    "40": ("index of var", CELLS, ("2 cells without a label",), ("counts",), "cell_type"),
    "41": ("index of var", CELLS, NOTHING, ("counts",), "annotation_chr"),
    "43": ("index of var", CELLS, NOTHING, ("counts",), "cell_type"),
    "44": ("index of var", CELLS, NOTHING, ("counts",), "celltype.l2"),
    "45": ("index of var", CELLS, ("20 features", "Antibody"), ("counts",), "cell_type"),
    "56": (
        "column GeneSymbol",
        ("B cells", "Monocytes.23", 120),
        NOTHING,
        ("counts",),
        "names of the columns",
    ),
    "59": ("index of var", ("0", "119", 120), ("3 cells",), ("counts",), "cell_type"),
    "60": ("index of var", CELLS, ("X holds",), ("raw", "ln(x + 1)"), "cell_type"),
    "63": ("first column", ("ABCC11", "ZNF830", 620), NOTHING, ("counts",), "the columns"),
    "64": ("index of var", CELLS, ("X holds",), ("raw", "counts"), "cell_type"),
    # names of the samples, samples, left out, values, cell types
    "71": ("column sample", BULK, NOTHING, ("percent",), "5, the names of the columns"),
    "73": ("column sample", BULK, NOTHING, ("numbers of cells",), "5, the names"),
    "75": ("column sample", BULK, ("Total (the sum",), ("percent",), "5, the names"),
    # names of the samples, samples, left out, times, event
    "80": (
        "column case_submitter_id",
        BULK,
        NOTHING,
        ("days to death or last follow-up", "45 to 1533"),
        "vital_status: Dead; 5 of 8",
    ),
    "82": (
        "column PATIENT_ID",
        BULK,
        ("4 lines of comments",),
        ("OS_MONTHS, months",),
        "OS_STATUS: 1:DECEASED; 5 of 8",
    ),
    "83": ("column sample", BULK, NOTHING, ("OS_days, days",), "Censored: 0 (to be confirmed)"),
    "85": (
        "column sample",
        ("100-T", "107-T", 8),
        NOTHING,
        ("OS.time", "unit not known"),
        "OS: 1; 5 of 8",
    ),
    "86": ("column id", BULK, NOTHING, ("time", "not known"), "status: 2 (to be confirmed)"),
    "89": (
        "column bcr_patient_barcode",
        ("TCGA-A1-017B", "TCGA-A4-047B", 4),
        ("4 of normal tissue",),
        ("OS.time",),
        "OS: 1; 3 of 4",
    ),
    "91": ("column PATIENT_ID", BULK, NOTHING, ("DFS_MONTHS, months",), "5 of 8"),
}
NAMES = {
    "clinical": ("Names of the samples", "Samples", "Left out", "Times", "Event"),
    "truth": ("Names of the samples", "Samples", "Left out", "Values", "Cell types"),
    "": ("Gene names", "Columns", "Left out", "Values", "Cell types"),
}
UNSAID = ("nothing", "none (bulk)")
"""What the sentence leaves out."""
ACCEPTED = [
    row for row in rows() if row["expected_outcome"] != "refuse" and case_of(row)[:2] in EXPECTED
]


def recognised(
    capsys: pytest.CaptureFixture[str], path: Path, role: str, *against: Path
) -> dict[str, str]:
    """The facts that ``check --json`` gives, which are those of the page."""
    options = [word for other in against for word in ("--against", str(other))]
    check([str(path), "--role", role, *options, "--json"])
    answer = json.loads(capsys.readouterr().out)
    (one,) = answer["recognised"]
    assert one["file"] == path.name
    assert one["role"] == role
    facts: dict[str, str] = {
        name: said.replace("\u00a0", " ") for name, said in one["facts"].items()
    }
    text = answer["findings"][0]["message"].replace("\u00a0", " ")
    assert all(said.rstrip(".") in text for said in facts.values() if said not in UNSAID)
    return facts


@pytest.mark.parametrize("row", ACCEPTED, ids=case_of)
def test_every_accepted_file_names_genes_samples_what_was_left_out_values_and_types(
    row: dict[str, str], shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    against = [FOLDER / name for name in row["against"].split(";") if name]
    facts = recognised(capsys, FOLDER / row["file"], row["role"], *against)
    names, (first, last, count), left_out, values, types = EXPECTED[case_of(row)[:2]]
    said = [facts[name] for name in NAMES[row["role"] if row["role"] in NAMES else ""]]
    assert names in said[0]
    assert str(count) in said[1].split(":")[0]
    assert (f"{first} to {last}" if count > 1 else first) in said[1]
    assert all(words in said[2] for words in left_out)
    assert left_out or said[2] == "nothing"
    assert all(words in said[3] for words in values)
    if row["role"] == "bulk":
        assert said[4] == "none (bulk)"
    assert types in said[4]


def test_every_text_column_that_is_not_taken_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    genes = [f"ENSG{i:011d}" for i in range(60)]
    table = pd.DataFrame(
        {
            "id": genes,
            "biotype": "protein_coding",
            "A": np.arange(60.0) + 0.5,
            "B": np.arange(60.0)[::-1],
            "band": "p36.33",
        }
    )
    table.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    facts = recognised(capsys, tmp_path / "t.tsv", "bulk")
    assert facts["Gene names"].startswith("60 from the column id, such as ENSG")
    assert facts["Columns"] == "2 samples: A to B"
    assert "biotype and band" in facts["Left out"]


def test_the_matrices_that_are_not_taken_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(3, (40, 80)).astype(np.float32)
    cells = anndata.AnnData(
        np.log1p(counts / counts.sum(1, keepdims=True) * 1e4),
        obs=pd.DataFrame({"cell_type": ["T", "B"] * 20}, index=[f"c{i}" for i in range(40)]),
        var=pd.DataFrame(index=[f"G{i}" for i in range(80)]),
        layers={"counts": counts},
    )
    cells.write_h5ad(tmp_path / "c.h5ad")
    facts = recognised(capsys, tmp_path / "c.h5ad", "train")
    assert "from layer counts (not from X)" in facts["Values"]
    assert facts["Cell types"] == "2 from column cell_type"


def test_rows_without_a_time_and_patients_without_a_sample_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bulk = pd.DataFrame(
        np.arange(180.0).reshape(60, 3), [f"G{i}" for i in range(60)], ["A1", "A2", "A9"]
    )
    bulk.to_csv(tmp_path / "bulk.tsv", sep="\t", index_label="gene")
    (tmp_path / "c.csv").write_text("id,OS_days,OS_event,age\nA1,10,1,50\nA2,,0,60\nA3,30,0,70\n")
    facts = recognised(capsys, tmp_path / "c.csv", "clinical", tmp_path / "bulk.tsv")
    assert facts["Samples"] == "3: A1 to A3; 2 of 3 of the bulk joined"
    for words in ("1 of no sample", "1 of the bulk not in this table", "1 without a time"):
        assert words in facts["Left out"]
    assert facts["Event"] == "column OS_event: 1; 1 of 3"
    assert facts["Other columns"] == "1: age"
