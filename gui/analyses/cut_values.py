"""Cut points as they are typed and shown: one reading for pages and ``analyze``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gui.data.samples.survival_columns import value_text
from gui.errors import InvalidParameter
from gui.text import ENGLISH_THOUSANDS, ONE_OR_THOUSANDS, parse_number, shorten


def cut_values(text: str, *, commas_separate: bool = False) -> tuple[float, ...]:
    """The numbers of “5; 20”, “0.5, 1.5” or “0,5; 1,5”.

    Parameters
    ----------
    commas_separate
        A comma separates numbers, never within one (the command line).

    Raises
    ------
    InvalidParameter
        A piece is not a number, or “5,20” may be one number or two.
    """
    text = text.replace("%", " ").strip()[:500]
    if commas_separate and ";" in text and "," in text:
        raise InvalidParameter(
            "Both commas and semicolons separate these numbers.",
            advice="Use commas, and points within numbers: 0.5,1.5.",
        )
    if commas_separate:
        pieces = re.split(r"[;,\s]+", text)
    else:
        pieces = _pieces(re.sub(r",(?=\s|$)", " ", text))
    return tuple(_number(piece) for piece in pieces if piece)


def _pieces(text: str) -> list[str]:
    pieces = re.split(r"[;\s]+", text)
    joined = [piece for piece in pieces if "," in piece]
    if not joined:
        return pieces
    semicolons, points = ";" in text, "." in text
    grouped = next((piece for piece in joined if _may_be_grouped(piece)), None)
    if grouped is not None:
        raise InvalidParameter(
            f"“{shorten(grouped, 20)}” may be one number or several.",
            advice=f"Write {grouped.replace(',', '')[:20]} for one,"
            f" {grouped.replace(',', '; ')[:30]} for several.",
        )
    many = any(piece.count(",") > 1 for piece in joined)
    if semicolons and not points and not many:
        return pieces
    if not semicolons and (points or many):
        return [part for piece in pieces for part in piece.split(",")]
    first, _, rest = joined[0].partition(",")
    raise InvalidParameter(
        f"“{shorten(joined[0], 20)}” may be one number or two.",
        advice=f"Write {shorten(first, 9)}.{shorten(rest, 9)} for one,"
        f" {shorten(first, 9)}; {shorten(rest, 9)} for two.",
    )


def _may_be_grouped(piece: str) -> bool:
    """Whether commas may group thousands, as in 1,234.5 and 1,000,000."""
    several = piece.count(",") > 1 and ONE_OR_THOUSANDS.fullmatch(piece)
    return bool(several or ENGLISH_THOUSANDS.fullmatch(piece))


def _number(piece: str) -> float:
    try:
        return parse_number(piece)
    except InvalidParameter as error:
        if "," in piece:
            raise
        raise InvalidParameter(
            f"“{shorten(piece, 20)}” is not a number to cut at.",
            advice="State numbers, separated by semicolons: 5; 20.",
        ) from error


def cut_text(values: Iterable[float]) -> str:
    """Cut points as :func:`cut_values` reads them back, with all their digits."""
    return "; ".join(value_text(float(value)) for value in values)
