"""Saved tables keep every digit, and no name becomes a formula."""

from __future__ import annotations

import csv
import io
import struct
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import openpyxl
import pandas as pd
import pytest

from gui.data.export import (
    NOTICE,
    csv_bytes,
    png_with_notice,
    safe_text,
    svg_with_notice,
    xlsx_bytes,
)
from gui.data.readers.expression_table import read_table
from gui.data.readers.text_table import read_text_table

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-x",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    "  =1+1",
    '=HYPERLINK("http://x")',
    "＝1",
]


def table(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        np.linspace(0.1, 2, len(names) * 2).reshape(-1, 2), index=names, columns=["plain", names[0]]
    )


def parsed(data: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_like_a_formula_is_marked_as_text(name: str) -> None:
    rows = parsed(csv_bytes(table([name])))
    assert rows[1][0] == f"'{name}"
    assert rows[0][2] == f"'{name}"
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(table([name])))).active
    for cell in (sheet["A2"], sheet["C1"]):
        assert cell.data_type == "s"
        assert cell.value.startswith("'")


ABOUT = "RNA fraction (%); one row per sample, as on screen."


@pytest.mark.parametrize("resaved", [False, True])
@pytest.mark.parametrize("decimal", [".", ","])
def test_a_saved_table_can_be_given_to_the_program_again(
    tmp_path: Path, decimal: Literal[".", ","], resaved: bool
) -> None:
    frame = pd.DataFrame(
        {"T cell": [30.5, 40, 20], "B cell": [69.5, 60, 80]},
        index=pd.Index(["s1", "s2", "s3"], name="Sample"),
    )
    data = csv_bytes(frame, decimal=decimal, about=ABOUT)
    if resaved:  # a spreadsheet gives every line as many cells
        line, _, rest = data.partition(b"\r\n")
        data = (
            b'"'
            + line.removeprefix(b"\xef\xbb\xbf")
            + b'"'
            + (b";;" if decimal == "," else b",,")
            + b"\r\n"
            + rest
        )
    path = tmp_path / "composition.csv"
    path.write_bytes(data)
    table = read_table(path)
    assert (table.genes, table.columns) == (list(frame.index), list(frame.columns))
    np.testing.assert_array_equal(table.values, frame.to_numpy())
    assert list(read_text_table(path, path.name)[0].columns) == ["Sample", *frame.columns]


def test_a_first_line_that_somebody_else_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("# Sample,T cell,B cell\ns1,30,70\ns2,40,60\n")
    assert list(read_text_table(path, path.name)[0].columns) == ["Sample", "T cell", "B cell"]


def test_openpyxl_would_otherwise_write_a_formula() -> None:
    """The positive control: without our care the same name is a formula in the file."""
    book = openpyxl.Workbook()
    book.active["A1"] = HOSTILE[0]
    out = io.BytesIO()
    book.save(out)
    assert openpyxl.load_workbook(out).active["A1"].data_type == "f"


@pytest.mark.parametrize(
    "name",
    [
        'a "quoted" name',
        "a,b;c",
        "line\nbreak",
        "T cells",
        "Prøve ü 名",
        "a'b",
        "1",
        "TRUE",
        "02-Sep",
    ],
)
def test_ordinary_names_come_back_as_they_are(name: str) -> None:
    for decimal, delimiter in ((".", ","), (",", ";")):
        assert parsed(csv_bytes(table([name]), decimal=decimal), delimiter)[1][0] == name
    assert openpyxl.load_workbook(io.BytesIO(xlsx_bytes(table([name])))).active["A2"].value == name


def test_text_values_are_made_safe_too() -> None:
    frame = pd.DataFrame({"part": ["=1+1", "test"], "n": [1, 2]}, index=["a", "b"])
    assert parsed(csv_bytes(frame))[1] == ["a", "'=1+1", "1"]
    assert openpyxl.load_workbook(io.BytesIO(xlsx_bytes(frame))).active["B2"].data_type == "s"


def test_numbers_keep_every_digit_and_negative_numbers_stay_numbers() -> None:
    values = [1 / 3, -1e-300, 1e22, 0.1 + 0.2, 5e-324, -0.25, 123456789.123456789]
    frame = pd.DataFrame({"x": values}, index=[f"r{i}" for i in range(len(values))])
    assert [float(row[1]) for row in parsed(csv_bytes(frame))[1:]] == values
    assert [
        float(row[1].replace(",", ".")) for row in parsed(csv_bytes(frame, decimal=","), ";")[1:]
    ] == values
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(frame))).active
    assert [row[0].value for row in sheet["B2:B8"]] == values
    assert all(row[0].data_type == "n" for row in sheet["B2:B8"])
    back = pd.read_csv(io.BytesIO(csv_bytes(frame)), index_col=0, float_precision="round_trip")
    assert back["x"].tolist() == values


def test_missing_and_infinite_values_do_not_break_the_file() -> None:
    frame = pd.DataFrame({"x": [np.nan, np.inf], "y": [None, "t"]}, index=["a", "b"])
    assert parsed(csv_bytes(frame))[1:] == [["a", "", ""], ["b", "inf", "t"]]
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(frame))).active
    assert [c.value for c in sheet[2]] == ["a", None, None]


def test_duplicated_columns_and_several_index_levels_are_written() -> None:
    frame = pd.DataFrame(
        [[1, 2]],
        columns=["T", "T"],
        index=pd.MultiIndex.from_tuples([("test", "dtd")], names=["part", "method"]),
    )
    assert parsed(csv_bytes(frame)) == [["part", "method", "T", "T"], ["test", "dtd", "1", "2"]]
    assert [c.value for c in openpyxl.load_workbook(io.BytesIO(xlsx_bytes(frame))).active[2]] == [
        "test",
        "dtd",
        1,
        2,
    ]


def test_control_characters_that_a_workbook_cannot_hold_are_replaced() -> None:
    assert safe_text("a\x00b\x1fc\ud800") == "a b c "
    xlsx_bytes(table(["a\x0bb", "x" * 40_000]))


def test_a_table_too_large_for_a_sheet_is_refused() -> None:
    with pytest.raises(ValueError, match="save the table as CSV"):
        xlsx_bytes(pd.DataFrame(np.zeros((1, 17_000))))


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Type and content of every chunk; each must bear the right checksum."""
    found, at = [], 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        kind, content, end = png[at + 4 : at + 8], png[at + 8 : at + 8 + size], at + 12 + size
        assert struct.unpack(">I", png[end - 4 : end])[0] == zlib.crc32(kind + content)
        found.append((kind, content))
        at = end
    return found


def test_what_is_saved_says_that_it_is_for_research_use_only_and_is_otherwise_the_same() -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\xff")),
        (b"IEND", b""),
    ]
    plain = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)
    marked = chunks(png_with_notice(plain))
    assert marked[1] == (b"tEXt", b"Description\0" + NOTICE.encode())
    assert [marked[0], *marked[2:]] == parts
    drawing = b'<?xml version="1.0"?><svg class="a" width="3"><g><svg></svg></g></svg>'
    assert (
        svg_with_notice(drawing).replace(b"<desc>" + NOTICE.encode() + b"</desc>", b"", 1)
        == drawing
    )
    assert svg_with_notice(drawing).count(b"<desc>") == 1
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(table(["a"]))))
    assert book.properties.description == NOTICE
    assert NOTICE.startswith("For research use only")
