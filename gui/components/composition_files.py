"""A composition as files for further analysis: tidy, and as a workbook that explains itself.

Pure: a :class:`Composition` in, frames out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gui import __version__
from gui.answers.run_names import source_name
from gui.components.composition_content import (
    Chosen,
    Composition,
    composition_frame,
    end_names,
    interval_ends,
    unit,
)
from gui.data.dataset import HIDDEN
from gui.engine.results import Run
from gui.figures.composition import fold_hidden, sample_fractions
from gui.report.parts import shown

INTERVAL = "95 % interval"
BACKGROUND = "Hidden background: what no cell type of the reference explains."
COLUMNS: Mapping[str, tuple[str, str]] = {
    "sample": ("Name of the sample, as in its file.", ""),
    "cell_type": (f"Cell type of the reference; {HIDDEN}: the hidden background.", ""),
    "fraction": ("The estimated fraction; its unit is in the column unit.", "1 is 100 %"),
    "low": ("Lower end of the interval named in the column interval.", "1 is 100 %"),
    "high": ("Upper end of that interval.", "1 is 100 %"),
    "interval": ("What low and high are; empty where there is no interval.", ""),
    "equal_fit_low": (
        "Of the hidden background only: the smallest fraction that fits the data equally well.",
        "1 is 100 %",
    ),
    "equal_fit_high": (
        "Of the hidden background only: the largest fraction that fits the data equally well.",
        "1 is 100 %",
    ),
    "known": ("The true fraction, where it is known.", "1 is 100 %"),
    "contradicted": ("Whether two other estimates contradict this fraction.", "true or false"),
    "unit": ("Of fraction, low and high.", ""),
    "run": ("The run that estimated it.", ""),
}
"""Column of the tidy table -> what it is, its unit."""


def unit_text(found: Composition, normalise: bool) -> str:
    """Of one number in a tidy table."""
    if found.quantity:
        return f"{_bare(found.quantity)}, 1 is 100 %"
    which = "of the estimated total of the sample" if normalise else "as estimated"
    return f"RNA fraction {which}, 1 is 100 %"


def tidy_frame(found: Composition, chosen: Chosen) -> pd.DataFrame:
    """One row per sample and cell type with interval, unit and run; all digits.

    Interval, equal fit, known and contradicted are left out where the composition has none. The
    columns of the samples follow.

    Index: sample, in the order of the file.
    """
    frame = found.frame
    samples, types = [str(s) for s in frame.columns], [str(t) for t in frame.index]
    values = sample_fractions(frame, chosen.normalise)
    total = frame.sum(axis=0).to_numpy(dtype=np.float64)
    whole = np.where(total > 0, total, np.nan) if chosen.normalise else np.ones(len(samples))

    def long(of: pd.DataFrame, scale: np.ndarray | float = 1.0) -> np.ndarray:
        there = _named(of).reindex(index=types, columns=samples).to_numpy(dtype=np.float64)
        return (there / scale).ravel(order="F")

    columns: dict[str, object] = {
        "cell_type": np.tile(np.array(types, dtype=object), len(samples)),
        "fraction": values.to_numpy(dtype=np.float64).ravel(order="F"),
    }
    ends = interval_ends(found, chosen.normalise)
    if ends is not None:
        low, high = map(long, ends)
        there = np.isfinite(low) & np.isfinite(high)
        columns |= {"low": low, "high": high, "interval": np.where(there, INTERVAL, "")}
    if found.interval is not None and HIDDEN in types:
        ends = found.interval.set_axis(found.interval.index.astype(str), axis=0).reindex(samples)
        for end in ("low", "high"):
            one = pd.DataFrame([ends[end].to_numpy()], index=[HIDDEN], columns=samples)
            columns[f"equal_fit_{end}"] = long(one, whole)
    if found.truth is not None:
        columns["known"] = long(_known(found.truth, types))
    if found.opinion is not None:
        concerned = _named(found.opinion.concerned).astype(float)
        columns["contradicted"] = long(concerned) == 1.0
    columns["unit"] = unit_text(found, chosen.normalise)
    columns["run"] = "" if found.run is None else source_name(found.run)
    index = pd.Index(np.repeat(np.array(samples, dtype=object), len(types)), name="sample")
    tidy = pd.DataFrame(columns, index=index)
    if found.groups is None:
        return tidy
    groups = found.groups.set_axis(found.groups.index.astype(str), axis=0)
    groups = groups[~groups.index.duplicated()].reindex(index)
    return pd.concat([tidy, groups.set_axis(_apart(groups.columns), axis=1)], axis=1)


def tidy_about(found: Composition, normalise: bool) -> str:
    """The sentences for its file."""
    note = f" {found.note}" if found.note else ""
    return f"One row per sample and cell type. {unit_text(found, normalise)}.{note}"


def workbook(found: Composition, chosen: Chosen) -> dict[str, pd.DataFrame]:
    """Sheets by name: the composition wide and tidy, what each number is, and the run."""
    wide, tidy = composition_frame(found, chosen), tidy_frame(found, chosen)
    sheets = {"Composition": wide, "Tidy": tidy, "What the numbers are": legend(found, chosen)}
    return sheets | ({} if found.run is None else {"Run": run_frame(found.run)})


def legend(found: Composition, chosen: Chosen) -> pd.DataFrame:
    """What each column of the sheets Composition and Tidy holds. Index: sheet."""
    wide = unit(chosen.normalise, found.quantity).removesuffix(".")
    note = f" {found.note}" if found.note else ""
    rows = [("Composition", "Sample", COLUMNS["sample"][0], "")]
    there = set(composition_frame(found, chosen).columns.astype(str))
    for name in map(str, found.frame.index):
        what = BACKGROUND if name == HIDDEN else "Fraction of this cell type."
        rows += [("Composition", name, f"{what} {wide}.{note}", "%")]
        rows += [
            ("Composition", column, f"The {end} end of its {INTERVAL}.", "%")
            for column, end in zip(end_names(name), ("lower", "upper"), strict=True)
            if column in there
        ]
    tidy = tidy_frame(found, chosen)
    groups = [] if found.groups is None else [str(name) for name in found.groups.columns]
    rows += [("Composition", name, "Column of the samples, as loaded.", "") for name in groups]
    rows += [
        ("Tidy", str(name), *COLUMNS.get(str(name), ("Column of the samples, as loaded.", "")))
        for name in ("sample", *tidy.columns)
    ]
    table = pd.DataFrame(rows, columns=["Sheet", "Column", "What it is", "Unit"])
    return table.set_index("Sheet")


def run_frame(run: Run) -> pd.DataFrame:
    """Where the numbers come from: name, parameters, versions. Index: what."""
    rows = {
        "Run": source_name(run),
        "Computed": f"{run.created:%Y-%m-%d %H:%M:%S %Z}".strip(),
        "Notes": run.notes,
        "Remark": run.provenance.remark,
    }
    for name in run.params.used():
        field = type(run.params).model_fields[name]
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        rows[f"{field.title or name} {extra.get('unit') or ''}".strip()] = shown(run.params, name)
    rows["DeconomiX GUI"] = __version__
    rows |= {str(name): str(version) for name, version in run.provenance.versions.items()}
    rows |= {"Training data": run.provenance.training_id, "Bulk": run.provenance.bulk_id}
    there = {name: value for name, value in rows.items() if value}
    return pd.DataFrame({"Value": there.values()}, index=pd.Index(there, name="What"))


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis(frame.index.astype(str), axis=0).set_axis(
        frame.columns.astype(str), axis=1
    )


def _known(truth: pd.DataFrame, types: list[str]) -> pd.DataFrame:
    """The truth by the estimate's types; what these lack is hidden, where there is that."""
    if HIDDEN not in types:
        return truth
    return pd.DataFrame({str(s): fold_hidden(truth[s], types) for s in truth.columns})


def _apart(names: pd.Index) -> list[str]:
    """The samples' columns, renamed where a tidy table has a column of that name."""
    return [f"{name} (of the sample)" if str(name) in COLUMNS else str(name) for name in names]


def _bare(quantity: str) -> str:
    """“Cell fraction (%)<br>converted” as “Cell fraction, converted”."""
    return quantity.replace(" (%)", "").replace("<br>", ", ")
