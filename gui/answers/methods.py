"""What a run of another method than DTD and ADTD says."""

from __future__ import annotations

from gui.answers.confidence_intervals import fit_sentence, poor_fit_message, sentence
from gui.answers.second_opinion import contradiction_message
from gui.answers.warnings import opinion_warnings, similar_warning, zero_warning
from gui.data.dataset import PART_NAMES, Dataset
from gui.engine.results import BootstrapResult, Run
from gui.figures.text import percent, shorten
from gui.methods.method import MethodResult
from gui.methods.registry import capabilities_of
from gui.text import number

SAMPLE = "bulk sample"


def method_sentence(result: MethodResult) -> str:
    """“Relative errors: 8 samples, 10 cell types; largest on average: Monocytes 31 %; …”."""
    mean = result.composition.mean(axis=1)
    parts = [
        f"{result.title}: {number(result.composition.shape[1])} samples,"
        f" {number(len(mean))} cell types; largest on average: {shorten(str(mean.idxmax()))}"
        f" {percent(float(mean.max()))}",
        poor_fit_message(result.fit, SAMPLE),
        contradiction_message(result.second_opinion),
    ]
    said = "; ".join(filter(None, parts))
    return said if said.endswith("…") else f"{said}."


def short_answer(result: MethodResult) -> str:
    """A few words for the navigation and the list of runs."""
    mean = result.composition.mean(axis=1)
    return f"{result.title}: most {shorten(str(mean.idxmax()))}, {percent(float(mean.max()))}"


def method_warnings(
    result: MethodResult, data: Dataset | None, sure: BootstrapResult | None = None
) -> list[str]:
    """What weakens it, each once.

    Parameters
    ----------
    sure
        Its intervals, where they were computed.
    """
    found = []
    if poor_fit_message(result.fit):
        found.append(f"{result.title}: {fit_sentence(result.fit, SAMPLE)}")
    found += [f"{result.title}: {note}" for note in result.notes]
    opinion = result.second_opinion
    if opinion is not None:
        found += [f"Second opinion: {note}" for note in opinion.notes]
        found += opinion_warnings(opinion)
    alike = similar_warning(result.reference, result.weights_of_fit())
    found += [text for text in (alike, zero_warning(result.composition)) if text]
    if sure is not None:
        found += [sentence(sure), *sure.notes]
    if data is not None:
        found += [
            f"{source.name} ({PART_NAMES[source.role]}): {text}"
            for source in data.sources
            for text in source.warnings
        ]
    return list(dict.fromkeys(found))


def capability_text(run: Run) -> str:
    """What the run estimated beside the fractions, in words."""
    found = sorted(capability.value for capability in capabilities_of(run))
    return f"Beside the fractions: {', '.join(found)}." if found else "Fractions only."
