"""A figure drawn as SVG as a PDF of the same look: shapes as shapes, text as text.

The SVG is Plotly's (``Plotly.toImage``): groups, paths, rectangles, circles, text with lines and
superscripts, clips, hatches, colour bars and the picture of a heatmap. Fonts are embedded:
Liberation Sans, which is as wide as Arial and Helvetica, so that text takes the room it had in the
page; for signs that it lacks DejaVu Sans.
"""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from gui.data.export import NOTICE
from gui.figures import svg_path, svg_style
from gui.figures.pdf_fonts import fonts
from gui.figures.svg_path import Segment

MM = 72 / 25.4
"""Points in a millimetre."""
PX = 72 / 96
"""Points in a pixel of a figure that has no width of its own."""
NOT_DRAWN = {"defs", "clipPath", "pattern", "linearGradient", "title", "desc", "style", "metadata"}
MOST_TILES = 20_000
"""Of the hatch of one shape."""
LARGEST = 20_000_000
"""Bytes of a drawing: a composition of 1000 samples and 30 cell types has a third of it."""
MOST_PIXELS = 16_000_000
"""Of the picture of a heatmap."""


def svg_pdf(svg: bytes, *, width: float | None = None, title: str = "") -> tuple[bytes, str]:
    """Return the PDF, of one page without margins, and the signs that no font has.

    Parameters
    ----------
    svg
        As Plotly draws it.
    width
        Of the page, in mm; None: a pixel is 1/96 inch.
    title
        Of the document.

    Raises
    ------
    ValueError
        It is no such drawing.
    """
    from reportlab.pdfgen.canvas import Canvas

    if len(svg) > LARGEST:
        raise ValueError("it has too many shapes")
    if b"<!DOCTYPE" in svg or b"<!ENTITY" in svg:
        raise ValueError("a drawing declares no entities")
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise ValueError("this is no SVG") from error
    wide, high = svg_style.length(root.get("width")), svg_style.length(root.get("height"))
    view = [float(v) for v in (root.get("viewBox") or "").split()]
    if len(view) == 4:
        wide, high = view[2], view[3]
    if not (0 < wide < 1e5 and 0 < high < 1e5):
        raise ValueError("the drawing has no size")
    scale = PX if width is None else width * MM / wide
    out = io.BytesIO()
    page = Canvas(
        out,
        pagesize=(wide * scale, high * scale),
        pageCompression=1,
        invariant=1,
        initialFontName=fonts()[0][0],
    )
    page.setTitle(title or "Figure")
    page.setSubject(NOTICE)
    page.setCreator("DeconomiX GUI")
    page.setAuthor("")
    page.transform(scale, 0, 0, -scale, 0, high * scale)
    drawing = _Drawing(page, root)
    try:
        for child in root:
            drawing.draw(child, dict(svg_style.INITIAL))
    except (ArithmeticError, LookupError, OSError, RecursionError) as error:
        raise ValueError("a shape in it cannot be read") from error
    page.showPage()
    page.save()
    return out.getvalue(), "".join(sorted(drawing.missing))


