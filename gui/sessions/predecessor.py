"""A session of the predecessor as a Snapshot: its data, one DTD run and one ADTD run."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from gui.data.dataset import Dataset
from gui.data.legacy.predecessor import WHAT, Adapted, OldSession, Trained
from gui.engine.metrics import COLUMNS, compare
from gui.engine.params import ADTDParams, DTDParams, Model
from gui.engine.results import ADTDResult, DTDResult, Provenance, Run
from gui.errors import InvalidParameter
from gui.sessions.rules import DEFAULT_NAME, MAX_NAME, new_id, plain, stored_time
from gui.sessions.snapshot import Snapshot

ENGINE = "predecessor"
"""Stands in the provenance of an imported run in place of our engines' names."""
_NOTE = f"Imported from {WHAT}."
_DTD_NOTE = (
    f"{_NOTE} It kept neither the seed of its mixtures nor the Naive estimates: they are not shown."
)
_ADTD_NOTE = (
    f"{_NOTE} It kept no loss, and how much the data support a regulation was not computed."
)


def to_snapshot(old: OldSession, *, name: str | None = None) -> Snapshot:
    """The session, ready to be saved or adopted. name : another one than its own.

    It keeps its id, so that importing it again finds it.
    """
    try:
        created = stored_time(old.created)
    except ValueError:  # it does not say it, or a time that no clock shows
        created = datetime.now(UTC)
    runs: list[Run] = []
    if old.dtd is not None:
        runs.append(_dtd_run(old.dtd, old.dataset, created))
        if old.adtd is not None:
            runs.append(_adtd_run(old.adtd, old.dataset, created, runs[0].id))
    title = plain(name or old.name)[:MAX_NAME].rstrip()
    if not title or title.casefold() == DEFAULT_NAME.casefold():
        title = f"Session {created:%Y-%m-%d}"
    return Snapshot(
        session_id=old.id or new_id(),
        name=title,
        created=created,
        modified=created,
        dataset=old.dataset,
        runs=tuple(runs),
        chosen={run.kind: run.id for run in runs},
        notes="\n".join((_NOTE, *old.notes)),
    )


def _run_id(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(4)}"


def _origin(dataset: Dataset, **inputs: str) -> Provenance:
    return Provenance(dataset.training_id, dataset.bulk_id, inputs=inputs, engine=ENGINE)


def _dtd_run(trained: Trained, dataset: Dataset, created: datetime) -> Run:
    settings = trained.settings
    mixtures = {
        part: frame.shape[1] for part, frame in trained.composition.items() if part != "bulk"
    }
    rows = [
        compare(part, "dtd", trained.truth[part], trained.composition[part])
        for part in mixtures
        if part in trained.truth
    ]
    result = DTDResult(
        reference=trained.reference,
        gene_weights=trained.weights,
        loss=trained.loss,
        correlation=trained.correlation,
        composition=dict(trained.composition),
        naive={},
        truth=dict(trained.truth),
        metrics=pd.concat(rows, ignore_index=True)[COLUMNS]
        if rows
        else pd.DataFrame(columns=COLUMNS),
        scale=dataset.scale,
        notes=(_DTD_NOTE,),
        params=None,  # the mixtures cannot be drawn again: their seed is not known
    )
    asked: dict[str, object] = {
        "genes": len(trained.weights),
        "iterations": len(trained.loss) or int(settings.get("nIter", 1000)),
        "run_on_bulk": "bulk" in trained.composition,
        "train_mixtures": mixtures.get("train", int(settings.get("train_n_mixtures", 1000))),
        "test_mixtures": mixtures.get("test", int(settings.get("test_n_mixtures", 1000))),
        "train_cells": int(settings.get("train_n_cells", 100)),
        "test_cells": int(settings.get("test_n_cells", 100)),
    }
    try:
        params = DTDParams.parse(**asked)
    except InvalidParameter:  # it allowed what we do not
        params = DTDParams()
    return Run(_run_id("dtd"), "dtd", "DTD (imported)", created, params, result, _origin(dataset))


def _adtd_run(adapted: Adapted, dataset: Dataset, created: datetime, dtd: str) -> Run:
    settings = adapted.settings
    model: Model = "custom" if not adapted.c_static else "h" if adapted.delta_static else "h,r"
    asked: dict[str, object] = {
        "model": model,
        "part": adapted.part,
        "max_iterations": int(settings.get("max_iterations", 1000)),
        "lambda2": settings.get("lambda2", 1e-9),
        "gene_weights": "dtd" if adapted.learned else "inverse",
        "c_static": adapted.c_static,
        "delta_static": adapted.delta_static,
        "lambda1": settings.get("lambda1", 1.0),
    }
    try:
        params = ADTDParams.parse(**asked)
    except InvalidParameter:
        params = ADTDParams(
            model=model,
            part=adapted.part,
            c_static=adapted.c_static,
            delta_static=adapted.delta_static,
        )
    result = ADTDResult(
        composition=adapted.composition,
        hidden=adapted.hidden,
        hidden_profile=adapted.profile,
        gene_regulation=adapted.regulation,
        gene_weights=adapted.weights,
        reference=adapted.reference,
        loss=np.empty(0),
        truth=adapted.truth,
        notes=(_ADTD_NOTE,),
    )
    return Run(
        _run_id("adtd"),
        "adtd",
        "ADTD (imported)",
        created,
        params,
        result,
        _origin(dataset, dtd=dtd),
    )
