"""How data gets in: the chosen files are loaded together. A Dataset is built completely or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field

from gui.data.checks import (
    PART_NAMES,
    check_columns,
    check_common,
    check_matrix,
    check_reference,
    check_trainable,
    check_types,
    notes_on_cells,
    notes_on_types,
    notes_on_values,
    number,
    some,
)
from gui.data.dataset import ROLES, Bulk, Cells, Dataset, Role, Source
from gui.data.normalize import common_genes, split_cells, sums_by_type
from gui.data.parts import FileChoice, Frozen, Inspection, Part, inspect_file, read_all
from gui.errors import BadNames, EmptyColumn, MissingPart, NoLabels

__all__ = ["FileChoice", "Inspection", "LoadRequest", "inspect_file", "load_dataset"]

SCALE = 10_000.0


class LoadRequest(Frozen):
    """What is loaded together.

    files : by role; a .dcx under "train" fills every role for which no other file is given
    scale : scale every matrix to 10 000 per column over the genes in use; False leaves the values as they are
    test_share, split_seed : for splitting the training cells where no test data are given
    """

    files: Mapping[Role, FileChoice]
    scale: bool = True
    test_share: float = Field(0.3, gt=0, lt=1)
    split_seed: int = Field(1, ge=0, le=2**32 - 1)
    name: str = ""
    description: str = ""
    author: str = ""


def load_dataset(request: LoadRequest, *, current: Dataset | None = None) -> Dataset:
    """Read, check and put together everything in ``request``; ``current`` is never changed.

    With only a bulk in the request and ``current`` given, the bulk alone is replaced.
    Raises DataError: one sentence that names file, gene, type or sample, and what to do.
    """
    if set(request.files) == {"bulk"} and current is not None and current.parts().keys() - {"bulk"}:
        part = _checked("bulk", read_all(request.files)[0]["bulk"])
        dataset = replace(current, bulk=Bulk(part.matrix, part.obs), sources=(*(s for s in current.sources if s.role != "bulk"), part.source))
        return _complete(dataset)
    read, dcx = read_all(request.files)
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
    return _complete(dataset)


def _checked(role: Role, part: Part) -> Part:
    """The part, its own checks passed; cells without a label are gone."""
    name, source = part.source.name, part.source
    if part.labels is not None and role in ("train", "test"):
        there = ~pd.isna(part.labels) & (part.labels != "")
        missing = int((~there).sum())
        if missing == len(there):
            raise NoLabels(f"In {name} no cell has a label.", advice="Choose another label column.")
        if missing:
            source = replace(source, notes=(*source.notes, f"{number(missing)} cell{'s' if missing > 1 else ''} without a label left out."))
            part = Part(part.matrix.where(there), part.labels[there], part.obs[there], source)
        if len(set(part.labels)) == len(part.labels) > 2:  # type: ignore[arg-type]
            raise BadNames(
                f"In {name} every cell has a label of its own ({some(part.labels)}), so these are not cell types.",  # type: ignore[arg-type]
                advice="Choose the column that holds cell types; in a table the header must repeat the cell type of each cell.",
            )
    check_matrix(part.matrix, role, name)
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
    matrix, types = train.matrix.take(genes), train.types
    sums = matrix.sums()
    weight = np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0)
    means = sums_by_type(Cells(matrix, train.labels, train.obs), weight).to_numpy()
    lost = [t for t, empty in zip(types, (means.sum(axis=0) == 0), strict=True) if empty]
    if lost:
        raise EmptyColumn(
            f"In the training cells all cells of {some(lost)} are zero over the {number(len(genes))} common genes.",
            advice="Leave the type out, or use files with more genes in common.",
        )
    return pd.DataFrame(means, index=genes, columns=types)


# -- in the reading process -----------------------------------------------------------------------------------------------------


def warm_up() -> None:
    """Import what reading needs."""
    import anndata  # noqa: F401


def inspect_task(dataset: object, params: tuple[Path, Role, str], *, progress: object) -> Inspection:
    """:func:`inspect_file` as a task; params : path, role, name as shown."""
    return inspect_file(*params)


def load_task(dataset: object, params: LoadRequest, *, progress: object) -> Dataset:
    """:func:`load_dataset` as a task; dataset : the present one, where only the bulk is replaced."""
    return load_dataset(params, current=dataset if isinstance(dataset, Dataset) else None)
