"""Tables as tools, archives and people write them; every file is made here after their manuals."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from gui.cli.check import check
from gui.data.dataset import Role
from gui.data.readers.file_kind import file_kind
from gui.data.readers.options import FileChoice
from gui.data.readers.part import Part
from gui.data.readers.read import read_all
from gui.errors import BadValues, DataError, UnreadableFile
from gui.knowledge.human_genes import human_genes

GENES = sorted(s for s in human_genes().by_ensembl.values() if s.isalpha())[:480:4]
IDS = {symbol: gene for gene, symbol in human_genes().by_ensembl.items()}
ENSEMBL = [f"{IDS[g]}.{i % 9 + 1}" for i, g in enumerate(GENES)]
N = len(GENES)
RANDOM = np.random.default_rng(4)
VALUES = (np.exp(RANDOM.normal(5, 1.5, N))[:, None] * RANDOM.uniform(0.6, 1.6, (N, 4))).round(2)
SAMPLES = ["LU_3", "LU_7", "OV_1", "OV_2"]


def rows(separator: str = "\t", header: str = "gene", decimal: str = ".") -> str:
    lines = [separator.join([header, *SAMPLES])]
    for gene, row in zip(GENES, VALUES, strict=True):
        lines.append(separator.join([gene, *(f"{v:.2f}".replace(".", decimal) for v in row)]))
    return "\n".join(lines) + "\n"


def part_of(path: Path, role: Role = "bulk", **choice: Any) -> Part:
    return read_all({role: FileChoice(path=path, **choice)})[0][role]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def assert_whole(part: Part) -> None:
    assert list(part.matrix.genes) == GENES
    assert list(part.matrix.columns) == SAMPLES
    np.testing.assert_allclose(np.asarray(part.matrix.values), VALUES)


def zipped(**files: str | bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(files: dict[str, str | bytes], mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


# -- packed
# --------------------------------------------------------------------------------------------------

PACKINGS: dict[str, Callable[[str], bytes]] = {
    "table.csv.gz": lambda text: gzip.compress(text.encode()),
    "table.tsv.bz2": lambda text: bz2.compress(text.encode()),
    "table.tsv.xz": lambda text: lzma.compress(text.encode()),
    "table.zip": lambda text: zipped(**{"data/expr.tsv": text, "__MACOSX/._expr.tsv": b"\0\1"}),
    "with_readme.zip": lambda text: zipped(**{"expr.txt": text, "README.md": "# About"}),
    "inside.zip": lambda text: zipped(**{"expr.tsv.gz": gzip.compress(text.encode())}),
    "table.tar": lambda text: tarred({"./x/expr.tsv": text}, "w"),
    "firehose.tar.gz": lambda text: tarred({"a/MANIFEST.txt": "md5 x", "a/m.data.txt": text}),
    "table.tar.bz2": lambda text: tarred({"expr.csv": text}, "w:bz2"),
    "called.csv": lambda text: zipped(**{"expr.tsv": text}),
}


@pytest.mark.parametrize("name", PACKINGS)
def test_one_table_reads_alike_however_it_is_packed(name: str, tmp_path: Path) -> None:
    assert_whole(part_of(write(tmp_path / name, PACKINGS[name](rows()))))


def test_an_archive_says_which_table_was_read_and_refuses_several(tmp_path: Path) -> None:
    part = part_of(write(tmp_path / "t.zip", zipped(**{"a/expr.tsv": rows()})))
    assert part.traits["unpacked"] == "Read from a/expr.tsv in t.zip."
    with pytest.raises(UnreadableFile, match=r"2 files: one\.tsv and two\.tsv"):
        part_of(write(tmp_path / "u.zip", zipped(**{"one.tsv": rows(), "two.tsv": rows()})))
    with pytest.raises(UnreadableFile, match="no table"):
        part_of(write(tmp_path / "v.zip", zipped(**{"figure.pdf": b"%PDF-1.4"})))


@pytest.mark.parametrize("name", ["table.tsv.bz2", "table.tsv.xz", "table.zip", "firehose.tar.gz"])
def test_what_breaks_off_is_damaged_in_every_packing(name: str, tmp_path: Path) -> None:
    whole = PACKINGS[name](rows())
    with pytest.raises(UnreadableFile, match=r"damaged|no file that can be read"):
        part_of(write(tmp_path / name, whole[: len(whole) // 2]))


@pytest.mark.parametrize(
    ("name", "content", "way_out"),
    [
        ("e.parquet", b"PAR1" + bytes(40), "read_parquet"),
        ("e.feather", b"ARROW1\0\0" + bytes(40), "read_feather"),
        ("x.rds", gzip.compress(b"X\n\0\0\0\3\0\4\2\0" + bytes(90)), "readRDS"),
        ("x.rds.xz", lzma.compress(b"X\n\0\0\0\3\0\4\2\0" + bytes(90)), "readRDS"),
        ("x.RData", bz2.compress(b"RDX3\nX\n" + bytes(90)), "write.csv"),
        ("t.csv.zst", b"(\xb5/\xfd" + bytes(40), "unzstd"),
        ("t.7z", b"7z\xbc\xaf\x27\x1c" + bytes(40), "Unpack"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(80), ".xlsx"),
        ("x.xls", b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n', ".xlsx"),
    ],
    ids=["parquet", "feather", "rds", "rds-xz", "rdata-bz2", "zstd", "7z", "xls", "xml"],
)
def test_what_is_not_read_is_named_with_the_way_out_and_never_called_damaged(
    name: str, content: bytes, way_out: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as refused:
        part_of(write(tmp_path / name, content))
    assert way_out in (refused.value.advice or "")
    assert "damaged" not in str(refused.value)


# -- what stands above the table
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "trait", "words"),
    [
        ("# tool v1\n# run 2\n", "comment-lines", "2 lines of comments"),
        ("Supplementary Table 2: TPM, all samples\n\n", "title", "line 3"),
        ("Table S2\t\t\t\t\n\t\t\t\t\n", "title", "Table S2"),
        ("%% exported\n", "comment-lines", "1 line"),
    ],
)
def test_what_stands_above_the_header_is_left_out_and_said(
    before: str, trait: str, words: str, tmp_path: Path
) -> None:
    part = part_of(write(tmp_path / "t.txt", before + rows()))
    assert_whole(part)
    assert words in part.traits[trait]


def test_a_header_that_begins_with_a_mark_of_comments_is_one(tmp_path: Path) -> None:
    assert_whole(part_of(write(tmp_path / "t.txt", rows(header="#NAME"))))


@pytest.mark.parametrize("blank", [0, 2])
def test_a_sheet_with_a_title_text_numbers_and_several_pages(blank: int, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Legend"
    book.active.append(["This file holds TPM."])
    page = book.create_sheet("TPM")
    page.append(["Table S4. Expression"])
    for _ in range(blank):
        page.append([])
    page.append(["Gene", *SAMPLES])
    for gene, row in zip(GENES, VALUES, strict=True):
        page.append([gene, *(str(v) if i % 2 else float(v) for i, v in enumerate(row))])
    book.save(tmp_path / "s.xlsx")
    part = part_of(tmp_path / "s.xlsx")
    assert_whole(part)
    assert {"title", "text-numbers", "other-sheet"} <= set(part.traits)


def test_two_rows_of_names_of_firehose_give_one_measure_per_sample(tmp_path: Path) -> None:
    names = "\t".join(f"{s}\t{s}\t{s}" for s in SAMPLES)
    kinds = "\t".join(["raw_count\tscaled_estimate\ttranscript_id"] * 4)
    lines = [f"Hybridization REF\t{names}", f"gene_id\t{kinds}"]
    for i, gene in enumerate(GENES):
        cells = "\t".join(f"{VALUES[i, k]}\t{VALUES[i, k] / 1e6:.8f}\tuc00{i}" for k in range(4))
        lines.append(f"{gene}|{1000 + i}\t{cells}")
    part = part_of(write(tmp_path / "rsem_genes.txt", "\n".join(lines)))
    assert list(part.matrix.columns) == SAMPLES
    np.testing.assert_allclose(np.asarray(part.matrix.values) / VALUES, 1e-6, rtol=0.5)


def test_a_row_of_groups_above_or_below_the_samples_is_no_header(tmp_path: Path) -> None:
    text = rows()
    groups = "group\tlung\tlung\tovary\tovary\n"
    head, _, body = text.partition("\n")
    for content in (groups + text, f"{head}\n{groups}{body}"):
        part = part_of(write(tmp_path / "t.tsv", content))
        assert_whole(part)
        assert "2 rows of names" in part.traits["two-headers"]


def test_quoted_decimal_commas_and_percent_signs(tmp_path: Path) -> None:
    quoted = rows("\t", decimal=",").replace("\t", '","').replace("\n", '"\n"')
    assert_whole(part_of(write(tmp_path / "t.csv", '"' + quoted.removesuffix('"'))))
    part = part_of(
        write(
            tmp_path / "p.tsv",
            "\n".join(
                line if i == 0 else line.replace("\t", " %\t").replace(" %\t", "\t", 1) + " %"
                for i, line in enumerate(rows().splitlines())
            ),
        )
    )
    assert_whole(part)
    assert "percent sign" in part.traits["percent"]


def german(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


@pytest.mark.parametrize("form", [german, lambda v: f"{v:,.2f}"], ids=["2.668,80", "2,668.80"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_quoted_numbers_with_their_thousands_separated(
    form: Callable[[float], str], separator: str, tmp_path: Path
) -> None:
    lines = [separator.join(f'"{name}"' for name in ("gene", *SAMPLES))]
    for gene, row in zip(GENES, 40 * VALUES, strict=True):
        lines.append(separator.join(f'"{entry}"' for entry in (gene, *map(form, row))))
    part = part_of(write(tmp_path / "t.csv", "\n".join(lines) + "\n"))
    assert list(part.matrix.columns) == SAMPLES
    np.testing.assert_allclose(np.asarray(part.matrix.values), 40 * VALUES)
    assert "between the thousands" in part.traits["thousands-separator"]


@pytest.mark.parametrize("separator", [",", ";"])
def test_decimal_commas_are_quoted_where_there_are_decimals_alone(
    separator: str, tmp_path: Path
) -> None:
    """As LibreOffice and R's write.csv2 write them: whole numbers stand without quotes."""
    lines = [separator.join(("gene", *SAMPLES))]
    for gene, row in zip(GENES, VALUES.round(1), strict=True):
        entries = [f'"{v:.1f}"'.replace(".", ",") if v % 1 else f"{v:.0f}" for v in row]
        lines.append(separator.join((gene, *entries)))
    part = part_of(write(tmp_path / "t.csv", "\n".join(lines) + "\n"))
    np.testing.assert_allclose(np.asarray(part.matrix.values), VALUES.round(1))


