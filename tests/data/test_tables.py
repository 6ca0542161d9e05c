"""Text tables as people have them."""

from __future__ import annotations

import gzip
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from gui.data.readers.expression_table import Table, read_table
from gui.errors import BadNames, BadValues, UnreadableFile

packed = partial(gzip.compress, mtime=0)
"""Without the time: it would stand in the names of the tests, which every process must give alike.
"""


def read(tmp_path: Path, text: str | bytes, name: str = "table.csv") -> Table:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path)


PLAIN = ("gene,T,B,T\nCD3D,1,0.5,3\nCD19,0,2e3,1\n", [[1, 0.5, 3], [0, 2000, 1]])


def same(table: Table) -> bool:
    return (table.genes, table.columns, table.values.tolist()) == (
        ["CD3D", "CD19"],
        ["T", "B", "T"],
        PLAIN[1],
    )


def test_cell_types_repeated_in_the_header_keep_their_names(tmp_path: Path) -> None:
    assert same(read(tmp_path, PLAIN[0]))


@pytest.mark.parametrize(
    "text",
    [
        PLAIN[0].replace(",", "\t"),
        PLAIN[0].replace(",", ";"),
        PLAIN[0].replace(",", ";").replace("0.5", "0,5"),
        PLAIN[0].replace(",", "\t").replace("0.5", "0,5"),
        PLAIN[0].replace(",", "|"),
        PLAIN[0].replace(",", "  "),
        "\n" + PLAIN[0],
        PLAIN[0].replace("\n", "\r\n"),
        PLAIN[0].replace("\n", "\r"),
        "\ufeff" + PLAIN[0],
        PLAIN[0].rstrip("\n"),
        PLAIN[0] + "\n\n",
        PLAIN[0].replace("gene,", ","),
        PLAIN[0].replace("gene,", ""),  # R: write.table leaves the corner out
        '"T" "B" "T"\n"CD3D" 1 0.5 3\n"CD19" 0 2e3 1\n',  # R: write.table as it comes
        PLAIN[0].replace("\n", ",\n"),  # a delimiter at the end of every line
        '"gene","T","B","T"\n"CD3D","1","0.5","3"\n"CD19","0","2e3","1"\n',
        " gene , T , B , T \n CD3D , 1 , 0.5 , 3 \n CD19 , 0 , 2e3 , 1 \n",
    ],
)
def test_every_usual_layout_gives_the_same_table(tmp_path: Path, text: str) -> None:
    assert same(read(tmp_path, text))


def test_compressed_and_utf16_tables_give_the_same_table(tmp_path: Path) -> None:
    assert same(read(tmp_path, packed(PLAIN[0].encode()), "t.csv.gz"))
    assert same(read(tmp_path, packed(PLAIN[0].encode()), "t.csv"))
    assert same(read(tmp_path, PLAIN[0].encode("utf-16"), "t.txt"))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-8-sig"])
def test_utf16_is_told_with_and_without_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    assert same(read(tmp_path, PLAIN[0].encode(encoding), "t.txt"))
    assert same(read(tmp_path, packed(PLAIN[0].replace(",", "\t").encode(encoding)), "t.tsv"))


@pytest.mark.parametrize(
    ("encoding", "words"), [("latin-1", "Latin-1"), ("cp1252", "Windows-1252")]
)
def test_names_of_an_older_encoding_keep_their_letters_and_it_is_said(
    tmp_path: Path, encoding: str, words: str
) -> None:
    name = "Müller’s" if encoding == "cp1252" else "Müller"
    table = read(tmp_path, f"gene,{name}\nCD3D,1\nCD19,2\n".encode(encoding))
    assert table.columns == [name]
    assert (words in table.notes[0], table.traits) == (True, {"encoding-guessed": table.notes[0]})


def test_quoted_names_may_hold_separators_quotes_and_line_breaks(tmp_path: Path) -> None:
    text = 'gene,"T\ncells","B ""naive"", old",T\n"CD3D",1,0.5,3\n"HLA-A\nor, B",0,2e3,1\n'
    for delimiter in (",", "\t", ";"):
        swapped = "".join(
            f'"{part}"' if i % 2 else part.replace(",", delimiter)
            for i, part in enumerate(text.split('"'))
        )
        table = read(tmp_path, swapped)
        assert table.columns == ["T\ncells", 'B "naive", old', "T"]
        assert table.genes == ["CD3D", "HLA-A\nor, B"]
        assert table.values.tolist() == PLAIN[1]


