"""Figures as PDF: shapes as shapes, text as text, fonts embedded, the size that was asked for."""

from __future__ import annotations

import base64
import math
import re
from typing import Any

import pytest

from gui.components.pictures import picture_file
from gui.errors import DeconomixError
from gui.figures import pdf, svg_path
from gui.figures.pdf import svg_pdf
from gui.figures.pdf_fonts import fonts
from gui.files import PDF, PNG, SVG
from tests.pdf_words import unpacked_pdf

PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cf"
        "c000000301010018dd8db00000000049454e44ae426082"
    )
).decode()
DRAWING = f"""<svg class="main-svg" xmlns="http://www.w3.org/2000/svg"
 xmlns:xlink="http://www.w3.org/1999/xlink" width="400" height="200" viewBox="0 0 400 200">
<rect x="0" y="0" width="400" height="200" style="fill: rgb(255, 255, 255); fill-opacity: 1;"/>
<defs><clipPath id="c1"><rect width="300" height="150"/></clipPath>
<pattern id="p1" width="10px" height="10px" patternUnits="userSpaceOnUse" patternTransform="">
<rect width="10px" height="10px" fill="rgb(134, 142, 150)" fill-opacity="0.16"/>
<path d="M-2.5,2.5l5,-5M0,10L10,0" opacity="1" stroke="rgb(134, 142, 150)" stroke-width="3px"/>
</pattern><linearGradient x1="0" y1="1" x2="0" y2="0" id="g1">
<stop offset="0%" stop-color="rgb(0, 0, 0)" stop-opacity="1"/>
<stop offset="100%" stop-color="#ffffff" stop-opacity="1"/></linearGradient></defs>
<g clip-path="url(#c1)" transform="translate(20,10)">
<path d="M0,0H30V40H0Z" style="opacity: 0.8; fill: url('#p1'); stroke: #000000;"/>
<path d="M3,0A3,3 0 1,1 0,-3A3,3 0 0,1 3,0Z" transform="translate(60,20)" style="fill: #E69F00;"/>
<path d="M5,5C10,0 20,0 25,5Q30,10 40,5" style="fill: none; stroke-dasharray: 3px, 2px; stroke:
 rgb(0, 114, 178); stroke-width: 2px;"/>
<circle cx="90" cy="20" r="5" style="fill: rgba(0, 0, 0, 0.5);"/></g>
<path d="M380,20V120H390V20Z" style="fill: url('#g1');"/>
<image x="100" y="20" width="40" height="40" preserveAspectRatio="none"
 xlink:href="data:image/png;base64,{PIXEL}"/>
<text x="200" y="30" text-anchor="middle" style="font-size: 13px; fill: rgb(33, 37, 41);
 white-space: pre;">Regulatory T cells (%)</text>
<text x="20" y="100" transform="rotate(-90,20,100)" style="font-size: 14px; fill: #000000;"><tspan
 class="line" dy="0em" x="20" y="100">RNA fraction</tspan><tspan class="line" dy="1.3em" x="20"
 y="100">of the estimated total</tspan></text>
<text x="200" y="150" style="font-size: 13px; font-weight: bold; fill: #000000;">10<tspan
 style="font-size:70%" dy="-0.6em">-5</tspan><tspan dy="0.42em">&#8203;</tspan></text>
<text x="0" y="190" style="font-size: 13px; visibility: hidden; fill: #000000;">unseen</text>
MORE</svg>"""


def drawing(more: str = "") -> bytes:
    return DRAWING.replace("MORE", more).encode()


def unpacked(svg: bytes, **options: Any) -> tuple[bytes, str, str]:
    """The PDF, the signs that it lacks, and what its page and fonts are made of."""
    pdf, missing = svg_pdf(svg, **options)
    return pdf, missing, unpacked_pdf(pdf)


def test_the_words_of_a_figure_are_words_in_its_pdf() -> None:
    pdf, missing, inside = unpacked(drawing(), width=85, title="composition")
    assert pdf.startswith(b"%PDF-")
    for words in (
        r"Regulatory T cells \(%\)",
        "RNA fraction",
        "of the estimated total",
        "10",
        "-5",
    ):
        assert f"({words}) Tj" in inside
    assert "unseen" not in inside
    assert missing == ""


def test_lines_of_a_text_are_as_far_apart_as_in_the_drawing() -> None:
    lines = "".join(
        f'<tspan class="line" dy="{1.3 * i}em" x="20" y="60">line {i}</tspan>' for i in range(4)
    )
    text = f'<text x="20" y="60" style="font-size: 10px; fill: #000000;">{lines}</text>'
    _, _, inside = unpacked(drawing(text))
    found = re.findall(r"1 0 0 -1 20 ([\d.]+) cm\n[^\n]*\nBT [^\n]*\(line \d\) Tj", inside)
    assert [float(y) for y in found] == pytest.approx([60, 73, 86, 99]), inside


def test_every_font_is_embedded_and_the_page_has_the_size() -> None:
    pdf = svg_pdf(drawing(), width=85)[0]
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert box is not None
    wide, high = (float(v) * 25.4 / 72 for v in box.groups())
    assert (wide, high) == (pytest.approx(85, abs=0.01), pytest.approx(42.5, abs=0.01))
    assert b"/FontFile2" in pdf
    assert not re.search(rb"/BaseFont /(Helvetica|Times|Courier)", pdf)
    assert b"Not for diagnosis" in pdf
    assert svg_pdf(drawing(), width=85)[0] == pdf, "the same figure gives the same file"


