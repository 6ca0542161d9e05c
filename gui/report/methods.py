"""The part of a report that tells of a run of another method than DTD and ADTD."""

from __future__ import annotations

from gui.answers.methods import capability_text
from gui.answers.second_opinion import hover_of
from gui.engine.results import Run
from gui.figures import adtd as figures
from gui.figures.fractions import hidden_fraction
from gui.figures.palette import type_colours
from gui.figures.text import settled
from gui.methods.method import MethodResult
from gui.report.confidence_intervals import confidence_interval_part
from gui.report.document import Document
from gui.report.parts import MOST_SAMPLES, composition, known, parameters
from gui.report.second_opinion import second_opinion_part
from gui.sessions.cache import DCXCache

GENES = 30
"""Genes that are drawn."""
WEIGHTS = 20
"""Genes in the table."""
WHOLE = "The program shows all: page Methods, tab Composition, Table."


def _gene_effects(doc: Document, result: MethodResult) -> None:
    """Hidden profile and gene regulation, where the method estimates them."""
    if result.hidden_profile is not None:
        doc.figure(
            figures.hidden_profile(result.hidden_profile, result.reference, GENES),
            f"The {GENES} largest genes of the hidden profile, beside the reference's mean.",
        )
    delta = result.gene_regulation
    if delta is None:
        return
    genes = figures.most_regulated(delta, result.support, GENES)
    if not genes:
        doc.paragraph("No gene regulation has support in the data.")
        return
    doc.figure(
        figures.gene_regulation(delta, result.support, genes=genes),
        "The most regulated genes, as far as supported: factor against the reference, 1 is not"
        " regulated. Grey: little support in the data.",
    )
    doc.paragraph("The program shows all genes: page Genes, Table.", "dim")


def method_part(doc: Document, session: DCXCache, run: Run) -> None:
    """Write parameters, composition, its layers, second opinion and known compositions."""
    result: MethodResult = run.result
    colours = type_colours(session.dataset, *map(str, result.reference.columns))
    doc.heading(f"{result.title}: composition of the bulk")
    doc.paragraph(capability_text(run), "dim")
    parameters(doc, run.params)
    fits = session.outdated(run) is None
    composition(
        doc,
        result.full(),
        colours,
        normalise=True,
        what="the bulk",
        whole=WHOLE,
        opinion=hover_of(result.second_opinion, run) if fits else None,
    )
    for name, frame in list(result.layers.items())[:-1]:
        doc.table(
            settled(frame).T * 100,
            first="Sample",
            caption=f"Layer {name}, RNA fractions (%).",
            most=MOST_SAMPLES,
            whole=WHOLE,
            percent=True,
        )
    if result.hidden is not None:
        doc.figure(hidden_fraction(result.hidden), "Fraction of the hidden background by sample.")
    if result.gene_weights is not None:
        first = result.gene_weights.columns[0]
        doc.table(
            settled(result.gene_weights.nlargest(WEIGHTS, first)),
            first="Gene",
            caption=f"Gene weights, 1 on average; the {WEIGHTS} largest of {first}.",
            most=WEIGHTS,
            whole="The program shows all: page Methods, tab Gene weights.",
        )
    _gene_effects(doc, result)
    confidence_interval_part(doc, session, run, result.fit, page="Methods")
    if fits:
        if result.second_opinion is not None:
            second_opinion_part(doc, session, run, page="Methods")
        known(doc, session, result.full(), colours)
