"""How data gets in: files are looked at, then loaded together. A Dataset is built completely or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gui.data.checks import (
    PART_NAMES,
    check_columns,
    check_common,
    check_matrix,
    check_reference,
    check_trainable,
    check_types,
    notes_on_cells,
    notes_on_types,
    notes_on_values,
    number,
    some,
)
from gui.data.dataset import ROLES, Bulk, Cells, Dataset, Matrix, Role, Source
from gui.data.dcx import DcxFile, DcxPart, read_dcx
from gui.data.h5ad import inspect_h5ad, label_values, no_labels, preview_h5ad, read_h5ad
from gui.data.normalize import common_genes, split_cells
from gui.data.sniff import first_bytes, looks_like
from gui.data.tables import read_table
from gui.errors import BadNames, EmptyColumn, InvalidParameter, MissingPart, NoLabels, UnreadableFile

SCALE = 10_000.0
PREVIEW = (8, 6)
"""Rows and columns of a preview."""
Kind = Literal["h5ad", "table", "dcx"]
_SUFFIXES: dict[str, Kind] = {".h5ad": "h5ad", ".dcx": "dcx", ".csv": "table", ".tsv": "table", ".txt": "table", ".gct": "table", ".xlsx": "table", ".xlsm": "table"}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, **values: Any) -> Self:
        """The object, or InvalidParameter in one sentence."""
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            raise InvalidParameter(f"{'.'.join(map(str, first['loc'])) or 'The request'}: {first['msg']}.") from None


class FileChoice(_Frozen):
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


class LoadRequest(_Frozen):
    """What is loaded together.

    files : by role; a .dcx under "train" fills every role for which no other file is given
    scale : scale every matrix to 10 000 per column over the genes in use; False leaves the values as they are
    test_share, split_seed : for splitting the training cells where no test data are given
    """

    files: Mapping[Role, FileChoice]
    scale: bool = True
    test_share: float = Field(0.3, gt=0, lt=1)
    split_seed: int = Field(1, ge=0, le=2**32 - 1)
    name: str = ""
    description: str = ""
    author: str = ""


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
class _Part:
    """One part as read. labels : text or None per column, for cells and where a reference's types come from a column."""

    matrix: Matrix
    labels: np.ndarray | None
    obs: pd.DataFrame
    source: Source


def file_kind(path: Path, name: str) -> Kind:
    """By the suffix of ``name`` (also before .gz); without a known one by content. Raises UnreadableFile."""
    plain = name.lower().removesuffix(".gz")
    for suffix, kind in _SUFFIXES.items():
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
        matrix = _dcx_matrix(first)
        return Inspection(kind, name, size, (matrix.n_genes, matrix.n_columns), _preview(matrix), parts=shapes, description=file.description, author=file.author)
    if kind == "table":
        table = read_table(path, name)
        matrix = Matrix(table.values, pd.Index(table.genes, dtype=object), pd.Index(table.columns, dtype=object))
        return Inspection(kind, name, size, (matrix.n_genes, matrix.n_columns), _preview(matrix), notes=table.notes)
    info = inspect_h5ad(path, name)
    corner = preview_h5ad(path, name, matrix=info.matrix, rows=PREVIEW[0], columns=PREVIEW[1])
    return Inspection(kind, name, size, (info.n_genes, info.n_obs), corner, info.obs, info.label_column, info.matrices, info.matrix, notes=info.notes)


def load_dataset(request: LoadRequest, *, current: Dataset | None = None) -> Dataset:
    """Read, check and put together everything in ``request``; ``current`` is never changed.

    With only a bulk in the request and ``current`` given, the bulk alone is replaced.
    Raises DataError: one sentence that names file, gene, type or sample, and what to do.
    """
    if set(request.files) == {"bulk"} and current is not None and current.parts().keys() - {"bulk"}:
        part = _checked("bulk", _read_all(request.files)[0]["bulk"])
        dataset = replace(current, bulk=Bulk(part.matrix, part.obs), sources=(*(s for s in current.sources if s.role != "bulk"), part.source))
        return _complete(dataset)
    read, dcx = _read_all(request.files)
    if "train" not in read:
        raise MissingPart("There are no single-cell training data.", advice="Choose a file of labelled single cells.")
    parts = {role: _checked(role, read[role]) for role in ROLES if role in read}
    sources = {role: part.source for role, part in parts.items()}
    train = _cells(parts["train"], sources)
    check_types(train, parts["train"].source.name)
    if "test" in parts:
        test = _cells(parts["test"], sources)
    else:
        train, test, sources["test"] = _split(train, request, sources["train"])
    if "reference" not in parts:
        sources["reference"] = Source("reference", "mean of the training cells", "mean", notes=("The mean of the training cells of each type is used as reference.",))
    bulk = parts.get("bulk")
    title = request.name or parts["train"].source.name.split(".")[0]
    dataset = Dataset(
        train,
        test,
        parts["reference"].matrix if "reference" in parts else None,
        Bulk(bulk.matrix, bulk.obs) if bulk else None,
        scale=SCALE if request.scale else None,
        name=title,
        description=request.description or (dcx.description if dcx else ""),
        author=request.author or (dcx.author if dcx else ""),
        sources=tuple(sources[role] for role in ROLES if role in sources),
    )
    return _complete(dataset)


