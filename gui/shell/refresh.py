"""What changed since a tab last asked: it asks every few seconds, after each action, and when its
address or session changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import Input, Output, State
from dash.exceptions import PreventUpdate

from gui import notify
from gui.components.common import drawn
from gui.components.jobs import job_list, progress_parts, ticker
from gui.engine.results import Run
from gui.jobs.status import JobStatus
from gui.plugin import Context, Page
from gui.sessions.snapshot import PendingJob
from gui.shell.deleted_runs import deleted_bar
from gui.shell.job_buttons import interrupted
from gui.shell.navigation import missing, named_in, navigation, page_at, page_of
from gui.shell.page import shell, shell_id
from gui.shell.session_menu import saved_words, session_menu, session_name

BUSY_MS, IDLE_MS = 1000, 2500
"""Between two questions of a tab.

Each costs the page 150 ms of computing on a small machine, whatever the answer: time the worker
needs.
"""


@dataclass(frozen=True)
class Moment:
    """What a tab may show of the program just now.

    session_id : of the tab's session, also while that is locked; names, protected : of all sessions
    that can be seen, by id; saving, trouble : see ``SessionCacheManager.save_state``; stopped :
    interrupted jobs of the session; deleted : runs of it that can be brought back
    """

    session_id: str
    revision: str
    jobs: Sequence[JobStatus]
    names: Mapping[str, str]
    protected: Mapping[str, bool]
    saving: str
    trouble: Exception | None
    stopped: Sequence[PendingJob]
    deleted: Sequence[Run]
    locked: bool

    @classmethod
    def of(cls, ctx: Context) -> Moment:
        here = (ctx.locked or ctx.session).session_id
        saving, trouble = ctx.sessions.save_state(here, actor=ctx.actor)
        infos = ctx.sessions.list_sessions(actor=ctx.actor)
        locked = ctx.locked is not None
        stopped = (
            []
            if locked or not ctx.session.holds_data
            else drawn("interrupted jobs", lambda: ctx.jobs.interrupted(here), [])
        )
        return cls(
            session_id=here,
            revision=f"{here}:locked" if locked else f"{here}:{ctx.session.revision}",
            jobs=ctx.jobs.status(),
            names={info.session_id: info.name for info in infos},
            protected={info.session_id: info.protected for info in infos},
            saving=saving,
            trouble=trouble,
            stopped=stopped,
            deleted=() if locked else ctx.session.deleted_runs,
            locked=locked,
        )

    @property
    def busy(self) -> bool:
        return self.saving == "saving" or any(job.active for job in self.jobs)

    @property
    def active(self) -> list[str]:
        """Kinds of the session's jobs that wait or run."""
        mine = (job for job in self.jobs if job.active and job.session_id == self.session_id)
        return [] if self.locked else sorted({job.kind for job in mine})

    @property
    def ended(self) -> list[str]:
        return [job.id for job in self.jobs if not job.active and job.session_id == self.session_id]

    def keys(self, ctx: Context, page: Page | None, pathname: str | None) -> dict[str, Any]:
        """Part of the shell -> a value that changes when the part does."""
        here = self.session_id
        why = notify.sentence(self.trouble) if self.trouble is not None else ""
        return {
            "revision": self.revision,
            "page": json.dumps(
                [
                    page.key if page else pathname,
                    here,
                    missing(page, ctx) if page else [],
                    self.locked,
                    ctx.program.inbox.handed_over,
                ]
            ),
            "nav": f"{self.revision}:{page.key if page else ''}:{_digest(list(self.names))}",
            "head": _digest([here, self.names, self.protected]),
            "lock": self.protected.get(here, False) and not self.locked,
            "saved": f"{here}:{self.saving}:{why}",
            "stopped": [job.id for job in self.stopped],
            "deleted": [run.id for run in self.deleted],
            "jobs": _digest([_progress(job) for job in self.jobs]),
            "busy": self.busy,
            "active": self.active,
        }


