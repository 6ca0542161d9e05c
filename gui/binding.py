"""Turns what a Page recorded into callbacks of a running application: adds the Context, turns errors into notices."""

from __future__ import annotations

import hashlib
import inspect
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dash import Dash, State, no_update, set_props
from dash.exceptions import PreventUpdate

from gui import notify
from gui.engine.params import Params
from gui.errors import DeconomixError, MissingPart, SessionError
from gui.jobs.status import JobStatus
from gui.plugin import Context, Page, Recorded, Task
from gui.sessions.manager import LOCAL, Actor

if TYPE_CHECKING:
    from gui.app import Application

log = logging.getLogger(__name__)
SESSION = State("dcx-session", "data")
PASSING_MS = 5000
"""How long a notice that is no error stays."""
SHELL = "dcx"
"""The key of the shell itself: it binds its callbacks like a page, ids begin with dcx-."""


@dataclass(frozen=True)
class Notices:
    """Collects the notices of one callback; dash keeps only the last set_props of a property."""

    sent: list[dict[str, Any]]

    def __call__(self, message: str, title: str = "", colour: str = "blue", keep: bool = False) -> None:
        words = hashlib.sha256(f"{title}|{message}".encode()).hexdigest()[:16]  # the same words stand there once, however often they are met
        shown: dict[str, Any] = {"action": "show", "id": words, "message": message, "color": colour, "autoClose": False if keep else PASSING_MS}
        if not keep:  # what passes by itself stands in the empty room under the navigation, where it covers neither figure nor button
            shown["position"] = "bottom-left"
        if title:
            shown["title"] = title
        self.sent.append(shown)
        set_props("dcx-notices", {"sendNotifications": list(self.sent)})


class BoundJobs:
    """The queue as one actor sees it through one page: adds the dataset, the named results and who asks."""

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
                raise MissingPart(f"The {name.upper()} run this step needs is no longer there.", advice="Run it again.")
            results[name] = run.result
        kind = kind or self._kind
        job_id = self._application.submit(
            task,
            session_id,
            params,
            dataset=dataset,
            inputs=dict(inputs or {}),
            input_results=results,
            kind=kind,
            title=title or kind.upper(),
            actor=self._actor.name,
        )
        set_props("dcx-poke", {"data": job_id})
        return job_id

    def status(self, session_id: str | None = None) -> list[JobStatus]:
        return self._application.runner.status(session_id)

    def cancel(self, job_id: str) -> bool:
        set_props("dcx-poke", {"data": f"cancel {job_id}"})
        return self._application.runner.cancel(job_id)


def context(application: Application, session_id: str | None, kind: str, *, actor: Actor = LOCAL) -> Context:
    """The Context for one call. An unknown session leads to the default one, with a notice: never into someone else's data."""
    notices = Notices([])
    sessions = application.sessions
    try:
        session = sessions.get_session(session_id or sessions.default_id, actor=actor)
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
        complain=lambda error: notices(**notify.notice(error)),
    )


def bind_page(app: Dash, application: Application, page: Page) -> None:
    """Register every recorded callback of ``page`` with dash."""
    for recorded in page.callbacks:
        bind(app, application, page.key, recorded)


def bind(app: Dash, application: Application, key: str, recorded: Recorded) -> None:
    if recorded.clientside is not None:
        app.clientside_callback(recorded.clientside, *recorded.args, **recorded.options)
        return
    function = recorded.function

    def called(*values: Any) -> Any:
        *given, session_id = values
        ctx = context(application, session_id, key)
        try:
            return function(ctx, *given)
        except PreventUpdate:
            raise
        except Exception as error:
            if not isinstance(error, DeconomixError):
                log.exception("callback %s of page %s failed", function.__name__, key)
            ctx.notify(**notify.notice(error))
            return no_update if _has_output(recorded) else None

    called.__name__ = f"{key}_{function.__name__}"
    called.__doc__ = inspect.getdoc(function)
    app.callback(*recorded.args, SESSION, **recorded.options)(called)


def _has_output(recorded: Recorded) -> bool:
    from dash import Output

    flat = [a for arg in recorded.args for a in (arg if isinstance(arg, (list, tuple)) else [arg])]
    return any(isinstance(a, Output) for a in flat) or bool(recorded.options.get("output"))
