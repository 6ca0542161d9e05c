"""References: cells with types, source and licence, each in one file.

A file is a session file (:mod:`gui.sessions.file`) that holds cells or profiles, perhaps learned
gene weights, and nothing of any bulk. What is on it in the list is in its clear header.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from gui.data.dataset import Bulk, Cells, Dataset, Matrix
from gui.data.profiles import type_profiles
from gui.data.readers.watchdog import watched
from gui.engine.model import model_bytes, read_model
from gui.engine.params import DTDParams
from gui.engine.reference_fit import ReferenceFit, reference_fit
from gui.engine.results import DTDResult, Provenance, Run
from gui.errors import DataError, InvalidParameter, MissingPart, SessionError, UnreadableFile
from gui.sessions import file
from gui.sessions.parsing import look_up
from gui.sessions.rules import MAX_NAME, MAX_TEXT, new_id, plain
from gui.sessions.snapshot import Snapshot
from gui.text import number

SUFFIX = ".dcxreference"
MARK = "reference"
CELLS = 300
"""Cells of each type that are kept by default."""
NOTE_LINES = ("Source", "Licence", "Holds", "Note")
"""What each line of a reference's notes begins with."""
_LONGEST = {"Source": 300, "Licence": 120, "Holds": 160, "Note": 380}
SEED = 1


@dataclass(frozen=True, eq=False)
class LoadedReference:
    """What a reference holds: a dataset without a bulk, and the gene weights, where learned."""

    dataset: Dataset
    model: DTDResult | None = None


# -- making one
# --------------------------------------------------------------------------------------------------
def make_reference(
    dataset: Dataset,
    name: str,
    *,
    source: str,
    licence: str,
    note: str = "",
    model: DTDResult | None = None,
    per_type: int | None = CELLS,
) -> Snapshot:
    """The cells and profiles of ``dataset`` as a reference.

    Nothing of the bulk is in it, no annotation of the cells but their type, and no cell's name.

    Parameters
    ----------
    model
        A DTD run on these cells; its reference, genes and weights are kept, not its compositions.
    per_type
        Cells of each type that are kept at most, in training and in test; drawn at random, the
        same ones each time. None: all.

    Raises
    ------
    InvalidParameter
        No name, no source.
    MissingPart
        No cells and no profiles.
    """
    name = plain(name)[:MAX_NAME].strip()
    if not name:
        raise InvalidParameter("The reference has no name.", advice="Give it a name.")
    if not source.strip():
        raise InvalidParameter(
            "The source of the reference is missing.",
            advice="Say where the cells come from, for example a paper or an accession.",
        )
    train, test = (_kept(part, per_type) for part in (dataset.train, dataset.test))
    if train is None and dataset.reference is None:
        raise MissingPart(
            "There are no single cells and no profiles to save.", advice="Load data first."
        )
    fewer = _fewer(dataset, {"train": train, "test": test}, per_type)
    sources = tuple(
        replace(one, options={}, notes=(*one.notes, *fewer.get(one.role, ())))
        for one in dataset.sources
        if one.role != "bulk"
    )
    made = Dataset(
        train,
        test,
        dataset.reference,
        None,
        scale=dataset.scale,
        name=name,
        author=dataset.author,
        description=f"Source: {plain(source)}. Licence: {plain(licence) or 'not known'}.",
        sources=sources,
    )
    now = datetime.now(UTC)
    runs: tuple[Run, ...] = ()
    if model is not None:
        alone = read_model(model_bytes(model))
        origin = Provenance(made.training_id, "")
        params = alone.params or DTDParams()
        runs = (Run("model", "dtd", f"Trained model {name}", now, params, alone, origin),)
    lines = {
        "Source": source,
        "Licence": licence or "not known",
        "Holds": holds(made, bool(runs)),
        "Note": note,
    }
    return Snapshot(
        new_id(),
        name,
        now,
        now,
        dataset=made,
        runs=runs,
        notes="\n".join(
            f"{key}: {plain(text)[: _LONGEST[key]]}" for key, text in lines.items() if text
        )[:MAX_TEXT],
        marks=(MARK,),
    )


def holds(dataset: Dataset, model: bool) -> str:
    """What a reference holds: "812 cells of 10 types, 5 278 genes, with gene weights"."""
    parts = dataset.parts()
    cells = sum(p.matrix.n_columns for p in (dataset.train, dataset.test) if p is not None)
    what = f"{number(cells)} cells of" if cells else "profiles of"
    genes = next(iter(parts.values())).n_genes
    weights = ", with gene weights" if model else ""
    return f"{what} {number(len(dataset.types))} types, {number(genes)} genes{weights}"


