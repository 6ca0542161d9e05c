"""Reads one file of any kind into parts: matrix, labels, annotation, origin.

Looking at a file without loading it is here too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from gui.data.dataset import PART_NAMES, ROLES, Matrix, Role, Source
from gui.data.readers import tenx
from gui.data.readers.archive import is_archive
from gui.data.readers.cell_file import NAMED_BY
from gui.data.readers.dcx import DcxFile, read_dcx
from gui.data.readers.expression_table import Table, read_table
from gui.data.readers.forecast import Forecast, forecast
from gui.data.readers.frame_text import COLUMN_FILES
from gui.data.readers.h5ad import (
    cell_names,
    describe,
    gene_names,
    inspect_h5ad,
    label_column_among,
    no_labels,
    preview_h5ad,
    read_h5ad,
)
from gui.data.readers.h5file import opened
from gui.data.readers.hdf5_matrix import boolean_said
from gui.data.readers.labels import label_values, read_labels
from gui.data.readers.options import CellChoice, FileChoice, Frozen
from gui.data.readers.r_file import R_FILE, holds_s4
from gui.data.readers.sample_files import folder_tables, read_archive, read_files
from gui.data.readers.sniff import first_bytes, looks_like, unzipped_head, way_out
from gui.data.readers.table_roles import as_role
from gui.data.readers.table_slot import LAST
from gui.data.readers.zarr_store import is_zarr, store_files
from gui.errors import MissingPart, NoLabels, UnreadableFile

__all__ = [
    "CellChoice",
    "FileChoice",
    "Frozen",
    "Inspection",
    "Part",
    "file_kind",
    "inspect_file",
    "read_all",
    "read_from",
]

PREVIEW = (8, 6)
"""Rows and columns of a preview."""
Kind = Literal["h5ad", "table", "dcx", "10x"]
SUFFIXES: dict[str, Kind] = {
    ".h5ad": "h5ad",
    ".h5mu": "h5ad",
    ".loom": "h5ad",
    ".h5seurat": "h5ad",
    ".dcx": "dcx",
    ".csv": "table",
    ".tsv": "table",
    ".txt": "table",
    ".gct": "table",
    ".xlsx": "table",
    ".xlsm": "table",
}


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


@dataclass(frozen=True, eq=False)
class Part:
    """One part as read, unchecked.

    labels : text or None per column, for cells and where a reference's types come from a column;
        None for cells without any: unlabelled says why
    var : what an .h5ad file says about its genes, one row per gene; label_in_var : its column that
        is called like cell types
    matrices : of an .h5ad file, to choose from; choice : what it was read from; traits : what was
        unusual -> its sentence among the notes (findings.TRAITS); genes_from : where the names of
        the genes were
    """

    matrix: Matrix
    labels: np.ndarray | None
    obs: pd.DataFrame
    source: Source
    var: pd.DataFrame | None = None
    unlabelled: NoLabels | None = None
    label_in_var: str | None = None
    matrices: tuple[str, ...] = ()
    choice: FileChoice | None = None
    traits: Mapping[str, str] = field(default_factory=dict)
    genes_from: str = ""


def file_kind(path: Path, name: str) -> Kind:
    """By content; what is none of the known kinds goes by the suffix of ``name``, to the reader
    that says what is wrong.

    Raises UnreadableFile.
    """
    if path.is_dir():
        if is_zarr(path, name):
            return "h5ad"
        return "10x" if tenx.holds_matrix(path) or not folder_tables(path) else "table"
    if is_archive(path, name):
        if is_zarr(path, name):
            return "h5ad"
        return "10x" if tenx.is_10x_archive(path, name) else "table"
    plain = name.lower().removesuffix(".gz")
    named = next((kind for suffix, kind in SUFFIXES.items() if plain.endswith(suffix)), None)
    head = first_bytes(path, name)
    inner = unzipped_head(path, head)
    looks = looks_like(inner)
    if looks == "HDF5":
        # a table that is HDF5 is a mistake in the name that the user should know of
        return (
            named
            if named == "table"
            else "h5ad"
            if inner is not head or not _is_10x(path, name)
            else "10x"
        )
    if looks == "text":
        if tenx.is_10x_text(path, inner):
            return "10x"
        pickled = named == "dcx" and not any(c in inner.partition(b"\n")[0] for c in b",;\t ")
        return "dcx" if pickled else "table"
    if looks == R_FILE:
        return "h5ad" if holds_s4(path, name) else "table"
    kinds: dict[str, Kind] = {
        **dict.fromkeys(COLUMN_FILES, "table"),
        "a Python pickle": "dcx",
        "a ZIP or Excel file": "table",
    }
    kind = kinds.get(looks, named)
    if kind is None:
        raise UnreadableFile(
            f"{name} is no file that can be read here; it looks like {looks}.",
            advice=way_out(looks, name) or "Choose an .h5ad, .csv, .tsv, .xlsx or .dcx file.",
        )
    return kind


def _is_10x(path: Path, name: str) -> bool:
    try:
        with opened(path, name) as file:
            return not {"obs", "var"} <= set(file) and tenx.is_10x_h5(file)
    except UnreadableFile:
        return False  # the reader says what is wrong


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
        table = _table(FileChoice(path=path, name=name, sheet=sheet, more=more))
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
    matrix = _table_matrix(table, None, name)
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
        columns=_columns_of_numbers(table),
    )


def _columns_of_numbers(table: Table) -> dict[str, str]:
    """Every column of numbers, in the order of the file -> why it is no sample, "" where it is."""
    origin = table.origin
    if origin is None:
        return {}
    samples = {origin.header[i] for i in origin.samples}
    held = {h: table.left_out.get(h, "") for h in origin.header if h in samples}
    return held | {h: table.left_out[h] for h in origin.header if h in table.left_out}


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


def _sha256(*paths: Path) -> str:
    """Of a file, or of several one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()


