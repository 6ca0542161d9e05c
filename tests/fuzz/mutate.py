"""Ways to damage a file: bytes anywhere, and the structure that each kind has."""

from __future__ import annotations

import contextlib
import gzip
import io
import random
import shutil
import zipfile
from pathlib import Path

_NUMBERS = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**62,
    2**63 - 1,
    2**64 - 1,
)
_WORDS = (
    "",
    "NA",
    "inf",
    "-inf",
    "nan",
    "1e999",
    "-1",
    "1e308",
    "0x10",
    '"',
    "'",
    "\n",
    "\r",
    "\t",
    ";",
    ",",
    "|",
    " ",
    "#1.3",
    "\ufeff",
    "\x00",
    "9" * 400,
)


def mutated(data: bytes, random: random.Random) -> bytes:
    """Up to four changes of bytes."""
    found = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(found)) if found else 0
        length = random.choice((1, 2, 8, 64, 512))
        match random.randrange(8):
            case 0 if found:
                found[at] ^= 1 << random.randrange(8)
            case 1:
                found[at : at + length] = random.randbytes(length)
            case 2:
                del found[at : at + length]
            case 3:
                found[at:at] = found[at : at + length] * random.choice((1, 2, 50))
            case 4:
                del found[at:]
            case 5:
                size = random.choice((1, 2, 4, 8))
                found[at : at + size] = (random.choice(_NUMBERS) % 2 ** (8 * size)).to_bytes(
                    size, random.choice(("little", "big"))
                )
            case 6:
                other = random.randrange(len(found) or 1)
                found[at : at + length] = found[other : other + length]
            case 7:
                found[at : at + length] = bytes(length)
    return bytes(found)


def words(data: bytes, random: random.Random) -> bytes:
    """Fields of a text replaced by what is hard to read."""
    text = data.decode("latin-1")
    for _ in range(random.choice((1, 3, 10))):
        at = random.randrange(len(text) + 1)
        text = (
            text[:at]
            + random.choice(_WORDS) * random.choice((1, 1, 1, 300))
            + text[at + random.choice((0, 1, 5)) :]
        )
    return text.encode("latin-1", "replace")


def mutate(kind: str, seed: Path, target: Path, random: random.Random) -> Path:
    """A damaged copy of ``seed``; its path (target, with the seed's ending)."""
    if seed.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(seed, target)
        victim = random.choice(sorted(target.iterdir()))
        victim.write_bytes(_text(victim.read_bytes(), random))
        return target
    path = target.with_name(target.name + "".join(seed.suffixes[-2:]))
    data = seed.read_bytes()
    if kind in ("xlsx", "dcxsession") and random.random() < 0.6:
        data = _zip(data, random)
    elif kind == "table":
        data = _text(data, random)
    elif kind in ("h5ad", "tenx") and random.random() < 0.5:
        path.write_bytes(data)
        _hdf5(path, random)
        return path
    else:
        data = mutated(data, random)
    path.write_bytes(data)
    return path


def _text(data: bytes, random: random.Random) -> bytes:
    how = random.choice((mutated, words))
    if data[:2] == b"\x1f\x8b" and random.random() < 0.7:
        return gzip.compress(how(gzip.decompress(data), random))
    return how(data, random)


def _zip(data: bytes, random: random.Random) -> bytes:
    """One member damaged, its length and checksum right."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        victim = random.choice(old.namelist())
        for name in old.namelist():
            content = old.read(name)
            new.writestr(
                name,
                random.choice((mutated, words))(content, random) if name == victim else content,
            )
    return made.getvalue()


def _hdf5(path: Path, random: random.Random) -> None:
    """One dataset or attribute says something else; the file itself is whole."""
    import h5py
    import numpy as np

    with h5py.File(path, "a") as file, contextlib.suppress(Exception):
        names: list[str] = []
        file.visit(names.append)
        name = random.choice(names)
        item = file[name]
        match random.randrange(7):
            case 0:
                del file[name]
            case 1 if list(item.attrs):
                key = random.choice(list(item.attrs))
                item.attrs[key] = random.choice(
                    [
                        *_NUMBERS[:9],
                        "csc_matrix",
                        "dataframe",
                        "array",
                        b"\xff",
                        np.array([2**40, -1]),
                        np.array([3, 4, 5]),
                    ]
                )
            case 2 if list(item.attrs):
                del item.attrs[random.choice(list(item.attrs))]
            case 3 if isinstance(item, h5py.Dataset) and item.size and item.dtype.kind in "iuf":
                at = random.randrange(item.shape[0])
                item[at] = (
                    random.choice((-1, 0, 2**30, 127, 255))
                    if item.dtype.kind != "f"
                    else random.choice((np.nan, np.inf, -1e300, 1e300))
                )
            case 4 if isinstance(item, h5py.Dataset):
                shape = random.choice([(2**40,), (0,), (3,), (2**20, 2**20), (2, 2, 2), ()])
                del file[name]
                chunks = tuple(min(s, 1000) for s in shape) if shape and 0 not in shape else None
                file.create_dataset(
                    name,
                    shape=shape,
                    dtype=random.choice(("i4", "f8", "u1", h5py.string_dtype(), "c16")),
                    chunks=chunks,
                )
            case 5:
                other = random.choice(names)
                del file[name]
                file[name] = h5py.SoftLink("/" + random.choice((other, name, "nowhere")))
            case _:
                other = random.choice(names)
                if name not in other and other not in name:
                    del file[name]
                    file[name] = file[other]
