"""Columns of a plain table of text, where every field is a name or a number and none is quoted
over a separator.

Numbers are as Python's ``float`` gives them, to the last bit, and read several times as fast as by
pandas' exact parser, which is asked where a table is not so plain. The way is Clinger's (1990,
doi 10.1145/93542.93557): digits below 2**53 and a power of ten below 10**22 are exact in float64,
so that one division is rounded once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gui.data.readers.layout import MISSING

_LONGEST = 18
"""Characters of a number that fits into 64 bits."""
_STEP = 200_000
"""Numbers that are read at once: what is needed for them stays in the processor's cache."""
_ODD = 0.02
"""Fraction of fields that may be missing or longer numbers."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?", re.ASCII)
_POWERS = 10.0 ** np.arange(_LONGEST + 1)
_POINT = 254  # "." less "0", as a byte


def plain_columns(
    text: str, delimiter: str, width: int, names: int, values: Sequence[int]
) -> tuple[list[str], npt.NDArray[np.float64]] | None:
    """The column of names as written, and columns of numbers (columns x rows).

    Parameters
    ----------
    text
        Rows of ``width`` fields each.
    names, values
        Positions of the columns.

    Returns
    -------
    None where the text is not as plain.
    """
    if delimiter not in ("\t", ",", ";") or not text:
        return None
    raw = (text if text.endswith("\n") else text + "\n").encode("utf-8", "surrogatepass")
    buffer = np.frombuffer(raw, dtype=np.uint8)
    line_end = buffer == ord("\n")
    ends = np.flatnonzero(line_end | (buffer == ord(delimiter)))
    rows = int(np.count_nonzero(line_end))
    if len(ends) != rows * width or not line_end[ends[width - 1 :: width]].all():
        return None
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    first = _names(raw, starts[names::width].tolist(), ends[names::width].tolist())
    if first is None:
        return None
    # one after the other as they stand in the text
    begin, end = (at.reshape(rows, width)[:, list(values)].ravel() for at in (starts, ends))
    numbers = np.empty(rows * len(values))
    if not _read_numbers(raw, buffer, begin, end, numbers):
        return None
    return first, numbers.reshape(rows, len(values)).T


def _names(raw: bytes, starts: list[int], ends: list[int]) -> list[str] | None:
    text = raw.decode("utf-8", "surrogatepass") if not raw.isascii() else raw.decode("ascii")
    if len(text) == len(raw):
        found = [text[a:b] for a, b in zip(starts, ends, strict=True)]
    else:
        found = [
            raw[a:b].decode("utf-8", "surrogatepass") for a, b in zip(starts, ends, strict=True)
        ]
    if b'"' not in raw:
        return found
    for i, name in enumerate(found):
        if '"' in name:
            if len(name) < 2 or name.count('"') != 2 or name[0] != '"' or name[-1] != '"':
                return None
            found[i] = name[1:-1]
    return found


def _read_numbers(
    raw: bytes,
    buffer: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.intp],
    ends: npt.NDArray[np.intp],
    into: npt.NDArray[np.float64],
) -> bool:
    """Write the numbers of the fields; False where one of them is no number."""
    odd_left = 100 + int(_ODD * len(starts))
    for at in range(0, len(starts), _STEP):
        here = slice(at, at + _STEP)
        begin, end, out = starts[here], ends[here], into[here]
        odd = np.flatnonzero(_simple_numbers(buffer, begin, end, out))
        odd_left -= len(odd)
        if odd_left < 0:
            return False
        for i in odd.tolist():
            field = raw[begin[i] : end[i]].decode("utf-8", "surrogatepass")
            if field in MISSING:
                out[i] = np.nan
            elif _NUMBER.fullmatch(field) and math.isfinite(value := float(field)):
                out[i] = value
            else:  # also one too large for float64: its message is of the exact parser
                return False
    return True


def _simple_numbers(
    buffer: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.intp],
    ends: npt.NDArray[np.intp],
    out: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """Write the fields of digits, a sign and a point; which fields are something else."""
    negative = buffer[starts] == ord("-")
    starts = starts + negative
    length = ends - starts
    other = (length < 1) | (length > _LONGEST)
    whole = np.zeros(len(starts), dtype=np.int64)
    decimals = np.zeros(len(starts), dtype=np.int64)
    after_point = np.zeros(len(starts), dtype=bool)
    for k in range(int(np.minimum(length, _LONGEST).max(initial=0))):
        inside = length > k
        # past the end of the field stands its separator, which counts for nothing
        character = buffer[np.minimum(starts + k, ends)] - np.uint8(ord("0"))
        digit = (character <= 9) & inside
        point = (character == _POINT) & inside
        other |= (inside & ~(digit | point)) | (point & after_point)
        whole = np.where(digit, whole * 10 + character, whole)
        decimals += digit & after_point
        after_point |= point
    other |= (whole >= 2**53) | (length - after_point < 1)
    np.divide(whole, _POWERS[decimals], out=out)
    np.negative(out, out=out, where=negative)
    return other
