"""Reads the files that were chosen, of any kind, into parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from gui.data.dataset import PART_NAMES, ROLES, Role, Source
from gui.data.readers import tenx
from gui.data.readers.cell_parts import read_10x_part, read_h5ad_part
from gui.data.readers.chosen_table import read_table_part
from gui.data.readers.dcx import DcxFile, read_dcx
from gui.data.readers.file_kind import Kind, file_kind, one_folder
from gui.data.readers.h5ad import gene_names
from gui.data.readers.hdf5_matrix import boolean_said
from gui.data.readers.label_table import sha256
from gui.data.readers.options import FileChoice
from gui.data.readers.part import Part, no_obs
from gui.errors import MissingPart, UnreadableFile


def read_all(files: Mapping[Role, FileChoice]) -> tuple[dict[Role, Part], DcxFile | None]:
    """All parts by role; a .dcx under "train" fills what no file is given for."""
    read: dict[Role, Part] = {}
    whole: DcxFile | None = None
    later: dict[Role, FileChoice] = {}
    for role in ROLES:
        choice = files.get(role)
        if choice is None:
            continue
        kind = file_kind(choice.path, choice.shown)
        if choice.more and kind == "10x" and one_folder(choice):
            choice = choice.model_copy(update={"more": ()})  # matrix, barcodes and features
        if choice.more and kind != "table":
            raise UnreadableFile(
                f"Only tables of one sample each can be chosen together; {choice.shown} is none.",
                advice="Choose one file, or the folder with matrix, barcodes and features.",
            )
        if kind != "dcx":
            if choice.only_common and kind != "table":
                later[role] = choice
            else:
                read[role] = _read_one(role, choice, kind)
            continue
        file = read_dcx(choice.path, choice.shown)
        if role not in file.parts:
            raise MissingPart(
                f"{choice.shown} holds no data for {PART_NAMES[role]}.",
                advice="Choose another file for it.",
            )
        wanted = [role] if role != "train" else [r for r in ROLES if r == "train" or r not in files]
        whole = file if role == "train" else whole
        digest = sha256(choice.path)
        for each in wanted:
            if each in file.parts:
                read[each] = _dcx_part(each, file, choice, digest, said=each == role)
    names = {role: set(part.matrix.genes) for role, part in read.items()} | {
        role: _gene_names(choice) for role, choice in later.items()
    }
    for role, choice in later.items():
        others = [found for other, found in names.items() if other != role]
        read[role] = _read_one(
            role,
            choice,
            file_kind(choice.path, choice.shown),
            set.intersection(*others) if others else None,
        )
    return read, whole


def _gene_names(choice: FileChoice) -> set[str]:
    if file_kind(choice.path, choice.shown) == "10x":
        with tenx.unpacked(choice.path, choice.shown) as path:
            info = tenx.inspect_10x(path, choice.shown, choice.matrix)
            return set(info.names(choice.genes_column))
    return set(gene_names(choice.path, choice.shown, choice.matrix, choice.genes_column))


def _read_one(
    role: Role, choice: FileChoice, kind: Kind, genes: Collection[str] | None = None
) -> Part:
    """genes : the only ones wanted (None: all)."""
    if kind == "table":
        return read_table_part(role, choice)
    return (
        read_10x_part(role, choice, genes) if kind == "10x" else read_h5ad_part(role, choice, genes)
    )


def _dcx_part(role: Role, file: DcxFile, choice: FileChoice, digest: str, *, said: bool) -> Part:
    """said : whether what is to be said of the whole file is said of this part."""
    part = file.parts[role]
    matrix = part.matrix()
    labels = np.array(part.columns, dtype=object) if role in ("train", "test") else None
    traits = {"boolean": boolean_said(choice.shown)} if part.values.dtype.kind == "b" else {}
    traits |= {"later-version": file.later} if file.later and said else {}
    source = Source(
        role,
        choice.shown,
        "dcx",
        digest,
        part.description,
        notes=(file.later,) if file.later and said else (),
    )
    return Part(matrix, labels, no_obs(matrix), source, traits=traits)
