"""The fields of the parameter column."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from gui.analyses.groups import GroupsParams
from gui.components.common import card, form_end, tip_label
from gui.components.form import folded
from gui.pages.groups.base import (
    column_options,
    form,
    kept,
    levels_of,
    page,
    progress,
    source_options,
)
from gui.plugin import Context


def column(ctx: Context) -> Any:
    """The parameters and one primary button."""
    data = ctx.session.dataset
    columns = column_options(data)
    name = valid(kept(ctx, "column"), columns["column"])
    levels = [{"value": level, "label": level} for level in levels_of(data, name)]
    sources = source_options(ctx)
    source = valid(kept(ctx, "source"), sources) or (sources[0]["value"] if sources else None)
    common = {"size": "sm", "searchable": True, "nothingFoundMessage": "No such column"}
    advanced = [
        dmc.Select(
            id=page.id.subject,
            label=_label("subject"),
            data=columns["subject"],
            value=valid(kept(ctx, "subject"), columns["subject"]),
            placeholder="not paired",
            clearable=True,
            **common,
        ),
        dmc.MultiSelect(
            id=page.id.covariates,
            label=_label("covariates"),
            data=columns["covariates"],
            value=[v for v in kept(ctx, "covariates") if valid(v, columns["covariates"])],
            placeholder="none",
            **common,
        ),
        form.fields(ctx, "hidden", "scale", "level"),
    ]
    return card(
        dmc.Stack(
            [
                dmc.Select(
                    id=page.id.source,
                    label=tip_label(
                        "Composition of", "The run whose fractions of the bulk are compared."
                    ),
                    data=sources,
                    value=source,
                    allowDeselect=False,
                    size="sm",
                ),
                dmc.Select(
                    id=page.id.column,
                    label=_label("column"),
                    data=columns["column"],
                    value=name,
                    placeholder="Choose a column",
                    **common,
                ),
                form.fields(ctx, "compare"),
                html.Div(
                    dmc.MultiSelect(
                        id=page.id.groups,
                        label=_label("groups"),
                        data=levels,
                        value=[v for v in kept(ctx, "groups") if valid(v, levels)],
                        placeholder="all",
                        size="sm",
                    ),
                    id=page.id.for_groups,
                ),
                html.Div(
                    dmc.TextInput(
                        id=page.id.cuts,
                        label=_label("cuts"),
                        value=kept(ctx, "cuts"),
                        placeholder="50; 65",
                        debounce=400,
                        size="sm",
                    ),
                    id=page.id.for_cuts,
                ),
                folded("Advanced", dmc.Stack(advanced, gap="sm")),
                form.hidden_parts(),
                form_end(
                    dmc.Button("Compare", id=page.id.run, fullWidth=True, disabled=True),
                    dmc.Text(id=page.id.reason, size="xs", c="dimmed", ta="center", mt=6),
                    progress.layout(ctx),
                ),
            ],
            gap="sm",
        )
    )


def _label(name: str) -> Any:
    field = GroupsParams.model_fields[name]
    return tip_label(field.title, field.description or "")


def valid(value: Any, options: list[dict[str, str]]) -> Any:
    """The value if it is among the options, else None."""
    return value if any(option["value"] == value for option in options) else None
