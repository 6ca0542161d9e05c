"""AnnData in a zarr store: a folder, or one in a ZIP file, of format 2 or 3.

The metadata of a store are small JSON files. They are checked before zarr opens it: a store can
name code to run (the codec ``pickle``), declare arrays of any size, and lead out of its folder by
links.
The formats: https://zarr-specs.readthedocs.io.
"""

from __future__ import annotations

import json
import math
import os
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from gui.data.readers.anndata_file import anndata_layout, gene_part
from gui.data.readers.archive import ZARR, damage_said
from gui.data.readers.cell_file import CellFile
from gui.data.readers.h5file import failures_said
from gui.data.readers.sniff import first_bytes
from gui.errors import UnreadableFile, UnsafeFile

_METADATA = (".zarray", "zarr.json")
_CODECS = frozenset(
    (
        *("blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma", "crc32", "crc32c", "adler32"),
        *("vlen-utf8", "vlen-bytes", "bytes", "transpose", "shuffle", "delta", "packbits"),
        *("fixedscaleoffset", "astype", "sharding_indexed", "json2"),
    )
)
"""Those that only turn bytes into numbers or text."""
_LARGEST_JSON = 64 * 2**20
_LARGEST_CHUNK = 2**31
_BIG = 2**28
_PACKED = 5000
_SPARSE_CHUNKS = 200_000
"""Chunks of an array from which on most have to be there."""
_SAVE = 'In Python: anndata.io.read_zarr(...).write_h5ad("cells.h5ad"), and choose the .h5ad file.'


@dataclass(frozen=True)
class _Files:
    """What lies in a store: path from its top -> bytes on disk."""

    sizes: Mapping[str, int]
    read: Any
    """path -> content"""


def is_zarr(path: Path, name: str) -> bool:
    """Whether a folder is a zarr store, or a ZIP file holds one. Raises UnreadableFile."""
    if path.is_dir():
        return any((path / each).is_file() for each in ZARR)
    if not first_bytes(path, name).startswith(b"PK\x03\x04"):
        return False
    with damage_said(name), zipfile.ZipFile(path) as archive:
        return bool(_top(archive.namelist()))


def _top(names: list[str]) -> str:
    """The folder of a ZIP file that is the store, with a slash at its end, "/" for all of it; ""
    where there is none.
    """
    tops = {str(PurePosixPath(name).parent) for name in names if PurePosixPath(name).name in ZARR}
    if not tops:
        return ""
    top = min(tops, key=lambda found: (0 if found == "." else found.count("/") + 1, found))
    return "/" if top == "." else f"{top}/"


def store_files(path: Path) -> tuple[Path, ...]:
    """All files of a store, in a fixed order."""
    if not path.is_dir():
        return (path,)
    found = [Path(place) / file for place, _, files in os.walk(path) for file in files]
    return tuple(sorted(found))


@contextmanager
def opened_zarr(path: Path, name: str) -> Iterator[CellFile]:
    """The cells in a store. Raises UnreadableFile or UnsafeFile."""
    with failures_said(name), damage_said(name):
        top, files = _listed(path, name)
        _check(files, name)
        place = _place(files, name)
        version: Literal[2, 3] = 3 if f"{place}zarr.json" in files.sizes else 2
        with _group(path, f"{top}{place}".strip("/"), version) as group:
            if "obs" not in group or "var" not in group:
                raise UnreadableFile(
                    f"{name} is a zarr store, but not of AnnData: it has no obs and var.",
                    advice="Export the data with anndata (adata.write_h5ad).",
                )
            found = anndata_layout(group, name, "zarr")
            _check_chunks(files, found, top, name)
            yield found


