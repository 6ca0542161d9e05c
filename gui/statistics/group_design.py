"""How samples are compared: who belongs to which group, which test fits, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from gui.errors import DataError
from gui.statistics.linear_model import Design, design

FEWEST = 4
"""Samples a group needs for a p-value: 3 v 3 cannot reach 5 % (the smallest p is .10)."""
EXACT_BELOW = 10
"""Samples of the smaller group from which on Brunner-Munzel takes the place of exact p-values."""
MANY_ZEROS = 0.30
"""Part of the samples from which on a cell type is compared by ranks of its fractions."""
MOST_GROUPS = 20
"""More groups than this are a number, or names: every pair of them would be compared."""

Kind = Literal["groups", "paired", "ordered", "number", "covariates"]
TestKey = Literal[
    "mann-whitney",
    "brunner-munzel",
    "kruskal-wallis",
    "wilcoxon",
    "friedman",
    "jonckheere-terpstra",
    "spearman",
    "least-squares",
]
NAMES: dict[str, str] = {
    "mann-whitney": "exact Mann-Whitney test",
    "brunner-munzel": "Brunner-Munzel test",
    "kruskal-wallis": "Kruskal-Wallis test, then Dunn's test of each pair",
    "wilcoxon": "Wilcoxon signed-rank test",
    "friedman": "Friedman test, then signed-rank tests of each pair",
    "jonckheere-terpstra": "Jonckheere-Terpstra trend test",
    "spearman": "Spearman's rank correlation",
    "least-squares": "linear model with HC3 standard errors",
}


@dataclass(frozen=True)
class ChosenTest:
    """The test for a comparison. tested : False where there are too few samples for a p-value."""

    key: TestKey
    name: str
    reason: str
    tested: bool


def choose_test(kind: Kind, sizes: Mapping[str, int]) -> ChosenTest:
    """The test for these group sizes and the reason in words.

    Parameters
    ----------
    kind : of the comparison
    sizes : group -> samples (paired: complete subjects in every group; a number: one entry)

    Source: Brunner & Munzel 2000 (not below 10 per group: their section 4; unequal spreads);
    Hollander, Wolfe & Chicken 2014, ch. 3, 4, 6, 7, 8 (the others).
    """
    smallest = min(sizes.values(), default=0)
    shown = " v ".join(str(size) for size in sizes.values())
    enough = smallest >= FEWEST and bool(sizes)
    if kind == "number":
        key: TestKey = "spearman"
        reason = f"a number is compared ({shown} samples)"
    elif kind == "covariates":
        key, reason = "least-squares", "covariates are taken into account"
    elif kind == "ordered":
        key, reason = "jonckheere-terpstra", f"the groups have an order ({shown})"
    elif kind == "paired":
        key = "wilcoxon" if len(sizes) == 2 else "friedman"
        reason = f"the samples of {smallest} subjects are compared with each other"
    elif len(sizes) > 2:
        key, reason = "kruskal-wallis", f"there are {len(sizes)} groups ({shown})"
    elif smallest < EXACT_BELOW:
        key = "mann-whitney"
        reason = f"a group has fewer than {EXACT_BELOW} samples ({shown}), so p is counted exactly"
    else:
        key = "brunner-munzel"
        reason = (
            f"both groups have at least {EXACT_BELOW} samples ({shown}); "
            "it remains valid when one group varies more"
        )
    if not enough:
        unit = "subjects" if kind == "paired" else "samples"
        reason += f"; no p-value below {FEWEST} {unit}" + ("" if kind == "number" else " per group")
    return ChosenTest(key, NAMES[key], reason, enough)


def choose_scales(zeros: pd.Series) -> pd.Series:
    """By cell type "log-ratio", or "rank" where more than 30 % of its fractions are zero.

    A replaced zero is a guess; where there are many, ranks (zeros tied) assume less.

    Source: Martín-Fernández et al. 2003, Math Geol 35:253, section 5 (replacement is for few
    zeros).
    """
    scales = pd.Series(np.where(zeros > MANY_ZEROS, "rank", "log-ratio"), index=zeros.index)
    if (scales == "log-ratio").sum() < 2:  # a log-ratio needs something to be compared with
        scales[:] = "rank"
    return scales


def large_enough(sizes: Mapping[str, int]) -> tuple[str, ...]:
    """The groups that are tested, without pairs and covariates: of more than two, those with
    enough samples, if these are two at least; else all.

    Parameters
    ----------
    sizes : group -> samples, in order

    Source: as :func:`choose_test`.
    """
    large = tuple(level for level, n in sizes.items() if n >= FEWEST)
    return large if len(large) >= 2 else tuple(sizes)


@dataclass(frozen=True, eq=False)
class Comparison:
    """The samples that are compared, and how.

    samples : used, in the order of the fractions (paired: group by group, subject by subject)
    levels : names of the groups, in order; codes : the group of every sample; both empty for a
        number
    number : by sample, where a number is compared
    model : with covariates; term : the columns of the compared variable in it
    choice : the test; lost : columns sample and reason; notes : for the user
    """

    kind: Kind
    variable: str
    samples: list[str]
    levels: tuple[str, ...]
    codes: np.ndarray
    choice: ChosenTest
    lost: pd.DataFrame
    number: np.ndarray | None = None
    model: Design | None = None
    term: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    tested: tuple[int, ...] = ()
    """Codes of the groups that are large enough to be tested."""
    notes: tuple[str, ...] = field(default=())

    @property
    def sizes(self) -> dict[str, int]:
        """Samples by group."""
        counts = np.bincount(self.codes, minlength=len(self.levels))
        return {level: int(n) for level, n in zip(self.levels, counts, strict=True)}

    def split(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The columns of the two groups that are tested (paired: in the order of the subjects)."""
        first, second = self.tested
        return values[:, self.codes == first], values[:, self.codes == second]


