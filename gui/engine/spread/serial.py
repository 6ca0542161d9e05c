"""Tasks in the calling process, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gui.engine.spread.calls import Caller, Ledger, one_blas_thread
from gui.engine.spread.parcel import Parcel


def run(
    function: Callable[..., Any],
    orders: list[Parcel],
    shared: Parcel,
    ledger: Ledger,
    caller: Caller,
) -> None:
    """Fill the ledger. What the caller raises goes out."""
    with one_blas_thread():
        for index, order in enumerate(orders):
            if ledger.wants(index):
                caller.check()
                _perform(function, index, order, shared, ledger, caller)


def _perform(
    function: Callable[..., Any],
    index: int,
    order: Parcel,
    shared: Parcel,
    ledger: Ledger,
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
        result = Parcel.of(function(shared.open(), order.open(), step=step)).take()
    except Exception as error:  # noqa: BLE001 - of whatever kind: the ledger knows what becomes of it
        if not interrupted:
            ledger.fail(index, error)
    else:
        ledger.put(index, result)
    if interrupted:  # the caller's own, also where the task has swallowed it
        raise interrupted[0]
