"""Opening an HDF5 file of the user's: told by its content, pointing nowhere else, declaring no more
than it holds, and every failure a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.data.readers.sniff import first_bytes, looks_like, unzipped_head
from gui.errors import DataError, UnreadableFile, UnsafeFile

if TYPE_CHECKING:
    import h5py

MAX_ITEMS = 100_000
_BIG = 2**28
_PACKED = 5000
"""How many times smaller than its content a dataset may be stored (gzip: 1030; an array that was
declared but never written: without limit).
"""

_FILTERS = {
    4: "SZIP",
    305: "LZO",
    307: "bzip2",
    32000: "LZF",
    32001: "Blosc",
    32004: "LZ4",
    32008: "Bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32026: "Blosc2",
}
"""Numbers of compressions that are registered with The HDF Group."""
_RECOMPRESS = (
    'Save it again with gzip: in Python import hdf5plugin, then anndata.read_h5ad("FILE")'
    '.write_h5ad("new.h5ad", compression="gzip").'
)


@contextmanager
def opened(path: Path, name: str) -> Iterator[h5py.File]:
    """The open HDF5 file; whatever goes wrong inside is one sentence outside."""
    head = first_bytes(path, name)
    kind = looks_like(head)
    if kind != "HDF5":
        inner = looks_like(unzipped_head(path, head))
        what = (
            inner
            if kind != "a gzip archive" or inner == "an R workspace"
            else f"a gzip archive of {inner}"
        )
        raise UnreadableFile(
            f"{name} is not an .h5ad file (HDF5); it looks like {what}.",
            advice="Unpack it and choose the file inside."
            if inner == "HDF5"
            else "Choose the .h5ad file itself, or export the data again.",
        )
    import h5py

    with failures_said(name), h5py.File(path, "r") as file:
        yield file


@contextmanager
def failures_said(name: str) -> Iterator[None]:
    """Whatever a library for files of arrays raises is one sentence outside."""
    try:
        yield
    except DataError:
        raise
    except MemoryError:
        raise UnreadableFile(
            f"{name} needs more memory than there is.",
            advice="Reduce the file to the cells and the matrix that are needed.",
        ) from None
    except Exception:  # noqa: BLE001  h5py and anndata raise every kind of exception on damaged files
        raise UnreadableFile(
            f"{name} is damaged or incomplete.", advice="Download or export the file again."
        ) from None


def _unknown_compression(item: h5py.Dataset) -> str:
    """The name of a filter that HDF5 needs here and does not have, "" if there is none."""
    from h5py import h5z

    if item.chunks is None:  # filters are for chunks only
        return ""
    settings = item.id.get_create_plist()
    for at in range(settings.get_nfilters()):
        code = int(settings.get_filter(at)[0])
        if not h5z.filter_avail(code):
            return _FILTERS.get(code, f"HDF5 filter {code}")
    return ""


def check_own(file: h5py.File, keys: tuple[str, ...], name: str) -> None:
    """HDF5 can point into other files of the user's disk and declare arrays of any size: such items
    are refused before anything is read.
    """
    import h5py

    seen = 0
    own = h5py.h5i.get_file_id(file.id).name

    def walk(item: Any, depth: int) -> None:
        nonlocal seen
        seen += 1
        if depth > 8 or seen > MAX_ITEMS:
            raise UnsafeFile(f"{name} is nested deeper than any data file.")
        if h5py.h5i.get_file_id(item.id).name != own:  # a soft link by way of an external one
            raise UnsafeFile(f"{name} points to data in other files; nothing of them was read.")
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise UnsafeFile(f"{name} points to data in other files; nothing of them was read.")
            if unknown := _unknown_compression(item):
                raise UnreadableFile(
                    f"{name} is compressed in a way that this program cannot read ({unknown}); the"
                    " file itself is sound.",
                    advice=_RECOMPRESS.replace("FILE", name),
                )
            if item.nbytes > _BIG and item.id.get_storage_size() * _PACKED < item.nbytes:
                raise UnsafeFile(f"{name} declares far more data than it holds.")
            return
        for key in item if isinstance(item, h5py.Group) else ():
            if isinstance(item.get(key, getlink=True), h5py.ExternalLink):
                raise UnsafeFile(f"{name} points to data in other files; nothing of them was read.")
            walk(item[key], depth + 1)

    for key in keys:
        if key in file:
            if isinstance(file.get(key, getlink=True), h5py.ExternalLink):
                raise UnsafeFile(f"{name} points to data in other files; nothing of them was read.")
            walk(file[key], 0)
