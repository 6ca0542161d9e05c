"""A process that runs tasks for another one of this computer, one after the other.

Messages in: ("shared", engine) followed by the shared data, ("run", index, function) followed by
the item, ("forget",).
Messages out: ("ready",), ("step", index, value), ("done", index) followed by the result, ("failed",
index, error).
"""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from typing import Any

from gui.engine.compute_settings import ComputeSettings, set_compute_settings
from gui.engine.parallel.calls import encode_error
from gui.engine.parallel.serialized_value import SerializedValue
from gui.jobs import wire
from gui.jobs.taskref import TaskRef
from gui.jobs.worker import begin

# Nothing above may import numpy: it reads the number of threads once, when it is loaded.


def main(inbox: Connection, outbox: Connection) -> None:
    """Entry of the process (spawn). Ends when its parent ends or closes the pipe."""
    begin()
    shared = SerializedValue.of(None)
    try:
        wire.send(outbox, ("ready",))
        while True:
            head, payloads = wire.receive(inbox)
            if head[0] == "shared":
                shared = SerializedValue(payloads[0])
                # a task that spreads itself does so in its own process
                set_compute_settings(ComputeSettings(engine=head[1], cores=1))
            elif head[0] == "forget":
                shared = SerializedValue.of(None)
            else:
                _perform(outbox, head[1], TaskRef(*head[2]), shared, SerializedValue(payloads[0]))
            del payloads
    except (EOFError, OSError):
        os._exit(0)  # nobody listens any more


def _perform(
    outbox: Connection, index: int, task: TaskRef, shared: SerializedValue, order: SerializedValue
) -> None:
    def step(value: Any = None) -> None:
        try:
            wire.send(outbox, ("step", index, value))
        except OSError:
            os._exit(0)

    try:
        function = task.load()  # first: data of classes defined in its file are found then
        answer = SerializedValue.of(function(shared.open(), order.open(), step=step))
    except BaseException as error:  # noqa: BLE001 - whatever a task raises, even SystemExit, the process goes on
        wire.send(outbox, ("failed", index, encode_error(error)))
    else:
        wire.send(outbox, ("done", index), answer.parts)
