"""Fractions of cells instead of RNA: which RNA contents a session uses, and in which words."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from gui.engine.results import DTDResult, Run
from gui.engine.rna_content import as_cells, given_content
from gui.errors import DeconomixError
from gui.sessions.cache import DCXCache

FORM, ON, OWN = "rna-content", "on", "own"
"""Key of the form values that DTD, ADTD and the report share; its fields."""
QUANTITY = "Cell fraction (%)<br>converted"
GIVEN = "RNA contents given by you"
OLDER = "The run is of an earlier version, which did not measure it. Run DTD again."
NO_HIDDEN = " The hidden background is left out: its RNA content is unknown."
EXPLAINED = (
    "A cell with much RNA counts more than one with little. As cell fractions, every RNA fraction"
    " is divided by the RNA content of its cell type. It converts nothing but that: a wrong"
    " fraction stays wrong."
)


@dataclass(frozen=True, eq=False)
class Conversion:
    """How the fractions of a run become fractions of cells.

    Attributes
    ----------
    factors
        RNA content by cell type, 1 on average; None where there is none.
    source
        Where it comes from, in words.
    reason
        Why there is none, a sentence.
    on
        Whether the session shows cells.
    """

    factors: pd.Series | None
    source: str
    reason: str
    on: bool

    def note(self, *, hidden: bool = False) -> str:
        """What is shown, for figures and files."""
        return (
            f"Cell fractions, converted from RNA fractions by {self.source}."
            f"{NO_HIDDEN if hidden else ''}"
        )

    def convert(self, composition: pd.DataFrame) -> pd.DataFrame:
        """Fractions of cells; see :func:`gui.engine.rna_content.as_cells`."""
        assert self.factors is not None
        return as_cells(composition, self.factors)


def types_of(session: DCXCache, run: Run | None) -> list[str]:
    """The cell types of the reference of a DTD or ADTD run."""
    return [] if run is None else [str(t) for t in run.result.reference.columns]


def conversion_of(session: DCXCache, run: Run | None) -> Conversion:
    """For a DTD or ADTD run: the contents given by the user, else those that were measured."""
    if run is not None and run.kind != "dtd":
        run = session.run(run.provenance.inputs.get("dtd"))
    if run is None:
        return Conversion(None, "", "There is no DTD run.", False)
    result: DTDResult = run.result
    kept = session.form(FORM)
    types = [str(t) for t in result.reference.columns]
    own = kept.get(OWN)
    on = kept.get(ON) is True
    if isinstance(own, str) and own.strip():
        try:
            return Conversion(given_content(own, types), GIVEN, "", on)
        except DeconomixError as error:
            return Conversion(None, "", f"{error}", False)
    found = result.rna_content
    if found is None:
        return Conversion(None, "", OLDER, False)
    if found.factors is None:
        return Conversion(None, "", found.reason, False)
    factors = found.factors.reindex(types)
    if factors.isna().any():
        return Conversion(None, "", "Some cell types of the reference have no cells.", False)
    return Conversion(factors / factors.mean(), found.source, "", on)
