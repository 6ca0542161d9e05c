"""Page Groups: its forms, and what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import Input, State

from gui.analyses.cut_values import cut_values
from gui.analyses.groups import GroupsParams
from gui.analyses.samples import as_groups, cleaned, is_number, sample_table
from gui.answers.analyses import composition_runs
from gui.answers.run_names import source_label
from gui.components.form import ParamsForm
from gui.components.job_progress import JobProgress
from gui.data.dataset import Dataset
from gui.engine.results import Run
from gui.errors import MissingPart
from gui.plugin import Context, Page
from gui.statistics.group_design import MOST_GROUPS

page = Page(
    "groups", "Groups", "what differs between samples", order=40, requires=("bulk", "composition")
)
progress = JobProgress(page, "groups", "group_regulation")
form = ParamsForm(
    page,
    GroupsParams,
    names=("compare", "hidden", "scale", "level"),
    choices={
        "compare": {"groups": "Groups", "trend": "Trend", "number": "Number"},
        "scale": {
            "auto": "Automatic",
            "log-ratio": "Log-ratios of all",
            "fraction": "Fractions as they are",
        },
    },
)
"""The fields with fixed choices; those whose choices are the session's are below."""
CHOSEN = ("source", "column", "groups", "cuts", "subject", "covariates")
MANY = ("groups", "covariates")
"""Of them, those that hold several values."""


def field_inputs() -> dict[str, Input]:
    """Of every field of the page, by name."""
    return {name: Input(getattr(page.id, name), "value") for name in CHOSEN} | form.inputs


def field_states() -> dict[str, State]:
    """The same, without a call when they change."""
    return {name: State(getattr(page.id, name), "value") for name in CHOSEN} | form.states


def kept(ctx: Context, name: str) -> Any:
    """What the session keeps of a field, of the right type: a session file may hold anything."""
    value = ctx.session.form(page.key).get(name)
    if name in MANY:
        return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []
    return value if isinstance(value, str) else ""


def parse(values: Mapping[str, Any]) -> GroupsParams:
    """The parameters; InvalidParameter if one is not allowed."""
    number = values["compare"] == "number"
    cuts = () if number else cut_values(values["cuts"] or "")
    return form.parse(
        values,
        column=values["column"] or "",
        groups=() if number or cuts else tuple(values["groups"] or ()),
        cuts=cuts,
        subject="" if number else values["subject"] or "",
        covariates=tuple(values["covariates"] or ()),
    )


def source_run(ctx: Context, run_id: str | None) -> Run:
    """The run whose composition is compared; MissingPart if there is none."""
    runs = composition_runs(ctx.session)
    found = next((run for run in runs if run.id == run_id), runs[0] if runs else None)
    if found is None:
        raise MissingPart(
            "There is no composition of the current bulk yet.",
            advice="Run DTD, or compute the bulk on its page.",
        )
    return found


def source_options(ctx: Context) -> list[dict[str, str]]:
    """``data`` of the choice of a run."""
    return [{"value": run.id, "label": source_label(run)} for run in composition_runs(ctx.session)]


def column_options(dataset: Dataset | None) -> dict[str, list[dict[str, str]]]:
    """``data`` of the choices of columns, by field: those that the samples differ in."""
    columns: list[dict[str, str]] = []
    names: list[dict[str, str]] = []
    table = sample_table(dataset) if dataset is not None else pd.DataFrame()
    for name in table.columns:
        column = cleaned(table[name])
        different = column.nunique()
        if different < 2:
            continue
        many = different > MOST_GROUPS and not is_number(column)
        (names if many else columns).append({"value": str(name), "label": str(name)})
    return {"column": columns, "subject": names + columns, "covariates": columns}


def levels_of(dataset: Dataset | None, name: str | None) -> list[str]:
    """The groups of a column in order, at most :data:`MOST_GROUPS`; none of a number with more."""
    table = sample_table(dataset) if dataset is not None else None
    if table is None or name not in table.columns:
        return []
    levels = [str(level) for level in as_groups(table[name]).cat.categories]
    return levels if len(levels) <= MOST_GROUPS else []


def holds_numbers(dataset: Dataset | None, name: str | None) -> bool:
    """Whether a column holds numbers."""
    table = sample_table(dataset) if dataset is not None else None
    return table is not None and name in table.columns and is_number(cleaned(table[name]))


def is_many_numbers(dataset: Dataset | None, name: str | None) -> bool:
    """Whether a column is a number with too many values to be groups, or another of each sample."""
    if dataset is None or not holds_numbers(dataset, name):
        return False
    column = cleaned(sample_table(dataset)[name])
    different = column.nunique()
    return different > MOST_GROUPS or 2 < different == column.count()
