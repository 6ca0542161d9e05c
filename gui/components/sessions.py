"""The session list on screen: rows in words, the grid, the bar that brings deleted ones back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc

from gui import notify
from gui.components.common import shorten
from gui.components.table import _THEME
from gui.plugin import Page
from gui.sessions.store import SessionInfo


def contents_words(contents: Mapping[str, Any]) -> str:
    """Data · DTD · search · 4 ADTD."""
    if not contents.get("data"):
        return "empty"
    words = ["Data"]
    for kind, word in (("dtd", "DTD"), ("search", "search"), ("adtd", "ADTD")):
        count = int(contents.get(kind) or 0)
        if count:
            words.append(word if count == 1 else f"{count} {word}")
    return " · ".join(words)


def ago(then: datetime, now: datetime | None = None) -> str:
    """just now, 12 min ago, today 09:14, yesterday, 18 Nov, 3 Feb 2025."""
    now = (now or datetime.now(UTC)).astimezone()
    then = then.astimezone()
    minutes, days = (now - then).total_seconds() / 60, (now.date() - then.date()).days
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes:.0f} min ago"
    if days == 0:
        return f"today {then:%H:%M}"
    if days == 1:
        return "yesterday"
    return f"{then.day} {then:%b}" + ("" if then.year == now.year else f" {then.year}")


def size_words(size: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.2g} {unit}" if size / factor < 10 else f"{size / factor:.0f} {unit}"
    return f"{size} B" if size else ""


def rows(sessions: Sequence[SessionInfo], *, current: str | None = None) -> list[dict[str, Any]]:
    """What the grid shows of each session."""
    return [_row(info, current) for info in sessions]


def _row(info: SessionInfo, current: str | None) -> dict[str, Any]:
    here = info.session_id == current
    state = "open" if here else "protected" if info.protected else ""
    why = ""
    if info.problem is not None:
        state, why = "damaged", notify.sentence(info.problem)
    elif info.state == "not saved" and info.reason is not None:
        state, why = "not saved", notify.sentence(info.reason)
    return {
        "id": info.session_id,
        "name": info.name,
        "state": state,
        "why": why,
        "problem": info.problem is not None,
        "source": str(info.contents.get("source") or ""),
        "contents": "" if info.problem else "protected" if info.protected and not info.contents else contents_words(info.contents),
        "used": round(info.used.timestamp()),
        "used_text": ago(info.used),
        "size": info.size,
        "size_text": size_words(info.size),
        "open": "" if here or info.problem else "Restore" if info.archived else "Open",
    }


def session_grid(grid_id: str, *, archived: bool) -> Any:
    """A table of sessions: sortable, rows can be ticked; ``cellRendererData`` says whose button was clicked."""
    dimmed = {"cellClass": "dcx-dimmed", "flex": 0}
    unsearched = {"getQuickFilterText": {"function": "''"}}
    trouble = {"styleConditions": [{"condition": "params.data.why != ''", "style": {"color": "var(--mantine-color-error)"}}]}
    editable: Any = False if archived else {"function": "!params.data.problem"}
    columns: list[dict[str, Any]] = [
        {"field": "name", "headerName": "Name", "flex": 3, "minWidth": 180, "tooltipField": "name", "editable": editable, "cellStyle": {"fontWeight": 500}},
        {"field": "state", "headerName": "", "width": 96, "tooltipField": "why", "sortable": False, "cellClass": "dcx-session-state", "cellStyle": trouble},
        {"field": "source", "headerName": "Source", "minWidth": 110, "tooltipField": "source", **dimmed, "flex": 2},
        {"field": "contents", "headerName": "Contents", "flex": 2, "minWidth": 140, "tooltipField": "contents"},
        {
            "field": "used",
            "headerName": "Last used",
            "width": 120,
            "valueFormatter": {"function": "params.data.used_text"},
            "sort": "desc",
            **dimmed,
            **unsearched,
        },
        {"field": "size", "headerName": "Size", "width": 90, "valueFormatter": {"function": "params.data.size_text"}, **dimmed, **unsearched},
        {"field": "open", "headerName": "", "width": 104, "sortable": False, "cellRenderer": "DcxOpen", **unsearched},
    ]
    return dag.AgGrid(
        id=grid_id,
        columnDefs=columns,
        rowData=[],
        className="",
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True},
        dashGridOptions={
            "theme": {"function": _THEME},
            "rowSelection": {"mode": "multiRow", "enableClickSelection": False},
            "tooltipShowDelay": 300,
            "ensureDomOrder": True,
            "animateRows": False,
            "suppressFieldDotNotation": True,
            "suppressDragLeaveHidesColumns": True,
            "suppressNoRowsOverlay": True,
            "quickFilterText": "",
        },
        columnSize=None,
        style=grid_style(0),
    )


def grid_style(count: int) -> dict[str, Any]:
    """As high as its rows, up to twelve; then it scrolls."""
    return {"height": 42 + 32 * min(max(count, 1), 12), "width": "100%"}


def undo_bar(page: Page, deleted: Sequence[tuple[str, str]]) -> Any:
    """One line for each deleted session that can still be brought back."""
    return [
        dmc.Alert(
            dmc.Group(
                [
                    dmc.Text(f"“{shorten(name, 80)}” is deleted.", size="sm"),
                    dmc.Button("Undo", id=page.id.each("undo", session_id), size="compact-sm", variant="light"),
                ],
                justify="space-between",
            ),
            color="gray",
            variant="light",
            p="xs",
            mb=4,
        )
        for session_id, name in deleted
    ] or None


def counted(names: Sequence[str]) -> str:
    """“A” is / 3 sessions are: the beginning of a sentence."""
    return f"“{shorten(names[0], 80)}” is" if len(names) == 1 else f"{len(names)} sessions are"


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
