"""create_app: the only door.

One Application holds everything that belongs to one running program.
"""

from __future__ import annotations

import inspect
import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from dash import Dash
from dash.exceptions import DependencyException
from flask import Flask, Response, jsonify, request, send_file

from gui import notify
from gui.announcements import Announcements
from gui.callback_requests import refuse_malformed
from gui.caller import browser_id
from gui.config import Config
from gui.data.dataset import Dataset
from gui.diagnostics.selfcheck import Look
from gui.downloads import DOWNLOAD, NOT_KEPT, BrowserFiles
from gui.engine.forecast import check_memory
from gui.engine.params import Params
from gui.engine.results import Provenance, Run
from gui.engine.setting import Setting, usable
from gui.engine.spread.local import allowed_cores
from gui.error_notices import ErrorNotices
from gui.errors import DeconomixError, JobError, PluginError, SessionLocked, UnknownSession
from gui.figures.text import shorten
from gui.files import CHUNK, Files, Uploads
from gui.guard import HANDOVER, SIGN_OUT, UPLOAD, Guard
from gui.host import Host
from gui.housekeeping import Housekeeping
from gui.jobs.reader import Reader
from gui.jobs.runner import JobRunner
from gui.jobs.status import JobStatus
from gui.logs import start_cache_log, trace_cache
from gui.long_calls import LongCalls
from gui.plugin import Task
from gui.registry import Registry, find_pages
from gui.request_limits import limit_requests
from gui.resources import resource
from gui.sessions import file as session_file
from gui.sessions.cache import DCXCache
from gui.sessions.cleanup import words
from gui.sessions.manager import LOCAL, Actor, SessionCacheManager
from gui.sessions.parsing import ProcessParser
from gui.settings import FILE_NAME, SettingsStore
from gui.shell import frame as shell
from gui.shell import lock_screen as locked
from gui.shell import menu, support_dialog, theme, tour, update_dialog
from gui.shell.callbacks import bind_page, context
from gui.temporary import sweep

log = logging.getLogger(__name__)
INTERRUPTED = 5
"""So many sessions with interrupted jobs are named after a crash."""
TAKING = 3.0
"""Seconds that a second start waits for its files to be taken."""