@pytest.mark.parametrize(
    "text",
    [
        'g,a,b\nx,"1,234.5",12\ny,3.5,"1,200,000"\n',
        "g;a;b\nx;1.234,5;12\ny;3,5;1.200.000\n",
        "g;a;b\nx;1 234,5;12\ny;3,5;1 200 000\n",
        "g\ta\tb\nx\t1\u00a0234,5\t12\ny\t3,5\t1\u00a0200\u00a0000\n",
        "g\ta\tb\nx\t1'234.5\t12\ny\t3.5\t1'200'000\n",
        "g\ta\tb\nx\t1,234.5\t12\ny\t3.5\t1,200,000\n",
    ],
)
def test_thousands_are_told_apart_where_the_decimal_mark_is_there_too(
    tmp_path: Path, text: str
) -> None:
    table = read(tmp_path, text)
    assert table.values.tolist() == [[1234.5, 12], [3.5, 1_200_000]]
    assert "thousands-separator" in table.traits


def test_thousands_may_begin_far_below_the_first_lines(tmp_path: Path) -> None:
    text = "g,a\n" + "".join(f"x{i},{i}.5\n" for i in range(100)) + 'last,"12,345.5"\n'
    assert read(tmp_path, text).values[-1, 0] == 12345.5


GCT13 = "#1.3\n2\t3\t2\t1\nid\tsymbol\tnote\tT\tB\tT\nbatch\tna\tna\tx\ty\tz\nCD3D\tA\tf\t1\t0.5\t3\nCD19\tB\tg\t0\t2e3\t1\n"


def test_gct_of_both_versions_leaves_annotation_out_of_the_values(tmp_path: Path) -> None:
    old = read(
        tmp_path,
        "#1.2\n2\t3\nName\tDescription\tT\tB\tT\nCD3D\tone\t1\t0.5\t3\nCD19\ttwo\t0\t2e3\t1\n",
        "t.gct",
    )
    new = read(tmp_path, GCT13, "t.gct")
    assert same(old)
    assert same(new)
    assert old.texts == {"Description": ["one", "two"]}
    assert new.texts == {"symbol": ["A", "B"], "note": ["f", "g"]}


def test_a_gct_file_that_is_shorter_than_it_says_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="2 genes, but 1 follow"):
        read(tmp_path, GCT13.removesuffix("CD19\tB\tg\t0\t2e3\t1\n"), "t.gct")
    with pytest.raises(UnreadableFile, match="more columns than its header"):
        read(tmp_path, GCT13.replace("note\tT\tB\tT", "note\tT\tB"), "t.gct")
    for sizes in ("2\t3\t9\t1", "2\t-3\t-1\t1", "many", "2\t3\t1\t99999999999"):
        with pytest.raises(UnreadableFile, match="do not fit"):
            read(tmp_path, GCT13.replace("2\t3\t2\t1", sizes), "t.gct")


def test_names_with_separators_and_the_gene_called_na_survive(tmp_path: Path) -> None:
    table = read(
        tmp_path, 'gene,"T; helper","B, naive"\nNA,1,2\nnan,3,4\nNULL,5,6\n"HLA-A;HLA-B",7,8\n'
    )
    assert table.columns == ["T; helper", "B, naive"]
    assert table.genes == ["NA", "nan", "NULL", "HLA-A;HLA-B"]


def test_numbers_are_read_to_the_last_digit(tmp_path: Path) -> None:
    assert read(tmp_path, "g,a\nx,0.1234567890123456789\ny,1e-9\n").values.ravel().tolist() == [
        0.1234567890123456789,
        1e-9,
    ]


def test_a_missing_value_is_nan_and_an_infinite_one_is_kept_for_the_checks(tmp_path: Path) -> None:
    values = read(tmp_path, "g,a,b\nx,NA,1\ny,inf,2\n").values
    assert str(values[:, 0].tolist()) == "[nan, inf]"


@pytest.mark.parametrize("bad", ["high", "1.234,5", "12a", "TRUE", "2024-01-01", "0x1F", "1 000"])
def test_text_in_place_of_a_number_is_refused_naming_gene_and_column(
    tmp_path: Path, bad: str
) -> None:
    with pytest.raises(BadValues, match=r"gene CD19 in column S2 is not a number") as refused:
        read(tmp_path, f'gene,S1,S2,S3\nCD3D,1,2,1\nCD19,3,"{bad}",1\nCD8A,3,4,1\n')
    assert bad in str(refused.value)


HUGE = "1e999999999999"


@pytest.mark.parametrize("value", [HUGE, "1E+999999999999"])
def test_a_huge_exponent_is_refused_and_ends_nothing(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadValues, match="of gene CD3D in column B is not a number"):
        read(tmp_path, f"gene,T,B\nCD3D,1,{value}\nCD19,0,x\n")


@pytest.mark.skipif(sys.platform == "win32", reason="it gives NaN there")
def test_pandas_ends_the_process_over_a_huge_exponent() -> None:
    """Why such a value is kept from it; found by fuzzing. When this fails, pandas has mended it."""
    code = (
        f"import pandas; pandas.to_numeric(pandas.Series(['{HUGE}'], dtype=object),"
        " errors='coerce')"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode
        != 0
    )


