"""Every method of the registry against bulk samples whose cells were counted.

A folder holds application.h5ad (the bulk), truth.csv (known fractions), train.h5ad or
reference.h5ad or both, and, where there are any, test.h5ad and truth_map.csv (truth_column,
estimated_cell_type). Without --data: pbmc_hao_finotello of DECONOMIX_GUI_SHARED. A method that
cannot be run on a set is named with its reason. Beside the methods stand the parts of the second
opinion and a constant: the fractions of the training cells, the same for every sample.

Fractions, known and estimated, are made to sum to 1 over the compared cell types. A cell type is
wrong where its fraction contradicts the known one (as of the second opinion) in at least half of
the samples; a warning is right where the type it names is wrong.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from gui.answers.warnings import OFFSET, ZERO
from gui.data.dataset import Dataset
from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.data.samples.known_composition import KnownCompositionChoice, load_known_composition
from gui.engine.known_agreement import POOLED, compare_with_known
from gui.engine.results import SecondOpinion
from gui.engine.second_opinion import contradict, contradicted_types, normalised
from gui.knowledge.cell_types import are_related
from gui.methods.method import Method
from gui.methods.registry import BUILT_IN
from gui.registry import find_pages
from tests.bench.truth_estimates import estimates

MEASURES = ("pearson", "spearman", "rmse", "ccc", "bias")
DEFAULT = "pbmc_hao_finotello"
REST = {"rest", "other", "others", "unknown", "hidden"}
"""Counted, but no type."""


@dataclass(frozen=True, eq=False)
class Known:
    """Known fractions of the bulk, and which estimated type (or types, "A|B") each is of."""

    fractions: pd.DataFrame
    pairs: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one set says of every method.

    Attributes
    ----------
    agreement
        One row per method and cell type (and one pooled): samples and the measures.
    coverage
        One row per method with intervals: fraction of known fractions within, median width.
    warnings
        One row per kind of warning and method: types compared, wrong, named, named rightly. Kinds:
        contradicted, 0 in most samples, and missing from the reference (wrong: counted types that
        no type of the reference is compared with).
    offset
        Typical factor between the genes of the bulk and what the mixture explains; above
        ``gui.answers.warnings.OFFSET`` another protocol is warned of.
    left_out
        Method -> why it was not run.
    """

    name: str
    agreement: pd.DataFrame
    coverage: pd.DataFrame
    warnings: pd.DataFrame
    contradicted: Mapping[str, list[str]]
    missing: list[str] = field(default_factory=list)
    offset: float | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)


def read_set(folder: Path) -> tuple[Dataset, Known]:
    """The data without the known fractions, and these."""
    names = {"train": "train", "test": "test", "reference": "reference", "bulk": "application"}
    files = {
        role: FileChoice.parse(path=folder / f"{name}.h5ad", name=f"{name}.h5ad")
        for role, name in names.items()
        if (folder / f"{name}.h5ad").exists()
    }
    for name in ("application.h5ad", "truth.csv"):
        if not (folder / name).exists():
            raise SystemExit(f"{folder} has no {name}.")
    data = load_dataset(LoadRequest.parse(files=files))
    assert data.bulk is not None
    pairs = None
    if (folder / "truth_map.csv").exists():
        table = pd.read_csv(folder / "truth_map.csv", dtype=str)
        pairs = dict(table.iloc[:, :2].itertuples(index=False))
        pairs = {a: b for a, b in pairs.items() if all(t in data.types for t in b.split("|"))}
    truth = load_known_composition(
        KnownCompositionChoice(path=folder / "truth.csv", pairs=pairs),
        data.bulk.samples,
        data.types,
    )
    return data, Known(truth.shares, truth.pairs)


