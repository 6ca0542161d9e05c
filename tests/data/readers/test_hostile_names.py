"""Names of samples and genes as they come out of word processors, web pages, R and old computers."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from gui.data.load import FileChoice, LoadRequest
from gui.data.readers.part import Part
from gui.data.readers.read import read_all
from gui.data.samples.joining import join
from gui.data.validation.examine import examine
from gui.errors import BadNames, UnreadableFile
from gui.knowledge.human_genes import human_genes

GENES = [s for s in sorted(set(human_genes().by_ensembl.values())) if s.isalpha()][700:740]
RANDOM = np.random.default_rng(6)
VALUES = np.exp(RANDOM.normal(5, 1.5, (40, 1)) + RANDOM.normal(0, 0.3, (40, 4))).round(2)
PLAIN = ["P1", "P2", "P3", "P4"]


def text(names: list[str], separator: str = "\t", *, corner: str = "gene", quote: str = "") -> str:
    lines = [separator.join(quote + name + quote for name in (corner, *names))]
    for gene, row in zip(GENES, VALUES.tolist(), strict=True):
        lines.append(separator.join([quote + gene + quote, *map(str, row)]))
    return "\n".join(lines) + "\n"


def body() -> str:
    return text(PLAIN).partition("\n")[2]


def read(folder: Path, written: str | bytes) -> Part:
    path = folder / "bulk.txt"
    path.write_bytes(written if isinstance(written, bytes) else written.encode())
    part = read_all({"bulk": FileChoice(path=path)})[0]["bulk"]
    assert list(part.matrix.genes) == GENES
    np.testing.assert_array_equal(part.matrix.values, VALUES)
    return part


KEPT = {
    "with blanks": ["P 1", "P 2", "P 3", "P 4"],
    "with quotes": ['P "1"', 'P "2"', "P3", "P4"],
    "with an inch mark": ['5" core', "P2", "P3", "P4"],
    "very long": ["x" * 5000 + str(i) for i in range(4)],
    "whole numbers": ["101", "102", "103", "104"],
    "decimals": ["0.5", "1.5", "2.5", "3.5"],
    "percentages": ["5%", "10%", "15%", "20%"],
    "dates": ["2024-01-03", "1/3/2024", "3-Mar", "45294"],
    "words for nothing": ["NA", "NaN", "None", "null"],
    "words for truth": ["TRUE", "FALSE", "T", "F"],
    "with a hash": ["P#1", "P#2", "#3", "P4"],
    "differing in case": ["P1", "p1", "Pa", "pA"],
    "of R": ["X101", "X.102", "X..3", "...4"],
    "of letters that are not ASCII": ["Müller", "Łukasz", "Σ", "樣本"],
    "with other separators": ["a;b", "c,d", "e|f", "g h"],
    "like formulas": ["=P1", "+P2", "-P3", "@P4"],
    "of genes": ["CD4", "CD8A", "CD19", "CD14"],
    "of marks": ["_", "__", "-", "."],
}


@pytest.mark.parametrize("kind", KEPT)
@pytest.mark.parametrize("separator", ["\t", ",", ";"])
def test_names_are_kept_as_they_are(kind: str, separator: str, tmp_path: Path) -> None:
    names = KEPT[kind]
    quoted = any(separator in name for name in names) or (
        separator != "\t" and '"' in "".join(names)
    )
    shown = [name.replace('"', '""') for name in names] if quoted else names
    part = read(tmp_path, text(shown, separator, quote='"' if quoted else ""))
    assert list(part.matrix.columns) == names
    found = examine(LoadRequest(files={"bulk": FileChoice(path=tmp_path / "bulk.txt")}))
    assert found.outcome == "accept"


UNSEEN = ("\ufeff", "\u200b", "\u200f", "\u2060", "\u00ad")


@pytest.mark.parametrize("mark", UNSEEN, ids=[f"U+{ord(mark):04X}" for mark in UNSEEN])
def test_characters_that_nobody_sees_are_removed_and_it_is_said(mark: str, tmp_path: Path) -> None:
    written = text([mark + "P1", "P2" + mark, f"P{mark}3", "P4"]).replace(GENES[3], GENES[3] + mark)
    part = read(tmp_path, written)
    assert list(part.matrix.columns) == PLAIN
    assert any("Invisible characters" in note for note in part.source.notes)


LAYOUTS = {
    "byte order mark": "\ufeff" + text(PLAIN),
    "byte order mark and quotes": "\ufeff" + text(PLAIN, ",", quote='"'),
    "blanks behind": text(["P1   ", "P2\u00a0", " P3", "P4 "]),
    "R's missing corner": "\t".join(PLAIN) + "\n" + body(),
    "blank corner": text(PLAIN, corner=""),
    "corner with a hash": text(PLAIN, corner="#gene"),
    "separator behind the header": text(PLAIN).replace("P4\n", "P4\t\n", 1),
    "separator behind every line": text(PLAIN).replace("\n", "\t\n"),
    "CR only": text(PLAIN).replace("\n", "\r"),
    "CR and CRLF": text(PLAIN).replace("\n", "\r\r\n"),
    "ends of several kinds": text(PLAIN).replace("\n", "\r\n", 20),
    "UTF-16": text(PLAIN).encode("utf-16"),
    "UTF-16 without a mark": text(PLAIN, ",").encode("utf-16-be"),
    "DOS's end of the file": text(PLAIN) + "\x1a",
    "form feed behind": text(PLAIN) + "\x0c\n",
    "paths": text([f"C:\\runs\\{p}.bam" for p in PLAIN]),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_header_is_found_in(layout: str, tmp_path: Path) -> None:
    assert list(read(tmp_path, LAYOUTS[layout]).matrix.columns) == PLAIN


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (["gene", *PLAIN, "P5"], "The table begins on line 2"),
        (["gene", "P1", "P2"], "The table begins on line 2"),
    ],
    ids=["one name more", "two names less"],
)
def test_a_header_that_does_not_fit_is_left_out_with_a_warning(
    header: list[str], says: str, tmp_path: Path
) -> None:
    part = read(tmp_path, "\t".join(header) + "\n" + body())
    assert list(part.matrix.columns) == [f"column {i}" for i in range(2, 6)]
    assert any(says in note for note in part.source.notes)
    found = examine(LoadRequest(files={"bulk": FileChoice(path=tmp_path / "bulk.txt")}))
    assert found.outcome == "accept with a warning"


@pytest.mark.parametrize(
    ("written", "error", "says"),
    [
        (text(["P1", "", "P3", "P4"]), BadNames, "column 3 has no name"),
        (text(["P1", " \u00a0", "P3", "P4"]), BadNames, "column 3 has no name"),
        (text(["P\x001", "P2", "P3", "P4"]), UnreadableFile, "not a text table"),
        (text(PLAIN) + "\x00" * 40, UnreadableFile, "not a text table"),
    ],
    ids=["blank", "blanks", "NUL in a name", "NUL behind"],
)
def test_a_name_that_is_none_is_refused(
    written: str, error: type[Exception], says: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says):
        read(tmp_path, written)


@pytest.mark.parametrize("names", [["P1", "P1 ", "P3", "P4"], ["P1", "P\u200b1", "P3", "P4"]])
def test_names_that_are_one_when_trimmed_are_said(names: list[str], tmp_path: Path) -> None:
    read(tmp_path, text(names))
    found = examine(LoadRequest(files={"bulk": FileChoice(path=tmp_path / "bulk.txt")}))
    assert "duplicated-samples" in {x.code for x in found.findings}


def decomposed(name: str) -> str:
    return unicodedata.normalize("NFD", name)


@pytest.mark.parametrize(
    ("sample", "row"),
    [
        ("Müller", decomposed("Müller")),
        (decomposed("Åsa Öberg 2"), "Åsa_öberg-2"),
        ("P1", "'P1'"),
        ("P1", "\u200bP1"),
        ("P\u00a01", "P 1"),
        ("“P1”", "P1"),
        ("Zoë7", decomposed("Zoë-7")),
    ],
)
def test_patients_are_joined_however_their_letters_are_stored(sample: str, row: str) -> None:
    found = join([sample, "other"], ["another", row])
    assert found.rows == {sample: 1}


def test_names_that_differ_in_case_only_are_joined_to_their_own_rows() -> None:
    assert join(["P1", "p1"], ["p1", "P1"]).rows == {"P1": 1, "p1": 0}
    assert set(join(["Pa"], ["PA", "pa"]).ambiguous) == {"Pa"}
