"""How data gets in: the chosen files are loaded together.

A Dataset is built completely or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from gui.data.dataset import PART_NAMES, ROLES, Bulk, Cells, Dataset, Role, Source
from gui.data.normalize import common_genes, split_cells
from gui.data.readers.dcx import DcxFile
from gui.data.readers.file_kind import paths_of
from gui.data.readers.inspection import Inspection, inspect_file
from gui.data.readers.options import CellChoice, FileChoice, Frozen
from gui.data.readers.part import Part
from gui.data.readers.read import read_all
from gui.data.readers.read_cache import PROCESS_CACHE
from gui.data.readers.table_slot import LAST
from gui.data.readers.watchdog import watched
from gui.data.samples.clinical import ClinicalChoice, load_clinical
from gui.data.samples.known_composition import KnownCompositionChoice, load_known_composition
from gui.data.validation.check_part import diagnose
from gui.data.validation.check_parts import compare_parts, parts_of
from gui.data.validation.checks import check_trainable, check_types
from gui.data.validation.findings import Finding
from gui.data.validation.registry import AnyRepair, chosen_files, repair_part
from gui.data.validation.repairs import keep_columns
from gui.errors import MissingPart
from gui.text import number

__all__ = ["CellChoice", "FileChoice", "Inspection", "LoadRequest", "inspect_file", "load_dataset"]

SCALE = 10_000.0
ReadAll = Callable[[Mapping[Role, FileChoice]], tuple[dict[Role, Part], DcxFile | None]]


class LoadRequest(Frozen):
    """What is loaded together.

    files : by role; a .dcx under "train" fills every role for which no other file is given
    scale : scale every matrix to 10 000 per column over the genes in use; False leaves the values
        as they are
    test_share, split_seed : for splitting the training cells where no test data are given
    repairs : what the user chose to have mended; applied in the order of repair_list.KINDS to the
        parts they are for
    clinical, truth : tables about the bulk samples
    """

    files: Mapping[Role, FileChoice]
    scale: bool = True
    test_share: float = Field(0.3, gt=0, lt=1)
    split_seed: int = Field(1, ge=0, le=2**32 - 1)
    name: str = ""
    description: str = ""
    author: str = ""
    repairs: tuple[AnyRepair, ...] = ()
    clinical: ClinicalChoice | None = None
    truth: KnownCompositionChoice | None = None


def load_dataset(
    request: LoadRequest, *, current: Dataset | None = None, read_with: ReadAll = read_all
) -> Dataset:
    """Read, check and put together everything in ``request``; ``current`` is never changed.

    With only a bulk in the request and ``current`` given, the bulk alone is replaced. read_with :
    what reads the files.
    Raises DataError: one sentence that names file, gene, type or sample, and what to do.
    """
    if set(request.files) == {"bulk"} and current is not None and current.parts().keys() - {"bulk"}:
        part = _checked("bulk", read_parts(request, read_with)[0]["bulk"])
        kept = _alone(current, _of_whole(current)[1])
        dataset = replace(
            current,
            bulk=Bulk(part.matrix, part.obs),
            sources=(*(s for s in kept if s.role != "bulk"), part.source),
        )
        return with_tables(_complete(dataset), request)
    read, dcx = read_parts(request, read_with)
    if "train" not in read:
        return with_tables(_reference_only(request, read), request)
    parts = {role: _checked(role, read[role]) for role in ROLES if role in read}
    sources = {role: part.source for role, part in parts.items()}
    del read
    # by nothing else: once they are split they are in memory twice as long as anything holds them
    train = _cells(parts.pop("train"))
    check_types(train, sources["train"].name)
    if "test" in parts:
        test = _cells(parts.pop("test"))
    else:
        train, test, sources["test"] = _split(train, request, sources["train"])
    if "reference" not in parts:
        sources["reference"] = Source(
            "reference",
            "mean of the training cells",
            "mean",
            notes=("The mean of the training cells of each type is used as reference.",),
        )
    bulk = parts.get("bulk")
    title = request.name or sources["train"].name.split(".")[0]
    dataset = Dataset(
        train,
        test,
        parts["reference"].matrix if "reference" in parts else None,
        Bulk(bulk.matrix, bulk.obs) if bulk else None,
        scale=SCALE if request.scale else None,
        name=title,
        description=request.description or (dcx.description if dcx else ""),
        author=request.author or (dcx.author if dcx else ""),
        sources=tuple(sources[role] for role in ROLES if role in sources),
    )
    return with_tables(_complete(dataset), request)


def _reference_only(request: LoadRequest, read: Mapping[Role, Part]) -> Dataset:
    """A reference (a signature matrix) and a bulk, without single cells.

    Raises
    ------
    MissingPart
        One of the two is missing.
    """
    if "reference" not in read or "bulk" not in read:
        raise MissingPart(
            "There are no single-cell training data.",
            advice="Choose a file of labelled single cells, or a reference and a bulk alone.",
        )
    parts = {role: _checked(role, read[role]) for role in ROLES if role in ("reference", "bulk")}
    reference, bulk = parts["reference"], parts["bulk"]
    return _complete(
        Dataset(
            None,
            None,
            reference.matrix,
            Bulk(bulk.matrix, bulk.obs),
            scale=SCALE if request.scale else None,
            name=request.name or reference.source.name.split(".")[0],
            description=request.description,
            author=request.author,
            sources=(reference.source, bulk.source),
        )
    )


def with_tables(dataset: Dataset, request: LoadRequest) -> Dataset:
    """With the clinical table and the known shares of ``request``; those that were there stay where
    their samples are still in the bulk.

    Raises UnreadableFile, BadValues, MissingPart (no bulk, or no sample in common).
    """
    if (request.clinical or request.truth) and dataset.bulk is None:
        raise MissingPart(
            "Clinical data and known compositions belong to bulk samples, but there are none.",
            advice="Choose bulk samples too.",
        )
    samples = dataset.bulk.samples if dataset.bulk is not None else []
    clinical, truth = dataset.clinical, dataset.truth
    if request.clinical is not None:
        clinical = load_clinical(request.clinical, samples)
    elif clinical is not None:
        there = [s for s in samples if s in clinical.table.index]
        clinical = replace(clinical, table=clinical.table.reindex(samples)) if there else None
    if request.truth is not None:
        truth = load_known_composition(request.truth, samples, dataset.types)
    elif truth is not None:
        there = [s for s in samples if s in truth.shares.columns]
        truth = replace(truth, shares=truth.shares[there]) if there else None
    return replace(dataset, clinical=clinical, truth=truth)


def read_parts(
    request: LoadRequest, read_with: ReadAll = read_all
) -> tuple[dict[Role, Part], DcxFile | None]:
    """All parts by role, repaired but unchecked."""
    read, dcx = read_with(chosen_files(request.files, request.repairs))
    return {role: repair_part(part, request.repairs)[0] for role, part in read.items()}, dcx


def _checked(role: Role, part: Part) -> Part:
    """The part, its own checks passed, with what they say; cells without a label are gone."""
    found = diagnose(part, layout=False)
    _refuse(found)
    notes, warnings = (
        [x.message for x in found if x.severity == "info"],
        [x.message for x in found if x.severity == "warning"],
    )
    if part.labels is not None and role in ("train", "test"):
        part = keep_columns(part, ~pd.isna(part.labels) & (part.labels != ""))
        cells = number(part.matrix.n_columns)
        notes.append(
            f"{cells} cells of {len(set(map(str, part.labels)))} types,"  # type: ignore[arg-type]
            f" {number(part.matrix.n_genes)} genes."
        )
    elif role == "bulk":
        notes.append(
            f"{number(part.matrix.n_columns)} samples, {number(part.matrix.n_genes)} genes."
        )
    return replace(part, source=replace(part.source, notes=tuple(notes), warnings=tuple(warnings)))


def _refuse(found: Iterable[Finding]) -> None:
    """Raises the first refusal."""
    for finding in found:
        if finding.severity == "refusal":
            raise finding.as_error()


def _cells(part: Part) -> Cells:
    return Cells(part.matrix, np.array([str(v) for v in part.labels], dtype=object), part.obs)  # type: ignore[union-attr]


def _split(cells: Cells, request: LoadRequest, source: Source) -> tuple[Cells, Cells, Source]:
    train, test = split_cells(cells, request.test_share, request.split_seed)
    if not test.matrix.n_columns:
        raise MissingPart(
            "The training cells cannot be split: no cell type has two cells.",
            advice="Give test cells in a file of their own.",
        )
    how = f"{request.test_share:.0%} of each type, seed {request.split_seed}"
    note = (
        f"{number(test.matrix.n_columns)} of the {number(cells.matrix.n_columns)} training cells"
        f" were set aside for the test: {how}."
    )
    return (
        train,
        test,
        Source(
            "test",
            source.name,
            "split",
            source.sha256,
            options={"share": request.test_share, "seed": request.split_seed},
            notes=(note,),
        ),
    )


Said = dict[Role, tuple[list[str], list[str]]]
"""Part -> notes and warnings."""


def _complete(dataset: Dataset) -> Dataset:
    """The dataset with what is to be said of the whole, all checks across its parts passed."""
    found, said = _of_whole(dataset)
    _refuse(found)
    if dataset.train is not None:
        # to compare_parts another spelling is a warning: the user can choose to mend it
        check_trainable(dataset.types, dataset.train)

    def with_whole(source: Source) -> Source:
        notes, warnings = said.get(source.role, ([], []))
        return replace(
            source,
            notes=tuple(dict.fromkeys([*source.notes, *notes])),
            warnings=tuple(dict.fromkeys([*source.warnings, *warnings])),
        )

    return replace(dataset, sources=tuple(map(with_whole, dataset.sources)))


def _of_whole(dataset: Dataset) -> tuple[list[Finding], Said]:
    """What is found across the parts, and what is to be noted of it on each of them."""
    parts, genes, found = dataset.parts(), common_genes(dataset), compare_parts(parts_of(dataset))
    said: Said = {role: ([], []) for role in parts}
    for finding in found:
        if finding.severity != "refusal" and finding.place.role in said:
            said[finding.place.role][finding.severity == "warning"].append(finding.message)
    first: Role = next(iter(parts))
    how = (
        f"scaled to {number(round(dataset.scale))} per column over the genes in use"
        if dataset.scale
        else "left as it is, without scaling"
    )
    said[first][0].append(
        f"{number(len(genes))} genes common to all parts ({len(genes) / parts[first].n_genes:.0%}"
        f" of the genes of {PART_NAMES[first]})."
    )
    said[first][0].append(f"Every matrix is {how}.")
    return found, said


def _alone(dataset: Dataset, said: Said) -> list[Source]:
    """The sources with what is noted of each part alone: what was ``said`` of the whole does not
    hold for another bulk.
    """

    def without(source: Source) -> Source:
        whole = {sentence for sentences in said.get(source.role, ()) for sentence in sentences}
        own, warned = (
            tuple(x for x in sentences if x not in whole)
            for sentences in (source.notes, source.warnings)
        )
        return replace(source, notes=own, warnings=warned)

    return [without(source) for source in dataset.sources]


# -- in the reading process
# --------------------------------------------------------------------------------------------------


def warm_up() -> None:
    """Import what reading needs."""
    import anndata  # noqa: F401


def inspect_task(dataset: object, params: tuple[Any, ...], *, progress: object) -> Inspection:
    """:func:`inspect_file` as a task; params : path, role, name as shown, and the paths of files
    chosen with it, if there are any.
    """
    path, role, name, more = (*params, ())[:4]
    with watched([path, *more]), LAST.keeping():
        return inspect_file(path, role, path.name if more else name, more=more)


def bulk_task(dataset: object, params: LoadRequest, *, progress: object) -> Dataset:
    """The bulk of ``params`` alone, repaired and checked, as a task."""
    with watched(paths_of(params.files)):
        part = _checked("bulk", read_parts(params)[0]["bulk"])
    bulk = Bulk(part.matrix, part.obs)
    return Dataset(None, None, None, bulk, scale=SCALE, name=params.name)


def load_task(dataset: object, params: LoadRequest, *, progress: object) -> Dataset:
    """:func:`load_dataset` as a task; dataset : the present one, where only the bulk is replaced.

    What looking at the files has read is used up.
    """
    with watched(paths_of(params.files)):
        return load_dataset(
            params,
            current=dataset if isinstance(dataset, Dataset) else None,
            read_with=PROCESS_CACHE.take,
        )
