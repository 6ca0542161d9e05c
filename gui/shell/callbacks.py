"""Turns what a Page recorded into callbacks of a running application: adds the Context, turns
errors into notices.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dash import Dash, State, no_update, set_props
from dash import ctx as call
from dash.exceptions import PreventUpdate

from gui import notify
from gui.caller import browser_id
from gui.engine.params import Params
from gui.error_notices import ErrorNotices
from gui.errors import DeconomixError, MissingPart, ProgramBusy, SessionError, SessionLocked
from gui.guard import gesture_age
from gui.jobs.status import JobStatus
from gui.logs import CALLER
from gui.plugin import Context, Page, Recorded, Task
from gui.request_limits import check_texts
from gui.sessions.manager import Actor
from gui.sessions.snapshot import PendingJob

if TYPE_CHECKING:
    from gui.app import Application

log = logging.getLogger(__name__)
SESSION = State("dcx-session", "data")
PASSING_MS = 5000
"""How long a notice that is no error stays."""
BY_HAND = "dcx-command.data"
"""What only a person triggers where the page sees no gesture: an entry of the window's own menu."""
BY_ITSELF = (".n_intervals", "dcx-revision.data", "dcx-page.data", "dcx-active.data")
"""What triggers a callback without the user: that it succeeds does not mend an error of an action.
"""
SHELL = "dcx"
"""The key of the shell itself: it binds its callbacks like a page, ids begin with dcx-."""


def part(name: str, index: Any) -> dict[str, Any]:
    """A component id of the shell, one of many (pattern matching)."""
    return {"page": SHELL, "part": name, "index": index}


