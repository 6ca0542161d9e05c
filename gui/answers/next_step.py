"""What comes next on the way from data to figures, seen from a page."""

from __future__ import annotations

from dataclasses import dataclass

from gui.analyses.samples import grouping_columns
from gui.answers.dtd import bulk_shown
from gui.engine.recommended import check_data
from gui.engine.results import Run
from gui.errors import MissingPart
from gui.sessions.cache import DCXCache


@dataclass(frozen=True)
class NextStep:
    """The next step, as one button.

    Attributes
    ----------
    label
        Of the button.
    page
        Key of the page where it is done; "" where nothing can be done yet.
    text
        What it gives, a sentence.
    recommended
        Whether everything up to the composition can be computed in one click instead.
    """

    label: str
    page: str
    text: str
    recommended: bool = False


def next_step(session: DCXCache, page: str) -> NextStep | None:
    """What comes after what was done on ``page``; None while nothing is done there."""
    steps = {"upload": _after_load, "dtd": _after_dtd, "adtd": _after_adtd}
    if session.dataset is None or page not in steps:
        return None
    return steps[page](session)


def current_dtd(session: DCXCache) -> Run | None:
    """The current DTD run, where it is of the data that are loaded."""
    run = session.current("dtd")
    return None if run is None or session.outdated(run) is not None else run


def current_adtd(session: DCXCache) -> Run | None:
    """The current ADTD run, where it is of the bulk that is loaded."""
    run = session.current("adtd")
    if run is None or session.outdated(run) is not None or run.params.part != "bulk":  # type: ignore[attr-defined]
        return None
    return run


def _after_load(session: DCXCache) -> NextStep:
    data = session.need_dataset()
    adtd, dtd = current_adtd(session), current_dtd(session)
    if adtd is not None:
        return NextStep(
            "See the composition",
            "adtd",
            "The composition of the bulk samples and what in them is hidden were estimated.",
        )
    if dtd is not None:
        return _before_composition(session, dtd) or NextStep(
            "See the composition", "dtd", "The composition of the bulk samples was estimated."
        )
    try:
        check_data(data)
    except MissingPart:
        return NextStep(
            "Learn gene weights",
            "dtd",
            "Gene weights can be learned now. The composition needs bulk samples as well: choose"
            " them on the left.",
        )
    return NextStep(
        "Learn gene weights",
        "dtd",
        "One click learns gene weights, estimates the composition with a hidden background, and"
        " computes its intervals, all by the recommended settings. Or go step by step.",
        recommended=True,
    )


def _before_composition(session: DCXCache, dtd: Run) -> NextStep | None:
    """What a DTD run still lacks; None where it has a composition of the bulk."""
    data = session.need_dataset()
    if data.bulk is None:
        return NextStep(
            "Add bulk samples", "upload", "Their composition can be estimated with this run."
        )
    shown = bulk_shown(session, dtd)
    if shown.fits:
        return None
    return NextStep("Estimate the composition", "dtd", shown.words)


def _after_dtd(session: DCXCache) -> NextStep | None:
    dtd = current_dtd(session)
    if dtd is None:
        return None
    before = _before_composition(session, dtd)
    if before is not None:
        # estimating it is a button of this page already
        return None if before.page == "dtd" else before
    return NextStep(
        "Look for hidden cells",
        "adtd",
        "Estimates what is in the bulk samples and not in the reference.",
    )


def _after_adtd(session: DCXCache) -> NextStep | None:
    if current_adtd(session) is None:
        return None
    data = session.need_dataset()
    if grouping_columns(data):
        return NextStep(
            "Compare groups", "groups", "Tests which cell types differ between groups of samples."
        )
    return NextStep(
        "Add clinical data",
        "upload",
        "With a table about the samples, their groups can be compared.",
    )
