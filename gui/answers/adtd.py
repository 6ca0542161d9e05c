"""ADTD results in words: the answer, badges, and one line per run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gui.analyses.robustness import RobustnessResult
from gui.answers.confidence_intervals import poor_fit_message
from gui.answers.second_opinion import contradiction_message
from gui.data.dataset import HIDDEN
from gui.engine.lambda2_advice import FEW_SAMPLES, UNREGULATED, Advice, advise
from gui.engine.params import MODEL_NAMES, WEIGHT_NAMES, ADTDParams
from gui.engine.results import ADTDResult, BootstrapResult, Run, SearchResult
from gui.figures.adtd import CHOICES, LOW_SUPPORT, logs
from gui.figures.text import coefficient, exponent, percent, shorten, three
from gui.statistics.agreement import pearson
from gui.text import number

PARTS = {"bulk": "bulk", "test": "test pseudobulks", "train": "training pseudobulks"}
REFINED = "refined: not deconomix's published numbers"
"""On a badge."""
TWOFOLD = 1.0
"""In log2: what counts as regulated in the sentence."""


def model_name(model: str) -> str:
    """The article's name: "h,r" -> "Deconomix+h,r"."""
    return MODEL_NAMES.get(model, model)


def span(low: float, high: float) -> str:
    """A range of fractions: "9 to 31 %"."""
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def hidden_range(
    result: ADTDResult,
    sure: BootstrapResult | None = None,
    robust: RobustnessResult | None = None,
) -> str:
    """Which range of the median hidden fraction to quote, and why; "" without an interval.

    Three things widen it: other fractions fit equally well (the method cannot tell them apart even
    from perfect data), the sampling of genes, and how many are used. The range to quote holds all
    that are known.

    Parameters
    ----------
    sure, robust
        Intervals and robustness of the same run, where they were computed.
    """
    if result.hidden_interval is None:
        return ""
    interval = result.hidden_interval
    equal = (float(interval["low"].median()), float(interval["high"].median()))
    ranges = {"equal fit": equal}
    if sure is not None and HIDDEN in sure.low.index and HIDDEN in sure.high.index:
        ends = (sure.low.loc[HIDDEN], sure.high.loc[HIDDEN])
        ranges["sampling"] = (float(ends[0].median()), float(ends[1].median()))
    by_genes = None if robust is None else robust.hidden_range()
    if by_genes is not None:
        ranges["gene counts"] = (float(by_genes["low"].median()), float(by_genes["high"].median()))
    if len(ranges) == 1:
        return f"quote {span(*equal)}: all of it fits equally well"
    whole = span(min(low for low, _ in ranges.values()), max(high for _, high in ranges.values()))
    return f"quote {whole}: {', '.join(f'{name} {span(*ends)}' for name, ends in ranges.items())}"


def sentence(
    result: ADTDResult,
    sure: BootstrapResult | None = None,
    robust: RobustnessResult | None = None,
) -> str:
    """Hidden fraction with the range to quote, the truth if known, and how much is regulated."""
    words = f"Median hidden fraction {percent(float(result.hidden.median()))}"
    quoted = hidden_range(result, sure, robust)
    words += f" ({quoted})" if quoted else ""
    hidden = true_hidden(result)
    if hidden is not None:
        words += f"; true fraction {percent(float(hidden.median()))}"
    strong = regulated(result)
    if strong is not None:
        words += f"; {_regulated(strong)}"
    poor = poor_fit_message(result.fit, "sample" if result.truth is None else "mixture")
    if poor:
        words += f"; {poor}"
    contradicted = contradiction_message(result.second_opinion)
    if contradicted:
        words += f"; {contradicted}"
    return words if words.endswith("…") else words + "."


def _regulated(strong: pd.DataFrame) -> str:
    genes, by_type = int(strong.any(axis=1).sum()), strong.sum(axis=0)
    if genes == 0:
        return "no gene is regulated more than twofold with support in the data"
    top, name = int(by_type.max()), shorten(str(by_type.idxmax()))
    if top == int(by_type.sum()):
        where = f"in {name}"
    elif 2 * top >= int(by_type.sum()):
        where = f"{number(top)} of them in {name}"
    else:
        where = f"in {int((by_type > 0).sum())} cell types"
    said = f"{number(genes)} gene{'s' * (genes > 1)} regulated more than twofold with support"
    return f"{said}, {where}"