@shell.callback(
    output={
        "revision": Output("dcx-revision", "data"),
        "page": Output("dcx-page", "data"),
        "nav": Output("dcx-nav", "children"),
        "session_name": Output("dcx-session-button", "children"),
        "session_menu": Output("dcx-session-menu", "children"),
        "lock": Output("dcx-lock-box", "style"),
        "saved": Output("dcx-saved", "children"),
        "interrupted": Output("dcx-interrupted", "children"),
        "deleted_runs": Output("dcx-deleted-runs", "children"),
        "ticker": Output("dcx-ticker", "children"),
        "jobs": Output("dcx-jobs", "children"),
        "interval": Output("dcx-interval", "interval"),
        "active": Output("dcx-active", "data"),
        "progress": Output("dcx-progress", "data"),
        "seen": Output("dcx-seen", "data"),
    },
    inputs={
        "_tick": Input("dcx-interval", "n_intervals"),
        "session_id": Input("dcx-session", "data"),
        "pathname": Input("dcx-location", "pathname"),
        "_poke": Input("dcx-poke", "data"),
    },
    state={
        "search": State("dcx-location", "search"),
        "revision": State("dcx-revision", "data"),
        "shown": State("dcx-page", "data"),
        "seen": State("dcx-seen", "data"),
    },
)
def refresh(
    ctx: Context,
    *,
    session_id: str | None,
    pathname: str | None,
    search: str | None,
    revision: str | None,
    shown: str | None,
    seen: dict[str, Any],
    _tick: Any,
    _poke: Any,
) -> dict[str, Any]:
    """What changed since this tab last asked; nothing at all if nothing did."""
    ctx.program.asked()
    _show_what_arrived(ctx, session_id, search)
    page = page_at(ctx.pages, pathname)
    _show_offers(ctx, page)
    moment = Moment.of(ctx)
    here = moment.session_id
    lost = bool(session_id) and session_id != here
    if lost:
        ctx.switch_to(here)
    now = moment.keys(ctx, page, pathname)
    told = seen.get("ended") if seen.get("session") == here else None
    if told is not None and not moment.locked:
        for job in moment.jobs:
            if job.id in moment.ended and job.id not in told:
                _tell(ctx, job)
    announced, now["said"] = ctx.program.inbox.announcements.news(
        seen.get("said"), ctx.actor.browser
    )
    for text in announced:
        ctx.notify(text, keep=True)
    if seen.get("saved") != now["saved"]:
        if moment.trouble is not None:
            ctx.notify_error(moment.trouble, "saving")
        else:
            ctx.mended("saving")
    _leave(ctx, seen.get("page"), str(now["page"]))
    if (
        all(seen.get(key) == value for key, value in now.items())
        and told == moment.ended
        and revision
        and shown
        and not lost
    ):
        raise PreventUpdate

    changed: dict[str, Any] = {"seen": {**now, "ended": moment.ended, "session": here}}
    if revision != now["revision"]:
        changed["revision"] = now["revision"]
    if shown != now["page"]:
        changed["page"] = now["page"]

    def put(output: str, key: str, make: Callable[[], Any], otherwise: Any = None) -> None:
        if seen.get(key) != now[key]:
            changed[output] = drawn(f"the part {key} of the header", make, otherwise)

    put("nav", "nav", lambda: navigation(ctx, page), [])
    put(
        "session_name",
        "head",
        lambda: session_name(moment.names.get(here, ctx.session.name)),
        "Session",
    )
    put("session_menu", "head", lambda: session_menu(ctx), [])
    put("lock", "lock", lambda: {} if now["lock"] else {"display": "none"})
    put(
        "saved",
        "saved",
        lambda: saved_words(moment.saving, moment.trouble, single=ctx.sessions.single),
    )
    put("interrupted", "stopped", lambda: interrupted(moment.stopped))
    put("deleted_runs", "deleted", lambda: deleted_bar(moment.deleted))
    put("ticker", "jobs", lambda: ticker(moment.jobs, shell_id))
    put("progress", "jobs", lambda: progress_parts(moment.jobs))
    put("jobs", "jobs", lambda: job_list(moment.jobs, moment.names, shell_id))
    put("interval", "busy", lambda: BUSY_MS if moment.busy else IDLE_MS)
    put("active", "active", lambda: moment.active)
    return changed


# In the page, because the parts below a button are there on some pages only, and an answer of the
# server might find them gone.
shell.clientside(
    "(jobs) => document.querySelectorAll('.dcx-job-progress').forEach((box) => {"
    " const parts = (jobs || {})[box.dataset.job];"
    " Object.entries(parts || {}).forEach(([part, children]) =>"
    " window.dash_clientside.set_props(`${box.id}-${part}`, { children })); })",
    Input("dcx-progress", "data"),
    prevent_initial_call=True,
)


def _show_what_arrived(ctx: Context, session_id: str | None, search: str | None) -> None:
    """The session that the program was started with, or that the address names, in a new tab; what
    a second start handed over in any tab of the window, which has one.
    """
    inbox = ctx.program.inbox
    if session_id and not (ctx.program.one_user and inbox.arrived):
        return
    if first := inbox.arrived or named_in(search):
        inbox.arrived = None if first == inbox.arrived else inbox.arrived
        ctx.switch_to(first)


def _show_offers(ctx: Context, page: Page | None) -> None:
    """The Upload page, where files wait for it."""
    if (
        ctx.program.one_user
        and ctx.locked is None
        and ctx.uploads.offers
        and page is not page_of(ctx.pages, "upload")
    ):
        ctx.go_to("upload")


def _leave(ctx: Context, before: str | None, now: str) -> None:
    """The errors of a page go when another one is shown, or another session in it where it is about
    the session.
    """
    if not before or before == now:
        return
    (key, session_id, *_), (key_now, session_now, *_) = json.loads(before), json.loads(now)
    page = page_of(ctx.pages, key)
    if page is not None and (
        key != key_now or (session_id != session_now and not page.works_while_locked)
    ):
        ctx.mended(page=key)


def _tell(ctx: Context, job: JobStatus) -> None:
    about = f"job {job.kind} {job.session_id}"
    if job.state == "done":
        ctx.mended(about)
        ctx.notify(f"{job.title} is done.", colour="green")
    elif job.error is not None and job.state == "failed":
        ctx.notify_error(
            job.error, about, title=f"{job.title}: {notify.words(job.error).title.lower()}"
        )
    elif job.state == "cancelled":
        ctx.notify(f"{job.title} was cancelled; the session is unchanged.", colour="gray")


def _progress(job: JobStatus) -> tuple[Any, ...]:
    """What the header shows of a job."""
    elapsed = int(job.elapsed) if job.active else 0
    return (job.id, job.state, job.title, job.stage, job.fraction, job.count, job.loss, elapsed)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
