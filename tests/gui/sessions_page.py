"""What the tests of the Sessions page share: make sessions, look at the tables, tick rows, press
buttons.
"""

from __future__ import annotations

import json
import time
from typing import Any

from gui.app import Application
from gui.components.sessions import digest
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL

PASSWORD, OTHER = "four grey owls sleep", "seven blue lamps burn"
ACTIVE, ARCHIVED = "sessions-active", "sessions-archived"


def made(application: Application, name: str, example: Any = None) -> DCXCache:
    session = application.sessions.create_session(name, actor=LOCAL)
    if example is not None:
        session.set_dataset(example.dataset, keep_runs=False)
    return session


def look(tab: Any) -> None:
    """What the page's interval does."""
    tab.set({("sessions-again", "n_intervals"): time.monotonic_ns()})


def row(tab: Any, name: str, grid: str = ACTIVE) -> dict[str, Any]:
    look(tab)
    return next(r for r in tab.get(grid, "rowData") if r["name"] == name)


def names(tab: Any, grid: str = ACTIVE) -> list[str]:
    look(tab)
    return sorted(r["name"] for r in tab.get(grid, "rowData"))


def tick(tab: Any, *chosen: str, grid: str = ACTIVE) -> None:
    tab.set({(grid, "selectedRows"): [row(tab, name, grid) for name in chosen]})


def press(tab: Any, name: str, grid: str = ACTIVE) -> None:
    """The button in the row."""
    tab.set(
        {
            (grid, "cellRendererData"): {
                "value": row(tab, name, grid)["id"],
                "timestamp": time.monotonic_ns(),
            }
        }
    )


def edit(tab: Any, name: str, column: str, value: str) -> None:
    """Type into a cell of the table."""
    before = row(tab, name)
    tab.set(
        {
            (ACTIVE, "cellValueChanged"): [
                {"rowId": before["id"], "colId": column, "oldValue": before[column], "value": value}
            ]
        }
    )


def bar(name: str, session_id: str) -> dict[str, Any]:
    """The id of a button in the bar that says what is wrong with a session."""
    return {"page": "sessions", "part": name, "index": digest(session_id)}


def current(tab: Any) -> str:
    tab.tick()
    found = tab.get("dcx-session-button", "children")
    return str(found["props"]["children"])


def usable(tab: Any, *actions: str) -> list[bool]:
    return [not tab.get(f"sessions-active-{action}", "disabled") for action in actions]


def protected(tab: Any, name: str, *, hide: bool = False) -> None:
    """Protect a session through the page."""
    tick(tab, name)
    tab.click("sessions-active-protect")
    tab.set(
        {
            ("sessions-protect-password-one", "value"): PASSWORD,
            ("sessions-protect-password-two", "value"): PASSWORD,
        }
    )
    tab.set({("sessions-protect-hide", "checked"): hide})
    tab.click("sessions-protect-go")
    assert not tab.get("sessions-protect-dialog", "opened")


def locked(tab: Any, name: str) -> None:
    tick(tab, name)
    tab.click("sessions-active-lock")


def export(tab: Any, *chosen: str, grid: str = ACTIVE, **options: Any) -> list[tuple[str, bytes]]:
    """Export the sessions; options : property values of the dialog, by the end of the id."""
    tick(tab, *chosen, grid=grid)
    tab.values.pop(("dcx-download", "data"), None)
    tab.click(f"{grid}-export")
    assert tab.get("sessions-export-dialog", "opened") is True
    for name, value in options.items():
        prop = "value" if name == "way" or name.startswith("password") else "checked"
        tab.set({(f"sessions-export-{name.replace('_', '-')}", prop): value})
    tab.click("sessions-export-go")
    return tab.downloaded() if tab.get("dcx-download", "data") else []


def bring(tab: Any, *paths: Any) -> None:
    """Choose files in the import dialog."""
    tab.click("sessions-bring")
    tab.set(
        {
            ("sessions-file-token", "data"): [
                tab.application.uploads.adopt(path).token for path in paths
            ]
        }
    )


def outcomes(tab: Any) -> dict[str, tuple[str, str]]:
    """File name -> (state, words), of the import dialog."""
    return {
        item["file"]: (item["state"], item["text"])
        for item in tab.get("sessions-imports", "data") or []
    }


def answer(tab: Any, action: str, file: str, password: str | None = None) -> None:
    """Decide about one file: "mine" or "copy"."""
    token = next(i["token"] for i in tab.get("sessions-imports", "data") if i["file"] == file)
    if password is not None:
        # as the tab keeps it
        field = json.dumps(
            {"index": token, "page": "sessions", "part": "copy_password"}, separators=(",", ":")
        )
        tab.set({(field, "value"): password})
    tab.click({"page": "sessions", "part": action, "index": token})
