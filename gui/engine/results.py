"""Results: data (frames, parameters, provenance), never components.

A result is found by its run id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal

import numpy as np
import pandas as pd
from typing_extensions import TypeVar

from gui.engine.params import (
    ADTDParams,
    ApplyParams,
    BootstrapParams,
    DTDParams,
    Params,
    SearchParams,
)


@dataclass(frozen=True, eq=False)
class SecondOpinion:
    """Two other estimates of the bulk beside that of a run.

    See :mod:`gui.engine.second_opinion`. All three are cell types x samples, without the hidden
    background, and sum to 1 by sample; the markers to less where they lack a type.

    Attributes
    ----------
    estimate
        Of the run.
    markers
        Median of bulk over profile of the marker genes; NaN for a type without enough of them.
    relative
        Robust non-negative least squares of relative errors.
    marker_genes
        Cell type -> its markers, best first.
    notes
        Sentences for the user.
    missing
        Cell types that are probably missing from the reference (index): fold, by which their
        markers are beyond what the mixture explains, and genes, some of these.
    offset
        Factor by which a gene of the bulk typically differs from what the mixture explains.
    """

    estimate: pd.DataFrame
    markers: pd.DataFrame
    relative: pd.DataFrame
    marker_genes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    missing: pd.DataFrame | None = None
    offset: float | None = None


@dataclass(frozen=True, eq=False)
class RNAContent:
    """RNA content of the cell types, measured from the single cells, or why it is not.

    See :mod:`gui.engine.rna_content`.

    Attributes
    ----------
    factors
        By cell type, 1 on average; None where it cannot be measured.
    source
        Where the counts come from, in words.
    reason
        Why there are no factors, a sentence.
    """

    factors: pd.Series | None = None
    source: str = ""
    reason: str = ""


@dataclass(frozen=True, eq=False)
class DTDResult:
    """A trained model and its estimates.

    Attributes
    ----------
    reference
        X as used, genes x cell types, scaled.
    gene_weights
        gamma by gene, mean 1 (sums to the number of genes); float32 as stock returns them (the
        numbers of ADTD depend on it).
    loss
        (iterations,).
    correlation
        iterations x cell types, Pearson on the training pseudobulks.
    composition
        Part ("train", "test", "bulk") -> cell types x mixtures or samples, as estimated, not
        normalised.
    naive
        The same with all gene weights 1.
    truth
        Part ("train", "test") -> cell types x mixtures; in "test" also types that the reference
        lacks (hidden).
    metrics
        One row per (part, method, cell type): columns part, method, cell_type, pearson, spearman,
        rmse, ccc.
    scale
        The common column sum; None where the values were not scaled.
    notes
        Sentences for the user (warnings).
    """

    reference: pd.DataFrame
    gene_weights: pd.Series
    loss: np.ndarray
    correlation: pd.DataFrame
    composition: Mapping[str, pd.DataFrame]
    naive: Mapping[str, pd.DataFrame]
    truth: Mapping[str, pd.DataFrame]
    metrics: pd.DataFrame
    scale: float | None = 10_000.0
    notes: tuple[str, ...] = ()
    params: DTDParams | None = None
    """What it was computed with; the simulated mixtures are drawn again from it.

    None where unknown.
    """
    fit: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """part -> how well every mixture or sample is reconstructed (see
    :mod:`gui.engine.reconstruction`); empty in older runs.
    """
    second_opinion: SecondOpinion | None = None
    """Of the bulk; None without one and in older runs."""
    rna_content: RNAContent | None = None
    """Of the training cells; None in older runs and of a loaded model."""
    checked: pd.DataFrame | None = None
    """By iteration: mean correlation over the cell types on pseudobulks of the test cells (test)
    and of held-back training cells (held_back), where there are such; None with stock's engine,
    where nothing was learned, and in older runs.
    """
    stopped_at: int | None = None
    """The iteration whose weights are used, where it was stopped early."""

    @property
    def genes(self) -> pd.Index:
        return self.reference.index


@dataclass(frozen=True, eq=False)
class ApplyResult:
    """A trained model on another bulk: composition and naive, cell types x samples."""

    composition: pd.DataFrame
    naive: pd.DataFrame
    notes: tuple[str, ...] = ()
    fit: pd.DataFrame | None = None
    """How well every sample is reconstructed; None in older runs."""
    second_opinion: SecondOpinion | None = None
    """None in older runs."""


@dataclass(frozen=True)
class Refinement:
    """ADTD run at the optimum of its loss for its composition and hidden fractions.

    See :mod:`gui.engine.refinement`.

    Attributes
    ----------
    loss_before
        Of the engine's fit.
    loss_after
        At the optimum.
    residual, gap
        Of the certificate, both at most 1e-7: how far an entry would still move, without unit,
        and upper bound of what the loss could still fall by, relative to it.
    way
        "kept" if no optimum could be certified: the numbers of deconomix are kept, and residual
        and gap are NaN.
    """

    loss_before: float
    loss_after: float
    residual: float
    gap: float
    way: Literal["closed form", "Newton", "Clarabel", "kept"]


@dataclass(frozen=True, eq=False)
class ADTDResult:
    """Hidden background and gene regulation.

    Attributes
    ----------
    composition
        Cell types x samples (without the hidden row).
    hidden
        Fraction of the hidden background by sample.
    hidden_profile
        By gene, sums to 1.
    gene_regulation
        Delta, genes x cell types, 1 = unregulated (None where not estimated).
    gene_weights
        The weights used, by gene.
    reference
        X as used, genes x cell types.
    truth
        Cell types x mixtures for simulated mixtures, else None.
    loss
        By iteration.
    support
        genes x cell types in [0, 1], how much the data say about Delta (low: greyed out); None
        without Delta.
    """

    composition: pd.DataFrame
    hidden: pd.Series
    hidden_profile: pd.Series
    gene_regulation: pd.DataFrame | None
    gene_weights: pd.Series
    reference: pd.DataFrame
    loss: np.ndarray
    truth: pd.DataFrame | None = None
    support: pd.DataFrame | None = None
    hidden_interval: pd.DataFrame | None = None
    """By sample: columns low, high: the range of the hidden fraction at equal fit (ENGINE.md, trap
    10).
    """
    notes: tuple[str, ...] = ()
    optimum: Refinement | None = None
    """Where the run was refined: hidden profile and gene regulation are those of the optimum and
    differ from deconomix's.

    None: as deconomix gives them.
    """
    fit: pd.DataFrame | None = None
    """How well every sample is reconstructed (see :mod:`gui.engine.reconstruction`); None in older
    runs.
    """
    second_opinion: SecondOpinion | None = None
    """Of the bulk; None of pseudobulks and in older runs."""

    @property
    def refined(self) -> bool:
        """Whether the numbers differ from those of deconomix."""
        return self.optimum is not None and self.optimum.way != "kept"

    def full(self) -> pd.DataFrame:
        """Cell types and ``hidden`` x samples."""
        from gui.data.dataset import HIDDEN

        return pd.concat([self.composition, self.hidden.to_frame(HIDDEN).T])


@dataclass(frozen=True, eq=False)
class SearchResult:
    """Lambda2 search.

    Attributes
    ----------
    losses
        Folds x lambdas (columns = lambda2 ascending); choices of :class:`Choices`.
    """

    losses: pd.DataFrame
    choices: Mapping[str, float | None]
    """"min", "one_se", "drop" -> lambda2; None where there is no such choice."""
    dropped_genes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    path: pd.DataFrame | None = None
    """By lambda2: what it does to the fit of all samples (see :mod:`gui.engine.lambda2_path`); None
    in older searches.
    """

    @property
    def mean(self) -> pd.Series:
        return self.losses.mean(axis=0)

    @property
    def std(self) -> pd.Series:
        return self.losses.std(axis=0, ddof=1)


@dataclass(frozen=True, eq=False)
class BootstrapResult:
    """95 % intervals of the fractions of a run, by resampling genes.

    See :mod:`gui.engine.bootstrap`.

    Attributes
    ----------
    estimate
        Cell types (with ADTD also ``hidden``) x samples.
    low, high
        The interval, the same shape; it always holds the estimate.
    genes_low, genes_high
        Of the draws alone, not widened; equal to low and high where nothing could be checked.
    check
        By cell type: wider (by how much each end was moved outwards), genes and widened
        (fraction of held-back mixtures whose true fraction lies within the interval of the
        draws alone, and within the widened one); None without test cells.
    mixtures
        How many were held back.
    sign_stability
        genes x cell types, fraction of the draws in which gene regulation had the direction
        that the run found; None without regulation.
    draws
        Draws x cell types x samples in float16, on the scale of ``estimate``; the first so many
        of the replicates where there are very many. Rounded by at most 0.05 % of the value, or
        3e-8 below 6e-5. None in older runs.
    """

    estimate: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame
    genes_low: pd.DataFrame
    genes_high: pd.DataFrame
    replicates: int
    check: pd.DataFrame | None = None
    mixtures: int = 0
    sign_stability: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    draws: np.ndarray | None = None


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from.

    Attributes
    ----------
    training_id, bulk_id
        Of the dataset.
    inputs
        Name -> run id of the runs it was computed from.
    engine
        "stock" or "fast".
    versions
        Package -> version.
    seconds
        Wall time of the task.
    samples_id
        Of the clinical table and the annotations of the bulk, where the result depends on them;
        else "".
    remark
        What the program decided for the user, in sentences; "" where the user chose.
    """

    training_id: str
    bulk_id: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    engine: str = "stock"
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    samples_id: str = ""
    remark: str = ""


