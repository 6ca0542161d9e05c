"""The current DTD result, for the tabs."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gui.answers.confidence_intervals import bootstrap_of
from gui.answers.dtd import bulk_shown
from gui.answers.second_opinion import hover_of
from gui.components.cell_fractions import in_cells
from gui.components.common import empty_state
from gui.components.composition_content import Composition, bulk_groups
from gui.components.confidence_intervals import Subject
from gui.components.second_opinion import CONSENSUS_PART, consensus_composition
from gui.engine.results import DTDResult
from gui.plugin import Context
from gui.sessions.cache import DCXCache


def current_result(ctx: Context) -> DTDResult | None:
    """Return the result of the current DTD run, or None."""
    run = ctx.session.current("dtd")
    return None if run is None else run.result


def no_training(text: str) -> Any:
    """In place of what a loaded model does not hold."""
    return empty_state(
        text,
        "A loaded model holds reference and gene weights only. Load single cells on the Upload"
        " page and run DTD to see this.",
    )


def composition_of(session: DCXCache, part: str) -> Composition | None:
    """For the composition view: the current run's train, test or bulk; None where there is none."""
    run = session.current("dtd")
    if run is None:
        return None
    if part in ("bulk", CONSENSUS_PART):
        bulk = bulk_shown(session, run)
        if bulk.composition is None:
            return None
        groups = bulk_groups(session.dataset, bulk.composition.columns) if bulk.fits else None
        if part == CONSENSUS_PART:
            mean = consensus_composition(session, run, groups)
            return None if mean is None else in_cells(session, "dtd", mean)
        shown = Composition(
            bulk.composition,
            groups=groups,
            ends=_ends(session, part) if bulk.fits else None,
            opinion=hover_of(bulk.opinion, run),
            run=run,
        )
        return in_cells(session, "dtd", shown)
    frame = run.result.composition.get(part)
    return (
        None
        if frame is None
        else Composition(
            frame, truth=run.result.truth.get(part), ends=_ends(session, part), run=run
        )
    )


def _ends(session: DCXCache, part: str) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    found = bootstrap_of(session, session.current("dtd"))
    return (
        None
        if found is None or found.params.part != part
        else (found.result.low, found.result.high)
    )  # type: ignore[attr-defined]


def subject_of(session: DCXCache) -> Subject | None:
    """For the tab Uncertainty: the bulk where it has a composition, else the test pseudobulks."""
    run = session.current("dtd")
    if run is None:
        return None
    bulk, obstacle = bulk_shown(session, run), session.outdated(run)
    if bulk.composition is not None:
        return Subject(
            run,
            {"dtd": run.id},
            {"part": "bulk"},
            "Intervals: DTD",
            bulk.fit,
            None,
            "sample",
            obstacle or bulk.words or None,
        )
    part = next((p for p in ("test", "train") if p in run.result.composition), None)
    if part is None:
        return Subject(
            run,
            {"dtd": run.id},
            {},
            "Intervals: DTD",
            obstacle="There is no composition yet: load bulk samples on the Upload page.",
        )
    return Subject(
        run,
        {"dtd": run.id},
        {"part": part},
        "Intervals: DTD",
        run.result.fit.get(part),
        run.result.truth.get(part),
        "mixture",
        obstacle,
    )
