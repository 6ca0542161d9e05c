"""Tasks for the tests of gui.engine.parallel.

In a module of its own: other processes, and those of a cluster, load it.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg
import scipy.optimize

from gui.errors import EngineFailed, JobCancelled


def numbers(shared: Any, item: int, *, step: Any) -> dict[str, Any]:
    """Least squares, decompositions and a non-negative fit of data drawn from a seed: their last
    digits depend on threads and memory layout.
    """
    matrix, other = shared["matrix"], shared["other"]
    random = np.random.default_rng(item)
    found: dict[str, Any] = {"seed": item}
    for n in range(6):
        weights = random.random(matrix.shape[0])
        gram = (matrix.T * weights) @ matrix + np.eye(matrix.shape[1])
        inverse = scipy.linalg.inv(gram)
        found[f"solution {n}"] = inverse @ (matrix.T @ (weights[:, None] * other))
        found[f"values {n}"] = scipy.linalg.svd(matrix * weights[:, None], compute_uv=False)
        found[f"fit {n}"] = scipy.optimize.nnls(
            np.ascontiguousarray(gram), gram @ random.random(gram.shape[0])
        )[0]
        found[f"sums {n}"] = np.array(
            [other.sum(), (matrix @ inverse).sum(), (matrix.sum(axis=0) ** 2).sum()]
        )
        step(n)
    return found


def data(seed: int = 0) -> dict[str, Any]:
    """For ``numbers``: one matrix in Fortran order, and every second column of another."""
    random = np.random.default_rng(seed)
    return {
        "matrix": np.asfortranarray(random.standard_normal((601, 37))),
        "other": random.standard_normal((601, 58))[:, ::2],
    }


def two_threads() -> None:
    """For good, in this process."""
    import threadpoolctl

    threadpoolctl.OpenBLASController.clear_controlling_thread(force=True)
    threadpoolctl.threadpool_limits(2)


def layout(shared: Any, item: Any, *, step: Any) -> list[tuple[Any, ...]]:
    """How the arrays lie in memory."""
    return [(name, a.strides, a.flags.aligned, a.flags.writeable) for name, a in shared.items()]


def where(shared: Any, item: Any, *, step: Any) -> tuple[Any, int]:
    step(("seen", item))
    return item, os.getpid()


def slow_where(shared: Any, item: Any, *, step: Any) -> tuple[Any, int]:
    """Long enough that every process gets one."""
    time.sleep(0.3)
    return where(shared, item, step=step)


def threads(shared: Any, item: Any, *, step: Any) -> list[int]:
    """BLAS threads of what NumPy and SciPy have loaded."""
    from threadpoolctl import threadpool_info

    scipy.linalg.inv(np.eye(3))
    return [library["num_threads"] for library in threadpool_info()]


def spoil(shared: Any, item: Any, *, step: Any) -> None:
    shared["matrix"][0, 0] = 1.0


def steps_for_ever(shared: Path, item: Any, *, step: Any) -> None:
    """Reports its process; leaves a file when it is cancelled."""
    try:
        while True:
            step(os.getpid())
            time.sleep(0.02)
    except JobCancelled:
        (shared / f"cancelled-{item}").touch()
        raise


def deaf(shared: Any, item: Any, *, step: Any) -> None:
    step(os.getpid())
    time.sleep(600)


class Awkward(Exception):
    """Cannot be sent: it wants two arguments and has one."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)


def fail(shared: Any, item: str, *, step: Any) -> str:
    step(0)
    if item == "engine":
        raise EngineFailed("No solution for patient Mueller.", advice="Use fewer genes.")
    if item == "memory":
        raise MemoryError
    if item == "algebra":
        np.linalg.inv(np.zeros((2, 2)))
    if item == "awkward":
        raise Awkward("a", "b")
    if item == "exit":
        raise SystemExit(3)
    if item == "cancelled":
        raise JobCancelled("The step was cancelled.")
    if item == "no data":
        return lambda: None  # type: ignore[return-value]
    return item


def fail_in_turn(shared: Path, item: int, *, step: Any) -> int:
    """The second fails first, the first after it, the third never ends."""
    if item == 1:
        (shared / "second").touch()
        raise ValueError("second")
    while item == 2 or not (shared / "second").exists():
        time.sleep(0.01)
    raise ValueError("first")


def die(shared: Path, item: int, *, step: Any) -> int:
    """Item 1 is killed as often as there are files to take away."""
    step(item)
    if item == 1:
        for life in sorted(shared.glob("death*")):
            life.unlink()
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return item * 10


def die_after_the_first_arrived(shared: Path, item: int, *, step: Any) -> int:
    """Item 1 is killed whenever it runs, but not before the result of item 0 is known.

    A process that ends takes the results with it that it has not sent yet.
    """
    step(item)
    until = time.monotonic() + 60
    while item == 1 and not (shared / "arrived0").exists():
        if time.monotonic() > until:
            raise TimeoutError("the result of item 0 never arrived")
        time.sleep(0.01)
    if item == 1:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return item * 10


def dead_at_once(*ends: Any) -> None:
    """Instead of the processes' main function."""
    os._exit(7)


def spread_again(shared: Any, item: Any, *, step: Any) -> tuple[int, list[int], str]:
    from gui.engine.compute_settings import get_compute_settings
    from gui.engine.parallel import parallel_map

    return (
        os.getpid(),
        [pid for _, pid in parallel_map(where, range(3))],
        get_compute_settings().engine,
    )


def patient(shared: Path, item: int, *, step: Any) -> tuple[int, float]:
    """Numbers of NumPy; says which process computes, and goes on when the file is there."""
    random = np.random.default_rng(item)
    total = 0.0
    n = 0
    while n < 5 or not (shared / "go on").exists():
        total = float(np.linalg.norm(random.standard_normal((50, 50)))) if n < 5 else total
        n += 1
        step((os.getpid(), n))
        time.sleep(0.02)
    return item, total


def run_in_job(dataset: Any, params: Any, *, progress: Any) -> dict[str, Any]:
    """A job's task that spreads: over processes of the worker process."""
    from gui.engine import compute_settings
    from gui.engine.parallel import local, parallel_map

    compute_settings.set_compute_settings(compute_settings.ComputeSettings(cores=2))
    started: set[int] = set()

    def on_step(index: int, value: Any) -> None:
        if isinstance(value, int):
            started.add(value)
            if len(started) == 2:
                Path(params, "processes").write_text(
                    " ".join(map(str, sorted(started))), encoding="utf-8"
                )
        progress("Spreading")

    if params:
        parallel_map(deaf, range(2), on_step=on_step, check=lambda: progress("Spreading"))
    found = parallel_map(slow_where, range(4), on_step=on_step)
    return {
        "here": os.getpid(),
        "found": found,
        "pids": [each.pid for each in local._pool.children],
    }


def adapt(shared: Any, item: Any, *, step: Any) -> tuple[int, Any]:
    """A whole ADTD run with the parameters ``item``, every report of which is a step, and where it
    ran. shared : dataset, DTD run.
    """
    from gui.engine.tasks import run_adtd

    def progress(
        stage: str,
        fraction: float | None = None,
        *,
        count: int | None = None,
        limit: int | None = None,
        loss: float | None = None,
    ) -> None:
        step((stage, count or 0))

    return os.getpid(), run_adtd(shared[0], item, progress=progress, dtd=shared[1])
