"""Reads tables of text, workbooks and files of one sample each into a part."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gui.data.dataset import Matrix, Role, Source
from gui.data.readers.archive import is_archive
from gui.data.readers.expression_table import Table, read_table
from gui.data.readers.file_kind import file_marks, read_from
from gui.data.readers.h5ad import describe
from gui.data.readers.label_table import given_labels, label_table_record, sha256
from gui.data.readers.options import FileChoice
from gui.data.readers.part import Part, no_obs
from gui.data.readers.sample_files import folder_tables, read_archive, read_files
from gui.data.readers.table_roles import as_role
from gui.data.readers.table_slot import LAST
from gui.errors import UnreadableFile


def columns_of_numbers(table: Table) -> dict[str, str]:
    """Every column of numbers, in the order of the file -> why it is no sample, "" where it is."""
    origin = table.origin
    if origin is None:
        return {}
    samples = {origin.header[i] for i in origin.samples}
    held = {h: table.left_out.get(h, "") for h in origin.header if h in samples}
    return held | {h: table.left_out[h] for h in origin.header if h in table.left_out}


def table_matrix(table: Table, genes_column: str | None, name: str) -> Matrix:
    if genes_column == table.genes_title:
        genes_column = None  # as proposed
    if genes_column is not None and genes_column not in table.texts:
        raise UnreadableFile(
            f"{name} has no column of text {genes_column}.",
            advice="Choose another column of gene names.",
        )
    genes = table.genes if genes_column is None else table.texts[genes_column]
    return Matrix(
        table.values, pd.Index(genes, dtype=object), pd.Index(table.columns, dtype=object)
    )


def chosen_table(choice: FileChoice) -> Table:
    """Of a file, an archive, a folder or several files."""
    table = _table_with(choice, choice.samples)
    columns, without = columns_of_numbers(table), choice.leave_out
    if (
        without is None
        or choice.samples
        or set(without) == {c for c, why in columns.items() if why}
    ):
        return table
    wanted = tuple(c for c in columns if c not in without)
    return _table_with(choice, wanted) if wanted else table


def _table_with(choice: FileChoice, samples: tuple[str, ...]) -> Table:
    try:
        lying = file_marks(read_from(choice.model_copy(update={"labels": None})))
    except OSError:
        return _parsed(choice, samples)  # which says what is missing
    mark = (tuple(choice.all_files), choice.sheet, samples, lying)
    found = LAST.take(mark)
    if found is None:
        found = _parsed(choice, samples)
        LAST.offer(mark, found)
    return found


def _parsed(choice: FileChoice, samples: tuple[str, ...]) -> Table:
    path, name = choice.path, choice.shown
    if choice.more:
        return read_files(choice.all_files, samples)
    if path.is_dir():
        return read_files(
            [(p, p.relative_to(path).as_posix()) for p in folder_tables(path)], samples
        )
    if is_archive(path, name):
        return read_archive(path, name, samples)
    return read_table(path, name, sheet=choice.sheet, samples=samples)


def read_table_part(role: Role, choice: FileChoice) -> Part:
    name = choice.shown
    table = chosen_table(choice)
    sample_table = as_role(table, role, choice, name)
    table, labels = sample_table.table, sample_table.labels
    matrix = table_matrix(table, choice.genes_column, name)
    given = given_labels(choice, matrix.columns) if not table.samples_in_rows else None
    labels = labels if given is None else given
    notes, options = (
        table.notes,
        {
            key: value
            for key in ("sheet", "genes_column", "samples", "leave_out")
            if (value := getattr(choice, key))
        },
    )
    if sample_table.label_column:
        options["label_column"] = sample_table.label_column
    if given is not None:
        options |= label_table_record(choice)
    if labels is None and role in ("train", "test"):
        labels = np.array(table.columns, dtype=object)
    if choice.cells is not None and labels is not None:
        at = choice.cells.positions(labels)
        notes = (*notes, f"{len(at)} of {len(labels)} cells were kept: {describe(choice.cells)}.")
        options["cells"] = choice.cells.model_dump()
        matrix, labels = Matrix(table.values[:, at], matrix.genes, matrix.columns[at]), labels[at]
    source = Source(
        role,
        choice.shown,
        "csv",
        sha256(*read_from(choice.model_copy(update={"labels": None}))),
        options=options,
        notes=notes,
    )
    var = pd.DataFrame(table.texts, index=matrix.genes) if table.texts else None
    return Part(
        matrix,
        labels,
        no_obs(matrix),
        source,
        var=var,
        choice=choice,
        traits=table.traits,
        genes_from=_genes_of(table, choice),
    )


def _genes_of(table: Table, choice: FileChoice) -> str:
    """Where the gene names of a table were, in words."""
    if choice.genes_column is not None:
        return f"column {choice.genes_column}"
    if "samples-in-rows" in table.traits:
        return "names of the columns"
    return f"column {table.genes_title}" if table.genes_title else table.untitled
