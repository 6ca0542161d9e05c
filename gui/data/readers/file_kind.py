"""Which kind of file was chosen, told by its content, and which files reading it opens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from gui.data.dataset import Role
from gui.data.readers import tenx
from gui.data.readers.archive import is_archive
from gui.data.readers.frame_text import COLUMN_FILES
from gui.data.readers.h5file import opened
from gui.data.readers.options import FileChoice
from gui.data.readers.r_file import R_FILE, holds_s4
from gui.data.readers.sample_files import folder_tables
from gui.data.readers.sniff import first_bytes, looks_like, unzipped_head, way_out
from gui.data.readers.zarr_store import is_zarr, store_files
from gui.errors import UnreadableFile

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


def one_folder(choice: FileChoice) -> bool:
    """Whether the files chosen together are the three of one 10x folder."""
    files = (choice.path, *choice.more)
    return len(files) <= 3 and len({path.parent for path in files}) == 1


def paths_of(files: Mapping[Role, FileChoice]) -> list[Path]:
    """Every file that was chosen, for how long reading may take."""
    return [path for choice in files.values() for path in (choice.path, *choice.more)]


def file_marks(paths: Iterable[Path]) -> tuple[tuple[object, ...], ...]:
    """What tells files from others that lie in their place later. Raises OSError."""
    found = [(path, path.stat()) for path in paths]
    return tuple((path, stat.st_size, stat.st_mtime_ns, stat.st_ino) for path, stat in found)
