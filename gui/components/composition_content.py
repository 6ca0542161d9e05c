"""What a composition view shows of samples x cell types: figure, legend, table, file and options.

Pure: a :class:`Composition` and what the controls say in, figures and frames out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.components.figure import type_legend
from gui.components.table import TableFile, TableView, table_view
from gui.data.dataset import HIDDEN, Dataset
from gui.engine.results import Run
from gui.figures import composition as figures
from gui.figures.text import natural, settled

MOST_GROUPS = 40
IN_FILE, BY_NAME, TYPE = "order:file", "order:name", "type:"
NO_GROUP, COLUMN = "none", "column:"
FIRST_ORDER = {"value": IN_FILE, "label": "Sort as in the file"}
FIRST_GROUP = {"value": NO_GROUP, "label": "No groups"}


class Composition(NamedTuple):
    """What is shown of one part.

    Attributes
    ----------
    frame
        Cell types (and ``hidden``) x samples, values as estimated.
    truth
        Cell types x samples, where known.
    groups
        One row per sample (its index are the sample names), columns to group by (``bulk.obs``),
        or None.
    interval
        By sample, columns low and high: the hidden fraction at equal fit, or None.
    ends
        Low and high end of the 95 % intervals, each like ``frame``, or None.
    opinion
        What other estimates say of it, or None.
    note
        What it is, where that differs from the view's own parts; above figure and table.
    quantity
        Axis title, where it is not that of RNA fractions; the values then sum to 1.
    run
        That estimated it, or None.
    """

    frame: pd.DataFrame
    truth: pd.DataFrame | None = None
    groups: pd.DataFrame | None = None
    interval: pd.DataFrame | None = None
    ends: tuple[pd.DataFrame, pd.DataFrame] | None = None
    opinion: figures.OpinionHover | None = None
    note: str = ""
    quantity: str = ""
    run: Run | None = None


@dataclass(frozen=True)
class Chosen:
    """What the controls say."""

    view: str = "bars"
    sort: str = IN_FILE
    group: str = NO_GROUP
    normalise: bool = False
    intervals: bool = False


def bulk_groups(dataset: Dataset | None, samples: pd.Index) -> pd.DataFrame | None:
    """Return ``bulk.obs`` by sample name; None where the samples are of another bulk."""
    if dataset is None or dataset.bulk is None or dataset.bulk.obs.shape[1] == 0:
        return None
    names = pd.Index(dataset.bulk.samples)
    if not names.is_unique or not pd.Index(samples.astype(str)).isin(names).all():
        return None
    return dataset.bulk.obs.set_axis(names, axis=0)


def arranged(found: Composition, chosen: Chosen) -> figures.Arrangement:
    """The samples in the order chosen."""
    sort = (
        figures.BY_NAME
        if chosen.sort == BY_NAME
        else chosen.sort.removeprefix(TYPE)
        if chosen.sort.startswith(TYPE)
        else figures.BY_FILE
    )
    group, column = None, chosen.group.removeprefix(COLUMN)
    if found.groups is not None and chosen.group.startswith(COLUMN) and column in found.groups:
        group = found.groups[column]
    return figures.arrange(
        found.frame,
        normalise=chosen.normalise,
        sort=sort,
        group=group,
        gap=0 if chosen.view == "heatmap" else 1,
    )


def composition_figure(
    found: Composition, colour_of: Mapping[str, str], chosen: Chosen
) -> go.Figure:
    """All samples, as bars or as a heatmap."""
    order = arranged(found, chosen)
    if chosen.view == "heatmap":
        fig = figures.heatmap(
            found.frame,
            normalise=chosen.normalise,
            arranged=order,
            opinion=found.opinion,
            title=found.quantity,
        )
        # in two lines, as on the axis of the bars: the heatmap of few types is lower than the title
        # is long
        return fig.update_traces(
            colorbar_title_text=found.quantity or figures.quantity(chosen.normalise),
            selector={"type": "heatmap"},
        )
    return figures.stacked(
        found.frame,
        colour_of,
        normalise=chosen.normalise,
        arranged=order,
        ends=found.ends,
        opinion=found.opinion,
        title=found.quantity,
    )


def sample_figure(
    found: Composition, sample: str, colour_of: Mapping[str, str], *, normalise: bool
) -> go.Figure | None:
    """Draw one sample with its truth where known; None if there is no such sample."""
    names = [str(s) for s in found.frame.columns]
    if sample not in names:
        return None
    at = found.frame.columns[names.index(sample)]
    truth = found.truth[at] if found.truth is not None and at in found.truth.columns else None
    interval = None
    if found.interval is not None and at in found.interval.index:
        low, high = found.interval.loc[at, ["low", "high"]]
        interval = (float(low), float(high))
    ends = (
        None
        if found.ends is None or at not in found.ends[0].columns
        else pd.DataFrame({"low": found.ends[0][at], "high": found.ends[1][at]})
    )
    return figures.single(
        found.frame[at],
        colour_of,
        truth=truth,
        normalise=normalise,
        interval=interval,
        ends=ends,
        opinion=found.opinion,
        title=found.quantity,
    )


def legend(found: Composition, colour_of: Mapping[str, str], chosen: Chosen) -> Any:
    """The legend above bars that scroll; None where the figure has its own."""
    if chosen.view != "bars" or found.frame.shape[1] <= figures.SCROLL_FROM:
        return None
    types = () if found.opinion is None else found.opinion.types
    return type_legend(figures.legend_entries(found.frame, colour_of, types))


def interval_ends(found: Composition, normalise: bool) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return the low and the high ends of the 95 % intervals as cell types x samples, like
    ``found.frame`` (missing where a type has none), or None.

    Where fractions sum to 1, their ends are divided by the same number.
    """
    if found.ends is None:
        return None
    frame = found.frame
    total = frame.sum(axis=0).to_numpy(dtype=float)
    whole = np.where(total > 0, total, np.nan) if normalise else np.ones(len(total))

    def aligned(end: pd.DataFrame) -> pd.DataFrame:
        # by the names as text: a sample may be called 7 here and "7" there
        by_text = end.set_axis(end.index.astype(str), axis=0).set_axis(
            end.columns.astype(str), axis=1
        )
        there = by_text.reindex(index=frame.index.astype(str), columns=frame.columns.astype(str))
        return pd.DataFrame(there.to_numpy(dtype=float) / whole, frame.index, frame.columns)

    low, high = map(aligned, found.ends)
    return low, high