class _Join:
    """Samples of a run met with columns of a table: what is left, and what was lost and why."""

    def __init__(self, samples: Sequence[str]) -> None:
        self.samples = list(samples)
        self.lost: list[tuple[str, str]] = []

    def keep_known(self, column: pd.Series | pd.DataFrame, name: str) -> None:
        if column.index.has_duplicates:
            twice = column.index[column.index.duplicated()][0]
            raise DataError(
                f"The sample {twice} occurs more than once in the table.", advice="Give each once."
            )
        present = column.index.intersection(self.samples)
        self.lost += [(s, "not in the run") for s in column.index.difference(self.samples)]
        self._drop(set(self.samples) - set(present), "not in the table")
        gaps = column.loc[present].isna()
        if isinstance(gaps, pd.DataFrame):
            for each in gaps.columns:
                self._drop(set(gaps.index[gaps[each]]), f"no value of {each}")
        else:
            self._drop(set(gaps.index[gaps]), f"no value of {name}")

    def _drop(self, names: set[str], reason: str) -> None:
        self.lost += [(s, reason) for s in self.samples if s in names]
        self.samples = [s for s in self.samples if s not in names]

    def drop(self, names: set[str], reason: str) -> None:
        self._drop(names, reason)

    def table(self) -> pd.DataFrame:
        once = dict(reversed(self.lost))  # the first reason stays
        return pd.DataFrame(list(once.items())[::-1], columns=["sample", "reason"])


def group_design(
    samples: Sequence[str],
    groups: pd.Series,
    *,
    order: Sequence[str] | None = None,
    trend: bool = False,
    subjects: pd.Series | None = None,
    covariates: pd.DataFrame | None = None,
) -> Comparison:
    """Samples in groups: two or more, paired by subject, ordered, or with covariates.

    Parameters
    ----------
    samples : of the run
    groups : by sample, gaps allowed; an ordered or plain categorical gives the order of the groups
    order : the groups to compare, in order; others are left out
    trend : test a trend over the order of the groups
    subjects : by sample: compare the samples of the same subject (one per group)
    covariates : samples x variables, taken into account by a linear model

    Raises
    ------
    DataError : fewer than two groups, a subject twice in a group, or options that exclude each
        other

    Source: Hollander, Wolfe & Chicken 2014, ch. 3-7 (the designs).
    """
    if sum([trend, subjects is not None, covariates is not None]) > 1:
        raise DataError(
            "A trend, pairs and covariates cannot be combined.", advice="Choose one of them."
        )
    name = str(groups.name) if groups.name is not None else "group"
    join = _Join(samples)
    join.keep_known(groups, name)
    if subjects is not None:
        join.keep_known(subjects, "the subject")
    if covariates is not None:
        join.keep_known(covariates, "the covariates")
    levels = _levels(groups.loc[join.samples], order)
    texts = groups.loc[join.samples].astype(str)
    join.drop(set(texts.index[~texts.isin(levels)]), "in a group that is not compared")
    notes: list[str] = []
    of = {level: code for code, level in enumerate(levels)}
    used_subjects: tuple[str, ...] = ()
    if subjects is not None:
        join, used_subjects = _complete_subjects(join, texts, subjects, levels)
        by_cell = {(texts[s], str(subjects[s])): s for s in join.samples}
        ordered = [by_cell[level, who] for level in levels for who in used_subjects]
        join.samples = ordered
    codes = np.array([of[texts[s]] for s in join.samples], dtype=np.intp)
    counts = np.bincount(codes, minlength=len(levels))
    sizes = {level: int(n) for level, n in zip(levels, counts, strict=True)}
    tested = tuple(range(len(levels)))
    if subjects is None and covariates is None:
        large = large_enough(sizes)
        tested = tuple(of[level] for level in large)
        small = [f"{level} ({n})" for level, n in sizes.items() if level not in large]
        if small:
            notes.append(
                f"Shown but not tested, with fewer than {FEWEST} samples: {', '.join(small)}."
            )
    kind: Kind = "groups"
    model: Design | None = None
    term: tuple[str, ...] = ()
    if subjects is not None:
        kind = "paired"
    elif covariates is not None:
        kind = "covariates"
        variable = pd.Categorical.from_codes(codes, categories=list(levels))
        model, term = _model(join.samples, name, pd.Series(variable, join.samples), covariates)
    elif trend:
        kind = "ordered"
    choice = choose_test(kind, {levels[code]: sizes[levels[code]] for code in tested})
    if model is not None:
        choice = _enough_left(choice, len(join.samples), model)
    return Comparison(
        kind=kind,
        variable=name,
        samples=join.samples,
        levels=levels,
        codes=codes,
        choice=choice,
        lost=join.table(),
        model=model,
        term=term,
        subjects=used_subjects,
        tested=tested,
        notes=tuple(notes),
    )


