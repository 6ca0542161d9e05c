"""Looks at a file that was chosen, without loading it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from gui.data.dataset import Matrix, Role
from gui.data.readers import tenx
from gui.data.readers.chosen_table import chosen_table, columns_of_numbers, table_matrix
from gui.data.readers.dcx import read_dcx
from gui.data.readers.expression_table import Table
from gui.data.readers.file_kind import Kind, file_kind, read_from
from gui.data.readers.forecast import Forecast, forecast
from gui.data.readers.h5ad import (
    inspect_h5ad,
    preview_h5ad,
)
from gui.data.readers.options import FileChoice
from gui.errors import UnreadableFile

PREVIEW = (8, 6)
"""Rows and columns of a preview."""


@dataclass(frozen=True, eq=False)
class Inspection:
    """What a file holds, before it is loaded.

    kind, size : of the file, size in bytes; shape : genes x columns (of the training part for a
        .dcx)
    obs : column -> number of distinct values; label_column : proposed; matrices, matrix : to choose
        from, proposed (h5ad only)
    likely : what each matrix looks like ("counts", "linear", "log", "scaled", "detected",
        "nothing"); sheets, sheet : of a workbook, and the proposed one
    var_columns, genes_column : columns of the genes' annotation, and the one proposed for the names
        where the index holds no symbols
    forecast : memory and time of all of it and of the proposed choice of cells (not for a .dcx)
    parts : role -> genes x columns; description, author (dcx only)
    preview : the first genes x columns; traits : what was unusual about a table (see Table)
    columns : of a table each column of numbers -> what it holds instead of a sample, "" for samples
    """

    kind: Kind
    name: str
    size: int
    shape: tuple[int, int]
    preview: pd.DataFrame
    obs: Mapping[str, int] = field(default_factory=dict)
    label_column: str | None = None
    matrices: tuple[str, ...] = ()
    matrix: str | None = None
    parts: Mapping[Role, tuple[int, int]] = field(default_factory=dict)
    description: str = ""
    author: str = ""
    notes: tuple[str, ...] = ()
    likely: Mapping[str, str] = field(default_factory=dict)
    sheets: tuple[str, ...] = ()
    sheet: str | None = None
    var_columns: tuple[str, ...] = ()
    genes_column: str | None = None
    forecast: Forecast | None = None
    traits: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


def inspect_file(
    path: Path,
    role: Role,
    name: str | None = None,
    *,
    sheet: str | None = None,
    more: tuple[Path, ...] = (),
) -> Inspection:
    """Look at a file that the user chose for ``role``; sheet : of a workbook, None takes the
    proposed one; more : files of one sample each, chosen with it.

    Raises UnreadableFile, UnsafeFile, BadValues, BadNames.
    """
    name = name or path.name
    kind, size = file_kind(path, name), _size(path, name)
    if kind == "dcx":
        file = read_dcx(path, name)
        first = file.parts.get(role) or next(iter(file.parts.values()))
        shapes = {r: (len(p.genes), len(p.columns)) for r, p in file.parts.items()}
        matrix = first.matrix()
        said = (file.later,) if file.later else ()
        return Inspection(
            kind,
            name,
            size,
            (matrix.n_genes, matrix.n_columns),
            _preview(matrix),
            parts=shapes,
            description=file.description,
            author=file.author,
            notes=said,
        )
    if kind == "table":
        table = chosen_table(FileChoice(path=path, name=name, sheet=sheet, more=more))
        return _inspect_table(table.transposed() if table.samples_in_rows else table, name, size)
    if kind == "10x":
        return _inspect_10x(path, name, size)
    info = inspect_h5ad(path, name)
    corner = preview_h5ad(path, name, matrix=info.matrix, rows=PREVIEW[0], columns=PREVIEW[1])
    return Inspection(
        kind,
        name,
        size,
        (info.n_genes, info.n_obs),
        corner,
        info.obs,
        info.label_column,
        info.matrices,
        info.matrix,
        notes=info.notes,
        likely=info.likely,
        var_columns=info.var_columns,
        genes_column=info.genes_column,
        forecast=info.forecast,
    )


def _inspect_table(table: Table, name: str, size: int) -> Inspection:
    matrix = table_matrix(table, None, name)
    return Inspection(
        "table",
        name,
        size,
        (matrix.n_genes, matrix.n_columns),
        _preview(matrix),
        notes=table.notes,
        sheets=table.sheets,
        sheet=table.sheet,
        var_columns=tuple(table.texts),
        forecast=forecast(
            lambda columns: 8.0 * matrix.n_genes * columns, matrix.n_columns, None, 8.0 * size
        ),
        traits=table.traits,
        columns=columns_of_numbers(table),
    )


def _inspect_10x(path: Path, name: str, size: int) -> Inspection:
    with tenx.unpacked(path, name) as inside:
        info = tenx.inspect_10x(inside, name)
        corner = tenx.read_10x(info, name, first=PREVIEW).matrix
    shape = (len(info.kept), len(info.barcodes))
    return Inspection(
        "10x",
        name,
        size,
        shape,
        corner.frame(),
        matrices=info.genomes,
        matrix=info.genome if info.genomes else None,
        notes=info.notes,
        var_columns=("id",),
        forecast=forecast(
            info.bytes_of, len(info.barcodes), None, (1.0 if info.genome else 4.0) * 8 * info.count
        ),
    )


def _size(path: Path, name: str) -> int:
    try:
        return sum(p.stat().st_size for p in read_from(FileChoice(path=path, name=name)))
    except OSError:
        raise UnreadableFile(f"{name} was not found.") from None


def _preview(matrix: Matrix) -> pd.DataFrame:
    """Of a dense matrix."""
    rows, columns = PREVIEW
    return pd.DataFrame(
        np.asarray(matrix.values[:rows, :columns], dtype=np.float64),
        index=matrix.genes[:rows],
        columns=matrix.columns[:columns],
    )
