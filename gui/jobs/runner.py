"""JobRunner: the queue, the warm worker processes, and who is told what.

Knows no Dash and never imports the engine.
"""

from __future__ import annotations

import queue
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from gui.errors import DeconomixError, JobCancelled, JobError
from gui.jobs import wire
from gui.jobs.failure import Failure, log_trouble, not_returnable, to_error, worker_died
from gui.jobs.lanes import Lanes
from gui.jobs.process import Event, WorkerProcess
from gui.jobs.record import Job, Turns, clock
from gui.jobs.slot import Slot
from gui.jobs.status import JobStatus
from gui.jobs.taskref import TaskRef
from gui.logs import get_logger

Deliver = Callable[[JobStatus, Any, Mapping[str, str], float], str | None]
"""``deliver(status, result, versions, seconds) -> run id``: the one place where a result enters a
session.
"""
Ended = Callable[[JobStatus], None]
"""``ended(status)``: a job ended without a result, and not because the program ends or its session
was locked.
"""

WARM_UP = "gui.engine.tasks:warm_up"
GRACE = 8.0
"""Seconds a cancelled task has to notice before its worker is killed."""
KEEP_ENDED = 50
PAUSES = (0.01, 0.1, 1.0)
"""Seconds to wait after the first, second and each further unexpected error in a row."""
log = get_logger(__name__)


