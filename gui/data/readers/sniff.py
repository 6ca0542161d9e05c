"""What a file is, told by its first bytes, whatever its name says."""

from __future__ import annotations

import bz2
import lzma
import zlib
from pathlib import Path
from typing import IO, Any

from gui.errors import UnreadableFile

HEAD = 4096
_BLOCK = 1 << 24
_UNPACK = "Unpack it and choose the file inside."
_SAVE_TABLE = "Open it in its program, save the table as .csv or .xlsx and choose that file."
_R = 'In R: write.csv(as.matrix(x), "expression.csv"), where x is the table of expression'
_R_DATA = (
    f'{_R} (x <- readRDS("FILE"); of a Seurat object GetAssayData(x, layer = "counts")); choose'
    " that file."
)
_R_WORKSPACE = f'{_R} (load("FILE") says by its value what is in it: print(load("FILE"))).'
_READS = "Choose the table of counts or TPM that was made from the reads."
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "HDF5", ""),
    (b"PK\x03\x04", "a ZIP or Excel file", ""),
    (b"PK\x05\x06", "an empty ZIP file", ""),
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel file",
        "Open it in Excel or LibreOffice, save it as .xlsx and choose that file.",
    ),
    (b"RDX2", "an R workspace", _R_WORKSPACE),
    (b"RDX3", "an R workspace", _R_WORKSPACE),
    (b"RDA", "an R workspace", _R_WORKSPACE),
    (b"X\n\x00\x00", "an R data file", _R_DATA),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ", "an xz archive", _UNPACK),
    (b"(\xb5/\xfd", "a zstd archive", "Unpack it (unzstd FILE) and choose the file inside."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (
        b"PAR1",
        "a Parquet file",
        'Save it as .csv (in Python: pandas.read_parquet("FILE").to_csv("expression.csv"); in R:'
        ' write.csv(arrow::read_parquet("FILE"), "expression.csv", row.names = FALSE)).',
    ),
    *(
        (
            mark,
            "a Feather (Arrow) file",
            'Save it as .csv (in Python: pandas.read_feather("FILE").to_csv("expression.csv",'
            " index=False)).",
        )
        for mark in (b"ARROW1", b"FEA1")
    ),
    (b"\x93NUMPY", "a NumPy array", "Save it as .csv together with the names of the genes."),
    (b"MATLAB 5.0", "a MATLAB file", "Save the table as .csv (writetable) and choose that file."),
    (b"<stata_dta>", "a Stata file", _SAVE_TABLE),
    (b"$FL2", "an SPSS file", _SAVE_TABLE),
    (b"SQLite format 3", "a database", _SAVE_TABLE),
    (b"{\\rtf", "a text document (RTF)", _SAVE_TABLE),
    (b"BAM\x01", "aligned reads (BAM)", _READS),
    (b"@HD\t", "aligned reads (SAM)", _READS),
    (b"##fileformat=VCF", "a list of variants (VCF)", _READS),
    (b"##gff", "an annotation of a genome (GFF)", _READS),
    (b"IDAT", "raw data of an array (IDAT)", "Choose the table of normalised values."),
    (b"[CEL]", "raw data of an array (CEL)", "Choose the table of normalised values."),
    (b"%PDF", "a PDF", _SAVE_TABLE),
    (b"\x89PNG", "a picture", "Choose the table behind the picture."),
    (
        b"version https://git-lfs",
        "a Git LFS pointer, which stands for a file that was not downloaded",
        "Download the file itself (git lfs pull).",
    ),
    (
        b"<?xml",
        "an XML file",
        "If Excel wrote it (.xls or .xml), open it there, save it as .xlsx and choose that file.",
    ),
    *(
        (mark, "a web page", "Download the file itself: a web page was saved instead of it.")
        for mark in (b"<!DOCTYPE", b"<!doctype", b"<html", b"<HTML")
    ),
)
UTF16 = (b"\xff\xfe", b"\xfe\xff")
MATRIX_MARKET = b"%%MatrixMarket"