# -- one set
# --------------------------------------------------------------------------------------------------
def compared(estimate: pd.DataFrame, known: Known) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimated and known fractions, compared types x samples, each summing to 1 by sample."""
    points = compare_with_known(known.fractions, estimate, known.pairs).points
    both = [
        points.pivot(index="cell_type", columns="sample", values=name)
        for name in ("estimated", "known")
    ]
    return normalised(both[0]), normalised(both[1])


def agreement(estimate: pd.DataFrame, known: Known) -> pd.DataFrame:
    """By cell type, and pooled: samples and the measures."""
    mine, real = compared(estimate, known)
    pairs = {t: t for t in mine.index}
    table = compare_with_known(real, mine, pairs).table.set_index("cell_type")
    table["bias"] = pd.concat(
        [(mine - real).mean(axis=1), pd.Series({POOLED: float((mine - real).stack().mean())})]
    )
    return table[["samples", *MEASURES]]


def coverage(
    estimate: pd.DataFrame, intervals: tuple[pd.DataFrame, pd.DataFrame], known: Known
) -> tuple[float, float]:
    """Fraction of known fractions within their interval, and median width; single types only."""
    mine, real = compared(estimate, known)
    single = [t for t in mine.index if t in estimate.index]
    parts = {part for pair in mine.index for part in pair.split("|")}
    total = estimate.loc[[t for t in estimate.index if t in parts], mine.columns].sum()
    low, high = (
        (end.loc[single, mine.columns] / total.where(total > 0)).to_numpy() for end in intervals
    )
    value = real.loc[single].to_numpy()
    inside = (value >= low - 1e-9) & (value <= high + 1e-9)
    there = np.isfinite(value) & np.isfinite(low)
    return float(inside[there].mean()), float(np.median((high - low)[there]))


def judged(estimate: pd.DataFrame, opinion: SecondOpinion, known: Known) -> dict[str, int]:
    """How many types were compared, wrong, named, and named rightly.

    Types that were counted together only ("A|B") are in none of these: a warning names one.
    """
    mine, real = compared(estimate, known)
    single = mine.index[mine.index.isin(opinion.estimate.index.astype(str))]
    wrong = (2 * contradict(mine, real).sum(axis=1) >= mine.shape[1])[single]
    named = pd.Series([t in contradicted_types(opinion) for t in single], index=single, dtype=bool)
    return {
        "types": len(single),
        "wrong": int(wrong.sum()),
        "named": int(named.sum()),
        "right": int((named & wrong).sum()),
    }


def judged_zero(estimate: pd.DataFrame, known: Known) -> dict[str, int]:
    """The same of the warning on types that are 0 in more than half of the samples."""
    mine, real = compared(estimate, known)
    single = mine.index[mine.index.isin(estimate.index.astype(str))]
    wrong = (2 * contradict(mine, real).sum(axis=1) >= mine.shape[1])[single]
    zero = estimate.set_axis(estimate.index.astype(str)).loc[single]
    named = zero_types(zero, len(zero.columns))
    return {
        "types": len(single),
        "wrong": int(wrong.sum()),
        "named": int(named.sum()),
        "right": int((named & wrong).sum()),
    }


def zero_types(estimate: pd.DataFrame, samples: int) -> pd.Series:
    """Types that :func:`gui.answers.warnings.zero_warning` names."""
    return 2 * (estimate <= ZERO).sum(axis=1) > samples


def judged_missing(opinion: SecondOpinion, known: Known) -> dict[str, int]:
    """The same of the warning on types that the reference lacks.

    Right where a counted type without an estimate is of the named kind.
    """
    lacking = [
        str(t) for t in known.fractions.index if t not in known.pairs and str(t).lower() not in REST
    ]
    names = [] if opinion.missing is None else [str(t) for t in opinion.missing.index]
    return {
        "types": len(known.fractions),
        "wrong": len(lacking),
        "named": len(names),
        "right": sum(any(are_related(name, t) for t in lacking) for name in names),
    }


def outcome_of(
    folder: Path, *, seed: int = 1, quick: bool = False, methods: Mapping[str, Method] = BUILT_IN
) -> Outcome:
    """Run every method on a set and compare."""
    data, known = read_set(folder)
    found, left_out = estimates(data, seed=seed, quick=quick, methods=methods)
    if not found:
        raise SystemExit(f"No method can be run on {folder}: {next(iter(left_out.values()))}")
    tables = {name: agreement(one.composition, known) for name, one in found.items()}
    held = {
        name: coverage(one.composition, one.intervals, known)
        for name, one in found.items()
        if one.intervals is not None
    }
    opinions = {name: one.opinion for name, one in found.items() if one.opinion is not None}
    warned = {
        f"{name}: contradicted": judged(found[name].composition, opinion, known)
        for name, opinion in opinions.items()
    }
    warned |= {
        f"{name}: 0": judged_zero(found[name].composition, known)
        for name in found
        if name in {method.title for method in methods.values()}
    }
    # the composition decides what the mixture explains; DTD's is the one that is shown first
    first = opinions.get(BUILT_IN["deconomix"].title) or next(iter(opinions.values()), None)
    if first is not None:
        warned["Missing from the reference"] = judged_missing(first, known)
    return Outcome(
        folder.name,
        pd.concat(tables, names=["method", "cell_type"]),
        pd.DataFrame(held, index=["coverage", "median width"]).T.rename_axis("method"),
        pd.DataFrame(warned).T.rename_axis("method"),
        {name: contradicted_types(opinion) for name, opinion in opinions.items()},
        [] if first is None or first.missing is None else list(map(str, first.missing.index)),
        None if first is None else first.offset,
        left_out,
    )


# -- all sets
# --------------------------------------------------------------------------------------------------
def summary(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """By method, the mean over the sets: pooled measures, means over the cell types, intervals.

    ``sets``: on how many it was run.
    """
    rows = []
    for one in outcomes:
        pooled = one.agreement.xs(POOLED, level="cell_type")[list(MEASURES)]
        types = one.agreement.drop(POOLED, level="cell_type")
        mean = types.groupby(level="method", sort=False)[["pearson", "spearman", "rmse"]].mean()
        held = one.coverage.reindex(columns=["coverage", "median width"])
        rows.append(
            pooled.drop(columns="bias").join(mean.add_suffix(" by type")).join(held.astype(float))
        )
    every = pd.concat(rows)
    counted = every.groupby(level=0, sort=False).size().rename("sets")
    return every.groupby(level=0, sort=False).mean().join(counted)


def precision(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """By warning over all sets: precision and recall, and the rate of wrong types.

    A precision at the base rate says nothing.
    """
    every = pd.concat([one.warnings for one in outcomes]).groupby(level=0, sort=False).sum()
    total = every.astype(float)
    return every.assign(
        precision=total["right"] / total["named"].where(total["named"] > 0),
        recall=total["right"] / total["wrong"].where(total["wrong"] > 0),
        base_rate=total["wrong"] / total["types"],
    )


def html_of(outcomes: Sequence[Outcome], seed: int) -> bytes:
    """All tables as one file."""
    from gui.report.document import Document

    doc = Document("Truth bench")
    doc.heading("Truth bench", 1)
    for part in (__doc__ or "").strip().split("\n\n"):
        doc.paragraph(" ".join(part.split()), "dim")
    doc.paragraph(f"Seed {seed}; sets: {', '.join(one.name for one in outcomes)}.")
    for title, frame in (
        ("All sets: mean over the sets", summary(outcomes)),
        ("Warnings over all sets", precision(outcomes)),
    ):
        doc.heading(title)
        doc.table(frame, first="Method", most=100, columns=11)
    for one in outcomes:
        doc.heading(one.name)
        doc.table(one.coverage, first="Method", caption="95 % intervals", most=20)
        for method, names in one.contradicted.items():
            doc.paragraph(f"{method}: contradicted: {', '.join(names) or 'none'}.")
        doc.paragraph(other_warnings(one))
        for method, reason in one.left_out.items():
            doc.paragraph(f"{method} was not run: {reason}")
        for method, table in one.agreement.groupby(level="method", sort=False):
            doc.heading(str(method), 3)
            doc.table(table.droplevel("method"), first="Cell type", most=100, columns=7)
    return doc.html()


def other_warnings(one: Outcome) -> str:
    """What is said of missing types and of the protocol, in a line."""
    offset = "not known" if one.offset is None else f"{one.offset:.2f}"
    warned = " (warned of)" if one.offset is not None and one.offset > OFFSET else ""
    return (
        f"Missing from the reference: {', '.join(one.missing) or 'none'}. Typical factor between"
        f" genes of bulk and mixture: {offset}{warned}."
    )


def lines_of(frame: pd.DataFrame) -> Iterator[str]:
    yield from (f"  {line}" for line in frame.round(3).to_string().splitlines())


def folders_of(given: Sequence[Path]) -> list[Path]:
    if given:
        return list(given)
    shared = os.environ.get("DECONOMIX_GUI_SHARED")
    folder = Path(shared or "nowhere") / "data" / DEFAULT
    if not folder.is_dir():
        raise SystemExit(f"There is no {folder}: give --data FOLDER or DECONOMIX_GUI_SHARED.")
    return [folder]


def bench(
    quick: bool,
    *,
    data: Sequence[Path] = (),
    html: Path | None = None,
    seed: int = 1,
    plugins: Path | None = None,
    one: Callable[..., Outcome] = outcome_of,
) -> Iterator[str]:
    methods = dict(BUILT_IN)
    if plugins is not None:
        loaded = find_pages(plugins)
        yield from (f"  {error}" for error in loaded.errors)
        methods = {method.key: method for method in loaded.methods}
    outcomes = []
    for folder in folders_of(data):
        began = time.perf_counter()
        outcomes.append(one(folder, seed=seed, quick=quick, methods=methods))
        last = outcomes[-1]
        yield f"  {last.name} ({time.perf_counter() - began:.0f} s)"
        yield from lines_of(last.agreement)
        yield from lines_of(last.coverage)
        yield from (
            f"  {m} contradicted: {', '.join(n) or 'none'}" for m, n in last.contradicted.items()
        )
        yield f"  {other_warnings(last)}"
        yield from (f"  {method} was not run: {why}" for method, why in last.left_out.items())
    yield "  all sets: pooled, and mean over the cell types"
    yield from lines_of(summary(outcomes))
    yield "  warnings"
    yield from lines_of(precision(outcomes))
    if html is not None:
        html.write_bytes(html_of(outcomes, seed))
        yield f"  written to {html}"
