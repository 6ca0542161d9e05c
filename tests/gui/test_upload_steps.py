"""The steps of cell types, quality and genes, and what goes out again: through the door, on real
files.
"""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gui.data.readers.dcx import read_dcx
from tests.cli import test_transcripts as transcripts
from tests.gui.upload_page import (
    choose,
    one,
    session_of,
    switch_off,
    switch_on,
    switches,
    types_of,
)


def tick(tab: Any, *names: str) -> None:
    tab.set({("upload-types", "selectedRows"): [types_of(tab)[name] for name in names]})


def test_types_are_counted_renamed_merged_and_left_out_in_every_part(
    tab: Any, awkward: Path
) -> None:
    choose(tab, "train", awkward / "clean_train.h5ad")
    choose(tab, "test", awkward / "clean_test.h5ad")
    before = types_of(tab)
    assert len(before) == 6
    assert before["B cells"]["train"] == 25
    assert before["B cells"]["test"] > 0
    tab.set(
        {
            ("upload-types", "cellValueChanged"): [
                {"rowId": "B cells", "colId": "type", "oldValue": "B cells", "value": "B"}
            ]
        }
    )
    assert types_of(tab)["B"]["train"] == 25
    tick(tab, "T cells CD4 conv", "T cells CD8")
    assert tab.get("upload-merge", "disabled") is False
    tab.set({("upload-merged", "value"): "T cells"})
    tab.click("upload-merge")
    assert types_of(tab)["T cells"]["train"] == 50
    tick(tab, "pDC")
    tab.click("upload-exclude")
    assert set(types_of(tab)) == (
        set(before) - {"B cells", "T cells CD4 conv", "T cells CD8", "pDC"}
    ) | {"B", "T cells"}
    assert len(switches(tab, "applied")) == 3
    tab.click("upload-types-back")
    assert "pDC" in types_of(tab)
    tab.click("upload-load")
    data = session_of(tab).dataset
    assert data is not None
    assert data.test is not None
    assert {"B", "T cells", "pDC"} <= set(data.types)
    assert {"B", "T cells"} <= set(data.test.types)


def test_a_type_without_a_name_is_not_taken(tab: Any, awkward: Path) -> None:
    choose(tab, "train", awkward / "clean_train.h5ad")
    tab.set(
        {
            ("upload-types", "cellValueChanged"): [
                {"rowId": "B cells", "colId": "type", "oldValue": "B cells", "value": "  "}
            ]
        }
    )
    assert "A cell type needs a name" in tab.notices[-1]
    assert types_of(tab)["B cells"]["train"] == 25
    assert switches(tab, "applied") == {}


def test_coarse_types_come_from_a_table_and_go_again(
    tab: Any, awkward: Path, tmp_path: Path
) -> None:
    table = tmp_path / "coarse.csv"
    table.write_text("fine,coarse\nT cells CD4 conv,T\nT cells CD8,T\nB cells,B\n", "utf-8")
    choose(tab, "train", awkward / "clean_train.h5ad")
    tab.set({("upload-coarse-path", "value"): str(table)})
    tab.set({("upload-coarse-path", "n_submit"): 1})
    assert types_of(tab)["T"]["train"] == 50
    tab.click("upload-load")
    data = session_of(tab).dataset
    assert data is not None
    assert {"T", "B", "pDC"} <= set(data.types)
    (record,) = data.source("train").options["repairs"]  # type: ignore[union-attr]
    assert record["table_name"] == "coarse.csv"
    assert str(tmp_path) not in json.dumps(record)


def test_types_of_the_same_profile_are_marked_and_can_be_merged(tab: Any, awkward: Path) -> None:
    choose(tab, "train", awkward / "two_identical_types.h5ad")
    figure = tab.get("upload-similarity", "figure")
    marks = [t for t in figure["data"] if t.get("name") == "hard to distinguish"]
    assert len(marks) == 1
    assert tab.get("upload-load", "disabled") is True
    assert "Merge the cell types that look the same" in switches(tab)
    tab.click("upload-apply-all")
    assert tab.get("upload-load", "disabled") is False
    assert not [
        t
        for t in tab.get("upload-similarity", "figure")["data"]
        if t.get("name") == "hard to distinguish"
    ]


