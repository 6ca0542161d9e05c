"""What the menu and the shortcuts do: the Store ``dcx-command`` says which action, from the
window's menu, a key or the header.

And the dialogs they open.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, dcc, html, set_props
from dash.exceptions import PreventUpdate

from gui import updates
from gui.components.common import clicked, icon
from gui.components.sessions import ago, contents_text
from gui.errors import DeconomixError, MissingPart
from gui.files import EXPRESSION, HTML, SESSION
from gui.methods.method import KIND
from gui.plugin import Context
from gui.program import Program
from gui.report import report, report_name
from gui.sessions.file import read_header
from gui.sessions.rules import file_time
from gui.shell.actions import PAGE_KEYS, SEPARATOR, Action, keys, offered, zoomed
from gui.shell.page import shell, shell_id
from gui.shell.session_menu import session_name
from gui.text import shorten, size_words

REPORTED = ("adtd", "dtd", KIND)
"""Kinds of runs that a report can be made of, what comes last in the work first."""


def layout(program: Program) -> list[Any]:
    """Stores, keys and dialogs of the menu, for the shell."""
    actions = _offered(program)
    told = {action.shortcut: action.key for action in actions if action.shortcut and not action.own}
    return [
        dcc.Store(id="dcx-command"),
        html.Div(id="dcx-keys", hidden=True, **{"data-keys": json.dumps(told)}),
        dmc.Modal(_listed(actions), id="dcx-shortcuts", title="Keyboard shortcuts", centered=True),
        dmc.Modal(
            html.Div(id="dcx-recent-list", className="dcx-entries"),
            id="dcx-recent",
            title="Open recent",
            centered=True,
        ),
        dmc.Modal(
            html.Div(id="dcx-switch-list", className="dcx-entries"),
            id="dcx-switch",
            title="Switch to",
            centered=True,
        ),
    ]


def _offered(program: Program) -> list[Action]:
    return offered(
        native=program.files.native,
        single=program.sessions.single,
        updates=updates.key() is not None,
    )


def _listed(actions: list[Action]) -> Any:
    """The keys of the actions, then those of every page; two tables with a heading each."""
    of_actions = [(keys(a), a.title.rstrip("…")) for a in actions if a.shortcut]
    return dmc.Stack(
        [
            _key_table("Actions", of_actions),
            _key_table("On every page", PAGE_KEYS),
        ],
        gap="sm",
    )


def _key_table(title: str, listed: Sequence[tuple[str, str]]) -> Any:
    rows = [
        html.Tr(
            [
                html.Td(what, style={"padding": "3px 24px 3px 0"}),
                html.Td(
                    html.Kbd(keys, className="dcx-kbd"),
                    style={"whiteSpace": "nowrap", "verticalAlign": "top"},
                ),
            ]
        )
        for keys, what in listed
    ]
    caption = html.Caption(title, style={"textAlign": "left", "fontWeight": 600})
    return html.Table([caption, html.Tbody(rows)], style={"width": "100%"})


@shell.callback(
    Input("dcx-command", "data"), State("dcx-location", "pathname"), prevent_initial_call=True
)
def command(ctx: Context, data: dict[str, Any] | None, pathname: str | None) -> None:
    """Do what a menu entry or a shortcut says."""
    name = str((data or {}).get("action", ""))
    if name not in {action.key for action in _offered(ctx.program)} - {SEPARATOR}:
        raise PreventUpdate
    run(ctx, name, (pathname or "").strip("/"))


@shell.callback(
    Output("dcx-shortcuts", "opened"),
    Input("dcx-help-shortcuts", "n_clicks"),
    prevent_initial_call=True,
)
def shortcuts(ctx: Context, clicks: int | None) -> bool:
    return bool(clicks)


@shell.callback(
    Output("dcx-recent", "opened"),
    Input(shell_id("recent", ALL), "n_clicks"),
    prevent_initial_call=True,
)
def open_recent(ctx: Context, _clicks: list[int | None]) -> bool:
    mark = clicked()
    path = next(
        (path for path in map(Path, ctx.program.settings.get().recent) if _mark(path) == mark),
        None,
    )
    if path is None or not ctx.program.files.native:
        raise PreventUpdate
    open_files(ctx, [path])
    return False


@shell.callback(
    Output("dcx-switch", "opened"),
    Input(shell_id("go", ALL), "n_clicks"),
    prevent_initial_call=True,
)
def switch(ctx: Context, _clicks: list[int | None]) -> bool:
    session_id = clicked()
    if session_id is None:
        raise PreventUpdate
    ctx.switch_to(session_id)
    return False


def run(ctx: Context, name: str, page: str = "") -> None:
    """One action, by its key. page : the key of the page that is shown"""
    if name.startswith("theme_"):
        set_props("dcx-theme", {"data": name.removeprefix("theme_")})
    elif name.startswith("zoom_"):
        settings = ctx.program.settings.change(zoom=zoomed(ctx.program.settings.get().zoom, name))
        if ctx.program.host is not None:
            ctx.program.host.zoom(settings.zoom)
    elif name in ("cut", "copy", "paste", "select_all"):
        if ctx.program.host is not None:
            ctx.program.host.edit(name)  # type: ignore[arg-type]
    elif name in DIALOGS:
        set_props(DIALOGS[name], {"n_clicks": time.monotonic_ns() // 1_000_000})
    elif name == "report":
        with ctx.program.long_calls.place():
            _report(ctx, page)
    else:
        DONE[name](ctx)


DIALOGS = {"new": "dcx-new"} | {
    name: f"dcx-help-{name}" for name in ("tour", "shortcuts", "about", "logs", "support", "update")
}
"""Actions that are a button of the header too."""


def open_files(ctx: Context, paths: list[Path]) -> None:
    """Files the user chose in the window: sessions are opened, data are offered on the Upload
    page.
    """
    ctx.program.take_over(paths)
    ctx.request_refresh("open", *(path.name for path in paths))


def _open(ctx: Context) -> None:
    if paths := ctx.files.open(
        [SESSION, EXPRESSION], title="Open a session or data", multiple=True
    ):
        open_files(ctx, paths)


def _recent(ctx: Context) -> None:
    there = map(Path, ctx.program.settings.get().recent)
    items = [
        _entry(
            shell_id("recent", _mark(path)),
            html.Span(path.name, title=str(path), className="dcx-cut"),
            str(path.parent),
            preview=recent_preview(path),
        )
        for path in there
        if path.is_file()
    ]
    set_props(
        "dcx-recent-list",
        {
            "children": (
                items
                or dmc.Text(
                    "No file was opened yet, or none of them is where it was.",
                    size="sm",
                    c="dimmed",
                )
            )
        },
    )
    set_props("dcx-recent", {"opened": True})


def recent_preview(path: Path) -> str:
    """What is known of a recent file without opening it: of a session its contents, tags and the
    beginning of its notes; size and time of every file.
    """
    try:
        about = path.stat()
        known = [size_words(about.st_size), f"changed {ago(file_time(about.st_mtime))}"]
        if path.name.lower().endswith(SESSION.suffixes):
            header = read_header(path)
            contents = header.contents
            held = "protected by a password" if header.encrypted else contents_text(contents)
            notes = str(contents.get("notes") or "").partition("\n")[0]
            known = [held, str(contents.get("tags") or ""), shorten(notes, 60), *known]
    except OSError:
        return ""
    except DeconomixError:
        return "cannot be read as a session"
    return " · ".join(filter(None, known))


def _mark(path: Path) -> str:
    """Which of the recent files: their places in the list change while it is looked at."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _switch(ctx: Context) -> None:
    here = (ctx.locked or ctx.session).session_id
    items = [
        _entry(
            shell_id("go", info.session_id),
            session_name(info.name, bold=info.session_id == here),
            left=(
                icon("check")
                if info.session_id == here
                else html.Span(style={"display": "inline-block", "width": 16})
            ),
            right=icon("lock", 14) if info.protected else None,
            first=info.session_id == here,
        )
        for info in ctx.sessions.list_sessions(actor=ctx.actor)
        if info.problem is None
    ]
    set_props("dcx-switch-list", {"children": items})
    set_props("dcx-switch", {"opened": True})


