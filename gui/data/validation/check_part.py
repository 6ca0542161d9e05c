"""Finds what is wrong with one part on its own: names, values, labels.

The conditions for refusing are those of :mod:`gui.data.validation.checks`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from gui.data.dataset import COLUMN_NAMES, PART_NAMES, Role
from gui.data.readers.cell_file import AXES
from gui.data.readers.labels import bare_numbers, numbered
from gui.data.readers.part import Part
from gui.data.validation import findings as f
from gui.data.validation.check_values import check_values
from gui.data.validation.checks import (
    caught,
    check_column_names,
    check_genes,
    check_size,
)
from gui.data.validation.duplicates import copied_cells, same_samples
from gui.data.validation.findings import Finding, Place
from gui.data.validation.heuristics import (
    looks_transposed,
    symbol_column,
)
from gui.data.validation.repairs import (
    RenameSamples,
    Repair,
    Transpose,
)
from gui.data.validation.repairs_genes import (
    VERSION,
    CleanNames,
    MapGenes,
    MergeGenes,
    RestoreDates,
)
from gui.data.validation.repairs_types import DropTypes, MapTypes, is_unclear, same_labels
from gui.knowledge.excel_dates import restore_dates
from gui.knowledge.identifiers import ADVICE, Kind, holds_transcripts
from gui.text import number, shorten, some

LONG = 80
"""Characters from which on a type's name is too long to be shown."""
MANY_COPIES = 0.1
"""Share of the cells from which copies are said: a few cells of hardly any counts are equal in
every file.
"""


def diagnose(part: Part, others: Collection[str] = (), *, layout: bool = True) -> list[Finding]:
    """All findings on one part.

    others : genes of the other parts, where there are any; layout : also whether genes and columns
    seem to be exchanged, which is a guess
    """
    role, name, matrix = part.source.role, part.source.name, part.matrix
    found = f.of_notes(part.source.notes, part.traits, Place(name, role))
    if error := caught(lambda: check_size(matrix, role, name)):
        return [*found, f.Unreadable.of(error, Place(name, role))]
    exchanged = transposed(part, others) if layout else None
    if exchanged is not None:
        return [*found, exchanged]
    found += list(_names(part, others))
    found += list(check_values(part))
    found += list(_columns(part))
    if role in ("train", "test"):
        found += list(_labels(part))
    return found


def transposed(part: Part, others: Collection[str] = ()) -> Finding | None:
    """Genes where the columns should be."""
    role, name, matrix = part.source.role, part.source.name, part.matrix
    many = COLUMN_NAMES[role][1]
    inside = part.label_in_var if part.unlabelled is not None else None
    if inside is None and not looks_transposed(matrix, others):
        return None
    message = (
        f"In {name} the {many} bear gene names: genes and {many} seem to be exchanged (transposed)."
    )
    if inside is not None:
        message = str(part.unlabelled)
    place_of_columns, place_of_genes = AXES.get(part.source.kind, ("columns", "rows"))
    return f.Transposed(
        Place.at(name, role, columns=matrix.columns[:3], count=matrix.n_columns),
        message,
        f"Exchange them; {many} belong in {place_of_columns}, genes in {place_of_genes}.",
        Transpose(role=role, label_column=inside),
    )


def _names(part: Part, others: Collection[str]) -> Iterator[Finding]:
    role, name, matrix = part.source.role, part.source.name, part.matrix
    genes = [str(g) for g in matrix.genes]
    blank = [g for g in genes if g != g.strip() and g.strip()]
    if blank:
        yield f.BlanksInNames(
            Place.at(name, role, genes=blank),
            f"{number(len(blank))} gene names of {name} have blanks around them.",
            "",
            CleanNames(role=role, versions=False),
        )
    if holds_transcripts(genes):
        yield f.GeneNames(
            Place.at(name, role, genes=genes),
            f"The names of {name} are {Kind.TRANSCRIPT.value}, such as {shorten(genes[0])}, and no"
            " genes.",
            ADVICE[Kind.TRANSCRIPT],
        )
    versions = [g for g in genes if VERSION.match(g)]
    if versions:
        yield f.VersionSuffixes(
            Place.at(name, role, genes=versions),
            f"{number(len(versions))} gene names of {name} end in a version number, such as"
            f" {shorten(versions[0])}.",
            "Without it they can be compared with other files.",
            CleanNames(role=role),
        )
    yield from _dates(part, genes, others)
    if sum(g.isdigit() for g in genes) > 0.9 * len(genes):
        column = symbol_column(part.var, matrix.genes)
        yield f.NumberedGenes(
            Place.at(name, role, genes=genes[:3], count=len(genes)),
            f"{name} has numbers ({genes[0]}, {', '.join(genes[1:3])} ...) instead of gene names"
            + (f"; its column {column} in var holds names." if column else "."),
            (
                "Take the gene names from that column."
                if column
                else "Give the gene names in the first column, or in var of an .h5ad file."
            ),
            MapGenes(role=role, by="column", column=column) if column else None,
        )
    error = caught(lambda: check_genes(matrix, role, name))
    if error is not None and (nameless := int((matrix.genes.isna() | (matrix.genes == "")).sum())):
        yield f.Nameless.of(error, Place(name, role, count=nameless))
    elif error is not None:
        double = matrix.genes[matrix.genes.duplicated()].unique()
        place = Place.at(name, role, genes=double)
        yield f.DuplicatedGenes(
            place,
            str(error),
            "Sum up the rows of the same gene, or keep the larger.",
            MergeGenes(role=role),
            (_larger(role),),
        )
    error = caught(lambda: check_column_names(matrix, role, name))
    if error is not None and ((matrix.columns == "") | matrix.columns.isna()).any():
        yield f.Nameless.of(error, Place(name, role))
    elif error is not None:
        double = matrix.columns[matrix.columns.duplicated()].unique()
        yield f.DuplicatedSamples.of(
            error, Place.at(name, role, columns=double), RenameSamples(role=role)
        )