def test_limits_are_drawn_and_leave_out_cells_as_a_repair(tab: Any, awkward: Path) -> None:
    choose(tab, "train", awkward / "clean_train.h5ad")
    tab.click("upload-quality-train-filter")
    assert "No limit is set" in tab.notices[-1]
    figure = tab.get("upload-quality-train", "figure")
    genes = list(figure["data"])
    assert len(genes) == 2
    tab.set({("upload-quality-train-min-genes", "value"): 150})
    shapes = tab.get("upload-quality-train", "figure")
    assert "150" in json.dumps(shapes)
    tab.click("upload-quality-train-filter")
    (label,) = switches(tab, "applied")
    assert label == "Leave out cells outside of the limits"
    left = sum(row["train"] for row in types_of(tab).values())
    assert 0 < left < 150
    switch_off(tab, label)
    assert sum(row["train"] for row in types_of(tab).values()) == 150


def test_ensembl_ids_are_mapped_by_a_table_that_the_user_chooses(
    tab: Any, awkward: Path, tmp_path: Path
) -> None:
    pairs = [
        line.split("\t")[0].split("|")
        for line in (awkward / "application_ensembl_pipe_symbol.tsv")
        .read_text("utf-8")
        .splitlines()[1:]
    ]
    table = tmp_path / "names.csv"
    table.write_text("ensembl,symbol\n" + "\n".join(",".join(p) for p in pairs), "utf-8")
    choose(tab, "train", awkward / "clean_train.h5ad")
    choose(tab, "bulk", awkward / "application_ensembl.csv")
    tab.click(one("to", "genes"))
    assert tab.get("upload-step", "value") == "genes"
    assert tab.get("upload-names-role", "value") == "bulk"
    tab.set({("upload-gene-names-path", "value"): str(table)})
    tab.set({("upload-gene-names-path", "n_submit"): 1})
    assert list(switches(tab, "applied")) == ["Take the gene names from names.csv"]
    assert tab.get("upload-load", "disabled") is False
    tab.click("upload-load")
    data = session_of(tab).dataset
    assert data is not None
    assert data.bulk is not None
    assert len(set(data.bulk.matrix.genes) & set(data.train.matrix.genes)) > 380  # type: ignore[union-attr]