@pytest.mark.parametrize("place", [0, 1])
def test_another_column_of_text_may_name_the_genes(place: int, tmp_path: Path) -> None:
    """Of BioMart's and a core facility's tables: the ID or the symbol in front."""
    front = [("gene_id", ENSEMBL), ("symbol", GENES), ("description", [f"p{i}" for i in range(N)])]
    if place:
        front = [front[1], front[0], front[2]]
    lines = ["\t".join([*(title for title, _ in front), *SAMPLES])]
    lines += [
        "\t".join([*(names[i] for _, names in front), *(f"{v:.2f}" for v in VALUES[i])])
        for i in range(N)
    ]
    path = write(tmp_path / "t.tsv", "\n".join(lines) + "\n")
    proposed = part_of(path)
    assert_whole(proposed)
    assert proposed.genes_from == "column symbol"
    assert_whole(part_of(path, genes_column="symbol"))
    chosen = part_of(path, genes_column="gene_id")
    assert list(chosen.matrix.genes) == ENSEMBL
    assert chosen.genes_from == "column gene_id"
    assert chosen.source.options["genes_column"] == "gene_id"
    np.testing.assert_allclose(np.asarray(chosen.matrix.values), VALUES)
    with pytest.raises(UnreadableFile, match="no column of text LU_3"):
        part_of(path, genes_column="LU_3")


