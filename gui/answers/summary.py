"""Summary and warnings of a result, for page, report, ``run.json`` and command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from gui.analyses.robustness import RobustnessResult
from gui.answers import adtd as adtd_answers
from gui.answers import confidence_intervals as interval_answers
from gui.answers import dtd as dtd_answers
from gui.answers.confidence_intervals import (
    bootstrap_of,
    fit_sentence,
    poor_fit_message,
    with_stable_support,
)
from gui.answers.dtd import bulk_shown
from gui.answers.robustness import robustness_of, unstable_message
from gui.answers.warnings import (
    dtd_warnings,
    opinion_warnings,
    outside_training,
    similar_warning,
    zero_warning,
)
from gui.data.dataset import PART_NAMES, Dataset
from gui.engine.results import (
    ADTDResult,
    ApplyResult,
    BootstrapResult,
    DTDResult,
    Run,
    SearchResult,
    SecondOpinion,
)
from gui.engine.second_opinion import contradicted_types
from gui.sessions.cache import DCXCache

KINDS = {"dtd": "DTD", "adtd": "ADTD", "search": "Search of λ₂"}
MARKS = {
    "without cells": "This session was saved without its single cells.",
    "pseudonyms": "The samples have pseudonyms in this session.",
    "recovered": "This session was recovered from a damaged file.",
}


@dataclass(frozen=True)
class Summary:
    """answer : the result in a sentence; basis : of an ADTD run, what its DTD run says, else "";
    warnings : sentences, what weakens it, each once
    """

    answer: str
    basis: str
    warnings: tuple[str, ...]


def summarise(
    dtd: DTDResult | None,
    *,
    adtd: ADTDResult | None = None,
    bulk_fit: pd.DataFrame | None = None,
    bulk_notes: tuple[str, ...] = (),
    bulk_opinion: SecondOpinion | None = None,
    bulk: pd.DataFrame | None = None,
    search: SearchResult | None = None,
    searched: int | None = None,
    sure: BootstrapResult | None = None,
    robust: RobustnessResult | None = None,
    data: Dataset | None = None,
) -> Summary:
    """Of an ADTD run, or of a DTD run where ``adtd`` is None.

    Parameters
    ----------
    bulk_fit, bulk_notes, bulk_opinion, bulk
        Of the bulk by the DTD run; the last is its composition.
    search
        The one that lambda2 was taken from.
    searched
        On how many samples.
    sure, robust
        Its intervals and its robustness.
    """
    found: list[str] = []
    if adtd is not None:
        found += _of_adtd(adtd)
    if search is not None:
        found += [
            f"{KINDS['search']}: {text}" for text in adtd_answers.search_warnings(search, searched)
        ]
    if dtd is not None:
        found += _of_dtd(
            dtd, bulk_fit if adtd is None else None, bulk_notes if adtd is None else ()
        )
    opinion = bulk_opinion if adtd is None else adtd.second_opinion
    if opinion is not None:
        found += [f"Second opinion: {note}" for note in opinion.notes]
        found += opinion_warnings(opinion)
    of = dtd if adtd is None else adtd
    alike = "" if of is None else similar_warning(of.reference, of.gene_weights)
    found += [alike] if alike else []
    zero = zero_warning(adtd.composition if adtd is not None else bulk)
    found += [zero] if zero else []
    if dtd is not None:
        found += outside_training(dtd, adtd.composition if adtd is not None else bulk)
    if sure is not None:
        found += [interval_answers.sentence(sure), *sure.notes]
    if data is not None:
        found += [
            f"{source.name} ({PART_NAMES[source.role]}): {text}"
            for source in data.sources
            for text in source.warnings
        ]
    of_bulk = (bulk_fit, bulk_opinion) if adtd is None else (None, None)
    learned = "" if dtd is None else dtd_answers.sentence(dtd, *of_bulk)
    if adtd is None:
        return Summary(learned, "", tuple(dict.fromkeys(found)))
    return Summary(
        adtd_answers.sentence(with_stable_support(adtd, sure), sure, robust),
        learned,
        tuple(dict.fromkeys(found)),
    )


def _of_adtd(result: ADTDResult) -> Iterator[str]:
    what = "sample" if result.truth is None else "mixture"
    if poor_fit_message(result.fit, what):
        yield f"{KINDS['adtd']}: {fit_sentence(result.fit, what)}"
    optimum = adtd_answers.optimum_sentence(result)
    if optimum:
        yield f"{KINDS['adtd']}: {optimum}"
    for note in result.notes:
        yield f"{KINDS['adtd']}: {note}"


def _of_dtd(result: DTDResult, fit: pd.DataFrame | None, notes: tuple[str, ...]) -> Iterator[str]:
    if poor_fit_message(fit):
        yield f"{KINDS['dtd']}: {fit_sentence(fit, dtd_answers.BULK_SAMPLE)}"
    if not result.metrics.empty and "test" not in result.composition:
        yield (
            f"{KINDS['dtd']}: There are no test cells; the correlation is that on the training"
            " pseudobulks."
        )
    for note in (*dtd_warnings(result), *result.notes, *notes):
        yield f"{KINDS['dtd']}: {note}"


# -- of a session
# --------------------------------------------------------------------------------------------------
def summary_of(session: DCXCache, run: Run) -> Summary:
    """Return the summary of a DTD or ADTD run, with its basis and what changed since."""
    dtd = run if run.kind == "dtd" else session.run(run.provenance.inputs.get("dtd"))
    search = search_of(session, run) if run.kind == "adtd" else None
    bulk = bulk_shown(session, run) if run.kind == "dtd" else None
    sure = bootstrap_of(session, run)
    robust = robustness_of(session, run) if run.kind == "adtd" else None
    found = summarise(
        dtd.result if dtd is not None else None,
        adtd=run.result if run.kind == "adtd" else None,
        bulk_fit=bulk.fit if bulk is not None else None,
        bulk_notes=bulk.notes if bulk is not None else (),
        bulk_opinion=bulk.opinion if bulk is not None else None,
        bulk=bulk.composition if bulk is not None and bulk.fits else None,
        search=search.result if search is not None else None,
        searched=samples_searched(session, search) if search is not None else None,
        sure=sure.result if sure is not None else None,
        robust=robust.result if robust is not None else None,
        data=session.dataset,
    )
    changed = [MARKS[mark] for mark in session.marks if mark in MARKS]
    changed += [
        f"{KINDS[r.kind]}: {text}"
        for r in (dtd, search, run)
        if r is not None and (text := session.outdated(r))
    ]
    changed += [bulk.words] if bulk is not None and bulk.words else []
    if robust is not None:
        unstable = unstable_message(robust.result)
        changed += [f"{KINDS['adtd']}: {unstable}"] if unstable else []
    return Summary(found.answer, found.basis, tuple(dict.fromkeys([*changed, *found.warnings])))


def opinion_of(session: DCXCache, run: Run | None) -> SecondOpinion | None:
    """The second opinion on what a DTD, ADTD or applied run says of the present bulk, or None."""
    if run is None:
        return None
    if run.kind == "dtd":
        return bulk_shown(session, run).opinion
    result: ADTDResult | ApplyResult = run.result
    return result.second_opinion if session.outdated(run) is None else None


def contradicted(session: DCXCache, run: Run | None) -> list[str]:
    """The cell types whose fractions by a DTD or ADTD run two other estimates contradict."""
    return contradicted_types(opinion_of(session, run))


def search_of(session: DCXCache, run: Run) -> Run | None:
    """Return the newest search that λ₂ of an ADTD run was taken from.

    It has the same DTD run and mixtures, and this value among its choices.

    The newest one.
    """
    params = run.params
    if not getattr(params, "regulated", False):
        return None
    for found in reversed(session.runs("search")):
        same = (
            found.provenance.inputs.get("dtd") == run.provenance.inputs.get("dtd")
            and found.params.part == params.part
        )  # type: ignore[attr-defined]
        bulk = params.part != "bulk" or found.provenance.bulk_id == run.provenance.bulk_id  # type: ignore[attr-defined]
        chosen = [value for value in found.result.choices.values() if value is not None]
        if same and bulk and any(abs(value / params.lambda2 - 1) < 1e-9 for value in chosen):  # type: ignore[attr-defined]
            return found
    return None


def samples_searched(session: DCXCache, search: Run) -> int | None:
    """On how many samples or mixtures lambda2 was searched; None where that is no longer known."""
    part, data = search.params.part, session.dataset  # type: ignore[attr-defined]
    if part == "bulk":
        same = (
            data is not None and data.bulk is not None and data.bulk_id == search.provenance.bulk_id
        )
        return len(data.bulk.samples) if same else None  # type: ignore[union-attr]
    dtd = session.run(search.provenance.inputs.get("dtd"))
    trained = None if dtd is None else dtd.result.params
    return (
        None
        if trained is None
        else int(trained.train_mixtures if part == "train" else trained.test_mixtures)
    )


def search_notes(session: DCXCache, search: Run) -> list[str]:
    """What weakens a search, in sentences."""
    return adtd_answers.search_warnings(search.result, samples_searched(session, search))