@dataclass(frozen=True)
class Notices:
    """Collects the notices of one callback; dash keeps only the last set_props of a property.

    errors : which were shown; browser, page : whose they are; about : what they are about unless it
    is said, see :class:`ErrorNotices`
    """

    errors: ErrorNotices
    browser: str
    page: str
    about: str = ""
    sent: list[dict[str, Any]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def complain(self, error: Exception, about: str | None = None, *, title: str = "") -> None:
        """Show an error; it stays until :meth:`mended` is called for what it is about. title : in
        place of that of its kind
        """
        words = notify.notice(error)
        self(**{**words, "title": title or words["title"]})
        self.errors.shown(
            self.browser, self.page, self.about if about is None else about, self.sent[-1]["id"]
        )

    def mended(self, about: str | None = None, *, page: str | None = None) -> None:
        """What an error was about has succeeded, or is left: its notice goes.

        None: everything on the page
        """
        shown_now = {notice["id"] for notice in self.sent}
        gone = [
            notice
            for notice in self.errors.of(self.browser, page or self.page, about)
            if notice not in shown_now
        ]
        if gone:
            self.gone.extend(gone)
            set_props("dcx-notices", {"hideNotifications": list(self.gone)})

    def __call__(
        self, message: str, title: str = "", colour: str = "blue", keep: bool = False
    ) -> None:
        # the same words stand there once, however often they are met
        words = hashlib.sha256(f"{title}|{message}".encode()).hexdigest()[:16]
        shown: dict[str, Any] = {
            "action": "show",
            "id": words,
            "message": message,
            "color": colour,
            "autoClose": False if keep else PASSING_MS,
        }
        # what passes by itself stands in the empty room under the navigation, where it covers
        # neither figure nor button
        if not keep:
            shown["position"] = "bottom-left"
        if title:
            shown["title"] = title
        self.sent.append(shown)
        set_props("dcx-notices", {"sendNotifications": list(self.sent)})


class BoundJobs:
    """The queue as one actor sees it through one page: adds the dataset, the named results and who
    asks.
    """

    def __init__(self, application: Application, actor: Actor, kind: str) -> None:
        self._application, self._actor, self._kind = application, actor, kind

    def submit(
        self,
        task: Task,
        session_id: str,
        params: Params | None = None,
        *,
        kind: str | None = None,
        title: str | None = None,
        inputs: Mapping[str, str] | None = None,
    ) -> str:
        session = self._application.sessions.get_session(session_id, actor=self._actor)
        dataset = session.need_dataset()
        results = {}
        for name, run_id in (inputs or {}).items():
            run = session.run(run_id)
            if run is None:
                raise MissingPart(
                    f"The {name.upper()} run this step needs is no longer there.",
                    advice="Run it again.",
                )
            results[name] = run.result
        kind = kind or self._kind
        job_id, title = secrets.token_hex(8), title or kind.upper()
        asked = PendingJob(
            job_id,
            kind,
            title,
            (task.__module__, task.__qualname__),
            params or Params(),
            dict(inputs or {}),
            datetime.now(UTC),
        )
        session.job_submitted(asked)
        try:
            self._application.submit(
                task,
                session_id,
                params,
                job_id=job_id,
                dataset=dataset,
                inputs=dict(inputs or {}),
                input_results=results,
                kind=kind,
                title=title,
                actor=self._actor.name,
            )
        except BaseException:
            session.job_ended(job_id)
            raise
        set_props("dcx-poke", {"data": job_id})
        return job_id

    def status(self, session_id: str | None = None) -> list[JobStatus]:
        return [self._seen(job) for job in self._application.runner.status(session_id)]

    def cancel(self, job_id: str) -> bool:
        job = next((job for job in self._application.runner.status() if job.id == job_id), None)
        if job is None or self._application.sessions.is_locked(job.session_id, actor=self._actor):
            return False
        set_props("dcx-poke", {"data": f"cancel {job_id}"})
        return self._application.runner.cancel(job_id)

    def interrupted(self, session_id: str) -> Sequence[PendingJob]:
        """Jobs of the session that neither ended nor are known to the queue: the program ended, or
        the session was locked, in the middle of them.
        """
        session = self._application.sessions.get_session(session_id, actor=self._actor)
        pending = session.pending_jobs()
        known = (
            {job.id for job in self._application.runner.status(session_id)} if pending else set()
        )
        return [job for job in pending if job.id not in known]

    def again(self, session_id: str, job_id: str) -> str:
        """Start an interrupted job anew, with the same parameters.

        MissingPart, JobError if what it needs is not there any more.
        """
        session = self._application.sessions.get_session(session_id, actor=self._actor)
        job = next((job for job in session.pending_jobs() if job.id == job_id), None)
        if job is None:
            raise MissingPart("This step is no longer waiting to be started again.")
        task = self._application.known_task(*job.task)
        started = self.submit(
            task, session_id, job.params, kind=job.kind, title=job.title, inputs=job.inputs
        )
        session.job_ended(job_id)
        return started

    def dismiss(self, session_id: str, job_id: str) -> None:
        """Forget an interrupted job."""
        self._application.sessions.get_session(session_id, actor=self._actor).job_ended(job_id)

    def _seen(self, job: JobStatus) -> JobStatus:
        """The job as this browser may see it: of a locked session no more than that there is
        one.
        """
        if not self._application.sessions.is_locked(job.session_id, actor=self._actor):
            return job
        nothing: dict[str, Any] = dict.fromkeys(
            ("params", "fraction", "count", "limit", "loss", "eta", "error", "run_id")
        )
        return replace(job, kind="", title="Protected session", stage="", inputs={}, **nothing)


def context(
    application: Application,
    session_id: str | None,
    kind: str,
    *,
    actor: Actor | None = None,
    about: str = "",
) -> Context:
    """The Context for one call.

    An unknown session leads to the default one, with a notice: never into someone else's data.
    """
    sessions = application.sessions
    actor = actor or Actor(browser=browser_id())
    notices = Notices(application.errors, actor.browser, kind, about)
    wanted = sessions.default_id if sessions.single else session_id or sessions.default_id
    locked = None
    try:
        session = sessions.get_session(wanted, actor=actor)
    except SessionLocked:
        locked = sessions.info(wanted, actor=actor)
        session = sessions.get_session(sessions.default_id, actor=actor)
    except SessionError as error:  # unknown, or its file cannot be read
        notices(**notify.notice(error))
        session = sessions.get_session(sessions.default_id, actor=actor)
    return Context(
        session=session,
        actor=actor,
        sessions=sessions,
        jobs=BoundJobs(application, actor, kind),
        files=application.files,
        uploads=application.uploads,
        config=application.config,
        notify=notices,
        read=application.reader,
        complain=notices.complain,
        locked=locked,
        mended=notices.mended,
    )


def bind_page(app: Dash, application: Application, page: Page) -> None:
    """Register every recorded callback of ``page`` with dash."""
    for recorded in page.callbacks:
        bind(app, application, page.key, recorded, free=page.free)


def bind(
    app: Dash, application: Application, key: str, recorded: Recorded, *, free: bool = True
) -> None:
    """One callback. free : it runs although the tab's session is locked."""
    if recorded.clientside is not None:
        app.clientside_callback(recorded.clientside, *recorded.args, **recorded.options)
        return
    function = recorded.function
    takes_long = recorded.long or bool(recorded.options.get("running"))

    def called(*values: Any) -> Any:
        token = CALLER.set(key)
        try:
            return answered(*values)
        finally:
            CALLER.reset(token)

    def answered(*values: Any) -> Any:
        *given, session_id = values
        about = str(getattr(function, "about", function.__name__))
        try:
            ctx = context(application, session_id, key, about=about)
        # the session is not in memory and cannot be read just now: the tab stays as it is, and asks
        # again
        except ProgramBusy as error:
            if not _by_itself():
                Notices(application.errors, browser_id(), key, about).complain(error)
            return no_update if _has_output(recorded) else None
        if ctx.locked is not None and not free:
            raise PreventUpdate
        if ctx.locked is None and (ago := _last_gesture()) is not None:
            application.sessions.touch(ctx.session_id, actor=ctx.actor, ago=ago)
        try:
            _check_texts(recorded)
            with application.long_calls.place() if takes_long else contextlib.nullcontext():
                answer = function(ctx, *given)
            if not _by_itself():
                ctx.mended(about)
            return answer
        except PreventUpdate:
            raise
        # it was locked while this ran: what the page shows now says so
        except SessionLocked as error:
            log.info("callback %s of page %s met a locked session", function.__name__, key)
            if free:
                ctx.complain(error)
            return no_update if _has_output(recorded) else None
        except Exception as error:
            if not isinstance(error, DeconomixError):
                log.exception("callback %s of page %s failed", function.__name__, key)
            ctx.complain(error)
            if not _by_itself():
                ctx.mended(about)  # what it said the last time: it was tried again
            return no_update if _has_output(recorded) else None

    called.__name__ = f"{key}_{function.__name__}"
    called.__doc__ = inspect.getdoc(function)
    app.callback(*recorded.args, SESSION, **recorded.options)(called)


def _last_gesture() -> float | None:
    """Seconds since a person did something, if this call says so; what the page does by itself does
    not put off the locking of an idle session.
    """
    return (
        0.0 if any(trigger["prop_id"] == BY_HAND for trigger in call.triggered) else gesture_age()
    )


def _by_itself() -> bool:
    return all(str(trigger["prop_id"]).endswith(BY_ITSELF) for trigger in call.triggered)


def _check_texts(recorded: Recorded) -> None:
    """TextTooLong if a text that came with this call is too long.

    An address is no text of a user's, and would follow every later call of the tab.
    """
    sent = {**call.inputs, **call.states}
    check_texts(
        [{name: value} for name, value in sent.items() if not name.startswith("dcx-location.")],
        picture=recorded.picture,
    )


def _has_output(recorded: Recorded) -> bool:
    from dash import Output

    flat = [a for arg in recorded.args for a in (arg if isinstance(arg, (list, tuple)) else [arg])]
    return any(isinstance(a, Output) for a in flat) or bool(recorded.options.get("output"))
