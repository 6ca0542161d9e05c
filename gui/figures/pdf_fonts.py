"""The fonts of PDF files."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from gui.resources import resource


@cache
def fonts() -> list[tuple[str, frozenset[int]]]:
    """Registered fonts: name, and which signs they have. Regular, bold, and that for the others."""
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    paths = [resource(f"fonts/LiberationSans-{face}.ttf") for face in ("Regular", "Bold")]
    found = find_spec("matplotlib")
    if found is not None and found.submodule_search_locations:
        spare = Path(found.submodule_search_locations[0], "mpl-data/fonts/ttf/DejaVuSans.ttf")
        paths += [spare] if spare.is_file() else []
    known = []
    for path in paths:
        font = TTFont(f"Dcx{path.stem}", str(path))
        registerFont(font)
        known.append((font.fontName, frozenset(font.face.charToGlyph)))
    return known