def test_a_column_of_descriptions_is_kept_beside_the_names(tmp_path: Path) -> None:
    table = read(tmp_path, "gene,Description,S1\nCD3D,cell surface,1\nCD19,another,2\n")
    assert table.columns == ["S1"]
    assert table.texts == {"Description": ["cell surface", "another"]}


def test_an_ambiguous_comma_is_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(BadValues, match="cannot be told"):
        read(tmp_path, "gene\tS1\tS2\nCD3D\t1,234\t2,500\nCD19\t3\t7\n")


def test_missing_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadNames, match="column 3 has no name"):
        read(tmp_path, "gene,a,,c\nx,1,2,3\ny,4,5,6\n")
    with pytest.raises(BadNames, match="line 2 has no gene name"):
        read(tmp_path, "gene,a,b,c\n,1,2,3\n,4,5,6\n")


def test_lines_of_different_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="different numbers of columns"):
        read(tmp_path, "gene,a,b\nx,1,2\ny,1,2,3\nz,1\n")
    far = "gene,a,b\n" + "".join(f"g{i},1,2\n" for i in range(100))
    with pytest.raises(UnreadableFile, match="line 102 has another"):
        read(tmp_path, far + "last,1,2,3\n")


def test_lines_above_the_header_are_counted(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="line 3"):
        read(tmp_path, "# exported today\nStudy X\ngene,a,b\nx,1,2\ny,3,4\n")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n\n \n", "blank lines"),
        (b"gene,a\n", "fewer than two lines"),
        (b"hello\nworld\n", "different numbers of columns"),
        (packed(PLAIN[0].encode() * 400)[:40], "damaged or incomplete"),
        (packed(b"RDX3\nX\n"), "R workspace"),
        (b"\x89HDF\r\n\x1a\n...", "HDF5"),
        (b"\x80\x04K\x01.", "pickle"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html><html>", "web page"),
        (bytes(range(256)), "binary"),
    ],
)
def test_what_is_no_table_is_told_by_its_content(tmp_path: Path, data: bytes, says: str) -> None:
    with pytest.raises(UnreadableFile, match=says):
        read(tmp_path, data)


def test_a_missing_file_and_a_folder_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="not found"):
        read_table(tmp_path / "no.csv")
    with pytest.raises(UnreadableFile, match="folder"):
        read_table(tmp_path)


def test_a_damaged_workbook_is_refused_and_text_in_a_cell_is_named(tmp_path: Path) -> None:
    from openpyxl import Workbook

    with pytest.raises(UnreadableFile, match="damaged"):
        read(tmp_path, b"PK\x03\x04 not a zip", "t.xlsx")
    book = Workbook()
    for row in (["gene", "T", "B", "T"], ["CD3D", 1, 0.5, 3], ["CD19", 0, 2000, 1]):
        book.active.append(row)
    book.save(tmp_path / "good.xlsx")
    assert same(read_table(tmp_path / "good.xlsx"))
    book.active["C3"] = "many"
    book.save(tmp_path / "bad.xlsx")
    with pytest.raises(BadValues, match='"many" of gene CD19 in column B'):
        read_table(tmp_path / "bad.xlsx")


def workbook(tmp_path: Path, **sheets: list[list[object]]) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    book.save(tmp_path / "book.xlsx")
    return tmp_path / "book.xlsx"


def test_the_first_filled_sheet_is_proposed_and_any_can_be_chosen(tmp_path: Path) -> None:
    path = workbook(
        tmp_path, About=[["Read me"]], One=[["g", "a"], ["x", 1]], Two=[["g", "a"], ["x", 2]]
    )
    first = read_table(path)
    assert (first.sheets, first.sheet, first.values.tolist(), list(first.traits)) == (
        ("About", "One", "Two"),
        "One",
        [[1]],
        ["other-sheet"],
    )
    assert read_table(path, sheet="Two").values.tolist() == [[2]]
    with pytest.raises(UnreadableFile, match="no sheet Three; there are About, One, Two"):
        read_table(path, sheet="Three")
    with pytest.raises(UnreadableFile, match="The sheet About"):
        read_table(path, sheet="About")


def test_a_gene_that_excel_took_for_a_date_stays_to_be_seen(tmp_path: Path) -> None:
    from datetime import date, datetime

    table = read_table(
        workbook(
            tmp_path, S=[["g", "a"], [datetime(2024, 9, 2), 1], [date(2024, 3, 1), 2], ["CD19", 3]]
        )
    )
    assert table.genes == ["2-Sep", "1-Mar", "CD19"]


def test_a_workbook_with_a_cell_at_the_far_end_of_every_row_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gui.data.readers import excel

    path = workbook(tmp_path, S=[["g", "a"], *([f"x{i}", *[None] * 998, 1] for i in range(20))])
    # positive control: below the limit it is read
    assert len(excel.read_excel(path, "book", table=False).rows) == 21
    monkeypatch.setattr(excel, "MAX_CELLS", 10_000)
    with pytest.raises(UnreadableFile, match="cells"):
        read_table(path)
