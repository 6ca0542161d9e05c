"""Colours of cell types: the same type has the same colour in every figure and in every session.

The first six are Okabe and Ito's. The others were chosen by computer so that the smallest distance
between any two (CIELAB; as seen with normal, protan, deutan and tritan vision, Machado, Oliveira
and Fernandes 2009, severity 1) is as large as can be, at lightnesses that show on white and on dark
grey.

A colour goes by the name alone: well-known types have a place of their own in the palette
(:data:`KNOWN`, whatever the spelling), any other name is hashed to one. Only where two types of one
data set want the same place, one of them moves: always the same one, to the next place its own hash
names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache

from gui.data.dataset import HIDDEN, Dataset
from gui.knowledge.cell_types import type_key

PALETTE: tuple[str, ...] = (
    *(
        "#0072B2",
        "#E69F00",
        "#009E73",
        "#CC79A7",
        "#56B4E9",
        "#D55E00",
        "#7B4BD6",
        "#6B6520",
        "#4F6872",
        "#E8B46F",
    ),
    *(
        "#5828E8",
        "#884040",
        "#E84040",
        "#A0D0D0",
        "#B810A0",
        "#10E8A0",
        "#7088E8",
        "#A01058",
        "#105888",
        "#B81010",
    ),
    *(
        "#E88840",
        "#88D0E8",
        "#B8D040",
        "#88B8A0",
        "#B85858",
        "#B88858",
        "#D040D0",
        "#E870D0",
        "#D0B888",
        "#7028D0",
    ),
)
KNOWN: tuple[tuple[str, ...], ...] = (
    ("b", "b lymphocyte"),
    ("dendritic", "dc", "mdc", "cdc"),
    ("monocyte", "mono", "cd14 monocyte"),
    ("nk", "natural killer", "natural killer nk"),
    ("neutrophil", "granulocyte"),
    ("t", "t lymphocyte"),
    ("macrophage", "monocyte macrophage"),
    ("fibroblast", "caf", "cancer associated fibroblast"),
    ("endothelial", "endothelium"),
    ("mast",),
    ("cd8 t", "cd8", "cytotoxic t", "cytotoxic cd8 t"),
    ("cd4 t", "cd4", "helper t", "cd4 conv t"),
    ("malignant", "tumor", "tumour", "cancer"),
    ("plasma", "plasmablast"),
    ("plasmacytoid dendritic", "pdc"),
    ("treg", "regulatory t", "regulatory cd4 t"),
    ("epithelial", "epithelium"),
    ("platelet", "megakaryocyte"),
    ("erythrocyte", "red blood", "erythroid"),
    ("eosinophil",),
    ("basophil",),
    ("classical monocyte",),
    ("cd16 monocyte", "nonclassical monocyte", "non classical monocyte", "fcgr3a monocyte"),
    ("memory b",),
    ("naive b",),
    ("neuron", "neuronal"),
    ("astrocyte",),
    ("oligodendrocyte",),
    ("microglia", "microglial"),
    ("pericyte", "smooth muscle"),
)
"""By place in the palette; order of the words, plural, “cells” and punctuation do not count."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "cross",
    "triangle-up",
    "x",
    "star",
    "triangle-down",
    "pentagon",
    "hexagon",
)
"""For lines and dots of several things in one figure, in turn: nobody has to go by the colour
alone. For cell types see :func:`type_symbol`, :func:`type_dash` and :func:`type_number`.
"""
NUMBERED_FROM = 9
"""From so many cell types on, stacked bars carry the number of each type."""
GREY = "#868E96"
"""The grey of the hidden background and of what stays in the background; readable on white and on
dark grey.
"""
ACCENT = "#4C6EF5"
"""The one accent colour of the program."""


def colours(types: Iterable[str]) -> dict[str, str]:
    """Colour by cell type; ``hidden`` is always grey.

    All different. Pass all types of the data set, not only those on screen.
    """
    names = {str(t) for t in types} - {HIDDEN}
    found: dict[str, str] = {}
    taken: set[int] = set()
    for name in sorted(
        names, key=lambda name: (type_key(name) not in _PLACES, _hash(type_key(name)), name)
    ):
        rounds = len(PALETTE) * (len(taken) // len(PALETTE))
        place = next(p + rounds for p in _wishes(type_key(name)) if p + rounds not in taken)
        taken.add(place)
        found[name] = _at(place)
    found[HIDDEN] = GREY
    return found


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


@cache
def _wishes(key: str) -> tuple[int, ...]:
    """Every place of the palette, in the order in which this name wants them."""
    places = sorted(range(len(PALETTE)), key=lambda place: _hash(f"{place} {key}"))
    first = _PLACES.get(key, places[0])
    return (first, *(place for place in places if place != first))


_PLACES = {type_key(name): place for place, names in enumerate(KNOWN) for name in names}


def type_colours(dataset: Dataset | None, *names: str) -> dict[str, str]:
    """Return the colours of all types of the dataset and of ``names``, the same everywhere."""
    found = set(names)
    if dataset is not None:
        found |= {
            *dataset.types,
            *(
                t
                for cells in (dataset.train, dataset.test)
                if cells is not None
                for t in cells.counts().index
            ),
        }
    return colours(found)


def _at(place: int) -> str:
    """The palette; beyond its end the same colours again, each round nearer to grey."""
    rounds, i = divmod(place, len(PALETTE))
    if rounds == 0:
        return PALETTE[i]
    fraction = 1 - 0.6 ** min(rounds, 4)
    parts = [
        round((1 - fraction) * int(PALETTE[i][k : k + 2], 16) + fraction * 150) for k in (1, 3, 5)
    ]
    return "#{:02X}{:02X}{:02X}".format(*parts)


_PLACE_OF = {_at(place): place for place in reversed(range(3 * len(PALETTE)))}


def type_symbol(colour: str) -> str:
    """The symbol of the cell type that has this colour: 30 of them, as of the colours."""
    kind, shape = divmod(_PLACE_OF.get(colour, 0) % len(PALETTE), len(SYMBOLS))
    return SYMBOLS[shape] + ("", "-open", "-dot")[kind]


def type_dash(colour: str) -> str:
    """The dash of the cell type that has this colour; the symbol tells apart those of one dash."""
    return DASHES[_PLACE_OF.get(colour, 0) % len(DASHES)]


def type_number(colour: str) -> int:
    """The number of the cell type that has this colour, from 1, the same in every figure."""
    return _PLACE_OF.get(colour, -1) + 1


def is_hidden(name: str) -> bool:
    return name == HIDDEN


def fill(name: str, colour_of: dict[str, str], *, contradicted: bool = False) -> dict[str, object]:
    """Return the Plotly ``marker`` of this type: its colour, or the grey hatch of hidden.

    A type that other estimates contradict is hatched in its colour.
    """
    if is_hidden(name):
        return {
            "color": GREY,
            "pattern": {
                "shape": "/",
                "fillmode": "replace",
                "fgcolor": GREY,
                "bgcolor": "rgba(134,142,150,0.16)",
                "size": 7,
                "solidity": 0.42,
            },
        }
    colour = colour_of.get(name, GREY)
    if not contradicted:
        return {"color": colour}
    return {
        "color": colour,
        "pattern": {
            "shape": "x",
            "fillmode": "overlay",
            "bgcolor": colour,
            "fgcolor": "rgba(255,255,255,0.75)",
            "size": 8,
            "solidity": 0.25,
        },
    }
