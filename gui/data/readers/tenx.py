"""Reads what 10x Genomics' Cell Ranger writes: a folder of matrix, barcodes and features (versions
2 and 3, compressed or not), or its ``.h5``.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gui.data.dataset import Matrix
from gui.data.readers.archive import is_archive, is_hidden, names_in, read_members
from gui.data.readers.forecast import check_room
from gui.data.readers.h5ad import H5adPart, describe
from gui.data.readers.h5file import check_own, opened
from gui.data.readers.hdf5_matrix import boolean_said, read_values, stored
from gui.data.readers.options import CellChoice
from gui.data.readers.sniff import MATRIX_MARKET, first_bytes, looks_like, unzipped_head
from gui.data.readers.textfile import decoded, text_limit
from gui.errors import DataError, UnreadableFile
from gui.temporary import TemporaryFolder

if TYPE_CHECKING:
    import h5py

_PART = re.compile(
    r"^(?P<before>.*?)(?P<what>matrix|barcodes|features|genes)\.(mtx|tsv)(\.gz)?$", re.IGNORECASE
)
_FORMAT = 2
"""Of the .h5: Cell Ranger 3 and later write 2, earlier ones nothing."""
_ENTRIES = 2_000_000
"""Entries of a text matrix that are read at once."""
_SHORTEST = 5
"""Bytes of the shortest entry, "1 1 1"."""
_PACKED = 1032
"""gzip makes nothing smaller than this share."""
_LINE = 1 << 16


@dataclass(frozen=True, eq=False)
class TenxInfo:
    """barcodes : names of the cells; var : gene_ids, symbols, feature_types per feature; count :
    stored values; genomes, genome : of an old .h5

    names : by what name each feature goes; kept : positions of the features that are genes; files :
        matrix, barcodes, features (one file for .h5)
    later : a sentence on a later version of the format, or ""
    """

    barcodes: pd.Index
    var: pd.DataFrame
    count: int
    files: tuple[Path, ...]
    kept: np.ndarray
    genomes: tuple[str, ...] = ()
    genome: str | None = None
    swapped: bool = False
    notes: tuple[str, ...] = ()
    later: str = ""

    def names(self, column: str | None) -> pd.Index:
        """Symbols (None), or the Ensembl IDs ("id"), of the kept features."""
        return pd.Index(
            self.var["gene_ids" if column in ("id", "gene_ids") else "symbols"].to_numpy()[
                self.kept
            ],
            dtype=object,
        )

    def bytes_of(self, cells: int) -> float:
        return 8.0 * self.count * cells / max(1, len(self.barcodes))


# -- which files
# --------------------------------------------------------------------------------------------------


def is_10x_h5(file: h5py.File) -> bool:
    """Whether an open HDF5 file is Cell Ranger's."""
    return bool(_groups(file))


def _groups(file: h5py.File) -> list[str]:
    import h5py

    wanted = {"barcodes", "data", "indices", "indptr", "shape"}
    return [
        key
        for key in list(file)[:50]
        if file.get(key, getclass=True) is h5py.Group
        and not _is_link(file, key)
        and wanted <= set(file[key])
    ]


def _is_link(file: h5py.File, key: str) -> bool:
    import h5py

    return isinstance(file.get(key, getlink=True), h5py.ExternalLink)


def is_10x_text(path: Path, head: bytes) -> bool:
    """Whether a file of text is a Matrix Market file, or one of the two beside it."""
    if head.startswith(MATRIX_MARKET):
        return True
    found = _PART.match(path.name)
    return (
        found is not None
        and found["what"].lower() != "matrix"
        and _beside(path.parent, found["before"], "matrix", ".mtx") is not None
    )


def _beside(folder: Path, before: str, what: str, suffix: str) -> Path | None:
    return next(
        (p for end in ("", ".gz") if (p := folder / f"{before}{what}{suffix}{end}").is_file()), None
    )


