"""Tables about the bulk samples as the Upload page looks at them: what is in one, what is proposed,
how it is joined.

In the reading process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gui.data.dataset import Clinical, KnownComposition
from gui.data.readers.watchdog import watched
from gui.data.samples.clinical import ClinicalChoice, joined_clinical, read_clinical
from gui.data.samples.clinical_findings import clinical_findings
from gui.data.samples.known_composition import (
    KnownCompositionChoice,
    join_known_composition,
    known_composition_findings,
    read_known_composition,
)
from gui.data.samples.sample_facts import clinical_facts, composition_facts
from gui.data.validation import findings as f
from gui.data.validation.findings import Finding
from gui.errors import BadValues, MissingPart

JOINING = {f.NotJoined.code, f.AmbiguousJoin.code, f.SamplesWithoutRow.code}
"""What a table can be told before any sample is joined."""


@dataclass(frozen=True, eq=False)
class ClinicalSeen:
    """A clinical table before it is kept. columns : as in the file; sample_column : the one with
    the names of the samples

    kept : what would be kept, None where no sample could be joined; facts : what was recognised
    """

    columns: tuple[str, ...]
    sample_column: str
    findings: tuple[Finding, ...]
    kept: Clinical | None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class KnownCompositionPreview:
    """A table of known shares before it is kept. turned : whether its rows are the samples; kept,
    facts : see :class:`ClinicalSeen`.
    """

    turned: bool
    findings: tuple[Finding, ...]
    kept: KnownComposition | None
    facts: Mapping[str, str] = field(default_factory=dict)


def see_clinical(choice: ClinicalChoice, samples: Sequence[str]) -> ClinicalSeen:
    """samples : of the bulk.

    Raises UnreadableFile, or MissingPart for a column that is not there.
    """
    read = read_clinical(choice, samples)
    found = tuple(clinical_findings(read, samples))
    facts = clinical_facts(read, samples)
    try:
        kept = joined_clinical(read, samples)
    # among the findings; what else the columns lack cannot be said before the samples are found
    except MissingPart:
        kept, found = None, tuple(one for one in found if one.code in JOINING)
        facts = {name: said for name, said in facts.items() if name not in ("Times", "Event")}
    return ClinicalSeen(tuple(map(str, read.frame.columns)), read.sample_column, found, kept, facts)


def preview_known_composition(
    choice: KnownCompositionChoice, samples: Sequence[str], types: Sequence[str]
) -> KnownCompositionPreview:
    """samples : of the bulk; types : that are estimated. Raises UnreadableFile, BadValues."""
    read = read_known_composition(choice, samples, types)
    found = tuple(known_composition_findings(read, samples, types, choice.pairs))
    try:
        kept = join_known_composition(read, samples, types, choice.pairs)
    except (MissingPart, BadValues):
        kept = None
    return KnownCompositionPreview(read.turned, found, kept, composition_facts(read, samples))


def clinical_task(
    dataset: object, params: tuple[ClinicalChoice, Sequence[str]], *, progress: object
) -> ClinicalSeen:
    """:func:`see_clinical` as a task."""
    with watched([params[0].path]):
        return see_clinical(*params)


def preview_known_composition_task(
    dataset: object,
    params: tuple[KnownCompositionChoice, Sequence[str], Sequence[str]],
    *,
    progress: object,
) -> KnownCompositionPreview:
    """:func:`see_truth` as a task."""
    with watched([params[0].path]):
        return preview_known_composition(*params)
