"""The second opinion in words and tables: what contradicts a run, and how much that means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gui.engine.results import STILL_FALLING, ADTDResult, DTDResult, Run, SecondOpinion
from gui.engine.second_opinion import consensus, contradicted_types, contradictions
from gui.figures.composition import OpinionHover
from gui.figures.text import percent, settled, shorten
from gui.methods.method import KIND, Capability, MethodResult
from gui.methods.registry import capabilities_of
from gui.text import number

MARKERS, RELATIVE, CONSENSUS = "Markers", "Relative errors", "Consensus"
METHODS = (
    "Markers: median of bulk over profile of up to 20 marker genes of each cell type. Relative"
    " errors: robust non-negative least squares of the 1 000 most variable genes. Both use the"
    " single cells and nothing that DTD learned."
)
CONSENSUS_NOTE = (
    "Consensus: mean of the run, the marker estimate and the estimate by relative errors, each"
    " with a sum of 1. Not a result of DTD, ADTD or deconomix."
)
NOT_THERE = (
    "This run has no second opinion: an earlier version computed it, or it failed (see its notes).",
    "Run it again to get one.",
)
ONE_OF_THEM = (
    "Relative errors is itself one of the other estimates",
    "A second opinion sets a run beside Markers and Relative errors. See it for DTD, ADTD or"
    " another method.",
)
NOT_BY_METHOD = ("This method gives no second opinion", "See it for DTD or ADTD.")
_MEASURED = {
    "dtd": (
        "On bulk samples of seven cohorts with counted cells, 36 of 38 contradicted cell types were"
        " wrong; about two thirds of the wrong ones were not contradicted."
    ),
    "h": (
        "On bulk samples of seven cohorts with counted cells, 67 of 77 contradicted cell types were"
        " wrong (in the worst cohort hardly more often than others); about a third of the"
        " wrong ones were not contradicted."
    ),
}
_UNMEASURED = "How often a contradicted cell type is wrong was not measured for this model."
_NO_PROOF = (
    "Agreement is no proof: where the reference lacks a cell type, all three estimates err alike."
)


def run_name(run: Run) -> str:
    """What the estimate of the run is called beside the two others."""
    if run.kind == "adtd":
        return "ADTD"
    if run.kind == KIND:
        return str(run.result.title)
    result: DTDResult = run.result
    return "Naive" if result.params is not None and not len(result.loss) else "DTD"


def why_none(run: Run | None) -> tuple[str, str]:
    """Title and text where a run on the present bulk has no second opinion."""
    if run is None or run.kind != KIND:
        return NOT_THERE
    return ONE_OF_THEM if run.result.method == "relative" else NOT_BY_METHOD


def estimates(opinion: SecondOpinion, own: str) -> dict[str, pd.DataFrame]:
    """The three estimates by name, the run's first."""
    return {own: opinion.estimate, MARKERS: opinion.markers, RELATIVE: opinion.relative}


def hover_of(opinion: SecondOpinion | None, run: Run) -> OpinionHover | None:
    """What the figures of the composition of ``run`` tell of it."""
    hidden = Capability.HIDDEN in capabilities_of(run)
    return opinion_hover(opinion, run_name(run), hidden=hidden)


def opinion_hover(
    opinion: SecondOpinion | None, own: str, *, hidden: bool = False
) -> OpinionHover | None:
    """The same for an estimate of this name. hidden : whether it has a hidden background."""
    if opinion is None:
        return None

    def plain(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.set_axis(frame.index.astype(str), axis=0).set_axis(
            frame.columns.astype(str), axis=1
        )

    return OpinionHover(
        tuple(contradicted_types(opinion)),
        plain(contradictions(opinion)),
        {title: plain(frame) for title, frame in estimates(opinion, own).items()},
        "without hidden, of 100 %" if hidden else "of 100 %",
    )


def contradiction_message(opinion: SecondOpinion | None, *, cut: bool = True) -> str:
    """“2 of 10 cell types are contradicted by two other estimates: …”, or "" if none is."""
    names = contradicted_types(opinion)
    if opinion is None or not names:
        return ""
    count = len(opinion.estimate)
    shown = ", ".join(shorten(name) if cut else name for name in names)
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{number(len(names))} of {number(count)} cell types {verb} contradicted by two other"
        f" estimates: {shown}"
    )


def doubts(result: DTDResult | ADTDResult | MethodResult) -> str:
    """What makes a result doubtful and may not be folded away: contradicted types, no convergence.

    "" where nothing does.
    """
    falling = [note for note in result.notes if note.startswith(STILL_FALLING)]
    contradicted = contradiction_message(result.second_opinion)
    return " ".join([*([f"{contradicted}."] if contradicted else []), *falling])


def opinion_sentence(opinion: SecondOpinion) -> str:
    """The answer of the tab: which cell types are contradicted, or that none is."""
    said = contradiction_message(opinion, cut=False)
    if said:
        return f"{said}."
    return (
        f"No cell type is contradicted by two other estimates in half of the"
        f" {number(opinion.estimate.shape[1])} samples."
        if opinion.estimate.shape[1] > 1
        else "No cell type is contradicted by two other estimates."
    )


