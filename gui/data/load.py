"""How data gets in: the chosen files are loaded together. A Dataset is built completely or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field

from gui.data.checks import (
    PART_NAMES,
    check_columns,
    check_common,
    check_reference,
    check_trainable,
    check_types,
    notes_on_cells,
    notes_on_types,
    notes_on_values,
    number,
    some,
)
from gui.data.clinical import ClinicalChoice, load_clinical
from gui.data.dataset import ROLES, Bulk, Cells, Dataset, Role, Source
from gui.data.dcx import DcxFile
from gui.data.diagnose import diagnose
from gui.data.held import HERE
from gui.data.normalize import common_genes, split_cells
from gui.data.parts import CellChoice, FileChoice, Frozen, Inspection, Part, inspect_file, read_all
from gui.data.profiles import type_profiles
from gui.data.repair_list import AnyRepair, chosen_files, repair_part
from gui.data.repairs import keep_columns
from gui.data.truth import TruthChoice, load_truth
from gui.data.watch import watched
from gui.errors import EmptyColumn, MissingPart

__all__ = ["CellChoice", "FileChoice", "Inspection", "LoadRequest", "inspect_file", "load_dataset"]

SCALE = 10_000.0
ReadAll = Callable[[Mapping[Role, FileChoice]], tuple[dict[Role, Part], DcxFile | None]]


class LoadRequest(Frozen):
    """What is loaded together.

    files : by role; a .dcx under "train" fills every role for which no other file is given
    scale : scale every matrix to 10 000 per column over the genes in use; False leaves the values as they are
    test_share, split_seed : for splitting the training cells where no test data are given
    repairs : what the user chose to have mended; applied in the order of repair_list.KINDS to the parts they are for
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
    truth: TruthChoice | None = None


def load_dataset(request: LoadRequest, *, current: Dataset | None = None, read_with: ReadAll = read_all) -> Dataset:
    """Read, check and put together everything in ``request``; ``current`` is never changed.

    With only a bulk in the request and ``current`` given, the bulk alone is replaced. read_with : what reads the files.
    Raises DataError: one sentence that names file, gene, type or sample, and what to do.
    """
    if set(request.files) == {"bulk"} and current is not None and current.parts().keys() - {"bulk"}:
        part = _checked("bulk", read_parts(request, read_with)[0]["bulk"])
        dataset = replace(current, bulk=Bulk(part.matrix, part.obs), sources=(*(s for s in current.sources if s.role != "bulk"), part.source))
        return with_tables(_complete(dataset), request)
    read, dcx = read_parts(request, read_with)
    if "train" not in read:
        raise MissingPart("There are no single-cell training data.", advice="Choose a file of labelled single cells.")
    parts = {role: _checked(role, read[role]) for role in ROLES if role in read}
    sources = {role: part.source for role, part in parts.items()}
    train = _cells(parts["train"], sources)
    check_types(train, parts["train"].source.name)
    if "test" in parts:
        test = _cells(parts["test"], sources)
    else:
        train, test, sources["test"] = _split(train, request, sources["train"])
    if "reference" not in parts:
        sources["reference"] = Source(
            "reference", "mean of the training cells", "mean", notes=("The mean of the training cells of each type is used as reference.",)
        )
    bulk = parts.get("bulk")
    title = request.name or parts["train"].source.name.split(".")[0]
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


def with_tables(dataset: Dataset, request: LoadRequest) -> Dataset:
    """With the clinical table and the known shares of ``request``; those that were there stay where their samples are still in the bulk.

    Raises UnreadableFile, BadValues, MissingPart (no bulk, or no sample in common).
    """
    if (request.clinical or request.truth) and dataset.bulk is None:
        raise MissingPart("Clinical data and known shares belong to bulk samples, but there are none.", advice="Choose bulk samples too.")
    samples = dataset.bulk.samples if dataset.bulk is not None else []
    clinical, truth = dataset.clinical, dataset.truth
    if request.clinical is not None:
        clinical = load_clinical(request.clinical, samples)
    elif clinical is not None:
        there = [s for s in samples if s in clinical.table.index]
        clinical = replace(clinical, table=clinical.table.reindex(samples)) if there else None
    if request.truth is not None:
        truth = load_truth(request.truth, samples, dataset.types)
    elif truth is not None:
        there = [s for s in samples if s in truth.shares.columns]
        truth = replace(truth, shares=truth.shares[there]) if there else None
    return replace(dataset, clinical=clinical, truth=truth)


def read_parts(request: LoadRequest, read_with: ReadAll = read_all) -> tuple[dict[Role, Part], DcxFile | None]:
    """All parts by role, repaired but unchecked."""
    read, dcx = read_with(chosen_files(request.files, request.repairs))
    return {role: repair_part(part, request.repairs)[0] for role, part in read.items()}, dcx


def _checked(role: Role, part: Part) -> Part:
    """The part, its own checks passed; cells without a label are gone."""
    for finding in diagnose(part, layout=False):
        if finding.severity == "refusal":
            raise finding.as_error()
    source = part.source
    if part.labels is not None and role in ("train", "test"):
        there = ~pd.isna(part.labels) & (part.labels != "")
        missing = int((~there).sum())
        if missing:
            source = replace(source, notes=(*source.notes, f"{number(missing)} cell{'s' if missing > 1 else ''} without a label left out."))
            part = replace(keep_columns(part, there), source=source)
    return part