# -- transposed
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [1, 60, N + 1])
def test_samples_in_rows_with_a_column_of_groups(place: int, tmp_path: Path) -> None:
    header = ["ModelID", *GENES]
    body = [[s, *map(str, VALUES[:, k])] for k, s in enumerate(SAMPLES)]
    header.insert(place, "tissue")
    for row in body:
        row.insert(place, row[0][:2])
    text = "\n".join(",".join(row) for row in [header, *body])
    part = part_of(write(tmp_path / "t.csv", text))
    assert_whole(part)
    assert "tissue" in part.traits["samples-in-rows"]


def test_cells_in_rows_with_their_types_are_labelled(tmp_path: Path) -> None:
    body = [["T cell" if k % 2 else "B cell", *map(str, VALUES[:, k])] for k in range(4)]
    lines = [["", "cell_type", *GENES], *([f"AAC{k}-1", *row] for k, row in enumerate(body))]
    part = part_of(write(tmp_path / "c.csv", "\n".join(",".join(r) for r in lines)), "train")
    assert list(part.labels) == ["B cell", "T cell", "B cell", "T cell"]
    assert list(part.matrix.genes) == GENES
    assert part.unlabelled is None


def test_barcodes_in_rows_are_labelled_by_the_table_beside(tmp_path: Path) -> None:
    lines = [["", *GENES], *([f"AAC{k}-1", *map(str, VALUES[:, k])] for k in range(4))]
    counts = write(tmp_path / "c.csv", "\n".join(",".join(r) for r in lines))
    labels = write(tmp_path / "m.csv", "barcode,cell_type\nAAC3-1,NK\nAAC0-1,B\nAAC1-1,T\n")
    part = part_of(counts, "train", labels=labels)
    assert list(part.labels) == ["B", "T", None, "NK"]


