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
from gui.components.common import drawn, shorten
from gui.components.table import GRID_THEME
from gui.plugin import Page
from gui.sessions.search import tags_of
from gui.sessions.store import SessionInfo
from gui.text import size_words


def contents_text(contents: Mapping[str, Any]) -> str:
    """Data · DTD · search · 4 ADTD · 2 other runs (without cells)."""
    if not contents.get("data"):
        return "empty"
    words, others = ["Data"], int(contents.get("runs") or 0)
    for kind, word in (("dtd", "DTD"), ("search", "search"), ("adtd", "ADTD")):
        count = int(contents.get(kind) or 0)
        others -= count
        if count:
            words.append(word if count == 1 else f"{count} {word}")
    if others > 0:
        words.append(f"{others} other {'run' if others == 1 else 'runs'}")
    marks = contents.get("marks")
    return " · ".join(words) + (f" ({marks})" if marks else "")


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


def day(then: datetime) -> str:
    """18 Nov, 3 Feb 2025."""
    then = then.astimezone()
    return f"{then.day} {then:%b}" + (
        "" if then.year == datetime.now().astimezone().year else f" {then.year}"
    )


def rows(sessions: Sequence[SessionInfo], *, current: str | None = None) -> list[dict[str, Any]]:
    """Return the rows of the grid; a session that cannot be drawn is listed as damaged."""
    return [
        drawn("a session of the table", lambda info=info: _row(info, current), None)  # type: ignore[misc]
        or _damaged_row(info)
        for info in sessions
    ]


def _damaged_row(info: SessionInfo) -> dict[str, Any]:
    nothing = dict.fromkeys(
        (
            "protected",
            "source",
            "contents",
            "notes",
            "tags",
            "created_tip",
            "created_text",
            "used_text",
            "size_text",
            "open",
        ),
        "",
    )
    numbers = {"runs": None, "created": 0, "used": 0, "size": 0}
    why = "The details of this session cannot be shown."
    return {
        "id": str(info.session_id),
        "name": shorten(str(info.name), 80),
        "state": "damaged",
        "why": why,
        "problem": True,
        "locked": False,
        **nothing,
        **numbers,
    }


def _row(info: SessionInfo, current: str | None) -> dict[str, Any]:
    here = info.session_id == current and not info.locked
    state, why = "open" if here else "locked" if info.locked else "", ""
    if info.problem is not None:
        state, why = "damaged", notify.sentence(info.problem)
    elif info.state == "not saved" and info.reason is not None:
        state, why = "not saved", notify.sentence(info.reason)
    known = info.problem is None and not info.locked
    return {
        "id": info.session_id,
        "name": info.name,
        "state": state,
        "why": why,
        "problem": info.problem is not None,
        "locked": info.locked,
        "protected": "locked" if info.locked else "unlocked" if info.protected else "",
        "source": str(info.contents.get("source") or "") if known else "",
        "contents": contents_text(info.contents) if known else "",
        "runs": int(info.contents.get("runs") or 0) if known else None,
        "notes": str(info.contents.get("notes") or "") if known else "",
        "tags": ", ".join(tags_of(info)) if known else "",
        "created": round(info.created.timestamp()),
        "created_tip": f"Created {day(info.created)}",
        "created_text": day(info.created),
        "used": round(info.used.timestamp()),
        "used_text": ago(info.used),
        "size": info.size,
        "size_text": size_words(info.size),
        "open": _button(info, here),
    }


def _button(info: SessionInfo, here: bool) -> str:
    if here or info.problem is not None:
        return ""
    return "Restore" if info.archived else "Unlock" if info.locked else "Open"


_TEXT = {"minWidth": 72, "cellClass": "dcx-dimmed"}
_STATE = {
    "styleConditions": [
        {"condition": "params.data.why != ''", "style": {"color": "var(--mantine-color-error)"}},
        {
            "condition": "params.data.state == 'locked'",
            "style": {"color": "var(--mantine-color-dimmed)"},
        },
    ]
}
_NOTES = {
    "headerTooltip": "Enter keeps what you typed, Shift+Enter begins a new line",
    "cellEditor": "agLargeTextCellEditor",
    "cellEditorPopup": True,
    "cellEditorParams": {"maxLength": 10_000, "rows": 8, "cols": 60},
}


