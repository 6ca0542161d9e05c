"""A table is read to the same matrix wherever its other columns are and however it is written."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gui.data.readers.options import FileChoice
from gui.data.readers.read import read_all
from gui.knowledge.human_genes import human_genes

GENES = sorted(s for s in human_genes().by_ensembl.values() if s.isalpha())[1:700:7]
IDS = {symbol: gene for gene, symbol in human_genes().by_ensembl.items()}
N = len(GENES)
RANDOM = np.random.default_rng(23)
LEVEL = RANDOM.normal(5, 1.6, (N, 1))
VALUES = np.exp(LEVEL + RANDOM.normal(0, 0.4, (N, 5))).round(2)
VALUES[::9, 1] = 0
VALUES[3:9, 2] = [0.123456789012345, 1234567.89012345, 9.87654321098765e-05, 2e15, 17, 3.5e-300]
"""What a parser that is not exact rounds; fifteen digits, as many as a sheet keeps."""
FOLD = RANDOM.normal(0, 1.3, N).round(4)

OTHERS: dict[str, tuple[tuple[str, ...], Sequence[Any]]] = {
    "ids": (("gene_id", "Gene stable ID", "ENSEMBL; release 110"), [IDS[g] for g in GENES]),
    "versions": (("id.version", "ref"), [f"{IDS[g]}.{i % 15 + 1}" for i, g in enumerate(GENES)]),
    "chromosome": (("chr", "seqnames", "where"), [f"chr{i % 22 + 1}" for i in range(N)]),
    "strand": (("Strand", "s"), ["+-"[i % 2] for i in range(N)]),
    "biotype": (("gene_type", "Class"), ["protein_coding", "lncRNA"] * (N // 2)),
    "description": (
        ("Description", "what it is, in words"),
        [f'protein {i}; "beta", chain | {i % 3}\tlike' for i in range(N)],
    ),
    "start": (
        ("Start", "txStart", "V7", "from, in bp"),
        (RANDOM.permutation(N) * 7_001 + 5_000_00).tolist(),
    ),
    "length": (
        ("Length", "gene size", "V2", "exons; bp"),
        (np.exp(RANDOM.normal(7.7, 0.8, N)).astype(int) + 60).tolist(),
    ),
    "entrez": (("EntrezGene.ID", "NCBI GeneID", "V3"), (RANDOM.permutation(N) * 13 + 90).tolist()),
    "fold": (("log2FoldChange", "KO vs WT"), FOLD.tolist()),
    "p-value": (("padj", "P"), (RANDOM.random(N) ** 3).round(6).tolist()),
    "GC content": (("Gene % GC content", "percentage_gene_gc_content"), (40 + 5 * FOLD).tolist()),
    "exons": (("exon_count", "Number of transcripts"), RANDOM.integers(1, 9, N).tolist()),
    "total": (("Total", "sum of all"), VALUES.sum(axis=1).round(2).tolist()),
}
"""Columns beside the samples: names that tell and names that do not, and the entries."""
GENE_COLUMNS = ("gene", "Symbol", "", "name, HGNC", "x")
SAMPLES = (
    ("PT01", "PT02", "PT03", "PT04", "PT05"),
    ("B, naive", "B; memory", "T|CD4", 'T "CD8"', "NK"),
    ("Müller", "Özil", "Sjögren", "Núñez", "Łukasz"),
    ("101", "102", "103", "104", "205"),
)
ABOVE = ("", "# made by a core facility; 2024, hg38\n", "Supplementary Table 3. Values, in TPM\n\n")


@dataclass(frozen=True)
class Writing:
    """How a table is written. order : of the columns; name : of the column of the genes."""

    others: tuple[tuple[str, str], ...]
    order: tuple[int, ...]
    name: str
    samples: tuple[str, ...]
    separator: str
    decimal: str
    quoting: int
    newline: str
    encoding: str
    above: str
    packing: str

    def columns(self) -> list[tuple[str, list[Any]]]:
        made: list[tuple[str, list[Any]]] = [(self.name, GENES)]
        made += [(title, list(OTHERS[kind][1])) for kind, title in self.others]
        made += [(name, VALUES[:, k].tolist()) for k, name in enumerate(self.samples)]
        return [made[i] for i in self.order]

    def rows(self) -> list[list[Any]]:
        columns = self.columns()
        return [[t for t, _ in columns], *zip(*(entries for _, entries in columns), strict=True)]

    def text(self) -> bytes:
        made = io.StringIO()
        writer = csv.writer(
            made, delimiter=self.separator, lineterminator="\n", quoting=self.quoting
        )
        for row in self.rows():
            writer.writerow([self._entry(v) for v in row])
        text = (self.above + made.getvalue()).replace("\n", self.newline)
        return text.encode(self.encoding)

    def _entry(self, value: Any) -> Any:
        if isinstance(value, float) and self.decimal == ",":
            return repr(value).replace(".", ",")
        return value

    def write(self, folder: Path) -> Path:
        if self.packing == ".xlsx":
            book = openpyxl.Workbook()
            for row in self.rows():
                book.active.append(row)
            book.save(folder / "table.xlsx")
            return folder / "table.xlsx"
        data, path = self.text(), folder / f"table.txt{self.packing}"
        if self.packing == ".zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("table.txt", data)
        elif self.packing == ".tar.gz":
            with tarfile.open(path, "w:gz") as archive:
                member = tarfile.TarInfo("results/table.txt")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        else:
            ways = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
            path.write_bytes(ways.get(self.packing, bytes)(data))
        return path


@st.composite
def writings(draw: st.DrawFn) -> Writing:
    kinds = draw(st.lists(st.sampled_from(sorted(OTHERS)), unique=True, max_size=6))
    others = tuple((kind, draw(st.sampled_from(OTHERS[kind][0]))) for kind in kinds)
    samples = draw(st.sampled_from(SAMPLES))
    order = draw(st.permutations(range(1 + len(others) + len(samples))))
    return Writing(
        others=others,
        order=tuple(order),
        name=draw(st.sampled_from(GENE_COLUMNS)),
        samples=samples,
        separator=draw(st.sampled_from("\t,;|")),
        decimal=draw(st.sampled_from(".,")),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
        newline=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        encoding=draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])),
        above=draw(st.sampled_from(ABOVE)),
        packing=draw(st.sampled_from(["", ".gz", ".bz2", ".xz", ".zip", ".tar.gz", ".xlsx"])),
    )


PLAIN = Writing(
    others=(),
    order=(0, 1, 2, 3, 4, 5),
    name="Symbol",
    samples=SAMPLES[0],
    separator="\t",
    decimal=".",
    quoting=csv.QUOTE_MINIMAL,
    newline="\n",
    encoding="utf-8",
    above="",
    packing="",
)
WORDS = (("description", "what it is, in words"),)
GC = (("GC content", "Gene % GC content"), ("entrez", "V3"))
UNNAMED = (("total", "sum of all"), ("start", "from, in bp"), ("entrez", "V3"))


@given(writings())
@example(replace(PLAIN, others=WORDS, order=(1, 2, 0, 3, 4, 5, 6), separator="|", decimal=","))
@example(replace(PLAIN, others=GC, order=(1, 2, 4, 3, 5, 6, 0, 7), separator="|", decimal=","))
@example(replace(PLAIN, samples=SAMPLES[3], order=(4, 0, 5, 3, 1, 2)))
@example(replace(PLAIN, samples=SAMPLES[3], order=(4, 0, 5, 3, 1, 2), name=""))
@example(replace(PLAIN, others=UNNAMED, order=(2, 0, 4, 5, 3, 1, 6, 7, 8)))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_other_columns_names_marks_and_packing_leave_the_same_matrix(
    tmp_path: Path, writing: Writing
) -> None:
    path = writing.write(tmp_path)
    found = read_all({"bulk": FileChoice(path=path)})[0]["bulk"].matrix
    assert list(found.genes) == GENES
    assert list(found.columns) == [t for t, _ in writing.columns() if t in writing.samples]
    at = [writing.samples.index(name) for name in found.columns]
    np.testing.assert_array_equal(found.values, VALUES[:, at])
