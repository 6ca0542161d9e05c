"""The part of a report that tells of a DTD run."""

from __future__ import annotations

import pandas as pd

from gui.answers.dtd import bulk_shown, hidden_types, loss_hint
from gui.answers.second_opinion import hover_of
from gui.engine.results import DTDResult, Run
from gui.figures import dtd as figures
from gui.figures import markers
from gui.figures.palette import type_colours
from gui.figures.text import RMSE, settled
from gui.report.confidence_intervals import confidence_interval_part
from gui.report.document import Document
from gui.report.parts import cell_fractions, composition, known, parameters
from gui.report.second_opinion import second_opinion_part
from gui.sessions.cache import DCXCache
from gui.text import number, some

MARKERS, WEIGHTS = 40, 30
METRICS = {"pearson": "Pearson", "spearman": "Spearman", "rmse": RMSE, "ccc": "CCC"}


def dtd_part(doc: Document, session: DCXCache, run: Run, *, bulk: bool) -> None:
    """Write parameters, composition of the bulk, quality and genes of a DTD run."""
    result: DTDResult = run.result
    colour_of = type_colours(session.dataset, *map(str, result.reference.columns))
    doc.heading("DTD: gene weights" + (" and composition" if bulk else ""))
    if result.params is not None:
        parameters(doc, result.params)
    else:
        doc.paragraph(
            f"A trained model was loaded: {number(len(result.genes))} genes,"
            f" {result.reference.shape[1]} cell types."
        )
    lacking = hidden_types(result)
    if lacking:
        doc.paragraph(f"In the test pseudobulks, but not in the reference: {some(lacking, 5)}.")
    if bulk:
        _bulk(doc, session, run, colour_of)
    if not result.metrics.empty:
        doc.heading("Accuracy on pseudobulks", 3)
        doc.figure(
            figures.correlation(result.metrics),
            "Estimated against true composition of pseudobulks, by cell type; Naive: all"
            " gene weights 1.",
        )
        caption = "Estimated against true composition of pseudobulks."
        doc.table(metrics_table(result.metrics), first="Cell type", caption=caption, most=200)
    if not result.correlation.empty:
        words = (
            "Correlation with the truth while the gene weights were learned."
            f" {loss_hint(result.correlation)}"
        )
        doc.figure(figures.loss(result.correlation, colour_of, result.checked), words)
    doc.heading("Genes", 3)
    count = min(MARKERS, len(result.genes))
    words = "those with the largest gene weight × variance between the cell types"
    doc.figure(
        markers.heatmap(result.reference, result.gene_weights, count),
        f"The {count} genes that influence the estimate most: {words}.",
    )
    weights = markers.top_markers(result.reference, result.gene_weights, WEIGHTS)
    weights.columns = ["Gene weight", "Variance", "Importance"]
    where = "The program shows all: page DTD, tab Markers, Gene weights."
    doc.table(
        weights,
        first="Gene",
        caption=(
            "Gene weights (mean 1) of the most important genes; importance is gene weight ×"
            " variance."
        ),
    )
    if len(result.genes) > WEIGHTS:
        doc.paragraph(
            f"The first {WEIGHTS} of {number(len(result.genes))} genes are shown. {where}", "dim"
        )


def _bulk(doc: Document, session: DCXCache, run: Run, colour_of: dict[str, str]) -> None:
    found = bulk_shown(session, run)
    if found.composition is None:
        doc.paragraph("There is no composition of a bulk: the run was made without one.")
        return
    where = "The program shows all: page DTD, tab Composition, Table."
    doc.heading("Composition of the bulk", 3)
    composition(
        doc,
        found.composition,
        colour_of,
        normalise=True,
        what="the bulk",
        whole=where,
        opinion=hover_of(found.opinion, run),
    )
    cell_fractions(doc, session, run, found.composition, whole=where)
    if found.fits:
        second_opinion_part(doc, session, run, page="DTD")
        known(doc, session, found.composition, colour_of)
        confidence_interval_part(doc, session, run, found.fit, page="DTD")


def metrics_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """By cell type: mixtures, method and the four measures."""
    columns = {
        "Mixtures": metrics["part"].map({"train": "training", "test": "test"}),
        "Method": [figures.method_name(m) for m in metrics["method"]],
    }
    found = {
        title: settled(metrics[name]) * (100 if name == "rmse" else 1)
        for name, title in METRICS.items()
    }
    return pd.DataFrame(columns | found).set_axis(metrics["cell_type"].astype(str), axis=0)