def text_encoding(head: bytes) -> str:
    """ "utf-16" where a byte order mark says so, "utf-16-le" or "utf-16-be" where every other byte
    is zero, else "utf-8-sig".
    """
    if head.startswith(UTF16):
        return "utf-16"
    pairs = len(head) // 2
    for at, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if (
            pairs > 3
            and head[at : 2 * pairs : 2].count(0) > 0.4 * pairs
            and head[1 - at : 2 * pairs : 2].count(0) == 0
        ):
            return encoding
    return "utf-8-sig"


def first_bytes(path: Path, name: str) -> bytes:
    """The first bytes. Raises UnreadableFile if the file is missing, empty or not readable."""
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableFile(f"{name} was not found.") from None
    except IsADirectoryError:
        raise UnreadableFile(f"{name} is a folder, not a file.") from None
    except OSError:
        if path.is_dir():  # Windows only says that it may not be opened
            raise UnreadableFile(f"{name} is a folder, not a file.") from None
        raise UnreadableFile(
            f"{name} cannot be opened; it may be in use or you may lack the right to read it."
        ) from None
    if not head:
        raise UnreadableFile(f"{name} is empty (0 bytes).")
    return head


def packed_by(head: bytes) -> str:
    """What compresses a file of these first bytes: "gzip", "bzip2", "xz", or "" for nothing that
    is read here.
    """
    kinds = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"))
    return next((kind for mark, kind in kinds if head.startswith(mark)), "")


def is_tar(head: bytes) -> bool:
    """Whether these are the first bytes of a tar archive."""
    return head[257:262] == b"ustar"


def unzipped_head(path: Path, head: bytes) -> bytes:
    """The first bytes behind a gz, bz2 or xz wrapper, as far as they can be had (those of the file
    itself if it is not compressed).
    """
    kind = packed_by(head)
    if not kind:
        return head
    try:
        with open(path, "rb") as file:
            if kind == "gzip":  # what there is of a file that breaks off
                return zlib.decompressobj(31).decompress(file.read(16 * HEAD), HEAD)
            made: Any = (
                bz2.BZ2Decompressor()
                if kind == "bzip2"
                else lzma.LZMADecompressor(memlimit=1 << 28)
            )
            # a block of bzip2 holds up to 900 kB and is unpacked as a whole
            return bytes(made.decompress(file.read(1 << 20), HEAD))
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return b""


def looks_like(head: bytes) -> str:
    """In words what the bytes are: "HDF5", "text", "a pickle", ..."""
    for signature, words, _ in _SIGNATURES:
        if head.startswith(signature):
            return words
    if is_tar(head):
        return "a tar archive"
    if head.startswith(b"\x1f\x8b"):
        return "a gzip archive"
    if len(head) > 1 and head[0] == 0x80 and head[1] <= 5:
        return "a Python pickle"
    if text_encoding(head).startswith("utf-16"):
        return "text"
    return "binary data" if b"\x00" in head else "text"


def way_out(kind: str, name: str) -> str:
    """What to do with a file that looks like ``kind``, or "" where nothing special is known."""
    said = next((advice for _, words, advice in _SIGNATURES if words == kind), "")
    return said.replace("FILE", name)


def read_limited(file: IO[bytes], limit: int, name: str) -> bytes:
    """Everything up to ``limit`` bytes.

    Raises UnreadableFile beyond it: a small archive can unpack to any size.
    """
    blocks: list[bytes] = []
    size = 0
    # read(limit) would take the memory of the limit at once
    while size <= limit and (block := file.read(min(_BLOCK, limit + 1 - size))):
        blocks.append(block)
        size += len(block)
    data = blocks[0] if len(blocks) == 1 else b"".join(blocks)
    if size > limit:
        raise UnreadableFile(
            f"{name} is too large: more than {limit / 2**30:.0f} GB of text.",
            advice="Save it as .h5ad, which needs far less memory.",
        )
    return data
