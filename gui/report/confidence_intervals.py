"""Part of a report on uncertainty: 95 % intervals, and the fit by sample."""

from __future__ import annotations

import pandas as pd

from gui.answers.confidence_intervals import (
    FIT_NAMES,
    bootstrap_of,
    check_table,
    fit_sentence,
    sentence,
    shown_fit,
)
from gui.engine.results import BootstrapResult, Run
from gui.figures.text import percentage
from gui.report.document import Document
from gui.report.parts import MOST_SAMPLES
from gui.sessions.cache import DCXCache


def confidence_interval_part(
    doc: Document,
    session: DCXCache,
    run: Run,
    fit: pd.DataFrame | None,
    *,
    what: str = "sample",
    page: str,
) -> None:
    """Nothing where neither was computed.

    Parameters
    ----------
    page
        Where the whole tables are, as on its title.
    """
    found = bootstrap_of(session, run)
    if found is None and fit is None:
        return
    where = f"The program shows all: page {page}, tab Uncertainty."
    doc.heading("Uncertainty", 3)
    if found is not None:
        sure: BootstrapResult = found.result
        for text in (sentence(sure), *sure.notes):
            doc.paragraph(text)
        doc.table(
            _ends(sure),
            first=what.capitalize(),
            caption="RNA fraction as estimated with its 95 % interval (%).",
            most=MOST_SAMPLES,
            columns=5,
            whole=where,
        )
        checked = check_table(sure)
        if checked is not None:
            doc.table(
                checked,
                first="Cell type",
                caption="Coverage of the intervals on held-out pseudobulks of test cells.",
                most=200,
            )
    if fit is not None:
        doc.paragraph(
            f"{fit_sentence(fit, what)} The fit says how well a {what} is reconstructed from the"
            " estimated fractions, not how true these are. Unexplained variance: the part of the"
            " weighted variance over the genes that the fit does not explain."
        )
        caption = (
            f"How well the estimated fractions reconstruct every {what}"
            f" ({', '.join(FIT_NAMES.values())})."
        )
        doc.table(
            shown_fit(fit), first=what.capitalize(), caption=caption, most=MOST_SAMPLES, whole=where
        )


def _ends(sure: BootstrapResult) -> pd.DataFrame:
    """Samples x cell types: "12 (8 to 15)"."""
    cells = {
        str(t): [
            f"{percentage(v)} ({percentage(low)} to {percentage(high)})"
            for v, low, high in zip(*rows, strict=True)
        ]
        for t, *rows in zip(
            sure.estimate.index,
            *(frame.to_numpy(dtype=float) for frame in (sure.estimate, sure.low, sure.high)),
            strict=True,
        )
    }
    return pd.DataFrame(cells, index=sure.estimate.columns)
