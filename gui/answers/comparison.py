"""Two runs, of one session or two: what they differ in, how far their fractions agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from gui.answers.adtd import model_name
from gui.answers.conclusions import Conclusion, conclusions
from gui.answers.confidence_intervals import bootstrap_of
from gui.engine.params import Params
from gui.engine.results import Run
from gui.errors import MissingPart
from gui.figures.text import coefficient, settled, shorten, three
from gui.methods.method import KIND
from gui.sessions.cache import DCXCache
from gui.statistics.agreement import Agreement, agreement
from gui.text import number, some

CLOSE = 0.95
"""A concordance from which on two series are called much the same."""
DIFFERENCES = ["what", "first", "second"]
NAMES = {"dtd": "DTD", "adtd": "ADTD", "apply": "DTD"}
HEADERS = {
    "samples": "Samples",
    "ccc": "CCC",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "rmse": "RMSE (percentage points)",
    "bias": "Second minus first (percentage points)",
    "low": "Limit of agreement, low",
    "high": "Limit of agreement, high",
    "largest": "Largest difference",
    "largest_sample": "in sample",
    "rank_first": "Rank in the first",
    "rank_second": "Rank in the second",
    "rank_move": "Rank move",
    "outside": "Outside of the first's intervals (%)",
}
PERCENT = ("rmse", "bias", "low", "high", "largest", "outside")


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two runs, with its session."""

    session: DCXCache
    run: Run

    @property
    def fractions(self) -> pd.DataFrame:
        """Cell types x samples or mixtures; DTD's are divided by their sum in each sample."""
        run = self.run
        if hasattr(run.result, "full"):
            return settled(run.result.full())
        if run.kind == "apply":
            found = run.result.composition
        else:
            parts = run.result.composition
            found = parts.get("bulk", parts.get("test"))
        if found is None:
            raise MissingPart("This run holds no composition.", advice="Choose another one.")
        return settled(found / self._total(found))

    @staticmethod
    def _total(frame: pd.DataFrame) -> pd.Series:
        sums = frame.sum(axis=0)
        return sums.where(sums > 0, 1.0)

    def intervals(self) -> tuple[pd.DataFrame, pd.DataFrame] | None:
        """Low and high of its fractions, in their unit, where a bootstrap fits."""
        ends = (getattr(self.run.result, name, None) for name in ("low", "high"))
        low, high = ends
        if low is not None and high is not None:
            return low, high
        found = bootstrap_of(self.session, self.run)
        if found is None:
            return None
        sure, names = found.result, self.fractions
        if not (
            names.index.isin(sure.low.index).all() and names.columns.isin(sure.low.columns).all()
        ):
            return None
        low, high = (f.loc[names.index, names.columns] for f in (sure.low, sure.high))
        if hasattr(self.run.result, "full"):  # fractions of it sum to 1
            return low, high
        total = self._total(sure.estimate.loc[names.index, names.columns])
        return low / total, high / total


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two runs beside each other.

    Attributes
    ----------
    differences
        Columns what, first, second: only what differs.
    same
        What was compared and is identical.
    agreement
        By cell type, aligned by name.
    conclusions
        Of the analyses that were repeated on both runs.
    """

    differences: pd.DataFrame
    same: tuple[str, ...]
    agreement: Agreement
    conclusions: tuple[Conclusion, ...]

    @property
    def conclusion(self) -> str:
        """Whether Groups and Survival would conclude the same; "" where neither was run."""
        return " ".join(one.sentence for one in self.conclusions)


def compare(first: Side, second: Side) -> Comparison:
    """Compare two runs.

    Raises
    ------
    MissingPart, DataError
        No composition, or none of the names in common.
    """
    rows, same = [], []
    for what, one, other in _facts(first, second):
        if one == other:
            same.append(what)
        else:
            rows.append((what, one, other))
    limits = first.intervals()
    low, high = limits if limits is not None else (None, None)
    found = agreement(first.fractions, second.fractions, low=low, high=high)
    return Comparison(
        pd.DataFrame(rows, columns=DIFFERENCES, dtype=object),
        tuple(same),
        found,
        conclusions(first, second),
    )


# -- what differs
# --------------------------------------------------------------------------------------------------
def _facts(first: Side, second: Side) -> Iterator[tuple[str, str, str]]:
    sides = (first, second)
    yield "Session", first.session.name, second.session.name
    method = [
        side.run.result.title if side.run.kind == KIND else NAMES.get(side.run.kind, side.run.kind)
        for side in sides
    ]
    yield "Method", method[0], method[1]
    yield from _parameters("", first.run.params, second.run.params)
    base = [_base(side) for side in sides]
    if base[0] is not None and base[1] is not None and {s.run.kind for s in sides} != {"dtd"}:
        yield from _parameters("DTD: ", base[0].params, base[1].params)
    for title, name in (("Training data", "training_id"), ("Bulk", "bulk_id")):
        ids = [str(getattr(side.run.provenance, name))[:12] or "none" for side in sides]
        yield f"{title} (hash)", ids[0], ids[1]
    engines = [side.run.provenance.engine for side in sides]
    yield "Engine", engines[0], engines[1]
    versions = [side.run.provenance.versions for side in sides]
    for package in sorted({*versions[0], *versions[1]}):
        one, other = (v.get(package, "unknown") for v in versions)
        yield f"Version of {package}", one, other
    genes = [_genes(side) for side in sides]
    if genes[0] is not None and genes[1] is not None:
        only = [genes[0].difference(genes[1]), genes[1].difference(genes[0])]
        yield (
            "Genes in use",
            f"{number(len(genes[0]))}{_only(only[0])}",
            f"{number(len(genes[1]))}{_only(only[1])}",
        )
    names = [side.fractions for side in sides]
    for title, axis in (("Cell types", 0), ("Samples", 1)):
        index = [frame.axes[axis].astype(str) for frame in names]
        yield (
            title,
            f"{number(len(index[0]))}{_only(index[0].difference(index[1]))}",
            f"{number(len(index[1]))}{_only(index[1].difference(index[0]))}",
        )


def _only(names: pd.Index) -> str:
    return f", only here: {some(names, 5)}" if len(names) else ""


def _base(side: Side) -> Run | None:
    """The DTD run that a run was computed from, or itself."""
    if side.run.kind == "dtd":
        return side.run
    return side.session.run(side.run.provenance.inputs.get("dtd"))


def _genes(side: Side) -> pd.Index | None:
    base = side.run if side.run.kind in ("adtd", KIND) else _base(side)
    return None if base is None else base.result.reference.index.astype(str)


def _parameters(prefix: str, first: Params, second: Params) -> Iterator[tuple[str, str, str]]:
    used = dict.fromkeys([*first.used(), *second.used()])
    for name in used:
        fields = type(first).model_fields | type(second).model_fields
        values = [
            _shown(getattr(p, name)) if name in p.used() else "not used" for p in (first, second)
        ]
        yield f"{prefix}{fields[name].title or name}", values[0], values[1]


def _shown(value: object) -> str:
    if value is None:
        return "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return three(value) if isinstance(value, float) else model_name(str(value))


# -- words
# --------------------------------------------------------------------------------------------------
def sentence(found: Comparison) -> str:
    """How far the two agree, and in how many ways they differ."""
    count = len(found.differences)
    differ = (
        f"The runs differ in {number(count)} point{'s' * (count != 1)}"
        if count
        else ("The runs do not differ in what they were computed from and with")
    )
    if found.agreement.identical:
        return f"{differ}; their fractions are identical."
    table = found.agreement.table
    ccc = table["ccc"].dropna()
    if ccc.empty:
        return f"{differ}; no concordance can be computed."
    worst = str(ccc.idxmin())
    close = int((ccc >= CLOSE).sum())
    return (
        f"{differ}; median concordance {coefficient(float(ccc.median()))} over {len(ccc)} cell"
        f" types, {close} at {CLOSE:g} or more; least for {shorten(worst)}"
        f" ({coefficient(float(ccc.min()))})."
    )


def shown_table(found: Comparison) -> pd.DataFrame:
    """By cell type, concordance first; fractions in percent."""
    table = found.agreement.table.copy()
    for name in PERCENT:
        table[name] = settled(table[name]) * 100
    if table["outside"].isna().all():
        table = table.drop(columns="outside")
    return table.rename(columns=HEADERS).rename_axis("Cell type")
