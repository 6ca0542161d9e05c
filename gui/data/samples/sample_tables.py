"""Tables about the bulk samples as the Upload page looks at them: what is in one, what is proposed,
how it is joined.

In the reading process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gui.data.dataset import Clinical, Truth
from gui.data.readers.watchdog import watched
from gui.data.samples.clinical import (
    ClinicalChoice,
    clinical_findings,
    joined_clinical,
    read_clinical,
)
from gui.data.samples.known_composition import TruthChoice, joined_truth, read_truth, truth_findings
from gui.data.validation import findings as f
from gui.data.validation.findings import Finding
from gui.errors import MissingPart

JOINING = {f.NotJoined.code, f.AmbiguousJoin.code, f.SamplesWithoutRow.code}
"""What a table can be told before any sample is joined."""


@dataclass(frozen=True, eq=False)
class ClinicalSeen:
    """A clinical table before it is kept. columns : as in the file; sample_column : the one with
    the names of the samples

    kept : what would be kept, None where no sample could be joined
    """

    columns: tuple[str, ...]
    sample_column: str
    findings: tuple[Finding, ...]
    kept: Clinical | None


@dataclass(frozen=True, eq=False)
class TruthSeen:
    """A table of known shares before it is kept. turned : whether its rows are the samples; kept :
    see :class:`ClinicalSeen`.
    """

    turned: bool
    findings: tuple[Finding, ...]
    kept: Truth | None


def see_clinical(choice: ClinicalChoice, samples: Sequence[str]) -> ClinicalSeen:
    """samples : of the bulk.

    Raises UnreadableFile, or MissingPart for a column that is not there.
    """
    read = read_clinical(choice, samples)
    found = tuple(clinical_findings(read, samples))
    try:
        kept = joined_clinical(read, samples)
    # among the findings; what else the columns lack cannot be said before the samples are found
    except MissingPart:
        kept, found = None, tuple(one for one in found if one.code in JOINING)
    return ClinicalSeen(tuple(map(str, read.frame.columns)), read.sample_column, found, kept)


def see_truth(choice: TruthChoice, samples: Sequence[str], types: Sequence[str]) -> TruthSeen:
    """samples : of the bulk; types : that are estimated. Raises UnreadableFile, BadValues."""
    read = read_truth(choice, samples, types)
    found = tuple(truth_findings(read, samples, types, choice.pairs))
    try:
        kept = joined_truth(read, samples, types, choice.pairs)
    except MissingPart:
        kept = None
    return TruthSeen(read.turned, found, kept)


def clinical_task(
    dataset: object, params: tuple[ClinicalChoice, Sequence[str]], *, progress: object
) -> ClinicalSeen:
    """:func:`see_clinical` as a task."""
    with watched([params[0].path]):
        return see_clinical(*params)


def truth_task(
    dataset: object, params: tuple[TruthChoice, Sequence[str], Sequence[str]], *, progress: object
) -> TruthSeen:
    """:func:`see_truth` as a task."""
    with watched([params[0].path]):
        return see_truth(*params)
