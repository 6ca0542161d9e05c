"""Reads one file of any kind into parts: matrix, labels, annotation, origin. Looking at a file without loading it is here too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from gui.data.checks import PART_NAMES
from gui.data.dataset import ROLES, Matrix, Role, Source
from gui.data.dcx import DcxFile, DcxPart, read_dcx
from gui.data.h5ad import inspect_h5ad, label_column_among, label_values, no_labels, preview_h5ad, read_h5ad
from gui.data.sniff import first_bytes, looks_like
from gui.data.tables import read_table
from gui.errors import InvalidParameter, MissingPart, NoLabels, UnreadableFile

PREVIEW = (8, 6)
"""Rows and columns of a preview."""
Kind = Literal["h5ad", "table", "dcx"]
SUFFIXES: dict[str, Kind] = {
    ".h5ad": "h5ad",
    ".dcx": "dcx",
    ".csv": "table",
    ".tsv": "table",
    ".txt": "table",
    ".gct": "table",
    ".xlsx": "table",
    ".xlsm": "table",
}


class Frozen(BaseModel):
    """Base of what is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, **values: Any) -> Self:
        """The object, or InvalidParameter in one sentence."""
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            raise InvalidParameter(f"{'.'.join(map(str, first['loc'])) or 'The request'}: {first['msg']}.") from None


class FileChoice(Frozen):
    """One file and what to take from it.

    path : where it lies; name : as shown (an upload lies under another name)
    label_column : of obs, None takes the proposed one; matrix : "X", "raw", "layer:NAME", None takes the proposed one; keep_obs : further columns
    """

    path: Path
    name: str = ""
    label_column: str | None = None
    matrix: str | None = None
    keep_obs: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        return self.name or self.path.name


@dataclass(frozen=True, eq=False)
class Inspection:
    """What a file holds, before it is loaded.

    kind, size : of the file, size in bytes; shape : genes x columns (of the training part for a .dcx)
    obs : column -> number of distinct values; label_column : proposed; matrices, matrix : to choose from, proposed (h5ad only)
    parts : role -> genes x columns; description, author (dcx only)
    preview : the first genes x columns
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


@dataclass(frozen=True, eq=False)
class Part:
    """One part as read, unchecked.

    labels : text or None per column, for cells and where a reference's types come from a column; None for cells without any: unlabelled says why
    var : what an .h5ad file says about its genes, one row per gene; label_in_var : its column that is called like cell types
    matrices : of an .h5ad file, to choose from; choice : what it was read from
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


def file_kind(path: Path, name: str) -> Kind:
    """By the suffix of ``name`` (also before .gz); without a known one by content. Raises UnreadableFile."""
    plain = name.lower().removesuffix(".gz")
    for suffix, kind in SUFFIXES.items():
        if plain.endswith(suffix):
            return kind
    looks = looks_like(first_bytes(path, name))
    kinds: dict[str, Kind] = {"HDF5": "h5ad", "a Python pickle": "dcx", "text": "table", "a gzip archive": "table"}
    if looks not in kinds:
        raise UnreadableFile(f"{name} is no file that can be read here; it looks like {looks}.", advice="Choose an .h5ad, .csv, .tsv, .xlsx or .dcx file.")
    return kinds[looks]


def inspect_file(path: Path, role: Role, name: str | None = None) -> Inspection:
    """Look at a file that the user chose for ``role``. Raises UnreadableFile, UnsafeFile, BadValues, BadNames."""
    name = name or path.name
    kind, size = file_kind(path, name), _size(path, name)
    if kind == "dcx":
        file = read_dcx(path, name)
        first = file.parts.get(role) or next(iter(file.parts.values()))
        shapes = {r: (len(p.genes), len(p.columns)) for r, p in file.parts.items()}
        matrix = first.matrix()
        return Inspection(
            kind, name, size, (matrix.n_genes, matrix.n_columns), _preview(matrix), parts=shapes, description=file.description, author=file.author
        )
    if kind == "table":
        table = read_table(path, name)
        matrix = Matrix(table.values, pd.Index(table.genes, dtype=object), pd.Index(table.columns, dtype=object))
        return Inspection(kind, name, size, (matrix.n_genes, matrix.n_columns), _preview(matrix), notes=table.notes)
    info = inspect_h5ad(path, name)
    corner = preview_h5ad(path, name, matrix=info.matrix, rows=PREVIEW[0], columns=PREVIEW[1])
    return Inspection(kind, name, size, (info.n_genes, info.n_obs), corner, info.obs, info.label_column, info.matrices, info.matrix, notes=info.notes)