class Application:
    """The program: ``server`` is its WSGI application, ``start()`` warms the worker, ``stop()``
    ends it.
    """

    def __init__(
        self, config: Config, files: Files | None = None, settings: SettingsStore | None = None
    ) -> None:
        self.config = config
        self.files: Files = files or BrowserFiles()
        sweep()
        sent = config.server
        self.uploads = Uploads(
            per_browser=1_000_000 * max(sent.upload_quota_mb, sent.upload_limit_mb),
            total=1_000_000 * max(sent.upload_total_mb, sent.upload_limit_mb),
        )
        self.guard = Guard(config.server)
        self.long_calls = LongCalls()
        self.settings = settings or SettingsStore(config.data_folder / FILE_NAME)
        self.host: Host | None = None
        """The window; None in a browser, and until there is one."""
        self.shown = threading.Event()
        """A page came up in some tab and asked what is new."""
        self.last_asked = time.monotonic()
        self.leaving = threading.Event()
        """The window is closing: what is handed over now would be lost."""
        self.stopped = threading.Event()
        self.one_user = self.files.native
        """One person uses it, in one place: a file of a second start is shown there."""
        self.announcements = Announcements()
        self.errors = ErrorNotices()
        self.arrived: str | None = None
        """The session for the first tab, where the program was started with a session file."""
        self.handed_over = 0
        """How often a second start gave its files to this one; the window's page follows."""
        self.more_checks: Mapping[str, Look] = {}
        """What the window's side checks for the support bundle, beside :mod:`gui.diagnostics`."""
        self._origins: dict[str, tuple[str, Dataset]] = {}
        self._submitting = threading.Lock()
        found = find_pages(config.plugins_folder)
        single = not config.sessions.enabled or found.page("sessions") is None
        if single:
            found = Registry(
                tuple(page for page in found.pages if page.key != "sessions"), found.errors
            )
        if config.debug.log_cache:
            start_cache_log()
        self.session_reader = Reader(
            warm_up="gui.sessions.parsing:warm_up", admission=self.long_calls.place
        )
        """Of its own: a session opens while the other one reads a large table."""
        self.sessions = SessionCacheManager(
            config.data_folder,
            single=single,
            sessions_folder=config.sessions_folder,
            archive_folder=config.archive_folder,
            backups=config.sessions.backups,
            most=config.sessions.most,
            parser=ProcessParser(self.session_reader),
            trace=(
                (
                    lambda session, action, key, value: trace_cache(
                        session.session_id, action, key, value
                    )
                )
                if config.debug.log_cache
                else None
            ),
        )
        compute = config.compute
        # several workers share the processors
        cores = compute.cores or max(1, allowed_cores() // compute.workers)
        self.setting = usable(Setting(compute.engine, cores, compute.scheduler))
        self.runner = JobRunner(
            self._deliver, ended=self._ended, workers=config.compute.workers, setting=self.setting
        )
        self.reader = Reader(admission=self.long_calls.place)
        self.sessions.admission = self.long_calls.place
        self.sessions.busy = lambda: {job.session_id for job in self.runner.status() if job.active}
        self.sessions.before_lock = self._before_lock
        if self.sessions.trouble is not None:
            self.announcements.append(notify.sentence(self.sessions.trouble))
        self.housekeeping = self._chores()
        self.registry, layouts = self._usable(found)
        self.dash = self._dash(layouts)
        self.server: Flask = self.dash.server

    # -- life
    # ----------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the worker and the reading process in the background, so that they are warm before
        they are needed; and the housekeeping.
        """
        self.reader.start()
        self.session_reader.start()
        self.runner.start()
        self.housekeeping.start()

    def running_jobs(self) -> int:
        """How many jobs run or wait."""
        return sum(job.active for job in self.runner.status())

    def say_what_was_restored(self) -> None:
        """The program ended by a crash or was killed: tell what is there again, and what was
        interrupted.
        """
        infos = [
            info
            for info in self.sessions.list_sessions(actor=LOCAL)
            if info.holds_data and info.problem is None
        ]
        interrupted = [info for info in infos if info.contents.get("jobs")]
        stopped = [
            f"{shorten(str(info.contents['jobs']), 60)} in “{shorten(info.name, 60)}”"
            for info in interrupted[:INTERRUPTED]
        ]
        stopped += (
            [f"{len(interrupted) - INTERRUPTED} more"] if len(interrupted) > INTERRUPTED else []
        )
        number = "Your session is" if len(infos) == 1 else f"Your {len(infos)} sessions are"
        said = ["DeconomiX was not closed properly last time."]
        said += [f"{number} here as last saved."] if infos else []
        said += (
            [f"Interrupted: {', '.join(stopped)}. Open the session to start it again."]
            if stopped
            else []
        )
        self.announcements.append(" ".join(said))

    def stop(self) -> str | None:
        """End the worker, wait until every session is saved, delete uploaded files; a sentence if
        something could not be saved.

        May be called twice.

        Jobs that were running stay known to their sessions as interrupted.
        """
        self.leaving.set()
        self.stopped.set()
        self.housekeeping.stop()
        self.runner.stop()
        self.reader.stop()
        self.session_reader.stop()
        saved = self.sessions.close(actor=LOCAL)
        self.uploads.close()
        return (
            None
            if saved
            else "Not every session could be saved: what was changed last in them is lost."
        )

    def pending_saves(self) -> int:
        """How many sessions are not on disk yet."""
        return self.sessions.pending(actor=LOCAL)

    def _chores(self) -> Housekeeping:
        """What the program does by itself."""
        chores, settings = Housekeeping(), self.config.sessions
        chores.add("uploads", self.uploads.expire, every=600.0)
        if self.sessions.single:
            return chores
        if settings.cleanup.enabled:
            chores.add("clean-up", self._clean_up, every=24 * 3600.0, after=5.0)
        # never, but for what could not be locked when its browser signed out
        idle = 60.0 * settings.lock_after_minutes or math.inf
        chores.add(
            "locking", lambda: self.sessions.lock_idle(idle, actor=LOCAL), every=min(5.0, idle / 4)
        )
        chores.add(
            "memory",
            lambda: self.sessions.trim_memory(settings.memory_mb * 1_000_000, actor=LOCAL),
            every=30.0,
        )
        return chores

    def _clean_up(self) -> None:
        wanted = self.config.sessions.cleanup
        done = self.sessions.cleanup_sessions(
            actor=LOCAL,
            max_sessions=wanted.max_sessions,
            max_age_days=wanted.max_age_days,
            action=wanted.action,
        )
        said = words(done, wanted.action)
        log.info("%s Ids: %s", said, ", ".join(info.session_id for info in done) or "none")
        if done:
            undo = (
                f" The Sessions page brings them back for {self.sessions.undo_seconds:.0f} seconds."
                if wanted.action == "delete"
                else ""
            )
            self.announcements.append(f"{said}{undo}")

    def start_url(self, base: str) -> str:
        """An address that opens the program once: ``base`` is like ``http://127.0.0.1:8050``; the
        public address counts instead, where there is one.
        """
        base = self.config.server.origin or base
        return f"{base.rstrip('/')}/?t={self.guard.issue()}"

    def open_later(self, paths: list[Path]) -> None:
        """Data files to offer on the Upload page; session files are imported and the last one is
        shown in the first tab.

        What is wrong with a session file is said there too: who double-clicked it sees no terminal.
        UnreadableFile for a data file that is not there.
        """
        for path in paths:
            if not path.name.lower().endswith(session_file.SUFFIX):
                self.uploads.offer(path)
                self.settings.remember(path)
                continue
            try:
                found = self.sessions.import_session(path, actor=LOCAL)
                if found.outcome == "differs" and not self._can_be_shown(found.session_id):
                    here = found.name
                    found = self.sessions.import_session(path, actor=LOCAL, as_copy=True)
                    words = (
                        f"“{here}” is here already, but archived or not to be read; what"
                        f" {path.name} holds is shown as “{found.name}”."
                    )
                    self.announcements.append(words)
            except DeconomixError as error:
                self.announcements.append(f"{path.name}: {notify.sentence(error)}")
                continue
            self.settings.remember(path)
            self.arrived = found.session_id
            if found.outcome == "differs":
                words = (
                    f"“{found.name}” is here already, in another version than {path.name} holds;"
                    " yours is shown."
                )
                self.announcements.append(
                    f"{words} To have the other one too, import the file on the Sessions page."
                )

    def _can_be_shown(self, session_id: str) -> bool:
        try:
            self.sessions.get_session(session_id, actor=LOCAL)
        except SessionLocked:  # its lock screen can
            return True
        except DeconomixError:
            return False
        return True

    def take_over(self, paths: Sequence[Path]) -> None:
        """What a second start was asked to open, or nothing: this one shows it and comes to the
        front.

        What is wrong with a file is said there.
        """
        for path in paths:
            try:
                self.open_later([path])
            except DeconomixError as error:
                self.announcements.append(notify.sentence(error))
        self.handed_over += 1
        if self.host is not None:
            self.host.to_front()

    def adopted(self, paths: Sequence[Path]) -> list[dict[str, Any]]:
        """For each file or folder of this computer what the upload route would answer, with
        "folder" beside it: ``{token, name, size}`` or ``{error}``.
        """
        answers: list[dict[str, Any]] = []
        for path in paths:
            try:
                found = self.uploads.adopt(path, folder=True)
                answers.append(
                    {
                        "token": found.token,
                        "name": found.name,
                        "size": found.size,
                        "folder": path.is_dir(),
                    }
                )
                if not path.is_dir():
                    self.settings.remember(path)
            except DeconomixError as error:
                answers.append({"error": notify.sentence(error)})
        return answers

    def asked(self) -> None:
        """A tab asks what is new."""
        self.last_asked = time.monotonic()
        if not self.shown.is_set():
            log.info("the page is shown")
            self.shown.set()

    # -- jobs
    # ----------------------------------------------------------------------------------------------
    def submit(
        self,
        task: Task,
        session_id: str,
        params: Params | None,
        *,
        dataset: Dataset,
        inputs: Mapping[str, str],
        input_results: Mapping[str, Any],
        kind: str,
        title: str,
        actor: str,
        job_id: str | None = None,
    ) -> str:
        """Queue a task and remember the dataset it belongs to; the job's id (a new one, if none is
        given).

        JobError if as many steps of the session are waiting as may; InvalidParameter if the memory
        that is free will not do.
        """
        check_memory(task, dataset, params, input_results, self.setting.engine)
        with self._submitting:
            waiting = sum(job.active for job in self.runner.status(session_id))
            if waiting >= self.config.compute.queue:
                raise JobError(
                    f"{waiting} steps of this session are waiting or running already, as many as"
                    " may.",
                    advice="Wait for one, or cancel one.",
                )
            job_id = self.runner.submit(
                task,
                session_id,
                params,
                job_id=job_id,
                dataset=dataset,
                inputs=inputs,
                input_results=input_results,
                kind=kind,
                title=title,
                actor=actor,
            )
            self._origins[job_id] = session_id, dataset
            ended = {job.id for job in self.runner.status() if not job.active}
            for old in [j for j in self._origins if j in ended and j != job_id]:
                del self._origins[old]
            return job_id

    def known_task(self, module: str, name: str) -> Task:
        """The task of this name, if it is one of ours or comes from where a plug-in page comes
        from; JobError.

        The names stand in a session file: nothing is imported for them, and no function but a task,
        which takes ``progress``, can be had by them.
        """
        homes = {
            page.layout_function.__module__
            for page in self.registry.pages
            if page.layout_function is not None
        }
        homes = {home for home in homes if not home.startswith("gui.")}
        packages = tuple(f"{home.partition('.')[0]}." for home in homes if "." in home)
        ours = module == "gui.engine.tasks" and name.startswith("run_")
        task = (
            getattr(sys.modules.get(module), name, None)
            if ours or module in homes or module.startswith(packages)
            else None
        )
        if (
            not inspect.isfunction(task)
            or (task.__module__, task.__qualname__) != (module, name)
            or "progress" not in inspect.signature(task).parameters
        ):
            raise JobError(
                "The page that computed this is not there any more.",
                advice="Start the step from a page.",
            )
        return task

    def _ended(self, job: JobStatus) -> None:
        """A job came to its end without a result: it is not interrupted."""
        self.sessions.job_ended(job.session_id, job.id, actor=LOCAL)

    def _before_lock(self, session: DCXCache) -> None:
        """A protected session is about to be locked: nobody keeps anything of it, and no file that
        was chosen for it is left.

        Each step is tried, whatever became of the one before.
        """
        steps: list[Callable[[], object]] = [
            partial(self.runner.drop, session.session_id),
            self.reader.forget,
            self.session_reader.forget,
        ]
        steps += [partial(self.uploads.forget, token) for token in session.uploads()]
        steps.append(partial(self._forget_origins, session.session_id))
        for step in steps:
            try:
                step()
            except Exception:
                log.exception("a step of locking failed: session id %s", session.session_id)

    def _forget_origins(self, session_id: str) -> None:
        with self._submitting:
            for job_id in [j for j, (owner, _) in self._origins.items() if owner == session_id]:
                del self._origins[job_id]

    def _deliver(
        self, job: JobStatus, result: Any, versions: Mapping[str, str], seconds: float
    ) -> str | None:
        """The server process, the single writer, adds the run to the session the job was started
        from (None: it was deleted).
        """
        with self._submitting:
            _, dataset = self._origins.pop(job.id)
        origin = Provenance(
            dataset.training_id,
            dataset.bulk_id,
            dict(job.inputs),
            self.setting.engine,
            dict(versions),
            seconds,
        )
        try:
            run = Run(
                job.id,
                job.kind,
                job.title,
                datetime.now(UTC),
                job.params or Params(),
                result,
                origin,
            )
            run.check()
            self.sessions.add_run(job.session_id, run, actor=LOCAL)
        except (UnknownSession, SessionLocked):  # it was deleted, archived or locked meanwhile
            return None
        except ValueError as error:
            raise JobError(
                f"“{job.title}” gave a result that does not fit: {error}.",
                advice="Tell the author of the page.",
            ) from None
        return job.id

    # -- pages
    # ----------------------------------------------------------------------------------------------
    def _usable(self, registry: Registry) -> tuple[Registry, list[Any]]:
        """Only pages whose layout can be built, and these layouts, each built once; the other pages
        become notices.
        """
        pages, layouts, errors = [], [], list(registry.errors)
        for page in registry.pages:
            try:
                layouts.append(shell.page_layout(page, context(self, None, page.key)))
            except Exception as error:
                if page.layout_function and page.layout_function.__module__.startswith("gui."):
                    raise
                log.warning("page %s left out: %s", page.key, type(error).__name__)
                errors.append(
                    PluginError(
                        f"The plug-in page {page.title} could not be shown ({type(error).__name__}:"
                        f" {str(error)[:200]})."
                    )
                )
            else:
                pages.append(page)
        return Registry(tuple(pages), tuple(errors)), layouts

    def _dash(self, layouts: list[Any]) -> Dash:
        server = Flask("gui")
        app = Dash(
            "gui",
            server=server,
            assets_folder=str(resource("assets")),
            title="DeconomiX",
            update_title="",
            serve_locally=True,
            add_log_handler=False,
            suppress_callback_exceptions=True,  # the check is ours: shell.unknown_ids
            enable_mcp=False,
        )
        app.index_string = app.index_string.replace("<html>", '<html lang="en">')
        app.layout = lambda: shell.layout(self)
        app.validation_layout = shell.validation_layout(self, layouts)
        shell.bind_shell(app, self)
        locked.bind_lock_screen(app, self)
        tour.bind_tour(app, self)
        menu.bind_menu(app, self)
        theme.bind_theme(app, self)
        support_dialog.bind_support(app, self)
        update_dialog.bind_update(app, self)
        for page in self.registry.pages:
            bind_page(app, self, page)
        for unknown in shell.unknown_ids(app):
            log.warning("a callback names an id that is on no page: %s", unknown)
        self._routes(server)
        self.guard.protect(server, app.csp_hashes)
        limit_requests(server, self.long_calls.place)
        refuse_malformed(server, app)
        return app

    def _routes(self, server: Flask) -> None:
        @server.post(UPLOAD)
        def upload() -> tuple[Response, int] | Response:
            """Receive one file as the raw request body, in chunks: ``?name=``."""
            limit = self.config.server.upload_limit_mb * 1_000_000
            try:
                received = self.uploads.receive(
                    request.args.get("name", "file"),
                    iter(lambda: request.stream.read(CHUNK), b""),
                    limit=limit,
                )
            except DeconomixError as error:
                return jsonify(error=notify.sentence(error)), 413
            except OSError as error:
                log.warning("upload failed: %s", type(error).__name__)
                return (
                    jsonify(
                        error="The file could not be received. Is there room left on the disk?"
                    ),
                    500,
                )
            return jsonify(token=received.token, name=received.name, size=received.size)

        @server.post(SIGN_OUT)
        def sign_out() -> tuple[str, int]:
            """End the access of the browser that asks, and forget what it has unlocked."""
            browser = browser_id()
            self.guard.sign_out(browser)
            self.sessions.forget_browser(actor=Actor(browser=browser))
            return "", 204

        @server.post(HANDOVER)
        def handover() -> tuple[str, int]:
            """``{"paths": [absolute path, ...]}`` from a second start of the program: the guard
            lets through who has read the token in its file.
            """
            body = request.get_json(silent=True)
            paths = body.get("paths") if isinstance(body, dict) else None
            if not isinstance(paths, list) or not all(
                isinstance(p, str) and "\x00" not in p and Path(p).is_absolute() for p in paths
            ):
                return "Absolute paths are wanted.", 400
            if self.leaving.is_set():
                return "The program ends.", 503
            # A large session takes longer to read than who asks would wait for: it would ask again.
            taking = threading.Thread(
                target=self.take_over,
                args=([Path(p) for p in paths],),
                name="take-over",
                daemon=True,
            )
            taking.start()
            taking.join(TAKING)
            return "", 200

        if isinstance(self.files, BrowserFiles):
            downloads = self.files.downloads

            @server.get(f"{DOWNLOAD}<token>")
            def download(token: str) -> Response:
                """A file that a callback gave away, once, to the browser it is for."""
                found = (
                    downloads.take(token, browser=browser_id()) if request.method == "GET" else None
                )
                if found is None:
                    return Response(NOT_KEPT, 404, mimetype="text/plain")
                return send_file(
                    BytesIO(found.data),
                    mimetype="application/octet-stream",
                    as_attachment=True,
                    download_name=found.name,
                )

        @server.errorhandler(DependencyException)
        def no_such_file(_: Exception) -> tuple[str, int]:
            return "Not found", 404

        @server.errorhandler(Exception)
        def failed(error: Exception) -> tuple[str, int]:
            code = getattr(error, "code", None)
            if isinstance(code, int):
                return str(getattr(error, "name", "Not found")), code
            log.exception("request failed")
            return "Something went wrong; the log has the details.", 500


def create_app(
    config: Config, files: Files | None = None, settings: SettingsStore | None = None
) -> Application:
    """The application, complete but for its worker (``start()``).

    files : how it opens and saves (default: as in a browser); settings : what it remembers
    (default: those of the data folder)
    """
    return Application(config, files, settings)
