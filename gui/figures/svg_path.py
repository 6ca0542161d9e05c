"""The shapes of an SVG drawing as lines and cubic curves, and its transforms and colours.

References
----------
Scalable Vector Graphics (SVG) 2, W3C 2018: chapter 9 (paths), appendix B.2 (arcs).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

Segment = tuple[str, tuple[float, ...]]
"""("M", (x, y)), ("L", (x, y)), ("C", (x1, y1, x2, y2, x, y)) or ("Z", ())."""
Matrix = tuple[float, float, float, float, float, float]
"""a, b, c, d, e, f as in SVG's ``matrix()``."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TOKEN = re.compile(rf"([A-Za-z])|({_NUMBER})")
_COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "Q": 4, "A": 7, "Z": 0}
_TRANSFORM = re.compile(r"([a-zA-Z]+)\s*\(([^)]*)\)")
_NAMED = {"black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0)}


def segments(d: str) -> list[Segment]:
    """Return the path as absolute lines and cubic curves.

    Raises
    ------
    ValueError
        It uses a command that figures do not have.
    """
    found: list[Segment] = []
    x = y = start_x = start_y = 0.0
    for command, given in _commands(d):
        relative, name = command.islower(), command.upper()
        dx, dy = (x, y) if relative else (0.0, 0.0)
        if name == "Z":
            found.append(("Z", ()))
            x, y = start_x, start_y
        elif name in ("M", "L"):
            x, y = given[0] + dx, given[1] + dy
            if name == "M":
                start_x, start_y = x, y
            found.append((name, (x, y)))
        elif name in ("H", "V"):
            x, y = (given[0] + dx, y) if name == "H" else (x, given[0] + dy)
            found.append(("L", (x, y)))
        elif name == "C":
            moved = tuple(v + (dy if i % 2 else dx) for i, v in enumerate(given))
            found.append(("C", moved))
            x, y = moved[4:]
        elif name == "Q":
            qx, qy, end_x, end_y = (v + (dy if i % 2 else dx) for i, v in enumerate(given))
            first = (x + 2 / 3 * (qx - x), y + 2 / 3 * (qy - y))
            second = (end_x + 2 / 3 * (qx - end_x), end_y + 2 / 3 * (qy - end_y))
            found.append(("C", (*first, *second, end_x, end_y)))
            x, y = end_x, end_y
        else:
            end_x, end_y = given[5] + dx, given[6] + dy
            rx, ry, turned, large, sweep = given[:5]
            found += _arc(x, y, rx, ry, turned, bool(large), bool(sweep), end_x, end_y)
            x, y = end_x, end_y
    return found


def ellipse(cx: float, cy: float, rx: float, ry: float) -> list[Segment]:
    """Return the whole ellipse."""
    left, right = (cx - rx, cy), (cx + rx, cy)
    return [
        ("M", right),
        *_arc(*right, rx, ry, 0.0, False, True, *left),
        *_arc(*left, rx, ry, 0.0, False, True, *right),
        ("Z", ()),
    ]


def rectangle(x: float, y: float, width: float, height: float) -> list[Segment]:
    """Return the rectangle."""
    corners = [(x + width, y), (x + width, y + height), (x, y + height)]
    return [("M", (x, y)), *(("L", corner) for corner in corners), ("Z", ())]


def bounds(path: list[Segment]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of its points, those of control included."""
    xs = [v for _, given in path for v in given[0::2]]
    ys = [v for _, given in path for v in given[1::2]]
    return (min(xs), min(ys), max(xs), max(ys)) if xs else (0.0, 0.0, 0.0, 0.0)


def transforms(text: str) -> Iterator[Matrix]:
    """Each transform of the attribute, in its order."""
    for name, inside in _TRANSFORM.findall(text):
        given = [float(v) for v in re.findall(_NUMBER, inside)]
        if name == "translate":
            yield (1, 0, 0, 1, given[0], given[1] if len(given) > 1 else 0.0)
        elif name == "scale":
            yield (given[0], 0, 0, given[-1], 0, 0)
        elif name == "rotate":
            angle = math.radians(given[0])
            cos, sin = math.cos(angle), math.sin(angle)
            cx, cy = given[1:3] if len(given) > 2 else (0.0, 0.0)
            yield (cos, sin, -sin, cos, cx - cos * cx + sin * cy, cy - sin * cx - cos * cy)
        elif name == "matrix" and len(given) == 6:
            yield (given[0], given[1], given[2], given[3], given[4], given[5])


def colour(text: str) -> tuple[float, float, float, float] | None:
    """Red, green, blue and opacity from 0 to 1; None: nothing is painted."""
    text = text.strip().lower()
    if text in ("", "none", "transparent"):
        return None
    if text in _NAMED:
        return (*_NAMED[text], 1.0)
    if text.startswith("#"):
        digits = text[1:] if len(text) > 4 else "".join(c * 2 for c in text[1:])
        red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
        return (red, green, blue, 1.0)
    values = [float(v) for v in re.findall(_NUMBER, text)]
    if text.startswith("rgb") and len(values) >= 3:
        red, green, blue = (min(max(v, 0.0), 255.0) / 255 for v in values[:3])
        return (red, green, blue, values[3] if len(values) > 3 else 1.0)
    raise ValueError(f"unknown colour {text[:40]}")


def _commands(d: str) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Each command with its numbers; one that is repeated without its letter with the letter."""
    command = ""
    given: list[float] = []
    for letter, number in _TOKEN.findall(d):
        if letter:
            command, given = letter, []
            if letter.upper() not in _COUNTS:
                raise ValueError(f"unknown command {letter} of a path")
            if letter in "Zz":
                yield letter, ()
            continue
        given.append(float(number))
        if command and len(given) == _COUNTS[command.upper()]:
            yield command, tuple(given)
            given = []
            command = {"M": "L", "m": "l"}.get(command, command)


def _arc(
    x1: float,
    y1: float,
    rx: float,
    ry: float,
    turned: float,
    large: bool,
    sweep: bool,
    x2: float,
    y2: float,
) -> list[Segment]:
    """Return an elliptical arc as cubic curves of at most a quarter turn each."""
    rx, ry = abs(rx), abs(ry)
    if (x1, y1) == (x2, y2):
        return []
    if not rx or not ry:
        return [("L", (x2, y2))]
    phi = math.radians(turned)
    cos, sin = math.cos(phi), math.sin(phi)
    half_x, half_y = (x1 - x2) / 2, (y1 - y2) / 2
    px, py = cos * half_x + sin * half_y, -sin * half_x + cos * half_y
    enough = px * px / (rx * rx) + py * py / (ry * ry)
    if enough > 1:
        rx, ry = rx * math.sqrt(enough), ry * math.sqrt(enough)
    over = rx * rx * py * py + ry * ry * px * px
    root = math.sqrt(max(0.0, rx * rx * ry * ry - over) / over)
    root = -root if large == sweep else root
    at_x, at_y = root * rx * py / ry, -root * ry * px / rx
    cx = cos * at_x - sin * at_y + (x1 + x2) / 2
    cy = sin * at_x + cos * at_y + (y1 + y2) / 2
    first = math.atan2((py - at_y) / ry, (px - at_x) / rx)
    last = math.atan2((-py - at_y) / ry, (-px - at_x) / rx)
    turn = last - first
    if sweep and turn < 0:
        turn += 2 * math.pi
    elif not sweep and turn > 0:
        turn -= 2 * math.pi
    count = max(1, math.ceil(abs(turn) / (math.pi / 2) - 1e-9))
    step = turn / count
    pull = 4 / 3 * math.tan(step / 4)

    def point(u: float, v: float) -> tuple[float, float]:
        return cx + cos * rx * u - sin * ry * v, cy + sin * rx * u + cos * ry * v

    found: list[Segment] = []
    for i in range(count):
        a, b = first + i * step, first + (i + 1) * step
        one = point(math.cos(a) - pull * math.sin(a), math.sin(a) + pull * math.cos(a))
        two = point(math.cos(b) + pull * math.sin(b), math.sin(b) - pull * math.cos(b))
        end = (x2, y2) if i == count - 1 else point(math.cos(b), math.sin(b))
        found.append(("C", (*one, *two, *end)))
    return found
