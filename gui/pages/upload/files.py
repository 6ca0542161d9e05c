"""From chosen files to a dataset: looking into a file, and reading all of them together."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from gui.data.dataset import ROLES, Dataset
from gui.data.load import Inspection, inspect_task, load_task
from gui.data.normalize import bulk_keeps
from gui.engine.model import read_model_task
from gui.engine.params import DTDParams
from gui.engine.results import DTDResult, Provenance, Run
from gui.errors import DataError
from gui.files import Upload
from gui.pages.upload.base import INDEX
from gui.pages.upload.requests import Asked, is_reference, reference_of
from gui.plugin import Context
from gui.sessions.kinds import check_run
from gui.sessions.references import holds
from gui.text import number, size_words, some

PROPOSED_GENES = {"10x": "symbols", "table": "as recognised"}
"""Which gene names a file of this kind has where no column is chosen; else those of the rows."""
COLUMN_WORDS = {"train": "cells", "test": "cells", "reference": "cell types", "bulk": "samples"}
ROLE_WORDS = {
    "train": "training data",
    "test": "test data",
    "reference": "reference",
    "bulk": "bulk",
    "model": "trained model",
}


@dataclass(frozen=True)
class Found:
    """What is in a chosen file. options : those of ``OPTIONS`` that apply -> (choices,
    proposed).
    """

    name: str
    words: str
    options: Mapping[str, tuple[list[dict[str, str]], Any]]


def inspected(ctx: Context, upload: Upload, role: str) -> Found:
    """Look into a file without loading it. DataError if it cannot be what the role asks for."""
    if role == "model" and is_reference(upload):
        loaded = reference_of(ctx, upload)
        said = holds(loaded.dataset, loaded.model is not None)
        return Found(upload.name, f"{loaded.dataset.name}: {said} · {size_words(upload.size)}", {})
    if role == "model":
        model: DTDResult = ctx.read(read_model_task, upload.path, name=upload.name)
        words = (
            f"{number(len(model.genes))} genes, {model.reference.shape[1]} cell types ·"
            f" {size_words(upload.size)}"
        )
        return Found(upload.name, words, {})
    found: Inspection = ctx.read(
        inspect_task, (upload.path, role, upload.name, upload.more), name=upload.name
    )
    words = f"{_contents(found, role)} · {size_words(found.size)}"
    return Found(upload.name, words + _room(found), _options(found, role))


def _options(found: Inspection, role: str) -> dict[str, tuple[list[dict[str, str]], Any]]:
    """The options that apply to this file."""
    cells = role in ("train", "test") and found.kind in ("h5ad", "10x")
    large = cells and found.forecast is not None and found.forecast.cells is not None
    made: dict[str, tuple[list[dict[str, str]], Any]] = {}
    if found.obs and role != "bulk":
        made["label"] = (
            [{"value": c, "label": f"{c} ({n} different)"} for c, n in found.obs.items()],
            found.label_column,
        )
    if len(found.matrices) > 1:
        made["matrix"] = (
            [
                {"value": m, "label": _matrix_words(m, found.likely.get(m, ""))}
                for m in found.matrices
            ],
            found.matrix,
        )
    if found.obs and role != "reference":
        made["keep"] = ([{"value": c, "label": c} for c in found.obs], [])
    if len(found.sheets) > 1:
        made["sheet"] = ([{"value": s, "label": s} for s in found.sheets], found.sheet)
    if found.var_columns and (found.genes_column is not None or found.kind in ("10x", "table")):
        names = {"id": "Ensembl IDs"} if found.kind == "10x" else {}
        first = {"value": INDEX, "label": PROPOSED_GENES.get(found.kind, INDEX)}
        made["genes"] = (
            [first, *[{"value": c, "label": names.get(c, c)} for c in found.var_columns]],
            INDEX,
        )
    if len(found.columns) > 1 and role == "bulk":
        made["without"] = (
            [
                {"value": c, "label": f"{c} ({why})" if why else c}
                for c, why in found.columns.items()
            ],
            [c for c, why in found.columns.items() if why],
        )
    if cells and found.shape[1] > 1000:
        made["cells"] = (
            [],
            (
                found.forecast.cells.per_label
                if large and found.forecast and found.forecast.cells
                else None
            ),
        )
    if large:
        made["common"] = ([], True)
    table_of_cells = (
        found.kind == "table"
        and role in ("train", "test")
        and found.preview.columns.is_unique
        and not {"label-column", "numbered-types"} & set(found.traits)
    )
    if table_of_cells or (cells and (found.kind == "10x" or found.label_column is None)):
        made["labels_token"] = ([], None)
    return made


def _matrix_words(name: str, likely: str) -> str:
    words = {
        "counts": "counts",
        "linear": "linear values",
        "log": "log values",
        "scaled": "scaled values",
        "detected": "detected or not",
        "nothing": "empty",
    }
    return name.replace("layer:", "layer ") + (f" ({words[likely]})" if likely in words else "")


def _room(found: Inspection) -> str:
    """What loading it takes, where that is much."""
    forecast = found.forecast
    if forecast is None or (
        forecast.cells is None and not forecast.refusal and forecast.bytes < 1e9
    ):
        return ""
    said = forecast.refusal or (
        f"Loading all of it takes about {size_words(int(forecast.bytes))} of memory and"
        f" {max(1, round(forecast.seconds))} s."
    )
    if forecast.cells is None:
        return f". {said}"
    few = f"{size_words(int(forecast.cells_bytes))} and {max(1, round(forecast.cells_seconds))} s"
    return f". {said} With at most {forecast.cells.per_label} cells of each type: {few}."


def _contents(found: Inspection, role: str) -> str:
    """812 cells, 4 245 genes; of a .dcx every part."""
    if found.kind == "dcx" and found.parts:
        return ", ".join(
            f"{ROLE_WORDS[r]}: {number(found.parts[r][1])} {COLUMN_WORDS[r]}"
            for r in ROLES
            if r in found.parts
        )
    genes, columns = found.shape
    return f"{number(columns)} {COLUMN_WORDS[role]}, {number(genes)} genes"


@dataclass(frozen=True)
class Collected:
    """Everything read and checked, not yet in a session."""

    dataset: Dataset
    model: DTDResult | None
    bulk_only: bool

    def missing_genes(self, dtd: Run | None) -> list[str]:
        """Genes of the DTD run that the new bulk lacks."""
        if dtd is None or self.dataset.bulk is None:
            return []
        return bulk_keeps(dtd.result.genes, self.dataset.bulk.matrix)


def collect(
    ctx: Context,
    wanted: Asked,
    *,
    scale: bool,
    share: float,
    seed: int,
    author: str,
    description: str,
) -> Collected:
    """Read all chosen files; DataError if one does not fit, and then nothing has happened."""
    if wanted.brings_base and wanted.base is not None:
        base = wanted.base
        base = replace(
            base,
            author=author or (base.author if wanted.library else ""),
            description=description or (base.description if wanted.library else ""),
        )
        if not wanted.files:
            return Collected(base, wanted.model, False)
        wanted = replace(wanted, base=base)
    request = wanted.request(
        scale=scale, share=share, seed=seed, author=author, description=description
    )
    dataset: Dataset = ctx.read(load_task, request, name=wanted.names, dataset=wanted.base)
    if wanted.model is not None:
        lacking = bulk_keeps(wanted.model.genes, dataset.bulk.matrix) if dataset.bulk else []
        if lacking and wanted.library and dataset.train is not None:
            # its cells are there: the gene weights can be learned again
            return Collected(dataset, None, False)
        if lacking:
            raise DataError(
                f"The bulk lacks {len(lacking)} of the {len(wanted.model.genes)} genes of the"
                f" trained model ({some(lacking)}).",
                advice="Give a bulk that has them all, or train again.",
            )
    return Collected(dataset, wanted.model, wanted.bulk_only)


def loaded_model(model: DTDResult, dataset: Dataset) -> Run:
    """The model as a DTD run of the session; its bulk results are computed next."""
    params = getattr(model, "params", None) or DTDParams()
    run = Run(
        f"model-{secrets.token_hex(4)}",
        "dtd",
        f"Trained model {dataset.name}",
        datetime.now(UTC),
        params,
        model,
        Provenance(dataset.training_id, ""),
    )
    try:
        check_run(run)
    except ValueError:
        raise DataError(
            "The trained model does not fit together.", advice="Save it again where it was trained."
        ) from None
    return run


def words_of(chosen: set[str], train: str = "") -> str:
    """What Load will do, in a few words; train : name of the training data's file."""
    if chosen == {"bulk"}:
        return "Replaces the bulk of this session."
    if train.lower().endswith(".dcx"):
        return "Every part in the .dcx file is loaded" + (
            "; files chosen for a part take its place." if len(chosen) > 1 else "."
        )
    if "model" in chosen and "bulk" not in chosen:
        return "Add your bulk samples to estimate their composition with it."
    words = []
    if "train" in chosen:
        if "test" not in chosen:
            words.append("some of the cells are kept back for testing")
        if "reference" not in chosen:
            words.append("the reference is the mean of the training cells")
    if "bulk" not in chosen:
        words.append("without bulk only simulated mixtures can be deconvolved")
    text = "; ".join(words)
    return text[:1].upper() + text[1:] + "." if text else ""
