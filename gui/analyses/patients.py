"""Which samples are of one patient."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from gui.analyses.samples import cleaned, sample_table
from gui.data.dataset import Dataset
from gui.data.samples.survival_columns import value_text
from gui.errors import MissingPart
from gui.text import shorten

NO_PATIENT = "(every sample is a patient)"
"""In place of a column with patients: nobody has two samples."""
WHOLE_ROW = 4
"""Samples with the same values in so many columns share one row of the clinical table."""
PATIENT_COLUMN = re.compile(
    r"^(bcr[ ._])?(patient|subject|case|participant|donor|individual|person|pat)"
    r"([ ._-]?(id|no|nr|number|code|barcode|uuid|name|submitter[ ._-]?id))?$",
    re.IGNORECASE,
)
_BARCODE = re.compile(r"(TCGA|TARGET|CPTAC)[-._][A-Z0-9]{2,4}[-._][A-Z0-9]{4,8}", re.IGNORECASE)


def patients(
    dataset: Dataset, samples: Sequence[str], chosen: str = "", *, time: str = ""
) -> tuple[pd.Series | None, str]:
    """Which samples are of one patient, and how that is known, in a sentence.

    By the column that was chosen; else by a column that is called so, the barcodes of TCGA, or
    samples that share a row of the clinical table. None: nobody seems to have two.

    Parameters
    ----------
    samples
        Of the run.
    chosen
        A column, :data:`NO_PATIENT`, or "".
    time
        Column of times: who has none plays no part. "": rows of the table are not compared, since
        without times patients may be alike by chance.

    Raises
    ------
    MissingPart
        There is no such column.
    """
    if chosen == NO_PATIENT:
        return None, ""
    table = sample_table(dataset)
    if chosen:
        if chosen not in table.columns:
            raise MissingPart(f"The clinical table has no column {chosen[:60]}.")
        column = cleaned(table[chosen]).map(value_text, na_action="ignore")
        return column, f"Patients are identified by the column {shorten(chosen)}."
    inside = table.reindex(list(samples))
    followed = inside.index[inside[time].notna()] if time in inside else inside.index
    for name in table.columns:
        if not PATIENT_COLUMN.match(str(name)):
            continue
        column = cleaned(table[name]).map(value_text, na_action="ignore")
        here = column.reindex(followed).dropna()
        if here.nunique() >= max(3, 0.2 * len(here)):
            # who has no name there is a patient of his own
            alone = pd.Series([f"\0{s}" for s in column.index], index=column.index)
            return column.where(column.notna(), alone), (
                f"Patients are identified by the column {shorten(str(name))}."
            )
    barcodes = {s: found[0].upper() for s in samples if (found := _BARCODE.match(str(s)))}
    if len(barcodes) == len(samples) and len(set(barcodes.values())) < len(barcodes):
        return pd.Series(barcodes), "Patients are identified by the barcodes of the samples."
    if not time or dataset.clinical is None or dataset.bulk is None:
        return None, ""
    # annotations of the bulk differ between samples of one patient
    rows = dataset.clinical.table.set_axis(pd.Index(dataset.bulk.samples), axis=0)
    shared = _shared_rows(rows.reindex(followed))
    if shared is not None:
        return shared, "These samples share one row of the clinical table."
    return None, ""


def _shared_rows(table: pd.DataFrame) -> pd.Series | None:
    """Samples with the same clinical row, where that is no chance; None where there are none."""
    rows = table.astype(object).map(value_text, na_action="ignore")
    known = rows.notna().sum(axis=1)
    keys = pd.Series(
        ["\x1f".join(map(str, row)) for row in rows.itertuples(index=False)], index=rows.index
    )
    groups: dict[str, list[str]] = {}
    for sample, key in keys.items():
        same = groups.setdefault(key, [])
        same.append(str(sample))
    who = pd.Series([f"\0{s}" for s in keys.index], index=keys.index, dtype=object)
    found = False
    for same in groups.values():
        if len(same) < 2:
            continue
        alike = len({re.split(r"[-._ ]", name)[0] for name in same}) == 1 and all(
            re.search(r"[-._ ]", name) for name in same
        )
        stem = len(_beginning(same)) >= 4
        if known[same[0]] >= WHOLE_ROW or (alike and stem and known[same[0]] >= 2):
            who[same] = f"\0{same[0]}"
            found = True
    return who if found else None


def _beginning(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    size = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return first[:size]
