"""Independent tasks over the cores of this computer, or over a Dask cluster: :func:`parallel_map`.

Guaranteed, wherever the tasks run:

* The results are in the order of the items, and they are the same to the bit: every task has one
  BLAS thread and gets its data in the
  same memory layout, read-only. (To the bit on processors of one kind: numerical libraries choose
  their instructions by the processor,
  so that a cluster of different computers may differ in the last digits.)
* What a task reports arrives in its order, before its result. A task that is run again, because its
  process or its computer was lost,
  reports from the beginning again.
* Cancelling ends everything that runs: processes of this computer at once, tasks on a cluster at
  their next ``step``; so does the end of
  the process that called, however it ends.
* A task that loses its process three times fails with a sentence; so does a cluster that is not
  there, has no workers, or whose workers
  have other versions of the packages the numbers depend on.
* With one core or one item everything is computed here and no process is started. Without a
  scheduler no port is opened, and Dask is
  not even imported.

Processes of this computer stay for the next call and end after some idle minutes, or with the
process that called. Imports neither
NumPy nor the engine: the processes load this before their number of threads is set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from gui.engine.compute_settings import get_compute_settings
from gui.engine.parallel import local, serial
from gui.engine.parallel.calls import Caller, ResultCollector
from gui.engine.parallel.serialized_value import SerializedValue
from gui.jobs.taskref import TaskRef

__all__ = ["Step", "parallel_map"]


class Step(Protocol):
    """Callback of every task: reports a value; raises JobCancelled after a cancel.

    Call it as often as you like, at least once per iteration: on a cluster nothing else ends a
    task.
    """

    def __call__(self, value: Any = None) -> None: ...


def parallel_map(
    function: Callable[..., Any],
    items: Iterable[Any],
    *,
    shared: Any = None,
    on_step: Callable[[int, Any], None] | None = None,
    check: Callable[[], None] | None = None,
    keep_errors: bool = False,
    in_process: bool = False,
    memory: float = 0.0,
) -> list[Any]:
    """Return ``[function(shared, item, step=step) for item in items]``, computed in parallel.

    How many run at a time is set by :func:`gui.engine.compute_settings.get_compute_settings`.

    Whatever ``on_step`` or ``check`` raise (JobCancelled) ends all tasks and goes out. An error of
    a task comes back as itself, with its advice; as JobError where it cannot be sent.

    Parameters
    ----------
    function
        A plain function of a module; it must not change what it gets (arrays in it refuse) and
        keep nothing for the next item.
    items, shared
        Data (what pickle takes); shared is sent to each process once, so large arrays belong
        there.
    on_step
        Called here, in this thread, as ``on_step(index of the item, value)`` for every report.
    check
        Called here at every report and at least every 0.1 s while waiting.
    keep_errors
        An item that failed has its exception in the result's place; else the first in the order
        of the items is raised.
    in_process
        Compute in this process: the work is not worth another one.
    memory
        Bytes that one task takes: fewer run at a time where they are not free.

    Raises
    ------
    EngineFailed
        If the process of a task died three times.
    JobError
        If function is not one of a module, something is not data, or the cluster cannot be used.
    """
    reference = TaskRef.of(function)
    packed_items = [SerializedValue.of(item) for item in items]
    package = SerializedValue.of(shared)
    collector = ResultCollector(len(packed_items), keep_errors=keep_errors)
    caller = Caller(on_step, check)
    setting = get_compute_settings()
    if in_process or len(packed_items) < 2:
        pass
    elif setting.scheduler is not None:
        from gui.engine.parallel import cluster

        cluster.run(setting, reference, packed_items, package, collector, caller)
    elif (
        cores := local.affordable(
            min(setting.cores or local.allowed_cores(), len(packed_items)), memory
        )
    ) > 1:
        local.run(cores, setting, reference, packed_items, package, collector, caller)
    if not collector.complete:  # one core, one item, or no process could be started
        serial.run(function, packed_items, package, collector, caller)
    return collector.results()
