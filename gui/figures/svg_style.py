"""Styles and lengths in the SVG of a figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

Style = dict[str, str]

INHERITED = (
    *("fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray"),
    *("stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "font-size", "font-weight"),
    *("text-anchor", "visibility", "fill-rule", "opacity"),
)
INITIAL: Mapping[str, str] = {
    "fill": "black",
    "stroke": "none",
    "stroke-width": "1",
    "font-size": "16px",
    "opacity": "1",
}


def style_of(element: ElementTree.Element, above: Style) -> Style:
    """What is inherited, overwritten by attributes, these by the style."""
    style = {name: value for name, value in above.items() if name in INHERITED}
    own = {name: value for name, value in element.attrib.items() if name in INHERITED}
    for entry in (element.get("style") or "").split(";"):
        name, _, value = entry.partition(":")
        if value.strip():
            own[name.strip()] = value.strip()
    if "opacity" in own:
        own["opacity"] = str(float(own["opacity"]) * float(above.get("opacity", "1")))
    return style | own


def runs(
    element: ElementTree.Element, style: Style
) -> Iterator[tuple[str, Style, tuple[float, float | None] | None, float]]:
    """(text, its style, x and y where a line begins or None, how much lower it is) in their order.

    A line without a y of its own begins at the height of the text before it.
    """
    yield element.text or "", style, None, 0.0
    for child in element:
        size = length(style["font-size"])
        one = style_of(child, style)
        own = one["font-size"]
        if own.endswith("%"):
            one["font-size"] = f"{size * float(own[:-1]) / 100}px"
        rise, x, y = child.get("dy"), child.get("x"), child.get("y")
        # em of dy is that of the piece itself
        down = length(rise, length(one["font-size"])) if rise else 0.0
        first = True
        for text, inner, newline, more in runs(child, one):
            begins = newline
            if first and x is not None:
                begins = (length(x), None if y is None else length(y))
            yield text, inner, begins, more + (down if first else 0.0)
            first = False
        yield child.tail or "", style, None, 0.0


def length(text: str | None, em: float = 0.0) -> float:
    """A length in pixels."""
    text = (text or "0").strip()
    if text.endswith("em"):
        return float(text[:-2]) * em
    if text.endswith("mm"):
        return float(text[:-2]) * 96 / 25.4
    return float(text.removesuffix("px")) if text not in ("none", "") else 0.0


def fraction_of(text: str) -> float:
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)
