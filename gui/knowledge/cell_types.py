"""Names of cell types: which spellings mean the same type, and which types belong to another.

Names are compared as sets of words, after the abbreviations that are in use (Azimuth, CellTypist,
LM22, TISCH and others) are written out.
"""

from __future__ import annotations

import re
from functools import cache

_WORDS: dict[str, str] = {
    # lymphocytes
    "nk": "natural killer",
    "treg": "regulatory t",
    "tconv": "conv t",
    "conventional": "conv",
    "tcm": "central memory t",
    "tem": "effector memory t",
    "temra": "effector memory t",
    "trm": "resident memory t",
    "tex": "exhausted t",
    "tn": "naive t",
    "naïve": "naive",
    "tprolif": "proliferating t",
    "ctl": "cytotoxic t",
    "tfh": "follicular helper t",
    "th": "helper t",
    **{f"th{n}": f"th{n} helper t" for n in (1, 2, 9, 17, 22)},
    "gdt": "gamma delta t",
    "γδ": "gamma delta",
    "γδt": "gamma delta t",
    "gd": "gamma delta",
    "dnt": "t",
    "mait": "mait t",
    "ilc": "innate lymphoid",
    **{f"ilc{n}": f"type {n} innate lymphoid" for n in (1, 2, 3)},
    "plasmablast": "plasma",
    # myeloid cells
    "mono": "monocyte",
    "macro": "macrophage",
    "mac": "macrophage",
    "tam": "macrophage",
    "mph": "macrophage",
    "mφ": "macrophage",
    "kupffer": "kupffer macrophage",
    "microglial": "microglia",
    "dc": "dendritic",
    "cdc": "dendritic",
    "mdc": "dendritic",
    "modc": "dendritic",
    "asdc": "dendritic",
    **{f"{c}dc{n}": f"type {n} dendritic" for c in ("", "c") for n in (1, 2)},
    "pdc": "plasmacytoid dendritic",
    "pmn": "neutrophil",
    "neu": "neutrophil",
    "neut": "neutrophil",
    "neutro": "neutrophil",
    "eos": "eosinophil",
    "baso": "basophil",
    "mast": "mast",
    # blood and its precursors
    "eryth": "erythroid",
    "erythrocyte": "erythroid",
    "erythroblast": "erythroid",
    "rbc": "erythroid",
    "megakaryocyte": "platelet",
    "thrombocyte": "platelet",
    "haematopoietic": "hematopoietic",
    "hsc": "hematopoietic stem",
    "hspc": "hematopoietic stem",
    "mpp": "multipotent progenitor",
    # tissues
    "oligo": "oligodendrocyte",
    "opc": "oligodendrocyte precursor",
    "astro": "astrocyte",
    "excitatory": "glutamatergic",
    "exc": "glutamatergic neuron",
    "inhibitory": "gabaergic",
    "inh": "gabaergic neuron",
    "neuronal": "neuron",
    "endothelium": "endothelial",
    "endo": "endothelial",
    "epithelium": "epithelial",
    "epi": "epithelial",
    "fibro": "fibroblast",
    "caf": "fibroblast",
    "smc": "smooth muscle",
    "vsmc": "vascular smooth muscle",
}
"""Word, in the singular -> the words it means."""
_OF_T = frozenset(
    {
        *("cd3", "cd4", "cd8", "naive", "memory", "central", "effector", "resident", "exhausted"),
        *("proliferating", "cytotoxic", "helper", "regulatory", "conv", "follicular"),
        *("activated", "resting"),
    }
)
"""Words that say nothing but which T cell it is: "CD4 naive", "CD8"."""
_LYMPHOID = frozenset(["lymphocyte", "lymphoid", "leukocyte", "immune", "pbmc"])
_MYELOID = frozenset(["myeloid", "leukocyte", "immune"])
_FAMILIES = (
    (("t",), _LYMPHOID),
    (("b",), _LYMPHOID),
    (("plasma",), _LYMPHOID),
    (("natural", "killer"), _LYMPHOID),
    (("innate", "lymphoid"), _LYMPHOID),
    *(
        ((name,), _MYELOID)
        for name in ("monocyte", "macrophage", "dendritic", "neutrophil", "microglia", "mast")
    ),
    (("neutrophil",), frozenset({"granulocyte"})),
    (("eosinophil",), _MYELOID | {"granulocyte"}),
    (("basophil",), _MYELOID | {"granulocyte"}),
)
"""Words of a type -> one-word names of families that it belongs to."""


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
def _words(name: str) -> frozenset[str]:
    """The words that a name means, without those that only spellings differ in."""
    text = name.casefold().replace("_", " ")
    text = re.sub(r"\bnon[\W_]+", "non", text)
    text = re.sub(r"\b(cd\d+)[-−](?=[\s,)/]|$)", r"\1neg", text)
    text = re.sub(r"\b(cd\d+)(t[a-z]*|nk|mono|dc|bright|dim)\b", r"\1 \2", text)
    found: set[str] = set()
    for word in re.findall(r"[^\W_]+", text):
        bare = re.sub(r"cells?$", "", word)
        one = bare if bare in _WORDS or len(bare) < 3 else bare.removesuffix("s")
        found |= set(_WORDS.get(one, one).split())
    return frozenset(_usual(found))


