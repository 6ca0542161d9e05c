"""The stock engine on the built-in example: DTD, then ADTD on its bulk."""

from __future__ import annotations

import time
from collections.abc import Iterator

from gui.data.example import make_example
from gui.engine import tasks
from gui.engine.params import ADTDParams, DTDParams


def silent(*args: object, **details: object) -> None: ...


def bench(quick: bool) -> Iterator[tuple[str, float, str]]:
    began = time.perf_counter()
    dataset = make_example().dataset
    yield "make the example", time.perf_counter() - began, ""
    began = time.perf_counter()
    tasks.warm_up()
    yield "warm the worker up (import torch and deconomix)", time.perf_counter() - began, ""
    params = DTDParams.parse(iterations=100 if quick else 1000)
    began = time.perf_counter()
    dtd = tasks.run_dtd(dataset, params, progress=silent)
    yield f"DTD, {params.iterations} iterations", time.perf_counter() - began, f"{len(dtd.gene_weights)} genes"
    for model in ("h", "h,r"):
        began = time.perf_counter()
        tasks.run_adtd(dataset, ADTDParams.parse(model=model, max_iterations=5 if quick else 1000), progress=silent, dtd=dtd)
        yield f"Deconomix+{model}", time.perf_counter() - began, ""