@contextmanager
def _group(path: Path, place: str, version: Literal[2, 3]) -> Iterator[Any]:
    import zarr
    from numcodecs import blosc

    if not getattr(blosc, "_MUTEX_IS_INIT", True):
        # its lock between processes would be left behind when the reading process is ended
        blosc._MUTEX, blosc._MUTEX_IS_INIT = threading.Lock(), True
    # few threads: each takes address space, of which the reading process has little
    with zarr.config.set({"threading.max_workers": 2, "async.concurrency": 4}):
        store: Any = (
            zarr.storage.LocalStore(path, read_only=True)
            if path.is_dir()
            else zarr.storage.ZipStore(path, mode="r", read_only=True)
        )
        try:
            yield zarr.open_group(
                store, path=place, mode="r", zarr_format=version, use_consolidated=False
            )
        finally:
            store.close()


def _listed(path: Path, name: str) -> tuple[str, _Files]:
    """The top of a ZIP file's store ("" for a folder), and its files."""
    if path.is_dir():
        return "", _Files(_in_folder(path, name), lambda file: (path / file).read_bytes())
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    top = _top([entry.filename for entry in entries]).removeprefix("/")
    sizes: dict[str, int] = {}
    for entry in entries:
        if not entry.filename.startswith(top) or entry.is_dir():
            continue
        if entry.flag_bits & 1:
            raise UnreadableFile(
                f"{name} is protected by a password.", advice="Unpack it and choose the folder."
            )
        if entry.file_size > _LARGEST_CHUNK:
            raise UnsafeFile(f"{name} declares far more data than it holds.")
        is_json = PurePosixPath(entry.filename).name in ZARR  # which is read as a whole
        size = entry.file_size if is_json else entry.compress_size
        sizes[entry.filename.removeprefix(top)] = size

    def read(file: str) -> bytes:
        with zipfile.ZipFile(path) as archive:
            return archive.read(f"{top}{file}")

    return top, _Files(sizes, read)