def regulated(result: ADTDResult) -> pd.DataFrame | None:
    """Return which genes are regulated more than twofold with support (genes x cell types).

    None where regulation was not estimated.
    """
    if result.gene_regulation is None:
        return None
    strong = logs(result.gene_regulation).abs() > TWOFOLD
    if result.support is not None:
        strong &= result.support.reindex_like(result.gene_regulation) >= LOW_SUPPORT
    return strong


def unsupported_types(result: ADTDResult) -> list[str]:
    """Cell types about whose regulation the data say little for every gene (rare ones)."""
    if result.support is None:
        return []
    return [str(t) for t in result.support.columns[(result.support < LOW_SUPPORT).all(axis=0)]]


def true_hidden(result: ADTDResult) -> pd.Series | None:
    """True fraction of what the reference lacks, by mixture; None for samples of unknown truth."""
    if result.truth is None:
        return None
    lacking = [
        t for t in result.truth.index if str(t) == HIDDEN or t not in result.composition.index
    ]
    return result.truth.loc[lacking].sum(axis=0)


def mean_correlation(result: ADTDResult) -> float | None:
    """Return the mean over cell types of the correlation with the truth; None if unknown."""
    if result.truth is None:
        return None
    known = [t for t in result.composition.index if t in result.truth.index]
    values = [
        pearson(
            result.truth.loc[t].to_numpy(dtype=float),
            result.composition.loc[t].to_numpy(dtype=float),
        )
        for t in known
    ]
    finite = [v for v in values if np.isfinite(v)]
    return float(np.mean(finite)) if finite else None


def badges(run: Run) -> list[tuple[str, str]]:
    """What the result was computed with, and how well it met the truth where that is known."""
    result: ADTDResult = run.result
    params: ADTDParams = run.params  # type: ignore[assignment]
    found = []
    correlation = mean_correlation(result)
    if correlation is not None:
        found.append(
            (
                f"mean correlation with the truth {coefficient(correlation)}",
                "teal" if correlation >= 0.7 else "orange",
            )
        )
    said = [model_name(params.model)]
    if params.regulated:
        said.append(f"λ₂ {exponent(params.lambda2)}")
    said += [
        f"{PARTS[params.part]} ({number(result.composition.shape[1])})",
        f"{number(len(result.reference))} genes",
    ]
    if params.gene_weights != "dtd":
        said.append(f"gene weights {WEIGHT_NAMES[params.gene_weights]}")
    found += [(text, "gray") for text in said]
    if result.refined:
        found.append((REFINED, "orange"))
    return found


def optimum_sentence(result: ADTDResult) -> str | None:
    """Return what refining achieved; None for a run without it."""
    found = result.optimum
    if found is None:
        return None
    if found.way == "kept":
        return (
            "No certified optimum was found; the hidden profile and the gene regulation are those"
            " of deconomix."
        )
    fall = 1 - found.loss_after / found.loss_before if found.loss_before > 0 else 0.0
    lower = f"{percent(fall)} lower" if fall > 1e-9 else "no lower"
    return (
        f"deconomix stopped at a loss of {three(found.loss_before)}; the optimum shown here has"
        f" {three(found.loss_after)} ({lower}). Refined numbers differ from those published with"
        " deconomix."
    )


def search_sentence(result: SearchResult, samples: int | None = None) -> str:
    """Which lambda2 is recommended and why, where the loss is smallest, and one deviation up.

    Parameters
    ----------
    samples
        On how many the search was done, None where that is not known.
    """
    words = [
        f"{CHOICES[key][0]} at {exponent(value)}"
        for key in ("min", "one_se")
        if (value := result.choices.get(key)) is not None
    ]
    if not words:
        return "The search found no λ₂ to choose."
    return f"{advice_sentence(result, samples)} λ₂: {', '.join(words)}."