# -- cell types as column names
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["pandas", "R", "repeated"])
def test_repeated_cell_types_are_the_same_however_they_were_numbered(
    tool: str, tmp_path: Path
) -> None:
    types = ["CD4 T", "B", "CD4 T", "CD4 T", "B"]
    named = {
        "pandas": ["CD4 T", "B", "CD4 T.1", "CD4 T.2", "B.1"],
        "R": ["CD4.T", "B", "CD4.T.1", "CD4.T.2", "B.1"],
        "repeated": types,
    }[tool]
    lines = ["\t".join(["GeneSymbol", *named])]
    for i, gene in enumerate(GENES):
        lines.append("\t".join([gene, *(str(VALUES[i, k % 4]) for k in range(5))]))
    part = part_of(write(tmp_path / "scref.txt", "\n".join(lines)), "train")
    wanted = [t.replace(" ", ".") for t in types] if tool == "R" else types
    assert list(part.labels) == wanted
    assert ("numbered-types" in part.traits) is (tool != "repeated")


def test_versions_in_names_of_types_are_no_numbers_of_r(tmp_path: Path) -> None:
    lines = ["gene\tTh1.5\tTh2.7\tNK\tB"]
    lines += ["\t".join([g, *map(str, r)]) for g, r in zip(GENES, VALUES, strict=True)]
    part = part_of(write(tmp_path / "r.txt", "\n".join(lines)), "train")
    assert list(part.labels) == ["Th1.5", "Th2.7", "NK", "B"]


# -- GEO
# --------------------------------------------------------------------------------------------------


def test_a_series_matrix_without_values_says_where_they_are(tmp_path: Path) -> None:
    text = '!Series_title\t"x"\n!series_matrix_table_begin\n"ID_REF"\t"GSM1"\n'
    with pytest.raises(UnreadableFile, match="without values") as refused:
        part_of(write(tmp_path / "GSE1_series_matrix.txt", text + "!series_matrix_table_end\n"))
    assert "supplementary table" in str(refused.value.advice)
    with pytest.raises(UnreadableFile, match="SOFT"):
        part_of(write(tmp_path / "GSE1_family.soft", "^DATABASE = GeoMiame\n!x = y\na\t1\n"))


def test_a_series_matrix_packed_as_geo_has_it(tmp_path: Path) -> None:
    quoted = rows(header='"ID_REF"')
    text = '!Series_title\t"x"\n\n' + '!Sample_title\t"a"\n' * 80
    text += f"!series_matrix_table_begin\n{quoted}!series_matrix_table_end\n"
    assert_whole(part_of(write(tmp_path / "m.txt.gz", gzip.compress(text.encode()))))


def test_no_numbers_at_all_are_said(tmp_path: Path) -> None:
    with pytest.raises((BadValues, UnreadableFile)):
        part_of(write(tmp_path / "t.csv", "gene,a,b\nCD3E,x,y\nCD19,z,w\n"))


def test_kinds_are_told_by_content(tmp_path: Path) -> None:
    tar = tarred({"f/matrix.mtx.gz": b"", "f/barcodes.tsv.gz": b"", "f/features.tsv.gz": b""})
    assert file_kind(write(tmp_path / "a.tar.gz", tar), "a.tar.gz") == "10x"
    assert file_kind(write(tmp_path / "b.zip", zipped(**{"x.csv": rows(",")})), "b.zip") == "table"