def triplet(path: Path, name: str) -> tuple[Path, Path, Path]:
    """matrix, barcodes, features from the folder or from one of the three.

    Raises UnreadableFile.
    """
    if path.is_dir():
        found = [
            p
            for pattern in ("", "*/", "*/*/")
            for end in ("", ".gz")
            for p in sorted(path.glob(f"{pattern}*.mtx{end}"))
        ]
        if not found:
            raise UnreadableFile(
                f"No matrix.mtx was found in {name}.",
                advice="Choose one file, or the folder with matrix, barcodes and features.",
            )
        if len(found) > 1:
            shown = ", ".join(p.relative_to(path).as_posix()[:60] for p in found[:4])
            raise UnreadableFile(
                f"{name} holds more than one matrix: {shown}.",
                advice="Choose one of these files instead of the folder.",
            )
        path = found[0]
    fits = _PART.match(path.name)
    before = (
        fits["before"] if fits else re.sub(r"\.mtx(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    )
    matrix = _beside(path.parent, before, "matrix", ".mtx") if fits else path
    for stem in (before, f"{before}_", f"{before}.", ""):
        barcodes = _beside(path.parent, stem, "barcodes", ".tsv")
        features = _beside(path.parent, stem, "features", ".tsv") or _beside(
            path.parent, stem, "genes", ".tsv"
        )
        if matrix and barcodes and features:
            return matrix, barcodes, features
    raise UnreadableFile(
        f"{name} belongs to a 10x matrix, but not all of matrix.mtx, barcodes.tsv and features.tsv"
        " (or genes.tsv) are in one folder.",
        advice="Put the three files into one folder under their usual names and choose the folder.",
    )


def holds_matrix(folder: Path) -> bool:
    """Whether a folder, or one in it, holds a matrix in Matrix Market format."""
    return any(
        True
        for pattern in ("", "*/", "*/*/")
        for end in ("", ".gz")
        for _ in folder.glob(f"{pattern}*.mtx{end}")
    )


def is_10x_archive(path: Path, name: str) -> bool:
    """Whether a zip or tar holds such a matrix."""
    return any(
        member.lower().endswith((".mtx", ".mtx.gz")) and not is_hidden(member)
        for member in names_in(path, name)
    )


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[Path]:
    """The path of the files: of an archive a folder that is gone afterwards, else ``path`` itself.

    Raises UnreadableFile.
    """
    if path.is_dir() or not is_archive(path, name):
        yield path
        return
    wanted = [
        member
        for member in names_in(path, name)
        if not is_hidden(member)
        and (
            _PART.match(PurePosixPath(member).name) or member.lower().endswith((".mtx", ".mtx.gz"))
        )
    ]
    folders = {str(PurePosixPath(member).parent) for member in wanted}
    if len(folders) > 1:  # raw and filtered, or several samples
        kept = [f for f in folders if "filtered" in f.lower()]
        shown = ", ".join(sorted(f[:60] for f in folders)[:4])
        if len(kept) != 1:
            raise UnreadableFile(
                f"{name} holds more than one matrix: {shown}.",
                advice="Unpack it and choose one of these folders.",
            )
        wanted = [member for member in wanted if str(PurePosixPath(member).parent) == kept[0]]
    place = TemporaryFolder()
    try:
        folder = place.path / "10x"
        folder.mkdir()
        for member in read_members(path, name, wanted, text_limit()):
            file = PurePosixPath(member.name).name
            for end in (".gz", ".bz2", ".xz"):
                file = file.removesuffix(end)
            (folder / file.replace("\\", "_")[-200:]).write_bytes(member.data)
        yield folder
    finally:
        place.close()


def files_of(path: Path, name: str) -> tuple[Path, ...]:
    """Every file that is read."""
    if path.is_dir() or looks_like(first_bytes(path, name)) != "HDF5":
        return triplet(path, name)
    return (path,)


# -- looking
# --------------------------------------------------------------------------------------------------


def inspect_10x(path: Path, name: str, genome: str | None = None) -> TenxInfo:
    """Cells and genes without the values. Raises UnreadableFile, UnsafeFile."""
    files = files_of(path, name)
    return _inspect_h5(path, name, genome) if len(files) == 1 else _inspect_text(files, name)


def _inspect_h5(path: Path, name: str, genome: str | None) -> TenxInfo:
    with opened(path, name) as file:
        groups = _groups(file)
        check_own(file, tuple(groups), name)
        chosen = genome or (max(groups, key=lambda g: len(file[g]["data"])) if groups else "")
        if chosen not in groups:
            raise UnreadableFile(
                f"{name} holds no matrix {chosen}; there are {', '.join(groups[:8]) or 'none'}."
            )
        group = file[chosen]
        features = group.get("features", group)
        ids = _texts(features["id" if "features" in group else "genes"])
        symbols = _texts(features["name" if "features" in group else "gene_names"])
        kinds = _texts(features["feature_type"]) if "feature_type" in features else None
        shape = [int(v) for v in group["shape"][()]]
        barcodes = pd.Index(_texts(group["barcodes"]), dtype=object)
        if (
            shape != [len(ids), len(barcodes)]
            or len(symbols) != len(ids)
            or len(group["indptr"]) != len(barcodes) + 1
        ):
            raise UnreadableFile(
                f"{name} is damaged: its matrix contradicts itself.",
                advice="Download or export the file again.",
            )
        genomes = tuple(groups) if len(groups) > 1 else ()
        said = file.attrs.get("version", 0)
        later = ""
        if np.ndim(said) == 0 and np.asarray(said).dtype.kind in "iuf" and said > _FORMAT:
            later = (
                f"The file says that it is of format {said:g} of Cell Ranger; formats later than"
                f" {_FORMAT} may mean something else."
            )
        return _info(
            barcodes,
            ids,
            symbols,
            kinds,
            len(group["data"]),
            (path,),
            genomes=genomes,
            genome=chosen,
            later=later,
        )


def _texts(item: Any) -> list[str]:
    return [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in item[()]]


def _inspect_text(files: tuple[Path, ...], name: str) -> TenxInfo:
    matrix, barcodes_file, features_file = files
    barcodes = pd.Index(
        [line.split("\t")[0].strip().strip('"') for line in _lines(barcodes_file)], dtype=object
    )
    features = [[v.strip().strip('"') for v in line.split("\t")] for line in _lines(features_file)]
    rows, columns, count = _sizes(matrix, name)
    swapped = rows != columns and (rows, columns) == (len(barcodes), len(features))
    if (columns, rows) != (len(barcodes), len(features)) and not swapped:
        raise UnreadableFile(
            f"{name}: the matrix is for {rows} genes and {columns} cells, but there are names of"
            f" {len(features)} genes and {len(barcodes)} cells.",
            advice="Take the three files from the same run.",
        )
    ids = [f[0] for f in features]
    symbols = [f[1] if len(f) > 1 and f[1] else f[0] for f in features]
    kinds = (
        [f[2] if len(f) > 2 else "" for f in features]
        if any(len(f) > 2 for f in features)
        else None
    )
    return _info(barcodes, ids, symbols, kinds, count, files, swapped=swapped)


def _info(
    barcodes: pd.Index,
    ids: list[str],
    symbols: list[str],
    kinds: list[str] | None,
    count: int,
    files: tuple[Path, ...],
    **more: Any,
) -> TenxInfo:
    var = pd.DataFrame(
        {"gene_ids": ids, "symbols": symbols, "feature_types": kinds or [""] * len(ids)},
        dtype=object,
    )
    genes = np.array([k == "Gene Expression" for k in kinds or []], dtype=bool)
    others = genes.any() and not genes.all()
    kept = np.flatnonzero(genes) if others else np.arange(len(ids))
    notes = (
        (
            f"{len(ids) - len(kept)} features that are no genes"
            f" ({', '.join(sorted(set(kinds or []) - {'Gene Expression'}))[:80]}) were left out."
        ),
    )
    return TenxInfo(barcodes, var, count, files, kept, notes=notes if others else (), **more)


def _lines(path: Path) -> list[str]:
    return [line for line in decoded(path, path.name)[0].split("\n") if line.strip()]


# -- reading
# --------------------------------------------------------------------------------------------------


def read_10x(
    info: TenxInfo,
    name: str,
    *,
    genes_column: str | None = None,
    labels: np.ndarray | None = None,
    cells: CellChoice | None = None,
    genes: Collection[str] | None = None,
    first: tuple[int, int] | None = None,
) -> H5adPart:
    """Genes x cells. labels : per barcode, for ``cells``; genes : only these, where any occurs;
    first : only the first genes x cells (a preview).

    Raises UnreadableFile, UnsafeFile, TooLarge.
    """
    notes, options, traits = list(info.notes), {"genes_column": genes_column or "symbols"}, {}
    if info.later:
        notes.append(info.later)
        traits["later-version"] = info.later
    names, kept = info.names(genes_column), info.kept
    at = np.arange(len(info.barcodes))
    if cells is not None:
        at = cells.positions(np.full(len(at), "") if labels is None else labels)
        notes.append(f"{len(at)} of {len(info.barcodes)} cells were read: {describe(cells)}.")
        options["cells"] = cells.model_dump()  # type: ignore[assignment]
    if genes is not None:
        wanted = np.flatnonzero(names.isin(set(genes)))
        if 0 < len(wanted) < len(names):
            notes.append(
                f"{len(wanted)} of {len(names)} genes were read: those that the other files have"
                " too."
            )
            names, kept = names[wanted], kept[wanted]
    if first is not None:
        names, kept, at = names[: first[0]], kept[: first[0]], at[: first[1]]
    else:
        check_room(info.bytes_of(len(at)), name)
    if info.genome is not None:
        options |= {"matrix": info.genome} if info.genomes else {}
        with opened(info.files[0], name) as file:
            check_own(file, (info.genome,), name)
            # its columns are cells, as rows of csr are
            matrix = stored(file[info.genome], name, (len(info.barcodes), len(info.var)), "csr")
            traits |= {"boolean": boolean_said(name)} if matrix.dtype.kind == "b" else {}
            found = read_values(matrix, name, at, kept)
    else:
        found = _read_text(info, name, at, kept)
    var = info.var.iloc[kept].set_axis(names)
    barcodes = info.barcodes[at]
    return H5adPart(
        Matrix(found, names, barcodes),
        pd.DataFrame(index=barcodes),
        var,
        options,
        tuple(notes),
        traits,
    )


class _Entries:
    """What pandas reads from: a line that does not end would be kept in memory as a whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(_LINE if size < 0 else size)
        if len(data) >= _LINE and b"\n" not in data:
            raise ValueError("a line without end")
        return data

    def __iter__(self) -> Iterator[bytes]:  # pandas asks whether it could
        return iter(self._file)


@contextmanager
def _opened_text(path: Path, name: str) -> Iterator[IO[bytes]]:
    damaged = UnreadableFile(
        f"{name} is damaged or incomplete: its matrix cannot be read to the end.",
        advice="Download or copy the files again.",
    )
    try:
        with (
            gzip.open(path, "rb")
            if first_bytes(path, name).startswith(b"\x1f\x8b")
            else open(path, "rb")
        ) as file:
            yield file  # type: ignore[misc]
    except DataError:
        raise
    except MemoryError:
        raise UnreadableFile(
            f"{name} needs more memory than there is.", advice="Read fewer cells."
        ) from None
    except (OSError, EOFError, zlib.error, ValueError, OverflowError, IndexError):
        raise damaged from None


def _header(file: IO[bytes], name: str) -> tuple[int, int, int]:
    """Rows, columns, entries; the file stands at the first entry afterwards."""
    first = file.readline(_LINE).decode("latin-1").lower().split()
    if (
        first[:3] != ["%%matrixmarket", "matrix", "coordinate"]
        or first[-1] != "general"
        or first[3] not in ("integer", "real", "pattern")
    ):
        raise UnreadableFile(
            f"{name} is not a sparse matrix of counts in Matrix Market format.",
            advice="Export it again with writeMM or Cell Ranger.",
        )
    for _ in range(10_000):
        line = file.readline(_LINE)
        if not line.startswith(b"%") and line.strip():
            rows, columns, count = (int(v) for v in line.split())
            if min(rows, columns, count) < 0:
                raise ValueError("negative size")
            return rows, columns, count
    raise ValueError("no sizes")


def _sizes(path: Path, name: str) -> tuple[int, int, int]:
    """As declared, and not more than the file can hold."""
    with _opened_text(path, name) as file:
        rows, columns, count = _header(file, name)
        packed = (
            _PACKED if unzipped_head(path, first := first_bytes(path, name)) is not first else 1
        )
        if count * _SHORTEST > path.stat().st_size * packed + _SHORTEST:
            raise UnreadableFile(
                f"{name} is damaged or incomplete: it declares {count} entries, more than it can"
                " hold."
            )
        return rows, columns, count


def _read_text(info: TenxInfo, name: str, cells: np.ndarray, genes: np.ndarray) -> Any:
    from scipy import sparse

    n_genes, n_cells = len(info.var), len(info.barcodes)
    row_of, column_of = np.full(n_genes, -1, dtype=np.int32), np.full(n_cells, -1, dtype=np.int32)
    row_of[genes], column_of[cells] = np.arange(len(genes)), np.arange(len(cells))
    pieces: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    read = 0
    with _opened_text(info.files[0], name) as file:
        _, _, count = _header(file, name)
        for values, rows, columns in _entries(file):
            read += len(rows)
            if info.swapped:
                rows, columns = columns, rows
            if len(rows) and (
                rows.min() < 1
                or columns.min() < 1
                or rows.max() > n_genes
                or columns.max() > n_cells
            ):
                raise UnreadableFile(
                    f"{name} is damaged: its matrix names genes or cells that do not exist."
                )
            row, column = row_of[rows - 1], column_of[columns - 1]
            there = (row >= 0) & (column >= 0)
            values = values[there]
            exact = values.astype(np.float32)
            pieces.append(
                (exact if np.array_equal(exact, values) else values, row[there], column[there])
            )
    if read != count:
        raise UnreadableFile(
            f"{name} is damaged or incomplete: it declares {count} entries, but holds {read}.",
            advice="Download or copy the files again.",
        )
    joined = [
        np.concatenate([p[i] for p in pieces]) if pieces else np.empty(0, dtype=np.int32)
        for i in range(3)
    ]
    del pieces
    data = joined[0] if joined[0].dtype.kind == "f" else joined[0].astype(np.float32)
    found = sparse.csc_matrix((data, (joined[1], joined[2])), shape=(len(genes), len(cells)))
    found.sum_duplicates()
    return found


def _entries(file: IO[bytes]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """values, rows, columns, some at a time."""
    try:
        with np.errstate(invalid="ignore"):  # a number that is none becomes one that no gene has
            yield from _chunks(file)
    except pd.errors.EmptyDataError:  # no entry at all
        return


def _chunks(file: IO[bytes]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    chunks = pd.read_csv(
        _Entries(file),
        sep=r"\s+",
        header=None,
        names=[0, 1, 2],
        index_col=False,
        dtype={0: np.int64, 1: np.int64, 2: np.float64},
        # pandas' own way of reading numbers ends the process over 1e999999999999
        float_precision="round_trip",
        chunksize=_ENTRIES,
    )
    for chunk in chunks:
        values = chunk[2].to_numpy()
        yield (
            np.where(np.isnan(values), 1.0, values) if np.isnan(values).all() else values,
            chunk[0].to_numpy(),
            chunk[1].to_numpy(),
        )