def test_transcripts_are_summed_to_genes_by_a_table_that_the_user_chooses(
    tab: Any, tmp_path: Path
) -> None:
    """Refused with the table to give; chosen at the step Genes, it leads to the genes' sums."""
    files = {
        "cells.tsv": transcripts.lines(
            ("gene", *["B"] * 6, *["T"] * 6),
            *((gene, *row) for gene, row in zip(transcripts.GENES, transcripts.CELLS, strict=True)),
        ),
        "isoforms.tsv": transcripts.FILES["isoforms.tsv"],
        "tx2gene.tsv": transcripts.MAPS["tx2gene.tsv"],
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    choose(tab, "train", tmp_path / "cells.tsv")
    choose(tab, "bulk", tmp_path / "isoforms.tsv")
    assert tab.get("upload-load", "disabled") is True
    assert "transcript" in tab.text("upload-findings")
    tab.set({("upload-step", "value"): "genes"})
    tab.set({("upload-names-role", "value"): "bulk"})
    tab.set({("upload-gene-names-path", "value"): str(tmp_path / "tx2gene.tsv")})
    tab.set({("upload-gene-names-path", "n_submit"): 1})
    for label in [label for label in switches(tab) if "Add up" in label or "Sum" in label]:
        switch_on(tab, label)
    assert tab.get("upload-load", "disabled") is False
    tab.click("upload-load")
    data = session_of(tab).dataset
    assert data is not None
    assert data.bulk is not None
    found = data.bulk.matrix.frame().loc[transcripts.GENES].to_numpy()
    np.testing.assert_allclose(found, transcripts.SUMS)


def test_one_repair_brings_names_with_ids_in_front_to_symbols(tab: Any, awkward: Path) -> None:
    choose(tab, "train", awkward / "clean_train.h5ad")
    choose(tab, "bulk", awkward / "application_ensembl_pipe_symbol.tsv")
    assert tab.get("upload-load", "disabled") is True
    assert "Take gene symbols, as the other files have them" in switches(tab)


def test_bulk_is_drawn_against_the_reference_and_every_stage_has_its_number(
    tab: Any, awkward: Path
) -> None:
    choose(tab, "train", awkward / "clean_train.h5ad")
    choose(tab, "bulk", awkward / "genes_half_missing.csv")
    assert "Rank correlation" in tab.get("upload-scatter-words", "children")
    bars = tab.get("upload-funnel", "figure")["data"][0]
    assert [t.replace("\u00a0", "") for t in bars["text"]] == ["396", "198", "198", "198", "198"]
    assert tab.get("upload-scatter-box", "style") == {}
    assert "Median" in tab.text("upload-scale-table")


def test_the_sheet_of_a_workbook_is_asked_for_only_where_there_are_several(
    tab: Any, awkward: Path
) -> None:
    choose(tab, "bulk", awkward / "clean_application.csv")
    assert tab.get("upload-bulk-sheet-box", "style") == {"display": "none"}
    choose(tab, "bulk", awkward / "two_sheets.xlsx")
    assert tab.get("upload-bulk-sheet-box", "style") == {}
    assert len(tab.get("upload-bulk-sheet", "data")) == 2
    assert tab.get("upload-train-labels-token-box", "style") == {"display": "none"}


def test_a_10x_folder_is_read_with_its_table_of_types(
    tab: Any, tmp_path: Path, awkward: Path
) -> None:
    folder = tmp_path / "filtered"
    folder.mkdir()
    genes = [f"GENE{i}" for i in range(60)]
    cells = [f"CELL{i}-1" for i in range(12)]
    rows = [
        (g + 1, c + 1, (g * 7 + c * 3) % 11 + 1 + 20 * ((g % 3) == (c % 3)))
        for g in range(60)
        for c in range(12)
    ]
    body = (
        "%%MatrixMarket matrix coordinate integer general\n60 12 "
        + str(len(rows))
        + "\n"
        + "\n".join(" ".join(map(str, r)) for r in rows)
        + "\n"
    )
    (folder / "matrix.mtx.gz").write_bytes(gzip.compress(body.encode()))
    (folder / "barcodes.tsv.gz").write_bytes(gzip.compress("\n".join(cells).encode()))
    (folder / "features.tsv.gz").write_bytes(
        gzip.compress(
            "\n".join(f"ENSG{i:011d}\t{g}\tGene Expression" for i, g in enumerate(genes)).encode()
        )
    )
    table = tmp_path / "types.csv"
    table.write_text(
        "barcode,cell_type\n" + "\n".join(f"{c},type {i % 3}" for i, c in enumerate(cells)), "utf-8"
    )
    choose(tab, "train", folder)
    assert "12 cells" in tab.text("upload-train-found")
    assert tab.get("upload-train-labels-token-box", "style") == {}
    assert tab.get("upload-load", "disabled") is True
    assert tab.get("upload-reason", "children").startswith("No cell types.")
    tab.set({("upload-train-labels-path", "value"): str(table)})
    tab.set({("upload-train-labels-path", "n_submit"): 1})
    assert "types.csv" in tab.get("upload-train-labels-name", "children")
    assert {name: row["train"] for name, row in types_of(tab).items()} == {
        "type 0": 4,
        "type 1": 4,
        "type 2": 4,
    }
    assert tab.get("upload-load", "disabled") is False


def test_what_is_loaded_goes_out_as_a_dcx_file_with_author_and_descriptions(
    tab: Any, awkward: Path, tmp_path: Path
) -> None:
    choose(tab, "train", awkward / "clean_train.h5ad")
    choose(tab, "bulk", awkward / "clean_application.csv")
    tab.click("upload-load")
    tab.click("upload-dcx-open")
    assert tab.get("upload-dcx-box", "opened") is True
    tab.set(
        {
            ("upload-dcx-author", "value"): "A. Miller",
            ("upload-dcx-train", "value"): "25 cells of each type",
            ("upload-dcx-bulk", "value"): "Eight donors",
        }
    )
    tab.click("upload-dcx-create")
    ((name, content),) = tab.downloaded()
    assert name == "clean_train.dcx"
    path = tmp_path / name
    path.write_bytes(content)
    file = read_dcx(path, name)
    assert file.author == "A. Miller"
    assert file.parts["train"].description == "25 cells of each type"
    assert file.parts["bulk"].description == "Eight donors"
    frame = pd.read_csv(awkward / "clean_application.csv", index_col=0)
    assert list(file.parts["bulk"].columns) == list(frame.columns)
    assert tab.get("upload-dcx-box", "opened") is False


def test_the_genes_step_says_how_the_names_were_found_and_saves_the_list(
    tab: Any, awkward: Path
) -> None:
    choose(tab, "train", awkward / "clean_train.h5ad")
    choose(tab, "bulk", awkward / "application_ensembl_pipe_symbol.tsv")
    assert "no gene in common" in tab.text("upload-findings")
    shown = tab.text("upload-name-ways")
    assert "Symbol beside an ID" in shown
    tab.click("upload-save-names")
    ((name, content),) = tab.downloaded()
    assert name == "gene_names.csv"
    saved = pd.read_csv(io.BytesIO(content), comment="#")
    assert list(saved.columns) == ["name in the file", "name used", "way", "file"]
    bulk = saved[saved["file"].str.contains("bulk")].set_index("way")
    beside = bulk.loc["symbol beside an ID"]
    assert len(beside) > 300
    assert (beside["name in the file"].str.split("|").str[1] == beside["name used"]).all()
