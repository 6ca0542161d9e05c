"""The table of what was recognised: a column for every file, a row for every fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from gui.components.common import cut, scrolling

_LONGEST = 400


def facts_table(
    files: Sequence[tuple[str, str, Mapping[str, str]]], names: Sequence[str], shell_id: str
) -> Any:
    """Of files (role, name, facts), the facts of these names in this order."""
    head = dmc.TableThead(
        dmc.TableTr(
            [
                dmc.TableTh(html.Span("What was recognised", className="dcx-heard")),
                *[dmc.TableTh([role, html.Br(), cut(name, 40)]) for role, name, _ in files],
            ]
        )
    )
    rows = [
        dmc.TableTr(
            [
                dmc.TableTd(fact, fw=600, style={"whiteSpace": "nowrap"}),
                *[dmc.TableTd(cut(facts.get(fact, ""), _LONGEST)) for _, _, facts in files],
            ]
        )
        for fact in names
    ]
    table = dmc.Table([head, dmc.TableTbody(rows)], withTableBorder=True, fz="xs")
    return scrolling(html.Div(table, id=shell_id))