def _larger(role: Role) -> Repair:
    return MergeGenes(role=role, how="larger")


def _dates(part: Part, genes: list[str], others: Collection[str]) -> Iterator[Finding]:
    role, name = part.source.role, part.source.name
    names = restore_dates(genes, others)
    dates = list(names)
    if not dates:
        return
    unclear = [d for d, n in names.items() if not n]
    meant = [f"{d} is {n}" for d, n in names.items() if n]
    advice = f"Restore the names: {some(meant)}." if meant else ""
    if unclear:
        advice += f" Of {some(unclear)} it cannot be told which gene is meant; they are left out."
    these = "is a gene name" if len(dates) == 1 else "are gene names"
    yield f.DatesAsGenes(
        Place.at(name, role, genes=dates),
        f"In {name} {some(dates)} {these} that Excel turned into"
        f" {'a date' if len(dates) == 1 else 'dates'}.",
        advice.strip(),
        RestoreDates(role=role, names=names),
    )


_BARCODE = re.compile(r"(?:^|[^A-Za-z])[ACGT]{12,24}(?:$|[^A-Za-z])|^[ACGT]{6,10}[-_.][ACGT]{6,10}")
"""Barcodes of droplets as 10x, Drop-seq and others write them, with the number of a library."""


def _looks_like_barcode(name: str) -> bool:
    return bool(_BARCODE.search(name[:LONG]))


def _columns(part: Part) -> Iterator[Finding]:
    """A bulk of one sample, samples that are the same, cells that are copies, types of a reference
    that have numbers for names.
    """
    role, name, matrix = part.source.role, part.source.name, part.matrix
    columns = [str(c) for c in matrix.columns]
    if role == "bulk" and len(columns) == 1:
        message = (
            f"{name} holds a single sample: its composition can be estimated, but the hidden"
            " background and the gene regulation rest on it alone."
        )
        yield f.SingleSample(
            Place.at(name, role, columns=columns),
            message,
            "Add more samples of the same kind where there are any.",
        )
    elif role == "bulk" and sum(map(_looks_like_barcode, columns)) > 0.8 * len(columns):
        yield f.CellsAsBulk(
            Place.at(name, role, columns=columns),
            f"The samples of {name} are called like single cells ({shorten(columns[0])}). A bulk"
            " holds the expression of whole samples.",
            "Choose the file as training cells, or add up the cells of each sample first.",
        )
    elif role == "bulk" and (groups := same_samples(matrix)):
        said = [f"({some((columns[i] for i in group), 4)})" for group in groups]
        message = (
            f"Samples of {name} hold the same values, or the same but for a factor: {some(said)}."
        )
        place = Place.at(name, role, columns=[columns[i] for group in groups for i in group])
        yield f.IdenticalSamples(
            place,
            message,
            "Check whether a sample was copied or is listed under two names, and leave the copy out"
            " of the file.",
        )
    elif role in ("train", "test"):
        copies, compared = copied_cells(matrix)
        if copies and copies >= MANY_COPIES * compared:
            message = (
                f"{number(copies)} of {number(compared)} cells of {name} are copies of other cells"
                " in it."
            )
            advice = (
                "Check whether the same cells were put together twice: copies make a test look"
                " better than it is."
            )
            yield f.CopiedCells(Place(name, role, count=copies), message, advice)
    elif role == "reference":
        yield from _numbered(part, columns)


def _labels_unique(part: Part, labels: np.ndarray) -> Finding:
    """Names of cells, or a reference that was chosen as training cells."""
    name, role = part.source.name, part.source.role
    place = Place.at(name, role, columns=labels)
    if part.source.kind == "csv" and len(labels) <= _MOST_TYPES and not _are_barcodes(labels):
        return f.SignatureMatrix(
            place,
            f"{name} has one column for each of {number(len(labels))} names ({some(labels)}), as a"
            " signature matrix has for its cell types, and no single cells.",
            "Choose it as Reference X, and single cells as training data.",
        )
    message = (
        f"In {name} every cell has a label of its own ({some(labels)}), so these are not cell"
        " types."
    )
    advice = "Choose the column that holds cell types; in a table the header must repeat the cell"
    beside = " type of each cell."
    if part.source.kind == "csv":
        beside += " Or choose a table of these names and their cell types beside this file."
    return f.LabelsUnique(place, message, advice + beside)


