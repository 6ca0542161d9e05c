"""Robustness: what a composition owes to the seed, the number of genes, a cell type or a donor."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gui.analyses.method_variants import (
    MethodVariantTask,
    Options,
    estimate_method_variant,
    method_task,
)
from gui.analyses.patients import PATIENT_COLUMN
from gui.data.dataset import HIDDEN, Dataset
from gui.engine.params import Params, param
from gui.engine.results import ADTDResult, DTDResult
from gui.engine.variants import (
    COUNTS,
    DONORS,
    GENES,
    LEFT_OUT,
    SEED,
    Variant,
    VariantTask,
    common_part,
    estimate_variant,
    gene_counts,
    with_sum_one,
)
from gui.errors import DeconomixError, EngineFailed, InvalidParameter, JobCancelled, MissingPart
from gui.methods.intervals import Estimator
from gui.methods.method import MethodResult
from gui.statistics.agreement import ROUNDING, spearman
from gui.text import number, some

if TYPE_CHECKING:
    from collections.abc import Callable

    from gui.jobs.status import Progress

RECOMPUTING = "Recomputing"
KINDS = (GENES, SEED, LEFT_OUT, DONORS)
UNSTABLE = 0.2
"""A hidden fraction whose range over the gene counts exceeds this is called unstable."""
SPLITS = 5
"""Parts into which the donors are divided, at most; each is left out once."""
RARE = 0.01
"""A type with a smaller mean fraction loses too little to say where it goes."""


class RobustnessParams(Params):
    """What is changed. Everything else is as in the run."""

    genes: bool = param(
        True,
        "Gene counts",
        f"Compute the run at {COUNTS} other numbers of genes, selected as in DTD.",
    )
    seeds: int = param(
        5,
        "Other seeds",
        "How many other random seeds of the pseudobulks are tried; 0 for none.",
        unit="seeds",
        ge=0,
        le=50,
    )
    left_out: bool = param(
        True,
        "Leave out cell types",
        "Leave each cell type out of the reference once, with the genes of the run: where does its"
        " fraction go?",
    )
    donors: bool = param(
        True,
        "Leave out donors",
        "Leave a part of the donors of the training cells out, where a column names them.",
    )
    donor_column: str = param(
        "",
        "Donor column",
        "The column of the training cells that names the donor. Empty: a column that is called so.",
        advanced=True,
    )
    max_iterations: int = param(1000, "Maximum iterations", "Those of the run.", ge=1, le=100_000)

    def used(self) -> list[str]:
        return [name for name in super().used() if name != "donor_column" or self.donor_column]


@dataclass(frozen=True, eq=False)
class RobustnessResult:
    """The composition of a run, and what it becomes with one thing changed.

    Attributes
    ----------
    base
        Of the run: cell types (with ADTD also ``hidden``) x samples; samples sum to 1.
    values
        Variants x cell types x samples, as ``base``; NaN for a type that was left out.
    variants
        By variant: kind, name, genes, left_out (a cell type or "").
    genes
        How many the run uses.
    method
        Title of another method than DTD and ADTD, or "".
    """

    base: pd.DataFrame
    values: np.ndarray
    variants: pd.DataFrame
    genes: int
    notes: tuple[str, ...] = ()
    method: str = ""

    def of(self, kind: str) -> np.ndarray:
        """The values of one kind of change: variants x cell types x samples."""
        return np.asarray(self.values[(self.variants["kind"] == kind).to_numpy()])

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of change that were computed."""
        there = set(self.variants["kind"])
        return tuple(kind for kind in KINDS if kind in there)

    @property
    def hidden(self) -> bool:
        """Whether there is a hidden background."""
        return HIDDEN in self.base.index

    def summary(self) -> pd.DataFrame:
        """One row per kind and cell type.

        Columns
        -------
        cell_type, fraction (median over samples, of the run), median (over variants of that
        median), iqr and range (over variants: median over samples of the interquartile range and
        of largest less smallest), rank and rank_lowest (over variants: median and smallest
        Spearman correlation with the run over samples; NaN with fewer than 3 samples or a constant
        type). Index: kind.
        """
        rows = []
        base = without_rounding(self.base.to_numpy(dtype=np.float64))
        for kind in self.kinds:
            values = without_rounding(self.of(kind))
            for k, name in enumerate(self.base.index):
                each = values[:, k]
                each = each[np.isfinite(each).all(axis=1)]
                if not len(each):
                    continue
                low, high = np.percentile(each, (25, 75), axis=0)
                ranks = [_rank(base[k], one) for one in each]
                known = [rank for rank in ranks if np.isfinite(rank)]
                rows.append(
                    {
                        "kind": kind,
                        "cell_type": str(name),
                        "variants": len(each),
                        "fraction": float(np.median(base[k])),
                        "median": float(np.median(np.median(each, axis=1))),
                        "iqr": float(np.median(high - low)),
                        "range": float(np.median(np.ptp(each, axis=0))),
                        "rank": float(np.median(known)) if known else np.nan,
                        "rank_lowest": min(known) if known else np.nan,
                    }
                )
        columns = ["kind", "cell_type", "variants", "fraction", "median", "iqr", "range"]
        return pd.DataFrame(rows, columns=[*columns, "rank", "rank_lowest"]).set_index("kind")

    def leakage(self) -> pd.DataFrame:
        """Where the fraction of a cell type goes that is left out.

        Rows are the types left out, columns those that take up their fraction, ``hidden`` among
        them; each row sums to 1 but for the type itself (NaN). A negative entry lost as well. All
        NaN where the type makes up less than :data:`RARE` of the run.
        """
        base = self.base.to_numpy(dtype=np.float64)
        rows = self.variants[self.variants["kind"] == LEFT_OUT]
        names = [str(name) for name in rows["left_out"]]
        found = np.full((len(names), len(base)), np.nan)
        for at, (where, name) in enumerate(zip(rows.index, names, strict=True)):
            lost = float(base[self.base.index.get_loc(name)].mean())
            if lost >= RARE:
                found[at] = (self.values[where] - base).mean(axis=1) / lost
        table = pd.DataFrame(found, index=names, columns=self.base.index.astype(str))
        return table.rename_axis("left_out")

    def gene_count_table(self) -> pd.DataFrame:
        """Median over samples by number of genes, that of the run among them."""
        rows = self.variants[self.variants["kind"] == GENES]
        medians = {
            int(genes): np.median(without_rounding(self.values[at]), axis=1)
            for at, genes in zip(rows.index, rows["genes"], strict=True)
        }
        base = without_rounding(self.base.to_numpy(dtype=np.float64))
        medians[self.genes] = np.median(base, axis=1)
        table = pd.DataFrame(medians, index=self.base.index.astype(str)).T.sort_index()
        return table.rename_axis("genes")

    def hidden_range(self) -> pd.DataFrame | None:
        """By sample low and high of the hidden fraction over the gene counts and the run.

        None without a hidden background or other gene counts.
        """
        if not self.hidden or GENES not in self.kinds:
            return None
        row = int(self.base.index.get_loc(HIDDEN))
        every = np.vstack([self.of(GENES)[:, row], self.base.to_numpy(dtype=np.float64)[row]])
        return pd.DataFrame(
            {"low": every.min(axis=0), "high": every.max(axis=0)}, index=self.base.columns
        )

    def unstable(self) -> list[str]:
        """Samples whose hidden fraction depends on the number of genes by :data:`UNSTABLE`."""
        found = self.hidden_range()
        if found is None:
            return []
        return [str(name) for name in found.index[found["high"] - found["low"] > UNSTABLE + 1e-9]]

    def tables(self) -> dict[str, pd.DataFrame]:
        found = {"robustness": self.summary()}
        if GENES in self.kinds:
            found["robustness_gene_counts"] = self.gene_count_table()
        if (ranges := self.hidden_range()) is not None:
            found["robustness_hidden"] = ranges.rename_axis("sample")
        if LEFT_OUT in self.kinds:
            found["robustness_leakage"] = self.leakage()
        return found

    def citations(self) -> tuple[str, ...]:
        if self.method:
            return ()
        return ("adtd", "dtd") if self.hidden else ("dtd",)

    def fits(self) -> bool:
        return (
            self.values.dtype.kind == "f"
            and self.values.shape == (len(self.variants), *self.base.shape)
            and {"kind", "name", "genes", "left_out"} <= set(self.variants.columns)
            and all(kind.kind == "f" for kind in self.base.dtypes)
            and set(self.variants["kind"]) <= set(KINDS)
        )


