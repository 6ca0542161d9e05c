"""Forecast of the memory of a step, from the shapes of its input.

A step that cannot fit is refused before it is queued.

No engine here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gui.data.dataset import Dataset
from gui.engine import memory
from gui.engine.compute_settings import EngineName
from gui.engine.memory import DOUBLE, GB, need_memory
from gui.engine.params import ADTDParams, BootstrapParams, DTDParams, Part, SearchParams
from gui.engine.recommended import RecommendedParams
from gui.engine.results import DTDResult
from gui.engine.tasks import CHECK_DTD

LOADED = 0.35 * GB
"""What a step takes whatever its size, beside the engine that the worker has loaded before:
solvers, buffers, results.
"""


def dtd_bytes(dataset: Dataset, params: DTDParams, engine: EngineName) -> tuple[float, int]:
    """(bytes, genes) of a DTD or Naive run on ``dataset``."""
    from gui.data.normalize import common_genes

    genes = len(common_genes(dataset))
    if params.genes is not None:
        genes = min(genes, params.genes)
    cells = sum(part.matrix.n_columns for part in (dataset.train, dataset.test) if part is not None)
    drawn = memory.simulation_bytes(genes, params.train_mixtures, params.train_cells, engine)
    if dataset.test is not None:
        drawn = max(
            drawn, memory.simulation_bytes(genes, params.test_mixtures, params.test_cells, engine)
        )
    learning = memory.dtd_bytes(genes, params.train_mixtures, engine)
    return LOADED + 3 * DOUBLE * genes * cells + max(drawn, learning), genes


def adtd_bytes(
    dataset: Dataset, params: ADTDParams | SearchParams, dtd: DTDResult, engine: EngineName
) -> tuple[float, int]:
    """(bytes, genes) of an ADTD run or a search on ``dataset`` with the genes of ``dtd``."""
    genes, types = dtd.reference.shape
    search = isinstance(params, SearchParams)
    samples, drawn = _drawn(dataset, params.part, dtd, engine)
    regulated = isinstance(params, ADTDParams) and params.regulated
    return (
        LOADED
        + max(
            drawn,
            memory.adtd_bytes(genes, samples, types, engine, regulated=regulated, search=search),
        ),
        genes,
    )


def bootstrap_bytes(
    dataset: Dataset, params: BootstrapParams, dtd: DTDResult, engine: EngineName
) -> tuple[float, int]:
    """(bytes, genes) of the intervals of a run: one draw at a time, and all their compositions."""
    genes, types = dtd.reference.shape
    samples, drawn = _drawn(dataset, params.part, dtd, engine)
    all_of_them = samples + CHECK_DTD
    # gathered, and sorted for the percentiles
    kept = 4 * DOUBLE * params.replicates * (types + 1) * all_of_them
    return (
        LOADED
        + max(drawn, memory.adtd_bytes(genes, all_of_them, types, "fast", regulated=True) + kept),
        genes,
    )


def _drawn(dataset: Dataset, part: Part, dtd: DTDResult, engine: EngineName) -> tuple[int, float]:
    """How many samples or mixtures the part has, and the bytes for drawing them anew."""
    if part == "bulk" or dtd.params is None:
        return dataset.bulk.matrix.n_columns if dataset.bulk is not None else 0, 0.0
    train = part == "train"
    samples = dtd.params.train_mixtures if train else dtd.params.test_mixtures
    return samples, memory.simulation_bytes(
        len(dtd.genes), samples, dtd.params.train_cells if train else dtd.params.test_cells, engine
    )


def check_memory(
    task: Callable[..., Any],
    dataset: Dataset,
    params: Any,
    inputs: Mapping[str, Any],
    engine: EngineName,
) -> None:
    """InvalidParameter, in a sentence, if the step needs more memory than is free.

    Steps of plug-ins are not known and not refused.
    """
    if not task.__module__.startswith("gui.engine."):
        return
    if isinstance(params, RecommendedParams):
        params = params.dtd()  # by far the largest of its steps
    if isinstance(params, DTDParams) and dataset.train is not None:
        needed, genes = dtd_bytes(dataset, params, engine)
        what = (
            f"DTD with {genes} genes and {params.train_mixtures} mixtures of {params.train_cells}"
            " cells"
        )
        need_memory(needed, what, "Lower the number of genes, of mixtures or of cells per mixture.")
    elif isinstance(params, BootstrapParams) and isinstance(dtd := inputs.get("dtd"), DTDResult):
        needed, genes = bootstrap_bytes(dataset, params, dtd, engine)
        need_memory(
            needed,
            f"A bootstrap of {params.replicates} replicates with {genes} genes",
            "Lower the number of replicates, or of genes of the DTD run.",
        )
    elif isinstance(params, ADTDParams | SearchParams) and isinstance(
        dtd := inputs.get("dtd"), DTDResult
    ):
        needed, genes = adtd_bytes(dataset, params, dtd, engine)
        doing = "The search" if isinstance(params, SearchParams) else "ADTD"
        need_memory(
            needed, f"{doing} with {genes} genes", "Lower the number of genes of the DTD run."
        )