def how_often_right(run: Run) -> str:
    """What a contradiction means for this model, as far as it was measured."""
    model = "dtd" if run_name(run) == "DTD" else getattr(run.params, "model", "")
    return f"{_MEASURED.get(model, _UNMEASURED)} {_NO_PROOF}"


@dataclass(frozen=True)
class Contradiction:
    """What the three estimates say in the samples in which a cell type is contradicted.

    Attributes
    ----------
    samples
        How many are contradicted, in ``direction`` or the other.
    direction
        "higher" or "lower": where most of the two others lie.
    alike
        In how many of these samples both lie there.
    estimate, markers, relative
        Median over those.
    """

    cell_type: str
    samples: int
    direction: str
    alike: int
    estimate: float
    markers: float
    relative: float


def contradiction_details(opinion: SecondOpinion) -> list[Contradiction]:
    """Of every contradicted cell type, from the samples concerned alone.

    The medians are of samples in which both other estimates lie on the same side, so that they
    never deny the contradiction; a type without such a sample has those of all samples concerned.
    """
    found, flags = [], contradictions(opinion)
    for name in contradicted_types(opinion):
        here = flags.loc[name].to_numpy(dtype=bool)
        rows = [
            frame.loc[name].to_numpy(dtype=np.float64)
            for frame in (opinion.estimate, opinion.markers, opinion.relative)
        ]
        own, markers, relative = rows
        above = here & (markers > own) & (relative > own)
        below = here & (markers < own) & (relative < own)
        direction = "higher" if above.sum() >= below.sum() else "lower"
        chosen = above if direction == "higher" else below
        alike = int(chosen.sum())
        medians = [float(np.median(row[chosen if alike else here])) for row in rows]
        found.append(Contradiction(name, int(here.sum()), direction, alike, *medians))
    return found


def detail_sentence(found: Contradiction, opinion: SecondOpinion, own: str) -> str:
    """“CD4 T cells: in 5 of 8 samples both are higher (medians there: DTD 5 %, markers …).”"""
    total = opinion.estimate.shape[1]
    numbers = (
        f"{own} {percent(found.estimate)}, markers {percent(found.markers)}, relative errors"
        f" {percent(found.relative)}"
    )
    samples = f"{number(total)} sample{'s' if total != 1 else ''}"
    if not found.alike:
        return (
            f"{found.cell_type}: in {number(found.samples)} of {samples} one is higher and one"
            f" lower (medians there: {numbers})."
        )
    rest = found.samples - found.alike
    verb = "is" if rest == 1 else "are"
    others = f"; {number(rest)} more {verb} contradicted in the other direction" if rest else ""
    return (
        f"{found.cell_type}: in {number(found.alike)} of {samples} both are {found.direction}"
        f" (medians there: {numbers}){others}."
    )


# -- tables
# --------------------------------------------------------------------------------------------------
def opinion_table(opinion: SecondOpinion) -> pd.DataFrame:
    """One row per sample and cell type: the three estimates, their consensus, the flag.

    Fractions without the hidden background; each estimate sums to 1 by sample. The index is the
    sample; ``contradicted`` is whether both other estimates contradict the run in this sample.
    """
    frames = {
        "estimate": opinion.estimate,
        "markers": opinion.markers,
        "relative": opinion.relative,
        "consensus": consensus(opinion),
        "contradicted": contradictions(opinion),
    }
    samples, types = opinion.estimate.columns, opinion.estimate.index
    columns: dict[str, np.ndarray] = {
        "cell_type": np.tile(types.astype(str).to_numpy(dtype=object), len(samples))
    }
    columns |= {name: frame.to_numpy().ravel(order="F") for name, frame in frames.items()}
    index = pd.Index(
        np.repeat(samples.astype(str).to_numpy(dtype=object), len(types)), name="sample"
    )
    return pd.DataFrame(columns, index=index)


def shown_opinions(opinion: SecondOpinion, own: str) -> pd.DataFrame:
    """By cell type: in how many samples it is contradicted, and the medians over all samples (%).

    A cell type that is contradicted in half of the samples comes first.
    """
    often = contradicted_types(opinion)
    flags = contradictions(opinion)
    names = [*often, *(str(t) for t in opinion.estimate.index if str(t) not in often)]
    frames = {**estimates(opinion, own), CONSENSUS: consensus(opinion)}
    total = flags.shape[1]
    columns: dict[str, object] = {
        "Contradicted": ["yes" if name in often else "no" for name in names],
        f"Samples concerned (of {number(total)})": flags.sum(axis=1).loc[names].to_numpy(),
    }
    columns |= {
        f"{title}, median (%)": settled(frame.loc[names].median(axis=1)).to_numpy() * 100
        for title, frame in frames.items()
    }
    return pd.DataFrame(columns, index=pd.Index(names, name="Cell type"))
