"""The running program without its screen: sessions, jobs, reading, settings, housekeeping and the
files it was handed. Knows neither Dash nor Flask.
"""

from __future__ import annotations

import inspect
import logging
import math
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from gui import notify
from gui.analyses.registry import ANALYSES, uses_samples
from gui.config import Config
from gui.data.dataset import Dataset
from gui.engine.compute_settings import ComputeSettings, usable_settings
from gui.engine.forecast import check_memory
from gui.engine.parallel.local import allowed_cores
from gui.engine.params import Params
from gui.engine.recommended import StepResult, StepResults
from gui.engine.results import Provenance, Run
from gui.error_notices import ErrorNotices
from gui.errors import JobError, MissingPart, PluginError, SessionLocked, UnknownSession
from gui.files import Files, Uploads
from gui.host import Host
from gui.housekeeping import Housekeeping
from gui.inbox import Inbox
from gui.jobs.failure import to_error
from gui.jobs.reader import Reader
from gui.jobs.runner import JobRunner
from gui.jobs.status import JobStatus
from gui.jobs.taskref import Task
from gui.logs import start_cache_log, trace_cache
from gui.long_calls import LongCalls
from gui.methods.method import KIND, Method
from gui.methods.registry import BUILT_IN
from gui.previews import Previews
from gui.sessions.cache import DCXCache
from gui.sessions.cleanup import words
from gui.sessions.kinds import check_run
from gui.sessions.manager import LOCAL, Actor, SessionCacheManager
from gui.sessions.parsing import ProcessParser
from gui.sessions.reference_library import FOLDER, ReferenceLibrary
from gui.sessions.snapshot import PendingJob
from gui.sessions.templates import FOLDER as TEMPLATES
from gui.sessions.templates import TemplateLibrary
from gui.settings import FILE_NAME, SettingsStore
from gui.temporary import sweep
from gui.updates import Update

log = logging.getLogger(__name__)
ENGINE_TASKS = ("gui.engine.tasks", "gui.engine.recommended", "gui.methods.intervals")
"""Modules of the engine's tasks. Their names stand in session files."""
LIBRARY = "library"
"""Argument of a task that compares with the saved references."""
ESTIMATOR = "estimator"
"""A task with this parameter gets the method of its input, never one that a file names."""


