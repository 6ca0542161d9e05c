"""The Upload page itself, and the files its form asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dash import Input, State

from gui.components.file_field import FileField
from gui.files import EXPRESSION, MODEL, REFERENCE, FileKind
from gui.plugin import Page

TABLE = FileKind("Table", (".csv", ".tsv", ".txt", ".xlsx"))
page = Page("upload", "Upload", "single cells, bulk", order=10)


@dataclass(frozen=True)
class Part:
    """One file the form asks for."""

    role: str
    title: str
    tip: str
    field: FileField
    labels: FileField
    """A table of barcodes and cell types beside it."""

    def id(self, name: str) -> str:
        return str(getattr(page.id, f"{self.role}_{name}"))


def _part(role: str, title: str, tip: str, kinds: tuple[Any, ...] = (EXPRESSION,)) -> Part:
    labels = FileField(page, f"{role}_labels", (TABLE,), title=f"{title}: table of cell types")
    return Part(role, title, tip, FileField(page, role, kinds, title=title, folder=True), labels)


PARTS = (
    _part(
        "train",
        "Training data",
        "Single cells with a cell type each: .h5ad, .loom or .h5Seurat, .csv or .tsv (genes x"
        " cells, cell types in the header), or a .dcx file with all parts. Required.",
    ),
    _part(
        "bulk",
        "Bulk (application) data",
        "The samples you want to know the composition of: genes x samples (.csv, .tsv, .xlsx) or"
        " .h5ad (samples x genes).",
    ),
    _part(
        "test",
        "Test data",
        "Single cells that are not used for training. Without them some of the training cells are"
        " kept back for testing.",
    ),
    _part(
        "reference",
        "Reference X",
        "Mean expression of each cell type, genes x cell types. Without it the mean of the training"
        " cells is taken. With bulk samples and without training cells it is used alone.",
    ),
    _part(
        "model",
        "Trained model",
        "A model saved on the DTD page, instead of training data: its gene weights are applied to"
        " your bulk. Or a reference of the library: its cells are the training data.",
        (MODEL, REFERENCE),
    ),
)
OPTIONS = {
    "label": "value",
    "matrix": "value",
    "keep": "value",
    "sheet": "value",
    "genes": "value",
    "without": "value",
    "cells": "value",
    "common": "checked",
    "labels_token": "data",
}
"""How a file is read: the name of the control and its property.

Only those that apply to the file are shown.
"""
SELECTS = ("label", "matrix", "keep", "sheet", "genes", "without")
INDEX = "the index"
"""Of the gene names' column: none, the names of the rows."""


PART_NAMES = {
    "train": "Training cells",
    "test": "Test cells",
    "reference": "Reference X",
    "bulk": "Bulk samples",
}
GONE: dict[str, str] = {"display": "none"}


TOKENS = [Input(part.field.token_id, "data") for part in PARTS]
CHOICES = {
    part.role: {name: State(part.id(name), prop) for name, prop in OPTIONS.items()}
    for part in PARTS
}
"""How each file is read: role of its part -> option -> control."""
FORM = {
    "scale": State(page.id.scale, "data"),
    "share": State(page.id.share, "value"),
    "seed": State(page.id.seed, "value"),
    "author": State(page.id.author, "value"),
    "description": State(page.id.description, "value"),
}
"""What the form asks for beside the files and their repairs."""