def _in_folder(path: Path, name: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for place, folders, files in os.walk(path):
        for each in (*folders, *files):
            if os.path.islink(os.path.join(place, each)):
                raise UnsafeFile(f"{name} points to data in other files; nothing of them was read.")
        inside = os.path.relpath(place, path).replace(os.sep, "/")
        for file in files:
            key = file if inside == "." else f"{inside}/{file}"
            sizes[key] = os.path.getsize(os.path.join(place, file))
    return sizes


def _place(files: _Files, name: str) -> str:
    """Where in a store AnnData is, "" for its top: of MuData the part with genes, of SpatialData
    its table.
    """
    if {"obs", "var"} <= {file.partition("/")[0] for file in files.sizes}:
        return ""
    parts = {tuple(file.split("/")[:2]) for file in files.sizes if file.count("/") > 1}
    if parts_of_mudata := sorted(part for top, part in parts if top == "mod"):
        return f"mod/{gene_part(parts_of_mudata, name)}/"
    tables = sorted(part for top, part in parts if top == "tables")
    return f"tables/{tables[0]}/" if len(tables) == 1 else ""


# -- what the metadata say
# --------------------------------------------------------------------------------------------------


def _check(files: _Files, name: str) -> None:
    held = _bytes_by_array(files)
    for file, size in files.sizes.items():
        place, _, last = file.rpartition("/")
        if last in ZARR and size > _LARGEST_JSON:
            raise UnsafeFile(f"{name} declares far more data than it holds.")
        if last not in _METADATA:
            continue
        _check_node(_json(files, file, name), place, held, name)


def _json(files: _Files, file: str, name: str) -> dict[str, Any]:
    try:
        found = json.loads(files.read(file))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UnreadableFile(
            f"{name} is damaged or incomplete.", advice="Download or export it again."
        )
    return found


def _bytes_by_array(files: _Files) -> dict[str, tuple[int, int]]:
    """Folder of each array -> bytes and number of its chunks."""
    arrays = {f.rpartition("/")[0] for f in files.sizes if f.rpartition("/")[2] in _METADATA}
    held = {place: [0, 0] for place in arrays}
    for file, size in files.sizes.items():
        place, _, last = file.rpartition("/")
        if last.startswith(".z") or last == "zarr.json":
            continue
        while place and place not in held:
            place = place.rpartition("/")[0]
        if place in held:
            held[place][0] += size
            held[place][1] += 1
    return {place: (size, count) for place, (size, count) in held.items()}


def _check_node(
    node: Mapping[str, Any], place: str, held: Mapping[str, tuple[int, int]], name: str
) -> None:
    """An array or a group, also as a group of format 3 repeats them."""
    inner = (node.get("consolidated_metadata") or {}).get("metadata") or {}
    for key, each in inner.items():
        _check_node(each, f"{place}/{key}".strip("/"), held, name)
    if "shape" not in node:
        return
    for codec in _codecs(node):
        if codec not in _CODECS:
            raise UnreadableFile(
                f"{name} is compressed in a way that this program cannot read ({codec[:40]}); the"
                " store itself is sound.",
                advice=_SAVE,
            )
    shape, chunks = node["shape"], _chunks_of(node)
    item, (size, count) = _bytes_of_item(node), held.get(place, (0, 0))
    most = max(_BIG, size * _PACKED)
    number = math.prod(-(-a // max(1, b)) for a, b in zip(shape, chunks, strict=False))
    if (
        item * math.prod(shape) > most
        or item * math.prod(chunks) > most
        or number > _SPARSE_CHUNKS + 10 * count
    ):
        raise UnsafeFile(f"{name} declares far more data than it holds.")


def _codecs(node: Mapping[str, Any]) -> Iterator[str]:
    """The names of all codecs of an array, also of those in shards."""
    given = [node.get("compressor"), *(node.get("filters") or ()), *(node.get("codecs") or ())]
    given += list(node.get("storage_transformers") or ())
    for codec in given:
        if codec is None:
            continue
        said = (
            str(codec.get("id", codec.get("name", ""))) if isinstance(codec, dict) else str(codec)
        )
        yield said.removeprefix("numcodecs.")
        inner = codec.get("configuration") if isinstance(codec, dict) else None
        if isinstance(inner, dict):
            yield from _codecs({"codecs": inner.get("codecs")})
            yield from _codecs({"codecs": inner.get("index_codecs")})


def _chunks_of(node: Mapping[str, Any]) -> list[int]:
    grid = node.get("chunk_grid") or {}
    found = node.get("chunks", (grid.get("configuration") or {}).get("chunk_shape", node["shape"]))
    return [int(size) for size in found]


def _bytes_of_item(node: Mapping[str, Any]) -> int:
    """Of one value, 8 where it is text of any length."""
    said = node.get("dtype", node.get("data_type"))
    if isinstance(said, dict):  # of format 3, with a length in bytes
        inner = said.get("configuration") or {}
        return int(inner.get("length_bytes", 8))
    if isinstance(said, str) and said[:1] in "<>|" and said[2:].isdigit():
        return int(said[2:]) * (4 if said[1] == "U" else 1)
    return 8


def _check_chunks(files: _Files, found: CellFile, top: str, name: str) -> None:
    """Chunks that are not there read as zeros: of the values of a sparse matrix none may lack."""
    held = _bytes_by_array(files)
    for matrix in found.matrices.values():
        if matrix.form == "dense" or not matrix.count:
            continue
        inside = str(matrix.data.path).removeprefix(top)
        file = next(f"{inside}/{m}" for m in _METADATA if f"{inside}/{m}" in files.sizes)
        node = _json(files, file, name)
        wanted = math.prod(
            -(-a // max(1, b)) for a, b in zip(node["shape"], _chunks_of(node), strict=False)
        )
        if held[inside][1] < wanted:
            raise UnreadableFile(
                f"{name} is incomplete: {wanted - held[inside][1]} of {wanted} files with the"
                " values of a matrix are missing.",
                advice="Copy or download the whole folder again.",
            )