def _kept(cells: Cells | None, per_type: int | None) -> Cells | None:
    """At most so many cells of each type, with their type and nothing else."""
    if cells is None:
        return None
    keep = np.ones(len(cells.labels), dtype=bool)
    if per_type is not None:
        random = np.random.default_rng(SEED)
        for kind in cells.types:
            members = np.flatnonzero(cells.labels == kind)
            if len(members) > per_type:
                keep[random.permutation(members)[per_type:]] = False
    found = cells.where(keep)
    names = pd.Index([f"cell {i + 1}" for i in range(len(found.labels))], dtype=object)
    values = found.matrix.values
    if isinstance(values, np.ndarray) and np.count_nonzero(values) < 0.5 * values.size:
        from scipy import sparse

        values = sparse.csc_matrix(values)
        values.sort_indices()
    matrix = Matrix(values, pd.Index(found.matrix.genes), names)
    return Cells(matrix, found.labels, pd.DataFrame(index=names))


def _fewer(
    dataset: Dataset, kept: Mapping[str, Cells | None], per_type: int | None
) -> dict[str, tuple[str, ...]]:
    """Role -> a note, where not all cells of that part were kept."""
    found: dict[str, tuple[str, ...]] = {}
    for role, before in (("train", dataset.train), ("test", dataset.test)):
        now = kept[role]
        if before is None or now is None or per_type is None:
            continue
        if len(now.labels) < len(before.labels):
            found[role] = (
                f"At most {number(per_type)} cells of each type were kept in the reference:"
                f" {number(len(now.labels))} of {number(len(before.labels))}.",
            )
    return found


# -- reading one, in the reading process
# --------------------------------------------------------------------------------------------------
def read_reference(path: Path) -> LoadedReference:
    """Read a reference; every byte of it is checked.

    Raises
    ------
    UnreadableFile
        It is a session, or holds something else than cells, profiles and a model of them.
    DamagedSession, NewerSession
    """
    snapshot, data, model = _content_of(path)
    return LoadedReference(replace(data, name=snapshot.name), model)


def _content_of(path: Path) -> tuple[Snapshot, Dataset, DTDResult | None]:
    """What is in the file, its dataset and its model; errors as :func:`read_reference`."""
    with watched([path]):
        snapshot = file.load(path)
        look_up(snapshot)
    data = snapshot.dataset
    if MARK not in snapshot.marks or data is None:
        raise UnreadableFile(
            f"{path.name} is a session, not a reference.",
            advice="Open it on the page Sessions, and save its cells as a reference.",
        )
    models = [run.result for run in snapshot.runs if run.kind == "dtd"]
    model = models[0] if models else None
    # what is about samples would be joined with the user's samples of the same name
    about_samples = (data.bulk, data.clinical, data.truth)
    if (
        not data.parts()
        or any(part is not None for part in about_samples)
        or (model is not None and not _is_of(model, data))
    ):
        raise UnreadableFile(f"{path.name} is not a reference that this program made.")
    return snapshot, data, model


def _is_of(model: DTDResult, data: Dataset) -> bool:
    """Whether the model has the genes and cell types of these data."""
    return set(map(str, model.reference.columns)) <= set(data.types) and all(
        set(map(str, model.genes)) <= set(map(str, part.genes)) for part in data.parts().values()
    )


def reference_profiles(path: Path) -> pd.DataFrame:
    """Genes x types: the cells of a reference scaled to one sum each and added; or its profiles.

    As :func:`read_reference`.
    """
    data = read_reference(path).dataset
    if data.train is not None:
        return type_profiles(data.train)
    assert data.reference is not None, "a reference holds cells or profiles"
    return data.reference.frame()


def reference_task(dataset: object, params: Path, *, progress: object) -> LoadedReference:
    """:func:`read_reference` as a task of the reading process."""
    return read_reference(params)


@dataclass(frozen=True)
class Renaming:
    """A reference that is to be written once more: to ``target``, under ``name``."""

    path: Path
    target: Path
    name: str


def write_renamed(asked: Renaming) -> None:
    """Write a reference under another name; the file under the old one stays.

    Raises
    ------
    UnreadableFile, DamagedSession, NewerSession
        As :func:`read_reference`.
    SessionNotSaved
    """
    snapshot, data, _ = _content_of(asked.path)
    renamed = replace(
        snapshot,
        session_id=new_id(),
        name=asked.name,
        dataset=replace(data, name=asked.name),
    )
    file.save(asked.target, renamed, expected_generation=None)


def rename_task(dataset: object, params: Renaming, *, progress: object) -> None:
    """:func:`write_renamed` as a task of the reading process."""
    write_renamed(params)


def fits_task(
    dataset: Dataset, params: Mapping[str, Path], *, progress: object
) -> dict[str, ReferenceFit]:
    """How well each reference fits the bulk of ``dataset``: key -> fit."""
    bulk = dataset.bulk
    if not isinstance(bulk, Bulk):
        raise MissingPart("There are no bulk samples.", advice="Load bulk samples first.")
    found = {}
    for key, path in params.items():
        try:
            found[key] = reference_fit(read_reference(path).dataset, bulk)
        except (DataError, SessionError, OSError) as error:
            reason = str(error) if not isinstance(error, OSError) else "It cannot be read."
            found[key] = ReferenceFit(0, 0, obstacle=reason)
    return found
