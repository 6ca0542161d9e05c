"""Parameters of Genes, and which genes they call regulated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from gui.engine.params import Params, param
from gui.engine.regulation import LOW_SUPPORT, GeneEffects, regulation_table
from gui.engine.results import BootstrapResult

SHIPPED_MARKERS = "shipped"


class GenesParams(Params):
    """What counts as regulated, and what it is compared with."""

    fold: float = param(
        2.0,
        "Regulated from",
        "A gene counts as regulated where its expression differs by at least this factor from the"
        " reference, upwards or downwards.",
        unit="fold",
        gt=1,
        le=1000,
        allow_inf_nan=False,
    )
    supported: bool = param(
        True,
        "Supported only",
        "Leave out regulation that the data hardly support: of rare cell types, of genes with a"
        " small weight, and where there is a bootstrap of an uncertain direction.",
    )
    sets: tuple[str, ...] = param(
        ("hallmark",),
        "Gene sets",
        "Collections that are tested, of the program and of your own GMT files.",
    )
    markers: tuple[str, ...] = param(
        (SHIPPED_MARKERS,),
        "Marker lists",
        "Lists of marker genes that are looked up, of the program and your own.",
    )
    smallest: int = param(
        10,
        "Smallest set",
        "Sets with fewer genes among those compared are not tested.",
        unit="genes",
        ge=2,
        le=1000,
        advanced=True,
    )
    largest: int = param(
        500,
        "Largest set",
        "Sets with more genes among those compared are not tested.",
        unit="genes",
        ge=3,
        le=100_000,
        advanced=True,
    )
    permutations: int = param(
        1000,
        "Permutations",
        "Random sets of genes that each score of the ranking is compared with. No p-value is below"
        " 1 / (permutations + 1).",
        ge=100,
        le=100_000,
        advanced=True,
    )
    seed: int = param(
        1,
        "Seed",
        "Random seed. The same seed gives the same p-values.",
        ge=0,
        le=2**32 - 2,
        advanced=True,
    )
    folder: str = Field("", exclude=True)
    """Where the user's own files are kept; not part of a session."""

    @field_validator("sets", "markers", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    def used(self) -> list[str]:
        without = {"folder"} | (
            set() if self.sets else {"smallest", "largest", "permutations", "seed"}
        )
        return [name for name in super().used() if name not in without]


def called(table: pd.DataFrame, params: GenesParams) -> pd.Series:
    """By gene of :func:`regulation_of`: 1 regulated upwards, -1 downwards, 0 neither."""
    strong = table["log2"].abs() >= np.log2(params.fold)
    if params.supported:
        strong &= table["supported"]
    return np.sign(table["log2"]).where(strong, 0.0).astype(int)


def could_be_called(table: pd.DataFrame, params: GenesParams) -> pd.Index:
    """Genes about which the data could have said something: the background of all tests."""
    if not params.supported:
        return table.index
    support = table["support"]
    return table.index[(support.isna() | (support >= LOW_SUPPORT)).to_numpy()]


def regulated_counts(tables: Mapping[str, pd.DataFrame], params: GenesParams) -> pd.DataFrame:
    """By cell type: genes up and down, and the background."""
    rows = {}
    for name, table in tables.items():
        calls = called(table, params)
        rows[name] = {
            "up": int((calls > 0).sum()),
            "down": int((calls < 0).sum()),
            "background": len(could_be_called(table, params)),
        }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["up", "down", "background"])


def regulation_calls(
    result: GeneEffects, params: GenesParams, sure: BootstrapResult | None = None
) -> pd.DataFrame:
    """Every gene in every cell type, with column ``call`` (1, -1, 0)."""
    table = regulation_table(result, sure)
    return table.assign(call=called(table, params))
