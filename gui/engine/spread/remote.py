"""What runs on the computers of a Dask cluster, which have this program installed: one task, its
reports, and which versions are there.
"""

from __future__ import annotations

import functools
import importlib
import pickle
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gui import __version__
from gui.engine.setting import Setting, use
from gui.engine.spread.calls import cross, one_blas_thread
from gui.engine.spread.parcel import Parcel
from gui.errors import JobCancelled, JobError
from gui.text import some
from gui.versions import engine_versions

REPORTS = 0.1
"""Seconds between two messages of one task; reports in between travel together."""


@dataclass(frozen=True)
class Order:
    """One task. key : its name in Dask; topic : under which its reports are sent; module, name : of
    the function; item : for it versions : that the caller computes with; engine : of the caller's
    setting
    """

    key: str
    index: int
    topic: str
    module: str
    name: str
    item: Parcel
    versions: Mapping[str, str]
    engine: str


def program() -> str:
    """Version of this program. Imports nothing heavy: the scheduler is asked, too."""
    return __version__


@functools.cache
def versions() -> Mapping[str, str]:
    """Version of everything that the numbers depend on; of Python without its last number, which
    does not change them.
    """
    found = engine_versions()
    return {"DeconomiX GUI": __version__, **found, "python": found["python"].rpartition(".")[0]}


def hold(shared: Parcel) -> Parcel:
    """The shared data as a task of its own: lost with a worker, they are there again on another
    one.
    """
    return shared


def perform(shared: Parcel, order: Parcel) -> Parcel:
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
        use(Setting(engine=task.engine, cores=1))
        # For good: threads of one process share the number, and the first that ends must not take
        # it from the others.
        one_blas_thread()
        result = function(shared.open(), task.item.open(), step=Stepper(task, reports))
        return Parcel.of(("done", Parcel.of(result), reports))
    except BaseException as error:  # noqa: BLE001 - see above
        return Parcel.of(("failed", cross(error), reports))


class Stepper:
    """The Step of one task: sends what was reported a few times a second, keeps the rest for the
    outcome, and notices a cancel.
    """

    def __init__(self, order: Order, reports: list[Any]) -> None:
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
            "Install the same versions on all its computers, or take scheduler out of [compute] of"
            " the configuration."
        ),
    )
