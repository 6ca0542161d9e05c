"""Code that runs on the computers of a Dask cluster: tasks, reports, versions."""

from __future__ import annotations

import functools
import importlib
import pickle
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gui import __version__
from gui.engine.compute_settings import ComputeSettings, set_compute_settings
from gui.engine.parallel.calls import encode_error, one_blas_thread
from gui.engine.parallel.serialized_value import SerializedValue
from gui.errors import JobCancelled, JobError
from gui.text import some
from gui.versions import engine_versions

REPORTS = 0.1
"""Seconds between two messages of one task; reports in between travel together."""


@dataclass(frozen=True)
class TaskSpec:
    """One task of a cluster.

    Attributes
    ----------
    key
        Its name in Dask.
    topic
        Under which its reports are sent.
    module, name
        Of the function.
    item
        For it.
    versions
        That the caller computes with.
    engine
        Of the caller's setting.
    """

    key: str
    index: int
    topic: str
    module: str
    name: str
    item: SerializedValue
    versions: Mapping[str, str]
    engine: str


def program() -> str:
    """Version of this program. Imports nothing heavy: the scheduler is asked, too."""
    return __version__


@functools.cache
def versions() -> Mapping[str, str]:
    """Return the versions that the numbers depend on; of Python without the patch number."""
    found = engine_versions()
    return {"DeconomiX GUI": __version__, **found, "python": found["python"].rpartition(".")[0]}


def hold(shared: SerializedValue) -> SerializedValue:
    """Return the shared data: as a task, so that Dask recomputes them after losing a worker."""
    return shared


def perform(shared: SerializedValue, order: SerializedValue) -> SerializedValue:
    """Run one task; its outcome ("done", result, last reports) or ("failed", error, last reports).

    Raises nothing: Dask would log it, data and all.
    """
    reports: list[Any] = []
    try:
        task = order.open()
        if versions() != task.versions:
            raise other_versions({"one of its workers": versions()}, task.versions)
        function = getattr(importlib.import_module(task.module), task.name)
        # a task that spreads itself does so in its own process
        set_compute_settings(ComputeSettings(engine=task.engine, cores=1))
        # For good: threads of one process share the number, and the first that ends must not take
        # it from the others.
        one_blas_thread()
        result = function(shared.open(), task.item.open(), step=Stepper(task, reports))
        return SerializedValue.of(("done", SerializedValue.of(result), reports))
    except BaseException as error:  # noqa: BLE001 - see above
        return SerializedValue.of(("failed", encode_error(error), reports))


class Stepper:
    """Step of one task: sends reports a few times a second, and notices a cancel."""

    def __init__(self, order: TaskSpec, reports: list[Any]) -> None:
        self._worker: Any = importlib.import_module("distributed").get_worker()
        self._order, self._reports = order, reports
        self._sent = time.monotonic()
        self._worker.log_event(order.topic, {"index": order.index, "began": True})

    def __call__(self, value: Any = None) -> None:
        # Looked up here, without asking the scheduler: it has told the worker, also when the caller
        # just died.
        task = self._worker.state.tasks.get(self._order.key)
        if task is None or task.state == "cancelled":
            raise JobCancelled("The step was cancelled.")
        self._reports.append(value)
        if time.monotonic() - self._sent >= REPORTS:
            self._sent = time.monotonic()
            self._worker.log_event(
                self._order.topic,
                {"index": self._order.index, "reports": pickle.dumps(self._reports)},
            )
            self._reports.clear()


def other_versions(found: Mapping[str, Mapping[str, str]], here: Mapping[str, str]) -> JobError:
    """found : by worker, those that differ."""
    there = next(iter(found.values()))
    names = sorted(name for name in {*here, *there} if here.get(name) != there.get(name))
    differ = ", ".join(
        f"{name} {there.get(name, 'missing')} instead of {here.get(name, 'missing')}"
        for name in names[:3]
    )
    return JobError(
        "The cluster computes with other versions than this program, so the numbers would differ:"
        f" {differ} ({some(found, 1)}).",
        advice=(
            "Install the same versions on all its computers, or remove scheduler from [compute]"
            " in the configuration."
        ),
    )