@pytest.mark.parametrize("first", [(5, 7, 11), (11, 7, 5), (4, 4, 9), (0, 1, 5)])
def test_a_first_gene_is_no_header_whatever_its_counts(
    first: tuple[int, ...], tmp_path: Path
) -> None:
    lines = ["\t".join([GENES[0], *map(str, first)])]
    lines += [f"{g}\t{i}\t{i + 3}\t{2 * i}" for i, g in enumerate(GENES[1:])]
    part = part_of(write(tmp_path / "t.txt", "\n".join(lines) + "\n"))
    assert list(part.matrix.genes) == GENES
    assert np.asarray(part.matrix.values)[0].tolist() == list(first)


def test_numbers_taken_for_names_of_samples_are_said(tmp_path: Path) -> None:
    lines = ["patients\t1034\t1021\t1077", *(f"{g}\t{i * i}\t1\t2" for i, g in enumerate(GENES))]
    part = part_of(write(tmp_path / "t.txt", "\n".join(lines) + "\n"))
    assert list(part.matrix.columns) == ["1034", "1021", "1077"]
    assert "1034" in part.traits["numeric-names"]


def rows_of_samples(before: list[str], each: list[list[str]]) -> str:
    lines = [",".join([*before, *GENES])]
    for k, sample in enumerate(each):
        lines.append(",".join([*sample, *(f"{v:.2f}" for v in VALUES[:, k])]))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("other", ["age", "nCount_RNA", "total_counts", "percent.mt", "OS.time"])
def test_what_is_known_of_a_sample_is_no_gene(other: str, tmp_path: Path) -> None:
    text = rows_of_samples(["sample", other], [[s, f"{40 + k}"] for k, s in enumerate(SAMPLES)])
    part = part_of(write(tmp_path / "t.csv", text))
    assert_whole(part)
    assert other in part.traits["columns-left-out"]


def test_numbers_of_rows_are_no_names_where_names_stand_beside_them(tmp_path: Path) -> None:
    text = rows_of_samples(["", "sample"], [[str(k), s] for k, s in enumerate(SAMPLES)])
    assert_whole(part_of(write(tmp_path / "t.csv", text)))


