"""One row for each patient of a clinical table that has several: endpoints, follow-ups, treatments.

GDC's clinical.tsv has a row per treatment, its follow_up.tsv one per visit, CDISC's ADTTE one per
endpoint.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gui.data.samples.survival_columns import (
    event_value,
    is_follow_up,
    is_survival_column,
    plain,
    times_of_death_and_follow_up,
    value_text,
)
from gui.text import number, some

_ENDPOINT = ("paramcd", "param", "endpoint", "parameter")
_OVERALL = ("os", "overallsurvival", "osdays", "ttdeath")


def one_row_each(frame: pd.DataFrame, keys: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """The table with one row for each patient where that loses nothing, and what was done.

    Parameters
    ----------
    frame
        Typed columns.
    keys
        Name of the patient of every row.

    Returns
    -------
    tuple
        The table, and a sentence; "" where nothing was done. Rows of one patient that contradict
        each other in what matters for survival stay. The index tells the rows that are left.
    """
    names = pd.Series([k.strip() for k in keys], index=frame.index)
    frame = frame.loc[names != ""]
    names = names.loc[frame.index]
    if names.is_unique:
        return frame, ""
    for column in frame.columns:
        if plain(str(column)) in _ENDPOINT and frame[column].nunique() > 1:
            wanted = [v for v in frame[column].dropna().unique() if plain(str(v)) in _OVERALL]
            rows = frame[frame[column].isin(wanted)]
            if wanted and names.loc[rows.index].is_unique:
                all_of = some((str(v) for v in frame[column].dropna().unique()), 4)
                said = f"Of the endpoints {all_of} the rows of {wanted[0]} were taken."
                return rows, said
    patients, count = names.nunique(), len(names)
    rows_said = f"{number(count)} rows of {number(patients)} patients"
    matters = [c for c in frame.columns if is_survival_column(str(c))]
    groups = frame.groupby(names, sort=False)
    varied = [str(c) for c in frame.columns if (groups[c].nunique() > 1).any()]
    if not set(varied) & set(map(str, matters)):
        first = _first_filled(frame, names)
        beside = f"; of what differs ({some(varied, 3)}) the first is kept" if varied else ""
        return first, f"{rows_said} were put together: times and events are the same{beside}."
    columns: tuple[str, ...] | None = times_of_death_and_follow_up(frame)
    if columns is None:
        columns = _visits(frame, varied)
    if columns is None:
        return frame, ""
    made = groups.first()
    for column in columns:
        made[column] = groups[column].max()
    vital = next((c for c in frame.columns if "vital" in str(c).lower()), None)
    if vital is not None and (dead := event_value(frame[vital], str(vital))):
        died = frame[vital].map(value_text, na_action="ignore") == dead
        with_event = names[died].unique()
        made.loc[with_event, vital] = frame.loc[died, vital].iloc[0] if died.any() else np.nan
    made.index = pd.Index([frame.index[(names == n).to_numpy()][0] for n in made.index])
    return made, f"{rows_said} were put together: the latest follow-up, and the death, of each."


def _first_filled(frame: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Of each patient the first value of every column: a visit may hold what another one lacks."""
    made = frame.groupby(names, sort=False).first()
    made.index = pd.Index(frame.index[(~names.duplicated()).to_numpy()])
    return made


def _visits(frame: pd.DataFrame, varied: Sequence[str]) -> tuple[str, ...] | None:
    """The column of the time since the beginning, where only it and who is alive differ between
    the visits of a patient.
    """
    times = [c for c in varied if frame[c].dtype.kind == "f" and is_follow_up(c)]
    other = [c for c in varied if c not in times and is_survival_column(c)]
    vital = [c for c in other if "vital" in c.lower()]
    return (times[0],) if len(times) == 1 and other == vital and len(vital) == 1 else None