class JobRunner:
    """Runner of tasks in warm worker processes; sessions take turns. Thread-safe.

    Thread-safe.

    Parameters
    ----------
    deliver
        Called with the result of every job that was not cancelled.
    ended
        Called for every other job that came to its end Both are called in order for the jobs of
        one session, side by side for those of several, and never in the thread that listens to
        the workers: a session that takes long to be read holds up nobody else.
    workers
        Number of processes.
    warm_up
        "module:function" each runs when it starts, None for nothing.
    setting
        Handed to it.
    grace
        Seconds a cancelled task has to react before its worker is killed and replaced.
    """

    def __init__(
        self,
        deliver: Deliver,
        *,
        ended: Ended | None = None,
        workers: int = 1,
        warm_up: str | None = WARM_UP,
        setting: Any = None,
        grace: float = GRACE,
    ) -> None:
        self._deliver, self._ended, self._warm_up, self._setting, self._grace = (
            deliver,
            ended,
            warm_up,
            setting,
            grace,
        )
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._count = 0
        self._turns = Turns()
        self._events: queue.SimpleQueue[tuple[WorkerProcess | None, Event]] = queue.SimpleQueue()
        self._slots = [Slot() for _ in range(max(1, workers))]
        self._lanes = Lanes()
        self._gone: list[WorkerProcess] = []
        self._thread: threading.Thread | None = None
        self._stopping = False

    # -- from any thread
    # ----------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the workers in the background. JobError after :meth:`stop`."""
        with self._changed:
            self._refuse_if_stopping()
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="jobs", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Cancel every job and end every worker, promptly. May be called twice."""
        with self._changed:
            self._stopping = True
            for job in list(self._jobs.values()):
                if job.state in ("queued", "running") and not job.delivering:
                    self._end_cancelled(job)
            thread = self._thread
        for slot in self._slots:
            worker = slot.worker
            if worker is not None:
                worker.kill()
        self._events.put((None, ("wake",)))
        if thread is not None and thread is not threading.current_thread():
            thread.join(30)
        self._lanes.wait(30)

    def submit(
        self,
        task: Callable[..., Any],
        session_id: str,
        params: Any = None,
        *,
        dataset: Any,
        kind: str,
        title: str,
        inputs: Mapping[str, str] | None = None,
        input_results: Mapping[str, Any] | None = None,
        actor: str = "local",
        job_id: str | None = None,
    ) -> str:
        """Queue ``task(dataset, params, progress=..., **input_results)``; return the job id.

        Parameters
        ----------
        task
            A plain function of a module or of a plug-in file.
        dataset
            Is sent only if the worker keeps another.
        inputs
            Argument name -> run id, for the record.
        input_results
            Argument name -> that run's result, for the task.

        Raises
        ------
        JobError
            If the task is no plain function, or after :meth:`stop`.
        """
        reference = TaskRef.of(task)
        with self._changed:
            self._refuse_if_stopping()
            self._count += 1
            job = Job(
                id=job_id or secrets.token_hex(8),
                number=self._count,
                session_id=session_id,
                kind=kind,
                title=title,
                actor=actor,
                task=reference,
                params=params,
                inputs=dict(inputs or {}),
                dataset=dataset,
                input_results=dict(input_results or {}),
            )
            self._jobs[job.id] = job
            self._changed.notify_all()
        log.info("job %s (%s) queued", job.id, kind)
        self._events.put((None, ("wake",)))
        return job.id

    def status(self, session_id: str | None = None) -> list[JobStatus]:
        """Return snapshots of queued, running and recent jobs, oldest first.

        Of one session or of all.
        """
        with self._changed:
            now = clock()
            places = self._places()
            return [
                job.snapshot(now, places.get(job.id, 0))
                for job in self._jobs.values()
                if session_id in (None, job.session_id)
            ]

    def cancel(self, job_id: str) -> bool:
        """Cancel a queued or running job.

        False if it has ended, is being delivered, or is unknown.

        A running task has the grace period to react; until then the job is still "running", with
        the stage "Cancelling".
        """
        with self._changed:
            job = self._jobs.get(job_id)
            if job is None or job.state not in ("queued", "running") or job.delivering:
                return False
            if job.cancelling:
                return True
            if not job.sent:
                self._end_cancelled(job)
            else:
                job.cancelling, job.kill_at = True, clock() + self._grace
                for slot in self._slots:
                    if slot.job is job and slot.worker is not None:
                        slot.worker.send_cancel(job_id)
            self._changed.notify_all()
        log.info("job %s: cancel", job_id)
        self._events.put((None, ("wake",)))
        return True

    def drop(self, session_id: str) -> None:
        """Drop all jobs of a locked session, and replace the workers that hold its data.

        A worker that computes for another session now is replaced when it has done so. A result
        that is being delivered arrives before.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    not any(
                        job.delivering and job.ended is None and job.session_id == session_id
                        for job in self._jobs.values()
                    )
                ),
                10,
            )
            for job in [job for job in self._jobs.values() if job.session_id == session_id]:
                job.silent = True
                if job.ended is None and not job.delivering:
                    self._end_cancelled(job)
                self._jobs.pop(job.id, None)
        self.renew(session_id)

    def renew(self, session_id: str | None = None) -> None:
        """Replace idle workers that hold data of this session (None: of any)."""
        with self._changed:
            for slot in self._slots:
                if slot.seen and session_id in (None, *slot.seen):
                    slot.leaving = True
                    if slot.job is None and slot.worker is not None:
                        slot.worker.kill()
        self._events.put((None, ("wake",)))

    def wait(self, job_id: str, timeout: float | None = None) -> JobStatus:
        """The job's status when it has ended, or after ``timeout`` seconds as it is then.

        JobError: unknown, or ended long ago.
        """
        with self._changed:
            job = self._jobs.get(job_id)
            if job is None:
                raise JobError("This job no longer exists.")
            self._changed.wait_for(lambda: job.ended is not None, timeout)
            return job.snapshot(clock(), self._places().get(job_id, 0))

    # -- under the lock
    # ----------------------------------------------------------------------------------------------
    def _refuse_if_stopping(self) -> None:
        if self._stopping:
            raise JobError("The program is closing; no new step can be started.")

    def _queued(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.state == "queued"]

    def _places(self) -> dict[str, int]:
        return {
            job.id: place for place, job in enumerate(self._turns.order(self._queued()), start=1)
        }

    def _end_cancelled(self, job: Job) -> None:
        job.end("cancelled", clock(), error=JobCancelled("The step was cancelled."))
        self._after_end(job)

    def _fail(self, job: Job, error: Exception) -> None:
        job.end("failed", clock(), error=error)
        self._after_end(job)

    def _after_end(self, job: Job) -> None:
        for slot in self._slots:
            if slot.job is job:
                slot.job = None
        ended = sorted(
            (j for j in self._jobs.values() if j.ended is not None), key=lambda j: j.ended or 0.0
        )
        for old in ended[:-KEEP_ENDED]:
            del self._jobs[old.id]
        if (
            job.state != "done"
            and not job.silent
            and not self._stopping
            and self._ended is not None
        ):
            self._lanes.put(job.session_id, partial(self._ended, job.snapshot(clock())))
        log.info(
            "job %s (%s) %s%s",
            job.id,
            job.kind,
            job.state,
            f", {type(job.error).__name__}" if job.error else "",
        )
        self._changed.notify_all()

    # -- the runner's thread
    # ----------------------------------------------------------------------------------------------
    def _loop(self) -> None:
        failures = 0
        try:
            while not self._stopping:
                try:
                    self._start_workers()
                    pause = self._assign()
                    worker, event = self._events.get(timeout=pause)
                    slot = (
                        next((s for s in self._slots if s.worker is worker), None)
                        if worker
                        else None
                    )
                    if slot is not None:
                        self._handle(slot, event)
                    failures = 0
                except queue.Empty:
                    failures = 0
                # a mistake of ours must not end the thread everybody waits for, nor fill the disk
                # if it is made again and again
                except Exception:
                    failures += 1
                    if failures.bit_count() == 1:
                        log.exception("in the job runner, %d times in a row", failures)
                    time.sleep(PAUSES[min(failures, len(PAUSES)) - 1])
        finally:
            workers = [
                *self._gone,
                *(slot.worker for slot in self._slots if slot.worker is not None),
            ]
            for worker in workers:
                worker.kill()
            for worker in workers:
                worker.join(10)
            for slot in self._slots:
                slot.worker = None

    def _start_workers(self) -> None:
        """Fill empty slots: at once, or when there is something to do."""
        for slot in self._slots:
            with self._changed:
                if slot.leaving and slot.job is None and slot.worker is not None:
                    log.info("worker %d is replaced: a session was locked", slot.worker.pid)
                    slot.worker.kill()
                    self._discard(slot)
                if slot.worker is not None or self._stopping or not (slot.eager or self._queued()):
                    continue
                slot.fresh()
            try:
                slot.worker = WorkerProcess(
                    self._warm_up,
                    self._setting,
                    lambda worker, event: self._events.put((worker, event)),
                )
            # RuntimeError: multiprocessing, where the program's main module cannot be started again
            except (OSError, RuntimeError) as error:
                slot.eager = False
                log.error("no worker could be started: %s", error)
                with self._changed:
                    job = self._turns.take(self._queued())
                    if job is not None:
                        self._fail(
                            job,
                            JobError(
                                "The worker process could not be started.",
                                advice="Close other programs and try again.",
                            ),
                        )
                self._events.put((None, ("wake",)))  # there may be more of them
            else:
                log.info("worker %d started", slot.worker.pid)

    def _assign(self) -> float | None:
        """Give waiting jobs to free workers, send what can be sent, kill who ignored a cancel.

        Returns seconds until that is next due.
        """
        with self._changed:
            free = [
                slot
                for slot in self._slots
                if slot.worker is not None and slot.job is None and not slot.leaving
            ]
            while free and (job := self._turns.take(self._queued())) is not None:
                slot = min(free, key=lambda s: (not s.ready, not s.keeps(job.dataset)))
                free.remove(slot)
                slot.job = job
                job.begin(clock())
                self._changed.notify_all()
            for slot in self._slots:
                self._send(slot)
            due = [
                (slot, slot.job.kill_at)
                for slot in self._slots
                if slot.job is not None and slot.job.kill_at is not None
            ]
            for slot, kill_at in due:
                if kill_at <= clock() and slot.job is not None and slot.worker is not None:
                    log.warning(
                        "worker %d did not react to a cancel and is replaced", slot.worker.pid
                    )
                    slot.worker.kill()
                    self._end_cancelled(slot.job)
                    self._discard(slot)
                    return 0.0
            return max(0.0, min(kill_at for _, kill_at in due) - clock()) if due else None

    def _send(self, slot: Slot) -> None:
        job, worker = slot.job, slot.worker
        if job is None or worker is None or not worker.ready or job.sent:
            return
        with_dataset = not slot.keeps(job.dataset)
        job.sent = True
        slot.seen.add(job.session_id)
        slot.dataset = None  # known again when the worker says that it arrived
        worker.send_job(
            job.id,
            job.task,
            job.dataset,
            job.params,
            dict(job.input_results),
            with_dataset=with_dataset,
        )

    def _discard(self, slot: Slot) -> None:
        """The worker is dead or dying."""
        if slot.worker is not None:
            slot.eager = slot.worker.ready
            self._gone = [*self._gone[-20:], slot.worker]
            slot.worker = None

    def _handle(self, slot: Slot, event: Event) -> None:
        what, *values = event
        job = slot.job
        if what == "ready":
            self._on_ready(slot, *values)
        elif what == "died":
            self._on_died(slot, values[0])
        elif job is None or values[0] != job.id:
            return  # of a job that has ended for us
        elif what == "started":
            job.started = True
        elif what == "progress":
            with self._changed:
                job.report(clock(), *values[1])
        elif what == "unsendable":
            with self._changed:
                self._settle(job, values[1], cancelled=False)
        elif what == "failed":
            slot.remember(job.dataset)
            with self._changed:
                self._settle(job, values[1], cancelled=values[2])
        elif what == "done":
            slot.remember(job.dataset)
            self._on_done(slot, job, values[1], values[2])

    def _on_ready(self, slot: Slot, versions: Mapping[str, str], trouble: str) -> None:
        assert slot.worker is not None
        slot.worker.ready, slot.versions = True, versions
        slot.eager = True
        log.info("worker %d ready", slot.worker.pid)
        if trouble:
            log_trouble(log, "the engine could not be warmed up", trouble)

    def _on_died(self, slot: Slot, code: int | None) -> None:
        worker = slot.worker
        log.warning("worker %d ended with code %s", worker.pid if worker else 0, code)
        with self._changed:
            job, slot.job = slot.job, None
            self._discard(slot)
            if job is None:
                return
            if job.cancelling:
                self._end_cancelled(job)
            elif not job.started and job.tries < 2:
                job.requeue()
                self._changed.notify_all()
            else:
                self._fail(job, worker_died(job.title, started=job.started, exit_code=code))

    def _settle(self, job: Job, failure: Failure, *, cancelled: bool) -> None:
        """The job ended without a result."""
        if job.ended is not None:  # by stop
            return
        if cancelled or job.cancelling:
            self._end_cancelled(job)
            return
        error = to_error(failure)
        self._fail(job, error)
        log_trouble(log, f"job {job.id} failed", failure[3])

    def _on_done(self, slot: Slot, job: Job, seconds: float, packed: wire.Packed) -> None:
        with self._changed:
            if job.ended is not None:  # by stop
                return
            if job.cancelling:
                self._end_cancelled(job)
                return
            job.delivering = True
            slot.job = None  # the worker is free
            status = replace(job.snapshot(clock()), state="done")
        self._lanes.put(
            job.session_id,
            partial(self._deliver_result, job, status, packed, slot.versions or {}, seconds),
        )

    def _deliver_result(
        self,
        job: Job,
        status: JobStatus,
        packed: wire.Packed,
        versions: Mapping[str, str],
        seconds: float,
    ) -> None:
        """In the lane of the job's session."""
        error: Exception | None = None
        run_id: str | None = None
        try:
            try:
                result = wire.unpack(packed)
            except MemoryError:
                raise
            except Exception as trouble:  # noqa: BLE001 - pickle raises many kinds
                raise not_returnable(trouble) from None
            run_id = self._deliver(status, result, versions, seconds)
        except DeconomixError as ours:
            error = ours.with_traceback(None)
        except Exception as trouble:  # whatever goes wrong there, the job must end
            log.exception("job %s: its result could not be kept", job.id)
            error = JobError(
                f"The result of “{job.title}” could not be stored ({type(trouble).__name__}); the"
                " log has details."
            )
        with self._changed:
            if error is not None:
                self._fail(job, error)
            else:
                job.end("done", clock(), run_id=run_id)
                self._after_end(job)
