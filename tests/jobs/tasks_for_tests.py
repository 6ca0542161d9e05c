"""Tasks as a plug-in file has them: this file is loaded by path, its name leads nowhere."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from gui.engine.params import Params
from gui.errors import DataError, DeconomixError, NoCommonGenes


class Wish(Params):
    """Parameters of a class that only this file knows."""

    text: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Answer:
    """A result of a class that only this file knows."""

    text: str
    pid: int
    values: np.ndarray


class OwnError(DataError):
    """An error with other arguments than its base."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second} do not fit.", advice="Take others.")


class LocalError(DeconomixError):
    """An error that the server is made not to know."""


def answer(dataset: Any, params: Wish, *, progress: Any) -> Answer:
    return Answer(params.text, os.getpid(), np.arange(5.0))


def pid(dataset: Any, params: Any, *, progress: Any) -> int:
    return os.getpid()


def describe(dataset: Any, params: Any, *, progress: Any) -> dict[str, Any]:
    """What the worker sees of the dataset, and which object it is."""
    values = dataset.train.matrix.values
    return {
        "id": id(dataset),
        "name": dataset.name,
        "sum": float(values.sum()),
        "genes": list(dataset.train.matrix.genes),
        "writeable": bool(values.flags.writeable),
    }


def scribble(dataset: Any, params: Any, *, progress: Any) -> None:
    dataset.train.matrix.values[:] = -1.0


def join(dataset: Any, params: Any, *, progress: Any, left: Any, right: Any) -> Any:
    left *= 2  # an input may be changed: it is the task's own copy
    return left + right


def nap(dataset: Any, params: Wish, *, progress: Any) -> str:
    """Sleeps in small pieces and notices a cancel."""
    end = time.monotonic() + params.seconds
    while time.monotonic() < end:
        progress("Napping")
        time.sleep(0.01)
    return params.text


def deaf(dataset: Any, params: Wish, *, progress: Any) -> str:
    """Never asks whether it is cancelled."""
    progress("Deaf")
    time.sleep(params.seconds)
    return params.text


def stubborn(dataset: Any, params: Wish, *, progress: Any) -> str:
    """Swallows the cancel and returns all the same."""
    end = time.monotonic() + params.seconds
    while time.monotonic() < end:
        try:
            progress("Stubborn")
        except Exception:  # noqa: BLE001 - on purpose
            return "done all the same"
        time.sleep(0.01)
    return "nobody cancelled"


def staged(dataset: Any, params: Any, *, progress: Any) -> None:
    for i in range(1, 2001):
        progress("First", i / 2000, count=i, limit=2000, loss=1 / i)
    for i in range(1, 1001):
        progress("Second", count=i, loss=float("nan"))
    progress("Third", np.float32(7.0), count=np.int64(3), loss=np.float64(0.5))
    time.sleep(0.3)


def threads(dataset: Any, params: Any, *, progress: Any) -> list[int]:
    """BLAS threads of what numpy and scipy have loaded."""
    import scipy.linalg
    from threadpoolctl import threadpool_info

    scipy.linalg.inv(np.eye(3))
    return [library["num_threads"] for library in threadpool_info()]


WATCHED = ("torch", "deconomix", "dash", "numpy", "clarabel", "quadprog", "gui.engine.adtd")


def surroundings(dataset: Any, params: Any, *, progress: Any) -> dict[str, Any]:
    return {
        "modules": sorted(m for m in WATCHED if m in sys.modules),
        "sigint": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        "file": __file__,
        "name": __name__,
    }


def interrupt_self(dataset: Any, params: Any, *, progress: Any) -> str:
    os.kill(os.getpid(), signal.SIGINT)
    return "still here"


def lose_streams(dataset: Any, params: Any, *, progress: Any) -> str:
    from gui.jobs.worker import _streams

    sys.stdout = sys.stderr = None  # as in a windowed program
    _streams()
    print("nobody reads this")  # noqa: T201
    print("nor this", file=sys.stderr)  # noqa: T201
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    return "printed"


def fail_in_words(dataset: Any, params: Any, *, progress: Any) -> None:
    raise NoCommonGenes(
        "Bulk and training data share no gene.", advice="Use the same kind of gene names."
    )


def fail_own(dataset: Any, params: Any, *, progress: Any) -> None:
    raise OwnError("A", "B")


def fail_locally(dataset: Any, params: Any, *, progress: Any) -> None:
    raise LocalError("Only here.")


def fail_unexpectedly(dataset: Any, params: Any, *, progress: Any) -> None:
    raise KeyError("patient_Mueller")


def fail_for_memory(dataset: Any, params: Any, *, progress: Any) -> None:
    raise MemoryError


def leave(dataset: Any, params: Any, *, progress: Any) -> None:
    raise SystemExit(3)


def die(dataset: Any, params: Any, *, progress: Any) -> None:
    os._exit(7)


def unpicklable(dataset: Any, params: Any, *, progress: Any) -> Any:
    return {"lock": threading.Lock()}


def unknown_class(dataset: Any, params: Any, *, progress: Any) -> Any:
    """A result of a class that exists in the worker only."""
    kind = type("Ghost", (), {"__module__": __name__})
    globals()["Ghost"] = kind
    return kind()


def big(dataset: Any, params: Any, *, progress: Any) -> dict[str, np.ndarray]:
    return {"values": np.arange(20_000_000, dtype=np.float64)}


def straggler(dataset: Any, params: Any, *, progress: Any) -> str:
    """Leaves a thread behind that goes on reporting."""

    def report() -> None:
        for i in range(200):
            progress("Straggler", i / 200)
            time.sleep(0.005)

    threading.Thread(target=report, daemon=True).start()
    return "left"
