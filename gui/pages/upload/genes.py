"""The step of the genes: how many are left at every step, and other gene names by a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, State, html, no_update
from dash.exceptions import PreventUpdate

from gui.components.common import scrolling, tip_label
from gui.components.figure import figure_card
from gui.components.file_field import FileField
from gui.data.dataset import ROLES
from gui.data.validation.examine import Examination, gene_names_task
from gui.data.validation.repairs_genes import MapGenes
from gui.data.validation.repairs_matching import MatchGenes
from gui.figures.review import gene_funnel
from gui.figures.template import blank, styled
from gui.files import CSV
from gui.pages.upload.base import CHOICES, GONE, PART_NAMES, TABLE, page
from gui.pages.upload.repair_form import (
    CHANGED,
    REPAIRS_NOW,
    TOKENS_NOW,
    Entry,
    chosen_files,
    entry,
    with_repairs,
)
from gui.pages.upload.requests import asked
from gui.plugin import Context
from gui.text import number

NAMES = FileField(page, "gene_names", (TABLE,), title="Table of gene names")
NAMES.bind()
STAGES = {
    "read": "Read",
    "mapped": "After repairs",
    "shared": "In all parts",
    "expressed": "Expressed in the training cells",
    "selected": "Selected for DTD",
}
WAYS_TIP = (
    "Each name in a file is looked up in the gene tables of the program (NCBI, Ensembl) and brought"
    " to the names of the training cells, if that is switched on under Findings. Names that may be"
    " several genes are never changed. The list has every name with what it becomes."
)
UNKNOWN = "How many genes are left is known once the findings that stand in the way are settled."
OUTPUTS = [
    Output(page.id.funnel, "figure"),
    Output(page.id.funnel_words, "children"),
    Output(page.id.names_role, "data"),
    Output(page.id.names_role, "value"),
    Output(page.id.names_box, "style"),
    Output(page.id.name_ways, "children"),
    Output(page.id.ways_box, "style"),
    Output(page.id.match_names, "style"),
]


def genes_layout(ctx: Context) -> Any:
    role = dmc.Select(
        id=page.id.names_role, data=[], size="xs", label="Of which part", allowDeselect=False, w=200
    )
    tip = (
        "Two columns: the names as they are (such as Ensembl IDs), and the names you want (such as"
        " symbols). Genes that are not in it are left out."
    )
    table = html.Div(
        [
            dmc.Text(tip_label("Other gene names by a table", tip), size="sm", fw=600, mb=4),
            dmc.Text(
                "For names that the gene tables do not know: other species, probe sets of chips."
                " Ensembl BioMart, GEO or the makers of the data give one.",
                size="xs",
                c="dimmed",
                mb=6,
            ),
            dmc.Group(
                [role, html.Div(NAMES.layout(ctx), style={"width": 340})], align="flex-start"
            ),
        ],
        id=page.id.names_box,
        style=GONE,
    )
    ways = html.Div(
        [
            dmc.Group(
                [
                    dmc.Text(
                        tip_label("How the gene names were found", WAYS_TIP), size="sm", fw=600
                    ),
                    dmc.Group(
                        [
                            dmc.Button(
                                "Bring the names together",
                                id=page.id.match_names,
                                size="compact-xs",
                                style=GONE,
                            ),
                            dmc.Button(
                                "Save the list (CSV)",
                                id=page.id.save_names,
                                size="compact-xs",
                                variant="default",
                            ),
                        ],
                        gap="xs",
                    ),
                ],
                justify="space-between",
            ),
            html.Div(id=page.id.name_ways),
        ],
        id=page.id.ways_box,
        style=GONE,
    )
    return dmc.Stack(
        [
            dmc.Text(id=page.id.funnel_words, size="sm"),
            figure_card(
                page,
                "funnel",
                file_name="genes",
                controls=[dmc.Text("Genes left at every step", size="sm", fw=600)],
            ),
            ways,
            table,
        ],
        gap="xs",
    )


def show_genes(found: Examination, wanted: int, dark: bool) -> list[Any]:
    """For ``OUTPUTS``. wanted : genes asked for on the DTD page."""
    funnel = found.funnel
    if funnel.empty or not len(funnel.columns):
        return [blank(), UNKNOWN, [], None, GONE, *show_ways(found)]
    drawn = styled(
        gene_funnel(funnel, {r: PART_NAMES[r].lower() for r in funnel.columns}, STAGES), dark
    )
    parts = [{"value": role, "label": PART_NAMES[role]} for role in ROLES if role in found.parts]
    table = {} if parts else GONE
    return [
        drawn,
        funnel_words(funnel, wanted),
        parts,
        _odd(found),
        table,
        *show_ways(found),
    ]


def show_ways(found: Examination) -> list[Any]:
    """The table of ways and parts, whether it is shown, and whether names can be brought
    together.
    """
    if found.ways.empty:
        return [None, GONE, GONE]
    offered = any(isinstance(repair, MatchGenes) for repair in found.proposed)
    head = ["Way", *(PART_NAMES[role] for role in found.ways.columns)]
    body = [
        [str(way)[:1].upper() + str(way)[1:], *map(number, row)]
        for way, row in zip(found.ways.index, found.ways.to_numpy().tolist(), strict=True)
    ]
    table = dmc.Table(data={"head": head, "body": body}, striped=True, verticalSpacing=2)
    return [scrolling(table), {}, {} if offered else GONE]


def funnel_words(funnel: pd.DataFrame, wanted: int) -> str:
    """The funnel in a sentence."""

    def of(stage: str) -> int | None:
        values = [int(v) for v in funnel.loc[stage] if not pd.isna(v)]
        return values[0] if values else None

    shared, expressed, selected = of("shared"), of("expressed"), of("selected")
    if shared is None:
        return UNKNOWN
    if not shared:
        return "The parts have no gene in common. A table of gene names may help."
    words = f"{number(shared)} genes are in all parts"
    if expressed is not None and expressed < shared:
        words += f", {number(expressed)} of them expressed in the training cells"
    if selected is not None:
        words += (
            f"; the {number(selected)} that vary most between the types will be used"
            if selected < shared
            else "; all of them will be used"
        )
    return words + (
        f" ({number(wanted)} are asked for on the DTD page)."
        if selected is not None and selected != wanted
        else "."
    )


def _odd(found: Examination) -> str | None:
    """The part whose names most likely have to be changed."""
    named = next(
        (
            x.place.role
            for x in found.findings
            if x.code in ("no-common-genes", "few-common-genes") and x.place.role in found.parts
        ),
        None,
    )
    last: str | None = list(found.parts)[-1] if found.parts else None
    return named or last


@page.callback(
    CHANGED,
    Output(NAMES.token_id, "data", allow_duplicate=True),
    Input(NAMES.token_id, "data"),
    State(page.id.names_role, "value"),
    REPAIRS_NOW,
    *TOKENS_NOW,
    prevent_initial_call=True,
)
def take_table(
    ctx: Context,
    table: str | None,
    role: str | None,
    entries: list[Entry] | None,
    *tokens: str | None,
) -> Any:
    """A table of gene names was chosen: it is applied at once; an earlier one for the same part
    gives way.
    """
    if not table:
        raise PreventUpdate
    if role not in ROLES:
        return no_update, None
    files, upload = chosen_files(tokens), ctx.uploads.get(table)
    others = [
        e
        for e in entries or []
        if (e["record"].get("kind"), e["record"].get("role"), e["record"].get("by"))
        != ("map_genes", role, "table")
    ]
    repair = MapGenes(role=role, by="table", table=upload.path, table_name=upload.name)
    return with_repairs(ctx, others, [entry(repair, files, table)], files), None


@page.callback(
    CHANGED,
    Input(page.id.match_names, "n_clicks"),
    State(page.id.offered, "data"),
    REPAIRS_NOW,
    *TOKENS_NOW,
    prevent_initial_call=True,
)
def match_names(
    ctx: Context,
    clicks: int | None,
    offered: Sequence[Entry] | None,
    entries: list[Entry] | None,
    *tokens: str | None,
) -> Any:
    """The proposed names of all parts at once."""
    kind = MatchGenes.model_fields["kind"].default
    wanted = [
        {key: one.get(key) for key in ("record", "token", "table")}
        for one in offered or []
        if one["proposed"] and one["record"].get("kind") == kind
    ]
    if not clicks or not wanted:
        raise PreventUpdate
    return with_repairs(ctx, entries, wanted, chosen_files(tokens))


@page.callback(
    inputs={"clicks": Input(page.id.save_names, "n_clicks")},
    state={"tokens": TOKENS_NOW, "options": CHOICES, "entries": REPAIRS_NOW},
    prevent_initial_call=True,
    long=True,
)
def save_names(
    ctx: Context,
    *,
    clicks: int | None,
    tokens: Sequence[str | None],
    options: Mapping[str, Mapping[str, Any]],
    entries: Sequence[Entry] | None,
) -> None:
    """Every gene name of the files, what it becomes, and by which way."""
    if not clicks:
        raise PreventUpdate
    from gui.data.export import csv_bytes

    wanted = asked(ctx, tokens, options, entries)
    table: pd.DataFrame = ctx.read(
        gene_names_task, wanted.request(scale=True), name=wanted.names, dataset=wanted.base
    )
    saved = ctx.files.save("gene_names", csv_bytes(table), CSV)
    if saved:
        ctx.notify(saved, title="Saved", colour="teal")


def wanted_genes(forms: Mapping[str, Any]) -> int:
    """How many genes the DTD page asks for."""
    try:
        return max(1, int(forms.get("genes") or 1000))
    except (TypeError, ValueError):
        return 1000
