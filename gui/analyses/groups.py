"""Groups: which cell types differ between groups of samples, over an order or along a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from pydantic import field_validator

from gui.analyses.composition import bulk_composition, draws_of, without_hidden
from gui.analyses.cut_values import cut_text
from gui.analyses.patients import patients
from gui.analyses.samples import (
    as_groups,
    as_numbers,
    is_number,
    order_is_known,
    sample_column,
)
from gui.data.dataset import HIDDEN
from gui.engine.params import Params, param
from gui.engine.results import ADTDResult, ApplyResult, BootstrapResult, DTDResult
from gui.errors import DataError, InvalidParameter
from gui.methods.method import MethodResult
from gui.statistics.fraction_scales import Scale
from gui.statistics.group_design import large_enough
from gui.text import some

if TYPE_CHECKING:
    from gui.data.dataset import Dataset
    from gui.jobs.status import Progress
    from gui.statistics.group_comparison import GroupComparison
    from gui.statistics.group_design import Comparison

Compare = Literal["groups", "trend", "number"]
COMPARING = "Comparing groups"
PAIRS_ADVICE = (
    ", or, where each has a sample in every group, choose the column of the patients under “Paired"
    " by”"
)


class GroupsParams(Params):
    """What is compared, and how. Columns are those of :func:`gui.analyses.samples.sample_table`."""

    column: str = param(
        "",
        "Groups by",
        "A column of the clinical table, or an annotation of the bulk, that says to which group a"
        " sample belongs.",
    )
    compare: Compare = param(
        "groups",
        "Compare",
        "Groups: does any group differ? Trend: do fractions rise or fall in the order of the"
        " groups? Number: do fractions change along a number such as age?",
    )
    groups: tuple[str, ...] = param(
        (),
        "Which groups",
        "The groups to compare, in this order; empty for all. Samples of other groups are left"
        " out. With two groups, a difference is the second minus the first.",
    )
    cuts: tuple[float, ...] = param(
        (),
        "Cut at",
        "Makes groups of a number: 50; 65 makes below 50, 50 to below 65, and 65 and above. State"
        " points that were fixed before the data were seen.",
    )
    subject: str = param(
        "",
        "Paired by",
        "A column that names the patient or donor: samples of the same one are compared with each"
        " other. Each needs one sample in every group.",
        advanced=True,
    )
    covariates: tuple[str, ...] = param(
        (),
        "Covariates",
        "Columns whose effect is taken out, such as age or batch: a linear model of the log-ratios"
        " with standard errors that allow unequal variances (HC3).",
        advanced=True,
    )
    hidden: bool = param(
        True,
        "Include the hidden fraction",
        "Compare the hidden background like a cell type. Without it, the fractions of the cell"
        " types are made to sum to 1. Needs an ADTD run.",
        advanced=True,
    )
    scale: Scale = param(
        "auto",
        "Scale",
        "Automatic: log-ratios against the geometric mean of all types, with zeros replaced; ranks"
        " of the fractions for types with more than 30 % zeros. The others use one scale for all.",
        advanced=True,
    )
    level: float = param(
        0.05,
        "False discovery rate",
        "The expected part of false findings among the cell types that are called different"
        " (Benjamini-Hochberg over all types tested).",
        gt=0,
        lt=1,
        allow_inf_nan=False,
        advanced=True,
    )

    @field_validator("groups", "covariates", "cuts", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    def used(self) -> list[str]:
        without = {"groups", "subject"} if self.compare == "number" else set()
        without |= {"cuts"} if self.compare == "number" or not self.cuts else set()
        without |= {name for name in ("groups", "subject", "covariates") if not getattr(self, name)}
        return [name for name in super().used() if name not in without]


@dataclass(frozen=True, eq=False)
class GroupsResult:
    """What differs, and by how much.

    Attributes
    ----------
    table, pairs, summary, values
        As in :class:`gui.statistics.group_comparison.GroupComparison`.
    fractions
        Cell types (and ``hidden``) x samples compared, closed to sum 1.
    design
        Samples x columns: ``group`` (name), or ``number``; ``subject`` where paired.
    levels
        The groups in order; empty along a number.
    lost
        Columns sample and reason: who is not compared.
    kind
        "groups", "paired", "ordered", "number" or "covariates".
    variable
        The column that is compared.
    key, test, reason, tested
        The test (as in :data:`gui.statistics.group_design.NAMES`) and its name, why it was
        chosen, and whether there are enough samples for p-values.
    effect_name, no_effect
        What ``table["effect"]`` is, and its value where nothing differs.
    family, pairs_family
        How many tests the adjusted p-values of ``table`` and ``pairs`` answer for.
    draws
        How many bootstrap draws were looked at, 0 without any.
    level
        Of the false discovery rate.
    """

    table: pd.DataFrame
    pairs: pd.DataFrame
    summary: pd.DataFrame
    values: pd.DataFrame
    fractions: pd.DataFrame
    design: pd.DataFrame
    levels: tuple[str, ...]
    lost: pd.DataFrame
    kind: str
    variable: str
    key: str
    test: str
    reason: str
    tested: bool
    effect_name: str
    no_effect: float
    family: int
    pairs_family: int
    draws: int
    level: float
    notes: tuple[str, ...]

    @property
    def called(self) -> list[str]:
        """The cell types that differ, strongest evidence first."""
        found = self.table[self.table["called"].astype(bool)]
        return [str(name) for name in found.sort_values("p", kind="stable").index]

    @property
    def sizes(self) -> dict[str, int]:
        """Group -> samples compared; empty along a number."""
        if not self.levels:
            return {}
        counts = self.design["group"].value_counts()
        return {level: int(counts.get(level, 0)) for level in self.levels}

    @property
    def compared(self) -> tuple[str, ...]:
        """The groups that are tested, in order; those too small for that are only shown."""
        if self.kind in ("paired", "covariates"):
            return self.levels
        return large_enough(self.sizes)

    def tables(self) -> dict[str, pd.DataFrame]:
        found = {"groups": self.table.rename_axis("cell_type")}
        if len(self.pairs):
            found["groups_pairs"] = self.pairs.set_index("cell_type")
        found["groups_summary"] = self.summary.set_index("cell_type")
        found["groups_samples"] = pd.concat(
            [self.design.rename_axis("sample").reset_index(), self.lost], ignore_index=True
        ).set_index("sample")
        return found

    def citations(self) -> tuple[str, ...]:
        used = set(self.table["scale"])
        found = ["aitchison", "zeros"] if "log-ratio" in used else []
        if not self.family:
            return tuple(found)
        tests = {"brunner-munzel": "brunner-munzel", "kruskal-wallis": "dunn"}
        tests["least-squares"] = "hc3"
        found += [tests[self.key]] if self.key in tests else []
        return (*found, "benjamini-hochberg")

    def fits(self) -> bool:
        types, samples = list(self.fractions.index), list(self.fractions.columns)
        numbers = [c for c in self.table.columns if c != "scale"]
        return (
            list(self.table.index) == types
            and list(self.values.index) == types
            and list(self.values.columns) == samples
            and list(self.design.index) == samples
            and {"scale", "effect", "p", "p_adjusted", "called", "kept"} <= set(self.table.columns)
            and {"sample", "reason"} <= set(self.lost.columns)
            and ("group" if self.levels else "number") in self.design.columns
            and all(self.table[c].dtype.kind in "biuf" for c in numbers)
            and all(kind.kind == "f" for kind in (*self.fractions.dtypes, *self.values.dtypes))
        )


def run_groups(
    dataset: Dataset,
    params: GroupsParams,
    *,
    progress: Progress,
    dtd: DTDResult | None = None,
    apply: ApplyResult | None = None,
    adtd: ADTDResult | None = None,
    method: MethodResult | None = None,
    bootstrap: BootstrapResult | None = None,
) -> GroupsResult:
    """Compare the fractions of one run between the groups of a column.

    Parameters
    ----------
    dtd, apply, adtd, method
        One of them: the run whose composition of the bulk is compared.
    bootstrap
        Of that run; with draws it is counted in how many of them every call holds.

    Raises
    ------
    MissingPart
        No composition of the bulk, no such column.
    DataError, InvalidParameter, BadValues
        The column makes no groups, or options exclude each other.
    """
    from gui.statistics.group_comparison import compare_groups

    progress(COMPARING)
    fractions = bulk_composition(dtd=dtd, apply=apply, adtd=adtd, method=method)
    fractions = fractions.set_axis(fractions.columns.map(str), axis=1)
    if HIDDEN in fractions.index and not params.hidden:
        fractions = without_hidden(fractions)
    # DTD's solution is not bound at zero
    fractions = fractions.clip(lower=0.0)
    comparison, notes = design_of(dataset, params, list(fractions.columns))
    progress(COMPARING)
    found = compare_groups(
        fractions,
        comparison,
        scale=params.scale,
        draws=draws_of(fractions, bootstrap),
        level=params.level,
    )
    if not params.subject:
        notes = (*notes, *repeated_patients(dataset, comparison.samples, PAIRS_ADVICE))
    return _result(fractions, found, notes)


def repeated_patients(dataset: Dataset, samples: list[str], advice: str = "") -> tuple[str, ...]:
    """That patients have several of the samples, which are compared as if independent."""
    of, how = patients(dataset, samples)
    if of is None:
        return ()
    counts = of.reindex(samples).value_counts()
    several = int((counts > 1).sum())
    if not several:
        return ()
    have = f"{several} patients have" if several > 1 else "1 patient has"
    return (
        f"{have} more than one of the samples compared, which are treated as if each were of"
        f" another patient: p-values are too small and intervals too narrow. {how} Keep one sample"
        f" of each patient{advice}.",
    )


def design_of(
    dataset: Dataset, params: GroupsParams, samples: list[str]
) -> tuple[Comparison, tuple[str, ...]]:
    """Who is compared with whom, and what was assumed of the column.

    Raises
    ------
    MissingPart, DataError, InvalidParameter
    """
    from gui.statistics.cut_points import cut_at
    from gui.statistics.group_design import group_design, number_design

    if not params.column:
        raise InvalidParameter("No column is chosen.", advice="Choose one under “Groups by”.")
    column = sample_column(dataset, params.column)
    covariates = _covariates(dataset, params)
    if params.compare == "number":
        if not is_number(column):
            raise DataError(
                f"{params.column} holds text, not numbers.",
                advice="Compare it as groups, or as a trend over groups in an order.",
            )
        return number_design(samples, as_numbers(column), covariates=covariates), ()
    notes: tuple[str, ...] = ()
    if params.cuts:
        if not is_number(column):
            raise DataError(
                f"{params.column} holds text and cannot be cut.", advice="Leave the cut points out."
            )
        grouping = cut_at(as_numbers(column), params.cuts)
        shown = cut_text(sorted(params.cuts))
        notes = (f"{params.column} is cut at {shown}. A value on a cut is in the upper group.",)
    else:
        grouping = as_groups(column)
        levels = [str(level) for level in grouping.cat.categories]
        if params.compare == "trend" and not params.groups and not order_is_known(column, levels):
            raise DataError(
                f"The order of the groups of {params.column} is not known ({some(levels, 4)}).",
                advice="Choose the groups in their order under “Which groups”.",
            )
    subjects = None
    if params.subject:
        subjects = as_groups(sample_column(dataset, params.subject)).astype(object)
    design = group_design(
        samples,
        grouping,
        order=params.groups or None,
        trend=params.compare == "trend",
        subjects=subjects,
        covariates=covariates,
    )
    return design, notes


def _covariates(dataset: Dataset, params: GroupsParams) -> pd.DataFrame | None:
    if not params.covariates:
        return None
    columns = {}
    for name in params.covariates:
        column = sample_column(dataset, name)
        columns[name] = as_numbers(column) if is_number(column) else as_groups(column)
    return pd.DataFrame(columns)


def _result(
    fractions: pd.DataFrame, found: GroupComparison, notes: tuple[str, ...]
) -> GroupsResult:
    made = found.comparison
    used = fractions[made.samples]
    design = pd.DataFrame(index=pd.Index(made.samples))
    if made.levels:
        design["group"] = [made.levels[code] for code in made.codes]
    else:
        assert made.number is not None
        design["number"] = made.number
    if made.subjects:  # ordered by group, then by subject
        design["subject"] = list(made.subjects) * len(made.levels)
    return GroupsResult(
        table=found.table,
        pairs=found.pairs,
        summary=found.summary,
        values=found.values,
        fractions=used / np.maximum(used.sum(axis=0), np.finfo(float).tiny),
        design=design,
        levels=made.levels,
        lost=made.lost,
        kind=made.kind,
        variable=made.variable,
        key=made.choice.key,
        test=made.choice.name,
        reason=made.choice.reason,
        tested=made.choice.tested,
        effect_name=found.effect_name,
        no_effect=found.no_effect,
        family=found.family,
        pairs_family=found.pairs_family,
        draws=found.draws,
        level=found.level,
        notes=(*notes, *found.notes),
    )
