"""Turns what a Page recorded into callbacks of a running application: adds the Context, turns
errors into notices.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dash import Dash, Output, State, no_update, set_props
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
from gui.program import Program
from gui.request_limits import check_texts
from gui.sessions.cache import DCXCache
from gui.sessions.manager import Actor
from gui.sessions.snapshot import PendingJob
from gui.shell.opening import MARK

log = logging.getLogger(__name__)
SESSION = State("dcx-session", "data")
PASSING_MS = 5000
"""How long a notice that is no error stays."""
BY_HAND = "dcx-command.data"
"""What only a person triggers where the page sees no gesture: an entry of the window's own menu."""
BY_ITSELF = (".n_intervals", "dcx-revision.data", "dcx-page.data", "dcx-active.data")
"""What triggers a callback without the user: that it succeeds does not mend an error of an action.
"""
OWN_SESSION = "dcx_session"
"""The name of the tab's session among named inputs."""


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

    def notify_error(self, error: Exception, about: str | None = None, *, title: str = "") -> None:
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


class ActorJobs:
    """The queue as one actor sees it through one page: :class:`gui.plugin.Jobs`."""

    def __init__(self, program: Program, actor: Actor, kind: str) -> None:
        self._program, self._actor, self._kind = program, actor, kind

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
        job_id = self._program.submit(
            task,
            session_id,
            params,
            kind=kind or self._kind,
            title=title,
            inputs=inputs,
            actor=self._actor,
        )
        set_props("dcx-poke", {"data": job_id})
        return job_id

    def status(self, session_id: str | None = None) -> list[JobStatus]:
        return [self._seen(job) for job in self._program.runner.status(session_id)]

    def cancel(self, job_id: str) -> bool:
        job = next((job for job in self._program.runner.status() if job.id == job_id), None)
        if job is None or self._program.sessions.is_locked(job.session_id, actor=self._actor):
            return False
        set_props("dcx-poke", {"data": f"cancel {job_id}"})
        return self._program.runner.cancel(job_id)

    def interrupted(self, session_id: str) -> Sequence[PendingJob]:
        """Jobs of the session that neither ended nor are known to the queue: the program ended, or
        the session was locked, in the middle of them.
        """
        pending = self._session(session_id).pending_jobs()
        known = {job.id for job in self._program.runner.status(session_id)} if pending else set()
        return [job for job in pending if job.id not in known]

    def again(self, session_id: str, job_id: str) -> str:
        """Start an interrupted job anew, with the same parameters.

        MissingPart, JobError if what it needs is not there any more.
        """
        session = self._session(session_id)
        job = next((job for job in session.pending_jobs() if job.id == job_id), None)
        if job is None:
            raise MissingPart("This step is no longer waiting to be started again.")
        task = self._program.known_task(*job.task)
        started = self.submit(
            task, session_id, job.params, kind=job.kind, title=job.title, inputs=job.inputs
        )
        session.job_ended(job_id)
        return started

    def dismiss(self, session_id: str, job_id: str) -> None:
        """Forget an interrupted job."""
        self._session(session_id).job_ended(job_id)

    def _session(self, session_id: str) -> DCXCache:
        return self._program.sessions.get_session(session_id, actor=self._actor)

    def _seen(self, job: JobStatus) -> JobStatus:
        """The job as this browser may see it: of a locked session no more than that there is
        one.
        """
        if not self._program.sessions.is_locked(job.session_id, actor=self._actor):
            return job
        nothing: dict[str, Any] = dict.fromkeys(
            ("params", "fraction", "count", "limit", "loss", "eta", "error", "run_id")
        )
        return replace(job, kind="", title="Protected session", stage="", inputs={}, **nothing)


def context(
    program: Program,
    pages: Sequence[Page],
    session_id: str | None,
    page: str,
    *,
    actor: Actor | None = None,
    about: str = "",
) -> Context:
    """The Context for one call on the page with this key.

    An unknown session leads to the default one, with a notice: never into someone else's data.
    """
    sessions = program.sessions
    actor = actor or Actor(browser=browser_id())
    notices = Notices(program.error_notices, actor.browser, page, about)
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
        program=program,
        jobs=ActorJobs(program, actor, page),
        notify=notices,
        notify_error=notices.notify_error,
        locked=locked,
        mended=notices.mended,
        pages=tuple(pages),
    )