def without_rounding(values: np.ndarray) -> np.ndarray:
    """Fractions with 0 in place of what a solver leaves of a type that is not there (1e-15).

    Ranks of such remainders would be taken for ranks of samples.
    """
    return np.where(np.abs(values) < ROUNDING, 0.0, values)


def _rank(one: np.ndarray, other: np.ndarray) -> float:
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(spearman(one, other))


def run_robustness(
    dataset: Dataset,
    params: RobustnessParams,
    *,
    progress: Progress,
    dtd: DTDResult | None = None,
    adtd: ADTDResult | None = None,
    method: MethodResult | None = None,
    estimator: Estimator | None = None,
    **_others: Any,
) -> RobustnessResult:
    """Compute a run of the bulk again, each time with one thing changed.

    Parameters
    ----------
    dtd
        The run, or the one that ADTD is based on.
    adtd
        The run where it has a hidden background; the fractions are its own then. Not one of the
        model Custom with free C, whose composition depends on gene regulation: the result does not
        say so, and who asks has to look at its parameters.
    method, estimator
        The run of another method, and what computes it again.

    Raises
    ------
    MissingPart
        No run on the bulk, no cells.
    InvalidParameter
        Nothing to change.
    EngineFailed
        No variant could be computed.
    JobCancelled
    """
    from gui.engine.memory import adtd_bytes, simulation_bytes
    from gui.engine.parallel import parallel_map

    progress(RECOMPUTING, 0.0)
    task: VariantTask | MethodVariantTask
    if method is not None:
        assert estimator is not None
        task, base, options = method_task(dataset, method, estimator, lambda: progress(RECOMPUTING))
        function: Callable[..., Any] = estimate_method_variant
    else:
        task, base, options = _task(dataset, params, dtd, adtd)
        function = estimate_variant
    items, notes = variants_of(dataset, params, options)
    if not items:
        raise InvalidParameter(
            f"There is nothing to change. {' '.join(notes)}".strip(),
            advice="Switch one of the changes on.",
        )
    done = 0

    def on_step(_index: int, ended: Any) -> None:
        nonlocal done
        done += bool(ended)
        progress(RECOMPUTING, done / len(items), count=done, limit=len(items))

    most = max(item.genes or options.genes for item in items)
    if isinstance(task, VariantTask):
        made = task.params
        memory = simulation_bytes(most, made.train_mixtures, made.train_cells, "fast")
        memory += adtd_bytes(most, base.shape[1], base.shape[0], "fast", regulated=False)
    else:
        memory = 3.0 * sum(part.nbytes for part in dataset.parts().values())
    found = parallel_map(
        function,
        items,
        shared=task,
        on_step=on_step,
        check=lambda: progress(RECOMPUTING, done / len(items), count=done, limit=len(items)),
        keep_errors=True,
        memory=memory,
    )
    kept, values = [], []
    for item, answer in zip(items, found, strict=True):
        if isinstance(answer, JobCancelled) or not isinstance(
            answer, DeconomixError | pd.DataFrame
        ):
            raise answer
        if isinstance(answer, DeconomixError):
            notes.append(f"Not computed with {item.name}: {answer}")
            continue
        kept.append(item)
        values.append(answer.reindex(base.index).to_numpy(dtype=np.float64))
    if not kept:
        raise EngineFailed(f"Nothing could be recomputed. {notes[-1]}")
    table = pd.DataFrame(
        {
            "kind": [item.kind for item in kept],
            "name": [item.name for item in kept],
            "genes": [item.genes or options.genes for item in kept],
            "left_out": [item.left_out for item in kept],
        }
    )
    return RobustnessResult(
        base,
        np.stack(values),
        table,
        options.genes,
        tuple(notes),
        "" if method is None else method.title,
    )