def read_from(choice: FileChoice) -> tuple[Path, ...]:
    """Every file that reading it opens. Raises UnreadableFile."""
    kind, path = file_kind(choice.path, choice.shown), choice.path
    values: tuple[Path, ...] = (path, *choice.more)
    if kind == "10x" and (path.is_dir() or not is_archive(path, choice.shown)):
        values = tenx.files_of(path, choice.shown)
    elif kind == "h5ad" and path.is_dir():
        values = store_files(path)
    elif kind == "table" and path.is_dir():
        values = tuple(folder_tables(path))
    return values if choice.labels is None else (*values, choice.labels)


def read_all(files: Mapping[Role, FileChoice]) -> tuple[dict[Role, Part], DcxFile | None]:
    """All parts by role; a .dcx under "train" fills what no file is given for."""
    read: dict[Role, Part] = {}
    whole: DcxFile | None = None
    later: dict[Role, FileChoice] = {}
    for role in ROLES:
        choice = files.get(role)
        if choice is None:
            continue
        kind = file_kind(choice.path, choice.shown)
        if choice.more and kind == "10x" and _one_folder(choice):
            choice = choice.model_copy(update={"more": ()})  # matrix, barcodes and features
        if choice.more and kind != "table":
            raise UnreadableFile(
                f"Only tables of one sample each can be chosen together; {choice.shown} is none.",
                advice="Choose one file, or the folder with matrix, barcodes and features.",
            )
        if kind != "dcx":
            if choice.only_common and kind != "table":
                later[role] = choice
            else:
                read[role] = _read_one(role, choice, kind)
            continue
        file = read_dcx(choice.path, choice.shown)
        if role not in file.parts:
            raise MissingPart(
                f"{choice.shown} holds no data for {PART_NAMES[role]}.",
                advice="Choose another file for it.",
            )
        wanted = [role] if role != "train" else [r for r in ROLES if r == "train" or r not in files]
        whole = file if role == "train" else whole
        digest = _sha256(choice.path)
        for each in wanted:
            if each in file.parts:
                read[each] = _dcx_part(each, file, choice, digest, said=each == role)
    names = {role: set(part.matrix.genes) for role, part in read.items()} | {
        role: _gene_names(choice) for role, choice in later.items()
    }
    for role, choice in later.items():
        others = [found for other, found in names.items() if other != role]
        read[role] = _read_one(
            role,
            choice,
            file_kind(choice.path, choice.shown),
            set.intersection(*others) if others else None,
        )
    return read, whole


