"""What is done to jobs from the shell: cancel, and start again or dismiss an interrupted one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input

from gui.components.common import clicked
from gui.plugin import Context
from gui.sessions.snapshot import PendingJob
from gui.shell.page import shell, shell_id


def interrupted(jobs: Sequence[PendingJob]) -> Any:
    """A line for each job that did not come to its end, with the click that starts it again."""
    return [
        dmc.Alert(
            dmc.Group(
                [
                    dmc.Text(
                        f"{job.title} was interrupted ({job.submitted.astimezone():%d %b, %H:%M});"
                        " it has no result.",
                        size="sm",
                    ),
                    dmc.Group(
                        [
                            dmc.Button(
                                "Start again",
                                id=shell_id("again", job.id),
                                size="compact-sm",
                                variant="light",
                            ),
                            dmc.Button(
                                "Dismiss",
                                id=shell_id("dismiss", job.id),
                                size="compact-sm",
                                variant="subtle",
                                color="gray",
                            ),
                        ],
                        gap="xs",
                    ),
                ],
                justify="space-between",
            ),
            color="orange",
            variant="light",
            p="xs",
            mb="xs",
        )
        for job in jobs
    ] or None


@shell.callback(Input(shell_id("again", ALL), "n_clicks"), prevent_initial_call=True)
def start_again(ctx: Context, _clicks: list[int | None]) -> None:
    if job_id := clicked():
        ctx.jobs.again(ctx.session_id, job_id)


@shell.callback(Input(shell_id("dismiss", ALL), "n_clicks"), prevent_initial_call=True)
def dismiss(ctx: Context, _clicks: list[int | None]) -> None:
    if job_id := clicked():
        ctx.jobs.dismiss(ctx.session_id, job_id)
        ctx.request_refresh("dismissed", job_id)


@shell.callback(Input(shell_id("cancel", ALL), "n_clicks"), prevent_initial_call=True)
def cancel(ctx: Context, _clicks: list[int | None]) -> None:
    if job_id := clicked():
        ctx.jobs.cancel(job_id)