def _usual(words: set[str]) -> set[str]:
    """Words that mean something else together, or nothing beside another."""
    if words and words <= _OF_T and words & {"cd3", "cd4", "cd8"}:
        words |= {"t"}
    if {"red", "blood"} <= words:
        words = words - {"red", "blood"} | {"erythroid"}
    if {"b"} <= words or {"t"} <= words:
        words = words - {"lymphocyte", "other"}
    if "t" in words:
        if words == {"cytotoxic", "t"}:
            return {"cd8", "t"}
        if "regulatory" in words:
            return words - {"cd4"}
        if "conv" in words:
            words = words - {"conv"} | {"cd4"}
        if "helper" in words:
            special = any(w == "follicular" or w.startswith("th") for w in words)
            words = (words if special else words - {"helper"}) | {"cd4"}
        if any(w.startswith("th") and w[2:].isdecimal() for w in words):
            words = words - {"helper"}
    if "dendritic" in words:
        words = words - {"myeloid", "conv"}
    if "monocyte" in words and words & {"cd14", "cd16", "fcgr3a"}:
        kind = (
            "classical"
            if not words & {"cd16", "fcgr3a"}
            else "intermediate"
            if "cd14" in words
            else "nonclassical"
        )
        words = words - {"cd14", "cd16", "fcgr3a", "cd14neg", "cd16neg"} | {kind}
    return words


def _families(words: frozenset[str]) -> frozenset[str]:
    found = [family for name, family in _FAMILIES if words.issuperset(name)]
    return frozenset().union(*found)


def is_kind_of(name: str, of: str) -> bool:
    """Whether the cell type ``name`` is ``of`` or one of its subtypes, by their names.

    "Naive B cell" is a kind of "B cells", "CD14 Mono" of "Myeloid", "Microglia" of
    "Microglia/Macrophage"; "Plasma cell" is none of "Plasmacytoid dendritic cell".
    """
    words = _words(name)
    every = words | _families(words)
    return any(_words(part) and _words(part) <= every for part in of.split("/"))


def are_related(one: str, other: str) -> bool:
    """Whether one is a kind of the other, so that they share markers.

    Here regulatory T cells belong to CD4 T cells, which :func:`is_kind_of` keeps apart because
    references do.
    """
    if is_kind_of(one, other) or is_kind_of(other, one):
        return True
    both = (_words(one), _words(other))
    return any(
        {"regulatory", "t"} <= a and {"cd4", "t"} >= b and "t" in b
        for a, b in (both, reversed(both))
    )
