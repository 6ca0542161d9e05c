"""PUBLIC: how a page is written.

The built-in pages use nothing else.

A page is one file::

    from dash import Input, Output, dcc, html
    from gui.plugin import REVISION, Page

    page = Page("counts", "Counts", "Cells of each type", order=80, requires=("train",))

    def count(dataset, params, *, progress):          # a task: runs in the worker process
        progress("Counting", 0.5)
        return {"cells per type": dataset.train.counts()}

    @page.layout
    def layout(ctx):
        return html.Div([html.Button("Count", id=page.id.go), html.Div(id=page.id.out)])

    @page.callback(Input(page.id.go, "n_clicks"), prevent_initial_call=True)
    def go(ctx, clicks):
        ctx.jobs.submit(count, ctx.session_id)

    @page.callback(Output(page.id.out, "children"), REVISION)
    def show(ctx, revision):
        run = ctx.session.current("counts")           # results are found under the page's key
        return "" if run is None else run.result["cells per type"].to_string()

Nothing is registered at import: ``create_app`` binds the recorded callbacks, so the functions stay
plain and testable.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Any, Protocol

from dash import Input, set_props

from gui.config import Config
from gui.engine.params import Params
from gui.files import Files, Uploads
from gui.jobs.reader import Reader
from gui.jobs.status import JobStatus
from gui.jobs.taskref import Task as Task
from gui.methods.method import Capability as Capability
from gui.methods.method import Method as Method
from gui.methods.method import MethodResult as MethodResult
from gui.methods.method import method_result as method_result
from gui.program import Program
from gui.sessions.cache import DCXCache as DCXCache
from gui.sessions.manager import Actor, SessionCacheManager
from gui.sessions.snapshot import PendingJob
from gui.sessions.store import SessionInfo

REVISION = Input("dcx-revision", "data")
"""Fires when a page opens, when the session changes and when another session is chosen.

Value: "<session id>:<revision>".
"""

JOBS = Input("dcx-active", "data")
"""Fires when a step of this tab's session begins or comes to its end, well or not.

Value: the kinds of those that wait or run ("dtd", "adtd", …).
"""

ADDRESS = Input("dcx-location", "search")
"""What stands behind the "?" of the address, with it; for a page that can be opened at a certain
place.