class _Drawing:
    """Draws the elements of one SVG on a canvas whose y goes down."""

    def __init__(self, page: Any, root: ElementTree.Element) -> None:
        self.page = page
        self.by_id = {one.get("id", ""): one for one in root.iter() if one.get("id")}
        self.missing: set[str] = set()

    def draw(self, element: ElementTree.Element, above: svg_style.Style) -> None:
        """Draw it and what is in it."""
        kind, style = _kind(element), svg_style.style_of(element, above)
        if kind in NOT_DRAWN or style.get("display") == "none":
            return
        self.page.saveState()
        for matrix in svg_path.transforms(element.get("transform") or ""):
            self.page.transform(*matrix)
        self._clip(element.get("clip-path") or style.get("clip-path") or "")
        if kind == "text":
            if style.get("visibility") != "hidden":
                self._text(element, style)
        elif kind == "image":
            self._image(element)
        elif (shape := _shape(element)) is not None:
            if style.get("visibility") != "hidden" and shape:
                self._paint(shape, style)
        else:
            if kind == "svg":
                self.page.translate(
                    svg_style.length(element.get("x")), svg_style.length(element.get("y"))
                )
            for child in element:
                self.draw(child, style)
        self.page.restoreState()

    def _clip(self, reference: str) -> None:
        clip = self._referred(reference)
        if clip is None:
            return
        shapes = [shape for child in clip if (shape := _shape(child))]
        self.page.clipPath(
            self._path([segment for shape in shapes for segment in shape]), stroke=0, fill=0
        )

    def _referred(self, reference: str) -> ElementTree.Element | None:
        found = re.search(r"url\(['\"]?#([^'\")]*)['\"]?\)", reference)
        return self.by_id.get(found.group(1)) if found else None

    def _path(self, shape: list[Segment]) -> Any:
        path = self.page.beginPath()
        for command, given in shape:
            if command == "M":
                path.moveTo(*given)
            elif command == "L":
                path.lineTo(*given)
            elif command == "C":
                path.curveTo(*given)
            else:
                path.close()
        return path

    def _paint(self, shape: list[Segment], style: svg_style.Style) -> None:
        page, opacity = self.page, float(style["opacity"])
        filled = style["fill"]
        server = self._referred(filled) if "url(" in filled else None
        inside = None if "url(" in filled else svg_path.colour(filled)
        line = svg_path.colour(style["stroke"])
        width = svg_style.length(style["stroke-width"])
        rule = 0 if style.get("fill-rule") == "evenodd" else 1
        if server is not None:
            self._fill_from(server, shape, opacity)
        if inside is not None:
            page.setFillColorRGB(*inside[:3])
            page.setFillAlpha(inside[3] * opacity * float(style.get("fill-opacity", "1")))
        if line is not None and width > 0:
            page.setStrokeColorRGB(*line[:3])
            page.setStrokeAlpha(line[3] * opacity * float(style.get("stroke-opacity", "1")))
            page.setLineWidth(width)
            page.setLineCap({"round": 1, "square": 2}.get(style.get("stroke-linecap", ""), 0))
            page.setLineJoin({"round": 1, "bevel": 2}.get(style.get("stroke-linejoin", ""), 0))
            page.setMiterLimit(max(1.0, float(style.get("stroke-miterlimit", "4"))))
            dashes = [svg_style.length(v) for v in style.get("stroke-dasharray", "").split(",")]
            page.setDash(dashes if sum(dashes) > 0 else [])
        has_line = line is not None and width > 0
        if inside is not None or has_line:
            page.drawPath(
                self._path(shape), stroke=int(has_line), fill=int(inside is not None), fillMode=rule
            )

    def _fill_from(self, server: ElementTree.Element, shape: list[Segment], opacity: float) -> None:
        """Fill with a hatch or a gradient."""
        left, top, right, bottom = svg_path.bounds(shape)
        if right <= left or bottom <= top:
            return
        self.page.saveState()
        self.page.clipPath(self._path(shape), stroke=0, fill=0)
        if _kind(server) == "linearGradient":
            x1, y1, x2, y2 = (float(server.get(k) or 0) for k in ("x1", "y1", "x2", "y2"))
            stops = [svg_style.style_of(stop, {}) | dict(stop.attrib) for stop in server]
            self.page.linearGradient(
                left + x1 * (right - left),
                top + y1 * (bottom - top),
                left + x2 * (right - left),
                top + y2 * (bottom - top),
                [_rgb(stop["stop-color"]) for stop in stops],
                [svg_style.fraction_of(stop["offset"]) for stop in stops],
                extend=True,
            )
        else:
            self._hatch(server, (left, top, right, bottom), opacity)
        self.page.restoreState()

    def _hatch(
        self,
        pattern: ElementTree.Element,
        box: tuple[float, float, float, float],
        opacity: float,
    ) -> None:
        page, (left, top, right, bottom) = self.page, box
        wide, high = svg_style.length(pattern.get("width")), svg_style.length(pattern.get("height"))
        for a, b, c, d, e, f in svg_path.transforms(pattern.get("patternTransform") or ""):
            if b or c or not a or not d:  # Plotly's are only ever scaled
                raise ValueError("a hatch is turned")
            page.transform(a, b, c, d, e, f)
            left, right = ((x - e) / a for x in (left, right))
            top, bottom = ((y - f) / d for y in (top, bottom))
        columns = range(math.floor(left / wide), math.ceil(right / wide))
        rows = range(math.floor(top / high), math.ceil(bottom / high))
        if len(columns) * len(rows) > MOST_TILES:
            raise ValueError("a hatch is too fine")
        above = dict(svg_style.INITIAL, opacity=str(opacity))
        for child in pattern:
            style, shape = svg_style.style_of(child, above), _shape(child)
            if not shape:
                continue
            if _kind(child) == "rect":  # the ground: in one piece, or its seams would be seen
                self._paint(svg_path.rectangle(left, top, right - left, bottom - top), style)
                continue
            for column in columns:
                for row in rows:
                    page.saveState()
                    page.translate(column * wide, row * high)
                    tile = svg_path.rectangle(0, 0, wide, high)
                    page.clipPath(self._path(tile), stroke=0, fill=0)
                    self._paint(shape, style)
                    page.restoreState()

    def _image(self, element: ElementTree.Element) -> None:
        from reportlab.lib.utils import ImageReader

        address = next((v for k, v in element.attrib.items() if k.endswith("href")), "")
        head, _, body = address.partition(",")
        if not head.startswith("data:image/") or not head.endswith(";base64"):
            return
        x, y, wide, high = (svg_style.length(element.get(k)) for k in ("x", "y", "width", "height"))
        data = base64.b64decode(body)
        # the size of a PNG is in its head; what is larger would be unpacked into memory
        size = [int.from_bytes(data[at : at + 4], "big") for at in (16, 20)]
        if not data.startswith(b"\x89PNG") or size[0] * size[1] > MOST_PIXELS:
            raise ValueError("a picture in it cannot be read")
        picture = ImageReader(io.BytesIO(data))
        self.page.translate(x, y + high)
        self.page.scale(1, -1)
        self.page.drawImage(picture, 0, 0, wide, high, mask="auto")

    # -- text
    def _text(self, element: ElementTree.Element, style: svg_style.Style) -> None:
        x, y = svg_style.length(element.get("x")), svg_style.length(element.get("y"))
        line: list[tuple[str, svg_style.Style, float]] = []
        for text, one, newline, rise in svg_style.runs(element, style):
            if newline is not None:
                self._line(line, x, y)
                line, x = [], newline[0]
                y = y if newline[1] is None else newline[1]
            y += rise
            if text:
                line.append((text, one, y))
        self._line(line, x, y)

    def _line(self, runs: list[tuple[str, svg_style.Style, float]], x: float, _y: float) -> None:
        """Pieces beside each other, placed as a whole."""
        from reportlab.pdfbase.pdfmetrics import stringWidth

        placed = [
            (piece, font, svg_style.length(style["font-size"]), style, y)
            for text, style, y in runs
            for piece, font in self._pieces(text, style.get("font-weight", ""))
        ]
        if not placed:
            return
        widths = [stringWidth(piece, font, size) for piece, font, size, _, _ in placed]
        anchor = placed[0][3].get("text-anchor", "start")
        x -= sum(widths) * {"middle": 0.5, "end": 1.0}.get(anchor, 0.0)
        page = self.page
        for (piece, font, size, style, y), width in zip(placed, widths, strict=True):
            ink = svg_path.colour(style["fill"])
            if ink is not None:
                page.saveState()
                page.translate(x, y)
                page.scale(1, -1)
                page.setFillColorRGB(*ink[:3])
                opacity = float(style["opacity"]) * float(style.get("fill-opacity", "1"))
                page.setFillAlpha(ink[3] * opacity)
                page.setFont(font, size)
                page.drawString(0, 0, piece)
                page.restoreState()
            x += width

    def _pieces(self, text: str, weight: str) -> Iterator[tuple[str, str]]:
        """The text in pieces of one font each."""
        bold = weight == "bold" or (weight.isdigit() and int(weight) >= 600)
        known = fonts()
        own = known[1 if bold else 0]
        piece, current = "", own[0]
        for sign in text.replace("\u00a0", " "):
            name = own[0]
            if ord(sign) not in own[1]:
                spare = next((n for n, signs in known[2:] if ord(sign) in signs), None)
                if spare is None:
                    self.missing.add(sign)
                name = spare or own[0]
            if name != current and piece:
                yield piece, current
                piece = ""
            piece, current = piece + sign, name
        if piece:
            yield piece, current


def _shape(element: ElementTree.Element) -> list[Segment] | None:
    """The outline of a shape, None of anything else."""
    kind = _kind(element)
    if kind == "path":
        return svg_path.segments(element.get("d") or "")
    if kind == "rect":
        x, y, wide, high = (svg_style.length(element.get(k)) for k in ("x", "y", "width", "height"))
        return svg_path.rectangle(x, y, wide, high) if wide > 0 and high > 0 else []
    if kind in ("circle", "ellipse"):
        rx, ry = (svg_style.length(element.get(k) or element.get("r")) for k in ("rx", "ry"))
        return svg_path.ellipse(
            svg_style.length(element.get("cx")), svg_style.length(element.get("cy")), rx, ry
        )
    if kind == "line":
        x1, y1, x2, y2 = (svg_style.length(element.get(k)) for k in ("x1", "y1", "x2", "y2"))
        return [("M", (x1, y1)), ("L", (x2, y2))]
    return None


def _kind(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _rgb(text: str) -> Any:
    from reportlab.lib.colors import Color

    found = svg_path.colour(text) or (0.0, 0.0, 0.0, 0.0)
    return Color(*found[:3])