def _one_folder(choice: FileChoice) -> bool:
    """Whether the files chosen together are the three of one 10x folder."""
    files = (choice.path, *choice.more)
    return len(files) <= 3 and len({path.parent for path in files}) == 1


def paths_of(files: Mapping[Role, FileChoice]) -> list[Path]:
    """Every file that was chosen, for how long reading may take."""
    return [path for choice in files.values() for path in (choice.path, *choice.more)]


def _gene_names(choice: FileChoice) -> set[str]:
    if file_kind(choice.path, choice.shown) == "10x":
        with tenx.unpacked(choice.path, choice.shown) as path:
            info = tenx.inspect_10x(path, choice.shown, choice.matrix)
            return set(info.names(choice.genes_column))
    return set(gene_names(choice.path, choice.shown, choice.matrix, choice.genes_column))


def _read_one(
    role: Role, choice: FileChoice, kind: Kind, genes: Collection[str] | None = None
) -> Part:
    """genes : the only ones wanted (None: all)."""
    if kind == "table":
        return _read_table(role, choice)
    return _read_10x(role, choice, genes) if kind == "10x" else _read_h5ad(role, choice, genes)


def _dcx_part(role: Role, file: DcxFile, choice: FileChoice, digest: str, *, said: bool) -> Part:
    """said : whether what is to be said of the whole file is said of this part."""
    part = file.parts[role]
    matrix = part.matrix()
    labels = np.array(part.columns, dtype=object) if role in ("train", "test") else None
    traits = {"boolean": boolean_said(choice.shown)} if part.values.dtype.kind == "b" else {}
    traits |= {"later-version": file.later} if file.later and said else {}
    source = Source(
        role,
        choice.shown,
        "dcx",
        digest,
        part.description,
        notes=(file.later,) if file.later and said else (),
    )
    return Part(matrix, labels, _no_obs(matrix), source, traits=traits)


def _table_matrix(table: Table, genes_column: str | None, name: str) -> Matrix:
    if genes_column is not None and genes_column not in table.texts:
        raise UnreadableFile(
            f"{name} has no column of text {genes_column}.",
            advice="Choose another column of gene names.",
        )
    genes = table.genes if genes_column is None else table.texts[genes_column]
    return Matrix(
        table.values, pd.Index(genes, dtype=object), pd.Index(table.columns, dtype=object)
    )


def _table(choice: FileChoice) -> Table:
    """Of a file, an archive, a folder or several files."""
    table = _table_with(choice, choice.samples)
    columns, without = _columns_of_numbers(table), choice.leave_out
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


def file_marks(paths: Iterable[Path]) -> tuple[tuple[object, ...], ...]:
    """What tells files from others that lie in their place later. Raises OSError."""
    found = [(path, path.stat()) for path in paths]
    return tuple((path, stat.st_size, stat.st_mtime_ns, stat.st_ino) for path, stat in found)