def _task(
    dataset: Dataset, params: RobustnessParams, dtd: DTDResult | None, adtd: ADTDResult | None
) -> tuple[VariantTask, pd.DataFrame, Options]:
    """What the variants share, the composition of the run, and what can be changed."""
    if dtd is None or (adtd is None and "bulk" not in dtd.composition):
        raise MissingPart("There is no composition of the bulk yet.", advice="Run DTD first.")
    if adtd is not None and adtd.truth is not None:
        raise MissingPart(
            "This ADTD run is of pseudobulks.", advice="Run ADTD on the bulk, or choose a DTD run."
        )
    if dtd.params is None:
        raise MissingPart(
            "A loaded model does not say how it was trained, so it cannot be computed again.",
            advice="Train with DTD in this session.",
        )
    base = with_sum_one(adtd.full() if adtd is not None else dtd.composition["bulk"])
    inverse = adtd is not None and not np.array_equal(
        adtd.gene_weights.to_numpy(), dtd.gene_weights.reindex(adtd.gene_weights.index).to_numpy()
    )
    task = VariantTask(
        common_part(dataset, dtd.scale),
        tuple(map(str, dtd.genes)),
        dtd.params.model_copy(update={"iterations": dtd.stopped_at or dtd.params.iterations}),
        learned=bool(len(dtd.loss)),
        hidden=adtd is not None,
        inverse=inverse,
        max_iterations=params.max_iterations,
    )
    train = task.dataset.train
    options = Options(
        len(task.genes),
        train.matrix.n_genes if train else 0,
        dtd.params.seed,
        reseeded=task.learned,
        no_seed="Naive learns nothing, so that the seed plays no part.",
    )
    return task, base.astype(np.float64), options


