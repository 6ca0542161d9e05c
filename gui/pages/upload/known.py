"""The tab of known compositions (flow cytometry, cell counts): a table joined to the bulk samples,
and which of its types is which estimated one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import ALL, Input, Output, State, html, no_update
from dash.exceptions import PreventUpdate

from gui.components.common import answer, cut, shorten
from gui.data.dataset import HIDDEN, Dataset, KnownComposition
from gui.data.samples.known_composition import KnownCompositionChoice
from gui.data.samples.sample_tables import KnownCompositionPreview, preview_known_composition_task
from gui.figures.text import percent
from gui.pages.upload.base import page
from gui.pages.upload.sample_table import SampleTable, findings_list, not_kept_yet
from gui.plugin import REVISION, Context
from gui.text import number

table = SampleTable(
    "known",
    "Table of known compositions",
    "The fraction of each cell type in each sample, as fractions or percent; samples may be rows or"
    " columns. .csv, .tsv, .txt or .xlsx.",
    there=lambda data: data.truth is not None,
    without=lambda data: replace(data, truth=None),
)
PAIR = page.id.each("known_pair", ALL)


def known_layout(ctx: Context) -> Any:
    words = (
        "Measured fractions of the cell types in your bulk samples, from flow cytometry or"
        " counting. They are never used for the estimate: DTD and ADTD show how well it agrees with"
        " them. They can be added at any time."
    )
    return table.layout(ctx, words, [])


table.bind()


@page.callback(
    Output(table.id("head"), "children"),
    Output(table.id("box"), "children"),
    Output(table.id("keep"), "disabled"),
    Output(table.field.token_id, "data", allow_duplicate=True),
    Input(table.field.token_id, "data"),
    REVISION,
    State(PAIR, "id"),
    State(PAIR, "value"),
    prevent_initial_call="initial_duplicate",
)
def show_known(
    ctx: Context, token: str | None, _revision: str | None, ids: Any, values: Any
) -> Any:
    """A chosen file before it is kept, else the table that is kept."""
    data = ctx.session.dataset
    if (
        data is None
        or (token is None and data.truth is None)
        or data.bulk is None
        or table.looked(token)
    ):
        raise PreventUpdate
    if token is None:
        kept = data.truth
        assert kept is not None
        on_screen = (
            bool(ids)
            and _pairs(ids, values) == dict(kept.pairs)
            and [i["index"] for i in ids] == [str(t) for t in kept.shares.index]
        )
        # a list that is open stays open
        return (
            headline(kept, data),
            no_update if on_screen else pairing(kept, data),
            True,
            no_update,
        )
    found = _look(ctx, token)
    if found is None:
        return no_update, no_update, True, None
    seen = table.recognised(found.facts, ctx.uploads.get(token).name)
    if found.kept is None:
        return (
            answer("No sample of the bulk is in this table."),
            dmc.Stack([seen, findings_list(found.findings)]),
            True,
            no_update,
        )
    shown = dmc.Stack([seen, findings_list(found.findings), pairing(found.kept, data)])
    return headline(found.kept, data, chosen=True), shown, False, no_update


def _look(
    ctx: Context, token: str, pairs: Mapping[str, str] | None = None
) -> KnownCompositionPreview | None:
    data = ctx.session.need_dataset()
    samples = data.bulk.samples if data.bulk is not None else []

    def look(upload: Any) -> KnownCompositionPreview:
        found: KnownCompositionPreview = ctx.read(
            preview_known_composition_task,
            (
                KnownCompositionChoice.parse(path=upload.path, name=upload.name, pairs=pairs),
                samples,
                data.types,
            ),
            name=upload.name,
        )
        return found

    return table.seen(ctx, token, look)


@page.callback(
    Input(PAIR, "value"),
    State(PAIR, "id"),
    State(table.field.token_id, "data"),
    prevent_initial_call=True,
)
def pair(ctx: Context, values: Any, ids: Any, token: str | None) -> None:
    """Another partner was chosen in the table that is kept; for a file they count when it is
    kept.
    """
    data = ctx.session.dataset
    if token or data is None or data.truth is None or not ids:
        raise PreventUpdate
    pairs = _pairs(ids, values)
    if pairs == dict(data.truth.pairs) or [i["index"] for i in ids] != [
        str(t) for t in data.truth.shares.index
    ]:
        raise PreventUpdate
    ctx.session.set_dataset(replace(data, truth=replace(data.truth, pairs=pairs)), keep_runs=True)
    ctx.refresh()


@page.callback(
    Output(table.field.token_id, "data", allow_duplicate=True),
    Input(table.id("keep"), "n_clicks"),
    State(table.field.token_id, "data"),
    State(PAIR, "id"),
    State(PAIR, "value"),
    running=[(Output(table.id("keep"), "loading"), True, False)],
    prevent_initial_call=True,
)
def keep_known(ctx: Context, clicks: int | None, token: str | None, ids: Any, values: Any) -> Any:
    if not clicks or not token:
        raise PreventUpdate
    found = _look(ctx, token, _pairs(ids, values))
    if found is not None and found.kept is not None:
        ctx.session.set_dataset(
            replace(ctx.session.need_dataset(), truth=found.kept), keep_runs=True
        )
        ctx.refresh()
        table.forget(ctx, token)
        ctx.notify(
            f"{found.kept.name} is kept with these data. Run DTD, and see the tab Against known"
            " there.",
            colour="green",
        )
    return None


def _pairs(
    ids: Sequence[Mapping[str, Any]], values: Sequence[Sequence[str] | None]
) -> dict[str, str]:
    """Type of the table -> estimated type, several joined by "|"; without those that have no
    partner.
    """
    return {str(i["index"]): "|".join(v) for i, v in zip(ids, values, strict=True) if v}


# -- what is shown
# --------------------------------------------------------------------------------------------------


def headline(truth: KnownComposition, data: Dataset, *, chosen: bool = False) -> Any:
    """Whose composition is known, in a sentence; ``chosen``: of a file that is not kept yet."""
    samples, total = truth.shares.shape[1], len(data.bulk.samples) if data.bulk is not None else 0
    types = [str(t) for t in truth.shares.index]
    paired = [t for t in types if truth.pairs.get(t)]
    alone = [t for t in types if t not in paired]
    badges = [(f"{len(paired)} of {len(types)} types paired", "teal" if paired else "orange")]
    if alone:
        badges.append(
            (
                (
                    "not compared:"
                    f" {', '.join(shorten(t, 24) for t in alone[:4])}"
                    f"{' …' if len(alone) > 4 else ''}"
                ),
                "gray",
            )
        )
    whom = (
        "the only bulk sample"
        if samples == total == 1
        else (
            f"all {number(total)} bulk samples"
            if samples == total
            else f"{number(samples)} of {number(total)} bulk samples"
        )
    )
    sentence = f"Known composition of {whom}, from “{shorten(truth.name, 60)}”."
    return answer(not_kept_yet(sentence) if chosen else sentence, badges)


def pairing(truth: KnownComposition, data: Dataset) -> Any:
    """One row per type of the table: its mean fraction, and the estimated type or types it is
    compared with.
    """
    choices = [
        *[{"value": t, "label": t} for t in data.types],
        {"value": HIDDEN, "label": "hidden background (ADTD)"},
    ]
    rows = []
    for name, shares in truth.shares.iterrows():
        partner = truth.pairs.get(str(name), "")
        known = (
            [partner]
            if partner in data.types
            else [t for t in partner.split("|") if t in data.types or t == HIDDEN]
        )
        select = dmc.MultiSelect(
            id=page.id.each("known_pair", str(name)),
            data=choices,
            value=known,
            size="xs",
            miw=260,
            placeholder="" if known else "not compared",
            searchable=True,
            **{"aria-label": f"Estimated type for {name}"},
        )
        mean = shares.mean()
        rows.append([cut(str(name), 40), "–" if pd.isna(mean) else percent(mean), select])
    head = dmc.TableThead(
        dmc.TableTr(
            [
                dmc.TableTh(t)
                for t in ("In the table", "Mean fraction", "Compared with (several are added up)")
            ]
        )
    )
    body = dmc.TableTbody([dmc.TableTr([dmc.TableTd(c) for c in row]) for row in rows])
    return html.Div(
        dmc.Table([head, body], fz="sm", verticalSpacing=4, w="auto", miw=520),
        style={"overflowX": "auto"},
    )
