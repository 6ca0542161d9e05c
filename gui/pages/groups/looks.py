"""What can be looked at of a comparison of groups: the tables, and the line below each look."""

from __future__ import annotations

import pandas as pd

from gui.analyses.groups import GroupsResult
from gui.answers.groups import (
    PAIRS as PAIRS_TEXT,
)
from gui.answers.groups import (
    effect_caption,
    lost_sentence,
    shown_pairs,
    shown_samples,
    shown_table,
    table_note,
)

EFFECTS, ALL, ONE, MAP, TABLE, PAIRS, SAMPLES = (
    "effects",
    "all",
    "one",
    "map",
    "table",
    "pairs",
    "samples",
)
LOOKS = {
    EFFECTS: "Effects",
    ALL: "All types",
    ONE: "One type",
    MAP: "Heat map",
    TABLE: "Table",
    PAIRS: "Pairs",
    SAMPLES: "Samples",
}
TABLES = (TABLE, PAIRS, SAMPLES)
FILES = {TABLE: "groups", PAIRS: "groups-pairs", SAMPLES: "groups-samples"}


def by_evidence(result: GroupsResult) -> list[str]:
    """The cell types, those with the smallest p-value first."""
    p = result.table["p"].reindex(result.fractions.index)
    return [str(name) for name in p.sort_values(kind="stable").index]


def note_of(result: GroupsResult, look: str) -> str:
    """A line below the figure or table: what is drawn, or what closure does."""
    if look == EFFECTS:
        return (
            f"{effect_caption(result)}; the"
            f" dashed line is no effect. Filled: differs at a false discovery rate of"
            f" {100 * result.level:g} % over {result.family} types."
        )
    if look == SAMPLES:
        return lost_sentence(result)
    if look == MAP:
        return "Colours: standard deviations from the mean of the type, on the scale compared."
    if look == PAIRS:
        return (
            f"{PAIRS_TEXT} P-values are adjusted over {result.pairs_family} tests."
            if len(result.pairs)
            else "There are pairs where three or more groups are compared."
        )
    return table_note(result)


def table_of(result: GroupsResult, look: str) -> pd.DataFrame:
    """The table as on screen, with its index named."""
    if look == PAIRS:
        return shown_pairs(result)
    if look == SAMPLES:
        return shown_samples(result)
    return shown_table(result)
