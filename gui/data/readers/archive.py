"""Tables inside gz, bz2, xz, zip and tar files: unpacked in memory, in pieces, never beyond a
limit.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self, cast

from gui.data.readers.sniff import HEAD, first_bytes, is_tar, looks_like, packed_by, read_limited
from gui.errors import DataError, UnreadableFile

MAX_MEMBERS = 20_000
"""Files in an archive, more are not looked at."""
MAX_UNPACKED = 16 * 2**30
"""Bytes of all files of an archive together, which are read one after the other."""
_LONGEST_HEADER = 1 << 20
"""Bytes of a long name or of further attributes in a tar, which tarfile reads at once."""
MAX_DICTIONARY = 256 * 2**20
"""Memory that unpacking an xz file may take: xz -9 needs 65 MB, its largest setting 1.5 GB."""
_CHUNK = 1 << 16
_LAYERS = 3
"""How often a file may be packed: .tsv in .gz in .tar in .gz."""
_BESIDE = (
    *(".pdf", ".png", ".jpg", ".jpeg", ".svg", ".html", ".htm", ".md", ".rmd", ".r", ".py"),
    *(".json", ".xml", ".yaml", ".yml", ".log", ".parcel", ".summary", ".md5", ".sh", ".docx"),
    *(".final.out", ".progress.out", ".fai", ".gtf", ".gff", ".ini", ".bib", ".tex", ".cnt"),
)
"""Endings of what is packed beside tables and is none."""
_BESIDE_NAMES = (
    *("readme", "manifest", "license", "annotations.txt", "sessioninfo", "md5sum", "checksum"),
    *("multiqc", "thumbs.db", "sj.out.tab"),
)


@dataclass(frozen=True)
class Member:
    """A file in an archive: its path there, and its content unpacked."""

    name: str
    data: bytes


def is_archive(path: Path, name: str) -> bool:
    """Whether the file is a zip (and no workbook) or a tar, compressed or not."""
    head = first_bytes(path, name)
    if zip_holds(path) in ("files", "nothing"):
        return True
    return is_tar(head) or is_tar(_head_inside(path, head))


def zip_holds(path: Path) -> str:
    """What a zip is: "workbook", "files", "nothing", another program's document, "" for no zip."""
    try:
        if not first_bytes(path, path.name).startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return ""
        with zipfile.ZipFile(path) as archive:
            names = {info.filename for info in archive.infolist()[:MAX_MEMBERS]}
            kind = b""
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                kind = archive.read("mimetype")
    except (DataError, OSError, zipfile.BadZipFile, zlib.error, RuntimeError, ValueError):
        return ""
    except (NotImplementedError, KeyError, EOFError):
        return "files"
    if "[Content_Types].xml" in names:
        if any(n.startswith("xl/") for n in names):
            binary = "xl/workbook.bin" in names
            return "an Excel binary workbook (.xlsb)" if binary else "workbook"
        return "a Word or PowerPoint document"
    if b"opendocument.spreadsheet" in kind:
        return "an OpenDocument spreadsheet (.ods)"
    if any(n.startswith("Index/") and n.endswith(".iwa") for n in names) or "Index.zip" in names:
        return "a Numbers spreadsheet"
    if names and all(n.endswith(".npy") for n in names):
        return "a NumPy archive (.npz)"
    return "files" if any(not n.endswith("/") for n in names) else "nothing"