def _entry(
    id: dict[str, Any],
    title: Any,
    below: str = "",
    *,
    preview: str = "",
    left: Any = None,
    right: Any = None,
    first: bool = False,
) -> Any:
    """A line of a list to choose from. first : it has the focus when the dialog opens; preview :
    what the file holds
    """
    words = html.Div(
        [
            html.Div(title),
            (
                dmc.Text(html.Span(below, className="dcx-cut"), size="xs", c="dimmed")
                if below
                else None
            ),
            dmc.Text(html.Span(preview, className="dcx-cut"), size="xs") if preview else None,
        ],
        className="dcx-entry",
    )
    look: dict[str, Any] = {
        "variant": "subtle",
        "color": "gray",
        "fullWidth": True,
        "justify": "flex-start",
        "h": "auto",
        "py": 6,
        "px": 10,
    }
    return dmc.Button(
        words,
        id=id,
        leftSection=left,
        rightSection=right,
        **look,
        **({"data-autofocus": "true"} if first else {}),
    )


def _export(ctx: Context) -> None:
    if not ctx.sessions.single:
        ctx.go_to("sessions", search=f"?export={time.monotonic_ns()}")
        return
    with ctx.program.long_calls.place():
        copy = ctx.sessions.export_session(ctx.session_id, actor=ctx.actor)
        told = ctx.files.save(copy.name, copy.data, SESSION)
    if told:
        ctx.notify(told, title="Saved", colour="teal")


def _report(ctx: Context, page: str) -> None:
    """Of the run that the page shows; elsewhere of the latest step that has one."""
    if ctx.locked is not None:
        raise MissingPart("The session is locked.", advice="Unlock it first.")
    kind = next(
        (
            kind
            for kind in sorted(REPORTED, key=lambda kind: kind != page)
            if ctx.session.current(kind) is not None
        ),
        None,
    )
    if kind is None:
        raise MissingPart("There is no run to report yet.", advice="Run DTD first.")
    if told := ctx.files.save(report_name(ctx.session, kind), report(ctx.session, kind), HTML):
        ctx.notify(told, title="Saved", colour="teal")


def _host(method: str) -> Callable[[Context], None]:
    def act(ctx: Context) -> None:
        if ctx.program.host is not None:
            getattr(ctx.program.host, method)()

    return act


def _page(key: str) -> Callable[[Context], None]:
    return lambda ctx: ctx.go_to(key)


DONE: dict[str, Callable[[Context], None]] = {
    "open": _open,
    "recent": _recent,
    "import": _page("upload"),
    "export": _export,
    "close": _host("close"),
    "fullscreen": _host("fullscreen"),
    "switch": _switch,
    "sessions": _page("sessions"),
    "guide": _page("help"),
}