def bind_page(app: Dash, program: Program, pages: Sequence[Page], page: Page) -> None:
    """Register every recorded callback of ``page`` with dash.

    pages : all that there are, for :attr:`Context.pages`
    """
    for recorded in page.callbacks:
        if recorded.when is not None and not recorded.when(program):
            continue
        if recorded.clientside is not None:
            app.clientside_callback(recorded.clientside, *recorded.args, **recorded.options)
        else:
            _bind(app, program, pages, page, recorded)


def _bind(
    app: Dash, program: Program, pages: Sequence[Page], page: Page, recorded: Recorded
) -> None:
    function, key = recorded.function, page.key
    takes_long = recorded.long or bool(recorded.options.get("running"))
    outputs = recorded.options.get("output")
    args, options = _with_session(recorded)

    def unchanged() -> Any:
        """Not PreventUpdate, with which dash would lose the notices."""
        if isinstance(outputs, dict):
            return _no_update(outputs)
        return no_update if _has_output(recorded) else None

    def called(*values: Any, **named: Any) -> Any:
        token = CALLER.set(key)
        session_id = named.pop(OWN_SESSION) if named else values[-1]
        try:
            answer = answered(session_id, values if named else values[:-1], named)
        finally:
            CALLER.reset(token)
        if isinstance(outputs, dict) and isinstance(answer, dict):
            return {**_no_update(outputs), **answer}
        return answer

    def answered(session_id: str | None, values: Sequence[Any], named: Mapping[str, Any]) -> Any:
        about = str(getattr(function, "about", function.__name__))
        try:
            ctx = context(program, pages, session_id, key, about=about)
        # the session is not in memory and cannot be read just now: the tab stays as it is, and asks
        # again
        except ProgramBusy as error:
            if not _by_itself():
                Notices(program.error_notices, browser_id(), key, about).notify_error(error)
            return unchanged()
        if ctx.locked is not None and not page.works_while_locked:
            raise PreventUpdate
        if ctx.locked is None and (ago := _last_gesture()) is not None:
            program.sessions.touch(ctx.session_id, actor=ctx.actor, ago=ago)
        try:
            _check_texts(recorded)
            with program.long_calls.place() if takes_long else contextlib.nullcontext():
                answer = function(ctx, *values, **named)
            if not _by_itself():
                ctx.mended(about)
            return answer
        except PreventUpdate:
            raise
        # it was locked while this ran: what the page shows now says so
        except SessionLocked as error:
            log.info("callback %s of page %s met a locked session", function.__name__, key)
            if page.works_while_locked:
                ctx.notify_error(error)
            return unchanged()
        except Exception as error:
            if not isinstance(error, DeconomixError):
                log.exception("callback %s of page %s failed", function.__name__, key)
            ctx.notify_error(error)
            if not _by_itself():
                ctx.mended(about)  # what it said the last time: it was tried again
            return unchanged()

    called.__name__ = f"{key}_{function.__name__}"
    # what takes long would keep the whole page waiting
    setattr(called, MARK, not takes_long)
    called.__doc__ = inspect.getdoc(function)
    app.callback(*args, **options)(called)


def _with_session(recorded: Recorded) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The callback's arguments for dash, with the tab's session among its states."""
    options = dict(recorded.options)
    inputs = options.get("inputs")
    if inputs is None:
        return (*recorded.args, SESSION), options
    state = options.get("state")
    if isinstance(inputs, dict):
        options["state"] = {**(state or {}), OWN_SESSION: SESSION}
    else:
        states = state if isinstance(state, (list, tuple)) else [state] if state else []
        options["state"] = [*states, SESSION]
    return recorded.args, options


def _no_update(outputs: Any) -> Any:
    """``no_update`` for every output, in the same grouping."""
    if isinstance(outputs, dict):
        return {name: _no_update(output) for name, output in outputs.items()}
    if isinstance(outputs, (list, tuple)):
        return [_no_update(output) for output in outputs]
    return no_update


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
    flat = [a for arg in recorded.args for a in (arg if isinstance(arg, (list, tuple)) else [arg])]
    return any(isinstance(a, Output) for a in flat) or bool(recorded.options.get("output"))