def is_workbook(data: bytes) -> bool:
    """Whether the content of a zip is that of an Excel workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        return False


def table_names(path: Path, name: str) -> list[str]:
    """The files in an archive that may be tables, by their names. Raises UnreadableFile."""
    return [member for member in names_in(path, name) if may_be_table(member)]


def names_in(path: Path, name: str) -> list[str]:
    """All files in an archive. Raises UnreadableFile."""
    with damage_said(name):
        found = path.stat()
        return list(_names(path, name, (found.st_ino, found.st_size, found.st_mtime_ns)))


@lru_cache(maxsize=8)
def _names(path: Path, name: str, _identity: tuple[int, ...]) -> tuple[str, ...]:
    """A compressed tar has to be unpacked to its end for this: once is enough."""
    with _opened(path, name) as archive:
        return tuple(member for member, _ in _listed(archive))


ZARR = frozenset({".zgroup", ".zarray", ".zattrs", ".zmetadata", "zarr.json"})
"""Names of the files that make a folder, or an archive, a zarr store."""


def zarr_store(name: str) -> UnreadableFile:
    """The error for a zarr store whose files come one by one or in a tar, with the way out."""
    return UnreadableFile(
        f"{name} is a zarr store in a form that cannot be read here.",
        advice="Pack its folder as a .zip file and choose that, or in Python:"
        ' anndata.io.read_zarr("FOLDER").write_h5ad("cells.h5ad").',
    )


def read_members(path: Path, name: str, wanted: list[str], limit: int) -> Iterator[Member]:
    """These files of an archive, one after the other, in the order of the archive.

    limit : bytes of one of them. Raises UnreadableFile.
    """
    left = set(wanted)
    total = max(limit, MAX_UNPACKED)
    with damage_said(name), _opened(path, name) as archive:
        for member, entry in _listed(archive):
            if member not in left:
                continue
            with _entry(archive, entry, name) as file:
                data = unpack(file, min(limit, total), f"{PurePosixPath(member).name} in {name}")
            total -= len(data)
            yield Member(member, data)


def unpack(file: IO[bytes], limit: int, name: str) -> bytes:
    """The content without gz, bz2 or xz around it. Raises UnreadableFile beyond ``limit``."""
    data = read_limited(file, limit, name)
    for _ in range(_LAYERS):
        kind = packed_by(data[:HEAD])
        if not kind:
            break
        data = read_limited(decompressing(io.BytesIO(data), kind), limit, name)
    return data


def decompressing(file: IO[bytes], kind: str) -> IO[bytes]:
    """A file that reads what another one holds; kind : "gzip", "bzip2", "xz", "" for as it is."""
    if kind == "gzip":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if kind == "bzip2":
        return cast("IO[bytes]", bz2.BZ2File(file))
    return cast("IO[bytes]", io.BufferedReader(_XZFile(file))) if kind == "xz" else file


class _XZFile(io.RawIOBase):
    """Reads an xz file whose dictionary is bounded: a few bytes can ask for gigabytes.

    LZMAError where it asks for more, or is damaged.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._stream = lzma.LZMADecompressor(memlimit=MAX_DICTIONARY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if self._stream.eof:
                rest = self._stream.unused_data.lstrip(b"\0") or self._file.read(_CHUNK)
                if not rest:
                    return 0
                self._stream = lzma.LZMADecompressor(memlimit=MAX_DICTIONARY)
                made = self._stream.decompress(rest, len(buffer))
            else:
                more = self._file.read(_CHUNK) if self._stream.needs_input else b""
                if not more and self._stream.needs_input:
                    raise EOFError("the file ends before its end mark")
                made = self._stream.decompress(more, len(buffer))
            if made:
                buffer[: len(made)] = made
                return len(made)


def may_be_table(member: str) -> bool:
    """Whether a file of this name may hold expression values."""
    path = PurePosixPath(member)
    base = path.name.lower()
    for end in (".gz", ".bz2", ".xz"):
        base = base.removesuffix(end)
    return not (
        is_hidden(member)
        or not base
        or base.endswith(_BESIDE)
        or base.startswith("meta_")  # of cBioPortal; PT01_meta_2 is a sample of a metastasis
        or any(n in base for n in _BESIDE_NAMES)
    )


def is_hidden(member: str) -> bool:
    """Whether a file is one that a system puts beside others, such as a Mac's __MACOSX/._x."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(member).parts)


def _head_inside(path: Path, head: bytes) -> bytes:
    kind = packed_by(head)
    if not kind:
        return head
    try:
        with open(path, "rb") as file:
            return decompressing(file, kind).read(HEAD)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return b""


# -- zip and tar alike
# --------------------------------------------------------------------------------------------------

_Archive = zipfile.ZipFile | tarfile.TarFile
_Entry = zipfile.ZipInfo | tarfile.TarInfo


class _BoundedTarInfo(tarfile.TarInfo):
    """A header whose long name or attributes are no longer than those of real files."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        made = super().frombuf(buf, encoding, errors)
        if made.type in _HEADERS_BEFORE and made.size > _LONGEST_HEADER:
            raise UnreadableFile(
                "The archive is damaged: the name of a file in it is too long.",
                advice="Unpack it and choose the file inside.",
            )
        return made


_HEADERS_BEFORE = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[_Archive]:
    head = first_bytes(path, name)
    if head.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            yield archive
        return
    with (
        open(path, "rb") as file,
        decompressing(file, packed_by(head)) as inner,
        # read from the front to the end: a compressed tar knows no other way
        tarfile.open(fileobj=inner, mode="r|", tarinfo=_BoundedTarInfo) as tar,
    ):
        yield tar


def _listed(archive: _Archive) -> Iterator[tuple[str, _Entry]]:
    entries: Iterator[_Entry] = iter(
        archive.infolist() if isinstance(archive, zipfile.ZipFile) else archive
    )
    for count, entry in enumerate(entries):
        if count >= MAX_MEMBERS:
            raise UnreadableFile(
                f"The archive holds more than {MAX_MEMBERS} files.",
                advice="Unpack it and choose the file inside.",
            )
        if isinstance(entry, zipfile.ZipInfo):
            if not entry.is_dir():
                yield entry.filename[:400], entry
        elif entry.isreg():  # no links: they could point to other files
            yield entry.name[:400].removeprefix("./"), entry


@contextmanager
def _entry(archive: _Archive, entry: _Entry, name: str) -> Iterator[IO[bytes]]:
    if isinstance(archive, zipfile.ZipFile):
        assert isinstance(entry, zipfile.ZipInfo)
        if entry.flag_bits & 1:
            raise UnreadableFile(
                f"{name} is protected by a password.",
                advice="Unpack it and choose the file inside.",
            )
        with archive.open(entry) as file:
            yield file
        return
    assert isinstance(entry, tarfile.TarInfo)
    found = archive.extractfile(entry)
    assert found is not None
    with found:
        yield found


@contextmanager
def damage_said(name: str) -> Iterator[None]:
    """Whatever unpacking raises is one sentence outside."""
    try:
        yield
    except NotImplementedError:
        raise UnreadableFile(
            f"{name} is packed in a way that this program cannot unpack.",
            advice="Unpack it and choose the file inside.",
        ) from None
    except (
        *(OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError),
        *(RuntimeError, ValueError, KeyError),
    ):
        raise UnreadableFile(
            f"{name} is damaged or incomplete: it cannot be unpacked to the end.",
            advice="Download or copy the file again.",
        ) from None


def kind_of_member(member: Member) -> str:
    """What the unpacked content looks like."""
    return looks_like(member.data[:HEAD])
