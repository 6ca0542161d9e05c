"""The job queue on screen: the running job in the header, all jobs in its menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ctx as call
from dash import html

from gui.components.common import empty_state
from gui.engine.recommended import RECOMMENDED, STEPS
from gui.jobs.status import JobStatus
from gui.plugin import JOBS, Context

MakeId = Callable[[str, Any], dict[str, Any]]
STATE = {
    "queued": "waiting",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}


def clock(seconds: float) -> str:
    """0:41, 12:05, 1:02:09."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def detail(job: JobStatus) -> str:
    """Stage, count, loss and time in one line."""
    if job.state == "queued":
        return "waiting"
    words = [job.stage] if job.stage else []
    if job.count is not None:
        words.append(
            f"{job.count} of {job.limit}"
            if job.limit and job.fraction is not None
            else f"iteration {job.count}" + (f" (at most {job.limit})" if job.limit else "")
        )
    if job.loss is not None and job.fraction is None:
        words.append(f"loss {job.loss:.3g}")
    words.append(f"{clock(job.eta)} left" if job.eta is not None else clock(job.elapsed))
    return " · ".join(words)


def progress_parts(jobs: Sequence[JobStatus]) -> dict[str, dict[str, Any]]:
    """Job -> what :mod:`gui.components.job_progress` shows of it, for jobs that wait or run."""
    return {
        job.id: {"bar": bar(job, "100%"), "text": f"{job.title}: {detail(job)}"}
        for job in jobs
        if job.active
    }


def ticker(jobs: Sequence[JobStatus], part: MakeId) -> Any:
    """The running job, how far it is, and a button that cancels it."""
    active = [job for job in jobs if job.active]
    if not active:
        return None
    job = next((j for j in active if j.state == "running"), active[0])
    more = (
        dmc.Badge(f"+{len(active) - 1}", variant="light", radius="sm") if len(active) > 1 else None
    )
    return dmc.Group(
        [
            html.Div(
                f"{job.title} · {detail(job)}",
                className="dcx-ticker-text",
                title=f"{job.title} · {detail(job)}",
            ),
            bar(job, 110),
            more,
            dmc.Button(
                "Cancel",
                id=part("cancel", job.id),
                variant="subtle",
                color="red",
                size="compact-xs",
            ),
        ],
        gap="xs",
        wrap="nowrap",
    )


def job_list(jobs: Sequence[JobStatus], sessions: Mapping[str, str], part: MakeId) -> Any:
    """Every job: running and waiting ones first (to be cancelled), then the latest ended ones."""
    if not jobs:
        return dmc.Text(
            "No job has run yet. Start one on the DTD page; watch or cancel it here.",
            size="sm",
            c="dimmed",
            p="sm",
        )
    active = [job for job in jobs if job.active]
    first = next((j.id for j in active if j.state == "running"), active[0].id if active else None)
    return dmc.Stack(
        [
            _row(job, sessions, part, cancel=job.active and job.id != first)
            for job in [*active, *reversed([j for j in jobs if not j.active])][:20]
        ],
        gap=4,
        p="xs",
    )


def running(ctx: Context, kind: str) -> JobStatus | None:
    """The first step of this kind that waits or runs for this tab's session.

    In a callback on JOBS. A job of several steps counts for each of them.
    """
    kinds = {kind, *([RECOMMENDED] if kind in STEPS else [])}
    return next(
        (job for job in ctx.jobs.status(ctx.session_id) if job.active and job.kind in kinds), None
    )


def running_state(job: JobStatus) -> Any:
    """In place of an empty state while what would fill it is being computed."""
    return empty_state(
        f"{job.title} is {STATE[job.state]}",
        "The result appears here. Time left and Cancel are below the button that started it.",
    )


def only_jobs() -> bool:
    """Return whether nothing but jobs changed, in a callback on JOBS."""
    return set(call.triggered_prop_ids) == {f"{JOBS.component_id}.{JOBS.component_property}"}


def _row(job: JobStatus, sessions: Mapping[str, str], part: MakeId, *, cancel: bool) -> Any:
    colour = {"failed": "red", "done": "green"}.get(job.state, "dimmed")
    where = sessions.get(job.session_id, "deleted session")
    button = (
        dmc.Button(
            "Cancel", id=part("cancel", job.id), variant="subtle", color="red", size="compact-xs"
        )
        if cancel
        else None
    )
    return dmc.Group(
        [
            dmc.Stack(
                [
                    html.Span(job.title, title=job.title, className="dcx-cut"),
                    dmc.Text(
                        f"{where} · "
                        + (
                            detail(job)
                            if job.active
                            else f"{STATE[job.state]} · {clock(job.elapsed)}"
                        ),
                        size="xs",
                        c=colour,
                        truncate="end",
                    ),
                ],
                gap=0,
                style={"minWidth": 0, "flex": 1},
            ),
            button,
        ],
        justify="space-between",
        wrap="nowrap",
    )


def bar(job: JobStatus, width: int | str) -> Any:
    """How far a job is; striped where that is not known, None while it waits."""
    if job.fraction is None:
        return (
            dmc.Progress(
                value=100,
                striped=True,
                animated=True,
                w=width,
                size="sm",
                **{"aria-label": "running"},
            )
            if job.state == "running"
            else None
        )
    return dmc.Progress(
        value=100 * job.fraction,
        w=width,
        size="sm",
        **{"aria-label": f"{100 * job.fraction:.0f} percent"},
    )
