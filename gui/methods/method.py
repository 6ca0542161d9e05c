"""What a method is, and what every one of them returns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import numpy as np
import pandas as pd

from gui.data.dataset import HIDDEN, Dataset
from gui.engine.params import Params
from gui.engine.results import SecondOpinion
from gui.errors import EngineFailed, MissingPart

KIND = "method"
"""Of the runs of every method but DTD and ADTD, which have kinds and pages of their own."""


class Capability(StrEnum):
    """What a method may estimate beside the fractions."""

    WEIGHTS = "gene weights"
    HIDDEN = "hidden background"
    REGULATION = "gene regulation"
    LAYERS = "layers of cell types"
    INTERVALS = "intervals"


Needs = Literal["cells", "reference"]


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes
    ----------
    key
        Lower-case letters, digits and ``_ + , -``; as ``analyze --method`` takes it.
    title, description
        On screen; the description is a sentence or two.
    task
        A plain function of a module, ``(dataset, params, *, progress) -> MethodResult``. It runs in
        the worker process.
    params
        Class of its parameters.
    capabilities
        What it can.
    needs
        "cells": labelled single cells; "reference": a reference without cells is enough.
    kind
        Of its runs; :data:`KIND` for every method but the built-in DTD and ADTD.
    """

    key: str
    title: str
    description: str
    task: Callable[..., Any]
    params: type[Params] = Params
    capabilities: frozenset[Capability] = frozenset()
    needs: Needs = "cells"
    kind: str = KIND

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_+,-]{0,30}", self.key):
            raise ValueError(f"{self.key!r} is no key of a method")

    def can(self, capability: Capability) -> bool:
        """Whether it estimates this."""
        return capability in self.capabilities

    def obstacle(self, dataset: Dataset | None) -> str:
        """Why it cannot be run on these data, a sentence; "" if it can."""
        if dataset is None or dataset.bulk is None:
            return "There are no bulk samples. Load them on the Upload page."
        if dataset.train is None and (self.needs == "cells" or dataset.reference is None):
            return (
                f"{self.title} needs labelled single cells, and these data hold a reference only."
                " Load training cells, or choose a method that needs a reference only."
                if dataset.reference is not None
                else "There are neither single cells nor a reference. Load them on the Upload page."
            )
        return ""


@dataclass(frozen=True, eq=False)
class MethodResult:
    """What a method says of the bulk.

    Attributes
    ----------
    method, title
        Key and title of the method, so that a result is told without it.
    composition
        Cell types x samples, RNA fractions; of the finest layer.
    reference
        genes x cell types, as used.
    hidden
        Fraction of the hidden background by sample, or None.
    layers
        Name -> types of the layer x samples, coarsest first, the finest last; empty with one layer.
    parents
        Layer -> fine type -> its type in that layer.
    low, high
        95 % intervals, shaped as ``composition``, or None.
    gene_weights
        genes (or genes x layers), or None.
    fit_weights
        By gene, how much its squared error counts in the fit, where that is not ``gene_weights``;
        None where it is not known. Cell types too alike to be distinguished are named by it.
    hidden_profile
        By gene of the reference, what the hidden background expresses; None where not estimated.
    gene_regulation
        Factor against the reference, genes x cell types as the reference, 1 = unregulated, or None.
    support
        Shaped as ``gene_regulation``, in [0, 1]: how much the data say about it (below 0.1 it is
        shown grey and not counted); None where that is not known.
    fit
        See :mod:`gui.engine.reconstruction`, or None.
    second_opinion
        Two other estimates beside this one, or None.
    citations
        (what and who, doi).
    methods
        A sentence or more for a manuscript.
    notes
        Sentences for the user: what was assumed and left out.
    """

    method: str
    title: str
    composition: pd.DataFrame
    reference: pd.DataFrame
    hidden: pd.Series | None = None
    layers: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    parents: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    low: pd.DataFrame | None = None
    high: pd.DataFrame | None = None
    gene_weights: pd.DataFrame | None = None
    fit: pd.DataFrame | None = None
    second_opinion: SecondOpinion | None = None
    citations: tuple[tuple[str, str], ...] = ()
    methods: str = ""
    notes: tuple[str, ...] = ()
    fit_weights: pd.Series | None = None
    hidden_profile: pd.Series | None = None
    gene_regulation: pd.DataFrame | None = None
    support: pd.DataFrame | None = None

    def full(self) -> pd.DataFrame:
        """Cell types (and ``hidden`` where it is estimated) x samples."""
        if self.hidden is None:
            return self.composition
        return pd.concat([self.composition, self.hidden.to_frame(HIDDEN).T])

    def weights_of_fit(self) -> pd.Series | None:
        """By gene, how much it counts in the fit of the finest layer; None where not known."""
        if self.fit_weights is None and self.gene_weights is not None:
            one = self.gene_weights.shape[1] == 1
            return self.gene_weights.iloc[:, 0] if one else None
        return self.fit_weights

    def fits(self) -> bool:
        """Whether its parts fit together: asked before it is kept and after it is read."""
        frame = self.composition
        numeric = [self.composition, self.reference, *self.layers.values()]
        numeric += [t for t in (self.low, self.high, self.gene_weights) if t is not None]
        opinion = self.second_opinion
        return (
            all(isinstance(t, pd.DataFrame) and _numeric(t) for t in numeric)
            and (self.hidden is None or self.hidden.index.equals(frame.columns))
            and all(layer.columns.equals(frame.columns) for layer in self.layers.values())
            and all(t is None or t.shape == frame.shape for t in (self.low, self.high))
            and (self.fit_weights is None or _numeric(self.fit_weights.to_frame()))
            and _gene_effects_fit(self)
            and (
                opinion is None
                or all(
                    t.index.equals(frame.index) and t.columns.equals(frame.columns) and _numeric(t)
                    for t in (opinion.estimate, opinion.markers, opinion.relative)
                )
            )
        )


