"""Reads files of single cells (h5ad and the like, 10x) into a part."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from gui.data.dataset import Matrix, Role, Source
from gui.data.readers import tenx
from gui.data.readers.cell_file import NAMED_BY
from gui.data.readers.file_kind import read_from
from gui.data.readers.h5ad import (
    cell_names,
    inspect_h5ad,
    label_column_among,
    no_labels,
    read_h5ad,
)
from gui.data.readers.label_table import given_labels, label_table_record, sha256
from gui.data.readers.labels import label_values
from gui.data.readers.options import FileChoice
from gui.data.readers.part import Part
from gui.errors import NoLabels


def read_10x_part(role: Role, choice: FileChoice, genes: Collection[str] | None) -> Part:
    with tenx.unpacked(choice.path, choice.shown) as path:
        return _read_10x_files(role, choice, path, genes)


def _read_10x_files(
    role: Role, choice: FileChoice, path: Path, genes: Collection[str] | None
) -> Part:
    """path : of the files unpacked."""
    info = tenx.inspect_10x(path, choice.shown, choice.matrix)
    labels, unlabelled = (
        (given_labels(choice, info.barcodes) if role in ("train", "test") else None),
        None,
    )
    if role in ("train", "test") and labels is None:
        unlabelled = NoLabels(
            f"{choice.shown} holds counts of single cells, but not their cell types, as usual for"
            " 10x files.",
            advice="Choose a table of barcodes and cell types as well.",
        )
    part = tenx.read_10x(
        info,
        choice.shown,
        genes_column=choice.genes_column,
        labels=labels,
        cells=choice.cells,
        genes=genes,
    )
    options = dict(part.options)
    if labels is not None:
        labels = labels[choice.cells.positions(labels)] if choice.cells else labels
        options |= label_table_record(choice)
    source = Source(
        role,
        choice.shown,
        "10x",
        sha256(*read_from(choice.model_copy(update={"labels": None}))),
        options=options,
        notes=part.notes,
    )
    return Part(
        part.matrix,
        labels,
        part.obs,
        source,
        var=part.var,
        unlabelled=unlabelled,
        matrices=info.genomes,
        choice=choice,
        traits=part.traits,
        genes_from="gene IDs" if choice.genes_column == "id" else "gene names of the features",
    )


def read_h5ad_part(role: Role, choice: FileChoice, genes: Collection[str] | None) -> Part:
    info = inspect_h5ad(choice.path, choice.shown)
    given = choice.labels is not None and role in ("train", "test")
    label = (
        None if given else choice.label_column or (info.label_column if role != "bulk" else None)
    )
    unlabelled = (
        no_labels(info, choice.shown)
        if role in ("train", "test") and label is None and not given
        else None
    )
    wanted = tuple(
        dict.fromkeys(([label] if label and role != "bulk" else []) + list(choice.keep_obs))
    )
    labels = given_labels(choice, cell_names(choice.path, choice.shown)) if given else None
    part = read_h5ad(
        choice.path,
        choice.shown,
        matrix=choice.matrix,
        obs=wanted,
        genes_column=choice.genes_column,
        label=label if role != "bulk" else None,
        labels=labels,
        cells=choice.cells,
        genes=genes,
    )
    if labels is not None:
        labels = labels[choice.cells.positions(labels)] if choice.cells else labels
    elif label and role != "bulk":
        labels = label_values(part.obs[label])
    matrix, options = part.matrix, dict(part.options)
    if given:
        options |= label_table_record(choice)
    if role == "reference" and labels is not None:
        if choice.label_column is None and (
            pd.isna(labels).any() or len(set(labels)) < len(labels)
        ):
            labels = None  # only proposed, and not one row per type: the row names are the types
        else:
            matrix = Matrix(
                matrix.values,
                matrix.genes,
                pd.Index(["" if v is None else v for v in labels], dtype=object),
            )
    notes, traits = part.notes, dict(part.traits)
    if labels is not None and label is not None:
        options["label_column"] = label
        if info.label_said and choice.label_column is None and role in ("train", "test"):
            notes, traits["label-column"] = (*notes, info.label_said), info.label_said
    return Part(
        matrix,
        labels,
        part.obs.loc[:, list(choice.keep_obs)],
        Source(
            role,
            choice.shown,
            info.format,
            sha256(*read_from(choice.model_copy(update={"labels": None}))),
            options=options,
            notes=notes,
        ),
        var=part.var,
        unlabelled=unlabelled,
        label_in_var=label_column_among(info.var_columns),
        matrices=info.matrices,
        choice=choice,
        traits=traits,
        genes_from=f"column {choice.genes_column} of {info.var_name}"
        if choice.genes_column
        else NAMED_BY.get(info.format, f"index of {info.var_name}"),
    )