def number_design(
    samples: Sequence[str], number: pd.Series, *, covariates: pd.DataFrame | None = None
) -> Comparison:
    """Samples with a number each: Spearman's correlation, or a linear model with covariates.

    Raises
    ------
    DataError : the number is the same in all samples

    Source: Hollander, Wolfe & Chicken 2014, section 8.5; Long & Ervin 2000 (linear model).
    """
    name = str(number.name) if number.name is not None else "number"
    join = _Join(samples)
    join.keep_known(number, name)
    if covariates is not None:
        join.keep_known(covariates, "the covariates")
    values = number.loc[join.samples].astype(np.float64)
    infinite = set(values.index[~np.isfinite(values)])
    join.drop(infinite, f"no finite value of {name}")
    values = values.loc[join.samples]
    if values.nunique() < 2:
        raise DataError(
            f"{name} has the same value in all samples.", advice="Choose another column."
        )
    choice = choose_test("number", {name: len(values)})
    model: Design | None = None
    term: tuple[str, ...] = ()
    kind: Kind = "number"
    if covariates is not None:
        kind = "covariates"
        model, term = _model(join.samples, name, values, covariates)
        choice = _enough_left(choose_test(kind, {name: len(values)}), len(values), model)
    return Comparison(
        kind=kind,
        variable=name,
        samples=join.samples,
        levels=(),
        codes=np.empty(0, dtype=np.intp),
        choice=choice,
        lost=join.table(),
        number=values.to_numpy(),
        model=model,
        term=term,
    )


def _levels(groups: pd.Series, order: Sequence[str] | None) -> tuple[str, ...]:
    present = set(groups.astype(str))
    if order is not None:
        missing = [str(level) for level in order if str(level) not in present]
        if missing:
            raise DataError(f"No sample is in the group {missing[0]}.", advice="Check the order.")
        levels = tuple(dict.fromkeys(str(level) for level in order))
    elif isinstance(groups.dtype, pd.CategoricalDtype):
        levels = tuple(str(level) for level in groups.cat.categories if str(level) in present)
    else:
        distinct = groups.drop_duplicates()
        try:
            distinct = distinct.sort_values()
        except TypeError:  # numbers and text in one column
            distinct = distinct.astype(str).sort_values()
        levels = tuple(dict.fromkeys(distinct.astype(str)))
    if len(levels) > MOST_GROUPS:
        raise DataError(
            f"{groups.name} has {len(levels)} different values, and at most {MOST_GROUPS} groups "
            "are compared.",
            advice="Compare it as a number, cut it at stated points, or choose the groups.",
        )
    if len(levels) < 2:
        raise DataError(
            "A comparison needs at least two groups, and the samples in use are in "
            + (f"one ({levels[0]})." if levels else "none."),
            advice="Choose another column, or check that the sample names match.",
        )
    return levels


def _complete_subjects(
    join: _Join, texts: pd.Series, subjects: pd.Series, levels: tuple[str, ...]
) -> tuple[_Join, tuple[str, ...]]:
    who = subjects.loc[join.samples].astype(str)
    cells = pd.DataFrame({"subject": who, "group": texts.loc[join.samples]})
    twice = cells.duplicated()
    if twice.any():
        subject, group = cells[twice].iloc[0]
        raise DataError(
            f"The subject {subject} has more than one sample in the group {group}.",
            advice="Leave all but one out.",
        )
    complete = cells.groupby("subject").size()
    full = set(complete.index[complete == len(levels)])
    join.drop(set(who.index[~who.isin(full)]), "its subject has no sample in every group")
    kept = tuple(dict.fromkeys(who.loc[join.samples]))
    if not kept:
        raise DataError(
            "No subject has a sample in every group.",
            advice="Compare the groups without pairs, or choose other groups.",
        )
    return join, kept


def _model(
    samples: list[str], name: str, variable: pd.Series, covariates: pd.DataFrame
) -> tuple[Design, tuple[str, ...]]:
    if name in covariates.columns:
        raise DataError(f"{name} is compared and a covariate.", advice="Leave one of them out.")
    frame = pd.concat([variable.rename(name), covariates.loc[samples]], axis=1)
    model = design(frame)
    return model, tuple(model.terms[name])


def _enough_left(choice: ChosenTest, samples: int, model: Design) -> ChosenTest:
    left = samples - model.matrix.shape[1]
    if left >= FEWEST:
        return choice
    reason = f"{choice.reason}; no p-value: {samples} samples for {model.matrix.shape[1]} terms"
    return ChosenTest(choice.key, choice.name, reason, False)