@pytest.mark.parametrize("entry", ["Low", "<0.5", "0x10"])
@pytest.mark.parametrize("at", [0, 2])
def test_a_sample_that_is_text_is_not_dropped_in_silence(
    entry: str, at: int, tmp_path: Path
) -> None:
    values = [[f"{v:.2f}" for v in row] for row in VALUES]
    for row in values[: 2 * N // 3]:
        row[at] = entry
    lines = ["\t".join(["gene", *SAMPLES])]
    lines += ["\t".join([g, *row]) for g, row in zip(GENES, values, strict=True)]
    part = part_of(write(tmp_path / "t.tsv", "\n".join(lines) + "\n"))
    assert SAMPLES[at] not in list(part.matrix.columns)
    assert SAMPLES[at] in part.traits["text-columns"]


def test_percent_as_text_and_as_a_format_are_not_mixed(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["gene", *SAMPLES])
    for k, gene in enumerate(GENES):
        sheet.append([gene, "12%" if k % 2 else 0.12, 3, 4, 5])
    path = tmp_path / "t.xlsx"
    book.save(path)
    with pytest.raises(BadValues, match=f"column {SAMPLES[0]}"):
        part_of(path)


def in_sheet(path: Path, mark: Callable[[str], str], gene: Callable[[str], str] = str) -> Path:
    """A sheet in which all numbers are text."""
    book = openpyxl.Workbook()
    page: Any = book.active
    page.append(["Gene", *SAMPLES])
    for name, row in zip(GENES, VALUES * 37, strict=True):
        page.append([gene(name), *(mark(f"{v:,.2f}") for v in row)])
    book.save(path)
    return path


THOUSANDS: dict[str, tuple[str, Callable[[str], str]]] = {
    "1,234.5": ("a comma", str),
    "1.234,5": ("a point", lambda t: t.translate(str.maketrans(",.", ".,"))),
    "1'234.5": ("an apostrophe", lambda t: t.replace(",", "'")),
    "1 234.5": ("a blank", lambda t: t.replace(",", "\u202f")),
    "1 234,5": ("a blank", lambda t: t.replace(",", "\u00a0").replace(".", ",")),
}


@pytest.mark.parametrize("form", THOUSANDS)
def test_numbers_as_text_in_a_sheet_may_separate_their_thousands(form: str, tmp_path: Path) -> None:
    said, mark = THOUSANDS[form]
    part = part_of(in_sheet(tmp_path / "t.xlsx", mark))
    np.testing.assert_allclose(np.asarray(part.matrix.values), VALUES * 37, atol=0.006)
    assert any(f"{said} between the thousands" in note for note in part.source.notes)


@pytest.mark.parametrize("faulty", ["1,23,456", "12,3", "1.234,5", "1,234,5"])
def test_a_number_with_its_thousands_wrongly_separated_is_refused(
    faulty: str, tmp_path: Path
) -> None:
    first = f"{VALUES[0, 0] * 37:,.2f}"
    path = in_sheet(tmp_path / "t.xlsx", lambda t: faulty if t == first else t)
    with pytest.raises(BadValues, match="is not a number"):
        part_of(path)


@pytest.mark.parametrize("mark", ["\u200b", "\u00ad", "\ufeff", "\u2060"])
def test_invisible_characters_in_names_of_a_sheet_are_removed(mark: str, tmp_path: Path) -> None:
    path = in_sheet(tmp_path / "t.xlsx", str, lambda g: g[:2] + mark + g[2:])
    part = part_of(path)
    assert list(part.matrix.genes) == GENES
    assert any("Invisible characters" in note for note in part.source.notes)
    assert not any("Invisible" in n for n in part_of(in_sheet(path, str)).source.notes)


ODS = b"application/vnd.oasis.opendocument.spreadsheet"


@pytest.mark.parametrize(
    ("name", "members", "what"),
    [
        ("t.ods", {"mimetype": ODS, "content.xml": "<x/>"}, "OpenDocument"),
        ("t.numbers", {"Index/Document.iwa": "x"}, "Numbers"),
        ("t.docx", {"[Content_Types].xml": "<x/>", "word/document.xml": "<x/>"}, "Word"),
        ("t.xlsb", {"[Content_Types].xml": "<x/>", "xl/workbook.bin": "x"}, ".xlsb"),
        ("renamed.xlsx", {"mimetype": ODS, "content.xml": "<x/>"}, "OpenDocument"),
    ],
)
def test_documents_of_other_programs_are_named_and_never_called_damaged(
    name: str,
    members: dict[str, Any],
    what: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write(tmp_path / name, zipped(**members))
    for role in ("bulk", "clinical", "truth"):
        assert check([str(path), "--role", role]) == 2
        said = capsys.readouterr().out
        assert what in said
        assert "save the table as .xlsx" in said
        assert "damaged" not in said
        assert "session" not in said


@pytest.mark.parametrize(
    "titles",
    [
        ["Gene", "log2FoldChange", "padj"],
        ["Gene", "baseMean", "log2FoldChange", "lfcSE", "stat", "pvalue", "padj"],
        ["Gene", "logFC", "AveExpr", "t", "P.Value", "adj.P.Val", "B"],
    ],
)
def test_a_sheet_of_changed_genes_is_not_read_before_that_of_the_samples(
    titles: list[str], tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    page: Any = book.active
    page.title = "DE genes"
    page.append(titles)
    for gene in GENES[:60]:
        page.append([gene, *(float(v) for v in RANDOM.normal(0, 1, len(titles) - 1))])
    page = book.create_sheet("Normalized counts")
    page.append(["Gene", *SAMPLES])
    for gene, row in zip(GENES, VALUES, strict=True):
        page.append([gene, *(float(v) for v in row)])
    book.save(tmp_path / "t.xlsx")
    part = part_of(tmp_path / "t.xlsx")
    assert_whole(part)
    assert "Read from the sheet Normalized counts, not from DE genes." in part.source.notes
    with pytest.raises(BadValues, match="holds no sample"):
        part_of(tmp_path / "t.xlsx", sheet="DE genes")


def test_formulas_without_values_are_said(tmp_path: Path) -> None:
    """As openpyxl and R write them, which compute nothing."""
    book = openpyxl.Workbook()
    page: Any = book.active
    page.append(["Gene", *SAMPLES])
    for gene in GENES:
        page.append([gene, *(f"={k}*2" for k in range(len(SAMPLES)))])
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(UnreadableFile, match="formulas without their values") as refused:
        part_of(tmp_path / "t.xlsx")
    assert "save it again" in str(refused.value.advice)
