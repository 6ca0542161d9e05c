"""Exporting: one dialog for all ticked sessions.

With or without cells, names or pseudonyms, protected or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui.components.password import PasswordPair, agreed
from gui.errors import DeconomixError
from gui.files import SESSION, FileKind
from gui.pages.sessions.base import ACTIVE, ARCHIVED, HIDDEN, Row, about, chosen, page, quoted
from gui.plugin import ADDRESS, Context
from gui.sessions.store import SessionInfo

WITH_NAMES = FileKind("DeconomiX session and table of names", (*SESSION.suffixes, ".csv"))
AS_IT_IS, SEALED, OPEN = "as it is", "sealed", "open"
PASSWORD = PasswordPair(page, "export_password")
PASSWORD.bind()


def export_dialog() -> Any:
    way = dmc.RadioGroup(
        dmc.Stack(
            [
                dmc.Radio("As it is", value=AS_IT_IS, id=page.id.export_as_is),
                dmc.Radio("With its own password", value=SEALED, id=page.id.export_sealed),
                dmc.Radio(
                    "Without a password",
                    value=OPEN,
                    id=page.id.export_open,
                    description="Anyone who has the file can read everything in it.",
                ),
            ],
            gap="xs",
            mt=4,
        ),
        id=page.id.export_way,
        value=AS_IT_IS,
        label="Protection",
    )
    content = [
        dcc.Store(id=page.id.exporting),
        dmc.Text(id=page.id.export_what, size="sm", style={"overflowWrap": "anywhere"}),
        dmc.Checkbox(
            id=page.id.export_no_cells,
            label="Leave out the single cells",
            description="A smaller file. All results can be read; new runs need the cells again.",
            checked=False,
        ),
        dmc.Checkbox(
            id=page.id.export_pseudonyms,
            label="Replace the sample names by pseudonyms",
            description=(
                "The table that links names and pseudonyms is saved beside it (.csv). Store it"
                " separately."
            ),
            checked=False,
        ),
        way,
        PASSWORD.layout("Password of the file", hidden=True),
        dmc.Group(
            [
                dmc.Button("Cancel", id=page.id.export_cancel, variant="default"),
                dmc.Button("Export", id=page.id.export_go, **{"data-autofocus": "true"}),
            ],
            justify="flex-end",
            gap="xs",
        ),
    ]
    return dmc.Modal(
        dmc.Stack(content),
        id=page.id.export_dialog,
        title="Export",
        size="lg",
        centered=True,
        keepMounted=True,
    )


@page.callback(
    Output(page.id.exporting, "data"),
    Output(page.id.export_dialog, "opened"),
    Output(page.id.export_what, "children"),
    *[
        Output(i, "disabled")
        for i in (page.id.export_no_cells, page.id.export_pseudonyms, page.id.export_sealed)
    ],
    Output(page.id.export_open, "style"),
    *[Output(i, "checked") for i in (page.id.export_no_cells, page.id.export_pseudonyms)],
    Output(page.id.export_way, "value"),
    Input(page.id.active_export, "n_clicks"),
    Input(page.id.archived_export, "n_clicks"),
    ADDRESS,
    State(ACTIVE, "selectedRows"),
    State(ARCHIVED, "selectedRows"),
)
def ask_export(
    ctx: Context,
    one: int | None,
    two: int | None,
    search: str | None,
    active: list[Row] | None,
    archived: list[Row] | None,
) -> Any:
    """Ask how to export the selected sessions, or with ``?export=…`` the current one."""
    if call.triggered_id in (page.id.active_export, page.id.archived_export):
        found = (
            chosen(ctx, active if call.triggered_id == page.id.active_export else archived)
            if one or two
            else []
        )
    elif "export" in parse_qs((search or "").removeprefix("?")):
        found = [ctx.sessions.info((ctx.locked or ctx.session).session_id, actor=ctx.actor)]
    else:
        found = []
    if not found:
        raise PreventUpdate
    fixed = any(info.locked or info.problem is not None for info in found)
    sealed = any(info.protected for info in found)
    return (
        [{"id": info.session_id} for info in found],
        True,
        _what(found),
        *[fixed] * 3,
        HIDDEN if fixed or not sealed else {},
        False,
        False,
        AS_IT_IS,
    )


def _what(found: Sequence[SessionInfo]) -> str:
    """Which sessions, and what holds for them."""
    words = (
        f"{quoted(found[0].name)}." if len(found) == 1 else f"{len(found)} sessions, a file each."
    )
    locked, damaged = [i for i in found if i.locked], [i for i in found if i.problem is not None]
    for those, what in ((damaged, "damaged"), (locked, "locked")):
        if those:
            which = (
                "It is"
                if len(found) == 1
                else f"{quoted(those[0].name)} is"
                if len(those) == 1
                else f"{len(those)} are"
            )
            words += f" {which} {what}, so the file is exported as it is."
            break
    if found and not (locked or damaged):
        sealed = sum(i.protected for i in found)
        if sealed:
            words += (
                " As it is, it stays protected by its password."
                if len(found) == 1
                else f" {sealed} protected; as they are, they stay so."
            )
    return words


@page.callback(
    Output(PASSWORD.box_id, "style"), Input(page.id.export_way, "value"), prevent_initial_call=True
)
def show_password(ctx: Context, way: str | None) -> Any:
    return {} if way == SEALED else HIDDEN


@page.callback(
    Output(page.id.export_dialog, "opened", allow_duplicate=True),
    *PASSWORD.cleared,
    Input(page.id.export_cancel, "n_clicks"),
    prevent_initial_call=True,
)
def cancel_export(ctx: Context, _clicks: int | None) -> Any:
    return False, "", ""


@page.callback(
    Output(page.id.export_dialog, "opened", allow_duplicate=True),
    *PASSWORD.cleared,
    Input(page.id.export_go, "n_clicks"),
    State(page.id.exporting, "data"),
    State(page.id.export_no_cells, "checked"),
    State(page.id.export_pseudonyms, "checked"),
    State(page.id.export_way, "value"),
    *PASSWORD.states,
    running=[(Output(page.id.export_go, "loading"), True, False)],
    prevent_initial_call=True,
)
def export(
    ctx: Context,
    clicks: int | None,
    asked: list[Row] | None,
    no_cells: bool,
    pseudonyms: bool,
    way: str | None,
    one: str | None,
    two: str | None,
) -> Any:
    found = chosen(ctx, asked)
    if not clicks or not found:
        raise PreventUpdate
    password = agreed(one, two) if way == SEALED else None
    items: list[tuple[str, bytes]] = []
    done = 0
    for info in found:
        try:
            out = ctx.sessions.export_session(
                info.session_id,
                actor=ctx.actor,
                cells=not no_cells,
                pseudonyms=bool(pseudonyms),
                password=password,
                unprotected=way == OPEN and info.protected,
            )
        except DeconomixError as error:
            ctx.notify_error(about(info.name, error))
            continue
        done += 1
        items.append((out.name, out.data))
        if out.names is not None:
            items.append(
                (f"{out.name.removesuffix(SESSION.suffixes[0])} - names.csv", _table(out.names))
            )
    told = _save(ctx, items)
    if told:
        missing = (
            f" {len(found) - done} of {len(found)} could not be exported."
            if done < len(found)
            else ""
        )
        ctx.notify(
            told + missing, title="Exported", colour="green" if done == len(found) else "orange"
        )
    if not told and done:
        raise PreventUpdate  # cancelled in the dialog: ours stays as it was
    return False, "", ""


def _save(ctx: Context, items: list[tuple[str, bytes]]) -> str | None:
    if len(items) == 1:
        return ctx.files.save(*items[0], SESSION)
    return ctx.files.save_all(items, WITH_NAMES) if items else None


def _table(names: Any) -> bytes:
    from gui.data.export import csv_bytes

    return csv_bytes(names.set_index(names.columns[0]))