def _size(path: Path, name: str) -> int:
    try:
        return path.stat().st_size
    except OSError:
        raise UnreadableFile(f"{name} was not found.") from None


def _preview(matrix: Matrix) -> pd.DataFrame:
    """Of a dense matrix."""
    rows, columns = PREVIEW
    return pd.DataFrame(np.asarray(matrix.values[:rows, :columns], dtype=np.float64), index=matrix.genes[:rows], columns=matrix.columns[:columns])


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_all(files: Mapping[Role, FileChoice]) -> tuple[dict[Role, Part], DcxFile | None]:
    """All parts by role; a .dcx under "train" fills what no file is given for."""
    read: dict[Role, Part] = {}
    whole: DcxFile | None = None
    for role in ROLES:
        choice = files.get(role)
        if choice is None:
            continue
        kind = file_kind(choice.path, choice.shown)
        if kind != "dcx":
            read[role] = _read_table(role, choice) if kind == "table" else _read_h5ad(role, choice)
            continue
        file = read_dcx(choice.path, choice.shown)
        if role not in file.parts:
            raise MissingPart(f"{choice.shown} holds no data for {PART_NAMES[role]}.", advice="Choose another file for it.")
        wanted = [role] if role != "train" else [r for r in ROLES if r == "train" or r not in files]
        whole = file if role == "train" else whole
        digest = _sha256(choice.path)
        for each in wanted:
            if each in file.parts:
                read[each] = _dcx_part(each, file.parts[each], choice, digest)
    return read, whole


def _dcx_part(role: Role, part: DcxPart, choice: FileChoice, digest: str) -> Part:
    matrix = part.matrix()
    labels = np.array(part.columns, dtype=object) if role in ("train", "test") else None
    return Part(matrix, labels, _no_obs(matrix), Source(role, choice.shown, "dcx", digest, part.description))


def _read_table(role: Role, choice: FileChoice) -> Part:
    table = read_table(choice.path, choice.shown)
    matrix = Matrix(table.values, pd.Index(table.genes, dtype=object), pd.Index(table.columns, dtype=object))
    labels = np.array(table.columns, dtype=object) if role in ("train", "test") else None
    return Part(matrix, labels, _no_obs(matrix), Source(role, choice.shown, "csv", _sha256(choice.path), notes=table.notes))


def _read_h5ad(role: Role, choice: FileChoice) -> Part:
    info = inspect_h5ad(choice.path, choice.shown)
    label = choice.label_column or (info.label_column if role != "bulk" else None)
    unlabelled = no_labels(info, choice.shown) if role in ("train", "test") and label is None else None
    wanted = tuple(dict.fromkeys(([label] if label and role != "bulk" else []) + list(choice.keep_obs)))
    part = read_h5ad(choice.path, choice.shown, matrix=choice.matrix, obs=wanted)
    labels = label_values(part.obs[label]) if label and role != "bulk" else None
    matrix, options = part.matrix, dict(part.options)
    if role == "reference" and labels is not None:
        if choice.label_column is None and (pd.isna(labels).any() or len(set(labels)) < len(labels)):
            labels = None  # only proposed, and not one row per type: the row names are the types
        else:
            matrix = Matrix(matrix.values, matrix.genes, pd.Index(["" if v is None else v for v in labels], dtype=object))
    if labels is not None:
        options["label_column"] = label
    return Part(
        matrix,
        labels,
        part.obs.loc[:, list(choice.keep_obs)],
        Source(role, choice.shown, "h5ad", _sha256(choice.path), options=options, notes=part.notes),
        var=part.var,
        unlabelled=unlabelled,
        label_in_var=label_column_among(info.var_columns),
        matrices=info.matrices,
        choice=choice,
    )


def _no_obs(matrix: Matrix) -> pd.DataFrame:
    return pd.DataFrame(index=matrix.columns)