def end_names(name: object) -> tuple[str, str]:
    """The columns of a cell type's interval in a table."""
    return f"{name}, low", f"{name}, high"


def composition_frame(found: Composition, chosen: Chosen) -> pd.DataFrame:
    """Samples x types in percent, in the order chosen, with the columns to group by.

    With ``chosen.intervals`` each type is followed by the ends of its interval, where it has one.
    """
    names = arranged(found, chosen).samples
    shown = (settled(figures.sample_fractions(found.frame, chosen.normalise)) * 100).T
    ends = interval_ends(found, chosen.normalise) if chosen.intervals else None
    if ends is not None:
        columns = {}
        for name in found.frame.index:
            columns[name] = shown[name]
            low, high = (settled(end.loc[[name]]).iloc[0] * 100 for end in ends)
            if low.notna().any():
                columns |= dict(zip(end_names(name), (low, high), strict=True))
        shown = pd.DataFrame(columns, index=shown.index)
    shown = shown.set_axis(shown.index.astype(str), axis=0).loc[names]
    if found.groups is not None:
        shown = pd.concat([shown, found.groups.reindex(names)], axis=1)
    return shown.rename_axis("Sample")


def composition_table(found: Composition, chosen: Chosen) -> TableView:
    """The same for the screen."""
    shown = composition_frame(found, chosen)
    types = [str(t) for t in found.frame.index]
    ends = [end for t in types for end in end_names(t)] if chosen.intervals else []
    return table_view(shown, percent=[*types, *ends])


def composition_file(name: str, found: Composition, chosen: Chosen) -> TableFile:
    """Return the file to save: the table as shown, and the fractions with full precision."""
    order = "sorted by name" if chosen.sort == BY_NAME else "in the order of the file"
    if chosen.sort.startswith(TYPE):
        order = f"sorted by {chosen.sort.removeprefix(TYPE)}: largest first"
    if found.groups is not None and chosen.group.startswith(COLUMN):
        order = f"grouped by {chosen.group.removeprefix(COLUMN)} and {order}"
    engine = found.frame.rename_axis("cell type")
    note = f" {found.note}" if found.note else ""
    ends = " Low and high: ends of the 95 % interval." if chosen.intervals and found.ends else ""
    about = f"{unit(chosen.normalise, found.quantity)} One row per sample {order}.{ends}{note}"
    return TableFile(
        name,
        composition_frame(found, chosen),
        about,
        engine,
        f"{found.quantity.split('<br>')[0].removesuffix(' (%)') or 'RNA fraction'} with full"
        f" precision: 1 is 100 %. One row per cell type.{note}",
    )


def about_text(found: Composition, look: str, note: str = "") -> str:
    """Below the controls: what is shown, ``note``, and what the hatch or the star means."""
    types = () if found.opinion is None else found.opinion.types
    mark = {"bars": "Hatched", "heatmap": "With a star"}.get(look)
    marked = (
        f"{mark}: contradicted by two other estimates, see the tab Second opinion."
        if types and mark
        else ""
    )
    # a remark on RNA fractions does not belong to another quantity
    return " ".join(filter(None, (found.note, marked, "" if found.quantity else note)))


def unit(normalise: bool, quantity: str = "") -> str:
    """Above the table and in its file: which of the two it holds, or another quantity."""
    if quantity:
        return f"{quantity.replace('<br>', ', ')}."
    return "RNA fraction (%)" + (
        " of the estimated total of each sample."
        if normalise
        else " as estimated; the sum of a sample may differ from 100."
    )


def sort_options(found: Composition) -> list[dict[str, Any]]:
    """What the samples can be sorted by."""
    types = sorted((str(t) for t in found.frame.index if str(t) != HIDDEN), key=natural)
    types = [*types, HIDDEN] if HIDDEN in found.frame.index else types
    return [
        {"group": "Order", "items": [FIRST_ORDER, {"value": BY_NAME, "label": "Sort by name"}]},
        {
            "group": "By a cell type",
            "items": [{"value": TYPE + t, "label": f"Sort by {t}"} for t in types],
        },
    ]


def group_options(found: Composition) -> list[dict[str, str]]:
    """Columns that put the samples into groups: more than one value, and fewer than samples."""
    found_columns = [FIRST_GROUP]
    if found.groups is None:
        return found_columns
    for name in found.groups.columns:
        values = found.groups[name].astype(str).nunique()
        if 1 < values <= MOST_GROUPS and values < len(found.groups):
            found_columns.append({"value": f"{COLUMN}{name}", "label": f"by {name}"})
    return found_columns