_OPINION: ContextVar[bool] = ContextVar("second opinion", default=True)


@contextmanager
def without_second_opinion() -> Iterator[None]:
    """Within it :func:`method_result` adds none: a method that is repeated needs it once."""
    token = _OPINION.set(False)
    try:
        yield
    finally:
        _OPINION.reset(token)


def _gene_effects_fit(result: MethodResult) -> bool:
    """Whether hidden profile, regulation and support are of the reference, without gaps."""
    profile, reference = result.hidden_profile, result.reference
    tables = [t for t in (result.gene_regulation, result.support) if t is not None]
    tables += [] if profile is None else [profile.to_frame()]
    return (
        all(t.index.equals(reference.index) and _numeric(t) for t in tables)
        and all((t.to_numpy(dtype=np.float64) >= 0).all() for t in tables)  # NaN neither
        and all(
            t is None or t.columns.equals(reference.columns)
            for t in (result.gene_regulation, result.support)
        )
        and (result.support is None or result.gene_regulation is not None)
    )


def _numeric(frame: pd.DataFrame) -> bool:
    return all(isinstance(k, np.dtype) and k.kind in "biuf" for k in frame.dtypes)


def method_result(
    dataset: Dataset,
    method: str,
    title: str,
    composition: pd.DataFrame,
    reference: pd.DataFrame,
    *,
    opinion: bool = True,
    notes: Sequence[str] = (),
    **parts: Any,
) -> MethodResult:
    """Complete and check what a method estimated: for its task, in a plug-in too.

    Samples are named as in the bulk, and a second opinion is added.

    Parameters
    ----------
    composition
        Cell types x samples of the bulk; finite, not negative.
    reference
        genes x cell types, as used.
    opinion
        Whether a second opinion on it means anything: not on a method that is part of one.
    parts
        Further fields of :class:`MethodResult`.

    Raises
    ------
    MissingPart
        There is no bulk.
    EngineFailed
        The composition is not one of these samples and cell types; a hidden profile, gene
        regulation or its support is not of the genes and cell types of the reference.
    """
    if dataset.bulk is None:
        raise MissingPart("There are no bulk samples.", advice="Load them on the Upload page.")
    samples = dataset.bulk.matrix.columns
    values = composition.to_numpy(dtype=np.float64)
    if (
        list(map(str, composition.columns)) != list(map(str, samples))
        or not composition.index.equals(pd.Index(reference.columns))
        or not np.isfinite(values).all()
        or (values < 0).any()
    ):
        raise EngineFailed(
            f"{title} gave no fractions of these samples and cell types.",
            advice="Check the bulk for samples that are zero over the genes in use.",
        )
    said = list(notes)
    found = None
    if opinion and _OPINION.get():
        from gui.engine.second_opinion import second_opinion

        found = second_opinion(dataset, reference, composition)
    result = MethodResult(
        method,
        title,
        composition,
        reference,
        second_opinion=found,
        notes=tuple(said),
        **parts,
    )
    if not _gene_effects_fit(result):
        raise EngineFailed(
            f"{title} gave a hidden profile or gene regulation of other genes or cell types than"
            " those of its reference, or with gaps.",
            advice="Ask whoever wrote this method.",
        )
    return result