def _read_table(role: Role, choice: FileChoice) -> Part:
    name = choice.shown
    table = _table(choice)
    sample_table = as_role(table, role, choice, name)
    table, labels = sample_table.table, sample_table.labels
    matrix = _table_matrix(table, choice.genes_column, name)
    given = _given_labels(choice, matrix.columns) if not table.samples_in_rows else None
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
        options |= _label_table_record(choice)
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
        _sha256(*read_from(choice.model_copy(update={"labels": None}))),
        options=options,
        notes=notes,
    )
    var = pd.DataFrame(table.texts, index=matrix.genes) if table.texts else None
    return Part(
        matrix,
        labels,
        _no_obs(matrix),
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


def _given_labels(choice: FileChoice, cells: pd.Index) -> np.ndarray | None:
    """By the table of labels, if one was chosen."""
    if choice.labels is None:
        return None
    name = choice.labels_name or choice.labels.name
    return read_labels(choice.labels, name).of(cells, choice.label_column, name)


def _label_table_record(choice: FileChoice) -> dict[str, object]:
    """What is kept with the data of the table of labels."""
    if choice.labels is None:
        return {}
    name = choice.labels_name or choice.labels.name
    return {"labels": name, "labels_sha256": _sha256(choice.labels)}


def _read_10x(role: Role, choice: FileChoice, genes: Collection[str] | None) -> Part:
    with tenx.unpacked(choice.path, choice.shown) as path:
        return _read_10x_files(role, choice, path, genes)


def _read_10x_files(
    role: Role, choice: FileChoice, path: Path, genes: Collection[str] | None
) -> Part:
    """path : of the files unpacked."""
    info = tenx.inspect_10x(path, choice.shown, choice.matrix)
    labels, unlabelled = (
        (_given_labels(choice, info.barcodes) if role in ("train", "test") else None),
        None,
    )
    if role in ("train", "test") and labels is None:
        unlabelled = NoLabels(
            f"{choice.shown} holds counts of single cells, but not their cell types, as usual for"
            " 10x files.",
            advice="Choose a table of barcodes and cell types beside it.",
        )
    part = tenx.read_10x(
        info,
        choice.shown,
        genes_column=choice.genes_column,
        labels=labels,
        cells=choice.cells,
        genes=genes,
    )
    options = dict(part.options)
    if labels is not None:
        labels = labels[choice.cells.positions(labels)] if choice.cells else labels
        options |= _label_table_record(choice)
    source = Source(
        role,
        choice.shown,
        "10x",
        _sha256(*read_from(choice.model_copy(update={"labels": None}))),
        options=options,
        notes=part.notes,
    )
    return Part(
        part.matrix,
        labels,
        part.obs,
        source,
        var=part.var,
        unlabelled=unlabelled,
        matrices=info.genomes,
        choice=choice,
        traits=part.traits,
        genes_from="gene IDs" if choice.genes_column == "id" else "gene names of the features",
    )


def _read_h5ad(role: Role, choice: FileChoice, genes: Collection[str] | None) -> Part:
    info = inspect_h5ad(choice.path, choice.shown)
    given = choice.labels is not None and role in ("train", "test")
    label = (
        None if given else choice.label_column or (info.label_column if role != "bulk" else None)
    )
    unlabelled = (
        no_labels(info, choice.shown)
        if role in ("train", "test") and label is None and not given
        else None
    )
    wanted = tuple(
        dict.fromkeys(([label] if label and role != "bulk" else []) + list(choice.keep_obs))
    )
    labels = _given_labels(choice, cell_names(choice.path, choice.shown)) if given else None
    part = read_h5ad(
        choice.path,
        choice.shown,
        matrix=choice.matrix,
        obs=wanted,
        genes_column=choice.genes_column,
        label=label if role != "bulk" else None,
        labels=labels,
        cells=choice.cells,
        genes=genes,
    )
    if labels is not None:
        labels = labels[choice.cells.positions(labels)] if choice.cells else labels
    elif label and role != "bulk":
        labels = label_values(part.obs[label])
    matrix, options = part.matrix, dict(part.options)
    if given:
        options |= _label_table_record(choice)
    if role == "reference" and labels is not None:
        if choice.label_column is None and (
            pd.isna(labels).any() or len(set(labels)) < len(labels)
        ):
            labels = None  # only proposed, and not one row per type: the row names are the types
        else:
            matrix = Matrix(
                matrix.values,
                matrix.genes,
                pd.Index(["" if v is None else v for v in labels], dtype=object),
            )
    notes, traits = part.notes, dict(part.traits)
    if labels is not None and label is not None:
        options["label_column"] = label
        if info.label_said and choice.label_column is None and role in ("train", "test"):
            notes, traits["label-column"] = (*notes, info.label_said), info.label_said
    return Part(
        matrix,
        labels,
        part.obs.loc[:, list(choice.keep_obs)],
        Source(
            role,
            choice.shown,
            info.format,
            _sha256(*read_from(choice.model_copy(update={"labels": None}))),
            options=options,
            notes=notes,
        ),
        var=part.var,
        unlabelled=unlabelled,
        label_in_var=label_column_among(info.var_columns),
        matrices=info.matrices,
        choice=choice,
        traits=traits,
        genes_from=f"column {choice.genes_column} of {info.var_name}"
        if choice.genes_column
        else NAMED_BY.get(info.format, f"index of {info.var_name}"),
    )


def _no_obs(matrix: Matrix) -> pd.DataFrame:
    return pd.DataFrame(index=matrix.columns)