def _size(path: Path, name: str) -> int:
    try:
        return path.stat().st_size
    except OSError:
        raise UnreadableFile(f"{name} was not found.") from None


def _preview(matrix: Matrix) -> pd.DataFrame:
    rows, columns = PREVIEW
    corner = matrix.values[:rows][:, :columns] if not matrix.is_sparse else matrix.values[:, :columns].toarray()[:rows]
    return pd.DataFrame(np.asarray(corner, dtype=np.float64), index=matrix.genes[:rows], columns=matrix.columns[:columns])


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_all(files: Mapping[Role, FileChoice]) -> tuple[dict[Role, _Part], DcxFile | None]:
    """All parts by role; a .dcx under "train" fills what no file is given for."""
    read: dict[Role, _Part] = {}
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


def _dcx_matrix(part: DcxPart) -> Matrix:
    values = part.values if part.values.dtype.kind == "f" else part.values.astype(np.float64)
    return Matrix(values, pd.Index(part.genes, dtype=object), pd.Index(["" if c is None else c for c in part.columns], dtype=object))


def _dcx_part(role: Role, part: DcxPart, choice: FileChoice, digest: str) -> _Part:
    matrix = _dcx_matrix(part)
    labels = np.array(part.columns, dtype=object) if role in ("train", "test") else None
    return _Part(matrix, labels, _no_obs(matrix), Source(role, choice.shown, "dcx", digest, part.description))


def _read_table(role: Role, choice: FileChoice) -> _Part:
    table = read_table(choice.path, choice.shown)
    matrix = Matrix(table.values, pd.Index(table.genes, dtype=object), pd.Index(table.columns, dtype=object))
    labels = np.array(table.columns, dtype=object) if role in ("train", "test") else None
    return _Part(matrix, labels, _no_obs(matrix), Source(role, choice.shown, "csv", _sha256(choice.path), notes=table.notes))


def _read_h5ad(role: Role, choice: FileChoice) -> _Part:
    info = inspect_h5ad(choice.path, choice.shown)
    label = choice.label_column or (info.label_column if role != "bulk" else None)
    if role in ("train", "test") and label is None:
        raise no_labels(info, choice.shown)
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
    return _Part(matrix, labels, part.obs.loc[:, list(choice.keep_obs)], Source(role, choice.shown, "h5ad", _sha256(choice.path), options=options, notes=part.notes))


def _no_obs(matrix: Matrix) -> pd.DataFrame:
    return pd.DataFrame(index=matrix.columns)


def _checked(role: Role, part: _Part) -> _Part:
    """The part, its own checks passed; cells without a label are gone."""
    name, source = part.source.name, part.source
    if part.labels is not None and role in ("train", "test"):
        there = ~pd.isna(part.labels) & (part.labels != "")
        missing = int((~there).sum())
        if missing == len(there):
            raise NoLabels(f"In {name} no cell has a label.", advice="Choose another label column.")
        if missing:
            source = replace(source, notes=(*source.notes, f"{number(missing)} cell{'s' if missing > 1 else ''} without a label left out."))
            part = _Part(part.matrix.where(there), part.labels[there], part.obs[there], source)
        if len(set(part.labels)) == len(part.labels) > 2:  # type: ignore[arg-type]
            raise BadNames(
                f"In {name} every cell has a label of its own ({some(part.labels)}), so these are not cell types.",  # type: ignore[arg-type]
                advice="Choose the column that holds cell types; in a table the header must repeat the cell type of each cell.",
            )
    check_matrix(part.matrix, role, name)
    return part


def _cells(part: _Part, sources: dict[Role, Source]) -> Cells:
    role, source = part.source.role, part.source
    cells = Cells(part.matrix, np.array([str(v) for v in part.labels], dtype=object), part.obs)  # type: ignore[union-attr]
    notes = (*source.notes, f"{number(cells.matrix.n_columns)} cells of {len(cells.types)} types, {number(cells.matrix.n_genes)} genes.", *notes_on_cells(cells, role))
    sources[role] = replace(source, notes=notes)
    return cells


