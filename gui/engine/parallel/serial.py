"""Tasks in the calling process, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gui.engine.parallel.calls import Caller, ResultCollector, one_blas_thread
from gui.engine.parallel.serialized_value import SerializedValue


def run(
    function: Callable[..., Any],
    packed_items: list[SerializedValue],
    shared: SerializedValue,
    collector: ResultCollector,
    caller: Caller,
) -> None:
    """Fill the collector; errors of the caller are raised here."""
    with one_blas_thread():
        for index, order in enumerate(packed_items):
            if collector.wants(index):
                caller.check()
                _perform(function, index, order, shared, collector, caller)


def _perform(
    function: Callable[..., Any],
    index: int,
    order: SerializedValue,
    shared: SerializedValue,
    collector: ResultCollector,
    caller: Caller,
) -> None:
    interrupted: list[BaseException] = []

    def step(value: Any = None) -> None:
        try:
            caller.step(index, value)
        except BaseException as error:
            interrupted.append(error)
            raise

    try:
        result = SerializedValue.of(function(shared.open(), order.open(), step=step)).take()
    except Exception as error:  # noqa: BLE001 - any kind: the collector decides
        if not interrupted:
            collector.fail(index, error)
    else:
        collector.put(index, result)
    if interrupted:  # the caller's own, also where the task has swallowed it
        raise interrupted[0]
