"""All repairs under one type, as the request holds them, and their application to what was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from gui.data.dataset import Role
from gui.data.readers.options import FileChoice
from gui.data.readers.part import Part
from gui.data.validation.repairs import (
    ChooseMatrix,
    DropEmpty,
    DropGaps,
    FilterColumns,
    KeepValues,
    RenameSamples,
    Repair,
    Transpose,
    UndoLog,
)
from gui.data.validation.repairs_genes import CleanNames, MapGenes, MergeGenes, RestoreDates
from gui.data.validation.repairs_matching import MatchGenes
from gui.data.validation.repairs_types import DropTypes, MapTypes, MapTypesByTable

KINDS: tuple[type[Repair], ...] = (
    *(ChooseMatrix, Transpose, CleanNames, MapGenes, RestoreDates, UndoLog, KeepValues),
    *(DropGaps, MergeGenes),
    MatchGenes,
    *(RenameSamples, MapTypes, MapTypesByTable, DropTypes, FilterColumns, DropEmpty),
)
"""Every kind of repair, in the order in which they are applied whatever the order of choosing: sums
are of linear values and of mended names.
"""
AnyRepair = Annotated[
    CleanNames
    | RestoreDates
    | MergeGenes
    | MapGenes
    | MatchGenes
    | UndoLog
    | KeepValues
    | DropGaps
    | DropEmpty
    | FilterColumns
    | Transpose
    | ChooseMatrix
    | RenameSamples
    | MapTypes
    | MapTypesByTable
    | DropTypes,
    Field(discriminator="kind"),
]


def chosen_files(
    files: Mapping[Role, FileChoice], repairs: Iterable[Repair]
) -> dict[Role, FileChoice]:
    """The files with the matrices that the repairs choose."""
    made = dict(files)
    for repair in repairs:
        if isinstance(repair, ChooseMatrix) and repair.role in made:
            made[repair.role] = made[repair.role].model_copy(update={"matrix": repair.matrix})
    return made


def in_order(repairs: Iterable[Repair]) -> list[Repair]:
    """As they are applied; those of one kind in the order in which they were chosen."""
    return sorted(repairs, key=lambda repair: KINDS.index(type(repair)))


def repair_part(part: Part, repairs: Sequence[Repair]) -> tuple[Part, tuple[str, ...]]:
    """The part with its repairs applied, and the sentences; both also stand in its source.

    DataError where one cannot be applied.
    """
    mine, said = in_order(r for r in repairs if r.fits(part.source.role)), []
    if not mine:
        return part, ()
    for repair in mine:
        part, sentence = repair.apply(part)
        said.append(sentence)
    source = part.source
    options = {**source.options, "repairs": [r.record() for r in mine]}
    return replace(
        part, source=replace(source, options=options, notes=(*source.notes, *said))
    ), tuple(said)
