"""Figures that the page has drawn (``resources/assets/figure_export.js``) as files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from gui.data.export import png_with_notice, svg_with_notice
from gui.errors import DeconomixError
from gui.figures.pdf import svg_pdf
from gui.files import PDF, PNG, SVG, FileKind
from gui.plugin import Context
from gui.text import number

KINDS: Mapping[str, FileKind] = {"png": PNG, "svg": SVG, "pdf": PDF, "copy": PNG}
LARGEST = 100_000_000
WIDEST = 2000.0
"""Millimetres of a page."""


def picture_file(picture: Mapping[str, Any]) -> tuple[bytes, FileKind, str]:
    """Content and kind of the file, and a sentence about what it lacks or "".

    Parameters
    ----------
    picture
        As ``picture_of`` in the page gives it: name, format, url, mm (width and height).

    Raises
    ------
    DeconomixError
        It is not the picture asked for.
    """
    url, wanted = picture.get("url"), picture.get("format")
    if not isinstance(url, str) or len(url) > LARGEST or wanted not in KINDS:
        raise _not_drawn()
    head, _, body = url.partition(",")
    try:
        data = (
            base64.b64decode(body, validate=True)
            if head.endswith(";base64")
            else unquote_to_bytes(body)
        )
    except (binascii.Error, ValueError):
        data = b""
    raster = KINDS[str(wanted)] is PNG
    good = data.startswith(b"\x89PNG\r\n\x1a\n") if raster else b"<svg" in data[:1000]
    if not good:
        raise _not_drawn()
    width = _width(picture.get("mm"))
    if raster:
        return png_with_notice(data, width=width), PNG, ""
    if wanted == "svg":
        return svg_with_notice(data), SVG, ""
    try:
        pdf, missing = svg_pdf(data, width=width, title=str(picture.get("name") or ""))
    except ValueError as error:
        raise DeconomixError(
            f"The figure could not be written as a PDF: {error}.", advice="Save it as SVG."
        ) from None
    return pdf, PDF, _lacking(missing)


def save_picture(ctx: Context, picture: Mapping[str, Any]) -> bool:
    """Have it saved, and say where; whether it was."""
    data, kind, lacking = picture_file(picture)
    told = ctx.files.save(str(picture.get("name") or "figure"), data, kind)
    if told and lacking:
        ctx.notify(f"{told} {lacking}", title="Saved", colour="yellow", keep=True)
    elif told:
        ctx.notify(told, title="Saved", colour="teal")
    return bool(told)


def _lacking(missing: str) -> str:
    if not missing:
        return ""
    shown = " ".join(missing[:8])
    return (
        f"The fonts of PDF files lack {number(len(missing))} of its signs ({shown}), which are"
        " boxes there. Save it as SVG or PNG."
    )


def _width(mm: Any) -> float | None:
    """Of the picture, in mm; None: not said."""
    if not isinstance(mm, list) or len(mm) != 2 or not isinstance(mm[0], int | float):
        return None
    return float(mm[0]) if 1 <= mm[0] <= WIDEST else None


def _not_drawn() -> DeconomixError:
    return DeconomixError(
        "The figure could not be drawn as a picture.",
        advice="Make it smaller (fewer samples) or save it as SVG.",
    )
