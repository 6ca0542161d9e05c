"""Users' own files of gene sets and markers: as the downloads look, and in every other form."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from gui.data.readers.knowledge_file import KnowledgeFile, read_knowledge
from gui.errors import DataError, MissingPart, UnreadableFile
from gui.knowledge.own_files import OwnFiles

CELLMARKER_2 = pd.DataFrame(
    {
        "species": ["Human", "Human", "Mouse", "Human"],
        "tissue_class": ["Blood", "Blood", "Lung", "Blood"],
        "tissue_type": ["Blood"] * 4,
        "uberonongology_id": ["UBERON_0000178"] * 4,
        "cancer_type": ["Normal"] * 4,
        "cell_type": ["Normal cell"] * 4,
        "cell_name": ["B cell", "T cell", "Club cell", "B cell"],
        "cellontology_id": ["CL_0000236", "CL_0000084", "CL_0000158", "CL_0000236"],
        "marker": ["CD19", "CD3", "Scgb1a1", "CD20"],
        "Symbol": ["CD19", "CD3E", "Scgb1a1", ""],
        "GeneID": ["930", "916", "22287", ""],
    }
)
CELLMARKER_1 = pd.DataFrame(
    {
        "speciesType": ["Human"],
        "tissueType": ["Kidney"],
        "cellType": ["Normal cell"],
        "cellName": ["Proximal tubular cell"],
        "cellMarker": ["Intestinal Alkaline Phosphatase"],
        "geneSymbol": ["ALPI, [CUBN, LRP2], NA"],
    }
)
PANGLAO = pd.DataFrame(
    {
        "species": ["Mm Hs", "Hs", "Mm"],
        "official gene symbol": ["CTRB1", "KLK1", "RBPJL"],
        "cell type": ["Acinar cells"] * 3,
        "nicknames": ["CTRB", "Klk6", ""],
        "ubiquitousness index": ["0.017", "0.013", "0.001"],
        "canonical marker": ["1", "1", "1"],
    }
)
SEURAT = pd.DataFrame(
    {
        "": ["CD3E", "LYZ", "CD3E1"],
        "p_val": ["0", "1e-20", "1e-5"],
        "avg_log2FC": ["2.1", "3.0", "-1.5"],
        "pct.1": ["0.9", "0.8", "0.1"],
        "p_val_adj": ["0", "1e-16", "0.01"],
        "cluster": ["T", "Mono", "Mono"],
        "gene": ["CD3E", "LYZ", "CD3E"],
    }
)


def written(folder: Path, name: str, table: pd.DataFrame) -> Path:
    path = folder / name
    if name.endswith(".xlsx"):
        table.to_excel(path, index=False)
    else:
        table.to_csv(path, index=False, sep="\t" if ".tsv" in name else ",")
    return path


def rows(found: KnowledgeFile) -> set[tuple[str, str, str]]:
    assert found.markers is not None
    return set(found.markers[["cell_type", "gene", "direction"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("name", ["Cell_marker_Human.xlsx", "cells.csv", "cells.tsv.gz"])
def test_cellmarker_2_is_read_as_it_is_downloaded(tmp_path: Path, name: str) -> None:
    found = read_knowledge(written(tmp_path, name, CELLMARKER_2), name)
    assert rows(found) == {
        ("B cell", "CD19", "+"),
        ("T cell", "CD3E", "+"),
        ("Club cell", "Scgb1a1", "+"),
    }
    assert found.kind == "markers"
    assert "“cell_name”" in found.note
    assert "“Symbol”" in found.note


def test_lists_of_genes_in_one_entry_are_taken_apart(tmp_path: Path) -> None:
    found = read_knowledge(written(tmp_path, "all_cell_markers.txt", CELLMARKER_1), "x.txt")
    assert {gene for _, gene, _ in rows(found)} == {"ALPI", "CUBN", "LRP2"}


def test_panglaodb_keeps_its_species(tmp_path: Path) -> None:
    found = read_knowledge(written(tmp_path, "PanglaoDB_markers.tsv.gz", PANGLAO), "p.tsv.gz")
    own = OwnFiles(tmp_path / "kept")
    one = own.keep(found.name, found.sha256, found.note, markers=found.markers)
    assert set(own.markers(one.key, "human").table["gene"]) == {"CTRB1", "KLK1"}
    assert set(own.markers(one.key, "mouse").table["gene"]) == {"CTRB1", "RBPJL"}
    assert set(own.markers(one.key, "").table["gene"]) == {"CTRB1", "KLK1", "RBPJL"}


def test_what_goes_down_in_a_cluster_is_left_out(tmp_path: Path) -> None:
    found = read_knowledge(written(tmp_path, "markers.csv", SEURAT), "markers.csv")
    assert rows(found) == {("T", "CD3E", "+"), ("Mono", "LYZ", "+")}
    assert "negative “avg_log2FC” are left out" in found.note


def test_genes_are_found_by_what_they_are_where_no_column_is_called_so(tmp_path: Path) -> None:
    table = pd.DataFrame({"Population": ["T", "T", "B"], "HUGO": ["cd3e", "CD4+", "MS4A1"]})
    table = pd.concat([table] * 2, ignore_index=True)
    found = read_knowledge(written(tmp_path, "own.csv", table), "own.csv")
    assert rows(found) == {("T", "cd3e", "+"), ("T", "CD4", "+"), ("B", "MS4A1", "+")}


def test_columns_of_another_language_are_told_by_their_content(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"Nr": ["1", "2", "3"], "Zelltyp": ["T", "T", "B"], "Gen": ["CD3E", "CD4", "MS4A1"]}
    )
    found = read_knowledge(written(tmp_path, "eigene.csv", table), "eigene.csv")
    assert rows(found) == {("T", "CD3E", "+"), ("T", "CD4", "+"), ("B", "MS4A1", "+")}
    assert "“Zelltyp”" in found.note


@pytest.mark.parametrize("name", ["sets.gmt", "sets.gmt.gz", "sets.txt"])
def test_gene_sets_are_told_by_name_or_look(tmp_path: Path, name: str) -> None:
    text = b"A\tx\tCD3E\tCD4\nB\ty\tMS4A1\tCD19\tCD22\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    found = read_knowledge(path, name)
    assert found.kind == "sets"
    assert found.sets == {"A": ("CD3E", "CD4"), "B": ("MS4A1", "CD19", "CD22")}


NEITHER = {
    "no_types.csv": b"gene,score,rank\nCD3E,1,1\nCD4,2,2\n",
    "no_genes.csv": b"cell type,score\nT,1\nB,2\n",
    "empty_genes.csv": b"cell type,gene\nT,\nB,NA\n",
    "broken.gmt": b"only a name\n",
    "empty.gmt": b"",
    "damaged.gmt.gz": gzip.compress(b"A\tx\tCD3E\n" * 2000)[:40],
    "picture.csv": b"\x89PNG\r\n\x1a\n" + bytes(200),
}


@pytest.mark.parametrize("name", NEITHER)
def test_what_is_neither_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(NEITHER[name])
    with pytest.raises(UnreadableFile, match=name.split(".")[0]):
        read_knowledge(path, name)


# -- kept files
# --------------------------------------------------------------------------------------------------
def test_a_kept_file_has_its_name_and_date_and_comes_back_whole(tmp_path: Path) -> None:
    own = OwnFiles(tmp_path / "knowledge")
    assert own.list() == []
    sets = {"A": ("CD3E", "CD4"), "Ä": ("X",)}
    one = own.keep("mine.gmt", "0" * 64, "2 gene sets.", sets=sets)
    again = OwnFiles(tmp_path / "knowledge")
    assert again.list() == [one]
    assert one.date == one.added[:10]
    assert dict(again.sets(one.key).sets) == sets
    assert "0000" in again.sets(one.key).version
    again.remove(one.key)
    assert own.list() == []
    assert list((tmp_path / "knowledge").iterdir()) == []
    with pytest.raises(MissingPart):
        own.sets(one.key)


def test_the_same_file_is_kept_once_and_too_many_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.knowledge.own_files.MOST", 2)
    own = OwnFiles(tmp_path)
    for digest in ("a", "a", "b"):
        own.keep("x.gmt", digest, "", sets={"A": ("B",)})
    assert len(own.list()) == 2
    own.keep("x.gmt", "b", "", sets={"A": ("B",)})
    with pytest.raises(DataError):
        own.keep("x.gmt", "c", "", sets={"A": ("B",)})


@pytest.mark.parametrize("damage", ["about", "content", "other"])
def test_a_damaged_entry_is_left_out_or_named(tmp_path: Path, damage: str) -> None:
    own = OwnFiles(tmp_path)
    one = own.keep("x.gmt", "a", "", sets={"A": ("B",)})
    name = one.key.removeprefix("own:")
    if damage == "about":
        (tmp_path / f"{name}.about.json").write_text("{", encoding="utf-8")
        assert own.list() == []
        return
    text = "[" if damage == "content" else "[1, 2]"
    (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    with pytest.raises(MissingPart):
        own.sets(one.key)


def test_lines_without_genes_are_counted_in_the_note_and_the_file_is_hashed_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.gmt"
    path.write_text("A\tx\tCD3E\tCD4\nEMPTY\tx\nB\tx\tMS4A1\n", encoding="utf-8")
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("read as a whole"))
    found = read_knowledge(path, "mine.gmt")
    assert list(found.sets or {}) == ["A", "B"]
    assert found.note == "2 gene sets. 1 line without genes left out."
    assert len(found.sha256) == 64
