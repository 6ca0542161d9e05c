"""Part of a report on the second opinion: what contradicts the run, and the consensus."""

from __future__ import annotations

from gui.answers import second_opinion as words
from gui.answers.summary import opinion_of
from gui.engine.results import Run
from gui.engine.second_opinion import consensus, contradicted_types, contradictions
from gui.figures.composition import sample_fractions
from gui.figures.palette import type_colours
from gui.figures.second_opinion import opinions
from gui.figures.text import settled
from gui.report.document import Document
from gui.report.parts import MOST_SAMPLES
from gui.sessions.cache import DCXCache


def second_opinion_part(doc: Document, session: DCXCache, run: Run, *, page: str) -> None:
    """The sentence, the samples concerned, figure and tables; a line where there is none.

    Parameters
    ----------
    page
        Where the whole table is, as on its title.
    """
    opinion = opinion_of(session, run)
    doc.heading("Second opinion", 3)
    if opinion is None:
        doc.paragraph(" ".join(words.NOT_THERE))
        return
    own = words.run_name(run)
    doc.paragraph(words.opinion_sentence(opinion))
    for found in words.contradiction_details(opinion):
        doc.paragraph(words.detail_sentence(found, opinion, own))
    doc.paragraph(f"{words.how_often_right(run)} {words.METHODS}", "dim")
    doc.figure(
        opinions(
            words.estimates(opinion, own),
            contradictions(opinion),
            contradicted_types(opinion),
            type_colours(session.dataset, *map(str, opinion.estimate.index)),
        ),
        "Three estimates of every cell type, a dot per sample; bar: median. Orange rim: both other"
        " estimates contradict the run in this sample.",
    )
    doc.table(
        words.shown_opinions(opinion, own),
        first="Cell type",
        caption="Second opinion: medians over all samples, RNA fractions (%) without hidden.",
        most=200,
        columns=6,
    )
    doc.table(
        settled(sample_fractions(consensus(opinion), normalise=False)).T * 100,
        first="Sample",
        caption=f"{words.CONSENSUS_NOTE} RNA fractions (%).",
        most=MOST_SAMPLES,
        whole=f"The program shows all: page {page}, tab Composition, Consensus.",
        percent=True,
    )
