"""“Save all”: figures and tables of a page or the session in one archive with readable names."""

from __future__ import annotations

import io
import zipfile

import pandas as pd
import plotly.graph_objects as go
import pytest

from gui.data.export import NOTICE
from gui.report.document import Document
from gui.report.figures_and_tables import Contents, _name, zipped


def test_an_archive_says_what_each_file_is_and_holds_whole_tables() -> None:
    table = pd.DataFrame({"x": range(200)}, index=pd.Index([f"=s{i}" for i in range(200)]))
    doc = Document("x")
    doc.table(table, first="Sample", caption="Composition of the bulk: RNA fraction (%).", most=10)
    assert len(doc.tables[0][0]) == 200
    found = Contents(
        {"01 DTD Composition of the bulk": (go.Figure(), "Composition of the bulk, 4 samples.")},
        {"01 DTD Composition of the bulk": doc.tables[0]},
    )
    data = zipped(found, {"01 DTD Composition of the bulk.pdf": b"%PDF-"})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == [
            "figures/01 DTD Composition of the bulk.pdf",
            "tables/01 DTD Composition of the bulk.csv",
            "contents.txt",
        ]
        words = archive.read("contents.txt").decode("utf-8-sig")
        read = pd.read_csv(
            io.BytesIO(archive.read("tables/01 DTD Composition of the bulk.csv")), skiprows=1
        )
    assert NOTICE in words
    assert "bulk.csv: Composition of the bulk: RNA fraction (%)." in words
    assert len(read) == 200
    assert list(read["Sample"][:2]) == ["'=s0", "'=s1"]


@pytest.mark.parametrize(
    ("caption", "name"),
    [
        ("Composition of the bulk: RNA fraction (%).", "03 DTD Composition of the bulk"),
        ("a/b\\c *?", "03 DTD a_b_c _"),
        ("word " * 40, "03 DTD " + " ".join(["word"] * 14)),
    ],
)
def test_a_file_is_named_after_its_caption(caption: str, name: str) -> None:
    assert _name(3, "DTD", caption) == name