STILL_FALLING = "The loss was still falling after"
"""Begins the note of an ADTD run that did not converge."""

P = TypeVar("P", bound=Params, default=Any)
R = TypeVar("R", default=Any)


@dataclass(frozen=True, eq=False)
class Run(Generic[P, R]):
    """One computed result of a session: ``Run[DTDParams, DTDResult]``.

    Attributes
    ----------
    kind
        A key of :data:`gui.sessions.kinds.KINDS`, or a plug-in's page key.
    name, starred, notes
        What the user says of it; "" and False: nothing.
    """

    id: str
    kind: str
    title: str
    created: datetime
    params: P
    result: R
    provenance: Provenance
    name: str = ""
    starred: bool = False
    notes: str = ""


def _numeric(*tables: Any) -> bool:
    """Whether each one is a table or a column of numbers.

    An empty one is: the metrics of a loaded model have columns, and no type.
    """
    frames = [table.to_frame() if isinstance(table, pd.Series) else table for table in tables]
    return all(
        isinstance(frame, pd.DataFrame)
        and (frame.empty or all(_is_number(kind) for kind in frame.dtypes))
        for frame in frames
    )


def _is_number(kind: Any) -> bool:
    return isinstance(kind, np.dtype) and kind.kind in "biuf"


def _optional(*tables: Any) -> bool:
    return _numeric(*[table for table in tables if table is not None])


