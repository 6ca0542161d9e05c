"""The steps of quality and scale: counts and genes of every cell and sample, limits to filter by,
bulk against reference, and how values are scaled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, Patch, State, dcc, html
from dash.exceptions import PreventUpdate

from gui.components.common import tip_label, warning
from gui.components.figure import figure_card
from gui.components.number_field import decimal_field, typed_number, whole_number_field
from gui.data.dataset import COLUMN_NAMES, Role
from gui.data.validation.examine import Examination
from gui.data.validation.repairs import FilterColumns
from gui.errors import InvalidParameter
from gui.figures.review import FEW, bulk_scatter, limit_lines, quality
from gui.figures.template import blank, styled
from gui.figures.text import three
from gui.pages.upload.base import GONE, PART_NAMES, page
from gui.pages.upload.repair_form import (
    CHANGED,
    REPAIRS_NOW,
    TOKENS_NOW,
    Entry,
    chosen_files,
    entry,
    with_repairs,
)
from gui.plugin import Context
from gui.text import number

ROLES: tuple[Role, ...] = ("train", "test", "bulk")
"""Parts with quality figures: a reference has no cells and no samples."""
SUMS = {"min_sum": "Smallest sum", "max_sum": "Largest sum"}
LIMITS = (*SUMS, "min_genes")
NOTHING = (
    "Cells and samples are shown once the findings that stand in the way are settled, or once cells"
    " or a bulk are chosen."
)


def _id(role: str, name: str) -> str:
    return str(getattr(page.id, f"quality_{role}_{name}"))


def figure_of(role: str) -> str:
    return str(getattr(page.id, f"quality_{role}"))


OUTPUTS = [
    *[Output(figure_of(role), "figure") for role in ROLES],
    *[Output(_id(role, "box"), "style") for role in ROLES],
    *[Output(_id(role, "words"), "children") for role in ROLES],
    Output(page.id.quality_few, "data"),
    Output(page.id.quality_none, "style"),
    Output(page.id.scatter, "figure"),
    Output(page.id.scatter_box, "style"),
    Output(page.id.scatter_words, "children"),
    Output(page.id.scale_table, "children"),
]


def quality_layout() -> Any:
    scatter = figure_card(
        page,
        "scatter",
        file_name="bulk against reference",
        controls=[dmc.Text("Bulk against reference", size="sm", fw=600)],
    )
    return dmc.Stack(
        [
            dcc.Store(id=page.id.quality_few, data={}),
            dmc.Text(NOTHING, id=page.id.quality_none, size="sm", c="dimmed", style=GONE),
            *[html.Div(_block(role), id=_id(role, "box"), style=GONE) for role in ROLES],
            html.Div(
                [scatter, dmc.Text(id=page.id.scatter_words, size="sm", c="dimmed")],
                id=page.id.scatter_box,
                style=GONE,
            ),
        ],
        gap="lg",
    )


def _block(role: Role) -> list[Any]:
    many = COLUMN_NAMES[role][1]
    fields = [
        (
            "min_sum",
            SUMS["min_sum"],
            f"{many.capitalize()} whose values sum up to less are left out.",
        ),
        (
            "max_sum",
            SUMS["max_sum"],
            f"{many.capitalize()} whose values sum up to more are left out (doublets).",
        ),
        (
            "min_genes",
            "Fewest genes",
            f"{many.capitalize()} with fewer genes above zero are left out.",
        ),
    ]
    common = {"size": "xs", "w": 130, "debounce": 300}
    whole = {"min": 0, "hideControls": True, "clampBehavior": "none"}
    inputs = [
        decimal_field(id=_id(role, name), label=tip_label(label, tip), **common)
        if name in SUMS
        else whole_number_field(id=_id(role, name), label=tip_label(label, tip), **common, **whole)
        for name, label, tip in fields
    ]
    return [
        figure_card(
            page,
            f"quality_{role}",
            file_name=f"quality of {many}",
            controls=[dmc.Text(PART_NAMES[role], size="sm", fw=600)],
        ),
        dmc.Text(id=_id(role, "words"), size="sm", c="dimmed", mb=4),
        dmc.Group(
            [
                *inputs,
                dmc.Button(
                    f"Leave out these {many}", id=_id(role, "filter"), size="xs", variant="default"
                ),
            ],
            align="flex-end",
            gap="xs",
        ),
    ]


def scale_layout(checked: bool) -> Any:
    switch = dmc.Switch(
        id=page.id.scale_switch,
        checked=checked,
        size="sm",
        label=tip_label(
            "Scale to 10 000",
            "Every cell, cell type and sample is scaled to the same total over the genes in use."
            " Off: values are left as they are.",
        ),
    )
    words = (
        "Parts of different depth are made comparable by scaling. Leave it on unless all parts are"
        " on the same scale already. The files stay as they are."
    )
    return dmc.Stack(
        [switch, dmc.Text(words, size="sm", c="dimmed", maw=560), html.Div(id=page.id.scale_table)],
        gap="sm",
    )


@page.callback(
    Output(page.id.scale, "data"), Input(page.id.scale_switch, "checked"), prevent_initial_call=True
)
def keep_scale(ctx: Context, checked: bool | None) -> bool:
    return bool(checked)


def show_quality(found: Examination, scale: bool, dark: bool) -> list[Any]:
    """For ``OUTPUTS``."""
    figures, boxes, words, few = [], [], [], {}
    for role in ROLES:
        table = found.quality.get(role)
        one, many = COLUMN_NAMES[role]
        there = table is not None and len(table) > 0
        figures.append(styled(quality(table, one, many), dark) if there else blank())
        boxes.append({} if there else GONE)
        words.append(_quality_words(table, many) if table is not None and there else "")
        few[role] = there and table is not None and len(table) <= FEW
    scatter = len(found.bulk_against) > 0
    correlation = found.bulk_correlation
    said = (
        ""
        if pd.isna(correlation)
        else (
            f"Rank correlation {three(correlation)}; near 0 speaks for other gene names, another"
            " tissue or another scale."
        )
    )
    figure = styled(bulk_scatter(found.bulk_against), dark) if scatter else blank()
    nothing = GONE if scatter or {} in boxes else {}
    return [
        *figures,
        *boxes,
        *words,
        few,
        nothing,
        figure,
        {} if scatter else GONE,
        said,
        _scale_table(found, scale),
    ]


def _quality_words(table: pd.DataFrame, many: str) -> str:
    sums, genes = table["sum"], table["genes"]
    middle = f"{_amount(sums.min())} to {_amount(sums.max())}"
    return (
        f"{number(len(table))} {many} shown: median sum {_amount(sums.median())} ({middle}), median"
        f" {number(int(genes.median()))} genes."
    )


def _amount(value: float) -> str:
    """Three significant digits; large ones in full, with gaps: 892 000."""
    return number(int(float(f"{value:.3g}"))) if 1000 <= value < 1e12 else three(value)


def _scale_table(found: Examination, scale: bool) -> Any:
    rows = []
    for role, table in found.quality.items():
        sums = table["sum"]
        values = [_amount(v) for v in (sums.min(), sums.median(), sums.max())]
        rows.append([PART_NAMES[role], *values, "10\u00a0000 each" if scale else "as in the file"])
    if not rows:
        return dmc.Text(
            "The sums are shown once the findings that stand in the way are settled.",
            size="sm",
            c="dimmed",
        )
    head = ("Part", "Smallest sum", "Median", "Largest", "After loading")
    table = dmc.Table(
        [
            dmc.TableThead(dmc.TableTr([dmc.TableTh(t) for t in head])),
            dmc.TableTbody([dmc.TableTr([dmc.TableTd(v) for v in row]) for row in rows]),
        ],
        fz="sm",
        verticalSpacing=4,
    )
    logs = [
        warning(x.message)
        for x in found.findings
        if x.code in ("log-values", "negative-log-values")
    ]
    return dmc.Stack([*logs, table], gap="sm")


def _bind(role: Role) -> None:
    @page.callback(
        Output(figure_of(role), "figure", allow_duplicate=True),
        *[Input(_id(role, name), "value") for name in LIMITS],
        State(page.id.quality_few, "data"),
        prevent_initial_call=True,
    )
    def draw_limits(
        ctx: Context, low: Any, high: Any, genes: Any, few: Mapping[str, bool] | None
    ) -> Any:
        """The limits as lines, while they are typed."""
        patch = Patch()
        typed = dict(zip(SUMS, (low, high), strict=True))
        smallest, largest = (typed_number(typed[name], title) for name, title in SUMS.items())
        patch["layout"]["shapes"] = limit_lines(
            bool((few or {}).get(role)), smallest or None, largest or None, genes or None
        )
        return patch

    @page.callback(
        CHANGED,
        Input(_id(role, "filter"), "n_clicks"),
        *[State(_id(role, name), "value") for name in LIMITS],
        REPAIRS_NOW,
        *TOKENS_NOW,
        prevent_initial_call=True,
    )
    def leave_out(
        ctx: Context,
        clicks: int | None,
        low: Any,
        high: Any,
        genes: Any,
        entries: list[Entry] | None,
        *tokens: str | None,
    ) -> Any:
        """The limits become a repair; earlier limits of this part give way."""
        if not clicks:
            raise PreventUpdate
        limits = {
            "min_sum": typed_number(low, SUMS["min_sum"]) or 0,
            "max_sum": typed_number(high, SUMS["max_sum"]),
            "min_genes": genes or 0,
        }
        if not any(limits.values()):
            raise InvalidParameter(
                "No limit is set.", advice="Type the smallest sum or the fewest genes first."
            )
        files = chosen_files(tokens)
        others = [
            e
            for e in entries or []
            if (e["record"].get("kind"), e["record"].get("role")) != ("filter_columns", role)
        ]
        repair = FilterColumns.parse(role=role, **limits)
        return with_repairs(ctx, others, [entry(repair, files)], files)

    for function in (draw_limits, leave_out):
        function.__name__ = f"{role}_{function.__name__}"


for _each in ROLES:
    _bind(_each)