def variants_of(
    dataset: Dataset, params: RobustnessParams, options: Options
) -> tuple[list[Variant], list[str]]:
    """What is computed, and sentences on what is not."""
    seed, used = options.seed, options.genes
    types = dataset.types
    found: list[Variant] = []
    notes: list[str] = []
    if params.genes and options.no_genes:
        notes.append(options.no_genes)
    elif params.genes:
        counts = gene_counts(used, options.available, len(types))
        found += [Variant(GENES, f"{number(n)} genes", seed, genes=n) for n in counts]
        if len(counts) < COUNTS:
            notes.append(
                f"Only {len(counts)} other gene counts are possible with {number(used)} genes."
            )
    if options.reseeded:
        found += [
            Variant(SEED, f"seed {other}", other)
            for other in ((seed + 2 * n) % (2**32 - 2) for n in range(1, params.seeds + 1))
        ]
    elif params.seeds:
        notes.append(options.no_seed)
    if params.left_out:
        if len(types) > 2:
            found += [Variant(LEFT_OUT, f"no {name}", seed, left_out=name) for name in types]
        else:
            notes.append("With two cell types none can be left out.")
    if params.donors:
        splits, text = donor_splits(dataset, params.donor_column)
        notes += [text] if text else []
        for at, cells in enumerate(splits, 1):
            name = f"donors without part {at} of {len(splits)}"
            if lost := _without_cells(dataset, cells):
                # the composition would change because a cell type is missing
                notes.append(f"Not computed with {name}: no cells of {some(lost)} are left.")
                continue
            found.append(Variant(DONORS, name, seed, cells_out=cells))
    return found, notes


def _without_cells(dataset: Dataset, left_out: tuple[int, ...]) -> list[str]:
    """The cell types of which no training cell is left without these."""
    assert dataset.train is not None
    left = set(np.delete(dataset.train.labels.astype(str), left_out))
    return [str(name) for name in dataset.types if str(name) not in left]


def donor_splits(dataset: Dataset, column: str = "") -> tuple[list[tuple[int, ...]], str]:
    """The training cells of each part of the donors, and a sentence on what was taken for donors.

    Raises
    ------
    InvalidParameter
        There is no such column.
    """
    train = dataset.train
    if train is None or not train.obs.shape[1]:
        why = "" if not column else f" column {column[:60]}"
        if column:
            raise InvalidParameter(f"The training cells have no{why}.")
        return [], "The training cells have no column that names their donors."
    if column and column not in train.obs.columns:
        raise InvalidParameter(
            f"The training cells have no column {column[:60]}.",
            advice=f"There are: {some([str(c) for c in train.obs.columns])}.",
        )
    names = [column] if column else [c for c in train.obs.columns if PATIENT_COLUMN.match(str(c))]
    if not names:
        return [], "No column of the training cells is called donor or patient."
    donors = train.obs[names[0]].astype(str).to_numpy()
    missing = train.obs[names[0]].isna().to_numpy()
    each = sorted(set(donors[~missing]))
    if len(each) < 2:
        return [], f"All training cells are of one donor (column {names[0]})."
    counts = pd.Series(donors[~missing]).value_counts()
    # the largest first, each to the smallest part, so that the parts are of about one size
    parts: list[list[str]] = [[] for _ in range(min(SPLITS, len(each)))]
    for name in sorted(each, key=lambda d: (-int(counts[d]), d)):
        min(parts, key=lambda part: sum(int(counts[d]) for d in part)).append(name)
    cells = [
        tuple(int(i) for i in np.flatnonzero(np.isin(donors, part) & ~missing)) for part in parts
    ]
    lost = int(missing.sum())
    said = f"Donors: column {names[0]}, {number(len(each))} in {len(parts)} parts."
    return cells, said + (f" {number(lost)} cells without a donor stay." if lost else "")
