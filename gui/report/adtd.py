"""The part of a report that tells of an ADTD run and of the search of lambda2."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gui.answers.adtd import (
    PARTS,
    PATH_WEIGHTS,
    mean_correlation,
    model_name,
    optimum_sentence,
    regulated,
    search_sentence,
    true_hidden,
    unsupported_types,
)
from gui.answers.confidence_intervals import bootstrap_of, stability, with_stable_support
from gui.answers.robustness import hidden_range_texts
from gui.answers.second_opinion import hover_of
from gui.answers.summary import opinion_of
from gui.engine.lambda2_advice import advise
from gui.engine.params import ADTDParams
from gui.engine.results import ADTDResult, Refinement, Run, SearchResult
from gui.figures import adtd as figures
from gui.figures.composition import SCROLL_FROM
from gui.figures.fractions import hidden_fraction
from gui.figures.lambda2 import lambda2_path
from gui.figures.palette import type_colours
from gui.figures.text import coefficient, exponent, settled
from gui.report.confidence_intervals import confidence_interval_part
from gui.report.document import Document
from gui.report.parts import MOST_SAMPLES, cell_fractions, composition, known, parameters
from gui.report.second_opinion import second_opinion_part
from gui.sessions.cache import DCXCache
from gui.text import number, some

PROFILE, EACH, MOST_GENES = 30, 5, 45
"""Genes of the hidden profile; regulated genes of each cell type; of all together."""


def adtd_part(doc: Document, session: DCXCache, run: Run) -> None:
    """Write parameters, composition, hidden profile and fractions, and gene regulation."""
    result: ADTDResult = run.result
    params: ADTDParams = run.params  # type: ignore[assignment]
    full = result.full()
    colour_of = type_colours(session.dataset, *map(str, full.index))
    doc.heading(f"ADTD: {model_name(params.model)} on {PARTS[params.part]}")
    parameters(doc, params)
    correlation = mean_correlation(result)
    if correlation is not None:
        doc.paragraph(f"Mean correlation with the truth {coefficient(correlation)}.")
    if result.optimum is not None:
        doc.paragraph(
            " ".join(
                [
                    optimum_sentence(result) or "",
                    *([_certified(result.optimum)] if result.refined else []),
                ]
            )
        )
    where = "The program shows all: page ADTD, tab Composition, Table."
    what = "the bulk" if params.part == "bulk" else f"the {PARTS[params.part]}"
    doc.heading(f"Composition of {what}", 3)
    composition(
        doc,
        full,
        colour_of,
        normalise=False,
        what=what,
        whole=where,
        opinion=hover_of(opinion_of(session, run), run),
    )
    if params.part == "bulk":
        cell_fractions(doc, session, run, full, whole=where)
    if params.part == "bulk" and session.outdated(run) is None:
        second_opinion_part(doc, session, run, page="ADTD")
        known(doc, session, full, colour_of)
    confidence_interval_part(
        doc,
        session,
        run,
        result.fit,
        what="sample" if params.part == "bulk" else "mixture",
        page="ADTD",
    )
    _hidden(doc, result)
    for text in hidden_range_texts(session, run):
        doc.paragraph(text)
    if result.gene_regulation is not None:
        found = bootstrap_of(session, run)
        _regulation(
            doc,
            with_stable_support(result, found.result if found is not None else None),
            stability(found.result, result) if found is not None else None,
        )


def _certified(found: Refinement) -> str:
    ways = {
        "closed form": "in closed form",
        "Newton": "by Newton's method",
        "Clarabel": "by the solver Clarabel",
    }
    return (
        f"Found {ways[found.way]}; the loss exceeds the smallest possible one for this composition"
        f" by a fraction of at most {exponent(found.gap)} (largest residual"
        f" {exponent(found.residual)})."
    )


def _label(result: ADTDResult) -> str:
    """At the end of a caption."""
    return (
        " Refined to the optimum: these numbers differ from those of deconomix."
        if result.refined
        else ""
    )


def _hidden(doc: Document, result: ADTDResult) -> None:
    doc.heading("Hidden background", 3)
    count = min(PROFILE, len(result.hidden_profile))
    doc.figure(
        figures.hidden_profile(result.hidden_profile, result.reference, count),
        f"What the hidden background expresses most ({count} genes), beside the mean of the"
        f" reference: a hint at which cells are missing.{_label(result)}",
    )
    hidden, words = result.hidden, ""
    if len(hidden) > SCROLL_FROM:  # on paper nothing scrolls: the distribution, without names
        hidden, words = (
            hidden.sort_values(ascending=False),
            " The samples are sorted by their fraction.",
        )
    drawn = hidden_fraction(hidden, result.hidden_interval, truth=true_hidden(result))
    doc.figure(
        drawn,
        "Hidden fraction by sample. All fractions within the interval fit the data equally"
        f" well.{words}",
    )
    columns = {"Hidden": result.hidden}
    if result.hidden_interval is not None:
        columns |= {
            "Low end": result.hidden_interval["low"],
            "High end": result.hidden_interval["high"],
        }
    truth = true_hidden(result)
    if truth is not None:
        columns["True"] = truth
    table = pd.DataFrame(
        {name: values.reindex(result.hidden.index) * 100 for name, values in columns.items()}
    )
    where = "The program shows all: page ADTD, tab Hidden profile, Fraction by sample, Table."
    doc.table(
        table,
        first="Sample",
        caption="Hidden fraction and its interval at equal fit (%).",
        most=MOST_SAMPLES,
        whole=where,
        percent=True,
    )


def _regulation(doc: Document, result: ADTDResult, steady: pd.DataFrame | None) -> None:
    delta = result.gene_regulation
    assert delta is not None
    doc.heading("Gene regulation", 3)
    strong = regulated(result)
    by_type = {} if strong is None else {str(t): int(n) for t, n in strong.sum(axis=0).items() if n}
    said = ", ".join(f"{name} {number(n)}" for name, n in by_type.items()) or "none"
    doc.paragraph(
        f"Genes regulated more than twofold with support in the data, by cell type: {said}."
    )
    weak = unsupported_types(result)
    if weak:
        doc.paragraph(
            f"No regulation is supported for {some(weak)}: the data hold too little information"
            " about them."
        )
    each = max(1, min(EACH, MOST_GENES // max(1, delta.shape[1])))
    genes = list(
        dict.fromkeys(
            g for t in delta.columns for g in figures.most_regulated(delta, result.support, each, t)
        )
    )[:MOST_GENES]
    if not genes:
        doc.paragraph("No gene regulation has support in the data.")
        return
    words = (
        f"The {each} most regulated genes of each cell type"
        if each > 1
        else "The most regulated gene of each cell type"
    )
    doc.figure(
        figures.gene_regulation(delta, result.support, genes=genes, stability=steady),
        f"{words}, as far as supported: factor against the reference, 1 is not regulated. Grey:"
        f" little support in the data.{_label(result)}",
    )
    where = "The program shows all genes: page ADTD, tab Gene regulation, Table."
    caption = f"Factor of regulation of these genes; 1: not regulated.{_label(result)}"
    doc.table(settled(delta.loc[genes]), first="Gene", caption=caption, most=MOST_GENES, columns=7)
    doc.paragraph(f"{number(len(genes))} of {number(len(delta))} genes are drawn. {where}", "dim")


def search_part(
    doc: Document, run: Run, warnings: Sequence[str], samples: int | None = None
) -> None:
    """The curve, its choices and the losses.

    Parameters
    ----------
    warnings
        What weakens them.
    samples
        On how many it was done.
    """
    result: SearchResult = run.result
    doc.heading("Search of λ₂")
    doc.paragraph(search_sentence(result, samples))
    for text in warnings:
        doc.paragraph(text, "warn")
    parameters(doc, run.params)
    fig = figures.search(result.losses, result.choices)
    fig.update_layout(legend={"yref": "container", "y": 0, "yanchor": "bottom"}, margin={"b": 78})
    doc.figure(
        fig,
        "Loss on the samples left out, by λ₂: mean over the folds and spread of one standard"
        " deviation.",
    )
    if result.path is not None:
        advice = advise(result.losses, samples, result.path)
        bend = None if advice.corner is None else advice.corner.value
        doc.figure(
            lambda2_path(result.path, bend, advice.value),
            "Fit of all samples by λ₂. Left, the L-curve: residual against the size of the"
            " regulation. Right: genes that are regulated more than twofold with support, and how"
            " many of their directions are the same in both halves of the samples."
            f" {PATH_WEIGHTS}",
        )
    losses = pd.DataFrame(
        {"Mean loss": result.mean.to_numpy(), "Standard deviation": result.std.to_numpy()}
    )
    doc.table(
        losses.set_axis([exponent(float(v)) for v in result.losses.columns], axis=0),
        first="lambda2",
        caption="Loss on the samples left out.",
        most=201,
    )