def _curve(loss: Any) -> bool:
    return isinstance(loss, np.ndarray) and loss.ndim == 1 and _is_number(loss.dtype)


_FIT = {"pearson", "pearson_log", "residual", "verdict"}


def _fits(*tables: pd.DataFrame | None) -> bool:
    """Return whether each is None or a valid table of :mod:`gui.engine.reconstruction`."""
    return all(
        table is None or (set(table.columns) >= _FIT and _numeric(table.drop(columns="verdict")))
        for table in tables
    )


def _scalar(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _missing(table: pd.DataFrame | None) -> bool:
    """Whether it is None, or a table of :func:`gui.engine.missing_types.missing_types`."""
    return table is None or (
        {"fold", "genes"} <= set(table.columns)
        and _numeric(table[["fold"]])
        and all(isinstance(genes, str) for genes in table["genes"])
    )


def _opinion(found: SecondOpinion | None, composition: pd.DataFrame | None) -> bool:
    """Whether it is None, or three tables of numbers that belong to this composition."""
    if found is None:
        return True
    tables = (found.estimate, found.markers, found.relative)
    return (
        composition is not None
        and _numeric(*tables)
        and _missing(found.missing)
        and (found.offset is None or _scalar(found.offset))
        and all(
            table.index.equals(composition.index) and table.columns.equals(composition.columns)
            for table in tables
        )
    )


def _check_dtd(found: DTDResult) -> bool:
    parts = [*found.composition.values(), *found.naive.values(), *found.truth.values()]
    whole = (
        _numeric(found.reference, found.gene_weights, found.correlation, *parts)
        and _curve(found.loss)
        and _fits(*found.fit.values())
        and _opinion(found.second_opinion, found.composition.get("bulk"))
        and (found.rna_content is None or _optional(found.rna_content.factors))
        and _optional(found.checked)
    )
    named = {"part", "method", "cell_type"} <= set(found.metrics.columns) or found.metrics.empty
    return (
        whole
        and named
        and _numeric(found.metrics.drop(columns=["part", "method", "cell_type"], errors="ignore"))
    )


def _check_apply(found: ApplyResult) -> bool:
    return (
        _numeric(found.composition, found.naive)
        and _fits(found.fit)
        and _opinion(found.second_opinion, found.composition)
    )


def _check_adtd(found: ADTDResult) -> bool:
    interval = found.hidden_interval
    whole = _numeric(
        found.composition, found.hidden, found.hidden_profile, found.gene_weights, found.reference
    ) and _curve(found.loss)
    whole = whole and found.hidden.index.equals(found.composition.columns)
    bounds = interval is None or {"low", "high"} <= set(interval.columns)
    return (
        whole
        and bounds
        and _optional(found.gene_regulation, found.truth, found.support, interval)
        and _fits(found.fit)
        and _opinion(found.second_opinion, found.composition)
    )


def _check_search(found: SearchResult) -> bool:
    lambdas = found.losses.columns  # as objects in a session with pseudonyms
    return (
        _numeric(found.losses)
        and all(_scalar(x) for x in lambdas)
        and (
            found.path is None
            or (
                ({"misfit", "size", "supported", "stability"} <= set(found.path.columns))
                and _numeric(found.path)
                and all(_scalar(x) for x in found.path.index)
            )
        )
    )


def _check_bootstrap(found: BootstrapResult) -> bool:
    tables = (found.estimate, found.low, found.high, found.genes_low, found.genes_high)
    return (
        _numeric(*tables)
        and len({table.shape for table in tables}) == 1
        and _optional(found.check, found.sign_stability)
        and (found.draws is None or _are_draws(found.draws, found.estimate.shape))
    )


def _are_draws(draws: np.ndarray, shape: tuple[int, ...]) -> bool:
    return draws.dtype.kind == "f" and draws.ndim == 3 and draws.shape[1:] == shape


ENGINE_KINDS: Mapping[str, tuple[type[Params], type[Any], Callable[[Any], bool]]] = {
    "dtd": (DTDParams, DTDResult, _check_dtd),
    "apply": (ApplyParams, ApplyResult, _check_apply),
    "adtd": (ADTDParams, ADTDResult, _check_adtd),
    "search": (SearchParams, SearchResult, _check_search),
    "bootstrap": (BootstrapParams, BootstrapResult, _check_bootstrap),
}
"""Kind of a run -> its parameters, its result, and whether the result's parts fit together."""