def _shown_as(text: str) -> dict[str, Any]:
    return {"valueFormatter": {"function": f"params.data.{text}"}, "tooltipField": text}


def session_grid(grid_id: str, *, archived: bool) -> Any:
    """Return the table of sessions; ``cellRendererData`` says whose button was clicked.

    All columns fit into a window of 1280 pixels; nothing is pinned, so that a row is one row for a
    screen reader, too.
    """
    editable: Any = (
        False if archived else {"function": "!params.data.problem && !params.data.locked"}
    )
    columns: list[dict[str, Any]] = [
        {
            "field": "name",
            "headerName": "Name",
            "flex": 10,
            "minWidth": 150,
            "tooltipField": "name",
            "editable": editable,
            "cellStyle": {"fontWeight": 500},
        },
        {
            "field": "state",
            "headerName": "State",
            "width": 86,
            "tooltipField": "why",
            "cellClass": "dcx-session-state",
            "cellStyle": _STATE,
        },
        {
            "field": "protected",
            "headerName": "Protected",
            "headerTooltip": "Protected by a password",
            "headerClass": "dcx-lock-header",
            "tooltipField": "protected",
            "width": 38,
            "cellRenderer": "DcxLock",
        },
        {"field": "source", "headerName": "Source", "flex": 3, "tooltipField": "source", **_TEXT},
        {
            "field": "contents",
            "headerName": "Contents",
            "flex": 4,
            "minWidth": 98,
            "tooltipField": "contents",
        },
        {"field": "runs", "headerName": "Runs", "width": 58, "type": "rightAligned"},
        {
            "field": "used",
            "headerName": "Last used",
            "width": 114,
            "sort": "desc",
            **_shown_as("used_text"),
            "tooltipField": "created_tip",
            "cellClass": "dcx-dimmed",
        },
        {
            "field": "size",
            "headerName": "Size",
            "width": 68,
            **_shown_as("size_text"),
            "cellClass": "dcx-dimmed",
        },
        {
            "field": "notes",
            "headerName": "Notes",
            "flex": 3,
            "tooltipField": "notes",
            "editable": editable,
            **_NOTES,
            **_TEXT,
        },
        {
            "field": "tags",
            "headerName": "Tags",
            "headerTooltip": "Put commas between tags",
            "flex": 3,
            "tooltipField": "tags",
            "editable": editable,
            **_TEXT,
        },
        {
            "field": "open",
            "headerName": "Open",
            "headerClass": "dcx-heard-header",
            "width": 92,
            "cellStyle": {"textOverflow": "clip", "paddingRight": 0},
            "sortable": False,
            "cellRenderer": "DcxOpen",
        },
    ]
    return dag.AgGrid(
        id=grid_id,
        columnDefs=columns,
        rowData=[],
        className="",
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True},
        dashGridOptions={
            "theme": {"function": GRID_THEME},
            "rowSelection": {
                "mode": "multiRow",
                "enableClickSelection": False,
                "headerCheckbox": True,
                "selectAll": "filtered",
            },
            "selectionColumnDef": {"width": 40},
            "tooltipShowDelay": 300,
            "ensureDomOrder": True,
            "animateRows": False,
            "suppressFieldDotNotation": True,
            "suppressDragLeaveHidesColumns": True,
            "suppressNoRowsOverlay": True,
            "rowClassRules": {"dcx-row-here": "params.data.state == 'open'"},
        },
        columnSize=None,
        style=grid_style(0),
    )


def grid_style(count: int) -> dict[str, Any]:
    """As high as its rows, up to twelve; then it scrolls.

    There is room for the bar that scrolls sideways.
    """
    if not count:
        return {"display": "none"}
    return {"height": 56 + 32 * min(count, 12), "width": "100%"}


def undo_bar(page: Page, deleted: Sequence[tuple[str, str]]) -> Any:
    """One line for each deleted session that can still be brought back."""
    return [
        dmc.Alert(
            dmc.Group(
                [
                    dmc.Text(
                        f"“{shorten(name, 80)}” was deleted; you can undo this for a few seconds.",
                        size="sm",
                    ),
                    dmc.Button(
                        "Undo",
                        id=page.id.each("undo", session_id),
                        size="compact-sm",
                        variant="light",
                    ),
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
