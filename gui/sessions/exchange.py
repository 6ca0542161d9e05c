"""A session as it is given to somebody else: without its cells, or with pseudonyms.

Pure functions: a snapshot goes in, another one comes out. Results stay readable, and none of them
is shown as outdated afterwards.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from gui.data.dataset import Cells, Dataset, Matrix, Source
from gui.data.normalize import sums_by_type
from gui.engine.results import Provenance, Run
from gui.sessions.pseudonyms import Pseudonyms
from gui.sessions.rules import MAX_TAG, checked_tags
from gui.sessions.snapshot import PSEUDONYMS, WITHOUT_CELLS, Snapshot


def without_cells(snapshot: Snapshot) -> Snapshot:
    """No training and test cells; without a reference of the user's the mean of each type stays.

    The ids of the data stay what they were.
    """
    data = snapshot.dataset
    if data is None or (data.train is None and data.test is None):
        return _marked(snapshot, WITHOUT_CELLS)
    reference, sources = data.reference, data.sources
    if reference is None and data.train is not None:
        reference = _means(data.train, data.scale)
        if data.source("reference") is None:
            sources = (*sources, Source("reference", "mean of the training cells", "mean"))
    bare = dataclasses.replace(
        data, train=None, test=None, reference=reference, sources=sources
    ).standing_for(data)
    return _marked(dataclasses.replace(snapshot, dataset=bare), WITHOUT_CELLS)


def _means(cells: Cells, scale: float | None) -> Matrix:
    """Genes x types: the mean of the cells of each type, scaled before as the analysis does."""
    sums = cells.matrix.sums()
    weight = (
        np.ones(len(sums))
        if scale is None
        else np.divide(scale, sums, out=np.zeros_like(sums), where=sums > 0)
    )
    means = sums_by_type(cells, weight) / cells.counts().reindex(cells.types).to_numpy()
    return Matrix(means.to_numpy(), means.index, means.columns)


def pseudonymised(snapshot: Snapshot) -> tuple[Snapshot, pd.DataFrame]:
    """The session with pseudonyms for its samples and cells, and the table of their names.

    Bulk samples become S0001, ..., cells C000001, ..., wherever their names are. The table (columns
    name, pseudonym, role) is to be kept apart. Columns of the samples' and cells' tables whose
    values are all different are left out: they would tell who is who; the notes say which. Pending
    jobs are left out. What a plug-in keeps as bytes is not looked into.
    """
    names = Pseudonyms(snapshot)
    data, left_out = snapshot.dataset, list[str]()
    renamed = names.dataset(data, left_out) if data is not None else None
    runs = [
        dataclasses.replace(
            run,
            title=names.text(run.title),
            params=names.params(run.params),
            result=names.any(run.result),
            name=names.text(run.name),
            notes=names.text(run.notes),
        )
        for run in snapshot.runs
    ]
    ids = _new_ids(data, renamed, snapshot.runs)
    notes = names.text(snapshot.notes)
    if left_out:
        notes += (
            f"{chr(10) if notes else ''}Left out, because each value occurs once and would tell who"
            f" is who: {', '.join(left_out)}."
        )
    made = dataclasses.replace(
        snapshot,
        name=names.text(snapshot.name),
        dataset=renamed,
        runs=tuple(
            dataclasses.replace(run, provenance=_renumbered(run.provenance, ids)) for run in runs
        ),
        forms=names.any(snapshot.forms),
        notes=notes,
        tags=checked_tags(",".join(names.text(tag)[:MAX_TAG] for tag in snapshot.tags)),
        jobs=(),
    )
    return _marked(made, PSEUDONYMS), names.table()


def _marked(snapshot: Snapshot, mark: str) -> Snapshot:
    return dataclasses.replace(snapshot, marks=tuple(dict.fromkeys((*snapshot.marks, mark))))


def _new_ids(before: Dataset | None, after: Dataset | None, runs: Iterable[Run]) -> dict[str, str]:
    """Old id of data -> new one.

    Data that are gone get an id that tells nothing of them.
    """
    ids = {"": ""}
    if before is not None and after is not None:
        ids |= {before.training_id: after.training_id, before.bulk_id: after.bulk_id}
    for run in runs:
        for known in (run.provenance.training_id, run.provenance.bulk_id):
            ids.setdefault(known, secrets.token_hex(8))
    return ids


def _renumbered(made: Provenance, ids: Mapping[str, str]) -> Provenance:
    return dataclasses.replace(made, training_id=ids[made.training_id], bulk_id=ids[made.bulk_id])
