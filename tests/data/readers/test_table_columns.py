"""Tables as tools and people write them are read to the same matrix; what was done is said."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from gui.data.readers.expression_table import Table, read_table
from gui.data.readers.options import FileChoice
from gui.data.readers.read import read_all
from gui.data.readers.sample_names import sample_name
from gui.errors import BadNames, BadValues
from gui.knowledge.human_genes import human_genes

GENES = sorted(s for s in human_genes().by_ensembl.values() if s.isalpha())[:600:5]
IDS = {symbol: gene for gene, symbol in human_genes().by_ensembl.items()}
N = len(GENES)
RANDOM = np.random.default_rng(11)
MEAN = RANDOM.normal(5, 1.5, N)
VALUES = np.exp(MEAN[:, None] + RANDOM.normal(0, 0.4, (N, 4))).round(3)
VALUES[::9, 1] = 0
SAMPLES = ["PT01", "PT02", "PT03", "PT04"]
LENGTHS = np.exp(RANDOM.normal(7.7, 0.8, N)).astype(int) + 60


def write(path: Path, rows: list[list[Any]], separator: str = "\t", before: str = "") -> Path:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows(rows)
    path.write_text(before + text.getvalue(), encoding="utf-8")
    return path


def rows_of(*front: tuple[str, list[Any]], header: bool = True) -> list[list[Any]]:
    """Columns in front of the samples, then the samples."""
    titles = [title for title, _ in front] + SAMPLES
    body = [[*(column[i] for _, column in front), *VALUES[i]] for i in range(N)]
    return ([titles] if header else []) + body


def assert_is_the_table(found: Table, genes: list[str] = GENES) -> None:
    assert found.genes == genes
    assert found.columns == SAMPLES
    np.testing.assert_array_equal(found.values, VALUES)


IDENTIFIERS = [f"{IDS[g]}.{i % 15 + 1}" for i, g in enumerate(GENES)]
CHROMOSOMES = [f"chr{i % 22 + 1};chr{i % 22 + 1}" for i in range(N)]


def test_nf_core_tables_give_symbols_and_keep_the_ids_beside(tmp_path: Path) -> None:
    rows = rows_of(("gene_id", IDENTIFIERS), ("gene_name", GENES))
    found = read_table(write(tmp_path / "salmon.merged.gene_counts.tsv", rows))
    assert_is_the_table(found)
    assert found.texts == {"gene_id": IDENTIFIERS}
    assert found.traits["genes-column"] == "The gene names are taken from the column gene_name."


def test_featurecounts_as_it_comes_with_its_comment_and_its_paths(tmp_path: Path) -> None:
    front = [("Geneid", GENES), ("Chr", CHROMOSOMES), ("Start", ["1;9"] * N), ("End", ["2;9"] * N)]
    rows = rows_of(*front, ("Strand", ["+;+"] * N), ("Length", list(LENGTHS)))
    rows[0][-4:] = [f"work/a1/{s}.markdup.sorted.bam" for s in SAMPLES]
    comment = '# Program:featureCounts v2.0.1; Command:"featureCounts" "-a" "genes.gtf"\n'
    found = read_table(write(tmp_path / "counts.txt", rows, before=comment))
    assert found.left_out == {"Length": "lengths of the genes"}
    assert "1 line of comments" in found.traits["comment-lines"]
    rows[0][-4:] = [f"{s}.sorted.bam" for s in SAMPLES]
    assert_is_the_table(read_table(write(tmp_path / "again.txt", rows)))


@pytest.mark.parametrize("names", [GENES, IDENTIFIERS])
def test_htseq_counts_without_a_header_lose_no_gene(names: list[str], tmp_path: Path) -> None:
    rows = [[name, int(v)] for name, v in zip(names, VALUES[:, 0], strict=True)]
    rows += [["__no_feature", 9_000], ["__ambiguous", 12], ["__alignment_not_unique", 0]]
    found = read_table(write(tmp_path / "PT07.htseq.counts.txt", rows))
    assert found.genes == names
    assert found.columns == ["PT07"]
    assert "no header" in found.traits["no-header"]
    assert "3 rows count reads of no gene" in found.traits["summary-rows"]


@pytest.mark.parametrize(("factor", "chosen"), [(1, 0), (40, 2)])
def test_star_counts_are_taken_of_the_strand_that_was_sequenced(
    factor: int, chosen: int, tmp_path: Path
) -> None:
    base = VALUES[:, 0].astype(int) * factor
    other = VALUES[:, 0].astype(int)
    counts = np.column_stack([base + other, other, base])
    rows = [
        [f"N_{what}", 5, 6, 7] for what in ("unmapped", "multimapping", "noFeature", "ambiguous")
    ]
    rows += [[gene, *row] for gene, row in zip(IDENTIFIERS, counts.tolist(), strict=True)]
    found = read_table(write(tmp_path / "PT03_ReadsPerGene.out.tab", rows))
    assert found.genes == IDENTIFIERS
    assert found.columns == ["PT03"]
    np.testing.assert_array_equal(found.values[:, 0], counts[:, chosen])


def test_a_gdc_file_gives_its_tpm_and_loses_its_summary_rows(tmp_path: Path) -> None:
    titles = ["gene_id", "gene_name", "gene_type", "unstranded", "tpm_unstranded"]
    rows: list[list[Any]] = [titles, ["N_unmapped", "", "", 77, ""], ["N_noFeature", "", "", 5, ""]]
    for i, gene in enumerate(GENES):
        rows.append([IDENTIFIERS[i], gene, "protein_coding", int(VALUES[i, 1] * 3), VALUES[i, 1]])
    path = write(tmp_path / "ab12.tsv", rows, before="# gene-model: GENCODE v36\n")
    found = read_table(path)
    assert (found.genes, found.columns) == (GENES, ["ab12"])
    np.testing.assert_array_equal(found.values[:, 0], VALUES[:, 1])
    assert "tpm_unstranded" in found.traits["measure"]


def test_rows_without_a_name_are_dropped_and_counted(tmp_path: Path) -> None:
    rows = rows_of(("Hugo_Symbol", GENES), ("Entrez_Gene_Id", list(range(2_000, 2_000 + N))))
    rows[3][0] = rows[7][0] = ""
    found = read_table(write(tmp_path / "data_mrna_seq_v2_rsem.txt", rows))
    assert found.traits["blank-names"] == "2 rows without a gene name left out."
    assert found.genes == [g for i, g in enumerate(GENES) if i not in (2, 6)]
    assert found.columns == SAMPLES
    assert found.left_out == {"Entrez_Gene_Id": "identifiers"}


def test_a_name_that_is_missing_is_filled_with_the_id_beside_it(tmp_path: Path) -> None:
    rows = rows_of(("gene_id", IDENTIFIERS), ("gene_name", ["", *GENES[1:]]))
    found = read_table(write(tmp_path / "t.tsv", rows))
    assert found.genes == [IDENTIFIERS[0], *GENES[1:]]


def test_r_row_numbers_and_a_column_of_genes(tmp_path: Path) -> None:
    rows = rows_of(("", list(range(1, N + 1))), ("SYMBOL", GENES))
    assert_is_the_table(read_table(write(tmp_path / "t.csv", rows, ",")))
    assert_is_the_table(read_table(write(tmp_path / "u.csv", rows, ";")))


def test_a_geo_series_matrix_is_read_between_its_marks(tmp_path: Path) -> None:
    before = "".join(f'!Sample_{k}\t"a"\t"b"\n' for k in range(90)) + "!series_matrix_table_begin\n"
    path = write(tmp_path / "GSE1_series_matrix.txt", rows_of(("ID_REF", GENES)), before=before)
    path.write_text(path.read_text() + "!series_matrix_table_end\n")
    assert_is_the_table(read_table(path))


def test_a_sheet_is_read_like_a_text(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in rows_of(("ensembl", IDENTIFIERS), ("symbol", GENES), ("length", LENGTHS.tolist())):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    found = read_table(tmp_path / "t.xlsx")
    assert_is_the_table(found)
    assert found.left_out == {"length": "lengths of the genes"}


def test_what_the_user_says_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", rows_of(("gene", GENES), ("Length", list(LENGTHS))))
    part = read_all({"bulk": FileChoice(path=path, samples=("PT02", "Length"))})[0]["bulk"]
    assert list(part.matrix.columns) == ["Length", "PT02"]
    assert part.source.options["samples"] == ("PT02", "Length")
    with pytest.raises(BadNames, match="no column PT09"):
        read_table(path, samples=["PT09"])


def test_a_table_of_test_results_alone_is_refused_as_what_it_is(tmp_path: Path) -> None:
    rows = [["gene", "log2FoldChange", "padj"], *([g, -1.5, 0.02] for g in GENES)]
    with pytest.raises(BadValues, match="holds no sample"):
        read_table(write(tmp_path / "deseq2.tsv", rows))


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("PT01.genes.results", "PT01"),
        ("PT01.counts.txt.gz", "PT01"),
        ("a/b/PT01.htseq.txt", "PT01"),
        ("salmon/PT04/quant.genes.sf", "PT04"),
        ("quant.sf", "quant"),
        ("TCGA-A1-A0SB.01.tsv", "TCGA-A1-A0SB.01"),
        ("ab12.rna_seq.augmented_star_gene_counts.tsv", "ab12"),
        ("PT03_ReadsPerGene.out.tab", "PT03"),
    ],
)
def test_a_sample_is_named_after_its_file(name: str, sample: str) -> None:
    assert sample_name(name) == sample