class Program:
    """What belongs to one running program. ``start()`` warms the worker, ``stop()`` ends it.

    single : there is one session only; settings : default: those of the data folder
    """

    def __init__(
        self,
        config: Config,
        files: Files,
        settings: SettingsStore | None = None,
        *,
        single: bool = False,
    ) -> None:
        sweep()
        self.config, self.files = config, files
        self.settings = settings or SettingsStore(config.data_folder / FILE_NAME)
        sent = config.server
        self.uploads = Uploads(
            per_browser=1_000_000 * max(sent.upload_quota_mb, sent.upload_limit_mb),
            total=1_000_000 * max(sent.upload_total_mb, sent.upload_limit_mb),
        )
        self.long_calls = LongCalls()
        self.error_notices = ErrorNotices()
        self.host: Host | None = None
        """The window; None in a browser, and until there is one."""
        self.one_user = files.native
        """One person uses it, in one place: a file of a second start is shown there."""
        self.shown = threading.Event()
        """A page came up in some tab and asked what is new."""
        self.last_asked = time.monotonic()
        self.leaving = threading.Event()
        """The window is closing: what is handed over now would be lost."""
        self.stopped = threading.Event()
        self.more_checks: Mapping[str, Callable[[], Any]] = {}
        """What the window's side checks for the support bundle, beside ``gui.diagnostics``."""
        self.plugin_modules: frozenset[str] = frozenset()
        """Modules that plug-in pages are defined in: tasks may come from there."""
        self.plugin_errors: tuple[PluginError, ...] = ()
        self.methods: tuple[Method, ...] = tuple(BUILT_IN.values())
        self.previews = Previews()
        self.updates_folder = config.data_folder / "updates"
        self.checked_update: Update | None = None
        """What “Install an update…” may start."""

        self.reader = Reader(admission=self.long_calls.place)
        self.session_reader = Reader(
            warm_up="gui.sessions.parsing:warm_up", admission=self.long_calls.place
        )
        """Of its own: a session opens while the other one reads a large table."""
        self.sessions = self._open_sessions(single)
        self.references = ReferenceLibrary(
            config.data_folder / FOLDER, shared=config.server.allow_remote
        )
        self.templates = TemplateLibrary(config.data_folder / TEMPLATES)
        self.inbox = Inbox(self.sessions, self.uploads, self.settings)
        if self.sessions.trouble is not None:
            self.inbox.announcements.append(notify.sentence(self.sessions.trouble))

        compute = config.compute
        # several workers share the processors
        cores = compute.cores or max(1, allowed_cores() // compute.workers)
        self.setting = usable_settings(ComputeSettings(compute.engine, cores, compute.scheduler))
        self.runner = JobRunner(
            self._deliver, ended=self._ended, workers=compute.workers, setting=self.setting
        )
        self._submitting = threading.Lock()
        self._origins: dict[str, tuple[str, Dataset]] = {}
        """Job -> the session and the dataset it was started on."""
        self.housekeeping = self._chores()

    def _open_sessions(self, single: bool) -> SessionCacheManager:
        config = self.config
        trace = None
        if config.debug.log_cache:
            start_cache_log()

            def trace(session: DCXCache, action: str, key: str, value: Any) -> None:
                trace_cache(session.session_id, action, key, value)

        sessions = SessionCacheManager(
            config.data_folder,
            single=single,
            sessions_folder=config.sessions_folder,
            archive_folder=config.archive_folder,
            backups=config.sessions.backups,
            most=config.sessions.most,
            parser=ProcessParser(self.session_reader),
            trace=trace,
        )
        sessions.admission = self.long_calls.place
        sessions.busy = lambda: {job.session_id for job in self.runner.status() if job.active}
        sessions.before_lock = self._before_lock
        return sessions

    # -- life
    # ----------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the worker and the reading processes in the background, so that they are warm
        before they are needed; and the housekeeping.
        """
        self.reader.start()
        self.session_reader.start()
        self.runner.start()
        self.housekeeping.start()

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

    def running_jobs(self) -> int:
        """How many jobs run or wait."""
        return sum(job.active for job in self.runner.status())

    def pending_saves(self) -> int:
        """How many sessions are not on disk yet."""
        return self.sessions.pending(actor=LOCAL)

    def asked(self) -> None:
        """A tab asks what is new."""
        self.last_asked = time.monotonic()
        if not self.shown.is_set():
            log.info("the page is shown")
            self.shown.set()

    def take_over(self, paths: Sequence[Path]) -> None:
        """What a second start was asked to open, or nothing: this one shows it and comes to the
        front.
        """
        self.inbox.take_over(paths)
        if self.host is not None:
            self.host.to_front()

    # -- housekeeping
    # ----------------------------------------------------------------------------------------------
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
            self.inbox.announcements.append(f"{said}{undo}")

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

    # -- jobs
    # ----------------------------------------------------------------------------------------------
    def submit(
        self,
        task: Task,
        session_id: str,
        params: Params | None = None,
        *,
        kind: str,
        title: str | None = None,
        inputs: Mapping[str, str] | None = None,
        actor: Actor,
    ) -> str:
        """Queue a task on the session's dataset; the job's id. The session knows of the job until
        it ends.

        kind : under which the result is found in the session; title : default: the kind, in
        capitals; inputs : argument name -> id of the run whose result the task receives

        MissingPart if a run is gone; JobError if as many steps of the session are waiting as may;
        InvalidParameter if the memory that is free will not do.
        """
        session = self.sessions.get_session(session_id, actor=actor)
        dataset, inputs = session.need_dataset(), dict(inputs or {})
        results = {}
        for name, run_id in inputs.items():
            run = session.run(run_id)
            if run is None:
                raise MissingPart(
                    f"The {name.upper()} run this step needs is no longer there.",
                    advice="Run it again.",
                )
            results[name] = run.result
        if KIND in inputs and ESTIMATOR in inspect.signature(task).parameters:
            from gui.methods.intervals import estimator_of  # with the engine's modules

            results[ESTIMATOR] = estimator_of(session.run(inputs.get(KIND)), self.methods)
        if LIBRARY in inspect.signature(task).parameters:
            results[LIBRARY] = self.references.library()
        job_id, title = secrets.token_hex(8), title or kind.upper()
        session.job_submitted(
            PendingJob(
                job_id,
                kind,
                title,
                (task.__module__, task.__qualname__),
                params or Params(),
                inputs,
                datetime.now(UTC),
            )
        )
        try:
            check_memory(task, dataset, params, results, self.setting.engine)
            with self._submitting:
                self._check_queue(session_id)
                self.runner.submit(
                    task,
                    session_id,
                    params,
                    job_id=job_id,
                    dataset=dataset,
                    inputs=inputs,
                    input_results=results,
                    kind=kind,
                    title=title,
                    actor=actor.name,
                )
                self._origins[job_id] = session_id, dataset
                ended = {job.id for job in self.runner.status() if not job.active}
                for old in [j for j in self._origins if j in ended and j != job_id]:
                    del self._origins[old]
        except BaseException:
            session.job_ended(job_id)
            raise
        return job_id

    def _check_queue(self, session_id: str) -> None:
        waiting = sum(job.active for job in self.runner.status(session_id))
        if waiting >= self.config.compute.queue:
            raise JobError(
                f"{waiting} steps of this session are waiting or running, as many as this"
                " program allows.",
                advice="Wait for one, or cancel one.",
            )

    def known_task(self, module: str, name: str) -> Task:
        """The task of this name, if it is one of ours or comes from where a plug-in page comes
        from; JobError.

        The names stand in a session file: nothing is imported for them, and no function but a task,
        which takes ``progress``, can be had by them.
        """
        homes = self.plugin_modules
        packages = tuple(f"{home.partition('.')[0]}." for home in homes if "." in home)
        engine = module in ENGINE_TASKS and name.startswith("run_")
        tasks = [analysis.task for analysis in ANALYSES.values()]
        tasks += [method.task for method in self.methods]
        ours = engine or (module, name) in {(t.__module__, t.__qualname__) for t in tasks}
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

    def _forget_origins(self, session_id: str) -> None:
        with self._submitting:
            for job_id in [j for j, (owner, _) in self._origins.items() if owner == session_id]:
                del self._origins[job_id]

    def _deliver(
        self, job: JobStatus, result: Any, versions: Mapping[str, str], seconds: float
    ) -> str | None:
        """The server process, the single writer, adds the run, or one of each step, to the session
        the job was started from (None: it was deleted).
        """
        with self._submitting:
            _, dataset = self._origins.pop(job.id)
        several = result if isinstance(result, StepResults) else None
        steps = (
            several.steps
            if several is not None
            else (StepResult(job.kind, job.title, job.params or Params(), result, seconds),)
        )
        made: dict[str, str] = {}
        try:
            for step in steps:
                # the last run of a job that succeeded bears its id: with it the job has ended
                last = step is steps[-1] and (several is None or several.failure is None)
                run_id = job.id if last else secrets.token_hex(8)
                inputs = {kind: made[kind] for kind in step.inputs} if several else job.inputs
                origin = Provenance(
                    dataset.training_id,
                    dataset.bulk_id,
                    dict(inputs),
                    self.setting.engine,
                    dict(versions),
                    step.seconds,
                    dataset.samples_id if uses_samples(step.kind) else "",
                    several.remark if several is not None else "",
                )
                now = datetime.now(UTC)
                run = Run(run_id, step.kind, step.title, now, step.params, step.result, origin)
                check_run(run)
                self.sessions.add_run(job.session_id, run, actor=LOCAL)
                made[step.kind] = run_id
        except (UnknownSession, SessionLocked):  # it was deleted, archived or locked meanwhile
            return None
        except ValueError as error:
            raise JobError(
                f"“{job.title}” gave a result that does not fit: {error}.",
                advice="Tell the author of the page.",
            ) from None
        if several is not None and several.failure is not None:
            raise to_error(several.failure)
        return job.id
