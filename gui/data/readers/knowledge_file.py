"""Reads what a user knows: files of gene sets (GMT) and tables of marker genes.

In the reading process. CellMarker 2.0 and 3.0, PanglaoDB, Seurat's FindAllMarkers and any table
with a column of cell types and one of genes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from gui.data.readers.layout import is_number
from gui.data.readers.text_table import read_text_table
from gui.data.readers.textfile import decoded
from gui.data.readers.watchdog import watched
from gui.errors import UnreadableFile
from gui.knowledge.gene_sets import parse_gmt, without_genes
from gui.knowledge.human_genes import human_genes
from gui.text import number

Kind = Literal["sets", "markers"]
TYPE_COLUMNS = (
    *("cellname", "celltype", "celltypes", "celltypename", "cellpopulation", "population"),
    *("cluster", "annotation", "celltypeannotation", "label", "cell", "type", "subset"),
)
GENE_COLUMNS = (
    *("symbol", "officialgenesymbol", "genesymbol", "hgncsymbol", "gene", "genes", "genename"),
    *("markergene", "markergenes", "marker", "markers", "cellmarker", "names", "feature"),
    *("geneid", "ensemblid", "ensembl"),
)
"""Names of columns without case, blanks and signs; the first that is there is taken."""
SPECIES_COLUMNS = ("species", "speciestype", "organism")
CHANGE_COLUMNS = ("avglog2fc", "avglogfc", "log2fc", "logfc", "logfoldchanges", "log2foldchange")
SPECIES = {
    "human": "human",
    "homo sapiens": "human",
    "hs": "human",
    "mouse": "mouse",
    "mus musculus": "mouse",
    "mm": "mouse",
}
MISSING_TEXTS = {"", "na", "nan", "none", "null", "-"}
MOST_MARKERS = 2_000_000
LONGEST = 200
MANY_COLUMNS = 3
WANTED = "Give a table with one column of cell types and one of genes, or a GMT file of gene sets."


@dataclass(frozen=True, eq=False)
class KnowledgeFile:
    """What was read of a user's file.

    Attributes
    ----------
    sets
        Of a GMT file: name -> genes.
    markers
        Of a table: columns cell_type, gene, direction ("+", "-"), species ("human", "mouse", both
        with a blank between, or "" where the table does not say).
    note
        What was found and which columns were taken, in a sentence.
    """

    kind: Kind
    name: str
    sha256: str
    note: str
    sets: dict[str, tuple[str, ...]] | None = None
    markers: pd.DataFrame | None = None


def read_knowledge(path: Path, name: str) -> KnowledgeFile:
    """A file of gene sets, where it is called .gmt or looks like one, else a table of markers.

    Raises
    ------
    UnreadableFile
    """
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise UnreadableFile(f"{name} cannot be read.") from None
    plain = name.lower()
    for end in (".gz", ".xz", ".bz2"):
        plain = plain.removesuffix(end)
    if plain.endswith(".gmt"):
        return _of_sets(decoded(path, name)[0], name, digest)
    try:
        return _of_markers(read_text_table(path, name)[0], name, digest)
    except UnreadableFile:
        text = _text_of(path, name)
        if not _looks_like_gmt(text):
            raise
        return _of_sets(text, name, digest)


def _text_of(path: Path, name: str) -> str:
    """The file as text; "" where it is none."""
    try:
        return decoded(path, name)[0]
    except UnreadableFile:
        return ""


def knowledge_task(dataset: object, params: tuple[Path, str], *, progress: object) -> KnowledgeFile:
    """:func:`read_knowledge` as a task."""
    with watched([params[0]]):
        return read_knowledge(*params)


def _looks_like_gmt(text: str) -> bool:
    """Whether the first lines have three tab-separated columns or more, not all as many."""
    widths = [line.count("\t") + 1 for line in text[:100_000].split("\n")[:50] if line.strip()]
    return bool(widths) and min(widths) >= MANY_COLUMNS and len(set(widths)) > 1


def _of_sets(text: str, name: str, digest: str) -> KnowledgeFile:
    sets = parse_gmt(text, name)
    note, empty = f"{number(len(sets))} gene sets.", without_genes(text, sets)
    if empty:
        note += f" {number(empty)} line{'s' if empty > 1 else ''} without genes left out."
    return KnowledgeFile("sets", name, digest, note, sets=sets)


def _of_markers(table: pd.DataFrame, name: str, digest: str) -> KnowledgeFile:
    plain = {_plain(column): str(column) for column in reversed(list(table.columns))}
    gene = _first(plain, GENE_COLUMNS) or _gene_column(table)
    if gene is None:
        raise UnreadableFile(f"No column of {name} holds genes.", advice=WANTED)
    cell_type = next(
        (plain[key] for key in TYPE_COLUMNS if key in plain and plain[key] != gene), None
    ) or _type_column(table, gene)
    if cell_type is None:
        raise UnreadableFile(f"No column of {name} holds cell types.", advice=WANTED)
    species = _first(plain, SPECIES_COLUMNS)
    change = _first(plain, CHANGE_COLUMNS)
    rows = list(
        _rows(
            table[cell_type],
            table[gene],
            table[species] if species else None,
            table[change] if change else None,
        )
    )
    found = pd.DataFrame(
        rows, columns=["cell_type", "gene", "direction", "species"], dtype=object
    ).drop_duplicates(ignore_index=True)
    if found.empty:
        raise UnreadableFile(f"{name} names no gene of a cell type.", advice=WANTED)
    note = (
        f"{number(len(found))} markers of {number(found['cell_type'].nunique())} cell types; cell"
        f" types from the column “{cell_type[:40]}”, genes from “{gene[:40]}”."
    )
    if change:
        note += f" Rows with a negative “{change[:40]}” are left out."
    return KnowledgeFile("markers", name, digest, note, markers=found)


def _rows(
    types: pd.Series, genes: pd.Series, species: pd.Series | None, change: pd.Series | None
) -> Iterable[tuple[str, str, str, str]]:
    count = 0
    nothing = [""] * len(types)
    for cell_type, listed, whose, moved in zip(
        types,
        genes,
        species if species is not None else nothing,
        change if change is not None else nothing,
        strict=True,
    ):
        title = str(cell_type).strip()[:LONGEST]
        if not title or title.lower() in MISSING_TEXTS:
            continue
        if str(moved).lstrip().startswith(("-", "−")):
            continue  # lower than in other types, which does not mean not expressed
        kept = _species(str(whose))
        for gene in _genes(str(listed)):
            bare = gene[:-1] if gene[-1] in "+-" else gene  # no gene's name ends so
            sign = "-" if gene[-1] == "-" else "+"
            if bare:
                count += 1
                if count > MOST_MARKERS:
                    raise UnreadableFile(
                        f"The table holds more than {number(MOST_MARKERS)} markers.",
                        advice="Keep the cell types you need.",
                    )
                yield title, bare[:LONGEST], sign, kept


def _genes(text: str) -> list[str]:
    """Genes of one entry: one, or several separated by commas, semicolons or bars."""
    for sign in "[](){}\"'":
        text = text.replace(sign, " ")
    for sign in ";|/":
        text = text.replace(sign, ",")
    parts = (part.strip() for part in text.split(","))
    return [part for part in parts if part and part.lower() not in MISSING_TEXTS]


def _species(text: str) -> str:
    words = text.strip().lower()
    return SPECIES.get(words) or " ".join(
        SPECIES[word] for word in sorted(words.split()) if word in SPECIES
    )


def _plain(column: object) -> str:
    return "".join(c for c in str(column).lower() if c.isalnum())


def _first(plain: dict[str, str], wanted: Iterable[str]) -> str | None:
    return next((plain[key] for key in wanted if key in plain), None)


def _gene_column(table: pd.DataFrame) -> str | None:
    """The column of which most entries are human genes, in any case."""
    known = human_genes().by_upper_case
    hits = {
        str(column): sum(
            str(v).strip().rstrip("+-").upper() in known for v in table[column].head(500)
        )
        for column in table.columns
        if _plain(column) not in TYPE_COLUMNS
    }
    best = max(hits, key=lambda column: hits[column], default="")
    return best if best and 2 * hits[best] > min(len(table), 500) else None


def _type_column(table: pd.DataFrame, gene: str) -> str | None:
    """The first other column of texts that repeat, or the only other one."""
    others = [str(column) for column in table.columns if str(column) != gene]
    if len(others) == 1:
        return others[0]
    for column in others:
        values = [str(v).strip() for v in table[column].head(500) if str(v).strip()]
        if len(set(values)) < len(values) and not any(is_number(v) for v in values):
            return column
    return None