def _split(cells: Cells, request: LoadRequest, source: Source) -> tuple[Cells, Cells, Source]:
    train, test = split_cells(cells, request.test_share, request.split_seed)
    if not test.matrix.n_columns:
        raise MissingPart("The training cells cannot be split: no cell type has two cells.", advice="Give test cells in a file of their own.")
    note = f"{number(test.matrix.n_columns)} of the {number(cells.matrix.n_columns)} training cells were set aside for the test: {request.test_share:.0%} of each type, seed {request.split_seed}."
    return train, test, Source("test", source.name, "split", source.sha256, options={"share": request.test_share, "seed": request.split_seed}, notes=(note,))


def _complete(dataset: Dataset) -> Dataset:
    """The dataset with notes on the whole, all checks across its parts passed."""
    parts, genes = dataset.parts(), common_genes(dataset)
    check_common(parts, genes)
    notes: dict[Role, list[str]] = {role: [] for role in ROLES}
    means = _type_means(dataset, genes)
    if dataset.reference is not None:
        given = dataset.reference.take(genes)
        check_columns(given, "reference", f"over the {number(len(genes))} common genes")
        means = given.frame()
        notes["reference"] += notes_on_values(dataset.reference, "reference")
    check_reference(means / np.where(means.sum(axis=0) > 0, means.sum(axis=0), 1.0))
    notes["reference"] += notes_on_types(means)
    types = [str(t) for t in means.columns]
    if dataset.train is not None:
        check_trainable(types, dataset.train)
        hidden = [t for t in dataset.train.types if t not in types]
        if hidden:
            notes["train"].append(f"The reference lacks {some(hidden)}: not trained on; their test cells stay in the test mixtures as hidden.")
    if dataset.test is not None:
        unseen = [t for t in types if t not in dataset.test.types]
        if unseen:
            notes["test"].append(f"{some(unseen)} {'has' if len(unseen) == 1 else 'have'} no test cells, so no correlation can be given for {'it' if len(unseen) == 1 else 'them'}.")
        foreign = [t for t in dataset.test.types if t not in types and dataset.train is not None and t not in dataset.train.types]
        if foreign:
            notes["test"].append(f"{some(foreign)} occur{'s' if len(foreign) == 1 else ''} only in the test cells and will be hidden in the test mixtures.")
    if dataset.bulk is not None:
        check_columns(dataset.bulk.matrix.take(genes), "bulk", f"over the {number(len(genes))} common genes")
        notes["bulk"].append(f"{number(dataset.bulk.matrix.n_columns)} samples, {number(dataset.bulk.matrix.n_genes)} genes.")
        notes["bulk"] += notes_on_values(dataset.bulk.matrix, "bulk")
    first: Role = next(iter(parts))
    notes[first].append(f"{number(len(genes))} genes common to all parts ({len(genes) / parts[first].n_genes:.0%} of the genes of {PART_NAMES[first]}).")
    how = f"scaled to {number(round(dataset.scale))} per column over the genes in use" if dataset.scale else "left as it is, without scaling"
    notes[first].append(f"Every matrix is {how}.")
    return replace(dataset, sources=tuple(replace(s, notes=tuple(dict.fromkeys((*_own(s), *notes[s.role])))) for s in dataset.sources))


def _own(source: Source) -> list[str]:
    """The notes on the part alone: those on the whole are written anew when the bulk changes."""
    return [n for n in source.notes if "common to all parts" not in n and not n.startswith("Every matrix is ")]


def _type_means(dataset: Dataset, genes: pd.Index) -> pd.DataFrame:
    """Genes x types: means of the training cells scaled to one sum, sparse all the way. For checks; the analysis uses normalize.prepare."""
    from scipy import sparse

    train = dataset.train
    if train is None:
        return pd.DataFrame(index=genes)
    matrix = train.matrix.take(genes)
    sums = matrix.sums()
    weight = np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0)
    types = train.types
    group = sparse.csc_matrix((weight, (np.arange(len(sums)), np.searchsorted(types, train.labels.astype(str)))), shape=(len(sums), len(types)))
    total = matrix.values @ group
    means = np.asarray(total.toarray() if sparse.issparse(total) else total, dtype=np.float64)
    lost = [t for t, empty in zip(types, (means.sum(axis=0) == 0), strict=True) if empty]
    if lost:
        raise EmptyColumn(f"In the training cells all cells of {some(lost)} are zero over the {number(len(genes))} common genes.", advice="Leave the type out, or use files with more genes in common.")
    return pd.DataFrame(means, index=genes, columns=types)
