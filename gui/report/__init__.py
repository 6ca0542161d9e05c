"""The report: one HTML file of a run that opens anywhere without a network.

No Dash: pages and the command line write the same.

What is not needed is not read: of the data only names, labels and sources; figures and tables come
from the results.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gui import __version__
from gui.analyses.registry import ANALYSES
from gui.answers.analyses import analysis_summary, sources_of
from gui.answers.confidence_intervals import bootstrap_of
from gui.answers.dtd import TRAP
from gui.answers.methods import method_sentence, method_warnings
from gui.answers.summary import samples_searched, search_notes, search_of, summary_of
from gui.citations import RESEARCH_USE
from gui.engine.results import Run
from gui.errors import MissingPart
from gui.methods.method import KIND
from gui.report.adtd import adtd_part, search_part
from gui.report.analyses import analysis_part
from gui.report.document import Document
from gui.report.dtd import dtd_part
from gui.report.methods import method_part
from gui.report.origin import data_part, methods_part, provenance_part
from gui.sessions.cache import DCXCache

STEPS = {"dtd": "DTD", "adtd": "ADTD", KIND: "Methods"} | {
    kind: one.title for kind, one in ANALYSES.items()
}


def report_name(session: DCXCache, kind: str) -> str:
    """Proposed file name, without suffix: "<session> <step> report"."""
    return f"{session.name} {STEPS[kind]} report"


def report(session: DCXCache, kind: str) -> bytes:
    """Return the current run of ``kind`` ("dtd", "adtd" or an analysis) as one HTML file, UTF-8.

    Of ADTD with the DTD run and the search it is based on; of an analysis with the methods of the
    runs it is based on.

    Raises
    ------
    MissingPart
        There is no such run.
    """
    return report_document(session, kind).html()


def report_document(session: DCXCache, kind: str) -> Document:
    """The same before it is a file: its figures and whole tables can be taken from it."""
    run = session.current(kind)
    if run is None:
        raise MissingPart(
            f"There is no {STEPS[kind]} run to report.", advice=f"Run {STEPS[kind]} first."
        )
    doc = Document(f"{session.name}: {STEPS[kind]} report")
    doc.heading(session.name, 1)
    made = f"{datetime.now().astimezone():%d %B %Y, %H:%M}"
    doc.paragraph(
        f"{STEPS[kind]} report by DeconomiX GUI {__version__}, written on {made}; computed on"
        f" {run.created.astimezone():%d %B %Y, %H:%M}.",
        "dim",
    )
    if run.name:
        doc.paragraph(f"Name of the run: {run.name}.")
    if run.notes:
        doc.paragraph(f"Notes: {run.notes}")
    doc.paragraph(RESEARCH_USE, "use")
    write = _analysis if kind in ANALYSES else _method if kind == KIND else _step
    write(doc, session, run)
    doc.paragraph(RESEARCH_USE, "use")
    return doc


def _step(doc: Document, session: DCXCache, run: Run) -> None:
    """What tells of a DTD or ADTD run."""
    adtd = run if run.kind == "adtd" else None
    dtd = run if adtd is None else session.run(run.provenance.inputs.get("dtd"))
    search = search_of(session, run) if adtd is not None else None
    short = summary_of(session, run)
    basis = f"Gene weights (DTD): {short.basis}" if short.basis else ""
    _summary(doc, short.answer, basis, short.warnings)
    data_part(doc, session)
    if adtd is not None:
        adtd_part(doc, session, adtd)
        if search is not None:
            search_part(
                doc, search, search_notes(session, search), samples_searched(session, search)
            )
    if dtd is not None:
        dtd_part(doc, session, dtd, bulk=adtd is None)
    methods_part(doc, session, dtd, adtd, search)
    provenance_part(doc, session, [r for r in (dtd, search, adtd) if r is not None])


def _method(doc: Document, session: DCXCache, run: Run) -> None:
    """What tells of a run of another method."""
    outdated = session.outdated(run)
    sure = bootstrap_of(session, run)
    weak = method_warnings(run.result, session.dataset, None if sure is None else sure.result)
    _summary(doc, method_sentence(run.result), "", [outdated, *weak] if outdated else weak)
    data_part(doc, session)
    method_part(doc, session, run)
    methods_part(doc, session, None, None, None, methods=[run])
    provenance_part(doc, session, [run])


def _analysis(doc: Document, session: DCXCache, run: Run) -> None:
    """What tells of an analysis."""
    short = analysis_summary(session, run)
    basis = f"Computed from the {short.basis}." if short.basis else ""
    _summary(doc, short.answer, " ".join([*short.details, basis]).strip(), short.warnings)
    data_part(doc, session)
    analysis_part(doc, session, run)
    analyses = [run]
    genes = session.current("group_regulation") if run.kind == "groups" else None
    if genes is not None and session.outdated(genes) is None:
        analyses.append(genes)
        text = analysis_summary(session, genes)
        analysis_part(doc, session, genes, text.answer, *text.details, *text.warnings)
    sources = sources_of(session, run)
    dtd, adtd = (next((s for s in sources if s.kind == kind), None) for kind in ("dtd", "adtd"))
    search = search_of(session, adtd) if adtd is not None else None
    others = [source for source in sources if source.kind == KIND]
    methods_part(doc, session, dtd, adtd, search, analyses, others)
    done = [r for r in (dtd, search, adtd, *others, *analyses) if r is not None]
    provenance_part(doc, session, done)


def _summary(doc: Document, answer: str, basis: str, warnings: Sequence[str]) -> None:
    doc.heading("Summary")
    doc.paragraph(answer, "answer")
    if basis:
        doc.paragraph(basis)
    doc.paragraph(TRAP)
    if warnings:
        doc.heading("Warnings")
        for text in warnings:
            doc.paragraph(text, "warn")
