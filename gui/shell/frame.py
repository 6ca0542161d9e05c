"""What stands around every page: header with session switcher and job ticker, navigation, page
outlet, notices.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from gui import notify
from gui.components.common import NEEDS, clicked, drawn, empty_state, icon, not_drawn, shorten
from gui.components.jobs import job_list, ticker
from gui.errors import SessionLocked
from gui.files import SESSION
from gui.plugin import Context, Page, Recorded
from gui.shell import menu, support_dialog, theme, tour, update_dialog
from gui.shell.callbacks import SHELL, bind, context, part
from gui.shell.header import (
    SIGN_OUT,
    about_dialog,
    header,
    interrupted,
    new_session_dialog,
    packages,
    saved_words,
    session_menu,
    session_name,
)
from gui.shell.lock_screen import lock_screen

if TYPE_CHECKING:
    from gui.app import Application

THEME = {
    "primaryColor": "indigo",
    "primaryShade": {"light": 8, "dark": 8},  # Mantine's own 6 has too little contrast with white
    "fontFamily": "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
    "defaultRadius": "md",
    "components": {
        "Button": {"defaultProps": {"size": "sm"}},
        # what Mantine leaves without a name, or with a child that a menu may not have
        "Menu": {"defaultProps": {"withInitialFocusPlaceholder": False}},
        "Modal": {"defaultProps": {"closeButtonProps": {"aria-label": "Close"}}},
        "Notification": {"defaultProps": {"closeButtonProps": {"aria-label": "Close"}}},
        "PasswordInput": {
            "defaultProps": {
                "visibilityToggleButtonProps": {
                    "aria-label": "Show what is typed",
                    "aria-hidden": False,
                    "tabIndex": 0,
                }
            }
        },
        "Tooltip": {
            "defaultProps": {"multiline": True, "maw": 320, "withArrow": True, "openDelay": 200}
        },
    },
}
NO_SUMMARY = "The result cannot be shown."
BUSY_MS, IDLE_MS = 1000, 2500
"""Between two questions of a tab.

