"""The report on two runs: what differs, how far they agree, whether conclusions change."""

from __future__ import annotations

from datetime import datetime

from gui import __version__
from gui.answers.comparison import Side, compare, sentence, shown_table
from gui.answers.conclusions import shown_conclusions
from gui.answers.run_names import source_label, source_name
from gui.citations import RESEARCH_USE
from gui.figures import comparison as figures
from gui.figures.palette import GREY, type_colours
from gui.report.document import Document

MOST_TYPES = 4
"""Cell types that have figures: those that agree least."""


def comparison_report(first: Side, second: Side) -> bytes:
    """Return the comparison of two runs as one HTML file, UTF-8.

    Raises
    ------
    MissingPart, DataError
        No composition, or none of the names in common.
    """
    found = compare(first, second)
    doc = Document(f"{first.session.name}: comparison of two runs")
    doc.heading("Comparison of two runs", 1)
    made = f"{datetime.now().astimezone():%d %B %Y, %H:%M}"
    doc.paragraph(f"By DeconomiX GUI {__version__}, written on {made}.", "dim")
    doc.paragraph(RESEARCH_USE, "use")
    for which, side in (("First", first), ("Second", second)):
        doc.paragraph(f"{which}: {source_name(side.run)}, session {side.session.name}.")
        if side.run.notes:
            doc.paragraph(f"Notes: {side.run.notes}")
    doc.heading("Summary")
    doc.paragraph(sentence(found), "answer")
    if found.conclusion:
        doc.paragraph(found.conclusion)
    doc.heading("What differs")
    if len(found.differences):
        named = {"what": "What", "first": "First", "second": "Second"}
        doc.table(
            found.differences.rename(columns=named).set_index("What"),
            first="What",
            caption="What the runs differ in",
        )
    doc.paragraph(f"Identical: {', '.join(found.same) or 'nothing'}.")
    changes = shown_conclusions(found.conclusions)
    if len(changes):
        doc.heading("Conclusions")
        doc.table(changes, first="Cell type", caption="What the analyses call on each run")
    doc.heading("Agreement")
    doc.paragraph(" ".join([AGREEMENT, *found.agreement.notes]))
    doc.table(shown_table(found), first="Cell type", caption="Agreement by cell type")
    table = found.agreement.table["ccc"].sort_values(na_position="last")
    colours = type_colours(first.session.dataset, *map(str, table.index))
    titles = (f"First: {source_label(first.run)}", f"Second: {source_label(second.run)}")
    for name in table.index[:MOST_TYPES]:
        one, two = found.agreement.first.loc[name], found.agreement.second.loc[name]
        colour = colours.get(str(name), GREY)
        doc.figure(
            figures.scatter(one, two, colour, titles),
            f"{name}: every sample is a dot; dashed: equality.",
        )
        doc.figure(
            figures.differences(one, two, colour),
            f"{name}: differences against means, with bias and limits of agreement.",
        )
    doc.paragraph(RESEARCH_USE, "use")
    return doc.html()


AGREEMENT = (
    "Fractions of RNA; those of DTD are divided by their sum in each sample. CCC (concordance) is 1"
    " only where both are equal."
)
"""What the numbers are of."""
