"""Shared parts of reports: parameters, composition, known compositions."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from gui.answers.cell_fractions import EXPLAINED, conversion_of
from gui.engine.known_agreement import Comparison, compare_with_known
from gui.engine.params import MODEL_NAMES, WEIGHT_NAMES, Params
from gui.engine.results import Run
from gui.errors import MissingPart
from gui.figures import composition as compositions
from gui.figures.agreement import NOTE, agreement
from gui.figures.text import RMSE, exponent, settled
from gui.report.document import Document
from gui.sessions.cache import DCXCache
from gui.text import number

PART_TEXTS = {"bulk": "bulk samples", "test": "test pseudobulks", "train": "training pseudobulks"}
CHOICES: dict[str, Mapping[str, str]] = {
    "model": MODEL_NAMES,
    "part": PART_TEXTS,
    "gene_weights": WEIGHT_NAMES,
}
MOST_SAMPLES = 40


def parameters(doc: Document, params: Params) -> None:
    """Every parameter in use by its title, with its unit."""
    rows = []
    for name in params.used():
        field = type(params).model_fields[name]
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        unit, value = str(extra.get("unit", "")), shown(params, name)
        same = unit.lower() in str(field.title).lower()
        rows.append(
            (
                field.title or name,
                f"{value} {unit}".strip() if not same and value[:1].isdigit() else value,
            )
        )
    doc.pairs(rows, "Parameters")


def shown(params: Params, name: str) -> str:
    """One parameter as a person reads it; an empty optional number is "all"."""
    value = getattr(params, name)
    if value is None:
        return "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}" if 0.01 <= abs(value) < 1e5 or value == 0 else exponent(value)
    if isinstance(value, int):
        return str(value) if name == "seed" else number(value)
    if isinstance(value, tuple):
        return ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value)
    return CHOICES.get(name, {}).get(str(value), str(value))


def composition(
    doc: Document,
    frame: pd.DataFrame,
    colour_of: Mapping[str, str],
    *,
    normalise: bool,
    what: str,
    whole: str,
    opinion: compositions.OpinionHover | None = None,
) -> None:
    """Figure (bars, or a heatmap for many), a summary by cell type, and the samples.

    Parameters
    ----------
    frame
        Cell types (and hidden) x samples, values as estimated.
    what
        "the bulk".
    whole
        Where the whole table is shown.
    opinion
        Contradicted types are hatched, or have a star.
    """
    count = frame.shape[1]
    many = count > compositions.SCROLL_FROM
    drawn = (
        compositions.heatmap(frame, normalise=normalise, opinion=opinion)
        if many
        else compositions.stacked(frame, colour_of, normalise=normalise, opinion=opinion)
    )
    mark = "A star" if many else "Hatched"
    marked = (
        f" {mark}: contradicted by two other estimates."
        if opinion is not None and opinion.types
        else ""
    )
    which = "in percent of the estimated total of each sample" if normalise else "as estimated"
    doc.figure(
        drawn,
        f"Composition of {what}, {number(count)} {'sample' if count == 1 else 'samples'}: RNA"
        f" fraction in percent, {which}.{marked}",
    )
    percent = settled(compositions.sample_fractions(frame, normalise)) * 100
    summary = pd.DataFrame(
        {
            "Mean": percent.mean(axis=1),
            "Median": percent.median(axis=1),
            "Lowest": percent.min(axis=1),
            "Highest": percent.max(axis=1),
        }
    )
    doc.table(
        summary,
        first="Cell type",
        caption=f"Composition of {what} over the samples: RNA fraction (%), {which}.",
        most=200,
        percent=True,
    )
    doc.table(
        percent.T,
        first="Sample",
        caption=f"Composition of {what}: RNA fraction (%), {which}.",
        most=MOST_SAMPLES,
        whole=whole,
        percent=True,
    )


def cell_fractions(
    doc: Document, session: DCXCache, run: Run, composition: pd.DataFrame, *, whole: str
) -> None:
    """Write the composition as fractions of cells, with the RNA contents, where the session is so.

    Parameters
    ----------
    whole
        Where the whole table is shown.
    """
    found = conversion_of(session, run)
    if not found.on or found.factors is None:
        return
    doc.heading("As cell fractions, converted", 3)
    doc.paragraph(found.note(hidden=len(found.factors) < len(composition)))
    doc.paragraph(EXPLAINED, "dim")
    factors = found.factors.to_frame("RNA content (mean 1)")
    doc.table(factors, first="Cell type", caption="RNA content of the cell types.", most=200)
    doc.table(
        settled(found.convert(composition)).T * 100,
        first="Sample",
        caption="Cell fraction (%), converted.",
        most=MOST_SAMPLES,
        whole=whole,
        percent=True,
    )


def known(
    doc: Document, session: DCXCache, estimated: pd.DataFrame | None, colour_of: Mapping[str, str]
) -> None:
    """Write the estimate beside the known compositions; nothing if there are none."""
    data = session.dataset
    if data is None or data.truth is None or estimated is None:
        return
    doc.heading("Against known compositions", 3)
    try:
        found = compare_with_known(data.truth.shares, estimated, data.truth.pairs)
    except MissingPart as error:
        doc.paragraph(str(error))
        return
    doc.figure(
        agreement(found.points, colour_of),
        f"Estimated beside known fractions ({data.truth.name or 'table of known compositions'})."
        f" {NOTE}",
    )
    doc.table(
        measures(found),
        first="Cell type",
        caption="Agreement of estimated and known composition.",
        most=100,
    )


def measures(found: Comparison) -> pd.DataFrame:
    """By pair of types, and of all together; RMSE in percentage points."""
    table = found.table
    table = table.assign(**{name: settled(table[name]) for name in ("pearson", "spearman", "ccc")})
    columns = {
        "In the table": table["known_as"],
        "Samples": table["samples"],
        "Pearson": table["pearson"],
        "Spearman": table["spearman"],
    }
    columns |= {RMSE: table["rmse"] * 100, "CCC": table["ccc"]}
    return pd.DataFrame(columns).set_axis(
        [t.replace("|", " + ") for t in table["cell_type"]], axis=0
    )