def _cells(part: Part, sources: dict[Role, Source]) -> Cells:
    role, source = part.source.role, part.source
    cells = Cells(part.matrix, np.array([str(v) for v in part.labels], dtype=object), part.obs)  # type: ignore[union-attr]
    notes = (
        *source.notes,
        f"{number(cells.matrix.n_columns)} cells of {len(cells.types)} types, {number(cells.matrix.n_genes)} genes.",
        *notes_on_cells(cells, role),
    )
    sources[role] = replace(source, notes=notes)
    return cells


def _split(cells: Cells, request: LoadRequest, source: Source) -> tuple[Cells, Cells, Source]:
    train, test = split_cells(cells, request.test_share, request.split_seed)
    if not test.matrix.n_columns:
        raise MissingPart("The training cells cannot be split: no cell type has two cells.", advice="Give test cells in a file of their own.")
    how = f"{request.test_share:.0%} of each type, seed {request.split_seed}"
    note = f"{number(test.matrix.n_columns)} of the {number(cells.matrix.n_columns)} training cells were set aside for the test: {how}."
    return train, test, Source("test", source.name, "split", source.sha256, options={"share": request.test_share, "seed": request.split_seed}, notes=(note,))


def _complete(dataset: Dataset) -> Dataset:
    """The dataset with notes on the whole, all checks across its parts passed."""
    parts, genes = dataset.parts(), common_genes(dataset)
    check_common(parts, genes)
    notes: dict[Role, list[str]] = {role: [] for role in ROLES}
    means = _type_means(dataset, genes)
    if dataset.reference is not None:
        given = dataset.reference.take(genes)
        check_columns(given, "reference", f"over the {number(len(genes))} common genes")
        means = given.frame()
        notes["reference"] += notes_on_values(dataset.reference, "reference")
    check_reference(means / np.where(means.sum(axis=0) > 0, means.sum(axis=0), 1.0))
    notes["reference"] += notes_on_types(means)
    types = [str(t) for t in means.columns]
    if dataset.train is not None:
        check_trainable(types, dataset.train)
        hidden = [t for t in dataset.train.types if t not in types]
        if hidden:
            notes["train"].append(f"The reference lacks {some(hidden)}: not trained on; their test cells stay in the test mixtures as hidden.")
    if dataset.test is not None:
        unseen = [t for t in types if t not in dataset.test.types]
        if unseen:
            notes["test"].append(f"Without test cells, so no correlation can be given: {some(unseen)}.")
        foreign = [t for t in dataset.test.types if t not in types and dataset.train is not None and t not in dataset.train.types]
        if foreign:
            notes["test"].append(f"{some(foreign)} occur{'s' if len(foreign) == 1 else ''} only in the test cells and will be hidden in the test mixtures.")
    if dataset.bulk is not None:
        check_columns(dataset.bulk.matrix.take(genes), "bulk", f"over the {number(len(genes))} common genes")
        notes["bulk"].append(f"{number(dataset.bulk.matrix.n_columns)} samples, {number(dataset.bulk.matrix.n_genes)} genes.")
        notes["bulk"] += notes_on_values(dataset.bulk.matrix, "bulk")
    first: Role = next(iter(parts))
    notes[first].append(f"{number(len(genes))} genes common to all parts ({len(genes) / parts[first].n_genes:.0%} of the genes of {PART_NAMES[first]}).")
    how = f"scaled to {number(round(dataset.scale))} per column over the genes in use" if dataset.scale else "left as it is, without scaling"
    notes[first].append(f"Every matrix is {how}.")
    return replace(dataset, sources=tuple(replace(s, notes=tuple(dict.fromkeys((*_own(s), *notes[s.role])))) for s in dataset.sources))


def _own(source: Source) -> list[str]:
    """The notes on the part alone: those on the whole are written anew when the bulk changes."""
    return [n for n in source.notes if "common to all parts" not in n and not n.startswith("Every matrix is ")]


def _type_means(dataset: Dataset, genes: pd.Index) -> pd.DataFrame:
    """Genes x types: means of the training cells scaled to one sum, sparse all the way. For checks; the analysis uses normalize.prepare."""
    train = dataset.train
    if train is None:
        return pd.DataFrame(index=genes)
    means = type_profiles(Cells(train.matrix.take(genes), train.labels, train.obs))
    lost = list(means.columns[means.sum(axis=0) == 0])
    if lost:
        raise EmptyColumn(
            f"In the training cells all cells of {some(lost)} are zero over the {number(len(genes))} common genes.",
            advice="Leave the type out, or use files with more genes in common.",
        )
    return means


# -- in the reading process -----------------------------------------------------------------------------------------------------


def warm_up() -> None:
    """Import what reading needs."""
    import anndata  # noqa: F401


def inspect_task(dataset: object, params: tuple[Path, Role, str], *, progress: object) -> Inspection:
    """:func:`inspect_file` as a task; params : path, role, name as shown."""
    with watched([params[0]]):
        return inspect_file(*params)


def load_task(dataset: object, params: LoadRequest, *, progress: object) -> Dataset:
    """:func:`load_dataset` as a task; dataset : the present one, where only the bulk is replaced. What looking at the files has read is used up."""
    with watched([choice.path for choice in params.files.values()]):
        return load_dataset(params, current=dataset if isinstance(dataset, Dataset) else None, read_with=HERE.take)