Fires when it changes, on every page.
"""

DARK = Input("dcx-dark", "data")
"""Whether the page is dark (for figures); fires when the theme changes."""


class Jobs(Protocol):
    """The job queue as a page sees it."""

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
        """Queue ``task`` on the session's present dataset; returns the job id.

        kind : under which the result is found in the session (default: the page's key)
        inputs : argument name -> run id; the task receives that run's result under the name
        """
        ...

    def status(self, session_id: str | None = None) -> list[JobStatus]:
        """Queued and running jobs and the latest ended ones, oldest first."""
        ...

    def cancel(self, job_id: str) -> bool: ...

    def interrupted(self, session_id: str) -> Sequence[PendingJob]:
        """Jobs of the session that were going on when the program ended, or the session was
        locked.
        """
        ...

    def again(self, session_id: str, job_id: str) -> str:
        """Start an interrupted job anew; the new job's id."""
        ...

    def dismiss(self, session_id: str, job_id: str) -> None:
        """Forget an interrupted job."""
        ...


@dataclass(frozen=True)
class Context:
    """What a page's functions get as their first argument: this tab's session, who asks, and the
    program's services.
    """

    session: DCXCache
    actor: Actor
    program: Program
    """The running program; for the built-in pages. A plug-in needs only what stands below."""
    jobs: Jobs
    notify: Callable[..., None]
    """``notify(message, title="", colour="blue", keep=False)``: a short notice in this tab."""
    notify_error: Callable[..., None]
    """``notify_error(error, about=None)``: show an error as the notice it would become if it were
    raised; for a callback that goes on after it.
    """
    locked: SessionInfo | None = None
    """This tab's session, if it is protected and this browser has not unlocked it; ``session`` is
    the default one then.
    """
    mended: Callable[..., None] = lambda *_about, **_page: None
    """``mended(about=None)``: notices of errors about this, or of all on this page, go.

    A callback's own errors go by themselves when the user has it called again and it succeeds, and
    all of a page when it is left; say ``about`` where one callback is to take back the errors of
    another.
    """
    pages: tuple[Page, ...] = ()
    """All pages, in the order of the work."""

    @property
    def methods(self) -> tuple[Method, ...]:
        """All methods, built in and of plug-ins."""
        return self.program.methods

    @property
    def sessions(self) -> SessionCacheManager:
        return self.program.sessions

    @property
    def files(self) -> Files:
        return self.program.files

    @property
    def uploads(self) -> Uploads:
        return self.program.uploads

    @property
    def config(self) -> Config:
        return self.program.config

    @property
    def read(self) -> Reader:
        """``read(task, params, name=, dataset=None)``: call ``task(dataset, params, progress=)`` in
        the reading process and wait; for users' files.
        """
        return self.program.reader

    @property
    def session_id(self) -> str:
        return self.session.session_id

    def get_session_cache(self, session_id: str) -> DCXCache:
        """Another session's data.

        UnknownSession; SessionLocked if it is protected and this browser has not unlocked it. Never
        makes one.
        """
        return self.sessions.get_session_cache(session_id, actor=self.actor)

    def switch_to(self, session_id: str) -> None:
        """Show another session in this tab."""
        set_props("dcx-session", {"data": session_id})

    def refresh(self) -> None:
        """Look at once whether the session changed (the page looks by itself within a few seconds):
        after choosing another run.
        """
        self.request_refresh("refresh", self.session_id, self.session.revision)

    def request_refresh(self, *why: Any) -> None:
        """Have this tab look at once what changed; ``why`` tells one request from the other."""
        set_props("dcx-poke", {"data": " ".join(map(str, (*why, time.monotonic_ns())))})

    @property
    def complain(self) -> Callable[..., None]:
        """The former name of :attr:`notify_error`."""
        _renamed("Context.complain", "Context.notify_error")
        return self.notify_error

    def poke(self, *why: Any) -> None:
        """The former name of :meth:`request_refresh`."""
        _renamed("Context.poke", "Context.request_refresh")
        self.request_refresh(*why)

    def go_to(self, page_key: str, *, search: str = "") -> None:
        """Show another page in this tab; ``search`` ("?name=value") is what its :data:`ADDRESS`
        gets.
        """
        set_props("dcx-location", {"pathname": f"/{page_key}", "search": search, "hash": ""})


class Ids:
    """``page.id.name`` is a component id of this page only; ``page.id.each("name", index)`` one of
    many (pattern matching).
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._names: set[str] = set()

    def __getattr__(self, name: str) -> str:
        if name.startswith("_"):
            raise AttributeError(name)
        self._names.add(name)
        return f"{self._key}-{name.replace('_', '-')}"

    def each(self, name: str, index: Any) -> dict[str, Any]:
        return {"page": self._key, "part": name, "index": index}


@dataclass(frozen=True)
class Recorded:
    """A callback as recorded: ``create_app`` binds it.

    options : dash's; long, picture, when : see :meth:`Page.callback`
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    options: Mapping[str, Any]
    clientside: str | None = None
    long: bool = False
    picture: bool = False
    when: Callable[[Program], bool] | None = None


@dataclass
class Page:
    """One page.

    key : short, unique, in the address; title, description : in the navigation; order : 10 Upload,
        20 DTD, 30 ADTD, 90 Sessions
    requires : what must be there before the page opens: "dataset", "train", "bulk", "composition"
        or "gene effects" (regulation or a hidden profile; both by any method), or a run kind
        ("dtd", "adtd")
    works_while_locked : works without the tab's session, and so also while that is locked; other
        pages show the lock screen then
    listed : stands in the navigation; a page that does not is no step of the work and is reached by
        its address
    """

    key: str
    title: str
    description: str
    order: int = 50
    requires: tuple[str, ...] = ()
    works_while_locked: bool = False
    listed: bool = True
    free: InitVar[bool | None] = None
    """The former name of ``works_while_locked``."""
    id: Ids = field(init=False)
    layout_function: Callable[[Context], Any] | None = field(default=None, init=False)
    deferred_functions: list[Callable[[Context], Any]] = field(default_factory=list, init=False)
    summary_function: Callable[[Context], str | None] | None = field(default=None, init=False)
    callbacks: list[Recorded] = field(default_factory=list, init=False)

    def __post_init__(self, free: bool | None) -> None:
        self.id = Ids(self.key)
        if free is not None:
            _renamed("Page(free=...)", "Page(works_while_locked=...)", stacklevel=4)
            self.works_while_locked = free

    @property
    def is_plugin(self) -> bool:
        """Whether it is not one of the program's own pages."""
        function = self.layout_function
        return function is not None and not function.__module__.startswith("gui.")

    def layout(self, function: Callable[[Context], Any]) -> Callable[[Context], Any]:
        """The page's skeleton; every static id used in a callback must be in it, or in a part for
        :meth:`deferred`.

        Called once at start, with an empty session, and then each time the page opens.
        """
        self.layout_function = function
        return function

    def deferred(self, function: Callable[[Context], Any]) -> Callable[[Context], Any]:
        """A part of the page that a callback puts in when it is needed: what is heavy and not
        always wanted.

        Called at start, so that its ids are known.
        """
        self.deferred_functions.append(function)
        return function

    def later(self, function: Callable[[Context], Any]) -> Callable[[Context], Any]:
        """The former name of :meth:`deferred`."""
        _renamed("Page.later", "Page.deferred")
        return self.deferred(function)

    def summary(self, function: Callable[[Context], str | None]) -> Callable[[Context], str | None]:
        """One line for the navigation once the page's work is done ("812 cells, 10 types"), or None
        while it is not.
        """
        self.summary_function = function
        return function

    def callback(
        self,
        *args: Any,
        long: bool = False,
        picture: bool = False,
        when: Callable[[Program], bool] | None = None,
        **options: Any,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Like ``dash.callback``; the function gets a :class:`Context` before its arguments.

        Where there are more than two or three of them, give them names: with
        ``output={"title": Output(…)}, inputs={"text": Input(…)}, state={"by": State(…)}`` the
        function is called as ``function(ctx, text=…, by=…)`` and returns a dict; an output that
        it leaves out stays as it is.

        An error in it becomes a notice and changes nothing on screen.

        Parameters
        ----------
        long : it may take more than a moment. Only so many of these go on at once, so that others
            never wait for a thread; one with ``running`` is long too
        picture : it is given pictures, which may be longer than other texts
            (``gui.request_limits.MAX_TEXT``)
        when : bind it only in a program of which this is true
        """

        def record(function: Callable[..., Any]) -> Callable[..., Any]:
            self.callbacks.append(
                Recorded(function, args, options, long=long, picture=picture, when=when)
            )
            return function

        return record

    def clientside(
        self,
        source: str,
        *args: Any,
        when: Callable[[Program], bool] | None = None,
        **options: Any,
    ) -> None:
        """Like ``dash.clientside_callback``: ``source`` is JavaScript and runs in the page, without
        a Context.
        """
        self.callbacks.append(Recorded(lambda: None, args, options, clientside=source, when=when))


def _renamed(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Tell a plug-in's author of a former name; it works for one more version."""
    warnings.warn(f"{old} is now {new}", DeprecationWarning, stacklevel=stacklevel)