def test_signs_that_a_font_lacks_come_from_another_or_are_named() -> None:
    more = '<text x="1" y="9" style="font-size: 9px;">λ₂ ★ 日本 ≥ ä</text>'
    _, missing, inside = unpacked(drawing(more))
    assert missing == "日本"
    assert len(fonts()) == 3, "Liberation Sans, bold, and DejaVu Sans for the rest"
    assert "/DcxDejaVuSans" not in inside  # fonts go by short names
    assert b"DejaVuSans" in svg_pdf(drawing(more))[0]
    assert b"DejaVuSans" not in svg_pdf(drawing())[0]


@pytest.mark.parametrize(
    "svg",
    [
        b"",
        b"no drawing",
        b"<svg",
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg width="4" height="4">&a;</svg>',
        b'<svg width="0" height="4"></svg>',
        b'<svg width="nan" height="4"></svg>',
        b'<svg width="4" height="4"><path d="M0,0 B 1"/></svg>',
        b'<svg width="4" height="4"><rect width="2" height="2" style="fill: hotpink"/></svg>',
    ],
)
def test_what_is_no_figure_is_refused(svg: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        svg_pdf(svg)


HUGE = base64.b64encode(
    base64.b64decode(PIXEL)[:16] + (60_000).to_bytes(4, "big") * 2 + base64.b64decode(PIXEL)[24:]
).decode()


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("<g>" * 3000 + "</g>" * 3000, id="nested deeply"),
        pytest.param(
            '<defs><pattern id="p0" width="0" height="0"><path d="M0,0H1"/></pattern></defs>'
            '<path d="M0,0H9V9Z" style="fill: url(\'#p0\');"/>',
            id="a hatch without a size",
        ),
        pytest.param(
            '<defs><linearGradient id="g0"><stop offset="0"/></linearGradient></defs>'
            '<path d="M0,0H9V9Z" style="fill: url(\'#g0\');"/>',
            id="a gradient without colours",
        ),
        pytest.param('<rect width="1e999" height="wide"/>', id="no length"),
        pytest.param(
            f'<image width="9" height="9" href="data:image/png;base64,{HUGE}"/>',
            id="a picture that would fill the memory",
        ),
        pytest.param(
            f'<image width="9" height="9" href="data:image/png;base64,{PIXEL[:40]}"/>',
            id="a picture cut off",
        ),
    ],
)
def test_a_drawing_that_plotly_never_makes_is_refused_in_a_sentence(more: str) -> None:
    svg = "data:image/svg+xml," + drawing(more).decode().replace("%", "%25")
    with pytest.raises(DeconomixError, match="could not be written as a PDF") as refused:
        picture_file({"url": svg, "format": "pdf", "name": "figure", "mm": [85, 60]})
    assert refused.value.advice == "Save it as SVG."


def test_a_drawing_of_very_many_shapes_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    svg_pdf(drawing())  # control
    monkeypatch.setattr(pdf, "LARGEST", len(drawing()) - 1)
    with pytest.raises(ValueError, match="too many shapes"):
        svg_pdf(drawing())


def test_arcs_are_circles() -> None:
    path = svg_path.segments("M3,0A3,3 0 1,1 0,-3A3,3 0 0,1 3,0Z")
    ends = [given[-2:] for _, given in path if given]
    assert all(math.hypot(*end) == pytest.approx(3, abs=1e-6) for end in ends)
    # the middle of each cubic curve lies on the circle, too
    x, y = 3.0, 0.0
    for command, given in path:
        if command == "C":
            x1, y1, x2, y2, end_x, end_y = given
            middle = ((x + 3 * x1 + 3 * x2 + end_x) / 8, (y + 3 * y1 + 3 * y2 + end_y) / 8)
            assert math.hypot(*middle) == pytest.approx(3, abs=2e-3)
            x, y = end_x, end_y
    assert svg_path.bounds(path) == pytest.approx((-3, -3, 3, 3), abs=0.05)


def test_relative_and_repeated_commands_of_a_path() -> None:
    assert svg_path.segments("m1,1 2,0l0,2h-2z") == [
        ("M", (1, 1)),
        ("L", (3, 1)),
        ("L", (3, 3)),
        ("L", (1, 3)),
        ("Z", ()),
    ]


def picture(kind: str, url: str) -> dict[str, Any]:
    return {"name": "x", "format": kind, "url": url, "mm": [85.0, 40.0]}


def test_what_the_page_drew_becomes_the_file_asked_for() -> None:
    svg = "data:image/svg+xml,%3Csvg%20width='4'%20height='2'%3E%3C/svg%3E"
    png = f"data:image/png;base64,{PIXEL}"
    for kind, url, expected in (("svg", svg, SVG), ("pdf", svg, PDF), ("png", png, PNG)):
        for _ in range(2):
            data, found, lacking = picture_file(picture(kind, url))
            assert (found, lacking) == (expected, "")
            assert data
    data, _, _ = picture_file(picture("png", png))
    assert b"pHYs" in data
    at = data.index(b"pHYs") + 4
    assert int.from_bytes(data[at : at + 4], "big") == round(1 / 0.085)
    for kind, url in (("png", svg), ("pdf", png), ("exe", svg), ("svg", "x" * 10)):
        with pytest.raises(DeconomixError, match="could not be drawn"):
            picture_file(picture(kind, url))
    with pytest.raises(DeconomixError, match="as a PDF"):
        picture_file(picture("pdf", "data:image/svg+xml,%3Csvg%3E"))