Each costs the page 150 ms of computing on a small machine, whatever the answer: time the worker
needs.
"""


def layout(application: Application) -> Any:
    """The whole page, made anew for each tab."""
    help_items = [*support_dialog.menu_items(), *update_dialog.menu_items(application)]
    return dmc.MantineProvider(
        id="dcx-theme-provider",
        theme=THEME,
        defaultColorScheme="auto",
        children=html.Div(
            id="dcx-root",
            children=[
                html.A("Skip to the page", href="#dcx-outlet", className="dcx-skip"),
                dcc.Location(id="dcx-location", refresh="callback-nav"),
                dcc.Store(id="dcx-session", storage_type="session"),
                *theme.layout(application),
                *menu.layout(application),
                dcc.Store(id="dcx-revision"),
                dcc.Store(id="dcx-page"),
                dcc.Store(id="dcx-active", data=[]),
                dcc.Store(id="dcx-seen", data={}),
                dcc.Store(id="dcx-poke"),
                dcc.Interval(id="dcx-interval", interval=IDLE_MS),
                dcc.Store(id="dcx-download"),
                dmc.NotificationContainer(
                    id="dcx-notices",
                    position="bottom-right",
                    limit=4,
                    sendNotifications=_start_notices(application),
                ),
                new_session_dialog(),
                about_dialog(
                    None
                    if application.config.server.allow_remote
                    else application.config.plugins_folder
                ),
                *support_dialog.dialogs(),
                *update_dialog.dialogs(application),
                *tour.layout(welcome=not application.settings.get().tour_seen),
                dmc.AppShell(
                    [
                        dmc.AppShellHeader(
                            header(
                                single=application.sessions.single,
                                native=application.files.native,
                                help_items=help_items,
                            ),
                            px="md",
                        ),
                        dmc.AppShellNavbar(
                            [
                                dmc.Box([], id="dcx-nav", style={"flex": 1, "overflowY": "auto"}),
                                dmc.Text("For research use only", size="xs", c="dimmed", px="xs"),
                            ],
                            p="sm",
                            **{"aria-label": "Pages"},
                        ),
                        dmc.AppShellMain(
                            [html.Div(id="dcx-interrupted"), html.Div(id="dcx-outlet", tabIndex=-1)]
                        ),
                    ],
                    header={"height": 48},
                    navbar={"width": 230, "breakpoint": 0},
                    padding="md",
                ),
            ],
        ),
    )


def validation_layout(application: Application, pages: Sequence[Any]) -> Any:
    """Every id there can be, for :func:`unknown_ids`.

    pages : the layouts of all pages
    """
    later = [
        part(context(application, None, page.key))
        for page in application.registry.pages
        for part in page.later_functions
    ]
    return html.Div([layout(application), lock_screen(""), *pages, *later])


def unknown_ids(app: Dash) -> list[str]:
    """Ids that callbacks name and no page has, as ``id of callback``: such a callback is never
    called.

    Patterns ({"part": ALL}) are not looked at.

    Dash's own check would put the whole layout into the page's address "/", which a cookie alone
    opens.
    """
    known = {
        component.id
        for component in app.validation_layout._traverse_ids()
        if isinstance(component.id, str)
    }
    found = []
    for callback in app._callback_list:
        named = {item["id"] for item in (*callback["inputs"], *callback["state"])}
        output = callback["output"]
        named |= {
            one.rpartition(".")[0]
            for one in (
                output[2:-2].split("...")
                if output.startswith("..")
                else [output]
                if "." in output
                else []
            )
        }
        found += [
            f"{name} of {output[:200]}"
            for name in sorted(named)
            if name not in known and not name.startswith("{")
        ]
    return found


def _start_notices(application: Application) -> list[dict[str, Any]]:
    shown = []
    for number, error in enumerate(application.registry.errors):
        words = notify.notice(error)
        shown.append(
            {
                "action": "show",
                "id": f"plugin-{number}",
                "title": words["title"],
                "message": words["message"],
                "color": words["colour"],
                "autoClose": False,
            }
        )
    return shown


# -- pages
# --------------------------------------------------------------------------------------------------


def missing(page: Page, ctx: Context, application: Application) -> list[str]:
    """What the page needs and is not there, in words."""
    titles = {p.key: f"a {p.title} run" for p in application.registry.pages}
    return [
        NEEDS.get(need) or titles.get(need, need)
        for need in page.requires
        if not ctx.session.has(need)
    ]


MADE_ON = {
    "dataset": "upload",
    "train": "upload",
    "bulk": "upload",
    "search": "adtd",
    "apply": "dtd",
}
"""What a page may require -> the page it is made on, where that is not the page of this name."""


def first_step(page: Page, ctx: Context, application: Application) -> Page | None:
    """The first page, in the order of the work, on which something can be done that ``page`` needs;
    None where none of the pages makes it.
    """
    found, looked = [], [page]
    for here in looked:  # grows: a page on which it is made may lack something itself
        for need in here.requires:
            maker = (
                application.registry.page(MADE_ON.get(need, need))
                if not ctx.session.has(need)
                else None
            )
            if maker is None or maker in looked:
                continue
            looked.append(maker)
            if not missing(maker, ctx, application):
                found.append(maker)
    return min(found, key=application.registry.pages.index, default=None)


def page_layout(page: Page, ctx: Context) -> Any:
    """The page as its author laid it out."""
    if page.layout_function is None:
        raise ValueError(f"page {page.key} has no layout")
    return html.Div(page.layout_function(ctx), className="dcx-page", id=f"{page.key}-page")


def page_at(application: Application, pathname: str | None) -> Page | None:
    key = (pathname or "/").strip("/")
    return (
        application.registry.page(key)
        if key
        else next(page for page in application.registry.pages if page.listed)
    )


def named_in(search: str | None) -> str | None:
    """The session that an address asks for: ``?session=20250520%23191019%2307c2e7ed``."""
    return next(iter(parse_qs((search or "").removeprefix("?")).get("session", ())), None)


def outlet(application: Application, pathname: str | None, ctx: Context) -> Any:
    """The page at this address, or what is missing for it, under its name (which the navigation
    shows, and a screen reader looks for here).
    """
    page = page_at(application, pathname)
    shown = _content(application, page, ctx)
    return (
        shown
        if page is None or not page.listed
        else [html.H1(page.title, className="dcx-heard"), shown]
    )


def _content(application: Application, page: Page | None, ctx: Context) -> Any:
    if page is None:
        return empty_state("There is no such page.", "Choose a page on the left.")
    if ctx.locked is not None and not page.free:
        return lock_screen(ctx.locked.name)
    lacking = missing(page, ctx, application)
    if lacking:
        first = first_step(page, ctx, application)
        going = (
            dmc.Anchor(dmc.Button(f"Go to {first.title}"), href=f"/{first.key}", underline="never")
            if first
            else None
        )
        return empty_state(
            f"{page.title} needs {' and '.join(lacking)}.",
            "Do the earlier steps first; this page opens by itself.",
            going,
        )
    return drawn(
        f"page {page.key}",
        lambda: page_layout(page, ctx),
        not_drawn(f"{page.title} cannot be shown."),
    )


def navigation(application: Application, current: Page | None, ctx: Context) -> list[Any]:
    """A line for each page, whatever is wrong with what another one shows."""
    items = []
    for page in application.registry.pages:
        if not page.listed:
            continue
        lacking = (
            [] if ctx.locked is not None and not page.free else missing(page, ctx, application)
        )
        active = current is not None and page.key == current.key
        summary = (
            page.summary_function if not lacking and (ctx.locked is None or page.free) else None
        )
        done = (
            drawn(
                f"the summary of page {page.key}",
                functools.partial(_summary, summary, ctx),
                NO_SUMMARY,
            )
            if summary
            else None
        )
        state = (
            "missing"
            if lacking
            else "active"
            if active
            else "done"
            if done and done != NO_SUMMARY
            else "open"
        )
        items.append(
            dmc.NavLink(
                id=part("nav", page.key),
                label=page.title,
                description=f"needs {' and '.join(lacking)}"
                if lacking
                else done or page.description,
                href=f"/{page.key}",
                active=active,
                disabled=bool(lacking) and not active,
                leftSection=html.Span(
                    className=f"dcx-step dcx-step-{state}",
                    children=icon("check", 12) if state == "done" or (active and done) else None,
                ),
                className="dcx-nav-link",
            )
        )
    return items


def _summary(make: Callable[[Context], Any], ctx: Context) -> Any:
    """What a page says of itself. TypeError: a plug-in gave what cannot be sent to the browser."""
    summary = make(ctx)
    if summary is None or isinstance(summary, Component):
        return summary
    if not isinstance(summary, str | int | float):
        raise TypeError(f"a summary is text or None, not {type(summary).__name__}")
    return shorten(str(summary), 200)


# -- callbacks
# --------------------------------------------------------------------------------------------------


def bind_shell(app: Dash, application: Application) -> None:
    """Register the shell's own callbacks, in the same way as a page's."""

    def on(*args: Any, **options: Any) -> Any:
        return lambda function: bind(app, application, SHELL, Recorded(function, args, options))

    @on(
        Output("dcx-revision", "data"),
        Output("dcx-page", "data"),
        Output("dcx-nav", "children"),
        Output("dcx-session-button", "children"),
        Output("dcx-session-menu", "children"),
        Output("dcx-lock-box", "style"),
        Output("dcx-saved", "children"),
        Output("dcx-interrupted", "children"),
        Output("dcx-ticker", "children"),
        Output("dcx-jobs", "children"),
        Output("dcx-interval", "interval"),
        Output("dcx-active", "data"),
        Output("dcx-seen", "data"),
        Input("dcx-interval", "n_intervals"),
        Input("dcx-session", "data"),
        Input("dcx-location", "pathname"),
        Input("dcx-poke", "data"),
        State("dcx-location", "search"),
        State("dcx-revision", "data"),
        State("dcx-page", "data"),
        State("dcx-seen", "data"),
    )
    def tick(
        ctx: Context,
        _n: Any,
        session_id: str | None,
        pathname: str | None,
        _poke: Any,
        search: str | None,
        revision: str | None,
        shown: str | None,
        seen: dict[str, Any],
    ) -> Any:
        """What changed since this tab last asked; nothing at all if nothing did."""
        application.asked()
        # the window has one tab: what a second start handed over is shown in it
        if (not session_id or (application.one_user and application.arrived)) and (
            first := application.arrived or named_in(search)
        ):
            application.arrived = None if first == application.arrived else application.arrived
            ctx.switch_to(first)
        here = (ctx.locked or ctx.session).session_id
        lost = bool(session_id) and session_id != here
        if lost:
            ctx.switch_to(here)
        page = page_at(application, pathname)
        if (
            application.one_user
            and ctx.locked is None
            and ctx.uploads.offers
            and page is not application.registry.page("upload")
        ):
            ctx.go_to("upload")
        lacking = missing(page, ctx, application) if page else []
        jobs = ctx.jobs.status()
        saving, why = ctx.sessions.save_state(here, actor=ctx.actor)
        busy = saving == "saving" or any(job.active for job in jobs)
        infos = {info.session_id: info for info in ctx.sessions.list_sessions(actor=ctx.actor)}
        names = {key: info.name for key, info in infos.items()}
        protected = {key: info.protected for key, info in infos.items()}
        now_at = f"{here}:locked" if ctx.locked is not None else f"{here}:{ctx.session.revision}"
        stopped = (
            []
            if ctx.locked is not None or not ctx.session.holds_data
            else drawn("interrupted jobs", lambda: ctx.jobs.interrupted(here), [])
        )
        now: dict[str, Any] = {
            "revision": now_at,
            "page": json.dumps(
                [
                    page.key if page else pathname,
                    here,
                    lacking,
                    ctx.locked is not None,
                    application.handed_over,
                ]
            ),
            "nav": f"{now_at}:{page.key if page else ''}:{_digest(list(names))}",
            "head": _digest([here, names, protected]),
            "lock": protected.get(here, False) and ctx.locked is None,
            "saved": f"{here}:{saving}:{notify.sentence(why) if why is not None else ''}",
            "stopped": [job.id for job in stopped],
            "jobs": _digest(
                [
                    (
                        j.id,
                        j.state,
                        j.title,
                        j.stage,
                        j.fraction,
                        j.count,
                        j.loss,
                        int(j.elapsed) if j.active else 0,
                    )
                    for j in jobs
                ]
            ),
            "busy": busy,
            "active": sorted(
                {
                    job.kind
                    for job in jobs
                    if job.active and job.session_id == here and ctx.locked is None
                }
            ),
        }
        ended = [job.id for job in jobs if not job.active and job.session_id == here]
        told = seen.get("ended") if seen.get("session") == here else None
        for job in jobs:
            if told is not None and job.id in ended and job.id not in told and ctx.locked is None:
                _tell(ctx, job)
        announced, now["said"] = application.announcements.news(seen.get("said"), ctx.actor.browser)
        for text in announced:
            ctx.notify(text, keep=True)
        if seen.get("saved") != now["saved"]:
            if why is not None:
                ctx.complain(why, "saving")
            else:
                ctx.mended("saving")
        _leave(ctx, application, seen.get("page"), str(now["page"]))
        if (
            all(seen.get(key) == value for key, value in now.items())
            and told == ended
            and revision
            and shown
            and not lost
        ):
            raise PreventUpdate

        def if_changed(key: str, make: Any, otherwise: Any = None) -> Any:
            return (
                drawn(f"the part {key} of the header", make, otherwise)
                if seen.get(key) != now[key]
                else no_update
            )

        return (
            now["revision"] if revision != now["revision"] else no_update,
            now["page"] if shown != now["page"] else no_update,
            if_changed("nav", lambda: navigation(application, page, ctx), []),
            if_changed("head", lambda: session_name(names.get(here, ctx.session.name)), "Session"),
            if_changed("head", lambda: session_menu(ctx, part), []),
            if_changed("lock", lambda: {} if now["lock"] else {"display": "none"}),
            if_changed("saved", lambda: saved_words(saving, why, part, single=ctx.sessions.single)),
            if_changed("stopped", lambda: interrupted(stopped, part)),
            if_changed("jobs", lambda: ticker(jobs, part)),
            if_changed("jobs", lambda: job_list(jobs, names, part)),
            if_changed("busy", lambda: BUSY_MS if busy else IDLE_MS),
            if_changed("active", lambda: now["active"]),
            {**now, "ended": ended, "session": here},
        )

    @on(Input(part("again", ALL), "n_clicks"), prevent_initial_call=True)
    def start_again(ctx: Context, _clicks: list[int | None]) -> None:
        if job_id := clicked():
            ctx.jobs.again(ctx.session_id, job_id)

    @on(Input(part("dismiss", ALL), "n_clicks"), prevent_initial_call=True)
    def dismiss(ctx: Context, _clicks: list[int | None]) -> None:
        if job_id := clicked():
            ctx.jobs.dismiss(ctx.session_id, job_id)
            ctx.poke("dismissed", job_id)

    @on(Input(part("unsaved", ALL), "n_clicks"), prevent_initial_call=True)
    def unsaved(ctx: Context, _clicks: list[int | None]) -> None:
        """What the user does about a session that cannot be saved."""
        action = clicked()
        if action == "again":
            ctx.sessions.save_session(ctx.session_id, actor=ctx.actor)
            ctx.notify("Saved.", colour="green")
        elif action == "copy":
            copy = ctx.sessions.export_session(ctx.session_id, actor=ctx.actor)
            if told := ctx.files.save(copy.name, copy.data, SESSION):
                ctx.notify(told, title="A copy is saved", colour="green")
        elif action == "own":
            own = ctx.sessions.duplicate_session(ctx.session_id, actor=ctx.actor)
            ctx.sessions.reload_session(ctx.session_id, actor=ctx.actor)
            ctx.switch_to(own.session_id)
            ctx.notify(f"Yours is “{own.name}” now.", colour="green")
        elif action == "theirs":
            session = ctx.sessions.reload_session(ctx.session_id, actor=ctx.actor)
            ctx.notify(f"“{session.name}” is shown as it is in its file.", colour="green")
        if action:
            ctx.poke("unsaved", action)

    @on(
        Output("dcx-outlet", "children"),
        Input("dcx-page", "data"),
        State("dcx-location", "pathname"),
        prevent_initial_call=True,
    )
    def show_page(ctx: Context, _page: str | None, pathname: str | None) -> Any:
        return outlet(application, pathname, ctx)

    @on(Input(part("cancel", ALL), "n_clicks"), prevent_initial_call=True)
    def cancel(ctx: Context, _clicks: list[int | None]) -> None:
        if job_id := clicked():
            ctx.jobs.cancel(job_id)

    @on(Input(part("switch", ALL), "n_clicks"), prevent_initial_call=True)
    def switch(ctx: Context, _clicks: list[int | None]) -> None:
        if session_id := clicked():
            with contextlib.suppress(SessionLocked):  # then the lock screen asks for its password
                ctx.sessions.get_session(session_id, actor=ctx.actor)
            ctx.switch_to(session_id)

    @on(
        Output("dcx-new-dialog", "opened"),
        Output("dcx-new-name", "value"),
        Input("dcx-new", "n_clicks"),
        prevent_initial_call=True,
    )
    def ask_name(ctx: Context, clicks: int | None) -> Any:
        if not clicks:
            raise PreventUpdate
        return True, ctx.sessions.free_name("Session", actor=ctx.actor)

    @on(
        Output("dcx-new-dialog", "opened", allow_duplicate=True),
        Input("dcx-new-create", "n_clicks"),
        Input("dcx-new-name", "n_submit"),
        State("dcx-new-name", "value"),
        prevent_initial_call=True,
    )
    def create(ctx: Context, _clicks: Any, _submit: Any, name: str | None) -> Any:
        session = ctx.sessions.create_session(name or "", actor=ctx.actor)
        ctx.switch_to(session.session_id)
        return False

    @on(
        Output("dcx-about", "opened"),
        Output("dcx-about-packages", "children"),
        Input("dcx-help-about", "n_clicks"),
        prevent_initial_call=True,
    )
    def about(ctx: Context, clicks: int | None) -> Any:
        return bool(clicks), packages()

    if not application.files.native:
        app.clientside_callback(
            "() => window.dash_clientside.dcx.sign_out()",
            Input(SIGN_OUT, "n_clicks"),
            prevent_initial_call=True,
        )

    app.clientside_callback(
        "(files) => window.dash_clientside.dcx.fetch_files(files)",
        Input("dcx-download", "data"),
        prevent_initial_call=True,
    )


def _leave(ctx: Context, application: Application, before: str | None, now: str) -> None:
    """The errors of a page go when another one is shown, or another session in it where it is about
    the session.
    """
    if not before or before == now:
        return
    (key, session_id, *_), (key_now, session_now, *_) = json.loads(before), json.loads(now)
    page = application.registry.page(key)
    if page is not None and (key != key_now or (session_id != session_now and not page.free)):
        ctx.mended(page=key)


def _tell(ctx: Context, job: Any) -> None:
    about = f"job {job.kind} {job.session_id}"
    if job.state == "done":
        ctx.mended(about)
        ctx.notify(f"{job.title} is done.", colour="green")
    elif job.error is not None and job.state == "failed":
        ctx.complain(
            job.error, about, title=f"{job.title}: {notify.words(job.error).title.lower()}"
        )
    elif job.state == "cancelled":
        ctx.notify(f"{job.title} was cancelled; the session is unchanged.", colour="gray")


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
