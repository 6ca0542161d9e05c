"""The tab Patients: who was left out and why, and what REMARK asks a report to say."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Input, Output, State, html
from dash.exceptions import PreventUpdate

from gui.analyses.survival_result import SurvivalResult
from gui.answers.survival import excluded_sentence
from gui.answers.survival_tables import excluded_table, remark_table
from gui.components.persistent_controls import PersistentControls
from gui.components.table import TableFile, bind_table_export, result_table, table_view
from gui.components.views import switch
from gui.pages.survival.base import TAB, page, result_of
from gui.plugin import REVISION, Context

LOOKS = {"remark": "REMARK", "excluded": "Left out"}
ABOUT = {
    "remark": "REMARK: what a report of a tumour marker has to say (Altman et al. 2012).",
    "excluded": "Samples that were left out of an analysis, and why.",
}
kept = PersistentControls(page, patients_look="remark")


def patients_layout(ctx: Context) -> html.Div:
    look = switch(LOOKS, page.id.patients_look, kept.value(ctx, "patients_look"))
    return html.Div(
        [
            dmc.Text("", id=page.id.patients_words, size="sm", mb="xs"),
            result_table(page, "patients_table", controls=[look], height=420, filters=False),
        ]
    )


def table_of(result: SurvivalResult, look: str) -> pd.DataFrame:
    return excluded_table(result) if look == "excluded" else remark_table(result)


@page.callback(
    Output(page.id.patients_words, "children"),
    Output(page.id.patients_table, "columnDefs"),
    Output(page.id.patients_table, "rowData"),
    REVISION,
    TAB,
    Input(page.id.patients_look, "value"),
)
def draw_patients(ctx: Context, _revision: str | None, tab: str, look: str) -> Any:
    result = result_of(ctx)
    if tab != "patients" or result is None:
        raise PreventUpdate
    view = table_view(table_of(result, look))
    for column in view.columns[1:]:
        column |= {"wrapText": True, "autoHeight": True, "flex": 3}
    if view.columns:
        view.columns[-1]["flex"] = 6
    return excluded_sentence(result), view.columns, view.rows


def _file(ctx: Context, look: str) -> TableFile | None:
    result = result_of(ctx)
    if result is None:
        return None
    return TableFile(f"survival_{look}", table_of(result, look), ABOUT.get(look, ""))


kept.bind()
bind_table_export(page, "patients_table", _file, State(page.id.patients_look, "value"))
