"""The Upload page itself, and the files its form asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dash import Input, State

from gui.components.filefield import FileField
from gui.files import EXPRESSION, MODEL, FileKind
from gui.plugin import Page

page = Page("upload", "Upload", "single cells, bulk", order=10)


@dataclass(frozen=True)
class Part:
    """One file the form asks for."""

    role: str
    title: str
    tip: str
    field: FileField

    def id(self, name: str) -> str:
        return str(getattr(page.id, f"{self.role}_{name}"))


def _part(role: str, title: str, tip: str, kinds: tuple[Any, ...] = (EXPRESSION,)) -> Part:
    return Part(role, title, tip, FileField(page, role, kinds, title=title))


PARTS = (
    _part(
        "train",
        "Training data",
        "Single cells with a cell type each: .h5ad (cells x genes), .csv or .tsv (genes x cells, cell types in the header), "
        "or a .dcx file with all parts. Required.",
    ),
    _part(
        "bulk", "Bulk (application) data", "The samples you want to know the composition of: genes x samples (.csv, .tsv, .xlsx) or .h5ad (samples x genes)."
    ),
    _part("test", "Test data", "Single cells that are not used for training. Without them a share of the training cells is kept back for testing."),
    _part("reference", "Reference X", "Mean expression of each cell type, genes x cell types. Without it the mean of the training cells is taken."),
    _part("model", "Trained model", "A model saved on the DTD page, instead of training data: its gene weights are applied to your bulk.", (MODEL,)),
)
OPTIONS = ("label", "matrix", "keep")


PART_NAMES = {"train": "Training cells", "test": "Test cells", "reference": "Reference X", "bulk": "Bulk samples"}
GONE: dict[str, str] = {"display": "none"}
TABLE = FileKind("Table", (".csv", ".tsv", ".txt", ".xlsx"))


TOKENS = [Input(part.field.token_id, "data") for part in PARTS]
CHOICES = [State(part.id(name), "value") for part in PARTS for name in OPTIONS]
"""In the order of the parts, then of the options."""
FORM = [
    State(page.id.scale, "checked"),
    *[State(i, "value") for i in (page.id.share, page.id.seed, page.id.author, page.id.description)],
]
