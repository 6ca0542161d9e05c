"""Every analysis in words: one interface for page, report, ``run.json`` and command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gui.analyses.composition import INPUTS
from gui.analyses.registry import ANALYSES
from gui.answers import genes, group_regulation, groups, robustness, survival, survival_tables
from gui.answers.run_names import source_name
from gui.answers.summary import MARKS, contradicted
from gui.engine.results import Run
from gui.methods.method import KIND
from gui.sessions.cache import DCXCache
from gui.text import some


@dataclass(frozen=True)
class AnalysisText:
    """How the results of one kind of analysis are put into words.

    Attributes
    ----------
    sentence
        ``sentence(result)``: the answer.
    details
        ``details(result)``: its numbers, a sentence each.
    warnings
        ``warnings(result)``: what weakens it and what was assumed.
    tables
        ``tables(result)``: caption -> table as shown, the main one first.
    methods
        ``methods(params, result)``: a sentence for a manuscript, without citations.
    """

    sentence: Callable[[Any], str]
    details: Callable[[Any], Sequence[str]]
    warnings: Callable[[Any], Sequence[str]]
    tables: Callable[[Any], Mapping[str, pd.DataFrame]]
    methods: Callable[[Any, Any], str]


TEXTS: Mapping[str, AnalysisText] = {
    "groups": AnalysisText(
        groups.sentence, groups.details, groups.warnings, groups.shown_tables, groups.methods
    ),
    "genes": AnalysisText(
        genes.sentence, genes.details, genes.warnings, genes.shown_tables, genes.methods
    ),
    "group_regulation": AnalysisText(
        group_regulation.sentence,
        group_regulation.details,
        group_regulation.warnings,
        group_regulation.shown_tables,
        group_regulation.methods,
    ),
    "survival": AnalysisText(
        survival.sentence,
        survival.details,
        survival.warnings,
        survival_tables.shown_tables,
        survival.methods,
    ),
    "robustness": AnalysisText(
        robustness.sentence,
        robustness.details,
        robustness.warnings,
        robustness.shown_tables,
        robustness.methods,
    ),
}
"""Kind of analysis -> its words. A kind of :data:`gui.analyses.registry.ANALYSES` has an entry."""
WITHOUT_FRACTIONS = frozenset({"genes"})
"""Analyses of other results than fractions."""


@dataclass(frozen=True)
class AnalysisSummary:
    """answer : the result in a sentence; details : its numbers, a sentence each; basis : the run
    it is of, in words, "" if that is gone; warnings : sentences, what weakens it, each once;
    doubtful : in short, what is seen without unfolding
    """

    answer: str
    details: tuple[str, ...]
    basis: str
    warnings: tuple[str, ...]
    doubtful: str = ""


def analysis_summary(session: DCXCache, run: Run) -> AnalysisSummary:
    """The answer of an analysis, the run it is of, and what weakens it."""
    text = TEXTS[run.kind]
    found = [MARKS[mark] for mark in session.marks if mark in MARKS]
    found += older(session, run)
    found += _contradicted(session, run)
    found += text.warnings(run.result)
    return AnalysisSummary(
        with_missing(text.sentence(run.result), missing_types_of(session, run)),
        tuple(text.details(run.result)),
        basis_name(session, run),
        tuple(dict.fromkeys(found)),
        doubt(run.kind, contradicted_of(session, run)),
    )


def older(session: DCXCache, run: Run) -> list[str]:
    """That an analysis is of other data or other runs than those shown, or nothing."""
    found = []
    if outdated := session.outdated(run):
        found.append(f"{ANALYSES[run.kind].title}: {outdated}")
    for name, run_id in run.provenance.inputs.items():
        source = session.run(run_id)
        current = session.current(name)
        # of intervals there is one run for each composition
        if name == "bootstrap" or source is None or current is None:
            continue
        if current.id != run_id:
            found.append(
                f"Computed from the {source_name(source)}, which is not the"
                f" {'one' if name == KIND else f'{name.upper()} run'} shown on its page."
            )
    return found


def source_now(session: DCXCache, run: Run) -> Run | None:
    """The run whose composition an analysis would be of today: the one shown, of the same kind."""
    there = composition_runs(session)
    for kind in INPUTS:
        current = session.current(kind)
        if kind in run.provenance.inputs and current is not None:
            same = (found for found in there if found.id == current.id)
            return next(same, there[0] if there else None)
    return there[0] if there else None


def basis_name(session: DCXCache, run: Run) -> str:
    """The run whose composition an analysis is of, in words; "" if that is gone."""
    return next((source_name(source) for source in sources_of(session, run)), "")


def with_missing(sentence: str, names: Sequence[str]) -> str:
    """What the hidden profile looks like, and beside it the types that the reference lacks.

    Parameters
    ----------
    names
        Types that the warnings of the same data name as probably missing from the reference.
    """
    if not names:
        return sentence
    return (
        f"{sentence.removesuffix('.')}; by the markers in the bulk, probably missing from the"
        f" reference: {some(names, 3)}."
    )


def missing_types_of(session: DCXCache, run: Run) -> list[str]:
    """Types that the second opinion on the run of a hidden profile takes for missing."""
    if run.kind not in WITHOUT_FRACTIONS:
        return []
    for source in sources_of(session, run):
        opinion = getattr(source.result, "second_opinion", None)
        if opinion is not None and opinion.missing is not None:
            return [str(name) for name in opinion.missing.index]
    return []


def _contradicted(session: DCXCache, run: Run) -> list[str]:
    """Whether an analysis of fractions rests on cell types that two other estimates contradict."""
    source = next(iter(sources_of(session, run)), None)
    if source is None:
        return []
    return rests_on(run.kind, contradicted_of(session, run), source_name(source))


def contradicted_of(session: DCXCache, run: Run) -> list[str]:
    """The cell types whose fractions, as an analysis takes them, two other estimates contradict."""
    return contradicted(session, next(iter(sources_of(session, run)), None))


def rests_on(kind: str, names: Sequence[str], source: str) -> list[str]:
    """That an analysis of fractions rests on contradicted cell types, or nothing.

    Parameters
    ----------
    names
        The contradicted types.
    source
        The run of the fractions, in words.
    """
    if kind in WITHOUT_FRACTIONS or not names:
        return []
    return [
        f"Rests on contradicted cell types: {some(names, 6)} (two other estimates contradict their"
        f" fractions in the {source})."
    ]


def doubt(kind: str, names: Sequence[str]) -> str:
    """That two other estimates contradict these types, in a line with what to do; "" if none."""
    if kind in WITHOUT_FRACTIONS or not names:
        return ""
    return (
        f"Two other estimates contradict {some(names, 3)}: see the tab Second opinion of the"
        " composition before you rely on the result."
    )


def sources_of(session: DCXCache, run: Run) -> list[Run]:
    """The runs that hold the composition an analysis is about, that run first."""
    inputs = run.provenance.inputs
    found = [session.run(inputs.get(kind)) for kind in INPUTS]
    present = [source for source in found if source is not None]
    for source in list(present):
        before = session.run(source.provenance.inputs.get("dtd"))
        if before is not None and before not in present:
            present.append(before)
    return present


def composition_runs(session: DCXCache) -> list[Run]:
    """The runs with a composition of the current bulk, each newest first.

    ADTD, then DTD, then other methods.

    A DTD run whose model was applied to a newer bulk is named by that run.
    """
    data = session.dataset
    if data is None or data.bulk is None:
        return []

    def fits(run: Run) -> bool:
        made = run.provenance
        return made.bulk_id == data.bulk_id and made.training_id == data.training_id

    adtd = [run for run in session.runs("adtd") if getattr(run.params, "part", "") == "bulk"]
    found = [run for run in reversed(adtd) if fits(run)]
    applied = [run for run in reversed(session.runs("apply")) if fits(run)]
    for run in reversed(session.runs("dtd")):
        if fits(run) and "bulk" in run.result.composition:
            found.append(run)
        else:
            found += [a for a in applied if a.provenance.inputs.get("dtd") == run.id][:1]
    return found + [run for run in reversed(session.runs(KIND)) if fits(run)]


def inputs_of(session: DCXCache, run: Run) -> dict[str, str]:
    """What an analysis of this run's composition gets: that run, and its bootstrap on the bulk."""
    inputs = {run.kind: run.id}
    of = session.run(run.provenance.inputs.get("dtd")) if run.kind == "apply" else run
    for found in reversed(session.runs("bootstrap")):
        made = found.provenance
        named = next((made.inputs[kind] for kind in INPUTS if kind in made.inputs), None)
        same = of is not None and named == of.id and made.bulk_id == run.provenance.bulk_id
        if same and getattr(found.params, "part", "") == "bulk":
            return {**inputs, "bootstrap": found.id}
    return inputs