_MOST_TYPES = 60


def _are_barcodes(labels: np.ndarray) -> bool:
    found = sum(bool(_BARCODE.search(str(label)[:80])) for label in labels)
    return 2 * found > len(labels)


_BARCODE = re.compile(r"[ACGT]{8,}|^cell|cell[_.-]?\d+$|^c\d+$", re.IGNORECASE)


def _numbered(part: Part, types: list[str]) -> Iterator[Finding]:
    """types : each once."""
    role, name = part.source.role, part.source.name
    found = types if numbered(types) else bare_numbers(types)
    if not found:
        return
    column = part.source.options.get("label_column")
    where = f" (the column {shorten(column, 40)})" if column else ""
    one = len(found) == 1
    what, these = ("cell type", "is a number") if one else ("cell types", "are numbers")
    message = (
        f"The {what} {some(found)} of {name}{where} {these} as clusterings give"
        f" {'it' if one else 'them'}, not {'a name' if one else 'names'}."
    )
    yield f.NumberedTypes(
        Place.at(name, role, columns=found),
        message,
        "Choose a column that holds the names of the cell types, or rename these.",
    )


# -- labels
# --------------------------------------------------------------------------------------------------


def _labels(part: Part) -> Iterator[Finding]:
    role, name = part.source.role, part.source.name
    if part.labels is None:
        if part.unlabelled is not None:
            yield f.Unlabelled.of(part.unlabelled, Place(name, role))
        return
    there = ~pd.isna(part.labels) & (part.labels != "")
    missing = int((~there).sum())
    if missing == len(there):
        yield f.Unlabelled(
            Place(name, role), f"In {name} no cell has a label.", "Choose another label column."
        )
        return
    if missing:
        cells = part.matrix.columns[~there]
        # not by their names: these are in no dataset then, and no export with pseudonyms would
        # replace them
        message = (
            f"{number(missing)} cell{'s' if missing > 1 else ''} of {name} without a label left"
            " out."
        )
        yield f.CellsWithoutLabel(Place.at(name, role, columns=cells), message)
    labels = part.labels[there]
    counts = pd.Series(labels, dtype=object).value_counts().sort_index()
    if len(counts) == len(labels) > 2:
        yield _labels_unique(part, labels)
        return
    if unclear := [str(t) for t in counts.index if is_unclear(str(t))]:
        cells = int(sum(counts[t] for t in unclear))
        yield f.UnclearTypes(
            Place.at(name, role, columns=unclear),
            f"{number(cells)} cell{'s' if cells > 1 else ''} of {name} are called"
            f" {some(unclear)}, which is no cell type.",
            "Leave them out, unless they are a type of their own.",
            MapTypes(names=dict.fromkeys(unclear, ""), why="exclude"),
        )
        counts = counts.drop(unclear)
    if len(counts) < 2 and role == "train":
        message = (
            f"{name} holds only one cell type ({some(counts.index)}); at least two are needed."
        )
        yield f.OneType(
            Place.at(name, role, columns=counts.index),
            message,
            "Check whether the right label column was chosen.",
        )
    yield from _numbered(part, [str(t) for t in counts.index])
    few = list(counts.index[counts == 1])
    if few:
        verb = "has" if len(few) == 1 else "have"
        message = (
            f"{some(few)} {verb} a single cell in {PART_NAMES[role]}: what is estimated from it"
            " rests on little."
        )
        drop = DropTypes(role="train" if role == "train" else "test", min_cells=2)
        yield f.FewCells(
            Place.at(name, role, columns=few),
            message,
            "Leave the type out, or give more cells of it.",
            drop,
        )
    alike = same_labels(map(str, labels))
    if alike:
        pairs = [f"{shorten(o, 30)} and {shorten(n, 30)}" for o, n in alike.items()]
        message = f"Labels of {name} that differ in spelling only: {some(pairs)}."
        yield f.AlikeLabels(
            Place.at(name, role, columns=alike),
            message,
            "Treat them as one type.",
            MapTypes(names=alike, why="spelling"),
        )
    long = [str(t) for t in counts.index if len(str(t)) > LONG]
    if long:
        short = MapTypes(names={t: shorten(t, 40) for t in long})
        message = (
            f"The name of the cell type {shorten(long[0], 40)} is {number(len(long[0]))} characters"
            " long."
        )
        yield f.LongLabel(
            Place.at(name, role, columns=[shorten(t) for t in long]),
            message,
            "It is cut where it is shown.",
            None,
            (short,),
        )
    odd = [
        str(t)
        for t in counts.index
        if not str(t).isprintable()
        or str(t)[:1] in "=+@"
        or any(c in str(t) for c in '<>"\\;')
        or ".." in str(t)
    ]
    if odd:
        message = (
            f"Cell types of {name} hold unusual characters: {some(odd)}; they are treated as text"
            " everywhere."
        )
        yield f.OddLabel(Place.at(name, role, columns=odd), message)
