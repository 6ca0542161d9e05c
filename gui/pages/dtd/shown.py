"""What the composition view of the page shows of the current run."""

from __future__ import annotations

from gui.answers.dtd import bulk_shown
from gui.components.composition import Composition, bulk_groups
from gui.sessions.cache import DCXCache


def composition_of(session: DCXCache, part: str) -> Composition | None:
    """For the composition view: the current run's train, test or bulk; None where there is none."""
    run = session.current("dtd")
    if run is None:
        return None
    if part == "bulk":
        bulk = bulk_shown(session, run)
        if bulk.composition is None:
            return None
        return Composition(bulk.composition, groups=bulk_groups(session.dataset, bulk.composition.columns) if bulk.fits else None)
    frame = run.result.composition.get(part)
    return None if frame is None else Composition(frame, truth=run.result.truth.get(part))
