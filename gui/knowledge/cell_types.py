"""Names of cell types: which spellings mean the same type, and which types belong to another."""

from __future__ import annotations

import re
from functools import cache

_SAME: dict[str, str] = {
    "b lymphocyte": "b",
    "t lymphocyte": "t",
    "nk": "killer natural",
    "killer natural nk": "killer natural",
    "mono": "monocyte",
    "dc": "dendritic",
    "cdc": "dendritic",
    "mdc": "dendritic",
    "dendritic myeloid": "dendritic",
    "pdc": "dendritic plasmacytoid",
    "treg": "regulatory t",
    "cd4 regulatory t": "regulatory t",
    "cd4": "cd4 t",
    "cd4 conv t": "cd4 t",
    "cd8": "cd8 t",
    "cytotoxic t": "cd8 t",
    "endothelium": "endothelial",
    "epithelium": "epithelial",
    "erythrocyte": "erythroid",
    "blood red": "erythroid",
    "megakaryocyte": "platelet",
    "microglial": "microglia",
    "opc": "oligodendrocyte precursor",
    "plasmablast": "plasma",
    "caf": "fibroblast",
}
"""Key of :func:`type_key` -> key of the usual name."""


@cache
def type_key(name: str) -> str:
    """A name without what spellings differ in: “CD8+ T-cells”, “T_cell CD8” and “CD8 T” are one."""
    words = re.findall(r"[^\W_]+", name.casefold())
    bare = [word if word in ("cell", "cells") else re.sub(r"cells?$", "", word) for word in words]
    kept = [
        word[:-1] if len(word) > 3 and word.endswith("s") else word
        for word in bare
        if word not in ("cell", "cells")
    ]
    return " ".join(sorted(kept)) or name


@cache
def _usual(name: str) -> str:
    key = type_key(name)
    return _SAME.get(key, key)


def is_kind_of(name: str, of: str) -> bool:
    """Whether the cell type ``name`` is ``of`` or one of its subtypes, by their names.

    "Naive B cell" is a kind of "B cells", "Microglia" of "Microglia/Macrophage"; "Plasma cell" is
    none of "Plasmacytoid dendritic cell".
    """
    words = set(_usual(name).split())
    return any(
        set(_usual(part).split()) <= words for part in of.split("/") if part.strip() and words
    )