def advice_sentence(
    result: SearchResult, samples: int | None = None, *, used: float | None = None
) -> str:
    """The recommended lambda2 with its reason, or that no choice is supported.

    Parameters
    ----------
    samples
        On how many the search was done, None where that is not known.
    used
        What the program took from the search by itself; said where it is not the recommended one.
    """
    advice = advise(result.losses, samples, result.path)
    if advice.value is not None:
        said = f"Recommended: λ₂ {exponent(advice.value)}, {advice.reason}."
    elif advice.unregulated:
        said = f"The data show no regulation: {advice.reason}."
    else:
        said = f"No choice is supported: {advice.reason}."
    if evidence := evidence_sentence(advice):
        said = f"{said} {evidence}"
    if used is None or used == advice.value:
        return said
    return f"{said} Used: λ₂ {exponent(used)}, deconomix's choice at one standard error."


PATH_WEIGHTS = "Supported genes and directions use the weights of the search, 1/mean(Y)²."


def evidence_sentence(advice: Advice) -> str:
    """What the fit of all samples says to it: supported genes, their directions, the L-curve."""
    parts = []
    if advice.value is not None and advice.supported:
        genes = "1 gene is" if advice.supported == 1 else f"{number(advice.supported)} genes are"
        same = (
            ""
            if advice.stability is None
            else ", all in the same direction in both halves of the samples"
            if advice.stability == 1
            else f", {percent(advice.stability)} of them in the same direction in both halves of"
            " the samples"
        )
        parts.append(f"there {genes} regulated more than twofold with support{same}")
    if advice.corner is not None:
        parts.append(
            advice.corner.reason
            if advice.corner.value is None
            else f"the corner of the L-curve is at λ₂ {exponent(advice.corner.value)}"
        )
    said = "; ".join(parts)
    weights = f" {PATH_WEIGHTS}" if advice.value is not None and advice.supported else ""
    return f"{said[0].upper()}{said[1:]}.{weights}" if said else ""


def search_warnings(result: SearchResult, samples: int | None) -> list[str]:
    """What weakens a search, with its notes.

    Parameters
    ----------
    samples
        On how many it was done, None where that is not known.
    """
    words = []
    solved = result.losses.columns[result.losses.notna().all(axis=0)]
    lowest = result.choices.get("min")
    if lowest is not None and len(solved) and lowest == solved[-1] and lowest >= UNREGULATED:
        words.append(
            f"The loss is smallest at the largest λ₂ ({exponent(float(lowest))}), which allows no"
            " regulation: the data show no regulation."
        )
    elif lowest is not None and len(solved):
        for end, beyond in ((solved[-1], "larger"), (solved[0], "smaller")):
            if lowest == end:
                where = (
                    f"the {beyond.replace('er', 'est')} λ₂ that was tried ({exponent(float(end))})"
                )
                words.append(
                    f"The loss is smallest at {where}, the edge of the grid: the best value may be"
                    f" even {beyond}. Search a wider range."
                )
                break
    strongest = result.choices.get("one_se")
    if strongest is not None and strongest >= UNREGULATED > (lowest or 0.0):
        advice = advise(result.losses, samples, result.path)
        words.append(
            f"The λ₂ at one standard error ({exponent(float(strongest))}) allows no regulation"
            + (
                ": within the standard error of the search the data show no regulation."
                if advice.value is None
                else f"; fold by fold, λ₂ {exponent(advice.value)} predicts samples better."
            )
        )
    if samples is not None and samples < FEW_SAMPLES:
        words.append(
            f"The search used only {samples} samples; with fewer than {FEW_SAMPLES} its choice"
            " depends strongly on which of them are left out."
        )
    return [*words, *result.notes]


def summary_line(run: Run) -> str:
    """For the navigation."""
    return f"{model_name(run.params.model)}, {percent(float(run.result.hidden.median()))} hidden"  # type: ignore[attr-defined]


def run_line(run: Run) -> str:
    """For the list of previous runs."""
    params: ADTDParams = run.params  # type: ignore[assignment]
    return (
        f"{model_name(params.model)} on {PARTS[params.part]}: median hidden fraction"
        f" {percent(float(run.result.hidden.median()))}"
    )


def search_line(run: Run) -> str:
    """For the list of previous searches."""
    return search_sentence(run.result)
