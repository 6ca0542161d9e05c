"""The header: name, session with its switcher, jobs, theme, help; and the two dialogs it opens."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dash_mantine_components as dmc
from dash import html

from gui import __version__, notify
from gui.citations import CITATIONS, RESEARCH_USE
from gui.components.common import drawn, icon
from gui.engine.params import MODEL_NAMES
from gui.errors import SessionConflict
from gui.plugin import Context
from gui.sessions.snapshot import PendingJob
from gui.sessions.store import SessionInfo
from gui.versions import MISSING, licence, versions

SIGN_OUT = "dcx-sign-out"
"""The entry of the help menu, in a browser only."""


def header(*, single: bool = False, native: bool = False, help_items: Sequence[Any] = ()) -> Any:
    """single : there is one session only, and nothing to choose; native : it is in the window;
    help_items : of the help menu.
    """
    hidden = {"display": "none"}
    return dmc.Group(
        [
            dmc.Group(
                [
                    html.Img(src="/assets/icons/logo.svg", width=24, height=24, alt=""),
                    dmc.Text("DeconomiX", fw=700, size="lg"),
                    html.Div(
                        dmc.Divider(orientation="vertical", h=24), style=hidden if single else {}
                    ),
                    html.Div(
                        dmc.Menu(
                            [
                                dmc.MenuTarget(
                                    dmc.Button(
                                        "Default",
                                        id="dcx-session-button",
                                        variant="subtle",
                                        color="gray",
                                        rightSection=icon("down", 12),
                                        px="xs",
                                        maw=300,
                                        **{"aria-label": "Session"},
                                    )
                                ),
                                dmc.MenuDropdown(
                                    [
                                        dmc.MenuItem(
                                            "New session…", id="dcx-new", leftSection=icon("plus")
                                        ),
                                        dmc.MenuDivider(),
                                        dmc.Box(
                                            [],
                                            id="dcx-session-menu",
                                            mah=380,
                                            style={"overflowY": "auto"},
                                        ),
                                    ]
                                ),
                            ],
                            position="bottom-start",
                            width=300,
                        ),
                        style=hidden if single else {},
                    ),
                    lock_button(),
                    html.Div(id="dcx-saved", role="status", style={"whiteSpace": "nowrap"}),
                ],
                gap="sm",
                wrap="nowrap",
            ),
            dmc.Group(
                [
                    html.Div(id="dcx-ticker"),
                    dmc.Popover(  # no menu: it holds text and buttons
                        [
                            dmc.PopoverTarget(
                                dmc.ActionIcon(
                                    icon("jobs"),
                                    variant="subtle",
                                    color="gray",
                                    id="dcx-jobs-button",
                                    **{"aria-label": "Jobs"},
                                )
                            ),
                            dmc.PopoverDropdown(
                                html.Div(
                                    id="dcx-jobs", style={"maxHeight": 420, "overflowY": "auto"}
                                ),
                                p=4,
                            ),
                        ],
                        width=380,
                        position="bottom-end",
                        keepMounted=True,
                        trapFocus=True,
                        returnFocus=True,
                    ),
                    dmc.Menu(
                        [
                            dmc.MenuTarget(
                                dmc.ActionIcon(
                                    icon("theme"),
                                    variant="subtle",
                                    color="gray",
                                    **{"aria-label": "Theme"},
                                )
                            ),
                            dmc.MenuDropdown(
                                [
                                    dmc.MenuItem(label, id=f"dcx-theme-{name}")
                                    for name, label in (
                                        ("light", "Light"),
                                        ("dark", "Dark"),
                                        ("system", "As the system"),
                                    )
                                ]
                            ),
                        ],
                        position="bottom-end",
                    ),
                    help_menu(help_items, native=native),
                ],
                gap="xs",
                wrap="nowrap",
            ),
        ],
        justify="space-between",
        h="100%",
        wrap="nowrap",
    )


def help_menu(help_items: Sequence[Any] = (), *, native: bool = False) -> Any:
    """The "?": the guide, the tour, logs and support bundle, what this program is, and in a browser
    the way out.
    """
    way_out = [] if native else [dmc.MenuDivider(), dmc.MenuItem("Sign out", id=SIGN_OUT)]
    return dmc.Menu(
        [
            dmc.MenuTarget(
                dmc.ActionIcon(
                    icon("help"),
                    variant="subtle",
                    color="gray",
                    id="dcx-help",
                    **{"aria-label": "Help"},
                )
            ),
            dmc.MenuDropdown(
                [
                    dmc.MenuItem("User guide", id="dcx-help-guide", href="/help"),
                    dmc.MenuItem("Tour on the example", id="dcx-help-tour"),
                    dmc.MenuItem("Keyboard shortcuts", id="dcx-help-shortcuts"),
                    dmc.MenuDivider(),
                    *help_items,
                    dmc.MenuItem("About DeconomiX", id="dcx-help-about"),
                    *way_out,
                ]
            ),
        ],
        position="bottom-end",
    )


def lock_button() -> Any:
    """Beside the name of a protected session that is open."""
    return html.Div(
        dmc.Button(
            "Lock now",
            id="dcx-lock",
            variant="subtle",
            color="gray",
            size="compact-sm",
            leftSection=icon("lock", 14),
        ),
        id="dcx-lock-box",
        style={"display": "none"},
    )


def new_session_dialog() -> Any:
    return dmc.Modal(
        [
            dmc.TextInput(
                id="dcx-new-name",
                label="Name",
                placeholder="Melanoma, batch 2",
                debounce=True,
                **{"data-autofocus": "true"},
            ),
            dmc.Group(
                [dmc.Button("Create session", id="dcx-new-create")], justify="flex-end", mt="md"
            ),
        ],
        id="dcx-new-dialog",
        title="New session",
        centered=True,
    )


def about_dialog(plugins_folder: Path | None) -> Any:
    """plugins_folder : None where who looks is not at this computer"""
    return dmc.Modal(
        dmc.Stack(
            [
                dmc.Text(f"Version {__version__}", size="sm", c="dimmed"),
                dmc.Text("Finds out which cell types a bulk tissue sample is made of.", size="sm"),
                dmc.Text(RESEARCH_USE, size="sm", fw=600),
                dmc.Text(
                    "Workflow: Upload → DTD → ADTD. Models: "
                    + ", ".join(MODEL_NAMES.values())
                    + ".",
                    size="sm",
                ),
                dmc.Text("Please cite", size="sm", fw=600),
                *[dmc.Text(f"{text}, doi {doi}", size="sm") for text, doi in CITATIONS.values()],
                dmc.Text("Licence: GPL-3.0-or-later. It is built with:", size="sm"),
                html.Div(
                    id="dcx-about-packages",
                    className="dcx-about-packages",
                    tabIndex=0,
                    role="region",
                    **{"aria-label": "Packages and their licences"},
                ),
                (
                    dmc.Text(
                        f"Plug-in pages are read from {plugins_folder}",
                        size="xs",
                        c="dimmed",
                        style={"wordBreak": "break-all"},
                    )
                    if plugins_folder
                    else None
                ),
            ],
            gap="xs",
        ),
        id="dcx-about",
        title="About DeconomiX",
        centered=True,
    )


def packages() -> Any:
    """The packages the program is made of, with version and licence."""
    rows = [
        html.Tr([html.Td(name), html.Td(number), html.Td(licence(name))])
        for name, number in versions().items()
        if number != MISSING
    ]
    return html.Table(html.Tbody(rows))


def session_menu(ctx: Context, part: Callable[[str, Any], dict[str, Any]]) -> list[Any]:
    """Every session that can be opened, the present one ticked, protected ones with a lock."""
    items, present = [], (ctx.locked or ctx.session).session_id
    for session in ctx.sessions.list_sessions(actor=ctx.actor):
        if session.problem is None:
            items.append(
                drawn(
                    "a session of the menu",
                    functools.partial(
                        _menu_item, session, part, here=session.session_id == present
                    ),
                    None,
                )
            )
    return [item for item in items if item is not None]


def _menu_item(
    session: SessionInfo, part: Callable[[str, Any], dict[str, Any]], *, here: bool
) -> Any:
    return dmc.MenuItem(
        session_name(session.name, bold=here),
        id=part("switch", session.session_id),
        leftSection=(
            icon("check") if here else html.Span(style={"display": "inline-block", "width": 16})
        ),
        rightSection=icon("lock", 14) if session.protected else None,
        styles={"itemLabel": {"minWidth": 0}, "itemSection": {"flexShrink": 0}},
    )


def saved_words(
    state: str,
    trouble: Exception | None,
    part: Callable[[str, Any], dict[str, Any]],
    *,
    single: bool,
) -> Any:
    """Whether what is on screen is on disk; if it cannot be, why, and what can be done. single :
    there cannot be another session
    """
    words = {"saved": "Saved", "saving": "Saving…", "not saved": "Not saved"}.get(state)
    if words is None:
        return None
    if trouble is None:
        return dmc.Text(words, size="xs", c="dimmed")
    actions = {"again": "Try again", "copy": "Save a copy…"}
    if isinstance(trouble, SessionConflict):  # trying again would meet it again
        own = {} if single else {"own": "Keep mine as a new session"}
        actions = {"copy": "Save a copy…", **own, "theirs": "Give up mine, open the other"}
    return dmc.Menu(
        [
            dmc.MenuTarget(
                dmc.Button(
                    words,
                    variant="subtle",
                    color="red",
                    size="compact-xs",
                    rightSection=icon("down", 12),
                )
            ),
            dmc.MenuDropdown(
                [
                    dmc.MenuLabel(
                        dmc.Text(
                            notify.sentence(trouble),
                            size="xs",
                            maw=320,
                            style={"whiteSpace": "normal"},
                        )
                    ),
                    *[
                        dmc.MenuItem(words, id=part("unsaved", action))
                        for action, words in actions.items()
                    ],
                ]
            ),
        ],
        position="bottom-start",
        width=340,
    )


def interrupted(jobs: Sequence[PendingJob], part: Callable[[str, Any], dict[str, Any]]) -> Any:
    """A line for each job that did not come to its end, with the click that starts it again."""
    return [
        dmc.Alert(
            dmc.Group(
                [
                    dmc.Text(
                        f"{job.title} was interrupted ({job.submitted.astimezone():%d %b, %H:%M});"
                        " it has no result.",
                        size="sm",
                    ),
                    dmc.Group(
                        [
                            dmc.Button(
                                "Start again",
                                id=part("again", job.id),
                                size="compact-sm",
                                variant="light",
                            ),
                            dmc.Button(
                                "Dismiss",
                                id=part("dismiss", job.id),
                                size="compact-sm",
                                variant="subtle",
                                color="gray",
                            ),
                        ],
                        gap="xs",
                    ),
                ],
                justify="space-between",
            ),
            color="orange",
            variant="light",
            p="xs",
            mb="xs",
        )
        for job in jobs
    ] or None


def session_name(name: str, *, bold: bool = True) -> Any:
    """On one line, cut where there is no room; the whole on hover."""
    return html.Span(
        name, title=name, className="dcx-cut", style={"fontWeight": 600 if bold else 400}
    )
