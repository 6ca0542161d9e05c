"""The report: one HTML file of a run that opens anywhere without a network.

No Dash: pages and the command line write the same.

What is not needed is not read: of the data only names, labels and sources; figures and tables come
from the results.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gui import __version__
from gui.answers.dtd import TRAP
from gui.answers.summary import search_notes, search_of, summary_of
from gui.citations import RESEARCH_USE
from gui.errors import MissingPart
from gui.report.adtd import adtd_part, search_part
from gui.report.document import Document
from gui.report.dtd import dtd_part
from gui.report.origin import data_part, methods_part, provenance_part
from gui.sessions.cache import DCXCache

STEPS = {"dtd": "DTD", "adtd": "ADTD"}


def report_name(session: DCXCache, kind: str) -> str:
    """Proposed file name, without suffix: "<session> <step> report"."""
    return f"{session.name} {STEPS[kind]} report"


def report(session: DCXCache, kind: str) -> bytes:
    """Return the current run of ``kind`` ("dtd" or "adtd") as one HTML file, UTF-8.

    Of ADTD with the DTD run and the search it is based on.

    MissingPart if there is no such run.

    Raises
    ------
    MissingPart
    """
    run = session.current(kind)
    if run is None:
        raise MissingPart(
            f"There is no {STEPS[kind]} run to report.", advice=f"Run {STEPS[kind]} first."
        )
    dtd = run if kind == "dtd" else session.run(run.provenance.inputs.get("dtd"))
    search = search_of(session, run) if kind == "adtd" else None
    there = [r for r in (dtd, search, None if kind == "dtd" else run) if r is not None]
    doc = Document(f"{session.name}: {STEPS[kind]} report")
    doc.heading(session.name, 1)
    made = f"{datetime.now().astimezone():%d %B %Y, %H:%M}"
    doc.paragraph(
        f"{STEPS[kind]} report by DeconomiX GUI {__version__}, written on {made}; computed on"
        f" {run.created.astimezone():%d %B %Y, %H:%M}.",
        "dim",
    )
    doc.paragraph(RESEARCH_USE, "use")
    doc.heading("Summary")
    short = summary_of(session, run)
    doc.paragraph(short.answer, "answer")
    if short.basis:
        doc.paragraph(f"Gene weights (DTD): {short.basis}")
    doc.paragraph(TRAP)
    _warnings(doc, short.warnings)
    data_part(doc, session)
    if kind == "adtd":
        adtd_part(doc, session, run)
        if search is not None:
            search_part(doc, search, search_notes(session, search))
    if dtd is not None:
        dtd_part(doc, session, dtd, bulk=kind == "dtd")
    methods_part(doc, session, dtd, run if kind == "adtd" else None, search)
    provenance_part(doc, session, there)
    doc.paragraph(RESEARCH_USE, "use")
    return doc.html()


def _warnings(doc: Document, warnings: Sequence[str]) -> None:
    if warnings:
        doc.heading("Warnings")
        for text in warnings:
            doc.paragraph(text, "warn")
