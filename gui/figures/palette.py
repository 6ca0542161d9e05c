"""Colours of cell types: the same type has the same colour in every figure.

The first six are Okabe and Ito's; the others were chosen one by one so that the smallest distance to all earlier ones (CIELAB; as seen by people
with normal, protan and deutan vision, Machado 2009) is as large as can be, at lightnesses that show on white and on dark grey.
"""

from __future__ import annotations

from collections.abc import Iterable

from gui.data.dataset import HIDDEN, Dataset

PALETTE: tuple[str, ...] = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7B4BD6", "#6B6520", "#4F6872", "#E8B46F"),
    *("#B43048", "#60C09C", "#605484", "#E4C0C0", "#24603C", "#A8CCE4", "#A89054", "#8484E4", "#D8CC54", "#A81860"),
    *("#CCCC9C", "#1854A8", "#E46C78", "#249090", "#A89C3C", "#9C84C0", "#D8A8C0", "#604890", "#9CA8CC", "#C04830"),
)
GREY = "#868E96"
"""The grey of the hidden background and of what stays in the background; readable on white and on dark grey."""
ACCENT = "#4C6EF5"
"""The one accent colour of the program."""


def colours(types: Iterable[str]) -> dict[str, str]:
    """Colour by cell type, given by the place in the sorted list; ``hidden`` is always grey. Pass all types of the data set, not only those on screen."""
    names = sorted({str(t) for t in types} - {HIDDEN})
    found = {name: _at(i) for i, name in enumerate(names)}
    found[HIDDEN] = GREY
    return found


def type_colours(dataset: Dataset | None, *names: str) -> dict[str, str]:
    """Colour by cell type, the same on every page: of all types of the dataset (also those the reference lacks) and ``names``."""
    found = set(names)
    if dataset is not None:
        found |= {*dataset.types, *(t for cells in (dataset.train, dataset.test) if cells is not None for t in cells.counts().index)}
    return colours(found)


def _at(place: int) -> str:
    """The palette; beyond its end the same colours again, each round nearer to grey."""
    rounds, i = divmod(place, len(PALETTE))
    if rounds == 0:
        return PALETTE[i]
    share = 1 - 0.6 ** min(rounds, 4)
    parts = [round((1 - share) * int(PALETTE[i][k : k + 2], 16) + share * 150) for k in (1, 3, 5)]
    return "#{:02X}{:02X}{:02X}".format(*parts)


def is_hidden(name: str) -> bool:
    return name == HIDDEN


def fill(name: str, colour_of: dict[str, str]) -> dict[str, object]:
    """Plotly ``marker`` of a bar for this type: its plain colour, or the grey hatch for ``hidden``."""
    if is_hidden(name):
        return {
            "color": GREY,
            "pattern": {"shape": "/", "fillmode": "replace", "fgcolor": GREY, "bgcolor": "rgba(134,142,150,0.16)", "size": 7, "solidity": 0.42},
        }
    return {"color": colour_of.get(name, GREY)}
