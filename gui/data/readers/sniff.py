"""What a file is, told by its first bytes, whatever its name says."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import IO

from gui.errors import UnreadableFile

HEAD = 4096
_BLOCK = 1 << 24
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"PK\x03\x04", "a ZIP or Excel file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file"),
    (b"RDX2", "an R workspace"),
    (b"RDX3", "an R workspace"),
    (b"RDA", "an R workspace"),
    (b"X\n\x00\x00", "an R data file"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"(\xb5/\xfd", "a zstd archive"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (
        b"version https://git-lfs",
        "a Git LFS pointer, which stands for a file that was not downloaded",
    ),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
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
        raise UnreadableFile(
            f"{name} cannot be opened; it may be in use or you may lack the right to read it."
        ) from None
    if not head:
        raise UnreadableFile(f"{name} is empty (0 bytes).")
    return head


def unzipped_head(path: Path, head: bytes) -> bytes:
    """The first bytes behind a gzip wrapper, as far as they can be had (those of the file itself if
    it is not compressed).
    """
    if not head.startswith(b"\x1f\x8b"):
        return head
    try:
        with open(path, "rb") as file:
            return zlib.decompressobj(31).decompress(file.read(16 * HEAD), HEAD)
    except (OSError, zlib.error):
        return b""


def looks_like(head: bytes) -> str:
    """In words what the bytes are: "HDF5", "text", "a pickle", ..."""
    for signature, words in _SIGNATURES:
        if head.startswith(signature):
            return words
    if head.startswith(b"\x1f\x8b"):
        return "a gzip archive"
    if len(head) > 1 and head[0] == 0x80 and head[1] <= 5:
        return "a Python pickle"
    if text_encoding(head).startswith("utf-16"):
        return "text"
    return "binary data" if b"\x00" in head else "text"


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
