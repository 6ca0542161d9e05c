"""The report: one HTML file of a run that opens anywhere without a network. No Dash: pages and the command line write the same.

What is not needed is not read: of the data only names, labels and sources; figures and tables come from the results.
"""

from __future__ import annotations

from datetime import datetime

from gui import __version__
from gui.answers.adtd import sentence as adtd_sentence
from gui.answers.dtd import TRAP
from gui.answers.dtd import sentence as dtd_sentence
from gui.citations import RESEARCH_USE
from gui.engine.results import Run
from gui.errors import MissingPart
from gui.report.adtd import adtd_part, search_part
from gui.report.document import Document
from gui.report.dtd import dtd_part
from gui.report.origin import data_part, methods_part, provenance_part, warnings_of
from gui.sessions.cache import DCXCache

STEPS = {"dtd": "DTD", "adtd": "ADTD"}


def report_name(session: DCXCache, kind: str) -> str:
    """Proposed file name, without suffix: "<session> <step> report"."""
    return f"{session.name} {STEPS[kind]} report"


def report(session: DCXCache, kind: str) -> bytes:
    """The run of ``kind`` ("dtd" or "adtd") on screen as one HTML file, UTF-8; of ADTD with the DTD run and the search it rests on.

    MissingPart if there is no such run.
    """
    run = session.current(kind)
    if run is None:
        raise MissingPart(f"There is no {STEPS[kind]} run to report.", advice=f"Run {STEPS[kind]} first.")
    dtd = run if kind == "dtd" else session.run(run.provenance.inputs.get("dtd"))
    search = search_of(session, run) if kind == "adtd" else None
    there = [r for r in (dtd, search, None if kind == "dtd" else run) if r is not None]
    doc = Document(f"{session.name}: {STEPS[kind]} report")
    doc.heading(session.name, 1)
    made = f"{datetime.now().astimezone():%d %B %Y, %H:%M}"
    doc.paragraph(f"{STEPS[kind]} report by DeconomiX GUI {__version__}, written on {made}; computed on {run.created.astimezone():%d %B %Y, %H:%M}.", "dim")
    doc.paragraph(RESEARCH_USE, "use")
    doc.heading("In short")
    doc.paragraph(adtd_sentence(run.result) if kind == "adtd" else dtd_sentence(run.result), "answer")
    if kind == "adtd" and dtd is not None:
        doc.paragraph(f"Gene weights (DTD): {dtd_sentence(dtd.result)}")
    doc.paragraph(TRAP)
    _warnings(doc, session, there)
    data_part(doc, session)
    if kind == "adtd":
        adtd_part(doc, session, run)
        if search is not None:
            search_part(doc, search)
    if dtd is not None:
        dtd_part(doc, session, dtd, bulk=kind == "dtd")
    methods_part(doc, session, dtd, run if kind == "adtd" else None, search)
    provenance_part(doc, session, there)
    doc.paragraph(RESEARCH_USE, "use")
    return doc.html()


def search_of(session: DCXCache, run: Run) -> Run | None:
    """The search that lambda2 of an ADTD run was taken from: of the same DTD run and mixtures, with this value among its choices. The newest one."""
    params = run.params
    if not getattr(params, "regulated", False):
        return None
    for found in reversed(session.runs("search")):
        same = found.provenance.inputs.get("dtd") == run.provenance.inputs.get("dtd") and found.params.part == params.part  # type: ignore[attr-defined]
        bulk = params.part != "bulk" or found.provenance.bulk_id == run.provenance.bulk_id  # type: ignore[attr-defined]
        chosen = [value for value in found.result.choices.values() if value is not None]
        if same and bulk and any(abs(value / params.lambda2 - 1) < 1e-9 for value in chosen):  # type: ignore[attr-defined]
            return found
    return None


def _warnings(doc: Document, session: DCXCache, runs: list[Run]) -> None:
    found = warnings_of(session, runs)
    if found:
        doc.heading("Warnings")
        for text in found:
            doc.paragraph(text, "warn")
