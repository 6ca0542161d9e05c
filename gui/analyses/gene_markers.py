"""Markers of the genes that a run regulates: of which types, and whether the direction fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from gui.knowledge.cell_types import are_related, is_kind_of
from gui.knowledge.markers import Markers

MARKER_COLUMNS = [
    *("cell_type", "gene", "log2", "marker_of", "own", "verdict", "source"),
]
GAIN, LOSS, ABSENT_UP, ABSENT_DOWN, OTHER_UP, OTHER_DOWN = (
    "more of its own marker: fits",
    "less of its own marker: does not fit",
    "more of a gene it is known not to express: does not fit",
    "less of a gene it is known not to express: fits",
    "gains a marker of another type",
    "less of a marker of another type",
)
FITTING, CONTRARY = (GAIN, ABSENT_DOWN), (LOSS, ABSENT_UP)
"""Verdicts on a type's own markers."""


def marker_verdicts(
    tables: Mapping[str, pd.DataFrame], calls: pd.DataFrame, markers: Markers
) -> pd.DataFrame:
    """Regulated genes that are known markers, strongest first within a cell type.

    Parameters
    ----------
    tables
        By cell type, of :func:`gui.engine.regulation.regulation_of`.
    calls
        genes x cell types: 0 where not regulated.
    """
    rows = []
    for name, table in tables.items():
        strong = table.loc[(calls[name] != 0).to_numpy(), "log2"]
        for gene in strong.abs().sort_values(ascending=False, kind="stable").index:
            said = markers.by_gene.get(str(gene), [])
            if said:
                rows.append(
                    (name, str(gene), float(strong[gene]), *verdict_of(name, said, strong[gene]))
                )
    return pd.DataFrame(rows, columns=MARKER_COLUMNS)


def verdict_of(cell_type: str, said: list[tuple[str, str, str]], log2: float) -> Iterator[Any]:
    """Marker of which types, whether of its own, and what the direction says.

    Its own are the markers of the type, of its subtypes, and of the types it is a subtype of; that
    it does not express a gene follows from the last alone.
    """
    positive = list(dict.fromkeys(t for t, direction, _ in said if direction == "+"))
    negative = list(dict.fromkeys(t for t, direction, _ in said if direction == "-"))
    own = any(are_related(t, cell_type) for t in positive)
    against = not own and any(is_kind_of(cell_type, t) for t in negative)
    up = log2 > 0
    if against:
        verdict = ABSENT_UP if up else ABSENT_DOWN
    elif own:
        verdict = GAIN if up else LOSS
    else:
        verdict = OTHER_UP if up else OTHER_DOWN
    shown = [*positive, *(f"{t} (negative marker)" for t in negative)]
    yield ", ".join(shown)
    yield own or against
    yield verdict
    yield ", ".join(dict.fromkeys(", ".join(source for *_, source in said).split(", ")))
